/* What is learnt from Responses answers. */
#include "dataplane/facts.h"
#include "shared/attr.h"

static const struct facts_member part_members[] = {
    FACTS_READ("text", facts_text),
    FACTS_READ("refusal", facts_text),
};

/* An output item, whole: its text counts. */
static const struct facts_member item_members[] = {
    FACTS_INSIDE("content", part_members),
    FACTS_INSIDE("summary", part_members),
    FACTS_READ("arguments", facts_code),
    FACTS_READ("input", facts_code),
    FACTS_READ("code", facts_code),
    FACTS_READ("encrypted_content", facts_content),
    FACTS_READ("call_id", facts_content),
    FACTS_READ("result", facts_content),
    FACTS_READ("action", facts_content),
};

/* An item that opens: a message or reasoning shows nothing yet. */
static void
read_opened_item(struct facts *f, struct rx_span *j)
{
    rx_str item;

    if (!rx_span_skip(j, &item))
        return;
    rx_str type = facts_type(item);
    if (!rx_str_eq(type, RX_S("message")) &&
        !rx_str_eq(type, RX_S("reasoning")) && type.len > 0)
        f->seen.content = true;
}

/* What was delivered piece by piece is counted already. */
static void
read_output(struct facts *f, struct rx_span *j)
{
    if (f->seen.content)
        rx_span_skip(j, NULL);
    else
        FACTS_WALK(f, j, item_members);
}

static void
read_status(struct facts *f, struct rx_span *j)
{
    rx_str status;
    struct rx_span ahead = *j;

    if (rx_span_string(&ahead, &status) && rx_str_eq(status, RX_S("failed")))
        f->seen.error = true;
    /* The reason of an incomplete one says more and may have come first. */
    if (f->stopped)
        *j = ahead;
    else
        facts_stop(f, j);
}

static const struct facts_member incomplete_members[] = {
    FACTS_READ("reason", facts_stop),
};

/* Stored objects are fetched with the figures of when they were made. */
static void
read_object(struct facts *f, struct rx_span *j)
{
    rx_str object;

    if (rx_span_string(j, &object) && f->op == OP_OBJECT)
        f->stored = !rx_str_eq(object, RX_S("response.compaction"));
}

static const struct facts_member response_members[] = {
    FACTS_READ("id", facts_answer_id),
    FACTS_READ("store", facts_store),
    FACTS_READ("object", read_object),
    FACTS_READ("model", facts_model),
    FACTS_READ("status", read_status),
    FACTS_READ("error", facts_error),
    FACTS_INSIDE("incomplete_details", incomplete_members),
    FACTS_READ("output", read_output),
    FACTS_READ("usage", facts_usage),
    FACTS_READ("service_tier", facts_tier),
    FACTS_READ("input_tokens", facts_count),
};

static void
read_final_response(struct facts *f, struct rx_span *j)
{
    f->seen.terminal = true;
    FACTS_WALK(f, j, response_members);
}

static void
read_failed_response(struct facts *f, struct rx_span *j)
{
    f->seen.error = true;
    read_final_response(f, j);
}

static const struct facts_member created_response_members[] = {
    FACTS_READ("model", facts_model),
};

static const struct facts_member created_members[] = {
    FACTS_INSIDE("response", created_response_members),
};
static const struct facts_member final_members[] = {
    FACTS_READ("response", read_final_response),
};
static const struct facts_member failed_members[] = {
    FACTS_READ("response", read_failed_response),
};
static const struct facts_member added_members[] = {
    FACTS_READ("item", read_opened_item),
};
static const struct facts_member done_members[] = {
    FACTS_READ("item", read_output),
};
static const struct facts_member error_members[] = {
    FACTS_READ("code", facts_error_code),
    FACTS_READ("message", facts_error_message),
    FACTS_READ("error", facts_error),
};
static const struct facts_member untyped_members[] = {
    FACTS_READ("error", facts_error),
};
static const struct facts_member text_members[] = {
    FACTS_READ("delta", facts_text),
};
static const struct facts_member code_members[] = {
    FACTS_READ("delta", facts_code),
};
static const struct facts_member other_members[] = {
    FACTS_READ("delta", facts_content),
};

static const struct facts_event events[] = {
    FACTS_EVENT("response.output_text.delta", text_members),
    FACTS_EVENT("response.function_call_arguments.delta", code_members),
    FACTS_EVENT("response.reasoning_summary_text.delta", text_members),
    FACTS_EVENT("response.reasoning_text.delta", text_members),
    FACTS_EVENT("response.refusal.delta", text_members),
    FACTS_EVENT("response.custom_tool_call_input.delta", code_members),
    FACTS_EVENT("response.mcp_call_arguments.delta", code_members),
    FACTS_EVENT("response.code_interpreter_call_code.delta", code_members),
    FACTS_EVENT("response.output_item.added", added_members),
    FACTS_EVENT("response.output_item.done", done_members),
    FACTS_EVENT("response.created", created_members),
    FACTS_EVENT("response.completed", final_members),
    FACTS_EVENT("response.incomplete", final_members),
    FACTS_EVENT("response.failed", failed_members),
    FACTS_EVENT("error", error_members),
    FACTS_EVENT("", untyped_members),
};

/* A delta of a kind not known here is content none the less. */
static bool
is_delta(rx_str type)
{
    static const rx_str suffix = RX_STR_INIT(".delta");

    return type.len > suffix.len &&
           rx_str_eq((rx_str){ type.ptr + type.len - suffix.len, suffix.len },
               suffix);
}

void
facts_responses_event(struct facts *f, rx_str data)
{
    rx_str type = facts_type(data);
    const struct facts_event *e =
        facts_event(f, data, type, events, RX_COUNT(events));
    struct rx_span j;

    if (e == NULL && is_delta(type)) {
        rx_span_init(&j, data);
        FACTS_WALK(f, &j, other_members);
    } else if (e != NULL && e->members == error_members) {
        f->seen.error = f->seen.terminal = true;
    }
}

void
facts_responses_document(struct facts *f, rx_str data)
{
    struct rx_span j;

    rx_span_init(&j, data);
    FACTS_WALK(f, &j, response_members);
}
