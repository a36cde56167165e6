/*
 * httpd_rig.h - a server with a scripted user, and clients on real sockets,
 * all on one loop of one thread.
 *
 * The user answers by path, see rig_on_body().  What was called is written
 * into `rig.log`, one letter per call: R(equest) B(ody) D(rain) C(lose), the
 * close followed by the code's digit.
 */
#ifndef TESTS_HTTPD_RIG_H
#define TESTS_HTTPD_RIG_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/httpd.h"
#include "tests/unit/check.h"

static struct {
    struct rx_loop *loop;
    struct rx_httpd *httpd;
    struct rx_httpd_req *held; /* the last request nobody answered yet */
    char log[256];
    char body[256];    /* the last body, cut */
    size_t body_len;   /* and its real length */
    uint64_t body_sum; /* of its bytes */
    enum rx_code how;
    size_t closes;
    size_t drains;
} rig;

static void
rig_log(char what)
{
    size_t n = strlen(rig.log);

    if (n + 1 < sizeof(rig.log))
        rig.log[n] = what;
}

static void
rig_on_request(void *arg, struct rx_httpd_req *req)
{
    const struct rx_httpd_head *head = rx_httpd_head(req);

    (void)arg;
    rig_log('R');
    if (rx_str_eq(head->path, RX_S("/small")))
        rx_httpd_set_body_limit(req, 10);
    if (rx_str_eq(head->path, RX_S("/early-stream"))) {
        rx_httpd_start(req, 200, RX_S(""), RX_HTTPD_CHUNKED);
        (void)rx_httpd_write(req, RX_S("event"));
    }
    if (rx_str_eq(head->path, RX_S("/early")))
        rx_httpd_reply(req, 403, RX_S(""), RX_S("no"));
}

static void
rig_on_body(void *arg, struct rx_httpd_req *req)
{
    const struct rx_httpd_head *head = rx_httpd_head(req);
    rx_str body = rx_httpd_body(req);

    (void)arg;
    rig_log('B');
    rig.body_len = body.len;
    rig.body_sum = 0;
    for (size_t i = 0; i < body.len; i++)
        rig.body_sum += (unsigned char)body.ptr[i];
    snprintf(rig.body, sizeof(rig.body), RX_STR_FMT,
        (int)(body.len < 200 ? body.len : 200), body.len > 0 ? body.ptr : "");
    if (rx_str_eq(head->path, RX_S("/hold"))) {
        rig.held = req;
        return;
    }
    if (rx_str_eq(head->path, RX_S("/chunks"))) {
        rx_httpd_start(req, 200, RX_S("x-a: b\r\n"), RX_HTTPD_CHUNKED);
        (void)rx_httpd_write(req, RX_S("one"));
        (void)rx_httpd_write(req, RX_S("")); /* not an end */
        (void)rx_httpd_write(req, RX_S("twenty bytes of text"));
        rx_httpd_end(req);
        return;
    }
    rx_httpd_reply(req, 200, RX_S("content-type: text/plain\r\n"), head->path);
}

static void
rig_on_drain(void *arg, struct rx_httpd_req *req)
{
    (void)arg;
    (void)req;
    rig_log('D');
    rig.drains++;
}

static void
rig_on_close(void *arg, struct rx_httpd_req *req, enum rx_code how)
{
    (void)arg;
    rig_log('C');
    rig.how = how;
    rig.closes++;
    if (rig.held == req)
        rig.held = NULL;
}

static const struct rx_httpd_handler rig_handler = {
    .on_request = rig_on_request,
    .on_body = rig_on_body,
    .on_drain = rig_on_drain,
    .on_close = rig_on_close,
};

static void
rig_start(const struct rx_httpd_options *options)
{
    struct rx_httpd_options o = { 0 };
    struct rx_err err = { 0 };

    if (options != NULL)
        o = *options;
    if (o.host == NULL)
        o.host = "127.0.0.1";
    memset(&rig, 0, sizeof(rig));
    rig.loop = rx_loop_new();
    CHECK_INT(RX_OK,
        rx_httpd_open(&rig.httpd, rig.loop, &o, &rig_handler, NULL, &err));
}

static void
rig_stop(void)
{
    rx_httpd_close(rig.httpd);
    rx_loop_tick(rig.loop, false);
    rx_loop_free(rig.loop);
}

static int
client_open(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
        .sin_port = htons(rx_httpd_port(rig.httpd)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    CHECK_INT(0, connect(fd, (struct sockaddr *)&to, sizeof(to)));
    return fd;
}

/* A condition that holds costs nothing, whatever the machine is busy with. */
#define RIG_DEADLINE_MS 30000

/* Let the loop work until nothing has happened for a few rounds. */
static void
rig_settle(void)
{
    for (int i = 0; i < 6; i++)
        rx_loop_tick(rig.loop, false);
}

/* Until the server's kernel has what was sent, if it has room for it. */
static void
client_sent(int fd)
{
    uint64_t until = rx_clock_ms() + 200;
    int waiting = 1;

    while (rx_clock_ms() < until && ioctl(fd, TIOCOUTQ, &waiting) == 0 &&
           waiting > 0)
        rx_loop_tick(rig.loop, false);
}

/* Send everything, the loop working meanwhile.  Returns what went out. */
static size_t
client_send(int fd, const char *bytes, size_t len)
{
    size_t done = 0;
    uint64_t until = rx_clock_ms() + RIG_DEADLINE_MS;

    while (done < len && rx_clock_ms() < until) {
        ssize_t n =
            send(fd, bytes + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EAGAIN)
            break;
        rx_loop_tick(rig.loop, false);
    }
    client_sent(fd);
    rig_settle();
    return done;
}

static size_t
client_say(int fd, const char *text)
{
    return client_send(fd, text, strlen(text));
}

/* Read until `until` was seen (NULL: the end), with a deadline.  What came is
 * a text in a static buffer.  `*end` is 0 after a FIN, the errno after an
 * error, -1 when the connection is still open. */
static char client_got[1 << 20];

static const char *
client_hear(int fd, const char *until, int *end)
{
    size_t len = 0;
    uint64_t deadline = rx_clock_ms() + RIG_DEADLINE_MS;
    int how = -1;

    client_got[0] = '\0';
    while (rx_clock_ms() < deadline) {
        ssize_t n = recv(
            fd, client_got + len, sizeof(client_got) - 1 - len, MSG_DONTWAIT);
        if (n > 0) {
            len += (size_t)n;
            client_got[len] = '\0';
        } else if (n == 0 || errno != EAGAIN) {
            how = n == 0 ? 0 : errno;
            break;
        }
        if (until != NULL && strstr(client_got, until) != NULL)
            break;
        rx_loop_tick(rig.loop, false);
    }
    if (end != NULL)
        *end = how;
    return client_got;
}

static void
client_reset(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

/* One request on its own connection, everything that comes back. */
static const char *
ask(const char *request, int *end)
{
    int fd = client_open();

    client_say(fd, request);
    client_hear(fd, NULL, end);
    close(fd);
    rig_settle();
    return client_got;
}

static bool
starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static size_t
count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

/* Tick until `condition`. */
#define RIG_UNTIL(condition)                               \
    do {                                                   \
        uint64_t until_ = rx_clock_ms() + RIG_DEADLINE_MS; \
        while (!(condition) && rx_clock_ms() < until_)     \
            rx_loop_tick(rig.loop, false);                 \
        CHECK(condition);                                  \
    } while (0)

#endif
