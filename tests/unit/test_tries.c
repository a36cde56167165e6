/*
 * The walk along a plan made by hand: who is next, who waits where he is.
 */
#include <stdio.h>

#include "dataplane/tries.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

#define NOW UINT64_C(100000)

struct world {
    struct channel channels[RECORD_ATTEMPTS_MAX];
    char ids[RECORD_ATTEMPTS_MAX][4];
    struct route_plan plan;
    struct settings settings;
    struct tries tries;
};

static const struct credential keys[] = {
    { .id = RX_STR_INIT("k1"), .secret = RX_STR_INIT("s1") },
    { .id = RX_STR_INIT("k2"), .secret = RX_STR_INIT("s2") },
};

static void
begin(struct world *w)
{
    *w = (struct world){ .settings = {
                             .max_attempts = 100, .max_wait_ms = 60000 } };
    for (unsigned i = 0; i < RECORD_ATTEMPTS_MAX; i++) {
        snprintf(w->ids[i], sizeof(w->ids[i]), "c%u", i % 10);
        w->channels[i] = (struct channel){
            .id = { w->ids[i], 2 }, .name = { w->ids[i], 2 }, .enabled = true
        };
    }
    w->tries = (struct tries){
        .standing = standing_new(), .settings = &w->settings, .plan = &w->plan
    };
}

static void
end(struct world *w)
{
    tries_cancel(&w->tries);
    standing_free(w->tries.standing);
}

static void
offer(struct world *w, unsigned channel, unsigned key)
{
    w->plan.candidates[w->plan.count++] =
        (struct candidate){ .channel = &w->channels[channel],
            .credential = &keys[key],
            .model = RX_S("m") };
}

static bool
asks(struct world *w, unsigned channel, unsigned key)
{
    const struct candidate *to = tries_begin(&w->tries, NOW);

    return to != NULL && to->channel == &w->channels[channel] &&
           to->credential == &keys[key];
}

static enum exchange_next
fail(struct world *w, enum disposition d)
{
    static const struct outcome nothing;

    return tries_failed(&w->tries, d, &nothing, NOW, 0);
}

static void
each_key_is_asked_again_in_place_as_often_as_the_one_before_it(void)
{
    struct world w;

    begin(&w);
    offer(&w, 0, 0);
    offer(&w, 0, 1);
    CHECK(asks(&w, 0, 0));
    CHECK_INT(EXCHANGE_WAIT, fail(&w, DISPOSITION_UNREACHED));
    CHECK(asks(&w, 0, 0));
    CHECK_INT(EXCHANGE_TRY_NEXT, fail(&w, DISPOSITION_THROTTLED));
    CHECK(asks(&w, 0, 1));
    CHECK_INT(EXCHANGE_WAIT, fail(&w, DISPOSITION_UNREACHED));
    CHECK(asks(&w, 0, 1));
    CHECK_INT(EXCHANGE_GIVE_UP, fail(&w, DISPOSITION_UNREACHED));
    CHECK_INT(4, (int)w.tries.count);
    end(&w);
}

static void
of_as_many_silent_channels_as_may_be_tried_none_is_asked_twice(void)
{
    struct world w;
    unsigned asked = 0;

    begin(&w);
    /* All but the last, and as a later plan has them: with their other key. */
    for (unsigned i = 0; i + 1 < RECORD_ATTEMPTS_MAX; i++)
        offer(&w, i, 0);
    for (unsigned i = 0; i + 1 < RECORD_ATTEMPTS_MAX; i++) {
        CHECK(asks(&w, i, 0));
        asked += fail(&w, DISPOSITION_SILENT) != EXCHANGE_WAIT;
    }
    CHECK_INT(RECORD_ATTEMPTS_MAX - 1, (int)asked);
    w.plan.count = w.tries.next = 0;
    for (unsigned i = 0; i < RECORD_ATTEMPTS_MAX; i++)
        offer(&w, i, 1);
    CHECK(asks(&w, RECORD_ATTEMPTS_MAX - 1, 1));
    CHECK_INT(EXCHANGE_GIVE_UP, fail(&w, DISPOSITION_SILENT));
    /* Everybody is barred now: nobody is left, in any plan. */
    CHECK_INT(RECORD_ATTEMPTS_MAX, (int)w.tries.barred_count);
    w.tries.next = 0;
    CHECK(tries_begin(&w.tries, NOW) == NULL);
    end(&w);
}

int
main(void)
{
    CHECK_RUN(each_key_is_asked_again_in_place_as_often_as_the_one_before_it);
    CHECK_RUN(of_as_many_silent_channels_as_may_be_tried_none_is_asked_twice);
    return CHECK_EXIT();
}
