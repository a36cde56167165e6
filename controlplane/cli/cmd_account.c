/*
 * cmd_account.c - routex login ... and routex account ...
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"

#define BODY_MAX  ((size_t)64 << 10)
#define LINE_MAX_ 9000

const struct table_column cmd_account_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "PROVIDER", "provider", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "WHO", "email", TABLE_TEXT },
    { "TOKEN UNTIL (UTC)", "expires_at", TABLE_TIME },
    { "CHANNELS", "channels", TABLE_LIST },
    { "LAST ERROR", "last_error", TABLE_TEXT },
    { 0 },
};

const struct table_column cmd_account_one[] = {
    { "name", "name", TABLE_TEXT },
    { "id", "id", TABLE_TEXT },
    { "provider", "provider", TABLE_TEXT },
    { "status", "status", TABLE_STATE },
    { "who", "email", TABLE_TEXT },
    { "identity", "identity", TABLE_TEXT },
    { "scope", "scope", TABLE_TEXT },
    { "channels", "channels", TABLE_LIST },
    { "token until", "expires_at", TABLE_TIME },
    { "renewed", "refreshed_at", TABLE_TIME },
    { "last error", "last_error", TABLE_TEXT },
    { "failed", "failed_at", TABLE_TIME },
    { 0 },
};

/* ---- logging in ---- */

static void
put_done(struct cli *c, rx_json account)
{
    rx_str name = rx_json_str(rx_json_find(account, "name"));
    rx_str provider = rx_json_str(rx_json_find(account, "provider"));
    rx_str email = rx_json_str(rx_json_find(account, "email"));
    bool openai = rx_str_eq(provider, RX_S("openai"));

    if (c->o.json) {
        cli_print(c, cmd_account_one, account);
        return;
    }
    rx_buf_addf(&c->out,
        "Account " RX_STR_FMT " is logged in%s" RX_STR_FMT ".\n",
        RX_STR_ARG(name), email.len > 0 ? " as " : "", RX_STR_ARG(email));
    if (rx_json_count(rx_json_find(account, "channels")) == 0)
        rx_buf_addf(&c->out,
            "Let it serve: routex channel add %s --type %s --account " RX_STR_FMT
            "\n",
            openai ? "chatgpt" : "claude", openai ? "codex" : "anthropic",
            RX_STR_ARG(name));
}

static int
finish(struct cli *c, const char *provider, const char *code_text,
    const char *state)
{
    struct remote_answer answer;
    struct rx_buf body, path;
    int code;

    rx_buf_init(&body, BODY_MAX);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "code", code_text);
    cli_put_opt(&w, "state", state);
    rx_json_close(&w);
    cli_path(&path, "/api/oauth/", provider, "/finish");
    if (cli_call(c, "POST", path.ptr, rx_buf_str(&body), &answer, &code)) {
        put_done(c, answer.data);
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    rx_buf_fini(&body);
    return code;
}

/* The provider's page sends the browser back to the control plane by itself:
 * the state is used up then, and nothing is left to do here. */
static int
tell_redirect(struct cli *c)
{
    rx_buf_addf(
        &c->out, "\nThe page says when it is done; see routex account list.\n");
    return CLI_OK;
}

/* What the person brings back, from the terminal. */
static int
ask_code(struct cli *c, const char *provider, bool loopback)
{
    char line[LINE_MAX_];

    cli_flush(c);
    fprintf(stderr, loopback
                        ? "\nThe browser ends at an address that cannot be "
                          "opened: paste it whole.\nAddress: "
                        : "\nPaste the code that the page shows.\nCode: ");
    if (fgets(line, (int)sizeof(line), stdin) == NULL) {
        fprintf(stderr, "\nroutex: no code on stdin\n");
        return CLI_FAILED;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return finish(c, provider, line, NULL);
}

static int
go_on(struct cli *c, const char *provider, rx_json login)
{
    rx_str style = rx_json_str(rx_json_find(login, "style"));
    rx_str url = rx_json_str(rx_json_find(login, "url"));

    if (c->o.json) {
        cli_print(c, cmd_account_one, login);
        return CLI_OK;
    }
    rx_buf_addf(&c->out, "Log in here, within ten minutes:\n\n" RX_STR_FMT "\n",
        RX_STR_ARG(url));
    if (rx_str_eq(style, RX_S("redirect")))
        return tell_redirect(c);
    if (isatty(STDIN_FILENO))
        return ask_code(c, provider, rx_str_eq(style, RX_S("loopback")));
    rx_buf_addf(&c->out, "\nThen: routex login %s --code CODE\n", provider);
    return CLI_OK;
}

static int
begin(struct cli *c, const char *provider)
{
    struct remote_answer answer;
    struct rx_buf body, path;
    int code;

    rx_buf_init(&body, BODY_MAX);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    cli_put_opt(&w, "account", c->o.account);
    rx_json_close(&w);
    cli_path(&path, "/api/oauth/", provider, "/start");
    if (cli_call(c, "POST", path.ptr, rx_buf_str(&body), &answer, &code)) {
        code = go_on(c, provider, answer.data);
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    rx_buf_fini(&body);
    return code;
}

int
cmd_login(struct cli *c, int argc, char **argv)
{
    const char *provider = argv[argc - 1];

    return c->o.code != NULL ? finish(c, provider, c->o.code, c->o.state)
                             : begin(c, provider);
}

/* ---- accounts ---- */

int
cmd_account_refresh(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    int code;

    (void)argc;
    cli_path(&path, "/api/oauth/accounts/", argv[1], "/refresh");
    code = cli_change(c, "POST", path.ptr, RX_S("{}"),
        "Account %s has a new token.", argv[1]);
    rx_buf_fini(&path);
    return code;
}
