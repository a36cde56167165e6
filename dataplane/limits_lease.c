/*
 * The plane's half of leases: what it asks for, and what it is given.
 */
#include "dataplane/limits_parts.h"

#define ACTIVE_MS 10000
#define SECOND_MS 900 /* timers are late */

static uint64_t
more_of(const uint64_t pair[2])
{
    return pair[0] > pair[1] ? pair[0] : pair[1];
}

/* The share that what was asked for lately amounts to. */
static uint64_t
wanted(const struct meter *m, unsigned k, uint64_t most)
{
    uint64_t want = more_of(m->wanted);
    uint64_t asked = more_of(m->asked);

    if (limits_is_rate(k) && asked * 60 > want)
        want = asked * 60;
    if (limits_is_spent(k) && m->used + asked * 10 > want)
        want = m->used + asked * 10; /* good for ten seconds more */
    return want < most ? want : most;
}

static void
begin_second(struct meter *m, unsigned k)
{
    m->asked[1] = m->asked[0];
    m->asked[0] = 0;
    m->wanted[1] = m->wanted[0];
    m->wanted[0] = limits_is_rate(k) ? 0 : m->used;
}

static void
demand_of(struct limits *l, struct limit_state *s, bool second,
    struct limits_time now,
    void (*each)(void *arg, const struct limit_demand *d), void *arg)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        struct meter *m = &s->meters[k];
        if (s->set.most[k] == 0)
            continue;
        limits_refresh(l, s, k, now);
        struct limit_demand d = {
            .owner = s->owner,
            .id = { s->id, s->id_len },
            .limit = (enum limit)k,
            .share = limits_share(l, s, k),
            .used = limits_is_rate(k) ? (uint64_t)((m->debt + UNIT - 1) / UNIT)
                                      : m->used,
            .wanted = wanted(m, k, s->set.most[k]),
            .since_ms = s->since_ms,
            .window_ms = m->window_ms,
            .forfeited = m->forfeited,
        };
        each(arg, &d);
        if (second)
            begin_second(m, k);
    }
}

void
limits_demand(struct limits *l, bool all, struct limits_time now,
    void (*each)(void *arg, const struct limit_demand *d), void *arg)
{
    bool second = now.ms - l->demand_ms >= SECOND_MS;

    if (second)
        l->demand_ms = now.ms;
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(l->states[o], &at, &id, &value)) {
            struct limit_state *s = value;
            if (all || s->holds > 0 || now.ms - s->used_ms < ACTIVE_MS)
                demand_of(l, s, second, now, each, arg);
        }
    }
}

void
limits_on_short(struct limits *l, void (*fn)(void *arg), void *arg)
{
    l->on_short = fn;
    l->on_short_arg = arg;
}

static void
each_state(struct limits *l,
    void (*fn)(struct limits *l, struct limit_state *s, struct limits_time now),
    struct limits_time now)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(l->states[o], &at, &id, &value))
            fn(l, value, now);
    }
}

static void
begin_state(struct limits *l, struct limit_state *s, struct limits_time now)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        limits_refresh(l, s, k, now); /* under the old share, up to now */
        s->meters[k].named = false;
    }
}

static void
forget_credits(struct limits *l, struct limit_state *s, struct limits_time now)
{
    (void)l;
    (void)now;
    for (unsigned k = 0; k < LIMIT_KINDS; k++)
        s->meters[k].credited = 0;
}

void
limits_lease_begin(
    struct limits *l, bool new_control, uint64_t parts, struct limits_time now)
{
    each_state(l, begin_state, now);
    if (new_control)
        each_state(l, forget_credits, now);
    l->told = true;
    l->parts = parts < LIMIT_PARTS ? parts : LIMIT_PARTS;
}

void
limits_lease_item(
    struct limits *l, const struct limit_lease *item, struct limits_time now)
{
    struct limit_state *s = rx_map_get(l->states[item->owner], item->id);

    if (s == NULL) {
        /* Its limits come with its first request; the share waits here. */
        struct limit_set none = { 0 };
        s = limits_state(
            l, item->owner, &(struct limit_who){ item->id, &none }, now);
        s->used_ms = 0;
    }
    struct meter *m = &s->meters[item->limit];
    bool first = s->set.most[item->limit] == 0 && !m->leased;
    m->named = true;
    m->leased = true;
    m->share = item->share < LIMIT_MOST ? item->share : LIMIT_MOST;
    m->left = item->left;
    if (first) {
        m->in_force = m->share;
        m->at_ms = now.ms;
    }
    if (!limits_is_rate(item->limit))
        return;
    limits_refresh(l, s, item->limit, now);
    if (item->credit > m->credited) {
        limits_give_back(m, item->limit, item->credit - m->credited);
        m->credited = item->credit;
    }
}

static void
end_state(struct limits *l, struct limit_state *s, struct limits_time now)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        if (!s->meters[k].named)
            s->meters[k].leased = false;
        limits_refresh(l, s, k, now);
    }
}

void
limits_lease_end(struct limits *l, struct limits_time now)
{
    each_state(l, end_state, now);
}
