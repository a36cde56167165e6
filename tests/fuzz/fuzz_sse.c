/*
 * However a stream is cut into reads, the same events come out of it, and it
 * ends at the same place.  The first byte chooses the cuts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EVENT_MAX ((size_t)1 << 20)

static void
note(struct rx_buf *log, const struct sse_event *e)
{
    if (e->data.len == 0)
        abort();
    rx_buf_addc(log, e->raw ? 'r' : 'e');
    rx_buf_add(log, e->name);
    rx_buf_addc(log, '\1');
    rx_buf_add(log, e->data);
    rx_buf_addc(log, '\2');
}

/* Reads of 1 to `most` bytes, each in memory of its own. */
static bool
run(rx_str stream, size_t most, struct rx_buf *log)
{
    struct sse s;
    struct sse_event e;
    unsigned seed = (unsigned)most;

    rx_buf_init(log, 16 * EVENT_MAX);
    sse_init(&s, EVENT_MAX);
    while (stream.len > 0) {
        seed = seed * 1103515245u + 12345u;
        size_t n = 1 + (seed >> 16) % most;
        if (n > stream.len)
            n = stream.len;
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, stream.ptr, n);
        rx_str bytes = { piece, n };
        while (sse_next(&s, &bytes, &e))
            note(log, &e);
        if (bytes.len != 0)
            abort();
        free(piece);
        stream = (rx_str){ stream.ptr + n, stream.len - n };
    }
    bool boundary = sse_at_boundary(&s);
    if (sse_end(&s, &e))
        note(log, &e);
    sse_fini(&s);
    return boundary;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rx_buf whole;
    struct rx_buf pieces;

    if (size < 2)
        return 0;
    rx_str stream = { (const char *)data + 1, size - 1 };
    bool a = run(stream, SIZE_MAX, &whole);
    bool b = run(stream, 1u + data[0] % 32, &pieces);
    if (a != b || !rx_str_eq(rx_buf_str(&whole), rx_buf_str(&pieces)))
        abort();
    rx_buf_fini(&whole);
    rx_buf_fini(&pieces);
    return 0;
}
