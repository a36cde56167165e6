#include "controlplane/field.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"

#define NAME_MAX_BYTES 64
#define LIST_MAX       1000
#define DAY_S          86400.0

/* Prefixes of our ids; a name must not be mistaken for one. */
static const char *const id_prefixes[] = { "chn_", "ten_", "key_", "crd_",
    "tok_", "rul_", "fun_" };

rx_str
field_text(const char *s)
{
    return s == NULL ? (rx_str){ 0 } : (rx_str){ s, strlen(s) };
}

rx_str
field_keep(struct rx_arena *arena, rx_str s)
{
    rx_str copy = rx_arena_copy(arena, s);

    assert(copy.ptr != NULL);
    return copy;
}

void *
field_room(struct rx_arena *arena, size_t size, size_t count)
{
    void *p = rx_arena_array(arena, size, count == 0 ? 1 : count);

    assert(p != NULL);
    return p;
}

static void
free_doc(void *arg)
{
    rx_json_free(arg);
}

void
field_adopt(struct rx_arena *arena, struct rx_json_doc *doc)
{
    rx_arena_defer(arena, free_doc, doc);
}

rx_json
field_parse(struct rx_arena *arena, rx_str stored)
{
    struct rx_json_doc *doc;
    enum rx_code code = rx_json_parse(&doc, stored, NULL, NULL);

    /* We wrote it; a damaged file is found by SQLite's own checks. */
    assert(code == RX_OK);
    (void)code;
    field_adopt(arena, doc);
    return rx_json_root(doc);
}

/* ---- names ---- */

static bool
is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

static bool
has_control(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_control(s.ptr[i]))
            return true;
    }
    return false;
}

static bool
is_strict(rx_str s)
{
    static const char more[] = "._-";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9');
        if (!plain && (i == 0 || memchr(more, c, sizeof(more) - 1) == NULL))
            return false;
    }
    return true;
}

static bool
looks_like_id(rx_str s)
{
    for (size_t i = 0; i < RX_COUNT(id_prefixes); i++) {
        if (rx_str_starts(s, field_text(id_prefixes[i])))
            return true;
    }
    return false;
}

static const char *
wrong_with_name(rx_str s, bool strict)
{
    if (s.len > NAME_MAX_BYTES)
        return "must be at most 64 bytes";
    if (has_control(s))
        return "must not hold control characters";
    if (rx_str_trim(s).len != s.len)
        return "must not begin or end with a blank";
    if (looks_like_id(s))
        return "must not look like an id";
    if (strict && !is_strict(s))
        return "may hold letters, digits, '.', '_' and '-', and begins with a "
               "letter or digit";
    return NULL;
}

bool
field_read_name(rx_json body, enum field_mode mode, bool strict, rx_str *name)
{
    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "name")))
        return true;
    if (!rx_json_need_str(body, "name", name))
        return false;
    const char *wrong = wrong_with_name(*name, strict);
    if (wrong != NULL)
        rx_json_wrong_member(body, "name", "%s", wrong);
    return wrong == NULL;
}

/* ---- lists ---- */

void
field_read_list(rx_json body, const char *name, enum field_mode mode,
    size_t max_len, struct rx_arena *arena, struct field_list *out)
{
    rx_json list, v = rx_json_member(body, name);

    if (mode == FIELD_PATCH && !rx_json_there(v))
        return;
    *out = (struct field_list){ 0 };
    if (!rx_json_get_array(body, name, &list))
        return;
    size_t count = rx_json_count(list);
    if (count > LIST_MAX) {
        rx_json_wrong(list, "must have at most %d elements", LIST_MAX);
        return;
    }
    rx_str *at = field_make(arena, rx_str, count);
    out->at = at;
    for (v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v)) {
        if (!rx_json_want(v, RX_JSON_STRING))
            return;
        rx_str s = rx_json_str(v);
        if (s.len == 0 || s.len > max_len || has_control(s)) {
            rx_json_wrong(v,
                "must be 1 to %zu bytes without control characters", max_len);
            return;
        }
        at[out->count++] = s;
    }
}

void
field_read_allowed(rx_json body, const char *name, enum field_mode mode,
    struct rx_arena *arena, struct field_list *out)
{
    field_read_list(body, name, mode, 256, arena, out);
    for (size_t i = 0; i < out->count; i++) {
        if (rx_str_eq(out->at[i], RX_S("*"))) {
            out->count = 0;
            return;
        }
    }
}

void
field_put_list(
    struct rx_json_out *w, const char *key, const struct field_list *list)
{
    rx_json_open_array(w, key);
    for (size_t i = 0; i < list->count; i++)
        rx_json_put_str(w, NULL, list->at[i]);
    rx_json_close(w);
}

void
field_put_allowed(
    struct rx_json_out *w, const char *key, const struct field_list *list)
{
    static const rx_str any[] = { RX_STR_INIT("*") };
    struct field_list all = { any, 1 };

    field_put_list(w, key, list->count == 0 ? &all : list);
}

rx_str
field_list_text(struct rx_arena *arena, const struct field_list *list)
{
    struct rx_buf text;

    rx_buf_init(&text, 4 << 20);
    struct rx_json_out w = rx_json_out(&text);
    field_put_list(&w, NULL, list);
    rx_str copy = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return copy;
}

void
field_load_list(struct rx_arena *arena, rx_str stored, struct field_list *out)
{
    *out = (struct field_list){ 0 };
    if (rx_str_eq(stored, RX_S("[]")))
        return;
    rx_json list = field_parse(arena, stored);
    rx_str *at = field_make(arena, rx_str, rx_json_count(list));
    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        at[out->count++] = rx_json_str(v);
    out->at = at;
}

/* ---- single values ---- */

void
field_read_word(
    rx_json body, const char *name, const char *const *words, rx_str *out)
{
    char known[120] = "";
    rx_str s;

    if (!rx_json_get_str(body, name, &s))
        return;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (rx_str_eq(s, field_text(words[i]))) {
            *out = field_text(words[i]);
            return;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof(known) - used, "%s\"%s\"",
            i == 0 ? "" : ", ", words[i]);
    }
    rx_json_wrong_member(body, name, "must be one of %s", known);
}

void
field_read_seconds(rx_json body, const char *name, uint32_t *ms)
{
    double s;

    if (rx_json_kind(rx_json_member(body, name)) == RX_JSON_NULL)
        *ms = 0;
    else if (rx_json_get_number(body, name, 0, DAY_S, &s))
        *ms = s > 0 && s < 0.001 ? 1 : (uint32_t)lround(s * 1000);
}

void
field_put_seconds(struct rx_json_out *w, const char *key, uint64_t ms)
{
    if (ms == 0)
        rx_json_put_null(w, key);
    else
        rx_json_put_number(w, key, (double)ms / 1000);
}

void
field_read_time(rx_json body, const char *name, uint64_t *wall_ms)
{
    rx_str s;

    if (rx_json_kind(rx_json_member(body, name)) == RX_JSON_NULL)
        *wall_ms = 0;
    else if (rx_json_get_str(body, name, &s) && !rx_time_parse(s, wall_ms))
        rx_json_wrong_member(
            body, name, "must be a time like \"2027-01-31T00:00:00Z\"");
}

void
field_ignore(rx_json body, enum field_mode mode, const char *const *names)
{
    if (mode == FIELD_CREATE)
        return;
    for (size_t i = 0; names[i] != NULL; i++)
        (void)rx_json_member(body, names[i]);
}

void
field_refuse_unsupported(rx_json body, const char *name)
{
    rx_json v = rx_json_member(body, name);
    enum rx_json_kind kind = rx_json_kind(v);

    if (kind == RX_JSON_NONE || kind == RX_JSON_NULL)
        return;
    if ((kind == RX_JSON_OBJECT || kind == RX_JSON_ARRAY) &&
        rx_json_count(v) == 0)
        return;
    rx_json_wrong(
        v, "is not enforced by this version of Routex; leave it out or empty");
}

rx_str
field_last4(struct rx_arena *arena, rx_str secret)
{
    /* Four of at least eight; the tail of a short secret says too much. */
    size_t n = secret.len >= 8 ? 4 : 0;

    return field_keep(arena, (rx_str){ secret.ptr + (secret.len - n), n });
}
