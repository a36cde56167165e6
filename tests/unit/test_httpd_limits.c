#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/unit/httpd_rig.h"

static const char get[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

static void
refuses_bad_heads_without_bothering_the_user(void)
{
    static const struct {
        const char *request;
        const char *answer;
    } rows[] = {
        { "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "GET /\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", "HTTP/1.1 400 " },
        { "GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n", "HTTP/1.1 400 " },
        { "GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\n\r\n", "HTTP/1.1 400 " },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 400 " },
        { "GET / HTTP/3.7\r\nHost: x\r\n\r\n",
            "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
        { "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 501 Not Implemented\r\n" },
        { "GET / HTTP/1.1\r\nHost: x\r\nExpect: x\r\n\r\n",
            "HTTP/1.1 417 Expectation Failed\r\n" },
    };

    rig_start(NULL);
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        int end;
        const char *got = ask(rows[i].request, &end);

        CHECK(starts(got, rows[i].answer));
        CHECK(strstr(got, "\r\nconnection: close\r\n") != NULL);
        CHECK_INT(1, (intmax_t)count_of(got, "HTTP/1.1"));
        CHECK_INT(0, end);
    }
    CHECK_TEXT("", rig.log);
    CHECK_INT(0, (intmax_t)rx_httpd_connections(rig.httpd));
    rig_stop();
}

static void
bounds_heads(void)
{
    static char big[100000];
    int end;

    rig_start(NULL);
    size_t n =
        (size_t)snprintf(big, sizeof(big), "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    memset(big + n, 'x', 70000);
    CHECK(starts(ask(big, &end), "HTTP/1.1 431 "));
    CHECK_INT(0, end);
    snprintf(big + 20, 10, "%s", ""); /* an unfinished line is not enough */
    memset(big, 'G', 70000);
    CHECK(starts(ask(big, &end), "HTTP/1.1 414 "));

    /* 9 000 bytes in one header are not too many */
    n = (size_t)snprintf(big, sizeof(big), "GET /a HTTP/1.1\r\nHost: x\r\nX: ");
    memset(big + n, 'x', 9000);
    snprintf(big + n + 9000, 64, "\r\nConnection: close\r\n\r\n");
    CHECK(starts(ask(big, &end), "HTTP/1.1 200 "));
    rig_stop();
}

static void
says_nothing_on_stderr(void)
{
    char name[] = "/tmp/httpd-stderr-XXXXXX";
    int file = mkstemp(name);
    int saved = dup(2);
    struct stat st = { 0 };
    int end;

    unlink(name);
    dup2(file, 2);
    rig_start(NULL);
    ask("garbage\r\n\r\n", &end);
    int fd = client_open();
    client_say(
        fd, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nabcdef");
    client_hear(fd, "\r\n\r\n/", NULL);
    close(fd);
    fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    client_reset(fd);
    rig_settle();
    rig_stop();
    fflush(stderr);
    fstat(2, &st);
    dup2(saved, 2);
    close(saved);
    close(file);
    CHECK_INT(0, st.st_size);
}

static void
refuses_large_bodies_without_reading_them(void)
{
    static char junk[1 << 20];
    int end;

    rig_start(NULL);
    for (int chunked = 0; chunked < 2; chunked++) {
        int fd = client_open();
        client_say(fd, chunked ? "POST /small HTTP/1.1\r\nHost: x\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n"
                                 "800000\r\n"
                               : "POST /small HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 8000000\r\n\r\n");
        /* it goes on sending, as most clients do, and still sees why not */
        CHECK_INT(sizeof(junk), (intmax_t)client_send(fd, junk, sizeof(junk)));
        const char *got = client_hear(fd, NULL, &end);
        CHECK(starts(got, "HTTP/1.1 413 Content Too Large\r\n"));
        CHECK_INT(0, end);
        CHECK_INT(RX_TOO_BIG, rig.how);
        close(fd);
    }
    CHECK_TEXT("RCRC", rig.log);
    RIG_UNTIL(rx_httpd_connections(rig.httpd) == 0);
    rig_stop();
}

static void
does_not_ask_for_a_body_it_would_refuse(void)
{
    int end;

    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "POST /small HTTP/1.1\r\nHost: x\r\n"
                   "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    const char *got = client_hear(fd, "\r\n\r\n", &end);
    CHECK(starts(got, "HTTP/1.1 413"));
    close(fd);
    rig_stop();
}

static void
on_refuse_speaks(
    void *arg, struct rx_httpd_req *req, int status, const char *reason)
{
    (void)arg;
    (void)reason;
    rx_httpd_reply(req, status, RX_S("content-type: application/json\r\n"),
        RX_S("{\"mine\":1}"));
}

static void
lets_the_user_word_a_refused_body(void)
{
    struct rx_httpd_options o = { .on_refuse = on_refuse_speaks };
    int end;

    rig_start(&o);
    const char *got = ask("POST /small HTTP/1.1\r\nHost: x\r\n"
                          "Content-Length: 11\r\n\r\n",
        &end);
    CHECK(starts(got, "HTTP/1.1 413 "));
    CHECK(strstr(got, "{\"mine\":1}") != NULL);
    CHECK(strstr(got, "\r\nconnection: close\r\n") != NULL);
    got = ask("POST /c HTTP/1.1\r\nHost: x\r\n"
              "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        &end);
    CHECK(starts(got, "HTTP/1.1 400 "));
    CHECK(strstr(got, "{\"mine\":1}") != NULL);
    CHECK_TEXT("RCRC", rig.log);
    rig_stop();
}

static void
trusts_no_announced_length_with_memory(void)
{
    int fds[50];
    size_t before;

    rig_start(NULL);
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (size_t i = 0; i < RX_COUNT(fds); i++) {
        fds[i] = client_open();
        client_say(fds[i], "POST /a HTTP/1.1\r\nHost: x\r\n"
                           "Content-Length: 33000000\r\n\r\nx");
    }
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    CHECK(after - before < RX_COUNT(fds) * 256 * 1024);
    for (size_t i = 0; i < RX_COUNT(fds); i++)
        close(fds[i]);
    rig_stop();
}

static void
takes_a_large_form_like_any_body(void)
{
    size_t size = (size_t)20 * 1024 * 1024;
    char *body = malloc(size);

    memset(body, 'a', size);
    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "POST /form HTTP/1.1\r\nHost: x\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\n"
                   "Content-Length: 20971520\r\n\r\n");
    client_send(fd, body, size);
    CHECK(starts(client_hear(fd, "/form", NULL), "HTTP/1.1 200"));
    CHECK_INT((intmax_t)size, (intmax_t)rig.body_len);
    close(fd);
    free(body);
    rig_stop();
}

/* Send single bytes until the server has answered and closed. */
static const char *
drip(int fd)
{
    uint64_t until = rx_clock_ms() + RIG_DEADLINE_MS;
    size_t len = 0;

    while (rx_clock_ms() < until) {
        struct timespec nap = { 0, 2 * 1000 * 1000 };

        send(fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        nanosleep(&nap, NULL);
        rx_loop_tick(rig.loop, false);
        ssize_t n = recv(fd, client_got + len, 4096, MSG_DONTWAIT);
        if (n > 0)
            len += (size_t)n;
        if (n == 0)
            break;
    }
    client_got[len] = '\0';
    return client_got;
}

static void
cuts_a_head_that_drips(void)
{
    struct rx_httpd_options o = { .head_timeout_ms = 60 };

    rig_start(&o);
    int fd = client_open();
    client_say(fd, "GET /a HTTP/1.1\r\nHost: ");
    const char *got = drip(fd);
    CHECK(starts(got, "HTTP/1.1 408 Request Timeout\r\n"));
    close(fd);
    rig_stop();
}

static void
cuts_a_body_that_drips_or_stalls(void)
{
    struct rx_httpd_options o = { .body_timeout_ms = 60 };
    int end;

    rig_start(&o);
    int fd = client_open();
    client_say(fd, "POST /a HTTP/1.1\r\nHost: x\r\n"
                   "Content-Length: 9999\r\n\r\n");
    const char *got = drip(fd);
    CHECK(starts(got, "HTTP/1.1 408 Request Timeout\r\n"));
    CHECK_INT(RX_TIMEOUT, rig.how);
    close(fd);

    fd = client_open();
    client_say(fd, "POST /a HTTP/1.1\r\nHost: x\r\n"
                   "Content-Length: 9999\r\n\r\n");
    got = client_hear(fd, NULL, &end);
    CHECK(starts(got, "HTTP/1.1 408 Request Timeout\r\n"));
    CHECK_TEXT("RCRC", rig.log);
    close(fd);
    rig_stop();
}

static void
closes_idle_connections_quietly(void)
{
    struct rx_httpd_options o = { .idle_timeout_ms = 400 };
    int end;

    rig_start(&o);
    int fresh = client_open();
    int used = client_open();
    client_say(used, get);
    CHECK(starts(client_hear(used, "\r\n\r\n/a", NULL), "HTTP/1.1 200"));
    CHECK_TEXT("", client_hear(used, NULL, &end));
    CHECK_INT(0, end);
    CHECK_TEXT("", client_hear(fresh, NULL, &end));
    CHECK_INT(0, end);
    close(fresh);
    close(used);
    rig_stop();
}

static void
has_no_limit_for_our_own_thinking(void)
{
    struct rx_httpd_options o = { .idle_timeout_ms = 150,
        .head_timeout_ms = 150,
        .body_timeout_ms = 150,
        .send_timeout_ms = 150 };
    uint64_t until;

    rig_start(&o);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    for (until = rx_clock_ms() + 400; rx_clock_ms() < until;)
        rx_loop_tick(rig.loop, false);
    CHECK(rig.held != NULL);
    rx_httpd_start(rig.held, 200, RX_S(""), RX_HTTPD_CHUNKED);
    (void)rx_httpd_write(rig.held, RX_S("event"));
    for (until = rx_clock_ms() + 400; rx_clock_ms() < until;)
        rx_loop_tick(rig.loop, false);
    CHECK(rig.held != NULL);
    rx_httpd_end(rig.held);
    CHECK(strstr(client_hear(fd, "0\r\n\r\n", NULL), "event") != NULL);
    close(fd);
    rig_stop();
}

static void
gives_up_on_a_client_that_takes_nothing(void)
{
    struct rx_httpd_options o = { .send_timeout_ms = 60 };
    static char piece[64 * 1024];

    rig_start(&o);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    rx_httpd_start(rig.held, 200, RX_S(""), RX_HTTPD_CHUNKED);
    for (int i = 0; i < 4000; i++) {
        bool go = rx_httpd_write(rig.held, (rx_str){ piece, sizeof(piece) });
        rx_loop_tick(rig.loop, false);
        if (!go && rx_httpd_unsent(rig.held) > 0)
            break;
    }
    RIG_UNTIL(rig.closes == 1);
    CHECK_INT(RX_TIMEOUT, rig.how);
    close(fd);
    rig_stop();
}

static void
waits_when_it_is_out_of_descriptors(void)
{
    enum { CLIENTS = 12, FREE = 4 };
    struct rlimit saved;
    struct rlimit tight;
    int fds[CLIENTS];
    int top;

    rig_start(NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = client_open();
    top = dup(0);
    close(top);
    getrlimit(RLIMIT_NOFILE, &saved);
    tight = saved;
    tight.rlim_cur = (rlim_t)top + FREE;
    setrlimit(RLIMIT_NOFILE, &tight);

    RIG_UNTIL(rx_httpd_connections(rig.httpd) == FREE);
    /* It sleeps rather than spins: far fewer ticks than time would allow. */
    clock_t cpu = clock();
    uint64_t from = rx_clock_ms();
    for (int ticks = 0; rx_clock_ms() - from < 500; ticks++) {
        rx_loop_tick(rig.loop, true);
        CHECK(ticks < 50);
        if (ticks >= 50)
            break;
    }
    CHECK((clock() - cpu) * 1000 / CLOCKS_PER_SEC < 100);
    CHECK_INT(FREE, (intmax_t)rx_httpd_connections(rig.httpd));

    /* Those that were let in are served; when they leave, others come in. */
    client_say(fds[0], get);
    CHECK(starts(client_hear(fds[0], "\r\n\r\n/a", NULL), "HTTP/1.1 200"));
    setrlimit(RLIMIT_NOFILE, &saved);
    RIG_UNTIL(rx_httpd_connections(rig.httpd) == CLIENTS);
    client_say(fds[CLIENTS - 1], get);
    CHECK(starts(
        client_hear(fds[CLIENTS - 1], "\r\n\r\n/a", NULL), "HTTP/1.1 200"));
    for (size_t i = 0; i < CLIENTS; i++)
        close(fds[i]);
    rig_stop();
}

static void
note_drained(void *arg)
{
    *(bool *)arg = true;
}

static void
drains(void)
{
    bool drained = false;
    int end;

    rig_start(NULL);
    int idle = client_open();
    int busy = client_open();
    int streaming = client_open();
    client_say(idle, get);
    client_hear(idle, "\r\n\r\n/a", NULL);
    client_say(streaming, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    struct rx_httpd_req *stream = rig.held;
    rx_httpd_start(stream, 200, RX_S(""), RX_HTTPD_CHUNKED);
    client_say(busy, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");

    rx_httpd_drain(rig.httpd, note_drained, &drained);
    CHECK_TEXT("", client_hear(idle, NULL, &end));
    CHECK_INT(0, end);
    CHECK(!drained);
    rx_httpd_reply(rig.held, 200, RX_S(""), RX_S("last"));
    const char *got = client_hear(busy, NULL, &end);
    CHECK(strstr(got, "\r\nconnection: close\r\n") != NULL);
    CHECK(strstr(got, "\r\n\r\nlast") != NULL);
    CHECK_INT(0, end);
    CHECK(!drained);
    /* A stream that began before goes on to its end. */
    (void)rx_httpd_write(stream, RX_S("more"));
    rx_httpd_end(stream);
    got = client_hear(streaming, NULL, &end);
    CHECK(strstr(got, "more\r\n0\r\n\r\n") != NULL);
    CHECK_INT(0, end);
    RIG_UNTIL(drained);

    struct sockaddr_in to = { .sin_family = AF_INET,
        .sin_port = htons(rx_httpd_port(rig.httpd)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int late = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(-1, connect(late, (struct sockaddr *)&to, sizeof(to)));
    close(late);
    close(idle);
    close(busy);
    close(streaming);
    rig_stop();
}

static void
drains_at_once_when_there_is_nobody(void)
{
    bool drained = false;

    rig_start(NULL);
    rx_httpd_drain(rig.httpd, note_drained, &drained);
    RIG_UNTIL(drained);
    rig_stop();
}

static void
closing_the_server_ends_what_is_running(void)
{
    rig_start(NULL);
    int fd = client_open();
    client_say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_stop();
    CHECK_TEXT("RBC", rig.log);
    CHECK_INT(RX_UPSTREAM, rig.how);
    close(fd);
}

static void
says_why_it_cannot_listen(void)
{
    struct rx_httpd_options o = { .host = "localhost" };
    struct rx_httpd *second = NULL;
    struct rx_err err = { 0 };

    rig_start(NULL);
    CHECK_INT(RX_INVALID,
        rx_httpd_open(&second, rig.loop, &o, &rig_handler, NULL, &err));
    o.host = "127.0.0.1";
    o.port = rx_httpd_port(rig.httpd);
    CHECK_INT(RX_CONFLICT,
        rx_httpd_open(&second, rig.loop, &o, &rig_handler, NULL, &err));
    CHECK(strstr(err.text, "127.0.0.1:") != NULL);
    rig_stop();
}

static void
shares_a_port_when_asked(void)
{
    struct rx_httpd_options o = { .reuse_port = true };
    struct rx_httpd *second = NULL;

    rig_start(&o);
    o.host = "127.0.0.1";
    o.port = rx_httpd_port(rig.httpd);
    CHECK_INT(
        RX_OK, rx_httpd_open(&second, rig.loop, &o, &rig_handler, NULL, NULL));
    for (int i = 0; i < 64; i++) {
        int fd = client_open();
        client_say(fd, get);
        client_hear(fd, "\r\n\r\n/a", NULL);
        CHECK(starts(client_got, "HTTP/1.1 200"));
        close(fd);
    }
    CHECK_INT(64, (intmax_t)rig.closes);
    rx_httpd_close(second);
    rig_stop();
}

static void
raises_its_own_descriptor_limit(void)
{
    struct rlimit before;
    struct rlimit low;
    struct rlimit now;

    getrlimit(RLIMIT_NOFILE, &before);
    low = before;
    low.rlim_cur = 200;
    setrlimit(RLIMIT_NOFILE, &low);
    rig_start(NULL);
    getrlimit(RLIMIT_NOFILE, &now);
    CHECK(now.rlim_cur == before.rlim_max);
    rig_stop();
    setrlimit(RLIMIT_NOFILE, &before);
}

int
main(void)
{
    CHECK_RUN(refuses_bad_heads_without_bothering_the_user);
    CHECK_RUN(bounds_heads);
    CHECK_RUN(says_nothing_on_stderr);
    CHECK_RUN(refuses_large_bodies_without_reading_them);
    CHECK_RUN(does_not_ask_for_a_body_it_would_refuse);
    CHECK_RUN(lets_the_user_word_a_refused_body);
    CHECK_RUN(trusts_no_announced_length_with_memory);
    CHECK_RUN(takes_a_large_form_like_any_body);
    CHECK_RUN(cuts_a_head_that_drips);
    CHECK_RUN(cuts_a_body_that_drips_or_stalls);
    CHECK_RUN(closes_idle_connections_quietly);
    CHECK_RUN(has_no_limit_for_our_own_thinking);
    CHECK_RUN(gives_up_on_a_client_that_takes_nothing);
    CHECK_RUN(waits_when_it_is_out_of_descriptors);
    CHECK_RUN(drains);
    CHECK_RUN(drains_at_once_when_there_is_nobody);
    CHECK_RUN(closing_the_server_ends_what_is_running);
    CHECK_RUN(says_why_it_cannot_listen);
    CHECK_RUN(shares_a_port_when_asked);
    CHECK_RUN(raises_its_own_descriptor_limit);
    return CHECK_EXIT();
}
