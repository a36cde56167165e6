/*
 * However an answer is cut into reads, the tap learns the same from it.  The
 * first three bytes choose dialect and operation, type and coding, and cuts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/usage.h"
#include "shared/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const rx_str types[] = {
    RX_STR_INIT("text/event-stream"),
    RX_STR_INIT("application/json"),
    RX_STR_INIT(""),
};
static const rx_str codings[] = {
    RX_STR_INIT(""),
    RX_STR_INIT("gzip"),
    RX_STR_INIT(""),
    RX_STR_INIT("deflate"),
};

static struct usage_tap *
run(const uint8_t *how, rx_str bytes, size_t most)
{
    struct usage_tap *tap =
        usage_tap_new((enum dialect)(how[0] % DIALECT_COUNT),
            (enum operation)(how[0] / DIALECT_COUNT % OP_COUNT_),
            types[how[1] % RX_COUNT(types)],
            codings[how[1] / RX_COUNT(types) % RX_COUNT(codings)]);
    unsigned seed = (unsigned)most;

    while (bytes.len > 0) {
        seed = seed * 1103515245u + 12345u;
        size_t n = 1 + (seed >> 16) % most;
        if (n > bytes.len)
            n = bytes.len;
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, bytes.ptr, n);
        usage_tap_feed(tap, (rx_str){ piece, n });
        free(piece);
        bytes = (rx_str){ bytes.ptr + n, bytes.len - n };
    }
    usage_tap_end(tap, (how[1] & 0x80) != 0);
    return tap;
}

static void
require_same(const struct usage_tap *a, const struct usage_tap *b)
{
    const struct usage_seen *x = usage_tap_seen(a);
    const struct usage_seen *y = usage_tap_seen(b);
    struct usage u = usage_tap_result(a, 100);
    struct usage v = usage_tap_result(b, 100);

    if (x->content != y->content || x->terminal != y->terminal ||
        x->error != y->error || x->error_status != y->error_status ||
        x->unreadable != y->unreadable || !rx_str_eq(x->model, y->model) ||
        !rx_str_eq(x->finish, y->finish) ||
        !rx_str_eq(x->error_type, y->error_type) ||
        !rx_str_eq(x->error_message, y->error_message))
        abort();
    if (u.has != v.has || u.provenance != v.provenance ||
        memcmp(u.n, v.n, sizeof(u.n)) != 0 ||
        memcmp(u.tier, v.tier, sizeof(u.tier)) != 0)
        abort();
    if (u.provenance == PROVENANCE_REPORTED && !x->terminal)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    rx_str bytes = { (const char *)data + 3, size - 3 };
    struct usage_tap *whole = run(data, bytes, SIZE_MAX);
    struct usage_tap *pieces = run(data, bytes, 1u + data[2] % 32);

    require_same(whole, pieces);
    usage_tap_free(whole);
    usage_tap_free(pieces);
    return 0;
}
