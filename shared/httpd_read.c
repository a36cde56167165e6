/*
 * What comes from a client: the head gate, bodies into their final place, and
 * what must be refused.
 *
 * Heads are read into the server's scratch buffer and kept only when they come
 * in parts.  A body of known length goes straight from the socket to where it
 * stays, never further than its end; a chunked one passes the decoder.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/httpd_conn.h"

/* A body is trusted with this much memory before its bytes come. */
#define BODY_FIRST ((size_t)128 * 1024)
/* Heads are read in such pieces: the less body comes along, the less of it is
 * copied. */
#define HEAD_READ  ((size_t)16 * 1024)
/* How much of a body nobody wants is read rather than closing. */
#define SKIP_MAX   ((uint64_t)256 * 1024)

bool
httpd_conn_can_skip(const struct httpd_conn *c)
{
    if (c->input == INPUT_SHUT || (c->req != NULL && c->req->waits_for_100))
        return false;
    return c->input != INPUT_BODY || c->chunked || c->left <= SKIP_MAX;
}

/*
 * Read.  Returns 0 when there is nothing to be had, with the reason noted.
 * Whoever is going to wait for more reads on until then: a reset that came
 * together with bytes shows only behind them.
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
        c->emptied = (size_t)n < size && !c->fin;
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

void
httpd_stop_input(struct httpd_conn *c)
{
    c->input = INPUT_SHUT;
    c->keep = false;
    c->fresh = false;
    rx_buf_release(&c->in);
}

void
httpd_refuse_head(struct httpd_conn *c, int status, const char *reason)
{
    httpd_stop_input(c);
    httpd_reply_plain(c, status, reason);
}

void
httpd_refuse_body(
    struct httpd_conn *c, int status, const char *reason, enum rx_code how)
{
    struct rx_httpd_req *req = c->req;
    struct rx_httpd *h = c->httpd;

    httpd_stop_input(c);
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

static void
refuse_large(struct httpd_conn *c)
{
    httpd_refuse_body(c, 413, "request body too large", RX_TOO_BIG);
}

/* Keep or drop body bytes.  False when there are too many of them. */
static bool
body_take(struct httpd_conn *c, rx_str bytes)
{
    if (c->input == INPUT_SKIP) {
        if (bytes.len <= c->skip) {
            c->skip -= bytes.len;
            return true;
        }
        httpd_stop_input(c);
        return false;
    }
    if (rx_buf_add(&c->req->body, bytes))
        return true;
    refuse_large(c);
    return false;
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
            httpd_refuse_body(c, 400, "malformed chunked body", RX_INVALID);
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

/* How many bytes of a known body can be taken now: what was announced is
 * believed up to four times what has come. */
static size_t
body_room(struct httpd_conn *c)
{
    struct rx_buf *b = &c->req->body;
    size_t have = b->size > 0 ? b->size - 1 - b->len : 0;

    if (have == 0)
        have = b->len * 3 > BODY_FIRST ? b->len * 3 : BODY_FIRST;
    if (have > c->left)
        have = (size_t)c->left;
    return rx_buf_room(b, have) != NULL ? have : 0;
}

/* Straight from the socket to where it stays. */
static bool
read_known_body(struct httpd_conn *c)
{
    struct rx_buf *b = &c->req->body;
    size_t have = body_room(c);
    size_t n = receive(c, b->ptr + b->len, have);

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
        httpd_refuse_head(c, status, reason);
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
        refuse_large(c);
        return;
    }
    rx_buf_init(
        &req->body, c->chunked ? (size_t)req->body_limit : (size_t)c->left);
    /* The first bytes of a known body bring room for the others. */
    if (some_here && !c->chunked)
        (void)body_room(c);
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
        size_t n = receive(c, scratch, HEAD_READ);

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
        httpd_refuse_head(c, status, rx_http_reason(status));
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

bool
httpd_read(struct httpd_conn *c)
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
