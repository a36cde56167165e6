/*
 * frames.h - whole JSON values out of bytes in whatever pieces.
 *
 * For answers that are not server-sent events: one document, or an array whose
 * elements come one after another (Gemini's streaming without alt=sse).  The
 * elements of an outermost array are handed out singly; what lies whole in one
 * read is a view into it.
 */
#ifndef DATAPLANE_FRAMES_H
#define DATAPLANE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"
#include "shared/json_span.h"
#include "shared/str.h"

/* A larger value is not read. */
#define FRAMES_VALUE_MAX ((size_t)64 * 1024 * 1024)

struct frames {
    struct rx_buf kept; /* the beginning of a value whose end is to come */
    struct rx_span_skip skip;
    bool in_value;
    bool in_array;
    bool closed;    /* nothing more can come */
    bool bad;       /* not JSON, or too big; final */
    bool delivered; /* the value of the last call: to be cleared */
};

void frames_init(struct frames *f, size_t value_max);
void frames_fini(struct frames *f);
/* The next value of `bytes`, whose front is dropped as it is used up. */
bool frames_next(struct frames *f, rx_str *bytes, rx_str *value);
/* The beginning of a value that was cut; empty if there is none. */
rx_str frames_rest(const struct frames *f);

#endif
