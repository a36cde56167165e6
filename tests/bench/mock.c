/*
 * mock.c - the provider behind the bench: one thread, raw epoll, so that what
 * a table shows is the gateway and not its upstream.  Speaks what wire.h says.
 *
 *     bench_mock          prints "port N" and serves until its parent ends
 *
 * All streams have one pace, so the queue of what is due next is a list that
 * stays sorted by itself: what was sent goes to the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/message.h"
#include "tests/bench/wire.h"

#define TAIL    160 /* the end of a body says what is wanted */
#define BATCH   256
#define RECEIVE (256 * 1024)

struct conn {
    TAILQ_ENTRY(conn) link;
    int fd;
    bool streaming;
    bool hold;
    unsigned deltas; /* still to send */
    uint64_t due_ns;
    size_t tail_len;
    char tail[TAIL];
    struct message in;
};

TAILQ_HEAD(conns, conn);

struct mock {
    int epoll;
    int listener;
    struct conns due; /* by due_ns */
    char *receive;
};

static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "content-type: application/json\r\n"
                             "request-id: req_bench\r\n"
                             "content-length: ";

static const char stream_head[] =
    "HTTP/1.1 200 OK\r\n"
    "content-type: text/event-stream; charset=utf-8\r\n"
    "cache-control: no-cache\r\n"
    "request-id: req_bench\r\n"
    "transfer-encoding: chunked\r\n\r\n";

static const char stream_start[] =
    "event: message_start\n"
    "data: {\"type\":\"message_start\",\"message\":{"
    "\"id\":\"msg_01BenchBenchBenchBench\",\"type\":\"message\","
    "\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],"
    "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{"
    "\"input_tokens\":12,\"cache_creation_input_tokens\":0,"
    "\"cache_read_input_tokens\":3,\"output_tokens\":1}}}\n\n"
    "event: content_block_start\n"
    "data: {\"type\":\"content_block_start\",\"index\":0,"
    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";

static const char stream_end[] =
    "event: content_block_stop\n"
    "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
    "event: message_delta\n"
    "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
    "\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":64}}\n\n" BENCH_STOP
    "data: {\"type\":\"message_stop\"}\n\n";

static void
die(const char *what)
{
    fprintf(stderr, "bench_mock: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
conn_close(struct mock *m, struct conn *c)
{
    if (c->deltas > 0)
        TAILQ_REMOVE(&m->due, c, link);
    close(c->fd);
    free(c);
}

/* All or nothing: what is sent is small against a socket buffer. */
static bool
send_all(struct conn *c, const char *at, size_t len)
{
    return send(c->fd, at, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool
send_answer(struct conn *c)
{
    static char whole[sizeof answer + sizeof BENCH_ANSWER + 32];
    static size_t len;

    if (len == 0)
        len = (size_t)snprintf(whole, sizeof whole, "%s%zu\r\n\r\n%s", answer,
            sizeof BENCH_ANSWER - 1, BENCH_ANSWER);
    return send_all(c, whole, len);
}

static bool
send_start(struct conn *c)
{
    char out[1024];
    int n = snprintf(out, sizeof out, "%s%zx\r\n%s\r\n", stream_head,
        sizeof stream_start - 1, stream_start);

    return send_all(c, out, (size_t)n);
}

static bool
send_delta(struct conn *c)
{
    char event[256];
    char out[300];
    int n = snprintf(event, sizeof event,
        "event: content_block_delta\n"
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
        "{\"type\":\"text_delta\",\"text\":" BENCH_STAMP "%016llu word\"}}\n\n",
        (unsigned long long)(bench_now_ns() / 1000));

    n = snprintf(out, sizeof out, "%x\r\n%s\r\n", (unsigned)n, event);
    return send_all(c, out, (size_t)n);
}

static bool
send_end(struct conn *c)
{
    char out[1024];
    int n = snprintf(out, sizeof out, "%zx\r\n%s\r\n0\r\n\r\n",
        sizeof stream_end - 1, stream_end);

    return send_all(c, out, (size_t)n);
}

static void
keep_tail(struct conn *c, struct message_span s)
{
    if (s.len >= TAIL) {
        memcpy(c->tail, s.at + s.len - TAIL, TAIL);
        c->tail_len = TAIL;
        return;
    }
    if (c->tail_len + s.len > TAIL) {
        size_t keep = TAIL - s.len;
        memmove(c->tail, c->tail + c->tail_len - keep, keep);
        c->tail_len = keep;
    }
    memcpy(c->tail + c->tail_len, s.at, s.len);
    c->tail_len += s.len;
}

static const char *
tail_find(const struct conn *c, const char *what)
{
    return memmem(c->tail, c->tail_len, what, strlen(what));
}

static bool
stream_begin(struct mock *m, struct conn *c)
{
    const char *tokens = tail_find(c, BENCH_TOKENS);
    const char *end = c->tail + c->tail_len;

    if (tokens == NULL)
        return false;
    c->streaming = true;
    c->hold = tail_find(c, BENCH_HOLD) != NULL;
    tokens += strlen(BENCH_TOKENS);
    for (; tokens < end && *tokens >= '0' && *tokens <= '9'; tokens++)
        c->deltas = c->deltas * 10 + (unsigned)(*tokens - '0');
    if (c->deltas == 0)
        return false;
    c->due_ns = bench_now_ns() + BENCH_PACE_US * 1000ull;
    TAILQ_INSERT_TAIL(&m->due, c, link);
    return send_start(c);
}

/* A whole request is there; false when the connection is of no more use. */
static bool
serve(struct mock *m, struct conn *c)
{
    bool stream = tail_find(c, BENCH_STREAM) != NULL;
    bool ok = stream ? stream_begin(m, c) : send_answer(c);

    ok = ok && !c->in.close;
    c->tail_len = 0;
    message_init(&c->in, false);
    return ok;
}

static bool
take(struct mock *m, struct conn *c, const char *at, const char *end)
{
    struct message_span body;

    for (;;) {
        if (c->streaming && at < end)
            return false; /* a request inside a stream */
        switch (message_read(&c->in, &at, end, &body)) {
        case MESSAGE_MORE: return true;
        case MESSAGE_BAD: return false;
        case MESSAGE_BODY: keep_tail(c, body); break;
        case MESSAGE_DONE:
            if (!serve(m, c))
                return false;
            break;
        }
    }
}

static void
on_readable(struct mock *m, struct conn *c)
{
    ssize_t n = recv(c->fd, m->receive, RECEIVE, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || !take(m, c, m->receive, m->receive + n))
        conn_close(m, c);
}

static void
on_listener(struct mock *m)
{
    for (int i = 0; i < 64; i++) {
        int one = 1;
        int fd = accept4(m->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct conn *c;

        if (fd < 0)
            return;
        c = calloc(1, sizeof *c);
        if (c == NULL)
            die("memory");
        c->fd = fd;
        message_init(&c->in, false);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
        if (epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
            die("epoll_ctl");
    }
}

/* One delta of the stream that is due; the last is followed by the end. */
static void
stream_step(struct mock *m, struct conn *c)
{
    bool ok = send_delta(c);

    TAILQ_REMOVE(&m->due, c, link);
    if (--c->deltas > 0) {
        c->due_ns += BENCH_PACE_US * 1000ull;
        TAILQ_INSERT_TAIL(&m->due, c, link);
    } else if (ok && !c->hold) {
        c->streaming = false;
        ok = send_end(c);
    }
    if (!ok)
        conn_close(m, c);
}

/* Sends what is due; returns how long to wait for the next, -1 for ever. */
static int64_t
streams_run(struct mock *m)
{
    uint64_t now = bench_now_ns();
    struct conn *c;

    while ((c = TAILQ_FIRST(&m->due)) != NULL) {
        if (c->due_ns > now)
            return (int64_t)(c->due_ns - now);
        stream_step(m, c);
    }
    return -1;
}

static void
serve_for_ever(struct mock *m)
{
    struct epoll_event events[BATCH];

    for (;;) {
        int64_t wait = streams_run(m);
        struct timespec t = { wait / 1000000000, wait % 1000000000 };
        int n =
            epoll_pwait2(m->epoll, events, BATCH, wait < 0 ? NULL : &t, NULL);

        if (n < 0 && errno != EINTR)
            die("epoll");
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                on_listener(m);
            else
                on_readable(m, events[i].data.ptr);
        }
    }
}

static int
listen_on_loopback(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        die("listen");
    *port = ntohs(a.sin_port);
    return fd;
}

int
main(void)
{
    struct mock m = { .receive = malloc(RECEIVE) };
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };
    uint16_t port;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1ul);
    TAILQ_INIT(&m.due);
    m.listener = listen_on_loopback(&port);
    m.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (m.receive == NULL || m.epoll < 0 ||
        epoll_ctl(m.epoll, EPOLL_CTL_ADD, m.listener, &e) < 0)
        die("start");
    printf("port %u\n", port);
    fflush(stdout);
    serve_for_ever(&m);
}
