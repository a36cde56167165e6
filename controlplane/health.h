/*
 * health.h - checks every channel now and then, straight at its provider.
 *
 *   settings, channels ─> when is whose turn ─> probe.h ─> pulse.h ─┬─> rows
 *                                                                  ├─> alert
 *                                                                  └─> troubles
 *
 * A channel that failed several checks in a row is down: data planes pass it by
 * like one that is failing (docs/routing.md), until checks succeed again or a
 * request of theirs did.  A key that is refused is no reason: that is between
 * the key and the provider, and the planes find it out by themselves.
 */
#ifndef CONTROLPLANE_HEALTH_H
#define CONTROLPLANE_HEALTH_H

#include "controlplane/alert.h"
#include "controlplane/demo.h"
#include "controlplane/pulse.h"
#include "controlplane/store.h"
#include "controlplane/trouble.h"
#include "shared/fetch.h"

struct health;

struct health_options {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct alerts *alerts;
    struct troubles *troubles;
    struct demo *demo; /* hears of good answers */
};
/* Takes up where the rows end.  All of the options outlive it. */
RX_NODISCARD struct health *health_new(const struct health_options *options);
void health_free(struct health *h);
/* Channels or settings are others now. */
void health_changed(struct health *h);
/* An operator says that the channel is well. */
void health_forget(struct health *h, rx_str channel);

/* How many of those that are checked. */
size_t health_count(const struct health *h, enum pulse_state state);
/* "unknown", "up", "down" */
const char *health_state(const struct health *h, rx_str channel);
/* {"state":…,"checks":[…]} of one channel, newest first, at most `limit`. */
RX_NODISCARD enum rx_code health_put(struct health *h, rx_str channel,
    size_t limit, struct rx_json_out *w, const char *key, struct rx_err *err);

#endif
