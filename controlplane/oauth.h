/*
 * oauth.h - keeps accounts at providers logged in.
 *
 *     begin ──> the person logs in there ──> finish ──> account
 *                                                         │
 *       ┌───────── a new token: stored, then published <──┤
 *       │                                                 │
 *     waits ── its end is near, or a data plane saw a 401 ─> asks the provider
 *       │                                                 │
 *       ├──────── failed: the old one is used on; again after a pause
 *       └──────── refused: nobody but a person can help: needs_login
 *
 * One request to a provider per account at a time.  What the provider gave is
 * in the store before anybody hears of it, because the refresh token it replaces
 * is dead: if the store does not take it, it is kept in memory and tried again.
 */
#ifndef CONTROLPLANE_OAUTH_H
#define CONTROLPLANE_OAUTH_H

#include "controlplane/alert.h"
#include "controlplane/oauth_account.h"
#include "controlplane/oauth_login.h"
#include "controlplane/oauth_provider.h"
#include "controlplane/trouble.h"
#include "shared/fetch.h"
#include "shared/loop.h"
#include "shared/secret.h"

struct oauth;

struct oauth_options {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct troubles *troubles;
    struct alerts *alerts;
    const char *const *changes; /* see oauth_provider.h */
    size_t change_count;
};

RX_NODISCARD enum rx_code oauth_open(struct oauth **out,
    const struct oauth_options *options, struct rx_err *err);
void oauth_close(struct oauth *o); /* NULL is allowed */

const struct oauth_providers *oauth_providers_of(const struct oauth *o);

/*
 * Who waits for the end of a request to a provider.  `keep` runs inside the
 * transaction that stores the account, after it; failing undoes it.  `done`
 * is called once, later, on the loop.  Both may be NULL.
 */
struct oauth_waiter {
    void *arg;
    enum rx_code (*keep)(
        void *arg, const struct oauth_account *a, struct rx_err *err);
    void (*done)(void *arg, const struct oauth_account *a, enum rx_code code,
        struct rx_err *err);
};

/*
 * Exchange the code of a log-in that was taken.  All is copied.  The work goes
 * on when the waiter has left: the code is good only once.
 */
void oauth_finish(struct oauth *o, const struct oauth_login *login, rx_str code,
    const struct oauth_actor *actor, const struct oauth_waiter *waiter);
/*
 * Renew now, or wait for the renewal under way.  RX_NOT_FOUND, or RX_CONFLICT
 * when it cannot be renewed: then the waiter is not called.
 */
RX_NODISCARD enum rx_code oauth_refresh(struct oauth *o, rx_str id,
    const struct oauth_actor *actor, const struct oauth_waiter *waiter,
    struct rx_err *err);
/* This waiter is not to be called any more. */
void oauth_leave(struct oauth *o, const void *arg);

/* A data plane says that a provider did not take the token of this digest. */
void oauth_token_rejected(
    struct oauth *o, rx_str credential, const struct rx_digest *digest);
/* Accounts or their channels were changed in the store. */
void oauth_changed(struct oauth *o);

#endif
