/*
 * first.h - what makes a new store usable: a tenant, an admin token, a client
 * key, and channels for what the environment names.
 *
 * Each thing is made once in a store's life, in one transaction with the note
 * that it was made: what an operator deletes stays deleted.
 */
#ifndef CONTROLPLANE_FIRST_H
#define CONTROLPLANE_FIRST_H

#include "controlplane/store.h"

/* To be shown once; empty when the store is not new. */
struct first_words {
    rx_str admin_token;
    rx_str client_key;
};

/*
 * `demo_url` (NULL: none) is where a demo provider listens: its channel is made
 * when there is no other channel and no provider's key in the environment, and
 * follows when the demo moves to another port.
 */
RX_NODISCARD enum rx_code first_start(struct store *s, struct rx_arena *arena,
    const char *demo_url, struct first_words *out, struct rx_err *err);

#endif
