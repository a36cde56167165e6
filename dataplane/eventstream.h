/*
 * eventstream.h - application/vnd.amazon.eventstream out of bytes in whatever
 * pieces.
 *
 *     0        4             8       12                            n-4     n
 *     | n      | headers' h  | crc32 | headers, h bytes | payload  | crc32 |
 *
 * Numbers are big-endian; the first sum is over the eight bytes before it, the
 * last over all before it.
 */
#ifndef DATAPLANE_EVENTSTREAM_H
#define DATAPLANE_EVENTSTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"
#include "shared/str.h"

#define EVENTSTREAM_MESSAGE_MAX ((size_t)24 * 1024 * 1024)

struct eventstream {
    struct rx_buf kept;
    size_t at;   /* in `kept`: the next message begins here */
    bool broken; /* a sum is wrong, or a length: nothing more will come */
};

/* Views, good until the next call. */
struct eventstream_message {
    rx_str type;  /* ":message-type": "event", "exception", "error" */
    rx_str name;  /* ":event-type", ":exception-type" or ":error-code" */
    rx_str words; /* ":error-message" */
    rx_str payload;
};

void eventstream_init(struct eventstream *s);
void eventstream_fini(struct eventstream *s);
/*
 * The next message; `bytes` are taken at once and left empty.  False when the
 * rest of one is still to come, or never will: see `broken`.
 */
bool eventstream_next(
    struct eventstream *s, rx_str *bytes, struct eventstream_message *m);
/* Did the last byte fed end a message (or none came yet)? */
bool eventstream_at_boundary(const struct eventstream *s);

#endif
