#include <stdlib.h>

#include "controlplane/lease.h"
#include "tests/unit/check.h"

#define PLANES 6

/* A plane as the allocator sees it only through late and lost messages. */
struct plane {
    bool here, silent;
    uint64_t applied, serial;   /* what it lives by */
    uint64_t mail, mail_serial; /* on its way to it; serial 0: none */
    uint64_t used;
    uint64_t silent_for;
};

struct world {
    struct lease lease;
    struct lease_holder holders[PLANES];
    struct plane planes[PLANES]; /* of the holder at the same place */
    uint64_t serial;
    uint64_t dice;
};

static uint64_t
roll(struct world *w, uint64_t below)
{
    w->dice = w->dice * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (w->dice >> 33) % below;
}

static void
plan(struct world *w)
{
    w->serial++;
    lease_plan(&w->lease, w->serial);
    for (size_t i = 0; i < w->lease.count; i++) {
        if (roll(w, 4) == 0)
            continue; /* lost */
        w->planes[i].mail = w->holders[i].sent;
        w->planes[i].mail_serial = w->serial;
    }
}

/* What a plane would do in its worst moment: use all that it applies. */
static uint64_t
applied(const struct world *w)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < w->lease.count; i++) {
        const struct plane *p = &w->planes[i];
        if (p->here)
            sum += p->applied > p->used ? p->applied : p->used;
    }
    return sum;
}

static void
report(struct world *w, size_t i)
{
    struct plane *p = &w->planes[i];

    w->holders[i].live = true;
    w->holders[i].used = p->used;
    w->holders[i].want = roll(w, 3) == 0 ? 0 : roll(w, w->lease.limit * 2);
    lease_acked(&w->lease, i, p->serial);
}

static void
join(struct world *w)
{
    size_t i = w->lease.count;

    if (i == PLANES)
        return;
    w->holders[i] = (struct lease_holder){ .live = true };
    w->planes[i] = (struct plane){ .here = true };
    w->lease.count++;
    w->lease.stale = true;
}

static void
drop(struct world *w, size_t i)
{
    w->lease.count--;
    w->holders[i] = w->holders[w->lease.count];
    w->planes[i] = w->planes[w->lease.count];
    w->lease.stale = true;
}

static void
step(struct world *w, bool in_flight)
{
    size_t i = (size_t)roll(w, PLANES);

    if (roll(w, 50) == 0)
        join(w);
    if (i >= w->lease.count)
        return;
    struct plane *p = &w->planes[i];
    switch (roll(w, 6)) {
    case 0: /* a Lease arrives, late */
        if (p->here && p->mail_serial > p->serial) {
            p->applied = p->mail;
            p->serial = p->mail_serial;
        }
        break;
    case 1:
        if (p->here)
            report(w, i);
        break;
    case 2: /* requests come and go */
        if (in_flight && p->here)
            p->used = p->used < p->applied && roll(w, 2) == 0
                          ? p->used + 1 + roll(w, p->applied - p->used)
                          : roll(w, p->used + 1);
        break;
    case 3: /* it is killed, and found out later */
        if (roll(w, 20) == 0) {
            p->here = false;
            w->holders[i].live = false;
        }
        break;
    case 4: /* its Lease expires */
        if (!p->here && roll(w, 10) == 0)
            drop(w, i);
        break;
    default: plan(w); break;
    }
}

static void
whatever_is_late_lost_or_killed_shares_never_exceed_the_limit(void)
{
    static const uint64_t limits[] = { 1, 2, 7, 100, 1000003 };

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct world w = { .dice = seed * 7919 + 1 };
        bool in_flight = seed % 2 == 0;
        w.lease = (struct lease){ limits[seed % 5], w.holders, 0, true };
        join(&w);
        for (unsigned n = 0; n < 5000; n++) {
            step(&w, in_flight);
            if (applied(&w) <= w.lease.limit &&
                lease_total(&w.lease) <= w.lease.limit)
                continue;
            CHECK(applied(&w) <= w.lease.limit);
            CHECK(lease_total(&w.lease) <= w.lease.limit);
            return;
        }
    }
}

/* Everybody hears everything at once. */
static void
settle(struct lease *l, uint64_t *serial)
{
    for (unsigned n = 0; n < 4; n++) {
        lease_plan(l, ++*serial);
        for (size_t i = 0; i < l->count; i++)
            lease_acked(l, i, *serial);
    }
}

static void
all_of_the_limit_is_given_out_and_to_those_who_want_it(void)
{
    struct lease_holder h[3] = { { .live = true }, { .live = true },
        { .live = true } };
    struct lease l = { 1000, h, 1, true };
    uint64_t serial = 0;

    settle(&l, &serial);
    CHECK_INT(1000, (intmax_t)h[0].sent);
    l.count = 3;
    l.stale = true;
    settle(&l, &serial);
    CHECK_INT(334, (intmax_t)h[0].sent);
    CHECK_INT(333, (intmax_t)h[2].sent);
    h[1].want = 5000;
    settle(&l, &serial);
    CHECK_INT(1000 - 2 * 41, (intmax_t)h[1].sent);
    h[0].want = 300;
    h[2].want = 700;
    settle(&l, &serial);
    CHECK_INT(300, (intmax_t)h[0].sent);
    CHECK_INT(350, (intmax_t)h[1].sent);
    CHECK_INT(350, (intmax_t)h[2].sent);
    CHECK_INT(1000, (intmax_t)lease_total(&l));
}

static void
a_share_grows_only_when_another_is_known_to_have_shrunk(void)
{
    struct lease_holder h[2] = { { .live = true }, { .live = true } };
    struct lease l = { 10, h, 1, true };
    uint64_t serial = 0;

    settle(&l, &serial);
    l.count = 2;
    l.stale = true;
    CHECK(lease_plan(&l, ++serial));
    CHECK_INT(5, (intmax_t)h[0].sent);
    CHECK_INT(0, (intmax_t)h[1].sent);
    CHECK(lease_pending(&l));
    lease_acked(&l, 0, serial - 1); /* it has not seen that one yet */
    lease_plan(&l, ++serial);
    CHECK_INT(0, (intmax_t)h[1].sent);
    lease_acked(&l, 0, serial);
    lease_plan(&l, ++serial);
    CHECK_INT(5, (intmax_t)h[1].sent);
}

static void
who_is_silent_keeps_his_share_and_what_is_in_flight_stays_his(void)
{
    struct lease_holder h[3] = { { .live = true }, { .live = true },
        { .live = true } };
    struct lease l = { 9, h, 3, true };
    uint64_t serial = 0;

    settle(&l, &serial);
    h[0].live = false;
    h[1].used = 3;
    h[2].want = 9;
    settle(&l, &serial);
    CHECK_INT(3, (intmax_t)h[0].share);
    CHECK_INT(3, (intmax_t)h[1].sent);
    CHECK_INT(3, (intmax_t)h[2].sent);
    l.limit = 4; /* what is in use is more than that by now */
    l.stale = true;
    settle(&l, &serial);
    CHECK_INT(3, (intmax_t)h[1].sent);
    CHECK_INT(0, (intmax_t)h[2].sent);
}

int
main(void)
{
    CHECK_RUN(whatever_is_late_lost_or_killed_shares_never_exceed_the_limit);
    CHECK_RUN(all_of_the_limit_is_given_out_and_to_those_who_want_it);
    CHECK_RUN(a_share_grows_only_when_another_is_known_to_have_shrunk);
    CHECK_RUN(who_is_silent_keeps_his_share_and_what_is_in_flight_stays_his);
    return CHECK_EXIT();
}
