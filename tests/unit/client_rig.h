/*
 * client_rig.h - calls of the HTTP client against a listener of the test
 * (loopback.h), and everything they told in order.
 */
#ifndef TESTS_CLIENT_RIG_H
#define TESTS_CLIENT_RIG_H

#include <stdlib.h>

#include "shared/buf.h"
#include "shared/client.h"
#include "tests/unit/check.h"
#include "tests/unit/loopback.h"

#define REQUEST "POST /v1 HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\n\r\n"
#define OK_2    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

static struct rx_fetch *fetch;
static struct rx_client *client;

/* What a call has told. */
struct seen {
    struct rx_client_call *call;
    int connected;
    int reused;
    int sent;
    int heads;
    int ended;
    int status;
    bool has_length;
    enum rx_code code;
    char why[160];
    char trace[32];
    struct rx_buf body;
    size_t body_calls;
    /* What to do inside an event: 'c' connected, 's' sent, 'h', 'b'. */
    char cancel_in;
    char pause_in;
};

static inline void
event(struct seen *s, char name)
{
    size_t n = strlen(s->trace);

    if (n + 1 < sizeof(s->trace) && (n == 0 || s->trace[n - 1] != name))
        s->trace[n] = name;
    if (s->cancel_in == name) {
        rx_client_cancel(s->call);
        s->call = NULL;
    } else if (s->pause_in == name) {
        s->pause_in = 0;
        rx_client_pause(s->call);
    }
}

static inline void
on_connected(void *arg, bool reused)
{
    struct seen *s = arg;

    s->connected++;
    s->reused = reused;
    event(s, 'c');
}

static inline void
on_sent(void *arg)
{
    struct seen *s = arg;

    s->sent++;
    event(s, 's');
}

static inline void
on_head(void *arg, const struct rx_client_head *head)
{
    struct seen *s = arg;

    s->heads++;
    s->status = head->status;
    s->has_length = head->has_length;
    event(s, 'h');
}

static inline void
on_body(void *arg, rx_str bytes)
{
    struct seen *s = arg;

    s->body_calls++;
    rx_buf_add(&s->body, bytes);
    event(s, 'b');
}

static inline void
on_end(void *arg, enum rx_code code, const char *why)
{
    struct seen *s = arg;

    s->ended++;
    s->code = code;
    s->call = NULL;
    snprintf(s->why, sizeof(s->why), "%s", why);
    event(s, 'e');
}

static const struct rx_client_events events = { on_connected, on_sent, on_head,
    on_body, on_end };

static inline void
begin(void)
{
    struct rx_client_options options = { 0 };

    loop = rx_loop_new();
    fetch = rx_fetch_new(loop);
    client = rx_client_new(loop, fetch, &options);
    listener = listen_on_loopback(64, &port);
}

static inline void
finish(void)
{
    rx_client_free(client);
    rx_fetch_free(fetch);
    rx_loop_free(loop);
    close(listener);
}

static inline struct rx_client_request
request_to(uint16_t to)
{
    static const rx_str body[] = { RX_STR_INIT("he"), RX_STR_INIT(""),
        RX_STR_INIT("llo") };

    return (struct rx_client_request){
        .target = { .host = RX_S("127.0.0.1"), .port = to },
        .head = RX_S(REQUEST),
        .body = body,
        .body_count = 3,
        .connect_ms = 2000,
    };
}

static inline void
start(struct seen *s, const struct rx_client_request *r)
{
    s->body.cap = s->body.cap > 0 ? s->body.cap : (size_t)1 << 30;
    s->call = rx_client_start(client, r, &events, s);
    CHECK_TEXT("", s->trace); /* nothing is told from inside */
}

static inline void
start_plain(struct seen *s)
{
    struct rx_client_request r = request_to(port);

    start(s, &r);
}

/* One exchange on a connection that is then kept. */
static inline int
exchange_once(void)
{
    struct seen s = { 0 };

    start_plain(&s);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    say_text(fd, OK_2);
    PUMP(s.ended);
    CHECK_INT(RX_OK, s.code);
    rx_buf_fini(&s.body);
    return fd;
}

static inline void
check_ok(struct seen *s, int status, const char *body)
{
    PUMP(s->ended);
    CHECK_INT(1, s->ended);
    CHECK_INT(RX_OK, s->code);
    CHECK_TEXT("", s->why);
    CHECK_INT(status, s->status);
    CHECK_INT(1, s->heads);
    CHECK_TEXT(body, s->body.len > 0 ? s->body.ptr : "");
    rx_buf_fini(&s->body);
}

static inline void
check_failed(struct seen *s, enum rx_code code, const char *why)
{
    PUMP(s->ended);
    CHECK_INT(1, s->ended);
    CHECK_INT(code, s->code);
    CHECK_TEXT(why, s->why);
    rx_buf_fini(&s->body);
}

#define RUN(test)        \
    do {                 \
        begin();         \
        CHECK_RUN(test); \
        fflush(stdout);  \
        finish();        \
    } while (0)

#endif
