/*
 * http1.h - answers of HTTP/1.x servers, piece by piece: door to http-parser.
 *
 *   feed ... ─> (1xx skipped) ─> on_head ─> on_body ... ─> RX_HTTP1_DONE
 *                                              └ eof, where closing ends it
 *
 * However the bytes are cut, the same head and the same body come out.  Strict
 * where two readers could disagree about where an answer ends: both lengths,
 * two lengths, a transfer coding other than chunked.
 */
#ifndef SHARED_HTTP1_H
#define SHARED_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/httpd.h" /* struct rx_header */
#include "shared/str.h"

struct rx_http1;

/* Borrowed for the call of on_head. */
struct rx_http1_head {
    int status;
    unsigned minor; /* HTTP/1.minor */
    const struct rx_header *headers;
    size_t header_count;
    bool has_length; /* content-length was there and the framing uses it */
    uint64_t length;
};

/* Both return false to stop: feed then returns RX_HTTP1_STOPPED at once. */
struct rx_http1_events {
    bool (*on_head)(void *arg, const struct rx_http1_head *head);
    bool (*on_body)(void *arg, rx_str bytes); /* transfer coding removed */
};

enum rx_http1_step {
    RX_HTTP1_MORE,    /* all taken, not yet whole */
    RX_HTTP1_DONE,    /* whole; what was not taken is not part of it */
    RX_HTTP1_BROKEN,  /* rx_http1_why() */
    RX_HTTP1_STOPPED, /* an event said so; only reset or free may follow */
};

/* `max_head`: most bytes of reason, names and values, 1xx included; also what
 * a trailer may have.  At most 256 headers. */
RX_NODISCARD struct rx_http1 *rx_http1_new(
    const struct rx_http1_events *events, void *arg, size_t max_head);
void rx_http1_free(struct rx_http1 *h);

/* Ready for the next answer.  `head_only`: it answers a HEAD. */
void rx_http1_reset(struct rx_http1 *h, void *arg, bool head_only);

/* `taken` gets how many of the bytes belonged to the answer. */
enum rx_http1_step rx_http1_feed(
    struct rx_http1 *h, const char *bytes, size_t size, size_t *taken);
/* The connection has ended: RX_HTTP1_DONE if that ends the answer, else
 * RX_HTTP1_BROKEN. */
enum rx_http1_step rx_http1_eof(struct rx_http1 *h);

/* May the connection carry another exchange?  Asked after RX_HTTP1_DONE. */
bool rx_http1_keeps(const struct rx_http1 *h);
/* Static words. */
const char *rx_http1_why(const struct rx_http1 *h);

#endif
