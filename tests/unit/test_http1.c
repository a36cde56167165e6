#include <stdlib.h>

#include "shared/buf.h"
#include "shared/http1.h"
#include "tests/unit/check.h"

/* Everything that comes out, as one text. */
struct told {
    struct rx_buf text;
    size_t body;
    const char *stop_in;
};

static bool
on_head(void *arg, const struct rx_http1_head *head)
{
    struct told *t = arg;

    rx_buf_addf(&t->text, "%d/1.%u", head->status, head->minor);
    if (head->has_length)
        rx_buf_addf(&t->text, " length=%d", (int)head->length);
    for (size_t i = 0; i < head->header_count; i++)
        rx_buf_addf(&t->text, " [" RX_STR_FMT "|" RX_STR_FMT "]",
            RX_STR_ARG(head->headers[i].name),
            RX_STR_ARG(head->headers[i].value));
    rx_buf_add(&t->text, RX_S(" "));
    return t->stop_in == NULL || strcmp(t->stop_in, "head") != 0;
}

static bool
on_body(void *arg, rx_str bytes)
{
    struct told *t = arg;

    t->body += bytes.len;
    rx_buf_add(&t->text, bytes);
    return t->stop_in == NULL || strcmp(t->stop_in, "body") != 0;
}

static const struct rx_http1_events events = { on_head, on_body };

static const char *const step_names[] = {
    [RX_HTTP1_MORE] = "more",
    [RX_HTTP1_DONE] = "done",
    [RX_HTTP1_BROKEN] = "broken",
    [RX_HTTP1_STOPPED] = "stopped",
};

/* Feed in two pieces, each a copy of its own so that a read past its end is
 * seen by the sanitizer; then the end of the connection. */
static void
feed(struct rx_http1 *h, struct told *t, const char *bytes, size_t size,
    size_t cut)
{
    enum rx_http1_step step = RX_HTTP1_MORE;
    size_t parts[2] = { cut, size - cut };
    size_t used = 0;

    for (int i = 0; i < 2 && step == RX_HTTP1_MORE; i++) {
        char *copy = malloc(parts[i] > 0 ? parts[i] : 1);
        size_t taken;
        memcpy(copy, bytes + used, parts[i]);
        step = rx_http1_feed(h, copy, parts[i], &taken);
        used += taken;
        free(copy);
    }
    if (step == RX_HTTP1_MORE)
        step = rx_http1_eof(h);
    rx_buf_addf(&t->text, "| %s", step_names[step]);
    if (step == RX_HTTP1_BROKEN)
        rx_buf_addf(&t->text, ": %s", rx_http1_why(h));
    if (step == RX_HTTP1_DONE)
        rx_buf_addf(&t->text, " %s left=%zu",
            rx_http1_keeps(h) ? "keeps" : "ends", size - used);
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *bytes;
    const char *want;
} rows[] = {
    { HEAD "content-length: 2\r\n\r\nok",
        "200/1.1 length=2 [content-length|2] ok| done keeps left=0" },
    { HEAD "content-length: 2\r\n\r\nokmore",
        "200/1.1 length=2 [content-length|2] ok| done keeps left=4" },
    { HEAD "Content-Length:0\r\nX:\r\nY:  a b \t\r\n\r\n",
        "200/1.1 length=0 [Content-Length|0] [X|] [Y|a b] | done keeps "
        "left=0" },
    { HEAD "content-length: 1\r\nconnection: close\r\n\r\nx",
        "200/1.1 length=1 [content-length|1] [connection|close] x| done ends "
        "left=0" },
    { "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
        "200/1.0 length=1 [content-length|1] x| done ends left=0" },
    { "HTTP/1.1 200\r\n\r\nall of it", "200/1.1 all of it| done ends left=0" },
    { HEAD "Transfer-Encoding: Chunked\r\n\r\n3;a=\"b\"\r\nabc\r\nA\r\n"
           "0123456789\r\n0\r\nX-T: 1\r\n\r\nrest",
        "200/1.1 [Transfer-Encoding|Chunked] abc0123456789| done keeps "
        "left=4" },
    { "HTTP/1.1 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 102 P\r\nconnection: "
      "close\r\n\r\n" HEAD "content-length: 1\r\n\r\n!",
        "200/1.1 length=1 [content-length|1] !| done keeps left=0" },
    { "HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\nHTTP/",
        "204/1.1 [content-length|5] | done keeps left=5" },
    { "HTTP/1.1 304 No\r\n\r\n", "304/1.1 | done keeps left=0" },
    { "HTTP/1.1 529 \xc3\xa4\r\ncontent-length: 0\r\n\r\n",
        "529/1.1 length=0 [content-length|0] | done keeps left=0" },
    /* cut */
    { "", "| broken: closed without an answer" },
    { "HTTP/1.1 2", "| broken: closed inside the head of the answer" },
    { "HTTP/1.1 100 Continue\r\n\r\n",
        "| broken: closed inside the head of the answer" },
    { HEAD "content-length: 3\r\n\r\nok",
        "200/1.1 length=3 [content-length|3] ok| broken: closed inside the "
        "body of the answer" },
    { HEAD "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
        "200/1.1 [transfer-encoding|chunked] ok| broken: closed inside the "
        "body of the answer" },
    /* two readers could disagree */
    { HEAD "content-length: 2\r\ncontent-length: 2\r\n\r\nok", NULL },
    { HEAD "content-length: 2\r\ncontent-length: 3\r\n\r\nok", NULL },
    { HEAD "content-length: 2, 2\r\n\r\nok", NULL },
    { HEAD "content-length: -1\r\n\r\nok", NULL },
    { HEAD "content-length: +1\r\n\r\nok", NULL },
    { HEAD "content-length: 0x1\r\n\r\nok", NULL },
    { HEAD "content-length:\r\n\r\nok", NULL },
    { HEAD "content-length: 18446744073709551615\r\n\r\nok", NULL },
    { HEAD "content-length: 99999999999999999999\r\n\r\nok", NULL },
    { HEAD "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        NULL },
    { HEAD "transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
        NULL },
    { HEAD "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
        NULL },
    { HEAD "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", NULL },
    { HEAD "transfer-encoding: identity\r\n\r\n", NULL },
    { "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", NULL },
    { HEAD "content-length : 2\r\n\r\nok", NULL },
    { HEAD "transfer-encoding: chunked\r\n\r\nz\r\n", NULL },
    { HEAD "transfer-encoding: chunked\r\n\r\n-1\r\n", NULL },
    { HEAD "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n", NULL },
    { HEAD "transfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", NULL },
    /* no HTTP */
    { "HTTP/2.0 200 OK\r\n\r\n", NULL },
    { "HTTP/1.2 200 OK\r\n\r\n", NULL },
    { "HTTP/0.9 200 OK\r\n\r\n", NULL },
    { "HTTP/1.1 20 OK\r\n\r\n", NULL },
    { "HTTP/1.1 2000 OK\r\n\r\n", NULL },
    { "HTTP/1.1 101 Up\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", NULL },
    { "SSH-2.0-OpenSSH_9.2\r\n", NULL },
    { "<html>", NULL },
    { HEAD "a b: c\r\n\r\n", NULL },
    { HEAD "a: b\x01\r\n\r\n", NULL },
};

static void
answers_come_out_alike_however_they_are_cut(void)
{
    struct told whole = { 0 };
    struct told cut_told = { 0 };
    struct rx_http1 *h = rx_http1_new(&events, &whole, 4096);

    rx_buf_init(&whole.text, 1 << 20);
    rx_buf_init(&cut_told.text, 1 << 20);
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        size_t size = strlen(rows[i].bytes);
        rx_buf_clear(&whole.text);
        rx_http1_reset(h, &whole, false);
        feed(h, &whole, rows[i].bytes, size, 0);
        if (rows[i].want != NULL)
            CHECK_TEXT(rows[i].want, whole.text.ptr);
        else
            CHECK_TEXT("a broken answer",
                strstr(whole.text.ptr, "| broken: ") != NULL ? "a broken answer"
                                                             : whole.text.ptr);

        for (size_t cut = 1; cut < size; cut++) {
            rx_buf_clear(&cut_told.text);
            rx_http1_reset(h, &cut_told, false);
            feed(h, &cut_told, rows[i].bytes, size, cut);
            CHECK_TEXT(whole.text.ptr, cut_told.text.ptr);
        }
    }
    rx_http1_free(h);
    rx_buf_fini(&whole.text);
    rx_buf_fini(&cut_told.text);
}

static void
the_answer_to_head_has_no_body(void)
{
    static const char bytes[] = HEAD "content-length: 9\r\n\r\n";
    struct told t = { 0 };
    struct rx_http1 *h = rx_http1_new(&events, &t, 4096);

    rx_buf_init(&t.text, 4096);
    rx_http1_reset(h, &t, true);
    feed(h, &t, bytes, sizeof(bytes) - 1, 0);
    CHECK_TEXT("200/1.1 [content-length|9] | done keeps left=0", t.text.ptr);
    rx_http1_free(h);
    rx_buf_fini(&t.text);
}

static void
an_event_may_stop_it(void)
{
    static const char bytes[] =
        HEAD "transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
    struct told t = { .stop_in = "head" };
    struct rx_http1 *h = rx_http1_new(&events, &t, 4096);

    rx_buf_init(&t.text, 4096);
    feed(h, &t, bytes, sizeof(bytes) - 1, 0);
    CHECK_TEXT("200/1.1 [transfer-encoding|chunked] | stopped", t.text.ptr);
    t.stop_in = "body";
    rx_buf_clear(&t.text);
    rx_http1_reset(h, &t, false);
    feed(h, &t, bytes, sizeof(bytes) - 1, 0);
    CHECK_TEXT("200/1.1 [transfer-encoding|chunked] a| stopped", t.text.ptr);
    rx_http1_free(h);
    rx_buf_fini(&t.text);
}

/* Returns how the parser took a head of `size` in `count` equal pieces. */
static enum rx_http1_step
endless(struct rx_http1 *h, const char *start, const char *piece, size_t count)
{
    size_t taken;
    enum rx_http1_step step = rx_http1_feed(h, start, strlen(start), &taken);

    for (size_t i = 0; i < count && step == RX_HTTP1_MORE; i++)
        step = rx_http1_feed(h, piece, strlen(piece), &taken);
    return step;
}

static void
endless_heads_and_trailers_are_refused(void)
{
    static const char *const starts[][2] = {
        { "HTTP/1.1 200 ", "reason" },
        { HEAD "x: ", "value" },
        { HEAD "x", "name" },
        { HEAD, "a: b\r\n" },
        { HEAD "x:", "   " },
        { "", "HTTP/1.1 100 Continue\r\n\r\n" },
        { HEAD "transfer-encoding: chunked\r\n\r\n0\r\n", "a: b\r\n" },
        { HEAD "transfer-encoding: chunked\r\n\r\n1;", "extension" },
        { HEAD "transfer-encoding: chunked\r\n\r\n", "000000" },
    };
    struct told t = { 0 };
    struct rx_http1 *h = rx_http1_new(&events, &t, 4096);

    rx_buf_init(&t.text, 4096);
    for (size_t i = 0; i < RX_COUNT(starts); i++) {
        rx_http1_reset(h, &t, false);
        CHECK_INT(
            RX_HTTP1_BROKEN, endless(h, starts[i][0], starts[i][1], 400000));
        CHECK(rx_http1_why(h)[0] != '\0');
    }
    rx_http1_free(h);
    rx_buf_fini(&t.text);
}

int
main(void)
{
    CHECK_RUN(answers_come_out_alike_however_they_are_cut);
    CHECK_RUN(the_answer_to_head_has_no_body);
    CHECK_RUN(an_event_may_stop_it);
    CHECK_RUN(endless_heads_and_trailers_are_refused);
    return CHECK_EXIT();
}
