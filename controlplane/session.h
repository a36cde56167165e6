/*
 * session.h - what a browser holds after a log-in: a cookie of 32 random bytes,
 * of which only the digest is stored, and a CSRF token that is derived from it.
 *
 *   log-in ──> row, cookie ──(used)──> seen ──> ...
 *                 └─(idle, or too old, or its user or token is gone)──> nobody's
 *
 * The cookie is HttpOnly, so a page learns the CSRF token only by asking, and
 * no other site's page can ask.
 */
#ifndef CONTROLPLANE_SESSION_H
#define CONTROLPLANE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/store.h"
#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/secret.h"

#define SESSION_COOKIE   "routex_session"
#define SESSION_PER_USER 32 /* the oldest one goes */

struct session_limits {
    uint64_t idle_ms;     /* since it was last used */
    uint64_t absolute_ms; /* since the log-in */
};

/* Whose it is: a user's, or that of the admin token with this digest. */
struct session {
    rx_str user_id; /* empty: the token's */
    struct rx_digest token;
    uint64_t created_ms, seen_ms;
    uint64_t expires_ms; /* the earlier of the two limits */
};

/* The session cookie of a Cookie header; empty if none. */
rx_str session_cookie(rx_str header);
/* The header lines that set it, and that take it away. */
void session_put_cookie(
    struct rx_buf *headers, rx_str cookie, uint64_t age_ms, bool secure);
void session_clear_cookie(struct rx_buf *headers, bool secure);

/* "…" of the page that holds this cookie, in the arena. */
rx_str session_csrf(struct rx_arena *arena, rx_str cookie);
/* In constant time.  An empty `shown` is wrong. */
bool session_csrf_fits(rx_str cookie, rx_str shown);

/* Inside a transaction; *cookie is the only copy of it.  What has expired, and
 * what is too much of one user's, goes. */
RX_NODISCARD enum rx_code session_create(struct store *s,
    struct rx_arena *arena, const struct session *whose, rx_str address,
    const struct session_limits *limits, rx_str *cookie, struct rx_err *err);
/* RX_UNAUTHENTICATED when there is none, or it is over.  Notes that it was
 * seen, once a minute at most. */
RX_NODISCARD enum rx_code session_find(struct store *s, struct rx_arena *arena,
    rx_str cookie, const struct session_limits *limits, struct session *out,
    struct rx_err *err);
/* Log out; no such session is fine. */
RX_NODISCARD enum rx_code session_end(
    struct store *s, rx_str cookie, struct rx_err *err);
RX_NODISCARD enum rx_code session_end_all(
    struct store *s, rx_str user_id, struct rx_err *err);

#endif
