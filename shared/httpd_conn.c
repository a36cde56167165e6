/*
 * One connection.  Its event is edge-triggered, so bytes can be left in the
 * kernel for as long as a response is under way (that is how pipelined
 * requests are held) and a client that leaves is still heard at once.
 *
 *   HEAD ──> BODY ──> HOLD ──> HEAD ...    a request after the other
 *      └───────────────┘ │                 (no body)
 *             BODY ──> SKIP ──> HEAD       replied before the body was whole
 *   any ──> SHUT ──> LINGER ──> closed     we close, and let the client read
 *
 * One case escapes: a client that has pipelined more than fits into the
 * socket's buffers cannot get its FIN through to us before we read on.
 *
 * The event's callback notes; run() takes turns until nothing moves: read,
 * send, and see whether the request is finished.
 */
#include "shared/httpd_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS     5000
/* Body bytes that must come within each body_timeout_ms. */
#define BODY_PROGRESS ((size_t)4 * 1024)
/* Turns before other connections get theirs. */
#define TURNS         16

static void
note(evutil_socket_t fd, short what, void *arg)
{
    struct httpd_conn *c = arg;
    bool was_blocked = c->blocked;

    (void)fd;
    if (what & EV_CLOSED)
        c->fin = true;
    if (what & (EV_READ | EV_CLOSED)) {
        c->readable = true;
        c->emptied = false;
        c->probe = true;
    }
    if (what & EV_WRITE)
        c->blocked = false;
    if ((what & (EV_READ | EV_CLOSED)) || was_blocked)
        httpd_conn_wake(c);
}

static void
note_time(void *arg)
{
    struct httpd_conn *c = arg;

    c->expired = true;
    httpd_conn_wake(c);
}

void
httpd_conn_wake(struct httpd_conn *c)
{
    if (c->fd >= 0 && !c->running)
        rx_loop_post(c->httpd->loop, &c->task);
}

static void run(void *arg);

void
httpd_conn_open(struct rx_httpd *httpd, int fd, const struct sockaddr *from)
{
    struct httpd_conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->httpd = httpd;
    c->fd = fd;
    c->task = (struct rx_task){ .fn = run, .arg = c };
    rx_timer_init(&c->timer, httpd->loop, note_time, c);
    rx_buf_init(&c->in, httpd->options.max_head + HTTPD_SCRATCH);
    if (from->sa_family == AF_INET6)
        inet_ntop(AF_INET6,
            &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
            c->peer, sizeof(c->peer));
    else if (from->sa_family == AF_INET)
        inet_ntop(AF_INET,
            &((const struct sockaddr_in *)(const void *)from)->sin_addr,
            c->peer, sizeof(c->peer));

    rx_list_append(&httpd->conns, &c->link);
    event_assign(&c->event, rx_loop_base(httpd->loop), fd,
        EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, note, c);
    event_add(&c->event, NULL);
    httpd_conn_wake(c);
}

/* The last word on a request. */
static void
req_close(struct httpd_conn *c, enum rx_code how)
{
    struct rx_httpd_req *req = c->req;

    c->req = NULL;
    c->httpd->handler->on_close(c->httpd->arg, req, how);
    rx_buf_fini(&req->body);
    free(req);
}

void
httpd_conn_close(struct httpd_conn *c, enum rx_code how, bool reset)
{
    struct rx_httpd *h = c->httpd;

    if (c->fd < 0)
        return;
    event_del(&c->event);
    rx_timer_fini(&c->timer);
    rx_loop_unpost(h->loop, &c->task);
    if (reset) {
        struct linger now = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(c->fd);
    c->fd = -1;
    rx_list_remove(&h->conns, &c->link);
    if (c->req != NULL)
        req_close(c, how);
    rx_buf_fini(&c->in);
    httpd_out_release(c);
    rx_loop_bury(h->loop, free, c);
    httpd_check_drained(h);
}

bool
httpd_conn_idle(const struct httpd_conn *c)
{
    return c->input == INPUT_HEAD && c->req == NULL && c->in.len == 0 &&
           !c->readable && httpd_out_unsent(c) == 0;
}

/* In these states what comes stays in the kernel. */
static bool
deaf(const struct httpd_conn *c)
{
    return c->input == INPUT_HOLD || c->input == INPUT_SHUT;
}

/*
 * The next request is left alone, so that a reset would go unheard: ask.  (A
 * FIN is told by its own flag.)
 */
static void
check_alive(struct httpd_conn *c)
{
    struct pollfd p = { .fd = c->fd };

    if (!c->probe || !deaf(c) || c->req == NULL || c->req->reply == REPLY_ENDED)
        return;
    c->probe = false;
    if (poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP)))
        c->broken = true;
}

static void
send_some(struct httpd_conn *c)
{
    while (httpd_out_unsent(c) > 0 && !c->blocked) {
        ssize_t n = send(
            c->fd, c->out.ptr + c->out.from, httpd_out_unsent(c), MSG_NOSIGNAL);

        if (n > 0) {
            c->out.from += (size_t)n;
            c->moved += (size_t)n;
        } else if (errno == EAGAIN) {
            c->blocked = true;
        } else if (errno != EINTR) {
            c->broken = true;
            return;
        }
    }
    if (c->out.ptr != NULL && httpd_out_unsent(c) == 0)
        httpd_out_release(c);
}

static bool
tell_drained(struct httpd_conn *c)
{
    struct rx_httpd *h = c->httpd;

    if (c->req == NULL || !c->req->starved ||
        httpd_out_unsent(c) > h->options.high_water / 4)
        return false;
    c->req->starved = false;
    h->handler->on_drain(h->arg, c->req);
    return true;
}

/* All is sent and we close: let the client read it before the reset that
 * unread bytes of its own would cause. */
static void
shut(struct httpd_conn *c)
{
    bool clean = c->input == INPUT_HOLD && c->in.len == 0 &&
                 (!c->readable || c->emptied);

    if (clean || (c->fin && !c->readable)) {
        httpd_conn_close(c, RX_OK, false);
        return;
    }
    shutdown(c->fd, SHUT_WR);
    httpd_stop_input(c);
    c->input = INPUT_LINGER;
}

/* The reply is out: close, or make ready for the next request. */
static bool
finish(struct httpd_conn *c)
{
    if (httpd_out_unsent(c) > 0 ||
        (c->req != NULL && c->req->reply != REPLY_ENDED))
        return false;
    if (c->req != NULL) {
        req_close(c, c->req->how);
    } else if (c->input != INPUT_HOLD && c->input != INPUT_SHUT) {
        return false;
    }
    if (c->fd < 0)
        return false;
    if (!c->keep || c->httpd->draining) {
        shut(c);
        return c->input == INPUT_LINGER;
    }
    if (c->input == INPUT_HOLD)
        c->input = INPUT_HEAD;
    /* The usual case: one request came, alone, and was answered.  That sending
     * worked says that the client is there; no need to ask for more. */
    if (c->emptied)
        c->readable = false;
    return true;
}

static void
cut(struct httpd_conn *c)
{
    const struct rx_httpd_req *req = c->req;
    /* Where the end of the connection is the end of the body, only a reset
     * tells that it is not. */
    bool reset =
        req->reset || (req->framing == FRAMING_BARE && req->head.minor == 0);

    httpd_conn_close(c, RX_UPSTREAM, reset);
}

/* Things that end the connection.  True when it is over. */
static bool
ended(struct httpd_conn *c)
{
    if (c->fd < 0)
        return true;
    if (c->req != NULL && c->req->aborted) {
        cut(c);
    } else if (c->broken || (c->fin && deaf(c) && c->req != NULL &&
                                c->req->reply != REPLY_ENDED)) {
        httpd_conn_close(c, RX_CANCELLED, false);
    }
    return c->fd < 0;
}

static void
expire(struct httpd_conn *c)
{
    enum httpd_wait wait = c->wait;

    c->expired = false;
    c->wait = WAIT_NONE;
    switch (wait) {
    case WAIT_NONE: break;
    case WAIT_HEAD:
        httpd_refuse_head(c, 408, "request head took too long");
        break;
    case WAIT_BODY:
        httpd_refuse_body(c, 408, "request body took too long", RX_TIMEOUT);
        break;
    case WAIT_IDLE:
        if (c->readable)
            break; /* just in time */
        httpd_conn_close(c, RX_TIMEOUT, false);
        break;
    case WAIT_LINGER: httpd_conn_close(c, RX_TIMEOUT, false); break;
    case WAIT_SEND: httpd_conn_close(c, RX_TIMEOUT, true); break;
    }
}

static enum httpd_wait
what_for(const struct httpd_conn *c)
{
    if (c->input == INPUT_LINGER)
        return WAIT_LINGER;
    if (httpd_out_unsent(c) > 0)
        return WAIT_SEND;
    if (c->input == INPUT_BODY || c->input == INPUT_SKIP)
        return WAIT_BODY;
    if (c->input == INPUT_HEAD)
        return c->in.len > 0 ? WAIT_HEAD : WAIT_IDLE;
    return WAIT_NONE;
}

/* Does what moved buy more time?  A drip of single bytes does not. */
static bool
progressed(const struct httpd_conn *c, enum httpd_wait wait)
{
    return (wait == WAIT_SEND && c->moved > 0) ||
           (wait == WAIT_BODY && c->moved >= BODY_PROGRESS);
}

static void
set_timer(struct httpd_conn *c)
{
    const struct rx_httpd_options *o = &c->httpd->options;
    const uint32_t ms[] = {
        [WAIT_IDLE] = o->idle_timeout_ms,
        [WAIT_HEAD] = o->head_timeout_ms,
        [WAIT_BODY] = o->body_timeout_ms,
        [WAIT_SEND] = o->send_timeout_ms,
        [WAIT_LINGER] = LINGER_MS,
    };
    enum httpd_wait wait = what_for(c);

    if (wait == c->wait && !progressed(c, wait))
        return;
    if (wait == WAIT_NONE)
        rx_timer_unset(&c->timer);
    else
        rx_timer_set(&c->timer, ms[wait]);
    c->wait = wait;
    c->moved = 0;
}

/* One round: read, send, decide.  True when another may get further. */
static bool
turn(struct httpd_conn *c)
{
    bool more = httpd_read(c);

    send_some(c);
    check_alive(c);
    if (ended(c))
        return false;
    more |= tell_drained(c);
    return finish(c) || more;
}

static void
run(void *arg)
{
    struct httpd_conn *c = arg;
    int turns = 0;

    c->running = true;
    if (c->expired)
        expire(c);
    while (c->fd >= 0 && turns < TURNS && turn(c))
        turns++;
    c->running = false;
    if (c->httpd->draining && httpd_conn_idle(c))
        httpd_conn_close(c, RX_OK, false);
    if (c->fd < 0)
        return;
    set_timer(c);
    if (turns == TURNS)
        httpd_conn_wake(c);
}
