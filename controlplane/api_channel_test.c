/*
 * Asking providers now: POST /api/channels/{id}/test, /api/channels/test-all
 * and /api/channels/{id}/speedtest.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/channel.h"
#include "controlplane/demo.h"
#include "controlplane/own_address.h"
#include "controlplane/probe.h"
#include "shared/url.h"

#define AT_ONCE    ((size_t)8)
#define ALL_MAX    ((size_t)500)
#define URLS_MAX   ((size_t)20)
#define ROUNDS_MAX 10
#define SPEED_MS   5000

/* ---- one ---- */

struct trial {
    struct api_call *call;
    const struct channel *channel;
    struct probe *probe;
};

static void
on_tested(void *arg, const struct probe_result *r)
{
    struct trial *t = arg;
    struct rx_err err = { 0 };

    if (r->ok)
        demo_proven(t->call->world->demo, t->channel->id);
    rx_json_open_object(&t->call->w, "data");
    probe_put(&t->call->w, t->probe, r);
    rx_json_close(&t->call->w);
    api_finish(t->call, RX_OK, &err);
}

static void
on_trial_gone(void *arg)
{
    struct trial *t = arg;

    probe_cancel(t->probe);
}

static enum rx_code
read_options(struct api_call *c, struct probe_wish *wish, struct rx_err *err)
{
    if (!rx_json_there(c->body))
        return RX_OK;
    rx_json_get_str(c->body, "dialect", &wish->dialect);
    rx_json_get_str(c->body, "key_id", &wish->key_id);
    rx_json_no_more(c->body);
    return api_body_done(c, err);
}

static enum rx_code
prepare(struct api_call *c, const struct channel *ch,
    const struct probe_wish *wish, struct probe **out, struct rx_err *err)
{
    const char *field;
    enum rx_code code = probe_prepare(out, c->arena, ch, wish, &field, err);

    if (code == RX_INVALID && field != NULL) {
        char why[sizeof(err->text)];
        memcpy(why, err->text, sizeof(why));
        return api_wrong(c, err, field, "%s", why);
    }
    return code;
}

enum rx_code
api_channel_test(struct api_call *c, struct rx_err *err)
{
    struct trial *t = field_make(c->arena, struct trial, 1);
    struct probe_wish wish = { 0 };
    struct channel *ch;

    t->call = c;
    enum rx_code code = read_options(c, &wish, err);
    if (code == RX_OK)
        code = channel_load(c->store, c->arena, c->params[0], true, &ch, err);
    if (code == RX_OK)
        code = prepare(c, ch, &wish, &t->probe, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code != RX_OK)
        return code;
    t->channel = ch;
    c->later = true;
    c->cancel = on_trial_gone;
    c->cancel_arg = t;
    probe_start(t->probe, c->world->fetch, on_tested, t);
    return RX_OK;
}

/* ---- many, a few at a time ---- */

struct batch;
struct item {
    struct batch *batch;
    const struct channel *channel;
    rx_str url;          /* of a speed test */
    struct probe *probe; /* NULL: it could not be asked */
    bool running;
    const char *refusal; /* why not */
    struct probe_result last;
    uint32_t ms[ROUNDS_MAX];
    size_t rounds, good;
};
struct batch {
    struct api_call *call;
    struct item *items;
    size_t count, next, running, rounds;
    void (*put)(struct batch *b);
};

static void
on_batch_gone(void *arg)
{
    struct batch *b = arg;

    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].running)
            probe_cancel(b->items[i].probe);
    }
}

static void on_item(void *arg, const struct probe_result *r);

static void
ask_item(struct item *i)
{
    i->running = true;
    i->batch->running++;
    probe_start(i->probe, i->batch->call->world->fetch, on_item, i);
}

static void
go_on(struct batch *b)
{
    struct rx_err err = { 0 };

    while (b->next < b->count && b->running < AT_ONCE) {
        struct item *i = &b->items[b->next++];
        if (i->probe != NULL)
            ask_item(i);
    }
    if (b->next < b->count || b->running > 0)
        return;
    b->put(b);
    api_finish(b->call, RX_OK, &err);
}

static void
on_item(void *arg, const struct probe_result *r)
{
    struct item *i = arg;
    struct batch *b = i->batch;
    struct rx_arena *arena = b->call->arena;

    i->running = false;
    b->running--;
    i->last = *r;
    i->last.message = field_keep(arena, field_text(r->message)).ptr;
    i->last.provider_message = field_keep(arena, r->provider_message);
    if (r->ok && i->channel != NULL)
        demo_proven(b->call->world->demo, i->channel->id);
    if (r->status > 0)
        i->ms[i->good++] = r->first_byte_ms;
    if (++i->rounds < b->rounds)
        ask_item(i);
    else
        go_on(b);
}

static void
begin(struct batch *b)
{
    b->call->later = true;
    b->call->cancel = on_batch_gone;
    b->call->cancel_arg = b;
    for (size_t i = 0; i < b->count; i++)
        b->items[i].batch = b;
}

/* ---- all channels ---- */

static void
put_all(struct batch *b)
{
    struct rx_json_out *w = &b->call->w;

    rx_json_open_array(w, "data");
    for (size_t n = 0; n < b->count; n++) {
        const struct item *i = &b->items[n];
        rx_json_open_object(w, NULL);
        if (i->probe != NULL && i->rounds > 0) {
            probe_put(w, i->probe, &i->last);
        } else {
            rx_json_put_bool(w, "ok", false);
            rx_json_put_str(w, "channel", i->channel->name);
            rx_json_put_null(w, "status");
            rx_json_put_text(w, "message", i->refusal);
        }
        rx_json_close(w);
    }
    rx_json_close(w);
}

static bool
is_asked(const struct channel *ch)
{
    return !rx_str_eq(ch->status, RX_S("disabled"));
}

enum rx_code
api_channels_test_all(struct api_call *c, struct rx_err *err)
{
    struct channel **list = field_make(c->arena, struct channel *, ALL_MAX);
    struct batch *b = field_make(c->arena, struct batch, 1);
    size_t count = 0;

    enum rx_code code = channel_list(
        c->store, c->arena, (rx_str){ 0 }, ALL_MAX, true, list, &count, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code != RX_OK)
        return code;
    *b = (struct batch){ .call = c,
        .items = field_make(c->arena, struct item, count + 1),
        .rounds = 1,
        .put = put_all };
    for (size_t n = 0; n < count; n++) {
        struct item *i = &b->items[b->count];
        const char *field;
        struct rx_err why = { 0 };
        if (!is_asked(list[n]))
            continue;
        b->count++;
        i->channel = list[n];
        if (probe_prepare(&i->probe, c->arena, list[n],
                &(struct probe_wish){ 0 }, &field, &why) == RX_OK)
            continue;
        i->probe = NULL;
        i->refusal = field_keep(c->arena, field_text(why.text)).ptr;
    }
    begin(b);
    go_on(b);
    return RX_OK;
}

/* ---- which address is the fastest ---- */

static int
by_ms(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Those that answered always first, then the faster. */
static int
by_speed(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->good != y->good)
        return x->good > y->good ? -1 : 1;
    if (x->good == 0)
        return 0;
    return by_ms(&x->ms[x->good / 2], &y->ms[y->good / 2]);
}

static void
put_speed(struct batch *b)
{
    struct rx_json_out *w = &b->call->w;

    for (size_t n = 0; n < b->count; n++)
        qsort(b->items[n].ms, b->items[n].good, sizeof(uint32_t), by_ms);
    qsort(b->items, b->count, sizeof(*b->items), by_speed);
    rx_json_open_array(w, "data");
    for (size_t n = 0; n < b->count; n++) {
        const struct item *i = &b->items[n];
        rx_json_open_object(w, NULL);
        rx_json_put_str(w, "base_url", i->url);
        rx_json_put_u64(w, "rounds", b->rounds);
        rx_json_put_u64(w, "answered", i->good);
        if (i->good > 0) {
            rx_json_put_u64(w, "median_ms", i->ms[i->good / 2]);
            rx_json_put_u64(w, "best_ms", i->ms[0]);
        } else {
            rx_json_put_null(w, "median_ms");
            rx_json_put_null(w, "best_ms");
        }
        if (i->last.status > 0)
            rx_json_put_u64(w, "status", (uint64_t)i->last.status);
        else
            rx_json_put_null(w, "status");
        rx_json_put_text(w, "message", i->last.message);
        rx_json_close(w);
    }
    rx_json_close(w);
}

/* What was named, or where the channel's dialects are. */
static void
read_urls(struct api_call *c, const struct channel *ch, struct batch *b)
{
    struct field_list urls = { 0 };
    struct rx_err err = { 0 };
    struct rx_url url;

    if (rx_json_there(c->body))
        field_read_list(c->body, "urls", FIELD_CREATE, 2000, c->arena, &urls);
    if (urls.count > URLS_MAX)
        rx_json_wrong_member(c->body, "urls", "names too many");
    if (urls.count == 0) {
        size_t count;
        const struct state_endpoint *e =
            channel_endpoints(ch, c->arena, &count);
        for (size_t n = 0; n < count && n < URLS_MAX; n++) {
            bool seen = false;
            for (size_t k = 0; k < b->count; k++)
                seen = seen || rx_str_eq(b->items[k].url, e[n].base_url);
            if (!seen)
                b->items[b->count++].url = e[n].base_url;
        }
        return;
    }
    for (size_t n = 0; n < urls.count && n < URLS_MAX; n++) {
        rx_str s = urls.at[n];
        if (rx_url_split(s, &url, &err) != RX_OK)
            rx_json_wrong_member(c->body, "urls", "%s", err.text);
        else if (own_address(c->world, api_port(c->api), s))
            rx_json_wrong_member(c->body, "urls", "leads back to Routex");
        b->items[b->count++].url = s;
    }
}

enum rx_code
api_channel_speedtest(struct api_call *c, struct rx_err *err)
{
    struct batch *b = field_make(c->arena, struct batch, 1);
    uint64_t rounds = 3;
    struct channel *ch;

    enum rx_code code =
        channel_load(c->store, c->arena, c->params[0], true, &ch, err);
    if (code != RX_OK)
        return code;
    *b = (struct batch){ .call = c,
        .items = field_make(c->arena, struct item, URLS_MAX),
        .put = put_speed };
    read_urls(c, ch, b);
    if (rx_json_there(c->body)) {
        rx_json_get_u64(c->body, "rounds", 1, ROUNDS_MAX, &rounds);
        rx_json_no_more(c->body);
        code = api_body_done(c, err);
    }
    b->rounds = (size_t)rounds;
    for (size_t n = 0; code == RX_OK && n < b->count; n++)
        code = prepare(c, ch,
            &(struct probe_wish){
                .base_url = b->items[n].url, .total_ms = SPEED_MS },
            &b->items[n].probe, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code != RX_OK)
        return code;
    begin(b);
    go_on(b);
    return RX_OK;
}
