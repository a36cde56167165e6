/*
 * client.h - HTTP/1.1 requests on kept connections, for the hot path.
 *
 * Frames requests and answers over the wires of fetch.h and keeps idle
 * connections per target.  A kept connection that turns out dead before any
 * byte of the answer is replaced by a fresh one, once, silently; but only right
 * after the request was sent, because one that dies later has probably died of
 * the request, which then may have been acted on.
 *
 * Events only tell; they are never called from inside client_start/pause/
 * resume/cancel.  on_end is the last event; after it, or after
 * rx_client_cancel(), the call is dead.
 */
#ifndef SHARED_CLIENT_H
#define SHARED_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/fetch.h"
#include "shared/httpd.h" /* struct rx_header */
#include "shared/loop.h"
#include "shared/str.h"

struct rx_client;
struct rx_client_call;

struct rx_client_options {
    uint32_t idle_plain_ms; /* keep an idle plain connection, default 60 s */
    uint32_t idle_tls_ms;   /* a TLS one costs 43 KiB: default 20 s */
    size_t max_idle;        /* in all, default 512 */
    size_t max_head;        /* bytes of an answer's head, default 64 KiB */
    uint32_t replace_ms;    /* see above, default 1 s */
};
RX_NODISCARD struct rx_client *rx_client_new(struct rx_loop *loop,
    struct rx_fetch *fetch, const struct rx_client_options *options);
void rx_client_free(struct rx_client *client);
/* Close idle connections (all, or what a changed channel left behind). */
void rx_client_flush(struct rx_client *client);
size_t rx_client_idle(const struct rx_client *client);

struct rx_client_request {
    struct rx_target target;
    /* Complete head up to and including the blank line, host and
     * content-length included, and the pieces of the body.  All borrowed until
     * on_sent, on_end or cancel. */
    rx_str head;
    const rx_str *body; /* pieces in order; sent with the head in one writev */
    size_t body_count;
    bool head_only; /* the answer has no body (HEAD) */
    uint32_t connect_ms;
};

/* The answer's head, borrowed for the call of on_head. */
struct rx_client_head {
    int status;
    unsigned minor;
    const struct rx_header *headers;
    size_t header_count;
    bool has_length; /* content-length was there and the framing uses it */
    uint64_t length;
};

struct rx_client_events {
    /* May be NULL.  Told again when a dead kept connection was replaced. */
    void (*on_connected)(void *arg, bool reused);
    /* May be NULL.  The request is written and no longer needed: on a kept
     * connection only once the answer begins; never, when it ends before. */
    void (*on_sent)(void *arg);
    void (*on_head)(void *arg, const struct rx_client_head *head);
    /* Body bytes with transfer-coding removed, content-coding untouched. */
    void (*on_body)(void *arg, rx_str bytes);
    /*
     * RX_OK: the answer is whole by its framing (an answer that ends by close
     * counts as whole here).  RX_UPSTREAM: could not connect, reset, cut, or
     * not HTTP; `why` says which, in words.  RX_TIMEOUT: connect took too long.
     */
    void (*on_end)(void *arg, enum rx_code code, const char *why);
};

/* `events` and `arg` must outlive the call. */
RX_NODISCARD struct rx_client_call *rx_client_start(struct rx_client *client,
    const struct rx_client_request *request,
    const struct rx_client_events *events, void *arg);
/* Stop reading the answer; bytes stay in the kernel.  What had been read before
 * (at most 64 KiB) is still told, and so is the end if it was in there. */
void rx_client_pause(struct rx_client_call *call);
void rx_client_resume(struct rx_client_call *call);
/* Drop the call and its connection at once; no event follows. */
void rx_client_cancel(struct rx_client_call *call);

/* First header of that name (ASCII case ignored), or an empty view. */
rx_str rx_client_header(const struct rx_client_head *head, rx_str name);

#endif
