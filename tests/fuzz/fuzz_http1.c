/*
 * However an answer is cut into pieces, the same head, body, end and rest come
 * out of it.  (Of two faults in one answer either may be named.)  The first byte chooses the cuts, the rest is the answer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/http1.h"

#define MAX_HEAD ((size_t)1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
on_head(void *arg, const struct rx_http1_head *head)
{
    struct rx_buf *out = arg;

    rx_buf_addf(out, "%d %u %d %llu\n", head->status, head->minor,
        head->has_length, (unsigned long long)head->length);
    for (size_t i = 0; i < head->header_count; i++) {
        rx_buf_add(out, head->headers[i].name);
        rx_buf_add(out, RX_S(": "));
        rx_buf_add(out, head->headers[i].value);
        rx_buf_addc(out, '\n');
    }
    return true;
}

static bool
on_body(void *arg, rx_str bytes)
{
    return bytes.len > 0 && rx_buf_add(arg, bytes);
}

static const struct rx_http1_events events = { on_head, on_body };

/* `seed` 0: all at once; else pieces of 1 to 8 bytes. */
static void
play(const uint8_t *data, size_t size, uint32_t seed, struct rx_buf *out)
{
    struct rx_http1 *h = rx_http1_new(&events, out, MAX_HEAD);
    enum rx_http1_step step = RX_HTTP1_MORE;
    size_t used = 0;

    rx_http1_reset(h, out, (size & 7) == 7);
    while (used < size && step == RX_HTTP1_MORE) {
        size_t piece = size - used;
        size_t taken;
        if (seed != 0) {
            seed = seed * 1664525 + 1013904223;
            piece = piece < 1 + (seed >> 29) ? piece : 1 + (seed >> 29);
        }
        char *copy = malloc(piece);
        memcpy(copy, data + used, piece);
        step = rx_http1_feed(h, copy, piece, &taken);
        free(copy);
        used += taken;
    }
    if (step == RX_HTTP1_MORE)
        step = rx_http1_eof(h);
    rx_buf_addf(out, "\n%d", (int)step);
    if (step == RX_HTTP1_DONE)
        rx_buf_addf(out, " %zu %d", used, rx_http1_keeps(h));
    rx_http1_free(h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rx_buf whole;
    struct rx_buf cut;

    if (size == 0 || size > 65536)
        return 0;
    rx_buf_init(&whole, 1 << 20);
    rx_buf_init(&cut, 1 << 20);
    play(data + 1, size - 1, 0, &whole);
    play(data + 1, size - 1, data[0] + 1u, &cut);
    if (!rx_str_eq(rx_buf_str(&whole), rx_buf_str(&cut))) {
        fprintf(stderr, "whole: %s\ncut: %s\n", whole.ptr, cut.ptr);
        abort();
    }
    rx_buf_fini(&whole);
    rx_buf_fini(&cut);
    return 0;
}
