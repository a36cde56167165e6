/*
 * sse.h - server-sent events out of bytes in whatever pieces.
 *
 *     while (sse_next(&s, &bytes, &event))
 *         ...                     // bytes is what is left of this read
 *     ...
 *     if (sse_end(&s, &event))    // the upstream is done
 *         ...
 *
 * An event that lies whole in one read is a view into it; only one that is
 * spread over reads is copied, once.  Lines may end in LF, CR or CRLF.  JSON
 * text where a field should be (some servers tell errors so) is an event, too.
 */
#ifndef DATAPLANE_SSE_H
#define DATAPLANE_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"
#include "shared/json_span.h"
#include "shared/str.h"

/* An event larger than this is passed over and counted as lost. */
#define SSE_EVENT_MAX ((size_t)64 * 1024 * 1024)

struct sse_event {
    rx_str name; /* of its event: line, cut at 63 bytes; empty if none */
    rx_str data; /* its data: lines, joined with LF; never empty */
    bool raw;    /* JSON text that stood there without a field name */
};

struct sse {
    struct rx_buf line; /* the beginning of a line whose end is to come */
    struct rx_buf kept; /* data of an event that was not in one read */
    rx_str data;        /* data so far: in the read, or in `kept` */
    bool data_kept;
    bool has_data;
    bool raw;
    struct rx_span_skip raw_at;
    bool delivered;    /* the event of the last call: to be cleared */
    bool too_big;      /* this event: pass over it */
    bool line_dropped; /* this line's beginning was passed over */
    bool after_cr;     /* a LF now belongs to the CR before it */
    bool boundary;
    unsigned bom; /* bytes of the byte order mark seen; 4: past it */
    char name[64];
    size_t name_len;
    size_t lost; /* events passed over for their size */
};

void sse_init(struct sse *s, size_t event_max);
void sse_fini(struct sse *s);

/*
 * The next event of `bytes`, whose front is dropped as it is used up.  False
 * when all is used up and the rest of an event is still to come.  The views in
 * `event` are good until the next call and as long as the bytes fed are.
 */
bool sse_next(struct sse *s, rx_str *bytes, struct sse_event *event);

/* The last event, if it only lacks its blank line: its data is whole JSON (or
 * the [DONE] mark). */
bool sse_end(struct sse *s, struct sse_event *event);

/* Did the last byte fed end an event (or none came yet)? */
bool sse_at_boundary(const struct sse *s);

/* The first LF or CR in [at, end), or end. */
const char *sse_line_end(const char *at, const char *end);

#endif
