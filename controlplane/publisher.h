/*
 * publisher.h - tells the data planes what was decided.
 *
 * Owns the pub socket.  Keeps the whole state in packed form, numbers its
 * versions within this incarnation's epoch, publishes a Delta per change, a
 * Heartbeat a second, and a Snapshot to whoever asks.  See docs/protocol.md.
 */
#ifndef CONTROLPLANE_PUBLISHER_H
#define CONTROLPLANE_PUBLISHER_H

#include <stdint.h>

#include "controlplane/state.h"
#include "shared/envelope.h"
#include "shared/err.h"
#include "shared/loop.h"
#include "shared/secret.h"

struct publisher;

struct publisher_options {
    const char *url; /* "ipc:///…/run/pub.sock", "tcp://0.0.0.0:7401" */
    const char *tls_cert_key_file; /* tls+tcp:// only; NULL otherwise */
    /* Held while publishing; a second control plane on it is refused. */
    const char *lock_file;
    struct rx_join_keys keys;
    /* From publisher_next_epoch(), stored durably before it is used here. */
    uint64_t epoch;
};

/*
 * The epoch of a new incarnation: greater than the stored one, and never less
 * than the wall clock in ms, so that a store restored from a backup is still
 * newer than what the data planes have seen.
 */
uint64_t publisher_next_epoch(uint64_t stored);

/*
 * Lock, load the whole state, listen.  RX_CONFLICT: another control plane holds
 * the lock.  `source` is copied; its arg must outlive the publisher.
 */
RX_NODISCARD enum rx_code publisher_open(struct publisher **out,
    struct rx_loop *loop, const struct publisher_options *options,
    const struct state_source *source, struct rx_err *err);
void publisher_close(struct publisher *p);

/*
 * Something was committed to the store: this item was made, changed or deleted.
 * All touches of a tick become one version and one Delta at its end.
 */
void publisher_touch(struct publisher *p, enum state_kind kind, rx_str id);
/* Anything may have changed (import, restore): compare with everything. */
void publisher_touch_all(struct publisher *p);

struct publisher_status {
    uint64_t epoch, version;
    struct rx_digest digest;
    size_t items, bytes; /* of a full snapshot */
    /* The last change could not be published (too big, store failed); planes
     * stay at `version`.  Empty when all is well. */
    char trouble[200];
};
struct publisher_status publisher_status(const struct publisher *p);

/* For the collector. */
void publisher_send_snapshot(struct publisher *p, rx_str plane);
void publisher_send_ack(
    struct publisher *p, rx_str plane, uint64_t boot, uint64_t seq);
void publisher_send_lease(struct publisher *p, rx_str plane, rx_str body);
/* To all planes at once. */
void publisher_send_notice(
    struct publisher *p, enum rx_message kind, rx_str body);
/* Names of the living planes for the heartbeat; copied. */
void publisher_set_planes(
    struct publisher *p, const rx_str *planes, size_t count);

#endif
