/*
 * wire_parts.h - what the files that pack items for the planes share; only
 * wire_*.c include it.
 */
#ifndef CONTROLPLANE_WIRE_PARTS_H
#define CONTROLPLANE_WIRE_PARTS_H

#include "proto/snapshot.pb-c.h"

#include "controlplane/field.h"
#include "controlplane/state.h"
#include "shared/proto.h"

/* Messages are filled in a scratch arena and packed from there. */
#define WIRE_SCRATCH ((size_t)64 * 1024 * 1024)

static inline char **
wire_texts(struct rx_arena *arena, const rx_str *list, size_t count)
{
    char **out = field_make(arena, char *, count);

    for (size_t i = 0; i < count; i++)
        out[i] = rx_proto_copy(arena, list[i]);
    return out;
}

Routex__Timeouts *wire_pack_timeouts(
    struct rx_arena *arena, const struct state_timeouts *t);

/* One item, of the kind that the name says. */
typedef bool wire_packer(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item);
wire_packer wire_pack_channel, wire_pack_tenant, wire_pack_key,
    wire_pack_settings, wire_pack_rule, wire_pack_function;

#endif
