/*
 * wire_lease.h - Demand and Lease of proto/limit.proto, on the plane's side.
 */
#ifndef DATAPLANE_WIRE_LEASE_H
#define DATAPLANE_WIRE_LEASE_H

#include <stdbool.h>

#include "dataplane/limits.h"
#include "shared/buf.h"

struct wire_demand {
    const char *plane;
    uint64_t boot, epoch, serial, parts;
    const struct limit_demand *items;
    size_t count;
};
bool wire_add_demand(struct rx_buf *out, const struct wire_demand *demand);

struct wire_lease {
    uint64_t boot, serial, parts;
};
/* False when it cannot be read; else `begin` once and `each` per item. */
RX_NODISCARD bool wire_read_lease(rx_str packed,
    void (*begin)(void *arg, const struct wire_lease *head),
    void (*each)(void *arg, const struct limit_lease *item), void *arg);

#endif
