/*
 * credential_token.h - the access token that a service account's key was last
 * exchanged for, as a row beside its credential.
 */
#ifndef CONTROLPLANE_CREDENTIAL_TOKEN_H
#define CONTROLPLANE_CREDENTIAL_TOKEN_H

#include <stdint.h>

#include "controlplane/store.h"
#include "shared/arena.h"
#include "shared/err.h"
#include "shared/secret.h"
#include "shared/str.h"

struct credential_token {
    rx_str token;         /* in clear; empty: none, or not asked for */
    struct rx_digest key; /* of the key it was got with */
    uint64_t got_ms;      /* wall clock */
    uint64_t expires_ms;  /* 0: there is none */
    rx_str error;         /* why the last try failed; empty: it did not */
    uint64_t failed_ms, failures; /* in a row */
};

/* Zeroed when there is no row. */
RX_NODISCARD enum rx_code credential_token_load(struct store *s,
    struct rx_arena *arena, rx_str credential, bool secret,
    struct credential_token *out, struct rx_err *err);
/* Insert or replace, inside a transaction. */
RX_NODISCARD enum rx_code credential_token_save(struct store *s,
    rx_str credential, const struct credential_token *t, struct rx_err *err);
/* Remove those whose credential is gone, inside a transaction. */
RX_NODISCARD enum rx_code credential_token_sweep(
    struct store *s, struct rx_err *err);

#endif
