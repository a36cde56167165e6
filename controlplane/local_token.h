/*
 * local_token.h - the admin token of whoever can read the master key.
 *
 * `routex` on the control plane's own machine needs no token typed in: both
 * sides derive the same one from the master key file (0600), so that no further
 * secret lies on the disk.  Replacing the master key replaces it.
 */
#ifndef CONTROLPLANE_LOCAL_TOKEN_H
#define CONTROLPLANE_LOCAL_TOKEN_H

#include "shared/buf.h"
#include "shared/err.h"

/* Append "rta_local_…".  RX_NOT_FOUND or RX_DENIED as rx_key_file() has it. */
RX_NODISCARD enum rx_code local_token(
    const char *master_key_file, struct rx_buf *out, struct rx_err *err);

#endif
