/*
 * Calls and transfers over TLS: who is believed, and how bytes flow.
 */
#include "tests/unit/fetch_rig.h"
#include "tests/unit/tls_rig.h"

static void
a_certificate_nobody_signed_is_refused(void)
{
    struct tls server;
    struct call c = { 0 };
    struct rx_client *client = client_new();

    tls_start(&server);
    struct rx_client_request r = ask(server.port, true, NULL);
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
    struct rx_client_request r = ask(server.port, true, cert);
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
    struct rx_client_request r = ask(server.port, true, NULL);
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
        struct rx_client_request r = ask(server.port, true, cert);
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
    struct rx_client_request r = ask(servers[0].port, true, cert);
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
        struct rx_client_request other = ask(servers[1].port, true, cert);
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
    struct rx_client_request r = ask(server.port, true, cert);
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

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_certificate();
    RUN(a_certificate_nobody_signed_is_refused);
    RUN(a_certificate_for_another_name_is_refused);
    RUN(a_ca_file_that_is_none_is_named_as_the_cause);
    RUN(a_tls_connection_is_verified_kept_and_used_again);
    RUN(a_paused_tls_stream_survives_other_connections);
    RUN(a_large_request_goes_out_whole_over_tls);
    RUN(a_transfer_verifies_too);
    drop_certificate();
    return CHECK_EXIT();
}
