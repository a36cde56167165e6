/*
 * wire_parts.h - what the items of a snapshot have in common.
 *
 * An item's message lives in the snapshot's arena and our structs point at its
 * strings, so nothing is copied twice.
 */
#ifndef DATAPLANE_WIRE_PARTS_H
#define DATAPLANE_WIRE_PARTS_H

#include "proto/snapshot.pb-c.h"

#include "dataplane/wire.h"
#include "shared/proto.h"

enum rx_code wire_bad_bytes(struct rx_err *err);
enum rx_code wire_no_room(struct rx_err *err);

/* Views of a list of texts; NULL when there is no room. */
const rx_str *wire_texts(
    struct rx_arena *arena, char *const *list, size_t count);

/* Zero says nothing. */
uint32_t wire_or(uint32_t value, uint32_t otherwise);
struct timeouts wire_timeouts(
    const Routex__Timeouts *t, const struct timeouts *defaults);

#endif
