/* Parts of the Gemini dialect that the catalogue shows only in passing. */
#include "dataplane/codec/gemini.h"
#include "dataplane/codec/put.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

static char woven[4096];

/* Feed patches one list after another and weave them. */
static const char *
weave(const char *const *lists, size_t n, bool *bad)
{
    struct gemini_args a = { 0 };
    struct rx_buf out;

    for (size_t i = 0; i < n; i++)
        gemini_args_add(&a, (rx_str){ lists[i], strlen(lists[i]) });
    rx_buf_init(&out, sizeof(woven));
    gemini_args_put(&a, &out);
    snprintf(woven, sizeof(woven), "%s", out.ptr);
    *bad = a.bad;
    rx_buf_fini(&out);
    gemini_args_fini(&a);
    return woven;
}

static const char *
weave_one(const char *list, bool *bad)
{
    return weave(&list, 1, bad);
}

static void
patches_are_woven_into_one_object(void)
{
    static const char *const lists[] = {
        "[{\"jsonPath\":\"$.a.b\",\"stringValue\":\"x\\n\",\"willContinue\":"
        "true}]",
        "[{\"jsonPath\":\"$.a.b\",\"stringValue\":\"y\"}]",
        "[{\"jsonPath\":\"$.list[0].n\",\"numberValue\":12345678901234567890},"
        "{\"jsonPath\":\"$.list[1].n\",\"numberValue\":1.50}]",
        "[{\"jsonPath\":\"$['odd key']\",\"boolValue\":false},"
        "{\"jsonPath\":\"$.a.c\",\"nullValue\":\"NULL_VALUE\"}]",
    };
    bool bad;

    CHECK_TEXT("{\"a\":{\"b\":\"x\\ny\",\"c\":null},\"list\":[{\"n\":"
               "12345678901234567890},{\"n\":1.50}],\"odd key\":false}",
        weave(lists, RX_COUNT(lists), &bad));
    CHECK(!bad);
    CHECK_TEXT("{}", weave(lists, 0, &bad));
    CHECK(!bad);
    CHECK_TEXT("{\"s\":false}",
        weave_one("[{\"jsonPath\":\"$.s\",\"boolValue\":true},{\"jsonPath\":"
                  "\"$.s\",\"boolValue\":false}]",
            &bad));
    CHECK_TEXT("{\"s\":\"\"}",
        weave_one("[{\"jsonPath\":\"$.s\",\"stringValue\":\"\"}]", &bad));
}

static void
patches_nobody_can_follow_are_bad(void)
{
    static char many[64 * 1024];
    size_t n = 1;
    bool bad;

    weave_one("[{\"jsonPath\":\"city\",\"stringValue\":\"x\"}]", &bad);
    CHECK(bad);
    weave_one("[{\"stringValue\":\"x\"}]", &bad);
    CHECK(bad);
    many[0] = '[';
    for (int i = 0; i < 1000; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n,
            "%s{\"jsonPath\":\"$.k%d\",\"numberValue\":1}", i > 0 ? "," : "",
            i);
    snprintf(many + n, sizeof(many) - n, "]");
    weave_one(many, &bad);
    CHECK(bad);
}

static void
base64_comes_back_whatever_its_length(void)
{
    struct rx_buf text;
    struct rx_buf back;
    char bytes[64];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 37);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        rx_buf_init(&text, 256);
        rx_buf_init(&back, 256);
        gemini_base64(&text, (rx_str){ bytes, len });
        CHECK_INT(0, (intmax_t)(text.len % 4));
        CHECK(gemini_from_base64(rx_buf_str(&text), &back));
        CHECK(rx_str_eq(rx_buf_str(&back), (rx_str){ bytes, len }));
        rx_buf_fini(&text);
        rx_buf_fini(&back);
    }
    rx_buf_init(&back, 256);
    CHECK(!gemini_from_base64(RX_S("a*b"), &back));
    rx_buf_clear(&back);
    CHECK(gemini_from_base64(RX_S("-_-_\n"), &back));
    CHECK_INT(3, (intmax_t)back.len);
    rx_buf_fini(&back);
}

static void
every_reason_has_a_word_and_unknown_words_are_borne(void)
{
#define HAS_WORD(id) CHECK(gemini_stop_word(IR_STOP_##id)[0] != '\0');
    IR_STOPS(HAS_WORD)
#undef HAS_WORD
    CHECK_INT(IR_STOP_FILTERED, gemini_stop(RX_S("PROHIBITED_CONTENT")));
    CHECK_INT(IR_STOP_BAD_TOOL, gemini_stop(RX_S("UNEXPECTED_TOOL_CALL")));
    CHECK_INT(IR_STOP_UNKNOWN, gemini_stop(RX_S("LANGUAGE")));
    CHECK_INT(IR_STOP_UNKNOWN, gemini_stop(RX_S("SOMETHING_NEW")));
}

static struct capability
model(const char *host, const char *name)
{
    struct capability_key key = { .dialect = DIALECT_GEMINI,
        .host = { host, strlen(host) },
        .model = { name, strlen(name) } };

    return capability_find(&key);
}

static void
families_are_told_apart(void)
{
    struct capability c = model(
        "generativelanguage.googleapis.com", "gemini-2.5-flash-lite-preview");

    CHECK_INT(CAP_REASONING_BUDGET, c.reasoning);
    CHECK_INT(512, c.budget_min);
    CHECK(c.call_ids && c.can_disable);
    c = model("generativelanguage.googleapis.com", "gemini-2.5-pro");
    CHECK_INT(128, c.budget_min);
    CHECK(!c.can_disable);
    c = model("us-central1-aiplatform.googleapis.com", "gemini-3-flash");
    CHECK_INT(CAP_REASONING_LEVELS, c.reasoning);
    CHECK((c.levels & CAP_LEVEL(IR_EFFORT_MINIMAL)) != 0);
    CHECK(!c.call_ids);
    c = model("", "gemini-3-pro-preview");
    CHECK((c.levels & CAP_LEVEL(IR_EFFORT_MINIMAL)) == 0);
}

int
main(void)
{
    CHECK_RUN(patches_are_woven_into_one_object);
    CHECK_RUN(patches_nobody_can_follow_are_bad);
    CHECK_RUN(base64_comes_back_whatever_its_length);
    CHECK_RUN(every_reason_has_a_word_and_unknown_words_are_borne);
    CHECK_RUN(families_are_told_apart);
    return CHECK_EXIT();
}
