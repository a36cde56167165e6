/*
 * The life of a call:
 *
 *            ┌─ kept connection ────────────┐
 *   start ───┤                              ├─> EXCHANGE ─> ENDED
 *            └─ CONNECT ── wire connected ──┘      │
 *                  ^                               │
 *                  └── kept one died unanswered ───┘   (once, and soon)
 *
 * Reading and writing go on side by side in EXCHANGE: an answer may come before
 * the request is out (413), and a failed send does not end the call, because
 * the answer that explains it may be in the kernel already.
 *
 * start() writes at once when there is a kept connection; what is to be told
 * about that is noted and told by the call's task, or by whatever event of the
 * connection comes first.
 *
 * on_sent means that the request is no longer needed.  On a kept connection
 * that is the first byte of the answer, since until then it may have to be sent
 * again elsewhere.
 */
#include "shared/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include <event2/event.h>

#include "shared/http1.h"
#include "shared/keep.h"

#define RECV_SIZE ((size_t)64 * 1024)
#define TURN_SIZE (4 * RECV_SIZE) /* bytes one call moves before others may */
#define PIECES    16              /* of a request in one writev */

enum state { CONNECT, EXCHANGE, ENDED };

struct rx_client {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct rx_keep *keep;
    struct rx_list calls;
    uint64_t replace_ms;
    char buffer[RECV_SIZE]; /* every byte of every answer passes here */
};

struct rx_client_call {
    struct rx_client *client;
    struct rx_link link;
    struct rx_task task;
    struct rx_client_request request;
    const struct rx_client_events *events;
    void *arg;
    struct rx_pool *pool;
    struct rx_conn *conn;
    enum state state;
    size_t size; /* of the request, head and body */
    size_t sent;
    uint64_t sent_ms;    /* when the last of it was */
    bool tell_connected; /* facts, to be told from the loop */
    bool tell_sent;
    bool read_on;     /* more may wait inside the wire */
    bool send_failed; /* nothing more can be written */
    bool begun;       /* a byte of the answer has come */
    bool paused;
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

/* -- the end of a call -- */

static void
call_bury(struct rx_client_call *call)
{
    struct rx_client *client = call->client;

    call->state = ENDED;
    rx_list_remove(&client->calls, &call->link);
    rx_loop_unpost(client->loop, &call->task);
    rx_conn_close(call->conn);
    call->conn = NULL;
    rx_pool_put(call->pool);
    call->pool = NULL;
    rx_loop_bury(client->loop, free, call);
}

static void
call_end(struct rx_client_call *call, enum rx_code code, const char *why)
{
    call_bury(call);
    call->events->on_end(call->arg, code, why);
}

/* The answer is whole: keep the connection if both sides left it clean. */
static void
call_whole(struct rx_client_call *call, bool clean)
{
    if (clean && rx_http1_keeps(call->conn->http1) &&
        call->sent == call->size) {
        rx_conn_give(call->conn);
        call->conn = NULL;
    }
    call_end(call, RX_OK, "");
}

/* -- what was noted is told -- */

/* False when the listener has cancelled the call. */
static bool
tell(struct rx_client_call *call)
{
    if (call->tell_connected) {
        call->tell_connected = false;
        if (call->events->on_connected != NULL)
            call->events->on_connected(call->arg, call->conn->reused);
    }
    if (call->state == EXCHANGE && call->tell_sent) {
        call->tell_sent = false;
        if (call->events->on_sent != NULL)
            call->events->on_sent(call->arg);
    }
    return call->state != ENDED;
}

static void
note(struct rx_client_call *call, bool *fact)
{
    *fact = true;
    rx_loop_post(call->client->loop, &call->task);
}

/* -- sending -- */

static int
fill_iov(const struct rx_client_call *call, struct iovec iov[PIECES])
{
    const struct rx_client_request *r = &call->request;
    size_t skip = call->sent;
    int n = 0;

    for (size_t i = 0; i <= r->body_count && n < PIECES; i++) {
        rx_str piece = i == 0 ? r->head : r->body[i - 1];
        if (skip >= piece.len) {
            skip -= piece.len;
            continue;
        }
        iov[n].iov_base = (char *)(uintptr_t)(piece.ptr + skip);
        iov[n++].iov_len = piece.len - skip;
        skip = 0;
    }
    return n;
}

static void
send_done(struct rx_client_call *call)
{
    event_del(&call->conn->writable);
    if (!call->conn->reused || call->begun)
        note(call, &call->tell_sent);
}

/* As much as the kernel takes, but no more than one turn's worth. */
static void
call_send(struct rx_client_call *call)
{
    RX_UNSET struct iovec iov[PIECES];
    size_t turn = 0;

    while (call->sent < call->size && turn < TURN_SIZE) {
        ssize_t n = rx_wire_sendv(call->conn->wire, iov, fill_iov(call, iov));
        if (n == RX_WIRE_AGAIN)
            break;
        if (n < 0) {
            call->send_failed = true;
            event_del(&call->conn->writable);
            return;
        }
        call->sent += (size_t)n;
        call->sent_ms = rx_loop_ms(call->client->loop);
        turn += (size_t)n;
    }
    if (call->sent == call->size)
        send_done(call);
    else
        event_add(&call->conn->writable, NULL);
}

/* -- connecting -- */

static void on_ready(void *arg, bool writable);

static void
call_use(struct rx_client_call *call, struct rx_conn *conn)
{
    conn->on_ready = on_ready;
    conn->arg = call;
    call->sent_ms = rx_loop_ms(call->client->loop);
    rx_http1_reset(conn->http1, call, call->request.head_only);
    call->conn = conn;
    call->sent = 0;
    call->state = EXCHANGE;
    note(call, &call->tell_connected);
    call_send(call);
}

static void
on_wire(void *arg, enum rx_code code, const char *why)
{
    struct rx_client_call *call = arg;

    if (code != RX_OK) {
        call_end(call, code, why);
        return;
    }
    rx_conn_attach(call->conn);
    if (call->paused)
        event_del(&call->conn->readable);
    call_use(call, call->conn);
}

static void
call_connect(struct rx_client_call *call)
{
    struct rx_conn *conn = rx_conn_new(call->pool);

    call->state = CONNECT;
    call->conn = conn;
    conn->wire = rx_wire_open(call->client->fetch, &call->request.target,
        call->request.connect_ms, on_wire, call);
}

/* -- the answer -- */

static bool
on_answer_head(void *arg, const struct rx_http1_head *h)
{
    struct rx_client_call *call = arg;
    struct rx_client_head head = { .status = h->status,
        .minor = h->minor,
        .headers = h->headers,
        .header_count = h->header_count,
        .has_length = h->has_length,
        .length = h->length };

    call->events->on_head(call->arg, &head);
    return call->state == EXCHANGE;
}

static bool
on_answer_body(void *arg, rx_str bytes)
{
    struct rx_client_call *call = arg;

    call->events->on_body(call->arg, bytes);
    return call->state == EXCHANGE;
}

static const struct rx_http1_events answer_events = {
    .on_head = on_answer_head,
    .on_body = on_answer_body,
};

/* Was it closed for its age, before it could see the request? */
static bool
died_of_age(const struct rx_client_call *call)
{
    const struct rx_client *client = call->client;

    return !call->begun && call->conn->reused &&
           rx_loop_ms(client->loop) - call->sent_ms <= client->replace_ms;
}

/* The connection has ended, by FIN or by RST. */
static void
call_lost(struct rx_client_call *call, bool reset)
{
    if (died_of_age(call)) {
        rx_conn_close(call->conn);
        call->tell_connected = call->tell_sent = call->send_failed = false;
        call_connect(call);
        return;
    }
    if (!reset && rx_http1_eof(call->conn->http1) == RX_HTTP1_DONE) {
        call_whole(call, false);
        return;
    }
    if (reset && call->begun)
        call_end(call, RX_UPSTREAM, "connection reset inside the answer");
    else if (reset || call->send_failed)
        call_end(call, RX_UPSTREAM, "connection reset before an answer");
    else
        call_end(call, RX_UPSTREAM, rx_http1_why(call->conn->http1));
}

/* False when the call has ended. */
static bool
call_parse(struct rx_client_call *call, size_t size)
{
    struct rx_http1 *http1 = call->conn->http1;
    size_t taken;

    if (!call->begun) {
        call->begun = true;
        if (call->conn->reused && call->sent == call->size)
            call->tell_sent = true;
        if (!tell(call))
            return false;
    }
    switch (rx_http1_feed(http1, call->client->buffer, size, &taken)) {
    case RX_HTTP1_MORE: return true;
    case RX_HTTP1_STOPPED: return false;
    case RX_HTTP1_DONE: call_whole(call, taken == size); return false;
    case RX_HTTP1_BROKEN:
        call_end(call, RX_UPSTREAM, rx_http1_why(http1));
        return false;
    }
    return false;
}

/*
 * A plain socket that gave less than asked for is empty; a TLS wire has to be
 * asked until it says so, and after a full turn only a task can go on, since
 * its descriptor may never become readable again.
 */
static void
call_receive(struct rx_client_call *call)
{
    bool buffers = rx_wire_buffers(call->conn->wire);
    size_t turn = 0;

    while (turn < TURN_SIZE) {
        ssize_t n =
            rx_wire_recv(call->conn->wire, call->client->buffer, RECV_SIZE);
        if (n == RX_WIRE_AGAIN)
            return;
        if (n <= 0) {
            call_lost(call, n == RX_WIRE_FAILED);
            return;
        }
        if (!call_parse(call, (size_t)n) || call->paused)
            return;
        if (!buffers && (size_t)n < RECV_SIZE)
            return;
        turn += (size_t)n;
    }
    if (buffers)
        note(call, &call->read_on);
}

static void
on_ready(void *arg, bool writable)
{
    struct rx_client_call *call = arg;

    if (!tell(call))
        return;
    struct rx_loop *loop = call->client->loop;
    if (writable)
        call_send(call);
    else if (!call->paused)
        call_receive(call);
    rx_loop_worked(loop);
}

static void
on_task(void *arg)
{
    struct rx_client_call *call = arg;
    bool read_on = call->read_on;

    call->read_on = false;
    if (tell(call) && read_on && call->state == EXCHANGE && !call->paused)
        call_receive(call);
}

/* -- for the caller -- */

static size_t
or_default(size_t value, size_t usual)
{
    return value > 0 ? value : usual;
}

struct rx_client *
rx_client_new(struct rx_loop *loop, struct rx_fetch *fetch,
    const struct rx_client_options *options)
{
    struct rx_client *client = zalloc(sizeof(*client));
    struct rx_keep_options keep = {
        .idle_plain_ms = (uint32_t)or_default(options->idle_plain_ms, 60000),
        .idle_tls_ms = (uint32_t)or_default(options->idle_tls_ms, 20000),
        .max_idle = or_default(options->max_idle, 512),
        .max_head = or_default(options->max_head, (size_t)64 * 1024),
        .events = &answer_events,
    };

    client->loop = loop;
    client->fetch = fetch;
    client->replace_ms = or_default(options->replace_ms, 1000);
    client->keep = rx_keep_new(loop, &keep);
    rx_list_init(&client->calls);
    return client;
}

void
rx_client_free(struct rx_client *client)
{
    struct rx_link *l;

    if (client == NULL)
        return;
    while ((l = rx_list_first(&client->calls)) != NULL)
        call_bury(RX_LIST_ITEM(l, struct rx_client_call, link));
    rx_keep_free(client->keep);
    free(client);
}

void
rx_client_flush(struct rx_client *client)
{
    rx_keep_flush(client->keep);
}

size_t
rx_client_idle(const struct rx_client *client)
{
    return rx_keep_idle(client->keep);
}

struct rx_client_call *
rx_client_start(struct rx_client *client,
    const struct rx_client_request *request,
    const struct rx_client_events *events, void *arg)
{
    struct rx_client_call *call = zalloc(sizeof(*call));

    call->client = client;
    call->request = *request;
    call->events = events;
    call->arg = arg;
    call->task = (struct rx_task){ .fn = on_task, .arg = call };
    call->size = request->head.len;
    for (size_t i = 0; i < request->body_count; i++)
        call->size += request->body[i].len;
    rx_list_append(&client->calls, &call->link);

    call->pool = rx_pool_get(client->keep, &request->target);
    struct rx_conn *kept = rx_conn_take(call->pool);
    if (kept != NULL)
        call_use(call, kept);
    else
        call_connect(call);
    return call;
}

void
rx_client_pause(struct rx_client_call *call)
{
    call->paused = true;
    if (call->state == EXCHANGE)
        event_del(&call->conn->readable);
}

void
rx_client_resume(struct rx_client_call *call)
{
    if (!call->paused)
        return;
    call->paused = false;
    if (call->state != EXCHANGE)
        return;
    event_add(&call->conn->readable, NULL);
    if (rx_wire_buffers(call->conn->wire))
        note(call, &call->read_on);
}

void
rx_client_cancel(struct rx_client_call *call)
{
    assert(call->state != ENDED);
    call_bury(call);
}

rx_str
rx_client_header(const struct rx_client_head *head, rx_str name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (rx_str_ieq(head->headers[i].name, name))
            return head->headers[i].value;
    }
    return (rx_str){ 0 };
}
