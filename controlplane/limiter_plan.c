/*
 * Who gets how much, and telling it: Leases.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/key.h"
#include "controlplane/limiter_parts.h"
#include "shared/log.h"
#include "shared/map.h"

#define RESEND_MS 1000

static void
plan_one(struct limiter *l, struct lease *lease, struct tracked *t)
{
    uint64_t before[64];
    size_t n = lease->count < RX_COUNT(before) ? lease->count : 0;

    for (size_t i = 0; i < n; i++)
        before[i] = lease->at[i].sent;
    if (lease_plan(lease, l->serial + 1)) {
        for (size_t i = 0; i < lease->count; i++) {
            if (lease->at[i].changed != l->serial + 1)
                continue;
            l->planes[i].dirty = true;
            if (t == NULL || i >= n || lease->at[i].sent < before[i])
                continue;
            uint64_t grown = lease->at[i].sent - before[i];
            uint64_t gift = grown < t->pool ? grown : t->pool;
            t->sides[i].credit += gift;
            t->pool -= gift;
        }
    }
    if (t != NULL && !lease_pending(lease))
        t->pool = 0;
}

uint64_t
limiter_left_of(const struct tracked *t)
{
    uint64_t used = 0;

    for (size_t i = 0; i < t->lease.count; i++)
        used += t->lease.at[i].used;
    return t->lease.limit > used ? t->lease.limit - used : 0;
}

void
limiter_send_lease(struct limiter *l, size_t i)
{
    struct plane *p = &l->planes[i];
    struct lease_item *items =
        limiter_alloc_or_die(NULL, rx_map_count(l->table) * sizeof(*items));
    struct rx_buf body;
    size_t at = 0, n = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(l->table, &at, &key, &value)) {
        struct tracked *t = value;
        t->sides[i].told_left = limiter_left_of(t);
        items[n++] = (struct lease_item){ t->owner, limiter_id(t), t->kind,
            t->lease.at[i].sent, t->sides[i].credit, limiter_left_of(t) };
    }
    rx_buf_init(&body, rx_message_max(RX_MSG_LEASE));
    if (wire_pack_lease(
            &body, p->boot, l->serial, l->parts.at[i].sent, items, n))
        publisher_send_lease(
            l->publisher, (rx_str){ p->id, strlen(p->id) }, rx_buf_str(&body));
    else
        rx_error("lease.unsent", "plane=%s items=%zu", p->id, n);
    rx_buf_fini(&body);
    free(items);
    p->dirty = false;
    p->sent = l->serial;
    p->sent_ms = rx_loop_ms(l->loop);
}

/* Who is short of a quota should know what there is, to say when to return. */
static void
tell_left(struct limiter *l, const struct tracked *t)
{
    uint64_t left = limiter_left_of(t);

    for (size_t i = 0; i < t->lease.count; i++) {
        const struct lease_holder *h = &t->lease.at[i];
        if (h->want > h->sent && t->sides[i].told_left != left)
            l->planes[i].dirty = true;
    }
}

static void
plan_tracked(struct limiter *l, struct tracked *t)
{
    plan_one(l, &t->lease, t);
    if (limiter_is_spent(t->kind))
        tell_left(l, t);
}

bool
limiter_is_listening(const struct limiter *l)
{
    return rx_loop_ms(l->loop) < l->listen_until_ms && l->count < l->expected;
}

void
limiter_plan_all(struct limiter *l)
{
    uint64_t now = rx_loop_ms(l->loop);
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    if (limiter_is_listening(l))
        return;
    plan_one(l, &l->parts, NULL);
    while (rx_map_next(l->table, &at, &key, &value))
        plan_tracked(l, value);
    l->serial++;
    for (size_t i = 0; i < l->count; i++) {
        struct plane *p = &l->planes[i];
        bool missed =
            (!p->ours || p->serial < p->sent) && now - p->sent_ms >= RESEND_MS;
        if (p->dirty || missed)
            limiter_send_lease(l, i);
    }
}
