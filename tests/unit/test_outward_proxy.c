/*
 * Targets behind a proxy, of the kinds there are.
 */
#include "tests/unit/fetch_rig.h"
#include "tests/unit/tls_rig.h"

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
    struct rx_client_request r = ask(80, false, NULL);
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
    struct rx_client_request r = ask(443, true, NULL);
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
    struct rx_client_request r = ask(server.port, true, cert);
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
    struct rx_client_request r = ask(80, false, NULL);
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

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_certificate();
    RUN(a_plain_target_is_reached_through_a_tunnel);
    RUN(a_proxy_that_refuses_is_named_as_the_cause);
    RUN(tls_goes_through_a_tunnel);
    RUN(a_socks5h_proxy_gets_the_name_to_resolve);
    drop_certificate();
    return CHECK_EXIT();
}
