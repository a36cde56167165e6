/*
 * held_clock.h - timers under a clock that the test holds (rx_clock_fake).
 *
 * The kernel's timers run by the real clock.  Here they all fire at once, and
 * each rx_timer sees by the held clock whether it is due, or waits on.
 */
#ifndef TESTS_HELD_CLOCK_H
#define TESTS_HELD_CLOCK_H

#include <stdlib.h>

#include <event2/event.h>

#include "shared/clock.h"
#include "shared/loop.h"

struct held_timers {
    struct event *at[64];
    size_t count;
};

static inline int
held_collect(const struct event_base *base, const struct event *e, void *arg)
{
    struct held_timers *t = arg;

    (void)base;
    if (event_get_fd(e) != -1 || !event_pending(e, EV_TIMEOUT, NULL))
        return 0;
    if (t->count == sizeof(t->at) / sizeof(t->at[0]))
        abort();
    t->at[t->count++] = (struct event *)(uintptr_t)e;
    return 0;
}

/* So much time passes, and what is due by then happens, once. */
static inline void
held_pass(struct rx_loop *loop, uint64_t ms)
{
    struct held_timers timers = { 0 };

    rx_loop_tick(loop, false); /* the next one reads the clock anew */
    rx_clock_advance(ms);
    event_base_foreach_event(rx_loop_base(loop), held_collect, &timers);
    for (size_t i = 0; i < timers.count; i++)
        event_active(timers.at[i], EV_TIMEOUT, 0);
    rx_loop_tick(loop, false);
}

#endif
