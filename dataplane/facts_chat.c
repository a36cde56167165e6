/*
 * What is learnt from Chat Completions answers, and from those of the OpenAI
 * endpoints of that age: legacy completions, embeddings, media.
 */
#include "dataplane/facts.h"
#include "shared/attr.h"

static void read_text(struct facts *f, struct rx_span *j);

/* Parts do not nest any further than this. */
#define NESTED_MAX 16

static void
read_texts(struct facts *f, struct rx_span *j)
{
    if (j->depth < NESTED_MAX)
        facts_each(f, j, read_text);
    else
        rx_span_skip(j, NULL);
}

/* A string; or parts {"type":..,"text":..}, thinking nested in them. */
static void
read_text(struct facts *f, struct rx_span *j)
{
    static const struct facts_member part[] = {
        FACTS_READ("text", facts_text),
        FACTS_READ("thinking", read_texts),
        FACTS_READ("image_url", facts_content),
    };

    switch (rx_span_kind(j)) {
    case RX_SPAN_STRING: facts_text(f, j); break;
    case RX_SPAN_OBJECT: FACTS_WALK(f, j, part); break;
    case RX_SPAN_ARRAY: read_texts(f, j); break;
    case RX_SPAN_NOTHING:
    case RX_SPAN_NUMBER:
    case RX_SPAN_TRUE:
    case RX_SPAN_FALSE:
    case RX_SPAN_NULL: rx_span_skip(j, NULL); break;
    }
}

static const struct facts_member function_members[] = {
    FACTS_READ("arguments", facts_code),
    FACTS_READ("input", facts_code),
    FACTS_READ("name", facts_content),
};

/* To open a call is content, before any argument. */
static const struct facts_member call_members[] = {
    FACTS_INSIDE("function", function_members),
    FACTS_INSIDE("custom", function_members),
    FACTS_READ("id", facts_content),
};

/* Reasoning comes under either name, sometimes under both at once. */
static void
read_reasoning(struct facts *f, struct rx_span *j)
{
    if (f->reasoned)
        facts_content(f, j);
    else if (rx_span_kind(j) == RX_SPAN_STRING) {
        facts_text(f, j);
        f->reasoned = true;
    } else {
        rx_span_skip(j, NULL);
    }
}

static void
read_delta(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        FACTS_READ("content", read_text),
        FACTS_INSIDE("tool_calls", call_members),
        FACTS_READ("reasoning_content", read_reasoning),
        FACTS_READ("reasoning", read_reasoning),
        FACTS_READ("reasoning_details", facts_content),
        FACTS_READ("refusal", facts_text),
        FACTS_INSIDE("function_call", function_members),
        FACTS_READ("audio", facts_content),
        FACTS_READ("images", facts_content),
        FACTS_READ("annotations", facts_content),
    };

    f->reasoned = false;
    FACTS_WALK(f, j, members);
}

static const struct facts_member choice_members[] = {
    FACTS_READ("delta", read_delta),
    FACTS_READ("finish_reason", facts_stop),
    FACTS_READ("message", read_delta),
    FACTS_READ("text", facts_text),
    FACTS_READ("usage", facts_usage),
    FACTS_READ("error", facts_error),
};

static const struct facts_member groq_members[] = {
    FACTS_READ("usage", facts_usage),
};

/* Embeddings, images: the rows are what was asked for. */
static void
read_data(struct facts *f, struct rx_span *j)
{
    if (f->op == OP_EMBED || f->op == OP_MEDIA)
        facts_content(f, j);
    else
        rx_span_skip(j, NULL);
}

/* Images and audio count as Responses does. */
static void
read_usage(struct facts *f, struct rx_span *j)
{
    struct rx_span again = *j;

    facts_usage(f, j);
    if (f->op == OP_MEDIA)
        figures_read(&f->figures, DIALECT_RESPONSES, &again);
}

void
facts_chat(struct facts *f, rx_str data)
{
    static const struct facts_member members[] = {
        FACTS_INSIDE("choices", choice_members),
        FACTS_READ("model", facts_model),
        FACTS_READ("usage", read_usage),
        FACTS_READ("service_tier", facts_tier),
        FACTS_INSIDE("x_groq", groq_members),
        FACTS_READ("error", facts_error),
        FACTS_READ("data", read_data),
    };
    struct rx_span j;

    rx_span_init(&j, data);
    FACTS_WALK(f, &j, members);
}
