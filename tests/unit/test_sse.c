#include <stdlib.h>

#include "dataplane/sse.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

static void
note(struct rx_buf *log, const struct sse_event *e)
{
    rx_buf_addf(log, "%s" RX_STR_FMT "|" RX_STR_FMT ";", e->raw ? "raw " : "",
        RX_STR_ARG(e->name), RX_STR_ARG(e->data));
}

/* Feed in pieces of `size` bytes, each in memory of its own. */
static void
run(rx_str stream, size_t size, struct rx_buf *log, bool *boundary)
{
    struct sse s;
    struct sse_event e;

    rx_buf_clear(log);
    sse_init(&s, SSE_EVENT_MAX);
    while (stream.len > 0) {
        size_t n = size < stream.len ? size : stream.len;
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, stream.ptr, n);
        rx_str bytes = { piece, n };
        while (sse_next(&s, &bytes, &e))
            note(log, &e);
        CHECK_INT(0, (intmax_t)bytes.len);
        free(piece);
        stream = (rx_str){ stream.ptr + n, stream.len - n };
    }
    *boundary = sse_at_boundary(&s);
    if (sse_end(&s, &e))
        note(log, &e);
    sse_fini(&s);
}

static const struct {
    rx_str stream;
    const char *events;
    bool boundary;
} rows[] = {
    { RX_STR_INIT(""), "", true },
    { RX_STR_INIT("data: a\n\n"), "|a;", true },
    { RX_STR_INIT("data:a\r\n\r\n"), "|a;", true },
    { RX_STR_INIT("data: a\r\rdata: b\r\r"), "|a;|b;", true },
    { RX_STR_INIT("data: a\n\ndata: b\n"), "|a;", false },
    { RX_STR_INIT("event: x\ndata: a\n\n"), "x|a;", true },
    { RX_STR_INIT("data: a\nevent: x\n\ndata: b\n\n"), "x|a;|b;", true },
    { RX_STR_INIT("data: {\"a\":\ndata: 1}\n\n"), "|{\"a\":\n1};", true },
    { RX_STR_INIT("data:  two\n\n"), "| two;", true },
    { RX_STR_INIT("\xef\xbb\xbf"
                  "data: a\n\n"),
        "|a;", true },
    { RX_STR_INIT("\xef\xbb"
                  "data: a\n\ndata: b\n\n"),
        "|b;", true },
    { RX_STR_INIT(": OPENROUTER PROCESSING\n\ndata: a\n\n"), "|a;", true },
    { RX_STR_INIT("id: 1\nretry: 5\nnonsense\ndata: a\n\n"), "|a;", true },
    { RX_STR_INIT("database: no\n\n"), "", true },
    { RX_STR_INIT("data\n\ndata:\n\ndata: \n\n"), "", true },
    { RX_STR_INIT("event: ping\n\ndata: a\n\n"), "|a;", true },
    { RX_STR_INIT("data: {\"a\":1}"), "|{\"a\":1};", false },
    { RX_STR_INIT("data: {\"a\":1}\n"), "|{\"a\":1};", false },
    { RX_STR_INIT("data: {\"a\":1"), "", false },
    { RX_STR_INIT("data: [DONE]"), "|[DONE];", false },
    { RX_STR_INIT("data: a\n\n{\"error\":{\"code\":503}}\n"),
        "|a;raw |{\"error\":{\"code\":503}};", true },
    { RX_STR_INIT("{\n  \"error\": {\n    \"code\": 503\n  }\n}"),
        "raw |{\n  \"error\": {\n    \"code\": 503\n  }\n};", false },
    { RX_STR_INIT("[{\"error\":\n1}]\r\ndata: b\r\n\r\n"),
        "raw |[{\"error\":\n1}];|b;", true },
    { RX_STR_INIT("{ never closed\ndata: b\n\n"), "|b;", true },
    { RX_STR_INIT("<html>\n<body>no</body>\n\n"), "", true },
    { RX_STR_INIT("data: \"line\\nend\"\n\n\n\n\ndata: c\n\n"),
        "|\"line\\nend\";|c;", true },
};

static void
events_do_not_depend_on_how_they_arrive(void)
{
    struct rx_buf log;

    rx_buf_init(&log, 100000);
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        for (size_t size = 1; size <= rows[i].stream.len + 1; size++) {
            bool boundary = true;
            run(rows[i].stream, size, &log, &boundary);
            CHECK_TEXT(rows[i].events, log.ptr != NULL ? log.ptr : "");
            CHECK_INT(rows[i].boundary, boundary);
        }
    }
    rx_buf_fini(&log);
}

static void
an_event_that_came_whole_is_not_copied(void)
{
    static const char text[] = "event: x\ndata: abc\n\ndata: d";
    struct sse s;
    struct sse_event e;
    rx_str bytes = { text, sizeof(text) - 1 };

    sse_init(&s, SSE_EVENT_MAX);
    CHECK(sse_next(&s, &bytes, &e));
    CHECK(e.data.ptr == text + 15);
    CHECK(!sse_next(&s, &bytes, &e));
    bytes = RX_S("ef\n\n");
    CHECK(sse_next(&s, &bytes, &e));
    CHECK(rx_str_eq(e.data, RX_S("def")));
    sse_fini(&s);
}

static void
an_event_too_big_is_passed_over_and_counted(void)
{
    struct sse s;
    struct sse_event e;
    unsigned seen = 0;

    sse_init(&s, 100);
    for (unsigned i = 0; i < 3; i++) {
        rx_str bytes = RX_S("data: small\n\n");
        while (sse_next(&s, &bytes, &e))
            seen++;
        bytes = RX_S("data: ");
        CHECK(!sse_next(&s, &bytes, &e));
        for (unsigned k = 0; k < 20; k++) {
            bytes = RX_S("0123456789");
            CHECK(!sse_next(&s, &bytes, &e));
            CHECK(s.line.len + s.kept.len <= 100);
        }
        bytes = RX_S("\ndata: still the same\n");
        CHECK(!sse_next(&s, &bytes, &e));
        bytes = RX_S("\n");
        CHECK(!sse_next(&s, &bytes, &e));
    }
    CHECK_INT(3, (intmax_t)seen);
    CHECK_INT(3, (intmax_t)s.lost);
    sse_fini(&s);
}

static void
a_big_event_in_small_reads_takes_linear_time_and_leaves_nothing(void)
{
    enum { READS = 200000 };
    struct sse s;
    struct sse_event e;
    rx_str bytes = RX_S("data: \"");

    sse_init(&s, SSE_EVENT_MAX);
    CHECK(!sse_next(&s, &bytes, &e));
    for (unsigned i = 0; i < READS; i++) {
        bytes = RX_S("abcdefghijklmnopqrstuvwxyz");
        CHECK(!sse_next(&s, &bytes, &e));
    }
    bytes = RX_S("\"\n\nd");
    CHECK(sse_next(&s, &bytes, &e));
    CHECK_INT(26 * READS + 2, (intmax_t)e.data.len);
    CHECK(!sse_next(&s, &bytes, &e));
    CHECK(s.line.size + s.kept.size < 4096);
    sse_fini(&s);
}

static void
line_ends_are_found_at_every_place(void)
{
    char text[70];

    for (size_t n = 0; n < sizeof(text); n++) {
        memset(text, 'x', sizeof(text));
        text[n] = n % 2 == 0 ? '\n' : '\r';
        CHECK(sse_line_end(text, text + sizeof(text)) == text + n);
        CHECK(sse_line_end(text, text + n) == text + n);
    }
}

int
main(void)
{
    CHECK_RUN(events_do_not_depend_on_how_they_arrive);
    CHECK_RUN(an_event_that_came_whole_is_not_copied);
    CHECK_RUN(an_event_too_big_is_passed_over_and_counted);
    CHECK_RUN(a_big_event_in_small_reads_takes_linear_time_and_leaves_nothing);
    CHECK_RUN(line_ends_are_found_at_every_place);
    return CHECK_EXIT();
}
