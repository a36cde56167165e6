/*
 * refused_token.h - OAuth tokens that a provider did not take, told to the
 * control plane until another is in force.
 *
 * The first report goes out at once; it is repeated after 1 s, 2 s, ... 60 s,
 * because a message may be lost, and is over when the snapshot holds another
 * secret.
 */
#ifndef DATAPLANE_REFUSED_TOKEN_H
#define DATAPLANE_REFUSED_TOKEN_H

#include "dataplane/follow.h"
#include "dataplane/route.h"
#include "shared/attr.h"
#include "shared/loop.h"

struct refused_tokens;

/* Both must outlive it. */
RX_NODISCARD struct refused_tokens *refused_tokens_new(
    struct rx_loop *loop, struct follow *follow);
void refused_tokens_free(struct refused_tokens *r); /* NULL is allowed */

/*
 * Its provider answered 401 to the token of this candidate.  Returns the loop
 * time until which it is worth waiting for a fresh one; 0: it is not.
 */
uint64_t refused_tokens_note(
    struct refused_tokens *r, const struct candidate *candidate);

#endif
