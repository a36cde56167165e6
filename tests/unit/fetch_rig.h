/*
 * fetch_rig.h - whole transfers and client calls against a listener of the test
 * (loopback.h), and what came of them.
 */
#ifndef TESTS_FETCH_RIG_H
#define TESTS_FETCH_RIG_H

#include <signal.h>

#include "shared/client.h"
#include "shared/fetch.h"
#include "tests/unit/check.h"
#include "tests/unit/loopback.h"

static struct rx_fetch *fetch;

static inline void
begin(void)
{
    loop = rx_loop_new();
    fetch = rx_fetch_new(loop);
    listener = listen_on_loopback(64, &port);
}

static inline void
finish(void)
{
    rx_fetch_free(fetch);
    rx_loop_free(loop);
    close(listener);
}

/* -- transfers -- */

struct got {
    int calls;
    struct rx_transfer_result result;
    char body[256];
    char headers[512];
};

static inline void
on_transfer(void *arg, const struct rx_transfer_result *r)
{
    struct got *g = arg;

    g->calls++;
    g->result = *r;
    snprintf(g->body, sizeof(g->body), RX_STR_FMT, RX_STR_ARG(r->body));
    snprintf(
        g->headers, sizeof(g->headers), RX_STR_FMT, RX_STR_ARG(r->headers));
}

static inline struct rx_transfer *
transfer(struct got *g, const struct rx_transfer_options *base)
{
    struct rx_transfer_options o = *base;
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/path?q=1", port);
    if (o.url == NULL)
        o.url = url;
    if (o.max_response == 0)
        o.max_response = 100;
    struct rx_transfer *t = rx_transfer_start(fetch, &o, on_transfer, g);
    CHECK(t != NULL);
    CHECK_INT(0, g->calls);
    return t;
}

/* Until the blank line; the request has no body or one of `body` bytes. */
static inline void
hear(int fd, char *text, size_t size, size_t body)
{
    size_t n = 0;

    memset(text, 0, size);
    PUMP((read_some(fd, text, &n, size - 1),
        strstr(text, "\r\n\r\n") != NULL &&
            strlen(strstr(text, "\r\n\r\n") + 4) >= body));
}

/* -- calls -- */

struct call {
    int ended;
    int status;
    bool reused;
    enum rx_code code;
    char why[200];
    size_t body;
    struct rx_client_call *call;
    bool pause;
};

static inline void
on_connected(void *arg, bool reused)
{
    ((struct call *)arg)->reused = reused;
}

static inline void
on_sent(void *arg)
{
    (void)arg;
}

static inline void
on_head(void *arg, const struct rx_client_head *head)
{
    struct call *c = arg;

    c->status = head->status;
    if (c->pause)
        rx_client_pause(c->call);
}

static inline void
on_body(void *arg, rx_str bytes)
{
    ((struct call *)arg)->body += bytes.len;
}

static inline void
on_end(void *arg, enum rx_code code, const char *why)
{
    struct call *c = arg;

    c->ended++;
    c->code = code;
    snprintf(c->why, sizeof(c->why), "%s", why);
}

static const struct rx_client_events events = { on_connected, on_sent, on_head,
    on_body, on_end };

/* TLS is verified against `ca_file`, or the system's authorities when NULL. */
static inline struct rx_client_request
ask(uint16_t to, bool tls, const char *ca_file)
{
    return (struct rx_client_request){
        .target = { .tls = tls,
            .host = RX_S("127.0.0.1"),
            .port = to,
            .ca_file = ca_file != NULL ? (rx_str){ ca_file, strlen(ca_file) }
                                       : (rx_str){ 0 } },
        .head = RX_S("GET / HTTP/1.1\r\nhost: t\r\n\r\n"),
        .connect_ms = 5000,
    };
}

static inline struct rx_client *
client_new(void)
{
    struct rx_client_options options = { 0 };

    return rx_client_new(loop, fetch, &options);
}

static inline void
start(
    struct rx_client *client, struct call *c, const struct rx_client_request *r)
{
    c->call = rx_client_start(client, r, &events, c);
}

#define RUN(test)        \
    do {                 \
        begin();         \
        CHECK_RUN(test); \
        fflush(stdout);  \
        finish();        \
    } while (0)

#endif
