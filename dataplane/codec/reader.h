/*
 * reader.h - what the readers of answers share.
 */
#ifndef DATAPLANE_CODEC_READER_H
#define DATAPLANE_CODEC_READER_H

#include "dataplane/codec/codec.h"

static inline void
reader_put(struct codec_reader *r, const struct ir_event *e)
{
    ir_put(&r->to, e);
}

/* More of a part; nothing is no event. */
void reader_put_bytes(struct codec_reader *r, enum ir_event_kind kind,
    uint32_t part, rx_str text);
/* The figures in a usage object, with those that came before. */
void reader_put_usage(struct codec_reader *r, rx_str object);

/* What only this dialect's models of one family can read. */
struct ir_opaque reader_seal(
    const struct codec_reader *r, rx_str bytes, char kind);

/* The answer ends in an error: this one, */
void reader_fail(struct codec_reader *r, const struct ir_error *e);
void reader_fail_with(
    struct codec_reader *r, enum ir_fault fault, rx_str words);
/* the one a document tells, or else these words, */
void reader_fail_by(struct codec_reader *r, rx_str document, rx_str words);
/* or that the rest of it did not come. */
void reader_fail_cut(struct codec_reader *r);

#endif
