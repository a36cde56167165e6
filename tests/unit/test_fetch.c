/*
 * Transfers, TLS and proxies.  The TLS server is openssl's s_server with pipes
 * for stdin and stdout: what goes in is said to the client, what the client
 * says comes out (between lines of its own).
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "shared/client.h"
#include "shared/fetch.h"
#include "tests/unit/check.h"
#include "tests/unit/loopback.h"

static struct rx_fetch *fetch;
static char folder[] = "/tmp/routex-test-XXXXXX";
static char cert[64];
static char key[64];

static void
begin(void)
{
    loop = rx_loop_new();
    fetch = rx_fetch_new(loop);
    listener = listen_on_loopback(64, &port);
}

static void
finish(void)
{
    rx_fetch_free(fetch);
    rx_loop_free(loop);
    close(listener);
}

/* -- transfers -- */

struct got {
    int calls;
    struct rx_transfer_result result;
    char body[256];
    char headers[512];
};

static void
on_transfer(void *arg, const struct rx_transfer_result *r)
{
    struct got *g = arg;

    g->calls++;
    g->result = *r;
    snprintf(g->body, sizeof(g->body), RX_STR_FMT, RX_STR_ARG(r->body));
    snprintf(
        g->headers, sizeof(g->headers), RX_STR_FMT, RX_STR_ARG(r->headers));
}

static struct rx_transfer *
transfer(struct got *g, const struct rx_transfer_options *base)
{
    struct rx_transfer_options o = *base;
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/path?q=1", port);
    if (o.url == NULL)
        o.url = url;
    if (o.max_response == 0)
        o.max_response = 100;
    struct rx_transfer *t = rx_transfer_start(fetch, &o, on_transfer, g);
    CHECK(t != NULL);
    CHECK_INT(0, g->calls);
    return t;
}

/* Until the blank line; the request has no body or one of `body` bytes. */
static void
hear(int fd, char *text, size_t size, size_t body)
{
    size_t n = 0;

    memset(text, 0, size);
    PUMP((read_some(fd, text, &n, size - 1),
        strstr(text, "\r\n\r\n") != NULL &&
            strlen(strstr(text, "\r\n\r\n") + 4) >= body));
}

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
    struct got g = { 0 };
    int fd = -1;
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

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

/* -- a TLS server -- */

struct tls {
    pid_t pid;
    int in;
    int out;
    uint16_t port;
    char *said; /* everything on its stdout */
    size_t said_len;
};

#define SAID_MAX ((size_t)16 << 20)

static pid_t
run(char *const argv[], int in, int out)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    CHECK_INT(0, posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ));
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* In whole arguments, so that no shell is needed. */
#define ARG(text) ((char *)(uintptr_t)(text))

static void
make_certificate(void)
{
    int status = -1;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
    snprintf(key, sizeof(key), "%s/key.pem", folder);
    char *const argv[] = { ARG("openssl"), ARG("req"), ARG("-x509"),
        ARG("-newkey"), ARG("ec"), ARG("-pkeyopt"),
        ARG("ec_paramgen_curve:prime256v1"), ARG("-nodes"), ARG("-keyout"), key,
        ARG("-out"), cert, ARG("-days"), ARG("2"), ARG("-subj"),
        ARG("/CN=localhost"), ARG("-addext"),
        ARG("subjectAltName=DNS:localhost,IP:127.0.0.1"), NULL };
    waitpid(run(argv, -1, -1), &status, 0);
    CHECK_INT(0, status);
}

static bool
tls_heard(struct tls *s, const char *text)
{
    ssize_t n = read(s->out, s->said + s->said_len, SAID_MAX - s->said_len);

    if (n > 0)
        s->said_len += (size_t)n;
    s->said[s->said_len] = '\0';
    return strstr(s->said, text) != NULL;
}

static void
tls_start(struct tls *s)
{
    int in[2];
    int out[2];
    char *const argv[] = { ARG("openssl"), ARG("s_server"), ARG("-accept"),
        ARG("127.0.0.1:0"), ARG("-cert"), cert, ARG("-key"), key, NULL };

    *s = (struct tls){ .said = calloc(1, SAID_MAX + 1) };
    CHECK_INT(0, pipe2(in, O_CLOEXEC));
    CHECK_INT(0, pipe2(out, O_CLOEXEC));
    s->pid = run(argv, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    s->in = in[1];
    s->out = out[0];
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    PUMP(tls_heard(s, "ACCEPT 127.0.0.1:") &&
         strchr(strstr(s->said, "ACCEPT"), '\n') != NULL);
    s->port =
        (uint16_t)strtoul(strstr(s->said, "ACCEPT 127.0.0.1:") + 17, NULL, 10);
}

static void
tls_stop(struct tls *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    close(s->in);
    close(s->out);
    free(s->said);
}

static void
tls_say(struct tls *s, const char *text)
{
    CHECK_INT((intmax_t)strlen(text), write(s->in, text, strlen(text)));
}

/* -- calls -- */

struct call {
    int ended;
    int status;
    bool reused;
    enum rx_code code;
    char why[200];
    size_t body;
    struct rx_client_call *call;
    bool pause;
};

static void
on_connected(void *arg, bool reused)
{
    ((struct call *)arg)->reused = reused;
}

static void
on_sent(void *arg)
{
    (void)arg;
}

static void
on_head(void *arg, const struct rx_client_head *head)
{
    struct call *c = arg;

    c->status = head->status;
    if (c->pause)
        rx_client_pause(c->call);
}

static void
on_body(void *arg, rx_str bytes)
{
    ((struct call *)arg)->body += bytes.len;
}

static void
on_end(void *arg, enum rx_code code, const char *why)
{
    struct call *c = arg;

    c->ended++;
    c->code = code;
    snprintf(c->why, sizeof(c->why), "%s", why);
}

static const struct rx_client_events events = { on_connected, on_sent, on_head,
    on_body, on_end };

static struct rx_client_request
ask(uint16_t to, bool tls, bool trusted)
{
    return (struct rx_client_request){
        .target = { .tls = tls,
            .host = RX_S("127.0.0.1"),
            .port = to,
            .ca_file =
                trusted ? (rx_str){ cert, strlen(cert) } : (rx_str){ 0 } },
        .head = RX_S("GET / HTTP/1.1\r\nhost: t\r\n\r\n"),
        .connect_ms = 5000,
    };
}

static struct rx_client *
client_new(void)
{
    struct rx_client_options options = { 0 };

    return rx_client_new(loop, fetch, &options);
}

static void
start(
    struct rx_client *client, struct call *c, const struct rx_client_request *r)
{
    c->call = rx_client_start(client, r, &events, c);
}

static void
a_certificate_nobody_signed_is_refused(void)
{
    struct tls server;
    struct call c = { 0 };
    struct rx_client *client = client_new();

    tls_start(&server);
    struct rx_client_request r = ask(server.port, true, false);
    start(client, &c, &r);
    PUMP(c.ended);
    CHECK_INT(RX_UPSTREAM, c.code);
    CHECK_TEXT(
        "tls: certificate verify failed: self-signed certificate", c.why);
    rx_client_free(client);
    tls_stop(&server);
}

static void
a_certificate_for_another_name_is_refused(void)
{
    struct tls server;
    struct call c = { 0 };
    struct rx_client *client = client_new();

    tls_start(&server);
    struct rx_client_request r = ask(server.port, true, true);
    r.target.host = RX_S("other.localhost"); /* libcurl has it as loopback */
    start(client, &c, &r);
    PUMP(c.ended);
    CHECK_INT(RX_UPSTREAM, c.code);
    CHECK(strncmp(c.why, "tls: certificate verify failed: ", 32) == 0);
    rx_client_free(client);
    tls_stop(&server);
}

static void
a_ca_file_that_is_none_is_named_as_the_cause(void)
{
    struct tls server;
    struct call c = { 0 };
    struct rx_client *client = client_new();

    tls_start(&server);
    struct rx_client_request r = ask(server.port, true, false);
    r.target.ca_file = RX_S("/nonexistent.pem");
    start(client, &c, &r);
    PUMP(c.ended);
    CHECK_INT(RX_UPSTREAM, c.code);
    CHECK(strncmp(c.why, "tls: unusable CA file: ", 23) == 0);
    rx_client_free(client);
    tls_stop(&server);
}

static void
a_tls_connection_is_verified_kept_and_used_again(void)
{
    struct tls server;
    struct rx_client *client = client_new();

    tls_start(&server);
    for (int i = 0; i < 3; i++) {
        struct call c = { 0 };
        struct rx_client_request r = ask(server.port, true, true);
        char mark[64];
        char head[100];
        snprintf(mark, sizeof(mark), "GET /%d HTTP/1.1\r\n", i);
        snprintf(head, sizeof(head), "%shost: t\r\n\r\n", mark);
        r.head = (rx_str){ head, strlen(head) };
        start(client, &c, &r);
        PUMP(tls_heard(&server, mark));
        tls_say(&server, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n1234");
        PUMP(c.ended);
        CHECK_INT(RX_OK, c.code);
        CHECK_TEXT("", c.why);
        CHECK_INT(4, (intmax_t)c.body);
        CHECK_INT(i > 0, c.reused);
        settle(); /* session tickets do not end an idle connection */
        CHECK_INT(1, (intmax_t)rx_client_idle(client));
    }
    rx_client_free(client);
    tls_stop(&server);
}

/*
 * A stream that waits unread, or is idle for long, on one connection must not
 * be taken for a dead idle one when another connection is opened.
 */
static void
a_paused_tls_stream_survives_other_connections(void)
{
    struct tls servers[2];
    struct call slow = { .pause = true };
    struct rx_client *client = client_new();
    static char body[200001];

    tls_start(&servers[0]);
    tls_start(&servers[1]);
    struct rx_client_request r = ask(servers[0].port, true, true);
    start(client, &slow, &r);
    PUMP(tls_heard(&servers[0], "GET / HTTP/1.1"));
    tls_say(&servers[0], "HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n");
    PUMP(slow.status == 200);
    memset(body, '1', 200000);
    fcntl(servers[0].in, F_SETFL, O_NONBLOCK);
    size_t said = 0;
    uint64_t from = rx_clock_ms();
    while (rx_clock_ms() - from < 1200) { /* it looks once a second */
        ssize_t n = write(servers[0].in, body + said, 200000 - said);
        said += n > 0 ? (size_t)n : 0;
        tick();
    }
    CHECK_INT(0, (intmax_t)slow.body);
    for (int i = 0; i < 2; i++) {
        struct call c = { 0 };
        struct rx_client_request other = ask(servers[1].port, true, true);
        start(client, &c, &other);
        PUMP(tls_heard(&servers[1], "GET / HTTP/1.1"));
        tls_say(&servers[1], "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
                             "connection: close\r\n\r\n12");
        PUMP(c.ended);
        CHECK_TEXT("", c.why);
        servers[1].said_len = 0;
        servers[1].said[0] = '\0';
    }
    CHECK_INT(0, slow.ended);
    rx_client_resume(slow.call);
    from = rx_clock_ms();
    while (!slow.ended && rx_clock_ms() - from < 10000) {
        ssize_t n = write(servers[0].in, body + said, 200000 - said);
        said += n > 0 ? (size_t)n : 0;
        tick();
    }
    CHECK_INT(1, slow.ended);
    CHECK_TEXT("", slow.why);
    CHECK_INT(200000, (intmax_t)slow.body);
    rx_client_free(client);
    tls_stop(&servers[0]);
    tls_stop(&servers[1]);
}

static void
a_large_request_goes_out_whole_over_tls(void)
{
    struct tls server;
    struct call c = { 0 };
    struct rx_client *client = client_new();
    size_t size = (size_t)4 << 20;
    char *big = malloc(size);

    memset(big, '.', size);
    memcpy(big + size - 8, "the end\n", 8);
    tls_start(&server);
    struct rx_client_request r = ask(server.port, true, true);
    rx_str pieces[3] = { { big, 10 }, { big + 10, 100000 },
        { big + 100010, size - 100010 } };
    r.body = pieces;
    r.body_count = 3;
    start(client, &c, &r);
    for (int i = 0; i < 50; i++) /* let it run into a full pipe first */
        tick();
    PUMP(tls_heard(&server, "the end\n"));
    size_t dots = 0;
    for (const char *p = strstr(server.said, "\r\n\r\n"); *p != '\0'; p++)
        dots += *p == '.';
    CHECK(dots >= size - 8 && dots < size + 16);
    tls_say(&server, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12");
    PUMP(c.ended);
    CHECK_TEXT("", c.why);
    rx_client_free(client);
    tls_stop(&server);
    free(big);
}

static void
a_transfer_verifies_too(void)
{
    struct tls server;
    char url[64];

    tls_start(&server);
    snprintf(url, sizeof(url), "https://localhost:%u/", server.port);
    struct got bad = { 0 };
    transfer(&bad, &(struct rx_transfer_options){ .url = url });
    PUMP(bad.calls);
    CHECK_INT(RX_UPSTREAM, bad.result.code);
    CHECK_TEXT("tls: certificate verify failed: self-signed certificate",
        bad.result.why);
    struct got good = { 0 };
    transfer(
        &good, &(struct rx_transfer_options){ .url = url, .ca_file = cert });
    PUMP(tls_heard(&server, "GET / HTTP/1.1"));
    tls_say(&server, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12");
    PUMP(good.calls);
    CHECK_TEXT("", good.result.why);
    CHECK_INT(200, good.result.status);
    tls_stop(&server);
}

/* -- names -- */

static int
threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n - 2;
}

static void
a_name_is_looked_up_by_one_for_all(void)
{
    struct call calls[60] = { 0 };
    struct rx_client *client = client_new();
    struct rx_client_request r = ask(80, false, false);
    int most = 0;
    int ended = 0;
    int before = threads();

    r.target.host = RX_S("no-such-host.invalid");
    for (int i = 0; i < 60; i++)
        start(client, &calls[i], &r);
    rx_client_cancel(calls[30].call);
    uint64_t until = rx_clock_ms() + 20000;
    while (ended < 59 && rx_clock_ms() < until) {
        tick();
        most = threads() > most ? threads() : most;
        ended = 0;
        for (int i = 0; i < 60; i++)
            ended += calls[i].ended;
    }
    CHECK(most <= before + 1);
    CHECK_INT(59, ended);
    CHECK_INT(0, calls[30].ended);
    CHECK_TEXT(
        "dns: could not resolve host no-such-host.invalid", calls[59].why);
    rx_client_free(client);
}

static void
who_waits_for_a_name_goes_on_when_the_asker_leaves(void)
{
    struct call calls[3] = { 0 };
    struct rx_client *client = client_new();
    struct rx_client_request r = ask(port, false, false);

    r.target.host = RX_S("localhost");
    for (int i = 0; i < 3; i++)
        start(client, &calls[i], &r);
    rx_client_cancel(calls[0].call);
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = accepted();
        expect(fds[i], "GET / HTTP/1.1\r\nhost: t\r\n\r\n");
        say_text(fds[i], "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12");
    }
    PUMP(calls[1].ended && calls[2].ended);
    CHECK_TEXT("", calls[1].why);
    CHECK_TEXT("", calls[2].why);
    rx_client_free(client);

    client = client_new(); /* the asker leaves while it asks */
    r.target.host = RX_S("no-such-host.invalid");
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct call){ 0 };
        start(client, &calls[i], &r);
    }
    tick();
    tick();
    if (!calls[0].ended)
        rx_client_cancel(calls[0].call);
    PUMP(calls[1].ended && calls[2].ended);
    rx_client_free(client);
    close(fds[0]);
    close(fds[1]);
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

/* -- proxies -- */

/* Carry bytes between a client's descriptor and a TLS server. */
static void
carry(int a, int b)
{
    char bytes[4096];
    int from[2] = { a, b };

    for (int i = 0; i < 2; i++) {
        ssize_t n = recv(from[i], bytes, sizeof(bytes), 0);
        if (n > 0)
            CHECK_INT(n, send(from[1 - i], bytes, (size_t)n, MSG_NOSIGNAL));
    }
}

static void
a_plain_target_is_reached_through_a_tunnel(void)
{
    struct call c = { 0 };
    struct rx_client *client = client_new();
    struct rx_client_request r = ask(80, false, false);
    char proxy[64];
    char heard[512];

    snprintf(proxy, sizeof(proxy), "http://u:p@127.0.0.1:%u", port);
    r.target.host = RX_S("upstream.invalid");
    r.target.proxy_url = (rx_str){ proxy, strlen(proxy) };
    start(client, &c, &r);
    int fd = accepted();
    hear(fd, heard, sizeof(heard), 0);
    CHECK(strncmp(heard, "CONNECT upstream.invalid:80 HTTP/1.1\r\n", 38) == 0);
    CHECK(strstr(heard, "\r\nProxy-Authorization: Basic dTpw\r\n") != NULL);
    say_text(fd, "HTTP/1.1 200 Go\r\n\r\n");
    expect(fd, "GET / HTTP/1.1\r\nhost: t\r\n\r\n");
    say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12");
    PUMP(c.ended);
    CHECK_TEXT("", c.why);
    CHECK_INT(1, (intmax_t)rx_client_idle(client));
    rx_client_free(client);
    close(fd);
}

static void
a_proxy_that_refuses_is_named_as_the_cause(void)
{
    struct call c = { 0 };
    struct rx_client *client = client_new();
    struct rx_client_request r = ask(443, true, false);
    char proxy[64];
    char heard[512];

    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", port);
    r.target.proxy_url = (rx_str){ proxy, strlen(proxy) };
    start(client, &c, &r);
    int fd = accepted();
    hear(fd, heard, sizeof(heard), 0);
    say_text(fd, "HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n");
    PUMP(c.ended);
    CHECK_INT(RX_UPSTREAM, c.code);
    CHECK_TEXT("proxy: CONNECT tunnel failed, response 403", c.why);
    rx_client_free(client);
    close(fd);
}

static void
tls_goes_through_a_tunnel(void)
{
    struct tls server;
    struct call c = { 0 };
    struct rx_client *client = client_new();
    char proxy[64];
    char heard[512];

    tls_start(&server);
    struct rx_client_request r = ask(server.port, true, true);
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", port);
    r.target.proxy_url = (rx_str){ proxy, strlen(proxy) };
    start(client, &c, &r);
    int fd = accepted();
    hear(fd, heard, sizeof(heard), 0);
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_port = htons(server.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int far = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(0, connect(far, (struct sockaddr *)&a, sizeof(a)));
    fcntl(far, F_SETFL, O_NONBLOCK);
    say_text(fd, "HTTP/1.1 200 Go\r\n\r\n");
    PUMP((carry(fd, far), tls_heard(&server, "GET / HTTP/1.1")));
    tls_say(&server, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12");
    PUMP((carry(fd, far), c.ended));
    CHECK_TEXT("", c.why);
    rx_client_free(client);
    close(fd);
    close(far);
    tls_stop(&server);
}

static void
a_socks5h_proxy_gets_the_name_to_resolve(void)
{
    static const char want[] = "\x05\x01\x00\x03\x10upstream.invalid\x00\x50";
    struct call c = { 0 };
    struct rx_client *client = client_new();
    struct rx_client_request r = ask(80, false, false);
    char proxy[64];
    char heard[64] = { 0 };
    size_t n = 0;

    snprintf(proxy, sizeof(proxy), "socks5h://127.0.0.1:%u", port);
    r.target.host = RX_S("upstream.invalid");
    r.target.proxy_url = (rx_str){ proxy, strlen(proxy) };
    start(client, &c, &r);
    int fd = accepted();
    PUMP((read_some(fd, heard, &n, sizeof(heard)), n >= 3));
    CHECK_INT(5, heard[0]);
    say(fd, "\x05\x00", 2);
    n = 0;
    PUMP(read_some(fd, heard, &n, sizeof(want) - 1));
    CHECK(memcmp(heard, want, sizeof(want) - 1) == 0);
    say(fd, "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", 10);
    expect(fd, "GET / HTTP/1.1\r\nhost: t\r\n\r\n");
    say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12");
    PUMP(c.ended);
    CHECK_TEXT("", c.why);
    rx_client_free(client);
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

#define RUN(test)        \
    do {                 \
        begin();         \
        CHECK_RUN(test); \
        fflush(stdout);  \
        finish();        \
    } while (0)

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_certificate();
    RUN(a_transfer_brings_status_headers_and_body);
    RUN(a_transfer_sends_what_it_is_given_and_no_more);
    RUN(a_transfer_is_bounded_in_size_and_time);
    RUN(a_transfer_follows_redirects_only_when_told);
    RUN(a_transfer_may_go_to_a_unix_socket);
    RUN(a_cancelled_transfer_says_nothing);
    RUN(failures_are_told_in_an_operators_words);
    RUN(a_certificate_nobody_signed_is_refused);
    RUN(a_certificate_for_another_name_is_refused);
    RUN(a_ca_file_that_is_none_is_named_as_the_cause);
    RUN(a_tls_connection_is_verified_kept_and_used_again);
    RUN(a_paused_tls_stream_survives_other_connections);
    RUN(a_large_request_goes_out_whole_over_tls);
    RUN(a_transfer_verifies_too);
    RUN(a_name_is_looked_up_by_one_for_all);
    RUN(who_waits_for_a_name_goes_on_when_the_asker_leaves);
    RUN(freeing_ends_what_runs_without_a_word);
    RUN(a_plain_target_is_reached_through_a_tunnel);
    RUN(a_proxy_that_refuses_is_named_as_the_cause);
    RUN(tls_goes_through_a_tunnel);
    RUN(a_socks5h_proxy_gets_the_name_to_resolve);
    RUN(the_environments_proxies_are_not_ours);
    unlink(cert);
    unlink(key);
    rmdir(folder);
    return CHECK_EXIT();
}
