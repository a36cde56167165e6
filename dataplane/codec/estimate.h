/*
 * estimate.h - how many tokens a whole request is, counted here.
 *
 * For channels that cannot count.  Everything that becomes part of the prompt
 * is in it: system text, messages, tools and their results, schemas, images and
 * documents.  Too many is better than too few (a client that is told too few
 * overflows the model), so it is rounded up at every step.
 */
#ifndef DATAPLANE_CODEC_ESTIMATE_H
#define DATAPLANE_CODEC_ESTIMATE_H

#include <stdint.h>

#include "dataplane/dialect.h"
#include "shared/buf.h"
#include "shared/str.h"

/* `body` is a request in `dialect`; of a broken one its beginning counts. */
uint64_t estimate_tokens(enum dialect dialect, rx_str body);

/* The answer to a counting request, in the dialect's form. */
void estimate_answer(enum dialect dialect, uint64_t tokens, struct rx_buf *out);

#endif
