/*
 * gemini_grounding.h - what an answer rests on, as Gemini tells it: the words
 * searched for, the pages found, and which bytes of the text rest on which.
 */
#ifndef DATAPLANE_CODEC_GEMINI_GROUNDING_H
#define DATAPLANE_CODEC_GEMINI_GROUNDING_H

#include "dataplane/codec/codec.h"

/* --- written ------------------------------------------------------------------ */

struct gemini_grounding {
    struct rx_buf queries, chunks, supports, pages; /* elements, with commas */
    struct rx_buf urls;                             /* of chunks, each \0 */
};

void gemini_grounding_init(struct gemini_grounding *g);
void gemini_grounding_fini(struct gemini_grounding *g);
void gemini_grounding_lookup(
    struct gemini_grounding *g, const struct ir_lookup *l);
/* It has an address. */
void gemini_grounding_cite(
    struct gemini_grounding *g, const struct ir_citation *c);
/* Members of a candidate. */
void gemini_grounding_put(const struct gemini_grounding *g, struct rx_buf *b);

/* Probabilities: an array as Chat has it, as a member of a candidate. */
void gemini_put_logprobs(struct rx_buf *b, rx_str list);

/* --- read --------------------------------------------------------------------- */

/* Tell what a candidate's groundingMetadata and urlContextMetadata say. */
void gemini_grounding_read(struct codec_reader *r, rx_str grounding,
    rx_str pages, uint32_t text_part, uint32_t lookup_part);
/* A candidate's citationMetadata: what it repeats word for word. */
void gemini_citations_read(
    struct codec_reader *r, rx_str value, uint32_t text_part);
/* A candidate's logprobsResult. */
void gemini_logprobs_read(struct codec_reader *r, rx_str value);

#endif
