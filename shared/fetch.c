/*
 * Each of the two ways has its own multi handle (an engine), driven by our loop
 * through the multi socket interface.  libcurl's callbacks only note; what
 * ended is looked at in a task, so nothing here is entered twice.
 *
 * What 7.88.1 does that one would not guess:
 *  - removing a CONNECT_ONLY handle from its multi closes the connection;
 *  - the environment's proxies apply unless PROXY is "" (and NO_PROXY is "");
 *  - the parsed CA file is shared between connections only when CAPATH is unset
 *    (Debian sets it): 0.8 ms instead of 57 ms a connection.  One file is
 *    remembered, so two CA files in turn are parsed each time;
 *  - a connect that is cancelled waits for the resolver without QUICK_EXIT;
 *  - adding and removing handles is refused inside its callbacks.
 */
#include "shared/fetch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "shared/fetch_curl.h"

#define TEXT_MAX 1024

struct watch {
    struct event event;
    struct fetch_engine *engine;
};

void *
fetch_zalloc(size_t size)
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

void
fetch_engine_kick(void *arg)
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
        w = fetch_zalloc(sizeof(*w));
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
    e->kick = (struct rx_task){ .fn = fetch_engine_kick, .arg = e };
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

/*
 * Debian's libcurl brings GnuTLS along for LDAP and RTMP, which nobody here may
 * speak; GnuTLS asks for this name when it is loaded, and then stays as it is
 * on disk: 1 MB less of memory in use.
 */
int _gnutls_global_init_skip(void);

__attribute__((used, visibility("default"))) int
_gnutls_global_init_skip(void)
{
    return 1;
}

struct rx_fetch *
rx_fetch_new(struct rx_loop *loop)
{
    struct rx_fetch *fetch = fetch_zalloc(sizeof(*fetch));
    static bool global;

    if (!global && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
    global = true;
    fetch->loop = loop;
    fetch->taking = -1;
    rx_list_init(&fetch->waiting);
    rx_list_init(&fetch->all_transfers);
    fetch->names = rx_map_new();
    fetch->dial = (struct rx_task){ .fn = fetch_dial_some, .arg = fetch };
    fetch->share = curl_share_init();
    if (fetch->share == NULL)
        abort();
    curl_share_setopt(
        fetch->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    engine_init(&fetch->wires, fetch, fetch_wire_ended);
    engine_init(&fetch->transfers, fetch, fetch_transfer_ended);
    return fetch;
}

void
rx_fetch_free(struct rx_fetch *fetch)
{
    if (fetch == NULL)
        return;
    assert(fetch->waiting.count == 0);
    fetch_transfers_cancel(fetch);
    rx_loop_unpost(fetch->loop, &fetch->dial);
    rx_map_free(fetch->names, free);
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
    struct rx_wire *w = arg; /* NULL for a transfer */

    (void)purpose;
    if (w != NULL)
        fetch_wire_resolved(w);
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
