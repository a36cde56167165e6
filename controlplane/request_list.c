/*
 * Showing what was taken in.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/field.h"
#include "controlplane/request.h"
#include "controlplane/request_filter.h"
#include "shared/money.h"
#include "shared/secret.h"
#include "shared/trace.h"

#define COLUMNS                                                              \
    "r.id, r.request_id, r.started_ms, r.tenant_id, t.name, r.key_id, "      \
    "k.name, r.dialect, r.operation, r.stream, r.model_requested, r.model, " \
    "r.model_served, r.channel_id, r.channel, r.rule, r.session, r.tag, "    \
    "r.user_agent, r.client_ip, r.status, r.outcome, r.reason, r.finish, "   \
    "r.ttft_ms, r.duration_ms, r.request_bytes, r.response_bytes, r.plane, " \
    "r.in_uncached, r.cache_read, r.cache_write_5m, r.cache_write_1h, "      \
    "r.cache_write_other, r.in_tool_use, r.out_total, r.out_reasoning, "     \
    "r.in_audio, r.in_image, r.out_audio, r.out_image, r.web_searches, "     \
    "r.web_fetches, r.service_tier, r.provenance, "                          \
    "(select count(*) from attempt where request = r.id), r.cost, "          \
    "r.price_version, r.trace_context, "                                     \
    "exists (select 1 from capture where request_id = r.request_id), "       \
    "r.agent, r.client"
#define TEXT_MAX ((size_t)8 << 10)
#define FROM                                    \
    " from request r "                          \
    "left join tenant t on t.id = r.tenant_id " \
    "left join client_key k on k.id = r.key_id "

/* Columns by number, as COLUMNS has them. */
enum {
    C_ID,
    C_REQUEST_ID,
    C_STARTED,
    C_TTFT = 24,
    C_IN_UNCACHED = 29,
    C_CACHE_READ,
    C_WRITE_5M,
    C_WRITE_1H,
    C_WRITE_OTHER,
    C_TOOL_USE,
    C_OUT,
    C_REASONING,
    C_IN_AUDIO,
    C_TIER = 43,
    C_PROVENANCE,
    C_ATTEMPTS,
    C_COST,
    C_PRICES,
    C_CONTEXT,
    C_CAPTURED,
    C_AGENT,
    C_CLIENT,
};

static void
put_text(struct rx_json_out *w, const char *key, struct db_query *q, int i)
{
    rx_str s = db_str(q, i);

    if (s.len == 0)
        rx_json_put_null(w, key);
    else
        rx_json_put_str(w, key, s);
}

static void
put_number(struct rx_json_out *w, const char *key, struct db_query *q, int i)
{
    if (db_is_null(q, i))
        rx_json_put_null(w, key);
    else
        rx_json_put_u64(w, key, db_u64(q, i));
}

/* Unknown is null, never 0. */
static void
put_money(struct rx_json_out *w, const char *key, struct db_query *q, int i)
{
    if (db_is_null(q, i))
        rx_json_put_null(w, key);
    else
        rx_usd_put(w, key, db_i64(q, i));
}

/* The sum of `count` columns; null when none of them is known. */
static void
put_sum(struct rx_json_out *w, const char *key, struct db_query *q,
    const int *columns, size_t count)
{
    uint64_t sum = 0;
    bool known = false;

    for (size_t i = 0; i < count; i++) {
        known = known || !db_is_null(q, columns[i]);
        sum += db_u64(q, columns[i]);
    }
    if (known)
        rx_json_put_u64(w, key, sum);
    else
        rx_json_put_null(w, key);
}

static void
put_tokens(struct rx_json_out *w, struct db_query *q)
{
    static const int input[] = { C_IN_UNCACHED, C_TOOL_USE };
    static const int writes[] = { C_WRITE_5M, C_WRITE_1H, C_WRITE_OTHER };
    static const char *const rare[] = { "input_audio_tokens",
        "input_image_tokens", "output_audio_tokens", "output_image_tokens",
        "web_searches", "web_fetches" };

    put_sum(w, "input_tokens", q, input, RX_COUNT(input));
    put_number(w, "cache_read_tokens", q, C_CACHE_READ);
    put_sum(w, "cache_write_tokens", q, writes, RX_COUNT(writes));
    put_number(w, "cache_write_5m_tokens", q, C_WRITE_5M);
    put_number(w, "cache_write_1h_tokens", q, C_WRITE_1H);
    put_number(w, "output_tokens", q, C_OUT);
    put_number(w, "reasoning_tokens", q, C_REASONING);
    for (size_t i = 0; i < RX_COUNT(rare); i++) {
        if (!db_is_null(q, C_IN_AUDIO + (int)i))
            put_number(w, rare[i], q, C_IN_AUDIO + (int)i);
    }
    put_text(w, "service_tier", q, C_TIER);
    rx_json_put_str(w, "provenance", db_str(q, C_PROVENANCE));
    put_money(w, "cost_usd", q, C_COST);
    put_number(w, "price_version", q, C_PRICES);
}

static void
put_hex(struct rx_json_out *w, const char *key, const void *bytes, size_t size)
{
    char hex[2 * 16 + 1];

    rx_hex(bytes, size, hex);
    rx_json_put_text(w, key, hex);
}

/* Rows from before there were traces have none. */
static void
put_context(struct rx_json_out *w, struct db_query *q)
{
    struct rx_trace t;
    bool known = rx_trace_unpack(db_blob(q, C_CONTEXT), &t);

    if (known)
        put_hex(w, "trace_id", t.id, sizeof(t.id));
    else
        rx_json_put_null(w, "trace_id");
    if (known)
        put_hex(w, "span_id", t.span, sizeof(t.span));
    else
        rx_json_put_null(w, "span_id");
    if (known && rx_trace_has_parent(&t))
        put_hex(w, "parent_span_id", t.parent, sizeof(t.parent));
    else
        rx_json_put_null(w, "parent_span_id");
}

static void
put_row(struct rx_json_out *w, struct db_query *q)
{
    static const struct {
        const char *name;
        int column;
    } texts[] = { { "tenant_id", 3 }, { "tenant", 4 }, { "key_id", 5 },
        { "key", 6 }, { "dialect", 7 }, { "operation", 8 },
        { "model_requested", 10 }, { "model", 11 }, { "model_served", 12 },
        { "channel_id", 13 }, { "channel", 14 }, { "rule", 15 },
        { "session", 16 }, { "tag", 17 }, { "agent", C_AGENT },
        { "client", C_CLIENT }, { "user_agent", 18 }, { "client_ip", 19 },
        { "outcome", 21 }, { "reason", 22 }, { "finish", 23 },
        { "plane", 28 } };
    char id[24];

    snprintf(id, sizeof(id), "%llu", (unsigned long long)db_u64(q, C_ID));
    rx_json_put_text(w, "id", id);
    rx_json_put_str(w, "request_id", db_str(q, C_REQUEST_ID));
    put_context(w, q);
    rx_json_put_time(w, "started_at", db_u64(q, C_STARTED));
    for (size_t i = 0; i < RX_COUNT(texts); i++)
        put_text(w, texts[i].name, q, texts[i].column);
    rx_json_put_bool(w, "stream", db_i64(q, 9) != 0);
    put_number(w, "status", q, 20);
    put_number(w, "ttft_ms", q, C_TTFT);
    put_number(w, "duration_ms", q, 25);
    put_number(w, "request_bytes", q, 26);
    put_number(w, "response_bytes", q, 27);
    rx_json_put_bool(w, "captured", db_i64(q, C_CAPTURED) != 0);
    put_tokens(w, q);
}

/* ---- many ---- */

/*
 * Only the conditions asked for are in the text, so that each combination walks
 * its index in the order that is shown; there are few, and the values are always
 * bound.  Names of keys are not unique: those are compared row by row.
 */
void
request_add_conditions(struct rx_buf *to, const struct request_filter *f)
{
    rx_buf_addf(to, "%s%s%s%s%s%s%s%s%s%s%s%s",
        f->tenant.len > 0 ? " and r.tenant_id = coalesce((select id from "
                            "tenant where name = ?5), ?5)"
                          : "",
        f->key.len == 0                       ? ""
        : rx_str_starts(f->key, RX_S("key_")) ? " and r.key_id = ?6"
                                              : " and k.name = ?6",
        f->channel.len > 0 ? " and r.channel_id = coalesce((select id from "
                             "channel where name = ?7), ?7)"
                           : "",
        f->model.len > 0
            ? " and ?8 in (r.model_requested, r.model, r.model_served)"
            : "",
        f->outcome.len > 0 ? " and r.outcome = ?9" : "",
        f->request_id.len > 0 ? " and r.request_id = ?10" : "",
        f->status > 0 ? " and r.status = ?11" : "",
        f->trace_id.len > 0
            ? " and r.id in (select id from request where request_id = ?12 "
              "union all select id from request where "
              "length(trace_context) = 33 and "
              "substr(trace_context, 1, 16) = ?13)"
            : "",
        f->rule.len > 0 ? " and r.rule = ?14" : "",
        f->tag.len > 0 ? " and r.tag = ?15" : "",
        f->agent.len > 0 ? " and r.agent = ?18" : "",
        f->client.len > 0 ? " and r.client = ?19" : "");
}

/* One begun here has the request's own id in front. */
static void
bind_trace(struct db_query *q, rx_str trace_id)
{
    unsigned char id[16] = { 0 };
    char request_id[4 + 24 + 1] = "req_";

    (void)rx_unhex(trace_id, id, sizeof(id));
    rx_hex(id, 12, request_id + 4);
    db_bind_str(q, 12, (rx_str){ request_id, sizeof(request_id) - 1 });
    db_bind_blob(q, 13, (rx_str){ (const char *)id, sizeof(id) });
}

void
request_bind_conditions(struct db_query *q, const struct request_filter *f)
{
    const rx_str texts[] = { f->tenant, f->key, f->channel, f->model,
        f->outcome, f->request_id };

    for (size_t i = 0; i < RX_COUNT(texts); i++) {
        if (texts[i].len > 0)
            db_bind_str(q, 5 + (int)i, texts[i]);
    }
    if (f->status > 0)
        db_bind_u64(q, 11, f->status);
    if (f->trace_id.len > 0)
        bind_trace(q, f->trace_id);
    if (f->rule.len > 0)
        db_bind_str(q, 14, f->rule);
    if (f->tag.len > 0)
        db_bind_str(q, 15, f->tag);
    if (f->agent.len > 0)
        db_bind_str(q, 18, f->agent);
    if (f->client.len > 0)
        db_bind_str(q, 19, f->client);
}

static void
bind_list(struct db_query *q, const struct request_filter *f)
{
    uint64_t before = f->before_ms;
    uint64_t before_id = f->before_id;

    if (before == 0) {
        before = f->until_ms > 0 ? f->until_ms : INT64_MAX;
        before_id = 0;
    }
    db_bind_u64(q, 1, before);
    db_bind_u64(q, 2, before_id);
    db_bind_u64(q, 3, f->since_ms);
    db_bind_u64(q, 4, f->limit);
    request_bind_conditions(q, f);
}

static struct db_query *
list_query(struct store *s, const struct request_filter *f)
{
    struct rx_buf text;

    rx_buf_init(&text, TEXT_MAX);
    rx_buf_add(&text,
        RX_S("select " COLUMNS FROM "where (r.started_ms, r.id) < (?1, ?2) "
             "and r.started_ms >= ?3"));
    request_add_conditions(&text, f);
    rx_buf_add(&text, RX_S(" order by r.started_ms desc, r.id desc limit ?4"));
    struct db_query *q = db_query(s->db, text.ptr);
    rx_buf_fini(&text);
    bind_list(q, f);
    return q;
}

enum rx_code
request_list(struct store *s, const struct request_filter *filter,
    struct rx_json_out *w, struct request_page *page, struct rx_err *err)
{
    struct db_query *q = list_query(s, filter);

    *page = (struct request_page){ 0 };
    while (db_next(q)) {
        rx_json_open_object(w, NULL);
        put_row(w, q);
        put_number(w, "attempts", q, C_ATTEMPTS);
        rx_json_close(w);
        page->count++;
        page->last_ms = db_u64(q, C_STARTED);
        page->last_id = db_u64(q, C_ID);
    }
    return db_done(q, err);
}

/* ---- the parts of one ---- */

static void
put_attempt(struct rx_json_out *w, struct db_query *q)
{
    static const char *const texts[] = { "channel_id", "channel", "key_id",
        "model" };
    static const char *const times[] = { "start_ms", "connect_ms",
        "first_byte_ms", "duration_ms" };

    rx_json_open_object(w, NULL);
    for (int i = 0; i < 4; i++)
        put_text(w, texts[i], q, i);
    put_number(w, "status", q, 4);
    put_text(w, "code", q, 5);
    put_text(w, "reason", q, 6);
    for (int i = 0; i < 4; i++)
        put_number(w, times[i], q, 7 + i);
    rx_json_put_bool(w, "reused", db_i64(q, 11) != 0);
    put_number(w, "bytes", q, 12);
    put_text(w, "upstream_request_id", q, 13);
    if (db_is_null(q, 14))
        rx_json_put_null(w, "usage");
    else
        rx_json_put_raw(w, "usage", db_str(q, 14));
    put_money(w, "cost_usd", q, 15);
    rx_json_close(w);
}

static enum rx_code
put_attempts(
    struct store *s, uint64_t row, struct rx_json_out *w, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select channel_id, channel, credential_id, model, status, code, "
        "reason, start_ms, connect_ms, first_byte_ms, total_ms, reused, "
        "bytes, upstream_request_id, usage, cost "
        "from attempt where request = ? order by position");

    db_bind_u64(q, 1, row);
    rx_json_open_array(w, "attempts");
    while (db_next(q))
        put_attempt(w, q);
    rx_json_close(w);
    return db_done(q, err);
}

/* Why it went where it went. */
static enum rx_code
put_trace(
    struct store *s, uint64_t row, struct rx_json_out *w, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "select trace from request where id = ?");

    db_bind_u64(q, 1, row);
    /* It came from another machine. */
    if (db_next(q) && db_str(q, 0).len > 0 &&
        rx_json_check(db_str(q, 0), NULL, NULL) == RX_OK)
        rx_json_put_raw(w, "trace", db_str(q, 0));
    else
        rx_json_put_null(w, "trace");
    return db_done(q, err);
}

/* ---- as they come ---- */

/* Row ids grow, and only the newest are asked for: no index but theirs. */
static struct db_query *
follow_query(struct store *s, const struct request_filter *f, uint64_t after_id)
{
    uint64_t last = f->until_id > 0 ? f->until_id : INT64_MAX;
    struct rx_buf text;

    rx_buf_init(&text, TEXT_MAX);
    rx_buf_add(
        &text, RX_S("select " COLUMNS " from request r not indexed "
                    "left join tenant t on t.id = r.tenant_id "
                    "left join client_key k on k.id = r.key_id where r.id > ?1 "
                    "and r.id <= ?2"));
    request_add_conditions(&text, f);
    rx_buf_add(&text, RX_S(" order by r.id limit ?4"));
    struct db_query *q = db_query(s->db, text.ptr);
    rx_buf_fini(&text);
    db_bind_u64(q, 1, after_id);
    db_bind_u64(q, 2, last);
    db_bind_u64(q, 4, f->limit);
    request_bind_conditions(q, f);
    return q;
}

/* All spans of a trace are taken or none, here and at whoever does likewise. */
static bool
is_in_sample(struct db_query *q, const struct request_filter *f)
{
    struct rx_trace t;
    uint32_t dice = 0;

    if (!f->sampled)
        return true;
    if (!rx_trace_unpack(db_blob(q, C_CONTEXT), &t))
        return f->sample > 0; /* older than traces: few */
    if (f->heed_parent && rx_trace_has_parent(&t))
        return (t.flags & RX_TRACE_SAMPLED) != 0;
    for (size_t i = 12; i < 16; i++)
        dice = dice << 8 | t.id[i];
    return f->sample == UINT32_MAX || dice < f->sample;
}

static enum rx_code
put_followed(struct store *s, struct rx_json_out *w, struct db_query *q,
    bool detail, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    rx_json_open_object(w, NULL);
    put_row(w, q);
    if (!detail) {
        put_number(w, "attempts", q, C_ATTEMPTS);
    } else {
        code = put_trace(s, db_u64(q, C_ID), w, err);
        if (code == RX_OK)
            code = put_attempts(s, db_u64(q, C_ID), w, err);
    }
    rx_json_close(w);
    return code;
}

enum rx_code
request_follow(struct store *s, const struct request_filter *filter,
    uint64_t after_id, void (*each)(void *user, uint64_t id, rx_str json),
    void *user, size_t *count, struct rx_err *err)
{
    struct db_query *q = follow_query(s, filter, after_id);
    enum rx_code code = RX_OK;
    struct rx_buf text;

    rx_buf_init(&text, (size_t)1 << 20);
    *count = 0;
    while (code == RX_OK && db_next(q)) {
        if (!is_in_sample(q, filter))
            continue;
        rx_buf_clear(&text);
        struct rx_json_out w = rx_json_out(&text);
        code = put_followed(s, &w, q, filter->detail, err);
        if (code == RX_OK)
            each(user, db_u64(q, C_ID), rx_buf_str(&text));
        ++*count;
    }
    rx_buf_fini(&text);
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code == RX_OK ? done : code;
}

/* ---- one, whole ---- */

enum rx_code
request_put(struct store *s, rx_str id, struct rx_json_out *w, const char *key,
    struct rx_err *err)
{
    uint64_t row = 0;
    struct db_query *q;

    if (rx_str_u64(id, &row)) {
        q = db_query(s->db, "select " COLUMNS FROM "where r.id = ?");
        db_bind_u64(q, 1, row);
    } else {
        q = db_query(
            s->db, "select " COLUMNS FROM "where r.request_id = ? limit 1");
        db_bind_str(q, 1, id);
    }
    bool found = db_next(q);
    if (found) {
        row = db_u64(q, C_ID);
        rx_json_open_object(w, key);
        put_row(w, q);
    }
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && !found)
        return rx_fail(err, RX_NOT_FOUND, "there is no request \"%.*s\"",
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    if (code == RX_OK)
        code = put_trace(s, row, w, err);
    if (code == RX_OK)
        code = put_attempts(s, row, w, err);
    if (found)
        rx_json_close(w);
    return code;
}

uint64_t
request_before(struct store *s, uint64_t since_ms)
{
    struct db_query *q =
        db_query(s->db, "select id from request where started_ms >= ? "
                        "order by started_ms, id limit 1");

    db_bind_u64(q, 1, since_ms);
    uint64_t id = db_next(q) ? db_u64(q, 0) - 1 : UINT64_MAX;
    (void)db_done(q, NULL);
    return id;
}

uint64_t
request_count(struct store *s)
{
    struct db_query *q = db_query(s->db, "select max(id) from request");
    uint64_t n = db_next(q) ? db_u64(q, 0) : 0;

    (void)db_done(q, NULL);
    return n;
}
