/*
 * alert_watch.h - looks at the planes, the store and what planes learnt about
 * channels once a second, and says what is wrong.
 */
#ifndef CONTROLPLANE_ALERT_WATCH_H
#define CONTROLPLANE_ALERT_WATCH_H

#include "controlplane/alert.h"
#include "controlplane/collector.h"
#include "controlplane/publisher.h"

struct alert_watch;

/* All of them outlive it. */
RX_NODISCARD struct alert_watch *alert_watch_new(struct rx_loop *loop,
    struct alerts *alerts, struct store *store, struct publisher *publisher,
    struct collector *collector);
void alert_watch_free(struct alert_watch *w);

#endif
