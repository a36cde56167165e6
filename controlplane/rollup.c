#include "controlplane/rollup.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/field.h"
#include "controlplane/hist.h"
#include "controlplane/retention.h"
#include "controlplane/store.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"

#define MINUTE_MS      ((uint64_t)60 * 1000)
#define KEY_MAX        ((size_t)64 * 1024)
#define NAME_MAX_      256   /* of a dimension; longer ones are cut */
#define ENTRIES        32768 /* sums in memory; then they are flushed */
#define NAMES_MAX      1024 /* of one dimension in an hour; the rest is "(other)" */
#define FLUSH_MS       1000
#define SLICE          4000  /* rows of one step of catching up */
#define AT_ONCE        20000 /* rows that are caught up with before we begin */
#define SWEEP_MS       60000
#define FORGET_BUCKETS 20 /* at a time */
#define PAUSE_MS       20
/* Sums stay whole numbers: beyond nine million dollars a day they stop. */
#define MONEY_MOST     "9000000000000000000"

static const uint64_t spans[ROLLUP_LEVELS] = { MINUTE_MS, 60 * MINUTE_MS,
    1440 * MINUTE_MS };

struct sum {
    uint64_t at_ms;
    int64_t n[ROLLUP_N_COUNT];
    struct hist_few hist;
    rx_str names[ROLLUP_DIM_COUNT]; /* marginals: the one of `dim` only */
    enum rollup_dim dim;
};

struct rollup {
    struct store *store;
    struct rx_map *sums;                    /* per minute, by one dimension */
    struct rx_map *cube;                    /* per hour, by all */
    struct rx_map *names[ROLLUP_DIM_COUNT]; /* let in this hour */
    uint64_t names_ms;                      /* the hour */
    struct sum *recent[ROLLUP_DIM_COUNT];   /* in `sums`, or NULL */
    struct rx_buf key;
    uint64_t last; /* id of the last row added */
    uint64_t mark; /* … and stored */
    bool behind;
    struct rx_timer timer, sweep;
    bool runs;
};

uint64_t
rollup_span(enum rollup_level level)
{
    return spans[level];
}

/* ---- in memory ------------------------------------------------------------- */

static void
sum_free(void *value)
{
    struct sum *s = value;

    hist_few_fini(&s->hist);
    free(s);
}

/* No text holds a NUL, so they cannot run into each other. */
static void
add_text(struct rx_buf *key, rx_str s)
{
    rx_buf_add(key, s);
    rx_buf_addc(key, '\0');
}

static void
begin_key(struct rx_buf *key, uint64_t at_ms)
{
    rx_buf_clear(key);
    rx_buf_add(key, (rx_str){ (const char *)&at_ms, sizeof(at_ms) });
}

/* A sum of which nothing is known yet, with its own copy of the names. */
static struct sum *
sum_new(uint64_t at_ms, const rx_str *names, enum rollup_dim from,
    enum rollup_dim to)
{
    size_t len = 0;

    for (unsigned d = from; d <= to; d++)
        len += names[d].len;
    struct sum *s = malloc(sizeof(*s) + len);
    if (s == NULL)
        abort();
    *s = (struct sum){ .at_ms = at_ms, .dim = from };
    char *text = (char *)(s + 1);
    for (unsigned d = from; d <= to; d++) {
        s->names[d] = (rx_str){ text, names[d].len };
        if (names[d].len > 0)
            memcpy(text, names[d].ptr, names[d].len);
        text += names[d].len;
    }
    return s;
}

/* NULL: there is none; its key is made. */
static struct sum *
find_marginal(struct rollup *r, struct rx_map *in, uint64_t at_ms,
    enum rollup_dim dim, rx_str name)
{
    begin_key(&r->key, at_ms);
    rx_buf_addc(&r->key, (char)('0' + dim));
    rx_buf_add(&r->key, name);
    return rx_map_get(in, rx_buf_str(&r->key));
}

static struct sum *
marginal_of(struct rollup *r, struct rx_map *in, uint64_t at_ms,
    enum rollup_dim dim, const rx_str *names)
{
    struct sum *s = find_marginal(r, in, at_ms, dim, names[dim]);

    if (s == NULL) {
        s = sum_new(at_ms, names, dim, dim);
        rx_map_put(in, rx_buf_str(&r->key), s);
    }
    return s;
}

static struct sum *
cell_of(
    struct rollup *r, struct rx_map *in, uint64_t at_ms, const rx_str *names)
{
    begin_key(&r->key, at_ms);
    for (unsigned d = ROLLUP_TENANT; d <= ROLLUP_CUBE_LAST; d++)
        add_text(&r->key, names[d]);
    struct sum *s = rx_map_get(in, rx_buf_str(&r->key));
    if (s == NULL) {
        s = sum_new(at_ms, names, ROLLUP_TENANT, ROLLUP_CUBE_LAST);
        rx_map_put(in, rx_buf_str(&r->key), s);
    }
    return s;
}

static int64_t
capped(int64_t a, int64_t b)
{
    int64_t sum = rx_cost_add(a, b);
    const int64_t most = INT64_C(9000000000000000000);

    return sum > most ? most : (sum < -most ? -most : sum);
}

static void
add_counts(struct sum *s, const int64_t n[ROLLUP_N_COUNT])
{
    for (unsigned i = 0; i < ROLLUP_N_COUNT; i++)
        s->n[i] = capped(s->n[i], n[i]);
}

static int64_t
narrow(uint64_t n)
{
    return n < INT64_MAX / 1024 ? (int64_t)n : INT64_MAX / 1024;
}

static void
counts_of(const struct rollup_row *row, int64_t n[ROLLUP_N_COUNT])
{
    rx_str known = row->provenance;
    bool none = known.len == 0 || rx_str_eq(known, RX_S("none"));

    n[ROLLUP_N_requests] = 1;
    n[ROLLUP_N_failed] = !row->ok;
    n[ROLLUP_N_unknown] = none;
    n[ROLLUP_N_estimated] = !none && !rx_str_eq(known, RX_S("reported"));
    n[ROLLUP_N_unpriced] = row->counted && !row->priced;
    n[ROLLUP_N_input_tokens] = narrow(row->input);
    n[ROLLUP_N_cache_read_tokens] = narrow(row->cache_read);
    n[ROLLUP_N_cache_write_tokens] = narrow(row->cache_write);
    n[ROLLUP_N_output_tokens] = narrow(row->output);
    n[ROLLUP_N_reasoning_tokens] = narrow(row->reasoning);
    n[ROLLUP_N_duration_ms] = narrow(row->duration_ms);
    n[ROLLUP_N_cost] = row->priced ? row->cost : 0;
    n[ROLLUP_N_saved] = row->priced ? row->saved : 0;
}

static void
add_times(struct hist_few *h, const struct rollup_row *row)
{
    uint64_t ms = row->duration_ms - row->ttft_ms;

    if (!row->ok)
        return; /* how fast it is refused says nothing */
    hist_few_add(h, HIST_DURATION, row->duration_ms);
    if (row->ttft_ms == 0)
        return;
    hist_few_add(h, HIST_TTFT, row->ttft_ms);
    if (row->output > 1 && row->duration_ms > row->ttft_ms)
        hist_few_add(h, HIST_SPEED, row->output * 10000 / ms);
}

/* Clients choose these names: there may be no end to them. */
static const bool strangers[ROLLUP_DIM_COUNT] = {
    [ROLLUP_MODEL] = true,
    [ROLLUP_TAG] = true,
    [ROLLUP_CLIENT] = true,
};

static void
forget_names(struct rollup *r)
{
    for (unsigned d = 0; d < ROLLUP_DIM_COUNT; d++) {
        if (!strangers[d])
            continue;
        rx_map_free(r->names[d], NULL);
        r->names[d] = rx_map_new();
    }
}

/* Hours only go forward; those of a clock that is ahead do not count. */
static void
enter_hour(struct rollup *r, uint64_t hour)
{
    if (hour <= r->names_ms || hour > rx_clock_wall_ms())
        return;
    r->names_ms = hour;
    forget_names(r);
}

static rx_str
bounded(struct rollup *r, enum rollup_dim dim, rx_str name)
{
    if (!strangers[dim] || name.len == 0 ||
        rx_map_get(r->names[dim], name) != NULL)
        return name;
    if (rx_map_count(r->names[dim]) >= NAMES_MAX)
        return RX_S("(other)");
    rx_map_put(r->names[dim], name, r);
    return name;
}

/*
 * The sum of this minute and name, whose name is cut or replaced where it must
 * be.  Most rows are like the one before, or have a sum already, which says that
 * the name has been let in.
 */
static struct sum *
minute_of(struct rollup *r, uint64_t minute, enum rollup_dim dim, rx_str *names)
{
    struct sum *s = r->recent[dim];

    if (names[dim].len > NAME_MAX_)
        names[dim].len = NAME_MAX_;
    if (s != NULL && s->at_ms == minute && rx_str_eq(s->names[dim], names[dim]))
        return s;
    s = find_marginal(r, r->sums, minute, dim, names[dim]);
    if (s == NULL) {
        names[dim] = bounded(r, dim, names[dim]);
        s = marginal_of(r, r->sums, minute, dim, names);
    }
    return r->recent[dim] = s;
}

static void
add_row(struct rollup *r, const struct rollup_row *row)
{
    uint64_t minute = row->started_ms - row->started_ms % spans[0];
    uint64_t hour = row->started_ms - row->started_ms % spans[1];
    rx_str names[ROLLUP_DIM_COUNT];
    int64_t n[ROLLUP_N_COUNT];

    counts_of(row, n);
    enter_hour(r, hour);
    for (unsigned d = 0; d < ROLLUP_DIM_COUNT; d++) {
        names[d] = row->names[d];
        struct sum *s = minute_of(r, minute, (enum rollup_dim)d, names);
        add_counts(s, n);
        add_times(&s->hist, row);
    }
    add_counts(cell_of(r, r->cube, hour, names), n);
    r->last = row->id;
}

/* ---- into the tables ------------------------------------------------------- */

#define NAMES(name) #name ", "
#define MARKS(name) "?, "
#define ADD(name)                                                       \
#    name " = cast(max(-" MONEY_MOST ", min(" MONEY_MOST ", " #    name \
          " + excluded." #    name ")) as integer), "

static int
bind_counts(struct db_query *q, int at, const struct sum *s)
{
    for (unsigned i = 0; i < ROLLUP_N_COUNT; i++)
        db_bind_i64(q, at++, s->n[i]);
    return at;
}

static enum rx_code
store_marginal(struct rollup *r, enum rollup_level level, const struct sum *s,
    struct rx_err *err)
{
    struct db_query *q = db_query(r->store->db,
        "insert into usage_sum (level, dim, at_ms, " ROLLUP_COUNTERS(NAMES) "name, hist) values (?, ?, ?, " ROLLUP_COUNTERS(
            MARKS) "?, "
                   "?) on conflict (level, dim, at_ms, name) do update set " ROLLUP_COUNTERS(
                       ADD) "hist = hist_merge(hist, excluded.hist)");

    rx_buf_clear(&r->key);
    hist_few_pack(&s->hist, &r->key);
    db_bind_i64(q, 1, level);
    db_bind_i64(q, 2, s->dim);
    db_bind_u64(q, 3, s->at_ms - s->at_ms % spans[level]);
    int at = bind_counts(q, 4, s);
    db_bind_view(q, at, s->names[s->dim]);
    db_bind_blob(q, at + 1, rx_buf_str(&r->key));
    return db_run(q, err);
}

static enum rx_code
store_cell(struct rollup *r, enum rollup_level level, const struct sum *s,
    struct rx_err *err)
{
    struct db_query *q = db_query(r->store->db,
        "insert into usage_cube (level, at_ms, " ROLLUP_COUNTERS(
            NAMES) "tenant_id, key_id, channel_id, model) values "
                   "(?, ?, " ROLLUP_COUNTERS(
                       MARKS) "?, ?, ?, ?) on conflict (level, at_ms, "
                              "tenant_id, key_id, channel_id, model) "
                              "do update set " ROLLUP_COUNTERS(
                                  ADD) "level = level");

    db_bind_i64(q, 1, level);
    db_bind_u64(q, 2, s->at_ms - s->at_ms % spans[level]);
    int at = bind_counts(q, 3, s);
    for (unsigned d = ROLLUP_TENANT; d <= ROLLUP_CUBE_LAST; d++)
        db_bind_view(q, at++, s->names[d]);
    return db_run(q, err);
}

/* The same sums in buckets of another level. */
static struct rx_map *
coarser(struct rollup *r, const struct rx_map *fine, enum rollup_level level,
    bool cube)
{
    struct rx_map *out = rx_map_new();
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(fine, &at, &key, &value)) {
        const struct sum *s = value;
        uint64_t start = s->at_ms - s->at_ms % spans[level];
        struct sum *to = cube ? cell_of(r, out, start, s->names)
                              : marginal_of(r, out, start, s->dim, s->names);
        add_counts(to, s->n);
        hist_few_merge(&to->hist, &s->hist);
    }
    return out;
}

static enum rx_code
store_all(struct rollup *r, const struct rx_map *sums, enum rollup_level level,
    bool cube, struct rx_err *err)
{
    enum rx_code code = RX_OK;
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    while (code == RX_OK && rx_map_next(sums, &at, &key, &value))
        code = cube ? store_cell(r, level, value, err)
                    : store_marginal(r, level, value, err);
    return code;
}

/* Each level from the one below it. */
static enum rx_code
store_levels(struct rollup *r, struct rx_map *fine, enum rollup_level first,
    bool cube, struct rx_err *err)
{
    enum rx_code code = store_all(r, fine, first, cube, err);
    struct rx_map *below = fine;

    for (unsigned l = first + 1; code == RX_OK && l < ROLLUP_LEVELS; l++) {
        struct rx_map *next = coarser(r, below, (enum rollup_level)l, cube);
        if (below != fine)
            rx_map_free(below, sum_free);
        below = next;
        code = store_all(r, below, (enum rollup_level)l, cube, err);
    }
    if (below != fine)
        rx_map_free(below, sum_free);
    return code;
}

static void
begin_memory(struct rollup *r)
{
    r->sums = rx_map_new();
    r->cube = rx_map_new();
    memset(r->recent, 0, sizeof(r->recent));
}

static void
end_memory(struct rollup *r)
{
    rx_map_free(r->sums, sum_free);
    rx_map_free(r->cube, sum_free);
}

static enum rx_code
store_memory(struct rollup *r, struct rx_err *err)
{
    enum rx_code code = store_begin(r->store, err);

    if (code != RX_OK)
        return code;
    code = store_levels(r, r->sums, ROLLUP_MINUTE, false, err);
    if (code == RX_OK)
        code = store_levels(r, r->cube, ROLLUP_HOUR, true, err);
    if (code == RX_OK)
        code = store_set(r->store, "rollup_mark", r->last, err);
    if (code == RX_OK)
        return store_commit(r->store, err);
    store_rollback(r->store);
    return code;
}

static enum rx_code
flush(struct rollup *r, struct rx_err *err)
{
    if (r->last == r->mark)
        return RX_OK;
    enum rx_code code = store_memory(r, err);
    if (code != RX_OK)
        return code; /* what is in memory stays for another try */
    r->mark = r->last;
    end_memory(r);
    begin_memory(r);
    return RX_OK;
}

/* ---- rows that were there before ------------------------------------------- */

static void
read_row(struct db_query *q, struct rollup_row *row)
{
    *row = (struct rollup_row){
        .id = db_u64(q, 0),
        .started_ms = db_u64(q, 1),
        .ok = db_i64(q, 10) != 0,
        .provenance = db_str(q, 11),
        .input = db_u64(q, 12),
        .cache_read = db_u64(q, 13),
        .cache_write = db_u64(q, 14),
        .output = db_u64(q, 15),
        .reasoning = db_u64(q, 16),
        .duration_ms = db_u64(q, 17),
        .ttft_ms = db_u64(q, 18),
        .counted = db_i64(q, 19) != 0,
        .priced = !db_is_null(q, 20),
        .cost = db_i64(q, 20),
        .saved = db_i64(q, 21),
    };
    for (int d = ROLLUP_TENANT; d < (int)ROLLUP_DIM_COUNT; d++)
        row->names[d] = db_str(q, 1 + d);
}

/* The next rows behind the mark; *count: how many there were. */
static enum rx_code
read_rows(struct rollup *r, uint64_t most, uint64_t *count, struct rx_err *err)
{
    struct db_query *q = db_query(r->store->db,
        "select id, started_ms, tenant_id, key_id, channel_id, "
        "case when model <> '' then model else model_requested end, rule, tag, "
        "agent, client, "
        "outcome = 'ok', provenance, "
        "coalesce(in_uncached, 0) + coalesce(in_tool_use, 0), cache_read, "
        "coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) + "
        "coalesce(cache_write_other, 0), out_total, out_reasoning, "
        "duration_ms, ttft_ms, coalesce(in_uncached, cache_read, out_total) "
        "is not null and operation <> 'count', cost, saved "
        "from request where id > ? order by id limit ?");
    struct rollup_row row;

    *count = 0;
    db_bind_u64(q, 1, r->last);
    db_bind_u64(q, 2, most);
    while (db_next(q)) {
        read_row(q, &row);
        add_row(r, &row);
        ++*count;
    }
    return db_done(q, err);
}

static enum rx_code
catch_up(struct rollup *r, uint64_t most, struct rx_err *err)
{
    uint64_t count;
    enum rx_code code = read_rows(r, most, &count, err);

    if (code == RX_OK)
        code = flush(r, err);
    if (code == RX_OK && count < most) {
        r->behind = false;
        rx_debug("rollup.caught_up", "mark=%llu", (unsigned long long)r->mark);
    }
    return code;
}

/* ---- outside --------------------------------------------------------------- */

enum rx_code
rollup_flush(struct rollup *r, struct rx_err *err)
{
    return r->behind ? catch_up(r, SLICE, err) : flush(r, err);
}

void
rollup_add(struct rollup *r, const struct rollup_row *row)
{
    if (r->behind)
        return; /* it is found when its turn comes */
    add_row(r, row);
    if (r->runs && rx_map_count(r->sums) >= ENTRIES)
        rx_timer_set(&r->timer, 1);
    else if (r->runs && !rx_timer_is_set(&r->timer))
        rx_timer_set(&r->timer, FLUSH_MS);
}

uint64_t
rollup_mark(const struct rollup *r)
{
    return r->mark;
}

bool
rollup_is_behind(const struct rollup *r)
{
    return r->behind;
}

/* ---- what is fine is not kept for long ------------------------------------ */

static const struct {
    enum rollup_level level;
    const char *find, *forget;
    uint64_t keep_ms;
} old[] = {
    { ROLLUP_MINUTE,
        "select min(at_ms) from usage_sum where level = 0 and dim = ?1",
        "delete from usage_sum where level = 0 and dim = ?1 and at_ms < ?2",
        RETENTION_MINUTES_MS },
    { ROLLUP_HOUR,
        "select min(at_ms) from usage_sum where level = 1 and dim = ?1",
        "delete from usage_sum where level = 1 and dim = ?1 and at_ms < ?2",
        RETENTION_HOURS_MS },
};

/* A few buckets of a dimension; *more: there is more to be forgotten. */
static enum rx_code
forget_some(
    struct rollup *r, size_t i, unsigned dim, bool *more, struct rx_err *err)
{
    uint64_t span = spans[old[i].level];
    uint64_t end = rx_clock_wall_ms() - old[i].keep_ms;
    struct db_query *q = db_query(r->store->db, old[i].find);

    db_bind_i64(q, 1, dim);
    uint64_t first = db_next(q) && !db_is_null(q, 0) ? db_u64(q, 0) : end;
    enum rx_code code = db_done(q, err);
    if (code != RX_OK || first >= end)
        return code;
    uint64_t to = first + FORGET_BUCKETS * span;
    *more = *more || to < end;
    q = db_query(r->store->db, old[i].forget);
    db_bind_i64(q, 1, dim);
    db_bind_u64(q, 2, to < end ? to : end);
    return db_run(q, err);
}

enum rx_code
rollup_forget(struct rollup *r, bool *more, struct rx_err *err)
{
    enum rx_code code = store_begin(r->store, err);

    *more = false;
    if (code != RX_OK)
        return code;
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(old); i++) {
        for (unsigned d = 0; code == RX_OK && d < ROLLUP_DIM_COUNT; d++)
            code = forget_some(r, i, d, more, err);
    }
    if (code == RX_OK)
        return store_commit(r->store, err);
    store_rollback(r->store);
    return code;
}

static void
on_sweep(void *arg)
{
    struct rollup *r = arg;
    struct rx_err err = { 0 };
    bool more = false;

    if (rollup_forget(r, &more, &err) != RX_OK)
        rx_error("rollup.unforgotten", "why=%s", rx_log_quote(err.text));
    rx_timer_set(&r->sweep, more ? PAUSE_MS * 10 : SWEEP_MS);
}

static void
on_timer(void *arg)
{
    struct rollup *r = arg;
    struct rx_err err = { 0 };

    if (rollup_flush(r, &err) != RX_OK) {
        rx_error("rollup.unstored", "why=%s", rx_log_quote(err.text));
        rx_timer_set(&r->timer, FLUSH_MS);
    } else if (r->behind) {
        rx_timer_set(&r->timer, PAUSE_MS);
    }
}

void
rollup_run(struct rollup *r, struct rx_loop *loop)
{
    rx_timer_init(&r->timer, loop, on_timer, r);
    r->runs = true;
    rx_timer_init(&r->sweep, loop, on_sweep, r);
    rx_timer_set(&r->sweep, SWEEP_MS);
    rx_timer_set(&r->timer, r->behind ? PAUSE_MS : FLUSH_MS);
}

static void
hist_take(void *state, rx_str blob)
{
    hist_merge(state, blob);
}

static void
hist_give(void *state, struct rx_buf *out)
{
    hist_pack(state, out);
}

static const struct db_blob_kind hist_kind = { "hist", sizeof(struct hist),
    hist_take, hist_give };

enum rx_code
rollup_open(struct rollup **out, struct store *store, struct rx_err *err)
{
    struct rollup *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    *out = r;
    r->store = store;
    rx_buf_init(&r->key, KEY_MAX);
    begin_memory(r);
    forget_names(r);
    enum rx_code code = db_define(store->db, &hist_kind, err);
    if (code == RX_OK)
        code = store_get(store, "rollup_mark", &r->mark, err);
    r->last = r->mark;
    r->behind = true;
    for (unsigned n = 0; code == RX_OK && r->behind && n < AT_ONCE; n += SLICE)
        code = catch_up(r, SLICE, err);
    return code;
}

void
rollup_free(struct rollup *r)
{
    if (r == NULL)
        return;
    if (r->runs) {
        rx_timer_fini(&r->timer);
        rx_timer_fini(&r->sweep);
    }
    end_memory(r);
    for (unsigned d = 0; d < ROLLUP_DIM_COUNT; d++)
        rx_map_free(r->names[d], NULL);
    rx_buf_fini(&r->key);
    free(r);
}
