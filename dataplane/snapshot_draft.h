/*
 * snapshot_draft.h - a snapshot on the way from a message, for snapshot_*.c.
 */
#ifndef DATAPLANE_SNAPSHOT_DRAFT_H
#define DATAPLANE_SNAPSHOT_DRAFT_H

#include "dataplane/snapshot_parts.h"
#include "shared/err.h"

/* The part a kind of item lives in. */
extern const enum part_id snapshot_part_of[ITEM_KINDS];

void *snapshot_alloc(void *old, size_t size);

/* ---- a message, sorted: snapshot_draft.c ------------------------------- */

struct pile {
    struct item *items; /* borrowed from the message or from `previous` */
    size_t count;
    size_t size;
};

struct draft {
    const struct whole *previous;
    struct pile piles[ITEM_KINDS];
    struct rx_map *replaced[ITEM_KINDS]; /* delta: ids it brings or deletes */
    bool touched[PARTS];
    uint64_t from;
    rx_str digest;
    size_t bytes;
};

RX_NODISCARD enum rx_code draft_full(
    struct draft *d, rx_str message, struct rx_err *err);
RX_NODISCARD enum rx_code draft_delta(
    struct draft *d, rx_str message, struct rx_err *err);
/* What a delta leaves alone in the parts it touches. */
void draft_keep(struct draft *d);
void draft_fini(struct draft *d);

/* ---- a part, read ------------------------------------------------------ */

struct reading {
    struct part *part;
    const struct whole *previous; /* NULL at first */
    const struct timeouts *defaults;
    struct rx_map *tenants;            /* id to struct tenant */
    struct rx_map *before[ITEM_KINDS]; /* id to the previous item, if asked */
    size_t rejected_size;
    bool full; /* the arena is */
};

/* Every item of the pile into its shelf.  False: no room. */
bool snapshot_read_shelf(
    struct reading *r, enum item_kind kind, const struct pile *pile);

/* snapshot_directory.c */
enum rx_code snapshot_read_tenant(
    struct reading *r, rx_str bytes, struct rx_err *err);
enum rx_code snapshot_read_key(
    struct reading *r, rx_str bytes, struct rx_err *err);
bool snapshot_build_directory(struct reading *r, const struct draft *d);

#endif
