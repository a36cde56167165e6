/*
 * The demo provider's reading: its recipes, its questions, its arguments.
 */
#include <string.h>

#include "tests/demo/answer.h"
#include "tests/demo/fault.h"
#include "tests/demo/question.h"
#include "tests/demo/recipe.h"
#include "tests/demo/script.h"
#include "tests/demo/span.h"
#include "tests/unit/check.h"

static rx_str
str(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static void
words_set_numbers_and_texts(void)
{
    struct recipe r;

    recipe_init(&r);
    CHECK_INT(RX_OK, recipe_parse(&r,
                         str(" status=429  retry-after gzip text=\"two words\" "
                             "header=a:b header=\"c: d\" cut=reset"),
                         ' ', NULL));
    CHECK_INT(429, (intmax_t)r.status);
    CHECK_INT(1, (intmax_t)r.retry_after_s);
    CHECK_INT(1, (intmax_t)r.gzip);
    CHECK_TEXT("two words", r.text);
    CHECK_TEXT("a:b", r.headers[0]);
    CHECK_TEXT("c: d", r.headers[1]);
    CHECK_TEXT("reset", r.cut);
    CHECK(r.delay_ms == RECIPE_NEVER);
}

static void
words_that_are_none_are_refused_by_name(void)
{
    static const char *const wrong[] = { "stauts=1", "status=x",
        "status=", "status=1x", "text", "header=novalue",
        "header=a:b header=a:b header=a:b header=a:b header=a:b" };

    for (size_t i = 0; i < RX_COUNT(wrong); i++) {
        struct rx_err err = { 0 };
        struct recipe r;

        recipe_init(&r);
        CHECK_INT(RX_INVALID, recipe_parse(&r, str(wrong[i]), ' ', &err));
        CHECK(strncmp(err.text, "demo: ", 6) == 0);
    }
}

static void
a_model_name_may_be_a_recipe_or_only_look_like_one(void)
{
    struct recipe r;

    recipe_init(&r);
    CHECK(recipe_from_model(&r, str("demo-429")));
    CHECK_INT(429, (intmax_t)r.status);
    CHECK_INT(3, (intmax_t)r.retry_after_s);
    recipe_init(&r);
    CHECK(recipe_from_model(&r, str("demo-events=9+gzip")));
    CHECK_INT(9, (intmax_t)r.events);
    CHECK_INT(1, (intmax_t)r.gzip);
    recipe_init(&r);
    CHECK(!recipe_from_model(&r, str("demo-events=9+large")));
    CHECK(r.events == RECIPE_NEVER);
    CHECK(!recipe_from_model(&r, str("gpt-429")));
}

static void
a_recipe_is_found_in_escaped_text(void)
{
    struct recipe r;

    recipe_init(&r);
    CHECK_INT(RX_OK,
        recipe_from_text(&r,
            str("\"hi [[demo text=\\\"a \\u00e9\\\" status=503]] there\""),
            NULL));
    CHECK_TEXT("a \u00e9", r.text);
    CHECK_INT(503, (intmax_t)r.status);
    CHECK_INT(RX_OK, recipe_from_text(&r, str("[[demo status=1"), NULL));
    CHECK_INT(503, (intmax_t)r.status);
}

static void
texts_are_cut_between_characters(void)
{
    static const struct {
        const char *text;
        size_t max;
        const char *want;
    } rows[] = {
        { "abc", 2, "ab" },
        { "a\u00e9z", 2, "a" },
        { "a\\nz", 2, "a" },
        { "a\\nz", 3, "a\\n" },
        { "\\u00e9", 5, "" },
        { "\\ud83e\\udd80x", 11, "" },
        { "\\ud83e\\udd80x", 12, "\\ud83e\\udd80" },
        { "\U0001f980", 3, "" },
        { "abc", 9, "abc" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str got = span_clip(str(rows[i].text), rows[i].max);

        CHECK(rx_str_eq(got, str(rows[i].want)));
    }
}

static void
pieces_join_to_the_text(void)
{
    static const char text[] = "a\u00e9\\n\\ud83e\\udd80 and more words";

    for (size_t count = 1; count < 40; count++) {
        struct answer_pieces p = { str(text), count };
        struct rx_buf joined;
        size_t pieces = 0;
        rx_str piece;

        rx_buf_init(&joined, 256);
        while (answer_next_piece(&p, &piece)) {
            CHECK(piece.len > 0);
            rx_buf_add(&joined, piece);
            pieces++;
        }
        CHECK_TEXT(text, joined.ptr);
        CHECK(pieces <= count);
        rx_buf_fini(&joined);
    }
}

static void
arguments_fit_their_schema(void)
{
    static const struct {
        const char *schema;
        const char *want;
    } rows[] = {
        { "{\"type\":\"object\",\"properties\":{\"command\":"
          "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}",
            "{\"command\":[\"bash\",\"-lc\",\"echo x\"]}" },
        { "{\"properties\":{\"cmd\":{\"type\":\"string\"},"
          "\"other\":{\"type\":\"string\"}}}",
            "{\"cmd\":\"echo x\"}" },
        { "{\"properties\":{\"a\":{\"type\":\"STRING\"},\"b\":{\"type\":"
          "[\"integer\",\"null\"]},\"c\":{\"enum\":[\"k\",\"l\"]},"
          "\"d\":{\"type\":\"object\",\"properties\":{\"command\":"
          "{\"type\":\"boolean\"}},\"required\":[\"command\"]}},"
          "\"required\":[\"a\",\"b\",\"c\",\"d\"]}",
            "{\"a\":\"demo\",\"b\":1,\"c\":\"k\",\"d\":{\"command\":true}}" },
        { "{}", "{}" },
        { "", "{}" },
    };
    struct rx_arena *arena = rx_arena_new(1 << 20);

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str got = answer_arguments(str(rows[i].schema), "echo x", arena);

        CHECK_TEXT(rows[i].want, got.ptr);
    }
    rx_arena_free(arena);
}

static void
what_the_client_adds_is_not_what_its_user_said(void)
{
    struct question q;

    CHECK(question_read(&q, DEMO_ANTHROPIC, str(""),
        str("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":["
            "{\"type\":\"text\",\"text\":\"<system-reminder>TOOLTEST\"}]},"
            "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
            "\"<system-reminder>x\"},{\"type\":\"text\",\"text\":\"hi\"}]},"
            "{\"role\":\"system\",\"content\":\"TOOLTEST\"}]}")));
    CHECK(rx_str_eq(q.user, str("hi")));
    CHECK(!q.tooltest);
    CHECK_INT(1, q.user_turns);
    CHECK(!question_read(&q, DEMO_CHAT, str(""), str("[]")));
}

static void
a_script_stalls_and_cuts_at_event_ends(void)
{
    struct script s;
    struct recipe r;

    script_init(&s);
    script_sse(&s);
    for (int i = 0; i < 4; i++) {
        script_event(&s, NULL);
        script_event_end(&s);
    }
    recipe_init(&r);
    CHECK(fault_cut_at(&s, &r) == SIZE_MAX);
    CHECK(fault_stall_at(&s, &r) == SIZE_MAX);
    CHECK_INT(
        RX_OK, recipe_parse(&r, str("cut-after-events=3 stall=2"), ' ', NULL));
    CHECK(fault_cut_at(&s, &r) == s.ends[2]);
    CHECK(fault_stall_at(&s, &r) == s.ends[1]);
    script_fini(&s);
}

int
main(void)
{
    CHECK_RUN(words_set_numbers_and_texts);
    CHECK_RUN(words_that_are_none_are_refused_by_name);
    CHECK_RUN(a_model_name_may_be_a_recipe_or_only_look_like_one);
    CHECK_RUN(a_recipe_is_found_in_escaped_text);
    CHECK_RUN(texts_are_cut_between_characters);
    CHECK_RUN(pieces_join_to_the_text);
    CHECK_RUN(arguments_fit_their_schema);
    CHECK_RUN(what_the_client_adds_is_not_what_its_user_said);
    CHECK_RUN(a_script_stalls_and_cuts_at_event_ends);
    return CHECK_EXIT();
}
