#include "dataplane/wire_lease.h"

#include "proto/limit.pb-c.h"

#include "shared/proto.h"

#define SCRATCH_MAX ((size_t)16 * 1024 * 1024)

bool
wire_add_demand(struct rx_buf *out, const struct wire_demand *demand)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    size_t n = demand->count;
    Routex__DemandItem *items = rx_arena_make(arena, Routex__DemandItem, n);
    Routex__Demand m;

    routex__demand__init(&m);
    m.plane = rx_proto_text(demand->plane);
    m.boot = demand->boot;
    m.epoch = demand->epoch;
    m.serial = demand->serial;
    m.parts = demand->parts;
    m.items = rx_arena_make(arena, Routex__DemandItem *, n);
    for (size_t i = 0; i < n; i++) {
        const struct limit_demand *d = &demand->items[i];
        routex__demand_item__init(&items[i]);
        items[i].subject = d->owner;
        items[i].id = rx_proto_copy(arena, d->id);
        items[i].limit = (uint32_t)d->limit + 1;
        items[i].share = d->share;
        items[i].used = d->used;
        items[i].wanted = d->wanted;
        items[i].since_ms = d->since_ms;
        items[i].window_ms = d->window_ms;
        items[i].forfeited = d->forfeited;
        m.items[m.n_items++] = &items[i];
    }
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_read_lease(rx_str packed,
    void (*begin)(void *arg, const struct wire_lease *head),
    void (*each)(void *arg, const struct limit_lease *item), void *arg)
{
    Routex__Lease *in =
        routex__lease__unpack(NULL, packed.len, (const uint8_t *)packed.ptr);

    if (in == NULL)
        return false;
    begin(arg, &(struct wire_lease){ in->boot, in->serial, in->parts });
    for (size_t i = 0; i < in->n_items; i++) {
        const Routex__LeaseItem *it = in->items[i];
        if (it->subject >= LIMIT_OWNERS || it->limit == 0 ||
            it->limit > LIMIT_KINDS)
            continue; /* of a newer kind */
        struct limit_lease item = {
            .owner = (enum limit_owner)it->subject,
            .id = rx_str_of(it->id),
            .limit = (enum limit)(it->limit - 1),
            .share = it->share,
            .credit = it->credit,
            .left = it->left,
        };
        each(arg, &item);
    }
    routex__lease__free_unpacked(in, NULL);
    return true;
}
