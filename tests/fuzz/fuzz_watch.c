/*
 * However a stream is cut into reads, the command line hears the same events.
 * The first byte chooses the cuts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
note(void *arg, const struct watch_event *e)
{
    struct rx_buf *log = arg;

    if (e->name.len == 0)
        abort();
    rx_buf_add(log, e->name);
    rx_buf_addc(log, '\1');
    rx_buf_add(log, e->id);
    rx_buf_addc(log, '\2');
    rx_buf_add(log, e->data);
    rx_buf_addc(log, '\3');
}

static void
run(rx_str stream, size_t most, struct rx_buf *log)
{
    struct watch_parser p;
    size_t step = 1;

    rx_buf_init(log, (size_t)16 << 20);
    watch_parser_init(&p, note, log);
    while (stream.len > 0) {
        size_t n = step < stream.len ? step : stream.len;
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, stream.ptr, n);
        watch_parser_feed(&p, (rx_str){ piece, n });
        free(piece);
        stream = (rx_str){ stream.ptr + n, stream.len - n };
        step = step % most + 1;
    }
    watch_parser_fini(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rx_buf whole;
    struct rx_buf pieces;

    if (size < 2)
        return 0;
    rx_str stream = { (const char *)data + 1, size - 1 };
    run(stream, SIZE_MAX - 1, &whole);
    run(stream, 1u + data[0] % 32, &pieces);
    if (!rx_str_eq(rx_buf_str(&whole), rx_buf_str(&pieces)))
        abort();
    rx_buf_fini(&whole);
    rx_buf_fini(&pieces);
    return 0;
}
