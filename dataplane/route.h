/*
 * route.h - which channels may serve a request, in which order.
 *
 * The one door to the choice of a channel: the exchange asks for a plan once
 * and then takes candidates off it until one works.  Why a channel is not a
 * candidate has a typed reason, the same for the client's error, the request's
 * trace and `explain`.
 */
#ifndef DATAPLANE_ROUTE_H
#define DATAPLANE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/dialect.h"
#include "dataplane/refusal.h"
#include "dataplane/snapshot.h"
#include "dataplane/standing.h"
#include "shared/arena.h"
#include "shared/buf.h"

/* id, reason in words */
#define ROUTE_REASONS(X)                           \
    X(OK, "ok")                                    \
    X(DISABLED, "disabled")                        \
    X(PAUSED, "paused")                            \
    X(NOT_FORCED, "another channel was asked for") \
    X(NOT_TARGET, "is not where the rule points")  \
    X(NOT_ALLOWED, "not allowed for this key")     \
    X(MODEL, "does not serve the model")           \
    X(DIALECT, "does not speak the dialect")       \
    X(NO_CREDENTIAL, "has no usable credential")   \
    X(TROUBLED, "is in trouble")

enum route_reason {
#define ROUTE_ENUM(id, words) ROUTE_##id,
    ROUTE_REASONS(ROUTE_ENUM)
#undef ROUTE_ENUM
};
const char *route_reason_words(enum route_reason reason);

/* What the client's `model` and x-routex-channel come to. */
struct route_wanted {
    rx_str model;
    const struct channel *only; /* NULL: any channel */
};

struct session_pin;

/* What is asked. All borrowed. */
struct route_request {
    const struct snapshot *snapshot;
    const struct client_key *key;
    enum dialect dialect;
    enum operation op;
    rx_str model;  /* decoded; empty when the operation names none */
    rx_str forced; /* x-routex-channel; empty if absent */
    uint64_t dice; /* random: settles what nothing else does */
    struct standing *standing;     /* what was learnt; NULL: nothing */
    uint64_t now_ms;               /* loop time */
    uint64_t session;              /* the conversation's hash; 0: not known */
    const struct session_pin *pin; /* where it sits; NULL: nowhere */
    /* The one seat that can serve it, as it keeps what is referred to. */
    const struct session_pin *home;
    bool sober; /* no panic: somebody else may be asked instead */
    /* What a rule says: */
    const struct channel *only; /* NULL: any */
    rx_str tag;                 /* only channels tagged so; empty: any */
    bool rewritten; /* `model` is the rule's: a name as it stands, allowed */
    /* What it may take, for who goes by price; NULL: not known. */
    uint64_t (*tokens)(void *arg); /* of input */
    void *tokens_arg;
    uint64_t output;
    bool has_strategy; /* else as in the settings */
    enum strategy strategy;
};

struct candidate {
    const struct channel *channel;
    const struct credential *credential; /* NULL: the endpoint needs none */
    const struct endpoint *endpoint;
    enum dialect
        dialect;  /* of the endpoint; not the client's: to be translated */
    rx_str model; /* what the upstream is asked for */
};

#define ROUTE_CANDIDATES_MAX 8 /* no more are ever tried */
struct route_plan {
    struct candidate candidates[ROUTE_CANDIDATES_MAX];
    size_t count;
    bool panic;    /* all are out: the one due soonest is tried nevertheless */
    bool pinned;   /* the first is where the conversation sits */
    bool pin_lost; /* where it sits is in trouble */
    /* when count is 0: */
    uint64_t until_ms; /* the earliest return, loop time; 0: nobody knows */
    bool foreign; /* some channel serves the model, but in another dialect */
    enum refusal refusal;
    char words[256];
};

/*
 * Fills `plan`; candidates in the order they should be tried.  False when
 * there is none, with the refusal for the client.
 */
bool route_plan(struct route_plan *plan, const struct route_request *request);

/* May the channel be asked, and if not, why? */
enum route_reason route_reason_of(
    const struct channel *channel, const struct route_request *request);

/* Does `model` name a channel ("main,gpt-5", "main/gpt-5")? */
bool route_names_channel(const struct route_request *request);

/*
 * What `channel` calls the model; false when it does not serve it.  An exact
 * name beats a pattern wherever it stands in the list.
 */
bool route_map_model(
    const struct channel *channel, rx_str model, rx_str *upstream);

/* May this key use a model of that name? (both its own and its tenant's list) */
bool route_key_allows_model(const struct client_key *key, rx_str model);
bool route_key_allows_channel(
    const struct client_key *key, const struct channel *channel);

#endif
