/*
 * dataplane/eventstream: frames, whole, in pieces, damaged.
 */
#include <stdlib.h>

#include "dataplane/eventstream.h"
#include "shared/secret.h"
#include "tests/unit/check.h"

/* {"foo":"bar"} without headers; {} with :message-type event. */
#define PLAIN "0000001d00000000fd528c5a7b22666f6f223a22626172227d3e9c25b4"
#define EVENT                                                            \
    "000000280000001660470efd0d3a6d6573736167652d747970650700056576656e" \
    "747b7db7184afc"

static size_t
bytes_of(const char *hex, char *out)
{
    size_t n = strlen(hex) / 2;

    CHECK(rx_unhex((rx_str){ hex, 2 * n }, out, n));
    return n;
}

/* What comes out of `bytes` in reads of `step`: "type|name|payload;" */
static void
run(const char *bytes, size_t n, size_t step, struct rx_buf *log,
    struct eventstream *s)
{
    struct eventstream_message m;

    rx_buf_init(log, 1 << 20);
    eventstream_init(s);
    for (size_t at = 0; at < n; at += step) {
        size_t most = n - at < step ? n - at : step;
        char *piece = malloc(most);
        memcpy(piece, bytes + at, most);
        rx_str read = { piece, most };
        while (eventstream_next(s, &read, &m))
            rx_buf_addf(log, RX_STR_FMT "|" RX_STR_FMT "|" RX_STR_FMT ";",
                RX_STR_ARG(m.type), RX_STR_ARG(m.name), RX_STR_ARG(m.payload));
        CHECK(read.len == 0);
        free(piece);
    }
}

static void
messages_come_out_however_they_are_cut(void)
{
    static const size_t steps[] = { 1, 2, 3, 7, 16, 69, 1000 };
    char bytes[256];
    size_t n = bytes_of(PLAIN EVENT PLAIN, bytes);

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct eventstream s;
        struct rx_buf log;
        run(bytes, n, steps[i], &log, &s);
        CHECK_TEXT("||{\"foo\":\"bar\"};event||{};||{\"foo\":\"bar\"};",
            log.len > 0 ? log.ptr : "");
        CHECK(!s.broken && eventstream_at_boundary(&s));
        rx_buf_fini(&log);
        eventstream_fini(&s);
    }
}

static void
a_changed_byte_anywhere_is_noticed(void)
{
    char bytes[256];
    size_t n = bytes_of(EVENT, bytes);

    for (size_t i = 0; i < n; i++) {
        struct eventstream s;
        struct rx_buf log;
        bytes[i] ^= 0x10;
        run(bytes, n, 5, &log, &s);
        CHECK_INT(0, (intmax_t)log.len);
        CHECK(s.broken);
        bytes[i] ^= 0x10;
        rx_buf_fini(&log);
        eventstream_fini(&s);
    }
}

static void
a_cut_is_no_boundary(void)
{
    char bytes[256];
    size_t n = bytes_of(EVENT, bytes);

    for (size_t cut = 1; cut < n; cut++) {
        struct eventstream s;
        struct rx_buf log;
        run(bytes, cut, n, &log, &s);
        CHECK_INT(0, (intmax_t)log.len);
        CHECK(!s.broken && !eventstream_at_boundary(&s));
        rx_buf_fini(&log);
        eventstream_fini(&s);
    }
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(messages_come_out_however_they_are_cut);
    CHECK_RUN(a_changed_byte_anywhere_is_noticed);
    CHECK_RUN(a_cut_is_no_boundary);
    return CHECK_EXIT();
}
