#include "dataplane/codec/accumulate.h"

#include <stdlib.h>

#include "dataplane/codec/normalise.h"
#include "shared/buf.h"
#include "shared/json_span.h"

struct accumulator {
    struct rx_arena *arena;
    struct ir_response response;
    struct ir_part *part; /* the one that is open */
    struct rx_buf bytes;  /* of it */
    struct rx_buf logprobs;
    struct ir_citation *last_citation;
    bool done;
};

struct accumulator *
accumulator_new(struct rx_arena *arena)
{
    struct accumulator *a = calloc(1, sizeof(*a));

    if (a == NULL)
        abort();
    a->arena = arena;
    rx_buf_init(&a->bytes, NORMALISE_HELD_MAX);
    rx_buf_init(&a->logprobs, NORMALISE_HELD_MAX);
    return a;
}

void
accumulator_free(struct accumulator *a)
{
    if (a == NULL)
        return;
    rx_buf_fini(&a->bytes);
    rx_buf_fini(&a->logprobs);
    free(a);
}

static rx_str
keep(struct accumulator *a, rx_str s)
{
    return s.len > 0 ? rx_arena_copy(a->arena, s) : (rx_str){ 0 };
}

static struct ir_opaque
keep_seal(struct accumulator *a, const struct ir_opaque *seal)
{
    struct ir_opaque kept = *seal;

    kept.bytes = keep(a, seal->bytes);
    return kept;
}

static void
open_part(struct accumulator *a, const struct ir_event *e)
{
    struct ir_part *p = ir_part_add(a->arena, &a->response.parts, e->open.kind);

    a->part = p;
    a->last_citation = NULL;
    rx_buf_clear(&a->bytes);
    if (p == NULL)
        return;
    switch (p->kind) {
    case IR_THINKING:
        p->thinking.summary = e->open.summary;
        p->thinking.redacted = e->open.redacted;
        break;
    case IR_TOOL_CALL:
        p->call.id = keep(a, e->open.id);
        p->call.name = keep(a, e->open.name);
        p->call.space = keep(a, e->open.space);
        p->call.kind = e->open.call;
        p->call.args.escaped = true;
        if (e->open.seal != NULL)
            p->call.seal = keep_seal(a, e->open.seal);
        break;
    case IR_MEDIA:
        if (e->open.media != NULL) {
            p->media = *e->open.media;
            p->media.data = keep(a, p->media.data);
            p->media.mime = keep(a, p->media.mime);
        }
        break;
    case IR_LOOKUP:
        if (e->open.lookup != NULL)
            p->lookup = *e->open.lookup;
        break;
    default: break;
    }
}

/* All in one array. */
static void
add_logprobs(struct accumulator *a, rx_str list)
{
    if (a->logprobs.len == 0) {
        rx_buf_add(&a->logprobs, list);
        return;
    }
    a->logprobs.ptr[a->logprobs.len - 1] = ',';
    rx_buf_add(&a->logprobs, (rx_str){ list.ptr + 1, list.len - 1 });
}

static void
add_citation(struct accumulator *a, const struct ir_citation *c)
{
    struct ir_citation *kept = rx_arena_make(a->arena, struct ir_citation, 1);

    if (kept == NULL)
        return;
    *kept = *c;
    kept->next = NULL;
    kept->url = keep(a, c->url);
    kept->title = keep(a, c->title);
    kept->text = keep(a, c->text);
    kept->raw = keep(a, c->raw);
    if (a->last_citation != NULL)
        a->last_citation->next = kept;
    else
        a->part->citations = kept;
    a->last_citation = kept;
}

static void
close_part(struct accumulator *a)
{
    struct ir_part *p = a->part;
    rx_str bytes = keep(a, rx_buf_str(&a->bytes));

    a->part = NULL;
    switch (p->kind) {
    case IR_TEXT:
    case IR_REFUSAL: p->text = bytes; break;
    case IR_THINKING: p->thinking.text = bytes; break;
    case IR_TOOL_CALL: p->call.args.s = bytes; break;
    default: break;
    }
}

static void
take_error(struct accumulator *a, const struct ir_error *e)
{
    struct ir_error kept = *e;

    kept.message = keep(a, e->message);
    kept.type = keep(a, e->type);
    kept.code = keep(a, e->code);
    kept.param = keep(a, e->param);
    a->response.failed = true;
    a->response.error = kept;
    a->done = true;
}

static void
put(void *arg, const struct ir_event *e)
{
    struct accumulator *a = arg;
    struct ir_response *r = &a->response;

    switch (e->kind) {
    case IR_EV_START:
        r->id = keep(a, e->start.id);
        r->model = keep(a, e->start.model);
        r->tier = keep(a, e->start.tier);
        r->created = e->start.created;
        break;
    case IR_EV_OPEN: open_part(a, e); break;
    case IR_EV_TEXT:
    case IR_EV_THINKING:
    case IR_EV_ARGS: rx_buf_add(&a->bytes, e->text); break;
    case IR_EV_SEAL:
        if (a->part != NULL && a->part->kind == IR_THINKING)
            a->part->thinking.seal = keep_seal(a, &e->seal);
        break;
    case IR_EV_CITATION:
        if (a->part != NULL && a->part->kind == IR_TEXT)
            add_citation(a, e->citation);
        break;
    case IR_EV_CLOSE:
        if (a->part != NULL)
            close_part(a);
        break;
    case IR_EV_LOGPROBS: add_logprobs(a, e->text); break;
    case IR_EV_USAGE: r->usage = *e->usage; break;
    case IR_EV_STOP: r->stop = e->stop; break;
    case IR_EV_ERROR: take_error(a, &e->error); break;
    case IR_EV_END: a->done = true; break;
    case IR_EV_KEEPALIVE: break;
    }
}

struct ir_sink
accumulator_sink(struct accumulator *a)
{
    return (struct ir_sink){ put, a };
}

/* A call that the limit cut off must not be run. */
static bool
is_unusable(const struct ir_part *p)
{
    struct rx_buf json;

    if (p->kind != IR_TOOL_CALL || p->call.kind != IR_CALL_FUNCTION)
        return false;
    rx_buf_init(&json, p->call.args.s.len + 1);
    bool ok = rx_span_unescape(p->call.args.s, &json) &&
              rx_span_whole(rx_buf_str(&json));
    rx_buf_fini(&json);
    return !ok;
}

static void
drop_unusable(struct ir_parts *parts)
{
    struct ir_parts kept = { 0 };

    for (struct ir_part *p = parts->first, *next; p != NULL; p = next) {
        next = p->next;
        if (!is_unusable(p))
            ir_part_append(&kept, p);
    }
    *parts = kept;
}

const struct ir_response *
accumulator_result(struct accumulator *a)
{
    struct ir_response *r = &a->response;

    if (!a->done) {
        r->failed = true;
        r->error = (struct ir_error){ .fault = IR_FAULT_CUT,
            .message = RX_S("the upstream's answer was cut short") };
    }
    if (r->stop.reason == IR_STOP_MAX_TOKENS ||
        r->stop.reason == IR_STOP_CONTEXT)
        drop_unusable(&r->parts);
    if (!a->logprobs.full)
        r->logprobs = rx_buf_str(&a->logprobs);
    return r;
}

/* --- the other way round ------------------------------------------------------------ */

static void
replay_part(const struct ir_part *p, uint32_t number, rx_str *logprobs,
    const struct ir_sink *to)
{
    struct ir_event open = {
        .kind = IR_EV_OPEN, .part = number, .open = { .kind = p->kind }
    };
    struct ir_event e = { .part = number };

    switch (p->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        e.kind = IR_EV_TEXT;
        e.text = p->text;
        break;
    case IR_THINKING:
        open.open.summary = p->thinking.summary;
        open.open.redacted = p->thinking.redacted;
        e.kind = IR_EV_THINKING;
        e.text = p->thinking.text;
        break;
    case IR_TOOL_CALL:
        open.open.id = p->call.id;
        open.open.name = p->call.name;
        open.open.space = p->call.space;
        open.open.call = p->call.kind;
        open.open.seal = p->call.seal.bytes.len > 0 ? &p->call.seal : NULL;
        e.kind = IR_EV_ARGS;
        e.text = p->call.args.s;
        break;
    case IR_MEDIA: open.open.media = &p->media; break;
    case IR_LOOKUP: open.open.lookup = &p->lookup; break;
    default: break;
    }
    ir_put(to, &open);
    if (e.text.len > 0)
        ir_put(to, &e);
    if (p->kind == IR_TEXT && logprobs->len > 0) {
        ir_put(to,
            &(struct ir_event){
                .kind = IR_EV_LOGPROBS, .part = number, .text = *logprobs });
        *logprobs = (rx_str){ 0 };
    }
    const struct ir_citation *c = p->kind == IR_TEXT ? p->citations : NULL;
    for (; c != NULL; c = c->next)
        ir_put(to, &(struct ir_event){
                       .kind = IR_EV_CITATION, .part = number, .citation = c });
    if (p->kind == IR_THINKING && p->thinking.seal.bytes.len > 0)
        ir_put(to,
            &(struct ir_event){
                .kind = IR_EV_SEAL, .part = number, .seal = p->thinking.seal });
    ir_put(to, &(struct ir_event){ .kind = IR_EV_CLOSE, .part = number });
}

void
accumulate_replay(const struct ir_response *r, const struct ir_sink *to)
{
    uint32_t number = 0;
    rx_str logprobs = r->logprobs; /* all with the first text */

    ir_put(to, &(struct ir_event){ .kind = IR_EV_START,
                   .start = { .id = r->id,
                       .model = r->model,
                       .tier = r->tier,
                       .created = r->created,
                       .usage = r->usage.has != 0 ? &r->usage : NULL } });
    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next)
        replay_part(p, number++, &logprobs, to);
    if (r->usage.has != 0)
        ir_put(
            to, &(struct ir_event){ .kind = IR_EV_USAGE, .usage = &r->usage });
    if (r->failed) {
        ir_put(
            to, &(struct ir_event){ .kind = IR_EV_ERROR, .error = r->error });
        return;
    }
    ir_put(to, &(struct ir_event){ .kind = IR_EV_STOP, .stop = r->stop });
    ir_put(to, &(struct ir_event){ .kind = IR_EV_END });
}
