/*
 * window_poll.h - asks providers how much of an account's windows is used,
 * where they tell (provider.h) and the key is one of a subscription.
 */
#ifndef CONTROLPLANE_WINDOW_POLL_H
#define CONTROLPLANE_WINDOW_POLL_H

#include "controlplane/store.h"
#include "controlplane/windows.h"
#include "shared/fetch.h"

struct window_poll;

RX_NODISCARD struct window_poll *window_poll_new(struct rx_loop *loop,
    struct rx_fetch *fetch, struct store *store, struct windows *windows);
void window_poll_free(struct window_poll *p);
/* Channels or settings are others now. */
void window_poll_changed(struct window_poll *p);

#endif
