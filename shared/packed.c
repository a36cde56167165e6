#include "shared/packed.h"

/* Ten bytes at most; what does not fit in 64 bits is cut off, as everywhere. */
static bool
take_varint(rx_str *rest, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 70 && rest->len > 0; shift += 7) {
        unsigned char c = (unsigned char)*rest->ptr;
        rest->ptr++;
        rest->len--;
        if (shift < 64)
            v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

static bool
take_bytes(rx_str *rest, uint64_t n, rx_str *out)
{
    if (n > rest->len)
        return false;
    *out = (rx_str){ rest->ptr, (size_t)n };
    rest->ptr += n;
    rest->len -= (size_t)n;
    return true;
}

bool
rx_packed_next(rx_str *rest, struct rx_packed_field *f)
{
    uint64_t tag = 0;
    uint64_t n = 0;

    *f = (struct rx_packed_field){ 0 };
    if (!take_varint(rest, &tag) || tag >> 3 == 0 || tag >> 32 != 0)
        return false;
    f->number = (uint32_t)(tag >> 3);
    f->type = (uint32_t)(tag & 7);
    switch (f->type) {
    case RX_PACKED_VARINT: return take_varint(rest, &f->value);
    case RX_PACKED_BYTES:
        return take_varint(rest, &n) && take_bytes(rest, n, &f->bytes);
    case RX_PACKED_FIXED64: return take_bytes(rest, 8, &f->bytes);
    case RX_PACKED_FIXED32: return take_bytes(rest, 4, &f->bytes);
    default: return false;
    }
}
