/*
 * http_head.h - is this the head of an HTTP/1.x request, to the letter?
 *
 * Two pure functions over bytes.  The first finds where a head ends, and can
 * be asked again as bytes arrive; the second splits a whole head into views
 * and refuses everything that two parsers might read differently: Content-
 * Length beside Transfer-Encoding, repeated lengths, blanks before the colon,
 * folded lines, control characters, bare CR or LF as a line end.
 */
#ifndef SHARED_HTTP_HEAD_H
#define SHARED_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/httpd.h" /* struct rx_header */
#include "shared/str.h"

/* What a head may have at most; more is answered with 414 or 431. */
#define RX_HTTP_MAX_TARGET  ((size_t)16 * 1024)
#define RX_HTTP_MAX_HEADERS ((size_t)128)

/* Where the search stands between two calls; zeroed at the start of a head. */
struct rx_http_scan {
    size_t at;    /* bytes that need not be looked at again: whole lines */
    size_t seen;  /* bytes without LF beyond `at` */
    size_t start; /* where the request line begins: after blank lines */
    size_t lines; /* header lines so far, the request line not counted */
    bool begun;   /* the request line was complete */
};

/*
 * Look for the blank line that ends a head of at most `max` bytes.  `in` is
 * everything received so far, from the same first byte at each call.  Returns
 * 0 when more bytes are needed, 200 when scan->at is the size of the head, else
 * the status to refuse with: 400, 414 or 431.  How the bytes were split never
 * changes the answer.
 */
RX_NODISCARD int rx_http_head_find(
    struct rx_http_scan *scan, rx_str in, size_t max);

struct rx_http_head {
    rx_str method;
    rx_str target; /* as sent */
    rx_str path;   /* before '?', without scheme and host */
    rx_str query;  /* after '?' */
    unsigned minor;
    struct rx_header *headers; /* the caller's array */
    size_t header_count;
    uint64_t content_length;
    bool has_length;
    bool chunked;
    bool keep_alive;
    bool expect_continue;
};

/*
 * Split `in`, one whole head as rx_http_head_find() delimited it.  `headers`
 * has room for `room` entries.  All views point into `in`.  Returns 200, or the
 * status to refuse with (400, 414, 417, 431, 501, 505) and why in `*reason`.
 */
RX_NODISCARD int rx_http_head_split(rx_str in, struct rx_header *headers,
    size_t room, struct rx_http_head *out, const char **reason);

#endif
