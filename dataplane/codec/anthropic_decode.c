/* Requests of Anthropic Messages, from clients. */
#include <string.h>

#include "dataplane/codec/anthropic.h"
#include "dataplane/codec/decode.h"

struct body {
    rx_str messages, system, metadata, stop, thinking, output_config, tools,
        tool_choice, cache_control, container, context_management, mcp_servers;
    rx_str temperature, top_p, top_k, tier;
    struct ir_int max_tokens;
};
static const struct walk_row body_rows[] = {
    WALK_ROW(RAW, body, "messages", messages),
    WALK_ROW(RAW, body, "system", system),
    WALK_ROW(RAW, body, "metadata", metadata),
    WALK_ROW(RAW, body, "stop_sequences", stop),
    WALK_ROW(RAW, body, "thinking", thinking),
    WALK_ROW(RAW, body, "output_config", output_config),
    WALK_ROW(RAW, body, "tools", tools),
    WALK_ROW(RAW, body, "tool_choice", tool_choice),
    WALK_ROW(RAW, body, "cache_control", cache_control),
    WALK_ROW(RAW, body, "container", container),
    WALK_ROW(RAW, body, "context_management", context_management),
    WALK_ROW(RAW, body, "mcp_servers", mcp_servers),
    WALK_ROW(NUMBER, body, "temperature", temperature),
    WALK_ROW(NUMBER, body, "top_p", top_p),
    WALK_ROW(NUMBER, body, "top_k", top_k),
    WALK_ROW(TEXT, body, "service_tier", tier),
    WALK_ROW(INT, body, "max_tokens", max_tokens),
};

struct message {
    rx_str role, content;
};
static const struct walk_row message_rows[] = {
    WALK_ROW(TEXT, message, "role", role),
    WALK_ROW(RAW, message, "content", content),
};

struct block {
    rx_str type, text, thinking, signature, data, id, name, tool_use_id, title,
        context;
    rx_str input, content, source, citations, cache_control;
    bool is_error;
};
static const struct walk_row block_rows[] = {
    WALK_ROW(TEXT, block, "type", type),
    WALK_ROW(TEXT, block, "text", text),
    WALK_ROW(TEXT, block, "thinking", thinking),
    WALK_ROW(TEXT, block, "signature", signature),
    WALK_ROW(TEXT, block, "data", data),
    WALK_ROW(TEXT, block, "id", id),
    WALK_ROW(TEXT, block, "name", name),
    WALK_ROW(TEXT, block, "tool_use_id", tool_use_id),
    WALK_ROW(TEXT, block, "title", title),
    WALK_ROW(TEXT, block, "context", context),
    WALK_ROW(RAW, block, "input", input),
    WALK_ROW(RAW, block, "content", content),
    WALK_ROW(RAW, block, "source", source),
    WALK_ROW(RAW, block, "citations", citations),
    WALK_ROW(RAW, block, "cache_control", cache_control),
    WALK_ROW(BOOL, block, "is_error", is_error),
};

struct source {
    rx_str type, media_type, data, url, file_id, content;
};
static const struct walk_row source_rows[] = {
    WALK_ROW(TEXT, source, "type", type),
    WALK_ROW(TEXT, source, "media_type", media_type),
    WALK_ROW(TEXT, source, "data", data),
    WALK_ROW(TEXT, source, "url", url),
    WALK_ROW(TEXT, source, "file_id", file_id),
    WALK_ROW(RAW, source, "content", content),
};

struct cache {
    rx_str type, ttl;
};
static const struct walk_row cache_rows[] = {
    WALK_ROW(TEXT, cache, "type", type),
    WALK_ROW(TEXT, cache, "ttl", ttl),
};

#define DEPTH_MAX 4

static void decode_content(
    struct decode *d, rx_str value, struct ir_parts *to, unsigned depth);

static enum ir_cache
decode_cache(rx_str value)
{
    struct cache c = { 0 };

    if (value.len == 0)
        return IR_CACHE_NONE;
    WALK_VALUE(value, cache_rows, &c);
    return rx_str_eq(c.ttl, RX_S("1h")) ? IR_CACHE_1H : IR_CACHE_5M;
}

/* --- blocks --------------------------------------------------------------------- */

static bool
decode_media(struct decode *d, const struct block *b, enum ir_media_kind kind,
    struct ir_part *p, unsigned depth)
{
    struct source s = { 0 };
    struct ir_media *m = &p->media;

    WALK_VALUE(b->source, source_rows, &s);
    m->kind = kind;
    m->mime = s.media_type;
    m->title = b->title;
    m->context = b->context;
    if (rx_str_eq(s.type, RX_S("base64"))) {
        m->source = IR_INLINE;
        m->data = s.data;
    } else if (rx_str_eq(s.type, RX_S("url"))) {
        m->source = IR_URL;
        m->data = s.url;
    } else if (rx_str_eq(s.type, RX_S("file"))) {
        m->source = IR_FILE_ID;
        m->data = s.file_id;
    } else if (rx_str_eq(s.type, RX_S("text"))) {
        m->source = IR_PLAIN;
        m->data = s.data;
    } else if (rx_str_eq(s.type, RX_S("content"))) {
        m->source = IR_PARTS;
        decode_content(d, s.content, &m->parts, depth + 1);
    } else {
        return decode_fail_part(d, "source.type is not known");
    }
    return true;
}

static void
decode_result(
    struct decode *d, const struct block *b, struct ir_part *p, unsigned depth)
{
    p->result.call_id = b->tool_use_id;
    p->result.is_error = b->is_error;
    if (b->content.len > 0)
        decode_content(d, b->content, &p->result.parts, depth + 1);
}

static void
decode_call(const struct block *b, struct ir_part *p, enum ir_call_kind kind)
{
    p->call.kind = kind;
    p->call.id = b->id;
    p->call.name = b->name;
    p->call.args.s = b->input.len > 0 ? b->input : RX_S("{}");
}

static void
decode_thinking(const struct block *b, struct ir_part *p, bool redacted)
{
    p->thinking.text = b->thinking;
    p->thinking.redacted = redacted;
    p->thinking.seal =
        (struct ir_opaque){ .bytes = redacted ? b->data : b->signature,
            .dialect = DIALECT_ANTHROPIC,
            .kind = redacted ? 'r' : 's' };
}

static void
decode_search(
    struct decode *d, const struct block *b, struct ir_part *p, unsigned depth)
{
    p->search.source = walk_text(b->source);
    p->search.title = b->title;
    decode_content(d, b->content, &p->search.parts, depth + 1);
}

static bool
ends_with(rx_str s, rx_str end)
{
    return s.len > end.len &&
           rx_str_eq((rx_str){ s.ptr + s.len - end.len, end.len }, end);
}

static const struct {
    rx_str type;
    enum ir_part_kind kind;
} kinds[] = {
    { RX_STR_INIT("text"), IR_TEXT },
    { RX_STR_INIT("image"), IR_MEDIA },
    { RX_STR_INIT("document"), IR_MEDIA },
    { RX_STR_INIT("thinking"), IR_THINKING },
    { RX_STR_INIT("redacted_thinking"), IR_THINKING },
    { RX_STR_INIT("tool_use"), IR_TOOL_CALL },
    { RX_STR_INIT("server_tool_use"), IR_TOOL_CALL },
    { RX_STR_INIT("mcp_tool_use"), IR_TOOL_CALL },
    { RX_STR_INIT("tool_result"), IR_TOOL_RESULT },
    { RX_STR_INIT("search_result"), IR_SEARCH_RESULT },
};

static enum ir_part_kind
kind_of(rx_str type)
{
    for (size_t i = 0; i < RX_COUNT(kinds); i++) {
        if (rx_str_eq(kinds[i].type, type))
            return kinds[i].kind;
    }
    return ends_with(type, RX_S("_tool_result")) ? IR_SERVER_RESULT : IR_OPAQUE;
}

static void
decode_block(
    struct decode *d, rx_str value, struct ir_parts *to, unsigned depth)
{
    struct block b = { 0 };
    const struct walk_row *wrong = WALK_VALUE(value, block_rows, &b);

    if (wrong != NULL || b.type.len == 0) {
        decode_fail_part(d, wrong != NULL ? "a member has the wrong type"
                                          : "type: is required");
        return;
    }
    struct ir_part *p = decode_part(d, to, kind_of(b.type));
    if (p == NULL)
        return;
    p->cache = decode_cache(b.cache_control);
    switch (p->kind) {
    case IR_TEXT: p->text = b.text; break;
    case IR_MEDIA:
        decode_media(d, &b,
            rx_str_eq(b.type, RX_S("image")) ? IR_IMAGE : IR_DOCUMENT, p,
            depth);
        break;
    case IR_THINKING: decode_thinking(&b, p, b.type.len > 8); break;
    case IR_TOOL_CALL:
        decode_call(&b, p, b.type.len == 8 ? IR_CALL_FUNCTION : IR_CALL_SERVER);
        break;
    case IR_TOOL_RESULT: decode_result(d, &b, p, depth); break;
    case IR_SEARCH_RESULT: decode_search(d, &b, p, depth); break;
    case IR_SERVER_RESULT:
        p->server.call_id = b.tool_use_id;
        p->server.raw = value;
        p->server.dialect = DIALECT_ANTHROPIC;
        break;
    default:
        p->opaque.type = b.type;
        p->opaque.raw = value;
        p->opaque.dialect = DIALECT_ANTHROPIC;
        break;
    }
}

/* A string, or a list of blocks. */
static void
decode_content(
    struct decode *d, rx_str value, struct ir_parts *to, unsigned depth)
{
    struct rx_span j;
    rx_str one;
    uint32_t index = d->index;

    if (rx_span_kind_of(value) == RX_SPAN_STRING) {
        decode_text(d, to, walk_text(value));
        return;
    }
    if (depth > DEPTH_MAX || !walk_array(&j, value)) {
        decode_fail_part(d, "content must be a string or a list of blocks");
        return;
    }
    for (uint32_t i = 0; decode_ok(d) && walk_next(&j, &one); i++) {
        if (depth == 0)
            d->index = i;
        decode_block(d, one, to, depth);
    }
    d->index = index;
    if (j.bad)
        decode_fail_part(d, "is not valid JSON");
}

/* --- conversation ----------------------------------------------------------------- */

static bool
decode_message(struct decode *d, rx_str value)
{
    static const struct {
        rx_str word;
        enum ir_role role;
    } roles[] = {
        { RX_STR_INIT("user"), IR_USER },
        { RX_STR_INIT("assistant"), IR_ASSISTANT },
        { RX_STR_INIT("system"), IR_SYSTEM },
    };
    struct message m = { 0 };

    WALK_VALUE(value, message_rows, &m);
    for (size_t i = 0; i < RX_COUNT(roles); i++) {
        if (!rx_str_eq(m.role, roles[i].word))
            continue;
        struct ir_turn *t = decode_turn(d, roles[i].role);
        if (t != NULL && m.content.len > 0)
            decode_content(d, m.content, &t->parts, 0);
        return decode_ok(d);
    }
    return decode_fail(
        d, "messages[%u].role: must be user, assistant or system", d->turn);
}

static bool
decode_messages(struct decode *d, rx_str value)
{
    struct rx_span j;
    rx_str one;

    if (!walk_array(&j, value))
        return decode_fail(d, "messages: must be a list");
    for (d->turn = 0; walk_next(&j, &one); d->turn++) {
        if (!decode_message(d, one))
            return false;
    }
    return !j.bad || decode_fail(d, "messages: is not valid JSON");
}

/* Claude Code's billing note changes with each request: it would spoil every
 * cache behind it, and is nobody else's business. */
static void
drop_billing(struct ir_parts *system)
{
    struct ir_parts kept = { 0 };

    for (struct ir_part *p = system->first, *next; p != NULL; p = next) {
        next = p->next;
        if (p->kind != IR_TEXT ||
            !rx_str_starts(p->text, RX_S("x-anthropic-billing-header:")))
            ir_part_append(&kept, p);
    }
    *system = kept;
}

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
        .cache = decode_cache(t.cache_control),
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

static bool
decode_tools(struct decode *d, rx_str value)
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

static bool
decode_choice(struct decode *d, rx_str value)
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

static bool
decode_thinking_config(struct decode *d, rx_str value)
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

static void
decode_config(struct decode *d, rx_str value)
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

static bool
decode_rest(struct decode *d, const struct body *b)
{
    struct metadata m = { 0 };
    struct ir_request *r = d->r;

    r->max_output = b->max_tokens;
    r->temperature = b->temperature;
    r->top_p = b->top_p;
    r->top_k = b->top_k;
    r->cache_auto = b->cache_control.len > 0;
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

enum rx_code
anthropic_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err)
{
    struct decode d = { .arena = arena, .r = request, .err = err };
    struct body b = { 0 };
    struct rx_span j;

    *err = (struct rx_err){ 0 };
    request->stream_usage = true;
    rx_span_init(&j, body);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return rx_fail(err, RX_INVALID, "the body must be a JSON object");
    const struct walk_row *wrong = WALK(&j, body_rows, &b);
    if (!decode_checked(&d, wrong))
        return err->code;
    if (!rx_span_finish(&j))
        return rx_fail(err, RX_INVALID, "the body is not valid JSON");
    if (b.system.len > 0)
        decode_content(&d, b.system, &request->system, 0);
    drop_billing(&request->system);
    if (decode_ok(&d) && decode_messages(&d, b.messages) &&
        decode_tools(&d, b.tools) && decode_choice(&d, b.tool_choice) &&
        decode_thinking_config(&d, b.thinking)) {
        decode_config(&d, b.output_config);
        decode_rest(&d, &b);
    }
    return err->code;
}
