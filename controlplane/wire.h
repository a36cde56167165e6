/*
 * wire.h - protobuf on one side, the control plane's structs on the other.
 */
#ifndef CONTROLPLANE_WIRE_H
#define CONTROLPLANE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/state.h"
#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/secret.h"
#include "shared/str.h"

/* ---- down -------------------------------------------------------------- */

/* Append the packed item itself: what the digest is over. */
bool wire_pack_item(struct rx_buf *out, const struct state_item *item);

/* Append a packed item as a field of a Snapshot, or of a Delta. */
void wire_put_item(
    struct rx_buf *out, bool delta, enum state_kind kind, rx_str packed);
void wire_put_deleted(struct rx_buf *delta, enum state_kind kind, rx_str id);
void wire_put_from(struct rx_buf *delta, uint64_t version);
void wire_put_digest(struct rx_buf *delta, const struct rx_digest *digest);

bool wire_pack_heartbeat(struct rx_buf *out, uint64_t epoch, uint64_t version,
    const struct rx_digest *digest, const rx_str *planes, size_t plane_count);
bool wire_pack_ack(struct rx_buf *out, uint64_t boot, uint64_t seq);

struct trouble_report;
bool wire_pack_notice(
    struct rx_buf *out, const struct trouble_report *all, uint64_t now_ms);

/* ---- up ---------------------------------------------------------------- */

/* Times are made loop times; strings live in the arena. */
RX_NODISCARD bool wire_read_channel_report(rx_str packed, uint64_t now_ms,
    struct rx_arena *arena, struct trouble_report *out);
/* Bodies packed with zstd; all borrowed from the arena. */
struct wire_captured {
    rx_str plane, request_id;
    uint64_t started_ms;
    rx_str request, response;
    uint64_t request_bytes, response_bytes;
    bool request_cut, response_cut;
    uint64_t redacted;
};
RX_NODISCARD bool wire_read_capture(
    rx_str packed, struct rx_arena *arena, struct wire_captured *out);

struct token_rejected {
    rx_str plane, credential;
    struct rx_digest digest;
};
RX_NODISCARD bool wire_read_token_rejected(
    rx_str packed, struct rx_arena *arena, struct token_rejected *out);
struct window;
/* Both for WindowReport; times are wall clock. */
RX_NODISCARD bool wire_pack_windows(struct rx_buf *out,
    const struct window *list, size_t count, uint64_t wall_ms);
RX_NODISCARD bool wire_take_windows(rx_str packed, rx_str plane,
    uint64_t wall_ms, struct rx_arena *arena, struct window **out,
    size_t *count);
/* Is it a PinReport of that plane?  It is passed on as it is. */
RX_NODISCARD bool wire_is_pin_report(rx_str packed, rx_str plane);

struct hello {
    rx_str plane;
    uint64_t boot;
    rx_str software;
    uint64_t epoch, version;
    rx_str digest;
    const struct plane_rejected *rejected;
    size_t rejected_count;
    bool want_snapshot;
    bool leaving;
    rx_str ops_url, client_url;
    uint64_t started_ms;
    uint64_t requests;
    uint32_t active;
    uint64_t journal_bytes, journal_records, journal_dropped;
    uint64_t rss_bytes;
};
/* False when it cannot be read.  Strings live in the arena. */
RX_NODISCARD bool wire_read_hello(
    rx_str packed, struct rx_arena *arena, struct hello *out);

struct usage_message {
    rx_str plane;
    uint64_t boot;
    uint64_t first_seq, last_seq, oldest_seq;
    uint64_t dropped;
    struct usage_row *rows; /* in order of seq */
    size_t row_count;
    size_t unreadable; /* records that are no UsageRecord: left out */
};
/*
 * False when it cannot be read, or contradicts itself (rows out of order or
 * outside of first_seq..last_seq).
 */
RX_NODISCARD bool wire_read_usage(
    rx_str packed, struct rx_arena *arena, struct usage_message *out);
/* One UsageRecord of it; false when it is none.  Its texts are views of
 * `packed`, its attempts live in the arena. */
RX_NODISCARD bool wire_read_row(
    rx_str packed, struct rx_arena *arena, struct usage_row *out);

#endif
