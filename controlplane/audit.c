#include "controlplane/audit.h"

#include <stdio.h>

#include "controlplane/field.h"
#include "shared/clock.h"

#define DETAIL_MAX ((size_t)64 << 10)

static bool
is_secret(rx_str name)
{
    static const rx_str secret[] = { RX_STR_INIT("api_key"),
        RX_STR_INIT("apiKey"), RX_STR_INIT("keys"), RX_STR_INIT("key"),
        RX_STR_INIT("proxy_url"), RX_STR_INIT("proxyUrl"),
        RX_STR_INIT("headers"), RX_STR_INIT("secret"), RX_STR_INIT("token"),
        RX_STR_INIT("password"), RX_STR_INIT("current_password"),
        RX_STR_INIT("currentPassword") };

    for (size_t i = 0; i < RX_COUNT(secret); i++) {
        if (rx_str_eq(name, secret[i]))
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

enum rx_code
audit_add(struct store *s, const struct audit_line *line, struct rx_err *err)
{
    struct rx_buf detail;
    struct db_query *q = db_query(s->db,
        "insert into audit (at_ms, actor, action, kind, item_id, name, detail) "
        "values (?, ?, ?, ?, ?, ?, ?)");

    rx_buf_init(&detail, DETAIL_MAX);
    add_detail(&detail, line->body);
    db_bind_u64(q, 1, rx_clock_wall_ms());
    db_bind_str(q, 2, line->actor);
    db_bind_str(q, 3, field_text(line->action));
    db_bind_str(q, 4, field_text(line->kind));
    db_bind_str(q, 5, line->id);
    db_bind_str(q, 6, line->name);
    db_bind_str(q, 7,
        detail.full ? RX_S("{\"note\":\"too long to record\"}")
                    : rx_buf_str(&detail));
    rx_buf_fini(&detail);
    return db_run(q, err);
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
    rx_json_put_str(w, "action", db_str(q, 3));
    rx_json_put_str(w, "kind", db_str(q, 4));
    rx_json_put_str(w, "item_id", db_str(q, 5));
    rx_json_put_str(w, "name", db_str(q, 6));
    rx_json_put_raw(w, "detail", db_str(q, 7));
    rx_json_close(w);
}

enum rx_code
audit_list(struct store *s, uint64_t before, size_t limit,
    struct rx_json_out *w, size_t *count, uint64_t *last, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select id, at_ms, actor, action, kind, item_id, name, detail "
        "from audit where id < ? order by id desc limit ?");

    *count = 0;
    *last = 0;
    db_bind_u64(q, 1, before == 0 ? INT64_MAX : before);
    db_bind_u64(q, 2, limit);
    while (db_next(q)) {
        put_line(w, q);
        *last = db_u64(q, 0);
        ++*count;
    }
    return db_done(q, err);
}
