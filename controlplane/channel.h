/*
 * channel.h - an account at a provider: where it is, its keys, what it serves.
 *
 *   API body ──channel_read──┐                     ┌──channel_put──> API answer
 *                            ├──> struct channel ──┤
 *   rows ──────channel_load──┘                     ├──channel_save─> rows
 *                                                  └──channel_state> the planes
 *
 * Everything a struct channel points to lives in the arena it was made with.
 */
#ifndef CONTROLPLANE_CHANNEL_H
#define CONTROLPLANE_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/credential_token.h"
#include "controlplane/field.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"

#define CHANNEL_KEYS_MAX 64

/* One of a channel's keys. */
struct channel_key {
    rx_str id;     /* empty: new */
    rx_str kind;   /* "api_key", "service_account", "oauth" */
    rx_str secret; /* in clear; empty unless new or loaded with secrets */
    struct credential_token token; /* of a service account */
    /* oauth: name and id of its account, whose token is the secret. */
    rx_str account, account_id;
    /* How it is sent; empty: as the endpoint says.  With secrets only. */
    rx_str auth;
    struct state_header *headers;
    size_t header_count;
    rx_str last4;
    rx_str status; /* "enabled", "disabled" */
    uint64_t created_ms;
};

struct channel {
    rx_str id, name, type;
    rx_str base_url; /* empty: the provider's */
    /* Named one by one; none: the provider's dialects at the base URL. */
    struct state_endpoint *endpoints;
    size_t endpoint_count;
    struct channel_key keys[CHANNEL_KEYS_MAX];
    size_t key_count;
    struct state_model *models;
    size_t model_count;
    int64_t priority;
    uint64_t weight;
    rx_str status; /* "enabled", "disabled", "paused" */
    struct field_list tags;
    struct state_header *headers;
    size_t header_count;
    struct state_timeouts timeouts;
    bool unchecked;           /* no health checks of it */
    uint32_t health_every_ms; /* 0: as the settings have it */
    rx_str proxy_url;         /* may hold a password: shown redacted */
    rx_str ca_file;
    rx_str transformers; /* JSON; empty: the provider's */
    uint64_t cost_ppm; /* of the list price; 0: a flat rate, tokens are free */
    /* While a document is read: secrets it may name by their fingerprint, and
     * how many it named that nobody knows. */
    const struct field_list *offered;
    size_t missing_keys;
    uint64_t created_ms, updated_ms;
    uint64_t rev; /* grows with each change: the ETag */
};

/* A channel with every default and no name, in the arena. */
struct channel *channel_new(struct rx_arena *arena);

/*
 * Take a body into `ch`, noting faults in its document.  For FIELD_REPLACE and
 * FIELD_PATCH `ch` is the channel as loaded with secrets; keys that the body
 * does not mention stay.
 */
void channel_read(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena);
/* As an object, secrets left out; `troubles` (NULL: not known) shows what the
 * data planes learnt about it. */
struct troubles;
void channel_put(struct rx_json_out *w, const char *key,
    const struct channel *ch, const struct troubles *troubles);
/* The endpoints in force: named ones, or the provider's. */
struct state_endpoint *channel_endpoints(
    const struct channel *ch, struct rx_arena *arena, size_t *count);
/* The transformers in force, as JSON: named ones, or the provider's. */
rx_str channel_transformers(const struct channel *ch);
/* As the planes get it; `ch` must have been loaded with secrets. */
void channel_state(const struct channel *ch, struct rx_arena *arena,
    struct state_channel *out);
/*
 * Find the accounts that keys name.  RX_NOT_FOUND or RX_CONFLICT (an account of
 * another provider) with words that fit behind "account: ".
 */
RX_NODISCARD enum rx_code channel_find_accounts(struct store *s,
    struct rx_arena *arena, struct channel *ch, struct rx_err *err);
/* "http://user:****@host:1" */
rx_str channel_redact_url(struct rx_arena *arena, rx_str url);

/* ---- rows ---- */

/* `id` may be the name.  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code channel_load(struct store *s, struct rx_arena *arena,
    rx_str id, bool secrets, struct channel **out, struct rx_err *err);
/*
 * Those after `after` (name, empty: from the start) by name, without secrets
 * unless asked for.  At most `limit` into `out`.
 */
RX_NODISCARD enum rx_code channel_list(struct store *s, struct rx_arena *arena,
    rx_str after, size_t limit, bool secrets, struct channel **out,
    size_t *count, struct rx_err *err);
RX_NODISCARD enum rx_code channel_count(
    struct store *s, uint64_t *out, struct rx_err *err);
/*
 * Insert (no id yet: it gets one) or update, inside a transaction.  A key that
 * equals a stored one keeps its id.  RX_CONFLICT: the name is taken.
 */
RX_NODISCARD enum rx_code channel_save(struct store *s, struct rx_arena *arena,
    struct channel *ch, struct rx_err *err);
RX_NODISCARD enum rx_code channel_delete(
    struct store *s, const struct channel *ch, struct rx_err *err);

#endif
