/*
 * What the command line prints: tables, completion, and its own table of
 * commands.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/command.h"
#include "tests/unit/check.h"

static const struct table_column columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "STATE", "state", TABLE_STATE },
    { "TOKENS", "tokens", TABLE_NUMBER },
    { "TOOK", "ms", TABLE_MS },
    { "WHEN", "at", TABLE_TIME },
    { "MODELS", "models", TABLE_LIST },
    { 0 },
};

static struct rx_json_doc *
parse(const char *text)
{
    struct rx_json_doc *doc = NULL;

    CHECK_INT(
        RX_OK, rx_json_parse(&doc, (rx_str){ text, strlen(text) }, NULL, NULL));
    return doc;
}

static void
columns_are_as_wide_as_their_widest_cell(void)
{
    struct rx_json_doc *doc =
        parse("[{\"name\":\"a\",\"state\":\"enabled\",\"tokens\":1234567,"
              "\"ms\":12,\"at\":\"2026-11-21T23:50:48.123Z\","
              "\"models\":[\"x\",{\"name\":\"y\",\"upstream\":\"z\"}]},"
              "{\"name\":\"\\u5bbd\\u00e9\",\"state\":null,\"tokens\":5,"
              "\"ms\":61500}]");
    struct rx_buf out;

    rx_buf_init(&out, 4096);
    table_print(&out, columns, rx_json_root(doc), false);
    CHECK_TEXT(
        "NAME  STATE       TOKENS   TOOK  WHEN                 MODELS\n"
        "a     enabled  1 234 567  12 ms  2026-11-21 23:50:48  x, y=z\n"
        "\u5bbd\u00e9   -                5  1 min  -                    -\n",
        out.ptr);
    rx_buf_fini(&out);
    rx_json_free(doc);
}

static void
colours_do_not_move_columns(void)
{
    struct rx_json_doc *doc =
        parse("[{\"name\":\"a\",\"state\":\"enabled\",\"tokens\":1}]");
    struct rx_buf plain;
    struct rx_buf coloured;
    struct rx_buf stripped;

    rx_buf_init(&plain, 4096);
    rx_buf_init(&coloured, 4096);
    rx_buf_init(&stripped, 4096);
    table_print(&plain, columns, rx_json_root(doc), false);
    table_print(&coloured, columns, rx_json_root(doc), true);
    CHECK(strstr(coloured.ptr, "\033[32menabled\033[0m") != NULL);
    for (const char *p = coloured.ptr; *p != '\0'; p++) {
        if (*p == '\033')
            p = strchr(p, 'm');
        else
            rx_buf_addc(&stripped, *p);
    }
    CHECK_TEXT(plain.ptr, stripped.ptr);
    rx_buf_fini(&plain);
    rx_buf_fini(&coloured);
    rx_buf_fini(&stripped);
    rx_json_free(doc);
}

static void
what_a_server_says_cannot_steer_the_terminal(void)
{
    struct rx_json_doc *doc =
        parse("{\"name\":\"a\\u001b[2Jb\\nc\",\"models\":[\"d\\u0007\"]}");
    struct rx_buf out;

    rx_buf_init(&out, 4096);
    table_print_one(&out, columns, rx_json_root(doc), false);
    CHECK(strchr(out.ptr, '\033') == NULL);
    CHECK(strchr(out.ptr, '\a') == NULL);
    CHECK(strstr(out.ptr, "a [2Jb c") != NULL);
    rx_buf_fini(&out);
    rx_json_free(doc);
}

static void
an_empty_list_says_so(void)
{
    struct rx_json_doc *doc = parse("[]");
    struct rx_buf out;

    rx_buf_init(&out, 4096);
    table_print(&out, columns, rx_json_root(doc), false);
    CHECK_TEXT("none\n", out.ptr);
    rx_buf_fini(&out);
    rx_json_free(doc);
}

static void
every_command_has_a_noun_a_handler_and_a_help_line(void)
{
    for (const struct command *k = commands; k->noun != NULL; k++) {
        bool known = false;

        for (const struct noun *n = nouns; n->name != NULL; n++)
            known = known || strcmp(n->name, k->noun) == 0;
        CHECK(known);
        CHECK(k->run != NULL);
        CHECK(k->help != NULL && strlen(k->help) > 0);
        CHECK(k->min <= k->max);
        CHECK((k->max == 0) == (k->words == NULL));
    }
}

static void
no_command_has_an_option_twice(void)
{
    for (const struct command *k = commands; k->noun != NULL; k++) {
        for (const struct rx_conf_row *a = k->rows; a->name != NULL; a++) {
            for (const struct rx_conf_row *b = a + 1; b->name != NULL; b++)
                CHECK(strcmp(a->name, b->name) != 0);
        }
    }
}

static struct rx_buf
completion_for(const char *shell)
{
    struct cli c = { 0 };
    char name[8];
    char *argv[] = { NULL, name, NULL };

    snprintf(name, sizeof(name), "%s", shell);
    rx_buf_init(&c.out, 1 << 20);
    CHECK_INT(CLI_OK, cmd_completion(&c, 2, argv));
    return c.out;
}

static void
completion_knows_every_verb_and_option(void)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };

    for (size_t i = 0; i < RX_COUNT(shells); i++) {
        struct rx_buf out = completion_for(shells[i]);

        for (const struct command *k = commands; k->noun != NULL; k++) {
            CHECK(strstr(out.ptr, k->noun) != NULL);
            CHECK(k->verb == NULL || strstr(out.ptr, k->verb) != NULL);
            for (const struct rx_conf_row *r = k->rows; r->name != NULL; r++)
                CHECK(strstr(out.ptr, r->name) != NULL);
        }
        rx_buf_fini(&out);
    }
}

static void
paths_and_queries_are_escaped(void)
{
    struct rx_buf path;

    cli_path(&path, "/api/channels/", "a b/../c?d", "/test");
    CHECK_TEXT("/api/channels/a%20b%2F..%2Fc%3Fd/test", path.ptr);
    cli_query(&path, "one", "1&2");
    cli_query(&path, "none", NULL);
    cli_query(&path, "two", "\xc3\xa9");
    CHECK_TEXT(
        "/api/channels/a%20b%2F..%2Fc%3Fd/test?one=1%262&two=%C3%A9", path.ptr);
    rx_buf_fini(&path);
}

int
main(void)
{
    CHECK_RUN(columns_are_as_wide_as_their_widest_cell);
    CHECK_RUN(colours_do_not_move_columns);
    CHECK_RUN(what_a_server_says_cannot_steer_the_terminal);
    CHECK_RUN(an_empty_list_says_so);
    CHECK_RUN(every_command_has_a_noun_a_handler_and_a_help_line);
    CHECK_RUN(no_command_has_an_option_twice);
    CHECK_RUN(completion_knows_every_verb_and_option);
    CHECK_RUN(paths_and_queries_are_escaped);
    return CHECK_EXIT();
}
