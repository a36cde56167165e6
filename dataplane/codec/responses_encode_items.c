/* A request for the channel: the conversation, item by item. */
#include "dataplane/codec/put.h"
#include "dataplane/codec/responses.h"

struct items {
    const struct codec_encode *in;
    struct rx_buf *b;
    struct rx_err *err;
    enum rx_code code;
    bool open; /* a message, waiting for more parts */
};

static void
lose(struct items *x, const char *what, const char *why)
{
    ir_lose(x->in->losses, what, why);
}

static void
refuse(struct items *x, const struct ir_part *part, const char *words)
{
    if (x->code == RX_OK)
        x->code = ir_blame(x->err, x->in->request, part, words);
}

/* --- media ------------------------------------------------------------------------ */

/* The address, or the data as one. */
static void
put_address(
    struct rx_buf *b, const char *name, const struct ir_media *m, rx_str mime)
{
    if (m->source != IR_INLINE) {
        put_member(b, name, m->data);
        return;
    }
    put_key(b, name);
    put_open(b, '"');
    rx_buf_add(b, RX_S("data:"));
    rx_buf_add(b, m->mime.len > 0 ? m->mime : mime);
    rx_buf_add(b, RX_S(";base64,"));
    rx_buf_add(b, m->data);
    put_close(b, '"');
}

static void
put_image(struct rx_buf *b, const struct ir_media *m)
{
    put_open(b, '{');
    put_member_word(b, "type", "input_image");
    put_address(b, "image_url", m, RX_S("image/png"));
    put_member(b, "detail", m->detail.len > 0 ? m->detail : RX_S("auto"));
    put_close(b, '}');
}

static void
put_file(struct rx_buf *b, const struct ir_media *m)
{
    put_open(b, '{');
    put_member_word(b, "type", "input_file");
    if (m->source == IR_URL) {
        put_member(b, "file_url", m->data);
    } else {
        put_member(
            b, "filename", m->title.len > 0 ? m->title : RX_S("file.pdf"));
        put_address(b, "file_data", m, RX_S("application/pdf"));
    }
    put_close(b, '}');
}

static void
put_text_part(struct rx_buf *b, const char *type, rx_str text)
{
    put_open(b, '{');
    put_member_word(b, "type", type);
    put_member(b, "text", text);
    put_close(b, '}');
}

/* Documents of text and sources are text by now. */
static void
put_media(struct items *x, const struct ir_part *part)
{
    switch (part->media.kind) {
    case IR_IMAGE: put_image(x->b, &part->media); break;
    case IR_DOCUMENT: put_file(x->b, &part->media); break;
    case IR_AUDIO:
    case IR_VIDEO:
        refuse(x, part, "the model takes neither audio nor video");
        break;
    }
}

/* What a user says, or a tool gives. */
static void
put_input_part(struct items *x, const struct ir_part *part)
{
    if (part->kind == IR_TEXT || part->kind == IR_REFUSAL)
        put_text_part(x->b, "input_text", part->text);
    else if (part->kind == IR_MEDIA)
        put_media(x, part);
    else
        lose(x, "content", "out of its place");
}

static void
put_input_parts(struct items *x, const struct ir_parts *list)
{
    for (const struct ir_part *p = list->first; p != NULL; p = p->next)
        put_input_part(x, p);
}

/* --- messages --------------------------------------------------------------------- */

static void
message_close(struct items *x)
{
    if (!x->open)
        return;
    put_close(x->b, ']');
    put_close(x->b, '}');
    x->open = false;
}

static void
message_open(struct items *x, const char *role)
{
    if (x->open)
        return;
    put_open(x->b, '{');
    put_member_word(x->b, "type", "message");
    put_member_word(x->b, "role", role);
    put_member_open(x->b, "content", '[');
    x->open = true;
}

static const char *
system_role(const struct items *x)
{
    return x->in->cap->developer_role ? "developer" : "system";
}

static void
put_said(struct items *x, const struct ir_part *part)
{
    struct rx_buf *b = x->b;
    bool refusal = part->kind == IR_REFUSAL;

    message_open(x, "assistant");
    put_open(b, '{');
    put_member_word(b, "type", refusal ? "refusal" : "output_text");
    put_member(b, refusal ? "refusal" : "text", part->text);
    if (!refusal)
        put_member_raw(b, "annotations", RX_S("[]"));
    put_close(b, '}');
}

/* --- reasoning, calls, results ------------------------------------------------------ */

/* Sealed by this family, or it would not be here. */
static void
put_thinking(struct items *x, const struct ir_thinking *t)
{
    struct rx_buf *b = x->b;

    message_close(x);
    put_open(b, '{');
    put_member_word(b, "type", "reasoning");
    put_member_open(b, "summary", '[');
    if (t->text.len > 0)
        put_text_part(b, "summary_text", t->text);
    put_close(b, ']');
    put_member(b, "encrypted_content", t->seal.bytes);
    put_close(b, '}');
}

static void
put_args(struct rx_buf *b, const char *name, const struct ir_args *args)
{
    put_key(b, name);
    put_open(b, '"');
    if (args->s.len == 0)
        rx_buf_add(b, RX_S("{}"));
    else
        put_args_text(b, args);
    put_close(b, '"');
}

static void
put_call(struct items *x, const struct ir_call *c)
{
    bool custom = c->kind == IR_CALL_CUSTOM;
    struct rx_buf *b = x->b;

    message_close(x);
    put_open(b, '{');
    put_member_word(b, "type", custom ? "custom_tool_call" : "function_call");
    put_member(b, "call_id", c->id);
    put_member(b, "name", c->name);
    if (custom) {
        put_key(b, "input");
        put_open(b, '"');
        put_args_text(b, &c->args);
        put_close(b, '"');
    } else {
        put_args(b, "arguments", &c->args);
    }
    put_close(b, '}');
}

static bool
is_text_only(const struct ir_parts *list)
{
    for (const struct ir_part *p = list->first; p != NULL; p = p->next) {
        if (p->kind != IR_TEXT)
            return false;
    }
    return true;
}

static bool
says_error(const struct ir_parts *list)
{
    const struct ir_part *p = list->first;

    return p != NULL && p->kind == IR_TEXT &&
           rx_str_starts(p->text, RX_S("Error:"));
}

/* There is no flag for a failure: it is said. */
static void
put_output_text(struct rx_buf *b, const struct ir_result *r)
{
    put_open(b, '"');
    if (r->is_error && !says_error(&r->parts))
        rx_buf_add(b, RX_S("Error: "));
    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next) {
        rx_buf_add(b, p->text);
        if (p->next != NULL)
            rx_buf_add(b, RX_S("\\n"));
    }
    put_close(b, '"');
}

static void
put_output_list(struct items *x, const struct ir_result *r)
{
    put_open(x->b, '[');
    if (r->is_error && !says_error(&r->parts))
        put_text_part(x->b, "input_text", RX_S("Error:"));
    put_input_parts(x, &r->parts);
    put_close(x->b, ']');
}

static void
put_result(struct items *x, const struct ir_result *r)
{
    struct rx_buf *b = x->b;

    message_close(x);
    put_open(b, '{');
    put_member_word(b, "type",
        r->custom ? "custom_tool_call_output" : "function_call_output");
    put_member(b, "call_id", r->call_id);
    put_key(b, "output");
    if (is_text_only(&r->parts))
        put_output_text(b, r);
    else
        put_output_list(x, r);
    put_close(b, '}');
}

/* --- turns ----------------------------------------------------------------------------- */

static void
put_assistant_part(struct items *x, const struct ir_part *part)
{
    switch (part->kind) {
    case IR_TEXT:
    case IR_REFUSAL: put_said(x, part); break;
    case IR_THINKING: put_thinking(x, &part->thinking); break;
    case IR_TOOL_CALL: put_call(x, &part->call); break;
    case IR_MEDIA:
    case IR_TOOL_RESULT:
    case IR_SERVER_RESULT:
    case IR_SEARCH_RESULT:
    case IR_LOOKUP:
    case IR_OPAQUE:
        lose(x, "content", "an assistant cannot say that here");
        break;
    }
}

static void
put_user_part(struct items *x, const struct ir_part *part)
{
    if (part->kind == IR_TOOL_RESULT) {
        put_result(x, &part->result);
        return;
    }
    message_open(x, "user");
    put_input_part(x, part);
}

static void
put_turn(struct items *x, const struct ir_turn *turn)
{
    for (const struct ir_part *p = turn->parts.first; p != NULL; p = p->next) {
        switch (turn->role) {
        case IR_USER: put_user_part(x, p); break;
        case IR_ASSISTANT: put_assistant_part(x, p); break;
        case IR_SYSTEM:
            message_open(x, system_role(x));
            put_input_part(x, p);
            break;
        }
    }
    message_close(x);
}

/* One text without a mark fits into `instructions`. */
static bool
fits_instructions(const struct ir_parts *system)
{
    const struct ir_part *p = system->first;

    return p != NULL && p->next == NULL && p->kind == IR_TEXT;
}

static void
put_system(struct items *x, const struct ir_parts *system)
{
    if (system->first == NULL || fits_instructions(system))
        return;
    message_open(x, system_role(x));
    put_input_parts(x, system);
    message_close(x);
}

enum rx_code
responses_put_input(const struct codec_encode *in, struct rx_err *err)
{
    const struct ir_request *r = in->request;
    struct items x = { .in = in, .b = &in->out->body, .err = err };

    if (fits_instructions(&r->system))
        put_member(x.b, "instructions", r->system.first->text);
    put_member_open(x.b, "input", '[');
    put_system(&x, &r->system);
    for (const struct ir_turn *t = r->turns; t != NULL; t = t->next)
        put_turn(&x, t);
    put_close(x.b, ']');
    return x.code;
}
