/*
 * ops.h - the operator's listener: /livez, /readyz, /metrics.
 *
 * On loopback and a port of its own, because several data planes may share the
 * clients' port.
 */
#ifndef DATAPLANE_OPS_H
#define DATAPLANE_OPS_H

#include "dataplane/proxy.h"
#include "shared/httpd.h"

struct ops {
    struct proxy *proxy;
    struct rx_httpd *httpd;
    bool draining;
    struct rx_loop_longest longest_tick; /* since the last scrape */
};

/* `host` is where to listen, `port` 0 takes any. */
RX_NODISCARD enum rx_code ops_open(struct ops *o, struct rx_loop *loop,
    const char *host, uint16_t port, struct rx_err *err);
/* Once the proxy stands; before that the listener answers 503. */
void ops_attach(struct ops *o, struct proxy *proxy);
void ops_close(struct ops *o);
uint16_t ops_port(const struct ops *o);

#endif
