#include "controlplane/retention.h"

#include <inttypes.h>
#include <stdlib.h>

#include "controlplane/rollup.h"
#include "controlplane/settings.h"
#include "shared/clock.h"
#include "shared/log.h"

#define DAY_MS     ((uint64_t)24 * 3600 * 1000)
#define SLICE_US   1000
#define ROWS_MIN   4
#define ROWS_MAX   200
#define CELLS      100
#define PAGES      8
#define PAUSE_MS   10    /* between slices: most of the time is others' */
#define REST_MS    60000 /* when there was nothing to do */
#define AGAIN_MS   5000  /* the store did not take it */
#define ARENA_MAX  ((size_t)8 << 20)
/* Empty room is filled again soon; more than a twentieth of the file is not. */
#define EMPTY_MIN  ((uint64_t)1 << 20)
#define EMPTY_PART 20

struct retention {
    struct store *store;
    struct settings_retention plan;
    bool planned;  /* it was read since the last change */
    uint64_t rows; /* of a slice; so many that it takes a millisecond */
    /* Attempts of requests before this one are gone. */
    uint64_t attempts_ms, attempts_id;
    bool shrinks;  /* once begun, it goes on until little is empty */
    uint64_t gone; /* rows, since the last rest */
    struct rx_timer timer;
    bool runs;
};

typedef enum rx_code slice_fn(
    struct retention *r, uint64_t now, uint64_t *done, struct rx_err *err);

static enum rx_code
read_plan(struct retention *r, struct rx_err *err)
{
    struct rx_arena *arena;
    struct settings s;

    if (r->planned)
        return RX_OK;
    arena = rx_arena_new(ARENA_MAX);
    enum rx_code code = settings_load(r->store, arena, &s, err);
    if (code == RX_OK)
        code = store_get(r->store, "attempts_kept_from", &r->attempts_ms, err);
    rx_arena_free(arena);
    r->plan = s.retention;
    r->attempts_id = 0;
    r->planned = code == RX_OK;
    return code;
}

/* ---- requests -------------------------------------------------------------- */

/* Up to `end_ms` and r->rows of them; *last: the newest of these. */
static enum rx_code
find_old(struct retention *r, uint64_t end_ms, uint64_t *ids, size_t *count,
    struct rx_err *err)
{
    struct db_query *q = db_query(r->store->db,
        "select id from request where started_ms < ?1 and id <= ?2 "
        "order by started_ms, id limit ?3");

    *count = 0;
    db_bind_u64(q, 1, end_ms);
    db_bind_u64(q, 2, rollup_mark(r->store->rollup));
    db_bind_u64(q, 3, r->rows);
    while (db_next(q))
        ids[(*count)++] = db_u64(q, 0);
    return db_done(q, err);
}

/* Quotas without an end count what was, not what is kept. */
static enum rx_code
remember(struct retention *r, uint64_t id, struct rx_err *err)
{
    struct db_query *q = db_query(r->store->db,
        "insert into request_gone (tenant_id, key_id, requests, tokens) "
        "select tenant_id, key_id, 1, case when operation = 'count' then 0 "
        "else coalesce(in_uncached, 0) + coalesce(cache_read, 0) + "
        "coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) + "
        "coalesce(cache_write_other, 0) + coalesce(in_tool_use, 0) + "
        "coalesce(out_total, 0) end from request where id = ?1 "
        "on conflict (tenant_id, key_id) do update set "
        "requests = requests + 1, tokens = tokens + excluded.tokens");

    db_bind_u64(q, 1, id);
    return db_run(q, err);
}

static enum rx_code
delete_one(struct retention *r, uint64_t id, struct rx_err *err)
{
    enum rx_code code = remember(r, id, err);
    struct db_query *q;

    if (code != RX_OK)
        return code;
    /* Its attempts go with it. */
    q = db_query(r->store->db, "delete from request where id = ?");
    db_bind_u64(q, 1, id);
    return db_run(q, err);
}

static enum rx_code
forget_requests(
    struct retention *r, uint64_t now, uint64_t *done, struct rx_err *err)
{
    uint64_t keep = r->plan.requests_days * DAY_MS;
    uint64_t ids[ROWS_MAX];
    size_t count;

    if (keep == 0 || keep > now)
        return RX_OK;
    enum rx_code code = find_old(r, now - keep, ids, &count, err);
    for (size_t i = 0; code == RX_OK && i < count; i++)
        code = delete_one(r, ids[i], err);
    *done = count;
    return code;
}

/* ---- attempts -------------------------------------------------------------- */

static enum rx_code
forget_attempts(
    struct retention *r, uint64_t now, uint64_t *done, struct rx_err *err)
{
    uint64_t keep = r->plan.attempts_days * DAY_MS;
    uint64_t ids[ROWS_MAX];

    if (keep == 0 || keep > now)
        return RX_OK;
    struct db_query *q = db_query(r->store->db,
        "select id, started_ms from request where started_ms >= ?1 and "
        "started_ms < ?2 and (started_ms, id) > (?1, ?3) "
        "order by started_ms, id limit ?4");
    db_bind_u64(q, 1, r->attempts_ms);
    db_bind_u64(q, 2, now - keep);
    db_bind_u64(q, 3, r->attempts_id);
    db_bind_u64(q, 4, r->rows);
    while (db_next(q)) {
        ids[(*done)++] = r->attempts_id = db_u64(q, 0);
        r->attempts_ms = db_u64(q, 1);
    }
    enum rx_code code = db_done(q, err);
    for (size_t i = 0; code == RX_OK && i < *done; i++) {
        q = db_query(r->store->db, "delete from attempt where request = ?");
        db_bind_u64(q, 1, ids[i]);
        code = db_run(q, err);
    }
    if (code == RX_OK && *done > 0)
        code = store_set(r->store, "attempts_kept_from", r->attempts_ms, err);
    return code;
}

/* ---- the cube's hours ------------------------------------------------------- */

/* Where a slice ends, or the end of what is old. */
static enum rx_code
bind_edge(struct retention *r, struct db_query *to, uint64_t end_ms,
    struct rx_err *err)
{
    struct db_query *q = db_query(r->store->db,
        "select at_ms, tenant_id, key_id, channel_id, model from usage_cube "
        "where level = 1 and at_ms < ?1 order by at_ms, tenant_id, key_id, "
        "channel_id, model limit 1 offset ?2");

    db_bind_u64(q, 1, end_ms);
    db_bind_u64(q, 2, CELLS);
    bool inside = db_next(q);
    db_bind_u64(to, 1, inside ? db_u64(q, 0) : end_ms);
    for (int i = 1; i <= 4; i++)
        db_bind_str(to, 1 + i, inside ? db_str(q, i) : (rx_str){ 0 });
    return db_done(q, err);
}

static enum rx_code
forget_hours(
    struct retention *r, uint64_t now, uint64_t *done, struct rx_err *err)
{
    /* Days in the middle are whole: so is the last one that loses its hours. */
    uint64_t end = now - RETENTION_HOURS_MS;
    struct db_query *q = db_query(r->store->db,
        "delete from usage_cube where level = 1 and at_ms <= ?1 and "
        "(at_ms, tenant_id, key_id, channel_id, model) < (?1, ?2, ?3, ?4, ?5)");

    enum rx_code code = bind_edge(r, q, end - end % DAY_MS, err);
    enum rx_code ran = db_run(q, code == RX_OK ? err : NULL);
    *done = ran == RX_OK ? db_changes(r->store->db) : 0;
    return code == RX_OK ? ran : code;
}

/* ---- room ---------------------------------------------------------------------- */

static enum rx_code
shrink(struct retention *r, bool *more, struct rx_err *err)
{
    uint64_t all, empty, after;
    enum rx_code code = db_room(r->store->db, &all, &empty, err);

    if (code != RX_OK)
        return code;
    if (empty < EMPTY_MIN || (!r->shrinks && empty < all / EMPTY_PART)) {
        if (r->shrinks)
            code = db_checkpoint(r->store->db, err); /* the file gets shorter */
        r->shrinks = false;
        return code;
    }
    code = db_shrink(r->store->db, PAGES, err);
    if (code == RX_OK)
        code = db_room(r->store->db, &all, &after, err);
    /* A file from before db_compact() stays as long as it is. */
    r->shrinks = *more = code == RX_OK && after < empty;
    return code;
}

/* ---- slices -------------------------------------------------------------------- */

static enum rx_code
run_slice(struct retention *r, slice_fn *fn, uint64_t *done, struct rx_err *err)
{
    enum rx_code code = store_begin_lazily(r->store, err);

    *done = 0;
    if (code != RX_OK)
        return code;
    code = fn(r, rx_clock_wall_ms(), done, err);
    if (code == RX_OK && *done > 0)
        return store_commit(r->store, err);
    store_rollback(r->store);
    return code;
}

/* As many rows as fit into a slice's time. */
static void
adapt(struct retention *r, uint64_t done, uint64_t took_us)
{
    if (took_us > SLICE_US && r->rows > ROWS_MIN)
        r->rows = r->rows / 2 < ROWS_MIN ? ROWS_MIN : r->rows / 2;
    else if (done >= r->rows && took_us < SLICE_US / 2 && r->rows < ROWS_MAX)
        r->rows++;
}

enum rx_code
retention_slice(struct retention *r, bool *more, struct rx_err *err)
{
    static slice_fn *const all[] = { forget_requests, forget_attempts,
        forget_hours };
    enum rx_code code = read_plan(r, err);
    uint64_t done = 0;

    *more = false;
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(all); i++) {
        uint64_t began = rx_clock_us();
        code = run_slice(r, all[i], &done, err);
        if (code != RX_OK || done == 0)
            continue;
        if (all[i] != forget_hours)
            adapt(r, done, rx_clock_us() - began);
        r->gone += done;
        *more = true;
        return RX_OK;
    }
    if (code != RX_OK)
        r->planned = false; /* where attempts ended is read again */
    return code == RX_OK ? shrink(r, more, err) : code;
}

static void
on_timer(void *arg)
{
    struct retention *r = arg;
    struct rx_err err = { 0 };
    bool more;

    /* Something else is in the middle of a change. */
    if (db_in_transaction(r->store->db)) {
        rx_timer_set(&r->timer, PAUSE_MS);
        return;
    }
    if (retention_slice(r, &more, &err) != RX_OK) {
        rx_warn("retention.undone", "why=%s", rx_log_quote(err.text));
        rx_timer_set(&r->timer, AGAIN_MS);
        return;
    }
    if (!more && r->gone > 0) {
        rx_info("retention.done", "rows=%" PRIu64, r->gone);
        r->gone = 0;
    }
    rx_timer_set(&r->timer, more ? PAUSE_MS : REST_MS);
}

struct retention *
retention_new(struct store *store)
{
    struct retention *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->store = store;
    r->rows = ROWS_MIN;
    return r;
}

void
retention_run(struct retention *r, struct rx_loop *loop)
{
    rx_timer_init(&r->timer, loop, on_timer, r);
    r->runs = true;
    rx_timer_set(&r->timer, AGAIN_MS);
}

void
retention_changed(struct retention *r)
{
    if (r == NULL)
        return;
    r->planned = false;
    if (r->runs)
        rx_timer_set(&r->timer, PAUSE_MS);
}

void
retention_free(struct retention *r)
{
    if (r == NULL)
        return;
    if (r->runs)
        rx_timer_fini(&r->timer);
    free(r);
}
