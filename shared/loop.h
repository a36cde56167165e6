/*
 * loop.h - one process, one event loop, one thread that runs our code.
 *
 * A tick: wait -> callbacks (note facts, post tasks) -> run the posted tasks
 * -> what was posted for last -> free what was buried.  So nothing is freed
 * while a callback of it may still be on the stack, and nothing decides inside
 * somebody else's callback.
 *
 * A tick is short.  Where there is more to do than a quarter of a millisecond's
 * worth of callbacks and as much of tasks, the rest waits, in its order, for the
 * next tick, so that whoever is ready meanwhile need not wait for all of it.
 *
 * libevent's `struct event` may be used by anyone through rx_loop_base().
 */
#ifndef SHARED_LOOP_H
#define SHARED_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/list.h"

struct event;
struct event_base;
struct rx_loop;

RX_NODISCARD struct rx_loop *rx_loop_new(void);
void rx_loop_free(struct rx_loop *loop);
struct event_base *rx_loop_base(struct rx_loop *loop);

/* Run until rx_loop_stop(). */
void rx_loop_run(struct rx_loop *loop);
/* One tick; waits for something to happen if `block`.  For tests. */
void rx_loop_tick(struct rx_loop *loop, bool block);
void rx_loop_stop(struct rx_loop *loop);

/* Monotonic time, read once per tick. */
uint64_t rx_loop_ms(const struct rx_loop *loop);
/*
 * The longest that one tick kept the loop since the last call: in CPU time of
 * its own (up to 0.1 ms too much), and by the clock, which counts what others on
 * the machine took meanwhile.
 */
struct rx_loop_longest {
    uint64_t cpu_us, wall_us;
};
struct rx_loop_longest rx_loop_take_longest(struct rx_loop *loop);

/*
 * Something to be done once the callbacks of this tick have returned.  Embed
 * it; posting it twice runs it once.  It may post itself again (next tick).
 */
struct rx_task {
    struct rx_link link;
    void (*fn)(void *arg);
    void *arg;
    bool last; /* which list it is in */
};
void rx_loop_post(struct rx_loop *loop, struct rx_task *task);
/* The same, but after all tasks of this tick: for what they share the cost of. */
void rx_loop_post_last(struct rx_loop *loop, struct rx_task *task);
void rx_loop_unpost(struct rx_loop *loop, struct rx_task *task);

/* For callbacks that do work of their own, after it: enough for one tick? */
void rx_loop_worked(struct rx_loop *loop);

/* Call fn(arg) at the end of a tick, after all tasks posted by now: to free
 * things. */
void rx_loop_bury(struct rx_loop *loop, void (*fn)(void *arg), void *arg);

/*
 * A deadline, embedded in what waits.  Moving it later is free: the kernel
 * timer is left alone until it fires early and is then set anew.
 */
struct rx_timer {
    struct rx_loop *loop;
    struct event *event;
    uint64_t due_ms;   /* 0 while unset */
    uint64_t armed_ms; /* when `event` fires; 0 while it is not pending */
    void (*fn)(void *arg);
    void *arg;
};
void rx_timer_init(
    struct rx_timer *t, struct rx_loop *loop, void (*fn)(void *arg), void *arg);
void rx_timer_fini(struct rx_timer *t); /* unset and released; idempotent */
void rx_timer_set(struct rx_timer *t, uint64_t after_ms);
void rx_timer_unset(struct rx_timer *t);
bool rx_timer_is_set(const struct rx_timer *t);

/* Call fn(arg, signo) on the loop when the signal comes; kept for good. */
void rx_loop_signal(struct rx_loop *loop, int signo,
    void (*fn)(void *arg, int signo), void *arg);

#endif
