/*
 * cmd_completion.c - completion for bash, zsh and fish, made from the command table.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"

/* The verbs of a noun, or NULL-terminated options of one command. */
static void
add_verbs(struct rx_buf *out, const char *noun)
{
    const char *blank = "";

    for (const struct command *k = commands; k->noun != NULL; k++) {
        if (strcmp(k->noun, noun) != 0 || k->verb == NULL)
            continue;
        rx_buf_addf(out, "%s%s", blank, k->verb);
        blank = " ";
    }
}

static void
add_options(struct rx_buf *out, const struct command *k)
{
    const char *blank = "";

    for (const struct rx_conf_row *r = k->rows; r != NULL && r->name != NULL;
         r++) {
        rx_buf_addf(out, "%s--%s", blank, r->name);
        blank = " ";
    }
}

/* Words of a kind that the table does not hold, by what it calls them. */
static const char *
fixed_words(const struct command *k)
{
    static const struct {
        const char *words;
        const char *choices;
    } choices[] = {
        { "CLIENT", "claude codex gemini openai" },
        { "SYSTEM FILE", "ccr ccflare better-ccflare llmio routex cc-switch" },
        { "SHELL", "bash zsh fish" },
    };

    for (size_t i = 0; i < RX_COUNT(choices); i++) {
        if (k->words != NULL && strcmp(k->words, choices[i].words) == 0)
            return choices[i].choices;
    }
    return "";
}

static void
add_nouns(struct rx_buf *out)
{
    const char *blank = "";

    for (const struct noun *n = nouns; n->name != NULL; n++) {
        rx_buf_addf(out, "%s%s", blank, n->name);
        blank = " ";
    }
}

/* One case per command: what may follow it. */
static void
add_cases(struct rx_buf *out)
{
    for (const struct command *k = commands; k->noun != NULL; k++) {
        rx_buf_addf(out, "    '%s%s%s') words='", k->noun,
            k->verb != NULL ? " " : "", k->verb != NULL ? k->verb : "");
        rx_buf_addf(out, "%s ", fixed_words(k));
        add_options(out, k);
        rx_buf_add(out, RX_S("' ;;\n"));
    }
    for (const struct noun *n = nouns; n->name != NULL; n++) {
        struct rx_buf verbs;

        rx_buf_init(&verbs, 4096);
        add_verbs(&verbs, n->name);
        if (verbs.len > 0)
            rx_buf_addf(out, "    '%s') words='" RX_STR_FMT "' ;;\n", n->name,
                RX_STR_ARG(rx_buf_str(&verbs)));
        rx_buf_fini(&verbs);
    }
}

static void
add_bash(struct rx_buf *out)
{
    rx_buf_add(
        out, RX_S("# bash completion for routex: source <(routex completion "
                  "bash)\n"
                  "_routex() {\n"
                  "    local words='' first=\"${COMP_WORDS[1]}\" "
                  "second=\"${COMP_WORDS[2]}\"\n"
                  "    if [ \"$COMP_CWORD\" -eq 1 ]; then words='"));
    add_nouns(out);
    rx_buf_add(out, RX_S("'\n"
                         "    else\n"
                         "    [ \"$COMP_CWORD\" -gt 2 ] || second=''\n"
                         "    case \"$first${second:+ $second}\" in\n"));
    add_cases(out);
    rx_buf_add(out, RX_S("    *) case \"$first\" in\n"));
    for (const struct command *k = commands; k->noun != NULL; k++) {
        if (k->verb != NULL)
            continue;
        rx_buf_addf(out, "        '%s') words='", k->noun);
        add_options(out, k);
        rx_buf_add(out, RX_S("' ;;\n"));
    }
    rx_buf_add(out, RX_S("        esac ;;\n"
                         "    esac\n"
                         "    fi\n"
                         "    COMPREPLY=($(compgen -W \"$words\" -- "
                         "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
                         "}\n"
                         "complete -F _routex routex\n"));
}

static void
add_zsh(struct rx_buf *out)
{
    rx_buf_add(out,
        RX_S("#compdef routex\n"
             "# zsh completion for routex: source <(routex completion zsh)\n"
             "autoload -U +X bashcompinit && bashcompinit\n"));
    add_bash(out);
}

/* Descriptions stand in single quotes. */
static void
add_description(struct rx_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            rx_buf_add(out, RX_S("\\'"));
        else
            rx_buf_addc(out, *text == '\n' ? ' ' : *text);
    }
}

static void
add_fish_command(struct rx_buf *out, const struct command *k)
{
    const char *choices = fixed_words(k);

    if (k->verb != NULL) {
        rx_buf_addf(out,
            "complete -c routex -n '__fish_seen_subcommand_from %s; and not "
            "__fish_seen_subcommand_from ",
            k->noun);
        add_verbs(out, k->noun);
        rx_buf_addf(out, "' -f -a %s -d '", k->verb);
        add_description(out, k->help);
        rx_buf_add(out, RX_S("'\n"));
    }
    if (choices[0] != '\0')
        rx_buf_addf(out,
            "complete -c routex -n '__fish_seen_subcommand_from %s' -f -a "
            "'%s'\n",
            k->noun, choices);
    for (const struct rx_conf_row *r = k->rows; r != NULL && r->name != NULL;
         r++) {
        rx_buf_addf(out,
            "complete -c routex -n '__fish_seen_subcommand_from %s", k->noun);
        if (k->verb != NULL)
            rx_buf_addf(out, "; and __fish_seen_subcommand_from %s", k->verb);
        rx_buf_addf(
            out, "' -l %s %s-d '", r->name, r->what != NULL ? "-r " : "");
        add_description(out, r->help);
        rx_buf_add(out, RX_S("'\n"));
    }
}

static void
add_fish(struct rx_buf *out)
{
    rx_buf_add(out,
        RX_S("# fish completion for routex: routex completion fish | source\n"
             "complete -c routex -f\n"));
    for (const struct noun *n = nouns; n->name != NULL; n++) {
        rx_buf_addf(out,
            "complete -c routex -n __fish_use_subcommand -a %s -d '", n->name);
        add_description(out, n->help);
        rx_buf_add(out, RX_S("'\n"));
    }
    for (const struct command *k = commands; k->noun != NULL; k++)
        add_fish_command(out, k);
}

int
cmd_completion(struct cli *c, int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*add)(struct rx_buf *out);
    } shells[] = {
        { "bash", add_bash },
        { "zsh", add_zsh },
        { "fish", add_fish },
    };

    (void)argc;
    for (size_t i = 0; i < RX_COUNT(shells); i++) {
        if (strcmp(argv[1], shells[i].shell) == 0) {
            shells[i].add(&c->out);
            return CLI_OK;
        }
    }
    fprintf(stderr, "routex: %s: not bash, zsh or fish\n", argv[1]);
    return CLI_USAGE;
}
