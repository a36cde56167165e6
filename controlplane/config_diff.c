/*
 * What an import would change or has changed, field by field.  Secrets stand
 * here by their marks, as everywhere in a document.
 */
#include <string.h>

#include "controlplane/config.h"

#define PATH_MAX_BYTES 256
#define TEXT_MAX       ((size_t)4 << 20)

struct diff {
    struct rx_json_out *w;
    struct rx_arena *arena;
    char path[PATH_MAX_BYTES];
};

static bool
is_same(rx_json a, rx_json b)
{
    struct rx_buf left, right;

    if (rx_json_kind(a) != rx_json_kind(b))
        return false;
    rx_buf_init(&left, TEXT_MAX);
    rx_buf_init(&right, TEXT_MAX);
    rx_json_print(a, false, &left);
    rx_json_print(b, false, &right);
    bool same = rx_str_eq(rx_buf_str(&left), rx_buf_str(&right));
    rx_buf_fini(&left);
    rx_buf_fini(&right);
    return same;
}

static rx_json
member_of(rx_json object, rx_str name)
{
    rx_json v = rx_json_first(object);

    while (rx_json_there(v) && !rx_str_eq(rx_json_name(v), name))
        v = rx_json_next(v);
    return v;
}

static void
put_side(struct rx_json_out *w, const char *key, rx_json v)
{
    if (rx_json_there(v))
        rx_json_put_value(w, key, v);
    else
        rx_json_put_null(w, key);
}

static void compare(struct diff *d, rx_json before, rx_json after);

static void
compare_member(struct diff *d, rx_str name, rx_json before, rx_json after)
{
    size_t len = strlen(d->path);
    size_t room = sizeof(d->path) - len - 2;
    size_t n = name.len < room ? name.len : room;

    if (len > 0)
        d->path[len] = '.';
    memcpy(d->path + len + (len > 0), name.ptr, n);
    d->path[len + (len > 0) + n] = '\0';
    compare(d, before, after);
    d->path[len] = '\0';
}

static void
compare(struct diff *d, rx_json before, rx_json after)
{
    if (is_same(before, after))
        return;
    if (rx_json_kind(before) != RX_JSON_OBJECT ||
        rx_json_kind(after) != RX_JSON_OBJECT) {
        rx_json_open_object(d->w, NULL);
        rx_json_put_text(d->w, "field", d->path);
        put_side(d->w, "before", before);
        put_side(d->w, "after", after);
        rx_json_close(d->w);
        return;
    }
    for (rx_json v = rx_json_first(after); rx_json_there(v);
         v = rx_json_next(v))
        compare_member(
            d, rx_json_name(v), member_of(before, rx_json_name(v)), v);
    for (rx_json v = rx_json_first(before); rx_json_there(v);
         v = rx_json_next(v)) {
        if (!rx_json_there(member_of(after, rx_json_name(v))))
            compare_member(d, rx_json_name(v), v, (rx_json){ 0 });
    }
}

static void
put_change(struct config_run *run, struct rx_json_out *w,
    const struct config_change *c)
{
    struct diff d = { .w = w, .arena = run->arena };

    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "kind", c->kind->name);
    rx_json_put_str(w, "name", c->name);
    rx_json_put_text(w, "action", c->action);
    rx_json_open_array(w, "fields");
    if (c->before.len > 0 && c->after.len > 0)
        compare(&d, field_parse(run->arena, c->before),
            field_parse(run->arena, c->after));
    rx_json_close(w);
    if (c->before.len == 0)
        rx_json_put_raw(w, "after", c->after);
    if (c->after.len == 0)
        rx_json_put_raw(w, "before", c->before);
    rx_json_close(w);
}

void
config_put_result(struct config_run *run, struct rx_json_out *w,
    const struct config_result *result, bool dry)
{
    rx_json_open_object(w, "summary");
    rx_json_put_u64(w, "added", result->added);
    rx_json_put_u64(w, "changed", result->changed);
    rx_json_put_u64(w, "removed", result->removed);
    rx_json_put_u64(w, "unchanged", result->unchanged);
    rx_json_close(w);
    rx_json_open_array(w, "changes");
    for (size_t i = 0; i < result->change_count; i++)
        put_change(run, w, &result->changes[i]);
    rx_json_close(w);
    rx_json_close(&run->warn_w);
    rx_json_close(&run->made_w);
    rx_json_put_raw(w, "warnings", rx_buf_str(&run->warnings));
    rx_json_put_raw(
        w, "made_keys", dry ? RX_S("[]") : rx_buf_str(&run->made_keys));
}
