/*
 * throttle.h - how often something may be tried, per name: a fixed table of
 * buckets (GCRA), so that a flood of names costs no memory.
 *
 * Each set of the table has a few places; when all are taken, the one that is
 * nearest to being free again is given away.
 */
#ifndef CONTROLPLANE_THROTTLE_H
#define CONTROLPLANE_THROTTLE_H

#include <stdint.h>

#include "shared/str.h"

#define THROTTLE_SETS 256
#define THROTTLE_WAYS 4

struct throttle {
    uint64_t every_ms; /* one more try in this time */
    uint64_t burst;    /* so many at once */
    struct throttle_place {
        uint64_t hash;
        uint64_t full_ms; /* when the bucket is full again; monotonic */
    } places[THROTTLE_SETS][THROTTLE_WAYS];
};

/* Take one try.  0: go on; else so many ms are to be waited, nothing taken. */
uint64_t throttle_take(struct throttle *t, rx_str name, uint64_t now_ms);
/* The last one does not count. */
void throttle_give(struct throttle *t, rx_str name);
/* None of those before counts. */
void throttle_clear(struct throttle *t, rx_str name);

#endif
