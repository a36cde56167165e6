/*
 * In which order a loop does things, also when there is too much for one tick.
 */
#include <stdlib.h>

#include "shared/clock.h"
#include "shared/loop.h"
#include "tests/unit/check.h"

#define MANY 40

struct scene {
    struct rx_loop *loop;
    struct rx_task tasks[MANY];
    struct step {
        struct scene *scene;
        size_t number;
    } steps[MANY];
    size_t ran;
    size_t ran_at_burial;
    bool slow;
    bool buried;
    struct rx_task again;
    unsigned times;
};

static void
spin(uint64_t us)
{
    uint64_t end = rx_clock_us() + us;

    while (rx_clock_us() < end)
        ;
}

static void
free_it(void *arg)
{
    struct scene *s = arg;

    s->buried = true;
    s->ran_at_burial = s->ran;
}

static void
step(void *arg)
{
    struct step *at = arg;
    struct scene *s = at->scene;

    CHECK_INT((intmax_t)s->ran, (intmax_t)at->number);
    if (s->ran == 0)
        rx_loop_bury(s->loop, free_it, s);
    CHECK(!s->buried); /* nothing is freed before who was posted has run */
    s->ran++;
    if (s->slow)
        spin(100);
}

static void
set_up(struct scene *s, bool slow)
{
    *s = (struct scene){ .loop = rx_loop_new(), .slow = slow };
    for (size_t i = 0; i < MANY; i++) {
        s->steps[i] = (struct step){ s, i };
        s->tasks[i] = (struct rx_task){ .fn = step, .arg = &s->steps[i] };
        rx_loop_post(s->loop, &s->tasks[i]);
    }
}

static void
tasks_run_in_order_and_then_graves_are_filled(void)
{
    struct scene s;

    rx_clock_fake(1000000); /* no time passes */
    set_up(&s, false);
    rx_loop_tick(s.loop, true);
    CHECK_INT(MANY, (intmax_t)s.ran);
    CHECK(s.buried);
    rx_clock_fake(0);
    rx_loop_free(s.loop);
}

static void
what_is_too_much_for_a_tick_waits_in_its_order(void)
{
    struct scene s;
    unsigned ticks = 0;

    set_up(&s, true);
    for (; s.ran < MANY && ticks < 2 * MANY; ticks++) {
        size_t before = s.ran;
        rx_loop_tick(s.loop, true);
        CHECK(s.ran > before);
    }
    CHECK_INT(MANY, (intmax_t)s.ran);
    CHECK(ticks > 1);
    rx_loop_tick(s.loop, false);
    CHECK(s.buried);
    CHECK_INT(MANY, (intmax_t)s.ran_at_burial);
    rx_loop_free(s.loop);
}

static void
bury_again(void *arg)
{
    struct scene *s = arg;

    s->times++;
    spin(300);
    if (s->times < 50)
        rx_loop_post(s->loop, &s->again);
}

static void
count_burial(void *arg)
{
    ++*(unsigned *)arg;
}

/* A loop that always has tasks left still frees what was buried. */
static void
graves_are_filled_under_constant_load(void)
{
    struct scene s = { .loop = rx_loop_new() };
    struct rx_task other = { .fn = bury_again, .arg = &s };
    unsigned freed = 0;

    s.again = (struct rx_task){ .fn = bury_again, .arg = &s };
    for (unsigned i = 0; i < 40; i++) {
        rx_loop_post(s.loop, &s.again);
        rx_loop_post(s.loop, &other);
        rx_loop_bury(s.loop, count_burial, &freed);
        rx_loop_tick(s.loop, false);
        CHECK(freed + 5 > i);
    }
    rx_loop_unpost(s.loop, &other);
    rx_loop_unpost(s.loop, &s.again);
    rx_loop_free(s.loop);
    CHECK_INT(40, (intmax_t)freed);
}

static void
the_longest_tick_is_told_in_both_times_and_once(void)
{
    struct rx_loop *loop = rx_loop_new();
    struct scene s = { .loop = loop, .times = 100 };
    struct rx_task task = { .fn = bury_again, .arg = &s };

    rx_loop_post(loop, &task);
    rx_loop_tick(loop, false);
    struct rx_loop_longest t = rx_loop_take_longest(loop);
    CHECK(t.wall_us >= 300);
    CHECK(t.cpu_us <= t.wall_us);
    CHECK(t.cpu_us > 0);
    t = rx_loop_take_longest(loop);
    CHECK_INT(0, (intmax_t)t.wall_us);
    rx_loop_free(loop);
}

int
main(void)
{
    CHECK_RUN(tasks_run_in_order_and_then_graves_are_filled);
    CHECK_RUN(what_is_too_much_for_a_tick_waits_in_its_order);
    CHECK_RUN(graves_are_filled_under_constant_load);
    CHECK_RUN(the_longest_tick_is_told_in_both_times_and_once);
    return CHECK_EXIT();
}
