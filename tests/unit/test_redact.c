#include "dataplane/redact.h"
#include "tests/unit/check.h"

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static void
credentials_are_taken_out_and_the_rest_stays(void)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "", "" },
        { "sk-ant-REDACTED is mine", "[redacted] is mine" },
        { "task-oriented-programming", "task-oriented-programming" },
        { "AKIAABCDEFGHIJKLMNOP", "[redacted]" },
        { "Authorization: Bearer abc.def-123=", "Authorization: Bearer "
                                                "[redacted]" },
        { "{\"password\": \"correct horse\"}",
            "{\"password\": \"[redacted]\"}" },
        { "{\\\"api_key\\\":\\\"0123456789\\\"}",
            "{\\\"api_key\\\":\\\"[redacted]\\\"}" },
        { "{\"password_hint\": \"a horse\"}",
            "{\"password_hint\": \"a horse\"}" },
        { "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[redacted]" },
        { "a-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE "
          "KEY-----b",
            "a[redacted]b" },
    };
    struct redact *r = redact_new(NULL, 0);

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_buf out;
        rx_buf_init(&out, 4096);
        rx_buf_add(&out, RX_S(""));
        (void)redact_text(r, text(rows[i].in), &out);
        CHECK_TEXT(rows[i].out, out.len > 0 ? out.ptr : "");
        rx_buf_fini(&out);
    }
    redact_free(r);
}

static void
what_takes_too_long_leaves_nothing(void)
{
    const rx_str slow[] = { RX_STR_INIT("(a+)+$") };
    struct redact *r = redact_new(slow, 1);
    struct rx_buf out;
    char many[4096];

    memset(many, 'a', sizeof(many));
    many[sizeof(many) - 1] = 'b';
    rx_buf_init(&out, 65536);
    CHECK(redact_text(r, (rx_str){ many, sizeof(many) }, &out) > 0);
    CHECK_TEXT("[redacted]", out.ptr);
    rx_buf_fini(&out);
    redact_free(r);
}

static void
patterns_of_nothing_come_to_an_end(void)
{
    const rx_str empty[] = { RX_STR_INIT("x*"), RX_STR_INIT("((") };
    struct redact *r = redact_new(empty, 2);
    struct rx_buf out;

    rx_buf_init(&out, 65536);
    CHECK(redact_text(r, RX_S("axxb"), &out) == 1);
    CHECK_TEXT("a[redacted]b", out.ptr);
    rx_buf_fini(&out);
    redact_free(r);
}

int
main(void)
{
    CHECK_RUN(credentials_are_taken_out_and_the_rest_stays);
    CHECK_RUN(what_takes_too_long_leaves_nothing);
    CHECK_RUN(patterns_of_nothing_come_to_an_end);
    return CHECK_EXIT();
}
