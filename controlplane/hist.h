/*
 * hist.h - how long things took, so that sums of them can still say percentiles.
 *
 * Log-linear buckets: exact below 16, then 16 to each doubling, so a percentile
 * is off by at most 1/32 of itself.  Three measures are kept together, because
 * they are always wanted together.  Packed, only buckets that hold something
 * are there: pairs of varints (steps from the bucket before, count).
 */
#ifndef CONTROLPLANE_HIST_H
#define CONTROLPLANE_HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/str.h"

enum hist_measure {
    HIST_DURATION, /* ms */
    HIST_TTFT,     /* ms */
    HIST_SPEED,    /* tenths of a token per second */
    HIST_MEASURES
};

#define HIST_BUCKETS 480 /* up to 2^32 */

struct hist {
    uint64_t n[HIST_MEASURES * HIST_BUCKETS];
};

/* The bucket of a value, and the value in the middle of a bucket. */
unsigned hist_bucket(uint64_t value);
uint64_t hist_value(unsigned bucket);
/* What was packed comes on top; bytes that are none of ours are passed over. */
void hist_merge(struct hist *h, rx_str packed);
void hist_pack(const struct hist *h, struct rx_buf *out);
uint64_t hist_count(const struct hist *h, enum hist_measure m);
/* The value that `share` (0 to 1) of them do not exceed; false: there are none. */
bool hist_percentile(
    const struct hist *h, enum hist_measure m, double share, uint64_t *value);

/* A few of them, while they are gathered: packed from the start. */
struct hist_few {
    struct hist_pair {
        uint16_t at;
        uint32_t n;
    } * pairs;
    uint16_t count, room;
};
void hist_few_add(struct hist_few *f, enum hist_measure m, uint64_t value);
void hist_few_merge(struct hist_few *f, const struct hist_few *other);
void hist_few_pack(const struct hist_few *f, struct rx_buf *out);
void hist_few_fini(struct hist_few *f);

#endif
