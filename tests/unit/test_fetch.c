/*
 * Transfers: a request and its whole answer.
 */
#include <stdlib.h>
#include <sys/un.h>

#include "tests/unit/fetch_rig.h"

static void
a_transfer_brings_status_headers_and_body(void)
{
    struct got g = { 0 };
    char heard[1024];

    transfer(&g, &(struct rx_transfer_options){ 0 });
    int fd = accepted();
    hear(fd, heard, sizeof(heard), 0);
    CHECK(strncmp(heard, "GET /path?q=1 HTTP/1.1\r\n", 24) == 0);
    say_text(fd, "HTTP/1.1 100 Continue\r\nx: early\r\n\r\n"
                 "HTTP/1.1 404 Not Found\r\nx: y\r\ncontent-length: 4\r\n\r\n"
                 "gone");
    PUMP(g.calls);
    CHECK_INT(RX_OK, g.result.code);
    CHECK_INT(404, g.result.status);
    CHECK_TEXT("gone", g.body);
    CHECK_TEXT("HTTP/1.1 404 Not Found\r\nx: y\r\ncontent-length: 4\r\n\r\n",
        g.headers);
    CHECK(g.result.connect_ms <= g.result.first_byte_ms &&
          g.result.first_byte_ms <= g.result.total_ms);
    close(fd);
}

static void
a_transfer_sends_what_it_is_given_and_no_more(void)
{
    static const char *const headers[] = { "authorization: Bearer k",
        "content-type: application/json", NULL };
    static const struct {
        struct rx_transfer_options options;
        const char *line;
        const char *has;
        const char *hasnt;
    } rows[] = {
        { { .method = "POST", .headers = headers, .body = RX_STR_INIT("{}") },
            "POST ", "\r\nauthorization: Bearer k\r\n", "Expect" },
        { { .method = "POST", .body = RX_STR_INIT("{}") }, "POST ",
            "Content-Length: 2\r\n", "Content-Type" },
        { { .method = "DELETE" }, "DELETE ", "\r\n", "Content-" },
        { { .method = "PUT", .headers = headers, .body = RX_STR_INIT("{}") },
            "PUT ", "content-type: application/json\r\n", "urlencoded" },
        { { .method = "HEAD" }, "HEAD ", "\r\n", "Content-" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct got g = { 0 };
        char heard[1024];
        transfer(&g, &rows[i].options);
        int fd = accepted();
        hear(fd, heard, sizeof(heard), rows[i].options.body.len);
        CHECK(strncmp(heard, rows[i].line, strlen(rows[i].line)) == 0);
        CHECK(strstr(heard, rows[i].has) != NULL);
        CHECK(strstr(heard, rows[i].hasnt) == NULL);
        CHECK_TEXT(rows[i].options.body.len > 0 ? "{}" : "",
            strstr(heard, "\r\n\r\n") + 4);
        say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"
                     "connection: close\r\n\r\n");
        PUMP(g.calls);
        CHECK_INT(RX_OK, g.result.code);
        close(fd);
    }
}

static void
a_transfer_is_bounded_in_size_and_time(void)
{
    struct got big = { 0 };
    struct got slow = { 0 };

    transfer(&big, &(struct rx_transfer_options){ .max_response = 10 });
    int fd = accepted();
    say_text(fd, "HTTP/1.1 200 OK\r\n\r\n01234567890123456789");
    PUMP(big.calls);
    CHECK_INT(RX_TOO_BIG, big.result.code);
    CHECK_TEXT("answer larger than 10 bytes", big.result.why);
    close(fd);

    transfer(&slow, &(struct rx_transfer_options){ .total_ms = 100 });
    fd = accepted();
    PUMP(slow.calls);
    CHECK_INT(RX_TIMEOUT, slow.result.code);
    close(fd);
}

static void
a_transfer_follows_redirects_only_when_told(void)
{
    for (int follow = 0; follow < 2; follow++) {
        struct got g = { 0 };
        char answer[200];
        transfer(
            &g, &(struct rx_transfer_options){ .follow_redirects = follow });
        int fd = accepted();
        snprintf(answer, sizeof(answer),
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:%u/2\r\n"
            "content-length: 0\r\nconnection: close\r\n\r\n",
            port);
        say_text(fd, answer);
        if (follow) {
            int again = accepted();
            say_text(again, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
                            "connection: close\r\n\r\nok");
            PUMP(g.calls);
            close(again);
        }
        PUMP(g.calls);
        CHECK_INT(follow ? 200 : 302, g.result.status);
        close(fd);
    }
}

static void
a_transfer_may_go_to_a_unix_socket(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char folder[] = "/tmp/routex-test-XXXXXX";
    struct got g = { 0 };
    int fd = -1;
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    CHECK(mkdtemp(folder) != NULL);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/sock", folder);
    CHECK_INT(0, bind(server, (struct sockaddr *)&a, sizeof(a)));
    CHECK_INT(0, listen(server, 4));
    transfer(&g, &(struct rx_transfer_options){
                     .url = "http://localhost/", .unix_socket = a.sun_path });
    PUMP((fd = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    PUMP(g.calls);
    CHECK_INT(200, g.result.status);
    close(fd);
    close(server);
    unlink(a.sun_path);
    rmdir(folder);
}

static void
a_cancelled_transfer_says_nothing(void)
{
    struct got g = { 0 };

    struct rx_transfer *t = transfer(&g, &(struct rx_transfer_options){ 0 });
    int fd = accepted();
    say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    rx_transfer_cancel(t);
    settle();
    CHECK_INT(0, g.calls);
    close(fd);
}

static void
failures_are_told_in_an_operators_words(void)
{
    uint16_t nobody;
    char url[64];
    int fd = listen_on_loopback(1, &nobody);
    close(fd);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", nobody);
    const struct {
        const char *url;
        const char *why;
    } rows[] = {
        { url, "connect: Connection refused" },
        { "http://no-such-host.invalid/",
            "dns: could not resolve host no-such-host.invalid" },
        { "ftp://127.0.0.1/",
            "url: Protocol \"ftp\" not supported or disabled in libcurl" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct got g = { 0 };
        transfer(&g, &(struct rx_transfer_options){ .url = rows[i].url });
        PUMP(g.calls);
        CHECK_INT(RX_UPSTREAM, g.result.code);
        CHECK_TEXT(rows[i].why, g.result.why);
    }
}

static void
freeing_ends_what_runs_without_a_word(void)
{
    struct got g = { 0 };

    transfer(&g, &(struct rx_transfer_options){ 0 });
    int fd = accepted();
    rx_fetch_free(fetch);
    settle();
    CHECK_INT(0, g.calls);
    fetch = rx_fetch_new(loop);
    close(fd);
}

static void
the_environments_proxies_are_not_ours(void)
{
    struct got g = { 0 };

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    transfer(&g, &(struct rx_transfer_options){ 0 });
    int fd = accepted();
    say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    PUMP(g.calls);
    CHECK_INT(200, g.result.status);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    close(fd);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(a_transfer_brings_status_headers_and_body);
    RUN(a_transfer_sends_what_it_is_given_and_no_more);
    RUN(a_transfer_is_bounded_in_size_and_time);
    RUN(a_transfer_follows_redirects_only_when_told);
    RUN(a_transfer_may_go_to_a_unix_socket);
    RUN(a_cancelled_transfer_says_nothing);
    RUN(failures_are_told_in_an_operators_words);
    RUN(freeing_ends_what_runs_without_a_word);
    RUN(the_environments_proxies_are_not_ours);
    return CHECK_EXIT();
}
