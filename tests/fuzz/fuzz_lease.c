/*
 * Hostile bytes as a Lease to a plane that has limits, and as a Demand to the
 * control plane.  Invariants: nothing is let through beyond the limit, whatever
 * a Lease says; a request that came in can always leave; what is read of a
 * Demand is of kinds that exist.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "controlplane/wire_lease.h"
#include "dataplane/wire_lease.h"

#define MOST  3
#define TRIES 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct limits_time now = { 1000, UINT64_C(1763600000000) };

static void
on_begin(void *arg, const struct wire_lease *head)
{
    limits_lease_begin(arg, true, head->parts, now);
}

static void
on_item(void *arg, const struct limit_lease *item)
{
    limits_lease_item(arg, item, now);
}

static void
take_lease(rx_str body)
{
    static const struct limit_set set = {
        .most = { [LIMIT_CONCURRENT] = MOST, [LIMIT_QUOTA] = 1000 }
    };
    const struct limit_who who[LIMIT_OWNERS] = { { RX_S("t"), &set },
        { RX_S("k"), NULL } };
    struct limits *l = limits_new();
    struct limits_hold holds[TRIES] = { 0 };
    struct limit_refusal why;
    unsigned held = 0;

    if (wire_read_lease(body, on_begin, on_item, l))
        limits_lease_end(l, now);
    for (unsigned i = 0; i < TRIES; i++) {
        if (!limits_enter(l, who, now, &holds[held], &why)) {
            assert(why.retry_s >= 1);
            continue;
        }
        if (limits_reserve(l, &holds[held],
                (struct limit_amount){ .tokens = 100 }, now, &why))
            held++;
        else
            limits_undo(l, &holds[held], now);
    }
    assert(held <= MOST);
    while (held > 0)
        limits_leave(
            l, &holds[--held], (struct limit_amount){ .tokens = 7 }, now);
    limits_free(l);
}

static void
take_demand(rx_str body)
{
    struct rx_arena *arena = rx_arena_new(1 << 20);
    struct demand_message m;

    if (wire_read_demand(body, arena, &m)) {
        for (size_t i = 0; i < m.count; i++) {
            assert(m.items[i].owner < LIMITED_KINDS);
            assert(m.items[i].limit < STATE_LIMITS);
        }
    }
    rx_arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str body = { (const char *)data, size };

    take_lease(body);
    take_demand(body);
    return 0;
}
