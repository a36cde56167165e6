/*
 * api_replay.h - Idempotency-Key: the same POST again gets the same answer and
 * changes nothing again.
 *
 * Answers are kept for a day, sealed (they may show a new key), per token.
 */
#ifndef CONTROLPLANE_API_REPLAY_H
#define CONTROLPLANE_API_REPLAY_H

#include "controlplane/api.h"

/*
 * Inside the transaction, before the handler.  *replayed: the kept answer is in
 * c->out.  RX_CONFLICT: the key was used for another request.
 */
RX_NODISCARD enum rx_code api_replay_find(
    struct api_call *c, bool *replayed, struct rx_err *err);
/* After the handler: keep what it answered. */
RX_NODISCARD enum rx_code api_replay_keep(
    struct api_call *c, struct rx_err *err);

#endif
