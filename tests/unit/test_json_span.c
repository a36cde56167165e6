#include <stdlib.h>

#include "shared/attr.h"
#include "shared/json_span.h"
#include "tests/unit/check.h"

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static const enum rx_span_kernel kernels[] = { RX_SPAN_SCALAR, RX_SPAN_SSE2,
    RX_SPAN_AVX2 };

static void
a_skip_ends_exactly_where_the_value_does(void)
{
    static const struct {
        const char *text;
        const char *value; /* NULL: not a value */
    } rows[] = {
        { "{} ,", "{}" },
        { "[]]", "[]" },
        { "  [[],{}]x", "[[],{}]" },
        { "\"a\\\"b\" :", "\"a\\\"b\"" },
        { "\"\\\\\",", "\"\\\\\"" },
        { "\"open", NULL },
        { "\"open\\", NULL },
        { "\"open\\\"", NULL },
        { "{\"a\":\"}\"}}", "{\"a\":\"}\"}" },
        { "{\"a\":\"\\\"}\"}}", "{\"a\":\"\\\"}\"}" },
        { "{\"a\":\"\\\\\"}}", "{\"a\":\"\\\\\"}" },
        { "{\"a\":[1,2}", NULL },
        { "[[[[", NULL },
        { "-0.5e+10,", "-0.5e+10" },
        { "01", "0" },
        { "-", NULL },
        { "1.", NULL },
        { "1e", NULL },
        { "+1", NULL },
        { ".5", NULL },
        { "true]", "true" },
        { "tru", NULL },
        { "null", "null" },
        { "nul", NULL },
        { "false", "false" },
        { "", NULL },
        { "   ", NULL },
        { "'a'", NULL },
    };

    for (size_t k = 0; k < RX_COUNT(kernels); k++) {
        if (!rx_span_use(kernels[k]))
            continue;
        for (size_t i = 0; i < RX_COUNT(rows); i++) {
            struct rx_span j;
            rx_str value = { 0 };
            rx_span_init(&j, text_of(rows[i].text));
            bool ok = rx_span_skip(&j, &value);
            CHECK_INT(rows[i].value != NULL, ok);
            if (ok && rows[i].value != NULL)
                CHECK(rx_str_eq(value, text_of(rows[i].value)));
        }
    }
}

/* Text full of what confuses scanners, different for each seed. */
static size_t
make_noise(char *out, size_t size, unsigned seed)
{
    static const char bytes[] = "{}[]\"\\\"\\a,:  {[]}";
    size_t n = 0;
    uint64_t x = seed * 2654435761u + 1;

    out[n++] = seed % 2 == 0 ? '{' : '[';
    while (n < size) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        out[n++] = bytes[(x >> 33) % (sizeof(bytes) - 1)];
    }
    return n;
}

static void
every_kernel_finds_the_same_end_however_the_text_is_cut(void)
{
    char noise[700];
    size_t found = 0;

    for (unsigned seed = 0; seed < 4000; seed++) {
        size_t n = make_noise(noise, 1 + seed % sizeof(noise), seed);
        const char *want = NULL;
        for (size_t k = 0; k < RX_COUNT(kernels); k++) {
            if (!rx_span_use(kernels[k]))
                continue;
            for (size_t cut = 0; cut <= n; cut += 1 + seed % 37) {
                struct rx_span_skip s = { 0 };
                const char *at = rx_span_skip_feed(&s, noise, noise + cut);
                if (at == NULL)
                    at = rx_span_skip_feed(&s, noise + cut, noise + n);
                if (k == 0 && cut == 0)
                    want = at;
                CHECK(at == want);
            }
        }
        found += want != NULL;
    }
    CHECK(found > 100 && found < 3990);
}

static void
nesting_is_bounded_without_recursion(void)
{
    enum { DEEP = RX_SPAN_DEPTH };
    char text[2 * DEEP + 3];

    for (size_t k = 0; k < RX_COUNT(kernels); k++) {
        if (!rx_span_use(kernels[k]))
            continue;
        memset(text, '[', DEEP);
        memset(text + DEEP, ']', DEEP);
        CHECK(rx_span_whole((rx_str){ text, 2 * (size_t)DEEP }));
        memset(text, '[', DEEP + 1);
        memset(text + DEEP + 1, ']', DEEP + 1);
        CHECK(!rx_span_whole((rx_str){ text, 2 * (size_t)DEEP + 2 }));
    }
}

static void
an_object_is_walked_member_by_member(void)
{
    struct rx_span j;
    rx_str name = { 0 };
    uint64_t n = 0;
    uint64_t sum = 0;
    bool yes = false;

    rx_span_init(&j, RX_S(" { \"a\" : \"x\\n\" , \"b\":[1, 2,[3],4],"
                          "\"\\u0063\" : true, \"d\":{} , \"e\": 1.5 } "));
    CHECK(rx_span_enter_object(&j));
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("a"))) {
            CHECK(rx_span_string(&j, &name));
        } else if (rx_span_key_is(&j, RX_S("b"))) {
            CHECK(rx_span_enter_array(&j));
            while (rx_span_element(&j)) {
                if (rx_span_u64(&j, &n))
                    sum += n;
            }
        } else if (rx_span_key_is(&j, RX_S("c"))) {
            CHECK(rx_span_bool(&j, &yes));
        } else {
            CHECK(!rx_span_string(&j, &name));
        }
    }
    CHECK(rx_span_finish(&j));
    CHECK(rx_str_eq(name, RX_S("x\\n")));
    CHECK_INT(7, (intmax_t)sum);
    CHECK(yes);
}

static void
what_is_not_json_is_refused(void)
{
    static const char *const rows[] = { "{\"a\" 1}", "{\"a\":1,}", "{,}",
        "{\"a\":1 \"b\":2}", "[1,]", "[,1]", "[1 2]", "{1:2}", "{\"a\":}",
        "{\"a\"", "{\"a\":1", "[1", "{a:1}", "{\"a\":1}}", "[]x" };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_span j;
        rx_span_init(&j, text_of(rows[i]));
        if (rx_span_kind(&j) == RX_SPAN_OBJECT) {
            rx_span_enter_object(&j);
            while (rx_span_member(&j, NULL))
                rx_span_skip(&j, NULL);
        } else {
            rx_span_enter_array(&j);
            while (rx_span_element(&j))
                rx_span_skip(&j, NULL);
        }
        if (rx_span_finish(&j))
            fprintf(stderr, "taken: %s\n", rows[i]);
        CHECK(!rx_span_finish(&j));
    }
}

static void
whole_numbers_come_in_many_spellings(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        { "0", true, 0 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "12.0", true, 12 },
        { "12.5", false, 0 },
        { "1.2e1", true, 12 },
        { "1.25E+2", true, 125 },
        { "1e3", true, 1000 },
        { "1000e-3", true, 1 },
        { "1e-3", false, 0 },
        { "1e99", false, 0 },
        { "0e99999999", true, 0 },
        { "1e-99999999", false, 0 },
        { "-1", false, 0 },
        { "-0", false, 0 },
        { "\"1\"", false, 0 },
        { "null", false, 0 },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_span j;
        uint64_t got = 0;
        rx_span_init(&j, text_of(rows[i].text));
        CHECK_INT(rows[i].ok, rx_span_u64(&j, &got));
        CHECK(!rows[i].ok || got == rows[i].value);
        CHECK(!j.bad);
    }
}

static void
strings_are_decoded_or_refused(void)
{
    static const struct {
        const char *escaped;
        const char *plain; /* NULL: refused */
    } rows[] = {
        { "", "" },
        { "plain", "plain" },
        { "a\\\"\\\\\\/\\b\\f\\n\\r\\tz", "a\"\\/\b\f\n\r\tz" },
        { "\\u0041\\u00e9\\u4E2d", "A\xc3\xa9\xe4\xb8\xad" },
        { "\\ud83d\\ude00!", "\xf0\x9f\x98\x80!" },
        { "\\ud83d", "\xef\xbf\xbd" },
        { "\\ud83dx", "\xef\xbf\xbdx" },
        { "\\ude00", "\xef\xbf\xbd" },
        { "\\ud83d\\u0041", "\xef\xbf\xbd"
                            "A" },
        { "\\u12", NULL },
        { "\\u12g4", NULL },
        { "\\x41", NULL },
        { "tail\\", NULL },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_buf out;
        rx_buf_init(&out, 100);
        bool ok = rx_span_unescape(text_of(rows[i].escaped), &out);
        CHECK_INT(rows[i].plain != NULL, ok);
        if (ok && rows[i].plain != NULL)
            CHECK(rx_str_eq(rx_buf_str(&out), text_of(rows[i].plain)));
        rx_buf_fini(&out);
    }
}

static void
a_key_is_known_in_disguise(void)
{
    static const struct {
        const char *text;
        bool same;
    } rows[] = {
        { "{\"model\":1}", true },
        { "{\"\\u006dod\\u0065l\":1}", true },
        { "{\"Model\":1}", false },
        { "{\"models\":1}", false },
        { "{\"mode\\l\":1}", false },
        { "{\"\":1}", false },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_span j;
        rx_str key;
        rx_span_init(&j, text_of(rows[i].text));
        rx_span_enter_object(&j);
        CHECK(rx_span_member(&j, &key));
        CHECK(key.ptr == rows[i].text + 2);
        CHECK_INT(rows[i].same, rx_span_key_is(&j, RX_S("model")));
    }
}

int
main(void)
{
    CHECK_RUN(a_skip_ends_exactly_where_the_value_does);
    CHECK_RUN(every_kernel_finds_the_same_end_however_the_text_is_cut);
    CHECK_RUN(nesting_is_bounded_without_recursion);
    CHECK_RUN(an_object_is_walked_member_by_member);
    CHECK_RUN(what_is_not_json_is_refused);
    CHECK_RUN(whole_numbers_come_in_many_spellings);
    CHECK_RUN(strings_are_decoded_or_refused);
    CHECK_RUN(a_key_is_known_in_disguise);
    return CHECK_EXIT();
}
