/*
 * What planes ask for, and what becomes of their shares when they come and go.
 */
#include "controlplane/key.h"
#include "controlplane/limiter_parts.h"
#include "shared/log.h"
#include "shared/map.h"

static void
hear(struct limiter *l, struct tracked *t, size_t i)
{
    struct lease_holder *h = &t->lease.at[i];

    h->live = true;
    h->want = 0;
    t->sides[i].filled = 0;
    if (t->kind == STATE_LIMIT_CONCURRENT)
        h->used = 0; /* unless it is said now */
    uint64_t before = h->share;
    if (l->planes[i].ours)
        lease_acked(&t->lease, i, l->planes[i].serial);
    bool unused = limiter_is_rate(t) && t->sides[i].since_ms == 0;
    t->sides[i].returned = unused && before > h->share ? before - h->share : 0;
}

/* A plane that never used it had a full bucket, and others get its credit. */
static void
collect_returned(struct limiter *l, struct tracked *t, size_t i)
{
    (void)l;
    t->pool += t->sides[i].returned;
    t->sides[i].returned = 0;
}

static void
take_quota(
    struct limiter *l, struct tracked *t, size_t i, const struct demand_item *d)
{
    struct lease_holder *h = &t->lease.at[i];

    if (t->sides[i].since_ms != d->since_ms) {
        quota_close_account(t, i);
        quota_open_account(l, t, i, d->since_ms);
    }
    h->used = d->window_ms == t->window_ms ? d->used : 0;
}

static void
take_rate(
    struct limiter *l, struct tracked *t, size_t i, const struct demand_item *d)
{
    struct side *s = &t->sides[i];

    /* What was given up before we knew of it went to nobody. */
    if (s->since_ms == d->since_ms && d->forfeited > s->forfeited &&
        l->planes[i].ours)
        t->pool += d->forfeited - s->forfeited;
    s->returned = 0;
    s->since_ms = d->since_ms;
    s->forfeited = d->forfeited;
    s->filled = d->used;
}

static void
take_item(struct limiter *l, size_t i, const struct demand_item *d)
{
    struct tracked *t = limiter_find(l, d->owner, d->limit, d->id);
    struct state_limits limits;

    if (t == NULL && limiter_load_limits(l, d->owner, d->id, &limits) &&
        limits.most[d->limit] > 0)
        t = limiter_track(l, d->owner, d->limit, d->id, &limits);
    if (t == NULL)
        return;
    struct lease_holder *h = &t->lease.at[i];
    if (limiter_is_spent(t->kind))
        take_quota(l, t, i, d);
    else if (limiter_is_rate(t))
        take_rate(l, t, i, d);
    else
        h->used = d->used;
    h->want = d->wanted;
    if (l->planes[i].adopted)
        limiter_adopt(l, h, d->share);
    if (d->wanted > 0)
        t->active_ms = rx_loop_ms(l->loop);
}

static void
take_demand(struct limiter *l, const struct demand_message *m)
{
    size_t i = limiter_plane(l, m->plane);

    if (i == l->count)
        i = limiter_add_plane(l, m);
    struct plane *p = &l->planes[i];
    if (p->boot != m->boot) {
        /* Its predecessor is dead, and what that had is now its own. */
        p->boot = m->boot;
        limiter_each_tracked(l, limiter_new_boot, i);
    }
    p->ours = m->epoch == l->epoch;
    p->leaseless = m->epoch == 0;
    /* Until it applies one, every Demand is answered: a Lease may be lost. */
    p->dirty |= !p->ours;
    p->serial = m->serial;
    p->heard_ms = rx_loop_ms(l->loop);
    l->parts.at[i].live = true;
    if (p->ours)
        lease_acked(&l->parts, i, m->serial);
    limiter_each_tracked(l, hear, i);
    for (size_t k = 0; k < m->count; k++)
        take_item(l, i, &m->items[k]);
    limiter_each_tracked(l, collect_returned, i);
    p->adopted = false;
}

static void
lend(struct lease_holder *h, uint64_t share, uint64_t serial)
{
    h->live = true;
    h->share = h->sent = h->used + share;
    h->changed = serial;
}

/*
 * Nobody knows yet what the others have.  Without a word it would take all of
 * every limit; so it gets an even share of what is left, and the plan that
 * follows takes back what was too much.
 */
static void
lend_even_share(struct limiter *l, size_t i)
{
    uint64_t planes = l->expected > l->count ? l->expected : l->count;
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    l->serial++;
    lend(&l->parts.at[i], l->parts.limit / planes, l->serial);
    while (rx_map_next(l->table, &at, &key, &value)) {
        struct tracked *t = value;
        lend(&t->lease.at[i], limiter_left_of(t) / planes, l->serial);
        t->lease.stale = true;
    }
    l->parts.stale = true;
    limiter_send_lease(l, i);
}

static void
answer(struct limiter *l, rx_str plane)
{
    size_t i = limiter_plane(l, plane);

    if (!limiter_is_listening(l))
        limiter_plan_all(l);
    else if (l->planes[i].leaseless)
        lend_even_share(l, i);
}

void
limiter_demand(struct limiter *l, rx_str plane, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct demand_message m;

    if (wire_read_demand(body, arena, &m) && rx_str_eq(m.plane, plane)) {
        take_demand(l, &m);
        answer(l, plane);
    } else {
        rx_error("demand.unreadable", "plane=%s", rx_log_quote_str(plane));
    }
    rx_arena_free(arena);
}

void
limiter_born(struct limiter *l, rx_str plane, uint64_t boot)
{
    struct demand_message m = { .plane = plane, .boot = boot };
    size_t i = limiter_plane(l, plane);

    if (i < l->count && l->planes[i].boot == boot)
        return;
    take_demand(l, &m);
    answer(l, plane);
}

void
limiter_left(struct limiter *l, rx_str plane)
{
    size_t i = limiter_plane(l, plane);

    if (i == l->count)
        return;
    limiter_drop_plane(l, i);
    limiter_plan_all(l);
}
