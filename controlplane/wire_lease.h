/*
 * wire_lease.h - Demand and Lease of proto/limit.proto, on the deciding side.
 */
#ifndef CONTROLPLANE_WIRE_LEASE_H
#define CONTROLPLANE_WIRE_LEASE_H

#include "controlplane/state.h"
#include "shared/arena.h"
#include "shared/buf.h"

enum limited { LIMITED_TENANT, LIMITED_KEY, LIMITED_KINDS };

struct demand_item {
    enum limited owner;
    rx_str id;
    enum state_limit limit;
    uint64_t share, used, wanted, since_ms, window_ms, forfeited;
};
struct demand_message {
    rx_str plane;
    uint64_t boot, epoch, serial, parts;
    const struct demand_item *items;
    size_t count;
};
/* False when it cannot be read.  Strings live in the arena. */
RX_NODISCARD bool wire_read_demand(
    rx_str packed, struct rx_arena *arena, struct demand_message *out);

struct lease_item {
    enum limited owner;
    rx_str id;
    enum state_limit limit;
    uint64_t share, credit, left;
};
bool wire_pack_lease(struct rx_buf *out, uint64_t boot, uint64_t serial,
    uint64_t parts, const struct lease_item *items, size_t count);

#endif
