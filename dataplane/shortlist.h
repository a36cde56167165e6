/*
 * shortlist.h - the channels that may serve a request, spread over their keys,
 * as far as that follows from a snapshot alone, remembered for the next request
 * of the same kind.
 *
 * Finding them means looking at every channel; what is found is the same for
 * all who ask for that model in that dialect under the same restrictions.
 * Belongs to one snapshot and dies with it; the loop's only.
 */
#ifndef DATAPLANE_SHORTLIST_H
#define DATAPLANE_SHORTLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/dialect.h"
#include "shared/arena.h"
#include "shared/attr.h"
#include "shared/str.h"

struct channel;
struct client_key;
struct credential;

/* A channel with what it calls the model. */
struct choice {
    const struct channel *channel;
    rx_str model;
    enum dialect dialect; /* of the endpoint to be asked */
};

/* A channel with one of its keys. */
struct place {
    const struct channel *channel;
    const struct credential *credential; /* NULL: the endpoint needs none */
    rx_str model; /* what the upstream is asked for; empty: as requested */
    enum dialect dialect;
    double weight; /* the channel's, shared out over its keys */
    uint64_t hash; /* of both ids: every plane has the same */
};

struct shortlist {
    const struct place *places; /* by priority of the channel, highest first */
    size_t count;
};

/* What the choices depend on. */
struct shortlist_key {
    const struct client_key *key;
    enum dialect dialect;
    enum operation op;
    rx_str model;
};

struct shortlists;

RX_NODISCARD struct shortlists *shortlists_new(void);
void shortlists_free(struct shortlists *all);

/*
 * What was kept for such a request; NULL when there is nothing.  Good until
 * something else is kept.  `all` may be NULL: then nothing is ever kept.
 */
const struct shortlist *shortlist_find(
    const struct shortlists *all, const struct shortlist_key *key);
/* The choices' places, in the arena; false when it has no room. */
RX_NODISCARD bool shortlist_make(struct shortlist *out,
    const struct choice *choices, size_t n, rx_str model,
    struct rx_arena *arena);
void shortlist_keep(struct shortlists *all, const struct shortlist_key *key,
    const struct shortlist *list);

#endif
