#include "controlplane/wire_lease.h"

#include "proto/limit.pb-c.h"

#include "controlplane/field.h"
#include "shared/proto.h"

#define SCRATCH_MAX ((size_t)64 * 1024 * 1024)

static bool
read_item(const Routex__DemandItem *in, struct demand_item *out)
{
    if (in->subject >= LIMITED_KINDS || in->limit == 0 ||
        in->limit > STATE_LIMITS || in->share > STATE_LIMIT_MOST ||
        in->used > STATE_LIMIT_MOST || in->wanted > STATE_LIMIT_MOST)
        return false;
    *out = (struct demand_item){
        .owner = (enum limited)in->subject,
        .id = rx_str_of(in->id),
        .limit = (enum state_limit)(in->limit - 1),
        .share = in->share,
        .used = in->used,
        .wanted = in->wanted,
        .since_ms = in->since_ms,
        .window_ms = in->window_ms,
        .forfeited = in->forfeited,
    };
    return true;
}

bool
wire_read_demand(
    rx_str packed, struct rx_arena *arena, struct demand_message *out)
{
    Routex__Demand *in = rx_proto_read(routex__demand, packed, arena);

    if (in == NULL)
        return false;
    struct demand_item *items =
        rx_arena_make(arena, struct demand_item, in->n_items);
    if (items == NULL)
        return false;
    *out = (struct demand_message){
        .plane = rx_str_of(in->plane),
        .boot = in->boot,
        .epoch = in->epoch,
        .serial = in->serial,
        .parts = in->parts,
        .items = items,
    };
    for (size_t i = 0; i < in->n_items; i++) {
        if (read_item(in->items[i], &items[out->count]))
            out->count++;
    }
    return true;
}

bool
wire_pack_lease(struct rx_buf *out, uint64_t boot, uint64_t serial,
    uint64_t parts, const struct lease_item *items, size_t count)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__LeaseItem *made = field_make(arena, Routex__LeaseItem, count);
    Routex__Lease m;

    routex__lease__init(&m);
    m.boot = boot;
    m.serial = serial;
    m.parts = parts;
    m.items = field_make(arena, Routex__LeaseItem *, count);
    for (size_t i = 0; i < count; i++) {
        routex__lease_item__init(&made[i]);
        made[i].subject = items[i].owner;
        made[i].id = rx_proto_copy(arena, items[i].id);
        made[i].limit = (uint32_t)items[i].limit + 1;
        made[i].share = items[i].share;
        made[i].credit = items[i].credit;
        made[i].left = items[i].left;
        m.items[m.n_items++] = &made[i];
    }
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}
