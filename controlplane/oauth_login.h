/*
 * oauth_login.h - log-ins that were begun and have to come back: once, within
 * ten minutes, with the state that went out.
 */
#ifndef CONTROLPLANE_OAUTH_LOGIN_H
#define CONTROLPLANE_OAUTH_LOGIN_H

#include <stdint.h>

#include "controlplane/oauth_provider.h"
#include "controlplane/store.h"

#define OAUTH_LOGIN_MS ((uint64_t)10 * 60 * 1000)

/* Who asked, for the audit log. */
struct oauth_actor {
    rx_str name; /* empty: nobody */
    rx_str kind, id, address;
};

struct oauth_login {
    rx_str provider;
    rx_str account; /* the name wished for; empty: none */
    rx_str redirect_uri;
    struct oauth_actor actor; /* who began it */
    rx_str state, verifier;
    uint64_t expires_ms; /* wall clock */
};

/* Inside a transaction: give it state, verifier and end, and keep it. */
RX_NODISCARD enum rx_code oauth_login_begin(struct store *s,
    struct rx_arena *arena, struct oauth_login *l, struct rx_err *err);
/*
 * Inside a transaction: the log-in of this state, which is good no more.
 * RX_DENIED: never given out, used already, too late, or another provider's
 * (`provider` empty: any).
 */
RX_NODISCARD enum rx_code oauth_login_take(struct store *s,
    struct rx_arena *arena, rx_str provider, rx_str state,
    struct oauth_login *out, struct rx_err *err);

/* Where the person goes. */
void oauth_login_url(const struct oauth_provider *p,
    const struct oauth_login *l, struct rx_buf *out);

/*
 * What a person brought back: "code", "code#state", "code=…&state=…", or the
 * whole address the browser was sent to.  *state stays when it brings none.
 * Texts live in the arena.  False: it holds no code.
 */
bool oauth_login_read(
    struct rx_arena *arena, rx_str brought, rx_str *code, rx_str *state);

/* Append `s` as it stands in a query or a form. */
void oauth_escape(struct rx_buf *out, rx_str s);

#endif
