/*
 * limits_parts.h - what the files behind limits.h share.
 */
#ifndef DATAPLANE_LIMITS_PARTS_H
#define DATAPLANE_LIMITS_PARTS_H

#include "dataplane/limits.h"
#include "shared/map.h"

#define UNIT ((int64_t)60000)

struct meter {
    uint64_t share;
    bool leased;       /* `share` is a Lease's */
    bool named;        /* by the Lease that is being read */
    uint64_t in_force; /* rates: what `debt` is measured against */
    int64_t debt;
    uint64_t at_ms;
    uint64_t used;      /* concurrent: in flight; quota: in the window */
    uint64_t window_ms; /* quota */
    uint64_t left;      /* quota: as the last Lease said */
    /* In the running second or so, and in the one before: */
    uint64_t asked[2];  /* admitted or not */
    uint64_t wanted[2]; /* the most that would have been held at a time */
    uint64_t forfeited, credited;
};

struct limit_state {
    enum limit_owner owner;
    struct limit_set set;
    struct meter meters[LIMIT_KINDS];
    uint64_t since_ms; /* wall */
    uint64_t used_ms;
    uint32_t holds;
    size_t id_len;
    char id[];
};

struct limits {
    struct rx_map *states[LIMIT_OWNERS]; /* id to struct limit_state */
    bool told;                           /* a Lease came */
    void (*on_short)(void *arg);
    void *on_short_arg;
    uint64_t parts;
    uint64_t demand_ms;
};

/* Made when it is not there. */
struct limit_state *limits_state(struct limits *l, enum limit_owner owner,
    const struct limit_who *who, struct limits_time now);

/* ---- one meter; `k` is its enum limit ---------------------------------- */

bool limits_is_rate(unsigned k);
/* Spent in a window of the calendar. */
bool limits_is_spent(unsigned k);
/* What this plane may use of it. */
uint64_t limits_share(
    const struct limits *l, const struct limit_state *s, unsigned k);
/* Bring it up to now. */
void limits_refresh(struct limits *l, struct limit_state *s, unsigned k,
    struct limits_time now);
bool limits_fits(const struct limits *l, const struct limit_state *s,
    unsigned k, uint64_t need);
/* Somebody wants so much, whether he gets it or not. */
void limits_ask(struct meter *m, unsigned k, uint64_t need);
/* He does not: always false. */
bool limits_refuse(struct limits *l, struct limit_state *s, unsigned k,
    uint64_t need, struct limits_time now, struct limit_refusal *why);
void limits_take(struct limit_state *s, unsigned k, uint64_t n);
void limits_give_back(struct meter *m, unsigned k, uint64_t n);

#endif
