#include "dataplane/scan.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static bool
scan(enum dialect d, const char *body, struct scan *out)
{
    struct rx_err err = { 0 };

    if (scan_request(d, text_of(body), out, &err) == RX_OK)
        return true;
    fprintf(stderr, "%s: %s\n", body, err.text);
    return false;
}

static void
each_dialect_tells_what_routing_needs(void)
{
    struct scan s;

    CHECK(scan(DIALECT_ANTHROPIC,
        "{\"model\":\"claude-x\",\"max_tokens\":1024,\"stream\":true,"
        "\"messages\":[{\"role\":\"user\",\"content\":\"\\\"model\\\"\"},{}],"
        "\"tools\":[{}],\"metadata\":{\"x\":1,\"user_id\":\"u_1\"}}",
        &s));
    CHECK(rx_str_eq(s.model, RX_S("claude-x")));
    CHECK(s.stream && s.has_max_tokens);
    CHECK_INT(1024, (intmax_t)s.max_tokens);
    CHECK_INT(2, (intmax_t)scan_count(&s, SCAN_MESSAGES));
    CHECK_INT(1, (intmax_t)scan_count(&s, SCAN_TOOLS));
    CHECK(rx_str_eq(s.user_id, RX_S("u_1")));

    CHECK(scan(DIALECT_CHAT,
        "{\"messages\":[{}],\"max_completion_tokens\":7,\"stream\":false,"
        "\"stream_options\" : {\"include_usage\":false},"
        "\"prompt_cache_key\":\"k\",\"model\":\"a/b\"}",
        &s));
    CHECK(rx_str_eq(s.model, RX_S("a/b")));
    CHECK(!s.stream && s.has_include_usage && !s.include_usage);
    CHECK(rx_str_eq(s.stream_options, RX_S("{\"include_usage\":false}")));
    CHECK(rx_str_eq(s.prompt_cache_key, RX_S("k")));
    CHECK_INT(7, (intmax_t)s.max_tokens);

    CHECK(scan(DIALECT_RESPONSES,
        "{\"input\":\"hi\",\"model\":\"m\",\"max_output_tokens\":9}", &s));
    CHECK_INT(1, (intmax_t)scan_count(&s, SCAN_MESSAGES));
    CHECK_INT(9, (intmax_t)s.max_tokens);
    CHECK(scan(DIALECT_RESPONSES, "{\"input\":[1,2,3],\"model\":\"m\"}", &s));
    CHECK_INT(3, (intmax_t)scan_count(&s, SCAN_MESSAGES));

    CHECK(scan(DIALECT_GEMINI,
        "{\"contents\":[{},{}],\"stream\":true,\"model\":\"x\","
        "\"generationConfig\":{\"maxOutputTokens\":5}}",
        &s));
    CHECK(!s.stream && s.model.len == 0);
    CHECK_INT(2, (intmax_t)scan_count(&s, SCAN_MESSAGES));
    CHECK_INT(5, (intmax_t)s.max_tokens);
}

static void
null_is_not_given_and_the_last_of_two_counts(void)
{
    struct scan s;

    CHECK(scan(DIALECT_CHAT,
        "{\"model\":null,\"stream\":null,\"max_tokens\":null,"
        "\"messages\":null,\"tools\":null,\"stream_options\":null}",
        &s));
    CHECK(s.model.len == 0 && s.model_token.len == 0);
    CHECK(!s.stream && !s.has_max_tokens && scan_count(&s, SCAN_MESSAGES) == 0);

    CHECK(scan(DIALECT_CHAT,
        "{\"model\":\"a\",\"stream\":true,\"model\":\"b\","
        "\"\\u0073tream\":false}",
        &s));
    CHECK(rx_str_eq(s.model, RX_S("b")));
    CHECK(!s.stream);
    CHECK(scan(DIALECT_ANTHROPIC,
        "{\"metadata\":{\"user_id\":\"u\"},\"metadata\":{}}", &s));
    CHECK_INT(0, (intmax_t)s.user_id.len);
}

static void
a_number_that_is_not_whole_is_left_to_the_upstream(void)
{
    struct scan s;

    CHECK(scan(DIALECT_CHAT, "{\"max_tokens\":-1}", &s));
    CHECK(!s.has_max_tokens);
    CHECK(scan(DIALECT_CHAT, "{\"max_tokens\":1e2}", &s));
    CHECK(s.has_max_tokens && s.max_tokens == 100);
}

static void
an_error_names_the_field(void)
{
    static const struct {
        enum dialect dialect;
        const char *body;
        const char *text;
    } rows[] = {
        { DIALECT_CHAT, "{\"model\":1}", "model: must be a string" },
        { DIALECT_CHAT, "{\"stream\":\"true\"}",
            "stream: must be true or false" },
        { DIALECT_CHAT, "{\"max_tokens\":\"9\"}",
            "max_tokens: must be a number" },
        { DIALECT_ANTHROPIC, "{\"messages\":{}}",
            "messages: must be an array" },
        { DIALECT_ANTHROPIC, "{\"metadata\":{\"user_id\":[]}}",
            "metadata: user_id: must be a string" },
        { DIALECT_CHAT, "[]", "body: must be a JSON object" },
        { DIALECT_CHAT, "", "body: must be a JSON object" },
        { DIALECT_CHAT, "{\"model\":\"a\",}", "not valid JSON at byte 13" },
        { DIALECT_CHAT, "{\"model\":\"a\"} x", "not valid JSON at byte 14" },
        { DIALECT_CHAT, "{\"model\":\"a", "model: not valid JSON at byte 9" },
        { DIALECT_CHAT, "{\"tools\":[1,", "tools: not valid JSON at byte 9" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct scan s;
        struct rx_err err = { 0 };
        CHECK_INT(RX_INVALID,
            scan_request(rows[i].dialect, text_of(rows[i].body), &s, &err));
        CHECK_TEXT(rows[i].text, err.text);
        CHECK_INT(RX_INVALID,
            scan_request(rows[i].dialect, text_of(rows[i].body), &s, NULL));
    }
}

static void
join(const rx_str *pieces, size_t n, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n && used + pieces[i].len < size; i++) {
        memcpy(out + used, pieces[i].ptr, pieces[i].len);
        used += pieces[i].len;
        out[used] = '\0';
    }
}

static void
a_splice_changes_its_span_and_nothing_else(void)
{
    static const char body[] = "{ \"model\":\"a\\/b\" , \"x\":1.00}";
    struct scan s;
    rx_str pieces[2 * SPLICE_MAX + 1];
    char out[200];

    CHECK(scan(DIALECT_CHAT, body, &s));
    CHECK_INT(1, (intmax_t)s.object_start);
    CHECK(!s.object_empty);
    struct splice edits[] = {
        { { body + s.object_start, 0 }, RX_S("\"y\":2,") },
        { s.model_token, RX_S("\"new\"") },
    };
    size_t n = splice_pieces(text_of(body), edits, 2, pieces);
    CHECK_INT(5, (intmax_t)n);
    join(pieces, n, out, sizeof(out));
    CHECK_TEXT("{\"y\":2, \"model\":\"new\" , \"x\":1.00}", out);

    CHECK_INT(1, (intmax_t)splice_pieces(text_of(body), NULL, 0, pieces));
    struct splice all = { text_of(body), { 0 } };
    CHECK_INT(0, (intmax_t)splice_pieces(text_of(body), &all, 1, pieces));
}

static void
an_empty_object_is_known_as_such(void)
{
    struct scan s;

    CHECK(scan(DIALECT_CHAT, "\n{ }\n", &s));
    CHECK(s.object_empty);
    CHECK_INT(2, (intmax_t)s.object_start);
}

static void
a_model_with_escapes_is_decoded(void)
{
    struct scan s;
    struct rx_buf out;

    rx_buf_init(&out, 64);
    CHECK(scan(DIALECT_CHAT, "{\"model\":\"a\\/\\u0062\"}", &s));
    CHECK(scan_unescape(s.model, &out));
    CHECK_TEXT("a/b", out.ptr);
    CHECK(!scan_unescape(RX_S("\\q"), &out));
    rx_buf_fini(&out);
}

static void
dialects_and_operations_have_names(void)
{
    enum dialect d;

    CHECK(dialect_find(RX_S("gemini"), &d) && d == DIALECT_GEMINI);
    CHECK(!dialect_find(RX_S("Gemini"), &d));
    CHECK_TEXT("chat", dialect_name(DIALECT_CHAT));
    CHECK_TEXT("embed", operation_name(OP_EMBED));
}

int
main(void)
{
    CHECK_RUN(each_dialect_tells_what_routing_needs);
    CHECK_RUN(null_is_not_given_and_the_last_of_two_counts);
    CHECK_RUN(a_number_that_is_not_whole_is_left_to_the_upstream);
    CHECK_RUN(an_error_names_the_field);
    CHECK_RUN(a_splice_changes_its_span_and_nothing_else);
    CHECK_RUN(an_empty_object_is_known_as_such);
    CHECK_RUN(a_model_with_escapes_is_decoded);
    CHECK_RUN(dialects_and_operations_have_names);
    return CHECK_EXIT();
}
