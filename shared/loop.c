#include "shared/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "shared/clock.h"

struct grave {
    struct grave *next;
    void (*fn)(void *arg);
    void *arg;
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
    struct grave *graves; /* in the order of burial */
    struct grave **graves_end;
    struct signal_hook *signals;
    uint64_t now_ms;
    uint64_t tick_start_us; /* when the last wait returned */
    uint64_t longest_us;
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
    loop->graves_end = &loop->graves;
    loop->now_ms = rx_clock_ms();
    return loop;
}

static void
fill_graves(struct rx_loop *loop)
{
    while (loop->graves != NULL) {
        struct grave *g = loop->graves;
        loop->graves = g->next;
        if (loop->graves == NULL)
            loop->graves_end = &loop->graves;
        g->fn(g->arg);
        free(g);
    }
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

/* Tasks posted by tasks wait for the next tick, so none can starve the loop. */
static void
run_tasks(struct rx_list *tasks)
{
    for (size_t n = tasks->count; n > 0 && tasks->count > 0; n--) {
        struct rx_task *t =
            RX_LIST_ITEM(rx_list_first(tasks), struct rx_task, link);
        rx_list_remove(tasks, &t->link);
        t->fn(t->arg);
    }
}

void
rx_loop_tick(struct rx_loop *loop, bool block)
{
    bool ready = loop->tasks.count > 0 || loop->last_tasks.count > 0 ||
                 loop->graves != NULL || !block;

    loop->tick_start_us = 0;
    event_base_loop(loop->base, EVLOOP_ONCE | (ready ? EVLOOP_NONBLOCK : 0));
    if (loop->tick_start_us == 0) {
        loop->tick_start_us = rx_clock_us();
        loop->now_ms = loop->tick_start_us / 1000;
    }
    run_tasks(&loop->tasks);
    run_tasks(&loop->last_tasks);
    fill_graves(loop);

    uint64_t took = rx_clock_us() - loop->tick_start_us;
    if (took > loop->longest_us)
        loop->longest_us = took;
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

uint64_t
rx_loop_take_longest_us(struct rx_loop *loop)
{
    uint64_t us = loop->longest_us;

    loop->longest_us = 0;
    return us;
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
rx_loop_bury(struct rx_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct grave *g = alloc_or_die(sizeof(*g));

    g->fn = fn;
    g->arg = arg;
    *loop->graves_end = g;
    loop->graves_end = &g->next;
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
