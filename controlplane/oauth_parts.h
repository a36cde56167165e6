/*
 * oauth_parts.h - what the files of oauth.h share, and nobody else sees.
 */
#ifndef CONTROLPLANE_OAUTH_PARTS_H
#define CONTROLPLANE_OAUTH_PARTS_H

#include "controlplane/oauth.h"
#include "controlplane/oauth_token.h"

#define OAUTH_ID_MAX 64

struct oauth {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct troubles *troubles;
    struct alerts *alerts;
    struct oauth_providers *providers;
    struct rx_list keepers; /* of accounts */
    struct rx_list asks;    /* requests to providers under way */
    struct rx_task look;    /* the store was changed */
};

/* An account, as long as it exists. */
struct keeper {
    struct rx_link link;
    struct oauth *oauth;
    char id[OAUTH_ID_MAX + 1];
    char name[OAUTH_ID_MAX + 1];
    struct rx_digest access; /* of the token in force */
    uint64_t mark;           /* … and its rx_secret_mark() */
    struct oauth_span span;
    bool renewable, needs_login;
    bool rejected;     /* its token is not taken any more */
    uint64_t refusals; /* tokens in a row that were rejected while new */
    uint64_t failures; /* in a row */
    uint64_t again_ms; /* loop time: not before that; 0: any time */
    uint64_t dice;     /* of this token's jitter */
    struct rx_timer timer;
    struct ask *ask; /* under way or to be stored; NULL: none */
};

/* A request to a provider, and what came of it until it is in the store. */
struct ask {
    struct rx_link link;
    struct oauth *oauth;
    struct rx_arena *arena;
    const struct oauth_provider *provider;
    rx_str account;                  /* id; empty: a log-in that makes one */
    const struct oauth_login *login; /* NULL: it renews */
    rx_str shown; /* the code or refresh token that was sent */
    struct oauth_actor actor;
    struct rx_list waiters;
    struct rx_transfer *transfer;
    struct rx_timer timer; /* of storing it again */
    uint64_t asked_ms;     /* wall clock */
    enum oauth_verdict verdict;
    struct oauth_grant grant;
    struct rx_err err; /* why not */
};

/* ---- oauth_ask.c ---- */

/* Send it; oauth_answered() is called later. */
/* `actor` NULL: nobody asked. */
struct ask *oauth_ask_new(struct oauth *o, const struct oauth_actor *actor);
void oauth_ask_send(struct ask *a);
void oauth_ask_wait(struct ask *a, const struct oauth_waiter *waiter);
/* What those who wait want to be in the same transaction. */
RX_NODISCARD enum rx_code oauth_ask_keep(
    struct ask *a, const struct oauth_account *account, struct rx_err *err);
/* Tell all who wait; nobody waits any more. */
void oauth_ask_tell(
    struct ask *a, const struct oauth_account *account, struct rx_err *err);
/* It is over; freed when nothing of it runs. */
void oauth_ask_end(struct ask *a);
void oauth_ask_free(struct ask *a);

/* ---- oauth_store.c ---- */

/* What became of it goes into the store; the account as it is now. */
RX_NODISCARD enum rx_code oauth_store_outcome(
    struct ask *a, struct oauth_account **out, struct rx_err *err);

/* ---- oauth.c ---- */

void oauth_answered(struct ask *a);

#endif
