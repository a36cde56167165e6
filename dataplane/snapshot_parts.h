/*
 * snapshot_parts.h - the inside of a snapshot, for snapshot*.c only.
 */
#ifndef DATAPLANE_SNAPSHOT_PARTS_H
#define DATAPLANE_SNAPSHOT_PARTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/rules.h"
#include "dataplane/snapshot.h"
#include "dataplane/wire.h"
#include "shared/arena.h"
#include "shared/map.h"
#include "shared/tally.h"

/* One thing as it came. */
struct item {
    rx_str id;    /* in `bytes` */
    rx_str bytes; /* packed, as published: what the digest is over */
    rx_str good;  /* what is in force: `bytes`, an older value, or empty */
};

struct shelf {
    struct item *items;
    size_t count;
};

enum part_id {
    PART_SETTINGS,
    PART_CHANNELS,
    PART_DIRECTORY,
    PART_RULES,
    PARTS
};

/* Immutable; shared by the snapshots that agree on it. */
struct part {
    atomic_uint refs; /* the builder may be on another thread */
    struct rx_arena *arena;
    struct rx_tally tally;
    struct shelf shelf[ITEM_KINDS]; /* of the kinds that live here */
    struct rejected *rejected;
    size_t rejected_count;

    struct settings settings; /* PART_SETTINGS */

    struct channel *channels; /* PART_CHANNELS */
    size_t channel_count;
    struct rx_map *by_name; /* names and ids */

    struct tenant *tenants; /* PART_DIRECTORY */
    size_t tenant_count;
    struct client_key *keys;
    size_t key_count;
    uint32_t *slots; /* open addressing: index of a key + 1; 0 is empty */
    size_t slot_mask;
    /* Keys as they were before they were rotated, while that is good. */
    struct client_key *olds;
    size_t old_count, old_room;
    uint32_t *old_slots; /* NULL when there are none */
    size_t old_mask;

    struct ruleset rules; /* PART_RULES */
};

struct whole {
    struct snapshot pub; /* first: a snapshot is a whole */
    unsigned refs;       /* the loop's only */
    struct part *parts[PARTS];
    struct rejected *rejected;
};

static inline const struct whole *
whole_of(const struct snapshot *s)
{
    return (const struct whole *)(const void *)s;
}

void part_release(struct part *p);

#endif
