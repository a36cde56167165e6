/*
 * See probe.h.
 */
#include "controlplane/probe.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/provider.h"
#include "controlplane/service_account.h"
#include "shared/url.h"

#define CONNECT_MS   10000
#define TOTAL_MS     20000
#define RESPONSE_MAX ((size_t)1 << 20)
#define HEADERS_MAX  40

struct probe {
    struct rx_arena *arena;
    const struct channel *channel;
    const struct state_endpoint *endpoint;
    bool keyless;
    const struct channel_key *key; /* NULL: none is needed */
    rx_str secret;
    const char *url;
    const char *headers[HEADERS_MAX + 1];
    size_t header_count;
    uint32_t total_ms;
    struct rx_transfer *transfer;
    void (*fn)(void *arg, const struct probe_result *r);
    void *arg;
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
    struct rx_arena *arena = p->arena;
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
add_state_headers(
    struct probe *p, const struct state_header *list, size_t count)
{
    struct rx_arena *arena = p->arena;

    for (size_t i = 0; i < count; i++) {
        const char *name = print(arena, "", list[i].name, ": ");
        add_header(p, print(arena, name, list[i].value, ""));
    }
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
    struct rx_arena *arena = p->arena;
    rx_str auth = p->key != NULL && p->key->auth.len > 0 ? p->key->auth
                                                         : p->endpoint->auth;

    for (size_t i = 0; i < RX_COUNT(forms); i++) {
        if (rx_str_eq(auth, field_text(forms[i].auth)))
            add_header(p, print(arena, forms[i].before, p->secret, ""));
    }
    if (rx_str_eq(p->endpoint->dialect, RX_S("anthropic")))
        add_header(p, "anthropic-version: 2023-06-01");
    add_header(p, "user-agent: routex/" ROUTEX_VERSION);
    if (p->key != NULL)
        add_state_headers(p, p->key->headers, p->key->header_count);
    if (!p->keyless)
        add_state_headers(p, p->channel->headers, p->channel->header_count);
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
    field_adopt(p->arena, doc);
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

enum probe_verdict
probe_judge(enum rx_code code, int status)
{
    if (code != RX_OK || status >= 500 || status == 408)
        return PROBE_BAD;
    return (status >= 200 && status < 300) || status == 429 ? PROBE_GOOD
                                                            : PROBE_REFUSED;
}

const char *
probe_verdict_name(enum probe_verdict v)
{
    static const char *const names[] = { "good", "refused", "bad" };

    return names[v];
}

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct probe *p = arg;
    bool answered = r->code == RX_OK;
    struct probe_result out = {
        .ok = answered && r->status >= 200 && r->status < 300,
        .verdict = probe_judge(r->code, r->status),
        .status = answered ? r->status : 0,
        .connect_ms = r->connect_ms,
        .first_byte_ms = r->first_byte_ms,
        .total_ms = r->total_ms,
        .message = answered ? meaning(r->status) : r->why,
    };

    if (answered && !out.ok)
        out.provider_message = provider_words(p, r->body);
    p->transfer = NULL;
    p->fn(p->arg, &out);
}

void
probe_put(
    struct rx_json_out *w, const struct probe *p, const struct probe_result *r)
{
    rx_json_put_bool(w, "ok", r->ok);
    rx_json_put_str(w, "channel", p->channel->name);
    rx_json_put_str(w, "dialect", p->endpoint->dialect);
    rx_json_put_str(w, "base_url", p->endpoint->base_url);
    if (r->status > 0)
        rx_json_put_u64(w, "status", (uint64_t)r->status);
    else
        rx_json_put_null(w, "status");
    rx_json_put_u64(w, "latency_ms", r->total_ms);
    rx_json_put_u64(w, "connect_ms", r->connect_ms);
    rx_json_put_text(w, "message", r->message);
    if (r->provider_message.len > 0)
        rx_json_put_str(w, "provider_message", r->provider_message);
    else
        rx_json_put_null(w, "provider_message");
}

/* ---- beginning and end ---- */

static enum rx_code
choose_endpoint(
    struct probe *p, rx_str dialect, const char **field, struct rx_err *err)
{
    size_t count;
    const struct state_endpoint *list =
        channel_endpoints(p->channel, p->arena, &count);

    for (size_t i = 0; i < count; i++) {
        if (dialect.len == 0 || rx_str_eq(list[i].dialect, dialect)) {
            p->endpoint = &list[i];
            return RX_OK;
        }
    }
    *field = "dialect";
    return rx_fail(
        err, RX_INVALID, "the channel has no endpoint of this dialect");
}

/* The key asked for, or the first that is enabled. */
static enum rx_code
choose_key(struct probe *p, rx_str id, const char **field, struct rx_err *err)
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
        p->key = k;
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
        *field = "key_id";
    if (id.len > 0)
        return rx_fail(err, RX_INVALID, "is no key of this channel");
    return rx_fail(err, RX_CONFLICT, "the channel has no enabled key");
}

/* Another address, with the channel's way of asking but without its key: it
 * may be anybody's. */
static void
go_elsewhere(struct probe *p, rx_str base_url)
{
    struct state_endpoint *e = field_make(p->arena, struct state_endpoint, 1);

    *e = *p->endpoint;
    e->base_url = base_url;
    e->auth = RX_S("none");
    p->endpoint = e;
    p->keyless = true;
}

enum rx_code
probe_prepare(struct probe **out, struct rx_arena *arena,
    const struct channel *ch, const struct probe_wish *wish, const char **field,
    struct rx_err *err)
{
    struct probe *p = field_make(arena, struct probe, 1);

    *out = p;
    *field = NULL;
    p->arena = arena;
    p->channel = ch;
    p->total_ms = wish->total_ms != 0 ? wish->total_ms : TOTAL_MS;
    enum rx_code code = choose_endpoint(p, wish->dialect, field, err);
    if (code == RX_OK && wish->base_url.len > 0)
        go_elsewhere(p, wish->base_url);
    if (code == RX_OK)
        code = choose_key(p, wish->key_id, field, err);
    if (code == RX_OK)
        code = make_url(p, err);
    if (code == RX_OK)
        make_headers(p);
    return code;
}

void
probe_start(struct probe *p, struct rx_fetch *fetch,
    void (*fn)(void *arg, const struct probe_result *r), void *arg)
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
        .total_ms = p->total_ms,
        .max_response = RESPONSE_MAX,
    };

    p->fn = fn;
    p->arg = arg;
    p->transfer = rx_transfer_start(fetch, &options, on_answer, p);
}

void
probe_cancel(struct probe *p)
{
    rx_transfer_cancel(p->transfer);
    p->transfer = NULL;
}
