/*
 * fetch.h - going out to other machines: door to libcurl.
 *
 * Two ways.  A *wire* is a connected byte pipe: libcurl resolves, connects
 * (happy eyeballs), speaks TLS and proxies; the caller frames HTTP on it (see
 * client.h).  A *transfer* is a whole HTTP exchange by libcurl, for places
 * where comfort wins: health checks, OAuth, webhooks, the command line.
 */
#ifndef SHARED_FETCH_H
#define SHARED_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/err.h"
#include "shared/loop.h"
#include "shared/str.h"

struct rx_fetch;

/* One per loop.  Freeing cancels its transfers; wires must be closed before. */
RX_NODISCARD struct rx_fetch *rx_fetch_new(struct rx_loop *loop);
void rx_fetch_free(struct rx_fetch *fetch);

/* Where to, and how.  Two equal targets may share kept connections. */
struct rx_target {
    bool tls;
    rx_str host;
    uint16_t port;
    rx_str proxy_url; /* empty: none.  http://, https://, socks5h:// */
    rx_str ca_file;   /* empty: the system's */
};

struct rx_wire;

/*
 * Connect.  fn(arg, code, why) is called once, later, on the loop: RX_OK, or
 * RX_UPSTREAM / RX_TIMEOUT with words; until then the target's texts are
 * borrowed.  After a failure the wire must still be closed.  rx_wire_close()
 * before that cancels: fn is then never called.
 */
RX_NODISCARD struct rx_wire *rx_wire_open(struct rx_fetch *fetch,
    const struct rx_target *target, uint32_t connect_ms,
    void (*fn)(void *arg, enum rx_code code, const char *why), void *arg);
void rx_wire_close(struct rx_wire *w);
int rx_wire_fd(const struct rx_wire *w); /* for the caller's struct event */
/* May bytes wait inside the wire that the descriptor does not show?  Then read
 * until RX_WIRE_AGAIN. */
bool rx_wire_buffers(const struct rx_wire *w);
/*
 * After RX_WIRE_AGAIN, sendv must be tried again with the same pieces.
 * Bytes moved; 0 at end of stream (recv only); RX_WIRE_AGAIN: not now, wait for
 * the descriptor; RX_WIRE_FAILED.  Plain connections go straight to the socket,
 * TLS through libcurl.
 */
#define RX_WIRE_AGAIN  ((ssize_t)-1)
#define RX_WIRE_FAILED ((ssize_t)-2)
ssize_t rx_wire_recv(struct rx_wire *w, void *to, size_t size);
struct iovec;
ssize_t rx_wire_sendv(struct rx_wire *w, const struct iovec *iov, int count);

struct rx_transfer_options {
    const char *method;
    const char *url;
    const char *const
        *headers; /* "name: value", NULL-terminated; may be NULL */
    rx_str body;
    const char *proxy_url;   /* NULL: none */
    const char *ca_file;     /* NULL: the system's */
    const char *unix_socket; /* NULL: none */
    uint32_t connect_ms;
    uint32_t total_ms;
    size_t max_response;
    /*
     * The body as it comes, not kept: for what has no end.  Called with fn's
     * arg from inside libcurl, so it may only note; no call into fetch.h.
     */
    void (*on_bytes)(void *arg, rx_str bytes);
    bool follow_redirects;
    /* A connection of its own: libcurl silently sends a request again when a
     * kept one breaks, which what must be asked only once cannot bear. */
    bool own_connection;
};

struct rx_transfer_result {
    enum rx_code code; /* RX_OK: an answer came, whatever its status */
    char why[160];
    int status;
    rx_str body;    /* borrowed for the call */
    rx_str headers; /* raw block, borrowed for the call */
    uint32_t connect_ms;
    uint32_t first_byte_ms;
    uint32_t total_ms;
};

struct rx_transfer;
/*
 * fn is called once, later, on the loop; cancelling suppresses it.  Options are
 * copied.  0 ms mean 5 s to connect, 30 s in all.  NULL when proxy or CA file
 * are no usable texts (over 1 KiB).
 */
RX_NODISCARD struct rx_transfer *rx_transfer_start(struct rx_fetch *fetch,
    const struct rx_transfer_options *options,
    void (*fn)(void *arg, const struct rx_transfer_result *result), void *arg);
void rx_transfer_cancel(struct rx_transfer *t);

#endif
