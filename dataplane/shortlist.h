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
#include "dataplane/draw.h"
#include "shared/arena.h"
#include "shared/attr.h"
#include "shared/price.h"
#include "shared/str.h"

struct channel;
struct client_key;
struct credential;
struct seat;
struct standing;
struct tariff;

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

/* What puts one place before another whatever is learnt of either: a native
 * dialect goes before a translation, and … */
enum layout {
    LAYOUT_FLAT,     /* nothing else */
    LAYOUT_PRIORITY, /* but the channel's priority goes before that */
    LAYOUT_PRICE,    /* places of one price are together, in no order */
};

/* Places next to each other that are alike in this. */
struct tier {
    size_t from, to;
    bool foreign; /* has to be translated */
    /* LAYOUT_PRICE: */
    const struct rx_price *price; /* NULL: not known */
    uint64_t cost_ppm;
};

/* What the best of a tier were for a conversation, in order. */
#define SHORTLIST_DRAWN 16
struct shortlist_drawn {
    const struct tier *tier; /* NULL: nothing is here */
    uint64_t session;
    uint32_t count;
    uint32_t at[SHORTLIST_DRAWN];
};

struct shortlist_memory;

struct shortlist {
    const struct place *places;
    size_t count;
    const struct tier *tiers; /* in order, but for LAYOUT_PRICE */
    size_t tier_count;
    struct draw_columns columns; /* of the places */
    const uint32_t *slots;       /* by a place's hash: its index + 1; 0: none */
    size_t slot_mask;
    struct shortlist_memory *memory; /* NULL: the list is not kept */
};

/* What the choices depend on. */
struct shortlist_key {
    const struct client_key *key;
    enum dialect dialect;
    enum operation op;
    enum layout layout;
    rx_str tag; /* only channels with it; empty: any */
    rx_str model;
    bool unlisted; /* any that no channel lists; `model` does not matter */
};

struct shortlists;

/* Of these channels, which outlive it. */
RX_NODISCARD struct shortlists *shortlists_new(
    const struct channel *channels, size_t count);
void shortlists_free(struct shortlists *all);

/* Does a channel list this model, by name or pattern? */
bool shortlists_have_model(const struct shortlists *all, rx_str model);

/*
 * What was kept for such a request; NULL when there is nothing.  Good until
 * something else is kept.  `all` may be NULL: then nothing is ever kept.
 */
const struct shortlist *shortlist_find(
    const struct shortlists *all, const struct shortlist_key *key);

struct shortlist_wish {
    enum layout layout;
    enum dialect dialect;        /* the client's */
    rx_str model;                /* as asked for */
    const struct tariff *tariff; /* for LAYOUT_PRICE */
};
/* The choices' places, in the arena; false when it has no room. */
RX_NODISCARD bool shortlist_make(struct shortlist *out,
    const struct choice *choices, size_t n, const struct shortlist_wish *wish,
    struct rx_arena *arena);
/*
 * Where a list of so many places is made that is to be kept; NULL: it cannot
 * be.  What was kept before may be forgotten.
 */
RX_NODISCARD struct rx_arena *shortlist_room(
    struct shortlists *all, const struct shortlist_key *key, size_t places);
/* Made in that room. */
const struct shortlist *shortlist_keep(struct shortlists *all,
    const struct shortlist_key *key, const struct shortlist *list);
/* It is kept already, under another key. */
void shortlist_keep_too(struct shortlists *all, const struct shortlist_key *key,
    const struct shortlist *kept);

/* The place of both; NULL when it is not on the list. */
const struct place *shortlist_place(
    const struct shortlist *list, rx_str channel, rx_str credential);

/* Where the conversation's draw of a tier is remembered; it is of another one
 * or none unless both are the same.  NULL where the list is not kept. */
struct shortlist_drawn *shortlist_drawn(
    const struct shortlist *list, const struct tier *tier, uint64_t session);
/* The places' seats in a standing, some of them perhaps NULL.  Remembered, or,
 * for a list that is not kept, in `scratch`; NULL when there is no room. */
struct seat **shortlist_seats(const struct shortlist *list,
    struct standing *standing, struct rx_arena *scratch);

#endif
