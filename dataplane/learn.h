/*
 * learn.h - what an attempt teaches about its channel and key.
 *
 * Takes a seat when it begins, and notes at its end what disposition.h makes of
 * it: a trouble with its end, a mark against the breaker, or the proof that an
 * old trouble is over.
 */
#ifndef DATAPLANE_LEARN_H
#define DATAPLANE_LEARN_H

#include "dataplane/disposition.h"
#include "dataplane/route.h"
#include "dataplane/standing.h"

/* One attempt; zero it, learn_begin, then exactly one of the three ends. */
struct lesson {
    struct standing *standing;
    const struct settings *settings;
    const struct candidate *to;
    struct seat *seat; /* NULL: not under way */
    bool probe;        /* it is the half-open breaker's one probe */
    uint64_t start_ms;
};

void learn_begin(struct lesson *l, uint64_t now);
/* It answered well; `ttft_ms` 0: nothing to measure. */
void learn_good(struct lesson *l, const struct limit_facts *limits,
    double ttft_ms, uint64_t now, uint64_t dice);
/* It did not. */
void learn_bad(struct lesson *l, enum disposition d, const struct outcome *o,
    uint64_t now, uint64_t dice);
/* The client left: nothing is known. */
void learn_nothing(struct lesson *l);

#endif
