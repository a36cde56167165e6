/*
 * cmd_webhook.c - routex webhook ...
 */
#include "controlplane/cli/command.h"

const struct table_column cmd_webhook_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "ADDRESS", "url", TABLE_TEXT },
    { "FROM", "severity", TABLE_TEXT },
    { "KINDS", "kinds", TABLE_LIST },
    { "WAITING", "waiting", TABLE_NUMBER },
    { "LAST (UTC)", "last_at", TABLE_TIME },
    { "LAST ERROR", "last_error", TABLE_TEXT },
    { 0 },
};

bool
cmd_webhook_put(struct cli *c, struct rx_json_out *w)
{
    cli_put_opt(w, "url", c->o.to);
    cli_put_list(w, "kinds", &c->o.kinds);
    cli_put_opt(w, "severity", c->o.severity);
    return true;
}

int
cmd_webhook_add(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    int code;

    (void)argc;
    c->o.to = argv[2];
    if (!cli_make(c, argv[1], &answer, &code))
        return code;
    rx_str secret = rx_json_str(rx_json_find(answer.data, "secret"));
    if (!c->o.json)
        rx_buf_addf(&c->out,
            "webhook %s will be told of alerts\n"
            "What it gets is signed with this secret, shown only now:\n\n"
            "  " RX_STR_FMT "\n",
            argv[1], RX_STR_ARG(secret));
    remote_answer_fini(&answer);
    return CLI_OK;
}

int
cmd_webhook_test(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    bool well = false;
    int code;

    (void)argc;
    cli_path(&path, "/api/webhooks/", argv[1], "/test");
    if (cli_call(c, "POST", path.ptr, RX_S(""), &answer, &code)) {
        well = rx_json_bool(rx_json_find(answer.data, "ok"));
        rx_str words = rx_json_str(rx_json_find(answer.data, "message"));
        if (c->o.json)
            cli_print(c, NULL, answer.data);
        else
            rx_buf_addf(&c->out, "%s: " RX_STR_FMT "\n",
                well ? "it works" : "it does not", RX_STR_ARG(words));
        remote_answer_fini(&answer);
        code = well ? CLI_OK : CLI_FAILED;
    }
    rx_buf_fini(&path);
    return code;
}
