/*
 * collector.h - hears what the data planes have to say.
 *
 * Owns the pull socket.  A Hello updates the registry of planes and may ask for
 * a snapshot; a UsageBatch is committed in order, in one transaction, and then
 * acknowledged.
 */
#ifndef CONTROLPLANE_COLLECTOR_H
#define CONTROLPLANE_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/publisher.h"
#include "controlplane/state.h"
#include "controlplane/trouble.h"
#include "shared/envelope.h"
#include "shared/err.h"
#include "shared/loop.h"

/* A plane that is silent so long is forgotten. */
#define COLLECTOR_FORGET_MS ((uint64_t)24 * 3600 * 1000)

struct collector;

struct collector_options {
    const char *url; /* "ipc:///…/run/pull.sock", "tcp://0.0.0.0:7402" */
    const char *tls_cert_key_file; /* tls+tcp:// only; NULL otherwise */
    struct rx_join_keys keys;
};

/* `sink` is copied; its arg and `publisher` must outlive the collector. */
RX_NODISCARD enum rx_code collector_open(struct collector **out,
    struct rx_loop *loop, const struct collector_options *options,
    const struct usage_sink *sink, struct publisher *publisher,
    struct rx_err *err);
void collector_close(struct collector *c);

/* What is known about one data plane, from its last Hello. */
struct plane_info {
    rx_str id;
    rx_str software;       /* "routex-data 0.1.0"; empty if incompatible */
    unsigned major, minor; /* of its wire version */
    bool compatible;       /* same major; else it gets and gives nothing */
    bool connected;        /* heard from within the last 3 s */
    bool left;             /* it said good-bye */
    bool in_sync;          /* applies the current epoch, version and digest */
    uint64_t boot;
    uint64_t epoch, version; /* what it applies */
    uint64_t seen_ms;        /* wall clock of the last Hello */
    uint64_t started_ms;     /* wall clock */
    rx_str ops_url, client_url;
    uint64_t requests;
    uint32_t active;
    uint64_t journal_bytes, journal_records, journal_dropped;
    uint64_t rss_bytes;
    const struct plane_rejected *rejected;
    size_t rejected_count;
};

size_t collector_plane_count(const struct collector *c);
/* By name, i < count.  Borrowed until the loop runs again. */
const struct plane_info *collector_plane(struct collector *c, size_t i);

/* Who hears of Demands, of planes without any state, and of good-byes. */
struct demand_sink {
    void *arg;
    void (*demand)(void *arg, rx_str plane, rx_str body);
    void (*born)(void *arg, rx_str plane, uint64_t boot);
    void (*left)(void *arg, rx_str plane);
};
void collector_on_demand(struct collector *c, const struct demand_sink *sink);
/* Call fn(arg, …) when a provider did not take the token of this digest. */
struct captured;
/* Who takes what planes captured; NULL: nobody. */
void collector_on_capture(struct collector *c, struct captured *captured);
void collector_on_token_rejected(struct collector *c,
    void (*fn)(void *arg, rx_str credential, const struct rx_digest *digest),
    void *arg);
/* Who hears of windows; NULL: nobody. */
struct windows;
void collector_on_windows(struct collector *c, struct windows *windows);
/* What the planes learnt about channels; the collector's own. */
struct troubles *collector_troubles(struct collector *c);

struct collector_status {
    uint64_t batches, rows; /* committed */
    uint64_t repeated;      /* rows that were here already */
    uint64_t refused;       /* messages not ours, replayed, too big */
    uint64_t commit_failed; /* batches the store did not take */
};
struct collector_status collector_status(const struct collector *c);

#endif
