/*
 * state.h - what passes between the store and the planes, in plain structs.
 *
 *   store ──state_source──> publisher ──> data planes
 *   store <──usage_sink──── collector <── data planes
 *
 * The publisher asks the source for everything once, then for single items
 * that were changed.  The collector hands the sink whole batches to commit.
 * Neither knows SQL; the store knows neither sockets nor protobuf.
 */
#ifndef CONTROLPLANE_STATE_H
#define CONTROLPLANE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/price.h"
#include "shared/secret.h"
#include "shared/str.h"
#include "shared/window.h"

/* ---- down: the configuration ------------------------------------------- */

struct state_endpoint {
    rx_str dialect;  /* "anthropic", "chat", "responses", "gemini" */
    rx_str base_url; /* no trailing slash */
    rx_str auth;     /* "x-api-key", "bearer", ... see proto/snapshot.proto */
};

struct state_header {
    rx_str name;
    rx_str value;
};

struct state_credential {
    rx_str id;
    rx_str kind;   /* "api_key", "oauth" */
    rx_str secret; /* in clear */
    bool enabled;
    rx_str auth; /* how it is sent; empty: as the endpoint says */
    const struct state_header *headers; /* sent along with it */
    size_t header_count;
};

struct state_model {
    rx_str name;     /* may hold '*' */
    rx_str upstream; /* empty: as requested */
};

struct state_timeouts { /* 0: as in the settings (total: no limit) */
    uint32_t connect_ms, first_byte_ms, first_event_ms, idle_ms, total_ms;
};

struct state_channel {
    rx_str id, name, type;
    const struct state_endpoint *endpoints;
    size_t endpoint_count;
    const struct state_credential *credentials;
    size_t credential_count;
    const struct state_model *models;
    size_t model_count; /* 0: any model */
    int32_t priority;
    uint32_t weight;
    rx_str status; /* "enabled", "disabled", "paused" */
    const rx_str *tags;
    size_t tag_count;
    const struct state_header *headers;
    size_t header_count;
    struct state_timeouts timeouts;
    rx_str proxy_url;    /* empty: none */
    rx_str ca_file;      /* empty: the system's */
    rx_str transformers; /* JSON */
    uint64_t cost_ppm;   /* of the list price */
};

/* Order is that of Limits in proto/limit.proto. */
enum state_limit {
    STATE_LIMIT_REQUESTS,   /* a minute */
    STATE_LIMIT_TOKENS,     /* a minute */
    STATE_LIMIT_CONCURRENT, /* requests at a time */
    STATE_LIMIT_QUOTA,      /* tokens in `window` */
    STATE_LIMIT_BUDGET,     /* millionths of a dollar in `budget_window` */
    STATE_LIMITS
};
#define STATE_LIMIT_MOST ((uint64_t)1000000000000)

struct state_limits {
    uint64_t most[STATE_LIMITS]; /* 0: no such limit */
    enum rx_window window, budget_window;
};

struct state_tenant {
    rx_str id, name;
    bool enabled;
    const rx_str *models;
    size_t model_count;
    const rx_str *channels;
    size_t channel_count;
    struct state_limits limits;
    const rx_str *ips; /* "10.0.0.0/8"; none: from anywhere */
    size_t ip_count;
};

struct state_key {
    rx_str id, name;
    struct rx_digest digest;
    rx_str tenant_id;
    bool enabled;
    uint64_t expires_ms; /* 0: never */
    struct rx_digest old_digest;
    uint64_t old_until_ms; /* 0: there is no old text */
    bool may_force_channel;
    const rx_str *models;
    size_t model_count;
    const rx_str *channels;
    size_t channel_count;
    struct state_limits limits;
    const rx_str *ips;
    size_t ip_count;
};

struct state_breaker {
    uint32_t window_ms; /* 0: never opens */
    uint32_t min_samples, failure_pct, in_a_row;
    uint32_t open_ms, open_max_ms;
};

#define PRICE_NAMES_MAX 6
struct state_price {
    const struct rx_price *price;
    rx_str names[PRICE_NAMES_MAX];
    size_t name_count;
    bool set; /* by an operator */
};

/* Whose bodies are kept; with both lists empty: everybody's. */
struct state_capture {
    bool enabled;
    const rx_str *tenants, *keys, *patterns;
    size_t tenant_count, key_count, pattern_count;
    uint32_t max_bytes; /* of each body */
};

struct state_settings {
    rx_str strategy; /* "priority", ... */
    struct state_breaker breaker;
    uint32_t max_wait_ms;    /* of a request, for a channel to come back */
    uint32_t session_ttl_ms; /* 0: conversations are not kept together */
    struct state_timeouts timeouts;
    uint32_t max_attempts;
    bool strict_translation; /* what would be lost is refused */
    uint64_t max_body_bytes;
    uint64_t journal_limit_bytes;
    rx_str journal_full; /* "keep-serving", "refuse" */
    struct state_capture capture;
    rx_str trace_upstream;            /* "off", "client", "always" */
    rx_str log_level;                 /* empty: as each process was started */
    const struct state_price *prices; /* only where it goes to the planes */
    size_t price_count;
    uint64_t price_version;
};

/* See proto/snapshot.proto for what each holds. */
struct state_condition {
    rx_str kind;
    const rx_str *texts;
    size_t text_count;
    const int64_t *numbers;
    size_t number_count;
    const struct state_condition *parts;
    size_t part_count;
};

struct state_hop {
    const rx_str *channels;  /* ids */
    const uint32_t *weights; /* as many as channels, or NULL: in order */
    size_t channel_count;
    rx_str tag, model;
};

struct state_rule {
    rx_str id, name, type;
    bool enabled, strict;
    int32_t priority;
    uint64_t created_ms;
    struct state_condition condition;
    const struct state_hop *hops;
    size_t hop_count;
    rx_str strategy;
    rx_str transformers; /* JSON; empty: none */
    rx_str agent; /* whose the requests are that meet it; empty: nobody's */
};

struct state_function {
    rx_str id, name, source;
};

enum state_kind {
    STATE_CHANNEL,
    STATE_TENANT,
    STATE_KEY,
    STATE_SETTINGS, /* one item, id "" */
    STATE_RULE,
    STATE_FUNCTION,
    STATE_KINDS
};

/* One item; `kind` says which member is filled. */
struct state_item {
    enum state_kind kind;
    struct state_channel channel;
    struct state_tenant tenant;
    struct state_key key;
    struct state_settings settings;
    struct state_rule rule;
    struct state_function function;
};

/* The store's side of publishing.  Both calls happen on the loop. */
struct state_source {
    void *arg;
    /*
     * Call each(user, item) for every item there is, settings included, in any
     * order; the item need only live for the call.
     */
    enum rx_code (*walk)(void *arg,
        void (*each)(void *user, const struct state_item *item), void *user,
        struct rx_err *err);
    /*
     * Fill `out` with one item; what it points to lives in `arena`.
     * RX_NOT_FOUND: it is gone, and its deletion is published.
     */
    enum rx_code (*load)(void *arg, enum state_kind kind, rx_str id,
        struct rx_arena *arena, struct state_item *out, struct rx_err *err);
};

/* ---- up: what happened ------------------------------------------------- */

/* Order and meaning are those of Usage in proto/telemetry.proto. */
#define STATE_COUNTERS(X) \
    X(in_uncached)        \
    X(cache_read)         \
    X(cache_write_5m)     \
    X(cache_write_1h)     \
    X(cache_write_other)  \
    X(in_tool_use)        \
    X(out_total)          \
    X(out_reasoning)      \
    X(in_audio)           \
    X(in_image)           \
    X(out_audio)          \
    X(out_image)          \
    X(web_searches)       \
    X(web_fetches)

enum usage_count {
#define STATE_COUNTER_ENUM(name) COUNT_##name,
    STATE_COUNTERS(STATE_COUNTER_ENUM)
#undef STATE_COUNTER_ENUM
        COUNT_COUNTERS
};

struct usage_counts {
    uint32_t has; /* 1u << enum usage_count; absent is not zero */
    uint64_t n[COUNT_COUNTERS];
    rx_str service_tier;
    rx_str provenance; /* "reported", "partial", "estimated", "none" */
};

struct usage_attempt {
    rx_str channel_id, channel, credential_id, model;
    uint32_t status; /* HTTP; 0: none came */
    rx_str code, reason;
    uint64_t start_ms; /* after the request's start */
    uint32_t connect_ms, first_byte_ms, total_ms;
    bool reused;
    uint64_t bytes;
    rx_str upstream_request_id;
    bool has_usage;
    struct usage_counts usage;
};

struct usage_row {
    uint64_t seq;
    rx_str request_id;
    uint64_t started_ms; /* wall clock */
    rx_str tenant_id, key_id;
    rx_str dialect, operation;
    bool stream;
    rx_str model_requested, model, model_served;
    rx_str channel_id, channel, rule, session, tag, user_agent, client_ip;
    rx_str agent; /* whose prompt it holds */
    uint32_t status;
    rx_str outcome, reason, finish;
    uint64_t ttft_ms, duration_ms;
    uint64_t request_bytes, response_bytes;
    struct usage_counts usage;
    rx_str trace;         /* JSON; empty: none */
    rx_str trace_context; /* shared/trace.h; empty: none */
    const struct usage_attempt *attempts;
    size_t attempt_count;
};

/*
 * Rows in order of seq, all of them greater than what was committed before.
 * There may be holes: a record damaged on the plane's disk is not in here, and
 * `last_seq` may be beyond the last row.
 */
struct usage_batch {
    rx_str plane;
    uint64_t boot;
    uint64_t last_seq; /* progress after this batch */
    uint64_t dropped;  /* lost by the plane so far in this boot: journal full */
    const struct usage_row *rows;
    size_t row_count;
};

/* A part of the state a plane could not use. */
struct plane_rejected {
    rx_str kind, id, name, reason;
};

/* The store's side of collecting.  Both calls happen on the loop. */
struct usage_sink {
    void *arg;
    /*
     * What was the last_seq of the last batch committed for (plane, boot)?
     * 0 when there was none.
     */
    enum rx_code (*progress)(void *arg, rx_str plane, uint64_t boot,
        uint64_t *seq, struct rx_err *err);
    /*
     * One transaction: the rows (UNIQUE(plane, boot, seq), a row that is there
     * already is ignored) and the progress.  RX_OK means durable: it is
     * acknowledged to the plane, which then forgets it.  Anything else: not
     * acknowledged, the plane sends it again.
     */
    enum rx_code (*commit)(
        void *arg, const struct usage_batch *batch, struct rx_err *err);
};

#endif
