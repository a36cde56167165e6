/*
 * oauth_time.h - when an access token is renewed, and when it is tried again.
 *
 *     got ───────────────────────────── due ····· end
 *      └──────────────── life ─────────────────────┘
 *
 * Providers say how long a token lives, not until when, so their clock does not
 * matter.  Ours may be moved: a token is never taken to be good for longer than
 * it lives, nor to be from the future.
 */
#ifndef CONTROLPLANE_OAUTH_TIME_H
#define CONTROLPLANE_OAUTH_TIME_H

#include <stdint.h>

struct oauth_span {
    uint64_t got_ms;  /* wall clock, when it was asked for */
    uint64_t life_ms; /* 0: there is no token */
};

/* How long it is good from `wall_ms` on; 0: it is over. */
uint64_t oauth_left_ms(const struct oauth_span *s, uint64_t wall_ms);
/*
 * How long until it should be renewed: ahead of its end by a sixth of its life
 * (10 s to 30 min, at most half of it), and a little earlier by chance, so that
 * accounts begun together do not stay together.
 */
uint64_t oauth_due_in_ms(
    const struct oauth_span *s, uint64_t wall_ms, uint64_t dice);
/* The pause after the n-th failure in a row (from 1): 1 s doubling to 10 min,
 * between half of that and all of it. */
uint64_t oauth_pause_ms(uint64_t failures, uint64_t dice);
/* The pause before the n-th token in a row (from 0) that was refused while it
 * was new is renewed: none, then 30 s doubling to 15 min. */
uint64_t oauth_refused_pause_ms(uint64_t refused);

#endif
