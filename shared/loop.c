#include "shared/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "shared/clock.h"

/* After so much of ticks that took less the CPU time is asked for anew. */
#define MARK_US 100

/* What callbacks may take of a tick, and tasks again. */
#define SHARE_US 250

struct grave {
    struct grave *next;
    void (*fn)(void *arg);
    void *arg;
};

/* In the order of burial. */
struct graves {
    struct grave *first;
    struct grave **end;
};

struct signal_hook {
    struct signal_hook *next;
    struct event *event;
    void (*fn)(void *arg, int signo);
    void *arg;
};

struct rx_loop {
    struct event_base *base;
    struct rx_list tasks;
    struct rx_list last_tasks;
    struct graves fresh;
    struct graves waiting; /* for tasks that this tick had no time for … */
    struct rx_task behind; /* … and stands behind them */
    struct signal_hook *signals;
    uint64_t now_ms;
    uint64_t tick_start_us; /* when the last wait returned */
    struct rx_loop_longest longest;
    uint64_t cpu_mark_us; /* CPU time when it was last asked for */
    uint64_t unmarked_us; /* what ticks took since then */
    bool stopping;
};

static void *
alloc_or_die(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL) {
        fprintf(stderr, "routex: out of memory\n");
        abort();
    }
    return p;
}

static void
fill(struct graves *graves)
{
    while (graves->first != NULL) {
        struct grave *g = graves->first;
        graves->first = g->next;
        if (graves->first == NULL)
            graves->end = &graves->first;
        g->fn(g->arg);
        free(g);
    }
}

static void
fill_waiting(void *arg)
{
    struct rx_loop *loop = arg;

    fill(&loop->waiting);
}

struct rx_loop *
rx_loop_new(void)
{
    struct rx_loop *loop = alloc_or_die(sizeof(*loop));
    struct event_config *config = event_config_new();

    signal(SIGPIPE, SIG_IGN);
    /* One thread: libevent needs no locks.  Timers are in whole ms. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    if (loop->base == NULL) {
        fprintf(stderr, "routex: no event loop\n");
        abort();
    }
    rx_list_init(&loop->tasks);
    rx_list_init(&loop->last_tasks);
    loop->waiting.end = &loop->waiting.first;
    loop->fresh.end = &loop->fresh.first;
    loop->behind = (struct rx_task){ .fn = fill_waiting, .arg = loop };
    loop->now_ms = rx_clock_ms();
    loop->cpu_mark_us = rx_clock_cpu_us();
    return loop;
}

/* A task that is left may be about what is buried. */
static void
bury_behind_tasks(struct rx_loop *loop)
{
    if (loop->fresh.first == NULL || rx_link_in(&loop->behind.link))
        return;
    loop->waiting = loop->fresh; /* which was empty */
    loop->fresh = (struct graves){ .end = &loop->fresh.first };
    rx_loop_post(loop, &loop->behind);
}

static void
fill_graves(struct rx_loop *loop)
{
    rx_loop_unpost(loop, &loop->behind);
    fill(&loop->waiting);
    fill(&loop->fresh);
}

void
rx_loop_free(struct rx_loop *loop)
{
    if (loop == NULL)
        return;
    fill_graves(loop);
    for (struct signal_hook *h = loop->signals, *next; h != NULL; h = next) {
        next = h->next;
        event_free(h->event);
        free(h);
    }
    event_base_free(loop->base);
    free(loop);
}

struct event_base *
rx_loop_base(struct rx_loop *loop)
{
    return loop->base;
}

/* Tasks posted by tasks wait for the next tick, so none can starve the loop.
 * False when time is up before all have run. */
static bool
run_tasks(struct rx_list *tasks, uint64_t until_us)
{
    for (size_t n = tasks->count; n > 0 && tasks->count > 0; n--) {
        struct rx_task *t =
            RX_LIST_ITEM(rx_list_first(tasks), struct rx_task, link);
        rx_list_remove(tasks, &t->link);
        t->fn(t->arg);
        if (n > 1 && rx_clock_us() >= until_us)
            return false;
    }
    return true;
}

static void
keep_longest(uint64_t *longest, uint64_t us)
{
    if (us > *longest)
        *longest = us;
}

/*
 * A tick takes no more CPU than time.  So short ones need not be measured, only
 * summed up until they are worth asking; what a long one took is what has been
 * taken since the last question, or all of its time.
 */
static void
measure(struct rx_loop *loop, uint64_t took)
{
    keep_longest(&loop->longest.wall_us, took);
    loop->unmarked_us += took;
    if (loop->unmarked_us < MARK_US) {
        keep_longest(&loop->longest.cpu_us, took);
        return;
    }
    uint64_t cpu = rx_clock_cpu_us();
    uint64_t spent = cpu - loop->cpu_mark_us;
    keep_longest(&loop->longest.cpu_us, spent < took ? spent : took);
    loop->cpu_mark_us = cpu;
    loop->unmarked_us = 0;
}

void
rx_loop_tick(struct rx_loop *loop, bool block)
{
    bool ready = loop->tasks.count > 0 || loop->last_tasks.count > 0 ||
                 loop->fresh.first != NULL || !block;

    loop->tick_start_us = 0;
    event_base_loop(loop->base, EVLOOP_ONCE | (ready ? EVLOOP_NONBLOCK : 0));
    uint64_t now = rx_clock_us();
    if (loop->tick_start_us == 0) {
        loop->tick_start_us = now;
        loop->now_ms = now / 1000;
    }
    bool all = run_tasks(&loop->tasks, now + SHARE_US);
    run_tasks(&loop->last_tasks, UINT64_MAX);
    if (all)
        fill_graves(loop);
    else
        bury_behind_tasks(loop);

    measure(loop, rx_clock_us() - loop->tick_start_us);
}

void
rx_loop_run(struct rx_loop *loop)
{
    loop->stopping = false;
    while (!loop->stopping)
        rx_loop_tick(loop, true);
}

void
rx_loop_stop(struct rx_loop *loop)
{
    loop->stopping = true;
    event_base_loopbreak(loop->base);
}

/*
 * The first to ask after a wait reads the clock for all of the tick; callbacks
 * that take long see a slightly old time, which deadlines do not mind.
 */
uint64_t
rx_loop_ms(const struct rx_loop *loop)
{
    struct rx_loop *l = (struct rx_loop *)(uintptr_t)loop;

    if (l->tick_start_us == 0) {
        l->tick_start_us = rx_clock_us();
        l->now_ms = l->tick_start_us / 1000;
    }
    return l->now_ms;
}

struct rx_loop_longest
rx_loop_take_longest(struct rx_loop *loop)
{
    struct rx_loop_longest longest = loop->longest;

    loop->longest = (struct rx_loop_longest){ 0 };
    return longest;
}

static void
post(struct rx_loop *loop, struct rx_task *task, bool last)
{
    if (rx_link_in(&task->link))
        return;
    task->last = last;
    rx_list_append(last ? &loop->last_tasks : &loop->tasks, &task->link);
}

void
rx_loop_post(struct rx_loop *loop, struct rx_task *task)
{
    post(loop, task, false);
}

void
rx_loop_post_last(struct rx_loop *loop, struct rx_task *task)
{
    post(loop, task, true);
}

void
rx_loop_unpost(struct rx_loop *loop, struct rx_task *task)
{
    if (rx_link_in(&task->link))
        rx_list_remove(
            task->last ? &loop->last_tasks : &loop->tasks, &task->link);
}

void
rx_loop_worked(struct rx_loop *loop)
{
    (void)rx_loop_ms(loop); /* the tick has begun */
    if (rx_clock_us() - loop->tick_start_us >= SHARE_US)
        event_base_loopbreak(loop->base);
}

void
rx_loop_bury(struct rx_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct grave *g = alloc_or_die(sizeof(*g));

    g->fn = fn;
    g->arg = arg;
    *loop->fresh.end = g;
    loop->fresh.end = &g->next;
}

static void timer_fired(evutil_socket_t fd, short what, void *arg);

static void
timer_arm(struct rx_timer *t, uint64_t now_ms)
{
    uint64_t ms = t->due_ms > now_ms ? t->due_ms - now_ms : 0;
    struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
        .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

    if (t->event == NULL) {
        t->event = event_new(rx_loop_base(t->loop), -1, 0, timer_fired, t);
        if (t->event == NULL)
            abort();
    }
    event_add(t->event, &tv);
    t->armed_ms = t->due_ms;
}

static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct rx_timer *t = arg;
    uint64_t now = rx_loop_ms(t->loop);

    (void)fd;
    (void)what;
    t->armed_ms = 0;
    if (t->due_ms == 0)
        return;
    if (t->due_ms > now) {
        timer_arm(t, now);
        return;
    }
    t->due_ms = 0;
    t->fn(t->arg);
}

void
rx_timer_init(
    struct rx_timer *t, struct rx_loop *loop, void (*fn)(void *arg), void *arg)
{
    *t = (struct rx_timer){ .loop = loop, .fn = fn, .arg = arg };
}

void
rx_timer_fini(struct rx_timer *t)
{
    if (t->event != NULL)
        event_free(t->event);
    t->event = NULL;
    t->due_ms = t->armed_ms = 0;
}

void
rx_timer_set(struct rx_timer *t, uint64_t after_ms)
{
    uint64_t now = rx_loop_ms(t->loop);

    t->due_ms = now + (after_ms > 0 ? after_ms : 1);
    if (t->armed_ms == 0 || t->armed_ms > t->due_ms)
        timer_arm(t, now);
}

void
rx_timer_unset(struct rx_timer *t)
{
    t->due_ms = 0; /* the kernel timer may fire once for nothing */
}

bool
rx_timer_is_set(const struct rx_timer *t)
{
    return t->due_ms != 0;
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct signal_hook *h = arg;

    (void)what;
    h->fn(h->arg, (int)signo);
}

void
rx_loop_signal(struct rx_loop *loop, int signo,
    void (*fn)(void *arg, int signo), void *arg)
{
    struct signal_hook *h = alloc_or_die(sizeof(*h));

    h->fn = fn;
    h->arg = arg;
    h->next = loop->signals;
    loop->signals = h;
    h->event = evsignal_new(loop->base, signo, on_signal, h);
    event_add(h->event, NULL);
}
