/*
 * Whose turn it is: of the parts that are due, one after another is shown to the
 * writer, and closed before the next.
 */
#include "dataplane/codec/normalise_parts.h"
#include "shared/json_span.h"

static void
emit(struct normaliser *n, struct slot *s, struct ir_event *e)
{
    e->part = s->number;
    ir_put(&n->to, e);
}

void
normalise_emit_start(struct normaliser *n)
{
    if (n->started)
        return;
    n->started = true;
    n->start.start.usage = n->usage.has != 0 ? &n->usage : NULL;
    ir_put(&n->to, &n->start);
}

static void
emit_open(struct normaliser *n, struct slot *s)
{
    struct ir_event e = { .kind = IR_EV_OPEN,
        .open = { .kind = s->kind,
            .id = s->id,
            .name = s->name,
            .space = s->space,
            .call = s->call,
            .summary = s->summary,
            .redacted = s->redacted,
            .media = s->media,
            .lookup = s->lookup } };

    s->opened = true;
    s->number = n->next_number++;
    if (s->kind == IR_TOOL_CALL) {
        n->calls++;
        e.open.seal = s->sealed ? &s->seal : NULL;
    }
    emit(n, s, &e);
}

/* They wait for the end of their text: only then is it known how long it is. */
static void
emit_citations(struct normaliser *n, struct slot *s)
{
    for (struct ir_citation *c = s->citations; c != NULL; c = c->next) {
        places_settle(&s->places, c);
        c->before = n->chars;
        c->before_bytes = n->bytes;
        emit(n, s, &(struct ir_event){ .kind = IR_EV_CITATION, .citation = c });
    }
    n->chars += s->places.chars;
    n->bytes += s->places.bytes;
}

void
normalise_emit_logprobs(struct normaliser *n, struct slot *s)
{
    if (n->logprobs.len == 0 || n->logprobs.full)
        return;
    rx_buf_addc(&n->logprobs, ']');
    emit(n, s,
        &(struct ir_event){
            .kind = IR_EV_LOGPROBS, .text = rx_buf_str(&n->logprobs) });
    rx_buf_clear(&n->logprobs);
}

/* Text that may hold a stop sequence is opened when some of it can be shown. */
static bool
is_watched(const struct normaliser *n, const struct slot *s)
{
    return n->stops != NULL && s->kind == IR_TEXT;
}

/* The answer ends before this sequence, whatever else the model says. */
static void
stop_at(struct normaliser *n, struct slot *s, rx_str sequence)
{
    n->stopped = true;
    n->stop =
        (struct ir_stop){ .reason = IR_STOP_SEQUENCE, .sequence = sequence };
    s->ended = true;
}

static void
emit_bytes(struct normaliser *n, struct slot *s, rx_str bytes)
{
    struct ir_event e = { .text = bytes };

    if (bytes.len == 0)
        return;
    if (!s->opened)
        emit_open(n, s);
    e.kind = s->kind == IR_THINKING    ? IR_EV_THINKING
             : s->kind == IR_TOOL_CALL ? IR_EV_ARGS
                                       : IR_EV_TEXT;
    emit(n, s, &e);
    if (s->kind != IR_TEXT)
        return;
    places_feed(&s->places, bytes);
    normalise_emit_logprobs(n, s);
}

/* Bytes of the active one. */
void
normalise_show(struct normaliser *n, struct slot *s, rx_str bytes)
{
    rx_str sequence;

    if (!is_watched(n, s)) {
        emit_bytes(n, s, bytes);
        return;
    }
    emit_bytes(n, s, stop_filter_feed(n->stops, bytes));
    if (stop_filter_found(n->stops, &sequence))
        stop_at(n, s, sequence);
}

static void
activate(struct normaliser *n, struct slot *s)
{
    normalise_emit_start(n);
    s->active = true;
    n->active = s;
    if (!is_watched(n, s))
        emit_open(n, s);
    if (s->unwrap)
        return;
    n->held -= s->held.len;
    normalise_show(n, s, rx_buf_str(&s->held));
    rx_buf_release(&s->held);
}

/* {"input":"free text"} is what a free-text tool is called with when it had to
 * be declared as a function; anything else is taken for the text itself. */
static void
emit_unwrapped(struct normaliser *n, struct slot *s)
{
    struct rx_buf json;
    struct rx_span j;
    rx_str text = rx_buf_str(&s->held);
    rx_str input = { 0 };

    rx_buf_init(&json, s->held.len + 1);
    rx_span_unescape(text, &json);
    rx_span_init(&j, rx_buf_str(&json));
    if (rx_span_kind(&j) == RX_SPAN_OBJECT) {
        rx_span_enter_object(&j);
        while (rx_span_member(&j, NULL)) {
            if (rx_span_key_is(&j, RX_S("input")))
                rx_span_string(&j, &input);
            else
                rx_span_skip(&j, NULL);
        }
    }
    emit_bytes(n, s, rx_span_finish(&j) && input.ptr != NULL ? input : text);
    rx_buf_fini(&json);
}

static void
close_active(struct normaliser *n)
{
    struct slot *s = n->active;

    if (s->unwrap) {
        n->held -= s->held.len;
        emit_unwrapped(n, s);
    } else if (s->kind == IR_TOOL_CALL && !s->any &&
               s->call == IR_CALL_FUNCTION) {
        emit_bytes(n, s, RX_S("{}"));
    } else if (is_watched(n, s)) {
        emit_bytes(n, s, stop_filter_flush(n->stops));
    }
    if (s->opened && s->kind == IR_TEXT)
        emit_citations(n, s);
    if (s->sealed && s->kind == IR_THINKING)
        emit(n, s, &(struct ir_event){ .kind = IR_EV_SEAL, .seal = s->seal });
    if (s->opened)
        emit(n, s, &(struct ir_event){ .kind = IR_EV_CLOSE });
    s->closed = true;
    n->active = NULL;
    rx_buf_release(&s->held);
}

static struct slot *
first_due(const struct normaliser *n)
{
    for (size_t i = 0; i < n->count; i++) {
        if (n->slots[i]->due && !n->slots[i]->active)
            return n->slots[i];
    }
    return NULL;
}

/* A call waits for its end; other parts give way to whatever comes next. */
static bool
gives_way(const struct slot *s)
{
    return s->kind != IR_TOOL_CALL || s->scan.complete;
}

void
normalise_advance(struct normaliser *n)
{
    for (;;) {
        struct slot *next = n->stopped ? NULL : first_due(n);
        if (n->active != NULL && !n->active->ended &&
            (next == NULL || !gives_way(n->active)))
            return;
        if (n->active != NULL)
            close_active(n);
        else if (next != NULL)
            activate(n, next);
        else
            return;
    }
}
