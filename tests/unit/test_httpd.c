#include "tests/unit/httpd_rig.h"

static void
answers_a_request_and_keeps_the_connection(void)
{
    rig_start(NULL);
    int fd = client_open();
    for (int i = 0; i < 3; i++) {
        client_say(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        const char *got = client_hear(fd, "\r\n\r\n/a", NULL);
        CHECK(starts(got, "HTTP/1.1 200 OK\r\n"));
        CHECK(strstr(got, "\r\ncontent-length: 2\r\n") != NULL);
        CHECK(strstr(got, "\r\ndate: ") != NULL);
        CHECK(strstr(got, " GMT\r\n") != NULL);
        CHECK(strstr(got, "\r\ncontent-type: text/plain\r\n") != NULL);
        CHECK(strstr(got, "connection:") == NULL);
    }
    CHECK_TEXT("RBCRBCRBC", rig.log);
    CHECK_INT(RX_OK, rig.how);
    CHECK_INT(1, (intmax_t)rx_httpd_connections(rig.httpd));
    close(fd);
    RIG_UNTIL(rx_httpd_connections(rig.httpd) == 0);
    rig_stop();
}

static void
reads_a_head_that_comes_byte_by_byte(void)
{
    static const char request[] =
        "POST /v1/messages?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: "
        "5\r\n\r\nhello";

    rig_start(NULL);
    int fd = client_open();
    for (size_t i = 0; i < sizeof(request) - 1; i++) {
        send(fd, request + i, 1, 0);
        rig_settle();
    }
    const char *got = client_hear(fd, "\r\n\r\n/v1/messages", NULL);
    CHECK(starts(got, "HTTP/1.1 200 OK\r\n"));
    CHECK_TEXT("hello", rig.body);
    CHECK_TEXT("RBC", rig.log);
    close(fd);
    rig_stop();
}

static void
answers_pipelined_requests_one_after_another(void)
{
    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                   "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                   "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *got = client_hear(fd, "\r\n\r\n/3", NULL);
    CHECK_INT(3, (intmax_t)count_of(got, "HTTP/1.1 200 OK"));
    CHECK(strstr(got, "\r\n\r\n/1HTTP") != NULL);
    CHECK(strstr(got, "\r\n\r\n/2HTTP") != NULL);
    CHECK_TEXT("RBCRBCRBC", rig.log);
    close(fd);
    rig_stop();
}

static void
holds_the_next_request_while_one_is_under_way(void)
{
    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    client_say(fd, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_TEXT("RB", rig.log);
    CHECK(rig.held != NULL);
    rx_httpd_reply(rig.held, 200, RX_S(""), RX_S("first"));
    const char *got = client_hear(fd, "\r\n\r\n/b", NULL);
    CHECK(strstr(got, "\r\n\r\nfirstHTTP/1.1 200") != NULL);
    CHECK_TEXT("RBCRBC", rig.log);
    close(fd);
    rig_stop();
}

static void
reads_large_bodies_whole(void)
{
    size_t size = (size_t)3 * 1024 * 1024 + 17;
    char *body = malloc(size);
    uint64_t sum = 0;
    char head[128];

    for (size_t i = 0; i < size; i++) {
        body[i] = (char)(i * 31);
        sum += (unsigned char)body[i];
    }
    rig_start(NULL);
    int fd = client_open();
    snprintf(head, sizeof(head),
        "POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size);
    client_say(fd, head);
    CHECK_INT((intmax_t)size, (intmax_t)client_send(fd, body, size));
    const char *got = client_hear(fd, "\r\n\r\n/big", NULL);
    CHECK(starts(got, "HTTP/1.1 200"));
    CHECK_INT((intmax_t)size, (intmax_t)rig.body_len);
    CHECK_INT((intmax_t)sum, (intmax_t)rig.body_sum);
    free(body);
    close(fd);
    rig_stop();
}

static void
decodes_chunked_bodies_in_any_split(void)
{
    static const char request[] =
        "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5;ext=\"v\"\r\nhello\r\nA\r\n, chunked!\r\n0\r\nX-Trailer: t\r\n\r\n"
        "GET /n HTTP/1.1\r\nHost: x\r\n\r\n";
    size_t size = sizeof(request) - 1;

    rig_start(NULL);
    for (size_t split = 60; split < size; split++) {
        int fd = client_open();
        client_send(fd, request, split);
        client_send(fd, request + split, size - split);
        const char *got = client_hear(fd, "\r\n\r\n/n", NULL);
        CHECK_INT(2, (intmax_t)count_of(got, "HTTP/1.1 200 OK"));
        close(fd);
    }
    rig_settle();
    CHECK_TEXT("", rig.body); /* of the GET */
    rig_stop();

    rig_start(NULL);
    int fd = client_open();
    client_send(fd, request, size - 28);
    CHECK_TEXT("hello, chunked!", rig.body);
    close(fd);
    rig_stop();
}

static void
says_continue_before_it_waits_for_the_body(void)
{
    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                   "Expect: 100-continue\r\n\r\n");
    CHECK_TEXT(
        "HTTP/1.1 100 Continue\r\n\r\n", client_hear(fd, "\r\n\r\n", NULL));
    client_say(fd, "ok");
    CHECK(starts(client_hear(fd, "\r\n\r\n/e", NULL), "HTTP/1.1 200"));
    CHECK_TEXT("ok", rig.body);
    close(fd);
    rig_stop();
}

static void
sends_chunks_to_1_1_and_closes_for_1_0(void)
{
    int end;

    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *got = client_hear(fd, "0\r\n\r\n", NULL);
    CHECK(strstr(got, "\r\ntransfer-encoding: chunked\r\n") != NULL);
    CHECK(strstr(got, "\r\nx-a: b\r\n") != NULL);
    CHECK(strstr(got, "\r\n\r\n3\r\none\r\n14\r\ntwenty bytes of text\r\n"
                      "0\r\n\r\n") != NULL);
    close(fd);

    got = ask("GET /chunks HTTP/1.0\r\n\r\n", &end);
    CHECK_INT(0, end);
    CHECK(strstr(got, "chunked") == NULL);
    CHECK(strstr(got, "\r\nconnection: close\r\n") != NULL);
    CHECK(strstr(got, "\r\n\r\nonetwenty bytes of text") != NULL);
    rig_stop();
}

static void
honours_connection_close_and_1_0_keep_alive(void)
{
    int end;

    rig_start(NULL);
    const char *got =
        ask("GET /a HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", &end);
    CHECK_INT(0, end);
    CHECK(strstr(got, "\r\nconnection: close\r\n") != NULL);

    got = ask("GET /a HTTP/1.0\r\n\r\n", &end);
    CHECK_INT(0, end);

    int fd = client_open();
    client_say(fd, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    got = client_hear(fd, "\r\n\r\n/a", &end);
    CHECK_INT(-1, end);
    CHECK(strstr(got, "\r\nconnection: keep-alive\r\n") != NULL);
    client_say(fd, "GET /b HTTP/1.0\r\n\r\n");
    client_hear(fd, NULL, &end);
    CHECK_INT(0, end);
    close(fd);
    rig_stop();
}

static void
sends_no_body_to_head(void)
{
    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *got = client_hear(fd, "\r\n\r\n", NULL);
    CHECK(strstr(got, "\r\ncontent-length: 4\r\n") != NULL);
    client_say(fd, "HEAD /chunks HTTP/1.1\r\nHost: x\r\n\r\n");
    got = client_hear(fd, "\r\n\r\n", NULL);
    CHECK(starts(got, "HTTP/1.1 200"));
    client_say(fd, "GET /z HTTP/1.1\r\nHost: x\r\n\r\n");
    got = client_hear(fd, "\r\n\r\n/z", NULL);
    CHECK(starts(got, "HTTP/1.1 200"));
    close(fd);
    rig_stop();
}

static void
goes_on_after_an_early_reply_when_the_body_is_small(void)
{
    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "POST /early HTTP/1.1\r\nHost: x\r\n"
                   "Content-Length: 10\r\n\r\n01234");
    const char *got = client_hear(fd, "\r\n\r\nno", NULL);
    CHECK(starts(got, "HTTP/1.1 403"));
    CHECK(strstr(got, "connection:") == NULL);
    client_say(fd, "56789GET /n HTTP/1.1\r\nHost: x\r\n\r\n");
    got = client_hear(fd, "\r\n\r\n/n", NULL);
    CHECK(starts(got, "HTTP/1.1 200"));
    CHECK_TEXT("RCRBC", rig.log);
    close(fd);
    rig_stop();
}

static void
closes_after_an_early_reply_when_the_body_is_large(void)
{
    int end;

    rig_start(NULL);
    const char *got = ask("POST /early HTTP/1.1\r\nHost: x\r\n"
                          "Content-Length: 9000000\r\n\r\n01234",
        &end);
    CHECK_INT(0, end);
    CHECK(starts(got, "HTTP/1.1 403"));
    CHECK(strstr(got, "\r\nconnection: close\r\n") != NULL);
    CHECK_TEXT("RC", rig.log);
    rig_stop();
}

static void
hears_a_client_that_leaves_while_we_think(void)
{
    static const struct {
        bool reset;
        bool half;
        bool at_once; /* before the server has even read the request */
        const char *behind;
    } rows[] = {
        { false, false, false, "" },
        { true, false, false, "" },
        { false, true, false, "" },
        { true, false, true, "" },
        { false, false, true, "" },
        /* even behind the next request */
        { false, false, false, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n" },
        { true, false, false, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n" },
        { false, true, true, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n" },
    };
    static const char hold[] = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rig_start(NULL);
        int fd = client_open();
        if (rows[i].at_once)
            send(fd, hold, sizeof(hold) - 1, 0);
        else
            client_say(fd, hold);
        if (rows[i].behind[0] != '\0')
            send(fd, rows[i].behind, strlen(rows[i].behind), 0);
        if (!rows[i].at_once) {
            rig_settle();
            CHECK_TEXT("RB", rig.log);
        }
        uint64_t from = rx_clock_ms();
        if (rows[i].half)
            shutdown(fd, SHUT_WR);
        else if (rows[i].reset)
            client_reset(fd);
        else
            close(fd);
        /* A reset that beats accept leaves nothing to hear. */
        RIG_UNTIL(rig.closes == 1 ||
                  (rows[i].at_once && rx_httpd_connections(rig.httpd) == 0 &&
                      rx_clock_ms() - from > 5));
        CHECK(rx_clock_ms() - from <= 10);
        if (rig.closes == 1)
            CHECK_INT(RX_CANCELLED, rig.how);
        if (rows[i].half)
            close(fd);
        rig_stop();
    }
}

static void
hears_a_client_that_leaves_while_we_reply_to_half_a_body(void)
{
    for (int reset = 0; reset < 2; reset++) {
        rig_start(NULL);
        int fd = client_open();
        client_say(fd, "POST /early-stream HTTP/1.1\r\nHost: x\r\n"
                       "Content-Length: 9000000\r\n\r\nabc");
        CHECK_TEXT("R", rig.log);
        client_hear(fd, "event", NULL);
        send(fd, "more", 4, 0);
        rig_settle();
        CHECK_INT(0, (intmax_t)rig.closes);
        if (reset)
            client_reset(fd);
        else
            close(fd);
        RIG_UNTIL(rig.closes == 1);
        CHECK_INT(RX_CANCELLED, rig.how);
        rig_stop();
    }
}

static void
sends_small_pieces_without_delay(void)
{
    struct sockaddr_in mine;
    struct sockaddr_in theirs;
    socklen_t size = sizeof(mine);
    int found = 0;

    rig_start(NULL);
    int fd = client_open();
    rig_settle();
    getsockname(fd, (struct sockaddr *)&mine, &size);
    for (int other = 3; other < 64; other++) {
        int nodelay = 0;
        socklen_t n = sizeof(nodelay);

        size = sizeof(theirs);
        if (getpeername(other, (struct sockaddr *)&theirs, &size) != 0 ||
            theirs.sin_port != mine.sin_port)
            continue;
        getsockopt(other, IPPROTO_TCP, TCP_NODELAY, &nodelay, &n);
        CHECK(nodelay != 0);
        found++;
    }
    CHECK_INT(1, found);
    close(fd);
    rig_stop();
}

/* The reset comes in one event with bytes that it follows. */
static void
hears_a_reset_behind_part_of_a_request(void)
{
    static const char *const rows[] = {
        "GET /a HTTP/1.1\r\nHos",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        ("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nabc"),
        "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n",
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rig_start(NULL);
        int fd = client_open();
        rig_settle();
        CHECK_INT(1, (intmax_t)rx_httpd_connections(rig.httpd));
        send(fd, rows[i], strlen(rows[i]), 0);
        client_reset(fd);
        rig_settle();
        CHECK_INT(0, (intmax_t)rx_httpd_connections(rig.httpd));
        rig_stop();
    }
}

static void
hears_a_client_that_leaves_while_streaming(void)
{
    for (int reset = 0; reset < 2; reset++) {
        rig_start(NULL);
        int fd = client_open();
        client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
        rx_httpd_start(rig.held, 200, RX_S(""), RX_HTTPD_CHUNKED);
        CHECK(rx_httpd_write(rig.held, RX_S("event")));
        client_hear(fd, "event", NULL);
        if (reset)
            client_reset(fd);
        else
            close(fd);
        RIG_UNTIL(rig.closes == 1);
        CHECK_INT(RX_CANCELLED, rig.how);
        rig_stop();
    }
}

static void
answers_a_client_that_sent_all_it_has_and_half_closed(void)
{
    int end;

    rig_start(NULL);
    int fd = client_open();
    send(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 28, 0);
    shutdown(fd, SHUT_WR);
    const char *got = client_hear(fd, NULL, &end);
    CHECK(starts(got, "HTTP/1.1 200"));
    CHECK_INT(0, end);
    CHECK_INT(RX_OK, rig.how);
    close(fd);
    rig_stop();
}

static void
a_cut_reply_looks_broken(void)
{
    static const struct {
        const char *request;
        uint64_t length;
    } rows[] = {
        { "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n", RX_HTTPD_CHUNKED },
        { "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n", 100 },
        { "GET /hold HTTP/1.0\r\n\r\n", RX_HTTPD_CHUNKED },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        int end;

        rig_start(NULL);
        int fd = client_open();
        client_say(fd, rows[i].request);
        rx_httpd_start(rig.held, 200, RX_S(""), rows[i].length);
        (void)rx_httpd_write(rig.held, RX_S("part"));
        if (i == 2) /* a reset may overtake it */
            CHECK(strstr(client_hear(fd, "part", NULL), "part") != NULL);
        rx_httpd_abort(rig.held);
        const char *got = client_hear(fd, NULL, &end);
        if (i < 2)
            CHECK(strstr(got, "part") != NULL);
        CHECK(strstr(got, "\r\n0\r\n\r\n") == NULL);
        CHECK_INT(i == 2 ? ECONNRESET : 0, end);
        CHECK_INT(RX_UPSTREAM, rig.how);
        close(fd);
        rig_stop();
    }
}

static void
a_reply_can_be_reset(void)
{
    int end;

    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    rx_httpd_start(rig.held, 200, RX_S(""), RX_HTTPD_CHUNKED);
    (void)rx_httpd_write(rig.held, RX_S("part"));
    client_hear(fd, "part", NULL);
    rx_httpd_reset(rig.held);
    client_hear(fd, NULL, &end);
    CHECK_INT(ECONNRESET, end);
    CHECK_INT(RX_UPSTREAM, rig.how);
    close(fd);
    rig_stop();
}

static void
a_reply_shorter_than_promised_is_cut(void)
{
    int end;

    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    rx_httpd_start(rig.held, 200, RX_S(""), 5);
    (void)rx_httpd_write(rig.held, RX_S("abc"));
    rx_httpd_end(rig.held);
    client_hear(fd, NULL, &end);
    CHECK_INT(0, end);
    CHECK_INT(RX_UPSTREAM, rig.how);
    close(fd);
    rig_stop();
}

static void
sends_what_one_tick_wrote_in_one_piece(void)
{
    char got[64];

    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    rx_httpd_start(rig.held, 200, RX_S(""), RX_HTTPD_CHUNKED);
    rig_settle();
    client_hear(fd, "\r\n\r\n", NULL);
    (void)rx_httpd_write(rig.held, RX_S("a"));
    (void)rx_httpd_write(rig.held, RX_S("b"));
    rx_httpd_end(rig.held);
    CHECK_INT(-1, recv(fd, got, sizeof(got), MSG_DONTWAIT));
    rig_settle();
    ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    got[n > 0 ? n : 0] = '\0';
    CHECK_TEXT("1\r\na\r\n1\r\nb\r\n0\r\n\r\n", got);
    close(fd);
    rig_stop();
}

static void
asks_to_stop_when_the_client_is_slow_and_tells_when_to_go_on(void)
{
    static char piece[32 * 1024];
    struct rx_httpd_options o = { .high_water = (size_t)256 * 1024 };
    size_t written = 0;

    rig_start(&o);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    rx_httpd_start(rig.held, 200, RX_S(""), RX_HTTPD_CHUNKED);
    for (bool go = true; go && written < ((size_t)1 << 28);) {
        go = rx_httpd_write(rig.held, (rx_str){ piece, sizeof(piece) });
        written += sizeof(piece);
        rx_loop_tick(rig.loop, false);
    }
    CHECK(rx_httpd_unsent(rig.held) > o.high_water);
    CHECK(rx_httpd_unsent(rig.held) < o.high_water + 2 * sizeof(piece));
    rig_settle();
    CHECK_INT(0, (intmax_t)rig.drains);

    rx_httpd_end(rig.held);
    uint64_t until = rx_clock_ms() + 5000;
    while (rig.closes == 0 && rx_clock_ms() < until) {
        ssize_t n = recv(fd, client_got, sizeof(client_got), MSG_DONTWAIT);
        CHECK(n != 0);
        rx_loop_tick(rig.loop, false);
    }
    CHECK_INT(RX_OK, rig.how);
    CHECK_INT(1, (intmax_t)rig.drains);
    close(fd);
    rig_stop();
}

int
main(void)
{
    CHECK_RUN(answers_a_request_and_keeps_the_connection);
    CHECK_RUN(reads_a_head_that_comes_byte_by_byte);
    CHECK_RUN(answers_pipelined_requests_one_after_another);
    CHECK_RUN(holds_the_next_request_while_one_is_under_way);
    CHECK_RUN(reads_large_bodies_whole);
    CHECK_RUN(decodes_chunked_bodies_in_any_split);
    CHECK_RUN(says_continue_before_it_waits_for_the_body);
    CHECK_RUN(sends_chunks_to_1_1_and_closes_for_1_0);
    CHECK_RUN(honours_connection_close_and_1_0_keep_alive);
    CHECK_RUN(sends_no_body_to_head);
    CHECK_RUN(goes_on_after_an_early_reply_when_the_body_is_small);
    CHECK_RUN(closes_after_an_early_reply_when_the_body_is_large);
    CHECK_RUN(hears_a_client_that_leaves_while_we_think);
    CHECK_RUN(hears_a_client_that_leaves_while_we_reply_to_half_a_body);
    CHECK_RUN(sends_small_pieces_without_delay);
    CHECK_RUN(hears_a_reset_behind_part_of_a_request);
    CHECK_RUN(hears_a_client_that_leaves_while_streaming);
    CHECK_RUN(answers_a_client_that_sent_all_it_has_and_half_closed);
    CHECK_RUN(a_cut_reply_looks_broken);
    CHECK_RUN(a_reply_can_be_reset);
    CHECK_RUN(a_reply_shorter_than_promised_is_cut);
    CHECK_RUN(sends_what_one_tick_wrote_in_one_piece);
    CHECK_RUN(asks_to_stop_when_the_client_is_slow_and_tells_when_to_go_on);
    return CHECK_EXIT();
}
