/*
 * Wires.  A plain wire is only connected by libcurl: its socket is then taken
 * away (the close callback leaves it open) and the easy handle serves the next
 * connect, so an open plain stream costs a descriptor and 64 bytes here.  A TLS
 * wire keeps its easy handle in the multi.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shared/fetch.h"
#include "shared/fetch_curl.h"

#define SEND_AT_ONCE ((size_t)64 * 1024)
#define DIALS_A_TICK 8
#define NAME_MS      50000 /* libcurl keeps a name for 60 s */

/* What is needed until the wire is connected. */
struct dial {
    struct rx_link link;  /* in `list` until libcurl has begun */
    struct rx_list *list; /* fetch->waiting or a name's */
    struct name *asks;    /* it is the one that looks this name up */
    struct rx_wire *wire;
    struct rx_target target; /* borrowed */
    void (*fn)(void *arg, enum rx_code code, const char *why);
    void *arg;
    uint32_t connect_ms;
    char error[CURL_ERROR_SIZE];
};

/*
 * A host or proxy that must be looked up.  libcurl has one thread for each
 * connect that does so, hence only the first asks; those behind it begin when
 * its first socket is opened, and find the name in libcurl's cache.
 */
struct name {
    struct rx_fetch *fetch;
    uint64_t known_until_ms;
    struct dial *asker; /* NULL: nobody asks now */
    struct rx_list waiting;
};

struct rx_wire {
    struct rx_fetch *fetch;
    CURL *easy; /* NULL once a plain wire is connected */
    struct dial *dial;
    int fd;
    bool through_curl; /* TLS to the target or to its proxy */
};

/* -- names -- */

static void
dial_queue(struct dial *dial, struct rx_list *list)
{
    dial->list = list;
    rx_list_append(list, &dial->link);
}

static void
queue_move(struct rx_list *from, struct rx_list *to)
{
    struct rx_link *l;

    while ((l = rx_list_first(from)) != NULL) {
        rx_list_remove(from, l);
        dial_queue(RX_LIST_ITEM(l, struct dial, link), to);
    }
}

/* The asker is through with it: the others may begin, or one of them asks. */
static void
name_release(struct name *name)
{
    struct rx_fetch *fetch = name->fetch;

    name->asker->asks = NULL;
    name->asker = NULL;
    queue_move(&name->waiting, &fetch->waiting);
    if (fetch->waiting.count > 0)
        rx_loop_post(fetch->loop, &fetch->dial);
}

static void
name_known(struct dial *asker)
{
    struct name *name = asker->asks;

    name->known_until_ms = rx_loop_ms(name->fetch->loop) + NAME_MS;
    name_release(name);
}

static bool
is_address(rx_str host)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];

    if (host.len == 0 || host.len >= sizeof(text))
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET, text, address) == 1 ||
           inet_pton(AF_INET6, text, address) == 1;
}

static struct name *
name_of(struct rx_fetch *fetch, const struct rx_target *target)
{
    rx_str key = target->proxy_url.len > 0 ? target->proxy_url : target->host;
    struct name *name = rx_map_get(fetch->names, key);

    if (name == NULL) {
        name = fetch_zalloc(sizeof(*name));
        name->fetch = fetch;
        rx_list_init(&name->waiting);
        rx_map_put(fetch->names, key, name);
    }
    return name;
}

/* False when the dial has to wait for another one's answer. */
static bool
name_ready(struct rx_fetch *fetch, struct dial *dial)
{
    const struct rx_target *target = &dial->target;

    if (target->proxy_url.len == 0 && is_address(target->host))
        return true;
    struct name *name = name_of(fetch, target);
    if (rx_loop_ms(fetch->loop) < name->known_until_ms)
        return true;
    if (name->asker != NULL) {
        dial_queue(dial, &name->waiting);
        return false;
    }
    name->asker = dial;
    dial->asks = name;
    return true;
}

/* Noted inside a callback of libcurl: its first socket is being opened. */
void
fetch_wire_resolved(struct rx_wire *w)
{
    if (w->dial != NULL && w->dial->asks != NULL)
        name_known(w->dial);
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

/* Whoever waits for a name that the asker could not get hears the same.  Each
 * of them may close any other wire when told; that takes it off the list. */
static void
wire_failed(struct rx_wire *w, enum rx_code code, const char *why)
{
    struct rx_list same;
    struct rx_link *l;

    rx_list_init(&same);
    if (w->dial->asks != NULL) {
        queue_move(&w->dial->asks->waiting, &same);
        name_release(w->dial->asks);
    }
    w->dial->fn(w->dial->arg, code, why);
    while ((l = rx_list_first(&same)) != NULL) {
        struct dial *dial = RX_LIST_ITEM(l, struct dial, link);
        rx_list_remove(&same, l);
        dial->fn(dial->arg, code, why);
    }
}

void
fetch_wire_ended(CURL *easy, CURLcode rc)
{
    struct rx_wire *w;
    char why[CURL_ERROR_SIZE + 64];

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&w);
    if (rc == CURLE_OK) {
        wire_connected(w);
    } else if (rc == CURLE_OPERATION_TIMEDOUT) {
        snprintf(why, sizeof(why), "%s: timed out after %u ms",
            w->dial->asks != NULL ? "dns" : "connect", w->dial->connect_ms);
        wire_failed(w, RX_TIMEOUT, why);
    } else {
        fetch_explain(easy, rc, w->dial->error, why, sizeof(why));
        wire_failed(w, RX_UPSTREAM, why);
    }
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
    /* Once a second it drops what seems idle for longer; that is our affair. */
    curl_easy_setopt(w->easy, CURLOPT_MAXAGE_CONN, 365L * 24 * 3600);
    curl_easy_setopt(w->easy, CURLOPT_URL, url);
    curl_easy_setopt(w->easy, CURLOPT_PRIVATE, w);
    curl_easy_setopt(w->easy, CURLOPT_ERRORBUFFER, w->dial->error);
    curl_easy_setopt(w->easy, CURLOPT_OPENSOCKETDATA, w);
    curl_easy_setopt(
        w->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)w->dial->connect_ms);
    return curl_multi_add_handle(w->fetch->wires.multi, w->easy) == CURLM_OK;
}

/* libcurl takes some 30 us for each, so a burst is spread over many ticks. */
void
fetch_dial_some(void *arg)
{
    struct rx_fetch *fetch = arg;
    struct rx_link *l;

    for (int i = 0; i < DIALS_A_TICK; i++) {
        if ((l = rx_list_first(&fetch->waiting)) == NULL)
            break;
        struct dial *dial = RX_LIST_ITEM(l, struct dial, link);
        rx_list_remove(&fetch->waiting, l);
        if (!name_ready(fetch, dial))
            continue;
        if (!wire_dial(dial->wire))
            wire_failed(dial->wire, RX_UPSTREAM, "url: unusable target");
    }
    rx_loop_unpost(fetch->loop, &fetch->wires.kick);
    fetch_engine_kick(&fetch->wires);
    if (fetch->waiting.count > 0)
        rx_loop_post(fetch->loop, &fetch->dial);
}

struct rx_wire *
rx_wire_open(struct rx_fetch *fetch, const struct rx_target *target,
    uint32_t connect_ms,
    void (*fn)(void *arg, enum rx_code code, const char *why), void *arg)
{
    struct rx_wire *w = fetch_zalloc(sizeof(*w));
    struct dial *dial = fetch_zalloc(sizeof(*dial));

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
    dial_queue(dial, &fetch->waiting);
    rx_loop_post(fetch->loop, &fetch->dial);
    return w;
}

static void
dial_leave(struct dial *dial)
{
    if (rx_link_in(&dial->link))
        rx_list_remove(dial->list, &dial->link);
    if (dial->asks != NULL)
        name_release(dial->asks);
}

void
rx_wire_close(struct rx_wire *w)
{
    if (w == NULL)
        return;
    if (w->dial != NULL)
        dial_leave(w->dial);
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
