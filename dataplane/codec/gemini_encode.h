/* What the two files that encode requests of Gemini share. */
#ifndef DATAPLANE_CODEC_GEMINI_ENCODE_H
#define DATAPLANE_CODEC_GEMINI_ENCODE_H

#include "dataplane/codec/codec.h"
#include "dataplane/codec/put.h"

struct gemini_encoder {
    const struct codec_encode *in;
    const struct ir_request *r;
    const struct capability *cap;
    struct rx_buf *b;
};

void gemini_lose(struct gemini_encoder *x, const char *what, const char *why);
/* The third generation: levels instead of budgets, signatures on calls. */
bool gemini_is_third(const struct gemini_encoder *x);
/* A schema for the answer that can only be asked for in words. */
bool gemini_asks_in_words(const struct gemini_encoder *x);
/* "systemInstruction" and "contents" */
void gemini_put_contents(struct gemini_encoder *x);

#endif
