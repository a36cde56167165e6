/*
 * limiter.h - keeps the data planes together within every limit.
 *
 * Turns their Demands into Leases (lease.h shares out, docs/protocol.md says
 * what is promised), and knows from the rows what was spent of each quota.
 */
#ifndef CONTROLPLANE_LIMITER_H
#define CONTROLPLANE_LIMITER_H

#include "controlplane/publisher.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "controlplane/wire_lease.h"
#include "shared/json.h"
#include "shared/loop.h"

struct limiter;

/*
 * Where data planes may live by Leases of a predecessor, they are listened to
 * first: until as many as it had are heard, at most 1.5 s.
 */
RX_NODISCARD enum rx_code limiter_open(struct limiter **out,
    struct rx_loop *loop, struct store *store, struct publisher *publisher,
    struct rx_err *err);
void limiter_close(struct limiter *l); /* NULL is allowed */

/* `inner` with what is committed counted against quotas. */
struct usage_sink limiter_sink(struct limiter *l, struct usage_sink inner);
/* A Demand of this plane; what cannot be read is passed over. */
void limiter_demand(struct limiter *l, rx_str plane, rx_str body);
/*
 * It has no state yet, so it has let nothing through: its first Lease is sent
 * now, before its first Snapshot.
 */
void limiter_born(struct limiter *l, rx_str plane, uint64_t boot);
/* It said good-bye: nothing of its runs any more. */
void limiter_left(struct limiter *l, rx_str plane);
/* This tenant or key was changed in the store. */
void limiter_changed(struct limiter *l, enum state_kind kind, rx_str id);

/* A budget, and how much of it is spent. */
struct budget_mark {
    enum limited owner;
    rx_str id;
    unsigned percent;    /* the mark that it is beyond now: 0, 80, 100 */
    uint64_t used, most; /* millionths of a dollar */
    enum rx_window window;
    uint64_t resets_ms; /* 0: never */
};
/* Call fn(arg, mark) when a budget passes one, up or down; also for those that
 * are beyond one at the start. */
void limiter_on_mark(struct limiter *l,
    void (*fn)(void *arg, const struct budget_mark *mark), void *arg);

/* {"quota":{"limit","used","resets_at"},…} of the limits that are set; what is
 * used of a rate is what its planes' buckets lack. */
void limiter_put(struct limiter *l, struct rx_json_out *w, const char *key,
    enum limited owner, rx_str id, const struct state_limits *limits);

/* The same as a text in the arena. */
rx_str limiter_text(struct limiter *l, struct rx_arena *arena,
    enum limited owner, rx_str id, const struct state_limits *limits);

#endif
