/*
 * stop_filter.h - stop sequences for models that do not take them.
 *
 * Watches an answer's text for all of them at once (Aho and Corasick, 1975) and
 * holds back only what may be the beginning of one.  Texts come as they stand
 * in JSON, in any pieces; what is compared is what they mean, so an escape is
 * found whichever way it is spelt and wherever it is cut.
 */
#ifndef DATAPLANE_CODEC_STOP_FILTER_H
#define DATAPLANE_CODEC_STOP_FILTER_H

#include "dataplane/codec/capability.h"
#include "dataplane/codec/ir.h"

struct stop_filter;

/* Bytes of all sequences together. */
#define STOP_FILTER_MAX ((size_t)64 * 1024)

/* Is there a sequence that this model will not watch for itself? */
bool stop_filter_needed(
    const struct ir_request *r, const struct capability *cap);
/* Are they few and short enough to be watched for here? */
bool stop_filter_fits(const struct ir_name *sequences);

/* Of sequences that fit.  Copies of them are kept in `arena`. */
RX_NODISCARD struct stop_filter *stop_filter_new(
    struct rx_arena *arena, const struct ir_name *sequences);
void stop_filter_free(struct stop_filter *f);

/*
 * More of a text part: what can be shown by now, always whole escapes, valid
 * until the next call.  Once a sequence was found nothing can any more.
 */
rx_str stop_filter_feed(struct stop_filter *f, rx_str text);
/* The part is over: what was held back after all. */
rx_str stop_filter_flush(struct stop_filter *f);
/* Was one found?  Then which, as text. */
bool stop_filter_found(const struct stop_filter *f, rx_str *sequence);

#endif
