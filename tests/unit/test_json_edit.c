/*
 * shared/json_edit: what is changed is changed, what is not stays as it was.
 */
#include <string.h>

#include "shared/json_edit.h"
#include "tests/unit/check.h"

static struct rx_arena *arena;
static struct rx_buf printed;

static struct rx_edit *
open_text(const char *text)
{
    rx_arena_free(arena);
    arena = rx_arena_new(1 << 20);
    return rx_edit_open(arena, (rx_str){ text, strlen(text) });
}

static const char *
text_of(const struct rx_edit *root)
{
    rx_buf_clear(&printed);
    rx_edit_print(root, &printed);
    return printed.ptr != NULL ? printed.ptr : "";
}

static void
unchanged_text_is_printed_byte_by_byte(void)
{
    static const char text[] =
        " {\t\"a\" : 1.50 ,\n \"b\":[ 1 , {\"c\" :null} ] , \"\\u0064\":\"x\" } ";
    struct rx_edit *root = open_text(text);

    CHECK_TEXT(text, text_of(root));
    CHECK(rx_edit_get(rx_edit_last(rx_edit_get(root, "b")), "c") != NULL);
    CHECK(!rx_edit_changed(root));
    CHECK_TEXT(text, text_of(root));
    CHECK(rx_edit_is(rx_edit_get(root, "d"), "x"));
    CHECK(!rx_edit_bad(root));
}

static void
only_the_member_set_differs(void)
{
    struct rx_edit *root = open_text("{ \"a\" : 1 ,\n \"b\":[ 1 ,2 ] }");

    rx_edit_set(root, "a", RX_S("77"));
    CHECK_TEXT("{ \"a\" : 77 ,\n \"b\":[ 1 ,2 ] }", text_of(root));
    rx_edit_put(rx_edit_first(rx_edit_get(root, "b")), RX_S("{\"x\":1}"));
    CHECK_TEXT("{ \"a\" : 77 ,\n \"b\":[ {\"x\":1} ,2 ] }", text_of(root));
    rx_edit_set(rx_edit_first(rx_edit_get(root, "b")), "y\"", RX_S("[]"));
    CHECK_TEXT("{ \"a\" : 77 ,\n \"b\":[ {\"x\":1,\"y\\\"\":[]} ,2 ] }",
        text_of(root));
    CHECK(rx_edit_changed(root));
}

static void
removing_takes_the_comma_along(void)
{
    struct rx_edit *root = open_text("{\"a\":1, \"b\":2, \"c\":3, \"b\":4}");

    CHECK(rx_edit_is(rx_edit_get(root, "b"), "4") == false);
    CHECK(rx_edit_drop(root, "b"));
    CHECK(!rx_edit_drop(root, "b"));
    CHECK_TEXT("{\"a\":1, \"c\":3}", text_of(root));
    rx_edit_drop(root, "a");
    CHECK_TEXT("{ \"c\":3}", text_of(root));
    rx_edit_drop(root, "c");
    CHECK_TEXT("{}", text_of(root));
    rx_edit_set(root, "d", RX_S("true"));
    CHECK_TEXT("{\"d\":true}", text_of(root));
    CHECK(rx_edit_true(rx_edit_get(root, "d")));
}

static void
a_renamed_member_stays_in_its_place(void)
{
    struct rx_edit *root = open_text("{\"a\":1,\"b\":2,\"c\":3}");

    rx_edit_rename(root, "a", "z");
    rx_edit_rename(root, "b", "c");
    rx_edit_rename(root, "nothing", "q");
    CHECK_TEXT("{\"z\":1,\"c\":3}", text_of(root));
}

static void
elements_are_put_where_asked(void)
{
    struct rx_edit *root = open_text("[1,2]");

    rx_edit_append(root, RX_S("3"));
    rx_edit_insert(rx_edit_first(root), RX_S("0"));
    rx_edit_insert(rx_edit_last(root), RX_S("2.5"));
    CHECK_TEXT("[0,1,2,2.5,3]", text_of(root));
    CHECK_INT(5, (intmax_t)rx_edit_count(root));
    for (struct rx_edit *e = rx_edit_first(root); e != NULL;
         e = rx_edit_next(e)) {
        uint64_t n;
        if (rx_edit_u64(e, &n) && n % 2 == 0)
            rx_edit_remove(e);
    }
    CHECK_TEXT("[1,2.5,3]", text_of(root));
}

static void
asking_the_wrong_kind_finds_nothing(void)
{
    struct rx_edit *root = open_text("[1,\"a\"]");

    CHECK(rx_edit_get(root, "x") == NULL);
    CHECK(rx_edit_set(root, "x", RX_S("1")) == NULL);
    CHECK(rx_edit_append(rx_edit_first(root), RX_S("1")) == NULL);
    CHECK(rx_edit_first(rx_edit_first(root)) == NULL);
    CHECK(rx_edit_get(NULL, "x") == NULL);
    CHECK_INT(0, (intmax_t)rx_edit_count(NULL));
    rx_edit_put(NULL, RX_S("1"));
    rx_edit_remove(root);
    CHECK_TEXT("[1,\"a\"]", text_of(root));
    CHECK(!rx_edit_bad(root));
}

static void
broken_text_is_noted_where_it_is_looked_at(void)
{
    struct rx_edit *root = open_text("{\"a\":{\"b\" 1},\"c\":2}");

    CHECK(!rx_edit_bad(root));
    CHECK(rx_edit_get(root, "c") != NULL);
    CHECK(!rx_edit_bad(root));
    CHECK(rx_edit_get(rx_edit_get(root, "a"), "b") == NULL);
    CHECK(rx_edit_bad(root));
    CHECK(rx_edit_bad(open_text("{\"a\":1")));
    CHECK(rx_edit_bad(open_text("")));
    CHECK(rx_edit_bad(open_text("1 2")));
}

static void
made_texts_are_json(void)
{
    struct rx_edit *root = open_text("{\"t\":\"a\\u0041\\n\"}");
    rx_str plain = rx_edit_plain(rx_edit_get(root, "t"));

    CHECK(rx_str_eq(plain, RX_S("aA\n")));
    rx_edit_set(root, "q", rx_edit_quote(root, plain));
    rx_edit_set(root, "n", rx_edit_format(root, "{\"n\":%d}", 7));
    CHECK_TEXT("{\"t\":\"a\\u0041\\n\",\"q\":\"aA\\n\",\"n\":{\"n\":7}}",
        text_of(root));
    rx_edit_put(rx_edit_get(rx_edit_get(root, "n"), "n"), RX_S("8"));
    CHECK(rx_str_eq(rx_edit_text(rx_edit_get(root, "n")), RX_S("{\"n\":8}")));
}

int
main(void)
{
    rx_buf_init(&printed, 1 << 20);
    CHECK_RUN(unchanged_text_is_printed_byte_by_byte);
    CHECK_RUN(only_the_member_set_differs);
    CHECK_RUN(removing_takes_the_comma_along);
    CHECK_RUN(a_renamed_member_stays_in_its_place);
    CHECK_RUN(elements_are_put_where_asked);
    CHECK_RUN(asking_the_wrong_kind_finds_nothing);
    CHECK_RUN(broken_text_is_noted_where_it_is_looked_at);
    CHECK_RUN(made_texts_are_json);
    rx_arena_free(arena);
    rx_buf_fini(&printed);
    return CHECK_EXIT();
}
