/*
 * trace.h - W3C trace context: which larger piece of work a request is part of.
 *
 *     traceparent: 00-<32 hex: trace>-<16 hex: who asks>-<2 hex: flags>
 *
 * A request is one span, each attempt another below it.  Spans of attempts are
 * computed from the request's, so that both planes know them and nobody has to
 * write them down.
 */
#ifndef SHARED_TRACE_H
#define SHARED_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/str.h"

#define RX_TRACE_SAMPLED 0x01

struct rx_trace {
    unsigned char id[16];    /* all zero: there is none */
    unsigned char span[8];   /* the request's own */
    unsigned char parent[8]; /* the caller's; all zero: it began here */
    uint8_t flags;
};

bool rx_trace_is(const struct rx_trace *t);
bool rx_trace_has_parent(const struct rx_trace *t);

/*
 * Fill id, parent and flags from a header's value; `span` is left alone.
 * False, and *t untouched: it is none that may be continued.  A version of the
 * future is read as far as this one knows it.
 */
RX_NODISCARD bool rx_trace_read(rx_str value, struct rx_trace *t);
/* What a traceparent may go on with: at most 32 members, 512 bytes. */
bool rx_trace_state_fits(rx_str value);

/* The span of attempt `n`, counted from 0; never all zero. */
void rx_trace_attempt(
    const struct rx_trace *t, unsigned n, unsigned char span[8]);

#define RX_TRACE_TEXT_SIZE 56 /* with the final NUL */
/* "00-…": what is sent with `span` as the one who asks. */
void rx_trace_write(const struct rx_trace *t, const unsigned char span[8],
    char out[RX_TRACE_TEXT_SIZE]);

/* Between processes and in rows: id, span, flags, and parent if there is one. */
#define RX_TRACE_PACKED_MAX 33
size_t rx_trace_pack(
    const struct rx_trace *t, unsigned char out[RX_TRACE_PACKED_MAX]);
/* False, and *t all zero: it is not what rx_trace_pack() makes. */
RX_NODISCARD bool rx_trace_unpack(rx_str packed, struct rx_trace *t);

#endif
