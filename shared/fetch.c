/*
 * Each of the two ways has its own multi handle (an engine), driven by our loop
 * through the multi socket interface.  libcurl's callbacks only note; what
 * ended is looked at in a task, so nothing here is entered twice.
 *
 * Wires.  A plain wire is only connected by libcurl: its socket is then taken
 * away (the close callback leaves it open) and the easy handle serves the next
 * connect, so an open plain stream costs a descriptor and 64 bytes here.  A TLS
 * wire keeps its easy handle in the multi.
 *
 * What 7.88.1 does that one would not guess:
 *  - removing a CONNECT_ONLY handle from its multi closes the connection;
 *  - the environment's proxies apply unless PROXY is "" (and NO_PROXY is "");
 *  - the parsed CA file is shared between connections only when CAPATH is unset
 *    (Debian sets it), which saves 140 certificates' parsing per handshake;
 *  - a connect that is cancelled waits for the resolver without QUICK_EXIT;
 *  - adding and removing handles is refused inside its callbacks.
 */
#include "shared/fetch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "shared/fetch_curl.h"

#define SEND_AT_ONCE ((size_t)64 * 1024)
#define TEXT_MAX     1024
#define DIALS_A_TICK 16

struct watch {
    struct event event;
    struct fetch_engine *engine;
};

/* What is needed until the wire is connected. */
struct dial {
    struct rx_link link; /* in fetch->waiting until libcurl has begun */
    struct rx_wire *wire;
    struct rx_target target; /* borrowed */
    void (*fn)(void *arg, enum rx_code code, const char *why);
    void *arg;
    uint32_t connect_ms;
    char error[CURL_ERROR_SIZE];
};

struct rx_wire {
    struct rx_fetch *fetch;
    CURL *easy; /* NULL once a plain wire is connected */
    struct dial *dial;
    int fd;
    bool through_curl; /* TLS to the target or to its proxy */
};

static void *
zalloc(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL) {
        fprintf(stderr, "routex: out of memory\n");
        abort();
    }
    return p;
}

/* -- libcurl on the loop -- */

static void
engine_reap(void *arg)
{
    struct fetch_engine *e = arg;
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(e->multi, &left)) != NULL) {
        if (m->msg == CURLMSG_DONE)
            e->ended(m->easy_handle, m->data.result);
    }
}

static void
engine_kick(void *arg)
{
    struct fetch_engine *e = arg;
    int running;

    curl_multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    engine_reap(e);
}

static void
on_engine_timer(void *arg)
{
    struct fetch_engine *e = arg;

    rx_loop_post(e->fetch->loop, &e->kick);
}

static int
on_curl_timer(CURLM *multi, long ms, void *arg)
{
    struct fetch_engine *e = arg;

    (void)multi;
    rx_loop_unpost(e->fetch->loop, &e->kick);
    rx_timer_unset(&e->timer);
    if (ms == 0)
        rx_loop_post(e->fetch->loop, &e->kick);
    else if (ms > 0)
        rx_timer_set(&e->timer, (uint64_t)ms);
    return 0;
}

static void
on_watch_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    struct fetch_engine *e = w->engine;
    int mask = (what & EV_READ ? CURL_CSELECT_IN : 0) |
               (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    curl_multi_socket_action(e->multi, fd, mask, &running);
    rx_loop_post(e->fetch->loop, &e->reap);
}

static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct fetch_engine *e = arg;
    struct watch *w = known;
    short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
                           (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

    (void)easy;
    if (w != NULL)
        event_del(&w->event);
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(e->multi, fd, NULL);
        if (w != NULL)
            rx_loop_bury(e->fetch->loop, free, w);
        return 0;
    }
    if (w == NULL) {
        w = zalloc(sizeof(*w));
        w->engine = e;
        curl_multi_assign(e->multi, fd, w);
    }
    event_assign(
        &w->event, rx_loop_base(e->fetch->loop), fd, events, on_watch_event, w);
    event_add(&w->event, NULL);
    return 0;
}

static void
engine_init(struct fetch_engine *e, struct rx_fetch *fetch,
    void (*ended)(CURL *easy, CURLcode rc))
{
    e->fetch = fetch;
    e->ended = ended;
    e->kick = (struct rx_task){ .fn = engine_kick, .arg = e };
    e->reap = (struct rx_task){ .fn = engine_reap, .arg = e };
    rx_timer_init(&e->timer, fetch->loop, on_engine_timer, e);

    e->multi = curl_multi_init();
    if (e->multi == NULL)
        abort();
    curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
    curl_multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
}

static void
engine_fini(struct fetch_engine *e)
{
    curl_multi_cleanup(e->multi);
    rx_loop_unpost(e->fetch->loop, &e->kick);
    rx_loop_unpost(e->fetch->loop, &e->reap);
    rx_timer_fini(&e->timer);
}

static void wire_ended(CURL *easy, CURLcode rc);
static void dial_some(void *arg);

struct rx_fetch *
rx_fetch_new(struct rx_loop *loop)
{
    struct rx_fetch *fetch = zalloc(sizeof(*fetch));
    static bool global;

    if (!global && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
    global = true;
    fetch->loop = loop;
    fetch->taking = -1;
    rx_list_init(&fetch->waiting);
    fetch->dial = (struct rx_task){ .fn = dial_some, .arg = fetch };
    fetch->share = curl_share_init();
    if (fetch->share == NULL)
        abort();
    curl_share_setopt(
        fetch->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    engine_init(&fetch->wires, fetch, wire_ended);
    engine_init(&fetch->transfers, fetch, fetch_transfer_ended);
    return fetch;
}

void
rx_fetch_free(struct rx_fetch *fetch)
{
    if (fetch == NULL)
        return;
    assert(fetch->waiting.count == 0);
    rx_loop_unpost(fetch->loop, &fetch->dial);
    for (size_t i = 0; i < fetch->spare_count; i++)
        curl_easy_cleanup(fetch->spare[i]);
    engine_fini(&fetch->wires);
    engine_fini(&fetch->transfers);
    curl_share_cleanup(fetch->share);
    free(fetch);
}

/* -- easy handles -- */

static curl_socket_t
on_socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg;
    (void)purpose;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int
on_socket_close(void *arg, curl_socket_t fd)
{
    struct rx_fetch *fetch = arg;

    if (fd == fetch->taking) {
        fetch->taking = -1;
        return 0;
    }
    return close(fd);
}

/* False when the text is too long or has a NUL in it. */
static bool
set_text(CURL *easy, CURLoption option, rx_str s)
{
    char text[TEXT_MAX];

    if (s.len >= sizeof(text) ||
        (s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL))
        return false;
    if (s.len > 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

/* A handle with everything that wires and transfers have in common. */
CURL *
fetch_easy_take(struct rx_fetch *fetch, rx_str proxy_url, rx_str ca_file)
{
    CURL *easy = fetch->spare_count > 0 ? fetch->spare[--fetch->spare_count]
                                        : curl_easy_init();
    bool ok = true;

    if (easy == NULL)
        abort();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_open);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_SHARE, fetch->share);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    ok &= set_text(easy, CURLOPT_PROXY, proxy_url);
    if (ca_file.len > 0) {
        ok &= set_text(easy, CURLOPT_CAINFO, ca_file);
        ok &= set_text(easy, CURLOPT_PROXY_CAINFO, ca_file);
    }
    if (!ok) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

void
fetch_easy_give(struct rx_fetch *fetch, CURL *easy)
{
    if (fetch->spare_count == FETCH_SPARES) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    fetch->spare[fetch->spare_count++] = easy;
}

/* -- why it failed, in an operator's words -- */

static const struct {
    CURLcode rc;
    const char *words;
} failures[] = {
    { CURLE_COULDNT_RESOLVE_HOST, "dns" },
    { CURLE_COULDNT_RESOLVE_PROXY, "dns" },
    { CURLE_COULDNT_CONNECT, "connect" },
    { CURLE_PROXY, "proxy" },
    { CURLE_PEER_FAILED_VERIFICATION, "tls: certificate verify failed" },
    { CURLE_SSL_CACERT_BADFILE, "tls: unusable CA file" },
    { CURLE_SSL_CONNECT_ERROR, "tls" },
    { CURLE_SSL_CERTPROBLEM, "tls" },
    { CURLE_SSL_CIPHER, "tls" },
    { CURLE_SSL_ISSUER_ERROR, "tls" },
    { CURLE_SEND_ERROR, "send" },
    { CURLE_RECV_ERROR, "receive" },
    { CURLE_GOT_NOTHING, "receive" },
    { CURLE_PARTIAL_FILE, "receive" },
    { CURLE_URL_MALFORMAT, "url" },
    { CURLE_UNSUPPORTED_PROTOCOL, "url" },
    { CURLE_TOO_MANY_REDIRECTS, "redirect" },
};

static const char *
without(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 ? text + n : text;
}

void
fetch_explain(
    CURL *easy, CURLcode rc, const char *detail, char *out, size_t size)
{
    const char *words = "curl";
    long sys = 0;

    for (size_t i = 0; i < RX_COUNT(failures); i++) {
        if (failures[i].rc == rc)
            words = failures[i].words;
    }
    if (detail[0] == '\0')
        detail = curl_easy_strerror(rc);
    if (rc == CURLE_RECV_ERROR && strncmp(detail, "CONNECT ", 8) == 0)
        words = "proxy";

    if (rc == CURLE_COULDNT_CONNECT &&
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &sys) == CURLE_OK &&
        sys != 0) {
        snprintf(out, size, "%s: %s", words, strerror((int)sys));
    } else if (rc == CURLE_COULDNT_RESOLVE_HOST) {
        snprintf(out, size, "%s: could not resolve host %s", words,
            without(detail, "Could not resolve host: "));
    } else if (rc == CURLE_COULDNT_RESOLVE_PROXY) {
        snprintf(out, size, "%s: could not resolve proxy %s", words,
            without(detail, "Could not resolve proxy: "));
    } else {
        snprintf(out, size, "%s: %s", words,
            without(detail, "SSL certificate problem: "));
    }
}

/* -- wires -- */

/* The socket stays, libcurl's connection and its memory go. */
static void
wire_take_socket(struct rx_wire *w)
{
    struct rx_fetch *fetch = w->fetch;

    fetch->taking = w->fd;
    curl_multi_remove_handle(fetch->wires.multi, w->easy);
    fetch_easy_give(fetch, w->easy);
    w->easy = NULL;
    assert(fetch->taking == -1);
}

static void
wire_connected(struct rx_wire *w)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    struct dial *dial = w->dial;

    curl_easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD) {
        dial->fn(dial->arg, RX_UPSTREAM, "connect: closed at once");
        return;
    }
    w->fd = fd;
    curl_easy_setopt(w->easy, CURLOPT_ERRORBUFFER, NULL);
    if (!w->through_curl)
        wire_take_socket(w);
    w->dial = NULL;
    dial->fn(dial->arg, RX_OK, "");
    free(dial);
}

static void
wire_ended(CURL *easy, CURLcode rc)
{
    struct rx_wire *w;
    char why[CURL_ERROR_SIZE + 64];

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&w);
    if (rc == CURLE_OK) {
        wire_connected(w);
        return;
    }
    if (rc == CURLE_OPERATION_TIMEDOUT) {
        snprintf(why, sizeof(why), "connect: timed out after %u ms",
            w->dial->connect_ms);
        w->dial->fn(w->dial->arg, RX_TIMEOUT, why);
        return;
    }
    fetch_explain(easy, rc, w->dial->error, why, sizeof(why));
    w->dial->fn(w->dial->arg, RX_UPSTREAM, why);
}

static bool
target_url(const struct rx_target *t, char *out, size_t size)
{
    bool ip6 = t->host.len > 0 && memchr(t->host.ptr, ':', t->host.len) != NULL;

    if (t->host.len == 0 || t->host.len > 255)
        return false;
    snprintf(out, size, "%s://%s" RX_STR_FMT "%s:%u/",
        t->tls ? "https" : "http", ip6 ? "[" : "", RX_STR_ARG(t->host),
        ip6 ? "]" : "", t->port);
    return true;
}

static bool
wire_dial(struct rx_wire *w)
{
    const struct rx_target *target = &w->dial->target;
    char url[300];

    if (!target_url(target, url, sizeof(url)))
        return false;
    w->easy = fetch_easy_take(w->fetch, target->proxy_url, target->ca_file);
    if (w->easy == NULL)
        return false;
    curl_easy_setopt(w->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(w->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(w->easy, CURLOPT_BUFFERSIZE, 1024L);
    curl_easy_setopt(w->easy, CURLOPT_URL, url);
    curl_easy_setopt(w->easy, CURLOPT_PRIVATE, w);
    curl_easy_setopt(w->easy, CURLOPT_ERRORBUFFER, w->dial->error);
    curl_easy_setopt(
        w->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)w->dial->connect_ms);
    return curl_multi_add_handle(w->fetch->wires.multi, w->easy) == CURLM_OK;
}

/* libcurl takes some 30 us for each, so a burst is spread over many ticks. */
static void
dial_some(void *arg)
{
    struct rx_fetch *fetch = arg;
    struct rx_link *l;

    for (int i = 0; i < DIALS_A_TICK; i++) {
        if ((l = rx_list_first(&fetch->waiting)) == NULL)
            break;
        struct dial *dial = RX_LIST_ITEM(l, struct dial, link);
        rx_list_remove(&fetch->waiting, l);
        if (!wire_dial(dial->wire))
            dial->fn(dial->arg, RX_UPSTREAM, "url: unusable target");
    }
    rx_loop_unpost(fetch->loop, &fetch->wires.kick);
    engine_kick(&fetch->wires);
    if (fetch->waiting.count > 0)
        rx_loop_post(fetch->loop, &fetch->dial);
}

struct rx_wire *
rx_wire_open(struct rx_fetch *fetch, const struct rx_target *target,
    uint32_t connect_ms,
    void (*fn)(void *arg, enum rx_code code, const char *why), void *arg)
{
    struct rx_wire *w = zalloc(sizeof(*w));
    struct dial *dial = zalloc(sizeof(*dial));

    *dial = (struct dial){ .wire = w,
        .target = *target,
        .fn = fn,
        .arg = arg,
        .connect_ms = connect_ms > 0 ? connect_ms : 5000 };
    w->fetch = fetch;
    w->dial = dial;
    w->fd = -1;
    w->through_curl =
        target->tls || rx_str_starts(target->proxy_url, RX_S("https://"));
    rx_list_append(&fetch->waiting, &dial->link);
    rx_loop_post(fetch->loop, &fetch->dial);
    return w;
}

void
rx_wire_close(struct rx_wire *w)
{
    if (w == NULL)
        return;
    if (w->dial != NULL && rx_link_in(&w->dial->link))
        rx_list_remove(&w->fetch->waiting, &w->dial->link);
    if (w->easy != NULL) {
        curl_multi_remove_handle(w->fetch->wires.multi, w->easy);
        fetch_easy_give(w->fetch, w->easy);
    } else if (w->fd >= 0) {
        close(w->fd);
    }
    free(w->dial);
    free(w);
}

int
rx_wire_fd(const struct rx_wire *w)
{
    return w->fd;
}

bool
rx_wire_buffers(const struct rx_wire *w)
{
    return w->through_curl;
}

static ssize_t
sys_result(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EINTR ? RX_WIRE_AGAIN : RX_WIRE_FAILED;
}

static ssize_t
curl_result(CURLcode rc, const size_t *n)
{
    if (rc == CURLE_OK)
        return (ssize_t)*n;
    return rc == CURLE_AGAIN ? RX_WIRE_AGAIN : RX_WIRE_FAILED;
}

ssize_t
rx_wire_recv(struct rx_wire *w, void *to, size_t size)
{
    size_t n = 0;

    if (!w->through_curl)
        return sys_result(recv(w->fd, to, size, 0));
    return curl_result(curl_easy_recv(w->easy, to, size, &n), &n);
}

/*
 * What goes into the next TLS record.  Small pieces are put together, so that
 * head and body of a short request are one record.  The bytes lie at the same
 * place and are as many when the caller tries again after AGAIN, as OpenSSL
 * demands.
 */
static rx_str
next_record(struct rx_fetch *fetch, const struct iovec *iov, int count)
{
    size_t used = 0;

    if (count == 1 || iov[0].iov_len >= FETCH_RECORD) {
        size_t n = iov[0].iov_len;
        return (rx_str){ iov[0].iov_base, n < SEND_AT_ONCE ? n : SEND_AT_ONCE };
    }
    for (int i = 0; i < count && used < FETCH_RECORD; i++) {
        size_t n = iov[i].iov_len;
        if (n > FETCH_RECORD - used)
            n = FETCH_RECORD - used;
        if (n > 0)
            memcpy(fetch->record + used, iov[i].iov_base, n);
        used += n;
    }
    return (rx_str){ fetch->record, used };
}

ssize_t
rx_wire_sendv(struct rx_wire *w, const struct iovec *iov, int count)
{
    size_t n = 0;

    if (!w->through_curl) {
        struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov,
            .msg_iovlen = (size_t)count };
        return sys_result(sendmsg(w->fd, &m, MSG_NOSIGNAL));
    }
    rx_str bytes = next_record(w->fetch, iov, count);
    return curl_result(curl_easy_send(w->easy, bytes.ptr, bytes.len, &n), &n);
}
