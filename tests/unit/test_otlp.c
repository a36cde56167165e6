/*
 * Requests as OpenTelemetry spans: what a collector reads of them.
 */
#include "controlplane/otlp.h"
#include "shared/trace.h"
#include "tests/unit/check.h"

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define SPAN   "b7ad6b7169203331"
#define PARENT "00f067aa0ba902b7"
#define ROW                                                                    \
    "{\"trace_id\":\"" TRACE "\",\"span_id\":\"" SPAN                          \
    "\",\"parent_span_id\":\"" PARENT "\",\"started_at\":"                     \
    "\"2026-01-02T03:04:05.250Z\",\"duration_ms\":1750,\"dialect\":\"chat\","  \
    "\"operation\":\"create\",\"model_requested\":\"gpt-x\",\"outcome\":"      \
    "\"ok\",\"status\":200,\"stream\":true,\"input_tokens\":10,"               \
    "\"cache_read_tokens\":5,\"cache_write_tokens\":2,\"output_tokens\":7,"    \
    "\"cost_usd\":\"0.00125\",\"finish\":\"stop\",\"tenant\":\"a\\\"b\","      \
    "\"attempts\":[{\"start_ms\":10,\"duration_ms\":40,\"status\":429,"        \
    "\"code\":\"rate_limited\",\"reason\":\"slow down\",\"channel\":\"one\"}," \
    "{\"start_ms\":60,\"duration_ms\":1600,\"status\":200,\"code\":\"ok\","    \
    "\"channel\":\"two\",\"reused\":true}]}"

static struct rx_buf out;
static struct rx_json_doc *doc;

/* The spans of a batch with this row; the document stays until the next. */
static rx_json
spans_of(const char *row, const struct tee *t)
{
    struct rx_json_doc *in = NULL;

    rx_buf_clear(&out);
    rx_json_free(doc);
    doc = NULL;
    otlp_open(&out, t);
    CHECK(rx_json_parse(&in, rx_str_of(row), NULL, NULL) == RX_OK);
    CHECK(otlp_add(&out, rx_json_root(in)));
    rx_json_free(in);
    otlp_close(&out);
    CHECK(rx_json_parse(&doc, rx_buf_str(&out), NULL, NULL) == RX_OK);
    rx_json resource =
        rx_json_first(rx_json_find(rx_json_root(doc), "resourceSpans"));
    return rx_json_find(
        rx_json_first(rx_json_find(resource, "scopeSpans")), "spans");
}

/* The value of an attribute, as text: of whatever type it says it has. */
static const char *
attribute(rx_json owner, const char *key, const char *type)
{
    static char text[256];

    for (rx_json a = rx_json_first(rx_json_member(owner, "attributes"));
         rx_json_there(a); a = rx_json_next(a)) {
        if (!rx_str_eq(rx_json_str(rx_json_member(a, "key")), rx_str_of(key)))
            continue;
        rx_json v = rx_json_member(rx_json_member(a, "value"), type);
        struct rx_buf b;
        rx_buf_init(&b, sizeof(text));
        rx_json_print(v, false, &b);
        snprintf(text, sizeof(text), "%s", b.len > 0 ? b.ptr : "other type");
        rx_buf_fini(&b);
        return text;
    }
    return "absent";
}

static const char *
text(rx_json v, const char *name)
{
    static char room[128];
    rx_str s = rx_json_str(rx_json_member(v, name));

    snprintf(room, sizeof(room), RX_STR_FMT, RX_STR_ARG(s));
    return room;
}

static struct tee
tee(void)
{
    return (struct tee){ .sink = TEE_OTLP };
}

static void
a_request_is_a_server_span_with_the_ids_of_its_trace(void)
{
    struct tee t = tee();
    rx_json span = rx_json_first(spans_of(ROW, &t));
    uint64_t kind = 0;

    CHECK_TEXT(TRACE, text(span, "traceId"));
    CHECK_TEXT(SPAN, text(span, "spanId"));
    CHECK_TEXT(PARENT, text(span, "parentSpanId"));
    CHECK_TEXT("chat gpt-x", text(span, "name"));
    CHECK(rx_json_u64(rx_json_member(span, "kind"), &kind));
    CHECK_INT(2, (intmax_t)kind);
    CHECK_TEXT("1767323045250000000", text(span, "startTimeUnixNano"));
    CHECK_TEXT("1767323047000000000", text(span, "endTimeUnixNano"));
    CHECK(
        !rx_json_there(rx_json_member(rx_json_member(span, "status"), "code")));
}

static void
attributes_have_the_types_the_conventions_want(void)
{
    struct tee t = tee();
    rx_json span = rx_json_first(spans_of(ROW, &t));

    /* All that went in, cached or not; 64 bits are a text. */
    CHECK_TEXT(
        "\"17\"", attribute(span, "gen_ai.usage.input_tokens", "intValue"));
    CHECK_TEXT("\"5\"",
        attribute(span, "gen_ai.usage.cache_read.input_tokens", "intValue"));
    CHECK_TEXT(
        "\"7\"", attribute(span, "gen_ai.usage.output_tokens", "intValue"));
    CHECK_TEXT(
        "\"200\"", attribute(span, "http.response.status_code", "intValue"));
    CHECK_TEXT("0.00125", attribute(span, "routex.cost_usd", "doubleValue"));
    CHECK_TEXT("true", attribute(span, "routex.stream", "boolValue"));
    CHECK_TEXT(
        "\"openai\"", attribute(span, "gen_ai.provider.name", "stringValue"));
    CHECK_TEXT("\"a\\\"b\"", attribute(span, "routex.tenant", "stringValue"));
    CHECK_TEXT("{\"values\":[{\"stringValue\":\"stop\"}]}",
        attribute(span, "gen_ai.response.finish_reasons", "arrayValue"));
    CHECK_TEXT("absent", attribute(span, "error.type", "stringValue"));
    CHECK_TEXT("absent", attribute(span, "routex.rule", "stringValue"));
}

static void
each_attempt_is_a_client_span_below_the_request(void)
{
    struct tee t = tee();
    rx_json first = rx_json_next(rx_json_first(spans_of(ROW, &t)));
    rx_json second = rx_json_next(first);
    uint64_t n = 0;
    char id[64];

    CHECK_TEXT(SPAN, text(first, "parentSpanId"));
    CHECK_TEXT("1767323045260000000", text(first, "startTimeUnixNano"));
    CHECK_TEXT("1767323045300000000", text(first, "endTimeUnixNano"));
    CHECK_TEXT("\"429\"", attribute(first, "error.type", "stringValue"));
    CHECK_TEXT("slow down", text(rx_json_member(first, "status"), "message"));
    CHECK(rx_json_u64(
        rx_json_member(rx_json_member(first, "status"), "code"), &n));
    CHECK_INT(2, (intmax_t)n);
    snprintf(id, sizeof(id), "%s", text(first, "spanId"));
    CHECK(strcmp(id, text(second, "spanId")) != 0);
    CHECK_TEXT("\"2\"", attribute(second, "routex.attempt", "intValue"));
    CHECK_TEXT(
        "true", attribute(second, "routex.connection_reused", "boolValue"));
    CHECK_TEXT("absent", attribute(second, "error.type", "stringValue"));
    CHECK(!rx_json_there(rx_json_next(second)));
}

static void
a_failed_request_says_so_and_a_cancelled_one_does_not(void)
{
    struct tee t = tee();
    const char *head = "{\"trace_id\":\"" TRACE "\",\"span_id\":\"" SPAN
                       "\",\"started_at\":\"2026-01-02T03:04:05Z\",";
    char row[512];

    snprintf(row, sizeof(row), "%s%s", head,
        "\"outcome\":\"refused\",\"reason\":\"no channel\"}");
    rx_json span = rx_json_first(spans_of(row, &t));
    CHECK_TEXT("\"refused\"", attribute(span, "error.type", "stringValue"));
    CHECK_TEXT("no channel", text(rx_json_member(span, "status"), "message"));
    CHECK_TEXT("", text(span, "parentSpanId"));
    snprintf(row, sizeof(row), "%s%s", head, "\"outcome\":\"cancelled\"}");
    span = rx_json_first(spans_of(row, &t));
    CHECK_TEXT("absent", attribute(span, "error.type", "stringValue"));
}

static void
the_resource_names_the_service_unless_the_tee_does(void)
{
    struct tee t = tee();

    (void)spans_of(ROW, &t);
    rx_json resource = rx_json_find(
        rx_json_first(rx_json_find(rx_json_root(doc), "resourceSpans")),
        "resource");
    CHECK_TEXT(
        "\"routex\"", attribute(resource, "service.name", "stringValue"));
    t.attrs[t.attr_count++] =
        (struct tee_pair){ RX_S("service.name"), RX_S("gateway") };
    (void)spans_of(ROW, &t);
    resource = rx_json_find(
        rx_json_first(rx_json_find(rx_json_root(doc), "resourceSpans")),
        "resource");
    CHECK_TEXT(
        "\"gateway\"", attribute(resource, "service.name", "stringValue"));
}

static void
a_row_older_than_traces_leaves_the_batch_as_it_is(void)
{
    struct rx_json_doc *in = NULL;

    rx_buf_clear(&out);
    rx_buf_add(&out, RX_S("before"));
    CHECK(rx_json_parse(&in, RX_S("{\"trace_id\":null,\"status\":200}"), NULL,
              NULL) == RX_OK);
    CHECK(!otlp_add(&out, rx_json_root(in)));
    CHECK_TEXT("before", out.ptr);
    rx_json_free(in);
}

static void
what_a_collector_did_not_take_is_read_in_both_its_forms(void)
{
    CHECK_INT(3, (intmax_t)otlp_rejected(
                     RX_S("{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}")));
    CHECK_INT(4, (intmax_t)otlp_rejected(
                     RX_S("{\"partialSuccess\":{\"rejectedSpans\":4}}")));
    CHECK_INT(0, (intmax_t)otlp_rejected(RX_S("{}")));
    CHECK_INT(0, (intmax_t)otlp_rejected(RX_S("no JSON")));
}

int
main(void)
{
    rx_buf_init(&out, (size_t)1 << 20);
    CHECK_RUN(a_request_is_a_server_span_with_the_ids_of_its_trace);
    CHECK_RUN(attributes_have_the_types_the_conventions_want);
    CHECK_RUN(each_attempt_is_a_client_span_below_the_request);
    CHECK_RUN(a_failed_request_says_so_and_a_cancelled_one_does_not);
    CHECK_RUN(the_resource_names_the_service_unless_the_tee_does);
    CHECK_RUN(a_row_older_than_traces_leaves_the_batch_as_it_is);
    CHECK_RUN(what_a_collector_did_not_take_is_read_in_both_its_forms);
    rx_json_free(doc);
    rx_buf_fini(&out);
    return CHECK_EXIT();
}
