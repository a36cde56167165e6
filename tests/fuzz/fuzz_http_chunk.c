/*
 * How a chunked body was split changes neither its content, nor its end, nor
 * whether it is one; and content never exceeds what came in.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/http_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum rx_chunk_more end;
    size_t used;
    size_t len;
    char *body;
};

static struct outcome
decode(rx_str in, size_t step)
{
    struct rx_chunk k = { 0 };
    struct outcome o = { .body = malloc(in.len + 1) };
    rx_str d;

    while (o.used < in.len && o.end == RX_CHUNK_MORE) {
        size_t n = in.len - o.used < step ? in.len - o.used : step;
        rx_str piece = { in.ptr + o.used, n };

        while ((o.end = rx_chunk_next(&k, &piece, &d)) == RX_CHUNK_DATA) {
            if (d.len == 0 || o.len + d.len > in.len)
                abort();
            memcpy(o.body + o.len, d.ptr, d.len);
            o.len += d.len;
        }
        if (o.end == RX_CHUNK_MORE && piece.len > 0)
            abort();
        o.used += n - piece.len;
    }
    return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t step = size > 0 ? (size_t)data[0] % 19 + 1 : 1;
    rx_str in = { (const char *)data + (size > 0), size - (size > 0) };
    struct outcome whole = decode(in, in.len > 0 ? in.len : 1);
    struct outcome split = decode(in, step);

    if (whole.end != split.end || whole.used != split.used ||
        whole.len != split.len ||
        memcmp(whole.body, split.body, whole.len) != 0)
        abort();
    if (whole.end != RX_CHUNK_BAD && whole.len > whole.used)
        abort();
    free(whole.body);
    free(split.body);
    return 0;
}
