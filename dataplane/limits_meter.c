/*
 * One limit's meter: the share it is held to, and what is left of it.
 *
 * A bucket is kept as its debt: units times 60 000, so that a share of n per
 * minute pays off n of it per millisecond and every sum is exact.  This is GCRA
 * with the arrival time replaced by the debt it stands for, which lets a share
 * change without changing what was already used.
 */
#include "dataplane/limits_parts.h"

#define LONGEST_MS \
    ((uint64_t)3600 * 1000) /* any debt is paid by then, nearly */
#define OTHERS_MS 5000      /* shares move within this */
#define DEBT_MOST ((int64_t)1 << 61)

bool
limits_is_rate(unsigned k)
{
    return k == LIMIT_REQUESTS || k == LIMIT_TOKENS;
}

/* Spent in a window of the calendar. */
bool
limits_is_spent(unsigned k)
{
    return k == LIMIT_QUOTA || k == LIMIT_BUDGET;
}

static enum rx_window
window_of(const struct limit_set *set, unsigned k)
{
    return k == LIMIT_BUDGET ? set->budget_window : set->window;
}

/* Without a word from the control plane the whole limit is ours. */
uint64_t
limits_share(const struct limits *l, const struct limit_state *s, unsigned k)
{
    const struct meter *m = &s->meters[k];
    uint64_t most = s->set.most[k];

    if (m->leased) /* which may come before the limit itself */
        return m->share < most || most == 0 ? m->share : most;
    return l->told ? most * l->parts / LIMIT_PARTS : most;
}

static void
pay_off(struct meter *m, uint64_t now_ms)
{
    uint64_t ms = now_ms > m->at_ms ? now_ms - m->at_ms : 0;

    if (ms > LONGEST_MS)
        ms = LONGEST_MS;
    int64_t paid = (int64_t)(m->in_force * ms);
    m->debt = m->debt > paid ? m->debt - paid : 0;
    m->at_ms = now_ms;
}

/* What is in the bucket stays; what no longer fits is given up. */
static void
refresh_rate(struct meter *m, uint64_t share, uint64_t now_ms)
{
    pay_off(m, now_ms);
    if (share == m->in_force)
        return;
    int64_t room = (int64_t)share * UNIT;
    int64_t level = (int64_t)m->in_force * UNIT - m->debt;
    if (level > room) {
        m->forfeited += (uint64_t)((level - room) / UNIT);
        level = room;
    }
    m->debt = room - level;
    m->in_force = share;
}

void
limits_refresh(
    struct limits *l, struct limit_state *s, unsigned k, struct limits_time now)
{
    struct meter *m = &s->meters[k];

    if (limits_is_rate(k)) {
        refresh_rate(m, limits_share(l, s, k), now.ms);
    } else if (limits_is_spent(k)) {
        uint64_t start = rx_window_start(window_of(&s->set, k), now.wall_ms);
        if (start != m->window_ms) {
            m->used = 0;
            m->left = s->set.most[k];
        }
        m->window_ms = start;
    }
}

bool
limits_fits(const struct limits *l, const struct limit_state *s, unsigned k,
    uint64_t need)
{
    const struct meter *m = &s->meters[k];
    uint64_t share = limits_share(l, s, k);

    if (limits_is_rate(k))
        return share > 0 && (m->debt == 0 || m->debt + (int64_t)need * UNIT <=
                                                 (int64_t)share * UNIT);
    return m->used <= share && need <= share - m->used;
}

static uint64_t
seconds(uint64_t ms)
{
    return ms > 1000 ? (ms + 999) / 1000 : 1;
}

static uint64_t
rate_retry(const struct limits *l, const struct limit_state *s, unsigned k,
    uint64_t need)
{
    const struct meter *m = &s->meters[k];
    uint64_t share = limits_share(l, s, k);
    int64_t over = m->debt + (int64_t)need * UNIT - (int64_t)share * UNIT;

    if (over > m->debt)
        over = m->debt; /* a full bucket will do */
    uint64_t ms =
        share > 0 && over > 0 ? ((uint64_t)over + share - 1) / share : 1;
    if (share < s->set.most[k] && ms > OTHERS_MS)
        ms = OTHERS_MS;
    return seconds(ms);
}

static uint64_t
retry_after(const struct limits *l, const struct limit_state *s, unsigned k,
    uint64_t need, struct limits_time now)
{
    const struct meter *m = &s->meters[k];
    uint64_t share = limits_share(l, s, k);

    if (limits_is_rate(k))
        return rate_retry(l, s, k, need);
    if (k == LIMIT_CONCURRENT)
        return 1;
    if (share < s->set.most[k] && m->left >= need)
        return 1; /* another plane has it */
    uint64_t end = rx_window_end(window_of(&s->set, k), now.wall_ms);
    return end == 0 ? 365 * 24 * 3600 : seconds(end - now.wall_ms);
}

void
limits_ask(struct meter *m, unsigned k, uint64_t need)
{
    uint64_t total = limits_is_rate(k) ? need : m->used + need;

    m->asked[0] +=
        need < LIMIT_MOST - m->asked[0] ? need : LIMIT_MOST - m->asked[0];
    if (total > m->wanted[0])
        m->wanted[0] = total;
}

bool
limits_refuse(struct limits *l, struct limit_state *s, unsigned k,
    uint64_t need, struct limits_time now, struct limit_refusal *why)
{
    if (limits_share(l, s, k) < s->set.most[k] && l->on_short != NULL)
        l->on_short(l->on_short_arg);
    *why = (struct limit_refusal){ s->owner, (enum limit)k, s->set.most[k],
        retry_after(l, s, k, need, now) };
    return false;
}

void
limits_take(struct limit_state *s, unsigned k, uint64_t n)
{
    struct meter *m = &s->meters[k];

    if (!limits_is_rate(k))
        m->used += n;
    else if (s->set.most[k] > 0 && m->debt < DEBT_MOST)
        m->debt += (int64_t)n * UNIT;
}

void
limits_give_back(struct meter *m, unsigned k, uint64_t n)
{
    if (limits_is_rate(k))
        m->debt = m->debt > (int64_t)n * UNIT ? m->debt - (int64_t)n * UNIT : 0;
    else
        m->used = m->used > n ? m->used - n : 0;
}
