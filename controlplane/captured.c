#include "controlplane/captured.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/settings.h"
#include "shared/clock.h"
#include "shared/decode.h"
#include "shared/log.h"

#define WRITE_MS  200
#define AGAIN_MS  2000
#define SWEEP_MS  10000
#define SWEEP_MAX 500 /* rows a turn: deleting blobs takes its time */
#define BODY_MAX  ((size_t)8 << 20)

/* One that waits, with its texts behind it. */
struct waiting {
    struct rx_link link;
    struct wire_captured m;
    size_t size;
    char room[];
};

struct captured {
    struct rx_loop *loop;
    struct store *store;
    struct rx_list list;
    size_t bytes;
    struct rx_timer write, sweep;
    uint64_t unseen, *taken, *lost;
};

/* ---- taking ------------------------------------------------------------------ */

static rx_str
keep(char **at, rx_str s)
{
    rx_str kept = { *at, s.len };

    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

void
captured_take(struct captured *c, const struct wire_captured *m)
{
    size_t size = m->request_id.len + m->request.len + m->response.len;

    if (c->bytes + size > CAPTURED_WAIT_BYTES) {
        ++*c->lost;
        return;
    }
    struct waiting *w = calloc(1, sizeof(*w) + size);
    if (w == NULL)
        abort();
    char *at = w->room;
    w->m = *m;
    w->m.request_id = keep(&at, m->request_id);
    w->m.request = keep(&at, m->request);
    w->m.response = keep(&at, m->response);
    w->size = size;
    c->bytes += size;
    rx_list_append(&c->list, &w->link);
    if (!rx_timer_is_set(&c->write))
        rx_timer_set(&c->write, WRITE_MS);
}

/* ---- writing ------------------------------------------------------------------ */

static enum rx_code
insert(struct store *s, const struct wire_captured *m, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into capture (request_id, at_ms, request, response, "
        "request_bytes, response_bytes, request_cut, response_cut, redacted) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (request_id) do nothing");

    db_bind_str(q, 1, m->request_id);
    db_bind_u64(q, 2, m->started_ms);
    db_bind_blob(q, 3, m->request);
    db_bind_blob(q, 4, m->response);
    db_bind_u64(q, 5, m->request_bytes);
    db_bind_u64(q, 6, m->response_bytes);
    db_bind_i64(q, 7, m->request_cut);
    db_bind_i64(q, 8, m->response_cut);
    db_bind_u64(q, 9, m->redacted);
    return db_run(q, err);
}

static enum rx_code
insert_all(struct captured *c, struct rx_err *err)
{
    struct rx_link *link;
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    RX_LIST_FOREACH(link, &c->list) {
        if (code == RX_OK)
            code = insert(
                c->store, &RX_LIST_ITEM(link, struct waiting, link)->m, err);
    }
    if (code == RX_OK)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

static void
drop_all(struct captured *c, uint64_t *count)
{
    while (c->list.count > 0) {
        struct waiting *w =
            RX_LIST_ITEM(rx_list_first(&c->list), struct waiting, link);
        rx_list_remove(&c->list, &w->link);
        c->bytes -= w->size;
        free(w);
        ++*count;
    }
}

static void
write_out(void *arg)
{
    struct captured *c = arg;
    struct rx_err err = { 0 };

    if (c->list.count == 0)
        return;
    if (db_in_transaction(c->store->db)) {
        rx_timer_set(&c->write, 1);
    } else if (insert_all(c, &err) == RX_OK) {
        drop_all(c, c->taken);
    } else {
        rx_warn("capture.unwritten", "count=%zu why=%s", c->list.count,
            rx_log_quote(err.text));
        rx_timer_set(&c->write, AGAIN_MS);
    }
}

/* ---- keeping ------------------------------------------------------------------ */

static uint64_t
keep_ms(struct captured *c)
{
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    struct settings s;
    uint64_t ms = 0;

    if (settings_load(c->store, arena, &s, NULL) == RX_OK)
        ms = s.capture_keep_s * 1000;
    rx_arena_free(arena);
    return ms;
}

static void
sweep(void *arg)
{
    struct captured *c = arg;
    struct rx_err err = { 0 };
    uint64_t wait = SWEEP_MS;

    if (db_in_transaction(c->store->db)) {
        rx_timer_set(&c->sweep, 1);
        return;
    }
    uint64_t now = rx_clock_wall_ms();
    uint64_t span = keep_ms(c);
    struct db_query *q = db_query(c->store->db,
        "delete from capture where id in (select id from capture "
        "where at_ms < ? order by at_ms limit ?)");
    db_bind_u64(q, 1, span > 0 && now > span ? now - span : 0);
    db_bind_u64(q, 2, SWEEP_MAX);
    if (db_run(q, &err) != RX_OK)
        rx_warn("capture.unswept", "why=%s", rx_log_quote(err.text));
    else if (db_changes(c->store->db) == SWEEP_MAX)
        wait = 50; /* the loop's turn, then more */
    rx_timer_set(&c->sweep, wait);
}

/* A body may be no text, or end within a character: JSON cannot hold that. */
static void
put_utf8(struct rx_json_out *w, const char *key, rx_str s)
{
    struct rx_buf clean;

    rx_buf_init(&clean, 3 * s.len + 1);
    while (s.len > 0) {
        size_t n = rx_json_rune(s);
        if (n > 0)
            rx_buf_add(&clean, (rx_str){ s.ptr, n });
        else
            rx_buf_add(&clean, RX_S("\xef\xbf\xbd"));
        n = n > 0 ? n : 1;
        s = (rx_str){ s.ptr + n, s.len - n };
    }
    rx_json_put_str(w, key, rx_buf_str(&clean));
    rx_buf_fini(&clean);
}

/* ---- showing ------------------------------------------------------------------- */

static enum rx_code
put_body(struct rx_json_out *w, const char *key, struct db_query *q, int blob,
    int bytes, int cut, struct rx_err *err)
{
    struct rx_buf plain;

    rx_buf_init(&plain, BODY_MAX);
    enum rx_code code =
        rx_decode_whole(RX_CODING_ZSTD, db_blob(q, blob), &plain, err);
    if (code == RX_OK) {
        rx_json_open_object(w, key);
        rx_json_put_u64(w, "bytes", db_u64(q, bytes));
        rx_json_put_bool(w, "truncated", db_i64(q, cut) != 0);
        put_utf8(w, "text", rx_buf_str(&plain));
        rx_json_close(w);
    }
    rx_buf_fini(&plain);
    return code;
}

static enum rx_code
put_both(struct rx_json_out *w, const char *key, struct db_query *q,
    struct rx_err *err)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "request_id", db_str(q, 0));
    rx_json_put_time(w, "started_at", db_u64(q, 1));
    rx_json_put_u64(w, "redacted", db_u64(q, 8));
    enum rx_code code = put_body(w, "request", q, 2, 4, 6, err);
    if (code == RX_OK)
        code = put_body(w, "response", q, 3, 5, 7, err);
    rx_json_close(w);
    return code;
}

enum rx_code
captured_find(struct store *s, struct rx_arena *arena, rx_str id,
    rx_str *request, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select request_id from capture where request_id = coalesce("
        "(select request_id from request where id = ?2), ?1)");
    uint64_t row = 0;

    db_bind_str(q, 1, id);
    db_bind_u64(q, 2, rx_str_u64(id, &row) ? row : 0);
    bool found = db_next(q);
    if (found)
        *request = field_keep(arena, db_str(q, 0));
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && !found)
        return rx_fail(err, RX_NOT_FOUND,
            "no bodies of request \"%.*s\" are kept",
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    return code;
}

enum rx_code
captured_put(struct store *s, rx_str request, struct rx_json_out *w,
    const char *key, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select request_id, at_ms, request, response, request_bytes, "
        "response_bytes, request_cut, response_cut, redacted "
        "from capture where request_id = ?");
    enum rx_code code = RX_OK;

    db_bind_str(q, 1, request);
    if (db_next(q))
        code = put_both(w, key, q, err);
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code == RX_OK ? done : code;
}

/* ---- beginning and end ------------------------------------------------------------ */

void
captured_stats(struct captured *c, struct rx_stat *stat)
{
    c->taken = rx_stat_counter(stat, "routex_capture_stored_total",
        "bodies that were stored", RX_STAT_NO_LABELS);
    c->lost = rx_stat_counter(stat, "routex_capture_lost_total",
        "bodies there was no room for", RX_STAT_NO_LABELS);
}

struct captured *
captured_new(struct rx_loop *loop, struct store *store)
{
    struct captured *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->loop = loop;
    c->store = store;
    c->taken = c->lost = &c->unseen;
    rx_list_init(&c->list);
    rx_timer_init(&c->write, loop, write_out, c);
    rx_timer_init(&c->sweep, loop, sweep, c);
    rx_timer_set(&c->sweep, SWEEP_MS);
    return c;
}

void
captured_free(struct captured *c)
{
    if (c == NULL)
        return;
    c->taken = c->lost = &c->unseen;
    write_out(c);
    drop_all(c, c->lost);
    rx_timer_fini(&c->write);
    rx_timer_fini(&c->sweep);
    free(c);
}
