/*
 * keep.h - connections to upstreams, in use and kept: the pools of client.h.
 *
 *   new ──(open)──> BUSY ──(give)──> idle ──(take)──> BUSY ──(close)──> gone
 *                                      └─(end of stream, too old, too many)──^
 *
 * A pool holds what goes to one target.  It lives as long as somebody uses it.
 * The newest idle connection is taken first, the oldest is dropped first.  An
 * idle connection stays watched: what becomes readable on it is its end.
 */
#ifndef SHARED_KEEP_H
#define SHARED_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event_struct.h>

#include "shared/attr.h"
#include "shared/fetch.h"
#include "shared/http1.h"
#include "shared/list.h"
#include "shared/loop.h"

struct rx_keep;
struct rx_pool;

/* One connection.  Busy ones belong to whoever took or opened them. */
struct rx_conn {
    struct rx_pool *pool;
    struct rx_wire *wire; /* connected once `attached` */
    struct rx_http1 *http1;
    struct event readable;
    struct event writable;
    bool attached; /* the events are set up */
    bool idle;
    bool reused;
    uint64_t idle_since_ms;
    struct rx_link in_pool; /* newest first */
    struct rx_link in_age;  /* oldest first */
    /* While busy. */
    void (*on_ready)(void *arg, bool writable);
    void *arg;
};

struct rx_keep_options {
    uint32_t idle_plain_ms;
    uint32_t idle_tls_ms;
    size_t max_idle;
    size_t max_head;
    const struct rx_http1_events *events; /* for the parser of each */
};
RX_NODISCARD struct rx_keep *rx_keep_new(
    struct rx_loop *loop, const struct rx_keep_options *options);
/* No connection may be busy. */
void rx_keep_free(struct rx_keep *keep);
void rx_keep_flush(struct rx_keep *keep);
size_t rx_keep_idle(const struct rx_keep *keep);

/* The pool of `target`; give each back once. */
RX_NODISCARD struct rx_pool *rx_pool_get(
    struct rx_keep *keep, const struct rx_target *target);
void rx_pool_put(struct rx_pool *pool);

/* An idle connection, watched for reading, now busy; or NULL. */
struct rx_conn *rx_conn_take(struct rx_pool *pool);
/* A new one, busy, without a wire. */
RX_NODISCARD struct rx_conn *rx_conn_new(struct rx_pool *pool);
/* Its wire is connected: begin watching it for reading. */
void rx_conn_attach(struct rx_conn *c);
/* Back to the pool: whole answer taken, ready for another exchange. */
void rx_conn_give(struct rx_conn *c);
/* Closed now; its memory goes at the end of the tick.  NULL is allowed. */
void rx_conn_close(struct rx_conn *c);

#endif
