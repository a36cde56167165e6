/*
 * demand.h - this plane's side of sharing limits: says what it uses and would
 * like, and takes the Leases that come back.  docs/protocol.md, "Limits".
 */
#ifndef DATAPLANE_DEMAND_H
#define DATAPLANE_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/limits.h"
#include "shared/loop.h"

struct demand;

struct demand_options {
    const char *plane;
    uint64_t boot;
    /* RX_MSG_DEMAND to the control plane; false: not taken, it is tried again */
    bool (*send)(void *arg, rx_str body);
    void *arg;
};

struct demand *demand_new(struct rx_loop *loop, struct limits *limits,
    const struct demand_options *options);
void demand_free(struct demand *d); /* NULL is allowed */

/* The control plane is there, with this epoch, or is not. */
void demand_online(struct demand *d, bool online, uint64_t epoch);
/*
 * Before a Snapshot is asked for: a Lease of this control plane should be here
 * first.  False: the Demand was not taken.
 */
bool demand_before_snapshot(struct demand *d);
/* Are limits held to a Lease of the control plane that is heard? */
bool demand_leased(const struct demand *d);
/* A Lease's body. */
void demand_lease(struct demand *d, uint64_t epoch, rx_str body);

#endif
