/*
 * shared/sigv4: the examples of the published algorithm, and a whole head.
 */
#include <stdlib.h>

#include "shared/sigv4.h"
#include "tests/unit/check.h"

#define ID     "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static const char *
print(const struct rx_buf *b)
{
    return b->len > 0 ? b->ptr : "";
}

static void
examples_of_the_algorithm_come_out(void)
{
    static const struct {
        const char *method, *query, *host, *type, *body, *service, *want;
    } rows[] = {
        { "GET", "", "example.amazonaws.com", NULL, "", "service",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
            "1" },
        { "POST", "", "example.amazonaws.com", NULL, "", "service",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6"
            "b" },
        { "GET", "Param2=value2&Param1=value1", "example.amazonaws.com", NULL,
            "", "service",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf250"
            "0" },
        { "GET", "Action=ListUsers&Version=2010-05-08", "iam.amazonaws.com",
            "application/x-www-form-urlencoded; charset=utf-8", "", "iam",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d"
            "7" },
        { "POST", "", "example.amazonaws.com",
            "application/x-www-form-urlencoded", "Param1=value1", "service",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473"
            "a" },
    };
    struct rx_sigv4_key key = { RX_S(ID), RX_S(SECRET), { 0 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rx_str body = { rows[i].body, strlen(rows[i].body) };
        struct rx_sigv4_field fields[3];
        size_t n = 0;
        if (rows[i].type != NULL)
            fields[n++] = (struct rx_sigv4_field){ RX_S("content-type"),
                { rows[i].type, strlen(rows[i].type) } };
        fields[n++] = (struct rx_sigv4_field){ RX_S("host"),
            { rows[i].host, strlen(rows[i].host) } };
        fields[n++] = (struct rx_sigv4_field){ RX_S("x-amz-date"),
            RX_S("20150830T123600Z") };
        struct rx_sigv4_request r = { .method = { rows[i].method,
                                          strlen(rows[i].method) },
            .path = RX_S("/"),
            .query = { rows[i].query, strlen(rows[i].query) },
            .fields = fields,
            .field_count = n,
            .body = rx_sha256(&body, 1),
            .region = RX_S("us-east-1"),
            .service = { rows[i].service, strlen(rows[i].service) } };
        struct rx_buf out;
        rx_sigv4_date(1440938160, r.date);
        rx_buf_init(&out, 4096);
        rx_sigv4_authorization(&r, &key, &out);
        const char *at = strstr(print(&out), "Signature=");
        CHECK_TEXT(rows[i].want, at != NULL ? at + 10 : print(&out));
        rx_buf_fini(&out);
    }
}

static void
a_head_is_signed_over_its_encoded_path_and_its_body_in_pieces(void)
{
    static const rx_str head =
        RX_STR_INIT("POST /model/anthropic.claude-v1%3A0/invoke HTTP/1.1\r\n"
                    "host: bedrock-runtime.us-east-1.amazonaws.com\r\n"
                    "content-type: application/json\r\nuser-agent: x\r\n\r\n");
    static const rx_str body[] = { RX_STR_INIT("{\"a\""), RX_STR_INIT(":1}") };
    struct rx_sigv4_key key;
    struct rx_buf out;

    CHECK(rx_sigv4_key_read(RX_S(ID ":" SECRET ":T0K"), &key));
    rx_buf_init(&out, 1 << 16);
    rx_buf_add(&out, head);
    CHECK(rx_sigv4_sign(
        &out, body, 2, &key, RX_S("us-east-1"), RX_S("bedrock"), 1440938160));
    CHECK_TEXT(
        "POST /model/anthropic.claude-v1%3A0/invoke HTTP/1.1\r\n"
        "host: bedrock-runtime.us-east-1.amazonaws.com\r\n"
        "content-type: application/json\r\nuser-agent: x\r\n"
        "x-amz-content-sha256: "
        "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862\r\n"
        "x-amz-date: 20150830T123600Z\r\nx-amz-security-token: T0K\r\n"
        "authorization: AWS4-HMAC-SHA256 "
        "Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-security-token, Signature="
        "d86b55f9a071f9f542981c7d102a4716ed5532f1fc36e2b1afd0db9acdce29d3"
        "\r\n\r\n",
        print(&out));
    rx_buf_clear(&out);
    rx_buf_add(&out, RX_S("GET\r\n\r\n"));
    CHECK(!rx_sigv4_sign(
        &out, NULL, 0, &key, RX_S("us-east-1"), RX_S("bedrock"), 0));
    rx_buf_fini(&out);
}

static void
regions_are_read_out_of_host_names(void)
{
    static const struct {
        const char *host, *want;
    } rows[] = {
        { "bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1" },
        { "bedrock-runtime.us-gov-west-1.amazonaws.com", "us-gov-west-1" },
        { "vpce-1.bedrock-runtime.ap-south-2.vpce.amazonaws.com:443",
            "ap-south-2" },
        { "127.0.0.1:8080", "" },
        { "example.test", "" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rx_str got =
            rx_sigv4_region((rx_str){ rows[i].host, strlen(rows[i].host) });
        char text[64];
        snprintf(text, sizeof(text), RX_STR_FMT, RX_STR_ARG(got));
        CHECK_TEXT(rows[i].want, text);
    }
}

static void
a_key_is_an_id_a_secret_and_perhaps_a_token(void)
{
    struct rx_sigv4_key key;

    CHECK(rx_sigv4_key_read(RX_S("a:b"), &key) && key.token.len == 0);
    CHECK(rx_sigv4_key_read(RX_S("a:b:c:d"), &key) && key.token.len == 3);
    CHECK(!rx_sigv4_key_read(RX_S("ABSKtoken="), &key));
    CHECK(!rx_sigv4_key_read(RX_S(":b"), &key));
    CHECK(!rx_sigv4_key_read(RX_S("a:"), &key));
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(examples_of_the_algorithm_come_out);
    CHECK_RUN(a_head_is_signed_over_its_encoded_path_and_its_body_in_pieces);
    CHECK_RUN(regions_are_read_out_of_host_names);
    CHECK_RUN(a_key_is_an_id_a_secret_and_perhaps_a_token);
    return CHECK_EXIT();
}
