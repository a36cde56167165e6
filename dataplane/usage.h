/*
 * usage.h - reads along with an answer and tells what it cost and how it ended.
 *
 * A tap sees every byte of an upstream's answer on its way to the client, in
 * whatever pieces, compressed or not, and changes none of them.  It knows when
 * content began (the commit gate), whether the stream reached its terminal
 * event, whether it carried an error, and the token counts.
 */
#ifndef DATAPLANE_USAGE_H
#define DATAPLANE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "shared/err.h"
#include "shared/str.h"

/* name of each counter; order is that of Usage in proto/telemetry.proto */
// clang-format off
#define USAGE_COUNTERS(X)                                             \
    X(in_uncached) X(cache_read) X(cache_write_5m) X(cache_write_1h)  \
    X(cache_write_other) X(in_tool_use) X(out_total) X(out_reasoning) \
    X(in_audio) X(in_image) X(out_audio) X(out_image)                 \
    X(web_searches) X(web_fetches)
// clang-format on

enum usage_counter {
#define USAGE_ENUM(name) USAGE_##name,
    USAGE_COUNTERS(USAGE_ENUM)
#undef USAGE_ENUM
        USAGE_COUNT
};

enum provenance {
    PROVENANCE_NONE,      /* nothing to count, or nothing known */
    PROVENANCE_ESTIMATED, /* counted by us */
    PROVENANCE_PARTIAL,   /* cut after some was reported; rest counted by us */
    PROVENANCE_REPORTED,  /* by the provider, terminal event seen */
};
const char *provenance_name(enum provenance p);

/* A value type.  Unknown is not zero: look at `has` before `n`.  The input
 * counters but in_audio and in_image do not overlap; out_total holds all output.
 * A count operation's answer is in_uncached. */
struct usage {
    uint32_t has; /* 1u << enum usage_counter */
    uint64_t n[USAGE_COUNT];
    enum provenance provenance;
    char tier[16];
};

/* Everything that was read and written, cached or not: what limits count. */
uint64_t usage_tokens(const struct usage *u);

struct usage_tap;

/* What the tap has learnt so far. */
struct usage_seen {
    bool content;  /* something for the user came: the commit gate may open */
    bool terminal; /* the stream's terminal event, or a whole JSON document */
    bool error;    /* an error event, or an error body */
    int error_status; /* the HTTP status it stands for; 0 unknown */
    bool at_boundary; /* the last byte ended an event */
    bool unreadable;  /* content-encoding or format we cannot read along with */
    rx_str model;     /* as the answer names it; borrowed from the tap */
    rx_str answer_id; /* responses: its id; borrowed from the tap */
    bool not_kept;    /* responses: the provider does not store it */
    rx_str finish;    /* stop reason, verbatim; borrowed from the tap */
    rx_str error_type;    /* borrowed from the tap; empty if none */
    rx_str error_message; /* borrowed from the tap; empty if none */
};

/*
 * `content_type` and `content_encoding` are the answer's header values.  An
 * answer of another type than the request asked for is read as what it is.
 * `request_bytes` is for the estimate of what was never reported.
 */
RX_NODISCARD struct usage_tap *usage_tap_new(enum dialect dialect,
    enum operation op, rx_str content_type, rx_str content_encoding);
void usage_tap_free(struct usage_tap *tap);
void usage_tap_feed(struct usage_tap *tap, rx_str bytes);
/* The upstream ended (cleanly by its framing or not): last event is judged. */
void usage_tap_end(struct usage_tap *tap, bool clean);
const struct usage_seen *usage_tap_seen(const struct usage_tap *tap);
/*
 * The counts.  What was not reported although content was seen is estimated
 * from `prompt_bytes` of request text and the content seen, and marked.  An
 * error before any content costs nothing unless the provider says so.
 */
struct usage usage_tap_result(
    const struct usage_tap *tap, uint64_t prompt_bytes);

#endif
