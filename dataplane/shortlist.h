/*
 * shortlist.h - the channels that may serve a request, as far as that follows
 * from a snapshot alone, remembered for the next request of the same kind.
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

/* A channel with what it calls the model. */
struct choice {
    const struct channel *channel;
    rx_str model;
    enum dialect dialect; /* of the endpoint to be asked */
};

struct shortlist {
    struct choice *choices;
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
 * A copy, in the arena, of what was kept for such a request; false when there
 * is none.  `all` may be NULL: then nothing is ever kept.
 */
bool shortlist_find(const struct shortlists *all,
    const struct shortlist_key *key, struct rx_arena *arena,
    struct shortlist *out);
/* A choice without a model of its own must borrow the key's text. */
void shortlist_keep(struct shortlists *all, const struct shortlist_key *key,
    const struct shortlist *list);

#endif
