/*
 * accumulate.h - an answer out of the events of its stream.
 *
 * Put normalised events in; what comes out is the whole answer.  Texts are
 * collected in buffers of the accumulator and live as long as it does.
 */
#ifndef DATAPLANE_CODEC_ACCUMULATE_H
#define DATAPLANE_CODEC_ACCUMULATE_H

#include "dataplane/codec/ir.h"

struct accumulator;

RX_NODISCARD struct accumulator *accumulator_new(struct rx_arena *arena);
void accumulator_free(struct accumulator *a);
struct ir_sink accumulator_sink(struct accumulator *a);
/* The answer as far as it came; `failed` without an end. */
const struct ir_response *accumulator_result(struct accumulator *a);
/* An answer as the events it would have been streamed as. */
void accumulate_replay(const struct ir_response *r, const struct ir_sink *to);

#endif
