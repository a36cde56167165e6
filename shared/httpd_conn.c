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
 * The event's callback notes; run() takes turns until nothing moves: read,
 * send, and see whether the request is finished.
 */
#include "shared/httpd_conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How much of a body nobody wants is read rather than closing. */
#define SKIP_MAX      ((uint64_t)256 * 1024)
#define LINGER_MS     5000
/* Body bytes that must come within each body_timeout_ms. */
#define BODY_PROGRESS ((size_t)4 * 1024)
/* Turns before other connections get theirs. */
#define TURNS         16
/* A body is trusted with this much memory before its bytes come. */
#define BODY_FIRST    ((size_t)128 * 1024)

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

bool
httpd_conn_can_skip(const struct httpd_conn *c)
{
    if (c->input == INPUT_SHUT || (c->req != NULL && c->req->waits_for_100))
        return false;
    return c->input != INPUT_BODY || c->chunked || c->left <= SKIP_MAX;
}

/*
 * Read.  Returns 0 when there is nothing to be had, with the reason noted.  A
 * short read means that the kernel has no more for now: what comes later, the
 * end included, is announced by a new edge.
 */
static size_t
receive(struct httpd_conn *c, void *to, size_t size)
{
    ssize_t n;

    if (!c->readable)
        return 0;
    do {
        n = recv(c->fd, to, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        c->moved += (size_t)n;
        if ((size_t)n < size && !c->fin)
            c->readable = false;
        return (size_t)n;
    }
    c->readable = false;
    if (n == 0)
        c->fin = true;
    else if (errno != EAGAIN)
        c->broken = true;
    if (c->fin && n <= 0 && c->input != INPUT_HOLD && c->input != INPUT_SHUT)
        c->broken = true; /* in the middle of something, or between requests */
    return 0;
}

/* Drop what was read, and read no more: we are going to close. */
static void
stop_input(struct httpd_conn *c)
{
    c->input = INPUT_SHUT;
    c->keep = false;
    c->fresh = false;
    rx_buf_release(&c->in);
}

static void
refuse_head(struct httpd_conn *c, int status, const char *reason)
{
    stop_input(c);
    httpd_reply_plain(c, status, reason);
}

/* The body makes the request impossible. */
static void
refuse_body(
    struct httpd_conn *c, int status, const char *reason, enum rx_code how)
{
    struct rx_httpd_req *req = c->req;
    struct rx_httpd *h = c->httpd;

    stop_input(c);
    if (req == NULL || req->reply != REPLY_NONE)
        return;
    req->how = how;
    rx_buf_release(&req->body);
    if (h->options.on_refuse != NULL)
        h->options.on_refuse(h->arg, req, status, reason);
    if (req->reply == REPLY_NONE) {
        char text[128];
        int n = snprintf(text, sizeof(text), "%s\n", reason);
        rx_httpd_reply(req, status, RX_S("content-type: text/plain\r\n"),
            (rx_str){ text, (size_t)n });
    }
}

static void
body_whole(struct httpd_conn *c)
{
    bool wanted = c->input == INPUT_BODY;

    c->input = INPUT_HOLD;
    if (wanted && c->req->reply == REPLY_NONE)
        c->httpd->handler->on_body(c->httpd->arg, c->req);
}

/* `n` more body bytes are about to be kept or dropped: may they? */
static bool
body_allows(struct httpd_conn *c, size_t n)
{
    if (c->input == INPUT_SKIP) {
        if (n <= c->skip) {
            c->skip -= n;
            return true;
        }
        stop_input(c);
        return false;
    }
    if (n <= c->req->body_limit - c->req->body.len)
        return true;
    refuse_body(c, 413, "request body too large", RX_TOO_BIG);
    return false;
}

static bool
body_take(struct httpd_conn *c, rx_str bytes)
{
    if (!body_allows(c, bytes.len))
        return false;
    if (c->input == INPUT_BODY)
        (void)rx_buf_add(&c->req->body, bytes);
    return true;
}

static void
feed_chunked(struct httpd_conn *c, rx_str *bytes)
{
    for (;;) {
        rx_str data;

        switch (rx_chunk_next(&c->chunk, bytes, &data)) {
        case RX_CHUNK_DATA:
            if (!body_take(c, data))
                return;
            break;
        case RX_CHUNK_DONE: body_whole(c); return;
        case RX_CHUNK_BAD:
            refuse_body(c, 400, "malformed chunked body", RX_INVALID);
            return;
        case RX_CHUNK_MORE: return;
        }
    }
}

/* Give the body what belongs to it; *bytes is what comes behind. */
static void
feed_body(struct httpd_conn *c, rx_str *bytes)
{
    rx_str mine = *bytes;

    if (c->chunked) {
        feed_chunked(c, bytes);
        return;
    }
    if (mine.len > c->left)
        mine.len = (size_t)c->left;
    if (!body_take(c, mine))
        return;
    c->left -= mine.len;
    *bytes = (rx_str){ bytes->ptr + mine.len, bytes->len - mine.len };
    if (c->left == 0)
        body_whole(c);
}

/* Straight from the socket to where it stays. */
static bool
read_known_body(struct httpd_conn *c)
{
    struct rx_buf *b = &c->req->body;
    size_t want = b->len > BODY_FIRST ? b->len : BODY_FIRST;
    size_t have = b->size > 0 ? b->size - 1 - b->len : 0;
    size_t n;
    char *to;

    if (have == 0 && want < c->left)
        have = want;
    if (have == 0 || have > c->left)
        have = (size_t)c->left;
    to = rx_buf_room(b, have);
    assert(to != NULL);
    n = receive(c, to, have);
    if (n == 0)
        return false;
    rx_buf_grew(b, n);
    c->left -= n;
    if (c->left == 0)
        body_whole(c);
    return true;
}

/* What comes behind a request stays with us until it is its turn. */
static void
keep_rest(struct httpd_conn *c, rx_str rest)
{
    if (c->input == INPUT_SHUT || rest.len == 0)
        return;
    (void)rx_buf_add(&c->in, rest);
    c->fresh = true;
}

static bool
read_body(struct httpd_conn *c)
{
    char *scratch = c->httpd->scratch;
    rx_str bytes;

    if (c->input == INPUT_BODY && !c->chunked)
        return read_known_body(c);
    bytes = (rx_str){ scratch, receive(c, scratch, HTTPD_SCRATCH) };
    if (bytes.len == 0)
        return false;
    feed_body(c, &bytes);
    keep_rest(c, bytes);
    return true;
}

static struct rx_httpd_req *
req_new(struct httpd_conn *c, rx_str bytes, size_t lines)
{
    size_t room = lines < RX_HTTP_MAX_HEADERS ? lines : RX_HTTP_MAX_HEADERS;
    struct rx_httpd_req *req;
    struct rx_http_head head;
    const char *reason;
    char *copy;
    int status;

    req = malloc(sizeof(*req) + room * sizeof(req->headers[0]) + bytes.len);
    if (req == NULL)
        abort();
    memset(req, 0, sizeof(*req));
    copy = (char *)(req->headers + room);
    memcpy(copy, bytes.ptr, bytes.len);
    status = rx_http_head_split(
        (rx_str){ copy, bytes.len }, req->headers, room, &head, &reason);
    if (status != 200) {
        free(req);
        refuse_head(c, status, reason);
        return NULL;
    }
    req->conn = c;
    req->how = RX_OK;
    req->keep_alive = head.keep_alive;
    req->waits_for_100 = head.expect_continue;
    req->body_limit = c->httpd->options.max_body;
    req->head = (struct rx_httpd_head){
        .method = head.method,
        .target = head.target,
        .path = head.path,
        .query = head.query,
        .minor = head.minor,
        .headers = req->headers,
        .header_count = head.header_count,
        .has_body = head.chunked || head.content_length > 0,
        .body_chunked = head.chunked,
        .content_length = head.content_length,
        .peer = { c->peer, strlen(c->peer) },
    };
    c->chunked = head.chunked;
    c->chunk = (struct rx_chunk){ 0 };
    c->left = head.content_length;
    c->skip = SKIP_MAX;
    return req;
}

/* The user has seen the head: is the body wanted, and how much of it? */
static void
body_begin(struct httpd_conn *c, bool some_here)
{
    struct rx_httpd_req *req = c->req;

    if (c->input != INPUT_BODY || req->reply != REPLY_NONE)
        return;
    if (!c->chunked && c->left > req->body_limit) {
        refuse_body(c, 413, "request body too large", RX_TOO_BIG);
        return;
    }
    rx_buf_init(
        &req->body, c->chunked ? (size_t)req->body_limit : (size_t)c->left);
    if (req->waits_for_100 && !some_here)
        httpd_out_add(c, RX_S("HTTP/1.1 100 Continue\r\n\r\n"));
    req->waits_for_100 = false;
}

/* `bytes` starts with a whole head of `size` bytes.  Returns what is behind
 * the request. */
static rx_str
begin(struct httpd_conn *c, rx_str bytes)
{
    size_t start = c->scan.start;
    size_t size = c->scan.at;
    rx_str head = { bytes.ptr + start, size - start };
    rx_str rest = { bytes.ptr + size, bytes.len - size };

    c->req = req_new(c, head, c->scan.lines);
    c->scan = (struct rx_http_scan){ 0 };
    if (c->req == NULL)
        return (rx_str){ 0 };
    c->wait = WAIT_NONE;
    c->keep = c->req->keep_alive;
    c->input = c->req->head.has_body ? INPUT_BODY : INPUT_HOLD;
    c->httpd->handler->on_request(c->httpd->arg, c->req);
    if (!c->req->head.has_body) {
        c->input = INPUT_BODY;
        body_whole(c);
        return rest;
    }
    body_begin(c, rest.len > 0);
    if (rest.len > 0 && (c->input == INPUT_BODY || c->input == INPUT_SKIP))
        feed_body(c, &rest);
    return rest;
}

/* Bytes for the head: those that were left over, else new ones. */
static bool
head_bytes(struct httpd_conn *c, rx_str *bytes)
{
    if (!c->fresh) {
        char *scratch = c->httpd->scratch;
        size_t n = receive(c, scratch, HTTPD_SCRATCH);

        *bytes = (rx_str){ scratch, n };
        if (n == 0)
            return false;
        if (c->in.len == 0)
            return true;
        (void)rx_buf_add(&c->in, *bytes);
    }
    c->fresh = false;
    *bytes = rx_buf_str(&c->in);
    return true;
}

static bool
read_head(struct httpd_conn *c)
{
    rx_str bytes;
    rx_str rest;
    int status;
    bool ours;

    if (!head_bytes(c, &bytes))
        return false;
    ours = bytes.ptr == c->in.ptr;
    status = rx_http_head_find(&c->scan, bytes, c->httpd->options.max_head);
    if (status == 0) {
        if (!ours)
            (void)rx_buf_add(&c->in, bytes);
        return true;
    }
    if (status != 200) {
        refuse_head(c, status, rx_http_reason(status));
        return true;
    }
    rest = begin(c, bytes);
    if (!ours) {
        keep_rest(c, rest);
    } else if (c->input != INPUT_SHUT) {
        rx_buf_drop(&c->in, c->in.len - rest.len);
        c->fresh = rest.len > 0;
        if (!c->fresh)
            rx_buf_release(&c->in);
    }
    return true;
}

/* Read and forget, until the client has closed, too. */
static bool
read_nothing(struct httpd_conn *c)
{
    return receive(c, c->httpd->scratch, HTTPD_SCRATCH) > 0;
}

static bool
read_some(struct httpd_conn *c)
{
    switch (c->input) {
    case INPUT_HEAD: return read_head(c);
    case INPUT_BODY:
    case INPUT_SKIP: return read_body(c);
    case INPUT_LINGER: return read_nothing(c);
    case INPUT_HOLD:
    case INPUT_SHUT: break;
    }
    return false;
}

/*
 * The next request is left alone, so that a reset would go unheard: ask.  (A
 * FIN is told by its own flag.)
 */
static void
check_alive(struct httpd_conn *c)
{
    struct pollfd p = { .fd = c->fd };

    if (!c->probe || c->input != INPUT_HOLD || c->req == NULL ||
        c->req->reply == REPLY_ENDED)
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
    bool clean = c->input == INPUT_HOLD && c->in.len == 0 && !c->readable;

    if (clean || c->fin) {
        httpd_conn_close(c, RX_OK, false);
        return;
    }
    shutdown(c->fd, SHUT_WR);
    stop_input(c);
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
        if (c->httpd->draining)
            c->keep = false;
        req_close(c, c->req->how);
    } else if (c->input != INPUT_HOLD && c->input != INPUT_SHUT) {
        return false;
    }
    if (c->fd < 0)
        return false;
    if (!c->keep) {
        shut(c);
        return c->input == INPUT_LINGER;
    }
    if (c->input == INPUT_HOLD)
        c->input = INPUT_HEAD;
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
    if (!c->broken && c->req != NULL && c->req->aborted) {
        cut(c);
    } else if (c->broken ||
               (c->fin && c->input == INPUT_HOLD && c->req != NULL &&
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
    case WAIT_HEAD: refuse_head(c, 408, "request head took too long"); break;
    case WAIT_BODY:
        refuse_body(c, 408, "request body took too long", RX_TIMEOUT);
        break;
    case WAIT_IDLE:
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
    bool more = read_some(c);

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
    if (c->fd < 0)
        return;
    set_timer(c);
    if (turns == TURNS)
        httpd_conn_wake(c);
}
