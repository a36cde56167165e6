/*
 * nng's threads never call us: a receiving socket gives a descriptor that is
 * readable while messages wait, and the loop drains it a few at a time.
 */
#include "shared/bus.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/supplemental/tls/tls.h>

#include "shared/log.h"

#define RECONNECT_MIN_MS 50
#define RECONNECT_MAX_MS 1000
#define CLOSE_MS         250
#define DRAIN            256 /* messages per tick, then others get a turn */

struct rx_bus {
    nng_socket socket;
    enum rx_bus_role role;
    struct event *readable;
    int port;
    void (*on_message)(void *arg, rx_str message);
    void *arg;
};

static const struct {
    int (*open)(nng_socket *socket);
    bool listens;
    bool receives;
} roles[] = {
    [RX_BUS_PUB] = { nng_pub0_open, true, false },
    [RX_BUS_SUB] = { nng_sub0_open, false, true },
    [RX_BUS_PUSH] = { nng_push0_open, false, false },
    [RX_BUS_PULL] = { nng_pull0_open, true, true },
};

static enum rx_code
failed(struct rx_err *err, int rc, const char *what)
{
    enum rx_code code = RX_INTERNAL;

    if (rc == NNG_EADDRINVAL || rc == NNG_ENOTSUP || rc == NNG_EINVAL)
        code = RX_INVALID;
    else if (rc == NNG_EADDRINUSE)
        code = RX_CONFLICT;
    return rx_fail(err, code, "%s: %s", what, nng_strerror(rc));
}

static void
take_message(struct rx_bus *bus, nng_msg *msg)
{
    bus->on_message(bus->arg, (rx_str){ nng_msg_body(msg), nng_msg_len(msg) });
    nng_msg_free(msg);
}

static void
drain(evutil_socket_t fd, short what, void *arg)
{
    struct rx_bus *bus = arg;

    (void)fd;
    (void)what;
    for (int i = 0; i < DRAIN; i++) {
        nng_msg *msg = NULL;
        if (nng_recvmsg(bus->socket, &msg, NNG_FLAG_NONBLOCK) != 0)
            return;
        take_message(bus, msg);
    }
    /* More may wait: nng keeps the descriptor readable, so we come again. */
}

/* A receiving socket's options and its place on the loop. */
static int
set_up_receiving(struct rx_bus *bus, struct rx_loop *loop,
    const struct rx_bus_options *options)
{
    int fd = -1;
    int rc = 0;

    /* pull takes from its pipes one by one and has no queue of its own. */
    if (bus->role == RX_BUS_SUB)
        rc = nng_setopt_int(bus->socket, NNG_OPT_RECVBUF, options->queue);
    if (rc == 0)
        rc = nng_setopt_size(
            bus->socket, NNG_OPT_RECVMAXSZ, options->max_message);
    if (rc == 0)
        rc = nng_getopt_int(bus->socket, NNG_OPT_RECVFD, &fd);
    if (rc != 0)
        return rc;
    bus->readable =
        event_new(rx_loop_base(loop), fd, EV_READ | EV_PERSIST, drain, bus);
    if (bus->readable == NULL)
        abort();
    return 0;
}

/* Half a TLS set-up would connect to nobody, without a word. */
static enum rx_code
check_tls(const struct rx_bus_options *options, struct rx_err *err)
{
    bool listens = roles[options->role].listens;
    const char *file =
        listens ? options->tls_cert_key_file : options->tls_ca_file;

    if (strncmp(options->url, "tls+tcp://", 10) == 0 && file == NULL)
        return rx_fail(err, RX_INVALID, "%s: needs a file with %s",
            options->url,
            listens ? "certificate and key" : "the signer's certificate");
    return RX_OK;
}

static int
dial(struct rx_bus *bus, const struct rx_bus_options *options)
{
    nng_dialer d;
    int rc = nng_dialer_create(&d, bus->socket, options->url);

    if (rc == 0)
        rc = nng_dialer_setopt_ms(d, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    if (rc == 0)
        rc = nng_dialer_setopt_ms(d, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    if (rc == 0 && options->tls_ca_file != NULL) {
        rc = nng_dialer_setopt_string(
            d, NNG_OPT_TLS_CA_FILE, options->tls_ca_file);
        if (rc == 0)
            rc = nng_dialer_setopt_int(
                d, NNG_OPT_TLS_AUTH_MODE, NNG_TLS_AUTH_MODE_REQUIRED);
    }
    return rc == 0 ? nng_dialer_start(d, NNG_FLAG_NONBLOCK) : rc;
}

static int
listen_on(struct rx_bus *bus, const struct rx_bus_options *options)
{
    nng_listener l;
    int rc = nng_listener_create(&l, bus->socket, options->url);

    if (rc == 0 && strncmp(options->url, "ipc://", 6) == 0)
        rc = nng_listener_setopt_int(l, NNG_OPT_IPC_PERMISSIONS, 0600);
    if (rc == 0 && options->tls_cert_key_file != NULL)
        rc = nng_listener_setopt_string(
            l, NNG_OPT_TLS_CERT_KEY_FILE, options->tls_cert_key_file);
    if (rc == 0)
        rc = nng_listener_start(l, 0);
    if (rc == 0 &&
        nng_listener_getopt_int(l, NNG_OPT_TCP_BOUND_PORT, &bus->port) != 0)
        bus->port = 0;
    return rc;
}

enum rx_code
rx_bus_open(struct rx_bus **out, struct rx_loop *loop,
    const struct rx_bus_options *options,
    void (*on_message)(void *arg, rx_str message), void *arg,
    struct rx_err *err)
{
    *out = NULL;
    if (check_tls(options, err) != RX_OK)
        return RX_INVALID;

    struct rx_bus *bus = calloc(1, sizeof(*bus));
    if (bus == NULL)
        abort();
    bus->role = options->role;
    bus->on_message = on_message;
    bus->arg = arg;
    int rc = roles[bus->role].open(&bus->socket);
    if (rc != 0) {
        free(bus);
        return failed(err, rc, options->url);
    }

    if (roles[bus->role].receives)
        rc = set_up_receiving(bus, loop, options);
    else
        rc = nng_setopt_int(bus->socket, NNG_OPT_SENDBUF, options->queue);
    if (rc == 0)
        rc = roles[bus->role].listens ? listen_on(bus, options)
                                      : dial(bus, options);
    if (rc != 0) {
        rx_bus_close(bus);
        return failed(err, rc, options->url);
    }
    if (bus->readable != NULL)
        event_add(bus->readable, NULL);
    *out = bus;
    return RX_OK;
}

static void *
close_socket(void *arg)
{
    nng_close(*(nng_socket *)arg);
    free(arg);
    return NULL;
}

/*
 * nng_close() was seen never to return when peers left at that very moment, so
 * it has a thread of its own, which is left behind if it is stuck.
 */
static void
close_in_time(nng_socket socket)
{
    nng_socket *kept = malloc(sizeof(*kept));
    struct timespec until;
    pthread_t closer;

    if (kept == NULL)
        abort();
    *kept = socket;
    if (pthread_create(&closer, NULL, close_socket, kept) != 0) {
        close_socket(kept);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += CLOSE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (pthread_timedjoin_np(closer, NULL, &until) == 0)
        return;
    rx_warn("bus.close_stuck", "socket=%d", nng_socket_id(socket));
    pthread_detach(closer);
}

void
rx_bus_close(struct rx_bus *bus)
{
    if (bus == NULL)
        return;
    if (bus->readable != NULL)
        event_free(bus->readable);
    close_in_time(bus->socket);
    free(bus);
}

enum rx_code
rx_bus_subscribe(struct rx_bus *bus, rx_str prefix, struct rx_err *err)
{
    int rc =
        nng_setopt(bus->socket, NNG_OPT_SUB_SUBSCRIBE, prefix.ptr, prefix.len);

    return rc == 0 ? RX_OK : failed(err, rc, "subscribing");
}

int
rx_bus_port(const struct rx_bus *bus)
{
    return bus->port;
}

enum rx_code
rx_bus_send(struct rx_bus *bus, rx_str message)
{
    nng_msg *msg = NULL;

    if (nng_msg_alloc(&msg, message.len) != 0) {
        fprintf(stderr, "routex: out of memory\n");
        abort();
    }
    memcpy(nng_msg_body(msg), message.ptr, message.len);
    if (nng_sendmsg(bus->socket, msg, NNG_FLAG_NONBLOCK) == 0)
        return RX_OK;
    nng_msg_free(msg);
    return RX_UNAVAILABLE;
}
