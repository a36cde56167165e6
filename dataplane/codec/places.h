/*
 * places.h - where in a text something stands: OpenAI counts characters,
 * Google bytes.
 *
 * Runs of characters of the same width are remembered, not the text.
 */
#ifndef DATAPLANE_CODEC_PLACES_H
#define DATAPLANE_CODEC_PLACES_H

#include <stdint.h>

#include "dataplane/codec/ir.h"
#include "shared/buf.h"

struct places {
    uint64_t chars, bytes; /* so far */
    struct rx_buf runs;    /* struct place_run */
};

void places_init(struct places *p);
void places_fini(struct places *p);
/* More of the text, as the inside of a JSON string; no escape is cut. */
void places_feed(struct places *p, rx_str text);

/* Both ways to tell the place of a citation; without one it is all the text. */
void places_settle(const struct places *p, struct ir_citation *c);

#endif
