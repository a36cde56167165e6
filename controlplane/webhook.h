/*
 * webhook.h - whom alerts are sent to.
 *
 * An event becomes one row in `delivery` per webhook that wants it, in the
 * transaction that made the event; delivery.h sends the rows.
 */
#ifndef CONTROLPLANE_WEBHOOK_H
#define CONTROLPLANE_WEBHOOK_H

#include <stdint.h>

#include "controlplane/alert.h"
#include "controlplane/field.h"
#include "controlplane/store.h"

#define WEBHOOK_SECRET_PREFIX "whs_"

struct webhook {
    rx_str id, name;
    rx_str url;    /* in clear; empty unless given or loaded with secrets */
    rx_str shown;  /* "https://host/…" */
    rx_str secret; /* like url */
    rx_str last4;
    bool drawn;              /* the secret is a new one of ours: shown once */
    struct field_list kinds; /* of alerts; none: all */
    rx_str severity;         /* the least */
    rx_str status;           /* "enabled", "disabled" */
    uint64_t created_ms, updated_ms, rev;
    /* What became of the last attempt, and what waits. */
    uint64_t last_ms, last_status, waiting, given_up;
    rx_str last_error;
    /* Those a document brought: what its marks may stand for; NULL: none. */
    const struct field_list *offered;
};

struct webhook *webhook_new(struct rx_arena *arena);
void webhook_read(struct webhook *h, rx_json body, enum field_mode mode,
    struct rx_arena *arena);
void webhook_put(
    struct rx_json_out *w, const char *key, const struct webhook *h);

/* `id` may be the name. */
RX_NODISCARD enum rx_code webhook_load(struct store *s, struct rx_arena *arena,
    rx_str id, bool secrets, struct webhook **out, struct rx_err *err);
RX_NODISCARD enum rx_code webhook_list(struct store *s, struct rx_arena *arena,
    rx_str after, size_t limit, struct webhook **out, size_t *count,
    struct rx_err *err);
/* Inside a transaction; `h` was made, or loaded with secrets. */
RX_NODISCARD enum rx_code webhook_save(struct store *s, struct rx_arena *arena,
    struct webhook *h, struct rx_err *err);
RX_NODISCARD enum rx_code webhook_delete(
    struct store *s, const struct webhook *h, struct rx_err *err);

struct webhook_event {
    const char *event; /* "alert.opened" */
    const char *kind;  /* of the alert */
    enum alert_severity severity;
    rx_str subject; /* its id: a webhook is not told about itself */
    rx_str members; /* {"alert":{…}}: what comes beside id, event and time */
};
/* {"id":…,"event":…,"at":…,…} as it is sent. */
void webhook_body(
    struct rx_buf *out, rx_str id, const char *event, rx_str members);
/* Queue it for all who want it; inside a transaction. */
RX_NODISCARD enum rx_code webhook_tell(
    struct store *s, const struct webhook_event *e, struct rx_err *err);

/*
 * The headers that prove it: "x-routex-timestamp: 1766…" and
 * "x-routex-signature: v1=<hex>", HMAC-SHA256 with the secret over
 * "<timestamp>.<body>".
 */
#define WEBHOOK_HEADER_SIZE 128
void webhook_sign(rx_str secret, uint64_t unix_s, rx_str body,
    char timestamp[WEBHOOK_HEADER_SIZE], char signature[WEBHOOK_HEADER_SIZE]);

#endif
