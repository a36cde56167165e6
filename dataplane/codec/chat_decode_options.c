/* Requests of Chat Completions, from clients: all but the messages. */
#include <string.h>

#include "dataplane/codec/chat_decode.h"

/* --- tools ------------------------------------------------------------------------------ */

struct tool {
    rx_str type, name, description;
    rx_str function, custom, parameters, format, grammar, cache_control;
    rx_str definition, syntax;
    enum ir_tri strict;
};
static const struct walk_row tool_rows[] = {
    WALK_ROW(TEXT, tool, "type", type),
    WALK_ROW(RAW, tool, "function", function),
    WALK_ROW(RAW, tool, "custom", custom),
    WALK_ROW(RAW, tool, "cache_control", cache_control),
};
static const struct walk_row inner_rows[] = {
    WALK_ROW(TEXT, tool, "name", name),
    WALK_ROW(TEXT, tool, "description", description),
    WALK_ROW(RAW, tool, "parameters", parameters),
    WALK_ROW(TRI, tool, "strict", strict),
    WALK_ROW(RAW, tool, "format", format),
};
static const struct walk_row format_rows[] = {
    WALK_ROW(RAW, tool, "grammar", grammar),
    WALK_ROW(TEXT, tool, "definition", definition),
    WALK_ROW(TEXT, tool, "syntax", syntax),
};

static bool
decode_tool(struct decode *d, rx_str value, unsigned i, bool legacy)
{
    struct tool t = { 0 };

    if (!legacy)
        WALK_VALUE(value, tool_rows, &t);
    rx_str inner = legacy ? value : t.function.len > 0 ? t.function : t.custom;
    if (inner.len > 0)
        WALK_VALUE(inner, inner_rows, &t);
    if (t.format.len > 0)
        WALK_VALUE(t.format, format_rows, &t);
    if (t.grammar.len > 0)
        WALK_VALUE(t.grammar, format_rows, &t);
    if (inner.len > 0 && t.name.len == 0)
        return decode_fail(d, "tools[%u].function.name: is required", i);
    struct ir_tool *out = ir_tool_add(d->arena, d->r);
    if (out == NULL)
        return decode_fail(d, "tools: are too many");
    *out = (struct ir_tool){
        .kind = inner.len == 0     ? IR_TOOL_OTHER
                : t.custom.len > 0 ? IR_TOOL_CUSTOM
                                   : IR_TOOL_FUNCTION,
        .name = t.name,
        .description = t.description,
        .schema = t.parameters,
        .strict = t.strict,
        .cache = t.cache_control.len > 2 ? IR_CACHE_5M : IR_CACHE_NONE,
        .grammar = t.definition,
        .grammar_syntax = t.syntax,
        .type = t.type,
        .raw = value,
    };
    return true;
}

bool
chat_decode_tools(struct decode *d, rx_str value, bool legacy)
{
    struct rx_span j;
    rx_str one;

    if (value.len == 0)
        return true;
    if (!walk_array(&j, value))
        return decode_fail(d, "tools: must be a list");
    for (unsigned i = 0; walk_next(&j, &one); i++) {
        if (!decode_tool(d, one, i, legacy))
            return false;
    }
    return true;
}

struct choice {
    rx_str type, name;
    rx_str function, custom, allowed, tools, mode;
};
static const struct walk_row choice_rows[] = {
    WALK_ROW(TEXT, choice, "type", type),
    WALK_ROW(TEXT, choice, "name", name),
    WALK_ROW(RAW, choice, "function", function),
    WALK_ROW(RAW, choice, "custom", custom),
    WALK_ROW(RAW, choice, "allowed_tools", allowed),
    WALK_ROW(RAW, choice, "tools", tools),
    WALK_ROW(TEXT, choice, "mode", mode),
};

static void
decode_allowed(struct decode *d, struct choice *c)
{
    struct rx_span j;
    rx_str one;

    WALK_VALUE(c->allowed, choice_rows, c);
    d->r->choice = IR_CHOICE_ALLOWED;
    d->r->allowed_required = rx_str_eq(c->mode, RX_S("required"));
    if (!walk_array(&j, c->tools))
        return;
    while (walk_next(&j, &one)) {
        struct choice inner = { 0 };
        WALK_VALUE(one, choice_rows, &inner);
        if (inner.function.len > 0)
            WALK_VALUE(inner.function, choice_rows, &inner);
        if (inner.custom.len > 0)
            WALK_VALUE(inner.custom, choice_rows, &inner);
        ir_name_add(d->arena, &d->r->allowed, inner.name);
    }
}

bool
chat_decode_choice(struct decode *d, rx_str value)
{
    static const struct {
        rx_str word;
        enum ir_choice choice;
    } words[] = {
        { RX_STR_INIT("\"auto\""), IR_CHOICE_AUTO },
        { RX_STR_INIT("\"none\""), IR_CHOICE_NONE },
        { RX_STR_INIT("\"required\""), IR_CHOICE_REQUIRED },
        { RX_STR_INIT("\"any\""), IR_CHOICE_REQUIRED },
    };
    struct choice c = { 0 };

    if (value.len == 0)
        return true;
    for (size_t i = 0; i < RX_COUNT(words); i++) {
        if (rx_str_eq(value, words[i].word)) {
            d->r->choice = words[i].choice;
            return true;
        }
    }
    WALK_VALUE(value, choice_rows, &c);
    if (c.allowed.len > 0) {
        decode_allowed(d, &c);
        return true;
    }
    if (c.function.len > 0)
        WALK_VALUE(c.function, choice_rows, &c);
    if (c.custom.len > 0)
        WALK_VALUE(c.custom, choice_rows, &c);
    if (c.name.len == 0)
        return decode_fail(d, "tool_choice: is not known");
    d->r->choice = IR_CHOICE_NAMED;
    d->r->choice_name = c.name;
    return true;
}

/* --- the rest ------------------------------------------------------------------------------ */

struct options {
    rx_str type, schema, inner, effort, summary;
    rx_str name, description;
    enum ir_tri strict, enabled, exclude, include_usage;
    struct ir_int max_tokens;
};
static const struct walk_row options_rows[] = {
    WALK_ROW(TEXT, options, "type", type),
    WALK_ROW(RAW, options, "json_schema", inner),
    WALK_ROW(RAW, options, "schema", schema),
    WALK_ROW(TEXT, options, "name", name),
    WALK_ROW(TEXT, options, "description", description),
    WALK_ROW(TRI, options, "strict", strict),
    WALK_ROW(TEXT, options, "effort", effort),
    WALK_ROW(TRI, options, "enabled", enabled),
    WALK_ROW(TRI, options, "exclude", exclude),
    WALK_ROW(TRI, options, "include_usage", include_usage),
    WALK_ROW(INT, options, "max_tokens", max_tokens),
};

static void
set_effort(struct ir_reasoning *r, rx_str word)
{
    if (word.len == 0)
        return;
    if (rx_str_eq(word, RX_S("none"))) {
        r->mode = IR_THINK_OFF;
        return;
    }
    r->effort = decode_effort(word);
    if (r->effort != IR_EFFORT_UNSET)
        r->mode = IR_THINK_ON;
}

/* OpenAI's word, and what compatible servers taught their clients. */
static void
decode_reasoning_options(struct decode *d, const struct chat_body *b)
{
    struct ir_reasoning *r = &d->r->reasoning;
    struct options o = { 0 };
    struct options t = { 0 };

    set_effort(r, b->effort);
    if (b->reasoning.len > 0) {
        WALK_VALUE(b->reasoning, options_rows, &o);
        set_effort(r, o.effort);
        if (o.max_tokens.there) {
            r->budget = o.max_tokens;
            r->mode = IR_THINK_ON;
        }
        if (o.enabled != IR_UNSET)
            r->mode = o.enabled == IR_YES ? IR_THINK_ON : IR_THINK_OFF;
        if (o.exclude == IR_YES)
            r->show = IR_SHOW_NONE;
    }
    if (b->thinking.len > 0) {
        WALK_VALUE(b->thinking, options_rows, &t);
        if (rx_str_eq(t.type, RX_S("enabled")))
            r->mode = IR_THINK_ON;
        else if (rx_str_eq(t.type, RX_S("disabled")))
            r->mode = IR_THINK_OFF;
    }
    if (b->enable_thinking != IR_UNSET)
        r->mode = b->enable_thinking == IR_YES ? IR_THINK_ON : IR_THINK_OFF;
    if (b->budget.there)
        r->budget = b->budget;
    if (r->show == IR_SHOW_UNSET && r->mode == IR_THINK_ON)
        r->show = IR_SHOW_SUMMARY;
}

static void
decode_format(struct decode *d, rx_str value)
{
    struct options o = { 0 };
    struct ir_output *out = &d->r->output;

    if (value.len == 0)
        return;
    WALK_VALUE(value, options_rows, &o);
    if (rx_str_eq(o.type, RX_S("json_object"))) {
        out->format = IR_OUT_JSON;
    } else if (rx_str_eq(o.type, RX_S("json_schema"))) {
        if (o.inner.len > 0)
            WALK_VALUE(o.inner, options_rows, &o);
        out->format = o.schema.len > 0 ? IR_OUT_SCHEMA : IR_OUT_JSON;
        out->schema = o.schema;
        out->name = o.name;
        out->description = o.description;
        out->strict = o.strict;
    }
}

static void
decode_numbers(struct ir_request *r, const struct chat_body *b)
{
    r->max_output = b->max_completion.there ? b->max_completion : b->max_tokens;
    r->temperature = b->temperature;
    r->top_p = b->top_p;
    r->top_k = b->top_k;
    r->frequency_penalty = b->frequency;
    r->presence_penalty = b->presence;
    r->seed = b->seed;
    r->logit_bias = b->logit_bias.len > 2 ? b->logit_bias : (rx_str){ 0 };
    r->n = b->n;
    if (b->logprobs == IR_YES)
        r->logprobs = b->top_logprobs.there ? b->top_logprobs
                                            : (struct ir_int){ true, 0 };
}

bool
chat_decode_rest(struct decode *d, const struct chat_body *b)
{
    struct options o = { 0 };
    struct ir_request *r = d->r;

    decode_numbers(r, b);
    decode_reasoning_options(d, b);
    decode_format(d, b->response_format);
    r->parallel = b->parallel;
    r->output.verbosity = b->verbosity;
    r->tier = decode_tier(b->tier);
    r->user_id = b->safety.len > 0 ? b->safety : b->user;
    r->metadata = b->metadata;
    r->cache_key = b->cache_key;
    r->cache_retention = b->cache_retention;
    if (b->stream_options.len > 0)
        WALK_VALUE(b->stream_options, options_rows, &o);
    r->stream_usage = o.include_usage == IR_YES;
    if (b->web_search.len > 0) {
        struct ir_tool *tool = ir_tool_add(d->arena, r);
        if (tool != NULL)
            tool->kind = IR_TOOL_WEB_SEARCH;
    }
    if (b->modalities.len > 0 &&
        memmem(b->modalities.ptr, b->modalities.len, "\"audio\"", 7) != NULL)
        return decode_fail(d,
            "modalities: sound can only come from a channel of this dialect");
    return decode_names(d, "stop", b->stop, &r->stop);
}
