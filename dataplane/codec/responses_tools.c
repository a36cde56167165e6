/* A client's request: its tools, and which of them may be called. */
#include "dataplane/codec/responses.h"

struct tool {
    rx_str type, name, description, search_context_size, execution; /* text */
    rx_str parameters, format, tools, filters, user_location,
        environment; /* raw */
    enum ir_tri strict;
    bool defer_loading;
    rx_str raw;
};

static const struct walk_row tool_rows[] = {
    WALK_ROW(TEXT, tool, "type", type),
    WALK_ROW(TEXT, tool, "name", name),
    WALK_ROW(TEXT, tool, "description", description),
    WALK_ROW(TEXT, tool, "search_context_size", search_context_size),
    WALK_ROW(TEXT, tool, "execution", execution),
    WALK_ROW(RAW, tool, "parameters", parameters),
    WALK_ROW(RAW, tool, "format", format),
    WALK_ROW(RAW, tool, "tools", tools),
    WALK_ROW(RAW, tool, "filters", filters),
    WALK_ROW(RAW, tool, "user_location", user_location),
    WALK_ROW(RAW, tool, "environment", environment),
    WALK_ROW(TRI, tool, "strict", strict),
    WALK_ROW(BOOL, tool, "defer_loading", defer_loading),
};

static void
decode_grammar(rx_str format, struct ir_tool *out)
{
    struct grammar {
        rx_str type, syntax, definition;
    } x = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, grammar, "type", type),
        WALK_ROW(TEXT, grammar, "syntax", syntax),
        WALK_ROW(TEXT, grammar, "definition", definition),
    };

    WALK_VALUE(format, rows, &x);
    out->grammar_syntax = x.syntax;
    out->grammar = x.definition;
}

static void
decode_search(const struct tool *t, struct ir_tool *out)
{
    struct filters {
        rx_str allowed, blocked;
    } f = { 0 };
    struct place {
        rx_str city, region, country, timezone;
    } p = { 0 };
    static const struct walk_row filter_rows[] = {
        WALK_ROW(RAW, filters, "allowed_domains", allowed),
        WALK_ROW(RAW, filters, "blocked_domains", blocked),
    };
    static const struct walk_row place_rows[] = {
        WALK_ROW(TEXT, place, "city", city),
        WALK_ROW(TEXT, place, "region", region),
        WALK_ROW(TEXT, place, "country", country),
        WALK_ROW(TEXT, place, "timezone", timezone),
    };

    WALK_VALUE(t->filters, filter_rows, &f);
    WALK_VALUE(t->user_location, place_rows, &p);
    out->search.allow = f.allowed;
    out->search.block = f.blocked;
    out->search.city = p.city;
    out->search.region = p.region;
    out->search.country = p.country;
    out->search.timezone = p.timezone;
    out->search.context_size = t->search_context_size;
}

static bool
is_hosted(const struct tool *t)
{
    if (rx_str_eq(t->type, RX_S("tool_search")))
        return !rx_str_eq(t->execution, RX_S("client"));
    return responses_is_hosted(t->environment);
}

static void
decode_builtin(const struct tool *t, const struct responses_builtin *own,
    struct ir_tool *out)
{
    out->kind = IR_TOOL_BUILTIN;
    out->name = own->type;
    out->description =
        t->description.len > 0 ? t->description : own->description;
    out->schema = t->parameters.len > 0 ? t->parameters : own->schema;
}

static enum ir_tool_kind
kind_of(rx_str type)
{
    if (rx_str_eq(type, RX_S("function")))
        return IR_TOOL_FUNCTION;
    if (rx_str_eq(type, RX_S("custom")))
        return IR_TOOL_CUSTOM;
    if (rx_str_starts(type, RX_S("web_search")))
        return IR_TOOL_WEB_SEARCH;
    if (rx_str_eq(type, RX_S("code_interpreter")))
        return IR_TOOL_CODE;
    return IR_TOOL_OTHER;
}

static void
decode_tool(struct decode *d, const struct tool *t, rx_str space)
{
    const struct responses_builtin *own = responses_builtin_of(t->type);
    struct ir_tool *out = ir_tool_add(d->arena, d->r);

    if (out == NULL) {
        rx_fail(d->err, RX_TOO_BIG, "the request is too large");
        return;
    }
    out->kind = kind_of(t->type);
    out->type = t->type;
    out->raw = t->raw;
    out->name = t->name;
    out->description = t->description;
    out->space = space;
    out->schema = t->parameters;
    out->strict = t->strict;
    out->deferred = t->defer_loading;
    if (own != NULL && !is_hosted(t))
        decode_builtin(t, own, out);
    else if (out->kind == IR_TOOL_CUSTOM)
        decode_grammar(t->format, out);
    else if (out->kind == IR_TOOL_WEB_SEARCH)
        decode_search(t, out);
    if (out->kind == IR_TOOL_WEB_SEARCH)
        out->name = RX_S("web_search");
}

static void decode_list(
    struct decode *d, rx_str list, rx_str space, unsigned depth);

static void
decode_element(
    struct decode *d, rx_str raw, rx_str space, unsigned depth, unsigned n)
{
    struct tool t = { .raw = raw };
    bool named;

    if (!RESPONSES_WALK(raw, tool_rows, &t) || t.type.len == 0) {
        decode_fail(d, "tools[%u].type: is missing", n);
        return;
    }
    if (rx_str_eq(t.type, RX_S("namespace")) && depth == 0) {
        decode_list(d, t.tools, t.name, depth + 1);
        return;
    }
    named = rx_str_eq(t.type, RX_S("function")) ||
            rx_str_eq(t.type, RX_S("custom"));
    /* Who searches for tools finds them all here already. */
    if (rx_str_eq(t.type, RX_S("tool_search")) && is_hosted(&t))
        return;
    if (named && t.name.len == 0)
        decode_fail(d, "tools[%u].name: is missing", n);
    else
        decode_tool(d, &t, space);
}

static void
decode_list(struct decode *d, rx_str list, rx_str space, unsigned depth)
{
    struct rx_span j;
    rx_str element;
    unsigned n = 0;

    for (bool is = walk_array(&j, list);
         is && decode_ok(d) && walk_next(&j, &element); n++)
        decode_element(d, element, space, depth, n);
}

void
responses_decode_tools(struct decode *d, rx_str tools)
{
    if (tools.len > 0 && rx_span_kind_of(tools) != RX_SPAN_ARRAY)
        decode_fail(d, "tools: must be a list");
    else
        decode_list(d, tools, RX_S(""), 0);
}

/* --- choice ------------------------------------------------------------------------ */

struct choice {
    rx_str type, name, mode, tools;
};

static const struct walk_row choice_rows[] = {
    WALK_ROW(TEXT, choice, "type", type),
    WALK_ROW(TEXT, choice, "name", name),
    WALK_ROW(TEXT, choice, "mode", mode),
    WALK_ROW(RAW, choice, "tools", tools),
};

/* Hosted and built-in tools are named by their type. */
static rx_str
name_of(const struct choice *c)
{
    if (c->name.len > 0)
        return c->name;
    return rx_str_starts(c->type, RX_S("web_search")) ? RX_S("web_search")
                                                      : c->type;
}

static void
decode_word(struct decode *d, rx_str word)
{
    if (rx_str_eq(word, RX_S("auto")))
        d->r->choice = IR_CHOICE_AUTO;
    else if (rx_str_eq(word, RX_S("none")))
        d->r->choice = IR_CHOICE_NONE;
    else if (rx_str_eq(word, RX_S("required")))
        d->r->choice = IR_CHOICE_REQUIRED;
    else
        decode_fail(d, "tool_choice: must be auto, none, required or a "
                       "tool");
}

static void
decode_allowed(struct decode *d, const struct choice *c)
{
    struct rx_span j;
    rx_str element;

    d->r->choice = IR_CHOICE_ALLOWED;
    d->r->allowed_required = rx_str_eq(c->mode, RX_S("required"));
    for (bool is = walk_array(&j, c->tools); is && walk_next(&j, &element);) {
        struct choice one = { 0 };
        WALK_VALUE(element, choice_rows, &one);
        ir_name_add(d->arena, &d->r->allowed, name_of(&one));
    }
}

void
responses_decode_choice(struct decode *d, rx_str raw)
{
    struct choice c = { 0 };

    if (raw.len == 0)
        return;
    if (rx_span_kind_of(raw) == RX_SPAN_STRING) {
        decode_word(d, walk_text(raw));
        return;
    }
    WALK_VALUE(raw, choice_rows, &c);
    if (c.type.len == 0) {
        decode_fail(d, "tool_choice.type: is missing");
    } else if (rx_str_eq(c.type, RX_S("allowed_tools"))) {
        decode_allowed(d, &c);
    } else {
        d->r->choice = IR_CHOICE_NAMED;
        d->r->choice_name = name_of(&c);
    }
}
