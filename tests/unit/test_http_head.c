#include <stdlib.h>

#include "check.h"
#include "shared/http_chunk.h"
#include "shared/http_head.h"

#define MAX ((size_t)64 * 1024)

/* Find and split in one go, as a whole. */
static int
verdict(rx_str in, struct rx_http_head *head, struct rx_header *headers)
{
    struct rx_http_scan scan = { 0 };
    const char *reason;
    int status = rx_http_head_find(&scan, in, MAX);

    if (status != 200)
        return status;
    in = (rx_str){ in.ptr + scan.start, scan.at - scan.start };
    return rx_http_head_split(in, headers, RX_HTTP_MAX_HEADERS, head, &reason);
}

static int
verdict_text(const char *text)
{
    static struct rx_header headers[RX_HTTP_MAX_HEADERS];
    struct rx_http_head head;

    return verdict((rx_str){ text, strlen(text) }, &head, headers);
}

static void
splits_a_good_head(void)
{
    static const char text[] = "POST /v1/messages?beta=true&x HTTP/1.1\r\n"
                               "Host: a.example:8080\r\n"
                               "X-Empty:\r\n"
                               "X-Api-Key: \t k 1 \t\r\n"
                               "content-length: 42\r\n\r\nrest";
    struct rx_header headers[RX_HTTP_MAX_HEADERS];
    struct rx_http_head h;

    CHECK_INT(200, verdict((rx_str){ text, sizeof(text) - 1 }, &h, headers));
    CHECK(rx_str_eq(h.method, RX_S("POST")));
    CHECK(rx_str_eq(h.target, RX_S("/v1/messages?beta=true&x")));
    CHECK(rx_str_eq(h.path, RX_S("/v1/messages")));
    CHECK(rx_str_eq(h.query, RX_S("beta=true&x")));
    CHECK_INT(1, h.minor);
    CHECK_INT(4, (intmax_t)h.header_count);
    CHECK(rx_str_eq(h.headers[0].name, RX_S("Host")));
    CHECK(rx_str_eq(h.headers[1].value, RX_S("")));
    CHECK(rx_str_eq(h.headers[2].value, RX_S("k 1")));
    CHECK(h.has_length);
    CHECK_INT(42, (intmax_t)h.content_length);
    CHECK(h.keep_alive);
    CHECK(!h.chunked);
    CHECK(!h.expect_continue);
}

static void
knows_the_forms_of_a_target(void)
{
    static const struct {
        const char *line;
        const char *path;
        const char *query;
    } rows[] = {
        { "GET / HTTP/1.1", "/", "" },
        { "GET /? HTTP/1.1", "/", "" },
        { "GET /a?b?c HTTP/1.1", "/a", "b?c" },
        { "GET http://h:1/p/q?r HTTP/1.1", "/p/q", "r" },
        { "GET HTTPS://h HTTP/1.1", "/", "" },
        { "GET http://h?q HTTP/1.1", "/", "q" },
        { "OPTIONS * HTTP/1.1", "*", "" },
        { "GET //evil/%2e%2e HTTP/1.1", "//evil/%2e%2e", "" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_header headers[RX_HTTP_MAX_HEADERS];
        struct rx_http_head h = { 0 };
        char text[256];

        snprintf(text, sizeof(text), "%s\r\nHost: h\r\n\r\n", rows[i].line);
        CHECK_INT(200, verdict((rx_str){ text, strlen(text) }, &h, headers));
        CHECK(
            rx_str_eq(h.path, (rx_str){ rows[i].path, strlen(rows[i].path) }));
        CHECK(rx_str_eq(
            h.query, (rx_str){ rows[i].query, strlen(rows[i].query) }));
    }
}

static void
decides_on_keeping_the_connection(void)
{
    static const struct {
        const char *head;
        bool keep;
    } rows[] = {
        { "GET / HTTP/1.1\r\nHost: h\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", true },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_header headers[RX_HTTP_MAX_HEADERS];
        struct rx_http_head h = { 0 };
        rx_str in = { rows[i].head, strlen(rows[i].head) };

        CHECK_INT(200, verdict(in, &h, headers));
        CHECK_INT(rows[i].keep, h.keep_alive);
    }
}

static const struct {
    int status;
    rx_str text;
} strict[] = {
#define GET_ "GET / HTTP/1.1\r\nHost: h\r\n"
#define ROW(status, literal)           \
    {                                  \
        (status), RX_STR_INIT(literal) \
    }
    ROW(200, GET_ "\r\n"),
    ROW(200, "\r\n\r\n" GET_ "\r\n"),
    ROW(200, GET_ "Transfer-Encoding: chunked\r\n\r\n"),
    ROW(200, GET_ "Transfer-Encoding: CHUNKED\r\n\r\n"),
    ROW(200, GET_ "Content-Length: 18446744073709551615\r\n\r\n"),
    ROW(200, GET_ "X: \xc3\xa4\r\n\r\n"),
    ROW(200, GET_ "Expect: 100-Continue\r\n\r\n"),
    /* needs more */
    ROW(0, ""),
    ROW(0, "\r"),
    ROW(0, "GET / HTTP/1.1\r\nHost: h\r\n\r"),
    /* line ends */
    ROW(400, "GET / HTTP/1.1\nHost: h\n\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: h\n\r\n"),
    ROW(400, GET_ "\n"),
    ROW(400, "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, GET_ "X: a\rb\r\n\r\n"),
    ROW(400, "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"),
    /* not HTTP */
    ROW(400, "\x16\x03\x01"),
    ROW(400, " GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET /\r\n\r\n"),
    ROW(400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
    ROW(400, "GET / /x HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET / HTTP/1.10\r\nHost: h\r\n\r\n"),
    ROW(400, "GET / http/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET / ICY/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n"),
    /* versions */
    ROW(505, "GET / HTTP/3.7\r\nHost: h\r\n\r\n"),
    ROW(505, "GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
    ROW(505, "PRI * HTTP/2.0\r\n\r\n"),
    ROW(505, "GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
    /* methods */
    ROW(501, "BREW / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(501, "get / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(501, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(501, "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"),
    /* targets */
    ROW(400, "GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET a HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET ?a HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET http:/// HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET http:// HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW(400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n"),
    /* Host */
    ROW(400, "GET / HTTP/1.1\r\n\r\n"),
    ROW(200, "GET / HTTP/1.0\r\n\r\n"),
    ROW(400, GET_ "host: h\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    /* headers */
    ROW(400, GET_ "X : a\r\n\r\n"),
    ROW(400, GET_ ": a\r\n\r\n"),
    ROW(400, GET_ "Xa\r\n\r\n"),
    ROW(400, GET_ "X: a\r\n folded\r\n\r\n"),
    ROW(400, GET_ "X: a\r\n\tfolded\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
    ROW(400, GET_ "X: a\0b\r\n\r\n"),
    ROW(400, GET_ "X: a\x01\r\n\r\n"),
    ROW(400, GET_ "X: a\x7f\r\n\r\n"),
    ROW(400, GET_ "X\xc3\xa4: a\r\n\r\n"),
    /* framing */
    ROW(400, GET_ "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ROW(400, GET_ "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
    ROW(400, GET_ "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    ROW(400, GET_ "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
    ROW(400, GET_ "Content-Length: 1, 1\r\n\r\n"),
    ROW(400, GET_ "Content-Length: -1\r\n\r\n"),
    ROW(400, GET_ "Content-Length: +1\r\n\r\n"),
    ROW(400, GET_ "Content-Length: 0x1\r\n\r\n"),
    ROW(400, GET_ "Content-Length:\r\n\r\n"),
    ROW(400, GET_ "Content-Length: 18446744073709551616\r\n\r\n"),
    ROW(501, GET_ "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    ROW(501, GET_ "Transfer-Encoding: identity\r\n\r\n"),
    ROW(501, GET_ "Transfer-Encoding: xchunked\r\n\r\n"),
    ROW(400, GET_ "Transfer-Encoding: chunked\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n"),
    ROW(400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ROW(417, GET_ "Expect: miracles\r\n\r\n"),
#undef ROW
#undef GET_
};

static void
refuses_what_two_parsers_might_read_differently(void)
{
    for (size_t i = 0; i < RX_COUNT(strict); i++) {
        struct rx_header headers[RX_HTTP_MAX_HEADERS];
        struct rx_http_head head;
        int got = verdict(strict[i].text, &head, headers);

        if (got != strict[i].status)
            fprintf(stderr, "row %zu: %s\n", i, strict[i].text.ptr);
        CHECK_INT(strict[i].status, got);
    }
}

static void
finds_the_end_in_any_split(void)
{
    for (size_t i = 0; i < RX_COUNT(strict); i++) {
        rx_str in = strict[i].text;
        struct rx_http_scan whole = { 0 };
        int want = rx_http_head_find(&whole, in, MAX);

        for (size_t step = 1; step < 9; step++) {
            struct rx_http_scan scan = { 0 };
            int got = 0;

            for (size_t n = 0; got == 0 && n < in.len;) {
                n = n + step < in.len ? n + step : in.len;
                got = rx_http_head_find(&scan, (rx_str){ in.ptr, n }, MAX);
            }
            CHECK_INT(want, got);
            CHECK_INT((intmax_t)whole.at, (intmax_t)scan.at);
            CHECK_INT((intmax_t)whole.lines, (intmax_t)scan.lines);
        }
    }
}

static void
bounds_the_head(void)
{
    static char text[3 * 64 * 1024];
    size_t n = 0;

    /* a header line of 60 000 bytes is fine, one of 70 000 is not */
    for (int too_long = 0; too_long < 2; too_long++) {
        n = (size_t)snprintf(
            text, sizeof(text), "GET / HTTP/1.1\r\nHost: h\r\nX: ");
        memset(text + n, 'x', too_long ? 70000 : 60000);
        snprintf(text + n + (too_long ? 70000 : 60000), 100, "\r\n\r\n");
        CHECK_INT(too_long ? 431 : 200, verdict_text(text));
    }
    /* without an end, too, and before it comes */
    text[80000] = '\0';
    memset(text + n, 'x', 80000 - n);
    CHECK_INT(431, verdict_text(text));
    memset(text, 'G', 70000);
    text[70000] = '\0';
    CHECK_INT(414, verdict_text(text));

    for (int too_long = 0; too_long < 2; too_long++) {
        size_t size = RX_HTTP_MAX_TARGET + (size_t)too_long;
        snprintf(text, sizeof(text), "GET /");
        memset(text + 5, 'x', size - 1);
        snprintf(text + 4 + size, 100, " HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK_INT(too_long ? 414 : 200, verdict_text(text));
    }

    for (size_t extra = 0; extra < 2; extra++) {
        n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: h");
        for (size_t i = 0; i < RX_HTTP_MAX_HEADERS - 1 + extra; i++)
            n += (size_t)snprintf(text + n, 16, "\r\nX: y");
        snprintf(text + n, 16, "\r\n\r\n");
        CHECK_INT(extra ? 431 : 200, verdict_text(text));
    }
}

static void
takes_chunked_bodies_apart(void)
{
    static const struct {
        enum rx_chunk_more end;
        const char *in;
        const char *data;
        const char *rest;
    } rows[] = {
        { RX_CHUNK_DONE, "3\r\nabc\r\n0\r\n\r\nGET", "abc", "GET" },
        { RX_CHUNK_DONE, "00a;x=\"y z\"\r\n0123456789\r\n0 ;q\r\n\r\n",
            "0123456789", "" },
        { RX_CHUNK_DONE, "1\r\na\r\n1\r\nb\r\n0\r\nT: u\r\nV:\r\n\r\n", "ab",
            "" },
        { RX_CHUNK_DONE, "0\r\n\r\n", "", "" },
        { RX_CHUNK_MORE, "3\r\nab", "ab", "" },
        { RX_CHUNK_MORE, "0\r\n\r", "", "" },
        { RX_CHUNK_BAD, "\r\n", "", NULL },
        { RX_CHUNK_BAD, ";x\r\n", "", NULL },
        { RX_CHUNK_BAD, "g\r\n", "", NULL },
        { RX_CHUNK_BAD, "-1\r\n", "", NULL },
        { RX_CHUNK_BAD, "0x1\r\n", "", NULL },
        { RX_CHUNK_BAD, "1\na\r\n", "", NULL },
        { RX_CHUNK_BAD, "1\r\nab\r\n", "a", NULL },
        { RX_CHUNK_BAD, "1\r\na\n0\r\n\r\n", "a", NULL },
        { RX_CHUNK_BAD, "1000000000000000\r\n", "", NULL },
        { RX_CHUNK_BAD, "0\r\n X: folded\r\n\r\n", "", NULL },
        { RX_CHUNK_BAD, "0\r\nX: a\n\r\n", "", NULL },
        { RX_CHUNK_BAD, "1;a\x01\r\n", "", NULL },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        for (size_t step = 1; step < 40; step++) {
            struct rx_chunk k = { 0 };
            enum rx_chunk_more end = RX_CHUNK_MORE;
            size_t size = strlen(rows[i].in);
            rx_str piece = { 0 };
            char data[64] = "";
            size_t at = 0;

            while (at < size && end == RX_CHUNK_MORE) {
                size_t n = size - at < step ? size - at : step;
                rx_str d;

                piece = (rx_str){ rows[i].in + at, n };
                at += n;
                while ((end = rx_chunk_next(&k, &piece, &d)) == RX_CHUNK_DATA)
                    strncat(data, d.ptr, d.len);
            }
            CHECK_INT(rows[i].end, end);
            CHECK_TEXT(rows[i].data, data);
            if (rows[i].rest != NULL)
                CHECK_INT((intmax_t)strlen(rows[i].rest),
                    (intmax_t)(size - at + piece.len));
        }
    }
}

static void
bounds_what_is_not_body_in_chunked_bodies(void)
{
    static char text[20000];
    struct rx_chunk k = { 0 };
    rx_str in;
    rx_str d;

    memset(text, 'x', sizeof(text));
    memcpy(text, "1;", 2);
    in = (rx_str){ text, 1000 };
    CHECK_INT(RX_CHUNK_BAD, rx_chunk_next(&k, &in, &d));

    k = (struct rx_chunk){ 0 };
    memcpy(text, "0\r\n", 3);
    in = (rx_str){ text, sizeof(text) };
    CHECK_INT(RX_CHUNK_BAD, rx_chunk_next(&k, &in, &d));
}

int
main(void)
{
    CHECK_RUN(splits_a_good_head);
    CHECK_RUN(knows_the_forms_of_a_target);
    CHECK_RUN(decides_on_keeping_the_connection);
    CHECK_RUN(refuses_what_two_parsers_might_read_differently);
    CHECK_RUN(finds_the_end_in_any_split);
    CHECK_RUN(bounds_the_head);
    CHECK_RUN(takes_chunked_bodies_apart);
    CHECK_RUN(bounds_what_is_not_body_in_chunked_bodies);
    return CHECK_EXIT();
}
