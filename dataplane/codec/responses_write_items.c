/* Items, and above all messages, written. */
#include <string.h>

#include "dataplane/codec/put.h"
#include "dataplane/codec/responses_write.h"

/* --- what all items share --------------------------------------------------------- */

/* `head` is left open: members may be added. */
void
responses_item_begin(struct responses_writer *w, const char *prefix)
{
    codec_id(w->base.about.world, prefix, w->item_id);
    rx_buf_clear(&w->head);
    rx_buf_clear(&w->content);
    rx_buf_clear(&w->text);
    rx_buf_clear(&w->seal);
    w->parts = 0;
    w->shown = false;
    put_open(&w->head, '{');
    put_member_word(&w->head, "id", w->item_id);
}

/* Its members that are there from the start are in `head`, with `status`. */
static void
put_added(struct responses_writer *w, struct rx_buf *b)
{
    put_raw(b, rx_buf_str(&w->head));
    switch (w->open) {
    case OPEN_MESSAGE: put_member_raw(b, "content", RX_S("[]")); break;
    case OPEN_REASONING: put_member_raw(b, "summary", RX_S("[]")); break;
    case OPEN_CALL:
        if (w->builtin == NULL)
            put_member_raw(b, w->call == IR_CALL_CUSTOM ? "input" : "arguments",
                RX_S("\"\""));
        break;
    case OPEN_NONE: break;
    }
    put_member_word(b, "status", "in_progress");
    put_close(b, '}');
}

void
responses_item_added(struct responses_writer *w)
{
    struct rx_buf *b = w->base.out;

    w->shown = true;
    if (!responses_frame(w, "response.output_item.added"))
        return;
    put_member_u64(b, "output_index", w->items);
    put_key(b, "item");
    put_added(w, b);
    responses_frame_end(w);
}

/* `rest` is the members that came to `head`. */
void
responses_item_done(struct responses_writer *w, rx_str rest)
{
    struct rx_buf *b = w->base.out;
    struct rx_buf *o = &w->output;

    put_comma(o);
    size_t from = o->len;
    rx_buf_add(o, rx_buf_str(&w->head));
    if (rest.len > 0) {
        put_comma(o);
        rx_buf_add(o, rest);
    }
    put_close(o, '}');
    if (!o->full && responses_frame(w, "response.output_item.done")) {
        put_member_u64(b, "output_index", w->items);
        put_member_raw(b, "item", (rx_str){ o->ptr + from, o->len - from });
        responses_frame_end(w);
    }
    w->items++;
    w->open = OPEN_NONE;
}

/* --- messages ---------------------------------------------------------------------- */

static void
message_begin(struct responses_writer *w)
{
    if (w->open == OPEN_MESSAGE)
        return;
    responses_item_finish(w);
    responses_item_begin(w, "msg_");
    put_member_word(&w->head, "type", "message");
    put_member_word(&w->head, "role", "assistant");
    w->open = OPEN_MESSAGE;
    responses_item_added(w);
}

static void
put_list(struct rx_buf *b, const char *name, const struct rx_buf *elements)
{
    put_member_open(b, name, '[');
    rx_buf_add(b, rx_buf_str(elements));
    put_close(b, ']');
}

/* The part under way, as far as it goes. */
static void
put_part(const struct responses_writer *w, struct rx_buf *b)
{
    rx_str text = rx_buf_str(&w->text);

    put_open(b, '{');
    if (w->part == IR_REFUSAL) {
        put_member_word(b, "type", "refusal");
        put_member(b, "refusal", text);
    } else {
        put_member_word(b, "type", "output_text");
        put_member(b, "text", text);
        put_list(b, "annotations", &w->notes);
        put_list(b, "logprobs", &w->logprobs);
    }
    put_close(b, '}');
}

static void
frame_part(struct responses_writer *w, const char *type)
{
    struct rx_buf *b = w->base.out;

    if (!responses_frame(w, type))
        return;
    responses_frame_item(w);
    put_member_u64(b, "content_index", w->parts);
    put_key(b, "part");
    put_part(w, b);
    responses_frame_end(w);
}

static void
part_open(struct responses_writer *w, enum ir_part_kind kind)
{
    message_begin(w);
    w->part = kind;
    w->part_open = true;
    w->note_count = 0;
    rx_buf_clear(&w->text);
    rx_buf_clear(&w->notes);
    rx_buf_clear(&w->logprobs);
    if (kind == IR_REFUSAL)
        w->refused = true;
    frame_part(w, "response.content_part.added");
}

static void
frame_text(struct responses_writer *w, bool done, rx_str text)
{
    static const char *const types[2][2] = {
        { "response.output_text.delta", "response.output_text.done" },
        { "response.refusal.delta", "response.refusal.done" },
    };
    bool refusal = w->part == IR_REFUSAL;
    struct rx_buf *b = w->base.out;

    if (!responses_frame(w, types[refusal][done]))
        return;
    responses_frame_item(w);
    put_member_u64(b, "content_index", w->parts);
    put_member(b, !done ? "delta" : refusal ? "refusal" : "text", text);
    if (!refusal && done)
        put_list(b, "logprobs", &w->logprobs);
    else if (!refusal)
        put_member_raw(b, "logprobs", RX_S("[]"));
    responses_frame_end(w);
}

static void
part_close(struct responses_writer *w)
{
    if (!w->part_open)
        return;
    frame_text(w, true, rx_buf_str(&w->text));
    frame_part(w, "response.content_part.done");
    put_part(w, &w->content);
    w->parts++;
    w->part_open = false;
}

static void
message_done(struct responses_writer *w, const char *status)
{
    struct rx_buf rest;

    rx_buf_init(&rest, RESPONSES_OUTPUT_MAX);
    put_list(&rest, "content", &w->content);
    put_member_word(&rest, "status", status);
    if (rest.full)
        w->output.full = true;
    responses_item_done(w, rx_buf_str(&rest));
    rx_buf_fini(&rest);
}

static void
text_feed(struct responses_writer *w, rx_str text)
{
    if (!w->part_open)
        part_open(w, IR_TEXT);
    rx_buf_add(&w->text, text);
    frame_text(w, false, text);
}

/* --- citations, logprobs -------------------------------------------------------------- */

static void
put_citation(const struct ir_citation *c, struct rx_buf *b)
{
    put_open(b, '{');
    put_member_word(b, "type", "url_citation");
    put_member(b, "url", c->url);
    put_member(b, "title", c->title);
    put_member_u64(b, "start_index", (uint64_t)c->start.n);
    put_member_u64(b, "end_index", (uint64_t)c->end.n);
    put_close(b, '}');
}

static void
cite(struct responses_writer *w, const struct ir_citation *c)
{
    struct rx_buf *b = w->base.out;

    if (!w->part_open || w->part != IR_TEXT ||
        !codec_can_cite(&w->base.about, c))
        return;
    put_citation(c, &w->notes);
    if (responses_frame(w, "response.output_text.annotation.added")) {
        responses_frame_item(w);
        put_member_u64(b, "content_index", w->parts);
        put_member_u64(b, "annotation_index", w->note_count);
        put_key(b, "annotation");
        put_citation(c, b);
        responses_frame_end(w);
    }
    w->note_count++;
}

/* The elements of an array, to those there are. */
static void
add_logprobs(struct responses_writer *w, rx_str raw)
{
    if (!w->part_open || raw.len <= 2 || raw.ptr[0] != '[')
        return;
    put_raw(&w->logprobs, (rx_str){ raw.ptr + 1, raw.len - 2 });
}

/* --- events --------------------------------------------------------------------------------- */

void
responses_item_open(struct responses_writer *w, const struct ir_event *e)
{
    switch (e->open.kind) {
    case IR_TEXT:
    case IR_REFUSAL: part_open(w, e->open.kind); break;
    case IR_THINKING: responses_reasoning_open(w); break;
    case IR_TOOL_CALL: responses_call_open(w, e); break;
    case IR_MEDIA: responses_image_item(w, e->open.media); break;
    case IR_LOOKUP: responses_lookup_item(w, e->open.lookup); break;
    case IR_TOOL_RESULT:
    case IR_SERVER_RESULT:
    case IR_SEARCH_RESULT:
    case IR_OPAQUE: break;
    }
}

void
responses_item_feed(struct responses_writer *w, const struct ir_event *e)
{
    if (w->open == OPEN_CALL) {
        responses_call_feed(w, e);
        return;
    }
    if (e->kind == IR_EV_TEXT)
        text_feed(w, e->text);
    else if (e->kind == IR_EV_THINKING)
        responses_reasoning_feed(w, e->text);
    else if (e->kind == IR_EV_SEAL && w->open == OPEN_REASONING)
        responses_reasoning_seal(w, &e->seal);
    else if (e->kind == IR_EV_CITATION)
        cite(w, e->citation);
    else if (e->kind == IR_EV_LOGPROBS)
        add_logprobs(w, e->text);
}

void
responses_item_close(struct responses_writer *w)
{
    switch (w->open) {
    case OPEN_MESSAGE: part_close(w); break; /* another part may follow */
    case OPEN_REASONING: responses_reasoning_close(w); break;
    case OPEN_CALL: responses_call_close(w); break;
    case OPEN_NONE: break;
    }
}

void
responses_item_finish(struct responses_writer *w)
{
    responses_item_close(w);
    if (w->open == OPEN_MESSAGE)
        message_done(w, "completed");
}

/* No event tells that it ended: it did not. */
void
responses_item_break(struct responses_writer *w)
{
    bool quiet = w->quiet;

    w->quiet = true;
    if (w->open == OPEN_MESSAGE) {
        part_close(w);
        message_done(w, "incomplete");
    }
    w->open = OPEN_NONE;
    w->quiet = quiet;
}
