/*
 * admission.h - limits and address lists at the door, and how a refusal of
 * theirs is worded.  Only for keys that have a guard (snapshot.h).
 */
#ifndef DATAPLANE_ADMISSION_H
#define DATAPLANE_ADMISSION_H

#include "dataplane/dialect.h"
#include "dataplane/inbound.h"
#include "dataplane/limits.h"
#include "dataplane/refusal.h"
#include "dataplane/snapshot.h"

/* Why not: fixed in size, so that a flood of refusals allocates nothing. */
struct admission {
    enum refusal refusal;
    char words[160];
    char headers[160]; /* retry-after and x-routex-limit, or empty */
};

/* The head is here: may it come in?  On false nothing is held. */
bool admission_enter(struct limits *l, const struct client_key *key,
    rx_str peer, struct limits_time now, struct limits_hold *hold,
    struct admission *why);
/* The same for a client whose address does not matter. */
bool admission_limits(struct limits *l, const struct client_key *key,
    struct limits_time now, struct limits_hold *hold, struct admission *why);
/*
 * The body is here: is there room for what it may cost?  That is the estimated
 * input and the output it asks for, or 4096 where it does not say.  On false
 * the hold is given back.
 */
bool admission_reserve(struct limits *l, const struct client_key *key,
    const struct snapshot *snapshot, enum dialect dialect,
    const struct inbound *in, struct limits_time now, struct limits_hold *hold,
    struct admission *why);

/* Does it matter what requests cost? */
bool admission_counts_money(const struct guard *g);

#endif
