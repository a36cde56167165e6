/*
 * lease.h - one limit, shared out among planes.  Pure: no clock, no messages.
 *
 * What the planes may apply never adds up to more than the limit.  A share that
 * is to shrink counts in full until the plane has said that it applies less;
 * only what has become free that way lets another grow.
 */
#ifndef CONTROLPLANE_LEASE_H
#define CONTROLPLANE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lease_holder {
    bool live;        /* false: silent; its share is kept as it is */
    uint64_t share;   /* the most it may be applying */
    uint64_t sent;    /* what its newest Lease says, <= share */
    uint64_t changed; /* number of the Lease that first said so */
    uint64_t used;    /* cannot be taken away: in flight, or spent */
    uint64_t want;
};

struct lease {
    uint64_t limit;
    struct lease_holder *at;
    size_t count;
    bool stale; /* holders or limit changed: share out anew */
};

/*
 * Decide what the next Lease, number `serial`, says to each.  True when it is
 * news to one of them.
 */
bool lease_plan(struct lease *l, uint64_t serial);
/* Holder `i` applies the Lease `serial`, or a later one. */
void lease_acked(struct lease *l, size_t i, uint64_t serial);
/* Is somebody waiting for a share that another has yet to give up? */
bool lease_pending(const struct lease *l);
/* What the planes may be applying in all. */
uint64_t lease_total(const struct lease *l);

#endif
