/*
 * limits.h - how much a tenant or a key may use, enforced here and now.
 *
 * Rates are GCRA buckets that hold a minute's worth, concurrency is a counter,
 * a quota is what was spent in its window, in tokens, and a budget in millionths
 * of a dollar.  Each is held to this plane's share,
 * which a Lease sets (demand.h).  A request takes one of what it needs when its
 * head arrives, reserves the tokens it may cost before it is forwarded, and is
 * settled once, on what it did cost, when it is over.
 *
 * State belongs to an id, outlives snapshots, and is dropped when idle.
 */
#ifndef DATAPLANE_LIMITS_H
#define DATAPLANE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/str.h"
#include "shared/window.h"

/* id, name; order is that of Limits in proto/limit.proto */
#define LIMITS(X)                   \
    X(REQUESTS, "requests_per_min") \
    X(TOKENS, "tokens_per_min")     \
    X(CONCURRENT, "concurrent")     \
    X(QUOTA, "quota")               \
    X(BUDGET, "budget")

enum limit {
#define LIMIT_ENUM(id, name) LIMIT_##id,
    LIMITS(LIMIT_ENUM)
#undef LIMIT_ENUM
        LIMIT_KINDS
};

enum limit_owner { LIMIT_TENANT, LIMIT_KEY, LIMIT_OWNERS };

/* A share of what no Lease names is told in these. */
#define LIMIT_PARTS ((uint64_t)720720)
#define LIMIT_MOST  ((uint64_t)1000000000000)

struct limit_set {
    uint64_t most[LIMIT_KINDS]; /* 0: no such limit; else <= LIMIT_MOST */
    enum rx_window window, budget_window;
};

/* Who is limited, and how; `set` NULL: not limited. */
struct limit_who {
    rx_str id;
    const struct limit_set *set;
};

struct limits_time {
    uint64_t ms;      /* monotonic */
    uint64_t wall_ms; /* a quota's window is the calendar's */
};

struct limit_refusal {
    enum limit_owner owner;
    enum limit limit;
    uint64_t most;
    uint64_t retry_s; /* at least 1 */
};

struct limit_amount {
    uint64_t tokens;
    uint64_t money; /* millionths of a dollar */
};

struct limit_state;

/* What one request holds; zero it first.  limits_leave() gives it back. */
struct limits_hold {
    struct limit_state *of[LIMIT_OWNERS];
    /* Beginnings of the windows it was reserved in. */
    uint64_t window[LIMIT_OWNERS][LIMIT_KINDS];
    struct limit_amount amount; /* reserved */
};

struct limits;

struct limits *limits_new(void);
void limits_free(struct limits *l); /* no holds may be left */

/* False and why when something is used up; then nothing is held. */
bool limits_enter(struct limits *l, const struct limit_who who[LIMIT_OWNERS],
    struct limits_time now, struct limits_hold *hold,
    struct limit_refusal *why);
/*
 * Reserve what it may cost, once.  False: the hold still has to be left.  More
 * tokens than a minute may have pass when the bucket is full, and are paid off
 * afterwards.
 */
bool limits_reserve(struct limits *l, struct limits_hold *hold,
    struct limit_amount amount, struct limits_time now,
    struct limit_refusal *why);
/* It is over and cost so much; a hold of nothing is fine. */
void limits_leave(struct limits *l, struct limits_hold *hold,
    struct limit_amount amount, struct limits_time now);
/* It was refused by us: the request is not counted either. */
void limits_undo(
    struct limits *l, struct limits_hold *hold, struct limits_time now);

const char *limit_name(enum limit limit);
const char *limit_owner_name(enum limit_owner owner);

/* ---- for demand.h ------------------------------------------------------ */

struct limit_demand {
    enum limit_owner owner;
    rx_str id;
    enum limit limit;
    uint64_t share, used, wanted, since_ms, window_ms, forfeited;
};
/*
 * What is in use, and how much more would be used; begins the next interval.
 * With `all`, everything there is, for a control plane that knows nothing.
 */
void limits_demand(struct limits *l, bool all, struct limits_time now,
    void (*each)(void *arg, const struct limit_demand *d), void *arg);
/* Call fn(arg) when a share ran short that another plane may have more of. */
void limits_on_short(struct limits *l, void (*fn)(void *arg), void *arg);

struct limit_lease {
    enum limit_owner owner;
    rx_str id;
    enum limit limit;
    uint64_t share, credit, left;
};
/* A Lease begins: what it does not name falls back to its part. */
void limits_lease_begin(
    struct limits *l, bool new_control, uint64_t parts, struct limits_time now);
void limits_lease_item(
    struct limits *l, const struct limit_lease *item, struct limits_time now);
void limits_lease_end(struct limits *l, struct limits_time now);

/* Drop what was not used for `idle_ms`. */
void limits_sweep(struct limits *l, uint64_t idle_ms, struct limits_time now);
size_t limits_count(const struct limits *l);

#endif
