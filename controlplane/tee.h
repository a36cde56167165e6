/*
 * tee.h - where requests are copied to, once they are in the store.
 *
 * A sink is a file of JSON lines, an HTTP server that takes them, a webhook
 * (one signed JSON document), or an OpenTelemetry collector (spans).  tees.h
 * runs them.
 */
#ifndef CONTROLPLANE_TEE_H
#define CONTROLPLANE_TEE_H

#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/request.h"
#include "controlplane/store.h"

/* id, name */
#define TEE_SINKS(X)      \
    X(FILE, "file")       \
    X(HTTP, "http")       \
    X(WEBHOOK, "webhook") \
    X(OTLP, "otlp")

enum tee_sink {
#define TEE_ENUM(id, name) TEE_##id,
    TEE_SINKS(TEE_ENUM)
#undef TEE_ENUM
        TEE_SINK_COUNT
};
extern const char *const tee_sink_names[]; /* ends with NULL */

#define TEE_MOST        32
#define TEE_HEADERS_MAX 16
#define TEE_ATTRS_MAX   32

/* "name": "value" */
struct tee_pair {
    rx_str name, value;
};

struct tee {
    rx_str id, name;
    enum tee_sink sink;
    rx_str status; /* "enabled", "disabled" */
    rx_str url;    /* in clear; empty unless given or loaded with secrets */
    rx_str shown;  /* of it: "https://host/…" */
    struct tee_pair headers[TEE_HEADERS_MAX]; /* like url */
    size_t header_count;
    struct field_list header_names;
    rx_str secret; /* like url; webhooks have one */
    rx_str last4;
    bool drawn; /* the secret is a new one of ours: shown once */
    struct request_filter filter;
    double sampling;                      /* 0 to 1 */
    struct tee_pair attrs[TEE_ATTRS_MAX]; /* of the resource; otlp only */
    size_t attr_count;
    uint64_t max_bytes, keep; /* of a file; and how many older ones */
    uint64_t created_ms, updated_ms, rev;
    uint64_t done, sent, lost;
    uint64_t behind; /* rows, of any kind */
    uint64_t last_ms, last_status;
    rx_str last_error;
};

struct tee *tee_new(struct rx_arena *arena);
void tee_read(
    struct tee *t, rx_json body, enum field_mode mode, struct rx_arena *arena);
/* Where it goes to; RX_INVALID: that is no address. */
RX_NODISCARD enum rx_code tee_set_url(
    struct tee *t, rx_str s, struct rx_arena *arena, struct rx_err *err);
void tee_put(struct rx_json_out *w, const char *key, const struct tee *t);

/* `id` may be the name. */
RX_NODISCARD enum rx_code tee_load(struct store *s, struct rx_arena *arena,
    rx_str id, bool secrets, struct tee **out, struct rx_err *err);
/* Of all of them at most TEE_MOST, by name. */
RX_NODISCARD enum rx_code tee_list(struct store *s, struct rx_arena *arena,
    bool secrets, struct tee **out, size_t *count, struct rx_err *err);
/* Inside a transaction; `t` was made, or loaded with secrets. */
RX_NODISCARD enum rx_code tee_save(
    struct store *s, struct rx_arena *arena, struct tee *t, struct rx_err *err);
RX_NODISCARD enum rx_code tee_delete(
    struct store *s, const struct tee *t, struct rx_err *err);

#endif
