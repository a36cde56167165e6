#include "dataplane/exchange.h"

#include <assert.h>
#include <stddef.h>

enum verdict {
    STEP_AGAIN, /* something changed, look again */
    STEP_WAIT,  /* nothing to do until the next fact */
};

static enum verdict read_step(struct exchange *x);
static enum verdict route_step(struct exchange *x);
static enum verdict attempt_step(struct exchange *x);
static void backoff_enter(struct exchange *x);
static enum verdict backoff_step(struct exchange *x);
static void relay_enter(struct exchange *x);
static enum verdict relay_step(struct exchange *x);
static void refuse_enter(struct exchange *x);
static enum verdict refuse_step(struct exchange *x);
static void done_enter(struct exchange *x);
static enum verdict done_step(struct exchange *x);

#define TO(state) (1u << (state))

/* The whole machine.  `next` is the picture in exchange.h, in numbers. */
static const struct {
    const char *name;
    void (*enter)(struct exchange *x);
    enum verdict (*step)(struct exchange *x);
    unsigned next;
} states[] = {
    [EXCHANGE_READ] = { "read", NULL, read_step,
        TO(EXCHANGE_ROUTE) | TO(EXCHANGE_REFUSE) | TO(EXCHANGE_DONE) },
    [EXCHANGE_ROUTE] = { "route", NULL, route_step,
        TO(EXCHANGE_ATTEMPT) | TO(EXCHANGE_BACKOFF) | TO(EXCHANGE_REFUSE) |
            TO(EXCHANGE_DONE) },
    [EXCHANGE_ATTEMPT] = { "attempt", NULL, attempt_step,
        TO(EXCHANGE_ROUTE) | TO(EXCHANGE_BACKOFF) | TO(EXCHANGE_RELAY) |
            TO(EXCHANGE_REFUSE) | TO(EXCHANGE_DONE) },
    [EXCHANGE_BACKOFF] = { "backoff", backoff_enter, backoff_step,
        TO(EXCHANGE_ROUTE) | TO(EXCHANGE_DONE) },
    [EXCHANGE_RELAY] = { "relay", relay_enter, relay_step, TO(EXCHANGE_DONE) },
    [EXCHANGE_REFUSE] = { "refuse", refuse_enter, refuse_step,
        TO(EXCHANGE_DONE) },
    [EXCHANGE_DONE] = { "done", done_enter, done_step, 0 },
};

/* The only place where the state changes. */
static enum verdict
go(struct exchange *x, enum exchange_state next)
{
    assert(states[x->state].next & TO(next));
    x->state = next;
    if (states[next].enter != NULL)
        states[next].enter(x);
    return STEP_AGAIN;
}

/* Has `fact` been noted?  Reading it uses it up. */
static bool
take(struct exchange *x, enum exchange_fact fact)
{
    bool noted = (x->facts & (unsigned)fact) != 0;

    x->facts &= ~(unsigned)fact;
    return noted;
}

static enum verdict
read_step(struct exchange *x)
{
    if (take(x, EXCHANGE_REFUSED))
        return go(x, EXCHANGE_REFUSE);
    return take(x, EXCHANGE_BODY) ? go(x, EXCHANGE_ROUTE) : STEP_WAIT;
}

static enum verdict
route_step(struct exchange *x)
{
    static const enum exchange_state after[] = {
        [EXCHANGE_NOBODY] = EXCHANGE_REFUSE,
        [EXCHANGE_STARTED] = EXCHANGE_ATTEMPT,
        [EXCHANGE_LATER] = EXCHANGE_BACKOFF,
    };

    x->facts &= ~(unsigned)(EXCHANGE_GATE | EXCHANGE_END);
    return go(x, after[x->port->attempt(x->world)]);
}

static enum verdict
attempt_step(struct exchange *x)
{
    if (take(x, EXCHANGE_GATE))
        return go(x, EXCHANGE_RELAY);
    if (!take(x, EXCHANGE_END))
        return STEP_WAIT;

    static const enum exchange_state after[] = {
        [EXCHANGE_TRY_NEXT] = EXCHANGE_ROUTE,
        [EXCHANGE_WAIT] = EXCHANGE_BACKOFF,
        [EXCHANGE_GIVE_UP] = EXCHANGE_REFUSE,
    };
    return go(x, after[x->port->judge(x->world)]);
}

static void
backoff_enter(struct exchange *x)
{
    x->facts &= ~(unsigned)EXCHANGE_DUE;
    x->port->pause(x->world);
}

static enum verdict
backoff_step(struct exchange *x)
{
    return take(x, EXCHANGE_DUE) ? go(x, EXCHANGE_ROUTE) : STEP_WAIT;
}

static void
relay_enter(struct exchange *x)
{
    x->port->commit(x->world);
}

static enum verdict
relay_step(struct exchange *x)
{
    if (!take(x, EXCHANGE_END))
        return STEP_WAIT;
    x->port->finish(x->world);
    return go(x, EXCHANGE_DONE);
}

static void
refuse_enter(struct exchange *x)
{
    x->port->refuse(x->world);
}

static enum verdict
refuse_step(struct exchange *x)
{
    return go(x, EXCHANGE_DONE);
}

static void
done_enter(struct exchange *x)
{
    x->port->settle(x->world);
}

static enum verdict
done_step(struct exchange *x)
{
    (void)x;
    return STEP_WAIT;
}

void
exchange_init(struct exchange *x, const struct exchange_port *port, void *world)
{
    *x = (struct exchange){ .port = port, .world = world };
}

void
exchange_note(struct exchange *x, enum exchange_fact fact)
{
    x->facts |= (unsigned)fact;
}

void
exchange_run(struct exchange *x)
{
    if (take(x, EXCHANGE_GONE) && x->state != EXCHANGE_DONE) {
        x->cancelled = true;
        x->port->cancel(x->world);
        go(x, EXCHANGE_DONE);
    }
    while (states[x->state].step(x) == STEP_AGAIN)
        ;
}

const char *
exchange_state_name(const struct exchange *x)
{
    return states[x->state].name;
}
