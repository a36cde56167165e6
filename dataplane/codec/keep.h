/*
 * keep.h - what of an event must outlive it, copied into an arena.
 *
 * Texts are cleaned on the way: a raw control character in a string is no
 * JSON, and a line feed would end an event of ours.
 */
#ifndef DATAPLANE_CODEC_KEEP_H
#define DATAPLANE_CODEC_KEEP_H

#include "dataplane/codec/ir.h"
#include "shared/buf.h"

struct keep {
    struct rx_arena *arena;
    struct rx_buf scratch;
};

/* Good until the next call. */
rx_str keep_clean(struct keep *k, rx_str text);
rx_str keep_text(struct keep *k, rx_str text);
/* NULL for NULL, and past the arena's limit. */
const struct ir_media *keep_media(struct keep *k, const struct ir_media *from);
const struct ir_lookup *keep_lookup(
    struct keep *k, const struct ir_lookup *from);
/* Without `raw`. */
struct ir_citation *keep_citation(
    struct keep *k, const struct ir_citation *from);

#endif
