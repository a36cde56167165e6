#include "dataplane/breaker.h"

#include <string.h>

enum breaker_state
breaker_state(const struct breaker *b, uint64_t now)
{
    if (b->until_ms == 0)
        return BREAKER_CLOSED;
    return now < b->until_ms ? BREAKER_OPEN : BREAKER_HALF_OPEN;
}

bool
breaker_admits(const struct breaker *b, uint64_t now, uint64_t *until)
{
    *until = 0;
    if (breaker_state(b, now) == BREAKER_OPEN)
        *until = b->until_ms;
    else if (b->until_ms != 0 && now < b->lease_ms)
        *until = b->lease_ms;
    return *until == 0;
}

bool
breaker_lease(struct breaker *b, uint64_t now, uint32_t lease_ms)
{
    if (breaker_state(b, now) != BREAKER_HALF_OPEN || now < b->lease_ms)
        return false;
    b->lease_ms = now + lease_ms;
    return true;
}

void
breaker_release(struct breaker *b)
{
    b->lease_ms = 0;
}

/* ±10 %, so that planes do not probe in step. */
static uint64_t
jitter(uint64_t ms, uint64_t dice)
{
    return ms - ms / 10 + dice % (ms / 5 + 1);
}

static void
open_it(struct breaker *b, const struct breaker_limits *l, uint64_t now,
    uint64_t dice)
{
    uint64_t ms = l->open_ms;

    for (uint32_t i = 0; i < b->openings && ms < l->open_max_ms; i++)
        ms *= 2;
    if (ms > l->open_max_ms)
        ms = l->open_max_ms;
    b->openings++;
    b->until_ms = now + jitter(ms, dice);
    b->lease_ms = 0;
    memset(b->buckets, 0, sizeof(b->buckets));
}

static void
count(struct breaker *b, uint64_t slice, bool good)
{
    size_t at = slice % BREAKER_BUCKETS;

    if (b->buckets[at].epoch != slice) {
        b->buckets[at].epoch = slice;
        b->buckets[at].good = b->buckets[at].bad = 0;
    }
    if (good)
        b->buckets[at].good++;
    else
        b->buckets[at].bad++;
}

static bool
too_many(
    const struct breaker *b, const struct breaker_limits *l, uint64_t slice)
{
    uint64_t good = 0;
    uint64_t bad = 0;

    for (size_t i = 0; i < BREAKER_BUCKETS; i++) {
        if (b->buckets[i].epoch + BREAKER_BUCKETS <= slice)
            continue;
        good += b->buckets[i].good;
        bad += b->buckets[i].bad;
    }
    return b->run >= l->in_a_row ||
           (good + bad >= l->min_samples &&
               bad * 100 >= (good + bad) * l->failure_pct);
}

bool
breaker_note(struct breaker *b, const struct breaker_limits *l, bool good,
    uint64_t now, uint64_t dice)
{
    if (l->window_ms == 0) {
        *b = (struct breaker){ 0 };
        return false;
    }
    if (good) {
        b->run = b->openings = 0;
        b->until_ms = b->lease_ms = 0; /* one success closes */
    } else {
        b->run++;
    }
    uint64_t slice = now / (l->window_ms / BREAKER_BUCKETS + 1) + 1;
    count(b, slice, good);
    if (good)
        return false;
    switch (breaker_state(b, now)) {
    case BREAKER_OPEN: return false; /* somebody tried for want of better */
    case BREAKER_HALF_OPEN: open_it(b, l, now, dice); return true;
    case BREAKER_CLOSED: break;
    }
    if (!too_many(b, l, slice))
        return false;
    open_it(b, l, now, dice);
    return true;
}
