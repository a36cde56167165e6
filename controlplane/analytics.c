#include "controlplane/analytics.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/csv.h"
#include "controlplane/field.h"
#include "controlplane/hist.h"
#include "controlplane/retention.h"
#include "shared/clock.h"
#include "shared/money.h"

#define PARTS    5
#define TEXT_MAX 4096

static const struct {
    const char *name, *column;
} dims[] = {
#define DIM(id, name, column) [ROLLUP_##id] = { name, column },
    ROLLUP_DIMS(DIM)
#undef DIM
};

/* Where the names of ids are; NULL: they are names themselves. */
static const char *
table_of(enum rollup_dim dim)
{
    static const char *const tables[ROLLUP_DIM_COUNT] = {
        [ROLLUP_TENANT] = "tenant",
        [ROLLUP_KEY] = "client_key",
        [ROLLUP_CHANNEL] = "channel",
    };

    return tables[dim];
}

bool
analytics_dim(rx_str name, enum rollup_dim *out)
{
    for (unsigned d = ROLLUP_TENANT; d < ROLLUP_DIM_COUNT; d++) {
        if (rx_str_eq(name, field_text(dims[d].name))) {
            *out = (enum rollup_dim)d;
            return true;
        }
    }
    return false;
}

const char *
analytics_dim_name(enum rollup_dim dim)
{
    return dims[dim].name;
}

/* Is it about one dimension at most, and which?  Then percentiles are known. */
static bool
is_plain(const struct analytics_question *q, enum rollup_dim by,
    enum rollup_dim *dim)
{
    *dim = by;
    for (unsigned d = ROLLUP_TENANT; d < ROLLUP_DIM_COUNT; d++) {
        if (q->only[d].ptr == NULL)
            continue;
        if (*dim != ROLLUP_TOTAL && *dim != (enum rollup_dim)d)
            return false;
        *dim = (enum rollup_dim)d;
    }
    return true;
}

/* What is not in the cube is summed up on its own only. */
static enum rx_code
check_cube(
    const struct analytics_question *q, enum rollup_dim by, struct rx_err *err)
{
    enum rollup_dim dim;
    bool outside = by > ROLLUP_CUBE_LAST;

    for (unsigned d = ROLLUP_CUBE_LAST + 1; d < ROLLUP_DIM_COUNT; d++)
        outside = outside || q->only[d].ptr != NULL;
    if (!outside || is_plain(q, by, &dim))
        return RX_OK;
    return rx_fail(err, RX_INVALID,
        "rule, tag, agent and client cannot be asked for together with anything "
        "else");
}

/* ---- which buckets --------------------------------------------------------- */

struct part {
    enum rollup_level level;
    uint64_t from, to;
};

static uint64_t
down(uint64_t ms, enum rollup_level level)
{
    return ms - ms % rollup_span(level);
}

static uint64_t
up(uint64_t ms, enum rollup_level level)
{
    return down(ms + rollup_span(level) - 1, level);
}

/* What is fine is not kept for long. */
static enum rollup_level
finest(uint64_t ms, uint64_t now_ms)
{
    if (ms + RETENTION_MINUTES_MS > now_ms)
        return ROLLUP_MINUTE;
    return ms + RETENTION_HOURS_MS > now_ms ? ROLLUP_HOUR : ROLLUP_DAY;
}

void
analytics_align(struct analytics_question *q, uint64_t now_ms)
{
    q->since_ms = down(q->since_ms, finest(q->since_ms, now_ms));
    q->until_ms = up(q->until_ms, finest(q->until_ms, now_ms));
}

/* Days in the middle, what is finer at both ends. */
static void
cut(uint64_t from, uint64_t to, struct part parts[PARTS])
{
    uint64_t hour_from = up(from, ROLLUP_HOUR);
    uint64_t hour_to = down(to, ROLLUP_HOUR);

    if (hour_from >= hour_to) {
        parts[0] = (struct part){ ROLLUP_MINUTE, from, to };
        return;
    }
    uint64_t day_from = up(hour_from, ROLLUP_DAY);
    uint64_t day_to = down(hour_to, ROLLUP_DAY);
    if (day_from >= day_to)
        day_from = day_to = hour_to;
    parts[0] = (struct part){ ROLLUP_MINUTE, from, hour_from };
    parts[1] = (struct part){ ROLLUP_HOUR, hour_from, day_from };
    parts[2] = (struct part){ ROLLUP_DAY, day_from, day_to };
    parts[3] = (struct part){ ROLLUP_HOUR, day_to, hour_to };
    parts[4] = (struct part){ ROLLUP_MINUTE, hour_to, to };
}

/* ---- the question in SQL --------------------------------------------------- */

#define SUM(name) "sum(" #name "), "

/* Money beyond nine million dollars: by millionths, and what is left of them. */
#define SUMS                                                           \
    ROLLUP_COUNTERS(SUM)                                               \
    "sum(cost / 1000000), sum(cost % 1000000), sum(saved / 1000000), " \
    "sum(saved % 1000000)"

/* The same of a single row. */
#define ONE(name) #name ", "
#define ONES             \
    ROLLUP_COUNTERS(ONE) \
    "cost / 1000000, cost % 1000000, saved / 1000000, saved % 1000000"

enum { C_GROUP, C_NAME, C_SUMS };

struct asked {
    const struct analytics_question *q;
    enum rollup_dim dim; /* the marginal that answers it */
    bool plain;
    bool thin;                /* nobody wants percentiles */
    struct part parts[PARTS]; /* empty ones find nothing */
};

/* The cube is in order of buckets and, in each of them, of tenants and keys. */
static bool
is_of_one_tenant(const struct asked *a)
{
    return !a->plain && (a->q->only[ROLLUP_TENANT].ptr != NULL ||
                            a->q->only[ROLLUP_KEY].ptr != NULL);
}

static void
add_filters(struct rx_buf *sql, const struct asked *a)
{
    if (a->plain && a->q->only[a->dim].ptr != NULL)
        rx_buf_addf(sql, " and u.name = ?%d", 20 + (int)a->dim);
    for (unsigned d = ROLLUP_TENANT; !a->plain && d < ROLLUP_DIM_COUNT; d++) {
        if (a->q->only[d].ptr != NULL)
            rx_buf_addf(sql, " and u.%s = ?%d", dims[d].column, 20 + (int)d);
    }
}

static void
add_parts(struct rx_buf *sql)
{
    rx_buf_add(
        sql, RX_S("(select column1 l, column2 a, column3 b from (values "));
    for (size_t i = 0; i < PARTS; i++)
        rx_buf_addf(sql, "%s(?%zu, ?%zu, ?%zu)", i > 0 ? ", " : "", 3 * i + 1,
            3 * i + 2, 3 * i + 3);
    rx_buf_add(sql, RX_S("))"));
}

/* Bucket by bucket, so that others' cells are passed over: which tenants there
 * were the sums of days say. */
static void
add_from_tenant(struct rx_buf *sql, const struct asked *a)
{
    rx_buf_add(sql,
        RX_S(" from (with recursive bucket(l, at, b, span) as (select l, a, b, "
             "case l when 1 then 3600000 else 86400000 end from "));
    add_parts(sql);
    rx_buf_add(sql,
        RX_S(" where a < b and l > 0 union all select l, at + span, b, span "
             "from bucket where at + span < b) select l, at from bucket) p "));
    if (a->q->only[ROLLUP_TENANT].ptr == NULL)
        rx_buf_add(sql,
            RX_S("cross join (select distinct name from usage_sum where level "
                 "= 2 and dim = 1 and at_ms > ?18 - 86400000 and at_ms < ?19) "
                 "t "));
    rx_buf_addf(sql,
        "cross join usage_cube u on u.level = p.l and u.at_ms = p.at%s",
        a->q->only[ROLLUP_TENANT].ptr == NULL ? " and u.tenant_id = t.name"
                                              : "");
}

/*
 * `cross join` keeps SQLite from asking the table first.  The parts are bound,
 * so there are few texts, and each is prepared once.
 */
static void
add_from(struct rx_buf *sql, const struct asked *a)
{
    if (is_of_one_tenant(a)) {
        add_from_tenant(sql, a);
    } else {
        rx_buf_add(sql, RX_S(" from "));
        add_parts(sql);
        rx_buf_addf(sql,
            " p cross join %s u on u.level = p.l%s "
            "and u.at_ms >= p.a and u.at_ms < p.b",
            a->plain ? "usage_sum" : "usage_cube",
            a->plain ? " and u.dim = ?19" : "");
    }
    add_filters(sql, a);
}

/* All that the parts are of. */
static void
bind_ends(struct db_query *q, const struct asked *a)
{
    uint64_t from = UINT64_MAX >> 1, to = 0;

    for (size_t i = 0; i < PARTS; i++) {
        const struct part *p = &a->parts[i];
        if (p->from >= p->to)
            continue;
        from = p->from < from ? p->from : from;
        to = p->to > to ? p->to : to;
    }
    db_bind_u64(q, 18, from);
    db_bind_u64(q, 19, to);
}

static struct db_query *
ask(struct store *s, const struct asked *a, const char *sql)
{
    struct db_query *q = db_query(s->db, sql);

    for (size_t i = 0; i < PARTS; i++) {
        int at = (int)(3 * i);
        db_bind_i64(q, at + 1, a->parts[i].level);
        db_bind_u64(q, at + 2, a->parts[i].from);
        db_bind_u64(q, at + 3, a->parts[i].to);
    }
    if (a->plain)
        db_bind_i64(q, 19, a->dim);
    else if (is_of_one_tenant(a) && a->q->only[ROLLUP_TENANT].ptr == NULL)
        bind_ends(q, a);
    for (unsigned d = ROLLUP_TENANT; d < ROLLUP_DIM_COUNT; d++) {
        if (a->q->only[d].ptr != NULL)
            db_bind_str(q, 20 + (int)d, a->q->only[d]);
    }
    return q;
}

/* Nothing is behind now, so the buckets it lies in are whole already. */
static uint64_t
end_of(const struct analytics_question *q)
{
    return q->until_ms >= rx_clock_wall_ms() ? up(q->until_ms, ROLLUP_DAY)
                                             : q->until_ms;
}

static struct asked
prepare(const struct analytics_question *q, enum rollup_dim by)
{
    struct asked a = { .q = q };

    a.plain = is_plain(q, by, &a.dim);
    if (a.plain)
        cut(q->since_ms, end_of(q), a.parts);
    else /* the cube has no minutes */
        cut(down(q->since_ms, ROLLUP_HOUR), up(end_of(q), ROLLUP_HOUR),
            a.parts);
    return a;
}

/* One level only, for series. */
static struct asked
prepare_level(const struct analytics_question *q, enum rollup_dim by,
    enum rollup_level level)
{
    struct asked a = { .q = q };

    a.plain = is_plain(q, by, &a.dim);
    a.parts[0] = (struct part){ level, down(q->since_ms, level),
        up(q->until_ms, level) };
    return a;
}

/* ---- writing --------------------------------------------------------------- */

/* Members of an open object, or values of a row of CSV. */
struct paper {
    struct rx_json_out *w;
    struct csv *csv; /* when `w` is NULL */
};

static void
put_nothing(const struct paper *p, const char *key)
{
    if (p->w != NULL)
        rx_json_put_null(p->w, key);
    else
        csv_nothing(p->csv);
}

static void
put_u64(const struct paper *p, const char *key, uint64_t n)
{
    if (p->w != NULL)
        rx_json_put_u64(p->w, key, n);
    else
        csv_u64(p->csv, n);
}

static void
put_number(const struct paper *p, const char *key, double n)
{
    if (p->w != NULL)
        rx_json_put_number(p->w, key, n);
    else
        csv_number(p->csv, n);
}

static void
put_decimal(const struct paper *p, const char *key, int64_t n, unsigned scale)
{
    char text[RX_DECIMAL_SIZE];

    rx_decimal_format(n, scale, text);
    if (p->w != NULL)
        rx_json_put_text(p->w, key, text);
    else
        csv_plain(p->csv, text);
}

/* Millionths of a dollar, and pico-dollars beyond those. */
static void
put_sum_of_money(
    const struct paper *p, const char *key, struct db_query *q, int at)
{
    int64_t micro = db_i64(q, at);
    int64_t rest = db_i64(q, at + 1);

    micro += rest / 1000000;
    rest %= 1000000;
    if (micro > -INT64_C(9000000000000) && micro < INT64_C(9000000000000))
        put_decimal(p, key, micro * 1000000 + rest, 12);
    else
        put_decimal(p, key, micro, 6);
}

static void
put_percentiles(const struct paper *p, const struct hist *h,
    enum hist_measure m, const char *prefix, unsigned parts)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = { { "p50", 0.5 }, { "p95", 0.95 }, { "p99", 0.99 } };
    char key[48];
    uint64_t value;

    for (size_t i = 0; i < RX_COUNT(shares); i++) {
        snprintf(key, sizeof(key), "%s%s%s", prefix, shares[i].name,
            parts == 1 ? "_ms" : "");
        if (h == NULL || !hist_percentile(h, m, shares[i].share, &value))
            put_nothing(p, key);
        else if (parts == 1)
            put_u64(p, key, value);
        else
            put_number(p, key, (double)value / parts);
    }
}

static void
put_times(const struct paper *p, struct db_query *q, int at, bool known)
{
    struct hist h = { 0 };

    if (known)
        hist_merge(&h, db_blob(q, at));
    put_percentiles(p, known ? &h : NULL, HIST_DURATION, "duration_", 1);
    put_percentiles(p, known ? &h : NULL, HIST_TTFT, "ttft_", 1);
    put_percentiles(p, known ? &h : NULL, HIST_SPEED, "tokens_per_s_", 10);
}

static void
put_means(const struct paper *p, struct db_query *q)
{
    uint64_t requests = db_u64(q, C_SUMS + ROLLUP_N_requests);

    if (requests == 0) {
        put_nothing(p, "mean_duration_ms");
        put_nothing(p, "error_rate");
        return;
    }
    put_u64(p, "mean_duration_ms",
        db_u64(q, C_SUMS + ROLLUP_N_duration_ms) / requests);
    put_number(p, "error_rate",
        (double)db_u64(q, C_SUMS + ROLLUP_N_failed) / (double)requests);
}

/* SUM_NAMES are its columns. */
static void
put_sums_on(const struct paper *p, struct db_query *q, bool plain)
{
    static const struct {
        const char *name;
        enum rollup_counter c;
    } counts[] = {
        { "requests", ROLLUP_N_requests },
        { "failed_requests", ROLLUP_N_failed },
        { "uncounted_requests", ROLLUP_N_unknown },
        { "estimated_requests", ROLLUP_N_estimated },
        { "unpriced_requests", ROLLUP_N_unpriced },
        { "input_tokens", ROLLUP_N_input_tokens },
        { "cache_read_tokens", ROLLUP_N_cache_read_tokens },
        { "cache_write_tokens", ROLLUP_N_cache_write_tokens },
        { "output_tokens", ROLLUP_N_output_tokens },
        { "reasoning_tokens", ROLLUP_N_reasoning_tokens },
    };
    int money = C_SUMS + ROLLUP_N_COUNT;

    for (size_t i = 0; i < RX_COUNT(counts); i++)
        put_u64(p, counts[i].name, db_u64(q, C_SUMS + (int)counts[i].c));
    put_means(p, q);
    put_sum_of_money(p, "cost_usd", q, money);
    put_sum_of_money(p, "cache_saved_usd", q, money + 2);
    put_times(p, q, money + 4, plain);
}

#define SUM_NAMES                                                          \
    "requests,failed_requests,uncounted_requests,estimated_requests,"      \
    "unpriced_requests,input_tokens,cache_read_tokens,cache_write_tokens," \
    "output_tokens,reasoning_tokens,mean_duration_ms,error_rate,cost_usd," \
    "cache_saved_usd,duration_p50_ms,duration_p95_ms,duration_p99_ms,"     \
    "ttft_p50_ms,ttft_p95_ms,ttft_p99_ms,tokens_per_s_p50,"                \
    "tokens_per_s_p95,tokens_per_s_p99"

static void
put_sums(struct rx_json_out *w, struct db_query *q, bool plain)
{
    put_sums_on(&(struct paper){ .w = w }, q, plain);
}

/* What sums are of, and their columns: SUMS and the histogram. */
static void
add_columns(struct rx_buf *sql, const struct asked *a, const char *group,
    const char *name)
{
    rx_buf_addf(sql, "select %s, %s, ", group, name);
    rx_buf_add(sql, RX_S(SUMS ", "));
    rx_buf_add(
        sql, a->plain && !a->thin ? RX_S("hist_sum(u.hist)") : RX_S("null"));
}

/* ---- total ----------------------------------------------------------------- */

static struct db_query *
ask_total(struct store *s, const struct asked *a)
{
    struct rx_buf sql;

    rx_buf_init(&sql, TEXT_MAX);
    add_columns(&sql, a, "''", "''");
    add_from(&sql, a);
    struct db_query *d = ask(s, a, sql.ptr);
    rx_buf_fini(&sql);
    return d;
}

enum rx_code
analytics_total(struct store *s, const struct analytics_question *q,
    struct rx_json_out *w, const char *key, struct rx_err *err)
{
    struct asked a = prepare(q, ROLLUP_TOTAL);
    enum rx_code code = rollup_flush(s->rollup, err);

    if (code == RX_OK)
        code = check_cube(q, ROLLUP_TOTAL, err);
    if (code != RX_OK)
        return code;
    struct db_query *d = ask_total(s, &a);
    rx_json_open_object(w, key);
    if (db_next(d))
        put_sums(w, d, a.plain);
    rx_json_close(w);
    return db_done(d, err);
}

/* ---- groups ---------------------------------------------------------------- */

static void
put_who(struct rx_json_out *w, enum rollup_dim by, rx_str id, rx_str name)
{
    bool named = table_of(by) != NULL;

    if (named && id.len > 0)
        rx_json_put_str(w, "id", id);
    else
        rx_json_put_null(w, "id");
    rx_str shown = named ? name : id;
    if (shown.len > 0)
        rx_json_put_str(w, "name", shown);
    else
        rx_json_put_null(w, "name");
}

static void
add_grouping(struct rx_buf *sql, const struct asked *a, enum rollup_dim by,
    enum analytics_order order)
{
    static const char *const orders[] = { "sum(requests)",
        "sum(cost / 1000000)",
        ("sum(input_tokens + cache_read_tokens + cache_write_tokens + "
         "output_tokens)") };
    char column[64], name[160];

    snprintf(
        column, sizeof(column), "u.%s", a->plain ? "name" : dims[by].column);
    if (table_of(by) != NULL)
        snprintf(name, sizeof(name), "(select name from %s where id = %s)",
            table_of(by), column);
    else
        snprintf(name, sizeof(name), "''");
    add_columns(sql, a, column, name);
    add_from(sql, a);
    rx_buf_addf(
        sql, " group by 1 order by %s desc, 1 limit ?30", orders[order]);
}

static struct db_query *
ask_groups(struct store *s, const struct asked *a, enum rollup_dim by,
    enum analytics_order order, size_t most)
{
    struct rx_buf sql;

    rx_buf_init(&sql, TEXT_MAX);
    add_grouping(&sql, a, by, order);
    struct db_query *d = ask(s, a, sql.ptr);
    rx_buf_fini(&sql);
    db_bind_u64(d, 30, most);
    return d;
}

enum rx_code
analytics_groups(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum analytics_order order, size_t most,
    struct rx_json_out *w, struct rx_err *err)
{
    struct asked a = prepare(q, by);
    enum rx_code code = rollup_flush(s->rollup, err);

    if (code == RX_OK)
        code = check_cube(q, by, err);
    if (code != RX_OK)
        return code;
    struct db_query *d = ask_groups(s, &a, by, order, most);
    while (db_next(d)) {
        rx_json_open_object(w, NULL);
        put_who(w, by, db_str(d, C_GROUP), db_str(d, C_NAME));
        put_sums(w, d, a.plain);
        rx_json_close(w);
    }
    return db_done(d, err);
}

/* ---- as CSV ------------------------------------------------------------------ */

void
analytics_csv_head(struct rx_buf *out)
{
    rx_buf_add(out, RX_S("start,end,id,name," SUM_NAMES "\r\n"));
}

static void
add_csv_row(struct csv *c, const struct analytics_question *q,
    enum rollup_dim by, struct db_query *d, bool plain)
{
    bool named = table_of(by) != NULL;

    csv_time(c, q->since_ms);
    csv_time(c, q->until_ms);
    csv_text(c, named ? db_str(d, C_GROUP) : (rx_str){ 0 });
    csv_text(c, named ? db_str(d, C_NAME) : db_str(d, C_GROUP));
    put_sums_on(&(struct paper){ .csv = c }, d, plain);
    csv_end_row(c);
}

enum rx_code
analytics_csv(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, size_t most, struct rx_buf *out, struct rx_err *err)
{
    struct asked a = prepare(q, by);
    struct csv c = { .out = out };
    size_t count = 0;

    enum rx_code code = rollup_flush(s->rollup, err);
    if (code == RX_OK)
        code = check_cube(q, by, err);
    if (code != RX_OK)
        return code;
    struct db_query *d =
        by == ROLLUP_TOTAL
            ? ask_total(s, &a)
            : ask_groups(s, &a, by, ANALYTICS_BY_REQUESTS, most + 1);
    while (db_next(d) && count++ < most) {
        /* The sum of nothing is a row, too. */
        if (db_u64(d, C_SUMS + ROLLUP_N_requests) > 0)
            add_csv_row(&c, q, by, d, a.plain);
    }
    code = db_done(d, err);
    if (code == RX_OK && count > most)
        return rx_fail(err, RX_TOO_BIG,
            "more than %zu names; ask for less at a time, or for the rows",
            most);
    return code;
}

/* ---- series ---------------------------------------------------------------- */

/* Buckets of one level: of a marginal each is a row, of the cube it is many. */
static void
add_bucket_columns(struct rx_buf *sql, const struct asked *a, const char *name)
{
    rx_buf_addf(sql, "select u.at_ms, %s, ", name);
    rx_buf_add(sql, a->plain ? RX_S(ONES ", u.hist") : RX_S(SUMS ", null"));
    add_from(sql, a);
}

static void
put_point(struct rx_json_out *w, struct db_query *d, bool plain)
{
    rx_json_open_object(w, NULL);
    rx_json_put_time(w, "start", db_u64(d, C_GROUP));
    put_sums(w, d, plain);
    rx_json_close(w);
}

static enum rx_code
check_level(const struct asked *a, enum rollup_level level, struct rx_err *err)
{
    if (!a->plain && level == ROLLUP_MINUTE)
        return rx_fail(err, RX_INVALID,
            "minutes are kept for one dimension at a time only");
    return RX_OK;
}

enum rx_code
analytics_times(struct store *s, const struct analytics_question *q,
    enum rollup_level level, struct rx_json_out *w, struct rx_err *err)
{
    struct asked a = prepare_level(q, ROLLUP_TOTAL, level);
    enum rx_code code = rollup_flush(s->rollup, err);
    struct rx_buf sql;

    if (code == RX_OK)
        code = check_level(&a, level, err);
    if (code != RX_OK)
        return code;
    rx_buf_init(&sql, TEXT_MAX);
    add_bucket_columns(&sql, &a, "''");
    rx_buf_add(
        &sql, a.plain ? RX_S(" order by 1") : RX_S(" group by 1 order by 1"));
    struct db_query *d = ask(s, &a, sql.ptr);
    rx_buf_fini(&sql);
    while (db_next(d))
        put_point(w, d, a.plain);
    return db_done(d, err);
}

/* A name that gets a series of its own. */
struct line {
    rx_str id, name;
    struct rx_buf points; /* its elements, as they will be written */
    struct rx_json_out w;
};

struct lines {
    struct rx_arena *arena;
    struct line at[ANALYTICS_SERIES_MAX];
    size_t count;
};

static enum rx_code
find_lines(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum analytics_order order, size_t most,
    struct lines *out, struct rx_err *err)
{
    struct asked a = prepare(q, by);
    a.thin = true; /* most names get no line */
    struct db_query *d = ask_groups(s, &a, by, order, most);

    while (db_next(d) && out->count < ANALYTICS_SERIES_MAX) {
        struct line *l = &out->at[out->count++];
        l->id = field_keep(out->arena, db_str(d, C_GROUP));
        if (l->id.ptr == NULL)
            l->id.ptr = "";
        l->name = field_keep(out->arena, db_str(d, C_NAME));
        rx_buf_init(&l->points, (size_t)8 << 20);
        l->w = rx_json_out(&l->points);
        rx_json_open_array(&l->w, NULL);
    }
    return db_done(d, err);
}

/* All of them in one pass over the buckets. */
static enum rx_code
read_points(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum rollup_level level, struct lines *lines,
    struct rx_err *err)
{
    struct asked a = prepare_level(q, by, level);
    char column[64];
    struct rx_buf sql;

    enum rx_code code = check_level(&a, level, err);
    if (code != RX_OK || lines->count == 0)
        return code;
    rx_buf_init(&sql, TEXT_MAX);
    snprintf(
        column, sizeof(column), "u.%s", a.plain ? "name" : dims[by].column);
    add_bucket_columns(&sql, &a, column);
    rx_buf_addf(&sql, " and %s in (", column);
    for (size_t i = 0; i < lines->count; i++)
        rx_buf_addf(&sql, "%s?%zu", i > 0 ? ", " : "", 40 + i);
    rx_buf_add(&sql,
        a.plain ? RX_S(") order by 1") : RX_S(") group by 1, 2 order by 1"));
    struct db_query *d = ask(s, &a, sql.ptr);
    rx_buf_fini(&sql);
    for (size_t i = 0; i < lines->count; i++)
        db_bind_str(d, 40 + (int)i, lines->at[i].id);
    while (db_next(d)) {
        rx_str id = db_str(d, C_NAME);
        size_t i = 0;
        while (i < lines->count && !rx_str_eq(id, lines->at[i].id))
            i++;
        if (i < lines->count)
            put_point(&lines->at[i].w, d, a.plain);
    }
    return db_done(d, err);
}

static enum rx_code
put_line(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, struct line *l, struct rx_json_out *w,
    struct rx_err *err)
{
    struct analytics_question one = *q;

    one.only[by] = l->id;
    rx_json_open_object(w, NULL);
    put_who(w, by, l->id, l->name);
    enum rx_code code = analytics_total(s, &one, w, "total", err);
    rx_json_close(&l->w);
    rx_json_put_raw(w, "points", rx_buf_str(&l->points));
    rx_json_close(w);
    return code;
}

static enum rx_code
put_all_series(struct store *s, const struct analytics_question *q,
    enum rollup_level level, struct rx_json_out *w, struct rx_err *err)
{
    rx_json_open_object(w, NULL);
    rx_json_put_null(w, "id");
    rx_json_put_null(w, "name");
    enum rx_code code = analytics_total(s, q, w, "total", err);
    rx_json_open_array(w, "points");
    if (code == RX_OK)
        code = analytics_times(s, q, level, w, err);
    rx_json_close(w);
    rx_json_close(w);
    return code;
}

enum rx_code
analytics_series(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum rollup_level level, enum analytics_order order,
    size_t most, struct rx_json_out *w, struct rx_err *err)
{
    if (by == ROLLUP_TOTAL)
        return put_all_series(s, q, level, w, err);
    struct rx_arena *arena = rx_arena_new((size_t)4 << 20);
    struct lines *lines = field_make(arena, struct lines, 1);
    lines->arena = arena;
    enum rx_code code = rollup_flush(s->rollup, err);
    if (code == RX_OK)
        code = check_cube(q, by, err);
    if (code == RX_OK)
        code = find_lines(s, q, by, order, most, lines, err);
    if (code == RX_OK)
        code = read_points(s, q, by, level, lines, err);
    for (size_t i = 0; i < lines->count; i++) {
        if (code == RX_OK)
            code = put_line(s, q, by, &lines->at[i], w, err);
        rx_buf_fini(&lines->at[i].points);
    }
    rx_arena_free(arena);
    return code;
}
