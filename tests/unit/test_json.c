#include <stdlib.h>

#include "shared/json.h"
#include "tests/unit/check.h"

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static struct rx_json_doc *
parse(const char *s)
{
    struct rx_json_doc *doc;
    struct rx_err err = { 0 };

    if (rx_json_parse(&doc, text(s), NULL, &err) != RX_OK) {
        fprintf(stderr, "%s: %s\n", s, err.text);
        check_failures++;
        exit(CHECK_EXIT());
    }
    return doc;
}

static void
takes_what_rfc_8259_takes(void)
{
    static const char *const good[] = { "0", "-0.5e+10", " [ ] ", "{\"\":1}",
        "\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\"", "[true,false,null]",
        "{\"a\":{\"b\":[1,2,{}]}}", "1E5", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"" };

    for (size_t i = 0; i < RX_COUNT(good); i++) {
        struct rx_err err = { 0 };
        CHECK_INT(RX_OK, rx_json_check(text(good[i]), NULL, &err));
        CHECK_TEXT("", err.text);
        rx_json_free(parse(good[i]));
    }
}

static void
refuses_everything_beyond_it(void)
{
    static const char *const wrong[] = { "", " ", "01", "+1", "1.", ".5", "1e",
        "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "\"\t\"", "\"\\x\"", "\"\\u12\"",
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u0000\"",
        "\"\x80\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"",
        "\"\xc3", "[1 2]", "{\"a\" 1}", "[1]x", "nul", "tru", "[",
        "{\"a\":", "\"abc", "/**/1", "NaN", "Infinity" };

    for (size_t i = 0; i < RX_COUNT(wrong); i++) {
        struct rx_err err = { 0 };
        struct rx_json_doc *doc;
        enum rx_code code = rx_json_parse(&doc, text(wrong[i]), NULL, &err);
        if (code != RX_INVALID)
            fprintf(stderr, "accepted: %s\n", wrong[i]);
        CHECK_INT(RX_INVALID, code);
        CHECK(err.text[0] != '\0');
        CHECK(doc == NULL);
    }
}

static void
bounds_depth_and_number_of_values(void)
{
    struct rx_json_limits limits = { .depth = 3, .values = 5 };
    struct rx_err err = { 0 };
    char deep[5001];

    CHECK_INT(RX_OK, rx_json_check(RX_S("[[[1]]]"), &limits, &err));
    CHECK_INT(RX_TOO_BIG, rx_json_check(RX_S("[[[[]]]]"), &limits, &err));
    CHECK_INT(RX_OK, rx_json_check(RX_S("[1,2,3,4]"), &limits, &err));
    CHECK_INT(RX_TOO_BIG, rx_json_check(RX_S("[1,2,3,4,5]"), &limits, &err));
    memset(deep, '[', 5000);
    deep[5000] = '\0';
    CHECK_INT(RX_TOO_BIG, rx_json_check(text(deep), NULL, &err));
    limits.depth = 100000;
    CHECK_INT(RX_TOO_BIG, rx_json_check(text(deep), &limits, &err));
}

static void
a_fault_names_the_path_of_the_field(void)
{
    struct rx_json_doc *doc =
        parse("{\"a\":1,\"models\":[\"x\",{\"name\":\"y\",\"upstream\":7}]}");
    rx_json models, v;
    rx_str s;

    CHECK(rx_json_get_array(rx_json_root(doc), "models", &models));
    v = rx_json_next(rx_json_first(models));
    CHECK(rx_json_get_str(v, "name", &s));
    CHECK(rx_json_fault(doc) == NULL);
    CHECK(!rx_json_get_str(v, "upstream", &s));
    CHECK_TEXT("models[1].upstream", rx_json_fault(doc)->field);
    CHECK_TEXT("must be a string", rx_json_fault(doc)->text);

    rx_json_wrong(models, "later");
    CHECK_TEXT("must be a string", rx_json_fault(doc)->text);
    rx_json_free(doc);
}

static void
a_missing_member_is_named_where_it_should_be(void)
{
    struct rx_json_doc *doc = parse("{\"a\":[{\"b\":null}]}");
    rx_json a;
    rx_str s;

    CHECK(rx_json_get_array(rx_json_root(doc), "a", &a));
    CHECK(!rx_json_get_str(rx_json_first(a), "b", &s));
    CHECK(rx_json_fault(doc) == NULL);
    CHECK(!rx_json_need_str(rx_json_first(a), "b", &s));
    CHECK_TEXT("a[0].b", rx_json_fault(doc)->field);
    CHECK_TEXT("is required", rx_json_fault(doc)->text);
    rx_json_free(doc);
}

static void
a_member_nobody_asked_for_is_a_fault(void)
{
    struct rx_json_doc *doc = parse("{\"a\":1,\"bb\":2,\"a\":3}");
    rx_json root = rx_json_root(doc);
    uint64_t n = 0;

    CHECK(rx_json_get_u64(root, "a", 0, 9, &n));
    CHECK_INT(1, (intmax_t)n);
    rx_json_no_more(root);
    CHECK_TEXT("bb", rx_json_fault(doc)->field);
    CHECK_TEXT("is not a known field", rx_json_fault(doc)->text);
    rx_json_free(doc);

    doc = parse("{\"a\":1,\"a\":3}");
    rx_json_get_u64(rx_json_root(doc), "a", 0, 9, &n);
    rx_json_no_more(rx_json_root(doc));
    CHECK_TEXT("is there twice", rx_json_fault(doc)->text);
    rx_json_free(doc);
}

static void
numbers_are_whole_and_in_range_or_a_fault(void)
{
    static const char *const wrong[] = { "{\"n\":1.5}", "{\"n\":-1}",
        "{\"n\":11}", "{\"n\":1e300}", "{\"n\":1e999}", "{\"n\":\"1\"}",
        "{\"n\":9007199254740994}" };
    uint64_t n = 77;

    for (size_t i = 0; i < RX_COUNT(wrong); i++) {
        struct rx_json_doc *doc = parse(wrong[i]);
        CHECK(!rx_json_get_u64(rx_json_root(doc), "n", 0, 10, &n));
        CHECK(rx_json_fault(doc) != NULL);
        rx_json_free(doc);
    }
    CHECK_INT(77, (intmax_t)n);
}

static void
finds_by_path_without_noting_anything(void)
{
    struct rx_json_doc *doc = parse("{\"data\":[{\"name\":\"x\"},5]}");
    rx_json root = rx_json_root(doc);
    uint64_t n = 0;

    CHECK_TEXT("x", rx_json_str(rx_json_find(root, "data.0.name")).ptr);
    CHECK(rx_json_u64(rx_json_find(root, "data.1"), &n));
    CHECK_INT(5, (intmax_t)n);
    CHECK(!rx_json_there(rx_json_find(root, "data.2")));
    CHECK(!rx_json_there(rx_json_find(root, "data.1.x.y")));
    CHECK(rx_json_fault(doc) == NULL);
    rx_json_free(doc);
}

static void
writes_what_reads_back_the_same(void)
{
    struct rx_buf b, again;
    struct rx_json_doc *doc;

    rx_buf_init(&b, 4096);
    rx_buf_init(&again, 4096);
    struct rx_json_out w = rx_json_out(&b);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "q\"uote", "line\nbreak \\ \x01");
    rx_json_open_array(&w, "list");
    rx_json_put_u64(&w, NULL, 9007199254740992);
    rx_json_put_i64(&w, NULL, -5);
    rx_json_put_number(&w, NULL, 0.1);
    rx_json_open_object(&w, NULL);
    rx_json_close(&w);
    rx_json_put_null(&w, NULL);
    rx_json_put_bool(&w, NULL, true);
    rx_json_close(&w);
    rx_json_put_raw(&w, "raw", RX_S("{\"x\":[]}"));
    rx_json_close(&w);
    CHECK_TEXT("{\"q\\\"uote\":\"line\\nbreak \\\\ \\u0001\",\"list\":"
               "[9007199254740992,-5,0.1,{},null,true],\"raw\":{\"x\":[]}}",
        b.ptr);

    doc = parse(b.ptr);
    rx_json_print(rx_json_root(doc), false, &again);
    CHECK_TEXT(b.ptr, again.ptr);
    rx_json_free(doc);
    rx_buf_fini(&b);
    rx_buf_fini(&again);
}

static void
what_is_written_is_json_whatever_the_bytes(void)
{
    struct rx_buf b;

    rx_buf_init(&b, 4096);
    struct rx_json_out w = rx_json_out(&b);
    rx_json_put_str(&w, NULL, RX_S("a\xff\xc3z\xc3\xa9\0\xe2\x82"));
    CHECK_TEXT("\"a\xEF\xBF\xBD\xEF\xBF\xBDz\xc3\xa9\\u0000\xEF\xBF\xBD"
               "\xEF\xBF\xBD\"",
        b.ptr);
    rx_buf_fini(&b);
}

static void
camel_case_is_another_way_to_say_it(void)
{
    struct rx_json_doc *doc = parse("{\"baseUrl\":\"x\",\"firstByteS\":1}");
    rx_json root = rx_json_root(doc);
    uint64_t n = 0;
    rx_str s;

    CHECK(!rx_json_get_str(root, "base_url", &s));
    rx_json_accept_camel(doc);
    CHECK(rx_json_get_str(root, "base_url", &s));
    CHECK(rx_json_get_u64(root, "first_byte_s", 0, 9, &n));
    rx_json_no_more(root);
    CHECK(rx_json_fault(doc) == NULL);
    rx_json_free(doc);
}

static void
prints_for_people(void)
{
    struct rx_json_doc *doc = parse("{\"a\":[1,{}],\"b\":[]}");
    struct rx_buf b;

    rx_buf_init(&b, 4096);
    rx_json_print(rx_json_root(doc), true, &b);
    CHECK_TEXT("{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}", b.ptr);
    rx_json_free(doc);
    rx_buf_fini(&b);
}

int
main(void)
{
    CHECK_RUN(takes_what_rfc_8259_takes);
    CHECK_RUN(refuses_everything_beyond_it);
    CHECK_RUN(bounds_depth_and_number_of_values);
    CHECK_RUN(a_fault_names_the_path_of_the_field);
    CHECK_RUN(a_missing_member_is_named_where_it_should_be);
    CHECK_RUN(a_member_nobody_asked_for_is_a_fault);
    CHECK_RUN(numbers_are_whole_and_in_range_or_a_fault);
    CHECK_RUN(finds_by_path_without_noting_anything);
    CHECK_RUN(writes_what_reads_back_the_same);
    CHECK_RUN(what_is_written_is_json_whatever_the_bytes);
    CHECK_RUN(camel_case_is_another_way_to_say_it);
    CHECK_RUN(prints_for_people);
    return CHECK_EXIT();
}
