/*
 * snapshot.h - one published version of the configuration, immutable.
 *
 * Built aside from a message, checked, indexed, then installed by swapping one
 * pointer.  A request pins the snapshot it starts with and unpins it when it is
 * over; the last unpin frees it.  An item that cannot be used is rejected
 * alone, and its last good value (from the previous snapshot) is kept.
 */
#ifndef DATAPLANE_SNAPSHOT_H
#define DATAPLANE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/breaker.h"
#include "dataplane/dialect.h"
#include "dataplane/limits.h"
#include "shared/err.h"
#include "shared/fetch.h"
#include "shared/ip_range.h"
#include "shared/log.h"
#include "shared/secret.h"
#include "shared/str.h"

#define AUTHS(X)                        \
    X(X_API_KEY, "x-api-key")           \
    X(BEARER, "bearer")                 \
    X(X_GOOG_API_KEY, "x-goog-api-key") \
    X(API_KEY, "api-key")               \
    X(QUERY, "query")                   \
    X(SIGV4, "sigv4")                   \
    X(NONE, "none")

enum auth_scheme {
#define AUTH_ENUM(id, name) AUTH_##id,
    AUTHS(AUTH_ENUM)
#undef AUTH_ENUM
};

struct endpoint {
    bool present;
    enum auth_scheme auth;
    struct rx_target target; /* tls, host, port, proxy, CA */
    rx_str authority;        /* for the host header */
    rx_str base_path;        /* "" or "/v1" or "/anthropic", no slash at end */
};

struct credential {
    rx_str id;
    rx_str secret;
    bool oauth;
    uint64_t mark; /* of the secret: standing.h */
    bool has_auth; /* it is sent as `auth`, whatever the endpoint says */
    enum auth_scheme auth;
    const struct rx_header *headers; /* sent along with it */
    size_t header_count;
};

struct model_entry {
    rx_str name;     /* may hold '*' */
    rx_str upstream; /* empty: as requested */
};

struct timeouts { /* ms; never 0 but `total` (no limit) */
    uint32_t connect, first_byte, first_event, idle, total;
};

struct tariff;
struct transform_set; /* transform/transform.h */

struct channel {
    rx_str id, name, type;
    struct endpoint endpoints[DIALECT_COUNT];
    const struct credential *credentials; /* enabled ones only */
    size_t credential_count;
    const struct model_entry *models;
    size_t model_count; /* 0: any model */
    uint64_t cost_ppm;  /* of the list price; 0: a flat rate */
    int32_t priority;
    uint32_t weight;
    bool enabled, paused;
    const rx_str *tags;
    size_t tag_count;
    const struct rx_header *headers; /* sent with every request */
    size_t header_count;
    struct timeouts timeouts;
    const struct transform_set *transformers; /* NULL: none */
    size_t index;                             /* in snapshot->channels */
};

struct tenant {
    rx_str id, name;
    bool enabled;
    const rx_str *models;
    size_t model_count; /* 0: any */
    const rx_str *channels;
    size_t channel_count;           /* 0: any */
    const struct limit_set *limits; /* NULL: none */
    struct rx_ip_list ips;          /* empty: from anywhere */
};

/* What bounds a key's use, its own and its tenant's. */
struct guard {
    struct limit_who who[LIMIT_OWNERS];
    struct rx_ip_list ips[LIMIT_OWNERS];
    bool limited;
};

struct client_key {
    struct rx_digest digest;
    rx_str id, name;
    const struct tenant *tenant;
    bool enabled;
    uint64_t expires_ms; /* 0: never */
    bool may_force_channel;
    const rx_str *models;
    size_t model_count;
    const rx_str *channels;
    size_t channel_count;
    const struct guard *guard; /* NULL: nothing bounds it */
};

/* In whose order candidates are asked: strategy.h. */
enum strategy {
    STRATEGY_PRIORITY,
    STRATEGY_WEIGHTED,
    STRATEGY_ROUND_ROBIN,
    STRATEGY_LEAST_USED,
    STRATEGY_LATENCY,
    STRATEGY_COST,
    STRATEGY_HEADROOM,
    STRATEGY_DRAIN,
};

/* Whose bodies are kept: capture.h. */
struct capture_settings {
    const rx_str *tenants, *keys, *patterns;
    size_t tenant_count, key_count, pattern_count;
    size_t max_bytes;
};

/* Do providers get a traceparent, and which requests' do? */
enum trace_upstream {
    TRACE_UPSTREAM_CLIENT, /* where the client sent one */
    TRACE_UPSTREAM_OFF,
    TRACE_UPSTREAM_ALWAYS
};

struct settings {
    enum strategy strategy;
    struct timeouts timeouts;
    struct breaker_limits breaker;
    uint32_t max_attempts;
    bool strict_translation; /* what would be lost is refused */
    uint32_t max_wait_ms;    /* of a request, for somebody to come back */
    uint32_t session_ttl_ms; /* 0: conversations are not kept together */
    uint64_t max_body_bytes;
    uint64_t journal_limit_bytes;
    bool journal_full_refuses;
    enum trace_upstream trace_upstream;
    const struct capture_settings *capture; /* NULL: nobody's */
    bool has_log_level; /* else as the process was started */
    enum rx_log_level log_level;
    const struct tariff *tariff; /* tariff.h; NULL: no prices */
};

struct rejected {
    rx_str kind, id, name, reason;
};

struct ruleset; /* rules.h */

struct snapshot {
    uint64_t epoch, version;
    struct rx_digest state;         /* digest of the content, as published */
    const struct channel *channels; /* by priority, highest first, then name */
    size_t channel_count;
    const struct tenant *tenants;
    size_t tenant_count;
    size_t key_count;
    struct settings settings;
    const struct ruleset *rules; /* NULL: none */
    const struct rejected *rejected;
    size_t rejected_count;
    struct shortlists *shortlists; /* what requests found in it: shortlist.h */
    /* … the rest is snapshot.c's */
};

const struct snapshot *snapshot_pin(const struct snapshot *s);
void snapshot_unpin(const struct snapshot *s);

/* NULL when unknown.  O(1) whatever the number of keys. */
const struct client_key *snapshot_find_key(
    const struct snapshot *s, const struct rx_digest *digest);
/* By name or id, looking at each of them: for people who ask. */
const struct client_key *snapshot_find_key_named(
    const struct snapshot *s, rx_str name);
/* By name or id; NULL when unknown. */
const struct channel *snapshot_find_channel(
    const struct snapshot *s, rx_str name);

/* By ids; NULL when unknown or not enabled. */
const struct credential *snapshot_find_credential(
    const struct snapshot *s, rx_str channel_id, rx_str credential_id);

/* Does `pattern` ('*' stands for any run of characters) fit `name`? */
bool snapshot_pattern_fits(rx_str pattern, rx_str name);

#endif
