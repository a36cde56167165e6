/*
 * admin.h - who may use the admin API: tokens, "rta_" and 40 random characters,
 * of which only digests are stored.
 */
#ifndef CONTROLPLANE_ADMIN_H
#define CONTROLPLANE_ADMIN_H

#include <stdint.h>

#include "controlplane/store.h"

#define ADMIN_PREFIX "rta_"

/* Make a token, inside a transaction; *token is the only copy of it. */
RX_NODISCARD enum rx_code admin_create(struct store *s, struct rx_arena *arena,
    rx_str name, rx_str *token, struct rx_err *err);
/* Whose token is it?  RX_UNAUTHENTICATED when nobody's. */
RX_NODISCARD enum rx_code admin_check(struct store *s, struct rx_arena *arena,
    rx_str token, rx_str *name, struct rx_err *err);

#endif
