/* Reasoning, written, and what comes as one item. */
#include "dataplane/codec/provenance.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/responses_write.h"

void
responses_reasoning_open(struct responses_writer *w)
{
    responses_item_finish(w);
    responses_item_begin(w, "rs_");
    put_member_word(&w->head, "type", "reasoning");
    w->open = OPEN_REASONING;
}

/* Its words are for a client that asked for them. */
static bool
is_visible(const struct responses_writer *w)
{
    const struct ir_request *r = w->base.about.request;

    return r->reasoning.show == IR_SHOW_SUMMARY ||
           r->reasoning.show == IR_SHOW_FULL;
}

static void
frame_summary(struct responses_writer *w, const char *type, const char *member)
{
    struct rx_buf *b = w->base.out;

    if (!responses_frame(w, type))
        return;
    responses_frame_item(w);
    put_member_u64(b, "summary_index", 0);
    if (member != NULL) {
        put_member(b, member, rx_buf_str(&w->text));
    } else {
        put_member_open(b, "part", '{');
        put_member_word(b, "type", "summary_text");
        put_member(b, "text", rx_buf_str(&w->text));
        put_close(b, '}');
    }
    responses_frame_end(w);
}

void
responses_reasoning_feed(struct responses_writer *w, rx_str text)
{
    struct rx_buf *b = w->base.out;

    if (w->open != OPEN_REASONING || !is_visible(w))
        return;
    if (!w->shown) {
        responses_item_added(w);
        frame_summary(w, "response.reasoning_summary_part.added", NULL);
    }
    rx_buf_add(&w->text, text);
    if (!responses_frame(w, "response.reasoning_summary_text.delta"))
        return;
    responses_frame_item(w);
    put_member_u64(b, "summary_index", 0);
    put_member(b, "delta", text);
    responses_frame_end(w);
}

static void
reasoning_done(struct responses_writer *w)
{
    struct rx_buf rest;

    rx_buf_init(&rest, RESPONSES_OUTPUT_MAX);
    put_member_open(&rest, "summary", '[');
    if (w->text.len > 0) {
        put_open(&rest, '{');
        put_member_word(&rest, "type", "summary_text");
        put_member(&rest, "text", rx_buf_str(&w->text));
        put_close(&rest, '}');
    }
    put_close(&rest, ']');
    put_member_if(&rest, "encrypted_content", rx_buf_str(&w->seal));
    put_member_word(&rest, "status", "completed");
    if (rest.full)
        w->output.full = true;
    responses_item_done(w, rx_buf_str(&rest));
    rx_buf_fini(&rest);
}

/* One with neither words to show nor state to carry is not told of. */
void
responses_reasoning_close(struct responses_writer *w)
{
    if (w->shown) {
        frame_summary(w, "response.reasoning_summary_text.done", "text");
        frame_summary(w, "response.reasoning_summary_part.done", NULL);
    } else if (w->seal.len > 0) {
        responses_item_added(w);
    } else {
        w->open = OPEN_NONE;
        return;
    }
    reasoning_done(w);
}

void
responses_reasoning_seal(
    struct responses_writer *w, const struct ir_opaque *seal)
{
    rx_buf_clear(&w->seal);
    if (seal->dialect == DIALECT_RESPONSES)
        rx_buf_add(&w->seal, seal->bytes);
    else
        provenance_wrap(&w->seal, seal);
}

/* A tool's signature: reasoning without words. */
void
responses_sealed_item(struct responses_writer *w, const struct ir_opaque *seal)
{
    if (seal == NULL || seal->bytes.len == 0)
        return;
    responses_reasoning_open(w);
    responses_reasoning_seal(w, seal);
    responses_reasoning_close(w);
}

/* A picture the model made. */
void
responses_image_item(struct responses_writer *w, const struct ir_media *m)
{
    struct rx_buf rest;

    if (m == NULL || m->source != IR_INLINE || m->kind != IR_IMAGE) {
        codec_lose(&w->base.about, "media",
            "of media in answers only images have a form here");
        return;
    }
    responses_item_finish(w);
    responses_item_begin(w, "ig_");
    put_member_word(&w->head, "type", "image_generation_call");
    responses_item_added(w);
    rx_buf_init(&rest, RESPONSES_OUTPUT_MAX);
    put_member(&rest, "result", m->data);
    put_member_word(&rest, "status", "completed");
    if (rest.full)
        w->output.full = true;
    responses_item_done(w, rx_buf_str(&rest));
    rx_buf_fini(&rest);
}
