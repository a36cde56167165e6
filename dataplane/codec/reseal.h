/*
 * reseal.h - envelopes of ours in a request that is otherwise passed on as it is.
 *
 * A conversation may have gone through a channel of another dialect before; the
 * seals it brought back wear an envelope (provenance.h) that no provider knows.
 * Those of the channel's own family are taken out of it, the reasoning of others
 * is left out.  So are searches that a channel of another dialect made, which
 * the client was told of in its own; nothing else of the body changes.
 */
#ifndef DATAPLANE_CODEC_RESEAL_H
#define DATAPLANE_CODEC_RESEAL_H

#include "dataplane/codec/capability.h"
#include "shared/buf.h"

/* What every envelope has: a body without it needs no look. */
extern const rx_str reseal_mark;

/* Might there be an envelope in it?  A search for the mark. */
bool reseal_needed(rx_str body);
/* The body for that channel, appended to `out`; false when it can stay as it
 * is, and when it is no JSON (which is the provider's to say). */
bool reseal(const struct capability_key *to, rx_str body, struct rx_buf *out);

#endif
