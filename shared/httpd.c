/*
 * Listening and accepting: the door to libevhtp.
 *
 * libevhtp 1.2.18 owns the listening socket and accepts.  From there on a
 * connection is ours (httpd_conn.c).  Measured, letting it parse and answer
 * costs 13.1 us a request where this costs 7.7; its parser drops the connection
 * without a word at a header line of 8 KiB, and is embedded, 8 KiB large, in
 * every connection, where a whole open stream costs 1.4 KiB here.  A gate that
 * must read every byte of a head strictly has, when done, split it already.
 */
#include "shared/httpd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <evhtp.h>

#include "shared/httpd_conn.h"
#include "shared/log.h"

#define BACKLOG  1024
#define PAUSE_MS 200

rx_str
rx_httpd_header(const struct rx_httpd_head *head, rx_str name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        const struct rx_header *h = &head->headers[i];

        if (h->name.len == name.len && rx_str_ieq(h->name, name))
            return h->value;
    }
    return (rx_str){ 0 };
}

/*
 * A connection was accepted.  Take the socket out of evhtp's hands; the answer
 * makes it free what it had put around it.
 */
static evhtp_res
on_accept(evhtp_connection_t *conn, void *arg)
{
    struct rx_httpd *h = arg;
    int fd = conn->sock;

    h->paused = false;
    bufferevent_setfd(conn->bev, -1);
    conn->sock = -1;
    httpd_conn_open(h, fd, conn->saddr);
    errno = 0;
    return EVHTP_RES_ERROR;
}

static void
resume_accepting(void *arg)
{
    struct rx_httpd *h = arg;

    if (h->front->server != NULL)
        evconnlistener_enable(h->front->server);
}

/* Out of descriptors or memory: trying again at once would only spin. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
    evhtp_t *front = arg;
    struct rx_httpd *h = front->arg;
    int sys = errno;

    if (sys != EMFILE && sys != ENFILE && sys != ENOBUFS && sys != ENOMEM)
        return;
    evconnlistener_disable(listener);
    rx_timer_set(&h->pause, PAUSE_MS);
    if (h->paused)
        return;
    h->paused = true;
    rx_warn("accept.paused", "server=%s connections=%zu reason=%s ms=%d",
        h->options.server_name, h->conns.count, rx_log_quote(strerror(sys)),
        PAUSE_MS);
}

static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        rx_warn(
            "descriptors.limited", "reason=%s", rx_log_quote(strerror(errno)));
}

static enum rx_code
parse_address(const struct rx_httpd_options *o, struct sockaddr_storage *to,
    socklen_t *size, struct rx_err *err)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)to;

    memset(to, 0, sizeof(*to));
    if (inet_pton(AF_INET, o->host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(o->port);
        *size = sizeof(*v4);
        return RX_OK;
    }
    if (inet_pton(AF_INET6, o->host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(o->port);
        *size = sizeof(*v6);
        return RX_OK;
    }
    return rx_fail(err, RX_INVALID, "not an IP address: %s", o->host);
}

/* Options of the listener are inherited by what it accepts. */
static int
bound_socket(const struct rx_httpd_options *o, struct rx_err *err)
{
    struct sockaddr_storage address;
    socklen_t size;
    int one = 1;
    int fd;

    if (parse_address(o, &address, &size, err) != RX_OK)
        return -1;
    fd = socket(
        address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        rx_fail(err, RX_UNAVAILABLE, "socket: %s", strerror(errno));
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (o->reuse_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, size) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    rx_fail(err, errno == EADDRINUSE ? RX_CONFLICT : RX_INVALID, "%s:%u: %s",
        o->host, (unsigned)o->port, strerror(errno));
    if (err != NULL)
        err->sys = errno;
    close(fd);
    return -1;
}

static uint16_t
port_of(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);

    getsockname(fd, (struct sockaddr *)&address, &size);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
}

static void
fill_defaults(struct rx_httpd_options *o)
{
    if (o->server_name == NULL)
        o->server_name = "http";
    if (o->max_head == 0)
        o->max_head = (size_t)64 * 1024;
    if (o->max_body == 0)
        o->max_body = (uint64_t)32 * 1024 * 1024;
    if (o->max_body > HTTPD_BODY_MAX)
        o->max_body = HTTPD_BODY_MAX;
    if (o->head_timeout_ms == 0)
        o->head_timeout_ms = 10 * 1000;
    if (o->body_timeout_ms == 0)
        o->body_timeout_ms = 30 * 1000;
    if (o->idle_timeout_ms == 0)
        o->idle_timeout_ms = 75 * 1000;
    if (o->send_timeout_ms == 0)
        o->send_timeout_ms = 5 * 60 * 1000;
    if (o->high_water == 0)
        o->high_water = (size_t)256 * 1024;
}

static void
tell_drained(void *arg)
{
    struct rx_httpd *h = arg;
    void (*fn)(void *) = h->drained;

    h->drained = NULL;
    if (fn != NULL)
        fn(h->drained_arg);
}

enum rx_code
rx_httpd_open(struct rx_httpd **out, struct rx_loop *loop,
    const struct rx_httpd_options *options,
    const struct rx_httpd_handler *handler, void *arg, struct rx_err *err)
{
    struct rx_httpd *h;
    int fd;

    raise_descriptor_limit();
    fd = bound_socket(options, err);
    if (fd < 0)
        return err != NULL ? err->code : RX_INVALID;

    h = calloc(1, sizeof(*h));
    if (h == NULL)
        abort();
    h->loop = loop;
    h->options = *options;
    h->handler = handler;
    h->arg = arg;
    h->port = port_of(fd);
    h->drain_task = (struct rx_task){ .fn = tell_drained, .arg = h };
    fill_defaults(&h->options);
    rx_list_init(&h->conns);
    rx_timer_init(&h->pause, loop, resume_accepting, h);

    h->front = evhtp_new(rx_loop_base(loop), h);
    if (h->front == NULL)
        abort();
    evhtp_set_post_accept_cb(h->front, on_accept, h);
    if (evhtp_accept_socket(h->front, fd, BACKLOG) != 0) {
        close(fd);
        rx_httpd_close(h);
        return rx_fail(err, RX_UNAVAILABLE, "%s: cannot listen", options->host);
    }
    evconnlistener_set_error_cb(h->front->server, on_accept_error);
    *out = h;
    return RX_OK;
}

static void
stop_listening(struct rx_httpd *h)
{
    rx_timer_unset(&h->pause);
    if (h->front->server != NULL)
        evhtp_unbind_socket(h->front);
    h->front->server = NULL;
}

static void
httpd_free(void *arg)
{
    struct rx_httpd *h = arg;

    while (h->spare_count > 0)
        free(h->spares[--h->spare_count]);
    evhtp_free(h->front);
    free(h);
}

void
rx_httpd_close(struct rx_httpd *httpd)
{
    struct rx_link *l;

    if (httpd == NULL)
        return;
    stop_listening(httpd);
    httpd->drained = NULL;
    while ((l = rx_list_first(&httpd->conns)) != NULL)
        httpd_conn_close(
            RX_LIST_ITEM(l, struct httpd_conn, link), RX_UPSTREAM, false);
    rx_loop_unpost(httpd->loop, &httpd->drain_task);
    rx_timer_fini(&httpd->pause);
    rx_loop_bury(httpd->loop, httpd_free, httpd);
}

uint16_t
rx_httpd_port(const struct rx_httpd *httpd)
{
    return httpd->port;
}

size_t
rx_httpd_connections(const struct rx_httpd *httpd)
{
    return httpd->conns.count;
}

void
httpd_check_drained(struct rx_httpd *httpd)
{
    if (httpd->drained != NULL && httpd->conns.count == 0)
        rx_loop_post(httpd->loop, &httpd->drain_task);
}

void
rx_httpd_drain(struct rx_httpd *httpd, void (*fn)(void *arg), void *arg)
{
    struct rx_link *l;
    struct rx_link *save;

    stop_listening(httpd);
    httpd->draining = true;
    httpd->drained = fn;
    httpd->drained_arg = arg;
    RX_LIST_FOREACH_SAFE(l, save, &httpd->conns) {
        struct httpd_conn *c = RX_LIST_ITEM(l, struct httpd_conn, link);

        if (httpd_conn_idle(c))
            httpd_conn_close(c, RX_OK, false);
    }
    httpd_check_drained(httpd);
}

const struct rx_httpd_head *
rx_httpd_head(const struct rx_httpd_req *req)
{
    return &req->head;
}

void
rx_httpd_set_body_limit(struct rx_httpd_req *req, uint64_t bytes)
{
    req->body_limit = bytes < HTTPD_BODY_MAX ? bytes : HTTPD_BODY_MAX;
}

rx_str
rx_httpd_body(const struct rx_httpd_req *req)
{
    return rx_buf_str(&req->body);
}

void
rx_httpd_drop_body(struct rx_httpd_req *req)
{
    rx_buf_release(&req->body);
}

void
rx_httpd_set_user(struct rx_httpd_req *req, void *user)
{
    req->user = user;
}

void *
rx_httpd_user(const struct rx_httpd_req *req)
{
    return req->user;
}
