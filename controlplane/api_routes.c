/*
 * The table.  docs/openapi.yaml describes the same routes; a test compares.
 */
#include "controlplane/api.h"

#define PUBLIC(method, path, handle, summary)            \
    {                                                    \
        method, path, API_PUBLIC, false, handle, summary \
    }
#define READ(path, handle, summary)                     \
    {                                                   \
        "GET", path, API_VIEWER, false, handle, summary \
    }
#define CHANGE(method, path, handle, summary)          \
    {                                                  \
        method, path, API_ADMIN, true, handle, summary \
    }

const struct api_route api_routes[] = {
    READ("/api/channels", api_channels_list, "list channels"),
    CHANGE("POST", "/api/channels", api_channels_create, "add a channel"),
    READ("/api/channels/{id}", api_channel_get, "one channel"),
    CHANGE("PUT", "/api/channels/{id}", api_channel_replace, "replace it"),
    CHANGE("PATCH", "/api/channels/{id}", api_channel_patch, "change parts"),
    CHANGE("DELETE", "/api/channels/{id}", api_channel_delete, "remove it"),
    CHANGE("POST", "/api/channels/{id}/pause", api_channel_pause,
        "send it nothing for now"),
    CHANGE("POST", "/api/channels/{id}/resume", api_channel_resume,
        "use it again"),
    CHANGE("POST", "/api/channels/{id}/reset", api_channel_reset,
        "forget what was learnt about it"),
    READ("/api/channels/{id}/health", api_channel_health,
        "what its health checks found"),
    { "POST", "/api/channels/test-all", API_ADMIN, false, api_channels_test_all,
        "ask all of their providers" },
    { "POST", "/api/channels/{id}/speedtest", API_ADMIN, false,
        api_channel_speedtest, "which of some addresses answers fastest" },
    { "POST", "/api/channels/{id}/test", API_ADMIN, false, api_channel_test,
        "ask the provider whether address and key are good" },

    READ("/api/tenants", api_tenants_list, "list tenants"),
    CHANGE("POST", "/api/tenants", api_tenants_create, "add a tenant"),
    READ("/api/tenants/{id}", api_tenant_get, "one tenant"),
    CHANGE("PUT", "/api/tenants/{id}", api_tenant_replace, "replace it"),
    CHANGE("PATCH", "/api/tenants/{id}", api_tenant_patch, "change parts"),
    CHANGE("DELETE", "/api/tenants/{id}", api_tenant_delete, "remove it"),
    READ("/api/tenants/{id}/usage", api_tenant_usage, "what it used"),

    READ("/api/keys", api_keys_list, "list client keys"),
    CHANGE("POST", "/api/keys", api_keys_create, "make a client key"),
    READ("/api/keys/{id}", api_key_get, "one client key"),
    CHANGE("PATCH", "/api/keys/{id}", api_key_patch, "change parts"),
    CHANGE("DELETE", "/api/keys/{id}", api_key_delete, "revoke it"),
    CHANGE("POST", "/api/keys/{id}/rotate", api_key_rotate,
        "replace its text, keep the rest"),

    READ("/api/routing/rules", api_rules_list, "rules, in their order"),
    CHANGE("POST", "/api/routing/rules", api_rules_create, "add a rule"),
    READ("/api/routing/rules/{id}", api_rule_get, "one rule"),
    CHANGE("PUT", "/api/routing/rules/{id}", api_rule_replace, "replace it"),
    CHANGE("DELETE", "/api/routing/rules/{id}", api_rule_delete, "remove it"),
    CHANGE("POST", "/api/routing/rules/{id}/enable", api_rule_enable,
        "ask it again"),
    CHANGE("POST", "/api/routing/rules/{id}/disable", api_rule_disable,
        "do not ask it for now"),
    READ("/api/routing/presets", api_presets_list, "types of rules"),
    READ("/api/routing/functions", api_functions_list, "Lua functions"),
    CHANGE("POST", "/api/routing/functions", api_functions_create,
        "add a function"),
    READ("/api/routing/functions/{id}", api_function_get, "one function"),
    CHANGE("PUT", "/api/routing/functions/{id}", api_function_replace,
        "replace it"),
    CHANGE("DELETE", "/api/routing/functions/{id}", api_function_delete,
        "remove it"),
    { "POST", "/api/routing/test", API_VIEWER, false, api_routing_test,
        "what would become of a request, and why" },

    READ("/api/settings", api_settings_get, "how the router behaves"),
    CHANGE("PUT", "/api/settings", api_settings_replace, "replace them"),
    CHANGE("PATCH", "/api/settings", api_settings_patch, "change some"),

    { "GET", "/api/config/export", API_ADMIN, false, api_config_export,
        "the configuration as one document" },
    { "POST", "/api/config/import", API_ADMIN, false, api_config_import,
        "take a document in, or show what it would change" },
    READ("/api/config/backups", api_backups_list, "copies of the store"),
    { "POST", "/api/config/backup", API_ADMIN, false, api_backup_make,
        "copy the store now" },
    { "POST", "/api/config/backups/{name}/restore", API_OWNER, false,
        api_backup_restore, "go back to it; what happened stays" },

    READ("/api/requests", api_requests_list, "what was asked, newest first"),
    READ("/api/requests/live", api_requests_live, "as they finish: a stream"),
    READ("/api/requests/{id}", api_request_get, "one, with its attempts"),
    READ("/api/analytics", api_analytics, "usage over time"),
    READ("/api/analytics/summary", api_analytics_summary, "sums of usage"),

    READ("/api/alerts", api_alerts_list, "what people have to know of"),
    READ("/api/alerts/{id}", api_alert_get, "one alert"),
    CHANGE("POST", "/api/alerts/{id}/ack", api_alert_ack, "it was seen"),
    READ("/api/webhooks", api_webhooks_list, "whom alerts are sent to"),
    CHANGE("POST", "/api/webhooks", api_webhooks_create, "add one"),
    READ("/api/webhooks/{id}", api_webhook_get, "one webhook"),
    CHANGE("PATCH", "/api/webhooks/{id}", api_webhook_patch, "change parts"),
    CHANGE("DELETE", "/api/webhooks/{id}", api_webhook_delete, "remove it"),
    { "POST", "/api/webhooks/{id}/test", API_ADMIN, false, api_webhook_test,
        "send it something now" },
    READ("/api/prices", api_prices_list, "what models cost"),
    CHANGE("POST", "/api/prices", api_prices_load, "load a price file"),
    READ("/api/prices/versions", api_price_versions, "what was loaded when"),
    READ("/api/prices/{model}", api_price_get, "what a model costs"),
    CHANGE("PUT", "/api/prices/{model}", api_price_set, "set a price"),
    CHANGE("DELETE", "/api/prices/{model}", api_price_unset,
        "go back to the file's price"),
    READ("/api/models", api_models_list, "models that channels serve"),

    READ("/api/planes", api_planes_list, "the data planes"),
    READ("/api/providers", api_providers_list, "types of channels"),
    READ("/api/transformers", api_transformers_list,
        "what a channel may change about requests and answers"),
    { "GET", "/api/audit", API_ADMIN, false, api_audit_list,
        "who changed what" },
    READ("/api/status", api_status, "everything on one page"),

    PUBLIC("GET", "/api/session", api_session_get, "who am I?"),
    PUBLIC("POST", "/api/session", api_session_create, "log in"),
    { "PATCH", "/api/session", API_ANYBODY, false, api_session_patch,
        "change one's own password" },
    { "DELETE", "/api/session", API_ANYBODY, true, api_session_delete,
        "log out" },
    { "GET", "/api/users", API_OWNER, false, api_users_list, "who may log in" },
    { "POST", "/api/users", API_OWNER, false, api_users_create, "add a user" },
    { "GET", "/api/users/{id}", API_OWNER, false, api_user_get, "one user" },
    { "PATCH", "/api/users/{id}", API_OWNER, false, api_user_patch,
        "change parts" },
    { "DELETE", "/api/users/{id}", API_OWNER, true, api_user_delete,
        "remove it" },
    { "GET", "/api/tokens", API_OWNER, false, api_tokens_list,
        "tokens for this API" },
    { "POST", "/api/tokens", API_OWNER, true, api_tokens_create,
        "make a token" },
    { "GET", "/api/tokens/{id}", API_OWNER, false, api_token_get, "one token" },
    { "DELETE", "/api/tokens/{id}", API_OWNER, true, api_token_delete,
        "revoke it" },

    PUBLIC("GET", "/api/openapi.json", api_openapi, "this API, described"),
    PUBLIC("GET", "/health", api_health, "is it well?"),
    PUBLIC("GET", "/livez", api_livez, "is it alive?"),
    PUBLIC("GET", "/readyz", api_readyz, "can it do its work?"),
    PUBLIC("GET", "/metrics", api_metrics, "numbers for Prometheus"),
    PUBLIC("GET", "/dashboard", api_dashboard, "the dashboard"),
    PUBLIC("GET", "/dashboard/{path}", api_dashboard, "its pages and files"),
    { 0 },
};
