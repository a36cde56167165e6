/* What is learnt from Responses answers. */
#include "dataplane/facts.h"
#include "shared/attr.h"

static void
read_part(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("text"), facts_text },
        { RX_STR_INIT("refusal"), facts_text },
    };

    FACTS_WALK(f, j, members);
}

static void
read_parts(struct facts *f, struct rx_span *j)
{
    facts_each(f, j, read_part);
}

/* An output item, whole: its text counts. */
static void
read_item(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("content"), read_parts },
        { RX_STR_INIT("summary"), read_parts },
        { RX_STR_INIT("arguments"), facts_code },
        { RX_STR_INIT("input"), facts_code },
        { RX_STR_INIT("code"), facts_code },
        { RX_STR_INIT("encrypted_content"), facts_content },
        { RX_STR_INIT("call_id"), facts_content },
        { RX_STR_INIT("result"), facts_content },
        { RX_STR_INIT("action"), facts_content },
    };

    FACTS_WALK(f, j, members);
}

static void
read_items(struct facts *f, struct rx_span *j)
{
    facts_each(f, j, read_item);
}

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
read_closed_item(struct facts *f, struct rx_span *j)
{
    if (f->seen.content)
        rx_span_skip(j, NULL);
    else
        read_item(f, j);
}

static void
read_output(struct facts *f, struct rx_span *j)
{
    if (f->seen.content)
        rx_span_skip(j, NULL);
    else
        read_items(f, j);
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

static void
read_incomplete(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("reason"), facts_stop },
    };

    FACTS_WALK(f, j, members);
}

/* Stored objects are fetched with the figures of when they were made. */
static void
read_object(struct facts *f, struct rx_span *j)
{
    rx_str object;

    if (rx_span_string(j, &object) && f->op == OP_OBJECT)
        f->stored = !rx_str_eq(object, RX_S("response.compaction"));
}

static void
read_count(struct facts *f, struct rx_span *j)
{
    uint64_t n;

    if (rx_span_u64(j, &n) && f->op == OP_COUNT) {
        f->figures.n[FIGURE_INPUT] = n;
        f->figures.has |= 1u << FIGURE_INPUT;
    }
}

static const struct facts_member response_members[] = {
    { RX_STR_INIT("id"), facts_answer_id },
    { RX_STR_INIT("store"), facts_store },
    { RX_STR_INIT("object"), read_object },
    { RX_STR_INIT("model"), facts_model },
    { RX_STR_INIT("status"), read_status },
    { RX_STR_INIT("error"), facts_error },
    { RX_STR_INIT("incomplete_details"), read_incomplete },
    { RX_STR_INIT("output"), read_output },
    { RX_STR_INIT("usage"), facts_usage },
    { RX_STR_INIT("service_tier"), facts_tier },
    { RX_STR_INIT("input_tokens"), read_count },
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

static void
read_created_response(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("model"), facts_model },
    };

    FACTS_WALK(f, j, members);
}

static const struct facts_member created_members[] = {
    { RX_STR_INIT("response"), read_created_response },
};
static const struct facts_member final_members[] = {
    { RX_STR_INIT("response"), read_final_response },
};
static const struct facts_member failed_members[] = {
    { RX_STR_INIT("response"), read_failed_response },
};
static const struct facts_member added_members[] = {
    { RX_STR_INIT("item"), read_opened_item },
};
static const struct facts_member done_members[] = {
    { RX_STR_INIT("item"), read_closed_item },
};
static const struct facts_member error_members[] = {
    { RX_STR_INIT("code"), facts_error_code },
    { RX_STR_INIT("message"), facts_error_message },
    { RX_STR_INIT("error"), facts_error },
};
static const struct facts_member untyped_members[] = {
    { RX_STR_INIT("error"), facts_error },
};
static const struct facts_member text_members[] = {
    { RX_STR_INIT("delta"), facts_text },
};
static const struct facts_member code_members[] = {
    { RX_STR_INIT("delta"), facts_code },
};
static const struct facts_member other_members[] = {
    { RX_STR_INIT("delta"), facts_content },
};

static const struct {
    rx_str type;
    const struct facts_member *members;
    size_t count;
} events[] = {
#define EVENT(type, members)                          \
    {                                                 \
        RX_STR_INIT(type), members, RX_COUNT(members) \
    }
    EVENT("response.output_text.delta", text_members),
    EVENT("response.function_call_arguments.delta", code_members),
    EVENT("response.reasoning_summary_text.delta", text_members),
    EVENT("response.reasoning_text.delta", text_members),
    EVENT("response.refusal.delta", text_members),
    EVENT("response.custom_tool_call_input.delta", code_members),
    EVENT("response.mcp_call_arguments.delta", code_members),
    EVENT("response.code_interpreter_call_code.delta", code_members),
    EVENT("response.output_item.added", added_members),
    EVENT("response.output_item.done", done_members),
    EVENT("response.created", created_members),
    EVENT("response.completed", final_members),
    EVENT("response.incomplete", final_members),
    EVENT("response.failed", failed_members),
    EVENT("error", error_members),
    EVENT("", untyped_members),
#undef EVENT
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
    struct rx_span j;

    rx_span_init(&j, data);
    for (size_t i = 0; i < RX_COUNT(events); i++) {
        if (rx_str_eq(type, events[i].type)) {
            facts_walk(f, &j, events[i].members, events[i].count);
            if (events[i].members == error_members)
                f->seen.error = f->seen.terminal = true;
            return;
        }
    }
    if (is_delta(type))
        FACTS_WALK(f, &j, other_members);
}

void
facts_responses_document(struct facts *f, rx_str data)
{
    struct rx_span j;

    rx_span_init(&j, data);
    FACTS_WALK(f, &j, response_members);
}
