#include "controlplane/lease.h"

#include <stdlib.h>

/* Nobody who is idle is left without anything for a start. */
#define IDLE_PART 8

static uint64_t
smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
bigger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What is held, or spent beyond what was meant to be. */
static uint64_t
reserved(const struct lease_holder *h)
{
    return bigger(h->share, h->used);
}

uint64_t
lease_total(const struct lease *l)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < l->count; i++)
        sum += reserved(&l->at[i]);
    return sum;
}

/* What the living may have in all. */
static uint64_t
for_living(const struct lease *l, size_t *living)
{
    uint64_t gone = 0;

    *living = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (l->at[i].live)
            ++*living;
        else
            gone += reserved(&l->at[i]);
    }
    return l->limit > gone ? l->limit - gone : 0;
}

static uint64_t
need_of(const struct lease_holder *h, uint64_t room, size_t living)
{
    uint64_t want = bigger(h->want, room / (IDLE_PART * living));

    want = smaller(want, room);
    return want > h->used ? want - h->used : 0;
}

/* `*left` evenly to all living ones, the rest to the first. */
static void
spread(const struct lease *l, uint64_t *target, uint64_t left, size_t living)
{
    uint64_t each = left / living;
    uint64_t rest = left % living;

    for (size_t i = 0; i < l->count; i++) {
        if (!l->at[i].live)
            continue;
        target[i] += each + (rest > 0);
        rest -= rest > 0;
    }
}

/*
 * Max-min fair: everybody gets the same until he has what he needs.  What
 * nobody needs is spread evenly.
 */
static void
share_out(const struct lease *l, uint64_t *target)
{
    size_t living;
    uint64_t room = for_living(l, &living);
    uint64_t left = room;
    size_t needy = 0;

    for (size_t i = 0; i < l->count; i++) {
        const struct lease_holder *h = &l->at[i];
        target[i] = h->live ? h->used : h->sent;
        if (!h->live)
            continue;
        left -= smaller(left, h->used);
        needy += need_of(h, room, living) > 0;
    }
    while (needy > 0 && left > 0) {
        uint64_t each = left / needy;
        uint64_t rest = left % needy;
        needy = 0;
        for (size_t i = 0; i < l->count; i++) {
            const struct lease_holder *h = &l->at[i];
            if (!h->live)
                continue;
            uint64_t lack = h->used + need_of(h, room, living) - target[i];
            uint64_t give = smaller(lack, each + (rest > 0));
            rest -= rest > 0 && lack > 0;
            target[i] += give;
            left -= give;
            needy += lack > give;
        }
    }
    if (living > 0)
        spread(l, target, left, living);
}

/* Shares move when somebody is short, or when they do not add up. */
static bool
is_due(const struct lease *l)
{
    size_t living;
    uint64_t room = for_living(l, &living);
    uint64_t sent = 0;

    for (size_t i = 0; i < l->count; i++) {
        const struct lease_holder *h = &l->at[i];
        if (!h->live)
            continue;
        sent += h->sent;
        if (smaller(h->want, room) > h->sent || h->used > h->sent)
            return true;
    }
    return l->stale || sent != room;
}

static void
say(struct lease_holder *h, uint64_t sent, uint64_t serial, bool *news)
{
    if (h->sent == sent)
        return;
    h->sent = sent;
    h->changed = serial;
    *news = true;
}

bool
lease_plan(struct lease *l, uint64_t serial)
{
    bool news = false;

    if (l->count == 0 || !is_due(l))
        return false;
    uint64_t *target = calloc(l->count, sizeof(*target));
    if (target == NULL)
        abort();
    share_out(l, target);
    for (size_t i = 0; i < l->count; i++) {
        if (l->at[i].live && target[i] < l->at[i].sent)
            say(&l->at[i], target[i], serial, &news);
    }
    uint64_t total = lease_total(l);
    uint64_t left = l->limit > total ? l->limit - total : 0;
    for (size_t i = 0; i < l->count; i++) {
        struct lease_holder *h = &l->at[i];
        if (!h->live || target[i] <= h->sent)
            continue;
        /* What is reserved for it already may be said again at once. */
        uint64_t most = reserved(h) + left;
        uint64_t sent = smaller(target[i], most);
        if (sent > reserved(h))
            left -= sent - reserved(h);
        if (sent > h->sent)
            say(h, sent, serial, &news);
        h->share = bigger(h->share, sent);
    }
    free(target);
    l->stale = false;
    return news;
}

void
lease_acked(struct lease *l, size_t i, uint64_t serial)
{
    struct lease_holder *h = &l->at[i];

    if (serial >= h->changed)
        h->share = h->sent;
}

bool
lease_pending(const struct lease *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->at[i].share > l->at[i].sent)
            return true;
    }
    return false;
}
