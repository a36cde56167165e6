/* Requests of Chat Completions, from clients. */
#include <string.h>

#include "dataplane/codec/chat.h"
#include "dataplane/codec/decode.h"

struct body {
    rx_str messages, tools, tool_choice, functions, function_call, stop,
        response_format, stream_options, reasoning, thinking, logit_bias,
        metadata, modalities, web_search;
    rx_str effort, verbosity, user, safety, tier, cache_key, cache_retention;
    rx_str temperature, top_p, top_k, frequency, presence, seed;
    struct ir_int max_tokens, max_completion, n, top_logprobs, budget;
    enum ir_tri parallel, logprobs, enable_thinking;
};
static const struct walk_row body_rows[] = {
    WALK_ROW(RAW, body, "messages", messages),
    WALK_ROW(RAW, body, "tools", tools),
    WALK_ROW(RAW, body, "tool_choice", tool_choice),
    WALK_ROW(RAW, body, "functions", functions),
    WALK_ROW(RAW, body, "function_call", function_call),
    WALK_ROW(RAW, body, "stop", stop),
    WALK_ROW(RAW, body, "response_format", response_format),
    WALK_ROW(RAW, body, "stream_options", stream_options),
    WALK_ROW(RAW, body, "reasoning", reasoning),
    WALK_ROW(RAW, body, "thinking", thinking),
    WALK_ROW(RAW, body, "logit_bias", logit_bias),
    WALK_ROW(RAW, body, "metadata", metadata),
    WALK_ROW(RAW, body, "modalities", modalities),
    WALK_ROW(RAW, body, "web_search_options", web_search),
    WALK_ROW(TEXT, body, "reasoning_effort", effort),
    WALK_ROW(TEXT, body, "verbosity", verbosity),
    WALK_ROW(TEXT, body, "user", user),
    WALK_ROW(TEXT, body, "safety_identifier", safety),
    WALK_ROW(TEXT, body, "service_tier", tier),
    WALK_ROW(TEXT, body, "prompt_cache_key", cache_key),
    WALK_ROW(TEXT, body, "prompt_cache_retention", cache_retention),
    WALK_ROW(NUMBER, body, "temperature", temperature),
    WALK_ROW(NUMBER, body, "top_p", top_p),
    WALK_ROW(NUMBER, body, "top_k", top_k),
    WALK_ROW(NUMBER, body, "frequency_penalty", frequency),
    WALK_ROW(NUMBER, body, "presence_penalty", presence),
    WALK_ROW(NUMBER, body, "seed", seed),
    WALK_ROW(INT, body, "max_tokens", max_tokens),
    WALK_ROW(INT, body, "max_completion_tokens", max_completion),
    WALK_ROW(INT, body, "n", n),
    WALK_ROW(INT, body, "top_logprobs", top_logprobs),
    WALK_ROW(INT, body, "thinking_budget", budget),
    WALK_ROW(TRI, body, "parallel_tool_calls", parallel),
    WALK_ROW(TRI, body, "logprobs", logprobs),
    WALK_ROW(TRI, body, "enable_thinking", enable_thinking),
};

struct message {
    rx_str role, name, call_id, refusal, reasoning_content, reasoning;
    rx_str content, calls, function_call, details;
};
static const struct walk_row message_rows[] = {
    WALK_ROW(TEXT, message, "role", role),
    WALK_ROW(TEXT, message, "name", name),
    WALK_ROW(TEXT, message, "tool_call_id", call_id),
    WALK_ROW(TEXT, message, "refusal", refusal),
    WALK_ROW(TEXT, message, "reasoning_content", reasoning_content),
    WALK_ROW(TEXT, message, "reasoning", reasoning),
    WALK_ROW(RAW, message, "content", content),
    WALK_ROW(RAW, message, "tool_calls", calls),
    WALK_ROW(RAW, message, "function_call", function_call),
    WALK_ROW(RAW, message, "reasoning_details", details),
};

struct piece {
    rx_str type, text, refusal, image_url, input_audio, file, cache_control;
    /* of image_url, input_audio, file */
    rx_str url, detail, data, format, file_data, file_id, filename;
    /* of reasoning_details */
    rx_str summary, signature, sealed;
};
static const struct walk_row piece_rows[] = {
    WALK_ROW(TEXT, piece, "type", type),
    WALK_ROW(TEXT, piece, "text", text),
    WALK_ROW(TEXT, piece, "refusal", refusal),
    WALK_ROW(RAW, piece, "image_url", image_url),
    WALK_ROW(RAW, piece, "input_audio", input_audio),
    WALK_ROW(RAW, piece, "file", file),
    WALK_ROW(RAW, piece, "cache_control", cache_control),
    WALK_ROW(TEXT, piece, "summary", summary),
    WALK_ROW(TEXT, piece, "signature", signature),
    WALK_ROW(TEXT, piece, "data", sealed),
};
static const struct walk_row media_rows[] = {
    WALK_ROW(TEXT, piece, "url", url),
    WALK_ROW(TEXT, piece, "detail", detail),
    WALK_ROW(TEXT, piece, "data", data),
    WALK_ROW(TEXT, piece, "format", format),
    WALK_ROW(TEXT, piece, "file_data", file_data),
    WALK_ROW(TEXT, piece, "file_id", file_id),
    WALK_ROW(TEXT, piece, "filename", filename),
};

/* --- content ----------------------------------------------------------------------- */

static void
decode_image(struct decode *d, struct piece *p, struct ir_part *out)
{
    struct ir_media *m = &out->media;

    m->kind = IR_IMAGE;
    if (p->image_url.ptr[0] == '"')
        p->url = walk_text(p->image_url);
    else
        WALK_VALUE(p->image_url, media_rows, p);
    m->detail = p->detail;
    if (p->url.len == 0)
        decode_fail_part(d, "image_url.url: is required");
    decode_url(d, p->url, m);
}

static void
decode_audio(struct decode *d, struct piece *p, struct ir_part *out)
{
    WALK_VALUE(p->input_audio, media_rows, p);
    rx_str mime[] = { RX_S("audio/"), p->format };
    out->media = (struct ir_media){ .kind = IR_AUDIO,
        .source = IR_INLINE,
        .mime = ir_concat(d->arena, mime, 2),
        .data = p->data };
}

static void
decode_file(struct decode *d, struct piece *p, struct ir_part *out)
{
    struct ir_media *m = &out->media;

    WALK_VALUE(p->file, media_rows, p);
    m->kind = IR_DOCUMENT;
    m->title = p->filename;
    if (p->file_id.len > 0) {
        m->source = IR_FILE_ID;
        m->data = p->file_id;
        return;
    }
    decode_url(d, p->file_data, m);
    if (m->source == IR_URL)
        decode_fail_part(d, "file.file_data: must be a data URL");
}

static void
decode_piece(struct decode *d, rx_str value, struct ir_parts *to)
{
    struct piece p = { 0 };
    struct ir_part *out = NULL;

    WALK_VALUE(value, piece_rows, &p);
    if (rx_str_eq(p.type, RX_S("text"))) {
        out = decode_part(d, to, IR_TEXT);
        if (out != NULL)
            out->text = p.text;
    } else if (rx_str_eq(p.type, RX_S("refusal"))) {
        out = decode_part(d, to, IR_REFUSAL);
        if (out != NULL)
            out->text = p.refusal;
    } else if (p.image_url.len > 0) {
        out = decode_part(d, to, IR_MEDIA);
        if (out != NULL)
            decode_image(d, &p, out);
    } else if (p.input_audio.len > 0) {
        out = decode_part(d, to, IR_MEDIA);
        if (out != NULL)
            decode_audio(d, &p, out);
    } else if (p.file.len > 0) {
        out = decode_part(d, to, IR_MEDIA);
        if (out != NULL)
            decode_file(d, &p, out);
    } else {
        decode_fail_part(d, "type: is not known");
    }
    if (out != NULL && p.cache_control.len > 2)
        out->cache = IR_CACHE_5M;
}

static void
decode_content(struct decode *d, rx_str value, struct ir_parts *to)
{
    struct rx_span j;
    rx_str one;

    d->index = 0;
    if (value.len == 0)
        return;
    if (value.ptr[0] == '"') {
        decode_text(d, to, walk_text(value));
        return;
    }
    if (!walk_array(&j, value)) {
        decode_fail_part(d, "content must be a string or a list of parts");
        return;
    }
    for (; decode_ok(d) && walk_next(&j, &one); d->index++)
        decode_piece(d, one, to);
    if (j.bad)
        decode_fail_part(d, "is not valid JSON");
}

/* --- assistant ------------------------------------------------------------------------ */

struct call {
    rx_str id, function, custom, extra;
    rx_str name, arguments, input, google, signature;
};
static const struct walk_row call_rows[] = {
    WALK_ROW(TEXT, call, "id", id),
    WALK_ROW(RAW, call, "function", function),
    WALK_ROW(RAW, call, "custom", custom),
    WALK_ROW(RAW, call, "extra_content", extra),
    WALK_ROW(TEXT, call, "name", name),
    WALK_ROW(RAW, call, "arguments", arguments),
    WALK_ROW(TEXT, call, "input", input),
    WALK_ROW(RAW, call, "google", google),
    WALK_ROW(TEXT, call, "thought_signature", signature),
};

static void
decode_call(struct decode *d, rx_str value, struct ir_parts *to)
{
    struct call c = { 0 };
    struct ir_part *p = decode_part(d, to, IR_TOOL_CALL);

    if (p == NULL)
        return;
    WALK_VALUE(value, call_rows, &c);
    if (c.function.len > 0)
        WALK_VALUE(c.function, call_rows, &c);
    if (c.custom.len > 0)
        WALK_VALUE(c.custom, call_rows, &c);
    if (c.extra.len > 0)
        WALK_VALUE(c.extra, call_rows, &c);
    if (c.google.len > 0)
        WALK_VALUE(c.google, call_rows, &c);
    p->call.id = c.id;
    p->call.name = c.name;
    p->call.seal =
        (struct ir_opaque){ c.signature, DIALECT_GEMINI, RX_S("gemini"), 't' };
    if (c.custom.len > 0) {
        p->call.kind = IR_CALL_CUSTOM;
        p->call.args = (struct ir_args){ c.input, true };
    } else if (c.arguments.len > 0 && c.arguments.ptr[0] == '{') {
        p->call.args = (struct ir_args){ c.arguments, false };
    } else {
        p->call.args = (struct ir_args){ walk_text(c.arguments), true };
    }
}

static void
decode_detail(struct decode *d, rx_str value, struct ir_parts *to, bool texts)
{
    struct piece p = { 0 };

    WALK_VALUE(value, piece_rows, &p);
    rx_str text = p.text.len > 0 ? p.text : p.summary;
    if (!texts)
        text = (rx_str){ 0 };
    if (text.len == 0 && p.signature.len == 0 && p.sealed.len == 0)
        return;
    struct ir_part *out = decode_part(d, to, IR_THINKING);
    if (out == NULL)
        return;
    out->thinking.text = text;
    out->thinking.redacted = p.sealed.len > 0;
    out->thinking.seal = (struct ir_opaque){
        .bytes = p.sealed.len > 0 ? p.sealed : p.signature,
        .dialect = DIALECT_CHAT,
        .kind = p.sealed.len > 0 ? 'r' : 's',
    };
}

/* The same reasoning may stand in several places: one text, all the seals. */
static void
decode_reasoning(struct decode *d, const struct message *m, struct ir_parts *to)
{
    rx_str text =
        m->reasoning_content.len > 0 ? m->reasoning_content : m->reasoning;
    struct rx_span j;
    rx_str one;
    struct ir_part *p = NULL;

    if (text.len > 0) {
        p = decode_part(d, to, IR_THINKING);
        if (p != NULL)
            p->thinking.text = text;
    }
    if (m->details.len == 0 || !walk_array(&j, m->details))
        return;
    struct ir_parts sealed = { 0 };
    while (walk_next(&j, &one))
        decode_detail(d, one, &sealed, text.len == 0);
    /* The seal of the text that stands beside it. */
    if (p != NULL && sealed.first != NULL && !sealed.first->thinking.redacted) {
        p->thinking.seal = sealed.first->thinking.seal;
        sealed.first = sealed.first->next;
        if (sealed.first == NULL)
            sealed.last = NULL;
    }
    ir_parts_join(to, &sealed);
}

static void
decode_assistant(struct decode *d, const struct message *m)
{
    struct ir_turn *t = decode_turn(d, IR_ASSISTANT);
    struct rx_span j;
    rx_str one;

    if (t == NULL)
        return;
    decode_reasoning(d, m, &t->parts);
    decode_content(d, m->content, &t->parts);
    if (m->refusal.len > 0) {
        struct ir_part *p = decode_part(d, &t->parts, IR_REFUSAL);
        if (p != NULL)
            p->text = m->refusal;
    }
    if (m->calls.len > 0 && walk_array(&j, m->calls)) {
        while (walk_next(&j, &one))
            decode_call(d, one, &t->parts);
    }
    if (m->function_call.len > 0)
        decode_call(d, m->function_call, &t->parts);
}

static void
decode_result(struct decode *d, const struct message *m)
{
    struct ir_turn *t = decode_turn(d, IR_USER);
    struct ir_part *p = NULL;

    if (t != NULL)
        p = decode_part(d, &t->parts, IR_TOOL_RESULT);
    if (p == NULL)
        return;
    p->result.call_id = m->call_id;
    p->result.name = m->name;
    decode_content(d, m->content, &p->result.parts);
}

static bool
decode_message(struct decode *d, rx_str value, bool *leading)
{
    struct message m = { 0 };

    WALK_VALUE(value, message_rows, &m);
    bool system = rx_str_eq(m.role, RX_S("system")) ||
                  rx_str_eq(m.role, RX_S("developer"));
    if (system && *leading) {
        decode_content(d, m.content, &d->r->system);
        return decode_ok(d);
    }
    *leading = false;
    if (rx_str_eq(m.role, RX_S("assistant"))) {
        decode_assistant(d, &m);
    } else if (rx_str_eq(m.role, RX_S("tool")) ||
               rx_str_eq(m.role, RX_S("function"))) {
        decode_result(d, &m);
    } else if (system || rx_str_eq(m.role, RX_S("user"))) {
        struct ir_turn *t = decode_turn(d, system ? IR_SYSTEM : IR_USER);
        if (t != NULL) {
            t->name = m.name;
            decode_content(d, m.content, &t->parts);
        }
    } else {
        return decode_fail(d, "messages[%u].role: is not known", d->turn);
    }
    return decode_ok(d);
}

static bool
decode_messages(struct decode *d, rx_str value)
{
    struct rx_span j;
    rx_str one;
    bool leading = true;

    if (!walk_array(&j, value))
        return decode_fail(d, "messages: must be a list");
    for (d->turn = 0; walk_next(&j, &one); d->turn++) {
        if (!decode_message(d, one, &leading))
            return false;
    }
    return !j.bad || decode_fail(d, "messages: is not valid JSON");
}

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

static bool
decode_tools(struct decode *d, rx_str value, bool legacy)
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

static bool
decode_choice(struct decode *d, rx_str value)
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
decode_reasoning_options(struct decode *d, const struct body *b)
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

static enum ir_tier
decode_tier(rx_str word)
{
    static const struct {
        rx_str word;
        enum ir_tier tier;
    } tiers[] = {
        { RX_STR_INIT("auto"), IR_TIER_AUTO },
        { RX_STR_INIT("default"), IR_TIER_STANDARD },
        { RX_STR_INIT("flex"), IR_TIER_FLEX },
        { RX_STR_INIT("priority"), IR_TIER_PRIORITY },
        { RX_STR_INIT("fast"), IR_TIER_FAST },
    };

    for (size_t i = 0; i < RX_COUNT(tiers); i++) {
        if (rx_str_eq(word, tiers[i].word))
            return tiers[i].tier;
    }
    return IR_TIER_UNSET;
}

static void
decode_numbers(struct ir_request *r, const struct body *b)
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

static bool
decode_rest(struct decode *d, const struct body *b)
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

enum rx_code
chat_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err)
{
    struct decode d = { .arena = arena, .r = request, .err = err };
    struct body b = { 0 };
    struct rx_span j;

    *err = (struct rx_err){ 0 };
    rx_span_init(&j, body);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return rx_fail(err, RX_INVALID, "the body must be a JSON object");
    const struct walk_row *wrong = WALK(&j, body_rows, &b);
    if (!decode_checked(&d, wrong))
        return err->code;
    if (!rx_span_finish(&j))
        return rx_fail(err, RX_INVALID, "the body is not valid JSON");
    if (decode_messages(&d, b.messages) && decode_tools(&d, b.tools, false) &&
        decode_tools(&d, b.functions, true) &&
        decode_choice(
            &d, b.tool_choice.len > 0 ? b.tool_choice : b.function_call))
        decode_rest(&d, &b);
    return err->code;
}
