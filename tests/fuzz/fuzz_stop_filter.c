/*
 * Any text and any sequences, in any pieces: the same is shown, it is the
 * beginning of the text, and all of it unless a sequence was found.
 */
#include <stdlib.h>

#include "dataplane/codec/stop_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
watch(const struct ir_name *names, rx_str text, size_t most, struct rx_buf *out)
{
    struct rx_arena *arena = rx_arena_new(1 << 20);
    struct stop_filter *f = stop_filter_new(arena, names);
    rx_str which;

    rx_buf_init(out, 1 << 20);
    while (text.len > 0) {
        size_t n = most < text.len ? most : text.len;
        rx_buf_add(out, stop_filter_feed(f, (rx_str){ text.ptr, n }));
        text = (rx_str){ text.ptr + n, text.len - n };
    }
    rx_buf_add(out, stop_filter_flush(f));
    bool found = stop_filter_found(f, &which);
    stop_filter_free(f);
    rx_arena_free(arena);
    return found;
}

/* The first byte cuts; then come two sequences, each behind its length. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ir_name names[2] = { { .next = &names[1] }, { .next = NULL } };
    rx_str rest = { (const char *)data + 1, size - 1 };
    struct rx_buf whole;
    struct rx_buf pieces;

    if (size < 1 || size > 1 << 16)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        if (rest.len == 0)
            return 0;
        size_t n = (unsigned char)rest.ptr[0] % 16;
        if (n > rest.len - 1)
            n = rest.len - 1;
        names[i].name = (rx_str){ rest.ptr + 1, n };
        rest = (rx_str){ rest.ptr + 1 + n, rest.len - 1 - n };
    }
    bool found = watch(names, rest, rest.len + 1, &whole);
    if (found != watch(names, rest, 1 + data[0] % 8, &pieces) ||
        !rx_str_eq(rx_buf_str(&whole), rx_buf_str(&pieces)) ||
        !rx_str_starts(rest, rx_buf_str(&whole)) ||
        (!found && whole.len != rest.len))
        abort();
    rx_buf_fini(&whole);
    rx_buf_fini(&pieces);
    return 0;
}
