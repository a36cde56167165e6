/*
 * The processor's own instruction where it has one (SSE4.2, eight bytes per
 * step), else a table of sixteen entries, two look-ups per byte.
 */
#include "shared/crc32c.h"

#include <stddef.h>
#include <string.h>

/* Entry i: i after four steps with the reflected polynomial 0x82f63b78. */
static const uint32_t nibbles[16] = {
    0x00000000u,
    0x105ec76fu,
    0x20bd8edeu,
    0x30e349b1u,
    0x417b1dbcu,
    0x5125dad3u,
    0x61c69362u,
    0x7198540du,
    0x82f63b78u,
    0x92a8fc17u,
    0xa24bb5a6u,
    0xb21572c9u,
    0xc38d26c4u,
    0xd3d3e1abu,
    0xe330a81au,
    0xf36e6f75u,
};

uint32_t
rx_crc32c_portable(uint32_t crc, rx_str bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
with_instruction(uint32_t crc, rx_str bytes)
{
    uint64_t c = ~crc;
    const char *at = bytes.ptr;
    size_t left = bytes.len;

    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    uint32_t low = (uint32_t)c;
    for (; left > 0; at++, left--)
        low = __builtin_ia32_crc32qi(low, (unsigned char)*at);
    return ~low;
}
#endif

uint32_t
rx_crc32c(uint32_t crc, rx_str bytes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return with_instruction(crc, bytes);
#endif
    return rx_crc32c_portable(crc, bytes);
}
