/* Requests of Gemini, for channels: the conversation. */
#include "dataplane/codec/gemini_encode.h"

#include <string.h>

#include "dataplane/codec/gemini.h"

void
gemini_lose(struct gemini_encoder *x, const char *what, const char *why)
{
    ir_lose(x->in->losses, what, why);
}

/* --- media ------------------------------------------------------------------------- */

/* Line feeds and escaped slashes have no place in base64. */
static void
put_base64(struct rx_buf *b, rx_str text)
{
    put_key(b, "data");
    rx_buf_addc(b, '"');
    while (text.len > 0) {
        const char *at = memchr(text.ptr, '\\', text.len);
        size_t n = at != NULL ? (size_t)(at - text.ptr) : text.len;
        rx_buf_add(b, (rx_str){ text.ptr, n });
        if (text.len - n >= 2 && text.ptr[n + 1] == '/')
            rx_buf_addc(b, '/');
        n = text.len - n < 2 ? text.len : n + 2;
        text = (rx_str){ text.ptr + n, text.len - n };
    }
    rx_buf_addc(b, '"');
}

static rx_str
mime_of(const struct ir_media *m)
{
    static const rx_str usual[] = {
        [IR_IMAGE] = RX_STR_INIT("image/png"),
        [IR_AUDIO] = RX_STR_INIT("audio/wav"),
        [IR_VIDEO] = RX_STR_INIT("video/mp4"),
        [IR_DOCUMENT] = RX_STR_INIT("application/pdf"),
    };

    return m->mime.len > 0 ? m->mime : usual[m->kind];
}

static void
put_detail(struct gemini_encoder *x, const struct ir_media *m)
{
    bool low = rx_str_eq(m->detail, RX_S("low"));
    bool high = rx_str_eq(m->detail, RX_S("high")) ||
                rx_str_eq(m->detail, RX_S("original"));

    if (!low && !high)
        return;
    if (!gemini_is_third(x)) {
        gemini_lose(x, "image detail", "the model does not know it");
        return;
    }
    put_member_open(x->b, "mediaResolution", '{');
    put_member_word(
        x->b, "level", low ? "MEDIA_RESOLUTION_LOW" : "MEDIA_RESOLUTION_HIGH");
    put_close(x->b, '}');
}

static void
put_media(struct gemini_encoder *x, const struct ir_media *m)
{
    struct rx_buf *b = x->b;

    put_open(b, '{');
    put_member_open(b, m->source == IR_INLINE ? "inlineData" : "fileData", '{');
    put_member(b, "mimeType", mime_of(m));
    if (m->source == IR_INLINE)
        put_base64(b, m->data);
    else
        put_member(b, "fileUri", m->data);
    put_close(b, '}');
    put_detail(x, m);
    put_close(b, '}');
}

/* --- the model's turns -------------------------------------------------------------- */

static void
put_text_part(struct gemini_encoder *x, rx_str text, const rx_str *signature)
{
    put_open(x->b, '{');
    put_member(x->b, "text", text);
    if (signature != NULL && signature->len > 0)
        put_member(x->b, "thoughtSignature", *signature);
    put_close(x->b, '}');
}

static void
put_thought(struct gemini_encoder *x, rx_str text)
{
    if (text.len == 0)
        return;
    put_open(x->b, '{');
    put_member(x->b, "text", text);
    put_member_bool(x->b, "thought", true);
    put_close(x->b, '}');
}

static void
put_call(
    struct gemini_encoder *x, const struct ir_call *c, rx_str seal, bool first)
{
    struct rx_buf *b = x->b;

    if (c->seal.bytes.len > 0)
        seal = c->seal.bytes;
    put_open(b, '{');
    put_member_open(b, "functionCall", '{');
    if (x->cap->call_ids)
        put_member_if(b, "id", c->id);
    put_member(b, "name", c->name);
    put_key(b, "args");
    if (!put_args_object(b, &c->args))
        gemini_lose(x, "tool arguments", "they are no JSON object");
    put_close(b, '}');
    if (seal.len > 0)
        put_member(b, "thoughtSignature", seal);
    else if (first && gemini_is_third(x))
        put_member_word(b, "thoughtSignature", GEMINI_NO_SIGNATURE);
    put_close(b, '}');
}

/* A signature goes onto the text or the call that was thought about. */
static void
put_model_turn(struct gemini_encoder *x, const struct ir_turn *t)
{
    static const rx_str none = { 0 };
    rx_str seal = none;
    bool first = true;

    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        switch (p->kind) {
        case IR_THINKING:
            put_thought(x, p->thinking.text);
            if (p->thinking.seal.bytes.len > 0)
                seal = p->thinking.seal.bytes;
            break;
        case IR_TEXT:
        case IR_REFUSAL:
            put_text_part(x, p->text, &seal);
            seal = none;
            break;
        case IR_TOOL_CALL:
            put_call(x, &p->call, seal, first);
            seal = none;
            first = false;
            break;
        case IR_MEDIA: put_media(x, &p->media); break;
        case IR_TOOL_RESULT:
        case IR_SERVER_RESULT:
        case IR_SEARCH_RESULT:
        case IR_LOOKUP:
        case IR_OPAQUE: break;
        }
    }
    if (seal.len > 0)
        put_text_part(x, RX_S(""), &seal);
}

/* --- the user's turns ----------------------------------------------------------------- */

static bool
has_media(const struct ir_result *res)
{
    for (const struct ir_part *p = res->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_MEDIA)
            return true;
    }
    return false;
}

static void
put_result_text(struct gemini_encoder *x, const struct ir_result *res)
{
    put_key(x->b, res->is_error ? "error" : "output");
    rx_buf_addc(x->b, '"');
    for (const struct ir_part *p = res->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_TEXT)
            rx_buf_add(x->b, p->text);
        else if (p->kind == IR_MEDIA && !x->cap->result_media)
            rx_buf_add(x->b, RX_S("[file attached below]"));
    }
    rx_buf_addc(x->b, '"');
}

static void
put_result(struct gemini_encoder *x, const struct ir_result *res)
{
    struct rx_buf *b = x->b;

    put_open(b, '{');
    put_member_open(b, "functionResponse", '{');
    if (x->cap->call_ids)
        put_member_if(b, "id", res->call_id);
    put_member(b, "name", res->name);
    put_member_open(b, "response", '{');
    put_result_text(x, res);
    put_close(b, '}');
    if (x->cap->result_media && has_media(res)) {
        put_member_open(b, "parts", '[');
        const struct ir_part *p = res->parts.first;
        for (; p != NULL; p = p->next) {
            if (p->kind == IR_MEDIA)
                put_media(x, &p->media);
        }
        put_close(b, ']');
    }
    put_close(b, '}');
    put_close(b, '}');
}

static void
begin_content(struct gemini_encoder *x, const char *role)
{
    put_open(x->b, '{');
    put_member_word(x->b, "role", role);
    put_member_open(x->b, "parts", '[');
}

static void
end_content(struct gemini_encoder *x)
{
    put_close(x->b, ']');
    put_close(x->b, '}');
}

/* Results stand alone: as many as there were calls, and nothing else. */
static bool
put_results(struct gemini_encoder *x, const struct ir_turn *t)
{
    bool any = false;
    bool media = false;

    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_RESULT)
            continue;
        if (!any)
            begin_content(x, "user");
        any = true;
        put_result(x, &p->result);
        media = media || has_media(&p->result);
    }
    if (any)
        end_content(x);
    return media && !x->cap->result_media;
}

/* What tools gave besides text, where results cannot hold it. */
static void
put_attached(struct gemini_encoder *x, const struct ir_turn *t)
{
    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_RESULT)
            continue;
        const struct ir_part *k = p->result.parts.first;
        for (; k != NULL; k = k->next) {
            if (k->kind != IR_MEDIA)
                continue;
            put_open(x->b, '{');
            put_key(x->b, "text");
            rx_buf_add(x->b, RX_S("\"Attached to the result of "));
            rx_buf_add(x->b, p->result.name);
            rx_buf_add(x->b, RX_S(":\"}"));
            put_media(x, &k->media);
        }
    }
}

static bool
is_said(const struct ir_part *p)
{
    return p->kind == IR_TEXT || p->kind == IR_REFUSAL || p->kind == IR_MEDIA;
}

static void
put_user_turn(struct gemini_encoder *x, const struct ir_turn *t)
{
    bool attached = put_results(x, t);
    bool said = false;

    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next)
        said = said || is_said(p);
    if (!attached && !said)
        return;
    begin_content(x, "user");
    if (attached)
        put_attached(x, t);
    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (!is_said(p))
            continue;
        if (p->kind == IR_MEDIA)
            put_media(x, &p->media);
        else
            put_text_part(x, p->text, NULL);
    }
    end_content(x);
}

/* --- all of it ------------------------------------------------------------------------- */

static void
put_system(struct gemini_encoder *x)
{
    const struct ir_output *o = &x->r->output;
    bool ask = gemini_asks_in_words(x);

    if (x->r->system.first == NULL && !ask)
        return;
    put_member_open(x->b, "systemInstruction", '{');
    put_member_open(x->b, "parts", '[');
    for (const struct ir_part *p = x->r->system.first; p != NULL; p = p->next) {
        if (p->kind == IR_TEXT)
            put_text_part(x, p->text, NULL);
    }
    if (ask) {
        gemini_lose(x, "response_format", "asked for in words");
        put_open(x->b, '{');
        put_key(x->b, "text");
        rx_buf_add(x->b, RX_S("\"Answer with one JSON object"));
        if (o->format == IR_OUT_SCHEMA) {
            rx_buf_add(x->b, RX_S(" that matches this JSON Schema: "));
            rx_buf_add_json(x->b, o->schema);
        }
        rx_buf_add(x->b, RX_S("\"}"));
    }
    end_content(x);
}

void
gemini_put_contents(struct gemini_encoder *x)
{
    if (ir_is_marked(x->r))
        gemini_lose(x, "cache_control", "the server caches by itself");
    put_system(x);
    put_member_open(x->b, "contents", '[');
    for (const struct ir_turn *t = x->r->turns; t != NULL; t = t->next) {
        if (t->role != IR_ASSISTANT) {
            put_user_turn(x, t);
            continue;
        }
        begin_content(x, "model");
        put_model_turn(x, t);
        end_content(x);
    }
    put_close(x->b, ']');
}
