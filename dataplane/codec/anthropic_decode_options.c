/* Requests of Anthropic Messages, from clients: all but the messages. */
#include <string.h>

#include "dataplane/codec/anthropic_decode.h"

/* --- tools ------------------------------------------------------------------------- */

struct tool {
    rx_str type, name, description;
    rx_str input_schema, cache_control, allowed, blocked, location;
    struct ir_int max_uses;
    enum ir_tri strict;
    bool defer;
};
static const struct walk_row tool_rows[] = {
    WALK_ROW(TEXT, tool, "type", type),
    WALK_ROW(TEXT, tool, "name", name),
    WALK_ROW(TEXT, tool, "description", description),
    WALK_ROW(RAW, tool, "input_schema", input_schema),
    WALK_ROW(RAW, tool, "cache_control", cache_control),
    WALK_ROW(RAW, tool, "allowed_domains", allowed),
    WALK_ROW(RAW, tool, "blocked_domains", blocked),
    WALK_ROW(RAW, tool, "user_location", location),
    WALK_ROW(INT, tool, "max_uses", max_uses),
    WALK_ROW(TRI, tool, "strict", strict),
    WALK_ROW(BOOL, tool, "defer_loading", defer),
};
static const struct walk_row location_rows[] = {
    WALK_ROW(TEXT, ir_tool, "city", search.city),
    WALK_ROW(TEXT, ir_tool, "region", search.region),
    WALK_ROW(TEXT, ir_tool, "country", search.country),
    WALK_ROW(TEXT, ir_tool, "timezone", search.timezone),
};

/* By what stands before the date. */
static const struct {
    rx_str prefix;
    enum ir_tool_kind kind;
} tool_kinds[] = {
    { RX_STR_INIT("custom"), IR_TOOL_FUNCTION },
    { RX_STR_INIT("bash_"), IR_TOOL_BUILTIN },
    { RX_STR_INIT("text_editor_"), IR_TOOL_BUILTIN },
    { RX_STR_INIT("memory_"), IR_TOOL_BUILTIN },
    { RX_STR_INIT("web_search_"), IR_TOOL_WEB_SEARCH },
    { RX_STR_INIT("web_fetch_"), IR_TOOL_WEB_FETCH },
    { RX_STR_INIT("code_execution_"), IR_TOOL_CODE },
};

static enum ir_tool_kind
tool_kind(rx_str type)
{
    if (type.len == 0)
        return IR_TOOL_FUNCTION;
    for (size_t i = 0; i < RX_COUNT(tool_kinds); i++) {
        if (rx_str_starts(type, tool_kinds[i].prefix))
            return tool_kinds[i].kind;
    }
    return IR_TOOL_OTHER;
}

static bool
decode_tool(struct decode *d, rx_str value, unsigned i)
{
    struct tool t = { 0 };
    const struct walk_row *wrong = WALK_VALUE(value, tool_rows, &t);
    struct ir_tool *out = ir_tool_add(d->arena, d->r);

    if (wrong != NULL || out == NULL || t.name.len == 0)
        return decode_fail(d, "tools[%u]: is not a tool", i);
    *out = (struct ir_tool){ .kind = tool_kind(t.type),
        .name = t.name,
        .description = t.description,
        .schema = t.input_schema,
        .strict = t.strict,
        .cache = anthropic_decode_cache(t.cache_control),
        .deferred = t.defer,
        .type = t.type,
        .raw = value };
    out->search.allow = t.allowed;
    out->search.block = t.blocked;
    out->search.max_uses = t.max_uses;
    if (t.location.len > 0)
        WALK_VALUE(t.location, location_rows, out);
    return true;
}

bool
anthropic_decode_tools(struct decode *d, rx_str value)
{
    struct rx_span j;
    rx_str one;

    if (value.len == 0)
        return true;
    if (!walk_array(&j, value))
        return decode_fail(d, "tools: must be a list");
    for (unsigned i = 0; walk_next(&j, &one); i++) {
        if (!decode_tool(d, one, i))
            return false;
    }
    return true;
}

struct choice {
    rx_str type, name;
    bool sequential;
};
static const struct walk_row choice_rows[] = {
    WALK_ROW(TEXT, choice, "type", type),
    WALK_ROW(TEXT, choice, "name", name),
    WALK_ROW(BOOL, choice, "disable_parallel_tool_use", sequential),
};

bool
anthropic_decode_choice(struct decode *d, rx_str value)
{
    static const struct {
        rx_str word;
        enum ir_choice choice;
    } words[] = {
        { RX_STR_INIT("auto"), IR_CHOICE_AUTO },
        { RX_STR_INIT("any"), IR_CHOICE_REQUIRED },
        { RX_STR_INIT("tool"), IR_CHOICE_NAMED },
        { RX_STR_INIT("none"), IR_CHOICE_NONE },
    };
    struct choice c = { 0 };

    if (value.len == 0)
        return true;
    WALK_VALUE(value, choice_rows, &c);
    d->r->choice_name = c.name;
    if (c.sequential)
        d->r->parallel = IR_NO;
    for (size_t i = 0; i < RX_COUNT(words); i++) {
        if (rx_str_eq(c.type, words[i].word)) {
            d->r->choice = words[i].choice;
            return true;
        }
    }
    return decode_fail(d, "tool_choice.type: must be auto, any, tool or none");
}

/* --- reasoning and output ------------------------------------------------------------ */

struct thinking {
    rx_str type, display;
    struct ir_int budget;
};
static const struct walk_row thinking_rows[] = {
    WALK_ROW(TEXT, thinking, "type", type),
    WALK_ROW(TEXT, thinking, "display", display),
    WALK_ROW(INT, thinking, "budget_tokens", budget),
};

struct config {
    rx_str effort, format, type, schema;
};
static const struct walk_row config_rows[] = {
    WALK_ROW(TEXT, config, "effort", effort),
    WALK_ROW(RAW, config, "format", format),
};
static const struct walk_row format_rows[] = {
    WALK_ROW(TEXT, config, "type", type),
    WALK_ROW(RAW, config, "schema", schema),
};

bool
anthropic_decode_thinking_config(struct decode *d, rx_str value)
{
    struct ir_reasoning *r = &d->r->reasoning;
    struct thinking t = { 0 };

    if (value.len == 0)
        return true;
    WALK_VALUE(value, thinking_rows, &t);
    if (rx_str_eq(t.type, RX_S("enabled")))
        r->mode = IR_THINK_ON;
    else if (rx_str_eq(t.type, RX_S("adaptive")))
        r->mode = IR_THINK_ADAPTIVE;
    else if (rx_str_eq(t.type, RX_S("disabled")))
        r->mode = IR_THINK_OFF;
    else
        return decode_fail(
            d, "thinking.type: must be enabled, adaptive or disabled");
    r->budget = t.budget;
    if (rx_str_eq(t.display, RX_S("omitted")))
        r->show = IR_SHOW_NONE;
    else if (r->mode != IR_THINK_OFF)
        r->show = IR_SHOW_SUMMARY;
    return true;
}

void
anthropic_decode_config(struct decode *d, rx_str value)
{
    struct config c = { 0 };

    if (value.len == 0)
        return;
    WALK_VALUE(value, config_rows, &c);
    d->r->reasoning.effort = decode_effort(c.effort);
    if (c.format.len == 0)
        return;
    WALK_VALUE(c.format, format_rows, &c);
    if (rx_str_eq(c.type, RX_S("json_schema"))) {
        d->r->output.format = IR_OUT_SCHEMA;
        d->r->output.schema = c.schema;
        d->r->output.strict = IR_YES;
    }
}

struct metadata {
    rx_str user_id;
};
static const struct walk_row metadata_rows[] = {
    WALK_ROW(TEXT, metadata, "user_id", user_id),
};

bool
anthropic_decode_rest(struct decode *d, const struct anthropic_body *b)
{
    struct metadata m = { 0 };
    struct ir_request *r = d->r;

    r->max_output = b->max_tokens;
    r->temperature = b->temperature;
    r->top_p = b->top_p;
    r->top_k = b->top_k;
    if (rx_str_eq(b->tier, RX_S("auto")))
        r->tier = IR_TIER_AUTO;
    else if (b->tier.len > 0)
        r->tier = IR_TIER_STANDARD;
    if (b->metadata.len > 0)
        WALK_VALUE(b->metadata, metadata_rows, &m);
    r->user_id = m.user_id;
    if (b->context_management.len > 0)
        ir_extra_add(
            d->arena, r, RX_S("context_management"), b->context_management);
    if (b->container.len > 0)
        ir_extra_add(d->arena, r, RX_S("container"), b->container);
    if (b->mcp_servers.len > 2)
        return decode_fail(
            d, "mcp_servers: only a channel of the same dialect can run them");
    return decode_names(d, "stop_sequences", b->stop, &r->stop);
}
