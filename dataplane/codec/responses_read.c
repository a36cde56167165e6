/*
 * A Responses answer from the channel.
 *
 *   created ─> (item: added, parts, deltas, done)* ─> completed | incomplete |
 *                                                     failed | error
 *
 * Only the last event ends it.  What each event adds to what was told before
 * is decided in responses_slots.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/codec/fault.h"
#include "dataplane/codec/reader.h"
#include "dataplane/codec/responses_slots.h"

static struct responses_reader *
self(struct codec_reader *r)
{
    return (struct responses_reader *)(void *)r;
}

struct codec_reader *
responses_reader_new(void)
{
    struct responses_reader *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        fputs("routex: out of memory for an answer\n", stderr);
        abort();
    }
    return &r->base;
}

void
responses_reader_fini(struct codec_reader *r)
{
    free(self(r)->slots);
}

/* --- events ---------------------------------------------------------------------------- */

struct event {
    rx_str type, delta, text, arguments, input, refusal, code, message,
        param;                                                /* text */
    rx_str item, part, response, annotation, logprobs, error; /* raw */
    struct ir_int output_index, content_index, summary_index;
    uint64_t output, content, summary;
};

static void
on_created(struct responses_reader *r, const struct event *e)
{
    struct responses_object x;

    if (responses_object_read(e->response, &x))
        responses_put_start(r, &x);
}

static void
on_added(struct responses_reader *r, const struct event *e)
{
    struct responses_item item;

    if (!responses_item_read(e->item, &item))
        return;
    if ((item.kind == RESPONSES_FUNCTION_CALL ||
            item.kind == RESPONSES_CUSTOM_CALL) &&
        item.call_id.len > 0)
        slot_call(r, e->output, &item);
}

static void
on_done(struct responses_reader *r, const struct event *e)
{
    slot_item(r, e->output, e->item);
}

static void
on_text(struct responses_reader *r, const struct event *e)
{
    struct slot *s = slot_text(r, false, e->output, e->content);

    slot_feed(r, s, e->delta);
    if (s == NULL || e->logprobs.len <= 2)
        return;
    s->likely = false;
    slot_logprobs(r, s, e->logprobs);
}

static void
on_text_done(struct responses_reader *r, const struct event *e)
{
    if (e->text.len > 0)
        slot_fill(r, slot_text(r, false, e->output, e->content), e->text);
}

static void
on_refusal(struct responses_reader *r, const struct event *e)
{
    slot_feed(r, slot_text(r, true, e->output, e->content), e->delta);
}

static void
on_refusal_done(struct responses_reader *r, const struct event *e)
{
    slot_fill(r, slot_text(r, true, e->output, e->content), e->refusal);
}

static void
on_annotation(struct responses_reader *r, const struct event *e)
{
    slot_citation(r, slot_text(r, false, e->output, e->content), e->annotation);
}

static void
on_part_done(struct responses_reader *r, const struct event *e)
{
    slot_content(r, e->output, e->content, e->part);
}

static void
on_args(struct responses_reader *r, const struct event *e)
{
    slot_feed(r, slot_find(r, SLOT_CALL, e->output, 0), e->delta);
}

static void
on_args_done(struct responses_reader *r, const struct event *e)
{
    slot_fill(r, slot_find(r, SLOT_CALL, e->output, 0),
        e->arguments.len > 0 ? e->arguments : e->input);
}

static void
on_summary(struct responses_reader *r, const struct event *e)
{
    slot_feed(r, slot_reasoning(r, e->output, true, e->summary), e->delta);
}

static void
on_summary_done(struct responses_reader *r, const struct event *e)
{
    slot_fill(r, slot_reasoning(r, e->output, true, e->summary), e->text);
}

static void
on_thought(struct responses_reader *r, const struct event *e)
{
    slot_feed(r, slot_reasoning(r, e->output, false, e->content), e->delta);
}

static void
on_thought_done(struct responses_reader *r, const struct event *e)
{
    slot_fill(r, slot_reasoning(r, e->output, false, e->content), e->text);
}

static void
on_terminal(struct responses_reader *r, const struct event *e)
{
    struct responses_object x;

    if (!responses_object_read(e->response, &x)) {
        reader_fail_with(&r->base, IR_FAULT_UPSTREAM,
            RX_S("the upstream's last event holds no response"));
        return;
    }
    if (x.status.len == 0)
        x.status = RX_S("completed");
    responses_conclude(r, &x);
}

static void
on_failed(struct responses_reader *r, const struct event *e)
{
    struct responses_object x;

    responses_object_read(e->response, &x);
    x.status = RX_S("failed");
    responses_conclude(r, &x);
}

/* Flat or nested. */
static void
on_error(struct responses_reader *r, const struct event *e)
{
    struct ir_error error = {
        .message = e->message.len > 0 ? e->message
                                      : RX_S("the upstream told of an error"),
        .code = e->code,
        .param = e->param,
    };

    error.fault = fault_judge(&error);
    fault_read_value(e->error, &error);
    reader_fail(&r->base, &error);
}

static const struct {
    rx_str type;
    void (*act)(struct responses_reader *r, const struct event *e);
} handlers[] = {
    { RX_STR_INIT("response.output_text.delta"), on_text },
    { RX_STR_INIT("response.function_call_arguments.delta"), on_args },
    { RX_STR_INIT("response.reasoning_summary_text.delta"), on_summary },
    { RX_STR_INIT("response.reasoning_text.delta"), on_thought },
    { RX_STR_INIT("response.custom_tool_call_input.delta"), on_args },
    { RX_STR_INIT("response.refusal.delta"), on_refusal },
    { RX_STR_INIT("response.output_item.added"), on_added },
    { RX_STR_INIT("response.output_item.done"), on_done },
    { RX_STR_INIT("response.content_part.done"), on_part_done },
    { RX_STR_INIT("response.output_text.done"), on_text_done },
    { RX_STR_INIT("response.output_text.annotation.added"), on_annotation },
    { RX_STR_INIT("response.refusal.done"), on_refusal_done },
    { RX_STR_INIT("response.function_call_arguments.done"), on_args_done },
    { RX_STR_INIT("response.custom_tool_call_input.done"), on_args_done },
    { RX_STR_INIT("response.reasoning_summary_text.done"), on_summary_done },
    { RX_STR_INIT("response.reasoning_text.done"), on_thought_done },
    { RX_STR_INIT("response.created"), on_created },
    { RX_STR_INIT("response.in_progress"), on_created },
    { RX_STR_INIT("response.queued"), on_created },
    { RX_STR_INIT("response.completed"), on_terminal },
    { RX_STR_INIT("response.incomplete"), on_terminal },
    { RX_STR_INIT("response.done"), on_terminal },
    { RX_STR_INIT("response.failed"), on_failed },
    { RX_STR_INIT("response.cancelled"), on_failed },
    { RX_STR_INIT("error"), on_error },
};

static uint64_t
index_of(struct ir_int n, uint64_t fallback)
{
    return n.there && n.n >= 0 ? (uint64_t)n.n : fallback;
}

static bool
read_event(rx_str data, struct event *e)
{
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, event, "type", type),
        WALK_ROW(INT, event, "output_index", output_index),
        WALK_ROW(INT, event, "content_index", content_index),
        WALK_ROW(TEXT, event, "delta", delta),
        WALK_ROW(RAW, event, "logprobs", logprobs),
        WALK_ROW(INT, event, "summary_index", summary_index),
        WALK_ROW(RAW, event, "item", item),
        WALK_ROW(RAW, event, "part", part),
        WALK_ROW(RAW, event, "response", response),
        WALK_ROW(TEXT, event, "text", text),
        WALK_ROW(TEXT, event, "arguments", arguments),
        WALK_ROW(TEXT, event, "input", input),
        WALK_ROW(TEXT, event, "refusal", refusal),
        WALK_ROW(RAW, event, "annotation", annotation),
        WALK_ROW(RAW, event, "error", error),
        WALK_ROW(TEXT, event, "code", code),
        WALK_ROW(TEXT, event, "message", message),
        WALK_ROW(TEXT, event, "param", param),
    };

    *e = (struct event){ 0 };
    return RESPONSES_WALK(data, rows, e);
}

static void
handle(struct responses_reader *r, struct event *e)
{
    e->output = index_of(e->output_index, r->last_output);
    e->content = index_of(e->content_index, 0);
    e->summary = index_of(e->summary_index, 0);
    r->last_output = e->output;
    for (size_t i = 0; i < RX_COUNT(handlers); i++) {
        if (rx_str_eq(e->type, handlers[i].type)) {
            handlers[i].act(r, e);
            return;
        }
    }
    if (e->type.len == 0 && rx_span_kind_of(e->error) != RX_SPAN_NOTHING)
        on_error(r, e);
}

void
responses_read(struct codec_reader *base, const struct sse_event *event)
{
    struct responses_reader *r = self(base);
    struct event e;

    if (r->base.over || rx_str_starts(event->data, RX_S("[DONE]")))
        return;
    if (event->raw) {
        responses_read_whole(base, event->data);
        return;
    }
    if (rx_span_kind_of(event->data) != RX_SPAN_OBJECT)
        return;
    if (!read_event(event->data, &e)) {
        reader_fail_with(&r->base, IR_FAULT_UPSTREAM,
            RX_S("the upstream sent an event that is no JSON"));
        return;
    }
    if (e.type.len == 0)
        e.type = event->name;
    handle(r, &e);
    if (!r->base.over && r->count == RESPONSES_SLOTS_MAX)
        reader_fail_with(&r->base, IR_FAULT_UPSTREAM,
            RX_S("the upstream's answer has too many parts"));
}

/* --- whole, and the end ------------------------------------------------------------------- */

static bool
is_over(const struct responses_object *x)
{
    return !rx_str_eq(x->status, RX_S("queued")) &&
           !rx_str_eq(x->status, RX_S("in_progress"));
}

void
responses_read_whole(struct codec_reader *base, rx_str document)
{
    struct responses_reader *r = self(base);
    struct ir_error error;
    struct responses_object x;

    if (r->base.over)
        return;
    bool whole = responses_object_read(document, &x);
    if (whole && x.output.len > 0 && is_over(&x)) {
        if (x.status.len == 0)
            x.status = RX_S("completed");
        responses_conclude(r, &x);
    } else if (fault_read(document, 0, &error)) {
        reader_fail(&r->base, &error);
    } else {
        reader_fail_with(&r->base, IR_FAULT_UPSTREAM,
            whole && x.output.len > 0
                ? RX_S("the upstream's answer is not finished")
                : RX_S("the upstream's reply holds no answer"));
    }
}

void
responses_read_end(struct codec_reader *base, bool clean)
{
    struct responses_reader *r = self(base);

    if (r->base.over)
        return;
    reader_fail_with(&r->base, IR_FAULT_CUT,
        clean ? RX_S("the upstream closed the stream before it finished")
              : RX_S("the connection to the upstream broke off"));
}
