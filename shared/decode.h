/*
 * decode.h - what Content-Encoding did, undone: door to zlib, zstd and brotli.
 *
 * Two ways: a whole body at once, bounded by the cap of the buffer it goes to;
 * or a stream, piece by piece, in memory that does not grow with it.
 */
#ifndef SHARED_DECODE_H
#define SHARED_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

enum rx_coding {
    RX_CODING_IDENTITY,
    RX_CODING_GZIP,
    RX_CODING_DEFLATE, /* zlib's wrapper, or none as some senders have it */
    RX_CODING_ZSTD,
    RX_CODING_BR,
};

/*
 * The coding a Content-Encoding value names; empty is identity.  False when it
 * is unknown or several are stacked.
 */
bool rx_coding_find(rx_str header, enum rx_coding *out);

/*
 * Decode all of `in` and append it to `out`.  RX_TOO_BIG when out's cap would
 * be passed (nothing larger is ever allocated), RX_INVALID when `in` is broken,
 * cut short, or has something behind its end.
 */
RX_NODISCARD enum rx_code rx_decode_whole(
    enum rx_coding coding, rx_str in, struct rx_buf *out, struct rx_err *err);

struct rx_decode;

/* Not for RX_CODING_IDENTITY.  The caller owns it. */
RX_NODISCARD struct rx_decode *rx_decode_new(enum rx_coding coding);
void rx_decode_free(struct rx_decode *d); /* NULL is allowed */

/*
 * Take what can be taken from the front of `in` and say what came out of it:
 * a view valid until the next call.  Call again until `in` and `out` are both
 * empty.  RX_INVALID when the input is broken, which is final; `out` is then
 * what came before the fault.
 */
RX_NODISCARD enum rx_code rx_decode_step(
    struct rx_decode *d, rx_str *in, rx_str *out);

/* Is the input so far complete?  False at its end means it was cut. */
bool rx_decode_complete(const struct rx_decode *d);

/* All of `in` as one zstd frame, appended; false when `out` cannot hold it, which
 * rx_zstd_bound() bytes of room always do. */
size_t rx_zstd_bound(size_t size);
bool rx_zstd_pack(rx_str in, struct rx_buf *out);

/* CRC-32 as zlib and Ethernet have it, going on from `crc` (0: from nothing). */
uint32_t rx_crc32(uint32_t crc, rx_str bytes);

#endif
