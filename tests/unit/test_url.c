#include "shared/arena.h"
#include "shared/url.h"
#include "tests/unit/check.h"

static void
base_urls_are_taken_apart(void)
{
    static const struct {
        const char *text;
        bool tls;
        const char *host;
        uint16_t port;
        const char *path;
        const char *authority;
    } rows[] = {
        { "https://api.anthropic.com", true, "api.anthropic.com", 443, "",
            "api.anthropic.com" },
        { "https://api.anthropic.com/", true, "api.anthropic.com", 443, "",
            "api.anthropic.com" },
        { "http://localhost:8080/v1//", false, "localhost", 8080, "/v1",
            "localhost:8080" },
        { "HTTPS://h/a/b%20c", true, "h", 443, "/a/b%20c", "h" },
        { "http://h:80", false, "h", 80, "", "h" },
        { "http://h:443", false, "h", 443, "", "h:443" },
        { "http://[::1]:9/x", false, "::1", 9, "/x", "[::1]:9" },
        { "https://[2001:db8::1]", true, "2001:db8::1", 443, "",
            "[2001:db8::1]" },
        { "http://127.0.0.1:1", false, "127.0.0.1", 1, "", "127.0.0.1:1" },
        { "http://a_b.svc.cluster.local.", false, "a_b.svc.cluster.local.", 80,
            "", "a_b.svc.cluster.local." },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_url u;
        struct rx_err err = { 0 };
        struct rx_buf b;
        rx_str text = { rows[i].text, strlen(rows[i].text) };
        CHECK_INT(RX_OK, rx_url_split(text, &u, &err));
        CHECK_TEXT("", err.text);
        CHECK_INT(rows[i].tls, u.tls);
        CHECK_INT(rows[i].port, u.port);
        CHECK(
            rx_str_eq(u.host, (rx_str){ rows[i].host, strlen(rows[i].host) }));
        CHECK(
            rx_str_eq(u.path, (rx_str){ rows[i].path, strlen(rows[i].path) }));
        rx_buf_init(&b, 300);
        CHECK(rx_url_add_authority(&b, &u));
        CHECK_TEXT(rows[i].authority, b.ptr);
        rx_buf_fini(&b);
    }
}

static void
what_is_no_base_url_is_refused_with_words(void)
{
    static const struct {
        rx_str text;
        const char *why;
    } rows[] = {
        { RX_STR_INIT(""), "the URL must begin with http:// or https://" },
        { RX_STR_INIT("ftp://h"),
            "the URL must begin with http:// or https://" },
        { RX_STR_INIT("//h"), "the URL must begin with http:// or https://" },
        { RX_STR_INIT("http://"), "bad host name in the URL" },
        { RX_STR_INIT("http:///x"), "bad host name in the URL" },
        { RX_STR_INIT("http://."), "bad host name in the URL" },
        { RX_STR_INIT("http://a..b"), "bad host name in the URL" },
        { RX_STR_INIT("http://a b"), "bad host name in the URL" },
        { RX_STR_INIT("http://a\0b"), "bad host name in the URL" },
        { RX_STR_INIT("http://a\r\nb"), "bad host name in the URL" },
        { RX_STR_INIT("http://a\\b"), "bad host name in the URL" },
        { RX_STR_INIT("http://h%2f"), "bad host name in the URL" },
        { RX_STR_INIT("http://h:"), "bad port in the URL" },
        { RX_STR_INIT("http://h:0"), "bad port in the URL" },
        { RX_STR_INIT("http://h:65536"), "bad port in the URL" },
        { RX_STR_INIT("http://h:8o"), "bad port in the URL" },
        { RX_STR_INIT("http://[::1"), "bad IPv6 address in the URL" },
        { RX_STR_INIT("http://[1.2.3.4]"), "bad IPv6 address in the URL" },
        { RX_STR_INIT("http://[fe80::1%25e]"), "bad IPv6 address in the URL" },
        { RX_STR_INIT("http://[::1]x"), "bad port in the URL" },
        { RX_STR_INIT("http://u:p@h"), "the URL may not hold a user name" },
        { RX_STR_INIT("http://h/?a=1"),
            "the URL may not have a query or fragment" },
        { RX_STR_INIT("http://h#x"),
            "the URL may not have a query or fragment" },
        { RX_STR_INIT("http://h/a b"), "bad path in the URL" },
        { RX_STR_INIT("http://h/a\nb"), "bad path in the URL" },
        { RX_STR_INIT("http://h/a/../b"), "bad path in the URL" },
        { RX_STR_INIT("http://h/\xc3\xa4"), "bad path in the URL" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_url u;
        struct rx_err err = { 0 };
        CHECK_INT(RX_INVALID, rx_url_split(rows[i].text, &u, &err));
        CHECK_TEXT(rows[i].why, err.text);
    }
}

static void
a_long_name_or_url_is_refused(void)
{
    char text[4000];
    struct rx_url u;

    memset(text, 'a', sizeof(text));
    memcpy(text, "http://", 7);
    CHECK_INT(
        RX_INVALID, rx_url_split((rx_str){ text, sizeof(text) }, &u, NULL));
    CHECK_INT(RX_OK, rx_url_split((rx_str){ text, 7 + 63 }, &u, NULL));
    CHECK_INT(RX_INVALID, rx_url_split((rx_str){ text, 7 + 64 }, &u, NULL));
}

static void
a_target_has_its_version_once(void)
{
    static const struct {
        const char *base;
        const char *path;
        const char *want;
    } rows[] = {
        { "https://h", "/v1/messages?beta=true", "/v1/messages?beta=true" },
        { "https://h/v1", "/v1/messages", "/v1/messages" },
        { "https://h/v1/", "/v1", "/v1" },
        { "https://h/api/v1", "/v1/chat/completions",
            "/api/v1/chat/completions" },
        { "https://h/openai", "/v1/chat/completions",
            "/openai/v1/chat/completions" },
        { "https://h/v1beta", "/v1beta/models/x:generateContent",
            "/v1beta/models/x:generateContent" },
        { "https://h/v1", "/v1beta/models", "/v1/v1beta/models" },
        { "https://h/v1", "/v10/x", "/v1/v10/x" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_url u;
        struct rx_buf b;
        rx_str base = { rows[i].base, strlen(rows[i].base) };
        CHECK_INT(RX_OK, rx_url_split(base, &u, NULL));
        rx_buf_init(&b, 100);
        CHECK(rx_url_add_target(
            &b, &u, (rx_str){ rows[i].path, strlen(rows[i].path) }));
        CHECK_TEXT(rows[i].want, b.ptr);
        rx_buf_fini(&b);
    }
}

static void
proxies_have_their_own_schemes(void)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        { "http://proxy:3128", true },
        { "https://proxy", true },
        { "socks5h://user:pa%20ss@127.0.0.1:1080/", true },
        { "socks5://[::1]:1", true },
        { "socks4://h:1", false },
        { "http://", false },
        { "http://h:1/x", false },
        { "http://h:99999", false },
        { "http://a b@h", false },
        { "proxy:3128", false },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str text = { rows[i].text, strlen(rows[i].text) };
        CHECK_INT(
            rows[i].good ? RX_OK : RX_INVALID, rx_url_check_proxy(text, NULL));
    }
}

int
main(void)
{
    CHECK_RUN(base_urls_are_taken_apart);
    CHECK_RUN(what_is_no_base_url_is_refused_with_words);
    CHECK_RUN(a_long_name_or_url_is_refused);
    CHECK_RUN(a_target_has_its_version_once);
    CHECK_RUN(proxies_have_their_own_schemes);
    return CHECK_EXIT();
}
