/*
 * The transformers, each with what it can be told.  That each one is built in
 * the data plane, with these options, is proved by its tests.
 */
#include <string.h>

#include "shared/header_rule.h"
#include "shared/transformers.h"

#define ANTHROPIC RX_TRANSFORMER_ANTHROPIC
#define CHAT      RX_TRANSFORMER_CHAT
#define RESPONSES RX_TRANSFORMER_RESPONSES
#define GEMINI    RX_TRANSFORMER_GEMINI
#define ALL       RX_TRANSFORMER_ALL

#define PATH_PIECES 16

#define OPTIONS(name) static const struct rx_transformer_option name[]

OPTIONS(maxtoken) = {
    { .name = "max_tokens",
        .type = RX_TRANSFORMER_INTEGER,
        .required = true,
        .min = 1,
        .max = 1e9,
        .help = "The most output tokens a request may ask for." },
    { .name = "mode",
        .type = RX_TRANSFORMER_WORD,
        .words = "clamp|default|set",
        .fallback = "\"clamp\"",
        .help = "clamp: lower what is higher; default: also set it when the "
                "request has none; set: always this." },
    { 0 },
};

OPTIONS(sampling) = {
    { .name = "max_tokens",
        .type = RX_TRANSFORMER_INTEGER,
        .min = 1,
        .max = 1e9,
        .help = "Lowers a higher limit of the request." },
    { .name = "temperature",
        .type = RX_TRANSFORMER_NUMBER,
        .min = 0,
        .max = 2,
        .help = "Set it." },
    { .name = "top_p",
        .type = RX_TRANSFORMER_NUMBER,
        .min = 0,
        .max = 1,
        .help = "Set it." },
    { .name = "top_k",
        .type = RX_TRANSFORMER_INTEGER,
        .min = 0,
        .max = 1e6,
        .help = "Set it." },
    { .name = "repetition_penalty",
        .type = RX_TRANSFORMER_NUMBER,
        .min = -10,
        .max = 10,
        .help = "Set it (Chat Completions only)." },
    { .name = "frequency_penalty",
        .type = RX_TRANSFORMER_NUMBER,
        .min = -2,
        .max = 2,
        .help = "Set it (Chat Completions and Gemini)." },
    { .name = "presence_penalty",
        .type = RX_TRANSFORMER_NUMBER,
        .min = -2,
        .max = 2,
        .help = "Set it (Chat Completions and Gemini)." },
    { .name = "max_temperature",
        .type = RX_TRANSFORMER_NUMBER,
        .min = 0,
        .max = 2,
        .help = "Lowers a higher temperature of the request." },
    { .name = "drop",
        .type = RX_TRANSFORMER_LIST,
        .help = "Remove these: temperature, top_p, top_k, "
                "repetition_penalty, frequency_penalty, presence_penalty, "
                "seed, stop." },
    { 0 },
};

OPTIONS(reasoning) = {
    { .name = "enable",
        .type = RX_TRANSFORMER_BOOL,
        .fallback = "true",
        .help = "false switches thinking off." },
    { .name = "effort",
        .type = RX_TRANSFORMER_WORD,
        .words = "minimal|low|medium|high|xhigh|max",
        .help = "How much, as a level.  Without effort and budget the "
                "request's own is taken." },
    { .name = "budget_tokens",
        .type = RX_TRANSFORMER_INTEGER,
        .min = 1,
        .max = 1e6,
        .help = "How much, in tokens." },
    { .name = "style",
        .type = RX_TRANSFORMER_WORD,
        .words = "auto|thinking|enable_thinking|effort|openrouter",
        .fallback = "\"auto\"",
        .help = "How a Chat Completions provider is told: thinking {type, "
                "budget_tokens}; enable_thinking and thinking_budget; "
                "reasoning_effort; reasoning {…}.  auto: the first two." },
    { 0 },
};

OPTIONS(forcereasoning) = {
    { .name = "prompt",
        .type = RX_TRANSFORMER_TEXT,
        .help = "Words that ask for the tags, instead of our own." },
    { .name = "turns",
        .type = RX_TRANSFORMER_INTEGER,
        .fallback = "10",
        .min = 0,
        .max = 1000,
        .help = "Of so many last answers the reasoning is shown again." },
    { 0 },
};

OPTIONS(extrathinktag) = {
    { .name = "tag",
        .type = RX_TRANSFORMER_TEXT,
        .fallback = "\"think\"",
        .help = "The name of the tag around the reasoning." },
    { 0 },
};

OPTIONS(cachecontrol) = {
    { .name = "inject",
        .type = RX_TRANSFORMER_BOOL,
        .fallback = "true",
        .help = "Mark tools, system and the last turns when the request has "
                "no mark of its own." },
    { .name = "ttl",
        .type = RX_TRANSFORMER_WORD,
        .words = "5m|1h",
        .fallback = "\"5m\"",
        .help = "1h: give this life to our marks and to the request's that "
                "do not say." },
    { .name = "marks",
        .type = RX_TRANSFORMER_INTEGER,
        .fallback = "4",
        .min = 1,
        .max = 4,
        .help = "At most so many marks; the oldest are removed." },
    { 0 },
};

OPTIONS(paramoverride) = {
    { .name = "set",
        .type = RX_TRANSFORMER_OBJECT,
        .help = "Path: value, set always." },
    { .name = "default",
        .type = RX_TRANSFORMER_OBJECT,
        .help = "Path: value, set where there is none." },
    { .name = "delete",
        .type = RX_TRANSFORMER_LIST,
        .help = "Paths to be removed." },
    { .name = "move",
        .type = RX_TRANSFORMER_OBJECT,
        .help = "Path: new path." },
    { .name = "when",
        .type = RX_TRANSFORMER_OBJECT,
        .help = "Only if all hold: path: value, or path: {\"exists\", \"eq\", "
                "\"ne\", \"gt\", \"lt\", \"in\", \"contains\": …}." },
    { 0 },
};

OPTIONS(headers) = {
    { .name = "set",
        .type = RX_TRANSFORMER_OBJECT,
        .help = "Name: value, instead of what is there." },
    { .name = "append",
        .type = RX_TRANSFORMER_OBJECT,
        .help = "Name: value, joined to a list that is there with a comma." },
    { .name = "remove",
        .type = RX_TRANSFORMER_LIST,
        .help = "Names of headers not to be sent." },
    { 0 },
};

OPTIONS(systemprompt) = {
    { .name = "prepend",
        .type = RX_TRANSFORMER_TEXT,
        .help = "Put before the system prompt." },
    { .name = "append",
        .type = RX_TRANSFORMER_TEXT,
        .help = "Put behind the system prompt." },
    { .name = "replace",
        .type = RX_TRANSFORMER_TEXT,
        .help = "The system prompt, whatever the request says." },
    { 0 },
};

OPTIONS(deepseek) = {
    { .name = "max_tokens",
        .type = RX_TRANSFORMER_INTEGER,
        .min = 1,
        .max = 1e9,
        .help = "Lowers a higher limit; without it deepseek-chat is held to "
                "8192 and deepseek-reasoner to 65536." },
    { 0 },
};

OPTIONS(azure) = {
    { .name = "api_version",
        .type = RX_TRANSFORMER_TEXT,
        .fallback = "\"2024-10-21\"",
        .help = "Of the deployment paths." },
    { .name = "deployment",
        .type = RX_TRANSFORMER_TEXT,
        .help = "Name of the deployment; without it the model's name." },
    { .name = "surface",
        .type = RX_TRANSFORMER_WORD,
        .words = "deployments|v1",
        .fallback = "\"deployments\"",
        .help = "v1: /openai/v1, which needs no version." },
    { 0 },
};

OPTIONS(vertex) = {
    { .name = "project",
        .type = RX_TRANSFORMER_TEXT,
        .required = true,
        .help = "Id of the Google Cloud project." },
    { .name = "location",
        .type = RX_TRANSFORMER_TEXT,
        .fallback = "\"global\"",
        .help = "Region, as in the base URL." },
    { 0 },
};

OPTIONS(gemini_schema) = {
    { .name = "profile",
        .type = RX_TRANSFORMER_WORD,
        .words = "auto|proto|json",
        .fallback = "\"auto\"",
        .help = "proto: the OpenAPI subset of \"parameters\"; json: what "
                "\"parametersJsonSchema\" takes; auto: by the field." },
    { 0 },
};

/* ---- what types do not say ---------------------------------------------- */

static void
check_path(rx_json v, rx_str path)
{
    rx_str piece;
    size_t n = 0;
    bool good = path.len > 0;

    while (good && rx_transformer_path(&path, &piece)) {
        good = piece.len > 0 && ++n <= PATH_PIECES;
    }
    if (!good)
        rx_json_wrong(v, "is not a path like a.b or /a/b");
}

static void
check_keys(rx_json map)
{
    for (rx_json v = rx_json_first(map); rx_json_there(v); v = rx_json_next(v))
        check_path(v, rx_json_name(v));
}

static void
check_condition(rx_json v)
{
    static const char *const known[] = { "exists", "eq", "ne", "gt", "lt", "in",
        "contains" };

    if (rx_json_kind(v) != RX_JSON_OBJECT)
        return;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        rx_json_member(v, known[i]);
    rx_json_no_more(v);
    rx_json in = rx_json_find(v, "in");
    if (rx_json_there(in))
        rx_json_want(in, RX_JSON_ARRAY);
    rx_json exists = rx_json_find(v, "exists");
    if (rx_json_there(exists))
        rx_json_want(exists, RX_JSON_BOOL);
}

static void
check_paramoverride(rx_json step, rx_json options)
{
    rx_json move = rx_json_find(options, "move");
    rx_json delete = rx_json_find(options, "delete");
    rx_json when = rx_json_find(options, "when");

    (void)step;
    check_keys(rx_json_find(options, "set"));
    check_keys(rx_json_find(options, "default"));
    check_keys(move);
    check_keys(when);
    for (rx_json v = rx_json_first(move); rx_json_there(v); v = rx_json_next(v))
        if (rx_json_want(v, RX_JSON_STRING))
            check_path(v, rx_json_str(v));
    for (rx_json v = rx_json_first(delete); rx_json_there(v);
         v = rx_json_next(v))
        check_path(v, rx_json_str(v));
    for (rx_json v = rx_json_first(when); rx_json_there(v); v = rx_json_next(v))
        check_condition(v);
}

static void
check_header(rx_json v, rx_str name, rx_str value)
{
    const char *wrong = rx_header_refuse(name, value);

    if (wrong != NULL)
        rx_json_wrong(v, "%s", wrong);
}

static void
check_headers(rx_json step, rx_json options)
{
    static const char *const maps[] = { "set", "append" };

    (void)step;
    for (size_t i = 0; i < 2; i++) {
        rx_json map = rx_json_find(options, maps[i]);
        for (rx_json v = rx_json_first(map); rx_json_there(v);
             v = rx_json_next(v))
            if (rx_json_want(v, RX_JSON_STRING))
                check_header(v, rx_json_name(v), rx_json_str(v));
    }
    rx_json remove = rx_json_find(options, "remove");
    for (rx_json v = rx_json_first(remove); rx_json_there(v);
         v = rx_json_next(v))
        check_header(v, rx_json_str(v), (rx_str){ 0 });
}

static void
check_sampling(rx_json step, rx_json options)
{
    static const char *const known[] = { "temperature", "top_p", "top_k",
        "repetition_penalty", "frequency_penalty", "presence_penalty", "seed",
        "stop" };
    rx_json drop = rx_json_find(options, "drop");

    (void)step;
    for (rx_json v = rx_json_first(drop); rx_json_there(v);
         v = rx_json_next(v)) {
        bool good = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            rx_str s = rx_json_str(v);
            rx_str k = { known[i], strlen(known[i]) };
            good = good || rx_str_eq(s, k);
        }
        if (!good)
            rx_json_wrong(v, "is not a parameter of sampling");
    }
}

/* The word goes into a path of the provider's. */
static void
check_segment(rx_json options, const char *name)
{
    rx_json v = rx_json_find(options, name);
    rx_str s = rx_json_str(v);
    bool good = s.len > 0 && s.len <= 128;

    for (size_t i = 0; good && i < s.len; i++) {
        char c = s.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    }
    if (rx_json_there(v) && !good)
        rx_json_wrong(v, "must be of letters, digits, '-', '_' and '.'");
}

static void
check_azure(rx_json step, rx_json options)
{
    (void)step;
    check_segment(options, "api_version");
    check_segment(options, "deployment");
}

static void
check_vertex(rx_json step, rx_json options)
{
    (void)step;
    check_segment(options, "project");
    check_segment(options, "location");
}

static void
check_tag(rx_json step, rx_json options)
{
    (void)step;
    check_segment(options, "tag");
}

static void
check_systemprompt(rx_json step, rx_json options)
{
    if (rx_json_count(options) == 0)
        rx_json_wrong(step, "needs \"prepend\", \"append\" or \"replace\"");
}

/* ---- the table ---------------------------------------------------------- */

#define BOTH    .request = true, .response = true
#define REQUEST .request = true

const struct rx_transformer rx_transformers[] = {
    { "maxtoken", "Holds the limit of output tokens down.", ALL, REQUEST,
        .options = maxtoken },
    { "maxcompletiontokens",
        "Sends max_completion_tokens instead of max_tokens.", CHAT, REQUEST },
    { "sampling", "Sets, lowers or removes sampling parameters.", ALL, REQUEST,
        .options = sampling, .check = check_sampling },
    { "reasoning",
        "Switches thinking on or off, and gives reasoning_content whatever "
        "the provider calls it.",
        ALL, BOTH, .options = reasoning },
    { "forcereasoning",
        "Asks a model without thinking to think in tags, and turns them into "
        "reasoning_content.",
        CHAT, BOTH, .options = forcereasoning },
    { "extrathinktag",
        "Turns <think>…</think> in answers into "
        "reasoning_content.",
        CHAT, .response = true, .options = extrathinktag, .check = check_tag },
    { "cleancache", "Removes every cache_control mark.", ANTHROPIC | CHAT,
        REQUEST },
    { "cachecontrol", "Marks what is worth caching with cache_control.",
        ANTHROPIC | CHAT, REQUEST, .options = cachecontrol },
    { "tooluse",
        "Makes the model call a tool each turn, with one to end by; its call "
        "becomes plain text.",
        CHAT, BOTH },
    { "enhancetool", "Repairs broken JSON in the arguments of tool calls.",
        ANTHROPIC | CHAT, .response = true },
    { "streamoptions",
        "Asks for usage in streams, and hides it from a client that did not.",
        CHAT, BOTH },
    { "customparams",
        "Merges its options into the request; what the request says wins.", ALL,
        REQUEST, .open = true },
    { "paramoverride", "Sets, removes and moves fields of the request.", ALL,
        REQUEST, .options = paramoverride, .check = check_paramoverride },
    { "headers", "Sets, appends and removes headers of the request.", ALL,
        REQUEST, .options = headers, .check = check_headers },
    { "systemprompt",
        "Puts text before, behind or instead of the system "
        "prompt.",
        ALL, REQUEST, .options = systemprompt, .check = check_systemprompt },
    { "deepseek", "What DeepSeek wants differently.", CHAT, REQUEST,
        .options = deepseek },
    { "openrouter",
        "What OpenRouter wants differently; its options (provider, models, "
        "transforms …) go into the request.",
        CHAT, BOTH, .open = true },
    { "groq", "What Groq wants differently.", CHAT, BOTH },
    { "mistral", "What Mistral wants differently.", CHAT, BOTH },
    { "xai", "What xAI wants differently.", CHAT, BOTH },
    { "qwen", "What Qwen on DashScope wants differently.", CHAT, BOTH },
    { "kimi", "What Moonshot's Kimi wants differently.", CHAT, BOTH },
    { "zhipu", "What Zhipu's GLM wants differently.", CHAT, REQUEST },
    { "azure", "The paths of Azure OpenAI.", CHAT | RESPONSES, REQUEST,
        .options = azure, .check = check_azure },
    { "codex", "What ChatGPT's back end for Codex wants differently.",
        RESPONSES, REQUEST },
    { "vertex", "The paths of Google Vertex AI, for Gemini and Claude.",
        ANTHROPIC | GEMINI, REQUEST, .options = vertex, .check = check_vertex },
    { "bedrock", "Claude on Amazon Bedrock: its paths, its frames, its errors.",
        ANTHROPIC, BOTH },
    { "cerebras", "What Cerebras wants differently.", CHAT, BOTH },
    { "gemini-schema",
        "Makes the JSON Schema of tools and answers one that Gemini takes.",
        CHAT | GEMINI, REQUEST, .options = gemini_schema },
    { 0 },
};
