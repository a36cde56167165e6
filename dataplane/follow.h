/*
 * follow.h - keeps this data plane in step with the control plane.
 *
 * Owns the two sockets, the installed snapshot, the last-known-good copy on
 * disk and the usage reporter.  docs/protocol.md describes the exchange.
 */
#ifndef DATAPLANE_FOLLOW_H
#define DATAPLANE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/report.h"
#include "dataplane/snapshot.h"
#include "shared/envelope.h"
#include "shared/err.h"
#include "shared/loop.h"

struct follow;

struct follow_options {
    const char *plane;    /* stable id of this data plane: "data-1" */
    const char *pub_url;  /* "ipc:///…/run/pub.sock", "tcp://host:7401" */
    const char *pull_url; /* "ipc:///…/run/pull.sock", "tcp://host:7402" */
    const char *join_token_file;
    const char *tls_ca_file; /* tls+tcp:// only; NULL otherwise */
    const char *data_dir;    /* <data>/data/<plane>: snapshot.*, journal/ */
    const char *ops_url;     /* told in Hello */
    const char *client_url;  /* told in Hello */
};

/* Load figures for Hello, asked for once a second. */
struct follow_load {
    uint64_t requests;
    uint32_t active;
};

/*
 * Start.  Installs the last-known-good snapshot at once when there is one.
 * RX_INVALID for a bad token or address, RX_INTERNAL for an unusable data_dir.
 */
RX_NODISCARD enum rx_code follow_open(struct follow **out, struct rx_loop *loop,
    const struct follow_options *options,
    void (*load)(void *arg, struct follow_load *out), void *arg,
    struct rx_err *err);
/* Writes what is pending to disk and says good-bye; waits at most a second for
 * outstanding acknowledgements. */
void follow_close(struct follow *f);

/* The installed snapshot, NULL before the first.  Pin it to keep it. */
const struct snapshot *follow_snapshot(const struct follow *f);
/* fn(arg) after each install: to close pooled connections, to redo indexes. */
void follow_on_install(struct follow *f, void (*fn)(void *arg), void *arg);
/* Heard from the control plane within the last 3 s. */
bool follow_connected(const struct follow *f);
/* Are limits held to a Lease of it? */
bool follow_leased(const struct follow *f);
/* The snapshot in force came from disk, not from a living control plane. */
bool follow_from_disk(const struct follow *f);
struct report *follow_report(struct follow *f);
struct limits *follow_limits(struct follow *f);
const char *follow_plane(const struct follow *f); /* "data-1" */

/* fn(arg, …) for each message of kinds that follow itself does not know. */
void follow_on_notice(struct follow *f,
    void (*fn)(void *arg, enum rx_message kind, rx_str body), void *arg);
/* Not RX_OK: nobody took it, and nobody will. */
RX_NODISCARD enum rx_code follow_send(
    struct follow *f, enum rx_message kind, rx_str body);

#endif
