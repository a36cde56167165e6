/*
 * Taking in what the data planes report.
 */
#include "controlplane/request.h"

#include <assert.h>
#include <string.h>

#include "controlplane/field.h"
#include "controlplane/hour_sums.h"
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

/* *fresh: it was not there yet. */
static enum rx_code
insert_row(struct store *s, const struct usage_batch *b,
    const struct usage_row *r, bool *fresh, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into request (plane, boot, seq, request_id, started_ms, "
        "tenant_id, key_id, dialect, operation, stream, model_requested, "
        "model, model_served, channel_id, channel, rule, session, tag, "
        "user_agent, client_ip, status, outcome, reason, finish, ttft_ms, "
        "duration_ms, request_bytes, response_bytes, in_uncached, cache_read, "
        "cache_write_5m, cache_write_1h, cache_write_other, in_tool_use, "
        "out_total, out_reasoning, in_audio, in_image, out_audio, out_image, "
        "web_searches, web_fetches, service_tier, provenance, trace) values "
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (plane, boot, seq) do nothing");
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
    db_bind_str(q, bind_counts(q, 29, &r->usage), r->trace);
    enum rx_code code = db_run(q, err);
    *fresh = code == RX_OK && db_changes(s->db) == 1;
    return code;
}

/* What one attempt said it cost, as the JSON that is shown. */
static void
bind_attempt_usage(struct db_query *q, int at, const struct usage_counts *u)
{
    static const char *const names[] = {
#define NAME(name) #name,
        STATE_COUNTERS(NAME)
#undef NAME
    };
    struct rx_buf text;

    rx_buf_init(&text, 8 << 10);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    for (unsigned c = 0; c < COUNT_COUNTERS; c++) {
        if (has(u, c))
            rx_json_put_u64(&w, names[c], u->n[c]);
    }
    rx_json_put_str(&w, "provenance", u->provenance);
    rx_json_close(&w);
    db_bind_str(q, at, rx_buf_str(&text));
    rx_buf_fini(&text);
}

static enum rx_code
insert_attempt(struct store *s, int64_t request, size_t position,
    const struct usage_attempt *a, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into attempt (request, position, channel_id, channel, "
        "credential_id, model, status, code, reason, start_ms, connect_ms, "
        "first_byte_ms, total_ms, reused, bytes, upstream_request_id, usage) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

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
    if (a->has_usage)
        bind_attempt_usage(q, 17, &a->usage);
    return db_run(q, err);
}

static enum rx_code
take_row(struct store *s, struct hour_sums *sums, const struct usage_batch *b,
    const struct usage_row *r, struct rx_err *err)
{
    bool fresh;
    enum rx_code code = insert_row(s, b, r, &fresh, err);

    if (code != RX_OK || !fresh)
        return code;
    int64_t id = db_last_id(s->db);
    for (size_t i = 0; code == RX_OK && i < r->attempt_count; i++)
        code = insert_attempt(s, id, i, &r->attempts[i], err);
    hour_sums_add(sums, r);
    return code;
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
take_rows(struct store *s, const struct usage_batch *b, struct rx_err *err)
{
    struct hour_sums *sums = hour_sums_begin();
    enum rx_code code = RX_OK;

    for (size_t i = 0; code == RX_OK && i < b->row_count; i++)
        code = take_row(s, sums, b, &b->rows[i], err);
    if (code == RX_OK)
        code = hour_sums_store(sums, s, err);
    hour_sums_end(sums);
    return code;
}

static enum rx_code
sink_commit(void *arg, const struct usage_batch *b, struct rx_err *err)
{
    struct store *s = arg;
    enum rx_code code = store_begin(s, err);

    if (code != RX_OK)
        return code;
    code = take_rows(s, b, err);
    if (code == RX_OK)
        code = save_progress(s, b, err);
    if (code == RX_OK)
        return store_commit(s, err);
    store_rollback(s);
    return code;
}

struct usage_sink
request_sink(struct store *s)
{
    return (struct usage_sink){ s, sink_progress, sink_commit };
}
