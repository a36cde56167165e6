/* Requests of Anthropic Messages, from clients. */
#include "dataplane/codec/anthropic_decode.h"

#include <string.h>

static const struct walk_row body_rows[] = {
    WALK_ROW(RAW, anthropic_body, "messages", messages),
    WALK_ROW(RAW, anthropic_body, "system", system),
    WALK_ROW(RAW, anthropic_body, "metadata", metadata),
    WALK_ROW(RAW, anthropic_body, "stop_sequences", stop),
    WALK_ROW(RAW, anthropic_body, "thinking", thinking),
    WALK_ROW(RAW, anthropic_body, "output_config", output_config),
    WALK_ROW(RAW, anthropic_body, "tools", tools),
    WALK_ROW(RAW, anthropic_body, "tool_choice", tool_choice),
    WALK_ROW(RAW, anthropic_body, "container", container),
    WALK_ROW(RAW, anthropic_body, "context_management", context_management),
    WALK_ROW(RAW, anthropic_body, "mcp_servers", mcp_servers),
    WALK_ROW(NUMBER, anthropic_body, "temperature", temperature),
    WALK_ROW(NUMBER, anthropic_body, "top_p", top_p),
    WALK_ROW(NUMBER, anthropic_body, "top_k", top_k),
    WALK_ROW(TEXT, anthropic_body, "service_tier", tier),
    WALK_ROW(INT, anthropic_body, "max_tokens", max_tokens),
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

enum ir_cache
anthropic_decode_cache(rx_str value)
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
    struct decode *d, struct rx_span *j, struct ir_parts *to, unsigned depth)
{
    struct block b = { 0 };
    rx_str value = walk_here(j);
    const struct walk_row *wrong = WALK(j, block_rows, &b);

    if (wrong != NULL || b.type.len == 0) {
        decode_fail_part(d, wrong != NULL ? "a member has the wrong type"
                                          : "type: is required");
        return;
    }
    value.len = (size_t)(j->at - value.ptr);
    struct ir_part *p = decode_part(d, to, kind_of(b.type));
    if (p == NULL)
        return;
    p->cache = anthropic_decode_cache(b.cache_control);
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
    uint32_t index = d->index;

    if (rx_span_kind_of(value) == RX_SPAN_STRING) {
        decode_text(d, to, walk_text(value));
        return;
    }
    if (depth > DEPTH_MAX || !walk_array(&j, value)) {
        decode_fail_part(d, "content must be a string or a list of blocks");
        return;
    }
    for (uint32_t i = 0; decode_ok(d) && rx_span_element(&j); i++) {
        if (depth == 0)
            d->index = i;
        decode_block(d, &j, to, depth);
    }
    d->index = index;
    if (j.bad)
        decode_fail_part(d, "is not valid JSON");
}

/* --- conversation ----------------------------------------------------------------- */

static bool
decode_message(struct decode *d, struct rx_span *j)
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

    WALK(j, message_rows, &m);
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

    if (!walk_array(&j, value))
        return decode_fail(d, "messages: must be a list");
    for (d->turn = 0; rx_span_element(&j); d->turn++) {
        if (!decode_message(d, &j))
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

enum rx_code
anthropic_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err)
{
    struct decode d = { .arena = arena, .r = request, .err = err };
    struct anthropic_body b = { 0 };

    request->stream_usage = true;
    if (!decode_object(&d, body, body_rows, RX_COUNT(body_rows), &b))
        return err->code;
    if (b.system.len > 0)
        decode_content(&d, b.system, &request->system, 0);
    drop_billing(&request->system);
    if (decode_ok(&d) && decode_messages(&d, b.messages) &&
        anthropic_decode_tools(&d, b.tools) &&
        anthropic_decode_choice(&d, b.tool_choice) &&
        anthropic_decode_thinking_config(&d, b.thinking)) {
        anthropic_decode_config(&d, b.output_config);
        anthropic_decode_rest(&d, &b);
    }
    return err->code;
}
