/*
 * translate.h - one request to a channel of another dialect, and its answer
 * back: all that the data plane needs of codec/.
 *
 *     translation_new()       the client's body → the channel's, or a refusal
 *     translation_begin()     the answer's head has come
 *     translation_feed() …    its bytes → the client's
 *     translation_end()       whatever is due at the end, or at the break
 *
 * An answer never ends cleanly for the client unless it did for the upstream:
 * a break is written as an error in the client's dialect.
 */
#ifndef DATAPLANE_CODEC_TRANSLATE_H
#define DATAPLANE_CODEC_TRANSLATE_H

#include <stdbool.h>

#include "dataplane/codec/codec.h"
#include "dataplane/memory.h"

struct translation;

struct translate_ask {
    enum dialect client;
    rx_str body;        /* the client's; stays until translation_drop_body */
    rx_str model_asked; /* plain; as the client named it */
    rx_str model;       /* plain; what the channel is asked for */
    bool stream;
    bool stream_array;         /* Gemini: not as events but as one JSON array */
    struct capability_key key; /* of the channel; its dialect is the target */
    struct codec_world world;
    bool count;            /* only the tokens are wanted */
    bool strict;           /* RX_INVALID instead of a loss */
    struct memory *memory; /* of reasoning; NULL: none is kept */
    rx_str tenant;         /* whose it is; stays as long as the translation */
};

/* Can requests of one dialect go to channels of the other? */
bool translate_can(enum dialect client, enum dialect channel);

/* RX_INVALID, with the field's path and what is wrong with it, if not. */
RX_NODISCARD enum rx_code translation_new(struct translation **out,
    const struct translate_ask *ask, struct rx_err *err);
void translation_free(struct translation *t);

/* What to send; valid until translation_drop_body. */
rx_str translation_body(const struct translation *t);
rx_str translation_path(const struct translation *t);    /* with its query */
rx_str translation_headers(const struct translation *t); /* whole lines */
/* Of the request; once it is over, of the answer too. */
const struct ir_losses *translation_losses(const struct translation *t);
/* Nothing will be sent again. */
void translation_drop_body(struct translation *t);
/* The client's body must stay to the end: its answer repeats parts of it. */
bool translation_needs_body(const struct translation *t);

/* The head of the answer.  May come once only. */
void translation_begin(struct translation *t, int status, rx_str content_type,
    rx_str content_encoding);
/* Bytes of the answer; what the client gets of them is appended to `out`. */
void translation_feed(struct translation *t, rx_str bytes, struct rx_buf *out);
/* No more will come; `clean` if the framing says that it is all. */
void translation_end(struct translation *t, bool clean, struct rx_buf *out);

/* What the client is told, from the first bytes in `out` on. */
int translation_status(const struct translation *t);
rx_str translation_content_type(const struct translation *t);
/* An error was written. */
bool translation_failed(const struct translation *t);

#endif
