/*
 * http_chunk.h - a chunked request body, taken apart strictly.
 *
 * Bytes may come in any split.  Extensions and trailers are read over, within
 * limits; sizes are plain hexadecimal; every line ends in CRLF.
 */
#ifndef SHARED_HTTP_CHUNK_H
#define SHARED_HTTP_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/str.h"

enum rx_chunk_more {
    RX_CHUNK_MORE, /* all bytes used up, the body goes on */
    RX_CHUNK_DATA, /* `data` holds body bytes; call again with the rest */
    RX_CHUNK_DONE, /* the body is whole; what is left belongs to the next */
    RX_CHUNK_BAD,  /* not chunked coding; say no more */
};

/* Zeroed at the start of a body. */
struct rx_chunk {
    uint64_t left;    /* data bytes of this chunk still to come */
    uint32_t line;    /* bytes of this size line so far */
    uint32_t trailer; /* bytes of trailers so far */
    uint8_t state;
};

/*
 * Read from the front of *in, which moves on behind what was read.  With
 * RX_CHUNK_DATA, *data is a view into it.
 */
RX_NODISCARD enum rx_chunk_more rx_chunk_next(
    struct rx_chunk *chunk, rx_str *in, rx_str *data);

#endif
