#include "controlplane/webhook.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "controlplane/config.h"
#include "controlplane/row.h"
#include "controlplane/sink_field.h"
#include "shared/clock.h"
#include "shared/secret.h"
#include "shared/url.h"

#define SELECT                                                            \
    "select id, name, host, last4, kinds, severity, status, created_ms, " \
    "updated_ms, rev, last_ms, last_status, last_error, "                 \
    "(select count(*) from delivery d where d.webhook_id = webhook.id "   \
    "and d.failed_ms is null), "                                          \
    "(select count(*) from delivery d where d.webhook_id = webhook.id "   \
    "and d.failed_ms is not null), url, secret from webhook "

static const char *const statuses[] = { "enabled", "disabled", NULL };

struct webhook *
webhook_new(struct rx_arena *arena)
{
    struct webhook *h = field_make(arena, struct webhook, 1);

    h->status = RX_S("enabled");
    h->severity = RX_S("info");
    return h;
}

/* ---- from the API ---- */

/*
 * {"fingerprint"}: what stood in a document.  True: the member is one, and what
 * it stands for is known, or *out stays as it is.
 */
static bool
read_mark(const struct webhook *h, rx_json body, const char *name, rx_str *out)
{
    rx_json box = rx_json_member(body, name);
    char mark[CONFIG_MARK_SIZE];
    rx_str wanted;

    if (h->offered == NULL || rx_json_kind(box) != RX_JSON_OBJECT)
        return false;
    (void)rx_json_member(box, "shown");
    (void)rx_json_member(box, "last4");
    if (rx_json_need_str(box, "fingerprint", &wanted)) {
        for (size_t i = 0; i < h->offered->count; i++) {
            config_mark(h->offered->at[i], mark);
            if (rx_str_eq(wanted, field_text(mark)))
                *out = h->offered->at[i];
        }
    }
    rx_json_no_more(box);
    return true;
}

static void
read_url(struct webhook *h, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    struct rx_err err = { 0 };
    struct rx_url url;
    rx_str s = h->url;
    bool null = h->offered != NULL &&
                rx_json_kind(rx_json_member(body, "url")) == RX_JSON_NULL;
    bool given = null || read_mark(h, body, "url", &s) ? s.len > 0
                 : mode == FIELD_PATCH ? rx_json_get_str(body, "url", &s)
                                       : rx_json_need_str(body, "url", &s);

    if (!given)
        return;
    if (sink_show_url(arena, s, &url, &h->shown, &err) != RX_OK)
        rx_json_wrong_member(body, "url", "%s", err.text);
    else
        h->url = s;
}

static void
read_secret(struct webhook *h, rx_json body, struct rx_arena *arena)
{
    rx_str s = { 0 };
    bool given = read_mark(h, body, "secret", &s)
                     ? s.len > 0
                     : rx_json_get_str(body, "secret", &s);

    if (sink_take_secret(arena, body, given ? &s : NULL, &h->secret, &h->last4))
        h->drawn = true;
}

static void
check_kinds(const struct webhook *h, rx_json body)
{
    for (size_t i = 0; i < h->kinds.count; i++) {
        bool known = false;
        for (size_t k = 0; alert_kind_names[k] != NULL && !known; k++)
            known = rx_str_eq(h->kinds.at[i], field_text(alert_kind_names[k]));
        if (!known) {
            rx_json_wrong_member(body, "kinds",
                "there is no kind of alert \"%.*s\"",
                (int)(h->kinds.at[i].len < 60 ? h->kinds.at[i].len : 60),
                h->kinds.at[i].ptr);
            return;
        }
    }
}

void
webhook_read(struct webhook *h, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    static const char *const shown_only[] = { "id", "created_at", "updated_at",
        "secret_last4", "last_at", "last_status", "last_error", "waiting",
        "given_up", NULL };

    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    field_read_name(body, mode, false, &h->name);
    read_url(h, body, mode, arena);
    read_secret(h, body, arena);
    field_read_list(body, "kinds", mode, 64, arena, &h->kinds);
    check_kinds(h, body);
    field_read_word(body, "severity", alert_severity_names, &h->severity);
    field_read_word(body, "status", statuses, &h->status);
    if (h->offered == NULL && h->url.len == 0 && h->name.len > 0 &&
        rx_str_eq(h->status, RX_S("enabled")))
        rx_json_wrong_member(body, "url", "is needed: it has none yet");
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
}

void
webhook_put(struct rx_json_out *w, const char *key, const struct webhook *h)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", h->id);
    rx_json_put_str(w, "name", h->name);
    rx_json_put_str(w, "url", h->shown);
    rx_json_put_str(w, "secret_last4", h->last4);
    if (h->drawn)
        rx_json_put_str(w, "secret", h->secret);
    field_put_list(w, "kinds", &h->kinds);
    rx_json_put_str(w, "severity", h->severity);
    rx_json_put_str(w, "status", h->status);
    rx_json_put_u64(w, "waiting", h->waiting);
    rx_json_put_u64(w, "given_up", h->given_up);
    rx_json_put_time(w, "last_at", h->last_ms);
    if (h->last_status == 0)
        rx_json_put_null(w, "last_status");
    else
        rx_json_put_u64(w, "last_status", h->last_status);
    if (h->last_error.len == 0)
        rx_json_put_null(w, "last_error");
    else
        rx_json_put_str(w, "last_error", h->last_error);
    rx_json_put_time(w, "created_at", h->created_ms);
    rx_json_put_time(w, "updated_at", h->updated_ms);
    rx_json_close(w);
}

/* ---- rows ---- */

static enum rx_code
read_row(struct store *s, struct db_query *q, struct rx_arena *arena,
    bool secrets, struct webhook **out, struct rx_err *err)
{
    struct webhook *h = webhook_new(arena);
    enum rx_code code = RX_OK;

    *out = h;
    h->id = field_keep(arena, db_str(q, 0));
    h->name = field_keep(arena, db_str(q, 1));
    h->shown = field_keep(arena, db_str(q, 2));
    h->last4 = field_keep(arena, db_str(q, 3));
    field_load_list(arena, db_str(q, 4), &h->kinds);
    h->severity = field_keep(arena, db_str(q, 5));
    h->status = field_keep(arena, db_str(q, 6));
    h->created_ms = db_u64(q, 7);
    h->updated_ms = db_u64(q, 8);
    h->rev = db_u64(q, 9);
    h->last_ms = db_u64(q, 10);
    h->last_status = db_u64(q, 11);
    h->last_error = field_keep(arena, db_str(q, 12));
    h->waiting = db_u64(q, 13);
    h->given_up = db_u64(q, 14);
    if (secrets)
        code = row_unseal(
            s, arena, "webhook.url", h->id, db_blob(q, 15), &h->url, err);
    if (secrets && code == RX_OK)
        code = row_unseal(
            s, arena, "webhook.secret", h->id, db_blob(q, 16), &h->secret, err);
    return code;
}

enum rx_code
webhook_load(struct store *s, struct rx_arena *arena, rx_str id, bool secrets,
    struct webhook **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        SELECT "where id = ?1 or name = ?1 order by id = ?1 desc limit 1");
    enum rx_code code = RX_OK;

    *out = NULL;
    db_bind_str(q, 1, id);
    if (db_next(q))
        code = read_row(s, q, arena, secrets, out, err);
    return row_end(q, code, *out != NULL, "webhook", id, err);
}

enum rx_code
webhook_list(struct store *s, struct rx_arena *arena, rx_str after,
    size_t limit, struct webhook **out, size_t *count, struct rx_err *err)
{
    struct db_query *q = row_page(s, SELECT, after, limit);

    *count = 0;
    while (db_next(q))
        (void)read_row(s, q, arena, false, &out[(*count)++], err);
    return db_done(q, err);
}

enum rx_code
webhook_save(struct store *s, struct rx_arena *arena, struct webhook *h,
    struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    enum rx_code code = row_check_name(s, "webhook", h->name, h->id, err);
    if (code != RX_OK)
        return code;
    h->updated_ms = rx_clock_wall_ms();
    if (h->id.len == 0) {
        h->id = store_new_id(arena, "whk_");
        h->created_ms = h->updated_ms;
    }
    h->rev++;
    struct db_query *q = db_query(s->db,
        "insert into webhook (id, name, url, host, secret, last4, kinds, "
        "severity, status, created_ms, updated_ms, rev) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (id) do update set name = excluded.name, "
        "url = excluded.url, host = excluded.host, secret = excluded.secret, "
        "last4 = excluded.last4, kinds = excluded.kinds, "
        "severity = excluded.severity, status = excluded.status, "
        "updated_ms = excluded.updated_ms, rev = excluded.rev");
    db_bind_str(q, 1, h->id);
    db_bind_str(q, 2, h->name);
    row_bind_sealed(s, q, 3, "webhook.url", h->id, h->url);
    db_bind_str(q, 4, h->shown);
    row_bind_sealed(s, q, 5, "webhook.secret", h->id, h->secret);
    db_bind_str(q, 6, h->last4);
    db_bind_str(q, 7, field_list_text(arena, &h->kinds));
    db_bind_str(q, 8, h->severity);
    db_bind_str(q, 9, h->status);
    db_bind_u64(q, 10, h->created_ms);
    db_bind_u64(q, 11, h->updated_ms);
    db_bind_u64(q, 12, h->rev);
    return db_run(q, err);
}

enum rx_code
webhook_delete(struct store *s, const struct webhook *h, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from webhook where id = ?");

    assert(db_in_transaction(s->db));
    db_bind_str(q, 1, h->id);
    return db_run(q, err);
}

/* ---- events ---- */

void
webhook_body(struct rx_buf *out, rx_str id, const char *event, rx_str members)
{
    struct rx_json_out w = rx_json_out(out);
    struct rx_json_doc *doc = NULL;

    rx_json_open_object(&w, NULL);
    rx_json_put_str(&w, "id", id);
    rx_json_put_text(&w, "event", event);
    rx_json_put_time(&w, "at", rx_clock_wall_ms());
    if (members.len > 0 && rx_json_parse(&doc, members, NULL, NULL) == RX_OK) {
        rx_json v = rx_json_first(rx_json_root(doc));
        for (; rx_json_there(v); v = rx_json_next(v)) {
            char name[64];
            rx_str key = rx_json_name(v);
            snprintf(name, sizeof(name), RX_STR_FMT, RX_STR_ARG(key));
            rx_json_put_value(&w, name, v);
        }
        rx_json_free(doc);
    }
    rx_json_close(&w);
}

static enum rx_code
queue(struct store *s, rx_str webhook, const struct webhook_event *e,
    struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new(1 << 20);
    struct rx_buf body;

    rx_buf_init(&body, 128 << 10);
    webhook_body(&body, store_new_id(arena, "evt_"), e->event, e->members);
    struct db_query *q = db_query(s->db,
        "insert into delivery (webhook_id, event, body, created_ms, next_ms, "
        "attempts) values (?, ?, ?, ?4, ?4, 0)");
    db_bind_str(q, 1, webhook);
    db_bind_str(q, 2, field_text(e->event));
    db_bind_str(q, 3, rx_buf_str(&body));
    db_bind_u64(q, 4, rx_clock_wall_ms());
    enum rx_code code = db_run(q, err);
    rx_buf_fini(&body);
    rx_arena_free(arena);
    return code;
}

static bool
wants(const struct webhook *h, const struct webhook_event *e)
{
    bool listed = h->kinds.count == 0;
    size_t least = 0;

    if (!rx_str_eq(h->status, RX_S("enabled")) || rx_str_eq(h->id, e->subject))
        return false;
    while (!rx_str_eq(h->severity, field_text(alert_severity_names[least])) &&
           alert_severity_names[least + 1] != NULL)
        least++;
    for (size_t i = 0; i < h->kinds.count; i++)
        listed = listed || rx_str_eq(h->kinds.at[i], field_text(e->kind));
    return listed && (size_t)e->severity >= least;
}

enum rx_code
webhook_tell(struct store *s, const struct webhook_event *e, struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new(8 << 20);
    struct webhook **list = field_make(arena, struct webhook *, 200);
    size_t count = 0;

    enum rx_code code =
        webhook_list(s, arena, (rx_str){ 0 }, 200, list, &count, err);
    for (size_t i = 0; code == RX_OK && i < count; i++) {
        if (wants(list[i], e))
            code = queue(s, list[i]->id, e, err);
    }
    rx_arena_free(arena);
    return code;
}

void
webhook_sign(rx_str secret, uint64_t unix_s, rx_str body,
    char timestamp[WEBHOOK_HEADER_SIZE], char signature[WEBHOOK_HEADER_SIZE])
{
    char hex[2 * RX_DIGEST_SIZE + 1];
    struct rx_buf text;

    rx_buf_init(&text, body.len + 64);
    rx_buf_addf(&text, "%" PRIu64 ".", unix_s);
    rx_buf_add(&text, body);
    struct rx_digest d = rx_hmac_sha256(secret, rx_buf_str(&text));
    rx_buf_fini(&text);
    rx_hex(d.bytes, sizeof(d.bytes), hex);
    snprintf(
        timestamp, WEBHOOK_HEADER_SIZE, "x-routex-timestamp: %" PRIu64, unix_s);
    snprintf(signature, WEBHOOK_HEADER_SIZE, "x-routex-signature: v1=%s", hex);
}
