#include "dataplane/outgoing.h"

#include <string.h>

#include "dataplane/headers.h"
#include "shared/clock.h"
#include "shared/log.h"

#define HEAD_MAX ((size_t)256 * 1024)

void
outgoing_init(struct outgoing *o)
{
    *o = (struct outgoing){ 0 };
    rx_buf_init(&o->head, HEAD_MAX);
}

void
outgoing_clear(struct outgoing *o)
{
    translation_free(o->translation);
    o->translation = NULL;
    o->translated = (rx_str){ 0 };
    rx_buf_clear(&o->head);
}

void
outgoing_fini(struct outgoing *o)
{
    outgoing_clear(o);
    rx_buf_fini(&o->head);
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
translate(
    struct outgoing *o, const struct outgoing_ask *ask, struct rx_err *err)
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
    };
    enum rx_code code = translation_new(&o->translation, &t, err);

    if (code != RX_OK)
        return code;
    o->translated = translation_body(o->translation);
    o->body = &o->translated;
    o->body_count = 1;
    headers_outbound(&o->head, &(struct outbound){
                                   .from = ask->from,
                                   .to = to,
                                   .path = translation_path(o->translation),
                                   .has_body = true,
                                   .body_bytes = o->translated.len,
                                   .translated = true,
                                   .stream = ask->in->stream,
                                   .more = translation_headers(o->translation),
                               });
    return RX_OK;
}

static void
pass(struct outgoing *o, const struct outgoing_ask *ask)
{
    rx_str model = ask->to->model;
    const struct inbound_pieces *body = inbound_for(ask->in, ask->arena, model);

    o->body = body->at;
    o->body_count = body->count;
    headers_outbound(&o->head,
        &(struct outbound){
            .from = ask->from,
            .to = ask->to,
            .path = inbound_path(ask->in, ask->arena, ask->path, model),
            .query = ask->in->query,
            .has_body = ask->in->has_body,
            .body_bytes = body->bytes,
        });
}

enum rx_code
outgoing_make(
    struct outgoing *o, const struct outgoing_ask *ask, struct rx_err *err)
{
    outgoing_clear(o);
    if (ask->to->dialect != ask->path->dialect)
        return translate(o, ask, err);
    pass(o, ask);
    return RX_OK;
}

bool
outgoing_sent(struct outgoing *o)
{
    rx_buf_release(&o->head);
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
    return o->translation != NULL ? translation_losses(o->translation)->count
                                  : 0;
}

void
outgoing_log_losses(const struct outgoing *o, rx_str request_id)
{
    size_t n = outgoing_losses(o);

    for (size_t i = 0; i < n && i < IR_LOSSES_KEPT; i++)
        rx_debug("request.lost", "req=" RX_STR_FMT " what=%s why=%s",
            RX_STR_ARG(request_id),
            rx_log_quote(translation_losses(o->translation)->kept[i].what),
            rx_log_quote(translation_losses(o->translation)->kept[i].why));
}
