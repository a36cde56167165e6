#include "dataplane/headers.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

static const struct credential secret = { .id = RX_STR_INIT("k"),
    .secret = RX_STR_INIT("sk-upstream") };

struct fixture {
    struct channel channel;
    struct candidate to;
    struct rx_httpd_head from;
    struct outbound o;
    struct rx_buf out;
};

static void
set_up(struct fixture *f, const struct rx_header *headers, size_t n)
{
    *f = (struct fixture){ 0 };
    f->channel.endpoints[DIALECT_ANTHROPIC] =
        (struct endpoint){ .present = true,
            .auth = AUTH_X_API_KEY,
            .authority = RX_S("api.example.com"),
            .base_path = RX_S("") };
    f->to = (struct candidate){ .channel = &f->channel,
        .credential = &secret,
        .endpoint = &f->channel.endpoints[DIALECT_ANTHROPIC] };
    f->from = (struct rx_httpd_head){
        .method = RX_S("POST"), .headers = headers, .header_count = n
    };
    f->o = (struct outbound){ .from = &f->from,
        .to = &f->to,
        .path = RX_S("/v1/messages"),
        .query = RX_S("?beta=true"),
        .has_body = true,
        .body_bytes = 12 };
    rx_buf_init(&f->out, 1 << 16);
}

static const char *
head(struct fixture *f)
{
    headers_outbound(&f->out, &f->o);
    return f->out.ptr;
}

static void
the_clients_credentials_and_hop_headers_never_reach_the_upstream(void)
{
    static const struct rx_header headers[] = {
        { RX_STR_INIT("X-Api-Key"), RX_STR_INIT("rtx_client") },
        { RX_STR_INIT("authorization"), RX_STR_INIT("Bearer rtx_client") },
        { RX_STR_INIT("X-Goog-Api-Key"), RX_STR_INIT("rtx_client") },
        { RX_STR_INIT("api-key"), RX_STR_INIT("rtx_client") },
        { RX_STR_INIT("cookie"), RX_STR_INIT("session=rtx_client") },
        { RX_STR_INIT("connection"), RX_STR_INIT("keep-alive") },
        { RX_STR_INIT("x-forwarded-for"), RX_STR_INIT("10.0.0.1") },
        { RX_STR_INIT("x-routex-tag"), RX_STR_INIT("t") },
        { RX_STR_INIT("accept-encoding"), RX_STR_INIT("gzip") },
        { RX_STR_INIT("content-encoding"), RX_STR_INIT("gzip") },
        { RX_STR_INIT("Anthropic-Version"), RX_STR_INIT("2026-10-21") },
        { RX_STR_INIT("content-type"), RX_STR_INIT("application/json") },
        { RX_STR_INIT("X-Stainless-Lang"), RX_STR_INIT("js") },
    };
    struct fixture f;

    set_up(&f, headers, RX_COUNT(headers));
    CHECK_TEXT("POST /v1/messages?beta=true HTTP/1.1\r\n"
               "host: api.example.com\r\n"
               "x-api-key: sk-upstream\r\n"
               "Anthropic-Version: 2026-10-21\r\n"
               "content-type: application/json\r\n"
               "X-Stainless-Lang: js\r\n"
               "accept-encoding: identity\r\n"
               "content-length: 12\r\n"
               "\r\n",
        head(&f));
    rx_buf_fini(&f.out);
}

static void
beta_lists_become_an_ordered_union(void)
{
    static const struct rx_header client[] = {
        { RX_STR_INIT("anthropic-beta"), RX_STR_INIT("b-2, a-1") },
    };
    static const struct rx_header channel[] = {
        { RX_STR_INIT("anthropic-beta"), RX_STR_INIT("oauth-1,a-1") },
    };
    struct fixture f;

    set_up(&f, client, 1);
    f.channel.headers = channel;
    f.channel.header_count = 1;
    CHECK(strstr(head(&f), "anthropic-beta: b-2, a-1,oauth-1\r\n") != NULL);
    CHECK(strstr(f.out.ptr, "anthropic-version: 2023-06-01\r\n") != NULL);
    rx_buf_fini(&f.out);
}

static void
what_a_credential_brings_goes_before_what_its_channel_says(void)
{
    static const struct rx_header channel[] = {
        { RX_STR_INIT("x-account"), RX_STR_INIT("of-the-channel") },
        { RX_STR_INIT("x-more"), RX_STR_INIT("of-the-channel") },
    };
    static const struct rx_header own[] = {
        { RX_STR_INIT("x-account"), RX_STR_INIT("of-the-key") },
        { RX_STR_INIT("x-other"), RX_STR_INIT("of-the-key") },
    };
    struct credential key = secret;
    struct fixture f;

    set_up(&f, NULL, 0);
    key.headers = own;
    key.header_count = RX_COUNT(own);
    f.to.credential = &key;
    f.channel.headers = channel;
    f.channel.header_count = RX_COUNT(channel);
    CHECK(strstr(head(&f), "\r\nx-account: of-the-key\r\n") != NULL);
    CHECK(strstr(f.out.ptr, "\r\nx-other: of-the-key\r\n") != NULL);
    CHECK(strstr(f.out.ptr, "\r\nx-more: of-the-channel\r\n") != NULL);
    CHECK(strstr(f.out.ptr, "x-account: of-the-channel") == NULL);
    rx_buf_fini(&f.out);
}

static void
a_channels_own_header_replaces_the_clients(void)
{
    static const struct rx_header client[] = {
        { RX_STR_INIT("User-Agent"), RX_STR_INIT("claude-cli") },
    };
    static const struct rx_header channel[] = {
        { RX_STR_INIT("user-agent"), RX_STR_INIT("mine") },
    };
    struct fixture f;

    set_up(&f, client, 1);
    f.channel.headers = channel;
    f.channel.header_count = 1;
    CHECK(strstr(head(&f), "user-agent: mine\r\n") != NULL);
    CHECK(strstr(f.out.ptr, "claude-cli") == NULL);
    rx_buf_fini(&f.out);
}

static void
each_scheme_puts_the_key_where_its_provider_wants_it(void)
{
    static const struct {
        enum auth_scheme auth;
        const char *line;
    } rows[] = {
        { AUTH_X_API_KEY, "x-api-key: sk-upstream\r\n" },
        { AUTH_BEARER, "authorization: Bearer sk-upstream\r\n" },
        { AUTH_X_GOOG_API_KEY, "x-goog-api-key: sk-upstream\r\n" },
        { AUTH_API_KEY, "\r\napi-key: sk-upstream\r\n" },
        { AUTH_QUERY, "?beta=true&key=sk-upstream HTTP/1.1\r\n" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct fixture f;
        set_up(&f, NULL, 0);
        f.channel.endpoints[DIALECT_ANTHROPIC].auth = rows[i].auth;
        CHECK(strstr(head(&f), rows[i].line) != NULL);
        rx_buf_fini(&f.out);
    }
}

static void
a_version_stands_once_in_the_path(void)
{
    static const struct {
        rx_str base, path, joined;
    } rows[] = {
        { RX_STR_INIT(""), RX_STR_INIT("/v1/messages"),
            RX_STR_INIT("/v1/messages") },
        { RX_STR_INIT("/v1"), RX_STR_INIT("/v1/messages"),
            RX_STR_INIT("/messages") },
        { RX_STR_INIT("/api/paas/v4"), RX_STR_INIT("/v1/chat/completions"),
            RX_STR_INIT("/chat/completions") },
        { RX_STR_INIT("/v1beta"), RX_STR_INIT("/v1beta/models/x:y"),
            RX_STR_INIT("/models/x:y") },
        { RX_STR_INIT("/anthropic"), RX_STR_INIT("/v1/messages"),
            RX_STR_INIT("/v1/messages") },
        { RX_STR_INIT("/vendor"), RX_STR_INIT("/v1/messages"),
            RX_STR_INIT("/v1/messages") },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        CHECK(rx_str_eq(
            rows[i].joined, headers_join_path(rows[i].base, rows[i].path)));
}

static void
the_client_sees_limits_and_ids_but_not_whose_account_it_was(void)
{
    static const struct rx_header headers[] = {
        { RX_STR_INIT("Content-Type"), RX_STR_INIT("application/json") },
        { RX_STR_INIT("request-id"), RX_STR_INIT("req_1") },
        { RX_STR_INIT("retry-after"), RX_STR_INIT("3") },
        { RX_STR_INIT("x-ratelimit-remaining-tokens"), RX_STR_INIT("5") },
        { RX_STR_INIT("anthropic-ratelimit-unified-status"),
            RX_STR_INIT("allowed") },
        { RX_STR_INIT("anthropic-organization-id"), RX_STR_INIT("org") },
        { RX_STR_INIT("openai-organization"), RX_STR_INIT("org") },
        { RX_STR_INIT("set-cookie"), RX_STR_INIT("x=y") },
        { RX_STR_INIT("content-length"), RX_STR_INIT("10") },
        { RX_STR_INIT("transfer-encoding"), RX_STR_INIT("chunked") },
        { RX_STR_INIT("server"), RX_STR_INIT("cloud") },
    };
    struct rx_client_head answer = { .headers = headers,
        .header_count = RX_COUNT(headers) };
    struct rx_buf out;

    rx_buf_init(&out, 4096);
    headers_inbound(&out, &answer);
    CHECK_TEXT("Content-Type: application/json\r\n"
               "request-id: req_1\r\n"
               "retry-after: 3\r\n"
               "x-ratelimit-remaining-tokens: 5\r\n"
               "anthropic-ratelimit-unified-status: allowed\r\n",
        out.ptr);
    rx_buf_fini(&out);
}

static void
a_translated_request_names_its_own_format_and_brings_its_own_lines(void)
{
    static const struct rx_header headers[] = {
        { RX_STR_INIT("content-type"), RX_STR_INIT("text/x-mine") },
        { RX_STR_INIT("accept"), RX_STR_INIT("text/x-mine") },
        { RX_STR_INIT("user-agent"), RX_STR_INIT("somebody/1") },
    };

    for (int stream = 0; stream < 2; stream++) {
        struct fixture f;
        set_up(&f, headers, RX_COUNT(headers));
        f.o.translated = true;
        f.o.stream = stream;
        f.o.more = RX_S("x-more: of-the-codec\r\n");
        const char *text = head(&f);
        CHECK(strstr(text, "\r\nx-more: of-the-codec\r\n") != NULL);
        CHECK(strstr(text, "\r\ncontent-type: application/json\r\n") != NULL);
        CHECK(
            strstr(text, stream ? "\r\naccept: text/event-stream\r\n"
                                : "\r\naccept: application/json\r\n") != NULL);
        CHECK(strstr(text, "\r\nuser-agent: somebody/1\r\n") != NULL);
        CHECK(strstr(text, "text/x-mine") == NULL);
        rx_buf_fini(&f.out);
    }
}

int
main(void)
{
    CHECK_RUN(
        a_translated_request_names_its_own_format_and_brings_its_own_lines);
    CHECK_RUN(the_clients_credentials_and_hop_headers_never_reach_the_upstream);
    CHECK_RUN(beta_lists_become_an_ordered_union);
    CHECK_RUN(what_a_credential_brings_goes_before_what_its_channel_says);
    CHECK_RUN(a_channels_own_header_replaces_the_clients);
    CHECK_RUN(each_scheme_puts_the_key_where_its_provider_wants_it);
    CHECK_RUN(a_version_stands_once_in_the_path);
    CHECK_RUN(the_client_sees_limits_and_ids_but_not_whose_account_it_was);
    return CHECK_EXIT();
}
