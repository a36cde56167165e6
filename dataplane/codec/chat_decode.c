/* Requests of Chat Completions, from clients. */
#include "dataplane/codec/chat_decode.h"

#include <string.h>

static const struct walk_row body_rows[] = {
    WALK_ROW(RAW, chat_body, "messages", messages),
    WALK_ROW(RAW, chat_body, "tools", tools),
    WALK_ROW(RAW, chat_body, "tool_choice", tool_choice),
    WALK_ROW(RAW, chat_body, "functions", functions),
    WALK_ROW(RAW, chat_body, "function_call", function_call),
    WALK_ROW(RAW, chat_body, "stop", stop),
    WALK_ROW(RAW, chat_body, "response_format", response_format),
    WALK_ROW(RAW, chat_body, "stream_options", stream_options),
    WALK_ROW(RAW, chat_body, "reasoning", reasoning),
    WALK_ROW(RAW, chat_body, "thinking", thinking),
    WALK_ROW(RAW, chat_body, "logit_bias", logit_bias),
    WALK_ROW(RAW, chat_body, "metadata", metadata),
    WALK_ROW(RAW, chat_body, "modalities", modalities),
    WALK_ROW(RAW, chat_body, "web_search_options", web_search),
    WALK_ROW(TEXT, chat_body, "reasoning_effort", effort),
    WALK_ROW(TEXT, chat_body, "verbosity", verbosity),
    WALK_ROW(TEXT, chat_body, "user", user),
    WALK_ROW(TEXT, chat_body, "safety_identifier", safety),
    WALK_ROW(TEXT, chat_body, "service_tier", tier),
    WALK_ROW(TEXT, chat_body, "prompt_cache_key", cache_key),
    WALK_ROW(TEXT, chat_body, "prompt_cache_retention", cache_retention),
    WALK_ROW(NUMBER, chat_body, "temperature", temperature),
    WALK_ROW(NUMBER, chat_body, "top_p", top_p),
    WALK_ROW(NUMBER, chat_body, "top_k", top_k),
    WALK_ROW(NUMBER, chat_body, "frequency_penalty", frequency),
    WALK_ROW(NUMBER, chat_body, "presence_penalty", presence),
    WALK_ROW(NUMBER, chat_body, "seed", seed),
    WALK_ROW(INT, chat_body, "max_tokens", max_tokens),
    WALK_ROW(INT, chat_body, "max_completion_tokens", max_completion),
    WALK_ROW(INT, chat_body, "n", n),
    WALK_ROW(INT, chat_body, "top_logprobs", top_logprobs),
    WALK_ROW(INT, chat_body, "thinking_budget", budget),
    WALK_ROW(TRI, chat_body, "parallel_tool_calls", parallel),
    WALK_ROW(TRI, chat_body, "logprobs", logprobs),
    WALK_ROW(TRI, chat_body, "enable_thinking", enable_thinking),
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
decode_piece(struct decode *d, struct rx_span *j, struct ir_parts *to)
{
    struct piece p = { 0 };
    struct ir_part *out = NULL;

    WALK(j, piece_rows, &p);
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
    for (; decode_ok(d) && rx_span_element(&j); d->index++)
        decode_piece(d, &j, to);
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
decode_message(struct decode *d, struct rx_span *j, bool *leading)
{
    struct message m = { 0 };

    WALK(j, message_rows, &m);
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
    bool leading = true;

    if (!walk_array(&j, value))
        return decode_fail(d, "messages: must be a list");
    for (d->turn = 0; rx_span_element(&j); d->turn++) {
        if (!decode_message(d, &j, &leading))
            return false;
    }
    return !j.bad || decode_fail(d, "messages: is not valid JSON");
}

enum rx_code
chat_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err)
{
    struct decode d = { .arena = arena, .r = request, .err = err };
    struct chat_body b = { 0 };

    if (!decode_object(&d, body, body_rows, RX_COUNT(body_rows), &b))
        return err->code;
    if (decode_messages(&d, b.messages) &&
        chat_decode_tools(&d, b.tools, false) &&
        chat_decode_tools(&d, b.functions, true) &&
        chat_decode_choice(
            &d, b.tool_choice.len > 0 ? b.tool_choice : b.function_call))
        chat_decode_rest(&d, &b);
    return err->code;
}
