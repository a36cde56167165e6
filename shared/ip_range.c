#include "shared/ip_range.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_AT   12 /* where an IPv4 address stands */
#define V4_BITS 96

static bool
parse_address(rx_str text, uint8_t out[16], bool *v4)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *v4 = inet_pton(AF_INET, copy, out + V4_AT) == 1;
    if (!*v4)
        return inet_pton(AF_INET6, copy, out) == 1;
    memset(out, 0, V4_AT - 2);
    memset(out + V4_AT - 2, 0xff, 2);
    return true;
}

static bool
bit(const uint8_t *bytes, unsigned i)
{
    return (bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

bool
rx_ip_range_parse(rx_str text, struct rx_ip_range *out)
{
    rx_str address;
    rx_str mask;
    uint64_t bits = 128;
    bool v4;
    bool masked = rx_str_cut(text, '/', &address, &mask);

    if (!parse_address(address, out->bytes, &v4))
        return false;
    if (masked && (!rx_str_u64(mask, &bits) || bits > (v4 ? 32 : 128)))
        return false;
    if (masked && v4)
        bits += V4_BITS;
    for (unsigned i = (unsigned)bits; i < 128; i++) {
        if (bit(out->bytes, i))
            return false;
    }
    out->bits = (uint8_t)bits;
    return true;
}

static bool
is_in(const struct rx_ip_range *range, const uint8_t *address)
{
    unsigned whole = range->bits / 8;
    unsigned rest = range->bits % 8;

    if (memcmp(range->bytes, address, whole) != 0)
        return false;
    return rest == 0 ||
           (range->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool
rx_ip_in_list(const struct rx_ip_list *list, rx_str address)
{
    uint8_t bytes[16];
    bool v4;

    if (!parse_address(address, bytes, &v4))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (is_in(&list->at[i], bytes))
            return true;
    }
    return false;
}
