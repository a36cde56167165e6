#include "dataplane/refusal.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *reason;
    int status;
    const char *anthropic;
    const char *openai_type;
    const char *openai_code; /* NULL: null */
    const char *google;
} rows[] = {
#define REFUSAL_ROW(id, reason, status, a, t, c, g) \
    { reason, status, a, t, c, g },
    REFUSALS(REFUSAL_ROW)
#undef REFUSAL_ROW
};

static const int anthropic_overloaded = 529;

const char *
refusal_reason(enum refusal why)
{
    return rows[why].reason;
}

int
refusal_status(enum refusal why, enum dialect dialect)
{
    if (dialect == DIALECT_ANTHROPIC && rows[why].status == 503)
        return anthropic_overloaded;
    return rows[why].status;
}

/* {"type":"error","error":{"type","message"},"request_id"} */
static void
anthropic_body(
    struct rx_buf *out, enum refusal why, rx_str words, rx_str request_id)
{
    rx_buf_addf(out,
        "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"",
        rows[why].anthropic);
    rx_buf_add_json(out, words);
    rx_buf_addf(out, "\",\"details\":{\"error_code\":\"routex_%s\"}}",
        rows[why].reason);
    if (request_id.len > 0)
        rx_buf_addf(
            out, ",\"request_id\":\"" RX_STR_FMT "\"", RX_STR_ARG(request_id));
    rx_buf_add(out, RX_S("}"));
}

/* {"message","type","param","code"} */
static void
openai_error(struct rx_buf *out, enum refusal why, rx_str words)
{
    rx_buf_add(out, RX_S("{\"message\":\""));
    rx_buf_add_json(out, words);
    rx_buf_addf(out,
        "\",\"type\":\"%s\",\"param\":null,\"code\":", rows[why].openai_type);
    if (rows[why].openai_code != NULL)
        rx_buf_addf(out, "\"%s\"}", rows[why].openai_code);
    else
        rx_buf_add(out, RX_S("null}"));
}

static void
openai_body(struct rx_buf *out, enum refusal why, rx_str words)
{
    rx_buf_add(out, RX_S("{\"error\":"));
    openai_error(out, why, words);
    rx_buf_add(out, RX_S("}"));
}

static void
google_body(
    struct rx_buf *out, enum refusal why, rx_str words, uint64_t retry_s)
{
    rx_buf_addf(
        out, "{\"error\":{\"code\":%d,\"message\":\"", rows[why].status);
    rx_buf_add_json(out, words);
    rx_buf_addf(out,
        "\",\"status\":\"%s\",\"details\":[{\"@type\":"
        "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"%s\","
        "\"domain\":\"routex\"}",
        rows[why].google, rows[why].reason);
    if (retry_s > 0)
        rx_buf_addf(out,
            ",{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\","
            "\"retryDelay\":\"%" PRIu64 "s\"}",
            retry_s);
    rx_buf_add(out, RX_S("]}}"));
}

void
refusal_body(struct rx_buf *out, enum refusal why, enum dialect dialect,
    rx_str words, rx_str request_id, uint64_t retry_s)
{
    switch (dialect) {
    case DIALECT_ANTHROPIC: anthropic_body(out, why, words, request_id); break;
    case DIALECT_CHAT:
    case DIALECT_RESPONSES: openai_body(out, why, words); break;
    case DIALECT_GEMINI: google_body(out, why, words, retry_s); break;
    case DIALECT_COUNT: break;
    }
}

/*
 * Both forms in one: Codex and the schema look into `response`, the official
 * SDKs raise on any event with a top-level `error`.
 */
static void
responses_event(struct rx_buf *out, enum refusal why, rx_str words)
{
    rx_buf_add(out,
        RX_S("event: response.failed\n"
             "data: {\"type\":\"response.failed\",\"response\":{\"id\":"
             "\"resp_routex\",\"object\":\"response\",\"status\":\"failed\","
             "\"output\":[],\"error\":{\"code\":\"server_error\","
             "\"message\":\""));
    rx_buf_add_json(out, words);
    rx_buf_add(out, RX_S("\"}},\"error\":"));
    openai_error(out, why, words);
    rx_buf_add(out, RX_S("}\n\n"));
}

void
refusal_event(struct rx_buf *out, enum refusal why, enum dialect dialect,
    rx_str words, bool at_boundary)
{
    if (!at_boundary)
        rx_buf_add(out, RX_S("\n\n"));
    switch (dialect) {
    case DIALECT_ANTHROPIC:
        rx_buf_add(out, RX_S("event: error\ndata: "));
        anthropic_body(out, why, words, (rx_str){ 0 });
        break;
    case DIALECT_RESPONSES: responses_event(out, why, words); return;
    case DIALECT_CHAT:
        rx_buf_add(out, RX_S("data: "));
        openai_body(out, why, words);
        break;
    case DIALECT_GEMINI:
        rx_buf_add(out, RX_S("data: "));
        google_body(out, why, words, 0);
        break;
    case DIALECT_COUNT: break;
    }
    rx_buf_add(out, RX_S("\n\n"));
}
