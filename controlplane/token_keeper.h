/*
 * token_keeper.h - keeps the access tokens of service accounts fresh.
 *
 *     key ──signed request──> token endpoint ──> row ──> the planes
 *
 * A token is renewed five minutes ahead of its end, or at half of its life if
 * that is later; a failure is tried again after 1 s, doubling to a minute.  A
 * new or changed key is exchanged at once.
 */
#ifndef CONTROLPLANE_TOKEN_KEEPER_H
#define CONTROLPLANE_TOKEN_KEEPER_H

#include <stdint.h>

#include "controlplane/store.h"
#include "shared/fetch.h"
#include "shared/loop.h"

struct token_keeper;

struct token_keeper *token_keeper_new(
    struct rx_loop *loop, struct rx_fetch *fetch, struct store *store);
void token_keeper_free(struct token_keeper *k); /* NULL is allowed */

/* A channel was made, changed or deleted. */
void token_keeper_changed(struct token_keeper *k);

/* When a token of that life should be renewed; wall clock. */
uint64_t token_due_ms(uint64_t got_ms, uint64_t expires_ms);
/* The pause after the n-th failure in a row, from 1. */
uint64_t token_pause_ms(uint64_t failures);

#endif
