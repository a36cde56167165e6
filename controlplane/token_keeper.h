/*
 * token_keeper.h - keeps the access tokens of service accounts fresh.
 *
 *     key ──signed request──> token endpoint ──> row ──> the planes
 *
 * When a token is renewed, and when a failure is tried again, oauth_time.h says.
 * A new or changed key is exchanged at once, and so is one whose token a
 * provider did not take.
 */
#ifndef CONTROLPLANE_TOKEN_KEEPER_H
#define CONTROLPLANE_TOKEN_KEEPER_H

#include <stdint.h>

#include "controlplane/store.h"
#include "shared/fetch.h"
#include "shared/loop.h"
#include "shared/secret.h"

struct token_keeper;

struct token_keeper *token_keeper_new(
    struct rx_loop *loop, struct rx_fetch *fetch, struct store *store);
void token_keeper_free(struct token_keeper *k); /* NULL is allowed */

/* A channel was made, changed or deleted. */
void token_keeper_changed(struct token_keeper *k);

/* A provider did not take this token; nothing if it is not in force. */
void token_keeper_rejected(
    struct token_keeper *k, rx_str credential, const struct rx_digest *token);

#endif
