/* Requests of Chat Completions, for channels: the conversation. */
#include "dataplane/codec/chat_encode.h"

#include <string.h>

#include "dataplane/codec/decode.h"

void
chat_lose(struct chat_encoder *x, const char *what, const char *why)
{
    ir_lose(x->in->losses, what, why);
}

/* --- parts -------------------------------------------------------------------------- */

static void
put_image(struct rx_buf *b, const struct ir_media *m)
{
    put_member_word(b, "type", "image_url");
    put_member_open(b, "image_url", '{');
    put_key(b, "url");
    rx_buf_addc(b, '"');
    if (m->source == IR_INLINE) {
        rx_buf_add(b, RX_S("data:"));
        rx_buf_add(b, m->mime);
        rx_buf_add(b, RX_S(";base64,"));
    }
    rx_buf_add(b, m->data);
    rx_buf_addc(b, '"');
    if (rx_str_eq(m->detail, RX_S("original")))
        put_member_word(b, "detail", "high");
    else
        put_member_if(b, "detail", m->detail);
    put_close(b, '}');
}

static void
put_audio(struct rx_buf *b, const struct ir_media *m)
{
    bool mp3 = rx_str_eq(m->mime, RX_S("audio/mp3")) ||
               rx_str_eq(m->mime, RX_S("audio/mpeg"));

    put_member_word(b, "type", "input_audio");
    put_member_open(b, "input_audio", '{');
    put_member(b, "data", m->data);
    put_member_word(b, "format", mp3 ? "mp3" : "wav");
    put_close(b, '}');
}

static void
put_file(struct rx_buf *b, const struct ir_media *m)
{
    put_member_word(b, "type", "file");
    put_member_open(b, "file", '{');
    put_member(b, "filename", m->title.len > 0 ? m->title : RX_S("file.pdf"));
    put_key(b, "file_data");
    rx_buf_add(b, RX_S("\"data:"));
    rx_buf_add(b, m->mime.len > 0 ? m->mime : RX_S("application/pdf"));
    rx_buf_add(b, RX_S(";base64,"));
    rx_buf_add(b, m->data);
    rx_buf_add(b, RX_S("\"}"));
}

static void
put_part(struct chat_encoder *x, const struct ir_part *p)
{
    struct rx_buf *b = x->b;

    put_open(b, '{');
    if (p->kind != IR_MEDIA) {
        put_member_word(b, "type", "text");
        put_member(b, "text", p->text);
    } else if (p->media.kind == IR_IMAGE) {
        put_image(b, &p->media);
    } else if (p->media.kind == IR_AUDIO) {
        put_audio(b, &p->media);
    } else {
        put_file(b, &p->media);
    }
    if (p->cache != IR_CACHE_NONE && x->cap->cache_marks) {
        put_member_open(b, "cache_control", '{');
        put_member_word(b, "type", "ephemeral");
        put_close(b, '}');
    } else if (p->cache != IR_CACHE_NONE) {
        chat_lose(x, "cache_control", "the server caches by itself");
    }
    put_close(b, '}');
}

static bool
is_content(const struct ir_part *p)
{
    return p->kind == IR_TEXT || p->kind == IR_REFUSAL || p->kind == IR_MEDIA;
}

/* Is all there is one text without a mark? */
static const struct ir_part *
only_text(struct chat_encoder *x, const struct ir_parts *parts)
{
    const struct ir_part *only = NULL;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (!is_content(p))
            continue;
        if (only != NULL || p->kind != IR_TEXT ||
            (p->cache != IR_CACHE_NONE && x->cap->cache_marks))
            return NULL;
        only = p;
    }
    if (only != NULL && only->cache != IR_CACHE_NONE)
        chat_lose(x, "cache_control", "the server caches by itself");
    return only;
}

static void
put_content(struct chat_encoder *x, const struct ir_parts *parts)
{
    const struct ir_part *only = only_text(x, parts);

    put_key(x->b, "content");
    if (only != NULL) {
        put_text(x->b, only->text);
        return;
    }
    put_open(x->b, '[');
    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (is_content(p))
            put_part(x, p);
    }
    put_close(x->b, ']');
}

/* Texts in one string; between them `gap`. */
static bool
put_joined(struct chat_encoder *x, const char *name,
    const struct ir_parts *parts, enum ir_part_kind kind, const char *gap)
{
    bool any = false;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->kind != kind)
            continue;
        if (!any) {
            put_key(x->b, name);
            rx_buf_addc(x->b, '"');
        } else {
            rx_buf_add(x->b, (rx_str){ gap, strlen(gap) });
        }
        any = true;
        rx_buf_add(x->b, kind == IR_THINKING ? p->thinking.text : p->text);
        if (p->cache != IR_CACHE_NONE)
            chat_lose(x, "cache_control", "the server caches by itself");
    }
    if (any)
        rx_buf_addc(x->b, '"');
    return any;
}

/* --- messages ------------------------------------------------------------------------- */

static void
begin(struct chat_encoder *x, const char *role)
{
    put_open(x->b, '{');
    put_member_word(x->b, "role", role);
}

static const char *
system_role(const struct chat_encoder *x)
{
    return x->cap->developer_role ? "developer" : "system";
}

static void
put_system(struct chat_encoder *x)
{
    const struct ir_output *o = &x->r->output;
    const struct ir_parts *parts = &x->r->system;
    bool ask = o->format == IR_OUT_SCHEMA && !x->cap->json_schema;

    if (parts->first != NULL) {
        begin(x, system_role(x));
        if (x->cap->cache_marks)
            put_content(x, parts);
        else
            put_joined(x, "content", parts, IR_TEXT, "\\n\\n");
        put_close(x->b, '}');
    }
    if (!ask)
        return;
    chat_lose(x, "response_format", "asked for in words");
    begin(x, system_role(x));
    put_key(x->b, "content");
    rx_buf_add(x->b,
        RX_S("\"Answer with one JSON object that matches this JSON Schema: "));
    rx_buf_add_json(x->b, o->schema);
    rx_buf_add(x->b, RX_S("\"}"));
}

static void
put_details(struct chat_encoder *x, const struct ir_parts *parts)
{
    bool any = false;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->kind != IR_THINKING || p->thinking.seal.bytes.len == 0)
            continue;
        const struct ir_thinking *t = &p->thinking;
        if (!any)
            put_member_open(x->b, "reasoning_details", '[');
        any = true;
        put_open(x->b, '{');
        put_member_word(x->b, "type",
            t->redacted ? "reasoning.encrypted" : "reasoning.text");
        put_member_if(x->b, "text", t->text);
        put_member(x->b, t->redacted ? "data" : "signature", t->seal.bytes);
        put_close(x->b, '}');
    }
    if (any)
        put_close(x->b, ']');
}

/* Earlier reasoning, where the server wants to see it again. */
static void
put_reasoning(struct chat_encoder *x, const struct ir_parts *parts)
{
    const char *name =
        x->cap->field == CAP_FIELD_CONTENT ? "reasoning_content" : "reasoning";
    bool any;

    if (x->cap->replay == CAP_REPLAY_NO || x->cap->field == CAP_FIELD_NONE ||
        x->cap->field == CAP_FIELD_PARTS)
        return;
    any = put_joined(x, name, parts, IR_THINKING, "");
    if (!any && x->cap->replay == CAP_REPLAY_MUST &&
        x->r->reasoning.mode != IR_THINK_OFF)
        put_member_word(x->b, name, "");
    if (x->cap->field == CAP_FIELD_DETAILS)
        put_details(x, parts);
}

static void
put_assistant(struct chat_encoder *x, const struct ir_turn *t)
{
    bool calls = false;

    begin(x, "assistant");
    bool text = put_joined(x, "content", &t->parts, IR_TEXT, "");
    put_joined(x, "refusal", &t->parts, IR_REFUSAL, "");
    put_reasoning(x, &t->parts);
    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_CALL)
            continue;
        if (!calls)
            put_member_open(x->b, "tool_calls", '[');
        calls = true;
        chat_put_call(x->b, &p->call);
        put_close(x->b, '}');
    }
    if (calls)
        put_close(x->b, ']');
    if (!text && calls)
        put_member_null(x->b, "content");
    else if (!text)
        put_member_word(x->b, "content", "");
    put_close(x->b, '}');
}

/* A tool's message holds text only; what else came with it follows later. */
static bool
put_result(struct chat_encoder *x, const struct ir_result *res)
{
    struct rx_buf *b = x->b;
    bool media = false;
    bool error = res->is_error;

    begin(x, "tool");
    put_member(b, "tool_call_id", res->call_id);
    put_key(b, "content");
    rx_buf_addc(b, '"');
    const struct ir_part *first = res->parts.first;
    if (error && first != NULL && first->kind == IR_TEXT &&
        rx_str_starts(first->text, RX_S("Error")))
        error = false;
    if (error)
        rx_buf_add(b, RX_S("Error: "));
    for (const struct ir_part *p = first; p != NULL; p = p->next) {
        if (p->kind == IR_TEXT) {
            rx_buf_add(b, p->text);
        } else if (p->kind == IR_MEDIA) {
            media = true;
            rx_buf_add(b, p->media.kind == IR_IMAGE
                              ? RX_S("[image attached below]")
                              : RX_S("[file attached below]"));
        }
    }
    rx_buf_addc(b, '"');
    put_close(b, '}');
    return media;
}

static void
put_attached(struct chat_encoder *x, const struct ir_turn *t)
{
    begin(x, "user");
    put_member_open(x->b, "content", '[');
    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_RESULT)
            continue;
        const struct ir_part *k = p->result.parts.first;
        for (; k != NULL; k = k->next) {
            if (k->kind != IR_MEDIA)
                continue;
            put_open(x->b, '{');
            put_member_word(x->b, "type", "text");
            put_key(x->b, "text");
            rx_buf_add(x->b, RX_S("\"Attached to tool result "));
            rx_buf_add(x->b, p->result.call_id);
            rx_buf_add(x->b, RX_S(":\"}"));
            put_part(x, k);
        }
    }
    put_close(x->b, ']');
    put_close(x->b, '}');
}

static void
put_user(struct chat_encoder *x, const struct ir_turn *t)
{
    bool attached = false;
    bool content = false;

    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_TOOL_RESULT)
            attached = put_result(x, &p->result) || attached;
        content = content || is_content(p);
    }
    if (attached)
        put_attached(x, t);
    if (!content)
        return;
    begin(x, t->role == IR_SYSTEM ? system_role(x) : "user");
    put_content(x, &t->parts);
    put_member_if(x->b, "name", t->name);
    put_close(x->b, '}');
}

void
chat_put_messages(struct chat_encoder *x)
{
    put_member_open(x->b, "messages", '[');
    put_system(x);
    for (const struct ir_turn *t = x->r->turns; t != NULL; t = t->next) {
        if (t->role == IR_ASSISTANT)
            put_assistant(x, t);
        else
            put_user(x, t);
    }
    put_close(x->b, ']');
}
