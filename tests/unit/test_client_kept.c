/*
 * Connections that are kept: when they serve again, and when they do not.
 */
#include "tests/unit/client_rig.h"

static void
a_kept_connection_is_used_again(void)
{
    int fd = exchange_once();

    for (int i = 0; i < 3; i++) {
        struct seen s = { 0 };
        CHECK_INT(1, (intmax_t)rx_client_idle(client));
        start_plain(&s);
        CHECK_INT(0, (intmax_t)rx_client_idle(client));
        expect(fd, REQUEST "hello");
        say_text(fd, OK_2);
        check_ok(&s, 200, "ok");
        CHECK_INT(1, s.reused);
        CHECK_INT(1, s.sent);
        CHECK_TEXT("cshbe", s.trace);
    }
    close(fd);
}

static void
connections_to_different_targets_are_not_mixed(void)
{
    struct seen s = { 0 };
    int fd = exchange_once();
    struct rx_client_request r = request_to(port);

    r.target.ca_file = RX_S("/nowhere"); /* unused by plain, but different */
    start(&s, &r);
    int other = accepted();
    expect(other, REQUEST "hello");
    say_text(other, OK_2);
    check_ok(&s, 200, "ok");
    CHECK_INT(0, s.reused);
    CHECK_INT(2, (intmax_t)rx_client_idle(client));
    close(fd);
    close(other);
}

static void
an_idle_connection_that_ends_is_dropped(void)
{
    int fd = exchange_once();

    close(fd);
    PUMP(rx_client_idle(client) == 0);

    fd = exchange_once();
    say_text(fd, "HTTP/1.1 408 Too Slow\r\n\r\n");
    PUMP(rx_client_idle(client) == 0);
    close(fd);
}

static void
a_kept_connection_that_dies_unanswered_is_replaced_once(void)
{
    for (int hard = 0; hard < 2; hard++) {
        struct seen s = { 0 };
        int fd = exchange_once();

        start_plain(&s);
        expect(fd, REQUEST "hello");
        if (hard)
            reset(fd);
        else
            close(fd);
        fd = accepted();
        expect(fd, REQUEST "hello");
        CHECK_INT(0, s.ended);
        PUMP(s.sent);
        CHECK_INT(1, s.sent);
        CHECK_INT(0, s.reused);
        say_text(fd, OK_2);
        check_ok(&s, 200, "ok");
        close(fd);
        PUMP(rx_client_idle(client) == 0);
    }

    struct seen s = { 0 };
    int fd = exchange_once();
    start_plain(&s);
    close(fd);
    fd = accepted();
    expect(fd, REQUEST "hello");
    close(fd);
    check_failed(&s, RX_UPSTREAM, "closed without an answer");
}

/* It may have acted on the request: sending it again is not ours to decide. */
static void
a_kept_connection_that_dies_later_is_not_replaced(void)
{
    struct rx_client_options soon = { .replace_ms = 20 };

    for (int hard = 0; hard < 2; hard++) {
        struct seen s = { 0 };
        rx_client_free(client);
        client = rx_client_new(loop, fetch, &soon);
        int fd = exchange_once();

        start_plain(&s);
        expect(fd, REQUEST "hello");
        uint64_t sent_ms = rx_clock_ms();
        PUMP(rx_clock_ms() > sent_ms + 25);
        if (hard)
            reset(fd);
        else
            close(fd);
        check_failed(&s, RX_UPSTREAM,
            hard ? "connection reset before an answer"
                 : "closed without an answer");
        CHECK_INT(1, s.reused);
    }
}

/* Ended by the server before the call began, unseen by the loop until then. */
static void
a_connection_that_was_dead_already_is_replaced(void)
{
    for (int hard = 0; hard < 2; hard++) {
        struct seen s = { 0 };
        int fd = exchange_once();

        if (hard)
            reset(fd);
        else
            close(fd);
        start_plain(&s);
        fd = accepted();
        expect(fd, REQUEST "hello");
        say_text(fd, OK_2);
        check_ok(&s, 200, "ok");
        close(fd);
        PUMP(rx_client_idle(client) == 0);
    }
}

static void
a_reset_inside_an_answer_is_not_replaced(void)
{
    struct seen s = { 0 };
    int fd = exchange_once();

    start_plain(&s);
    expect(fd, REQUEST "hello");
    say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok");
    PUMP(s.body.len == 2);
    reset(fd);
    check_failed(&s, RX_UPSTREAM, "connection reset inside the answer");
    CHECK_INT(1, s.connected);
}

static void
idle_connections_have_a_time_and_a_number(void)
{
    int fds[4];
    struct seen seen[4] = { 0 };
    struct rx_client_options few = { .idle_plain_ms = 80, .max_idle = 3 };

    rx_client_free(client);
    client = rx_client_new(loop, fetch, &few);
    for (int i = 0; i < 4; i++) {
        start_plain(&seen[i]);
        fds[i] = accepted();
    }
    for (int i = 0; i < 4; i++) {
        expect(fds[i], REQUEST "hello");
        say_text(fds[i], OK_2);
        check_ok(&seen[i], 200, "ok");
    }
    CHECK_INT(3, (intmax_t)rx_client_idle(client));
    CHECK(at_end(fds[0])); /* the oldest had to go */
    CHECK(!at_end(fds[3]));
    PUMP(rx_client_idle(client) == 0);
    for (int i = 0; i < 4; i++) {
        CHECK(at_end(fds[i]));
        close(fds[i]);
    }

    int fd = exchange_once();
    rx_client_flush(client);
    CHECK_INT(0, (intmax_t)rx_client_idle(client));
    CHECK(at_end(fd));
    close(fd);
}

static struct seen second;

static void
start_second(void *arg, enum rx_code code, const char *why)
{
    (void)why;
    CHECK_INT(RX_OK, code);
    *(int *)arg += 1;
    start_plain(&second);
}

static void
ignore_sent(void *arg)
{
    (void)arg;
}

static void
ignore_head(void *arg, const struct rx_client_head *head)
{
    (void)arg;
    CHECK(rx_str_eq(RX_S("2"), rx_client_header(head, RX_S("Content-Length"))));
    CHECK_INT(0, (intmax_t)rx_client_header(head, RX_S("x")).len);
}

static void
ignore_body(void *arg, rx_str bytes)
{
    (void)arg;
    (void)bytes;
}

static void
the_next_call_may_begin_where_one_ends_on_the_same_connection(void)
{
    static const struct rx_client_events chain = { NULL, ignore_sent,
        ignore_head, ignore_body, start_second };
    struct rx_client_request r = request_to(port);
    int ended = 0;

    second = (struct seen){ 0 };
    CHECK(rx_client_start(client, &r, &chain, &ended) != NULL);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    say_text(fd, OK_2);
    PUMP(ended);
    expect(fd, REQUEST "hello");
    say_text(fd, OK_2);
    check_ok(&second, 200, "ok");
    CHECK_INT(1, second.reused);
    close(fd);
}

int
main(void)
{
    RUN(a_kept_connection_is_used_again);
    RUN(connections_to_different_targets_are_not_mixed);
    RUN(an_idle_connection_that_ends_is_dropped);
    RUN(a_kept_connection_that_dies_unanswered_is_replaced_once);
    RUN(a_kept_connection_that_dies_later_is_not_replaced);
    RUN(a_connection_that_was_dead_already_is_replaced);
    RUN(a_reset_inside_an_answer_is_not_replaced);
    RUN(idle_connections_have_a_time_and_a_number);
    RUN(the_next_call_may_begin_where_one_ends_on_the_same_connection);
    return CHECK_EXIT();
}
