/*
 * packed.h - reading packed protobuf in place, field by field.
 *
 * Where a message is cut into its parts, or there is one for every request,
 * unpacking it into a tree of objects costs more than what is done with it.
 * Format: protobuf.dev/programming-guides/encoding.  Groups are refused.
 */
#ifndef SHARED_PACKED_H
#define SHARED_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/str.h"

enum rx_packed_type {
    RX_PACKED_VARINT = 0,
    RX_PACKED_FIXED64 = 1,
    RX_PACKED_BYTES = 2,
    RX_PACKED_FIXED32 = 5,
};

struct rx_packed_field {
    uint32_t number;
    uint32_t type;  /* enum rx_packed_type */
    uint64_t value; /* of a varint */
    rx_str bytes;   /* of the others; a view into the message */
};

/* The first field of *rest, which then begins behind it.  False: it is broken.
 * A message is over when *rest is empty. */
RX_NODISCARD bool rx_packed_next(rx_str *rest, struct rx_packed_field *f);

#endif
