/*
 * strategy.h - in which order candidates are asked.
 *
 * A strategy is a row: how the places of a list are laid out, how those of one
 * tier are put in order, and what choosing changes.  Where nothing else
 * decides, weighted rendezvous hashing on the conversation does (draw.h):
 * shares follow the weights, every plane decides alike, and a channel that
 * comes or goes moves only the conversations it must.
 *
 * Nobody is looked at before his turn: whether a place is available is asked
 * until enough are found, and only strategies whose meaning is a comparison of
 * all compare all.
 */
#ifndef DATAPLANE_STRATEGY_H
#define DATAPLANE_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/route.h"
#include "dataplane/shortlist.h"
#include "dataplane/tariff.h"

/* False when there is none of that name. */
RX_NODISCARD bool strategy_find(rx_str name, enum strategy *out);

/* How the list is to be laid out for it. */
enum layout strategy_layout(enum strategy strategy);

struct strategy_round {
    struct standing *standing; /* NULL: nothing is known, nothing is learnt */
    uint64_t now_ms;
    uint64_t session; /* hash of the conversation; 0: there is none */
    uint64_t dice;
    const struct rx_tokens *expected; /* for cost; else NULL */
    /* May it be asked now?  NULL: all may. */
    bool (*is_free)(void *arg, const struct place *p);
    void *arg;
};

/*
 * The places to be asked first, at most `most` (STRATEGY_MOST), in order; their
 * number.  0: none is free.
 */
#define STRATEGY_MOST 8
size_t strategy_pick(enum strategy strategy, const struct shortlist *list,
    const struct strategy_round *round, const struct place **out, size_t most);

/* A hash of text that every plane agrees on. */
uint64_t strategy_hash(rx_str text, uint64_t seed);

#endif
