/*
 * bus.h - messages between processes, on the loop: door to nng.
 *
 * Four ways: pub and pull listen, sub and push dial.  A dialling side may be
 * opened before there is anybody to talk to; it connects when it can and
 * reconnects for good (after 50 ms at first, 1 s at most).
 *
 * Delivery is not promised: pub drops for who is slow or not there, push only
 * queues.  Whoever needs more numbers and acknowledges its messages.
 *
 * nng runs about 20 threads (0.4 MB in all) and is not fork-safe: after the
 * first rx_bus_open() a process may exec, but never go on in a forked child.
 */
#ifndef SHARED_BUS_H
#define SHARED_BUS_H

#include <stddef.h>

#include "shared/attr.h"
#include "shared/err.h"
#include "shared/loop.h"
#include "shared/str.h"

struct rx_bus;

enum rx_bus_role { RX_BUS_PUB, RX_BUS_SUB, RX_BUS_PUSH, RX_BUS_PULL };

struct rx_bus_options {
    enum rx_bus_role role;
    const char *url; /* "ipc:///path", "tcp://host:port", "tls+tcp://..." */
    /* Largest message taken in; a bigger one ends its connection unread. */
    size_t max_message;
    int queue;               /* messages waiting in or out, at most 8192 */
    const char *tls_ca_file; /* dialling tls+tcp: whom to believe */
    const char *tls_cert_key_file; /* listening tls+tcp: who we are */
};

/*
 * RX_INVALID: an address of no use here; RX_CONFLICT: somebody listens there
 * already.  on_message(arg, bytes) is called on the loop, the bytes borrowed
 * for the call (NULL for pub and push); it may not close the bus.
 */
RX_NODISCARD enum rx_code rx_bus_open(struct rx_bus **out, struct rx_loop *loop,
    const struct rx_bus_options *options,
    void (*on_message)(void *arg, rx_str message), void *arg,
    struct rx_err *err);
/* Closes within 250 ms; what was queued may be lost.  NULL is allowed. */
void rx_bus_close(struct rx_bus *bus);

/* sub: take messages that begin with these bytes. */
RX_NODISCARD enum rx_code rx_bus_subscribe(
    struct rx_bus *bus, rx_str prefix, struct rx_err *err);
/* The port of a tcp listener opened with port 0; 0 for others. */
int rx_bus_port(const struct rx_bus *bus);

/*
 * Never waits.  RX_OK: queued (pub: to all there are).  RX_UNAVAILABLE: nobody
 * takes it now; try again later.
 */
RX_NODISCARD enum rx_code rx_bus_send(struct rx_bus *bus, rx_str message);

#endif
