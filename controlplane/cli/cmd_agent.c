/*
 * cmd_agent.c - routex agent ...
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/cmd_config.h"
#include "controlplane/cli/command.h"

#define BODY_MAX ((size_t)1 << 20)

const struct table_column cmd_agent_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "MODEL", "model", TABLE_TEXT },
    { "ROUTING", "routing", TABLE_TEXT },
    { "DESCRIPTION", "description", TABLE_TEXT },
    { "LINE", "fault.line", TABLE_NUMBER },
    { "FAULT", "fault.reason", TABLE_TEXT },
    { 0 },
};

int
cmd_agent_show(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    int code = CLI_OK;

    (void)argc;
    cli_path(&path, "/api/agents/", argv[1], "");
    if (cli_call(c, "GET", path.ptr, RX_S(""), &answer, &code)) {
        rx_str prompt = rx_json_str(rx_json_find(answer.data, "prompt"));
        cli_print(c, cmd_agent_columns, answer.data);
        if (!c->o.json)
            rx_buf_addf(&c->out, "\n%.*s\n", (int)prompt.len, prompt.ptr);
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    return code;
}

/* What is given, else what it was. */
static void
put_text(struct rx_json_out *w, const char *key, const char *given, rx_json old)
{
    if (given != NULL)
        rx_json_put_text(w, key, given);
    else if (rx_json_kind(rx_json_find(old, key)) == RX_JSON_STRING)
        rx_json_put_str(w, key, rx_json_str(rx_json_find(old, key)));
}

static bool
write_body(struct cli *c, const char *name, rx_json old, struct rx_buf *body)
{
    struct rx_json_out w = rx_json_out(body);
    struct rx_buf prompt;
    bool good = true;

    rx_buf_init(&prompt, BODY_MAX);
    if (c->o.prompt_file != NULL)
        good = cli_read_file(c->o.prompt_file, &prompt);
    rx_json_open_object(&w, NULL);
    if (rx_json_there(old))
        put_text(&w, "name", NULL, old);
    else
        rx_json_put_text(&w, "name", name);
    put_text(&w, "description", c->o.description, old);
    put_text(&w, "model", c->o.model, old);
    put_text(&w, "routing", c->o.routing, old);
    put_text(&w, "prompt", prompt.ptr, old);
    rx_json_close(&w);
    rx_buf_fini(&prompt);
    return good;
}

int
cmd_agent_edit(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer = { 0 };
    struct rx_err err = { 0 };
    struct rx_buf path, body;
    int code = CLI_FAILED;

    (void)argc;
    rx_buf_init(&body, 4 * BODY_MAX);
    cli_path(&path, "/api/agents/", argv[1], "");
    bool known = cli_try(c, "GET", path.ptr, RX_S(""), &answer, &err);
    if (!known && err.code != RX_NOT_FOUND)
        code = cli_fail(&err);
    else if (write_body(
                 c, argv[1], known ? answer.data : (rx_json){ 0 }, &body))
        code = cli_change(c, known ? "PUT" : "POST",
            known ? path.ptr : "/api/agents", rx_buf_str(&body),
            "Agent %s is written.", argv[1]);
    remote_answer_fini(&answer);
    rx_buf_fini(&body);
    rx_buf_fini(&path);
    return code;
}
