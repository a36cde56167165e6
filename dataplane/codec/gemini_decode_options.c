/* Requests of Gemini, from clients: tools and the generation's settings. */
#include "dataplane/codec/decode.h"
#include "dataplane/codec/gemini.h"
#include "dataplane/codec/schema.h"

#define BOTH(how, type, camel, snake, member) \
    WALK_ROW(how, type, camel, member), WALK_ROW(how, type, snake, member)
#define SCHEMA_MAX ((size_t)4 * 1024 * 1024)

/* --- schemas ------------------------------------------------------------------------ */

/* A schema in the manner of OpenAPI, as JSON Schema. */
static rx_str
from_proto(struct decode *d, rx_str schema, bool answer)
{
    struct ir_losses losses = { 0 };
    struct rx_buf out;
    struct schema_job job = { .schema = schema,
        .profile = SCHEMA_OPENAI,
        .answer = answer,
        .losses = &losses,
        .out = &out };

    if (schema.len == 0)
        return schema;
    rx_buf_init(&out, SCHEMA_MAX);
    rx_str made = { 0 };
    if (schema_clean(&job, d->err) == RX_OK)
        made = rx_arena_copy(d->arena, rx_buf_str(&out));
    rx_buf_fini(&out);
    return made;
}

/* --- tools -------------------------------------------------------------------------- */

struct tool {
    rx_str functions, search, old_search, fetch, code, maps, files, computer;
};
static const struct walk_row tool_rows[] = {
    BOTH(RAW, tool, "functionDeclarations", "function_declarations", functions),
    BOTH(RAW, tool, "googleSearch", "google_search", search),
    BOTH(RAW, tool, "googleSearchRetrieval", "google_search_retrieval",
        old_search),
    BOTH(RAW, tool, "urlContext", "url_context", fetch),
    BOTH(RAW, tool, "codeExecution", "code_execution", code),
    BOTH(RAW, tool, "googleMaps", "google_maps", maps),
    BOTH(RAW, tool, "fileSearch", "file_search", files),
    BOTH(RAW, tool, "computerUse", "computer_use", computer),
};

struct function {
    rx_str name, description, parameters, json_schema;
};
static const struct walk_row function_rows[] = {
    WALK_ROW(TEXT, function, "name", name),
    WALK_ROW(TEXT, function, "description", description),
    WALK_ROW(RAW, function, "parameters", parameters),
    BOTH(RAW, function, "parametersJsonSchema", "parameters_json_schema",
        json_schema),
};

static bool
decode_function(struct decode *d, rx_str value)
{
    struct function f = { 0 };

    WALK_VALUE(value, function_rows, &f);
    if (f.name.len == 0)
        return decode_fail(d, "tools.functionDeclarations.name: is required");
    struct ir_tool *t = ir_tool_add(d->arena, d->r);
    if (t == NULL)
        return decode_fail(d, "tools: are too many");
    t->kind = IR_TOOL_FUNCTION;
    t->name = f.name;
    t->description = f.description;
    t->schema = f.json_schema.len > 0 ? f.json_schema
                                      : from_proto(d, f.parameters, false);
    t->raw = value;
    return decode_ok(d);
}

static bool
decode_functions(struct decode *d, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0)
        return true;
    if (!walk_array(&j, list))
        return decode_fail(d, "tools.functionDeclarations: must be a list");
    while (walk_next(&j, &one)) {
        if (!decode_function(d, one))
            return false;
    }
    return true;
}

static bool
decode_hosted(
    struct decode *d, rx_str value, enum ir_tool_kind kind, const char *type)
{
    if (value.len == 0)
        return true;
    struct ir_tool *t = ir_tool_add(d->arena, d->r);
    if (t == NULL)
        return decode_fail(d, "tools: are too many");
    t->kind = kind;
    t->type = (rx_str){ type, strlen(type) };
    t->raw = value;
    return true;
}

static bool
decode_tool(struct decode *d, rx_str value)
{
    struct tool t = { 0 };
    rx_str search;

    WALK_VALUE(value, tool_rows, &t);
    search = t.search.len > 0 ? t.search : t.old_search;
    return decode_functions(d, t.functions) &&
           decode_hosted(d, search, IR_TOOL_WEB_SEARCH, "googleSearch") &&
           decode_hosted(d, t.fetch, IR_TOOL_WEB_FETCH, "urlContext") &&
           decode_hosted(d, t.code, IR_TOOL_CODE, "codeExecution") &&
           decode_hosted(d, t.maps, IR_TOOL_OTHER, "googleMaps") &&
           decode_hosted(d, t.files, IR_TOOL_OTHER, "fileSearch") &&
           decode_hosted(d, t.computer, IR_TOOL_OTHER, "computerUse");
}

struct choice {
    rx_str config, mode, names;
};
static const struct walk_row config_rows[] = {
    BOTH(RAW, choice, "functionCallingConfig", "function_calling_config",
        config),
};
static const struct walk_row choice_rows[] = {
    WALK_ROW(TEXT, choice, "mode", mode),
    BOTH(RAW, choice, "allowedFunctionNames", "allowed_function_names", names),
};

static bool
decode_choice(struct decode *d, rx_str value)
{
    struct ir_request *r = d->r;
    struct choice c = { 0 };

    if (value.len == 0)
        return true;
    WALK_VALUE(value, config_rows, &c);
    WALK_VALUE(c.config, choice_rows, &c);
    bool any = rx_str_ieq(c.mode, RX_S("ANY"));
    if (rx_str_ieq(c.mode, RX_S("NONE")))
        r->choice = IR_CHOICE_NONE;
    else if (any)
        r->choice = IR_CHOICE_REQUIRED;
    else if (rx_str_ieq(c.mode, RX_S("AUTO")) ||
             rx_str_ieq(c.mode, RX_S("VALIDATED")))
        r->choice = IR_CHOICE_AUTO;
    if (!any && !rx_str_ieq(c.mode, RX_S("VALIDATED")))
        return true;
    if (!decode_names(
            d, "toolConfig.allowedFunctionNames", c.names, &r->allowed))
        return false;
    if (r->allowed == NULL)
        return true;
    r->choice = IR_CHOICE_ALLOWED;
    r->allowed_required = any;
    if (any && r->allowed->next == NULL) {
        r->choice = IR_CHOICE_NAMED;
        r->choice_name = r->allowed->name;
    }
    return true;
}

bool
gemini_decode_tools(struct decode *d, rx_str tools, rx_str config)
{
    struct rx_span j;
    rx_str one;

    if (rx_span_kind_of(tools) == RX_SPAN_OBJECT)
        return decode_tool(d, tools) && decode_choice(d, config);
    if (tools.len > 0 && !walk_array(&j, tools))
        return decode_fail(d, "tools: must be a list");
    while (tools.len > 0 && walk_next(&j, &one)) {
        if (!decode_tool(d, one))
            return false;
    }
    return decode_choice(d, config);
}

/* --- settings ----------------------------------------------------------------------- */

struct generation {
    rx_str temperature, top_p, top_k, seed, presence, frequency, stop, mime,
        schema, json_schema, thinking, modalities;
    struct ir_int candidates, max_output, logprobs;
    bool with_logprobs;
};
static const struct walk_row generation_rows[] = {
    WALK_ROW(NUMBER, generation, "temperature", temperature),
    BOTH(NUMBER, generation, "topP", "top_p", top_p),
    BOTH(NUMBER, generation, "topK", "top_k", top_k),
    WALK_ROW(NUMBER, generation, "seed", seed),
    BOTH(NUMBER, generation, "presencePenalty", "presence_penalty", presence),
    BOTH(
        NUMBER, generation, "frequencyPenalty", "frequency_penalty", frequency),
    BOTH(RAW, generation, "stopSequences", "stop_sequences", stop),
    BOTH(INT, generation, "candidateCount", "candidate_count", candidates),
    BOTH(INT, generation, "maxOutputTokens", "max_output_tokens", max_output),
    BOTH(TEXT, generation, "responseMimeType", "response_mime_type", mime),
    BOTH(RAW, generation, "responseSchema", "response_schema", schema),
    BOTH(RAW, generation, "responseJsonSchema", "response_json_schema",
        json_schema),
    BOTH(BOOL, generation, "responseLogprobs", "response_logprobs",
        with_logprobs),
    WALK_ROW(INT, generation, "logprobs", logprobs),
    BOTH(RAW, generation, "thinkingConfig", "thinking_config", thinking),
    BOTH(RAW, generation, "responseModalities", "response_modalities",
        modalities),
};

struct thinking {
    enum ir_tri include;
    struct ir_int budget;
    rx_str level;
};
static const struct walk_row thinking_rows[] = {
    BOTH(TRI, thinking, "includeThoughts", "include_thoughts", include),
    BOTH(INT, thinking, "thinkingBudget", "thinking_budget", budget),
    BOTH(TEXT, thinking, "thinkingLevel", "thinking_level", level),
};

static void
decode_thinking(struct decode *d, rx_str value)
{
    struct ir_reasoning *r = &d->r->reasoning;
    struct thinking t = { 0 };

    if (value.len == 0)
        return;
    WALK_VALUE(value, thinking_rows, &t);
    if (t.include != IR_UNSET)
        r->show = t.include == IR_YES ? IR_SHOW_SUMMARY : IR_SHOW_NONE;
    r->effort = decode_effort(t.level);
    if (r->effort != IR_EFFORT_UNSET)
        r->mode = IR_THINK_ON;
    if (!t.budget.there)
        return;
    r->budget = t.budget;
    r->mode = t.budget.n == 0  ? IR_THINK_OFF
              : t.budget.n < 0 ? IR_THINK_ADAPTIVE
                               : IR_THINK_ON;
}

/* "text/x.enum": one of the schema's values, and nothing around it. */
static void
ask_for_enum(struct decode *d, rx_str schema)
{
    rx_str values = { 0 };
    struct rx_span j;

    rx_span_init(&j, schema);
    if (rx_span_kind(&j) == RX_SPAN_OBJECT) {
        rx_span_enter_object(&j);
        while (rx_span_member(&j, NULL))
            rx_span_skip(&j, rx_span_key_is(&j, RX_S("enum")) ? &values : NULL);
    }
    rx_str pieces[] = {
        RX_S("Answer with exactly one of these values and nothing else: "),
        ir_escape(d->arena, values)
    };
    decode_text(d, &d->r->system, ir_concat(d->arena, pieces, 2));
}

static bool
decode_output(struct decode *d, const struct generation *g)
{
    struct ir_output *o = &d->r->output;

    if (rx_str_eq(g->mime, RX_S("text/x.enum"))) {
        ask_for_enum(d, g->schema.len > 0 ? g->schema : g->json_schema);
        return decode_ok(d);
    }
    if (g->schema.len == 0 && g->json_schema.len == 0) {
        if (rx_str_eq(g->mime, RX_S("application/json")))
            o->format = IR_OUT_JSON;
        return true;
    }
    o->format = IR_OUT_SCHEMA;
    o->schema = g->json_schema.len > 0 ? g->json_schema
                                       : from_proto(d, g->schema, true);
    return decode_ok(d);
}

/* Pictures and speech are for models that make them. */
static bool
check_modalities(struct decode *d, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return true;
    while (walk_next(&j, &one)) {
        if (!rx_str_ieq(walk_text(one), RX_S("TEXT")))
            return decode_fail(d,
                "generationConfig.responseModalities: the chosen model "
                "answers in text only");
    }
    return true;
}

bool
gemini_decode_generation(struct decode *d, rx_str config)
{
    struct ir_request *r = d->r;
    struct generation g = { 0 };

    if (config.len == 0)
        return true;
    if (!decode_checked(d, WALK_VALUE(config, generation_rows, &g)))
        return false;
    r->temperature = g.temperature;
    r->top_p = g.top_p;
    r->top_k = g.top_k;
    r->seed = g.seed;
    r->presence_penalty = g.presence;
    r->frequency_penalty = g.frequency;
    r->n = g.candidates;
    r->max_output = g.max_output;
    if (g.with_logprobs)
        r->logprobs =
            (struct ir_int){ true, g.logprobs.there ? g.logprobs.n : 0 };
    decode_thinking(d, g.thinking);
    return check_modalities(d, g.modalities) && decode_output(d, &g) &&
           decode_names(d, "generationConfig.stopSequences", g.stop, &r->stop);
}
