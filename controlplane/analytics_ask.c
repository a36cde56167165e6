/*
 * Which buckets answer a question, and the SQL that reads them.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/analytics_parts.h"
#include "controlplane/field.h"
#include "controlplane/retention.h"
#include "shared/clock.h"

static const struct {
    const char *name, *column;
} dims[] = {
#define DIM(id, name, column) [ROLLUP_##id] = { name, column },
    ROLLUP_DIMS(DIM)
#undef DIM
};

const char *
analytics_column(enum rollup_dim dim)
{
    return dims[dim].column;
}

/* Where the names of ids are; NULL: they are names themselves. */
const char *
analytics_table_of(enum rollup_dim dim)
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
enum rx_code
analytics_check(
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
cut(uint64_t from, uint64_t to, struct analytics_part parts[ANALYTICS_PARTS])
{
    uint64_t hour_from = up(from, ROLLUP_HOUR);
    uint64_t hour_to = down(to, ROLLUP_HOUR);

    if (hour_from >= hour_to) {
        parts[0] = (struct analytics_part){ ROLLUP_MINUTE, from, to };
        return;
    }
    uint64_t day_from = up(hour_from, ROLLUP_DAY);
    uint64_t day_to = down(hour_to, ROLLUP_DAY);
    if (day_from >= day_to)
        day_from = day_to = hour_to;
    parts[0] = (struct analytics_part){ ROLLUP_MINUTE, from, hour_from };
    parts[1] = (struct analytics_part){ ROLLUP_HOUR, hour_from, day_from };
    parts[2] = (struct analytics_part){ ROLLUP_DAY, day_from, day_to };
    parts[3] = (struct analytics_part){ ROLLUP_HOUR, day_to, hour_to };
    parts[4] = (struct analytics_part){ ROLLUP_MINUTE, hour_to, to };
}

/* ---- the question in SQL --------------------------------------------------- */

#define SUM(name) "sum(" #name "), "

/* Money beyond nine million dollars: by millionths, and what is left of them. */
#define SUMS                                                           \
    ROLLUP_COUNTERS(SUM)                                               \
    "sum(cost / 1000000), sum(cost % 1000000), sum(saved / 1000000), " \
    "sum(saved % 1000000)"

/* The cube is in order of buckets and, in each of them, of tenants and keys. */
static bool
is_of_one_tenant(const struct analytics_asked *a)
{
    return !a->plain && (a->q->only[ROLLUP_TENANT].ptr != NULL ||
                            a->q->only[ROLLUP_KEY].ptr != NULL);
}

static void
add_filters(struct rx_buf *sql, const struct analytics_asked *a)
{
    if (a->plain && a->q->only[a->dim].ptr != NULL)
        rx_buf_addf(sql, " and u.name = ?%d", 20 + (int)a->dim);
    for (unsigned d = ROLLUP_TENANT; !a->plain && d < ROLLUP_DIM_COUNT; d++) {
        if (a->q->only[d].ptr != NULL)
            rx_buf_addf(
                sql, " and u.%s = ?%d", analytics_column(d), 20 + (int)d);
    }
}

static void
add_parts(struct rx_buf *sql)
{
    rx_buf_add(
        sql, RX_S("(select column1 l, column2 a, column3 b from (values "));
    for (size_t i = 0; i < ANALYTICS_PARTS; i++)
        rx_buf_addf(sql, "%s(?%zu, ?%zu, ?%zu)", i > 0 ? ", " : "", 3 * i + 1,
            3 * i + 2, 3 * i + 3);
    rx_buf_add(sql, RX_S("))"));
}

/* Bucket by bucket, so that others' cells are passed over: which tenants there
 * were the sums of days say. */
static void
add_from_tenant(struct rx_buf *sql, const struct analytics_asked *a)
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
void
analytics_add_from(struct rx_buf *sql, const struct analytics_asked *a)
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
bind_ends(struct db_query *q, const struct analytics_asked *a)
{
    uint64_t from = UINT64_MAX >> 1, to = 0;

    for (size_t i = 0; i < ANALYTICS_PARTS; i++) {
        const struct analytics_part *p = &a->parts[i];
        if (p->from >= p->to)
            continue;
        from = p->from < from ? p->from : from;
        to = p->to > to ? p->to : to;
    }
    db_bind_u64(q, 18, from);
    db_bind_u64(q, 19, to);
}

struct db_query *
analytics_ask(struct store *s, const struct analytics_asked *a, const char *sql)
{
    struct db_query *q = db_query(s->db, sql);

    for (size_t i = 0; i < ANALYTICS_PARTS; i++) {
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

struct analytics_asked
analytics_prepare(const struct analytics_question *q, enum rollup_dim by)
{
    struct analytics_asked a = { .q = q };

    a.plain = is_plain(q, by, &a.dim);
    if (a.plain)
        cut(q->since_ms, end_of(q), a.parts);
    else /* the cube has no minutes */
        cut(down(q->since_ms, ROLLUP_HOUR), up(end_of(q), ROLLUP_HOUR),
            a.parts);
    return a;
}

/* One level only, for series. */
struct analytics_asked
analytics_prepare_level(const struct analytics_question *q, enum rollup_dim by,
    enum rollup_level level)
{
    struct analytics_asked a = { .q = q };

    a.plain = is_plain(q, by, &a.dim);
    a.parts[0] = (struct analytics_part){ level, down(q->since_ms, level),
        up(q->until_ms, level) };
    return a;
}

/* What sums are of, and their columns: SUMS and the histogram. */
void
analytics_add_columns(struct rx_buf *sql, const struct analytics_asked *a,
    const char *group, const char *name)
{
    rx_buf_addf(sql, "select %s, %s, ", group, name);
    rx_buf_add(sql, RX_S(SUMS ", "));
    rx_buf_add(
        sql, a->plain && !a->thin ? RX_S("hist_sum(u.hist)") : RX_S("null"));
}

/* The same of a single row. */
#define ONE(name) #name ", "
#define ONES             \
    ROLLUP_COUNTERS(ONE) \
    "cost / 1000000, cost % 1000000, saved / 1000000, saved % 1000000"

/* Buckets of one level: of a marginal each is a row, of the cube it is many. */
void
analytics_add_bucket_columns(
    struct rx_buf *sql, const struct analytics_asked *a, const char *name)
{
    rx_buf_addf(sql, "select u.at_ms, %s, ", name);
    rx_buf_add(sql, a->plain ? RX_S(ONES ", u.hist") : RX_S(SUMS ", null"));
    analytics_add_from(sql, a);
}
