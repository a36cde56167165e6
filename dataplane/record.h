/*
 * record.h - what is written down about one request: one row, one entry per
 * attempt.  Becomes UsageRecord of proto/telemetry.proto.
 */
#ifndef DATAPLANE_RECORD_H
#define DATAPLANE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "dataplane/usage.h"
#include "shared/err.h"
#include "shared/str.h"
#include "shared/trace.h"

#define RECORD_ATTEMPTS_MAX 8 /* a single digit */

struct record_attempt {
    rx_str channel_id, channel, credential_id, model;
    int status;
    enum rx_code code;
    rx_str reason;
    uint64_t start_ms; /* after the request's start */
    uint32_t connect_ms, first_byte_ms, total_ms;
    bool reused;
    uint64_t bytes;
    rx_str upstream_request_id;
    bool has_usage;
    struct usage usage;
};

struct record {
    rx_str request_id;
    uint64_t started_ms; /* wall */
    rx_str tenant_id, key_id;
    enum dialect dialect;
    enum operation operation;
    bool stream;
    rx_str model_requested, model, model_served;
    rx_str channel_id, channel, rule, session, tag, user_agent, client_ip;
    rx_str agent; /* whose prompt it holds */
    int status;
    rx_str trace; /* why it went there: JSON; empty: not routed */
    struct rx_trace context;
    rx_str outcome; /* "ok", "error", "refused", "cut", "cancelled" */
    rx_str reason;
    rx_str finish;
    uint64_t ttft_ms, duration_ms;
    uint64_t request_bytes, response_bytes;
    struct usage usage;
    struct record_attempt *attempts[RECORD_ATTEMPTS_MAX];
    size_t attempt_count;
};

#endif
