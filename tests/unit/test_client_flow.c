/*
 * Much data and little patience: large bodies, pauses, callers who leave.
 */
#include "tests/unit/client_rig.h"

#define BIG ((size_t)32 * 1024 * 1024)

static void
a_large_request_is_sent_whole_through_a_narrow_pipe(void)
{
    struct seen s = { 0 };
    struct rx_client_request r = request_to(port);
    char *big = malloc(BIG);
    char got[65536];
    size_t n = 0;
    bool same = true;

    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 7 + i / 4096);
    rx_str pieces[3] = { { big, 1000 }, { big + 1000, BIG - 2000 },
        { big + BIG - 1000, 1000 } };
    r.head = RX_S("POST / HTTP/1.1\r\n\r\n");
    r.body = pieces;
    start(&s, &r);
    int fd = accepted();
    uint64_t until = rx_clock_ms() + 20000;
    while (n < r.head.len + BIG && rx_clock_ms() < until) {
        ssize_t k = recv(fd, got, sizeof(got), 0);
        for (ssize_t i = 0; i < k; i++, n++)
            same &= n < r.head.len || got[i] == big[n - r.head.len];
        if (n < BIG / 2)
            CHECK_INT(0, s.sent);
        tick();
    }
    CHECK(same);
    PUMP(s.sent);
    say_text(fd, OK_2);
    check_ok(&s, 200, "ok");
    close(fd);
    free(big);
}

static void
an_answer_before_the_request_is_out_is_delivered(void)
{
    for (int closes = 0; closes < 2; closes++) {
        struct seen s = { 0 };
        struct rx_client_request r = request_to(port);
        char *big = calloc(1, BIG);
        rx_str piece = { big, BIG };
        char some[4096];

        r.body = &piece;
        r.body_count = 1;
        start(&s, &r);
        int fd = accepted();
        PUMP(recv(fd, some, sizeof(some), 0) > 0);
        settle();
        say_text(fd, "HTTP/1.1 413 Too Big\r\ncontent-length: 2\r\n\r\nno");
        if (closes)
            shutdown(fd, SHUT_RDWR);
        check_ok(&s, 413, "no");
        CHECK_INT(0, s.sent);
        CHECK_INT(0, (intmax_t)rx_client_idle(client));
        close(fd);
        free(big);
    }
}

static void
a_paused_answer_stays_in_the_kernel(void)
{
    struct seen s = { .pause_in = 'h' };
    char chunk[16384] = { 0 };
    size_t total = (size_t)64 * 1024 * 1024;
    size_t said = 0;
    int quiet = 0;

    start_plain(&s);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 67108864\r\n\r\n");
    PUMP(s.heads);
    while (quiet < 200) { /* push until nothing more goes in */
        ssize_t n = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
        said += n > 0 ? (size_t)n : 0;
        quiet = n > 0 ? 0 : quiet + 1;
        tick();
    }
    CHECK(said < total / 2);
    CHECK(s.body.len <= 65536);

    rx_client_resume(s.call);
    CHECK_INT(0, s.ended);
    uint64_t until = rx_clock_ms() + 20000;
    while (said < total && rx_clock_ms() < until) {
        size_t want =
            total - said < sizeof(chunk) ? total - said : sizeof(chunk);
        ssize_t n = send(fd, chunk, want, MSG_NOSIGNAL);
        said += n > 0 ? (size_t)n : 0;
        tick();
    }
    PUMP(s.ended);
    CHECK_INT(RX_OK, s.code);
    CHECK_INT((intmax_t)total, (intmax_t)s.body.len);
    rx_buf_fini(&s.body);
    close(fd);
}

static void
a_call_may_be_paused_before_it_is_connected(void)
{
    struct seen s = { 0 };

    start_plain(&s);
    rx_client_pause(s.call);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    say_text(fd, OK_2);
    settle();
    CHECK_INT(1, s.sent);
    CHECK_INT(0, s.heads);
    rx_client_resume(s.call);
    check_ok(&s, 200, "ok");
    close(fd);
}

static void
a_torrent_does_not_keep_others_waiting(void)
{
    struct seen torrent = { 0 };
    struct seen quick = { 0 };
    char *chunk = calloc(1, 1 << 20);

    start_plain(&torrent);
    int fast = accepted();
    expect(fast, REQUEST "hello");
    say_text(fast, "HTTP/1.1 200 OK\r\n\r\n");
    PUMP(torrent.heads);
    start_plain(&quick);
    int slow = accepted();
    expect(slow, REQUEST "hello");
    say_text(slow, OK_2);
    for (int i = 0; i < 4; i++)
        CHECK(send(fast, chunk, 1 << 20, MSG_NOSIGNAL) != 0);
    size_t before = torrent.body.len;
    for (int i = 0; i < 4 && !quick.ended; i++)
        tick();
    CHECK_INT(1, quick.ended);
    CHECK(torrent.body.len - before <= (size_t)4 * 256 * 1024);
    rx_client_cancel(torrent.call);
    rx_buf_fini(&torrent.body);
    rx_buf_fini(&quick.body);
    close(fast);
    close(slow);
    free(chunk);
}

static void
a_call_may_be_cancelled_inside_any_of_its_events(void)
{
    static const char names[] = "cshb";

    for (int kept = 0; kept < 2; kept++) {
        for (size_t i = 0; i + 1 < sizeof(names); i++) {
            struct seen s = { .cancel_in = names[i] };
            int fd = kept ? exchange_once() : -1;

            start_plain(&s);
            fd = kept ? fd : accepted();
            settle();
            send(fd, OK_2 OK_2, sizeof(OK_2 OK_2) - 1, MSG_NOSIGNAL);
            PUMP(s.call == NULL);
            settle();
            CHECK_INT(0, s.ended);
            CHECK_INT(names[i], s.trace[strlen(s.trace) - 1]);
            CHECK_INT(0, (intmax_t)rx_client_idle(client));
            rx_buf_fini(&s.body);
            close(fd);
        }
    }
}

static void
a_cancelled_call_ends_its_connection_at_once(void)
{
    struct seen s = { 0 };
    char byte[256];

    start_plain(&s);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    rx_client_cancel(s.call);
    CHECK(recv(fd, byte, sizeof(byte), 0) == 0);
    settle();
    CHECK_INT(0, s.ended);
    close(fd);

    start_plain(&s); /* before it is connected */
    rx_client_cancel(s.call);
    settle();
    CHECK_INT(0, s.ended);
    close(accept(listener, NULL, NULL));
}

static void
freeing_the_client_ends_what_runs_without_a_word(void)
{
    struct seen s[3] = { 0 };
    struct rx_client_options options = { 0 };

    close(exchange_once());
    start_plain(&s[0]);
    start_plain(&s[1]);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    start_plain(&s[2]);
    rx_client_free(client);
    settle();
    CHECK_INT(0, s[0].ended + s[1].ended + s[2].ended);
    client = rx_client_new(loop, fetch, &options);
    close(fd);
    settle();
    close(accept(listener, NULL, NULL));
}

int
main(void)
{
    RUN(a_large_request_is_sent_whole_through_a_narrow_pipe);
    RUN(an_answer_before_the_request_is_out_is_delivered);
    RUN(a_paused_answer_stays_in_the_kernel);
    RUN(a_call_may_be_paused_before_it_is_connected);
    RUN(a_torrent_does_not_keep_others_waiting);
    RUN(a_call_may_be_cancelled_inside_any_of_its_events);
    RUN(a_cancelled_call_ends_its_connection_at_once);
    RUN(freeing_the_client_ends_what_runs_without_a_word);
    return CHECK_EXIT();
}
