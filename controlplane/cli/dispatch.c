/*
 * dispatch.c - from the words of the command line to a row of the table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/up.h"
#include "shared/log.h"

#define OUT_MAX ((size_t)64 << 20)

/* The rows of one noun, or all commands, with their help. */
static void
add_synopsis(struct rx_buf *out, const struct command *k)
{
    size_t before = out->len;

    rx_buf_addf(out, "  %s", k->noun);
    if (k->verb != NULL)
        rx_buf_addf(out, " %s", k->verb);
    if (k->words != NULL)
        rx_buf_addf(out, " %s", k->words);
    do
        rx_buf_addc(out, ' ');
    while (out->len - before < 30);
    rx_buf_addf(out, " %s\n", k->help);
}

/* Commands without verbs, then the nouns with theirs. */
static void
add_commands(struct rx_buf *out, bool with_verbs)
{
    for (const struct noun *n = nouns; n->name != NULL; n++) {
        bool titled = false;

        for (const struct command *k = commands; k->noun != NULL; k++) {
            if (strcmp(k->noun, n->name) != 0 ||
                (k->verb != NULL) != with_verbs)
                continue;
            if (with_verbs && !titled)
                rx_buf_addf(out, "\n%s\n", n->help);
            titled = true;
            add_synopsis(out, k);
        }
    }
}

static void
add_overview(struct rx_buf *out)
{
    rx_buf_addf(out,
        "routex %s: many AI accounts and providers behind one address\n\n"
        "usage: routex COMMAND [VERB] [OPTIONS] [WORDS]\n\n",
        ROUTEX_VERSION);
    add_commands(out, false);
    add_commands(out, true);
    rx_buf_add(out,
        RX_S(
            "\nroutex COMMAND --help tells more.  All but up take --json, and "
            "find the\ncontrol plane by --url and --token, by ROUTEX_URL and "
            "ROUTEX_TOKEN, or in the\ndata directory.\n\nExit codes: 0 done, 1 "
            "refused or wrong, 2 not understood, 3 no control plane\nor no way "
            "in.\n"));
}

static const struct noun *
find_noun(const char *name)
{
    for (const struct noun *n = nouns; n->name != NULL; n++) {
        if (strcmp(n->name, name) == 0)
            return n;
    }
    return NULL;
}

static bool
is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
           strcmp(word, "help") == 0;
}

/* Say what was probably meant. */
static int
unknown(const char *what, const char *word, const char *const *names)
{
    const char *near = rx_conf_nearest(word, names);

    fprintf(stderr, "routex: %s%s: no such command%s%s%s\n", what, word,
        near != NULL ? "; did you mean " : "", near != NULL ? near : "",
        near != NULL ? "?" : " (routex --help lists them)");
    return CLI_USAGE;
}

static int
unknown_noun(const char *word)
{
    const char *names[64] = { 0 };
    size_t n = 0;

    for (const struct noun *k = nouns; k->name != NULL && n < 63; k++)
        names[n++] = k->name;
    return unknown("", word, names);
}

static int
noun_help(const struct noun *noun, FILE *to)
{
    struct rx_buf b;

    rx_buf_init(&b, OUT_MAX);
    rx_buf_addf(&b, "%s\n\nusage: routex %s VERB [OPTIONS] [WORDS]\n\n",
        noun->help, noun->name);
    for (const struct command *k = commands; k->noun != NULL; k++) {
        if (strcmp(k->noun, noun->name) == 0)
            add_synopsis(&b, k);
    }
    rx_buf_addf(&b, "\nroutex %s VERB --help shows the options.\n", noun->name);
    fwrite(b.ptr, 1, b.len, to);
    rx_buf_fini(&b);
    return to == stdout ? CLI_OK : CLI_USAGE;
}

static int
unknown_verb(const struct noun *noun, const char *word)
{
    const char *names[64] = { 0 };
    char what[64];
    size_t n = 0;

    for (const struct command *k = commands; k->noun != NULL && n < 63; k++) {
        if (strcmp(k->noun, noun->name) == 0 && k->verb != NULL)
            names[n++] = k->verb;
    }
    snprintf(what, sizeof(what), "%s ", noun->name);
    return unknown(what, word, names);
}

static const struct command *
find_command(const char *noun, const char *verb)
{
    for (const struct command *k = commands; k->noun != NULL; k++) {
        if (strcmp(k->noun, noun) == 0 &&
            (k->verb == NULL || (verb != NULL && strcmp(k->verb, verb) == 0)))
            return k;
    }
    return NULL;
}

static bool
wants_colour(const struct cli *c)
{
    const char *no = getenv("NO_COLOR");

    return !c->o.json && isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0');
}

static int
prepare(struct cli *c)
{
    struct rx_err err = { 0 };

    rx_buf_init(&c->out, OUT_MAX);
    if (c->o.data_dir == NULL && home_default_dir(c->data_dir, &err) != RX_OK)
        return cli_fail(&err);
    if (c->o.data_dir != NULL)
        snprintf(c->data_dir, sizeof(c->data_dir), "%s", c->o.data_dir);
    c->colour = wants_colour(c);
    return CLI_OK;
}

static int
check_words(const struct command *k, int argc)
{
    unsigned given = (unsigned)argc - 1;

    if (given >= k->min && given <= k->max)
        return CLI_OK;
    fprintf(stderr, "routex: %s%s%s%s%s: %s\n", k->noun,
        k->verb != NULL ? " " : "", k->verb != NULL ? k->verb : "",
        k->words != NULL ? " " : "", k->words != NULL ? k->words : "",
        given < k->min ? "something is missing" : "too many words");
    return CLI_USAGE;
}

/* The one short option people have in their fingers. */
static void
lengthen(const struct command *k, int argc, char **argv)
{
    static char file[] = "--file";
    bool has = false;

    for (const struct rx_conf_row *r = k->rows; r->name != NULL; r++)
        has = has || strcmp(r->name, "file") == 0;
    for (int i = 1; has && i < argc; i++) {
        if (strcmp(argv[i], "-f") == 0)
            argv[i] = file;
    }
}

/* argv[0] is the last word of the command itself. */
static int
run(const struct command *k, int argc, char **argv)
{
    static struct cli c; /* large, and there is one */
    struct rx_err err = { 0 };
    char program[64];
    char summary[1024];
    struct rx_conf conf = {
        .program = program,
        .summary = summary,
        .words = k->words,
        .rows = k->rows,
        .stop_at_word = strcmp(k->noun, "code") == 0,
    };
    int code;

    snprintf(program, sizeof(program), "routex %s%s%s", k->noun,
        k->verb != NULL ? " " : "", k->verb != NULL ? k->verb : "");
    snprintf(summary, sizeof(summary), "%s%s%s", k->help,
        k->more != NULL ? "\n" : "", k->more != NULL ? k->more : "");
    c.command = k;
    c.noun = find_noun(k->noun);
    c.o.weight = c.o.limit = UINT64_MAX;
    c.o.rpm = c.o.tpm = c.o.concurrent = UINT64_MAX;
    lengthen(k, argc, argv);
    switch (rx_conf_load(&conf, &c.o, &argc, argv, &err)) {
    case RX_CONF_RUN: break;
    case RX_CONF_DONE: return CLI_OK;
    case RX_CONF_WRONG:
        fprintf(stderr, "%s: %s\n", program, err.text);
        return CLI_USAGE;
    }
    code = check_words(k, argc);
    if (code == CLI_OK)
        code = prepare(&c);
    if (code == CLI_OK)
        code = k->run(&c, argc, argv);
    cli_flush(&c);
    rx_buf_fini(&c.out);
    remote_fini(&c.remote);
    return code;
}

static int
overview(FILE *to)
{
    struct rx_buf b;

    rx_buf_init(&b, OUT_MAX);
    add_overview(&b);
    fwrite(b.ptr, 1, b.len, to);
    rx_buf_fini(&b);
    return to == stdout ? CLI_OK : CLI_USAGE;
}

int
cli_main(int argc, char **argv)
{
    const struct command *k;
    const struct noun *noun;

    rx_log_init("routex", RX_LOG_WARN);
    if (argc < 2)
        return overview(stderr);
    if (is_help(argv[1]))
        return argc > 2 && find_noun(argv[2]) != NULL
                   ? noun_help(find_noun(argv[2]), stdout)
                   : overview(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        printf("routex %s\n", ROUTEX_VERSION);
        return CLI_OK;
    }
    noun = find_noun(argv[1]);
    if (noun == NULL)
        return unknown_noun(argv[1]);
    k = find_command(noun->name, argc > 2 ? argv[2] : NULL);
    if (k != NULL && k->verb == NULL)
        return k->run == cmd_up ? up_main(argc - 1, argv + 1)
                                : run(k, argc - 1, argv + 1);
    if (argc == 2 || is_help(argv[2]))
        return noun_help(noun, argc == 2 ? stderr : stdout);
    if (k == NULL)
        return unknown_verb(noun, argv[2]);
    return run(k, argc - 2, argv + 2);
}

int
cmd_up(struct cli *c, int argc, char **argv)
{
    (void)c;
    return up_main(argc, argv);
}
