/*
 * However frames are cut into reads, the same messages come out and the stream
 * is judged the same.  The first byte chooses the cuts.  A twin of the input
 * with its sums put right gets past the first check.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/eventstream.h"
#include "shared/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum end { CUT, WHOLE, BROKEN };

static enum end
run(rx_str stream, size_t most, struct rx_buf *log)
{
    struct eventstream s;
    struct eventstream_message m;

    rx_buf_init(log, (size_t)64 << 20);
    eventstream_init(&s);
    while (stream.len > 0) {
        size_t n = most < stream.len ? most : stream.len;
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, stream.ptr, n);
        rx_str bytes = { piece, n };
        while (eventstream_next(&s, &bytes, &m)) {
            rx_buf_add(log, m.type);
            rx_buf_addc(log, '\1');
            rx_buf_add(log, m.name);
            rx_buf_addc(log, '\1');
            rx_buf_add(log, m.words);
            rx_buf_addc(log, '\1');
            rx_buf_add(log, m.payload);
            rx_buf_addc(log, '\2');
        }
        if (bytes.len != 0)
            abort();
        free(piece);
        stream = (rx_str){ stream.ptr + n, stream.len - n };
    }
    enum end end = s.broken                      ? BROKEN
                   : eventstream_at_boundary(&s) ? WHOLE
                                                 : CUT;
    eventstream_fini(&s);
    return end;
}

static void
compare(rx_str stream, size_t most)
{
    struct rx_buf a, b;
    enum end one = run(stream, stream.len + 1, &a);
    enum end other = run(stream, most, &b);

    if (one != other || !rx_str_eq(rx_buf_str(&a), rx_buf_str(&b)))
        abort();
    rx_buf_fini(&a);
    rx_buf_fini(&b);
}

static void
put(char *at, uint32_t n)
{
    at[0] = (char)(n >> 24);
    at[1] = (char)(n >> 16);
    at[2] = (char)(n >> 8);
    at[3] = (char)n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t most = 1 + data[0] % 32;
    rx_str stream = { (const char *)data + 1, size - 1 };

    compare(stream, most);
    if (stream.len < 16 || stream.len > 4096)
        return 0;
    char twin[4096];
    memcpy(twin, stream.ptr, stream.len);
    put(twin, (uint32_t)stream.len);
    put(twin + 4, (uint32_t)(stream.len - 16) & (data[0] % 2 ? 0xff : 0x3f));
    put(twin + 8, rx_crc32(0, (rx_str){ twin, 8 }));
    put(twin + stream.len - 4, rx_crc32(0, (rx_str){ twin, stream.len - 4 }));
    compare((rx_str){ twin, stream.len }, most);
    return 0;
}
