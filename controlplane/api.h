/*
 * api.h - the admin API: one table of routes, one form of answer, one form of
 * error.
 *
 *   on_request: route? 404, 405    credential? 401
 *   on_body:    JSON?  400   ─> [begin] ─> handler ─> [commit] ─> reply
 *
 * A route that changes something runs inside one transaction, with its audit
 * line and the answer kept for its Idempotency-Key; only when all of that is on
 * disk does the caller get its 2xx, and only then do the planes hear of it.
 *
 * The first half is for control.c, the second for the api_<noun>.c files.
 */
#ifndef CONTROLPLANE_API_H
#define CONTROLPLANE_API_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/caller.h"
#include "controlplane/collector.h"
#include "controlplane/field.h"
#include "controlplane/login.h"
#include "controlplane/publisher.h"
#include "controlplane/scope.h"
#include "controlplane/store.h"
#include "shared/fetch.h"
#include "shared/httpd.h"
#include "shared/json.h"
#include "shared/stat.h"

struct api;
struct analytics_question;
struct backups;
struct assets;

struct api_options {
    const char *host;
    uint16_t port;         /* 0: any */
    const char *admin_key; /* ADMIN_API_KEY: also a credential; NULL: none */
    rx_str local_token;    /* of local_token.h: also a credential */
};
/* What the API shows and drives; all of it outlives the API. */
struct api_world {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct publisher *publisher;
    struct collector *collector;
    struct limiter *limiter;
    struct backups *backups;
    struct live *live;
    struct alerts *alerts;
    struct anomalies *anomalies;
    struct health *health;
    struct demo *demo;
    struct login *login;
    struct assets *assets; /* the dashboard; NULL: there is none */
    struct oauth *oauth;
    struct tees *tees;
    struct captured *captured;
};
RX_NODISCARD enum rx_code api_open(struct api **out,
    const struct api_world *world, const struct api_options *options,
    struct rx_err *err);
void api_close(struct api *api);
uint16_t api_port(const struct api *api);
/* Stop accepting; fn(arg) once the last answer is out. */
void api_drain(struct api *api, void (*fn)(void *arg), void *arg);

/* ---- for handlers ---- */

struct api_call;

#define API_PARAMS_MAX 2
#define API_QUERY_MAX  24
#define API_PAGE_MAX   200 /* elements of a list */

/*
 * RX_OK: the answer is written (or c->later is set).  Anything else: `err` says
 * why; nothing of what was written is sent, and the transaction is undone.
 */
typedef enum rx_code api_handler(struct api_call *c, struct rx_err *err);

struct api_route {
    const char *method; /* "GET" also answers HEAD */
    const char *path;   /* "/api/channels/{id}"; {path}: all that is left */
    enum api_role role; /* who may; its area is in the path: scope.h */
    bool changes;       /* runs in a transaction */
    api_handler *handle;
    const char *summary;
};
/* The whole table; ends with a NULL method. */
extern const struct api_route api_routes[];

struct api_call {
    struct api *api;
    const struct api_world *world;
    struct store *store;
    struct rx_httpd_req *req;
    const struct api_route *route;
    struct rx_arena *arena;
    rx_str params[API_PARAMS_MAX]; /* the {…} of the path, decoded */
    rx_json body;                  /* not there: none was sent */
    struct caller who;
    rx_str address; /* where from */

    struct rx_buf out;    /* the answer's body */
    struct rx_json_out w; /* inside the answer's outermost object */
    struct rx_buf headers;
    int status;                /* of the answer; 200 unless set */
    const char *raw_type;      /* content type when `out` is no JSON of ours */
    bool keeps_cache_headers;  /* `headers` say how long it may be kept */
    char field[128];           /* of the error; empty if none */
    int fail_status;           /* instead of the code's own; 0 */
    const char *fail_code;     /* instead of the code's own; NULL */
    rx_json before;            /* the item that is changed, for the audit log */
    void *work;                /* a handler's own, while it waits */
    rx_str fail_errors;        /* JSON list, when one field is not all; empty */
    bool later;                /* api_finish() will be called */
    void (*cancel)(void *arg); /* the client left before that */
    void *cancel_arg;
    void (*drained)(void *arg); /* of a stream; with cancel_arg */

    struct {
        rx_str name, value;
        bool asked;
    } query[API_QUERY_MAX];
    size_t query_count;
    uint64_t began_ms;
};

/* ?name=…, decoded; empty when absent. */
rx_str api_query(struct api_call *c, const char *name);
/* Whole number from min to max; `fallback` when absent. */
RX_NODISCARD enum rx_code api_query_u64(struct api_call *c, const char *name,
    uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out,
    struct rx_err *err);
/* RFC 3339, or a span back from now: "90s", "5m", "24h", "7d". */
RX_NODISCARD enum rx_code api_query_time(struct api_call *c, const char *name,
    uint64_t fallback, uint64_t *out, struct rx_err *err);
/*
 * Nothing else was asked for: parameters nobody knows would silently do
 * nothing.  Called for every handler after it; before that by those that begin
 * something.
 */
RX_NODISCARD enum rx_code api_query_done(
    struct api_call *c, struct rx_err *err);
/* ?limit=, ?cursor=.  The cursor is what api_put_next() was given. */
RX_NODISCARD enum rx_code api_page(
    struct api_call *c, size_t *limit, rx_str *cursor, struct rx_err *err);
/* After the list: where it goes on; empty: it ends here. */
void api_put_next(struct api_call *c, rx_str cursor);

/* The body is an object and none of it was faulty; else RX_INVALID + field. */
RX_NODISCARD enum rx_code api_body_done(struct api_call *c, struct rx_err *err);
/* Fail naming a field or parameter. */
enum rx_code api_wrong(struct api_call *c, struct rx_err *err,
    const char *field, const char *fmt, ...) RX_PRINTF(4, 5);

/* ETag of what is shown. */
void api_etag(struct api_call *c, uint64_t rev);
/* If-Match, where given, must name `rev`: else 412. */
RX_NODISCARD enum rx_code api_if_match(
    struct api_call *c, uint64_t rev, struct rx_err *err);
/* The audit line of this change. */
RX_NODISCARD enum rx_code api_audit(struct api_call *c, const char *action,
    const char *kind, rx_str id, rx_str name, struct rx_err *err);
/* The audit line of somebody who reads what only few may read; outside a
 * transaction.  Comes before what is read. */
RX_NODISCARD enum rx_code api_audit_read(struct api_call *c, const char *kind,
    rx_str id, rx_str name, struct rx_err *err);
/* ?range= or ?since=, ?until=: the last week if not said. */
RX_NODISCARD enum rx_code api_span(
    struct api_call *c, struct analytics_question *q, struct rx_err *err);
/* The same as far as sums are kept apart, outwards to whole minutes, hours or
 * days. */
RX_NODISCARD enum rx_code api_range(
    struct api_call *c, struct analytics_question *q, struct rx_err *err);
/* ?tenant= to ?tag=: names or ids, as ids. */
RX_NODISCARD enum rx_code api_only(
    struct api_call *c, struct analytics_question *q, struct rx_err *err);
void api_put_range(struct api_call *c, const struct analytics_question *q);
/* {"data":{"id":…,"deleted":true}} */
void api_put_deleted(struct api_call *c, rx_str id);
/* A handler that set c->later has its answer, or its failure, now. */
void api_finish(struct api_call *c, enum rx_code code, struct rx_err *err);
/* Begin an answer that is written piece by piece; c->later was set. */
void api_stream(struct api_call *c, const char *type);
/*
 * The same for a handler that changes something after waiting: `handle` runs
 * now, as the handler of a changing route does, and its answer is the answer.
 * Such a route has changes = false, because the wait is no transaction.
 */
void api_resume(struct api_call *c, api_handler *handle);
/* The same at once, from inside a handler; it is no Idempotency-Key's. */
RX_NODISCARD enum rx_code api_change(
    struct api_call *c, api_handler *handle, struct rx_err *err);
/* Answer RX_UNAVAILABLE, with the seconds to wait for. */
enum rx_code api_busy(struct api_call *c, uint64_t wait_s, struct rx_err *err);
const struct caller_tokens *api_tokens(const struct api *api);
struct rx_stat *api_stat(struct api *api);
/* The numbers of /metrics that are asked for when somebody looks. */
void api_ops_stats(struct rx_stat *stat, struct api_world *world);
uint64_t api_uptime_s(const struct api *api);

/* One file per noun. */
api_handler api_channels_list, api_channels_create, api_channel_get,
    api_channel_replace, api_channel_patch, api_channel_delete,
    api_channel_pause, api_channel_resume, api_channel_reset, api_channel_test,
    api_channels_test_all, api_channel_speedtest, api_channel_health;
api_handler api_tenants_list, api_tenants_create, api_tenant_get,
    api_tenant_replace, api_tenant_patch, api_tenant_delete, api_tenant_usage;
api_handler api_keys_list, api_keys_create, api_key_get, api_key_patch,
    api_key_delete, api_key_rotate;
api_handler api_rules_list, api_rules_create, api_rule_get, api_rule_replace,
    api_rule_delete, api_rule_enable, api_rule_disable, api_presets_list,
    api_routing_test;
api_handler api_functions_list, api_functions_create, api_function_get,
    api_function_replace, api_function_delete;
api_handler api_settings_get, api_settings_replace, api_settings_patch;
api_handler api_requests_list, api_requests_live, api_request_get,
    api_request_body;
api_handler api_analytics, api_analytics_summary, api_usage_csv;
api_handler api_prices_list, api_prices_load, api_price_get, api_price_set,
    api_price_unset, api_price_versions, api_models_list;
api_handler api_planes_list, api_providers_list, api_audit_list, api_status;
api_handler api_transformers_list;
api_handler api_session_get, api_session_create, api_session_patch,
    api_session_delete;
api_handler api_users_list, api_users_create, api_user_get, api_user_patch,
    api_user_delete;
api_handler api_tokens_list, api_tokens_create, api_token_get, api_token_delete;
api_handler api_agents_list, api_agents_create, api_agent_get,
    api_agent_replace, api_agent_delete;
api_handler api_config_export, api_config_import, api_backups_list,
    api_backup_make, api_backup_restore;
api_handler api_anomalies_list, api_alerts_list, api_alert_get, api_alert_ack;
api_handler api_webhooks_list, api_webhooks_create, api_webhook_get,
    api_webhook_patch, api_webhook_delete, api_webhook_test;
api_handler api_tees_list, api_tees_create, api_tee_get, api_tee_patch,
    api_tee_delete;
api_handler api_oauth_providers, api_oauth_start, api_oauth_finish,
    api_oauth_callback, api_oauth_accounts, api_oauth_account,
    api_oauth_refresh, api_oauth_delete;
api_handler api_health, api_livez, api_readyz, api_metrics, api_openapi,
    api_dashboard;

#endif
