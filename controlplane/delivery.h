/*
 * delivery.h - sends what webhooks are owed, until they have it.
 *
 * A row is gone once its webhook said 2xx; anything else is tried again after
 * 1 s, 5 s, 30 s, … an hour, and given up after half a day.  What was under way
 * when the process died is sent again: receivers tell events apart by their id.
 */
#ifndef CONTROLPLANE_DELIVERY_H
#define CONTROLPLANE_DELIVERY_H

#include "controlplane/alert.h"
#include "controlplane/store.h"
#include "shared/fetch.h"

struct deliveries;

RX_NODISCARD struct deliveries *deliveries_new(struct rx_loop *loop,
    struct rx_fetch *fetch, struct store *store, struct alerts *alerts);
/* What is under way is cancelled; its rows stay. */
void deliveries_free(struct deliveries *d);
/* There may be new rows. */
void deliveries_wake(struct deliveries *d);

/* How long after the n-th attempt (from 1) the next one is made, before jitter;
 * 0: it is given up. */
uint64_t delivery_backoff(uint64_t attempts);

/* One POST to a webhook, at once.  Headers and body are copied. */
struct webhook;
RX_NODISCARD struct rx_transfer *delivery_post(struct rx_fetch *fetch,
    const struct webhook *h, rx_str body,
    void (*fn)(void *arg, const struct rx_transfer_result *result), void *arg);

#endif
