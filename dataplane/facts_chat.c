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
        { RX_STR_INIT("text"), facts_text },
        { RX_STR_INIT("thinking"), read_texts },
        { RX_STR_INIT("image_url"), facts_content },
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

static void
read_function(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("arguments"), facts_code },
        { RX_STR_INIT("input"), facts_code },
        { RX_STR_INIT("name"), facts_content },
    };

    FACTS_WALK(f, j, members);
}

/* To open a call is content, before any argument. */
static void
read_call(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("function"), read_function },
        { RX_STR_INIT("custom"), read_function },
        { RX_STR_INIT("id"), facts_content },
    };

    FACTS_WALK(f, j, members);
}

static void
read_calls(struct facts *f, struct rx_span *j)
{
    facts_each(f, j, read_call);
}

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
        { RX_STR_INIT("content"), read_text },
        { RX_STR_INIT("tool_calls"), read_calls },
        { RX_STR_INIT("reasoning_content"), read_reasoning },
        { RX_STR_INIT("reasoning"), read_reasoning },
        { RX_STR_INIT("reasoning_details"), facts_content },
        { RX_STR_INIT("refusal"), facts_text },
        { RX_STR_INIT("function_call"), read_function },
        { RX_STR_INIT("audio"), facts_content },
        { RX_STR_INIT("images"), facts_content },
        { RX_STR_INIT("annotations"), facts_content },
    };

    f->reasoned = false;
    FACTS_WALK(f, j, members);
}

static void
read_choice(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("delta"), read_delta },
        { RX_STR_INIT("finish_reason"), facts_stop },
        { RX_STR_INIT("message"), read_delta },
        { RX_STR_INIT("text"), facts_text },
        { RX_STR_INIT("usage"), facts_usage },
        { RX_STR_INIT("error"), facts_error },
    };

    FACTS_WALK(f, j, members);
}

static void
read_choices(struct facts *f, struct rx_span *j)
{
    facts_each(f, j, read_choice);
}

static void
read_groq(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("usage"), facts_usage },
    };

    FACTS_WALK(f, j, members);
}

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
        { RX_STR_INIT("choices"), read_choices },
        { RX_STR_INIT("model"), facts_model },
        { RX_STR_INIT("usage"), read_usage },
        { RX_STR_INIT("service_tier"), facts_tier },
        { RX_STR_INIT("x_groq"), read_groq },
        { RX_STR_INIT("error"), facts_error },
        { RX_STR_INIT("data"), read_data },
    };
    struct rx_span j;

    rx_span_init(&j, data);
    FACTS_WALK(f, &j, members);
}
