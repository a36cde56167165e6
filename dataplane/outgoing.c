#include "dataplane/outgoing.h"

#include <string.h>

#include "dataplane/codec/reseal.h"
#include "dataplane/headers.h"
#include "dataplane/minds.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/sigv4.h"

#define HEAD_MAX    ((size_t)256 * 1024)
/* A body after all changes; before, the settings bound it. */
#define BODY_MAX    ((size_t)256 * 1024 * 1024)
#define WITHOUT_MAX ((size_t)512)
#define LISTED_MAX  12 /* losses named in a row */

void
outgoing_init(struct outgoing *o)
{
    *o = (struct outgoing){ 0 };
    rx_buf_init(&o->head, HEAD_MAX);
    rx_buf_init(&o->joined, BODY_MAX);
    rx_buf_init(&o->changed, BODY_MAX);
    rx_buf_init(&o->resealed, BODY_MAX);
    rx_buf_init(&o->repaired[0], BODY_MAX);
    rx_buf_init(&o->repaired[1], BODY_MAX);
    rx_buf_init(&o->without, WITHOUT_MAX);
}

void
outgoing_clear(struct outgoing *o)
{
    translation_free(o->translation);
    o->translation = NULL;
    transform_filter_free(o->filter);
    o->filter = NULL;
    o->chain = NULL;
    o->whole = (rx_str){ 0 };
    rx_buf_clear(&o->head);
    rx_buf_clear(&o->joined);
    rx_buf_clear(&o->changed);
    rx_buf_clear(&o->resealed);
    rx_buf_clear(&o->repaired[0]);
    rx_buf_clear(&o->repaired[1]);
    rx_buf_clear(&o->without);
    o->repairs = 0;
}

void
outgoing_fini(struct outgoing *o)
{
    outgoing_clear(o);
    rx_buf_fini(&o->head);
    rx_buf_fini(&o->joined);
    rx_buf_fini(&o->changed);
    rx_buf_fini(&o->resealed);
    rx_buf_fini(&o->repaired[0]);
    rx_buf_fini(&o->repaired[1]);
    rx_buf_fini(&o->without);
}

static uint64_t
next_random(void *proxy)
{
    return proxy_dice(proxy);
}

/* Gemini's streams are events only when asked to be. */
static bool
wants_array(const struct outgoing_ask *ask)
{
    static const char events[] = "alt=sse";
    rx_str query = ask->in->query;

    return ask->path->dialect == DIALECT_GEMINI && ask->in->stream &&
           (query.len == 0 || memmem(query.ptr, query.len, events,
                                  sizeof(events) - 1) == NULL);
}

static enum rx_code
translate(struct outgoing *o, const struct outgoing_ask *ask,
    struct outbound *head, struct rx_err *err)
{
    const struct candidate *to = ask->to;
    struct translate_ask t = {
        .client = ask->path->dialect,
        .body = ask->in->body,
        .model_asked = ask->in->model,
        .model = to->model,
        .stream = ask->in->stream,
        .stream_array = wants_array(ask),
        .key = { .dialect = to->dialect,
            .type = to->channel->type,
            .host = to->endpoint->authority,
            .model = to->model },
        .world = { next_random, ask->proxy, rx_clock_wall_ms() / 1000 },
        .count = ask->path->op == OP_COUNT,
        .strict = ask->strict,
        .memory = ask->proxy->memory,
        .tenant = ask->tenant,
    };
    enum rx_code code = translation_new(&o->translation, &t, err);

    if (code != RX_OK)
        return code;
    o->whole = translation_body(o->translation);
    o->body = &o->whole;
    o->body_count = 1;
    *head = (struct outbound){
        .from = ask->from,
        .to = to,
        .path = translation_path(o->translation),
        .has_body = true,
        .body_bytes = o->whole.len,
        .translated = true,
        .stream = ask->in->stream,
        .more = translation_headers(o->translation),
    };
    return RX_OK;
}

/* The body in one piece. */
static rx_str
join(struct outgoing *o)
{
    if (o->body_count == 1)
        return o->body[0];
    rx_buf_clear(&o->joined);
    for (size_t i = 0; i < o->body_count; i++)
        rx_buf_add(&o->joined, o->body[i]);
    return rx_buf_str(&o->joined);
}

/* Seals in our envelopes: no provider could open them. */
static void
open_seals(struct outgoing *o, const struct candidate *to)
{
    struct capability_key key = { .dialect = to->dialect,
        .type = to->channel->type,
        .host = to->endpoint->authority,
        .model = to->model };

    bool opened = reseal(&key, join(o), &o->resealed);

    rx_buf_clear(&o->joined);
    if (!opened)
        return;
    o->whole = rx_buf_str(&o->resealed);
    o->body = &o->whole;
    o->body_count = 1;
}

static void
pass(struct outgoing *o, const struct outgoing_ask *ask, struct outbound *head)
{
    rx_str model = ask->to->model;
    const struct inbound_pieces *body = inbound_for(ask->in, ask->arena, model);

    o->body = body->at;
    o->body_count = body->count;
    if (ask->in->scanned && reseal_needed(ask->in->body))
        open_seals(o, ask->to);
    *head = (struct outbound){
        .from = ask->from,
        .to = ask->to,
        .path = inbound_path(ask->in, ask->arena, ask->path, model),
        .query = ask->in->query,
        .has_body = ask->in->has_body,
        .body_bytes = o->body == &o->whole ? o->whole.len : body->bytes,
    };
}

static void
log_chain(const struct outgoing *o, const struct channel *c)
{
    struct rx_buf names;

    rx_buf_init(&names, 4096);
    transform_names(o->chain, &names);
    rx_debug("request.transform",
        "channel=" RX_STR_FMT " transformers=" RX_STR_FMT, RX_STR_ARG(c->name),
        RX_STR_ARG(rx_buf_str(&names)));
    rx_buf_fini(&names);
}

/* The client's list, and what the channel adds. */
static rx_str
betas_of(const struct outgoing_ask *ask)
{
    static const rx_str name = RX_STR_INIT("anthropic-beta");
    rx_str mine = { 0 };
    rx_str added = { 0 };
    struct rx_buf b;

    if (ask->to->dialect != DIALECT_ANTHROPIC)
        return mine;
    if (ask->path->dialect == DIALECT_ANTHROPIC)
        mine = rx_httpd_header(ask->from, name);
    for (size_t i = 0; i < ask->to->channel->header_count; i++) {
        if (rx_str_ieq(ask->to->channel->headers[i].name, name))
            added = ask->to->channel->headers[i].value;
    }
    if (mine.len == 0 || added.len == 0)
        return mine.len > 0 ? mine : added;
    rx_buf_init(&b, HEAD_MAX);
    rx_buf_addf(
        &b, RX_STR_FMT "," RX_STR_FMT, RX_STR_ARG(mine), RX_STR_ARG(added));
    mine = rx_arena_copy(ask->arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return mine;
}

/* What the channel changes about it: path and body in `head`, the rest of the
 * head in *changes. */
static enum rx_code
transform(struct outgoing *o, const struct outgoing_ask *ask,
    struct outbound *head, struct transform_headers **changes,
    struct rx_err *err)
{
    struct transform_outgoing t = {
        .dialect = ask->to->dialect,
        .op = ask->path->op,
        .stream = ask->in->stream,
        .model = ask->to->model,
        .betas = betas_of(ask),
        .body = join(o),
        .path = head->path,
        .query = head->query,
        .changed = &o->changed,
        .arena = ask->arena,
        .random = next_random,
        .arg = ask->proxy,
    };
    enum rx_code code =
        transform_request(o->chain, &t, changes, &o->filter, err);

    if (code != RX_OK)
        return code;
    log_chain(o, ask->to->channel);
    o->whole = t.body;
    o->body = &o->whole;
    o->body_count = t.body.len > 0 ? 1 : 0;
    head->path = t.path;
    head->query = t.query;
    head->body_bytes = t.body.len;
    return RX_OK;
}

/* ---- repairs -------------------------------------------------------------- */

/* The body without it, if it is in there. */
static void
repair(struct outgoing *o, const struct repair *r, struct rx_buf *betas)
{
    struct rx_buf *to = &o->repaired[o->body == &o->whole &&
                                     o->whole.ptr == o->repaired[0].ptr];

    if (r->fault == FAULT_BETA) {
        rx_buf_addf(betas, "%s%s", betas->len > 0 ? "," : "", r->beta);
    } else {
        rx_buf_clear(to);
        if (!repair_apply(r, join(o), to))
            return;
        o->whole = rx_buf_str(to);
        o->body = &o->whole;
        o->body_count = 1;
    }
    rx_buf_addf(&o->without, "%s%s", o->repairs++ > 0 ? ", " : "", r->what);
}

/* Without what this model was found to mind, and what it minded just now. */
static void
leave_out(
    struct outgoing *o, const struct outgoing_ask *ask, struct outbound *head)
{
    struct minds_of of = { ask->to->channel->id, ask->to->dialect,
        ask->to->model };
    size_t count;
    const struct repair *known = minds_find(
        ask->proxy->minds, &of, rx_loop_ms(ask->proxy->loop), &count);
    struct rx_buf betas;

    if ((count == 0 && ask->repair == NULL) || !ask->in->scanned)
        return;
    rx_buf_init(&betas, WITHOUT_MAX);
    for (size_t i = 0; i < count; i++)
        repair(o, &known[i], &betas);
    if (ask->repair != NULL)
        repair(o, ask->repair, &betas);
    head->without_beta = rx_arena_copy(ask->arena, rx_buf_str(&betas));
    if (o->body == &o->whole)
        head->body_bytes = o->whole.len;
    rx_buf_fini(&betas);
}

bool
outgoing_can_repair(struct outgoing *o, const struct repair *r)
{
    struct rx_buf scratch;

    if (r->fault == FAULT_BETA)
        return true;
    rx_buf_init(&scratch, BODY_MAX);
    bool can = repair_apply(r, join(o), &scratch);
    rx_buf_fini(&scratch);
    return can;
}

/* The head is as it will be sent: sign it, if that is how it is paid for. */
static enum rx_code
sign(struct outgoing *o, const struct candidate *to, struct rx_err *err)
{
    rx_str region = rx_sigv4_region(to->endpoint->authority);
    struct rx_sigv4_key key;

    if (!headers_to_sign(to) ||
        !rx_sigv4_key_read(to->credential->secret, &key))
        return RX_OK;
    if (region.len == 0)
        region = RX_S("us-east-1");
    if (rx_sigv4_sign(&o->head, o->body, o->body_count, &key, region,
            RX_S("bedrock"), rx_clock_wall_ms() / 1000))
        return RX_OK;
    return rx_fail(err, RX_INVALID, "the request's head is too large to sign");
}

enum rx_code
outgoing_make(
    struct outgoing *o, const struct outgoing_ask *ask, struct rx_err *err)
{
    const struct candidate *to = ask->to;
    struct transform_headers *changes = NULL;
    struct outbound head;
    enum rx_code code = RX_OK;

    outgoing_clear(o);
    o->chain = transform_join(ask->arena,
        transform_find(ask->transformers, to->dialect, to->model),
        transform_find(to->channel->transformers, to->dialect, to->model));
    if (to->dialect != ask->path->dialect)
        code = translate(o, ask, &head, err);
    else
        pass(o, ask, &head);
    if (code == RX_OK && o->chain != NULL)
        code = transform(o, ask, &head, &changes, err);
    if (code != RX_OK)
        return code;
    leave_out(o, ask, &head);
    head.traceparent = ask->traceparent;
    head.tracestate = ask->tracestate;
    headers_outbound(&o->head, &head);
    if (changes != NULL)
        transform_head(changes, &o->head);
    return sign(o, to, err);
}

bool
outgoing_sent(struct outgoing *o)
{
    rx_buf_release(&o->head);
    rx_buf_release(&o->joined);
    rx_buf_release(&o->changed);
    rx_buf_release(&o->resealed);
    rx_buf_release(&o->repaired[0]);
    rx_buf_release(&o->repaired[1]);
    if (o->translation == NULL)
        return true;
    translation_drop_body(o->translation);
    return !translation_needs_body(o->translation);
}

bool
outgoing_failed(const struct outgoing *o)
{
    return o->translation != NULL && translation_failed(o->translation);
}

size_t
outgoing_losses(const struct outgoing *o)
{
    size_t n = o->repairs;

    return o->translation != NULL
               ? n + translation_losses(o->translation)->count
               : n;
}

bool
outgoing_list_losses(const struct outgoing *o, struct rx_buf *out)
{
    const struct ir_losses *l =
        o->translation != NULL ? translation_losses(o->translation) : NULL;
    size_t n = l == NULL ? 0 : l->count < LISTED_MAX ? l->count : LISTED_MAX;

    for (size_t i = 0; i < n; i++) {
        bool told = false;
        for (size_t j = 0; j < i; j++)
            told = told || strcmp(l->kept[j].what, l->kept[i].what) == 0;
        if (told)
            continue;
        rx_buf_addf(out, "%s\"", i > 0 ? "," : "");
        rx_buf_add_json(
            out, (rx_str){ l->kept[i].what, strlen(l->kept[i].what) });
        rx_buf_addc(out, '"');
    }
    return n > 0;
}

void
outgoing_log_losses(const struct outgoing *o, rx_str request_id)
{
    size_t n =
        o->translation != NULL ? translation_losses(o->translation)->count : 0;

    if (o->repairs > 0)
        rx_debug("request.lost", "req=" RX_STR_FMT " what=%s why=minded",
            RX_STR_ARG(request_id), rx_log_quote_str(rx_buf_str(&o->without)));
    for (size_t i = 0; i < n && i < IR_LOSSES_KEPT; i++)
        rx_debug("request.lost", "req=" RX_STR_FMT " what=%s why=%s",
            RX_STR_ARG(request_id),
            rx_log_quote(translation_losses(o->translation)->kept[i].what),
            rx_log_quote(translation_losses(o->translation)->kept[i].why));
}
