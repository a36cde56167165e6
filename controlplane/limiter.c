/*
 * Planes are numbered alike everywhere: holder i of every lease is plane i.
 * What no plane has asked about lately is not in the table; of that, each plane
 * has its part, which is shared out like a limit itself.
 */
#include "controlplane/limiter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/key.h"
#include "controlplane/limiter_parts.h"
#include "controlplane/tenant.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"

#define PARTS     ((uint64_t)720720) /* divides by 1 to 16 */
#define TICK_MS   250
#define RESEND_MS 1000
#define SILENT_MS 2500
#define EXPIRE_MS 5000
#define LISTEN_MS 1500
#define IDLE_MS   ((uint64_t)60000)
#define TRACKED   8192 /* limits in use at a time */
#define ARENA_MAX ((size_t)16 * 1024 * 1024)
#define KEY_MAX   256

static void *
alloc_or_die(void *old, size_t size)
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

/* ---- the leases of all planes, grown and shrunk together ---------------- */

static void
lease_add(struct lease *l)
{
    l->at = alloc_or_die(l->at, (l->count + 1) * sizeof(*l->at));
    l->at[l->count++] = (struct lease_holder){ .live = true };
    l->stale = true;
}

static void
lease_drop(struct lease *l, size_t i)
{
    l->at[i] = l->at[--l->count];
    l->stale = true;
}

static uint64_t
part(uint64_t most, uint64_t parts)
{
    return most * parts / PARTS;
}

static void
add_side(struct tracked *t)
{
    t->sides = alloc_or_die(t->sides, (t->lease.count + 1) * sizeof(*t->sides));
    t->sides[t->lease.count] = (struct side){ 0 };
    lease_add(&t->lease);
}

static void
tracked_free(void *arg)
{
    struct tracked *t = arg;

    free(t->lease.at);
    free(t->sides);
    free(t);
}

/* ---- the table ---------------------------------------------------------- */

static struct tracked *
track(struct limiter *l, enum limited owner, enum state_limit kind, rx_str id,
    const struct state_limits *limits)
{
    char key[KEY_MAX];

    if (rx_map_count(l->table) >= TRACKED)
        return NULL;
    struct tracked *t = alloc_or_die(NULL, sizeof(*t) + id.len);
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
        add_side(t);
        t->lease.at[i] = (struct lease_holder){ .live = p->live,
            .share = part(t->most, p->share),
            .sent = part(t->most, p->sent),
            .changed = p->changed };
    }
    if (limiter_is_spent(kind))
        quota_begin_window(l, t);
    rx_map_put(l->table, table_key(key, owner, kind, id), t);
    return t;
}

/* The limits of a tenant or key as they are stored; false: it is gone. */
static bool
load_limits(
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

static void
untrack(struct limiter *l, struct tracked *t)
{
    char key[KEY_MAX];

    rx_map_remove(l->table, table_key(key, t->owner, t->kind, limiter_id(t)));
    tracked_free(t);
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
    load_limits(l, owner, id, &now);
    for (unsigned k = 0; k < STATE_LIMITS; k++) {
        struct tracked *t = limiter_find(l, owner, (enum state_limit)k, id);
        if (t != NULL && now.most[k] == 0)
            untrack(l, t);
        else if (t != NULL)
            adjust(l, t, &now);
        else if (limiter_is_spent((enum state_limit)k) && now.most[k] > 0)
            track(l, owner, (enum state_limit)k, id, &now);
    }
    rx_timer_set(&l->tick, 1);
}

/* ---- planning and sending ----------------------------------------------- */

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

static uint64_t
left_of(const struct tracked *t)
{
    uint64_t used = 0;

    for (size_t i = 0; i < t->lease.count; i++)
        used += t->lease.at[i].used;
    return t->lease.limit > used ? t->lease.limit - used : 0;
}

static void
send_lease(struct limiter *l, size_t i)
{
    struct plane *p = &l->planes[i];
    struct lease_item *items =
        alloc_or_die(NULL, rx_map_count(l->table) * sizeof(*items));
    struct rx_buf body;
    size_t at = 0, n = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(l->table, &at, &key, &value)) {
        struct tracked *t = value;
        t->sides[i].told_left = left_of(t);
        items[n++] = (struct lease_item){ t->owner, limiter_id(t), t->kind,
            t->lease.at[i].sent, t->sides[i].credit, left_of(t) };
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
    uint64_t left = left_of(t);

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

/* For the planes that live by Leases of a predecessor. */
static bool
is_listening(const struct limiter *l)
{
    return rx_loop_ms(l->loop) < l->listen_until_ms && l->count < l->expected;
}

static void
plan_all(struct limiter *l)
{
    uint64_t now = rx_loop_ms(l->loop);
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    if (is_listening(l))
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
            send_lease(l, i);
    }
}

/* ---- planes ------------------------------------------------------------- */

size_t
limiter_plane(const struct limiter *l, rx_str id)
{
    size_t i = 0;

    while (i < l->count &&
           !rx_str_eq(id, (rx_str){ l->planes[i].id, strlen(l->planes[i].id) }))
        i++;
    return i;
}

static void
each_tracked(struct limiter *l,
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
    add_side(t);
}

/* It has this much, until it applies the next Lease. */
static void
adopt(struct limiter *l, struct lease_holder *h, uint64_t share)
{
    if (share > h->share)
        h->share = share;
    h->changed = l->serial + 1;
}

static size_t
add_plane(struct limiter *l, const struct demand_message *m)
{
    l->planes = alloc_or_die(l->planes, (l->count + 1) * sizeof(*l->planes));
    l->planes[l->count] = (struct plane){ .boot = m->boot,
        .id = strndup(m->plane.ptr, m->plane.len),
        .dirty = true };
    if (l->planes[l->count].id == NULL)
        abort();
    lease_add(&l->parts);
    each_tracked(l, add_to, 0);
    /* It may live by a Lease of another control plane, or a forgotten one. */
    l->planes[l->count].adopted = m->epoch != 0;
    l->planes[l->count].leaseless = m->epoch == 0;
    if (m->epoch != 0)
        adopt(l, &l->parts.at[l->count], m->parts < PARTS ? m->parts : PARTS);
    return l->count++;
}

static void
drop_from(struct limiter *l, struct tracked *t, size_t i)
{
    (void)l;
    quota_close_account(t, i);
    t->sides[i] = t->sides[t->lease.count - 1];
    lease_drop(&t->lease, i);
}

static void
drop_plane(struct limiter *l, size_t i)
{
    each_tracked(l, drop_from, i);
    lease_drop(&l->parts, i);
    free(l->planes[i].id);
    l->planes[i] = l->planes[--l->count];
}

static void
new_boot(struct limiter *l, struct tracked *t, size_t i)
{
    (void)l;
    quota_close_account(t, i);
    t->sides[i].forfeited = 0;
    t->sides[i].since_ms = 0;
    t->sides[i].filled = 0;
    if (t->kind == STATE_LIMIT_CONCURRENT)
        t->lease.at[i].used = 0;
}

/* ---- a Demand ----------------------------------------------------------- */

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

    if (t == NULL && load_limits(l, d->owner, d->id, &limits) &&
        limits.most[d->limit] > 0)
        t = track(l, d->owner, d->limit, d->id, &limits);
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
        adopt(l, h, d->share);
    if (d->wanted > 0)
        t->active_ms = rx_loop_ms(l->loop);
}

static void
take_demand(struct limiter *l, const struct demand_message *m)
{
    size_t i = limiter_plane(l, m->plane);

    if (i == l->count)
        i = add_plane(l, m);
    struct plane *p = &l->planes[i];
    if (p->boot != m->boot) {
        /* Its predecessor is dead, and what that had is now its own. */
        p->boot = m->boot;
        each_tracked(l, new_boot, i);
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
    each_tracked(l, hear, i);
    for (size_t k = 0; k < m->count; k++)
        take_item(l, i, &m->items[k]);
    each_tracked(l, collect_returned, i);
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
        lend(&t->lease.at[i], left_of(t) / planes, l->serial);
        t->lease.stale = true;
    }
    l->parts.stale = true;
    send_lease(l, i);
}

static void
answer(struct limiter *l, rx_str plane)
{
    size_t i = limiter_plane(l, plane);

    if (!is_listening(l))
        plan_all(l);
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
    drop_plane(l, i);
    plan_all(l);
}

/* For the next control plane: how many have Leases. */
static void
remember_count(struct limiter *l)
{
    struct rx_err err = { 0 };
    enum rx_code code = store_begin(l->store, &err);

    if (code == RX_OK) {
        code = store_set(l->store, "lease_planes", l->count, &err);
        if (code == RX_OK)
            code = store_commit(l->store, &err);
        else
            store_rollback(l->store);
    }
    if (code != RX_OK)
        rx_warn("lease.unsaved", "why=%s", rx_log_quote(err.text));
    l->remembered = l->count;
}

/* ---- time --------------------------------------------------------------- */

static void
silence(struct limiter *l, struct tracked *t, size_t i)
{
    (void)l;
    t->lease.at[i].live = false;
}

static void
watch_planes(struct limiter *l)
{
    uint64_t now = rx_loop_ms(l->loop);

    for (size_t i = l->count; i-- > 0;) {
        uint64_t silent = now - l->planes[i].heard_ms;
        if (silent > EXPIRE_MS) {
            rx_warn("lease.expired", "plane=%s", l->planes[i].id);
            drop_plane(l, i);
        } else if (silent > SILENT_MS) {
            l->parts.at[i].live = false;
            each_tracked(l, silence, i);
        }
    }
}

/* May it be forgotten: would every plane have no more than it has now? */
static bool
is_dispensable(const struct limiter *l, const struct tracked *t)
{
    for (size_t i = 0; i < l->count; i++) {
        if (t->lease.at[i].share < part(t->most, l->parts.at[i].share) ||
            t->lease.at[i].used > 0)
            return false;
    }
    return !lease_pending(&t->lease);
}

static void
watch_limits(struct limiter *l)
{
    uint64_t now = rx_loop_ms(l->loop);
    uint64_t wall = rx_clock_wall_ms();
    struct tracked *idle = NULL;
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(l->table, &at, &key, &value)) {
        struct tracked *t = value;
        if (limiter_is_spent(t->kind)) {
            if (rx_window_start(t->window, wall) != t->window_ms)
                quota_begin_window(l, t);
            quota_tell_mark(l, t);
        } else if (now - t->active_ms > IDLE_MS) {
            if (idle == NULL && is_dispensable(l, t))
                idle = t;
            else
                t->lease.stale = true; /* nobody wants it: even shares */
        }
    }
    if (idle != NULL)
        untrack(l, idle);
}

static void
on_tick(void *arg)
{
    struct limiter *l = arg;

    watch_planes(l);
    watch_limits(l);
    plan_all(l);
    if (l->count != l->remembered && rx_loop_ms(l->loop) >= l->listen_until_ms)
        remember_count(l);
    rx_timer_set(&l->tick, TICK_MS);
}

/* ---- beginning and end -------------------------------------------------- */

/* Quotas are known from the start: what is spent must not be had again. */
static enum rx_code
track_quotas(struct limiter *l, enum limited owner, struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    rx_str *ids = field_make(arena, rx_str, TRACKED);
    size_t n = 0;
    struct db_query *q = db_query(l->store->db,
        owner == LIMITED_TENANT
            ? "select id from tenant where limits like '%window%' limit ?"
            : "select id from client_key where limits like '%window%' limit ?");

    db_bind_u64(q, 1, TRACKED);
    while (db_next(q) && n < TRACKED)
        ids[n++] = field_keep(arena, db_str(q, 0));
    enum rx_code code = db_done(q, err);
    for (size_t i = 0; code == RX_OK && i < n; i++) {
        struct state_limits limits;
        if (!load_limits(l, owner, ids[i], &limits))
            continue;
        for (unsigned k = 0; k < STATE_LIMITS; k++) {
            if (limiter_is_spent((enum state_limit)k) && limits.most[k] > 0)
                track(l, owner, (enum state_limit)k, ids[i], &limits);
        }
    }
    rx_arena_free(arena);
    return code;
}

enum rx_code
limiter_open(struct limiter **out, struct rx_loop *loop, struct store *store,
    struct publisher *publisher, struct rx_err *err)
{
    struct limiter *l = alloc_or_die(NULL, sizeof(*l));

    *out = NULL;
    memset(l, 0, sizeof(*l));
    l->loop = loop;
    l->store = store;
    l->publisher = publisher;
    l->epoch = publisher_status(publisher).epoch;
    l->parts.limit = PARTS;
    l->table = rx_map_new();
    l->listen_until_ms = rx_loop_ms(loop) + LISTEN_MS;
    rx_timer_init(&l->tick, loop, on_tick, l);
    enum rx_code code = store_get(store, "lease_planes", &l->expected, err);
    l->remembered = l->expected;
    if (code == RX_OK)
        code = track_quotas(l, LIMITED_TENANT, err);
    if (code == RX_OK)
        code = track_quotas(l, LIMITED_KEY, err);
    if (code != RX_OK) {
        limiter_close(l);
        return code;
    }
    rx_timer_set(&l->tick, TICK_MS);
    *out = l;
    return RX_OK;
}

void
limiter_close(struct limiter *l)
{
    if (l == NULL)
        return;
    rx_timer_fini(&l->tick);
    for (size_t i = 0; i < l->count; i++)
        free(l->planes[i].id);
    free(l->planes);
    free(l->parts.at);
    rx_map_free(l->table, tracked_free);
    free(l);
}
