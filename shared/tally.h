/*
 * tally.h - the digest of a set whose members come and go.
 *
 * Both planes keep one over the published state and compare.  Order does not
 * matter, and adding or taking a member costs the same whatever the size.
 * It finds differences; it is not meant to withstand somebody who makes them
 * (the envelope's seal does that).
 *
 * Per member: BLAKE2b-256 of its bytes, read as four little-endian 64-bit
 * lanes, turned by its kind (lane i takes word (i + kind) mod 4).  The tally is
 * the sum of all members, lane by lane, modulo 2^64.
 */
#ifndef SHARED_TALLY_H
#define SHARED_TALLY_H

#include <stdint.h>

#include "shared/secret.h"
#include "shared/str.h"

/* Zeroed: the empty set. */
struct rx_tally {
    uint64_t lane[4];
};

void rx_tally_add(struct rx_tally *t, unsigned kind, rx_str member);
void rx_tally_take(struct rx_tally *t, unsigned kind, rx_str member);
/* Everything in `other` too. */
void rx_tally_join(struct rx_tally *t, const struct rx_tally *other);
struct rx_digest rx_tally_digest(const struct rx_tally *t);

#endif
