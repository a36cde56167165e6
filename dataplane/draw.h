/*
 * draw.h - weighted rendezvous hashing: a conversation draws the few it would
 * go to first from very many.
 *
 * Each entry draws an exponential of its weight's rate from a hash of itself
 * and the conversation; the least wins.  That an entry wins has then exactly
 * its share of the weights as probability, and depends on nobody else but for
 * losing to them.  Everybody has to be looked at for that, so what it takes
 * lies in columns, and nearly all are passed over eight at a time.  Where there
 * is no conversation, chance takes the same draw without looking at everybody.
 */
#ifndef DATAPLANE_DRAW_H
#define DATAPLANE_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/attr.h"

/* All borrowed from an arena; a value. */
struct draw_columns {
    uint32_t *low, *high; /* halves of a hash of the entry */
    float *slowness;      /* one by the weight */
    double *weight;
    double *sum; /* of the weights before it, in all */
    size_t count;
    bool uneven; /* weights differ, or are zero */
};

#define DRAW_NEVER 1e300 /* of weight zero: when nothing else is left */

struct drawn {
    double key; /* the least is first */
    uint32_t at;
};

/* The best so far, in order. */
struct draw {
    struct drawn *best; /* room for `most` */
    size_t most, count;
};

/* Room for `most`; false when the arena has none. */
RX_NODISCARD bool draw_columns_make(
    struct draw_columns *c, size_t most, struct rx_arena *arena);
void draw_columns_add(struct draw_columns *c, uint64_t hash, double weight);

/* False when the key is not below the limit. */
bool draw_below(const struct draw_columns *c, size_t at, uint64_t session,
    double limit, double *key);
/* Put the best of entries [from, to) among those of `d`. */
void draw_from(struct draw *d, const struct draw_columns *c, size_t from,
    size_t to, uint64_t session);
/* The same by chance, into a `d` that is empty and has room for twice `most`;
 * keys mean nothing then. */
void draw_by_chance(struct draw *d, const struct draw_columns *c, size_t from,
    size_t to, uint64_t dice);
/* A number that looks like nothing; every plane has the same. */
uint64_t draw_mix(uint64_t z);

#endif
