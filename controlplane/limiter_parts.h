/*
 * limiter_parts.h - what the files of the limiter share.
 */
#ifndef CONTROLPLANE_LIMITER_PARTS_H
#define CONTROLPLANE_LIMITER_PARTS_H

#include "controlplane/lease.h"
#include "controlplane/limiter.h"

#define PARTS     ((uint64_t)720720) /* divides by 1 to 16 */
#define TRACKED   8192               /* limits in use at a time */
#define ARENA_MAX ((size_t)16 * 1024 * 1024)

/* What is known of one plane and one limit besides its share. */
struct side {
    uint64_t since_ms;  /* what `used` knows of begins here; 0: unknown */
    uint64_t committed; /* of `used`: rows that are here already */
    uint64_t filled;    /* rates: what its bucket has been debited, for show */
    uint64_t forfeited; /* as last told */
    uint64_t credit;
    uint64_t told_left; /* quota: by the newest Lease */
    uint64_t returned;  /* rates: by a full bucket that was never used */
};

struct tracked {
    enum limited owner;
    enum state_limit kind;
    uint64_t most;
    enum rx_window window;
    uint64_t window_ms;
    uint64_t elsewhere; /* quota: rows that no plane's `used` knows of */
    struct lease lease;
    struct side *sides;
    uint64_t pool;     /* credit given up by some, for others */
    unsigned told_pct; /* budget: the mark that was passed and told */
    uint64_t active_ms;
    size_t id_len;
    char id[];
};

struct plane {
    char *id;
    uint64_t boot;
    bool ours; /* it lives by a Lease of this control plane */
    bool dirty;
    bool leaseless;  /* every limit is all its own until it applies one */
    bool adopted;    /* it has shares that we never gave, or forgot */
    uint64_t serial; /* of the Lease applied */
    uint64_t sent;   /* of the newest one */
    uint64_t heard_ms, sent_ms;
};

struct limiter {
    struct rx_loop *loop;
    struct store *store;
    struct publisher *publisher;
    uint64_t epoch;
    struct usage_sink inner;
    struct rx_timer tick;
    uint64_t listen_until_ms;
    uint64_t remembered;
    uint64_t expected; /* planes that had Leases of our predecessor */
    uint64_t serial;
    struct plane *planes;
    size_t count;
    struct lease parts;
    struct rx_map *table; /* to struct tracked */
    void (*on_mark)(void *arg, const struct budget_mark *mark);
    void *on_mark_arg;
};

static inline rx_str
limiter_id(const struct tracked *t)
{
    return (rx_str){ t->id, t->id_len };
}

static inline bool
limiter_is_rate(const struct tracked *t)
{
    return t->kind == STATE_LIMIT_REQUESTS || t->kind == STATE_LIMIT_TOKENS;
}

/* Spent in a window of the calendar: tokens, or money. */
static inline bool
limiter_is_spent(enum state_limit kind)
{
    return kind == STATE_LIMIT_QUOTA || kind == STATE_LIMIT_BUDGET;
}

static inline enum rx_window
limiter_window(const struct state_limits *limits, enum state_limit kind)
{
    return kind == STATE_LIMIT_BUDGET ? limits->budget_window : limits->window;
}

/* ---- limiter_table.c ---- */

void *limiter_alloc_or_die(void *old, size_t size);
void limiter_lease_add(struct lease *l);
void limiter_lease_drop(struct lease *l, size_t i);
uint64_t limiter_part(uint64_t most, uint64_t parts);
void limiter_add_side(struct tracked *t);
void limiter_tracked_free(void *arg);
struct tracked *limiter_track(struct limiter *l, enum limited owner,
    enum state_limit kind, rx_str id, const struct state_limits *limits);
/* The limits of a tenant or key as they are stored; false: it is gone. */
bool limiter_load_limits(
    struct limiter *l, enum limited owner, rx_str id, struct state_limits *out);
void limiter_untrack(struct limiter *l, struct tracked *t);

/* NULL when it is not in the table. */
struct tracked *limiter_find(
    struct limiter *l, enum limited owner, enum state_limit kind, rx_str id);

/* ---- limiter_plan.c ---- */

uint64_t limiter_left_of(const struct tracked *t);
void limiter_send_lease(struct limiter *l, size_t i);
/* For the planes that live by Leases of a predecessor. */
bool limiter_is_listening(const struct limiter *l);
void limiter_plan_all(struct limiter *l);

/* ---- limiter_plane.c ---- */

/* The plane's number; l->count when it is not known. */
size_t limiter_plane(const struct limiter *l, rx_str id);
void limiter_each_tracked(struct limiter *l,
    void (*fn)(struct limiter *l, struct tracked *t, size_t i), size_t i);
/* It has this much, until it applies the next Lease. */
void limiter_adopt(struct limiter *l, struct lease_holder *h, uint64_t share);
size_t limiter_add_plane(struct limiter *l, const struct demand_message *m);
void limiter_drop_plane(struct limiter *l, size_t i);
void limiter_new_boot(struct limiter *l, struct tracked *t, size_t i);

/* ---- limiter_quota.c ---- */

/* A budget that passes 80 % or 100 %, or is below again, is told once. */
void quota_tell_mark(struct limiter *l, struct tracked *t);
/* The window is another: what was spent, and by whom, is asked anew. */
void quota_begin_window(struct limiter *l, struct tracked *t);
/* The quota, or what is spent elsewhere, changed: what is left to share out? */
void quota_fit(struct tracked *t);
/* Which rows are in what plane `i` calls used? */
void quota_open_account(
    struct limiter *l, struct tracked *t, size_t i, uint64_t since_ms);
/* What this plane spent is from now on known by its rows only. */
void quota_close_account(struct tracked *t, size_t i);

#endif
