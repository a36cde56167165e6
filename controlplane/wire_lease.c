#include "controlplane/wire_lease.h"

#include <assert.h>
#include <string.h>

#include "proto/limit.pb-c.h"

#define SCRATCH_MAX ((size_t)64 * 1024 * 1024)

static void *
arena_take(void *arg, size_t size)
{
    return rx_arena_alloc(arg, size > 0 ? size : 1);
}

static void
arena_leave(void *arg, void *at)
{
    (void)arg;
    (void)at;
}

static bool
read_item(const Routex__DemandItem *in, struct demand_item *out)
{
    if (in->subject >= LIMITED_KINDS || in->limit == 0 ||
        in->limit > STATE_LIMITS || in->share > STATE_LIMIT_MOST ||
        in->used > STATE_LIMIT_MOST || in->wanted > STATE_LIMIT_MOST)
        return false;
    *out = (struct demand_item){
        .owner = (enum limited)in->subject,
        .id = { in->id, strlen(in->id) },
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
    ProtobufCAllocator in_arena = { arena_take, arena_leave, arena };
    Routex__Demand *in = routex__demand__unpack(
        &in_arena, packed.len, (const uint8_t *)packed.ptr);

    if (in == NULL)
        return false;
    struct demand_item *items =
        rx_arena_make(arena, struct demand_item, in->n_items);
    if (items == NULL)
        return false;
    *out = (struct demand_message){
        .plane = { in->plane, strlen(in->plane) },
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
    Routex__LeaseItem *made = rx_arena_make(arena, Routex__LeaseItem, count);
    Routex__Lease m;

    routex__lease__init(&m);
    m.boot = boot;
    m.serial = serial;
    m.parts = parts;
    m.items = rx_arena_make(arena, Routex__LeaseItem *, count);
    assert(made != NULL && m.items != NULL);
    for (size_t i = 0; i < count; i++) {
        routex__lease_item__init(&made[i]);
        made[i].subject = items[i].owner;
        made[i].id = (char *)(uintptr_t)rx_arena_copy(arena, items[i].id).ptr;
        made[i].limit = (uint32_t)items[i].limit + 1;
        made[i].share = items[i].share;
        made[i].credit = items[i].credit;
        made[i].left = items[i].left;
        m.items[m.n_items++] = &made[i];
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
