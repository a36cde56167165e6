/*
 * tries.h - the attempts of one request: who is next, how long to wait, when to
 * give up, and what was learnt on the way.
 *
 * Holds the plan of route.h and walks it by the table of disposition.h.  The
 * exchange asks; sending and relaying are request.c's.
 */
#ifndef DATAPLANE_TRIES_H
#define DATAPLANE_TRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/decide.h"
#include "dataplane/disposition.h"
#include "dataplane/exchange.h"
#include "dataplane/learn.h"
#include "dataplane/record.h"
#include "dataplane/route.h"
#include "dataplane/session.h"
#include "dataplane/usage.h"

/* Zero it, fill the first group, and call tries_plan. */
struct tries {
    struct standing *standing;
    struct sessions *sessions;
    const struct settings *settings;
    struct decide_request *request; /* without now, session and pin */
    struct session_key session;
    struct session_key kept; /* what a provider keeps is referred to */
    struct rx_arena *arena;

    struct decision *decision; /* NULL before the first plan */
    struct route_plan *plan;   /* the decision's */
    size_t next;
    const struct candidate *to; /* asked last; NULL: nobody yet */
    bool again;                 /* `to` is asked once more */
    const struct channel *barred[RECORD_ATTEMPTS_MAX]; /* for this request */
    size_t barred_count;
    unsigned in_place; /* times the same was asked again */
    unsigned count;    /* attempts begun */
    uint64_t pause_ms; /* what to wait for now */
    uint64_t waited_ms;
    struct lesson lesson;
};

/* False when nobody can serve: t->plan says why.  May be called again. */
RX_NODISCARD bool tries_plan(struct tries *t, uint64_t now);
/* Is it worth waiting for whoever comes back first?  Sets t->pause_ms. */
bool tries_wait(struct tries *t, uint64_t now, uint64_t dice);
/* The next to be asked, and asked it is; NULL when nobody is left. */
const struct candidate *tries_begin(struct tries *t, uint64_t now);

/* The attempt came to nothing that was shown.  What next? */
enum exchange_next tries_failed(struct tries *t, enum disposition d,
    const struct outcome *o, uint64_t now, uint64_t dice);
/* The one that was begun, or is to be, goes under another credential. */
void tries_replace(struct tries *t, const struct candidate *to);
/* The same candidate is to be asked again, with something changed. */
void tries_repeat(struct tries *t);

/* Its answer is shown to the client: the conversation sits here.  True if it
 * does, which the others may want to know. */
bool tries_pin(struct tries *t, uint64_t now);
/* The provider keeps the answer as this: it is there from now on. */
void tries_kept(
    struct tries *t, const struct session_key *answer, uint64_t now);
/* What was shown ended, in GOOD or not; `usage` tells what the cache gave. */
void tries_done(struct tries *t, enum disposition d,
    const struct limit_facts *limits, uint64_t first_content_ms,
    const struct usage *usage, uint64_t now, uint64_t dice);
/* The client left. */
void tries_cancel(struct tries *t);

#endif
