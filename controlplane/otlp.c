#include "controlplane/otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/secret.h"
#include "shared/trace.h"

enum { KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };

/* ---- attributes ------------------------------------------------------------ */

static void
open_attr(struct rx_json_out *w, const char *key)
{
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "key", key);
    rx_json_open_object(w, "value");
}

static void
close_attr(struct rx_json_out *w)
{
    rx_json_close(w);
    rx_json_close(w);
}

static void
put_text(struct rx_json_out *w, const char *key, rx_str s)
{
    if (s.len == 0)
        return;
    open_attr(w, key);
    rx_json_put_str(w, "stringValue", s);
    close_attr(w);
}

/* 64-bit numbers are texts in this JSON. */
static void
put_u64(struct rx_json_out *w, const char *key, uint64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, n);
    open_attr(w, key);
    rx_json_put_text(w, "intValue", text);
    close_attr(w);
}

static void
put_bool(struct rx_json_out *w, const char *key, bool yes)
{
    open_attr(w, key);
    rx_json_put_bool(w, "boolValue", yes);
    close_attr(w);
}

/* A list of one. */
static void
put_list(struct rx_json_out *w, const char *key, rx_str only)
{
    if (only.len == 0)
        return;
    open_attr(w, key);
    rx_json_open_object(w, "arrayValue");
    rx_json_open_array(w, "values");
    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "stringValue", only);
    rx_json_close(w);
    rx_json_close(w);
    rx_json_close(w);
    close_attr(w);
}

static rx_str
text_of(rx_json row, const char *name)
{
    return rx_json_str(rx_json_member(row, name));
}

static uint64_t
number_of(rx_json row, const char *name)
{
    uint64_t n = 0;

    (void)rx_json_u64(rx_json_member(row, name), &n);
    return n;
}

struct row_attr {
    const char *member, *key;
};

static void
put_members(struct rx_json_out *w, rx_json row, const struct row_attr *list,
    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rx_json v = rx_json_member(row, list[i].member);
        uint64_t n;
        if (rx_json_u64(v, &n))
            put_u64(w, list[i].key, n);
        else
            put_text(w, list[i].key, rx_json_str(v));
    }
}

/* ---- words ------------------------------------------------------------------- */

/* What the conventions call it. */
static rx_str
operation_of(rx_json row)
{
    static const struct {
        rx_str ours, dialect, theirs;
    } rows[] = {
        { RX_STR_INIT("create"), RX_STR_INIT("gemini"),
            RX_STR_INIT("generate_content") },
        { RX_STR_INIT("create"), { 0 }, RX_STR_INIT("chat") },
        { RX_STR_INIT("embed"), { 0 }, RX_STR_INIT("embeddings") },
        { RX_STR_INIT("complete"), { 0 }, RX_STR_INIT("text_completion") },
    };
    rx_str op = text_of(row, "operation");
    rx_str dialect = text_of(row, "dialect");

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (rx_str_eq(op, rows[i].ours) &&
            (rows[i].dialect.len == 0 || rx_str_eq(dialect, rows[i].dialect)))
            return rows[i].theirs;
    }
    return op;
}

static rx_str
provider_of(rx_json row)
{
    static const struct {
        rx_str dialect, provider;
    } rows[] = {
        { RX_STR_INIT("anthropic"), RX_STR_INIT("anthropic") },
        { RX_STR_INIT("gemini"), RX_STR_INIT("gcp.gemini") },
        { RX_STR_INIT("chat"), RX_STR_INIT("openai") },
        { RX_STR_INIT("responses"), RX_STR_INIT("openai") },
    };
    rx_str dialect = text_of(row, "dialect");

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (rx_str_eq(dialect, rows[i].dialect))
            return rows[i].provider;
    }
    return dialect;
}

/* ---- spans ------------------------------------------------------------------- */

static void
put_hex(struct rx_json_out *w, const char *key, const void *bytes, size_t size)
{
    char hex[2 * 16 + 1];

    rx_hex(bytes, size, hex);
    rx_json_put_text(w, key, hex);
}

static void
put_nanos(struct rx_json_out *w, const char *key, uint64_t ms)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64 "000000", ms);
    rx_json_put_text(w, key, text);
}

struct span {
    const struct rx_trace *trace;
    const unsigned char *id, *parent; /* NULL: none */
    int kind;
    uint64_t start_ms, end_ms;
};

static void
open_span(struct rx_json_out *w, const struct span *s, rx_json row)
{
    rx_str operation = operation_of(row);
    rx_str model = text_of(row, "model_requested");
    char name[320];

    snprintf(name, sizeof(name), "%.*s%s%.*s", (int)operation.len,
        operation.len > 0 ? operation.ptr : "", model.len > 0 ? " " : "",
        (int)(model.len < 256 ? model.len : 256),
        model.len > 0 ? model.ptr : "");
    rx_json_open_object(w, NULL);
    put_hex(w, "traceId", s->trace->id, 16);
    put_hex(w, "spanId", s->id, 8);
    if (s->parent != NULL)
        put_hex(w, "parentSpanId", s->parent, 8);
    rx_json_put_u64(w, "flags", s->trace->flags);
    rx_json_put_text(w, "name", name);
    rx_json_put_u64(w, "kind", (uint64_t)s->kind);
    put_nanos(w, "startTimeUnixNano", s->start_ms);
    put_nanos(w, "endTimeUnixNano", s->end_ms);
    rx_json_open_array(w, "attributes");
    put_text(w, "gen_ai.operation.name", operation);
    put_text(w, "gen_ai.provider.name", provider_of(row));
}

static void
close_span(struct rx_json_out *w, bool failed, rx_str why)
{
    rx_json_close(w); /* attributes */
    rx_json_open_object(w, "status");
    if (failed) {
        rx_json_put_u64(w, "code", STATUS_ERROR);
        if (why.len > 0)
            rx_json_put_str(w, "message", why);
    }
    rx_json_close(w);
    rx_json_close(w);
}

/* All that went in, cached or not: what the conventions mean by it. */
static void
put_tokens(struct rx_json_out *w, rx_json row)
{
    static const struct row_attr list[] = {
        { "cache_read_tokens", "gen_ai.usage.cache_read.input_tokens" },
        { "cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens" },
        { "output_tokens", "gen_ai.usage.output_tokens" },
        { "reasoning_tokens", "routex.usage.reasoning_tokens" },
    };
    uint64_t plain;

    if (rx_json_u64(rx_json_member(row, "input_tokens"), &plain))
        put_u64(w, "gen_ai.usage.input_tokens",
            plain + number_of(row, "cache_read_tokens") +
                number_of(row, "cache_write_tokens"));
    put_members(w, row, list, RX_COUNT(list));
}

static void
put_cost(struct rx_json_out *w, rx_json row, const char *key)
{
    rx_str usd = text_of(row, "cost_usd");

    if (usd.len == 0)
        return;
    open_attr(w, key);
    rx_json_put_raw(w, "doubleValue", usd);
    close_attr(w);
}

static void
add_request(struct rx_json_out *w, rx_json row, const struct rx_trace *t,
    uint64_t start_ms)
{
    static const struct row_attr list[] = {
        { "model_requested", "gen_ai.request.model" },
        { "model_served", "gen_ai.response.model" },
        { "session", "gen_ai.conversation.id" },
        { "status", "http.response.status_code" },
        { "user_agent", "user_agent.original" },
        { "client_ip", "client.address" },
        { "request_bytes", "http.request.body.size" },
        { "response_bytes", "http.response.body.size" },
        { "request_id", "routex.request_id" },
        { "tenant", "routex.tenant" },
        { "key", "routex.key" },
        { "channel", "routex.channel" },
        { "model", "routex.model" },
        { "rule", "routex.rule" },
        { "tag", "routex.tag" },
        { "agent", "gen_ai.agent.name" },
        { "client", "routex.client" },
        { "outcome", "routex.outcome" },
        { "dialect", "routex.dialect" },
        { "plane", "routex.plane" },
        { "ttft_ms", "routex.ttft_ms" },
        { "provenance", "routex.usage.provenance" },
    };
    rx_str outcome = text_of(row, "outcome");
    bool failed = !rx_str_eq(outcome, RX_S("ok")) &&
                  !rx_str_eq(outcome, RX_S("cancelled"));
    struct span s = { .trace = t,
        .id = t->span,
        .parent = rx_trace_has_parent(t) ? t->parent : NULL,
        .kind = KIND_SERVER,
        .start_ms = start_ms,
        .end_ms = start_ms + number_of(row, "duration_ms") };

    open_span(w, &s, row);
    put_members(w, row, list, RX_COUNT(list));
    put_bool(w, "routex.stream", rx_json_bool(rx_json_member(row, "stream")));
    put_tokens(w, row);
    put_cost(w, row, "routex.cost_usd");
    put_list(w, "gen_ai.response.finish_reasons", text_of(row, "finish"));
    if (failed)
        put_text(w, "error.type", outcome);
    close_span(w, failed, text_of(row, "reason"));
}

static void
add_attempt(struct rx_json_out *w, rx_json row, rx_json attempt, unsigned n,
    const struct rx_trace *t, uint64_t request_ms)
{
    static const struct row_attr list[] = {
        { "model", "gen_ai.request.model" },
        { "status", "http.response.status_code" },
        { "channel", "routex.channel" },
        { "key_id", "routex.credential" },
        { "upstream_request_id", "routex.upstream_request_id" },
        { "connect_ms", "routex.connect_ms" },
        { "first_byte_ms", "routex.first_byte_ms" },
        { "bytes", "http.response.body.size" },
    };
    rx_str code = text_of(attempt, "code");
    uint64_t status = number_of(attempt, "status");
    bool failed =
        status >= 400 || (code.len > 0 && !rx_str_eq(code, RX_S("ok")));
    unsigned char id[8];
    char number[16];
    struct span s = { .trace = t,
        .id = id,
        .parent = t->span,
        .kind = KIND_CLIENT,
        .start_ms = request_ms + number_of(attempt, "start_ms") };

    rx_trace_attempt(t, n, id);
    s.end_ms = s.start_ms + number_of(attempt, "duration_ms");
    open_span(w, &s, row);
    put_members(w, attempt, list, RX_COUNT(list));
    put_u64(w, "routex.attempt", n + UINT64_C(1));
    put_bool(w, "routex.connection_reused",
        rx_json_bool(rx_json_member(attempt, "reused")));
    put_cost(w, attempt, "routex.cost_usd");
    if (failed) {
        snprintf(number, sizeof(number), "%" PRIu64, status);
        put_text(w, "error.type",
            status >= 400 ? (rx_str){ number, strlen(number) } : code);
    }
    close_span(w, failed, text_of(attempt, "reason"));
}

static bool
read_trace(rx_json row, struct rx_trace *t)
{
    *t = (struct rx_trace){ .flags = RX_TRACE_SAMPLED };
    (void)rx_unhex(text_of(row, "parent_span_id"), t->parent, 8);
    return rx_unhex(text_of(row, "trace_id"), t->id, 16) &&
           rx_unhex(text_of(row, "span_id"), t->span, 8);
}

bool
otlp_add(struct rx_buf *out, rx_json row)
{
    rx_json list = rx_json_member(row, "attempts");
    struct rx_json_out w = rx_json_out(out);
    struct rx_trace t;
    uint64_t start_ms = 0;
    unsigned n = 0;

    if (!read_trace(row, &t))
        return false;
    field_read_time(row, "started_at", &start_ms);
    add_request(&w, row, &t, start_ms);
    for (rx_json a = rx_json_first(list); rx_json_there(a);
         a = rx_json_next(a), n++) {
        rx_buf_addc(out, ',');
        w = rx_json_out(out);
        add_attempt(&w, row, a, n, &t, start_ms);
    }
    return true;
}

/* ---- around them ------------------------------------------------------------- */

static bool
names_the_service(const struct tee *t)
{
    for (size_t i = 0; i < t->attr_count; i++) {
        if (rx_str_eq(t->attrs[i].name, RX_S("service.name")))
            return true;
    }
    return false;
}

void
otlp_open(struct rx_buf *out, const struct tee *t)
{
    struct rx_json_out w = rx_json_out(out);

    rx_buf_add(out, RX_S("{\"resourceSpans\":[{\"resource\":"));
    rx_json_open_object(&w, NULL);
    rx_json_open_array(&w, "attributes");
    if (!names_the_service(t))
        put_text(&w, "service.name", RX_S("routex"));
    put_text(&w, "service.version", RX_S(ROUTEX_VERSION));
    for (size_t i = 0; i < t->attr_count; i++) {
        rx_json_open_object(&w, NULL);
        rx_json_put_str(&w, "key", t->attrs[i].name);
        rx_json_open_object(&w, "value");
        rx_json_put_str(&w, "stringValue", t->attrs[i].value);
        close_attr(&w);
    }
    rx_json_close(&w);
    rx_json_close(&w);
    rx_buf_add(out, RX_S(",\"scopeSpans\":[{\"scope\":{\"name\":\"routex\","
                         "\"version\":\"" ROUTEX_VERSION "\"},\"spans\":["));
}

void
otlp_close(struct rx_buf *out)
{
    rx_buf_add(out, RX_S("]}]}]}"));
}

uint64_t
otlp_rejected(rx_str answer)
{
    struct rx_json_doc *doc = NULL;
    uint64_t n = 0;

    if (rx_json_parse(&doc, answer, NULL, NULL) != RX_OK)
        return 0;
    rx_json v = rx_json_find(rx_json_root(doc), "partialSuccess.rejectedSpans");
    if (!rx_json_u64(v, &n))
        (void)rx_str_u64(rx_json_str(v), &n); /* a text, as 64 bits are */
    rx_json_free(doc);
    return n;
}
