/* A client's request: its members.  Items and tools have files of their own. */
#include "dataplane/codec/responses.h"

struct body {
    rx_str previous_response_id, truncation, service_tier, user,
        safety_identifier, prompt_cache_key, prompt_cache_retention; /* text */
    rx_str instructions, input, tools, tool_choice, reasoning, text, include,
        metadata, conversation, prompt; /* raw */
    rx_str temperature, top_p;          /* numbers */
    struct ir_int max_output_tokens, max_tool_calls, top_logprobs;
    enum ir_tri parallel_tool_calls;
    bool background;
};

#define ROW(how, member) WALK_ROW(how, body, #member, member)
static const struct walk_row body_rows[] = {
    ROW(TEXT, previous_response_id),
    ROW(TEXT, truncation),
    ROW(TEXT, service_tier),
    ROW(TEXT, user),
    ROW(TEXT, safety_identifier),
    ROW(TEXT, prompt_cache_key),
    ROW(TEXT, prompt_cache_retention),
    ROW(RAW, instructions),
    ROW(RAW, input),
    ROW(RAW, tools),
    ROW(RAW, tool_choice),
    ROW(RAW, reasoning),
    ROW(RAW, text),
    ROW(RAW, include),
    ROW(RAW, metadata),
    ROW(RAW, conversation),
    ROW(RAW, prompt),
    ROW(NUMBER, temperature),
    ROW(NUMBER, top_p),
    ROW(INT, max_output_tokens),
    ROW(INT, max_tool_calls),
    ROW(INT, top_logprobs),
    ROW(TRI, parallel_tool_calls),
    ROW(BOOL, background),
};
#undef ROW

/* --- reasoning, output ------------------------------------------------------------ */

static void
take_effort(struct ir_reasoning *out, rx_str effort)
{
    if (effort.len == 0)
        return;
    if (rx_str_eq(effort, RX_S("none"))) {
        out->mode = IR_THINK_OFF;
        return;
    }
    out->mode = IR_THINK_ON;
    out->effort = decode_effort(effort);
}

/* Words that were not asked for are not shown. */
static void
decode_reasoning(struct decode *d, rx_str raw)
{
    struct reasoning {
        rx_str effort, summary, generate_summary;
    } x = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, reasoning, "effort", effort),
        WALK_ROW(TEXT, reasoning, "summary", summary),
        WALK_ROW(TEXT, reasoning, "generate_summary", generate_summary),
    };
    struct ir_reasoning *out = &d->r->reasoning;

    WALK_VALUE(raw, rows, &x);
    take_effort(out, x.effort);
    out->summary_style = x.summary.len > 0 ? x.summary : x.generate_summary;
    out->show = out->summary_style.len > 0 &&
                        !rx_str_eq(out->summary_style, RX_S("none"))
                    ? IR_SHOW_SUMMARY
                    : IR_SHOW_NONE;
}

static void
decode_format(struct decode *d, rx_str raw)
{
    struct format {
        rx_str type, name, description, schema;
        enum ir_tri strict;
    } x = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, format, "type", type),
        WALK_ROW(TEXT, format, "name", name),
        WALK_ROW(TEXT, format, "description", description),
        WALK_ROW(RAW, format, "schema", schema),
        WALK_ROW(TRI, format, "strict", strict),
    };
    struct ir_output *out = &d->r->output;

    if (raw.len == 0)
        return;
    WALK_VALUE(raw, rows, &x);
    if (rx_str_eq(x.type, RX_S("json_object"))) {
        out->format = IR_OUT_JSON;
    } else if (rx_str_eq(x.type, RX_S("json_schema"))) {
        if (rx_span_kind_of(x.schema) != RX_SPAN_OBJECT)
            decode_fail(d, "text.format.schema: must be an object");
        out->format = IR_OUT_SCHEMA;
        out->name = x.name;
        out->description = x.description;
        out->schema = x.schema;
        out->strict = x.strict;
    } else if (!rx_str_eq(x.type, RX_S("text"))) {
        decode_fail(d, "text.format.type: unknown");
    }
}

static void
take_text(struct decode *d, rx_str raw)
{
    struct text {
        rx_str format, verbosity;
    } x = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(RAW, text, "format", format),
        WALK_ROW(TEXT, text, "verbosity", verbosity),
    };

    WALK_VALUE(raw, rows, &x);
    d->r->output.verbosity = x.verbosity;
    decode_format(d, x.format);
}

static bool
includes(rx_str list, rx_str what)
{
    struct rx_span j;
    rx_str element;
    bool found = false;

    for (bool is = walk_array(&j, list); is && walk_next(&j, &element);)
        found = found || rx_str_eq(walk_text(element), what);
    return found;
}

/* --- all of it ---------------------------------------------------------------------- */

static void
decode_instructions(struct decode *d, rx_str raw)
{
    if (raw.len == 0)
        return;
    if (rx_span_kind_of(raw) != RX_SPAN_STRING)
        decode_fail(d, "instructions: must be a string");
    else if (raw.len > 2)
        ir_text_add(d->arena, &d->r->system, walk_text(raw));
}

/* What the answer repeats as it was asked. */
static void
keep_echo(struct decode *d, const struct body *b)
{
    struct ir_echo *echo = &d->r->echo;

    echo->instructions = b->instructions;
    echo->tools = b->tools;
    echo->tool_choice = b->tool_choice;
    echo->reasoning = b->reasoning;
    echo->text = b->text;
}

/* State that a provider keeps is known to no other. */
static void
refuse_state(struct decode *d, const struct body *b)
{
    const struct {
        bool there;
        const char *name;
    } state[] = {
        { b->previous_response_id.len > 0, "previous_response_id" },
        { b->conversation.len > 0, "conversation" },
        { b->prompt.len > 0, "prompt" },
        { b->background, "background" },
    };

    for (size_t i = 0; i < RX_COUNT(state); i++) {
        if (state[i].there)
            decode_fail(d,
                "%s: the chosen model is served by a provider that keeps no "
                "such state",
                state[i].name);
    }
}

static void
decode_body(struct decode *d, const struct body *b)
{
    struct ir_request *r = d->r;
    bool logprobs = includes(b->include, RX_S("message.output_text.logprobs"));

    r->max_output = b->max_output_tokens;
    r->max_tool_calls = b->max_tool_calls;
    r->logprobs = b->top_logprobs.there || !logprobs
                      ? b->top_logprobs
                      : (struct ir_int){ true, 0 };
    r->temperature = b->temperature;
    r->top_p = b->top_p;
    r->parallel = b->parallel_tool_calls;
    r->tier = decode_tier(b->service_tier);
    r->user_id = b->safety_identifier.len > 0 ? b->safety_identifier : b->user;
    r->metadata = b->metadata;
    r->cache_key = b->prompt_cache_key;
    r->cache_retention = b->prompt_cache_retention;
    r->truncation = b->truncation;
    r->stream_usage = true;
    refuse_state(d, b);
    decode_reasoning(d, b->reasoning);
    take_text(d, b->text);
    keep_echo(d, b);
    decode_instructions(d, b->instructions);
    responses_decode_tools(d, b->tools);
    responses_decode_choice(d, b->tool_choice);
    responses_decode_input(d, b->input);
}

enum rx_code
responses_decode_request(rx_str text, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err)
{
    struct decode d = {
        .arena = arena,
        .r = request,
        .err = err,
        .turns = "input",
    };
    struct body b = { 0 };

    if (decode_object(&d, text, body_rows, RX_COUNT(body_rows), &b))
        decode_body(&d, &b);
    return err->code;
}
