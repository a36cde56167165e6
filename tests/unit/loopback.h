/*
 * loopback.h - the other side of a connection, played by the test itself with
 * plain non-blocking sockets between two ticks of the loop, so that every order
 * of events can be had.
 */
#ifndef TESTS_LOOPBACK_H
#define TESTS_LOOPBACK_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/loop.h"
#include "tests/unit/check.h"

static struct rx_loop *loop;
static int listener = -1;
static uint16_t port;

static inline void
tick(void)
{
    rx_loop_tick(loop, false);
    sched_yield();
}

#define PUMP(condition)                           \
    do {                                          \
        uint64_t until_ = rx_clock_ms() + 10000;  \
        bool met_ = false;                        \
        while (!met_ && rx_clock_ms() < until_) { \
            tick();                               \
            met_ = (condition);                   \
        }                                         \
        CHECK(met_ && "in time: " #condition);    \
    } while (0)

static inline void
settle(void)
{
    for (int i = 0; i < 50; i++)
        tick();
}

static inline int
listen_on_loopback(int backlog, uint16_t *out)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    CHECK_INT(0, bind(fd, (struct sockaddr *)&a, n));
    CHECK_INT(0, listen(fd, backlog));
    CHECK_INT(0, getsockname(fd, (struct sockaddr *)&a, &n));
    *out = ntohs(a.sin_port);
    return fd;
}

static inline int
accepted(void)
{
    int fd = -1;

    PUMP((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    return fd;
}

static inline bool
read_some(int fd, char *to, size_t *have, size_t size)
{
    ssize_t n = recv(fd, to + *have, size - *have, 0);

    *have += n > 0 ? (size_t)n : 0;
    return *have == size;
}

/* Wait for exactly these bytes. */
static inline void
expect(int fd, const char *want)
{
    char got[512] = "";
    size_t n = 0;
    size_t size = strlen(want);

    PUMP(read_some(fd, got, &n, size));
    CHECK_TEXT(want, got);
}

static inline void
say(int fd, const char *bytes, size_t size)
{
    CHECK_INT((intmax_t)size, send(fd, bytes, size, MSG_NOSIGNAL));
}

static inline void
say_text(int fd, const char *text)
{
    say(fd, text, strlen(text));
}

static inline void
reset(int fd)
{
    struct linger hard = { .l_onoff = 1 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
}

static inline bool
at_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

#endif
