/*
 * One call: how it goes, where its answer ends, and what is said of failures.
 */
#include <sys/ioctl.h>

#include "tests/unit/client_rig.h"

static void
an_exchange_tells_its_steps_in_order(void)
{
    struct seen s = { 0 };

    start_plain(&s);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    PUMP(s.sent);
    say_text(fd, OK_2);
    check_ok(&s, 200, "ok");
    CHECK_TEXT("cshbe", s.trace);
    CHECK_INT(0, s.reused);
    CHECK(s.has_length);
    CHECK_INT(1, (intmax_t)rx_client_idle(client));
    close(fd);
}

static const struct answer {
    const char *bytes;
    const char *body;
    int status;
    bool head_only;
    bool closes;
    bool kept;
} answers[] = {
    { OK_2, "ok", 200, false, false, true },
    { "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nx-sum: 1\r\n\r\n",
        "hello world", 200, false, false, true },
    { "HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", 200, false, true,
        false },
    { "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok", 200, false, false,
        false },
    { "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        "ok", 200, false, false, false },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
      "link: </x>\r\n\r\n" OK_2,
        "ok", 200, false, false, true },
    { "HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n", "", 204, false,
        false, true },
    { "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n", "", 304, false,
        false, true },
    { "HTTP/1.1 200 OK\r\ncontent-length: 700\r\n\r\n", "", 200, true, false,
        true },
    { "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", 200, false, false,
        true },
    { "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokay", "ok", 200, false,
        false, false },
};

static void
play_answer(const struct answer *a, size_t cut)
{
    struct seen s = { 0 };
    struct rx_client_request r = request_to(port);
    size_t size = strlen(a->bytes);

    r.head_only = a->head_only;
    start(&s, &r);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    PUMP(s.sent);
    if (cut > 0) {
        int unread = 1;
        say(fd, a->bytes, cut);
        /* The first part has been read when the kernel has none of it. */
        PUMP(ioctl(fd, TIOCOUTQ, &unread) == 0 && unread == 0);
        tick();
        tick();
    }
    say(fd, a->bytes + cut, size - cut);
    if (a->closes)
        shutdown(fd, SHUT_WR);
    check_ok(&s, a->status, a->body);
    /* What came too much is seen at once or right after. */
    if (a->kept)
        CHECK_INT(1, (intmax_t)rx_client_idle(client));
    else
        PUMP(rx_client_idle(client) == 0);
    rx_client_flush(client);
    close(fd);
}

static void
answers_end_where_their_framing_says_however_they_are_cut(void)
{
    for (size_t i = 0; i < RX_COUNT(answers); i++) {
        for (size_t cut = 0; cut < strlen(answers[i].bytes); cut++)
            play_answer(&answers[i], cut);
    }
}

static void
broken_answers_say_what_is_wrong(void)
{
    static const struct {
        const char *bytes;
        const char *why;
    } rows[] = {
        { "", "closed without an answer" },
        { "HTTP/1.1 200 OK\r\nx: ", "closed inside the head of the answer" },
        { "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
            "closed inside the body of the answer" },
        { "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "closed inside the body of the answer" },
        { "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
            "the answer has an unknown transfer-encoding" },
        { "HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n"
          "connection: upgrade\r\n\r\n",
            "the answer switches protocols" },
        { "HTTP/2.0 200 OK\r\n\r\n", "the answer is not HTTP/1.1" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct seen s = { 0 };
        start_plain(&s);
        int fd = accepted();
        expect(fd, REQUEST "hello");
        say_text(fd, rows[i].bytes);
        shutdown(fd, SHUT_WR);
        check_failed(&s, RX_UPSTREAM, rows[i].why);
        CHECK_INT(0, (intmax_t)rx_client_idle(client));
        close(fd);
    }
}

static void
a_head_beyond_the_limit_is_refused(void)
{
    struct seen s = { 0 };
    struct rx_client_options small = { .max_head = 100 };
    char head[300];

    rx_client_free(client);
    client = rx_client_new(loop, fetch, &small);
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nx: %0150d\r\n\r\n", 1);
    start_plain(&s);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    say_text(fd, head);
    check_failed(&s, RX_UPSTREAM, "the head of the answer is too big");
    CHECK_INT(0, s.heads);
    close(fd);
}

static void
a_refused_connection_says_so(void)
{
    struct seen s = { 0 };
    uint16_t nobody;
    int fd = listen_on_loopback(1, &nobody);

    close(fd);
    struct rx_client_request r = request_to(nobody);
    start(&s, &r);
    check_failed(&s, RX_UPSTREAM, "connect: Connection refused");
    CHECK_TEXT("e", s.trace);
}

static void
a_connect_that_gets_no_answer_times_out(void)
{
    struct seen s = { 0 };
    uint16_t full;
    int fd = listen_on_loopback(0, &full);
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_port = htons(full),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int filler[4];

    for (size_t i = 0; i < RX_COUNT(filler); i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(filler[i], (struct sockaddr *)&a, sizeof(a));
    }
    struct rx_client_request r = request_to(full);
    r.connect_ms = 150;
    uint64_t from = rx_clock_ms();
    start(&s, &r);
    check_failed(&s, RX_TIMEOUT, "connect: timed out after 150 ms");
    CHECK(rx_clock_ms() - from >= 140 && rx_clock_ms() - from < 3000);
    for (size_t i = 0; i < RX_COUNT(filler); i++)
        close(filler[i]);
    close(fd);
}

static void
an_unusable_target_ends_later_like_any_failure(void)
{
    struct seen s = { 0 };
    struct rx_client_request r = request_to(port);

    r.target.host = (rx_str){ 0 };
    start(&s, &r);
    check_failed(&s, RX_UPSTREAM, "url: unusable target");
}

int
main(void)
{
    RUN(an_exchange_tells_its_steps_in_order);
    RUN(answers_end_where_their_framing_says_however_they_are_cut);
    RUN(broken_answers_say_what_is_wrong);
    RUN(a_head_beyond_the_limit_is_refused);
    RUN(a_refused_connection_says_so);
    RUN(a_connect_that_gets_no_answer_times_out);
    RUN(an_unusable_target_ends_later_like_any_failure);
    return CHECK_EXIT();
}
