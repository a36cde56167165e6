#include "dataplane/codec/fault.h"

#include <string.h>
#include <strings.h>

#include "shared/attr.h"
#include "shared/json_span.h"

static const struct fault_words words[] = {
    [IR_FAULT_INVALID] = { 400, "invalid_request_error", 400,
        "invalid_request_error", NULL, 400, "INVALID_ARGUMENT" },
    [IR_FAULT_CONTEXT] = { 400, "invalid_request_error", 400,
        "invalid_request_error", "context_length_exceeded", 400,
        "INVALID_ARGUMENT" },
    [IR_FAULT_TOO_LARGE] = { 413, "request_too_large", 413,
        "invalid_request_error", NULL, 413, "INVALID_ARGUMENT" },
    /* The client's own key is fine: it must not be told otherwise. */
    [IR_FAULT_AUTH] = { 529, "overloaded_error", 503, "server_error", NULL, 503,
        "UNAVAILABLE" },
    [IR_FAULT_PERMISSION] = { 403, "permission_error", 403, "permission_error",
        NULL, 403, "PERMISSION_DENIED" },
    [IR_FAULT_BILLING] = { 529, "overloaded_error", 503, "server_error", NULL,
        503, "UNAVAILABLE" },
    [IR_FAULT_NOT_FOUND] = { 404, "not_found_error", 404,
        "invalid_request_error", "model_not_found", 404, "NOT_FOUND" },
    [IR_FAULT_RATE] = { 429, "rate_limit_error", 429, "rate_limit_error",
        "rate_limit_exceeded", 429, "RESOURCE_EXHAUSTED" },
    [IR_FAULT_OVERLOADED] = { 529, "overloaded_error", 503, "server_error",
        "server_is_overloaded", 503, "UNAVAILABLE" },
    [IR_FAULT_UPSTREAM] = { 502, "api_error", 502, "server_error", NULL, 500,
        "INTERNAL" },
    [IR_FAULT_TIMEOUT] = { 504, "timeout_error", 504, "server_error", "timeout",
        504, "DEADLINE_EXCEEDED" },
    [IR_FAULT_FILTERED] = { 400, "invalid_request_error", 400,
        "invalid_request_error", "content_filter", 400, "INVALID_ARGUMENT" },
    [IR_FAULT_CUT] = { 502, "api_error", 502, "server_error",
        "upstream_truncated", 503, "UNAVAILABLE" },
};

const struct fault_words *
fault_words(enum ir_fault fault)
{
    return &words[fault];
}

/* What providers say and which kind it is; the first that fits is taken. */
static const struct {
    const char *word;
    enum ir_fault fault;
} names[] = {
    { "context_length_exceeded", IR_FAULT_CONTEXT },
    { "request_too_large", IR_FAULT_TOO_LARGE },
    { "insufficient_quota", IR_FAULT_BILLING },
    { "billing_error", IR_FAULT_BILLING },
    { "usage_not_included", IR_FAULT_BILLING },
    { "content_filter", IR_FAULT_FILTERED },
    { "model_not_found", IR_FAULT_NOT_FOUND },
    { "not_found_error", IR_FAULT_NOT_FOUND },
    { "NOT_FOUND", IR_FAULT_NOT_FOUND },
    { "invalid_api_key", IR_FAULT_AUTH },
    { "authentication_error", IR_FAULT_AUTH },
    { "UNAUTHENTICATED", IR_FAULT_AUTH },
    { "permission_error", IR_FAULT_PERMISSION },
    { "PERMISSION_DENIED", IR_FAULT_PERMISSION },
    { "rate_limit_exceeded", IR_FAULT_RATE },
    { "rate_limit_error", IR_FAULT_RATE },
    { "RESOURCE_EXHAUSTED", IR_FAULT_RATE },
    { "usage_limit_reached", IR_FAULT_RATE },
    { "tokens", IR_FAULT_RATE },
    { "requests", IR_FAULT_RATE },
    { "overloaded_error", IR_FAULT_OVERLOADED },
    { "server_is_overloaded", IR_FAULT_OVERLOADED },
    { "service_unavailable_error", IR_FAULT_OVERLOADED },
    { "slow_down", IR_FAULT_OVERLOADED },
    { "UNAVAILABLE", IR_FAULT_OVERLOADED },
    { "timeout_error", IR_FAULT_TIMEOUT },
    { "timeout", IR_FAULT_TIMEOUT },
    { "DEADLINE_EXCEEDED", IR_FAULT_TIMEOUT },
    { "api_error", IR_FAULT_UPSTREAM },
    { "server_error", IR_FAULT_UPSTREAM },
    { "INTERNAL", IR_FAULT_UPSTREAM },
    { "invalid_request_error", IR_FAULT_INVALID },
    { "INVALID_ARGUMENT", IR_FAULT_INVALID },
    { "FAILED_PRECONDITION", IR_FAULT_INVALID },
};

static bool
find_name(rx_str name, enum ir_fault *out)
{
    for (size_t i = 0; i < RX_COUNT(names); i++) {
        if (rx_str_eq(name, (rx_str){ names[i].word, strlen(names[i].word) })) {
            *out = names[i].fault;
            return true;
        }
    }
    return false;
}

static bool
contains(rx_str text, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp(text.ptr + i, part, len) == 0)
            return true;
    }
    return false;
}

/* A prompt that is too long has no word of its own with most providers. */
static bool
tells_of_length(rx_str message)
{
    static const char *const phrases[] = {
        "prompt is too long",
        "maximum context length",
        "context length exceeded",
        "context window",
        "exceeds the maximum number of tokens",
        "input is too long",
    };

    if (message.len > 4096)
        message.len = 4096;
    for (size_t i = 0; i < RX_COUNT(phrases); i++) {
        if (contains(message, phrases[i]))
            return true;
    }
    return false;
}

static enum ir_fault
of_status(int status)
{
    switch (status) {
    case 401: return IR_FAULT_AUTH;
    case 402: return IR_FAULT_BILLING;
    case 403: return IR_FAULT_PERMISSION;
    case 404: return IR_FAULT_NOT_FOUND;
    case 408:
    case 504: return IR_FAULT_TIMEOUT;
    case 413: return IR_FAULT_TOO_LARGE;
    case 429: return IR_FAULT_RATE;
    case 503:
    case 529: return IR_FAULT_OVERLOADED;
    default: break;
    }
    return status >= 400 && status < 500 ? IR_FAULT_INVALID : IR_FAULT_UPSTREAM;
}

enum ir_fault
fault_judge(const struct ir_error *e)
{
    enum ir_fault fault;
    bool found = find_name(e->code, &fault) || find_name(e->type, &fault);

    if (!found)
        fault = of_status(e->status);
    if (fault == IR_FAULT_INVALID && tells_of_length(e->message))
        return IR_FAULT_CONTEXT;
    return fault;
}

/* "code": a name, or a number that is an HTTP status. */
static void
read_code(struct rx_span *j, struct ir_error *e)
{
    uint64_t n;

    if (rx_span_kind(j) != RX_SPAN_NUMBER)
        rx_span_string(j, &e->code);
    else if (rx_span_u64(j, &n) && n >= 400 && n <= 599)
        e->status = (int)n;
}

static void
read_members(struct rx_span *j, struct ir_error *e)
{
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, RX_S("message")))
            rx_span_string(j, &e->message);
        else if (rx_span_key_is(j, RX_S("type")))
            rx_span_string(j, &e->type);
        else if (rx_span_key_is(j, RX_S("status")))
            rx_span_string(j, &e->type);
        else if (rx_span_key_is(j, RX_S("param")))
            rx_span_string(j, &e->param);
        else if (rx_span_key_is(j, RX_S("code")))
            read_code(j, e);
        else
            rx_span_skip(j, NULL);
    }
}

bool
fault_read_value(rx_str value, struct ir_error *out)
{
    struct rx_span j;

    rx_span_init(&j, value);
    switch (rx_span_kind(&j)) {
    case RX_SPAN_OBJECT: read_members(&j, out); break;
    case RX_SPAN_STRING: rx_span_string(&j, &out->message); break;
    default: return false;
    }
    out->fault = fault_judge(out);
    return true;
}

/* The first "error" member, in an object or in an array of such. */
static bool
find_error(rx_str document, rx_str *value)
{
    struct rx_span j;
    bool found = false;

    rx_span_init(&j, document);
    if (rx_span_kind(&j) == RX_SPAN_ARRAY &&
        (!rx_span_enter_array(&j) || !rx_span_element(&j)))
        return false;
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return false;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (!found && rx_span_key_is(&j, RX_S("error")))
            found = rx_span_skip(&j, value);
        else
            rx_span_skip(&j, NULL);
    }
    return found;
}

bool
fault_read(rx_str document, int status, struct ir_error *out)
{
    rx_str value;

    *out = (struct ir_error){ .status = status };
    if (find_error(document, &value) && fault_read_value(value, out))
        return true;
    if (status < 400)
        return false;
    struct rx_span j;
    rx_span_init(&j, document);
    if (rx_span_kind(&j) == RX_SPAN_OBJECT)
        read_members(&j, out);
    out->fault = fault_judge(out);
    return true;
}
