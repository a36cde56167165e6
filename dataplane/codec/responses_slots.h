/*
 * responses_slots.h - what of a streamed answer was told already.
 *
 * The Responses stream says everything two or three times: in deltas, in the
 * done event of the text, of the part, of the item, and in the last event.
 * Servers leave out one or the other.  A slot is one part of the answer; it
 * remembers how much of it was handed on (by length and hash, not by copy), so
 * that a done event adds only what is missing.
 */
#ifndef DATAPLANE_CODEC_RESPONSES_SLOTS_H
#define DATAPLANE_CODEC_RESPONSES_SLOTS_H

#include "dataplane/codec/codec.h"
#include "dataplane/codec/responses.h"

#define RESPONSES_SLOTS_MAX 16384u

enum slot_kind {
    SLOT_ITEM, /* marks an item that is done */
    SLOT_TEXT,
    SLOT_REFUSAL,
    SLOT_REASONING,
    SLOT_CALL,
};

struct slot {
    uint64_t output;  /* which item */
    uint64_t content; /* which of its parts; a text's or refusal's */
    enum slot_kind kind;
    uint32_t part; /* its number towards the normaliser */
    bool closed;
    uint64_t hash; /* of what was handed on */
    size_t len;
    size_t notes; /* citations handed on */
    bool likely;  /* probabilities were */
    /* reasoning comes in pieces, of its summary or of itself */
    bool begun, summary;
    uint64_t piece;
};

struct responses_reader {
    struct codec_reader base;
    struct slot *slots;
    size_t count, size;
    uint32_t parts;
    uint64_t last_output; /* for servers that do not number */
    uint64_t done;        /* items */
    bool started;
    bool said, refused; /* some text, some refusal */
};

/* NULL when it is not there. */
struct slot *slot_find(const struct responses_reader *r, enum slot_kind kind,
    uint64_t output, uint64_t content);

/* Hand on more of it. */
void slot_feed(struct responses_reader *r, struct slot *s, rx_str text);
/* `whole` is all of it: hand on what is missing. */
void slot_fill(struct responses_reader *r, struct slot *s, rx_str whole);

/* The kinds: found or made. */
struct slot *slot_text(struct responses_reader *r, bool refusal,
    uint64_t output, uint64_t content);
struct slot *slot_call(struct responses_reader *r, uint64_t output,
    const struct responses_item *item);
struct slot *slot_reasoning(
    struct responses_reader *r, uint64_t output, bool summary, uint64_t piece);

/* An item, whole: what of it was not told is told; then it is done. */
void slot_item(struct responses_reader *r, uint64_t output, rx_str raw);
/* A part of a message's content, whole. */
void slot_content(
    struct responses_reader *r, uint64_t output, uint64_t content, rx_str raw);
void slot_citation(struct responses_reader *r, struct slot *s, rx_str raw);
/* All probabilities of a text, unless some were told. */
void slot_logprobs(struct responses_reader *r, struct slot *s, rx_str list);

/* --- the response object: responses_conclude.c ---------------------------------- */

struct responses_object {
    rx_str object, id, model, status, service_tier;  /* text */
    rx_str error, incomplete_details, output, usage; /* raw */
    struct ir_int created;
};

/* False when it is no object. */
bool responses_object_read(rx_str raw, struct responses_object *out);
void responses_put_start(
    struct responses_reader *r, const struct responses_object *x);
/* It is over: by this object, or by an error. */
void responses_conclude(
    struct responses_reader *r, const struct responses_object *x);

#endif
