#include "dataplane/headers.h"

#include <ctype.h>

#include "shared/sigv4.h"

/* In the order of their first letters, in lower case; a final '*' stands for
 * any rest. */
static const rx_str outbound_pass[] = {
    RX_STR_INIT("accept"),
    RX_STR_INIT("accept-language"),
    RX_STR_INIT("anthropic-*"),
    RX_STR_INIT("content-type"),
    RX_STR_INIT("idempotency-key"),
    RX_STR_INIT("openai-beta"),
    RX_STR_INIT("originator"),
    RX_STR_INIT("session-id"),
    RX_STR_INIT("session_id"),
    RX_STR_INIT("thread-id"),
    RX_STR_INIT("thread_id"),
    RX_STR_INIT("user-agent"),
    RX_STR_INIT("x-app"),
    RX_STR_INIT("x-claude-*"),
    RX_STR_INIT("x-client-request-id"),
    RX_STR_INIT("x-codex-*"),
    RX_STR_INIT("x-demo*"),
    RX_STR_INIT("x-goog-api-client"),
    RX_STR_INIT("x-goog-user-project"),
    RX_STR_INIT("x-openai-*"),
    RX_STR_INIT("x-parent-session-id"),
    RX_STR_INIT("x-request-id"),
    RX_STR_INIT("x-session-affinity"),
    RX_STR_INIT("x-session-id"),
    RX_STR_INIT("x-stainless-*"),
};

/* What makes sense to a server of any dialect. */
static const rx_str translated_pass[] = {
    RX_STR_INIT("accept-language"),
    RX_STR_INIT("idempotency-key"),
    RX_STR_INIT("user-agent"),
    RX_STR_INIT("x-demo*"),
    RX_STR_INIT("x-request-id"),
};

static const rx_str inbound_pass[] = {
    RX_STR_INIT("anthropic-*"),
    RX_STR_INIT("cache-control"),
    RX_STR_INIT("content-disposition"),
    RX_STR_INIT("content-encoding"),
    RX_STR_INIT("content-type"),
    RX_STR_INIT("openai-*"),
    RX_STR_INIT("request-id"),
    RX_STR_INIT("retry-after"),
    RX_STR_INIT("retry-after-ms"),
    RX_STR_INIT("server-timing"),
    RX_STR_INIT("x-accel-buffering"),
    RX_STR_INIT("x-codex-*"),
    RX_STR_INIT("x-gemini-*"),
    RX_STR_INIT("x-goog-*"),
    RX_STR_INIT("x-models-etag"),
    RX_STR_INIT("x-ratelimit-*"),
    RX_STR_INIT("x-reasoning-included"),
    RX_STR_INIT("x-request-id"),
    RX_STR_INIT("x-should-retry"),
};

/* Whose account it was is the operator's business, not the client's. */
static const rx_str inbound_never[] = {
    RX_STR_INIT("anthropic-organization-id"),
    RX_STR_INIT("anthropic-workspace-id"),
    RX_STR_INIT("openai-organization"),
    RX_STR_INIT("openai-project"),
};

static bool
in(const rx_str *list, size_t count, rx_str name)
{
    char first = name.len > 0 ? (char)(name.ptr[0] | 0x20) : '\0';

    for (size_t i = 0; i < count; i++) {
        rx_str p = list[i];
        if (p.ptr[0] < first) /* most of them, most of the time */
            continue;
        if (p.ptr[0] > first)
            break;
        if (p.ptr[p.len - 1] == '*') {
            p.len--;
            if (name.len >= p.len && rx_str_ieq(p, (rx_str){ name.ptr, p.len }))
                return true;
        } else if (rx_str_ieq(p, name)) {
            return true;
        }
    }
    return false;
}

static void
add_header(struct rx_buf *out, rx_str name, rx_str value)
{
    rx_buf_add(out, name);
    rx_buf_add(out, RX_S(": "));
    rx_buf_add(out, value);
    rx_buf_add(out, RX_S("\r\n"));
}

/* "v1", "v1beta", "v4": a path segment that is an API version. */
static bool
is_version(rx_str segment)
{
    return segment.len >= 2 && segment.ptr[0] == 'v' &&
           isdigit((unsigned char)segment.ptr[1]);
}

rx_str
headers_join_path(rx_str base_path, rx_str path)
{
    rx_str last = base_path;
    rx_str first;
    rx_str rest;

    for (size_t i = base_path.len; i > 0; i--) {
        if (base_path.ptr[i - 1] == '/') {
            last = (rx_str){ base_path.ptr + i, base_path.len - i };
            break;
        }
    }
    if (!is_version(last) || path.len < 2)
        return path;
    if (!rx_str_cut((rx_str){ path.ptr + 1, path.len - 1 }, '/', &first, &rest))
        return path;
    if (!is_version(first))
        return path;
    return (rx_str){ rest.ptr - 1, rest.len + 1 };
}

/* The credential's own way, or the endpoint's. */
static enum auth_scheme
auth_of(const struct candidate *c)
{
    return c->credential != NULL && c->credential->has_auth
               ? c->credential->auth
               : c->endpoint->auth;
}

static void
add_target(struct rx_buf *out, const struct outbound *o)
{
    const struct candidate *c = o->to;
    rx_str key = c->credential != NULL ? c->credential->secret : (rx_str){ 0 };

    rx_buf_add(out, o->from->method);
    rx_buf_addc(out, ' ');
    rx_buf_add(out, c->endpoint->base_path);
    rx_buf_add(out, headers_join_path(c->endpoint->base_path, o->path));
    rx_buf_add(out, o->query);
    if (auth_of(c) == AUTH_QUERY) {
        rx_buf_add(out, o->query.len > 0 ? RX_S("&key=") : RX_S("?key="));
        rx_buf_add(out, key);
    }
    rx_buf_add(out, RX_S(" HTTP/1.1\r\nhost: "));
    rx_buf_add(out, c->endpoint->authority);
    rx_buf_add(out, RX_S("\r\n"));
}

bool
headers_to_sign(const struct candidate *c)
{
    struct rx_sigv4_key key;

    return c->endpoint->auth == AUTH_SIGV4 && c->credential != NULL &&
           rx_sigv4_key_read(c->credential->secret, &key);
}

static void
add_credential(struct rx_buf *out, const struct candidate *c)
{
    static const rx_str names[] = {
        [AUTH_X_API_KEY] = RX_STR_INIT("x-api-key"),
        [AUTH_BEARER] = RX_STR_INIT("authorization"),
        [AUTH_X_GOOG_API_KEY] = RX_STR_INIT("x-goog-api-key"),
        [AUTH_API_KEY] = RX_STR_INIT("api-key"),
        [AUTH_QUERY] = { 0 },
        [AUTH_SIGV4] = { 0 },
        [AUTH_NONE] = { 0 },
    };
    enum auth_scheme auth = auth_of(c);

    if (c->credential == NULL)
        return;
    /* What cannot sign is a key of the other kind Amazon has. */
    if (auth == AUTH_SIGV4 && !headers_to_sign(c))
        auth = AUTH_BEARER;
    if (names[auth].len == 0)
        return;
    rx_buf_add(out, names[auth]);
    rx_buf_add(out, auth == AUTH_BEARER ? RX_S(": Bearer ") : RX_S(": "));
    rx_buf_add(out, c->credential->secret);
    rx_buf_add(out, RX_S("\r\n"));
}

static const struct rx_header *
find_header(const struct rx_header *list, size_t count, rx_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (rx_str_ieq(list[i].name, name))
            return &list[i];
    }
    return NULL;
}

static const struct rx_header *
channels_own(const struct candidate *c, rx_str name)
{
    return find_header(c->channel->headers, c->channel->header_count, name);
}

static const struct rx_header *
credentials_own(const struct candidate *c, rx_str name)
{
    return c->credential == NULL ? NULL
                                 : find_header(c->credential->headers,
                                       c->credential->header_count, name);
}

static bool
we_send(const struct candidate *c, rx_str name)
{
    return channels_own(c, name) != NULL || credentials_own(c, name) != NULL;
}

static bool
list_has(rx_str list, rx_str item)
{
    rx_str one;

    for (bool more = true; more;) {
        more = rx_str_cut(list, ',', &one, &list);
        if (rx_str_eq(rx_str_trim(one), item))
            return true;
    }
    return false;
}

/* Lists of anthropic-beta, in the order in which they are joined. */
enum { BETA_CLIENT, BETA_CHANNEL, BETA_CREDENTIAL, BETA_LISTS };

static bool
is_in_one(const rx_str *lists, size_t count, rx_str item)
{
    for (size_t i = 0; i < count; i++) {
        if (list_has(lists[i], item))
            return true;
    }
    return false;
}

/* The client's list as it stands or, item by item, without one; then of the
 * others what is new. */
static void
add_beta(struct rx_buf *out, const rx_str lists[BETA_LISTS], rx_str without)
{
    bool verbatim = without.len == 0 && lists[BETA_CLIENT].len > 0;
    size_t n = verbatim;

    rx_buf_add(out, RX_S("anthropic-beta: "));
    if (verbatim)
        rx_buf_add(out, lists[BETA_CLIENT]);
    for (size_t i = verbatim; i < BETA_LISTS; i++) {
        rx_str rest = lists[i];
        rx_str item;
        for (bool more = rest.len > 0; more;) {
            more = rx_str_cut(rest, ',', &item, &rest);
            item = rx_str_trim(item);
            if (item.len == 0 || is_in_one(lists, i, item) ||
                (i == BETA_CLIENT && list_has(without, item)))
                continue;
            if (n++ > 0)
                rx_buf_add(out, RX_S(","));
            rx_buf_add(out, item);
        }
    }
    rx_buf_add(out, RX_S("\r\n"));
}

static bool
is_beta(rx_str name)
{
    return rx_str_ieq(name, RX_S("anthropic-beta"));
}

static void
add_joined_beta(struct rx_buf *out, const struct outbound *o)
{
    const rx_str name = RX_S("anthropic-beta");
    const struct rx_header *channel = channels_own(o->to, name);
    const struct rx_header *credential = credentials_own(o->to, name);
    rx_str lists[BETA_LISTS] = { 0 };

    if (channel == NULL && credential == NULL)
        return;
    if (!o->translated)
        lists[BETA_CLIENT] = rx_httpd_header(o->from, name);
    if (channel != NULL)
        lists[BETA_CHANNEL] = channel->value;
    if (credential != NULL)
        lists[BETA_CREDENTIAL] = credential->value;
    add_beta(out, lists, o->without_beta);
}

/* The channel's headers, and before them what its credential brings along. */
static void
add_our_headers(struct rx_buf *out, const struct outbound *o)
{
    const struct channel *c = o->to->channel;
    const struct credential *k = o->to->credential;

    add_joined_beta(out, o);
    for (size_t i = 0; k != NULL && i < k->header_count; i++) {
        if (!is_beta(k->headers[i].name))
            add_header(out, k->headers[i].name, k->headers[i].value);
    }
    for (size_t i = 0; i < c->header_count; i++) {
        rx_str name = c->headers[i].name;
        if (!is_beta(name) && credentials_own(o->to, name) == NULL)
            add_header(out, name, c->headers[i].value);
    }
}

static bool
may_pass(const struct outbound *o, rx_str name)
{
    if (we_send(o->to, name))
        return false;
    return o->translated ? in(translated_pass, RX_COUNT(translated_pass), name)
                         : in(outbound_pass, RX_COUNT(outbound_pass), name);
}

static void
add_trace(struct rx_buf *out, const struct outbound *o)
{
    if (o->traceparent.len == 0 || we_send(o->to, RX_S("traceparent")))
        return;
    add_header(out, RX_S("traceparent"), o->traceparent);
    if (o->tracestate.len > 0 && !we_send(o->to, RX_S("tracestate")))
        add_header(out, RX_S("tracestate"), o->tracestate);
}

static void
add_translated(struct rx_buf *out, const struct outbound *o)
{
    rx_buf_add(out, RX_S("content-type: application/json\r\n"));
    rx_buf_add(out, o->stream ? RX_S("accept: text/event-stream\r\n")
                              : RX_S("accept: application/json\r\n"));
    rx_buf_add(out, o->more);
}

void
headers_outbound(struct rx_buf *out, const struct outbound *o)
{
    bool anthropic =
        o->to->endpoint == &o->to->channel->endpoints[DIALECT_ANTHROPIC];
    bool version = false;

    add_target(out, o);
    add_credential(out, o->to);
    for (size_t i = 0; i < o->from->header_count; i++) {
        const struct rx_header *h = &o->from->headers[i];
        if (!may_pass(o, h->name))
            continue;
        version = version || rx_str_ieq(h->name, RX_S("anthropic-version"));
        if (o->without_beta.len > 0 && is_beta(h->name)) {
            add_beta(out, (rx_str[BETA_LISTS]){ h->value }, o->without_beta);
            continue;
        }
        add_header(out, h->name, h->value);
    }
    add_trace(out, o);
    if (o->translated)
        add_translated(out, o);
    add_our_headers(out, o);
    if (anthropic && !version && !we_send(o->to, RX_S("anthropic-version")))
        rx_buf_add(out, RX_S("anthropic-version: 2023-06-01\r\n"));
    rx_buf_add(out, RX_S("accept-encoding: identity\r\n"));
    if (o->has_body) {
        rx_buf_add(out, RX_S("content-length: "));
        rx_buf_add_u64(out, o->body_bytes);
        rx_buf_add(out, RX_S("\r\n"));
    }
    rx_buf_add(out, RX_S("\r\n"));
}

void
headers_inbound(struct rx_buf *out, const struct rx_client_head *head)
{
    for (size_t i = 0; i < head->header_count; i++) {
        const struct rx_header *h = &head->headers[i];
        if (in(inbound_pass, RX_COUNT(inbound_pass), h->name) &&
            !in(inbound_never, RX_COUNT(inbound_never), h->name))
            add_header(out, h->name, h->value);
    }
}

void
headers_inbound_translated(
    struct rx_buf *out, const struct rx_client_head *head)
{
    rx_str id = rx_client_header(head, RX_S("request-id"));
    rx_str retry = rx_client_header(head, RX_S("retry-after"));

    if (id.len == 0)
        id = rx_client_header(head, RX_S("x-request-id"));
    if (id.len > 0)
        add_header(out, RX_S("x-routex-upstream-request-id"), id);
    if (retry.len > 0)
        add_header(out, RX_S("retry-after"), retry);
}

rx_str
headers_session(const struct rx_httpd_head *head)
{
    /* In the order of preference. */
    static const rx_str names[] = {
        RX_STR_INIT("x-routex-session"),
        RX_STR_INIT("x-claude-code-session-id"),
        RX_STR_INIT("x-session-affinity"),
        RX_STR_INIT("x-session-id"),
        RX_STR_INIT("session-id"),
        RX_STR_INIT("session_id"),
        RX_STR_INIT("thread-id"),
    };

    for (size_t i = 0; i < RX_COUNT(names); i++) {
        rx_str value = rx_httpd_header(head, names[i]);
        if (value.len > 0 && value.len <= 256)
            return value;
    }
    return (rx_str){ 0 };
}
