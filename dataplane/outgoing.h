/*
 * outgoing.h - a request as one candidate gets it: head and body, in the
 * candidate's dialect.
 *
 * Of the same dialect it is the client's bytes but for the model; of another,
 * a translation, which then also takes the answer back.  What the channel's
 * transformers change comes after that, and ahead of it on the way back.
 */
#ifndef DATAPLANE_OUTGOING_H
#define DATAPLANE_OUTGOING_H

#include "dataplane/codec/translate.h"
#include "dataplane/inbound.h"
#include "dataplane/proxy.h"
#include "dataplane/repair.h"
#include "dataplane/route.h"
#include "dataplane/transform/transform.h"

struct outgoing {
    struct translation *translation; /* NULL: none is needed */
    struct rx_buf head;
    const rx_str *body; /* pieces; in the arena or here */
    size_t body_count;
    rx_str whole; /* the body, if it is in one piece of ours */
    const struct transform_chain *chain; /* NULL: nothing is changed */
    struct transform_filter *filter;     /* for the answer; NULL: none */
    struct rx_buf joined, changed;       /* the body before and after */
    struct rx_buf resealed;              /* passed on, with seals opened */
    struct rx_buf repaired[2];           /* without what is minded, by turns */
    struct rx_buf without;               /* what was left out, in words */
    size_t repairs;
};

/* All borrowed; must stay until outgoing_clear. */
struct outgoing_ask {
    const struct inbound *in;
    const struct path *path;
    const struct rx_httpd_head *from;
    const struct candidate *to;
    struct rx_arena *arena;
    struct proxy *proxy;
    const struct transform_set *transformers; /* of a rule; NULL: none */
    bool strict;                    /* nothing may be lost in translation */
    rx_str traceparent, tracestate; /* for the upstream; may be empty */
    rx_str tenant;                  /* id; whose conversation it is */
    const struct repair *repair; /* what this candidate minded; NULL: nothing */
};

void outgoing_init(struct outgoing *o);
/* RX_INVALID or RX_TOO_BIG, with words for the client, when the request cannot
 * be said in the candidate's dialect. */
RX_NODISCARD enum rx_code outgoing_make(
    struct outgoing *o, const struct outgoing_ask *ask, struct rx_err *err);
/* Is what is minded in there, so that it may be sent without? */
bool outgoing_can_repair(struct outgoing *o, const struct repair *r);
/* Nothing will be sent again.  True: the client's body is not needed either. */
bool outgoing_sent(struct outgoing *o);
/* The answer could not be translated, or was an error: the client was told. */
bool outgoing_failed(const struct outgoing *o);
/* How much of the request was lost in translation. */
size_t outgoing_losses(const struct outgoing *o);
/* Their names as elements of a JSON array, a dozen at most; false: none. */
bool outgoing_list_losses(const struct outgoing *o, struct rx_buf *out);
/* Each of the losses, into the debug log. */
void outgoing_log_losses(const struct outgoing *o, rx_str request_id);
void outgoing_clear(struct outgoing *o); /* for the next candidate */
void outgoing_fini(struct outgoing *o);

#endif
