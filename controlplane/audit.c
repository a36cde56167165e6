#include "controlplane/audit.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/field.h"
#include "shared/clock.h"

#define DETAIL_MAX ((size_t)64 << 10)
#define TOO_LONG   RX_S("{\"note\":\"too long to record\"}")

/* Members that hold secrets, wherever they are. */
static bool
is_secret(rx_str name)
{
    static const rx_str secret[] = { RX_STR_INIT("api_key"),
        RX_STR_INIT("apiKey"), RX_STR_INIT("keys"), RX_STR_INIT("key"),
        RX_STR_INIT("proxy_url"), RX_STR_INIT("proxyUrl"),
        RX_STR_INIT("headers"), RX_STR_INIT("secret"), RX_STR_INIT("token"),
        RX_STR_INIT("password"), RX_STR_INIT("current_password"),
        RX_STR_INIT("currentPassword"), RX_STR_INIT("passphrase"),
        RX_STR_INIT("code"), RX_STR_INIT("access_token"),
        RX_STR_INIT("refresh_token"), RX_STR_INIT("client_secret"),
        RX_STR_INIT("csrf_token") };

    for (size_t i = 0; i < RX_COUNT(secret); i++) {
        if (rx_str_eq(name, secret[i]))
            return true;
    }
    return false;
}

/* They change without anybody's doing. */
static bool
is_volatile(rx_str name)
{
    static const rx_str names[] = { RX_STR_INIT("availability"),
        RX_STR_INIT("limits_used"), RX_STR_INIT("limits_state"),
        RX_STR_INIT("last_used_at"), RX_STR_INIT("last_login_at"),
        RX_STR_INIT("health"), RX_STR_INIT("usage"), RX_STR_INIT("windows") };

    for (size_t i = 0; i < RX_COUNT(names); i++) {
        if (rx_str_eq(name, names[i]))
            return true;
    }
    return false;
}

/* The body's members; what may hold a secret is only said to have been there. */
static void
add_detail(struct rx_buf *text, rx_json body)
{
    struct rx_json_out w = rx_json_out(text);

    rx_json_open_object(&w, NULL);
    for (rx_json v = rx_json_first(body); rx_json_there(v);
         v = rx_json_next(v)) {
        const char *name = rx_json_name(v).ptr;
        if (name == NULL)
            continue;
        if (is_secret(rx_json_name(v)))
            rx_json_put_text(&w, name, "(not recorded)");
        else
            rx_json_put_value(&w, name, v);
    }
    rx_json_close(&w);
}

/* "…" and the last four, if there are many more than four. */
static void
put_masked(struct rx_json_out *w, const char *name, rx_str secret)
{
    char text[16] = "\xe2\x80\xa6";
    size_t shown = secret.len >= 12 ? 4 : 0;

    memcpy(text + 3, secret.ptr + secret.len - shown, shown);
    text[3 + shown] = '\0';
    rx_json_put_text(w, name, text);
}

static void
put_value(struct rx_json_out *w, const char *name, rx_json v, bool secret)
{
    enum rx_json_kind kind = rx_json_kind(v);

    if (kind == RX_JSON_STRING && secret) {
        put_masked(w, name, rx_json_str(v));
    } else if (kind == RX_JSON_OBJECT) {
        rx_json_open_object(w, name);
        for (rx_json m = rx_json_first(v); rx_json_there(m);
             m = rx_json_next(m)) {
            rx_str member = rx_json_name(m);
            /* All of "headers"; of a shown key only a member "key". */
            bool hide = is_secret(member) || (secret && name != NULL &&
                                                 strcmp(name, "headers") == 0);
            if (!is_volatile(member))
                put_value(w, member.ptr, m, hide);
        }
        rx_json_close(w);
    } else if (kind == RX_JSON_ARRAY) {
        rx_json_open_array(w, name);
        for (rx_json m = rx_json_first(v); rx_json_there(m);
             m = rx_json_next(m))
            put_value(w, NULL, m, secret);
        rx_json_close(w);
    } else {
        rx_json_put_value(w, name, v);
    }
}

static void
bind_item(struct db_query *q, int index, rx_json item)
{
    struct rx_buf text;

    if (!rx_json_there(item)) {
        db_bind_str_or_null(q, index, (rx_str){ 0 });
        return;
    }
    rx_buf_init(&text, DETAIL_MAX);
    struct rx_json_out w = rx_json_out(&text);
    put_value(&w, NULL, item, false);
    db_bind_str(q, index, text.full ? TOO_LONG : rx_buf_str(&text));
    rx_buf_fini(&text);
}

enum rx_code
audit_add(struct store *s, const struct audit_line *line, struct rx_err *err)
{
    struct rx_buf detail;
    struct db_query *q = db_query(s->db,
        "insert into audit (at_ms, actor, action, kind, item_id, name, detail, "
        "actor_kind, actor_id, address, item_before, item_after) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    rx_buf_init(&detail, DETAIL_MAX);
    add_detail(&detail, line->body);
    db_bind_u64(q, 1, rx_clock_wall_ms());
    db_bind_str(q, 2, line->actor);
    db_bind_str(q, 3, field_text(line->action));
    db_bind_str(q, 4, field_text(line->kind));
    db_bind_str(q, 5, line->id);
    db_bind_str(q, 6, line->name);
    db_bind_str(q, 7, detail.full ? TOO_LONG : rx_buf_str(&detail));
    db_bind_str(q, 8,
        field_text(line->actor_kind != NULL ? line->actor_kind : "system"));
    db_bind_str(q, 9, line->actor_id);
    db_bind_str(q, 10, line->address);
    bind_item(q, 11, line->before);
    bind_item(q, 12, line->after);
    rx_buf_fini(&detail);
    return db_run(q, err);
}

enum rx_code
audit_prune(struct store *s, uint64_t before_ms, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from audit where at_ms < ?");

    db_bind_u64(q, 1, before_ms);
    return db_run(q, err);
}

static void
put_item(
    struct rx_json_out *w, const char *name, struct db_query *q, int column)
{
    if (db_is_null(q, column))
        rx_json_put_null(w, name);
    else
        rx_json_put_raw(w, name, db_str(q, column));
}

static void
put_line(struct rx_json_out *w, struct db_query *q)
{
    char id[24];

    snprintf(id, sizeof(id), "%llu", (unsigned long long)db_u64(q, 0));
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "id", id);
    rx_json_put_time(w, "at", db_u64(q, 1));
    rx_json_put_str(w, "actor", db_str(q, 2));
    rx_json_put_str(w, "actor_kind", db_str(q, 8));
    rx_json_put_str(w, "actor_id", db_str(q, 9));
    rx_json_put_str(w, "address", db_str(q, 10));
    rx_json_put_str(w, "action", db_str(q, 3));
    rx_json_put_str(w, "kind", db_str(q, 4));
    rx_json_put_str(w, "item_id", db_str(q, 5));
    rx_json_put_str(w, "name", db_str(q, 6));
    rx_json_put_raw(w, "detail", db_str(q, 7));
    put_item(w, "before", q, 11);
    put_item(w, "after", q, 12);
    rx_json_close(w);
}

enum rx_code
audit_list(struct store *s, const struct audit_filter *f, size_t limit,
    struct rx_json_out *w, size_t *count, uint64_t *last, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select id, at_ms, actor, action, kind, item_id, name, detail, "
        "actor_kind, actor_id, address, item_before, item_after "
        "from audit where id < ?1 and at_ms >= ?2 and at_ms < ?3 "
        "and (?4 = '' or actor = ?4 or actor_id = ?4) "
        "and (?5 = '' or item_id = ?5 or name = ?5) "
        "and (?6 = '' or kind = ?6) and (?7 = '' or action = ?7) "
        "order by id desc limit ?8");

    *count = 0;
    *last = 0;
    db_bind_u64(q, 1, f->before == 0 ? INT64_MAX : f->before);
    db_bind_u64(q, 2, f->since_ms);
    db_bind_u64(q, 3, f->until_ms == 0 ? INT64_MAX : f->until_ms);
    db_bind_str(q, 4, f->actor);
    db_bind_str(q, 5, f->object);
    db_bind_str(q, 6, f->kind);
    db_bind_str(q, 7, f->action);
    db_bind_u64(q, 8, limit);
    while (db_next(q)) {
        put_line(w, q);
        *last = db_u64(q, 0);
        ++*count;
    }
    return db_done(q, err);
}
