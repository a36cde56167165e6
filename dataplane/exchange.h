/*
 * exchange.h - the life of one client request, as a state machine.
 *
 *     READ ──> ROUTE <─────────┬──────────┐
 *       │      │ │ │           │          │ (the pause is over)
 *       │      │ │ └────────── │ ─────> BACKOFF
 *       │      │ v             │ (next)   ^
 *       │      │ ATTEMPT ──────┴──────────┘ (nobody else, but soon)
 *       │      │ │     └─────────> REFUSE ──┐
 *       │      └─┼───────────────────^      │
 *       │        v                          v
 *       └──────> RELAY ───────────────────> DONE
 *
 * READ leads to REFUSE, too, and a client that leaves leads to DONE from
 * anywhere.
 *
 * Callbacks (client, upstream, timers) do not act: they note a fact, and the
 * loop runs the exchange once they have returned.  Only exchange.c decides.
 *
 * The commit point is the edge ATTEMPT -> RELAY.  Before it the client has seen
 * nothing and another candidate may be tried; after it the answer belongs to
 * one upstream and a failure can only end the response, visibly broken.
 *
 * Body bytes do not pass through here; the machine sees edges only.
 */
#ifndef DATAPLANE_EXCHANGE_H
#define DATAPLANE_EXCHANGE_H

#include <stdbool.h>

enum exchange_state {
    EXCHANGE_READ,
    EXCHANGE_ROUTE,
    EXCHANGE_ATTEMPT,
    EXCHANGE_BACKOFF,
    EXCHANGE_RELAY,
    EXCHANGE_REFUSE,
    EXCHANGE_DONE,
};

/* What the outside can tell an exchange; several may be noted at once. */
enum exchange_fact {
    EXCHANGE_BODY = 1,    /* the client's request is complete and understood */
    EXCHANGE_REFUSED = 2, /* it cannot be served, a refusal is prepared */
    EXCHANGE_GATE = 4,    /* the attempt has something the client may see */
    EXCHANGE_END = 8,     /* the attempt is over */
    EXCHANGE_DUE = 16,    /* the pause is over */
    EXCHANGE_GONE = 32,   /* the client has left */
};

/* What becomes of the wish for an attempt. */
enum exchange_start {
    EXCHANGE_NOBODY,  /* nobody is left to be asked */
    EXCHANGE_STARTED, /* it is under way */
    EXCHANGE_LATER,   /* nobody now, but after a pause */
};

/* How an attempt that never opened the gate is to be taken. */
enum exchange_next {
    EXCHANGE_TRY_NEXT, /* another candidate may do better */
    EXCHANGE_WAIT,     /* somebody will, after a pause */
    EXCHANGE_GIVE_UP,  /* no other will */
};

/* What an exchange asks of the outside; the unit test has its own. */
struct exchange_port {
    /* Begin an attempt at the next candidate. */
    enum exchange_start (*attempt)(void *world);
    enum exchange_next (*judge)(void *world); /* after END without GATE */
    void (*pause)(void *world);  /* note DUE after the pause that was meant */
    void (*cancel)(void *world); /* drop the attempt or pause under way */
    void (*commit)(void *world); /* status and headers, and what was held */
    void (*finish)(void *world); /* the relayed attempt ended: end the answer */
    void (*refuse)(void *world); /* tell the client why not */
    void (*settle)(void *world); /* account; called once, last */
};

/* Embedded in the request; zero it and call exchange_init. */
struct exchange {
    const struct exchange_port *port;
    void *world;
    enum exchange_state state;
    unsigned facts;
    bool cancelled; /* the client left before the end */
};

void exchange_init(
    struct exchange *x, const struct exchange_port *port, void *world);
/* Note a fact.  Safe inside any callback. */
void exchange_note(struct exchange *x, enum exchange_fact fact);
/* Decide on what was noted.  Called by the loop, never by a callback. */
void exchange_run(struct exchange *x);
const char *exchange_state_name(const struct exchange *x);

#endif
