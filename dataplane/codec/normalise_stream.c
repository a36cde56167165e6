/*
 * A slot is a part of the answer on its way from the reader to the writer.  Of
 * all slots one may be active: its bytes pass straight through.  The others
 * wait, holding theirs, until the active one is over.
 *
 *     waiting ──(something is in it)──> due ──> active ──> closed
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/keep.h"
#include "dataplane/codec/normalise.h"
#include "dataplane/codec/places.h"
#include "dataplane/codec/stop_filter.h"
#include "shared/json_span.h"

struct slot {
    uint32_t part; /* as the reader calls it */
    uint32_t number;
    enum ir_part_kind kind;
    bool due;
    bool active; /* stays so when it is closed */
    bool opened; /* the writer heard of it */
    bool closed;
    bool ended;  /* the reader closed it */
    bool hidden; /* not for this client */
    bool summary, redacted, sealed;
    bool any;    /* bytes came */
    bool unwrap; /* a free-text tool in a function's clothes */
    enum ir_call_kind call;
    struct ir_scan scan; /* of a call's arguments */
    struct rx_buf held;
    rx_str id, name, space;
    struct ir_opaque seal;
    const struct ir_media *media;
    const struct ir_lookup *lookup;
    struct places places; /* of a text */
    struct ir_citation *citations, *last_citation;
};

struct normaliser {
    struct codec_stream about;
    struct ir_sink to;
    struct slot **slots;
    size_t count, size;
    struct slot *active;
    uint32_t next_number;
    uint32_t calls; /* the client is to run */
    size_t held;    /* bytes waiting */
    bool have_start, started, over;
    struct ir_event start;
    struct ir_stop stop;
    struct usage usage;
    struct keep keep;
    struct rx_buf logprobs;    /* elements that wait for their text */
    uint64_t chars, bytes;     /* of the texts that are closed */
    struct stop_filter *stops; /* NULL: the model watches for itself */
    bool stopped;              /* at a sequence: the rest is not shown */
};

static void *
must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

struct normaliser *
normaliser_new(const struct codec_stream *about, struct ir_sink to)
{
    struct normaliser *n = must(calloc(1, sizeof(*n)));

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

static void fail(struct normaliser *n, enum ir_fault fault, const char *words);

/* --- slots -------------------------------------------------------------------- */

static void
emit(struct normaliser *n, struct slot *s, struct ir_event *e)
{
    e->part = s->number;
    ir_put(&n->to, e);
}

static bool
hides_thinking(const struct ir_request *r)
{
    switch (r->dialect) {
    case DIALECT_ANTHROPIC:
        return r->reasoning.mode != IR_THINK_ON &&
               r->reasoning.mode != IR_THINK_ADAPTIVE;
    case DIALECT_CHAT: return r->reasoning.show == IR_SHOW_NONE;
    default: return false;
    }
}

#define SLOTS_MAX 4096

static struct slot *
slot_new(struct normaliser *n, uint32_t part, enum ir_part_kind kind)
{
    if (n->count == SLOTS_MAX) {
        fail(n, IR_FAULT_UPSTREAM, "the answer has too many parts");
        return NULL;
    }
    struct slot *s = must(calloc(1, sizeof(*s)));

    if (n->count == n->size) {
        n->size = n->size > 0 ? n->size * 2 : 8;
        n->slots = must(realloc(n->slots, n->size * sizeof(struct slot *)));
    }
    n->slots[n->count++] = s;
    s->part = part;
    s->kind = kind;
    s->hidden = kind == IR_THINKING && hides_thinking(n->about.request);
    rx_buf_init(&s->held, NORMALISE_HELD_MAX);
    places_init(&s->places);
    return s;
}

/* The latest of that name that can still take something. */
static struct slot *
find(const struct normaliser *n, uint32_t part)
{
    for (size_t i = n->count; i > 0; i--) {
        struct slot *s = n->slots[i - 1];
        if (s->part == part && !s->closed && !s->ended)
            return s;
    }
    return NULL;
}

static bool
was_closed(const struct normaliser *n, uint32_t part)
{
    for (size_t i = n->count; i > 0; i--) {
        if (n->slots[i - 1]->part == part)
            return n->slots[i - 1]->kind == IR_TOOL_CALL;
    }
    return false;
}

static const struct ir_rename *
find_rename(const struct normaliser *n, rx_str wire)
{
    const struct ir_rename *r = n->about.request->renames;

    while (r != NULL && !rx_str_eq(r->wire, wire))
        r = r->next;
    return r;
}

/* What ids each dialect's clients can send back to anybody. */
static const struct {
    enum cap_ids rule;
    unsigned most;
} client_ids[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = { CAP_IDS_WORD, 128 },
    [DIALECT_CHAT] = { CAP_IDS_ANY, 64 },
    [DIALECT_RESPONSES] = { CAP_IDS_WORD, 64 },
    [DIALECT_GEMINI] = { CAP_IDS_ANY, 128 },
};

static void
name_call(struct normaliser *n, struct slot *s, const struct ir_event *e)
{
    enum dialect d = n->about.request->dialect;
    const struct ir_rename *r = find_rename(n, e->open.name);
    char made[CODEC_ID_MAX];
    rx_str id = e->open.id;

    if (id.len == 0)
        id = codec_id(n->about.world, "call_", made);
    else if (!normalise_id_ok(id, client_ids[d].rule, client_ids[d].most))
        id = normalise_id(id, client_ids[d].rule, client_ids[d].most, 0, made);
    s->id = keep(n, id);
    s->name = keep(n, r != NULL ? r->client : e->open.name);
    s->space = keep(n, r != NULL ? r->space : e->open.space);
    s->unwrap = r != NULL && r->custom && s->call == IR_CALL_FUNCTION;
    if (s->unwrap)
        s->call = IR_CALL_CUSTOM;
}

static void
keep_seal(struct normaliser *n, struct slot *s, const struct ir_opaque *seal)
{
    if (s->sealed || seal->bytes.len == 0)
        return;
    s->sealed = true;
    s->seal = *seal;
    s->seal.bytes = keep(n, seal->bytes);
}

/* What only its own dialect has a form for. */
static bool
has_no_form(const struct normaliser *n, const struct ir_event *e)
{
    switch (e->open.kind) {
    case IR_TOOL_RESULT:
    case IR_SEARCH_RESULT:
    case IR_SERVER_RESULT:
        codec_lose(&n->about, "tool results",
            "what the provider's own tools gave has no form here");
        return true;
    case IR_OPAQUE:
        codec_lose(&n->about, "content blocks",
            "a block of the answer has no form here");
        return true;
    case IR_TOOL_CALL:
        if (e->open.call == IR_CALL_SERVER)
            codec_lose(&n->about, "tool calls",
                "calls of the provider's own tools have no form here");
        return false;
    default: return false;
    }
}

static void
open_slot(struct normaliser *n, const struct ir_event *e)
{
    enum ir_part_kind kind = e->open.kind;

    if (has_no_form(n, e))
        return;
    struct slot *s = slot_new(n, e->part, kind);
    if (s == NULL)
        return;
    s->summary = e->open.summary;
    s->redacted = e->open.redacted;
    s->call = e->open.call;
    s->media = keep_media(&n->keep, e->open.media);
    s->lookup = keep_lookup(&n->keep, e->open.lookup);
    s->due = kind == IR_MEDIA || kind == IR_LOOKUP;
    if (kind != IR_TOOL_CALL)
        return;
    s->hidden = s->call == IR_CALL_SERVER;
    s->due = !s->hidden;
    if (e->open.seal != NULL)
        keep_seal(n, s, e->open.seal);
    name_call(n, s, e);
}

/* --- the active one ------------------------------------------------------------- */

static void
emit_start(struct normaliser *n)
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

/* --- citations, probabilities ---------------------------------------------------- */

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

static void
emit_logprobs(struct normaliser *n, struct slot *s)
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
    emit_logprobs(n, s);
}

/* Bytes of the active one. */
static void
show(struct normaliser *n, struct slot *s, rx_str bytes)
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
    emit_start(n);
    s->active = true;
    n->active = s;
    if (!is_watched(n, s))
        emit_open(n, s);
    if (s->unwrap)
        return;
    n->held -= s->held.len;
    show(n, s, rx_buf_str(&s->held));
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

static void
advance(struct normaliser *n)
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
        show(n, s, bytes);
        if (n->stopped)
            advance(n);
        return;
    }
    n->held += bytes.len;
    if (n->held > NORMALISE_HELD_MAX || !rx_buf_add(&s->held, bytes)) {
        fail(n, IR_FAULT_UPSTREAM, "the answer is too large to translate");
        return;
    }
    advance(n);
}

static void
put_bytes(struct normaliser *n, const struct ir_event *e)
{
    static const enum ir_part_kind kinds[] = {
        [IR_EV_TEXT] = IR_TEXT,
        [IR_EV_THINKING] = IR_THINKING,
        [IR_EV_ARGS] = IR_TOOL_CALL,
    };
    struct slot *s = find(n, e->part);

    if (e->text.len == 0)
        return;
    if (s == NULL && (e->kind == IR_EV_ARGS || was_closed(n, e->part)))
        return;
    if (s == NULL)
        s = slot_new(n, e->part, kinds[e->kind]);
    if (s != NULL && !s->hidden)
        take_bytes(n, s, e);
}

static void
put_seal(struct normaliser *n, const struct ir_event *e)
{
    struct slot *s = find(n, e->part);

    if (s == NULL || s->hidden)
        return;
    keep_seal(n, s, &e->seal);
    if (s->kind == IR_THINKING) {
        s->due = true;
        advance(n);
    }
}

/* Of a text that is open, or is to come. */
static struct slot *
find_cited(struct normaliser *n, uint32_t part)
{
    struct slot *s = find(n, part);

    if (s != NULL)
        return s;
    for (size_t i = 0; i < n->count; i++) {
        if (n->slots[i]->part == part)
            return NULL;
    }
    return slot_new(n, part, IR_TEXT);
}

static void
put_citation(struct normaliser *n, const struct ir_event *e)
{
    struct slot *s = find_cited(n, e->part);
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
        emit_logprobs(n, s);
}

static void
put_close(struct normaliser *n, const struct ir_event *e)
{
    struct slot *s = find(n, e->part);

    if (s == NULL)
        return;
    s->ended = true;
    advance(n);
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

static void
fail(struct normaliser *n, enum ir_fault fault, const char *words)
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
        fail(n, IR_FAULT_CUT,
            "the upstream closed the stream before it finished");
        return;
    }
    for (size_t i = 0; i < n->count; i++)
        n->slots[i]->ended = true;
    advance(n);
    reconcile(n);
    if (n->stop.reason == IR_STOP_BAD_TOOL &&
        n->about.request->dialect != DIALECT_GEMINI) {
        fail(n, IR_FAULT_UPSTREAM, "the model made an unusable tool call");
        return;
    }
    emit_start(n);
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
        open_slot(n, e);
        advance(n);
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
