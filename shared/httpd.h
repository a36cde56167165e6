/*
 * httpd.h - the server side of HTTP/1.1: door to libevhtp.
 *
 *   accept ─> head gate ─> on_request ─> body ─> on_body ─> reply ─> on_close
 *                 │ (400, 408, 413, 414, 431, 501, 505 answered here)
 *
 * Used by the data plane, the control plane and the demo provider.  What
 * libevhtp 1.2.18 gets wrong is put right in here (performance.md has the
 * list): bytes reach it only once a whole, strictly checked head is there; a
 * client that leaves is noticed at any time; pipelined requests are answered
 * one after another; our own timers guard head, body and idle time; running out
 * of descriptors pauses accepting instead of spinning.
 *
 * A request object is owned by httpd.  The user gets on_request first and
 * on_close last, exactly once, whatever happens; after on_close the pointer is
 * dead.  All calls happen on the loop.
 */
#ifndef SHARED_HTTPD_H
#define SHARED_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/loop.h"
#include "shared/str.h"

struct rx_httpd;
struct rx_httpd_req;

struct rx_header {
    rx_str name; /* as sent; compare with rx_str_ieq */
    rx_str value;
};

/* Borrowed views into the request's head, valid until on_close. */
struct rx_httpd_head {
    rx_str method;  /* "POST" */
    rx_str target;  /* as sent: "/v1/messages?beta=true" */
    rx_str path;    /* up to '?' : "/v1/messages" (not percent-decoded) */
    rx_str query;   /* after '?', without it; empty if none */
    unsigned minor; /* HTTP/1.minor: 0 or 1 */
    const struct rx_header *headers;
    size_t header_count;
    bool has_body;
    bool body_chunked;
    uint64_t content_length; /* 0 if chunked or none */
    rx_str peer;             /* "127.0.0.1" */
};

/* First header of that name (ASCII case ignored), or an empty view. */
rx_str rx_httpd_header(const struct rx_httpd_head *head, rx_str name);

struct rx_httpd_handler {
    /*
     * A whole head has arrived.  A reply may be made at once (the body is then
     * read and dropped, or the connection closed if it is large).
     * rx_httpd_set_body_limit() may be called here.
     */
    void (*on_request)(void *arg, struct rx_httpd_req *req);
    /*
     * The whole body is here (also called for requests without one): get it
     * with rx_httpd_body().  Not called when the client leaves before or when
     * a reply was already made.
     */
    void (*on_body)(void *arg, struct rx_httpd_req *req);
    /* What is waiting to be sent fell below a quarter of the high-water mark.
     * Only called after rx_httpd_write() had returned false. */
    void (*on_drain)(void *arg, struct rx_httpd_req *req);
    /*
     * The last word.  RX_OK: the reply was handed to the kernel in full.
     * RX_CANCELLED: the client left (FIN, RST) before that.  RX_TIMEOUT: it
     * stopped reading or sending.  RX_TOO_BIG: its body was too big and 413 was
     * sent.  After rx_httpd_abort(): RX_UPSTREAM.
     */
    void (*on_close)(void *arg, struct rx_httpd_req *req, enum rx_code how);
};

struct rx_httpd_options {
    const char *host;         /* "127.0.0.1", "0.0.0.0", "::1" */
    uint16_t port;            /* 0: any; see rx_httpd_port() */
    bool reuse_port;          /* several processes on one port */
    const char *server_name;  /* for log lines: "data", "ops", "admin" */
    size_t max_head;          /* bytes, default 64 KiB */
    uint64_t max_body;        /* bytes, default 32 MiB */
    uint32_t head_timeout_ms; /* first byte to end of head, default 10 s */
    uint32_t body_timeout_ms; /* for each 4 KiB of body, default 30 s */
    uint32_t idle_timeout_ms; /* between requests, default 75 s */
    uint32_t send_timeout_ms; /* client takes nothing for so long, 5 min */
    size_t high_water;        /* unsent bytes, default 256 KiB */
    /* Body errors of the gate: called instead of the plain-text reply so that
     * 413/400/... wear the caller's dialect.  May be NULL.  Must reply. */
    void (*on_refuse)(
        void *arg, struct rx_httpd_req *req, int status, const char *reason);
};

/*
 * Listen.  RX_CONFLICT when the address is taken, RX_INVALID when it is none.
 * `handler` and `arg` must outlive the server.
 */
RX_NODISCARD enum rx_code rx_httpd_open(struct rx_httpd **out,
    struct rx_loop *loop, const struct rx_httpd_options *options,
    const struct rx_httpd_handler *handler, void *arg, struct rx_err *err);
/* Aborts what is still running: on_close(RX_UPSTREAM).  Not from a handler. */
void rx_httpd_close(struct rx_httpd *httpd);
uint16_t rx_httpd_port(const struct rx_httpd *httpd);
/*
 * Stop accepting; answers under way get `Connection: close`, idle connections
 * are closed.  fn(arg) is called once no connection is left (maybe at once).
 */
void rx_httpd_drain(struct rx_httpd *httpd, void (*fn)(void *arg), void *arg);
size_t rx_httpd_connections(const struct rx_httpd *httpd);

const struct rx_httpd_head *rx_httpd_head(const struct rx_httpd_req *req);
void rx_httpd_set_body_limit(struct rx_httpd_req *req, uint64_t bytes);
/* Body so far; whole in and after on_body.  Borrowed until on_close, or until
 * rx_httpd_drop_body(). */
rx_str rx_httpd_body(const struct rx_httpd_req *req);
/* Free the body early (a long stream need not keep it). */
void rx_httpd_drop_body(struct rx_httpd_req *req);
/* Attach the user's own object. */
void rx_httpd_set_user(struct rx_httpd_req *req, void *user);
void *rx_httpd_user(const struct rx_httpd_req *req);

/*
 * A whole reply at once.  `headers` is a block of complete header lines, each
 * ending in CRLF ("content-type: text/plain\r\n..."), without content-length,
 * connection, date and transfer-encoding, which are ours.  HEAD requests get
 * the head only.  Bytes are copied.
 */
void rx_httpd_reply(
    struct rx_httpd_req *req, int status, rx_str headers, rx_str body);

/*
 * A reply piece by piece.  `length` is the exact number of body bytes, or
 * RX_HTTPD_CHUNKED.  To an HTTP/1.0 client an unknown length is sent bare and
 * ended by closing.
 */
#define RX_HTTPD_CHUNKED UINT64_MAX
void rx_httpd_start(
    struct rx_httpd_req *req, int status, rx_str headers, uint64_t length);
/*
 * Queue body bytes (copied, framed as needed).  All writes of one tick leave in
 * one send.  Returns false when more than high_water bytes are waiting: stop
 * producing until on_drain.  Always queues.
 */
bool rx_httpd_write(struct rx_httpd_req *req, rx_str bytes);
/* The reply is whole.  on_close follows once it has been sent. */
void rx_httpd_end(struct rx_httpd_req *req);
/*
 * The reply cannot be finished: what was queued is flushed as far as the
 * kernel takes it now, then the connection is cut without the end that the
 * framing promised, so that the client sees it broken.
 */
void rx_httpd_abort(struct rx_httpd_req *req);
/* The same with a TCP reset, which may take what was queued with it. */
void rx_httpd_reset(struct rx_httpd_req *req);
size_t rx_httpd_unsent(const struct rx_httpd_req *req);

/* "OK", "Too Many Requests"; "Status" for unknown ones. */
const char *rx_http_reason(int status);

#endif
