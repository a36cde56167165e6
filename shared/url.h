/*
 * url.h - split, join and check the addresses an operator types in.
 *
 *     https://api.example.com:8443/v1
 *     ^tls    ^host           ^port^path
 *
 * Only what an upstream can be is accepted: http or https, a host name, an
 * IPv4 address or an IPv6 address in brackets, a port, a path.  No user, no
 * query, no fragment, no dot segments.
 */
#ifndef SHARED_URL_H
#define SHARED_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

/* Views into the text that was split. */
struct rx_url {
    bool tls;
    bool default_port; /* 80 or 443 as the scheme has it */
    rx_str host;       /* without brackets; an IPv6 address has colons */
    uint16_t port;
    rx_str path; /* "" or "/v1": never ends in a slash */
};

/* RX_INVALID with words that fit behind "base_url: ". */
RX_NODISCARD enum rx_code rx_url_split(
    rx_str text, struct rx_url *out, struct rx_err *err);

/* What belongs into a Host header: "api.example.com", "[::1]:8080". */
bool rx_url_add_authority(struct rx_buf *out, const struct rx_url *url);

/*
 * The request target of `path` below the base: "/v1" + "/messages?beta=true".
 * A leading "/v1" or "/v1beta" that both have appears once, because operators
 * write base URLs with and without it.
 */
bool rx_url_add_target(
    struct rx_buf *out, const struct rx_url *base, rx_str path);

/* A proxy: http, https, socks5 or socks5h, maybe with user:password@, a host
 * and maybe a port; no path. */
RX_NODISCARD enum rx_code rx_url_check_proxy(rx_str text, struct rx_err *err);

#endif
