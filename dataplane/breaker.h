/*
 * breaker.h - has this channel been failing of itself?
 *
 *     CLOSED ──(too many failures)──> OPEN ──(time)──> HALF_OPEN
 *        ^                             ^                  │
 *        └──────(probe succeeded)──────┼──────────────────┤
 *                                      └──(probe failed)──┘
 *
 * Counts outcomes in a sliding window; opens on a share of failures or a run of
 * them; each opening in a row lasts twice as long, up to a limit.  Half open it
 * lends out one probe at a time.  A value type; all times are loop time in ms.
 */
#ifndef DATAPLANE_BREAKER_H
#define DATAPLANE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker_limits {
    uint32_t window_ms;   /* sliding; 0: never opens */
    uint32_t min_samples; /* in the window before the share counts */
    uint32_t failure_pct; /* share that opens */
    uint32_t in_a_row;    /* failures that open whatever the share */
    uint32_t open_ms;     /* the first opening */
    uint32_t open_max_ms; /* the longest */
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

#define BREAKER_BUCKETS 10

/* Zeroed it is closed and knows nothing. */
struct breaker {
    struct {
        uint64_t epoch; /* which slice of time this bucket holds */
        uint32_t good, bad;
    } buckets[BREAKER_BUCKETS];
    uint32_t run;      /* failures since the last success */
    uint32_t openings; /* in a row, without a success between */
    uint64_t until_ms; /* open until then; 0: closed */
    uint64_t lease_ms; /* the probe is lent out until then; 0: it is here */
};

enum breaker_state breaker_state(const struct breaker *b, uint64_t now);
/* May a request pass?  `until` is when it is worth asking again, if not. */
bool breaker_admits(const struct breaker *b, uint64_t now, uint64_t *until);
/* A request passes: half open, it takes the probe.  True if it did. */
bool breaker_lease(struct breaker *b, uint64_t now, uint32_t lease_ms);
/* The probe came back without telling anything. */
void breaker_release(struct breaker *b);
/* An outcome.  `dice` is random, for jitter.  True when this one opened it. */
bool breaker_note(struct breaker *b, const struct breaker_limits *limits,
    bool good, uint64_t now, uint64_t dice);

#endif
