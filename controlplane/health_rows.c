#include "controlplane/health_rows.h"

#include <string.h>

#include "shared/clock.h"
#include "shared/log.h"

#define KEEP_MS ((uint64_t)7 * 24 * 3600 * 1000)
#define DAY_MS  ((uint64_t)24 * 3600 * 1000)
#define REPLAY  20

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static enum rx_code
insert(struct store *s, rx_str channel, uint64_t at_ms,
    const struct probe_result *r, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into health_check (channel_id, at_ms, verdict, status, "
        "connect_ms, latency_ms, message) "
        "select ?1, ?2, ?3, ?4, ?5, ?6, ?7 "
        "where exists (select 1 from channel where id = ?1)");

    db_bind_str(q, 1, channel);
    db_bind_u64(q, 2, at_ms);
    db_bind_str(q, 3, text(probe_verdict_name(r->verdict)));
    if (r->status > 0)
        db_bind_i64(q, 4, r->status);
    db_bind_u64(q, 5, r->connect_ms);
    db_bind_u64(q, 6, r->total_ms);
    db_bind_str(q, 7, text(r->message));
    return db_run(q, err);
}

static enum rx_code
forget_old(struct store *s, rx_str channel, uint64_t at_ms, struct rx_err *err)
{
    struct db_query *q = db_query(
        s->db, "delete from health_check where channel_id = ? and at_ms < ?");

    db_bind_str(q, 1, channel);
    db_bind_u64(q, 2, at_ms > KEEP_MS ? at_ms - KEEP_MS : 0);
    return db_run(q, err);
}

void
health_row_add(struct store *s, rx_str channel, uint64_t at_ms,
    const struct probe_result *r)
{
    struct rx_err err = { 0 };
    enum rx_code code = store_begin(s, &err);

    if (code == RX_OK) {
        code = insert(s, channel, at_ms, r, &err);
        if (code == RX_OK)
            code = forget_old(s, channel, at_ms, &err);
        if (code == RX_OK)
            code = store_commit(s, &err);
        else
            store_rollback(s);
    }
    if (code != RX_OK)
        rx_warn("health.unwritten", "why=%s", rx_log_quote(err.text));
}

void
health_rows_replay(struct store *s,
    void (*each)(void *arg, rx_str channel, uint64_t at_ms, bool good),
    void *arg)
{
    struct db_query *q = db_query(s->db,
        "select channel_id, at_ms, verdict <> 'bad' from (select *, "
        "row_number() over (partition by channel_id order by at_ms desc) n "
        "from health_check) where n <= ? order by at_ms");

    db_bind_u64(q, 1, REPLAY);
    while (db_next(q))
        each(arg, db_str(q, 0), db_u64(q, 1), db_i64(q, 2) != 0);
    (void)db_done(q, NULL);
}

static enum rx_code
put_latency(
    struct store *s, rx_str channel, struct rx_json_out *w, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "with l as (select latency_ms, "
        "row_number() over (order by latency_ms) n, count(*) over () c "
        "from health_check where channel_id = ?1 and at_ms >= ?2 "
        "and verdict <> 'bad') "
        "select max(c), max(latency_ms) filter (where n * 2 <= c + 1), "
        "max(latency_ms) filter (where n * 20 <= c * 19 + 19) from l");

    db_bind_str(q, 1, channel);
    db_bind_u64(q, 2, rx_clock_wall_ms() - DAY_MS);
    bool any = db_next(q) && db_u64(q, 0) > 0;
    rx_json_open_object(w, "latency");
    rx_json_put_u64(w, "checks", any ? db_u64(q, 0) : 0);
    if (any) {
        rx_json_put_u64(w, "p50_ms", db_u64(q, 1));
        rx_json_put_u64(w, "p95_ms", db_u64(q, 2));
    } else {
        rx_json_put_null(w, "p50_ms");
        rx_json_put_null(w, "p95_ms");
    }
    rx_json_close(w);
    return db_done(q, err);
}

enum rx_code
health_rows_put(struct store *s, rx_str channel, size_t limit,
    struct rx_json_out *w, struct rx_err *err)
{
    enum rx_code code = put_latency(s, channel, w, err);
    struct db_query *q = db_query(s->db,
        "select at_ms, verdict, status, connect_ms, latency_ms, message "
        "from health_check where channel_id = ? order by at_ms desc limit ?");

    db_bind_str(q, 1, channel);
    db_bind_u64(q, 2, limit);
    rx_json_open_array(w, "checks");
    while (db_next(q)) {
        rx_json_open_object(w, NULL);
        rx_json_put_time(w, "at", db_u64(q, 0));
        rx_json_put_str(w, "verdict", db_str(q, 1));
        if (db_is_null(q, 2))
            rx_json_put_null(w, "status");
        else
            rx_json_put_u64(w, "status", db_u64(q, 2));
        rx_json_put_u64(w, "connect_ms", db_u64(q, 3));
        rx_json_put_u64(w, "latency_ms", db_u64(q, 4));
        rx_json_put_str(w, "message", db_str(q, 5));
        rx_json_close(w);
    }
    rx_json_close(w);
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code != RX_OK ? code : done;
}
