/*
 * wire.h - protobuf on one side, the data plane's structs on the other.
 *
 * A snapshot is not unpacked as a whole: it is walked item by item in place,
 * so that one bad item is one bad item, and each item's packed bytes, over
 * which the digest is taken, stay at hand.
 */
#ifndef DATAPLANE_WIRE_H
#define DATAPLANE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/record.h"
#include "dataplane/rules.h"
#include "dataplane/session.h"
#include "dataplane/snapshot.h"
#include "dataplane/standing.h"
#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/secret.h"
#include "shared/str.h"

/* What state is made of; the numbers are those of the tally (tally.h). */
enum item_kind {
    ITEM_CHANNEL,
    ITEM_TENANT,
    ITEM_KEY,
    ITEM_SETTINGS,
    ITEM_RULE,
    ITEM_FUNCTION,
    ITEM_KINDS
};
const char *item_kind_name(enum item_kind kind);

/* ---- down: Snapshot and Delta ------------------------------------------ */

enum wire_piece_type {
    WIRE_END,
    WIRE_BAD,     /* not protobuf: refuse the whole message */
    WIRE_ITEM,    /* bytes: the packed item */
    WIRE_DELETED, /* bytes: the id */
    WIRE_FROM,    /* number */
    WIRE_DIGEST,  /* bytes */
};
struct wire_piece {
    enum wire_piece_type type;
    enum item_kind kind;
    rx_str bytes; /* in the message */
    uint64_t number;
};
/* Take the next piece off `rest`, which starts as the whole message. */
struct wire_piece wire_next_of_snapshot(rx_str *rest);
struct wire_piece wire_next_of_delta(rx_str *rest);

/* Views into a packed item; empty when absent. */
rx_str wire_item_id(enum item_kind kind, rx_str packed);
rx_str wire_item_name(enum item_kind kind, rx_str packed);
/* Append the item as a Snapshot holds it. */
bool wire_add_item(struct rx_buf *out, enum item_kind kind, rx_str packed);

/*
 * Unpack, check, and copy into `arena`.  Not RX_OK: the item cannot be used,
 * for the reason in `err` (RX_TOO_BIG: the arena is full).
 */
RX_NODISCARD enum rx_code wire_read_channel(rx_str packed,
    const struct timeouts *defaults, struct rx_arena *arena,
    struct channel *out, struct rx_err *err);
RX_NODISCARD enum rx_code wire_read_tenant(rx_str packed,
    struct rx_arena *arena, struct tenant *out, struct rx_err *err);
/* The text of a key before it was rotated. */
struct wire_old_text {
    struct rx_digest digest;
    uint64_t until_ms; /* 0: there is none */
};
/* `tenant_id` is for the caller to resolve; out->tenant stays NULL. */
RX_NODISCARD enum rx_code wire_read_key(rx_str packed, struct rx_arena *arena,
    struct client_key *out, rx_str *tenant_id, struct wire_old_text *old,
    struct rx_err *err);
RX_NODISCARD enum rx_code wire_read_settings(rx_str packed,
    struct rx_arena *arena, struct settings *out, struct rx_err *err);
RX_NODISCARD enum rx_code wire_read_rule(rx_str packed, struct rx_arena *arena,
    struct rule *out, struct rx_err *err);
RX_NODISCARD enum rx_code wire_read_function(rx_str packed,
    struct rx_arena *arena, struct function *out, struct rx_err *err);
/* What holds before the first settings came. */
struct settings wire_default_settings(void);

/* ---- down: the rest ---------------------------------------------------- */

struct wire_heartbeat {
    uint64_t epoch, version;
    struct rx_digest digest;
    bool hears_us; /* `plane` is among those it heard from lately */
};
RX_NODISCARD bool wire_read_heartbeat(
    rx_str packed, rx_str plane, struct wire_heartbeat *out);

struct wire_ack {
    uint64_t boot, seq;
};
RX_NODISCARD bool wire_read_ack(rx_str packed, struct wire_ack *out);

/* Loop time is `now_ms`; texts live in the arena. */
struct wire_notice {
    struct trouble_note *troubles;
    size_t trouble_count;
    struct wire_cleared {
        struct subject about;
        uint64_t before_ms; /* what was noted later stands; loop time */
        uint64_t reset;     /* an operator's, about the channel; 0: no */
    } * cleared;
    size_t cleared_count;
};
RX_NODISCARD bool wire_read_notice(rx_str packed, uint64_t now_ms,
    struct rx_arena *arena, struct wire_notice *out);

struct wire_pin {
    struct session_key key;
    rx_str channel, credential;
    uint64_t left_ms;
};
RX_NODISCARD bool wire_read_pins(rx_str packed, struct rx_arena *arena,
    rx_str *plane, struct wire_pin **pins, size_t *count);

/* ---- up ---------------------------------------------------------------- */

bool wire_add_channel_report(struct rx_buf *out, const char *plane,
    const struct wire_notice *report, uint64_t now_ms);
/* Both for WindowReport. */
bool wire_add_windows(struct rx_buf *out, const char *plane,
    const struct window_note *windows, size_t count, uint64_t now_ms);
RX_NODISCARD bool wire_read_windows(rx_str packed, uint64_t now_ms,
    struct rx_arena *arena, struct window_note **out, size_t *count);
bool wire_add_pins(struct rx_buf *out, const char *plane,
    const struct wire_pin *pins, size_t count);

struct wire_token_rejected {
    const char *plane;
    rx_str channel, credential;
    struct rx_digest digest; /* of the secret that was refused */
};
bool wire_add_token_rejected(
    struct rx_buf *out, const struct wire_token_rejected *t);

/* Bodies are packed with zstd. */
struct wire_capture {
    const char *plane, *request_id;
    uint64_t started_ms;
    rx_str request, answer;
    uint64_t request_bytes, answer_bytes;
    bool request_cut, answer_cut;
    size_t redacted;
};
/* False when there is no room. */
bool wire_add_capture(struct rx_buf *out, const struct wire_capture *c);

struct wire_hello {
    const char *plane;
    uint64_t boot;
    uint64_t epoch, version;
    struct rx_digest digest;
    const struct rejected *rejected;
    size_t rejected_count;
    bool want_snapshot;
    bool leaving;
    const char *ops_url;
    const char *client_url;
    uint64_t started_ms;
    uint64_t requests;
    uint32_t active;
    uint64_t journal_bytes, journal_records, journal_dropped;
    uint64_t rss_bytes;
};
bool wire_add_hello(struct rx_buf *out, const struct wire_hello *hello);

/* Texts longer than this are cut in records. */
#define WIRE_TEXT_MAX  ((size_t)1024)
#define WIRE_TRACE_MAX ((size_t)2048) /* JSON: whoever writes it keeps to it */
/* Append the record, packed under this number. */
bool wire_add_record(
    struct rx_buf *out, uint64_t seq, const struct record *record);

struct wire_batch {
    const char *plane;
    uint64_t boot;
    uint64_t first_seq, last_seq, oldest_seq;
    uint64_t dropped;
    const rx_str *records;
    size_t record_count;
};
bool wire_add_batch(struct rx_buf *out, const struct wire_batch *batch);

#endif
