/*
 * Files of agents are people's: saving one changes what was changed.
 */
#include "controlplane/agent.h"
#include "tests/unit/check.h"

#define PROMPT "You are a careful reviewer of C.  Look at each change."
#define FILE                             \
    "---\n"                              \
    "# who it is\n"                      \
    "name: 'reviewer' # in lists\n"      \
    "color: blue\n"                      \
    "tools:\n"                           \
    "  - Read   # only this\n"           \
    "model: deep-model # the slow one\n" \
    "description: |\n"                   \
    "  Looks at changes\n"               \
    "\n"                                 \
    "  of others\n"                      \
    "hooks: { a: [b] }\n"                \
    "---\n"                              \
    "\n\n" PROMPT "\n\n"

static struct rx_arena *arena;

static struct agent
read_file(const char *text)
{
    struct agent a = { .id = RX_S("reviewer"), .text = field_text(text) };

    agent_parse(&a, arena);
    return a;
}

static const char *
saved(const struct agent *a)
{
    struct rx_buf text;

    rx_buf_init(&text, AGENT_FILE_MAX);
    agent_print(a, arena, &text);
    rx_str kept = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept.ptr;
}

static void
a_file_says_what_its_head_and_its_text_say(void)
{
    struct agent a = read_file(FILE);

    CHECK_TEXT("", a.fault);
    CHECK(rx_str_eq(a.name, RX_S("reviewer")));
    CHECK(rx_str_eq(a.model, RX_S("deep-model")));
    CHECK(rx_str_eq(a.description, RX_S("Looks at changes\n\nof others")));
    CHECK(rx_str_eq(a.prompt, RX_S(PROMPT)));
}

static void
what_is_saved_as_it_is_stays_to_the_byte(void)
{
    static const char *const files[] = { FILE,
        "---\r\nname: x\r\nnote: y\r\n---\r\n" PROMPT "\r\n",
        "--- \nmodel: inherit\n\n---  \n" PROMPT, "---\n---\n" PROMPT };

    for (size_t i = 0; i < RX_COUNT(files); i++) {
        struct agent a = read_file(files[i]);
        CHECK_TEXT("", a.fault);
        CHECK_TEXT(files[i], saved(&a));
    }
}

static void
a_changed_value_changes_its_line_and_no_other(void)
{
    struct agent a = read_file(FILE);

    a.model = RX_S("other");
    a.description = (rx_str){ 0 };
    a.routing = RX_S("deep, spare");
    CHECK_TEXT("---\n"
               "# who it is\n"
               "name: 'reviewer' # in lists\n"
               "color: blue\n"
               "tools:\n"
               "  - Read   # only this\n"
               "model: \"other\" # the slow one\n"
               "hooks: { a: [b] }\n"
               "routing: \"deep, spare\"\n"
               "---\n"
               "\n\n" PROMPT "\n\n",
        saved(&a));
}

static void
a_new_prompt_leaves_the_head_alone(void)
{
    struct agent a = read_file("---\nname: x\ncolor: red\n---\n" PROMPT);

    a.prompt = RX_S("Another prompt, long enough to be told from others.");
    CHECK_TEXT("---\nname: x\ncolor: red\n---\n\n"
               "Another prompt, long enough to be told from others.\n",
        saved(&a));
}

static void
a_new_file_has_all_that_is_known(void)
{
    struct agent a = { .id = RX_S("x"),
        .name = RX_S("x"),
        .description = RX_S("says \"why\"\nand more"),
        .prompt = RX_S(PROMPT) };

    CHECK_TEXT(
        "---\nname: \"x\"\ndescription: \"says \\\"why\\\"\\nand more\"\n"
        "---\n\n" PROMPT "\n",
        saved(&a));
}

static void
saving_over_a_broken_file_mends_it_and_loses_no_line(void)
{
    struct agent a =
        read_file("---\nname: x\nmodel: \"open\nmodel: twice\nstray words\n"
                  "color: red\n---\n" PROMPT);

    CHECK(a.fault[0] != '\0');
    a.model = RX_S("m");
    a.text = field_text(saved(&a));
    CHECK_TEXT("---\nname: \"x\"\nmodel: \"m\"\n# stray words\n"
               "color: red\n---\n" PROMPT,
        a.text.ptr);
    a = read_file(a.text.ptr);
    CHECK_TEXT("", a.fault);
}

int
main(void)
{
    arena = rx_arena_new((size_t)16 << 20);
    CHECK_RUN(a_file_says_what_its_head_and_its_text_say);
    CHECK_RUN(what_is_saved_as_it_is_stays_to_the_byte);
    CHECK_RUN(a_changed_value_changes_its_line_and_no_other);
    CHECK_RUN(a_new_prompt_leaves_the_head_alone);
    CHECK_RUN(a_new_file_has_all_that_is_known);
    CHECK_RUN(saving_over_a_broken_file_mends_it_and_loses_no_line);
    rx_arena_free(arena);
    return CHECK_EXIT();
}
