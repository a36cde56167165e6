/*
 * The limits that some plane has asked about lately, and their leases.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/key.h"
#include "controlplane/limiter_parts.h"
#include "controlplane/tenant.h"
#include "shared/map.h"

#define KEY_MAX 256

void *
limiter_alloc_or_die(void *old, size_t size)
{
    void *p = realloc(old, size > 0 ? size : 1);

    if (p == NULL)
        abort();
    return p;
}

static rx_str
table_key(
    char out[KEY_MAX], enum limited owner, enum state_limit kind, rx_str id)
{
    if (id.len > KEY_MAX - 2)
        id.len = KEY_MAX - 2;
    out[0] = owner == LIMITED_TENANT ? 't' : 'k';
    out[1] = (char)('0' + kind);
    if (id.len > 0)
        memcpy(out + 2, id.ptr, id.len);
    return (rx_str){ out, id.len + 2 };
}

void
limiter_lease_add(struct lease *l)
{
    l->at = limiter_alloc_or_die(l->at, (l->count + 1) * sizeof(*l->at));
    l->at[l->count++] = (struct lease_holder){ .live = true };
    l->stale = true;
}

void
limiter_lease_drop(struct lease *l, size_t i)
{
    l->at[i] = l->at[--l->count];
    l->stale = true;
}

uint64_t
limiter_part(uint64_t most, uint64_t parts)
{
    return most * parts / PARTS;
}

void
limiter_add_side(struct tracked *t)
{
    t->sides = limiter_alloc_or_die(
        t->sides, (t->lease.count + 1) * sizeof(*t->sides));
    t->sides[t->lease.count] = (struct side){ 0 };
    limiter_lease_add(&t->lease);
}

void
limiter_tracked_free(void *arg)
{
    struct tracked *t = arg;

    free(t->lease.at);
    free(t->sides);
    free(t);
}

struct tracked *
limiter_track(struct limiter *l, enum limited owner, enum state_limit kind,
    rx_str id, const struct state_limits *limits)
{
    char key[KEY_MAX];

    if (rx_map_count(l->table) >= TRACKED)
        return NULL;
    struct tracked *t = limiter_alloc_or_die(NULL, sizeof(*t) + id.len);
    memset(t, 0, sizeof(*t));
    t->owner = owner;
    t->kind = kind;
    t->most = t->lease.limit = limits->most[kind];
    t->window = limiter_window(limits, kind);
    t->active_ms = rx_loop_ms(l->loop);
    t->id_len = id.len;
    memcpy(t->id, id.ptr, id.len);
    for (size_t i = 0; i < l->count; i++) {
        const struct lease_holder *p = &l->parts.at[i];
        limiter_add_side(t);
        t->lease.at[i] = (struct lease_holder){ .live = p->live,
            .share = limiter_part(t->most, p->share),
            .sent = limiter_part(t->most, p->sent),
            .changed = p->changed };
    }
    if (limiter_is_spent(kind))
        quota_begin_window(l, t);
    rx_map_put(l->table, table_key(key, owner, kind, id), t);
    return t;
}

bool
limiter_load_limits(
    struct limiter *l, enum limited owner, rx_str id, struct state_limits *out)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct tenant *t;
    struct key *k;
    bool there;

    *out = (struct state_limits){ 0 };
    if (owner == LIMITED_TENANT) {
        there = tenant_load(l->store, arena, id, &t, NULL) == RX_OK;
        if (there)
            *out = t->limits;
    } else {
        there = key_load(l->store, arena, id, &k, NULL) == RX_OK;
        if (there)
            *out = k->limits;
    }
    rx_arena_free(arena);
    return there;
}

struct tracked *
limiter_find(
    struct limiter *l, enum limited owner, enum state_limit kind, rx_str id)
{
    char key[KEY_MAX];

    return rx_map_get(l->table, table_key(key, owner, kind, id));
}

void
limiter_untrack(struct limiter *l, struct tracked *t)
{
    char key[KEY_MAX];

    rx_map_remove(l->table, table_key(key, t->owner, t->kind, limiter_id(t)));
    limiter_tracked_free(t);
    l->serial++;
    for (size_t i = 0; i < l->count; i++)
        l->planes[i].dirty = true;
}

static void
adjust(struct limiter *l, struct tracked *t, const struct state_limits *now)
{
    enum rx_window window = limiter_window(now, t->kind);
    bool other_window = t->window != window;

    t->most = now->most[t->kind];
    t->window = window;
    t->told_pct = 0;
    t->lease.stale = true;
    if (!limiter_is_spent(t->kind))
        t->lease.limit = t->most;
    else if (other_window)
        quota_begin_window(l, t);
    else
        quota_fit(t);
}

void
limiter_changed(struct limiter *l, enum state_kind kind, rx_str id)
{
    struct state_limits now;

    if (kind != STATE_TENANT && kind != STATE_KEY)
        return;
    enum limited owner = kind == STATE_TENANT ? LIMITED_TENANT : LIMITED_KEY;
    limiter_load_limits(l, owner, id, &now);
    for (unsigned k = 0; k < STATE_LIMITS; k++) {
        struct tracked *t = limiter_find(l, owner, (enum state_limit)k, id);
        if (t != NULL && now.most[k] == 0)
            limiter_untrack(l, t);
        else if (t != NULL)
            adjust(l, t, &now);
        else if (limiter_is_spent((enum state_limit)k) && now.most[k] > 0)
            limiter_track(l, owner, (enum state_limit)k, id, &now);
    }
    rx_timer_set(&l->tick, 1);
}
