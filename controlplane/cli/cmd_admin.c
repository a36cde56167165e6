/*
 * cmd_admin.c - routex user ..., token ..., audit, planes: who may do what, who
 * did what, and who serves.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"
#include "shared/secret.h"

#define BODY_MAX  ((size_t)64 << 10)
#define LINE_MAX_ 1100

/* ---- users ----------------------------------------------------------------- */

static const struct table_column users[] = {
    { "NAME", "name", TABLE_TEXT },
    { "ROLE", "role", TABLE_TEXT },
    { "PASSWORD", "has_password", TABLE_TEXT },
    { "LAST LOG-IN (UTC)", "last_login_at", TABLE_TIME },
    { "MADE (UTC)", "created_at", TABLE_TIME },
    { "ID", "id", TABLE_TEXT },
    { 0 },
};

/* Never on the command line, where everybody on the machine sees it. */
static bool
read_password(char line[LINE_MAX_])
{
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "Password (it shows; better: from a file): ");
    if (fgets(line, LINE_MAX_, stdin) == NULL) {
        fprintf(stderr, "routex: no password on stdin\n");
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

static int
send_user(struct cli *c, const char *method, const char *path, const char *name,
    const char *password, const char *said)
{
    struct rx_buf body;

    rx_buf_init(&body, BODY_MAX);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    cli_put_opt(&w, "name", name);
    cli_put_opt(&w, "role", c->o.role);
    cli_put_opt(&w, "password", password);
    rx_json_close(&w);
    int code = cli_change(c, method, path, rx_buf_str(&body), "%s", said);
    rx_wipe(body.ptr, body.len);
    rx_buf_fini(&body);
    return code;
}

int
cmd_user_add(struct cli *c, int argc, char **argv)
{
    char password[LINE_MAX_];
    char said[256];

    (void)argc;
    if (!c->o.password_stdin) {
        fprintf(stderr, "routex: give the password with --password-stdin\n");
        return CLI_USAGE;
    }
    if (!read_password(password))
        return CLI_FAILED;
    snprintf(said, sizeof(said), "User %.64s is there.", argv[1]);
    int code = send_user(c, "POST", "/api/users", argv[1], password, said);
    rx_wipe(password, sizeof(password));
    return code;
}

int
cmd_user_edit(struct cli *c, int argc, char **argv)
{
    char password[LINE_MAX_];
    char said[256];
    struct rx_buf path;

    (void)argc;
    if (c->o.password_stdin && !read_password(password))
        return CLI_FAILED;
    snprintf(said, sizeof(said), "User %.64s is changed.", argv[1]);
    cli_path(&path, "/api/users/", argv[1], "");
    int code = send_user(c, "PATCH", path.ptr, c->o.name,
        c->o.password_stdin ? password : NULL, said);
    rx_wipe(password, sizeof(password));
    rx_buf_fini(&path);
    return code;
}

int
cmd_user_list(struct cli *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return cli_get(c, "/api/users?limit=200", users);
}

static int
show(struct cli *c, const char *prefix, const char *word,
    const struct table_column *columns)
{
    struct rx_buf path;

    cli_path(&path, prefix, word, "");
    int code = cli_get(c, path.ptr, columns);
    rx_buf_fini(&path);
    return code;
}

static int
drop(struct cli *c, int argc, char **argv, const char *prefix, const char *what)
{
    int code = CLI_OK;

    for (int i = 1; i < argc && code == CLI_OK; i++) {
        struct rx_buf path;
        cli_path(&path, prefix, argv[i], "");
        code = cli_change(
            c, "DELETE", path.ptr, RX_S(""), "%s %s is gone.", what, argv[i]);
        rx_buf_fini(&path);
    }
    return code;
}

int
cmd_user_show(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return show(c, "/api/users/", argv[1], users);
}

int
cmd_user_rm(struct cli *c, int argc, char **argv)
{
    return drop(c, argc, argv, "/api/users/", "User");
}

/* ---- tokens ---------------------------------------------------------------- */

static const struct table_column tokens[] = {
    { "NAME", "name", TABLE_TEXT },
    { "ENDS IN", "last4", TABLE_TEXT },
    { "SCOPES", "scopes", TABLE_LIST },
    { "UNTIL (UTC)", "expires_at", TABLE_TIME },
    { "LAST USED (UTC)", "last_used_at", TABLE_TIME },
    { "ID", "id", TABLE_TEXT },
    { 0 },
};

int
cmd_token_add(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf body;
    int code;

    (void)argc;
    rx_buf_init(&body, BODY_MAX);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "name", argv[1]);
    cli_put_list(&w, "scopes", &c->o.scopes);
    cli_put_opt(&w, "expires_at", c->o.expires);
    rx_json_close(&w);
    if (cli_call(c, "POST", "/api/tokens", rx_buf_str(&body), &answer, &code)) {
        rx_str text = rx_json_str(rx_json_find(answer.data, "token"));
        if (c->o.json)
            cli_print(c, tokens, answer.data);
        else
            rx_buf_addf(&c->out,
                RX_STR_FMT "\nKeep it: it is not shown again.  "
                           "export ROUTEX_TOKEN=" RX_STR_FMT "\n",
                RX_STR_ARG(text), RX_STR_ARG(text));
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&body);
    return code;
}

int
cmd_token_list(struct cli *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return cli_get(c, "/api/tokens?limit=200", tokens);
}

int
cmd_token_rm(struct cli *c, int argc, char **argv)
{
    return drop(c, argc, argv, "/api/tokens/", "Token");
}

/* ---- what happened, and who serves ------------------------------------------ */

int
cmd_audit(struct cli *c, int argc, char **argv)
{
    static const struct table_column columns[] = {
        { "WHEN (UTC)", "at", TABLE_TIME },
        { "WHO", "actor", TABLE_TEXT },
        { "FROM", "address", TABLE_TEXT },
        { "DID", "action", TABLE_TEXT },
        { "TO", "kind", TABLE_TEXT },
        { "NAME", "name", TABLE_TEXT },
        { 0 },
    };
    char limit[24];
    struct rx_buf path;

    (void)argc;
    (void)argv;
    snprintf(limit, sizeof(limit), "%llu",
        (unsigned long long)(c->o.limit == UINT64_MAX ? 50 : c->o.limit));
    cli_path(&path, "/api/audit?limit=", limit, "");
    cli_query(&path, "actor", c->o.actor);
    cli_query(&path, "object", c->o.object);
    cli_query(&path, "kind", c->o.kind);
    cli_query(&path, "action", c->o.action);
    cli_query(&path, "since", c->o.since);
    int code = cli_get(c, path.ptr, columns);
    rx_buf_fini(&path);
    return code;
}

int
cmd_planes(struct cli *c, int argc, char **argv)
{
    static const struct table_column columns[] = {
        { "PLANE", "id", TABLE_TEXT },
        { "STATE", "state", TABLE_STATE },
        { "VERSION", "applied.version", TABLE_NUMBER },
        { "REJECTED", "rejected", TABLE_COUNT },
        { "ACTIVE", "active", TABLE_NUMBER },
        { "REQUESTS", "requests", TABLE_NUMBER },
        { "JOURNAL", "journal.records", TABLE_NUMBER },
        { "ADDRESS", "client_url", TABLE_TEXT },
        { "SEEN (UTC)", "seen_at", TABLE_TIME },
        { 0 },
    };

    (void)argc;
    (void)argv;
    return cli_get(c, "/api/planes", columns);
}
