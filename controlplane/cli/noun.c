/*
 * noun.c - what can be done with everything that there are many of: list, show,
 * change, remove.  A row says what is special about it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"
#include "shared/secret.h"

#define BODY_MAX ((size_t)1 << 20)
#define LIST_MAX ((size_t)64 << 20)

#define AT(path)    path "/", path
#define PAGES(path) path "/", path "?limit=200"

const struct noun nouns[] = {
    { .name = "up", .help = "Run it" },
    { .name = "setup", .help = "Set it up" },
    { "channel", "Channels: accounts at providers", "Channel",
        PAGES("/api/channels"), cmd_channel_columns, NULL, NULL,
        cmd_channel_put },
    { .name = "login", .help = "Log in at a provider" },
    { "account", "Accounts: log-ins at providers that serve channels",
        "Account", PAGES("/api/oauth/accounts"), cmd_account_columns,
        cmd_account_one, NULL, NULL },
    { "key", "Keys: what clients show at the door", "Key", PAGES("/api/keys"),
        cmd_key_columns, NULL, cmd_key_find, cmd_key_put },
    { "tenant", "Tenants: whom the router works for", "Tenant",
        PAGES("/api/tenants"), cmd_tenant_columns, cmd_tenant_one, NULL,
        cmd_tenant_put },
    { "rule", "Rules: which requests go where", "Rule",
        PAGES("/api/routing/rules"), cmd_rule_columns, NULL, NULL, NULL },
    { .name = "route", .help = "Routing: where a request would go" },
    { "alert", "Alerts: what you have to know of", "Alert",
        PAGES("/api/alerts"), cmd_alert_columns, NULL, NULL, NULL },
    { .name = "anomalies", .help = "What is unlike before" },
    { "webhook", "Webhooks: whom alerts are sent to", "Webhook",
        PAGES("/api/webhooks"), cmd_webhook_columns, NULL, NULL,
        cmd_webhook_put },
    { .name = "settings",
        .help = "Settings: how the router behaves as a "
                "whole" },
    { "tee", "Tees: where requests are copied to", "Tee", AT("/api/tees"),
        cmd_tee_columns, NULL, NULL, cmd_tee_put },
    { .name = "requests", .help = "What was asked" },
    { .name = "price", .help = "What models cost" },
    { .name = "usage", .help = "What was used" },
    { .name = "status", .help = "How it goes" },
    { .name = "planes", .help = "The data planes" },
    { .name = "doctor", .help = "What is wrong" },
    { "user", "Users: people who log in", "User", PAGES("/api/users"),
        cmd_user_columns, NULL, NULL, cmd_user_put },
    { "token", "Tokens: what programs administrate with", "Token",
        PAGES("/api/tokens"), cmd_token_columns, NULL, NULL, cmd_token_put },
    { .name = "audit", .help = "Who changed what" },
    { "agent", "Agents: prompts with a name, a model and a route", "Agent",
        AT("/api/agents"), cmd_agent_columns, NULL, NULL, NULL },
    { .name = "config", .help = "The configuration as one document" },
    { .name = "apply", .help = "Make it so" },
    { .name = "import", .help = "Come from another router" },
    { .name = "env", .help = "Settings for a client" },
    { .name = "code", .help = "Run a client with them" },
    { .name = "completion", .help = "Completion for the shell" },
    { 0 },
};

/* ---- lists ----------------------------------------------------------------- */

/* The page behind `cursor` (empty: the first); its elements to the others. */
static bool
add_page(struct cli *c, const char *path, struct rx_buf *all, char cursor[],
    size_t size, int *code)
{
    struct remote_answer answer;
    struct rx_buf page;

    rx_buf_init(&page, 8192);
    rx_buf_addf(&page, "%s", path);
    cli_query(&page, "cursor", cursor[0] != '\0' ? cursor : NULL);
    bool good = cli_call(c, "GET", page.ptr, RX_S(""), &answer, code);
    rx_buf_fini(&page);
    if (!good)
        return false;
    for (rx_json v = rx_json_first(answer.data); rx_json_there(v);
         v = rx_json_next(v)) {
        if (all->len > 1)
            rx_buf_addc(all, ',');
        rx_json_print(v, false, all);
    }
    rx_str next = rx_json_str(rx_json_find(rx_json_root(answer.doc), "next"));
    snprintf(cursor, size, RX_STR_FMT, RX_STR_ARG(next));
    remote_answer_fini(&answer);
    return true;
}

bool
cli_all(struct cli *c, const char *path, struct rx_json_doc **out, int *code)
{
    struct rx_json_limits limits = { .values = LIST_MAX / 16 };
    struct rx_err err = { 0 };
    struct rx_buf all;
    char cursor[2048] = "";
    bool good;

    rx_buf_init(&all, LIST_MAX);
    rx_buf_addc(&all, '[');
    do
        good = add_page(c, path, &all, cursor, sizeof(cursor), code);
    while (good && cursor[0] != '\0');
    rx_buf_addc(&all, ']');
    if (good && rx_json_parse(out, rx_buf_str(&all), &limits, &err) != RX_OK) {
        good = false;
        *code = cli_fail(&err);
    }
    rx_buf_fini(&all);
    return good;
}

int
cmd_list(struct cli *c, int argc, char **argv)
{
    struct rx_json_doc *doc;
    struct rx_buf path;
    int code;

    (void)argc;
    (void)argv;
    rx_buf_init(&path, 4096);
    rx_buf_addf(&path, "%s", c->noun->list);
    cli_query(&path, "tenant", c->o.tenant);
    if (cli_all(c, path.ptr, &doc, &code)) {
        cli_print(c, c->noun->columns, rx_json_root(doc));
        rx_json_free(doc);
    }
    rx_buf_fini(&path);
    return code;
}

/* ---- one ------------------------------------------------------------------- */

/* "/api/keys/key_1", to be ended by the caller when true. */
static bool
path_of(struct cli *c, const char *word, struct rx_buf *path, int *code)
{
    char id[CLI_ID];

    if (c->noun->find != NULL && !c->noun->find(c, word, id, code))
        return false;
    cli_path(path, c->noun->path, c->noun->find != NULL ? id : word, "");
    return true;
}

int
cmd_show(struct cli *c, int argc, char **argv)
{
    const struct noun *n = c->noun;
    struct rx_buf path;
    int code;

    (void)argc;
    if (!path_of(c, argv[1], &path, &code))
        return code;
    code = cli_get(c, path.ptr, n->one != NULL ? n->one : n->columns);
    rx_buf_fini(&path);
    return code;
}

int
cmd_rm(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    int code = CLI_OK;

    for (int i = 1; i < argc && code == CLI_OK; i++) {
        if (!path_of(c, argv[i], &path, &code))
            break;
        code = cli_change(c, "DELETE", path.ptr, RX_S(""), "%s %s is gone.",
            c->noun->title, argv[i]);
        rx_buf_fini(&path);
    }
    return code;
}

/* ---- making and changing --------------------------------------------------- */

static bool
put_body(struct cli *c, const char *name, struct rx_buf *body)
{
    struct rx_json_out w = rx_json_out(body);

    rx_json_open_object(&w, NULL);
    cli_put_opt(&w, "name", name);
    cli_put_opt(&w, "status", c->o.status);
    bool good = c->noun->put(c, &w);
    rx_json_close(&w);
    return good;
}

/* It may hold keys and passwords. */
static void
drop_body(struct rx_buf *body)
{
    rx_wipe(body->ptr, body->len);
    rx_buf_fini(body);
}

bool
cli_make(struct cli *c, const char *name, struct remote_answer *out, int *code)
{
    struct rx_buf body, path;
    bool made = false;

    *code = CLI_USAGE;
    rx_buf_init(&body, BODY_MAX);
    rx_buf_init(&path, 4096);
    rx_buf_add(&path, (rx_str){ c->noun->path, strlen(c->noun->path) - 1 });
    if (put_body(c, name, &body))
        made = cli_call(c, "POST", path.ptr, rx_buf_str(&body), out, code);
    if (made && c->o.json)
        cli_print(c, NULL, out->data);
    rx_buf_fini(&path);
    drop_body(&body);
    return made;
}

int
cli_add(struct cli *c, const char *name, const char *fmt, ...)
{
    struct remote_answer answer;
    char text[512];
    va_list args;
    int code;

    if (!cli_make(c, name, &answer, &code))
        return code;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (!c->o.json)
        rx_buf_addf(&c->out, "%s\n", text);
    remote_answer_fini(&answer);
    return code;
}

int
cmd_edit(struct cli *c, int argc, char **argv)
{
    struct rx_buf path, body;
    int code;

    (void)argc;
    if (!path_of(c, argv[1], &path, &code))
        return code;
    code = CLI_USAGE;
    rx_buf_init(&body, BODY_MAX);
    if (put_body(c, c->o.name, &body))
        code = cli_change(c, "PATCH", path.ptr, rx_buf_str(&body),
            "%s %s is changed.", c->noun->title, argv[1]);
    drop_body(&body);
    rx_buf_fini(&path);
    return code;
}
