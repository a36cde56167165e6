/*
 * gossip.h - what this plane learnt, told to the others, and theirs taken in.
 *
 * Troubles are told at once when they change and again every second while there
 * are any; the control plane merges and tells them to all.  Pins are told when
 * a conversation sits down, and now and then while it stays.  Nothing depends
 * on a message arriving.
 */
#ifndef DATAPLANE_GOSSIP_H
#define DATAPLANE_GOSSIP_H

#include "dataplane/follow.h"
#include "dataplane/minds.h"
#include "dataplane/session.h"
#include "dataplane/standing.h"
#include "shared/attr.h"
#include "shared/loop.h"

struct gossip;

/* All must outlive it. */
RX_NODISCARD struct gossip *gossip_new(struct rx_loop *loop,
    struct follow *follow, struct standing *standing, struct sessions *sessions,
    struct minds *minds);
void gossip_free(struct gossip *g);
/* The conversation was pinned, or goes on where it is. */
void gossip_pin(struct gossip *g, const struct session_key *key);

#endif
