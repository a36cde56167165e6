/*
 * strategy.h - in which order candidates are asked.
 *
 * A strategy is a row: a score per seat (the lowest is asked first) and, for
 * those that take turns, what choosing changes.  Where scores are equal,
 * weighted rendezvous hashing on the conversation decides: shares follow the
 * weights, every plane decides alike, and a channel that comes or goes moves
 * only the conversations it must.
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

/* A place as a strategy sees it. */
struct strategy_seat {
    const struct place *at;
    int64_t rank; /* the lower come first, whatever their score */
    double score; /* filled by strategy_order */
    double tie;   /* the lower wins */
    struct seat *seat;
};

struct strategy_round {
    struct standing *standing; /* NULL: nothing is known, nothing is learnt */
    uint64_t now_ms;
    uint64_t session; /* hash of the conversation, or random */
    uint64_t dice;
    /* For cost: */
    const struct tariff *tariff;
    rx_str model; /* as asked for, where a place has no name of its own */
    struct rx_tokens expected;
};

/* Puts the `most` to be asked first in front, in order. */
void strategy_order(enum strategy strategy, struct strategy_seat *seats,
    size_t n, size_t most, const struct strategy_round *round);

/* A hash of text that every plane agrees on. */
uint64_t strategy_hash(rx_str text, uint64_t seed);

#endif
