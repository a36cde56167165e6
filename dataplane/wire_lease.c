#include "dataplane/wire_lease.h"

#include <string.h>

#include "proto/limit.pb-c.h"

#include "shared/arena.h"

#define SCRATCH_MAX ((size_t)16 * 1024 * 1024)

bool
wire_add_demand(struct rx_buf *out, const struct wire_demand *demand)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    size_t n = demand->count;
    Routex__DemandItem *items = rx_arena_make(arena, Routex__DemandItem, n);
    Routex__Demand m;

    routex__demand__init(&m);
    m.plane = (char *)(uintptr_t)demand->plane;
    m.boot = demand->boot;
    m.epoch = demand->epoch;
    m.serial = demand->serial;
    m.parts = demand->parts;
    m.items = rx_arena_make(arena, Routex__DemandItem *, n);
    for (size_t i = 0; items != NULL && m.items != NULL && i < n; i++) {
        const struct limit_demand *d = &demand->items[i];
        routex__demand_item__init(&items[i]);
        items[i].subject = d->owner;
        items[i].id = (char *)(uintptr_t)rx_arena_copy(arena, d->id).ptr;
        items[i].limit = (uint32_t)d->limit + 1;
        items[i].share = d->share;
        items[i].used = d->used;
        items[i].wanted = d->wanted;
        items[i].since_ms = d->since_ms;
        items[i].window_ms = d->window_ms;
        items[i].forfeited = d->forfeited;
        m.items[m.n_items++] = &items[i];
    }
    size_t size = protobuf_c_message_get_packed_size(&m.base);
    char *room = rx_buf_room(out, size);
    if (room != NULL) {
        protobuf_c_message_pack(&m.base, (uint8_t *)room);
        rx_buf_grew(out, size);
    }
    rx_arena_free(arena);
    return room != NULL;
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
            .id = { it->id, strlen(it->id) },
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
