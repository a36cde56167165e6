/* A Responses answer for the client, event by event. */
#include "dataplane/codec/responses_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/accumulate.h"
#include "dataplane/codec/fault.h"
#include "dataplane/codec/put.h"
#include "shared/attr.h"

static struct responses_writer *
self(struct codec_writer *w)
{
    return (struct responses_writer *)(void *)w;
}

static void
init(struct responses_writer *w)
{
    struct rx_buf *const bufs[] = { &w->output, &w->head, &w->content, &w->text,
        &w->notes, &w->logprobs, &w->seal, &w->name };

    *w = (struct responses_writer){ 0 };
    for (size_t i = 0; i < RX_COUNT(bufs); i++)
        rx_buf_init(bufs[i], RESPONSES_OUTPUT_MAX);
}

static void
fini(struct responses_writer *w)
{
    struct rx_buf *const bufs[] = { &w->output, &w->head, &w->content, &w->text,
        &w->notes, &w->logprobs, &w->seal, &w->name };

    for (size_t i = 0; i < RX_COUNT(bufs); i++)
        rx_buf_fini(bufs[i]);
}

struct codec_writer *
responses_writer_new(void)
{
    struct responses_writer *w = malloc(sizeof(*w));

    if (w == NULL) {
        fputs("routex: out of memory for an answer\n", stderr);
        abort();
    }
    init(w);
    return &w->base;
}

void
responses_writer_fini(struct codec_writer *w)
{
    fini(self(w));
}

/* --- frames -------------------------------------------------------------------- */

bool
responses_frame(struct responses_writer *w, const char *type)
{
    struct rx_buf *b = w->base.out;

    if (w->quiet)
        return false;
    w->frame = b->len;
    rx_buf_add(b, RX_S("event: "));
    rx_buf_add(b, rx_str_of(type));
    rx_buf_add(b, RX_S("\ndata: "));
    w->frame = b->len;
    put_open(b, '{');
    put_member_word(b, "type", type);
    put_member_u64(b, "sequence_number", w->sequence++);
    return true;
}

void
responses_frame_item(struct responses_writer *w)
{
    struct rx_buf *b = w->base.out;

    put_member_word(b, "item_id", w->item_id);
    put_member_u64(b, "output_index", w->items);
}

/* What was copied as it stood may hold line ends between its values; in a frame
 * they would end the line. */
static void
flatten(char *at, const char *end)
{
    for (; at < end; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
}

void
responses_frame_end(struct responses_writer *w)
{
    struct rx_buf *b = w->base.out;

    put_close(b, '}');
    if (b->full)
        return;
    flatten(b->ptr + w->frame, b->ptr + b->len);
    rx_buf_add(b, RX_S("\n\n"));
}

/* --- the response --------------------------------------------------------------- */

static void
frame_response(struct responses_writer *w, const char *type)
{
    if (!responses_frame(w, type))
        return;
    put_key(w->base.out, "response");
    responses_put_object(w, w->base.out);
    responses_frame_end(w);
}

static void
begin(struct responses_writer *w)
{
    const struct codec_world *world = w->base.about.world;

    if (w->started)
        return;
    w->started = true;
    codec_id(world, "resp_", w->id);
    w->created_s = world->now_s;
    w->status.word = "in_progress";
    frame_response(w, "response.created");
    frame_response(w, "response.in_progress");
}

static void
take_tier(struct responses_writer *w, rx_str tier)
{
    if (tier.len == 0 || tier.len >= sizeof(w->tier))
        return;
    memcpy(w->tier, tier.ptr, tier.len);
    w->tier[tier.len] = '\0';
}

static void
take_usage(struct responses_writer *w, const struct usage *u)
{
    for (unsigned i = 0; i < USAGE_COUNT; i++) {
        if ((u->has >> i & 1) != 0)
            w->usage.n[i] = u->n[i];
    }
    w->usage.has |= u->has;
    if (u->tier[0] != '\0')
        memcpy(w->tier, u->tier, sizeof(w->tier));
}

/* NULL: it is complete. */
static const char *
incomplete(const struct responses_writer *w)
{
    switch (w->stop) {
    case IR_STOP_MAX_TOKENS:
    case IR_STOP_CONTEXT: return "max_output_tokens";
    case IR_STOP_FILTERED: return "content_filter";
    case IR_STOP_REFUSAL: return w->refused ? NULL : "content_filter";
    case IR_STOP_NONE:
    case IR_STOP_END:
    case IR_STOP_SEQUENCE:
    case IR_STOP_TOOL:
    case IR_STOP_PAUSE:
    case IR_STOP_BAD_TOOL:
    case IR_STOP_COMPACTED:
    case IR_STOP_UNKNOWN: break;
    }
    return NULL;
}

static void
end(struct responses_writer *w, struct responses_status status)
{
    static const char *const types[] = {
        "response.completed",
        "response.incomplete",
        "response.failed",
    };

    w->status = status;
    frame_response(w, types[status.error != NULL        ? 2
                            : status.incomplete != NULL ? 1
                                                        : 0]);
    w->ended = true;
}

static void
fail(struct responses_writer *w, const struct ir_error *error)
{
    begin(w);
    responses_item_break(w);
    if (w->output.full)
        rx_buf_release(&w->output);
    end(w, (struct responses_status){ .word = "failed", .error = error });
}

/* All of it is repeated at the end: that must have fitted. */
static bool
has_all(const struct responses_writer *w)
{
    return !w->output.full && !w->text.full && !w->content.full &&
           !w->notes.full && !w->seal.full && !w->head.full;
}

static void
finish(struct responses_writer *w)
{
    static const struct ir_error too_big = {
        .fault = IR_FAULT_UPSTREAM,
        .message = RX_STR_INIT("the answer is too large"),
    };
    static const struct ir_error bad_tool = {
        .fault = IR_FAULT_UPSTREAM,
        .message = RX_STR_INIT("the model made an unusable tool call"),
    };
    const char *why = incomplete(w);

    begin(w);
    responses_item_finish(w);
    if (!has_all(w))
        fail(w, &too_big);
    else if (w->stop == IR_STOP_BAD_TOOL)
        fail(w, &bad_tool);
    else if (why != NULL)
        end(w, (struct responses_status){ "incomplete", why, NULL });
    else
        end(w, (struct responses_status){ "completed", NULL, NULL });
}

void
responses_write(struct codec_writer *base, const struct ir_event *e)
{
    struct responses_writer *w = self(base);

    if (w->ended)
        return;
    switch (e->kind) {
    case IR_EV_START:
        take_tier(w, e->start.tier);
        begin(w);
        break;
    case IR_EV_OPEN:
        begin(w);
        responses_item_open(w, e);
        break;
    case IR_EV_TEXT:
    case IR_EV_THINKING:
    case IR_EV_SEAL:
    case IR_EV_ARGS:
    case IR_EV_CITATION:
    case IR_EV_LOGPROBS: responses_item_feed(w, e); break;
    case IR_EV_CLOSE: responses_item_close(w); break;
    case IR_EV_USAGE: take_usage(w, e->usage); break;
    case IR_EV_STOP:
        responses_item_finish(w);
        w->stop = e->stop.reason;
        break;
    case IR_EV_ERROR: fail(w, &e->error); break;
    case IR_EV_END: finish(w); break;
    case IR_EV_KEEPALIVE: break;
    }
}

/* --- whole ---------------------------------------------------------------------- */

static void
take_event(void *arg, const struct ir_event *e)
{
    responses_write(arg, e);
}

void
responses_write_whole(const struct codec_stream *about,
    const struct ir_response *r, struct rx_buf *out)
{
    struct responses_writer w;

    init(&w);
    w.quiet = true;
    w.base.about = *about;
    w.base.out = out;
    accumulate_replay(r, &(struct ir_sink){ take_event, &w.base });
    if (r->failed) /* the event that told it is gone */
        w.status.error = &r->error;
    responses_put_object(&w, out);
    fini(&w);
}

int
responses_write_error(const struct ir_error *error, struct rx_buf *out)
{
    const struct fault_words *words = fault_words(error->fault);

    put_open(out, '{');
    put_member_open(out, "error", '{');
    put_member(out, "message", error->message);
    put_member_word(out, "type", words->openai);
    if (error->param.len > 0)
        put_member(out, "param", error->param);
    else
        put_member_null(out, "param");
    if (words->openai_code != NULL)
        put_member_word(out, "code", words->openai_code);
    else
        put_member_null(out, "code");
    put_close(out, '}');
    put_close(out, '}');
    return words->openai_status;
}
