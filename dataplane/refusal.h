/*
 * refusal.h - errors of ours, in the dialect of whoever asked.
 *
 * Every error has a machine-readable reason (a fixed snake_case word, also in
 * the x-routex-reason header and the request's record) and a sentence for
 * people.  Neither ever holds a key, a file name or a stack.
 */
#ifndef DATAPLANE_REFUSAL_H
#define DATAPLANE_REFUSAL_H

#include "dataplane/dialect.h"
#include "shared/buf.h"
#include "shared/str.h"

/* id, reason, HTTP status, Anthropic type, OpenAI type, OpenAI code,
 * Google status (wire.md 3.18) */
#define REFUSALS(X)                                                            \
    X(BAD_REQUEST, "bad_request", 400, "invalid_request_error",                \
        "invalid_request_error", NULL, "INVALID_ARGUMENT")                     \
    X(NO_KEY, "missing_key", 401, "authentication_error",                      \
        "invalid_request_error", "invalid_api_key", "UNAUTHENTICATED")         \
    X(BAD_KEY, "invalid_key", 401, "authentication_error",                     \
        "invalid_request_error", "invalid_api_key", "UNAUTHENTICATED")         \
    X(KEY_DISABLED, "key_disabled", 401, "authentication_error",               \
        "invalid_request_error", "invalid_api_key", "UNAUTHENTICATED")         \
    X(KEY_EXPIRED, "key_expired", 401, "authentication_error",                 \
        "invalid_request_error", "invalid_api_key", "UNAUTHENTICATED")         \
    X(NOT_ALLOWED, "not_allowed", 403, "permission_error", "permission_error", \
        NULL, "PERMISSION_DENIED")                                             \
    X(ADDRESS, "address_not_allowed", 403, "permission_error",                 \
        "permission_error", NULL, "PERMISSION_DENIED")                         \
    X(NO_ROUTE, "unknown_path", 404, "not_found_error",                        \
        "invalid_request_error", "unknown_url", "NOT_FOUND")                   \
    X(NO_MODEL, "model_not_found", 404, "not_found_error",                     \
        "invalid_request_error", "model_not_found", "NOT_FOUND")               \
    X(METHOD, "method_not_allowed", 405, "invalid_request_error",              \
        "invalid_request_error", "method_not_allowed", "INVALID_ARGUMENT")     \
    X(CLIENT_SLOW, "request_timeout", 408, "timeout_error",                    \
        "invalid_request_error", "timeout", "DEADLINE_EXCEEDED")               \
    X(TOO_BIG, "request_too_large", 413, "request_too_large",                  \
        "invalid_request_error", "request_too_large", "INVALID_ARGUMENT")      \
    X(ENCODING, "unsupported_encoding", 415, "invalid_request_error",          \
        "invalid_request_error", "unsupported_encoding", "INVALID_ARGUMENT")   \
    X(LIMITED, "rate_limited", 429, "rate_limit_error", "rate_limit_error",    \
        "rate_limit_exceeded", "RESOURCE_EXHAUSTED")                           \
    X(WEBSOCKET, "websocket_unsupported", 426, "invalid_request_error",        \
        "invalid_request_error", "websocket_unsupported",                      \
        "FAILED_PRECONDITION")                                                 \
    X(LIMIT, "limit_reached", 429, "rate_limit_error", "rate_limit_error",     \
        "rate_limit_exceeded", "RESOURCE_EXHAUSTED")                           \
    X(QUOTA, "quota_used_up", 429, "rate_limit_error", "insufficient_quota",   \
        "insufficient_quota", "RESOURCE_EXHAUSTED")                            \
    X(INTERNAL, "internal", 500, "api_error", "server_error", NULL,            \
        "INTERNAL")                                                            \
    X(UPSTREAM, "upstream_failed", 502, "api_error", "server_error",           \
        "upstream_failed", "INTERNAL")                                         \
    X(CUT, "upstream_cut", 502, "api_error", "server_error", "upstream_cut",   \
        "INTERNAL")                                                            \
    X(NO_CHANNEL, "no_channel", 503, "overloaded_error", "server_error",       \
        "no_channel", "UNAVAILABLE")                                           \
    X(NOT_READY, "not_ready", 503, "overloaded_error", "server_error",         \
        "not_ready", "UNAVAILABLE")                                            \
    X(JOURNAL_FULL, "journal_full", 503, "overloaded_error", "server_error",   \
        "journal_full", "UNAVAILABLE")                                         \
    X(TIMEOUT, "upstream_timeout", 504, "timeout_error", "server_error",       \
        "timeout", "DEADLINE_EXCEEDED")

enum refusal {
#define REFUSAL_ENUM(id, ...) REFUSE_##id,
    REFUSALS(REFUSAL_ENUM)
#undef REFUSAL_ENUM
};

const char *refusal_reason(enum refusal why);
/* 503 for "no channel" is 529 to Anthropic's clients, as their API says it. */
int refusal_status(enum refusal why, enum dialect dialect);

/*
 * The error as a whole JSON body.  `retry_s`: when to come back, 0 if nobody
 * knows; Gemini's clients read it here (google.rpc.RetryInfo), all others in
 * the retry-after header.
 */
void refusal_body(struct rx_buf *out, enum refusal why, enum dialect dialect,
    rx_str words, rx_str request_id, uint64_t retry_s);

/*
 * The error as the last event of a stream that had begun.  `at_boundary`: the
 * bytes before ended an event; if not, the broken line is ended first.
 */
void refusal_event(struct rx_buf *out, enum refusal why, enum dialect dialect,
    rx_str words, bool at_boundary);

#endif
