/*
 * The machine without any socket: a script of what attempts do, and a log of
 * what the machine asked for.
 */
#include <stdbool.h>
#include <stddef.h>

#include "dataplane/exchange.h"
#include "tests/unit/check.h"

struct world {
    struct exchange x;
    int candidates; /* left */
    int pauses;     /* before there is one */
    enum exchange_next verdict;
    char log[64]; /* one letter per call */
};

static void
put(struct world *w, char c)
{
    size_t n = strlen(w->log);

    w->log[n] = c;
    w->log[n + 1] = '\0';
}

static enum exchange_start
attempt(void *world)
{
    struct world *w = world;

    if (w->pauses > 0) {
        w->pauses--;
        return EXCHANGE_LATER;
    }
    if (w->candidates == 0)
        return EXCHANGE_NOBODY;
    w->candidates--;
    put(w, 'a');
    return EXCHANGE_STARTED;
}

static void
pause_it(void *world)
{
    put(world, 'p');
}

static enum exchange_next
judge(void *world)
{
    put(world, 'j');
    return ((struct world *)world)->verdict;
}

static void
cancel(void *world)
{
    put(world, 'x');
}

static void
commit(void *world)
{
    put(world, 'c');
}

static void
finish(void *world)
{
    put(world, 'f');
}

static void
refuse(void *world)
{
    put(world, 'r');
}

static void
settle(void *world)
{
    put(world, 's');
}

static const struct exchange_port port = {
    .attempt = attempt,
    .judge = judge,
    .pause = pause_it,
    .cancel = cancel,
    .commit = commit,
    .finish = finish,
    .refuse = refuse,
    .settle = settle,
};

static void
start(struct world *w, int candidates)
{
    *w = (struct world){ .candidates = candidates };
    exchange_init(&w->x, &port, w);
}

static void
tell(struct world *w, unsigned facts)
{
    for (unsigned bit = 1; bit <= EXCHANGE_GONE; bit <<= 1) {
        if ((facts & bit) != 0)
            exchange_note(&w->x, (enum exchange_fact)bit);
    }
    exchange_run(&w->x);
}

static void
the_first_good_answer_is_relayed_and_settled_once(void)
{
    struct world w;

    start(&w, 2);
    tell(&w, EXCHANGE_BODY);
    tell(&w, EXCHANGE_GATE);
    CHECK_INT(EXCHANGE_RELAY, w.x.state);
    tell(&w, EXCHANGE_END);
    tell(&w, EXCHANGE_END | EXCHANGE_GONE);
    CHECK_TEXT("acfs", w.log);
}

static void
a_whole_answer_in_one_tick_commits_and_finishes(void)
{
    struct world w;

    start(&w, 1);
    tell(&w, EXCHANGE_BODY);
    tell(&w, EXCHANGE_GATE | EXCHANGE_END);
    CHECK_TEXT("acfs", w.log);
}

static void
a_failed_attempt_is_followed_by_the_next_candidate(void)
{
    struct world w;

    start(&w, 3);
    tell(&w, EXCHANGE_BODY);
    tell(&w, EXCHANGE_END);
    tell(&w, EXCHANGE_END);
    tell(&w, EXCHANGE_GATE);
    tell(&w, EXCHANGE_END);
    CHECK_TEXT("ajajacfs", w.log);
}

static void
never_tries_again_once_the_client_has_seen_a_byte(void)
{
    struct world w;

    start(&w, 5);
    tell(&w, EXCHANGE_BODY);
    tell(&w, EXCHANGE_GATE);
    tell(&w, EXCHANGE_END);
    CHECK_INT(4, w.candidates);
    CHECK_TEXT("acfs", w.log);
}

static void
the_judge_may_end_it_although_candidates_are_left(void)
{
    struct world w;

    start(&w, 5);
    w.verdict = EXCHANGE_GIVE_UP;
    tell(&w, EXCHANGE_BODY);
    tell(&w, EXCHANGE_END);
    CHECK_TEXT("ajrs", w.log);
}

static void
a_pause_ends_with_another_attempt(void)
{
    struct world w;

    start(&w, 2);
    w.verdict = EXCHANGE_WAIT;
    tell(&w, EXCHANGE_BODY);
    tell(&w, EXCHANGE_END);
    CHECK_INT(EXCHANGE_BACKOFF, w.x.state);
    tell(&w, EXCHANGE_END); /* nothing runs that could end */
    CHECK_INT(EXCHANGE_BACKOFF, w.x.state);
    tell(&w, EXCHANGE_DUE);
    tell(&w, EXCHANGE_GATE | EXCHANGE_END);
    CHECK_TEXT("ajpacfs", w.log);
}

static void
nobody_yet_is_waited_for_before_the_first_attempt(void)
{
    struct world w;

    start(&w, 1);
    w.pauses = 2;
    tell(&w, EXCHANGE_BODY | EXCHANGE_DUE); /* an old bell does not count */
    CHECK_TEXT("p", w.log);
    tell(&w, EXCHANGE_DUE);
    CHECK_TEXT("pp", w.log);
    tell(&w, EXCHANGE_DUE);
    tell(&w, EXCHANGE_GATE | EXCHANGE_END);
    CHECK_TEXT("ppacfs", w.log);
}

static void
a_client_that_leaves_during_a_pause_ends_it(void)
{
    struct world w;

    start(&w, 2);
    w.verdict = EXCHANGE_WAIT;
    tell(&w, EXCHANGE_BODY);
    tell(&w, EXCHANGE_END);
    tell(&w, EXCHANGE_GONE | EXCHANGE_DUE);
    CHECK_TEXT("ajpxs", w.log);
    CHECK(w.x.cancelled);
}

static void
no_candidate_at_all_is_a_refusal(void)
{
    struct world w;

    start(&w, 0);
    tell(&w, EXCHANGE_BODY);
    CHECK_TEXT("rs", w.log);
}

static void
a_request_that_cannot_be_understood_asks_no_upstream(void)
{
    struct world w;

    start(&w, 3);
    tell(&w, EXCHANGE_REFUSED);
    CHECK_TEXT("rs", w.log);
}

static void
a_client_that_leaves_ends_it_from_any_state(void)
{
    static const struct {
        unsigned before[3];
        const char *log;
    } rows[] = {
        { { 0, 0, 0 }, "xs" },
        { { EXCHANGE_BODY, 0, 0 }, "axs" },
        { { EXCHANGE_BODY, EXCHANGE_GATE, 0 }, "acxs" },
        { { EXCHANGE_BODY, EXCHANGE_END, EXCHANGE_GATE }, "ajacxs" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        start(&w, 3);
        for (size_t k = 0; k < 3; k++)
            tell(&w, rows[i].before[k]);
        tell(&w, EXCHANGE_GONE);
        CHECK_TEXT(rows[i].log, w.log);
        CHECK(w.x.cancelled);
        tell(&w, EXCHANGE_GONE | EXCHANGE_GATE | EXCHANGE_END);
        CHECK_TEXT(rows[i].log, w.log);
    }
}

int
main(void)
{
    CHECK_RUN(the_first_good_answer_is_relayed_and_settled_once);
    CHECK_RUN(a_whole_answer_in_one_tick_commits_and_finishes);
    CHECK_RUN(a_failed_attempt_is_followed_by_the_next_candidate);
    CHECK_RUN(never_tries_again_once_the_client_has_seen_a_byte);
    CHECK_RUN(the_judge_may_end_it_although_candidates_are_left);
    CHECK_RUN(a_pause_ends_with_another_attempt);
    CHECK_RUN(nobody_yet_is_waited_for_before_the_first_attempt);
    CHECK_RUN(a_client_that_leaves_during_a_pause_ends_it);
    CHECK_RUN(no_candidate_at_all_is_a_refusal);
    CHECK_RUN(a_request_that_cannot_be_understood_asks_no_upstream);
    CHECK_RUN(a_client_that_leaves_ends_it_from_any_state);
    return CHECK_EXIT();
}
