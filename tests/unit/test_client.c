#include <stdlib.h>
#include <sys/ioctl.h>

#include "shared/buf.h"
#include "shared/client.h"
#include "tests/unit/check.h"
#include "tests/unit/loopback.h"

#define REQUEST "POST /v1 HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\n\r\n"
#define OK_2    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

static struct rx_fetch *fetch;
static struct rx_client *client;

/* What a call has told. */
struct seen {
    struct rx_client_call *call;
    int connected;
    int reused;
    int sent;
    int heads;
    int ended;
    int status;
    bool has_length;
    enum rx_code code;
    char why[160];
    char trace[32];
    struct rx_buf body;
    size_t body_calls;
    /* What to do inside an event: 'c' connected, 's' sent, 'h', 'b'. */
    char cancel_in;
    char pause_in;
};

static void
event(struct seen *s, char name)
{
    size_t n = strlen(s->trace);

    if (n + 1 < sizeof(s->trace) && (n == 0 || s->trace[n - 1] != name))
        s->trace[n] = name;
    if (s->cancel_in == name) {
        rx_client_cancel(s->call);
        s->call = NULL;
    } else if (s->pause_in == name) {
        s->pause_in = 0;
        rx_client_pause(s->call);
    }
}

static void
on_connected(void *arg, bool reused)
{
    struct seen *s = arg;

    s->connected++;
    s->reused = reused;
    event(s, 'c');
}

static void
on_sent(void *arg)
{
    struct seen *s = arg;

    s->sent++;
    event(s, 's');
}

static void
on_head(void *arg, const struct rx_client_head *head)
{
    struct seen *s = arg;

    s->heads++;
    s->status = head->status;
    s->has_length = head->has_length;
    event(s, 'h');
}

static void
on_body(void *arg, rx_str bytes)
{
    struct seen *s = arg;

    s->body_calls++;
    rx_buf_add(&s->body, bytes);
    event(s, 'b');
}

static void
on_end(void *arg, enum rx_code code, const char *why)
{
    struct seen *s = arg;

    s->ended++;
    s->code = code;
    s->call = NULL;
    snprintf(s->why, sizeof(s->why), "%s", why);
    event(s, 'e');
}

static const struct rx_client_events events = { on_connected, on_sent, on_head,
    on_body, on_end };

static void
begin(void)
{
    struct rx_client_options options = { 0 };

    loop = rx_loop_new();
    fetch = rx_fetch_new(loop);
    client = rx_client_new(loop, fetch, &options);
    listener = listen_on_loopback(64, &port);
}

static void
finish(void)
{
    rx_client_free(client);
    rx_fetch_free(fetch);
    rx_loop_free(loop);
    close(listener);
}

static struct rx_client_request
request_to(uint16_t to)
{
    static const rx_str body[] = { RX_STR_INIT("he"), RX_STR_INIT(""),
        RX_STR_INIT("llo") };

    return (struct rx_client_request){
        .target = { .host = RX_S("127.0.0.1"), .port = to },
        .head = RX_S(REQUEST),
        .body = body,
        .body_count = 3,
        .connect_ms = 2000,
    };
}

static void
start(struct seen *s, const struct rx_client_request *r)
{
    s->body.cap = s->body.cap > 0 ? s->body.cap : (size_t)1 << 30;
    s->call = rx_client_start(client, r, &events, s);
    CHECK_TEXT("", s->trace); /* nothing is told from inside */
}

static void
start_plain(struct seen *s)
{
    struct rx_client_request r = request_to(port);

    start(s, &r);
}

/* One exchange on a connection that is then kept. */
static int
exchange_once(void)
{
    struct seen s = { 0 };

    start_plain(&s);
    int fd = accepted();
    expect(fd, REQUEST "hello");
    say_text(fd, OK_2);
    PUMP(s.ended);
    CHECK_INT(RX_OK, s.code);
    rx_buf_fini(&s.body);
    return fd;
}

static void
check_ok(struct seen *s, int status, const char *body)
{
    PUMP(s->ended);
    CHECK_INT(1, s->ended);
    CHECK_INT(RX_OK, s->code);
    CHECK_TEXT("", s->why);
    CHECK_INT(status, s->status);
    CHECK_INT(1, s->heads);
    CHECK_TEXT(body, s->body.len > 0 ? s->body.ptr : "");
    rx_buf_fini(&s->body);
}

static void
check_failed(struct seen *s, enum rx_code code, const char *why)
{
    PUMP(s->ended);
    CHECK_INT(1, s->ended);
    CHECK_INT(code, s->code);
    CHECK_TEXT(why, s->why);
    rx_buf_fini(&s->body);
}

/* -- the exchange -- */

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

/* -- the answer's framing -- */

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

/* -- sending -- */

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

/* -- back-pressure -- */

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

/* -- the caller leaves -- */

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

/* -- connecting -- */

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

static void
play(void (*test)(void))
{
    begin();
    test();
    finish();
}

#define RUN(test)                                                              \
    do {                                                                       \
        int before_ = check_failures;                                          \
        play(test);                                                            \
        printf("%s %s\n", check_failures == before_ ? "ok  " : "FAIL", #test); \
        fflush(stdout);                                                        \
    } while (0)

int
main(void)
{
    RUN(an_exchange_tells_its_steps_in_order);
    RUN(a_kept_connection_is_used_again);
    RUN(connections_to_different_targets_are_not_mixed);
    RUN(an_idle_connection_that_ends_is_dropped);
    RUN(a_kept_connection_that_dies_unanswered_is_replaced_once);
    RUN(a_kept_connection_that_dies_later_is_not_replaced);
    RUN(a_connection_that_was_dead_already_is_replaced);
    RUN(idle_connections_have_a_time_and_a_number);
    RUN(answers_end_where_their_framing_says_however_they_are_cut);
    RUN(broken_answers_say_what_is_wrong);
    RUN(a_reset_inside_an_answer_is_not_replaced);
    RUN(a_head_beyond_the_limit_is_refused);
    RUN(a_large_request_is_sent_whole_through_a_narrow_pipe);
    RUN(an_answer_before_the_request_is_out_is_delivered);
    RUN(a_paused_answer_stays_in_the_kernel);
    RUN(a_call_may_be_paused_before_it_is_connected);
    RUN(a_torrent_does_not_keep_others_waiting);
    RUN(a_call_may_be_cancelled_inside_any_of_its_events);
    RUN(a_cancelled_call_ends_its_connection_at_once);
    RUN(the_next_call_may_begin_where_one_ends_on_the_same_connection);
    RUN(freeing_the_client_ends_what_runs_without_a_word);
    RUN(a_refused_connection_says_so);
    RUN(a_connect_that_gets_no_answer_times_out);
    RUN(an_unusable_target_ends_later_like_any_failure);
    return CHECK_EXIT();
}
