/*
 * demo.h - the demo channel of the first start, and when it goes.
 *
 * It answers until a real channel has proven itself: the first time that an
 * enabled channel of another type answers well (a test of it, a health check, a
 * client's request) the demo channel is disabled, so that no client ever gets
 * its chatter when a real account fails later.  That happens once in a store's
 * life: an operator who enables it again knows what it is.
 */
#ifndef CONTROLPLANE_DEMO_H
#define CONTROLPLANE_DEMO_H

#include "controlplane/state.h"
#include "controlplane/store.h"

#define DEMO          "demo" /* type and name of its channel */
#define DEMO_PRIORITY (-100) /* asked last */

struct demo;

RX_NODISCARD struct demo *demo_new(struct store *store);
void demo_free(struct demo *d); /* NULL is allowed */
/* This channel (its id) answered well just now; outside a transaction. */
void demo_proven(struct demo *d, rx_str channel);
/* Sees the requests that `inner` has committed. */
struct usage_sink demo_sink(struct demo *d, struct usage_sink inner);

#endif
