/*
 * transform.h - what a channel changes about requests and answers.
 *
 *   config ──transform_build──> set ──transform_find──> chain
 *
 *   request   steps in order:    body, path, query, head
 *   answer    steps in reverse:  event by event, or the document as a whole
 *
 * Everything is in the channel's own dialect: it happens to what goes over the
 * wire there, whatever dialect the client speaks.  A set lives as long as the
 * snapshot it is part of; a channel without transformers has none.
 */
#ifndef DATAPLANE_TRANSFORM_TRANSFORM_H
#define DATAPLANE_TRANSFORM_TRANSFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

struct transform_set;
struct transform_chain;
struct transform_filter;

/*
 * Read a configuration (shared/transformers.h).  RX_INVALID names what cannot
 * be done here.  *out is NULL when there is nothing to do.
 */
RX_NODISCARD enum rx_code transform_build(rx_str config, struct rx_arena *arena,
    const struct transform_set **out, struct rx_err *err);

/*
 * The steps for a request in that dialect to that model, as the provider calls
 * it; NULL when there are none.  `set` may be NULL.
 */
const struct transform_chain *transform_find(
    const struct transform_set *set, enum dialect dialect, rx_str model);

/* One behind the other, in the arena; either may be NULL. */
const struct transform_chain *transform_join(struct rx_arena *arena,
    const struct transform_chain *first, const struct transform_chain *second);

/* Names of the steps, for the log. */
void transform_names(const struct transform_chain *chain, struct rx_buf *out);

/* A request as it is about to be sent.  All but `model` may be changed. */
struct transform_outgoing {
    enum dialect dialect; /* of the channel */
    enum operation op;
    bool stream;
    rx_str model;           /* as the provider calls it */
    rx_str betas;           /* anthropic-beta, as it would be sent */
    rx_str body;            /* in: borrowed; out: in `changed` if changed */
    rx_str path, query;     /* out: in `arena` if changed */
    struct rx_buf *changed; /* where a changed body is put */
    struct rx_arena *arena; /* for small texts that live with the request */
    uint64_t (*random)(void *arg);
    void *arg;
};

/* Changes of the head, once it is written. */
struct transform_headers;

/*
 * RX_INVALID: the body is not JSON.  *filter is what the answer has to go
 * through, or NULL; *headers may be NULL, too, and lives in the arena.
 */
RX_NODISCARD enum rx_code transform_request(const struct transform_chain *chain,
    struct transform_outgoing *out, struct transform_headers **headers,
    struct transform_filter **filter, struct rx_err *err);
/* `head` ends with its empty line; credentials and framing stay. */
void transform_head(
    const struct transform_headers *headers, struct rx_buf *head);

/* ---- the answer ---- */

/* What came out; both valid until the next call. */
struct transform_bytes {
    rx_str shown;  /* for the client */
    rx_str hidden; /* whole events that only we should see: usage */
};

void transform_filter_free(struct transform_filter *f);
/*
 * The head of an answer is here.  False: it is not one the steps can read (an
 * error, a download), and passes as it is.
 */
bool transform_filter_begin(struct transform_filter *f, int status,
    rx_str content_type, rx_str content_encoding);
/* From then on: what type the answer is shown as; empty: its own. */
rx_str transform_filter_type(const struct transform_filter *f);
/* RX_TOO_BIG, RX_INVALID (its coding is broken): the answer cannot go on. */
RX_NODISCARD enum rx_code transform_filter_feed(
    struct transform_filter *f, rx_str bytes, struct transform_bytes *out);
/* The answer is over: what was held back. */
void transform_filter_end(
    struct transform_filter *f, bool clean, struct transform_bytes *out);

#endif
