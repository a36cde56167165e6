/*
 * cmd_env.c - routex env and routex code: point a client at the router.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"

/* What each client reads.  %u is the router's address, %k the client key. */
static const struct {
    const char *client;
    const char *program; /* what `routex code` runs it as */
    const char *name;
    const char *value;
} variables[] = {
    { "claude", "claude", "ANTHROPIC_BASE_URL", "%u" },
    { "claude", "claude", "ANTHROPIC_AUTH_TOKEN", "%k" },
    { "codex", "codex", "OPENAI_BASE_URL", "%u/v1" },
    { "codex", "codex", "OPENAI_API_KEY", "%k" },
    { "gemini", "gemini", "GOOGLE_GEMINI_BASE_URL", "%u" },
    { "gemini", "gemini", "GEMINI_API_KEY", "%k" },
    { "openai", "openai", "OPENAI_BASE_URL", "%u/v1" },
    { "openai", "openai", "OPENAI_API_KEY", "%k" },
};

/* Codex takes the address from its configuration, which -c overrides. */
static const char *const codex_words[] = {
    "-c",
    "model_provider=\"routex\"",
    "-c",
    "model_providers.routex.name=\"routex\"",
    "-c",
    "model_providers.routex.base_url=\"%u/v1\"",
    "-c",
    "model_providers.routex.env_key=\"OPENAI_API_KEY\"",
    "-c",
    "model_providers.routex.wire_api=\"responses\"",
};

static bool
is_client(const char *name)
{
    for (size_t i = 0; i < RX_COUNT(variables); i++) {
        if (strcmp(variables[i].client, name) == 0)
            return true;
    }
    fprintf(stderr,
        "routex: %s: not a client I know: claude, codex, gemini, openai\n",
        name);
    return false;
}

/* Where clients connect: what `routex up` wrote, else the usual address. */
static void
find_client_url(struct cli *c, char *out, size_t size)
{
    const char *given = getenv("ROUTEX_CLIENT_URL");

    if (given != NULL && given[0] != '\0')
        snprintf(out, size, "%s", given);
    else if (!home_told(c->data_dir, "up", 0, "client_url", out, size))
        snprintf(out, size, "http://127.0.0.1:8080");
}

static char *
expand(const char *value, const char *url, const char *key)
{
    struct rx_buf b;
    char *text;

    rx_buf_init(&b, 8192);
    for (; *value != '\0'; value++) {
        if (value[0] == '%' && value[1] == 'u')
            rx_buf_addf(&b, "%s", url);
        else if (value[0] == '%' && value[1] == 'k')
            rx_buf_addf(&b, "%s", key);
        else
            rx_buf_addc(&b, *value);
        if (value[0] == '%' && value[1] != '\0')
            value++;
    }
    text = strdup(b.ptr == NULL ? "" : b.ptr);
    rx_buf_fini(&b);
    if (text == NULL)
        abort();
    return text;
}

/* A value as the shell reads it back. */
static void
add_quoted(struct rx_buf *out, const char *text)
{
    rx_buf_addc(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            rx_buf_add(out, RX_S("'\\''"));
        else
            rx_buf_addc(out, *text);
    }
    rx_buf_addc(out, '\'');
}

static const char *
client_key(struct cli *c)
{
    const char *key = c->o.key != NULL ? c->o.key : getenv("ROUTEX_KEY");

    return key != NULL && key[0] != '\0' ? key : NULL;
}

static void
print_env(struct cli *c, const char *client, const char *url, const char *key)
{
    struct rx_json_out w = rx_json_out(&c->out);

    if (c->o.json)
        rx_json_open_object(&w, NULL);
    for (size_t i = 0; i < RX_COUNT(variables); i++) {
        char *value;

        if (strcmp(variables[i].client, client) != 0)
            continue;
        value = expand(variables[i].value, url, key);
        if (c->o.json) {
            rx_json_put_text(&w, variables[i].name, value);
        } else {
            rx_buf_addf(&c->out, "export %s=", variables[i].name);
            add_quoted(&c->out, value);
            rx_buf_addc(&c->out, '\n');
        }
        free(value);
    }
    if (c->o.json) {
        rx_json_close(&w);
        rx_buf_addc(&c->out, '\n');
    }
}

int
cmd_env(struct cli *c, int argc, char **argv)
{
    char url[REMOTE_TEXT];
    const char *key = client_key(c);

    (void)argc;
    if (!is_client(argv[1]))
        return CLI_USAGE;
    if (key == NULL) {
        fprintf(stderr, "routex: no client key: give it with --key or "
                        "ROUTEX_KEY (routex key add NAME makes one)\n");
        return CLI_USAGE;
    }
    find_client_url(c, url, sizeof(url));
    print_env(c, argv[1], url, key);
    return CLI_OK;
}

/* The client that a program's name means. */
static const char *
client_of(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash == NULL ? program : slash + 1;

    for (size_t i = 0; i < RX_COUNT(variables); i++) {
        if (strcmp(variables[i].program, name) == 0)
            return variables[i].client;
    }
    return NULL;
}

/* How many words of ours stand behind the client's name. */
static size_t
own_words(const char *client)
{
    bool codex = client != NULL && strcmp(client, "codex") == 0;

    return codex ? RX_COUNT(codex_words) : 0;
}

/* The arguments for the client, with those that only Codex needs. */
static char **
client_words(const char *client, int argc, char **argv, const char *url)
{
    size_t more = own_words(client);
    char **words = calloc((size_t)argc + more + 1, sizeof(*words));
    size_t n = 0;

    if (words == NULL)
        abort();
    words[n++] = argv[1];
    for (size_t i = 0; i < more; i++)
        words[n++] = expand(codex_words[i], url, "");
    for (int i = 2; i < argc; i++)
        words[n++] = argv[i];
    return words;
}

int
cmd_code(struct cli *c, int argc, char **argv)
{
    char url[REMOTE_TEXT];
    const char *key = client_key(c);
    const char *client = client_of(argv[1]);

    if (key == NULL) {
        fprintf(stderr, "routex: no client key: give it with --key or "
                        "ROUTEX_KEY (routex key add NAME makes one)\n");
        return CLI_USAGE;
    }
    find_client_url(c, url, sizeof(url));
    for (size_t i = 0; i < RX_COUNT(variables); i++) {
        /* A program we do not know gets everything. */
        if (client != NULL && strcmp(variables[i].client, client) != 0)
            continue;
        char *value = expand(variables[i].value, url, key);
        setenv(variables[i].name, value, 1);
        free(value);
    }
    char **words = client_words(client, argc, argv, url);
    execvp(argv[1], words);
    int why = errno;
    for (size_t i = 1; i <= own_words(client); i++)
        free(words[i]);
    free(words);
    fprintf(stderr, "routex: %s: %s\n", argv[1], strerror(why));
    return why == ENOENT ? 127 : 126;
}
