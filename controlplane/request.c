/*
 * Taking in what the data planes report.
 */
#include "controlplane/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/client_name.h"
#include "controlplane/field.h"
#include "controlplane/rollup.h"
#include "shared/clock.h"

static bool
has(const struct usage_counts *u, enum usage_count c)
{
    return (u->has & (1U << c)) != 0;
}

/* ---- one row ---- */

static int
bind_counts(struct db_query *q, int at, const struct usage_counts *u)
{
    for (unsigned c = 0; c < COUNT_COUNTERS; c++, at++) {
        if (has(u, c))
            db_bind_u64(q, at, u->n[c]);
    }
    db_bind_view(q, at++, u->service_tier);
    db_bind_view(q, at++, u->provenance);
    return at;
}

static void
bind_texts(struct db_query *q, int at, const rx_str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        db_bind_view(q, at + (int)i, texts[i]);
}

/* ---- what it cost ---- */

struct request_cost {
    bool known; /* of the answer, and of what failed on the way */
    struct rx_cost all;
    bool own_known;
    int64_t own; /* of the last attempt */
};

static bool
cost_of_attempt(
    struct store *s, const struct usage_attempt *a, struct rx_cost *out)
{
    return a->has_usage &&
           prices_cost(s->prices, a->channel_id, a->model, &a->usage, out);
}

/*
 * The row's usage is that of its last attempt; those before it are added where
 * they say that they were billed.  Counting tokens is free.
 */
static struct request_cost
cost_of(struct store *s, const struct usage_row *r)
{
    struct request_cost c = { 0 };
    struct rx_cost one;

    if (rx_str_eq(r->operation, RX_S("count"))) {
        c.known = c.own_known = true;
        return c;
    }
    rx_str model = r->model.len > 0 ? r->model : r->model_served;
    c.own_known =
        prices_cost(s->prices, r->channel_id, model, &r->usage, &c.all);
    if (!c.own_known && r->model_served.len > 0)
        c.own_known = prices_cost(
            s->prices, r->channel_id, r->model_served, &r->usage, &c.all);
    c.known = c.own_known;
    c.own = c.all.pico;
    for (size_t i = 0; i + 1 < r->attempt_count; i++) {
        if (!cost_of_attempt(s, &r->attempts[i], &one))
            continue;
        c.known = c.known || r->usage.has == 0;
        c.all.pico = rx_cost_add(c.all.pico, one.pico);
        c.all.saved = rx_cost_add(c.all.saved, one.saved);
    }
    return c;
}

bool
request_cost(struct store *s, const struct usage_row *row, int64_t *pico)
{
    struct request_cost c = cost_of(s, row);

    *pico = c.all.pico;
    return c.known;
}

/* *fresh: it was not there yet. */
static enum rx_code
insert_row(struct store *s, const struct usage_batch *b,
    const struct usage_row *r, rx_str client, const struct request_cost *cost,
    bool *fresh, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into request (plane, boot, seq, request_id, started_ms, "
        "tenant_id, key_id, dialect, operation, stream, model_requested, "
        "model, model_served, channel_id, channel, rule, session, tag, "
        "user_agent, client_ip, status, outcome, reason, finish, ttft_ms, "
        "duration_ms, request_bytes, response_bytes, in_uncached, cache_read, "
        "cache_write_5m, cache_write_1h, cache_write_other, in_tool_use, "
        "out_total, out_reasoning, in_audio, in_image, out_audio, out_image, "
        "web_searches, web_fetches, service_tier, provenance, trace, cost, "
        "saved, price_version, trace_context, agent, client) values "
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?) on conflict (plane, boot, seq) do nothing");
    const rx_str texts[] = { r->model_requested, r->model, r->model_served,
        r->channel_id, r->channel, r->rule, r->session, r->tag, r->user_agent,
        r->client_ip };

    db_bind_view(q, 1, b->plane);
    db_bind_u64(q, 2, b->boot);
    db_bind_u64(q, 3, r->seq);
    db_bind_view(q, 4, r->request_id);
    db_bind_u64(q, 5, r->started_ms);
    db_bind_view(q, 6, r->tenant_id);
    db_bind_view(q, 7, r->key_id);
    db_bind_view(q, 8, r->dialect);
    db_bind_view(q, 9, r->operation);
    db_bind_i64(q, 10, r->stream);
    bind_texts(q, 11, texts, RX_COUNT(texts));
    db_bind_u64(q, 21, r->status);
    bind_texts(q, 22, (rx_str[]){ r->outcome, r->reason, r->finish }, 3);
    if (r->ttft_ms != 0)
        db_bind_u64(q, 25, r->ttft_ms);
    db_bind_u64(q, 26, r->duration_ms);
    db_bind_u64(q, 27, r->request_bytes);
    db_bind_u64(q, 28, r->response_bytes);
    int at = bind_counts(q, 29, &r->usage);
    db_bind_str(q, at, r->trace);
    if (cost->known) {
        db_bind_i64(q, at + 1, cost->all.pico);
        db_bind_i64(q, at + 2, cost->all.saved);
        db_bind_u64(q, at + 3, prices_version(s->prices));
    }
    if (r->trace_context.len > 0)
        db_bind_blob(q, at + 4, r->trace_context);
    db_bind_view(q, at + 5, r->agent);
    db_bind_str(q, at + 6, client);
    enum rx_code code = db_run(q, err);
    *fresh = code == RX_OK && db_changes(s->db) == 1;
    return code;
}

/* What one attempt said it cost, as the JSON that is shown: its names need no
 * quoting, and there is one for every request. */
static void
add_attempt_usage(struct rx_buf *text, const struct usage_counts *u)
{
    static const rx_str names[] = {
#define NAME(name) RX_STR_INIT("\"" #name "\":"),
        STATE_COUNTERS(NAME)
#undef NAME
    };

    rx_buf_addc(text, '{');
    for (unsigned c = 0; c < COUNT_COUNTERS; c++) {
        if (!has(u, c))
            continue;
        rx_buf_add(text, names[c]);
        rx_buf_add_u64(text, u->n[c]);
        rx_buf_addc(text, ',');
    }
    rx_buf_add(text, RX_S("\"provenance\":"));
    struct rx_json_out w = rx_json_out(text);
    rx_json_put_str(&w, NULL, u->provenance);
    rx_buf_addc(text, '}');
}

static enum rx_code
insert_attempt(struct store *s, int64_t request, size_t position,
    const struct usage_attempt *a, const int64_t *cost, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into attempt (request, position, channel_id, channel, "
        "credential_id, model, status, code, reason, start_ms, connect_ms, "
        "first_byte_ms, total_ms, reused, bytes, upstream_request_id, usage, "
        "cost) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    struct rx_buf usage;

    db_bind_i64(q, 1, request);
    db_bind_u64(q, 2, position);
    bind_texts(q, 3,
        (rx_str[]){ a->channel_id, a->channel, a->credential_id, a->model }, 4);
    db_bind_u64(q, 7, a->status);
    db_bind_view(q, 8, a->code);
    db_bind_view(q, 9, a->reason);
    db_bind_u64(q, 10, a->start_ms);
    db_bind_u64(q, 11, a->connect_ms);
    db_bind_u64(q, 12, a->first_byte_ms);
    db_bind_u64(q, 13, a->total_ms);
    db_bind_i64(q, 14, a->reused);
    db_bind_u64(q, 15, a->bytes);
    db_bind_view(q, 16, a->upstream_request_id);
    rx_buf_init(&usage, 8 << 10);
    if (a->has_usage) {
        add_attempt_usage(&usage, &a->usage);
        db_bind_view(q, 17, rx_buf_str(&usage));
    }
    if (cost != NULL)
        db_bind_i64(q, 18, *cost);
    enum rx_code code = db_run(q, err);
    rx_buf_fini(&usage);
    return code;
}

static enum rx_code
insert_attempts(struct store *s, const struct usage_row *r,
    const struct request_cost *cost, struct rx_err *err)
{
    int64_t id = db_last_id(s->db);
    enum rx_code code = RX_OK;

    for (size_t i = 0; code == RX_OK && i < r->attempt_count; i++) {
        const struct usage_attempt *a = &r->attempts[i];
        bool last = i + 1 == r->attempt_count;
        struct rx_cost one = { .pico = cost->own };
        bool known = last ? cost->own_known : cost_of_attempt(s, a, &one);
        code = insert_attempt(s, id, i, a, known ? &one.pico : NULL, err);
    }
    return code;
}

/* A row that is new in this batch, for the sums. */
struct taken {
    const struct usage_row *row;
    uint64_t id;
    struct request_cost cost;
    char client[CLIENT_NAME_SIZE];
};

static enum rx_code
take_row(struct store *s, const struct usage_batch *b,
    const struct usage_row *r, struct taken *taken, size_t *count,
    struct rx_err *err)
{
    struct taken *t = &taken[*count];
    bool fresh;

    *t = (struct taken){ .row = r, .cost = cost_of(s, r) };
    client_name(r->user_agent, t->client);
    enum rx_code code =
        insert_row(s, b, r, field_text(t->client), &t->cost, &fresh, err);
    if (code != RX_OK || !fresh)
        return code;
    t->id = (uint64_t)db_last_id(s->db);
    ++*count;
    return insert_attempts(s, r, &t->cost, err);
}

static uint64_t
sum_of(const struct usage_counts *u, const enum usage_count *of, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += has(u, of[i]) ? u->n[of[i]] : 0;
    return sum;
}
#define SUM(u, ...)                                         \
    sum_of(u, (const enum usage_count[]){ __VA_ARGS__ },    \
        sizeof((const enum usage_count[]){ __VA_ARGS__ }) / \
            sizeof(enum usage_count))

static void
add_to_sums(struct store *s, const struct taken *t)
{
    const struct usage_row *r = t->row;
    const struct usage_counts *u = &r->usage;
    const uint32_t counts = 1U << COUNT_in_uncached | 1U << COUNT_cache_read |
                            1U << COUNT_out_total;
    struct rollup_row row = {
        .id = t->id,
        .started_ms = r->started_ms,
        .names = { [ROLLUP_TENANT] = r->tenant_id,
            [ROLLUP_KEY] = r->key_id,
            [ROLLUP_CHANNEL] = r->channel_id,
            [ROLLUP_MODEL] = r->model.len > 0 ? r->model : r->model_requested,
            [ROLLUP_RULE] = r->rule,
            [ROLLUP_TAG] = r->tag,
            [ROLLUP_AGENT] = r->agent,
            [ROLLUP_CLIENT] = field_text(t->client) },
        .ok = rx_str_eq(r->outcome, RX_S("ok")),
        .provenance = u->provenance,
        .input = SUM(u, COUNT_in_uncached, COUNT_in_tool_use),
        .cache_read = SUM(u, COUNT_cache_read),
        .cache_write = SUM(u, COUNT_cache_write_5m, COUNT_cache_write_1h,
            COUNT_cache_write_other),
        .output = SUM(u, COUNT_out_total),
        .reasoning = SUM(u, COUNT_out_reasoning),
        .duration_ms = r->duration_ms,
        .ttft_ms = r->ttft_ms,
        .priced = t->cost.known,
        .counted =
            (u->has & counts) != 0 && !rx_str_eq(r->operation, RX_S("count")),
        .cost = t->cost.all.pico,
        .saved = t->cost.all.saved,
    };

    rollup_add(s->rollup, &row);
}

/* ---- the sink ---- */

static enum rx_code
sink_progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    struct store *s = arg;
    struct db_query *q = db_query(s->db,
        "select last_seq from plane_progress where plane = ? and boot = ?");

    db_bind_str(q, 1, plane);
    db_bind_u64(q, 2, boot);
    *seq = db_next(q) ? db_u64(q, 0) : 0;
    return db_done(q, err);
}

static enum rx_code
save_progress(struct store *s, const struct usage_batch *b, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into plane_progress (plane, boot, last_seq, dropped, at_ms) "
        "values (?, ?, ?, ?, ?) on conflict (plane, boot) do update set "
        "last_seq = max(last_seq, excluded.last_seq), "
        "dropped = max(dropped, excluded.dropped), at_ms = excluded.at_ms");

    db_bind_str(q, 1, b->plane);
    db_bind_u64(q, 2, b->boot);
    db_bind_u64(q, 3, b->last_seq);
    db_bind_u64(q, 4, b->dropped);
    db_bind_u64(q, 5, rx_clock_wall_ms());
    return db_run(q, err);
}

static enum rx_code
store_batch(struct store *s, const struct usage_batch *b, struct taken *taken,
    size_t *count, struct rx_err *err)
{
    enum rx_code code = store_begin(s, err);

    if (code != RX_OK)
        return code;
    for (size_t i = 0; code == RX_OK && i < b->row_count; i++)
        code = take_row(s, b, &b->rows[i], taken, count, err);
    if (code == RX_OK)
        code = save_progress(s, b, err);
    if (code == RX_OK)
        return store_commit(s, err);
    store_rollback(s);
    return code;
}

static enum rx_code
sink_commit(void *arg, const struct usage_batch *b, struct rx_err *err)
{
    struct store *s = arg;
    struct taken *taken = calloc(b->row_count + 1, sizeof(*taken));
    size_t count = 0;

    if (taken == NULL)
        abort();
    enum rx_code code = store_batch(s, b, taken, &count, err);
    for (size_t i = 0; code == RX_OK && i < count; i++)
        add_to_sums(s, &taken[i]);
    free(taken);
    return code;
}

struct usage_sink
request_sink(struct store *s)
{
    return (struct usage_sink){ s, sink_progress, sink_commit };
}
