/*
 * What a reader tells loosely, noted part by part, and how an answer may end.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/normalise_parts.h"

void *
normalise_must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

struct normaliser *
normaliser_new(const struct codec_stream *about, struct ir_sink to)
{
    struct normaliser *n = normalise_must(calloc(1, sizeof(*n)));

    n->about = *about;
    n->to = to;
    n->start.kind = IR_EV_START;
    if (stop_filter_needed(about->request, about->cap))
        n->stops = stop_filter_new(about->arena, about->request->stop);
    n->keep.arena = about->arena;
    rx_buf_init(&n->keep.scratch, NORMALISE_HELD_MAX);
    rx_buf_init(&n->logprobs, NORMALISE_HELD_MAX);
    return n;
}

static void
free_slot(struct slot *s)
{
    rx_buf_fini(&s->held);
    places_fini(&s->places);
    free(s);
}

void
normaliser_free(struct normaliser *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->count; i++)
        free_slot(n->slots[i]);
    free(n->slots);
    stop_filter_free(n->stops);
    rx_buf_fini(&n->keep.scratch);
    rx_buf_fini(&n->logprobs);
    free(n);
}

/* --- texts -------------------------------------------------------------------- */

static rx_str
keep(struct normaliser *n, rx_str text)
{
    return keep_text(&n->keep, text);
}

static void
keep_start(struct normaliser *n, const struct ir_event *e)
{
    if (n->have_start)
        return;
    n->have_start = true;
    n->start.start.created = e->start.created;
    n->start.start.id = keep(n, e->start.id);
    n->start.start.model = keep(n, e->start.model);
    n->start.start.tier = keep(n, e->start.tier);
}

/* The more a reason says, the more it counts. */
static int
weight(enum ir_stop_reason reason)
{
    switch (reason) {
    case IR_STOP_NONE: return 0;
    case IR_STOP_UNKNOWN: return 1;
    case IR_STOP_END: return 2;
    default: return 3;
    }
}

static void
keep_stop(struct normaliser *n, const struct ir_event *e)
{
    if (weight(e->stop.reason) < weight(n->stop.reason))
        return;
    n->stop = (struct ir_stop){ .reason = e->stop.reason,
        .sequence = keep(n, e->stop.sequence),
        .raw = keep(n, e->stop.raw),
        .detail = keep(n, e->stop.detail) };
}

/* --- what the reader tells -------------------------------------------------------- */

static void
take_bytes(struct normaliser *n, struct slot *s, const struct ir_event *e)
{
    rx_str bytes = keep_clean(&n->keep, e->text);

    s->any = true;
    s->due = true;
    if (s->kind == IR_TOOL_CALL && s->call == IR_CALL_FUNCTION)
        ir_scan_feed(&s->scan, bytes);
    if (s->active && !s->unwrap) {
        normalise_show(n, s, bytes);
        if (n->stopped)
            normalise_advance(n);
        return;
    }
    n->held += bytes.len;
    if (n->held > NORMALISE_HELD_MAX || !rx_buf_add(&s->held, bytes)) {
        normalise_fail(
            n, IR_FAULT_UPSTREAM, "the answer is too large to translate");
        return;
    }
    normalise_advance(n);
}

static void
put_bytes(struct normaliser *n, const struct ir_event *e)
{
    static const enum ir_part_kind kinds[] = {
        [IR_EV_TEXT] = IR_TEXT,
        [IR_EV_THINKING] = IR_THINKING,
        [IR_EV_ARGS] = IR_TOOL_CALL,
    };
    struct slot *s = normalise_slot(n, e->part);

    if (e->text.len == 0)
        return;
    if (s == NULL && (e->kind == IR_EV_ARGS || normalise_was_call(n, e->part)))
        return;
    if (s == NULL)
        s = normalise_slot_new(n, e->part, kinds[e->kind]);
    if (s != NULL && !s->hidden)
        take_bytes(n, s, e);
}

static void
put_seal(struct normaliser *n, const struct ir_event *e)
{
    struct slot *s = normalise_slot(n, e->part);

    if (s == NULL || s->hidden)
        return;
    normalise_keep_seal(n, s, &e->seal);
    if (s->kind == IR_THINKING) {
        s->due = true;
        normalise_advance(n);
    }
}

static void
put_citation(struct normaliser *n, const struct ir_event *e)
{
    struct slot *s = normalise_slot_cited(n, e->part);
    struct ir_citation *c = keep_citation(&n->keep, e->citation);

    if (c == NULL || s == NULL || s->kind != IR_TEXT) {
        codec_lose(&n->about, "citations", "what they belong to is over");
        return;
    }
    if (s->last_citation != NULL)
        s->last_citation->next = c;
    else
        s->citations = c;
    s->last_citation = c;
}

/* An array; its elements go with the next text.  Between them may be line
 * feeds, which would end our event. */
static void
put_logprobs(struct normaliser *n, const struct ir_event *e)
{
    rx_str list = e->text;
    struct slot *s = n->active;

    if (!n->about.request->logprobs.there || list.len <= 2 ||
        list.ptr[0] != '[')
        return;
    size_t from = n->logprobs.len;
    rx_buf_addc(&n->logprobs, from == 0 ? '[' : ',');
    rx_buf_add(&n->logprobs, (rx_str){ list.ptr + 1, list.len - 2 });
    for (size_t i = from; i < n->logprobs.len; i++) {
        if ((unsigned char)n->logprobs.ptr[i] < ' ')
            n->logprobs.ptr[i] = ' ';
    }
    if (s != NULL && s->opened && s->kind == IR_TEXT)
        normalise_emit_logprobs(n, s);
}

static void
put_close(struct normaliser *n, const struct ir_event *e)
{
    struct slot *s = normalise_slot(n, e->part);

    if (s == NULL)
        return;
    s->ended = true;
    normalise_advance(n);
}

static void
put_error(struct normaliser *n, const struct ir_event *e)
{
    struct ir_event kept = *e;

    kept.error.message = keep(n, e->error.message);
    kept.error.type = keep(n, e->error.type);
    kept.error.code = keep(n, e->error.code);
    kept.error.param = keep(n, e->error.param);
    ir_put(&n->to, &kept);
    n->over = true;
}

void
normalise_fail(struct normaliser *n, enum ir_fault fault, const char *words)
{
    put_error(n,
        &(struct ir_event){ .kind = IR_EV_ERROR,
            .error = { .fault = fault, .message = { words, strlen(words) } } });
}

/* --- the end ------------------------------------------------------------------------ */

/* Calls decide whether the client is to run tools (wire.md 3.15). */
static void
reconcile(struct normaliser *n)
{
    switch (n->stop.reason) {
    case IR_STOP_NONE:
    case IR_STOP_END:
    case IR_STOP_SEQUENCE:
    case IR_STOP_UNKNOWN:
    case IR_STOP_PAUSE:
        if (n->calls > 0)
            n->stop.reason = IR_STOP_TOOL;
        else if (n->stop.reason == IR_STOP_NONE)
            n->stop.reason = IR_STOP_END;
        break;
    case IR_STOP_TOOL:
        if (n->calls == 0)
            n->stop.reason = IR_STOP_END;
        break;
    default: break;
    }
}

/* Nobody said why it ends: is it plausible that it is whole? */
static bool
looks_whole(const struct normaliser *n)
{
    bool any = false;

    for (size_t i = 0; i < n->count; i++) {
        const struct slot *s = n->slots[i];
        any = any || s->any;
        if (s->kind == IR_TOOL_CALL && !s->hidden && s->any &&
            !s->scan.complete && s->call == IR_CALL_FUNCTION)
            return false;
    }
    return any || n->calls > 0;
}

static void
put_end(struct normaliser *n)
{
    if (n->stop.reason == IR_STOP_NONE && !looks_whole(n)) {
        normalise_fail(n, IR_FAULT_CUT,
            "the upstream closed the stream before it finished");
        return;
    }
    for (size_t i = 0; i < n->count; i++)
        n->slots[i]->ended = true;
    normalise_advance(n);
    reconcile(n);
    if (n->stop.reason == IR_STOP_BAD_TOOL &&
        n->about.request->dialect != DIALECT_GEMINI) {
        normalise_fail(
            n, IR_FAULT_UPSTREAM, "the model made an unusable tool call");
        return;
    }
    normalise_emit_start(n);
    if (n->usage.has != 0)
        ir_put(&n->to,
            &(struct ir_event){ .kind = IR_EV_USAGE, .usage = &n->usage });
    ir_put(&n->to, &(struct ir_event){ .kind = IR_EV_STOP, .stop = n->stop });
    ir_put(&n->to, &(struct ir_event){ .kind = IR_EV_END });
    n->over = true;
}

/* Past a stop sequence the answer is whole; all that counts is its price. */
static void
put_after_stop(struct normaliser *n, const struct ir_event *e)
{
    if (e->kind == IR_EV_USAGE)
        n->usage = *e->usage;
    else if (e->kind == IR_EV_END || e->kind == IR_EV_ERROR)
        put_end(n);
}

void
normaliser_put(struct normaliser *n, const struct ir_event *e)
{
    if (n->over)
        return;
    if (n->stopped) {
        put_after_stop(n, e);
        return;
    }
    switch (e->kind) {
    case IR_EV_START: keep_start(n, e); break;
    case IR_EV_OPEN:
        normalise_open(n, e);
        normalise_advance(n);
        break;
    case IR_EV_TEXT:
    case IR_EV_THINKING:
    case IR_EV_ARGS: put_bytes(n, e); break;
    case IR_EV_SEAL: put_seal(n, e); break;
    case IR_EV_CITATION: put_citation(n, e); break;
    case IR_EV_CLOSE: put_close(n, e); break;
    case IR_EV_USAGE: n->usage = *e->usage; break;
    case IR_EV_STOP: keep_stop(n, e); break;
    case IR_EV_ERROR: put_error(n, e); break;
    case IR_EV_END: put_end(n); break;
    case IR_EV_LOGPROBS: put_logprobs(n, e); break;
    case IR_EV_KEEPALIVE: break;
    }
}

static void
sink_put(void *arg, const struct ir_event *e)
{
    normaliser_put(arg, e);
}

struct ir_sink
normaliser_sink(struct normaliser *n)
{
    return (struct ir_sink){ sink_put, n };
}
