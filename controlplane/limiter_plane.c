/*
 * Planes are numbered alike everywhere: holder i of every lease is plane i.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/key.h"
#include "controlplane/limiter_parts.h"
#include "shared/map.h"

size_t
limiter_plane(const struct limiter *l, rx_str id)
{
    size_t i = 0;

    while (i < l->count &&
           !rx_str_eq(id, (rx_str){ l->planes[i].id, strlen(l->planes[i].id) }))
        i++;
    return i;
}

void
limiter_each_tracked(struct limiter *l,
    void (*fn)(struct limiter *l, struct tracked *t, size_t i), size_t i)
{
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(l->table, &at, &key, &value))
        fn(l, value, i);
}

static void
add_to(struct limiter *l, struct tracked *t, size_t i)
{
    (void)l;
    (void)i;
    limiter_add_side(t);
}

void
limiter_adopt(struct limiter *l, struct lease_holder *h, uint64_t share)
{
    if (share > h->share)
        h->share = share;
    h->changed = l->serial + 1;
}

size_t
limiter_add_plane(struct limiter *l, const struct demand_message *m)
{
    l->planes =
        limiter_alloc_or_die(l->planes, (l->count + 1) * sizeof(*l->planes));
    l->planes[l->count] = (struct plane){ .boot = m->boot,
        .id = strndup(m->plane.ptr, m->plane.len),
        .dirty = true };
    if (l->planes[l->count].id == NULL)
        abort();
    limiter_lease_add(&l->parts);
    limiter_each_tracked(l, add_to, 0);
    /* It may live by a Lease of another control plane, or a forgotten one. */
    l->planes[l->count].adopted = m->epoch != 0;
    l->planes[l->count].leaseless = m->epoch == 0;
    if (m->epoch != 0)
        limiter_adopt(
            l, &l->parts.at[l->count], m->parts < PARTS ? m->parts : PARTS);
    return l->count++;
}

static void
drop_from(struct limiter *l, struct tracked *t, size_t i)
{
    (void)l;
    quota_close_account(t, i);
    t->sides[i] = t->sides[t->lease.count - 1];
    limiter_lease_drop(&t->lease, i);
}

void
limiter_drop_plane(struct limiter *l, size_t i)
{
    limiter_each_tracked(l, drop_from, i);
    limiter_lease_drop(&l->parts, i);
    free(l->planes[i].id);
    l->planes[i] = l->planes[--l->count];
}

void
limiter_new_boot(struct limiter *l, struct tracked *t, size_t i)
{
    (void)l;
    quota_close_account(t, i);
    t->sides[i].forfeited = 0;
    t->sides[i].since_ms = 0;
    t->sides[i].filled = 0;
    if (t->kind == STATE_LIMIT_CONCURRENT)
        t->lease.at[i].used = 0;
}
