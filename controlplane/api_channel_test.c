/*
 * POST /api/channels/{id}/test: one cheap request straight to the provider, so
 * that what is wrong with an address or a key is known before a client meets
 * it.  Not through routing, and it changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/channel.h"
#include "controlplane/provider.h"
#include "controlplane/service_account.h"
#include "shared/url.h"

#define CONNECT_MS   10000
#define TOTAL_MS     20000
#define RESPONSE_MAX ((size_t)1 << 20)
#define HEADERS_MAX  40

struct probe {
    struct api_call *call;
    struct channel *channel;
    const struct state_endpoint *endpoint;
    rx_str secret;
    const char *url;
    const char *headers[HEADERS_MAX + 1];
    size_t header_count;
    struct rx_transfer *transfer;
};

static const char *
print(struct rx_arena *arena, const char *before, rx_str middle,
    const char *after)
{
    struct rx_buf b;

    rx_buf_init(&b, 64 << 10);
    rx_buf_addf(&b, "%s" RX_STR_FMT "%s", before, RX_STR_ARG(middle), after);
    rx_str copy = field_keep(arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return copy.ptr;
}

/* ---- the request ---- */

static enum rx_code
make_url(struct probe *p, struct rx_err *err)
{
    struct rx_arena *arena = p->call->arena;
    rx_str path = field_text(provider_probe_for(p->endpoint->dialect)->path);
    struct rx_url base;
    struct rx_buf url;

    enum rx_code code = rx_url_split(p->endpoint->base_url, &base, err);
    if (code != RX_OK)
        return code;
    rx_buf_init(&url, 16 << 10);
    rx_buf_addf(&url, "%s://", base.tls ? "https" : "http");
    rx_url_add_authority(&url, &base);
    rx_url_add_target(&url, &base, path);
    if (rx_str_eq(p->endpoint->auth, RX_S("query")))
        rx_buf_addf(&url, "%skey=" RX_STR_FMT,
            memchr(path.ptr, '?', path.len) == NULL ? "?" : "&",
            RX_STR_ARG(p->secret));
    p->url = field_keep(arena, rx_buf_str(&url)).ptr;
    rx_buf_fini(&url);
    return RX_OK;
}

static void
add_header(struct probe *p, const char *line)
{
    if (p->header_count < HEADERS_MAX)
        p->headers[p->header_count++] = line;
}

static void
make_headers(struct probe *p)
{
    static const struct {
        const char *auth;
        const char *before;
    } forms[] = { { "x-api-key", "x-api-key: " },
        { "bearer", "authorization: Bearer " },
        { "x-goog-api-key", "x-goog-api-key: " }, { "api-key", "api-key: " } };
    struct rx_arena *arena = p->call->arena;

    for (size_t i = 0; i < RX_COUNT(forms); i++) {
        if (rx_str_eq(p->endpoint->auth, field_text(forms[i].auth)))
            add_header(p, print(arena, forms[i].before, p->secret, ""));
    }
    if (rx_str_eq(p->endpoint->dialect, RX_S("anthropic")))
        add_header(p, "anthropic-version: 2023-06-01");
    add_header(p, "user-agent: routex/" ROUTEX_VERSION);
    for (size_t i = 0; i < p->channel->header_count; i++) {
        const struct state_header *h = &p->channel->headers[i];
        add_header(
            p, print(arena, print(arena, "", h->name, ": "), h->value, ""));
    }
}

/* ---- the answer ---- */

static const char *
meaning(int status)
{
    if (status >= 200 && status < 300)
        return "the provider answered";
    switch (status) {
    case 401: return "the provider does not know this key";
    case 403: return "the provider does not allow this key to ask";
    case 404: return "the provider is there, but not at this address";
    case 429: return "the provider says the limit is reached";
    default:
        return status >= 500 ? "the provider has trouble"
                             : "the provider refused";
    }
}

/* The provider's own words, unless they repeat the key. */
static rx_str
provider_words(struct probe *p, rx_str body)
{
    static const char *const paths[] = { "error.message", "message", "error",
        "0.error.message", "detail" };
    struct rx_json_doc *doc;

    if (rx_json_parse(&doc, body, NULL, NULL) != RX_OK)
        return (rx_str){ 0 };
    field_adopt(p->call->arena, doc);
    for (size_t i = 0; i < RX_COUNT(paths); i++) {
        rx_str s = rx_json_str(rx_json_find(rx_json_root(doc), paths[i]));
        bool repeats =
            p->secret.len > 0 && s.len > 0 &&
            memmem(s.ptr, s.len, p->secret.ptr, p->secret.len) != NULL;
        if (s.len > 0 && !repeats)
            return (rx_str){ s.ptr, s.len < 300 ? s.len : 300 };
    }
    return (rx_str){ 0 };
}

static void
put_result(struct probe *p, const struct rx_transfer_result *r)
{
    struct rx_json_out *w = &p->call->w;
    bool answered = r->code == RX_OK;
    rx_str words = { 0 };

    if (answered && (r->status < 200 || r->status > 299))
        words = provider_words(p, r->body);
    rx_json_open_object(w, "data");
    rx_json_put_bool(w, "ok", answered && r->status >= 200 && r->status < 300);
    rx_json_put_str(w, "channel", p->channel->name);
    rx_json_put_str(w, "dialect", p->endpoint->dialect);
    rx_json_put_str(w, "base_url", p->endpoint->base_url);
    if (answered)
        rx_json_put_u64(w, "status", (uint64_t)r->status);
    else
        rx_json_put_null(w, "status");
    rx_json_put_u64(w, "latency_ms", r->total_ms);
    rx_json_put_u64(w, "connect_ms", r->connect_ms);
    rx_json_put_text(w, "message", answered ? meaning(r->status) : r->why);
    if (words.len > 0)
        rx_json_put_str(w, "provider_message", words);
    else
        rx_json_put_null(w, "provider_message");
    rx_json_close(w);
}

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct probe *p = arg;
    struct rx_err err = { 0 };

    put_result(p, r);
    api_finish(p->call, RX_OK, &err);
}

static void
on_gone(void *arg)
{
    struct probe *p = arg;

    rx_transfer_cancel(p->transfer);
}

/* ---- the handler ---- */

static enum rx_code
choose_endpoint(struct probe *p, rx_str dialect, struct rx_err *err)
{
    size_t count;
    const struct state_endpoint *list =
        channel_endpoints(p->channel, p->call->arena, &count);

    for (size_t i = 0; i < count; i++) {
        if (dialect.len == 0 || rx_str_eq(list[i].dialect, dialect)) {
            p->endpoint = &list[i];
            return RX_OK;
        }
    }
    return api_wrong(
        p->call, err, "dialect", "the channel has no endpoint of this dialect");
}

/* The key asked for, or the first that is enabled. */
static enum rx_code
choose_key(struct probe *p, rx_str id, struct rx_err *err)
{
    if (rx_str_eq(p->endpoint->auth, RX_S("none")))
        return RX_OK;
    if (rx_str_eq(p->endpoint->auth, RX_S("sigv4")))
        return rx_fail(err, RX_CONFLICT,
            "requests there are signed, which is tested by sending one");
    for (size_t i = 0; i < p->channel->key_count; i++) {
        const struct channel_key *k = &p->channel->keys[i];
        bool wanted = id.len > 0 ? rx_str_eq(id, k->id)
                                 : rx_str_eq(k->status, RX_S("enabled"));
        if (!wanted)
            continue;
        p->secret = k->secret;
        if (rx_str_eq(k->kind, RX_S(SERVICE_ACCOUNT_KIND)))
            p->secret = k->token.token;
        if (p->secret.len > 0)
            return RX_OK;
        return rx_fail(err, RX_CONFLICT,
            "there is no access token yet%s" RX_STR_FMT,
            k->token.error.len > 0 ? ": " : "", RX_STR_ARG(k->token.error));
    }
    if (id.len > 0)
        return api_wrong(p->call, err, "key_id", "is no key of this channel");
    return rx_fail(err, RX_CONFLICT, "the channel has no enabled key");
}

static enum rx_code
read_options(
    struct api_call *c, rx_str *dialect, rx_str *key_id, struct rx_err *err)
{
    *dialect = *key_id = (rx_str){ 0 };
    if (!rx_json_there(c->body))
        return RX_OK;
    rx_json_get_str(c->body, "dialect", dialect);
    rx_json_get_str(c->body, "key_id", key_id);
    rx_json_no_more(c->body);
    return api_body_done(c, err);
}

static void
start(struct probe *p)
{
    const struct channel *ch = p->channel;
    struct rx_transfer_options options = {
        .method = "GET",
        .url = p->url,
        .headers = p->headers,
        .proxy_url = ch->proxy_url.len > 0 ? ch->proxy_url.ptr : NULL,
        .ca_file = ch->ca_file.len > 0 ? ch->ca_file.ptr : NULL,
        .connect_ms =
            ch->timeouts.connect_ms != 0 ? ch->timeouts.connect_ms : CONNECT_MS,
        .total_ms = TOTAL_MS,
        .max_response = RESPONSE_MAX,
    };

    p->call->later = true;
    p->call->cancel = on_gone;
    p->call->cancel_arg = p;
    p->transfer =
        rx_transfer_start(p->call->world->fetch, &options, on_answer, p);
}

enum rx_code
api_channel_test(struct api_call *c, struct rx_err *err)
{
    struct probe *p = field_make(c->arena, struct probe, 1);
    rx_str dialect, key_id;

    p->call = c;
    enum rx_code code = read_options(c, &dialect, &key_id, err);
    if (code == RX_OK)
        code = channel_load(
            c->store, c->arena, c->params[0], true, &p->channel, err);
    if (code == RX_OK)
        code = choose_endpoint(p, dialect, err);
    if (code == RX_OK)
        code = choose_key(p, key_id, err);
    if (code == RX_OK)
        code = make_url(p, err);
    if (code != RX_OK)
        return code;
    make_headers(p);
    start(p);
    return RX_OK;
}
