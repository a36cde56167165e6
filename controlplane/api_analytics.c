/*
 * /api/analytics, /api/analytics/summary
 */
#include <stdio.h>

#include "controlplane/analytics.h"
#include "controlplane/api.h"
#include "controlplane/channel.h"
#include "controlplane/key.h"
#include "controlplane/tenant.h"
#include "shared/clock.h"

#define HOUR_MS    ((uint64_t)3600 * 1000)
#define WEEK_MS    (7 * 24 * HOUR_MS)
#define GROUPS_MAX 1000
#define POINTS_MAX 3000 /* buckets of a series */

enum rx_code
api_span(struct api_call *c, struct analytics_question *q, struct rx_err *err)
{
    uint64_t now = rx_clock_wall_ms();
    const char *name = api_query(c, "range").len > 0 ? "range" : "since";

    (void)api_query(c, "since");
    enum rx_code code =
        api_query_time(c, name, now - WEEK_MS, &q->since_ms, err);
    if (code == RX_OK)
        code = api_query_time(c, "until", now, &q->until_ms, err);
    if (code != RX_OK)
        return code;
    if (q->since_ms >= q->until_ms)
        return api_wrong(c, err, "since", "must be before until");
    return RX_OK;
}

enum rx_code
api_range(struct api_call *c, struct analytics_question *q, struct rx_err *err)
{
    enum rx_code code = api_span(c, q, err);

    if (code == RX_OK)
        analytics_align(q, rx_clock_wall_ms());
    return code;
}

void
api_put_range(struct api_call *c, const struct analytics_question *q)
{
    rx_json_put_time(&c->w, "since", q->since_ms);
    rx_json_put_time(&c->w, "until", q->until_ms);
}

/* ---- filters --------------------------------------------------------------- */

/* Ids of what was removed since are good too: its sums are still there. */
static enum rx_code
find_id(struct api_call *c, enum rollup_dim dim, rx_str given, rx_str *id,
    struct rx_err *err)
{
    struct tenant *t;
    struct key *k;
    struct channel *ch;
    enum rx_code code = RX_OK;

    *id = given;
    if (dim == ROLLUP_TENANT) {
        code = tenant_load(c->store, c->arena, given, &t, err);
        if (code == RX_OK)
            *id = t->id;
    } else if (dim == ROLLUP_KEY) {
        code = key_load(c->store, c->arena, given, &k, err);
        if (code == RX_OK)
            *id = k->id;
    } else if (dim == ROLLUP_CHANNEL) {
        code = channel_load(c->store, c->arena, given, false, &ch, err);
        if (code == RX_OK)
            *id = ch->id;
    }
    return code == RX_NOT_FOUND ? RX_OK : code;
}

enum rx_code
api_only(struct api_call *c, struct analytics_question *q, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    for (unsigned d = ROLLUP_TENANT; code == RX_OK && d < ROLLUP_DIM_COUNT;
         d++) {
        rx_str given = api_query(c, analytics_dim_name((enum rollup_dim)d));
        if (given.len > 0)
            code = find_id(c, (enum rollup_dim)d, given, &q->only[d], err);
    }
    return code;
}

static enum rx_code
read_order(struct api_call *c, enum analytics_order *order, struct rx_err *err)
{
    static const char *const names[] = { "requests", "cost", "tokens" };
    rx_str given = api_query(c, "order");

    *order = ANALYTICS_BY_REQUESTS;
    for (unsigned i = 0; i < RX_COUNT(names); i++) {
        if (rx_str_eq(given, field_text(names[i]))) {
            *order = (enum analytics_order)i;
            return RX_OK;
        }
    }
    return given.len == 0
               ? RX_OK
               : api_wrong(c, err, "order", "must be requests, cost or tokens");
}

/* ---- series ---------------------------------------------------------------- */

static const char *const level_names[] = { "minute", "hour", "day" };

/* So that a chart has some hundred points at most, unless asked otherwise. */
static enum rollup_level
level_for(const struct analytics_question *q)
{
    uint64_t span = q->until_ms - q->since_ms;

    if (span <= 3 * HOUR_MS)
        return ROLLUP_MINUTE;
    return span <= 8 * 24 * HOUR_MS ? ROLLUP_HOUR : ROLLUP_DAY;
}

static enum rx_code
read_bucket(struct api_call *c, const struct analytics_question *q,
    enum rollup_level *level, struct rx_err *err)
{
    rx_str given = api_query(c, "bucket");
    bool found = given.len == 0;

    *level = level_for(q);
    for (unsigned i = 0; i < RX_COUNT(level_names); i++) {
        if (rx_str_eq(given, field_text(level_names[i]))) {
            *level = (enum rollup_level)i;
            found = true;
        }
    }
    if (!found)
        return api_wrong(c, err, "bucket", "must be minute, hour or day");
    if ((q->until_ms - q->since_ms) / rollup_span(*level) > POINTS_MAX)
        return api_wrong(c, err, "bucket", "is too small for so long a range");
    return RX_OK;
}

static enum rx_code
read_by(struct api_call *c, enum rollup_dim *by, struct rx_err *err)
{
    rx_str given = api_query(c, "by");

    *by = ROLLUP_TOTAL;
    if (given.len == 0 || analytics_dim(given, by))
        return RX_OK;
    return api_wrong(c, err, "by",
        "must be one of tenant, key, channel, model, rule, tag, agent, client");
}

struct series {
    struct analytics_question q;
    enum rollup_dim by;
    enum rollup_level level;
    enum analytics_order order;
    uint64_t most;
};

static enum rx_code
read_series(struct api_call *c, struct series *s, struct rx_err *err)
{
    enum rx_code code = api_range(c, &s->q, err);

    if (code == RX_OK)
        code = api_only(c, &s->q, err);
    if (code == RX_OK)
        code = read_by(c, &s->by, err);
    if (code == RX_OK)
        code = read_bucket(c, &s->q, &s->level, err);
    if (code == RX_OK)
        code = read_order(c, &s->order, err);
    if (code == RX_OK)
        code = api_query_u64(
            c, "limit", 1, ANALYTICS_SERIES_MAX, 10, &s->most, err);
    if (code != RX_OK)
        return code;
    /* Points are whole buckets, and totals are to be their sums. */
    uint64_t span = rollup_span(s->level);
    s->q.since_ms -= s->q.since_ms % span;
    s->q.until_ms += (span - s->q.until_ms % span) % span;
    return RX_OK;
}

enum rx_code
api_analytics(struct api_call *c, struct rx_err *err)
{
    struct series s = { 0 };
    enum rx_code code = read_series(c, &s, err);

    if (code != RX_OK)
        return code;
    rx_json_open_object(&c->w, "data");
    api_put_range(c, &s.q);
    rx_json_put_text(&c->w, "bucket", level_names[s.level]);
    if (s.by == ROLLUP_TOTAL)
        rx_json_put_null(&c->w, "by");
    else
        rx_json_put_text(&c->w, "by", analytics_dim_name(s.by));
    rx_json_put_bool(&c->w, "complete", !rollup_is_behind(c->store->rollup));
    rx_json_open_array(&c->w, "series");
    code = analytics_series(
        c->store, &s.q, s.by, s.level, s.order, s.most, &c->w, err);
    rx_json_close(&c->w);
    rx_json_close(&c->w);
    return code;
}

/* ---- summary --------------------------------------------------------------- */

struct groups {
    bool dims[ROLLUP_DIM_COUNT];
    bool levels[ROLLUP_LEVELS];
};

static bool
want_group(struct groups *g, rx_str name)
{
    enum rollup_dim dim;

    for (unsigned l = ROLLUP_HOUR; l < ROLLUP_LEVELS; l++) {
        if (rx_str_eq(name, field_text(level_names[l]))) {
            g->levels[l] = true;
            return true;
        }
    }
    if (!analytics_dim(name, &dim))
        return false;
    g->dims[dim] = true;
    return true;
}

static enum rx_code
read_groups(struct api_call *c, struct groups *g, struct rx_err *err)
{
    rx_str rest = api_query(c, "by");
    rx_str one;

    *g = (struct groups){ 0 };
    if (rest.len == 0)
        rest = RX_S("day,tenant,key,channel,model");
    for (bool more = true; more;) {
        more = rx_str_cut(rest, ',', &one, &rest);
        if (!want_group(g, one))
            return api_wrong(c, err, "by",
                "must be some of day, hour, tenant, key, channel, model, rule, "
                "tag, agent, client");
    }
    return RX_OK;
}

static void
open_group(struct api_call *c, const char *name)
{
    char key[32];

    snprintf(key, sizeof(key), "by_%s", name);
    rx_json_open_array(&c->w, key);
}

static enum rx_code
put_groups(struct api_call *c, const struct analytics_question *q,
    const struct groups *g, enum analytics_order order, uint64_t most,
    struct rx_err *err)
{
    enum rx_code code = RX_OK;

    for (unsigned l = ROLLUP_LEVELS; code == RX_OK && l-- > ROLLUP_HOUR;) {
        if (!g->levels[l])
            continue;
        open_group(c, level_names[l]);
        code = analytics_times(c->store, q, (enum rollup_level)l, &c->w, err);
        rx_json_close(&c->w);
    }
    for (unsigned d = ROLLUP_TENANT; code == RX_OK && d < ROLLUP_DIM_COUNT;
         d++) {
        if (!g->dims[d])
            continue;
        open_group(c, analytics_dim_name((enum rollup_dim)d));
        code = analytics_groups(
            c->store, q, (enum rollup_dim)d, order, most, &c->w, err);
        rx_json_close(&c->w);
    }
    return code;
}

enum rx_code
api_analytics_summary(struct api_call *c, struct rx_err *err)
{
    struct analytics_question q = { 0 };
    enum analytics_order order = ANALYTICS_BY_REQUESTS;
    struct groups groups;
    uint64_t most = GROUPS_MAX;

    enum rx_code code = api_range(c, &q, err);
    if (code == RX_OK)
        code = api_only(c, &q, err);
    if (code == RX_OK)
        code = read_groups(c, &groups, err);
    if (code == RX_OK)
        code = read_order(c, &order, err);
    if (code == RX_OK)
        code = api_query_u64(c, "limit", 1, GROUPS_MAX, GROUPS_MAX, &most, err);
    if (code != RX_OK)
        return code;
    rx_json_open_object(&c->w, "data");
    api_put_range(c, &q);
    rx_json_put_bool(&c->w, "complete", !rollup_is_behind(c->store->rollup));
    code = analytics_total(c->store, &q, &c->w, "total", err);
    if (code == RX_OK)
        code = put_groups(c, &q, &groups, order, most, err);
    rx_json_close(&c->w);
    return code;
}
