/*
 * recall.h - reasoning that clients do not bring back (wire.md 3.9).
 *
 *     answer    reader ──recall_before──> normaliser ──recall_after──> writer
 *                             └───────── noted ──────────┘
 *     request   decoded ──recall_apply──> as it would be had the client kept it
 *
 * Some upstreams want to see their reasoning, or its seal, again; some clients
 * throw away what carries it, or never saw it.  What an answer held is kept
 * under its first tool call, or, without one, under its text; by tenant and by
 * family of models, so it comes back to those it is from only.
 */
#ifndef DATAPLANE_CODEC_RECALL_H
#define DATAPLANE_CODEC_RECALL_H

#include <stdint.h>

#include "dataplane/codec/capability.h"
#include "dataplane/codec/ir.h"
#include "dataplane/memory.h"

/* Whose reasoning; all borrowed. */
struct recall_scope {
    struct memory *memory; /* NULL: nothing is kept */
    rx_str tenant;
    enum dialect dialect; /* of the channel */
    rx_str family;
    uint64_t now_ms;
};

/* Put back what turns of the assistant lack.  Turns are merged before. */
void recall_apply(const struct recall_scope *scope, struct ir_request *r,
    struct rx_arena *arena);

struct recall;

/* Notes an answer on its way; NULL when nothing is kept.  `must`: reasoning is
 * wanted again even if nobody sealed it. */
struct recall *recall_new(const struct recall_scope *scope, bool must);
void recall_free(struct recall *r); /* NULL is allowed */
/* Sinks to be put in the way; `to` gets everything. */
struct ir_sink recall_before(struct recall *r, struct ir_sink to);
struct ir_sink recall_after(struct recall *r, struct ir_sink to);

#endif
