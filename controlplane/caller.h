/*
 * caller.h - who calls the admin API, from the head of the request.
 *
 *   Authorization: Bearer …   ADMIN_API_KEY, the local token, an admin token
 *   Cookie: routex_session=…  a log-in; what changes something also needs its
 *                             CSRF token in X-CSRF-Token
 */
#ifndef CONTROLPLANE_CALLER_H
#define CONTROLPLANE_CALLER_H

#include <stdbool.h>

#include "controlplane/scope.h"
#include "controlplane/session.h"
#include "controlplane/store.h"
#include "shared/arena.h"
#include "shared/httpd.h"
#include "shared/secret.h"

/* Tokens that are in no table. */
struct caller_tokens {
    struct rx_digest local;
    bool has_environment;
    struct rx_digest environment;
};

/* RX_UNAUTHENTICATED: nobody that is known; *out is then CALLER_NOBODY. */
RX_NODISCARD enum rx_code caller_find(struct store *s, struct rx_arena *arena,
    const struct caller_tokens *tokens, const struct rx_httpd_head *head,
    struct caller *out, struct rx_err *err);
/* Whose token is it? */
RX_NODISCARD enum rx_code caller_by_token(struct store *s,
    struct rx_arena *arena, const struct caller_tokens *tokens,
    const struct rx_digest *digest, struct caller *out, struct rx_err *err);

/* Does it come from a page of ours, as far as the browser says? */
bool caller_is_same_site(const struct rx_httpd_head *head);
/* Did the client speak TLS to whoever stands before us? */
bool caller_is_secure(const struct rx_httpd_head *head);
/* Where it comes from: what the data plane on this machine says, if it handed
 * the request over. */
rx_str caller_address(const struct rx_httpd_head *head);

#endif
