/*
 * proxy.h - the data plane's client listener: who gets which request.
 *
 * Owns the server, the client towards upstreams and the counters; what a
 * request goes through once it is to be proxied is request.h.
 */
#ifndef DATAPLANE_PROXY_H
#define DATAPLANE_PROXY_H

#include <stdint.h>

#include "dataplane/capture.h"
#include "dataplane/follow.h"
#include "dataplane/gossip.h"
#include "dataplane/memory.h"
#include "dataplane/minds.h"
#include "dataplane/paths.h"
#include "dataplane/refusal.h"
#include "dataplane/refused_token.h"
#include "dataplane/session.h"
#include "dataplane/standing.h"
#include "shared/client.h"
#include "shared/httpd.h"
#include "shared/log.h"
#include "shared/loop.h"
#include "shared/stat.h"

struct proxy_options {
    const char *host;
    uint16_t port;
    const char
        *admin_url; /* the control plane here; NULL: not on this machine */
    uint64_t keepalive_ms; /* see heartbeat.h */
};

/* Counters, one slot each; shown by ops.h. */
struct proxy_stats {
    uint64_t *requests[DIALECT_COUNT];
    uint64_t *outcomes[5]; /* enum request_outcome of request.h */
    uint64_t *refused;     /* before a key was known */
    uint64_t *limited;     /* by a limit or an address list */
    uint64_t *attempts;
    uint64_t *attempts_failed;
    uint64_t *fail_overs;
    uint64_t *rule_troubles; /* rules that could not be asked */
    uint64_t *bytes_in;
    uint64_t *bytes_out;
    struct rx_histogram *duration;
    struct rx_histogram *ttft;
};

struct proxy {
    struct rx_loop *loop;
    enum rx_log_level log_level; /* as the process was started */
    struct follow *follow;
    struct rx_fetch *fetch;
    struct rx_client *client;
    struct rx_httpd *httpd;
    struct standing *standing;      /* what was learnt about channels */
    struct sessions *sessions;      /* where conversations sit */
    struct minds *minds;            /* what models mind */
    struct memory *memory;          /* reasoning that clients drop */
    struct gossip *gossip;          /* NULL before proxy_attach */
    struct refused_tokens *refused; /* likewise */
    struct captures *captures;      /* likewise */
    struct rx_list waiting;         /* requests, for a snapshot */
    struct rx_stat *stat;
    struct proxy_stats stats;
    struct proxy_options options;
    uint64_t dice;       /* state of the ids' and ties' generator */
    uint64_t started_ms; /* loop time */
    uint64_t requests;   /* taken since start */
    uint32_t active;     /* under way */
};

/*
 * Whoever answers a request over more than one callback is a guest: it sets
 * itself as the request's user object, with this as its first member.
 */
struct proxy_guest {
    void (*body)(void *guest);    /* the whole body is here */
    void (*drained)(void *guest); /* the client takes bytes again */
    void (*closed)(void *guest, enum rx_code how); /* the last word */
};

/* Listen.  `stat` must outlive it. */
RX_NODISCARD enum rx_code proxy_open(struct proxy *p, struct rx_loop *loop,
    struct rx_stat *stat, const struct proxy_options *options,
    struct rx_err *err);
/* Whom to take the configuration from; before the loop first turns. */
void proxy_attach(struct proxy *p, struct follow *follow);
void proxy_close(struct proxy *p);
/* The next random number: for ties and ids, not for secrets. */
uint64_t proxy_dice(struct proxy *p);

/*
 * Answer with an error of ours.  `extra` holds more header lines, or nothing.
 * May be called at any time before a reply was begun.
 */
void proxy_refuse(struct rx_httpd_req *req, enum refusal why,
    enum dialect dialect, const char *words, rx_str request_id, rx_str extra);

#endif
