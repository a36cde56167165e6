/*
 * count.h - a request that only wants its tokens counted, at a channel of
 * another dialect.
 *
 *   client's count ──count_inner──> request ──translated──> request
 *                                   ──count_shape──> channel's count
 */
#ifndef DATAPLANE_CODEC_COUNT_H
#define DATAPLANE_CODEC_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/codec/codec.h"

/* Do channels of this dialect count? */
bool count_known(enum dialect channel);

/* The request within a count; the body itself where it is one. */
rx_str count_inner(enum dialect client, rx_str body);

/* Make a count of what was encoded as a request: body and path. */
RX_NODISCARD enum rx_code count_shape(const struct capability_key *to,
    struct codec_outgoing *out, struct rx_arena *arena, struct rx_err *err);

/* What a channel answered; false when it is no count. */
RX_NODISCARD bool count_read(
    enum dialect channel, rx_str document, uint64_t *tokens);

#endif
