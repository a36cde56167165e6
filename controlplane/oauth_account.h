/*
 * oauth_account.h - somebody's log-in at a provider: tokens, and how they fare.
 *
 * Channels name it in their keys; what they then send is its access token.
 */
#ifndef CONTROLPLANE_OAUTH_ACCOUNT_H
#define CONTROLPLANE_OAUTH_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/oauth_time.h"
#include "controlplane/store.h"
#include "shared/json.h"

struct oauth_account {
    rx_str id; /* empty: new */
    rx_str provider, name;
    bool needs_login;
    rx_str identity, email, scope;
    rx_str access, refresh; /* in clear; empty unless loaded with secrets */
    bool renewable;         /* there is a refresh token */
    struct oauth_span span; /* of the access token */
    uint64_t refreshed_ms;
    rx_str last_error;
    uint64_t failed_ms, failures;
    uint64_t created_ms, updated_ms;
    uint64_t rev;
    bool brought; /* its tokens came with a document */
};

/* `id` may be the name.  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code oauth_account_load(struct store *s,
    struct rx_arena *arena, rx_str id, bool secrets, struct oauth_account **out,
    struct rx_err *err);
/* Those after `after` (name) by name, without secrets. */
RX_NODISCARD enum rx_code oauth_account_list(struct store *s,
    struct rx_arena *arena, rx_str after, size_t limit,
    struct oauth_account **out, size_t *count, struct rx_err *err);
/*
 * Insert or update, inside a transaction.  With `tokens` it must hold them, and
 * the channels it serves are told.  RX_CONFLICT: the name is taken.
 */
RX_NODISCARD enum rx_code oauth_account_save(struct store *s,
    struct rx_arena *arena, struct oauth_account *a, bool tokens,
    struct rx_err *err);
/* RX_CONFLICT names the channels it serves. */
RX_NODISCARD enum rx_code oauth_account_delete(
    struct store *s, const struct oauth_account *a, struct rx_err *err);
/* The account of that provider with that identity; *out NULL: none. */
RX_NODISCARD enum rx_code oauth_account_of(struct store *s,
    struct rx_arena *arena, rx_str provider, rx_str identity,
    struct oauth_account **out, struct rx_err *err);
/* "anthropic", "anthropic-2", …: the first name that is free. */
RX_NODISCARD enum rx_code oauth_account_free_name(struct store *s,
    struct rx_arena *arena, rx_str provider, rx_str *out, struct rx_err *err);

/* fn for each credential with this account. */
RX_NODISCARD enum rx_code oauth_account_uses(struct store *s, rx_str id,
    void (*fn)(void *arg, rx_str channel_id, rx_str channel, rx_str credential),
    void *arg, struct rx_err *err);
/* Whose is this credential?  Empty: nobody's. */
RX_NODISCARD enum rx_code oauth_account_by_credential(struct store *s,
    struct rx_arena *arena, rx_str credential, rx_str *id, struct rx_err *err);

/* As an object; tokens never show. */
RX_NODISCARD enum rx_code oauth_account_put(struct store *s,
    struct rx_json_out *w, const char *key, const struct oauth_account *a,
    struct rx_err *err);

#endif
