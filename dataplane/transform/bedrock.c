/*
 * bedrock: Claude under the paths of Amazon Bedrock, whose streams come in
 * frames and whose errors have no type.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "shared/json_span.h"
#include "shared/secret.h"

#define PATH_ROOM ((size_t)4096)
#define EVENT_MAX ((size_t)32 * 1024 * 1024)

/* With the type, and words that are escaped already. */
#define ERROR_FORM                                          \
    "{\"type\":\"error\",\"error\":{\"type\":\"" RX_STR_FMT \
    "\",\"message\":\"" RX_STR_FMT "\"}}"

/* What its faults are called in an event stream, and to an Anthropic client. */
static const struct {
    const char *name;
    int status;
    const char *type;
} faults[] = {
    { "throttlingException", 429, "rate_limit_error" },
    { "serviceQuotaExceededException", 429, "rate_limit_error" },
    { "modelNotReadyException", 429, "overloaded_error" },
    { "serviceUnavailableException", 503, "overloaded_error" },
    { "validationException", 400, "invalid_request_error" },
    { "accessDeniedException", 403, "permission_error" },
    { "resourceNotFoundException", 404, "not_found_error" },
    { "modelTimeoutException", 408, "timeout_error" },
    { "modelStreamErrorException", 424, "api_error" },
    { "modelErrorException", 424, "api_error" },
    { "internalServerException", 500, "api_error" },
};

/* The betas it takes; of another it would refuse the request. */
static const char *const betas[] = { "computer-use-2024-10-22",
    "computer-use-2025-01-24", "computer-use-2025-11-24",
    "token-efficient-tools-2025-02-19", "interleaved-thinking-2025-05-14",
    "output-128k-2025-02-19", "dev-full-thinking-2025-05-14",
    "context-1m-2025-08-07", "context-management-2025-06-27",
    "fine-grained-tool-streaming-2025-05-14", "effort-2025-11-24",
    "tool-search-tool-2025-10-19", "tool-examples-2025-10-29" };

/* ---- the request ---------------------------------------------------------- */

static bool
beta_known(rx_str item)
{
    for (size_t i = 0; i < sizeof(betas) / sizeof(betas[0]); i++) {
        if (rx_str_eq(item, (rx_str){ betas[i], strlen(betas[i]) }))
            return true;
    }
    return false;
}

/* The header's items, in the body. */
static void
move_betas(struct step_request *r)
{
    rx_str list = r->out->betas;
    rx_str item;
    struct rx_buf b;
    size_t count = 0;

    rx_buf_init(&b, PATH_ROOM);
    rx_buf_addc(&b, '[');
    for (bool more = list.len > 0; more;) {
        more = rx_str_cut(list, ',', &item, &list);
        item = rx_str_trim(item);
        if (beta_known(item))
            rx_buf_addf(&b, "%s\"" RX_STR_FMT "\"", count++ > 0 ? "," : "",
                RX_STR_ARG(item));
    }
    rx_buf_addc(&b, ']');
    if (count > 0 && rx_edit_get(r->root, "anthropic_beta") == NULL)
        rx_edit_set(r->root, "anthropic_beta",
            rx_arena_copy(r->out->arena, rx_buf_str(&b)));
    rx_buf_fini(&b);
}

/* Counting takes the request as base64 of what invoking would take. */
static void
wrap_count(struct step_request *r)
{
    struct rx_buf plain, wrapped;

    if (rx_edit_get(r->root, "max_tokens") == NULL)
        rx_edit_set(r->root, "max_tokens", RX_S("1"));
    rx_buf_init(&plain, EVENT_MAX);
    rx_buf_init(&wrapped, 2 * EVENT_MAX);
    rx_edit_print(r->root, &plain);
    rx_buf_add(&wrapped, RX_S("{\"input\":{\"invokeModel\":{\"body\":\""));
    rx_base64(rx_buf_str(&plain), &wrapped);
    rx_buf_add(&wrapped, RX_S("\"}}}"));
    rx_edit_put(r->root,
        rx_edit_format(r->root, RX_STR_FMT, RX_STR_ARG(rx_buf_str(&wrapped))));
    rx_buf_fini(&plain);
    rx_buf_fini(&wrapped);
}

static void
bedrock_request(struct step_request *r)
{
    struct rx_buf b;

    rx_buf_init(&b, PATH_ROOM);
    rx_buf_add(&b, RX_S("/model/"));
    body_add_segment(&b, r->out->model);
    rx_buf_add(&b, r->count    ? RX_S("/count-tokens")
                   : r->stream ? RX_S("/invoke-with-response-stream")
                               : RX_S("/invoke"));
    r->out->path = rx_arena_copy(r->out->arena, rx_buf_str(&b));
    r->out->query = (rx_str){ 0 };
    rx_buf_fini(&b);
    rx_edit_drop(r->root, "model");
    rx_edit_drop(r->root, "stream");
    rx_edit_set(r->root, "anthropic_version", RX_S("\"bedrock-2023-05-31\""));
    move_betas(r);
    if (r->count)
        wrap_count(r);
    step_header(r, HEADER_REMOVE, RX_S("anthropic-beta"), (rx_str){ 0 });
    step_header(r, HEADER_REMOVE, RX_S("anthropic-version"), (rx_str){ 0 });
}

/* ---- the answer ----------------------------------------------------------- */

static rx_str
fault_type(rx_str name, int status)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        rx_str known = { faults[i].name, strlen(faults[i].name) };
        if (name.len > 0 ? rx_str_ieq(name, known) : status == faults[i].status)
            return (rx_str){ faults[i].type, strlen(faults[i].type) };
    }
    return RX_S("api_error");
}

/* A member that is a text, with its escapes; empty if there is none. */
static rx_str
text_member(rx_str document, rx_str name)
{
    struct rx_span j;
    rx_str text = { 0 };

    rx_span_init(&j, document);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return text;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, name))
            rx_span_string(&j, &text);
        else
            rx_span_skip(&j, NULL);
    }
    return text;
}

static void
take_fault(const struct eventstream_message *m, struct rx_buf *out)
{
    rx_str words = text_member(m->payload, RX_S("message"));
    struct rx_buf escaped;

    rx_buf_init(&escaped, EVENT_MAX);
    if (words.len == 0) {
        rx_buf_add_json(&escaped, m->words.len > 0 ? m->words : m->name);
        words = rx_buf_str(&escaped);
    }
    rx_str type = fault_type(m->name, 0);
    rx_buf_addf(out, ERROR_FORM, RX_STR_ARG(type), RX_STR_ARG(words));
    rx_buf_fini(&escaped);
}

/* {"bytes":"<base64 of one event's JSON>","p":"padding"} */
static bool
bedrock_frame(const struct eventstream_message *m, struct rx_buf *name,
    struct rx_buf *data)
{
    bool event = rx_str_eq(m->type, RX_S("event"));

    if (event && !rx_str_eq(m->name, RX_S("chunk")))
        return false;
    if (!event) {
        take_fault(m, data);
        rx_buf_add(name, RX_S("error"));
        return true;
    }
    if (!rx_unbase64(text_member(m->payload, RX_S("bytes")), data) ||
        data->len == 0)
        return false;
    rx_buf_add(name, text_member(rx_buf_str(data), RX_S("type")));
    return true;
}

static void
bedrock_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    (void)options;
    (void)state;
    if (event->root != NULL)
        rx_edit_drop(event->root, "amazon-bedrock-invocationMetrics");
    step_pass(flow, event);
}

/* A count, or an error, as Anthropic would tell it. */
static void
bedrock_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    struct rx_edit *count = rx_edit_get(root, "inputTokens");

    (void)options;
    (void)state;
    if (count != NULL) {
        rx_edit_set(root, "input_tokens", rx_edit_text(count));
        rx_edit_drop(root, "inputTokens");
    }
    if (step_status(flow) < 300 || rx_edit_get(root, "error") != NULL)
        return;
    rx_str words = text_member(rx_edit_text(root), RX_S("message"));
    if (words.len == 0)
        words = text_member(rx_edit_text(root), RX_S("Message"));
    rx_str type = fault_type((rx_str){ 0 }, step_status(flow));
    rx_edit_put(root,
        rx_edit_format(root, ERROR_FORM, RX_STR_ARG(type), RX_STR_ARG(words)));
}

const struct step_kind step_bedrock = {
    .name = "bedrock",
    .request = bedrock_request,
    .event = bedrock_event,
    .document = bedrock_document,
    .frame = bedrock_frame,
    .errors = true,
};
