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

const struct table_column cmd_user_columns[] = {
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

bool
cmd_user_put(struct cli *c, struct rx_json_out *w)
{
    char password[LINE_MAX_];

    cli_put_opt(w, "role", c->o.role);
    if (!c->o.password_stdin)
        return true;
    if (!read_password(password))
        return false;
    rx_json_put_text(w, "password", password);
    rx_wipe(password, sizeof(password));
    return true;
}

int
cmd_user_add(struct cli *c, int argc, char **argv)
{
    (void)argc;
    if (!c->o.password_stdin) {
        fprintf(stderr, "routex: give the password with --password-stdin\n");
        return CLI_USAGE;
    }
    return cli_add(c, argv[1], "User %s is there.", argv[1]);
}

/* ---- tokens ---------------------------------------------------------------- */

const struct table_column cmd_token_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "ENDS IN", "last4", TABLE_TEXT },
    { "SCOPES", "scopes", TABLE_LIST },
    { "UNTIL (UTC)", "expires_at", TABLE_TIME },
    { "LAST USED (UTC)", "last_used_at", TABLE_TIME },
    { "ID", "id", TABLE_TEXT },
    { 0 },
};

bool
cmd_token_put(struct cli *c, struct rx_json_out *w)
{
    cli_put_list(w, "scopes", &c->o.scopes);
    cli_put_opt(w, "expires_at", c->o.expires);
    return true;
}

int
cmd_token_add(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    int code;

    (void)argc;
    if (!cli_make(c, argv[1], &answer, &code))
        return code;
    rx_str text = rx_json_str(rx_json_find(answer.data, "token"));
    if (!c->o.json)
        rx_buf_addf(&c->out,
            RX_STR_FMT "\nKeep it: it is not shown again.  "
                       "export ROUTEX_TOKEN=" RX_STR_FMT "\n",
            RX_STR_ARG(text), RX_STR_ARG(text));
    remote_answer_fini(&answer);
    return CLI_OK;
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
