/*
 * sink_field.h - what webhooks and tees have in common: an address that is
 * shown without its path, and a secret that what is sent is signed with.
 */
#ifndef CONTROLPLANE_SINK_FIELD_H
#define CONTROLPLANE_SINK_FIELD_H

#include "controlplane/field.h"
#include "shared/url.h"

#define SINK_URL_MAX 2000

/*
 * "https://host/…" of an address, in the arena, and its parts: paths and queries
 * are often a secret.  RX_INVALID: that is no address, or too long a one.
 */
RX_NODISCARD enum rx_code sink_show_url(struct rx_arena *arena, rx_str address,
    struct rx_url *parts, rx_str *shown, struct rx_err *err);
/* The secret that was given (NULL: none was), else where there is none yet one
 * that is drawn: true.  Faults go to the member "secret" of the body. */
bool sink_take_secret(struct rx_arena *arena, rx_json body, const rx_str *given,
    rx_str *secret, rx_str *last4);

#endif
