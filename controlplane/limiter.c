/*
 * What no plane has asked about lately is not in the table; of that, each plane
 * has its part, which is shared out like a limit itself.
 */

#include <stdlib.h>
#include <string.h>

#include "controlplane/key.h"
#include "controlplane/limiter_parts.h"
#include "controlplane/tenant.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"

#define TICK_MS   250
#define SILENT_MS 2500
#define EXPIRE_MS 5000
#define LISTEN_MS 1500
#define IDLE_MS   ((uint64_t)60000)

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
            limiter_drop_plane(l, i);
        } else if (silent > SILENT_MS) {
            l->parts.at[i].live = false;
            limiter_each_tracked(l, silence, i);
        }
    }
}

/* May it be forgotten: would every plane have no more than it has now? */
static bool
is_dispensable(const struct limiter *l, const struct tracked *t)
{
    for (size_t i = 0; i < l->count; i++) {
        if (t->lease.at[i].share <
                limiter_part(t->most, l->parts.at[i].share) ||
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
        limiter_untrack(l, idle);
}

static void
on_tick(void *arg)
{
    struct limiter *l = arg;

    watch_planes(l);
    watch_limits(l);
    limiter_plan_all(l);
    if (l->count != l->remembered && rx_loop_ms(l->loop) >= l->listen_until_ms)
        remember_count(l);
    rx_timer_set(&l->tick, TICK_MS);
}

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
        if (!limiter_load_limits(l, owner, ids[i], &limits))
            continue;
        for (unsigned k = 0; k < STATE_LIMITS; k++) {
            if (limiter_is_spent((enum state_limit)k) && limits.most[k] > 0)
                limiter_track(l, owner, (enum state_limit)k, ids[i], &limits);
        }
    }
    rx_arena_free(arena);
    return code;
}

enum rx_code
limiter_open(struct limiter **out, struct rx_loop *loop, struct store *store,
    struct publisher *publisher, struct rx_err *err)
{
    struct limiter *l = limiter_alloc_or_die(NULL, sizeof(*l));

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
    rx_map_free(l->table, limiter_tracked_free);
    free(l);
}
