/* A client's request: its items. */
#include "dataplane/codec/responses.h"

/* --- turns and parts ------------------------------------------------------------ */

/* Items of one side in a row are one turn, but for what says it is another. */
static struct ir_parts *
turn(struct decode *d, enum ir_role role, rx_str phase)
{
    struct ir_turn *last = d->r->last_turn;

    if (last == NULL || last->role != role || !rx_str_eq(last->phase, phase)) {
        last = decode_turn(d, role);
        if (last == NULL)
            return NULL;
        last->phase = phase;
    }
    return &last->parts;
}

static struct ir_part *
add(struct decode *d, struct ir_parts *list, enum ir_part_kind kind)
{
    return list != NULL ? decode_part(d, list, kind) : NULL;
}

static void
add_text(struct decode *d, struct ir_parts *list, rx_str text)
{
    if (list != NULL)
        decode_text(d, list, text);
}

static void
add_opaque(struct decode *d, struct ir_parts *list, rx_str type, rx_str raw)
{
    struct ir_part *part = add(d, list, IR_OPAQUE);

    if (part == NULL)
        return;
    part->opaque.type = type;
    part->opaque.raw = raw;
    part->opaque.dialect = DIALECT_RESPONSES;
}

/* --- media ------------------------------------------------------------------------ */

static enum ir_media_kind
kind_of_mime(rx_str mime)
{
    if (rx_str_starts(mime, RX_S("image/")))
        return IR_IMAGE;
    if (rx_str_starts(mime, RX_S("audio/")))
        return IR_AUDIO;
    if (rx_str_starts(mime, RX_S("video/")))
        return IR_VIDEO;
    return IR_DOCUMENT;
}

/* image_url is a string here, but some send chat's object. */
static rx_str
image_url(rx_str raw)
{
    struct image {
        rx_str url;
    } x = { 0 };
    static const struct walk_row rows[] = { WALK_ROW(TEXT, image, "url", url) };

    if (rx_span_kind_of(raw) == RX_SPAN_STRING)
        return walk_text(raw);
    WALK_VALUE(raw, rows, &x);
    return x.url;
}

static void
decode_image(
    struct decode *d, struct ir_parts *list, const struct responses_part *p)
{
    struct ir_part *part = add(d, list, IR_MEDIA);
    rx_str url = image_url(p->image_url);

    if (part == NULL)
        return;
    part->media.kind = IR_IMAGE;
    part->media.detail = p->detail;
    if (url.len == 0 && p->file_id.len > 0) {
        part->media.source = IR_FILE_ID;
        part->media.data = p->file_id;
    } else if (url.len > 0) {
        decode_url(d, url, &part->media);
    } else {
        decode_fail_part(d, "holds no image");
    }
}

/* A data URL; some send base64 alone. */
static void
file_data(struct decode *d, rx_str data, struct ir_media *m)
{
    if (rx_str_starts(data, RX_S("data:"))) {
        decode_url(d, data, m);
        m->kind = kind_of_mime(m->mime);
        return;
    }
    m->source = IR_INLINE;
    m->mime = RX_S("application/pdf");
    m->data = data;
}

static void
decode_file(
    struct decode *d, struct ir_parts *list, const struct responses_part *p)
{
    struct ir_part *part = add(d, list, IR_MEDIA);

    if (part == NULL)
        return;
    struct ir_media *m = &part->media;
    m->kind = IR_DOCUMENT;
    m->title = p->filename;
    if (p->file_data.len > 0) {
        file_data(d, p->file_data, m);
    } else if (p->file_url.len > 0) {
        m->source = IR_URL;
        m->data = p->file_url;
    } else if (p->file_id.len > 0) {
        m->source = IR_FILE_ID;
        m->data = p->file_id;
    } else {
        decode_fail_part(d, "holds no file");
    }
}

static void
decode_audio(
    struct decode *d, struct ir_parts *list, const struct responses_part *p)
{
    struct audio {
        rx_str data, format;
    } x = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, audio, "data", data),
        WALK_ROW(TEXT, audio, "format", format),
    };
    struct ir_part *part = add(d, list, IR_MEDIA);

    if (part == NULL)
        return;
    WALK_VALUE(p->input_audio, rows, &x);
    part->media.kind = IR_AUDIO;
    part->media.source = IR_INLINE;
    part->media.mime = rx_str_eq(x.format, RX_S("mp3")) ? RX_S("audio/mpeg")
                                                        : RX_S("audio/wav");
    part->media.data = x.data;
}

/* --- contents --------------------------------------------------------------------- */

static void
decode_citations(struct decode *d, struct ir_part *part, rx_str list)
{
    struct ir_citation **next = &part->citations;
    struct rx_span j;
    rx_str element;

    for (bool is = walk_array(&j, list); is && walk_next(&j, &element);) {
        struct ir_citation *c = rx_arena_make(d->arena, struct ir_citation, 1);
        if (c == NULL) {
            rx_fail(d->err, RX_TOO_BIG, "the request is too large");
            return;
        }
        responses_citation_read(element, c);
        *next = c;
        next = &c->next;
    }
}

static void
take_text(
    struct decode *d, struct ir_parts *list, const struct responses_part *p)
{
    struct ir_part *part = add(d, list, IR_TEXT);

    if (part == NULL)
        return;
    part->text = p->text;
    decode_citations(d, part, p->annotations);
}

static void
decode_refusal(
    struct decode *d, struct ir_parts *list, const struct responses_part *p)
{
    struct ir_part *part = add(d, list, IR_REFUSAL);

    if (part != NULL)
        part->text = p->refusal;
}

static const struct {
    rx_str type;
    void (*decode)(struct decode *d, struct ir_parts *list,
        const struct responses_part *p);
} part_types[] = {
    { RX_STR_INIT("input_text"), take_text },
    { RX_STR_INIT("output_text"), take_text },
    { RX_STR_INIT("text"), take_text },
    { RX_STR_INIT("input_image"), decode_image },
    { RX_STR_INIT("input_file"), decode_file },
    { RX_STR_INIT("input_audio"), decode_audio },
    { RX_STR_INIT("refusal"), decode_refusal },
};

static void
take_part(struct decode *d, struct ir_parts *list, rx_str raw)
{
    struct responses_part p;

    if (!responses_part_read(raw, &p)) {
        decode_fail_part(d, "must be an object");
        return;
    }
    for (size_t i = 0; i < RX_COUNT(part_types); i++) {
        if (rx_str_eq(p.type, part_types[i].type)) {
            part_types[i].decode(d, list, &p);
            return;
        }
    }
    if (p.type.len == 0)
        decode_fail_part(d, "has no type");
    add_opaque(d, list, p.type, raw);
}

/* A string, or a list of parts. */
static void
decode_content(struct decode *d, struct ir_parts *list, rx_str raw)
{
    struct rx_span j;
    rx_str element;

    d->index = 0;
    if (rx_span_kind_of(raw) == RX_SPAN_STRING) {
        add_text(d, list, walk_text(raw));
        return;
    }
    for (bool is = walk_array(&j, raw); is && walk_next(&j, &element);
         d->index++)
        take_part(d, list, element);
}

/* --- items -------------------------------------------------------------------------- */

static bool
is_system(rx_str role)
{
    return rx_str_eq(role, RX_S("system")) ||
           rx_str_eq(role, RX_S("developer"));
}

static void
decode_message(struct decode *d, const struct responses_item *m)
{
    struct ir_parts *list = NULL;

    if (rx_span_kind_of(m->content) != RX_SPAN_STRING &&
        rx_span_kind_of(m->content) != RX_SPAN_ARRAY) {
        decode_fail(d, "input[%u].content: must be a string or a list of parts",
            d->turn);
        return;
    }
    if (is_system(m->role) && d->r->turns == NULL)
        list = &d->r->system;
    else if (is_system(m->role))
        list = turn(d, IR_SYSTEM, RX_S(""));
    else if (rx_str_eq(m->role, RX_S("user")))
        list = turn(d, IR_USER, RX_S(""));
    else if (rx_str_eq(m->role, RX_S("assistant")))
        list = turn(d, IR_ASSISTANT, m->phase);
    else
        decode_fail(d,
            "input[%u].role: must be user, assistant, system or developer",
            d->turn);
    if (list != NULL)
        decode_content(d, list, m->content);
}

static rx_str
join_texts(struct decode *d, rx_str list)
{
    struct responses_part p;
    struct rx_span j;
    rx_str element;
    rx_str all = { 0 };

    for (bool is = walk_array(&j, list); is && walk_next(&j, &element);) {
        if (!responses_part_read(element, &p) || p.text.len == 0)
            continue;
        rx_str both[] = { all, RX_S("\\n\\n"), p.text };
        all = all.len > 0 ? ir_concat(d->arena, both, 3) : p.text;
    }
    return all;
}

/* An envelope of ours is opened when it is known where it goes. */
static void
decode_reasoning(struct decode *d, const struct responses_item *m)
{
    struct ir_part *part = add(d, turn(d, IR_ASSISTANT, RX_S("")), IR_THINKING);
    rx_str full = join_texts(d, m->content);

    if (part == NULL)
        return;
    part->thinking.text = full.len > 0 ? full : join_texts(d, m->summary);
    part->thinking.summary = full.len == 0;
    part->thinking.seal.bytes = m->encrypted;
    part->thinking.seal.dialect = DIALECT_RESPONSES;
    part->thinking.seal.kind = 's';
    part->thinking.item_id = m->id;
}

static struct ir_args
args_of(rx_str raw)
{
    if (rx_span_kind_of(raw) == RX_SPAN_STRING)
        return (struct ir_args){ walk_text(raw), true };
    return (struct ir_args){ raw, false };
}

static void
decode_call(struct decode *d, const struct responses_item *m)
{
    const struct responses_builtin *own = responses_builtin_call(m->type);
    bool custom = m->kind == RESPONSES_CUSTOM_CALL;
    rx_str name = own != NULL ? own->type : m->name;

    if (m->call_id.len == 0)
        decode_fail(d, "input[%u].call_id: is missing", d->turn);
    if (name.len == 0)
        decode_fail(d, "input[%u].name: is missing", d->turn);
    struct ir_part *part =
        add(d, turn(d, IR_ASSISTANT, RX_S("")), IR_TOOL_CALL);
    if (part == NULL)
        return;
    part->call.id = m->call_id;
    part->call.name = name;
    part->call.space = m->space;
    part->call.kind = custom ? IR_CALL_CUSTOM : IR_CALL_FUNCTION;
    part->call.args = args_of(custom              ? m->input
                              : m->action.len > 0 ? m->action
                                                  : m->arguments);
    part->call.item_id = m->id;
}

/* What is neither a text nor a list of parts is handed on as its source. */
static void
decode_output(
    struct decode *d, struct ir_parts *list, rx_str raw, bool is_parts)
{
    enum rx_span_kind kind = rx_span_kind_of(raw);

    if (kind == RX_SPAN_STRING || (kind == RX_SPAN_ARRAY && is_parts))
        decode_content(d, list, raw);
    else if (raw.len > 0)
        add_text(d, list, ir_escape(d->arena, raw));
}

static void
decode_result(struct decode *d, const struct responses_item *m)
{
    bool own = m->kind == RESPONSES_SHELL_OUTPUT;
    rx_str id = m->call_id.len > 0 ? m->call_id : m->id;

    if (id.len == 0)
        decode_fail(d, "input[%u].call_id: is missing", d->turn);
    struct ir_part *part = add(d, turn(d, IR_USER, RX_S("")), IR_TOOL_RESULT);
    if (part == NULL)
        return;
    part->result.call_id = id;
    part->result.custom = m->kind == RESPONSES_CUSTOM_OUTPUT;
    part->result.is_error = rx_str_eq(m->status, RX_S("failed"));
    decode_output(d, &part->result.parts, m->output, !own);
}

/* What the client's search found are tools like any other from here on. */
static void
decode_found_tools(struct decode *d, const struct responses_item *m)
{
    responses_decode_tools(d, m->tools);
    if (m->call_id.len == 0 || !rx_str_eq(m->execution, RX_S("client")))
        return;
    struct ir_part *part = add(d, turn(d, IR_USER, RX_S("")), IR_TOOL_RESULT);
    if (part == NULL)
        return;
    part->result.call_id = m->call_id;
    decode_output(d, &part->result.parts, m->tools, false);
}

/* Hosted tools and the like: for their own provider, or nobody. */
static void
decode_foreign(struct decode *d, const struct responses_item *m)
{
    if (m->type.len == 0) {
        decode_fail(d, "input[%u].type: is missing", d->turn);
        return;
    }
    if (rx_str_eq(m->type, RX_S("item_reference"))) {
        decode_fail(d,
            "input[%u]: the item it refers to is kept by another provider",
            d->turn);
        return;
    }
    add_opaque(d, turn(d, IR_ASSISTANT, RX_S("")), m->type, m->whole);
}

static void
decode_item(struct decode *d, rx_str raw)
{
    struct responses_item m;

    d->index = 0;
    if (!responses_item_read(raw, &m)) {
        decode_fail(d, "input[%u]: must be an object", d->turn);
        return;
    }
    switch (m.kind) {
    case RESPONSES_MESSAGE: decode_message(d, &m); break;
    case RESPONSES_REASONING: decode_reasoning(d, &m); break;
    case RESPONSES_FUNCTION_CALL:
    case RESPONSES_CUSTOM_CALL:
    case RESPONSES_SHELL_CALL: decode_call(d, &m); break;
    case RESPONSES_FUNCTION_OUTPUT:
    case RESPONSES_CUSTOM_OUTPUT:
    case RESPONSES_SHELL_OUTPUT: decode_result(d, &m); break;
    case RESPONSES_TOOL_SEARCH_OUTPUT: decode_found_tools(d, &m); break;
    case RESPONSES_ADDITIONAL_TOOLS: responses_decode_tools(d, m.tools); break;
    case RESPONSES_WEB_SEARCH:
    case RESPONSES_FOREIGN: decode_foreign(d, &m); break;
    }
}

void
responses_decode_input(struct decode *d, rx_str input)
{
    struct rx_span j;
    rx_str item;

    if (rx_span_kind_of(input) == RX_SPAN_STRING) {
        add_text(d, turn(d, IR_USER, RX_S("")), walk_text(input));
        return;
    }
    if (rx_span_kind_of(input) != RX_SPAN_ARRAY) {
        decode_fail(d, "input: must be a string or a list of items");
        return;
    }
    for (bool is = walk_array(&j, input);
         is && decode_ok(d) && walk_next(&j, &item); d->turn++)
        decode_item(d, item);
}
