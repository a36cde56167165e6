/*
 * cmd_channel.c - routex channel ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"

const struct table_column cmd_channel_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "TYPE", "type", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "PRIORITY", "priority", TABLE_TEXT },
    { "WEIGHT", "weight", TABLE_NUMBER },
    { "KEYS", "keys", TABLE_COUNT },
    { "MODELS", "models", TABLE_LIST },
    { "TAGS", "tags", TABLE_LIST },
    { 0 },
};

static const struct table_column one[] = {
    { "name", "name", TABLE_TEXT },
    { "id", "id", TABLE_TEXT },
    { "type", "type", TABLE_TEXT },
    { "status", "status", TABLE_STATE },
    { "base URL", "base_url", TABLE_TEXT },
    { "dialects", "dialects", TABLE_LIST },
    { "priority", "priority", TABLE_TEXT },
    { "weight", "weight", TABLE_NUMBER },
    { "models", "models", TABLE_LIST },
    { "tags", "tags", TABLE_LIST },
    { "proxy", "proxy_url", TABLE_TEXT },
    { "made", "created_at", TABLE_TIME },
    { "changed", "updated_at", TABLE_TIME },
    { 0 },
};

static const struct table_column key_rows[] = {
    { "KEY", "last4", TABLE_TEXT },
    { "KIND", "kind", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "SINCE (UTC)", "created_at", TABLE_TIME },
    { 0 },
};

/* "name=upstream" is a model under another name. */
static void
put_models(struct rx_json_out *w, const struct rx_conf_list *list)
{
    if (list->count == 0)
        return;
    rx_json_open_array(w, "models");
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->at[i], '=');

        if (equals == NULL) {
            rx_json_put_text(w, NULL, list->at[i]);
            continue;
        }
        rx_json_open_object(w, NULL);
        rx_json_put_str(
            w, "name", (rx_str){ list->at[i], (size_t)(equals - list->at[i]) });
        rx_json_put_text(w, "upstream", equals + 1);
        rx_json_close(w);
    }
    rx_json_close(w);
}

/* A key on the command line is seen by everybody on the machine. */
static bool
read_key(struct cli *c, char *line, size_t size)
{
    if (!c->o.api_key_stdin)
        return true;
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "Key: ");
    if (fgets(line, (int)size, stdin) == NULL) {
        fprintf(stderr, "routex: no key on stdin\n");
        return false;
    }
    if (line[0] == '{') { /* a key file: all of it */
        size_t n = strlen(line);
        n += fread(line + n, 1, size - 1 - n, stdin);
        line[n] = '\0';
    } else {
        line[strcspn(line, "\r\n")] = '\0';
    }
    c->o.api_key = line;
    return true;
}

static bool
put_priority(struct rx_json_out *w, const char *text)
{
    bool minus;
    uint64_t n;

    if (text == NULL)
        return true;
    minus = text[0] == '-';
    if (!rx_str_u64((rx_str){ text + minus, strlen(text + minus) }, &n) ||
        n > 1000000) {
        fprintf(stderr, "routex: --priority: must be a whole number\n");
        return false;
    }
    rx_json_put_i64(w, "priority", minus ? -(int64_t)n : (int64_t)n);
    return true;
}

/* What the options say, but for name and status. */
bool
cmd_channel_put(struct cli *c, struct rx_json_out *w)
{
    const struct cli_options *o = &c->o;
    char line[16384];

    if (!read_key(c, line, sizeof(line)))
        return false;
    cli_put_opt(w, "type", o->type);
    cli_put_opt(w, "base_url", o->base_url);
    cli_put_opt(w, "api_key", o->api_key);
    cli_put_opt(w, "account", o->account);
    put_models(w, &o->models);
    if (o->weight != UINT64_MAX)
        rx_json_put_u64(w, "weight", o->weight);
    cli_put_list(w, "tags", &o->tags);
    cli_put_opt(w, "proxy_url", o->proxy_url);
    cli_put_pairs(w, "headers", ':', &o->headers);
    bool ok = put_priority(w, o->priority);
    return cli_put_json(w, "transformers", "--transformers", o->transformers) &&
           ok;
}

int
cmd_channel_add(struct cli *c, int argc, char **argv)
{
    (void)argc;
    if (c->o.type == NULL) {
        fprintf(stderr, "routex: --type says which provider it is: anthropic, "
                        "openai, gemini, deepseek, openrouter, groq, ollama, "
                        "openai-compatible …; GET /api/providers lists all\n");
        return CLI_USAGE;
    }
    return cli_add(c, argv[1],
        "Channel %s is there.  Try it: routex channel test %s", argv[1],
        argv[1]);
}

int
cmd_channel_show(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    int code;

    (void)argc;
    cli_path(&path, "/api/channels/", argv[1], "");
    if (cli_call(c, "GET", path.ptr, RX_S(""), &answer, &code)) {
        cli_print(c, one, answer.data);
        if (!c->o.json) {
            rx_buf_addc(&c->out, '\n');
            cli_print(c, key_rows, rx_json_find(answer.data, "keys"));
        }
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    return code;
}

/* ---- testing ---- */

static const struct table_column test_columns[] = {
    { "ok", "ok", TABLE_STATE },
    { "dialect", "dialect", TABLE_TEXT },
    { "address", "base_url", TABLE_TEXT },
    { "status", "status", TABLE_TEXT },
    { "took", "latency_ms", TABLE_MS },
    { "which says", "message", TABLE_TEXT },
    { "in its words", "provider_message", TABLE_TEXT },
    { 0 },
};

int
cmd_channel_test(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    int code;
    bool well;

    (void)argc;
    cli_path(&path, "/api/channels/", argv[1], "/test");
    if (!cli_call(c, "POST", path.ptr, RX_S("{}"), &answer, &code)) {
        rx_buf_fini(&path);
        return code;
    }
    well = rx_json_bool(rx_json_find(answer.data, "ok"));
    cli_print(c, test_columns, answer.data);
    remote_answer_fini(&answer);
    rx_buf_fini(&path);
    return well ? CLI_OK : CLI_FAILED;
}

static int
switch_channel(
    struct cli *c, char **argv, const char *how, rx_str body, const char *done)
{
    struct rx_buf path;
    int code;

    cli_path(&path, "/api/channels/", argv[1], how);
    code =
        cli_change(c, "POST", path.ptr, body, "Channel %s %s.", argv[1], done);
    rx_buf_fini(&path);
    return code;
}

int
cmd_channel_pause(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return switch_channel(c, argv, "/pause", RX_S("{}"), "is paused");
}

int
cmd_channel_resume(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return switch_channel(c, argv, "/resume", RX_S("{}"), "serves again");
}
