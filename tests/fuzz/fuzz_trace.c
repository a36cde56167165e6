/*
 * What is read is written again with the same ids, packed and unpacked without
 * loss; what is refused leaves nothing behind.  Nothing outside the text is
 * looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool true_)
{
    if (!true_)
        abort();
}

static void
check_read(rx_str value)
{
    struct rx_trace t = { .span = { 7 } }, back;
    unsigned char packed[RX_TRACE_PACKED_MAX];
    char text[RX_TRACE_TEXT_SIZE];

    if (!rx_trace_read(value, &t)) {
        must(!rx_trace_is(&t) && !rx_trace_has_parent(&t));
        return;
    }
    must(rx_trace_is(&t) && rx_trace_has_parent(&t) && t.span[0] == 7);
    rx_trace_write(&t, t.parent, text);
    must(memcmp(text + 3, value.ptr + 3, 50) == 0);
    must(rx_trace_read((rx_str){ text, strlen(text) }, &back));
    memcpy(back.span, t.span, sizeof(t.span));
    must(memcmp(&t, &back, sizeof(t)) == 0);
    size_t n = rx_trace_pack(&t, packed);
    must(rx_trace_unpack((rx_str){ (char *)packed, n }, &back));
    must(memcmp(&t, &back, sizeof(t)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1); /* exact, so that reading past it is seen */
    struct rx_trace t;

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy + 1, data, size);
    rx_str value = { copy + 1, size };
    check_read(value);
    if (rx_trace_state_fits(value)) {
        must(size <= 512 && memchr(value.ptr, '=', size) != NULL);
        must(memchr(value.ptr, '\r', size) == NULL);
        must(memchr(value.ptr, '\n', size) == NULL);
    }
    must(rx_trace_unpack(value, &t) == rx_trace_is(&t));
    free(copy);
    return 0;
}
