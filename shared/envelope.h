/*
 * envelope.h - how a message travels between the planes: sealed.
 *
 *   topic NUL | header (36) | nonce (24) | XChaCha20-Poly1305 box
 *   └──────── authenticated ┘
 *
 * The topic is in clear and in front, because that is what a subscription
 * matches.  Keys come from the team's join token, one per direction, so a
 * message cannot be turned round.  The envelope's own format never changes;
 * major and minor name the format of the bodies.  docs/protocol.md has it all.
 */
#ifndef SHARED_ENVELOPE_H
#define SHARED_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/secret.h"
#include "shared/str.h"

#define RX_WIRE_MAJOR 1
#define RX_WIRE_MINOR 0

/* id, number on the wire, name, from the control plane?, largest body */
#define RX_MESSAGES(X)                                                      \
    X(SNAPSHOT, 1, "snapshot", true, (size_t)128 * 1024 * 1024)             \
    X(DELTA, 2, "delta", true, (size_t)4 * 1024 * 1024)                     \
    X(HEARTBEAT, 3, "heartbeat", true, (size_t)1024 * 1024)                 \
    X(ACK, 4, "ack", true, (size_t)1024)                                    \
    X(CHANNEL_NOTICE, 5, "channel notice", true, (size_t)4 * 1024 * 1024)   \
    X(PIN_NOTICE, 6, "pin notice", true, (size_t)1024 * 1024)               \
    X(WINDOW_NOTICE, 9, "window notice", true, (size_t)1024 * 1024)         \
    X(LEASE, 8, "lease", true, (size_t)1024 * 1024)                         \
    X(HELLO, 16, "hello", false, (size_t)1024 * 1024)                       \
    X(USAGE_BATCH, 17, "usage batch", false, (size_t)4 * 1024 * 1024)       \
    X(CHANNEL_REPORT, 18, "channel report", false, (size_t)4 * 1024 * 1024) \
    X(PIN_REPORT, 19, "pin report", false, (size_t)1024 * 1024)             \
    X(TOKEN_REJECTED, 20, "token rejected", false, (size_t)1024)            \
    X(WINDOW_REPORT, 23, "window report", false, (size_t)1024 * 1024)       \
    X(DEMAND, 24, "demand", false, (size_t)1024 * 1024)                     \
    X(CAPTURE, 25, "capture", false, (size_t)4 * 1024 * 1024)

enum rx_message {
#define RX_MESSAGE_ENUM(id, number, name, down, size) RX_MSG_##id = (number),
    RX_MESSAGES(RX_MESSAGE_ENUM)
#undef RX_MESSAGE_ENUM
};
const char *rx_message_name(enum rx_message kind);
/* Largest body of that kind; 0 for an unknown kind. */
size_t rx_message_max(enum rx_message kind);

/* The largest whole message each side has to be ready for. */
#define RX_TOPIC_MAX      ((size_t)72)
#define RX_ENVELOPE_HEAD  ((size_t)36)
#define RX_ENVELOPE_EXTRA (RX_TOPIC_MAX + 1 + RX_ENVELOPE_HEAD + RX_SEAL_EXTRA)
size_t rx_envelope_max(bool from_control);

/* Ids of data planes: 1 to 64 of [A-Za-z0-9._-]. */
bool rx_plane_id_ok(rx_str id);
/* "plane/<id>" into `out`. */
void rx_plane_topic(rx_str id, char out[RX_TOPIC_MAX + 1]);
/* The id out of "plane/<id>"; empty when it is none. */
rx_str rx_topic_plane(rx_str topic);

/* What the join token gives: a key per direction, and one for the disk. */
struct rx_join_keys {
    struct rx_key to_data;
    struct rx_key to_control;
    struct rx_key at_rest;
};

/*
 * Read the join token "rtxj_…" from a file of mode 0600 and derive the keys.
 * With `create`, an absent file is made with a fresh token.  RX_DENIED when
 * others may read it, RX_INVALID when it holds no token.
 */
RX_NODISCARD enum rx_code rx_join_file(const char *path, bool create,
    struct rx_join_keys *out, struct rx_err *err);
/* The keys of a token text; false when it does not look like one. */
RX_NODISCARD bool rx_join_derive(rx_str token, struct rx_join_keys *out);

struct rx_envelope {
    enum rx_message kind;
    rx_str topic; /* "all", "plane/<id>": addressee, or sender */
    uint8_t major, minor;
    bool from_control;
    /* from control: its incarnation; from data: the plane's boot number */
    uint64_t epoch;
    uint64_t version;  /* state version it is about; 0: none */
    uint64_t sequence; /* grows with every message of a sender in an epoch */
};

/* Append the sealed message to `out`.  False when the body is too big. */
RX_NODISCARD bool rx_envelope_seal(const struct rx_join_keys *keys,
    const struct rx_envelope *head, rx_str body, struct rx_buf *out);

/*
 * Read the header only: nothing of it can be believed yet.  RX_INVALID when it
 * is no envelope, RX_TOO_BIG when the body is bigger than its kind may be.
 */
RX_NODISCARD enum rx_code rx_envelope_peek(
    rx_str message, struct rx_envelope *head, struct rx_err *err);
/*
 * Open a message that should come from the control plane, or from a data plane.
 * `head->topic` borrows from `message`; the body is appended to `body`, whose
 * cap bounds it too.  Beyond peek's errors: RX_DENIED when the seal does not
 * fit (another token, changed, or turned round), RX_CONFLICT when it is ours
 * but of another major version; `head` is then filled and true.
 */
RX_NODISCARD enum rx_code rx_envelope_open(const struct rx_join_keys *keys,
    bool from_control, rx_str message, struct rx_envelope *head,
    struct rx_buf *body, struct rx_err *err);

/* What a receiver remembers of one sender; zero it at first. */
struct rx_replay {
    uint64_t epoch;
    uint64_t sequence;
};
/* False when this message, or a later one, was seen before.  Only for opened
 * messages. */
bool rx_replay_accept(struct rx_replay *r, const struct rx_envelope *head);

#endif
