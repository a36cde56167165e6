/*
 * commands.c - every command of routex, a row each.
 */
#include "controlplane/cli/command.h"
#include "controlplane/cli/up.h"

#define OPT(name, env, what, set, member, help) \
    RX_CONF(name, env, what, set, struct cli_options, member, NULL, help)
#define TEXT(name, what, member, help) \
    OPT(name, NULL, what, rx_conf_text, member, help)
#define MANY(name, what, member, help) \
    OPT(name, NULL, what, rx_conf_list, member, help)
#define SWITCH(name, member, help) \
    RX_CONF_SWITCH(name, NULL, struct cli_options, member, help)

#define HERE                                                          \
    OPT("data-dir", "ROUTEX_DATA_DIR", "DIR", rx_conf_text, data_dir, \
        "where the control plane keeps its things (~/.routex)"),      \
        SWITCH("json", json, "answer for machines")
#define REACH                                                                \
    TEXT("url", "URL", url, "the control plane, if not the one here"),       \
        TEXT("token", "TOKEN", token, "admin token (better: ROUTEX_TOKEN)"), \
        HERE

#define CHANNEL_FIELDS                                                          \
    TEXT("type", "TYPE", type,                                                  \
        "which provider: anthropic, openai, gemini, deepseek, openrouter …"),   \
        TEXT("base-url", "URL", base_url, "another address than usual"),        \
        TEXT("api-key", "KEY", api_key, "its key; others can see it in ps"),    \
        SWITCH("api-key-stdin", api_key_stdin, "read the key from stdin"),      \
        TEXT("account", "ACCOUNT", account,                                     \
            "the account that serves it: routex login"),                        \
        MANY("model", "MODEL", models,                                          \
            "a model it serves, * allowed; NAME=UPSTREAM renames; any number"), \
        TEXT("priority", "N", priority, "higher is tried first"),               \
        OPT("weight", NULL, "N", rx_conf_u64, weight,                           \
            "share among channels of one priority"),                            \
        MANY("tag", "TAG", tags, "a word to find it by; any number"),           \
        TEXT("status", "STATUS", status, "enabled or disabled"),                \
        TEXT("proxy-url", "URL", proxy_url, "reach it by this proxy"),          \
        MANY("header", "'NAME: VALUE'", headers,                                \
            "a header to add to requests; any number"),                         \
        TEXT("transformers", "JSON", transformers,                              \
            "what to change: {\"use\":[…]}, or null for the usual")

/* Of all requests. */
#define ONLY                                                           \
    TEXT("tenant", "TENANT", tenant, "only of this tenant"),           \
        TEXT("key", "KEY", key, "only with this client key"),          \
        TEXT("channel", "CHANNEL", channel, "only over this channel"), \
        TEXT("model", "MODEL", model, "only to this model"),           \
        TEXT("rule", "RULE", rule, "only what this rule decided"),     \
        TEXT("tag", "TAG", tag, "only with this x-routex-tag"),        \
        TEXT("agent", "AGENT", agent, "only of this agent"),           \
        TEXT("client", "PROGRAM", client,                              \
            "only sent by this program, e.g. claude-code")

#define ALLOWED                                                       \
    MANY("model", "MODEL", models, "a model it may use; any number"), \
        MANY("channel", "CHANNEL", channels,                          \
            "a channel it may use; any number")

#define LIMITED                                                             \
    OPT("rpm", NULL, "N", rx_conf_u64, rpm, "requests a minute; 0: any"),   \
        OPT("tpm", NULL, "N", rx_conf_u64, tpm, "tokens a minute; 0: any"), \
        OPT("concurrent", NULL, "N", rx_conf_u64, concurrent,               \
            "requests at a time; 0: any"),                                  \
        TEXT("quota", "TOKENS/WINDOW", quota,                               \
            "e.g. 1000000/day; also week, month, total; 0: any"),           \
        MANY("ip", "ADDRESS", ips,                                          \
            "an address or network it may be used from; any number")

static const struct rx_conf_row reach[] = { REACH, { 0 } };
static const struct rx_conf_row channel_rows[] = {
    CHANNEL_FIELDS,
    REACH,
    { 0 },
};
static const struct rx_conf_row edit_rows[] = {
    TEXT("name", "NAME", name, "call it so from now on"),
    CHANNEL_FIELDS,
    REACH,
    { 0 },
};
static const struct rx_conf_row login_rows[] = {
    TEXT("account", "NAME", account,
        "what to call it, or which one logs in again (the provider's name)"),
    TEXT("code", "CODE", code,
        "what came of it: the code, code#state, or the whole address"),
    TEXT("state", "STATE", state, "where the code does not bring it"),
    REACH,
    { 0 },
};
static const struct rx_conf_row key_rows[] = {
    TEXT("tenant", "TENANT", tenant, "whom it belongs to (default)"),
    TEXT("expires", "TIME", expires, "RFC 3339, e.g. 2027-01-31T00:00:00Z"),
    SWITCH(
        "may-force-channel", may_force, "its requests may name their channel"),
    ALLOWED,
    LIMITED,
    REACH,
    { 0 },
};
static const struct rx_conf_row key_edit_rows[] = {
    TEXT("name", "NAME", name, "call it so from now on"),
    TEXT("status", "STATUS", status, "enabled or disabled"),
    TEXT("tenant", "TENANT", tenant, "whom it belongs to"),
    TEXT("expires", "TIME", expires, "RFC 3339, e.g. 2027-01-31T00:00:00Z"),
    SWITCH(
        "may-force-channel", may_force, "its requests may name their channel"),
    ALLOWED,
    LIMITED,
    REACH,
    { 0 },
};
#define PERSON                                            \
    TEXT("role", "ROLE", role, "viewer, admin or owner"), \
        SWITCH(                                           \
            "password-stdin", password_stdin, "read the password from stdin")
static const struct rx_conf_row user_rows[] = { PERSON, REACH, { 0 } };
static const struct rx_conf_row user_edit_rows[] = {
    TEXT("name", "NAME", name, "call it so from now on"),
    PERSON,
    REACH,
    { 0 },
};
static const struct rx_conf_row token_rows[] = {
    MANY("scope", "SCOPE", scopes,
        "what it may: *, write, read, channels:write …; any number"),
    TEXT("expires", "TIME", expires, "RFC 3339, e.g. 2027-01-31T00:00:00Z"),
    REACH,
    { 0 },
};
static const struct rx_conf_row audit_rows[] = {
    OPT("limit", NULL, "N", rx_conf_u64, limit, "how many (50)"),
    TEXT("actor", "WHO", actor, "only of this user or token"),
    TEXT("object", "NAME", object, "only what was done to it"),
    TEXT("kind", "KIND", kind, "only to channels, keys …: channel, key"),
    TEXT("action", "WORD", action, "only create, update, delete, login …"),
    TEXT("since", "TIME", since, "only after: RFC 3339, or 24h, 7d"),
    REACH,
    { 0 },
};
static const struct rx_conf_row rotate_rows[] = {
    OPT("overlap", NULL, "TIME", rx_conf_ms, overlap_ms,
        "how long the old one is good beside it, e.g. 24h"),
    REACH,
    { 0 },
};
static const struct rx_conf_row key_list_rows[] = {
    TEXT("tenant", "TENANT", tenant, "only those of this tenant"),
    REACH,
    { 0 },
};
static const struct rx_conf_row tenant_rows[] = { ALLOWED, LIMITED, REACH,
    { 0 } };
static const struct rx_conf_row tenant_edit_rows[] = {
    TEXT("name", "NAME", name, "call it so from now on"),
    TEXT("status", "STATUS", status, "enabled or disabled"),
    ALLOWED,
    LIMITED,
    REACH,
    { 0 },
};
static const struct rx_conf_row rule_rows[] = {
    TEXT("type", "TYPE", type,
        "default, background, think, longContext, webSearch, image, subagent "
        "or custom"),
    TEXT("condition", "JSON", condition,
        "when it holds, e.g. '{\"stream\":true}'"),
    MANY("channel", "CHANNEL", channels,
        "where to; several are tried in this order"),
    TEXT("to-tag", "TAG", to_tag, "or: to the channels with this tag"),
    TEXT("model", "MODEL", model, "ask for this model instead"),
    TEXT("priority", "N", priority, "higher is asked first (by type)"),
    SWITCH("strict", strict, "refuse when nothing there can be used"),
    TEXT("status", "STATUS", status, "enabled or disabled"),
    REACH,
    { 0 },
};
static const struct rx_conf_row explain_rows[] = {
    TEXT("dialect", "DIALECT", dialect,
        "anthropic, chat, responses or gemini (guessed)"),
    REACH,
    { 0 },
};
static const struct rx_conf_row request_rows[] = {
    SWITCH("follow", follow, "show new ones as they end, until Ctrl-C"),
    OPT("limit", NULL, "N", rx_conf_u64, limit, "how many (20)"),
    ONLY,
    TEXT("status", "STATUS", status, "only answered so, e.g. 429"),
    TEXT("since", "TIME", since, "only after, RFC 3339"),
    REACH,
    { 0 },
};
static const struct rx_conf_row usage_rows[] = {
    TEXT("by", "WHAT", by,
        "model, channel, tenant, key, rule, tag, agent, client, day or hour "
        "(model)"),
    TEXT("range", "TIME", range, "how far back: 30m, 24h, 30d (a week)"),
    ONLY,
    SWITCH("csv", csv, "as a file: a line per request, or per sum with --by"),
    TEXT("status", "STATUS", status, "only answered so (--csv without --by)"),
    TEXT("output", "FILE", output, "write it there (--csv)"),
    REACH,
    { 0 },
};
#define WEBHOOK_FIELDS                                           \
    MANY("kind", "KIND", kinds,                                  \
        "only alerts of this kind, e.g. budget_80; any number"), \
        TEXT("severity", "SEVERITY", severity,                   \
            "the least it is told of: info, warning or critical")
static const struct rx_conf_row webhook_add[] = { WEBHOOK_FIELDS, REACH,
    { 0 } };
static const struct rx_conf_row webhook_edit[] = {
    TEXT("name", "NAME", name, "call it so from now on"),
    TEXT("status", "STATUS", status, "enabled or disabled"),
    TEXT("to", "URL", to, "another address"),
    WEBHOOK_FIELDS,
    REACH,
    { 0 },
};
#define TEE_FIELDS                                                     \
    MANY("header", "'NAME: VALUE'", headers,                           \
        "a header to send along; kept sealed; any number"),            \
        MANY("resource", "NAME=VALUE", resource,                       \
            "otlp: an attribute of the resource; any number"),         \
        TEXT("sampling", "SHARE", sampling, "only some: 0 to 1"),      \
        TEXT("tenant", "TENANT", tenant, "only of this tenant"),       \
        TEXT("key", "KEY", key, "only with this client key"),          \
        TEXT("channel", "CHANNEL", channel, "only over this channel"), \
        TEXT("model", "MODEL", model, "only to this model"),           \
        TEXT("outcome", "OUTCOME", outcome,                            \
            "only with it: ok, error, refused, cut or cancelled"),     \
        TEXT("http-status", "STATUS", http_status,                     \
            "only answered so, e.g. 429")
static const struct rx_conf_row tee_add[] = { TEE_FIELDS, REACH, { 0 } };
static const struct rx_conf_row tee_edit[] = {
    TEXT("name", "NAME", name, "call it so from now on"),
    TEXT("status", "STATUS", status, "enabled or disabled"),
    TEXT("to", "URL", to, "another address"),
    TEE_FIELDS,
    REACH,
    { 0 },
};
#define DOCUMENT                                           \
    TEXT("select", "WHAT", select,                         \
        "only these kinds or items: channels,rules:long"), \
        TEXT("passphrase-file", "FILE", passphrase_file,   \
            "whose first line opens or seals the document's secrets")
static const struct rx_conf_row export_rows[] = {
    SWITCH("secrets", secrets, "with the secrets, sealed"),
    TEXT("output", "FILE", output, "write it there, not to stdout"),
    DOCUMENT,
    REACH,
    { 0 },
};
static const struct rx_conf_row import_rows[] = {
    SWITCH("dry-run", dry_run, "only show what would change"),
    SWITCH("replace", replace,
        "make the kinds in it as it says: what it does not have is removed"),
    DOCUMENT,
    REACH,
    { 0 },
};
static const struct rx_conf_row diff_rows[] = {
    SWITCH("replace", replace, "as import --replace would"),
    DOCUMENT,
    REACH,
    { 0 },
};
static const struct rx_conf_row agent_rows[] = {
    TEXT("prompt-file", "FILE", prompt_file, "its prompt; - is stdin"),
    TEXT("description", "TEXT", description, "what it is for"),
    TEXT("model", "MODEL", model, "what its requests ask for"),
    TEXT("routing", "CHANNELS", routing,
        "where they go: channels with commas, or tag:NAME"),
    REACH,
    { 0 },
};
static const struct rx_conf_row foreign_rows[] = {
    SWITCH("yes", yes, "take it over without asking"),
    SWITCH("dry-run", dry_run, "only show what would change"),
    REACH,
    { 0 },
};
static const struct rx_conf_row restore_rows[] = {
    SWITCH("offline", offline,
        "without a control plane: for a store that cannot be opened any more"),
    REACH,
    { 0 },
};
static const struct rx_conf_row apply_rows[] = {
    TEXT("file", "FILE", file, "the document (also -f); - is stdin"),
    SWITCH("prune", prune, "remove what it does not have, of the kinds in it"),
    SWITCH("dry-run", dry_run, "only show what would change"),
    DOCUMENT,
    REACH,
    { 0 },
};
static const struct rx_conf_row env_rows[] = {
    OPT("key", "ROUTEX_KEY", "KEY", rx_conf_text, key, "the client key"),
    HERE,
    { 0 },
};
static const struct rx_conf_row setup_rows[] = {
    SWITCH("first", first, "ask first whether to"),
    REACH,
    { 0 },
};
static const struct rx_conf_row no_rows[] = { HERE, { 0 } };

const struct command commands[] = {
    { "up", NULL, NULL, 0, 0, "start control plane and data planes here",
        up_rows, cmd_up, NULL },
    { "setup", NULL, NULL, 0, 0, "a channel, a strategy, a password: asked",
        setup_rows, cmd_setup, NULL },
    { "channel", "add", "NAME", 1, 1, "add an account", channel_rows,
        cmd_channel_add,
        "\nroutex channel add main --type anthropic --api-key-stdin\n"
        "routex channel add local --type openai-compatible "
        "--base-url http://127.0.0.1:11434/v1 --model 'qwen*'" },
    { "channel", "list", NULL, 0, 0, "show all", reach, cmd_list, NULL },
    { "channel", "show", "CHANNEL", 1, 1, "show one, with its keys", reach,
        cmd_channel_show, NULL },
    { "channel", "edit", "CHANNEL", 1, 1, "change what the options name",
        edit_rows, cmd_edit, NULL },
    { "channel", "rm", "CHANNEL...", 1, 100, "remove", reach, cmd_rm, NULL },
    { "channel", "test", "CHANNEL", 1, 1, "ask the provider itself", reach,
        cmd_channel_test, NULL },
    { "channel", "test-all", NULL, 0, 0, "the same of all channels", reach,
        cmd_channel_test_all, NULL },
    { "channel", "health", "CHANNEL", 1, 1, "what its health checks found",
        reach, cmd_channel_health, NULL },
    { "channel", "speed", "CHANNEL [URL...]", 1, 21,
        "which of these addresses answers fastest", reach, cmd_channel_speed,
        NULL },
    { "channel", "pause", "CHANNEL", 1, 1, "send it nothing for now", reach,
        cmd_channel_pause, NULL },
    { "channel", "resume", "CHANNEL", 1, 1, "use it again", reach,
        cmd_channel_resume, NULL },
    { "login", NULL, "PROVIDER", 1, 1, "log in: anthropic, openai", login_rows,
        cmd_login,
        "\nroutex login anthropic --account work\n"
        "Without a terminal: routex login anthropic --json, then\n"
        "routex login anthropic --code 'CODE#STATE'" },
    { "account", "list", NULL, 0, 0, "show all", reach, cmd_list, NULL },
    { "account", "show", "ACCOUNT", 1, 1, "show one", reach, cmd_show, NULL },
    { "account", "refresh", "ACCOUNT", 1, 1, "get a new token now", reach,
        cmd_account_refresh, NULL },
    { "account", "rm", "ACCOUNT...", 1, 100, "forget its tokens", reach, cmd_rm,
        NULL },
    { "key", "add", "NAME", 1, 1, "make a key and show it, once", key_rows,
        cmd_key_add, NULL },
    { "key", "list", NULL, 0, 0, "show all", key_list_rows, cmd_list, NULL },
    { "key", "show", "KEY", 1, 1, "show one", reach, cmd_show, NULL },
    { "key", "edit", "KEY", 1, 1, "change what is given", key_edit_rows,
        cmd_edit, NULL },
    { "key", "rm", "KEY...", 1, 100, "take away, by id or name", reach, cmd_rm,
        NULL },
    { "key", "rotate", "KEY", 1, 1, "replace by a new one, shown once",
        rotate_rows, cmd_key_rotate, NULL },
    { "tenant", "add", "NAME", 1, 1, "add one", tenant_rows, cmd_tenant_add,
        NULL },
    { "tenant", "list", NULL, 0, 0, "show all", reach, cmd_list, NULL },
    { "tenant", "show", "TENANT", 1, 1, "show one", reach, cmd_show, NULL },
    { "tenant", "edit", "TENANT", 1, 1, "change what is given",
        tenant_edit_rows, cmd_edit, NULL },
    { "tenant", "rm", "TENANT...", 1, 100, "remove", reach, cmd_rm, NULL },
    { "rule", "add", "NAME", 1, 1, "add one", rule_rows, cmd_rule_add,
        "\nroutex rule add thinking --type think --channel deep --model "
        "deepseek-reasoner\n"
        "routex rule add night --condition "
        "'{\"time\":{\"from\":\"22:00\",\"to\":\"06:00\"}}' --to-tag cheap" },
    { "rule", "list", NULL, 0, 0, "show all, in the order they are asked",
        reach, cmd_list, NULL },
    { "rule", "show", "RULE", 1, 1, "show one", reach, cmd_rule_show, NULL },
    { "rule", "rm", "RULE...", 1, 100, "remove", reach, cmd_rm, NULL },
    { "rule", "enable", "RULE", 1, 1, "ask it again", reach, cmd_rule_enable,
        NULL },
    { "rule", "disable", "RULE", 1, 1, "do not ask it for now", reach,
        cmd_rule_disable, NULL },
    { "route", "explain", "FILE", 1, 1,
        "where a request would go, and why; - is stdin", explain_rows,
        cmd_route_explain,
        "\nFILE holds a request body, or {\"dialect\",\"headers\",\"body\"}.\n"
        "routex route explain request.json" },
    { "alert", "list", NULL, 0, 0, "what you have to know of", reach, cmd_list,
        NULL },
    { "alert", "ack", "ID", 1, 1, "you have seen it", reach, cmd_alert_ack,
        NULL },
    { "anomalies", NULL, NULL, 0, 0, "unusual spending, loops, error bursts",
        reach, cmd_anomalies, NULL },
    { "webhook", "add", "NAME URL", 2, 2, "tell it of alerts", webhook_add,
        cmd_webhook_add, NULL },
    { "webhook", "list", NULL, 0, 0, "all webhooks", reach, cmd_list, NULL },
    { "webhook", "show", "WEBHOOK", 1, 1, "show one", reach, cmd_show, NULL },
    { "webhook", "edit", "WEBHOOK", 1, 1, "change what is given", webhook_edit,
        cmd_edit,
        "\nroutex webhook edit pager --to https://pager.example/in "
        "--severity critical" },
    { "webhook", "rm", "WEBHOOK...", 1, 100, "tell it nothing more", reach,
        cmd_rm, NULL },
    { "webhook", "test", "WEBHOOK", 1, 1, "send it something now", reach,
        cmd_webhook_test, NULL },
    { "settings", "show", NULL, 0, 0, "all of them, as JSON", reach,
        cmd_settings_show, NULL },
    { "settings", "set", "NAME=VALUE...", 1, 100, "change some", reach,
        cmd_settings_set,
        "\nroutex settings set strategy=latency health.interval_s=60 "
        "log_level=null\n" },
    { "tee", "add", "NAME SINK [URL]", 2, 3,
        "copy requests there: file, http, webhook or otlp", tee_add,
        cmd_tee_add, NULL },
    { "tee", "list", NULL, 0, 0, "all tees", reach, cmd_list, NULL },
    { "tee", "show", "TEE", 1, 1, "show one", reach, cmd_show, NULL },
    { "tee", "edit", "TEE", 1, 1, "change what is given", tee_edit, cmd_edit,
        "\nroutex tee edit lake --to https://lake.example/in --sampling 0.1\n"
        "routex tee edit lake --status disabled" },
    { "tee", "rm", "TEE...", 1, 100, "copy nothing there any more", reach,
        cmd_rm, NULL },
    { "requests", NULL, NULL, 0, 0, "the newest requests, or all to come",
        request_rows, cmd_requests, NULL },
    { "price", "load", "FILE", 1, 1,
        "LiteLLM's or models.dev's file; - is stdin", reach, cmd_price_load,
        NULL },
    { "price", "list", "[PART]", 0, 1, "what models cost, by name", reach,
        cmd_price_list, NULL },
    { "price", "show", "MODEL", 1, 1, "what a model costs", reach,
        cmd_price_show, NULL },
    { "price", "set", "MODEL INPUT OUTPUT", 3, 3,
        "dollars per million tokens; goes before any file", reach,
        cmd_price_set, NULL },
    { "price", "unset", "MODEL", 1, 1, "go back to the file's price", reach,
        cmd_price_unset, NULL },
    { "usage", NULL, NULL, 0, 0, "tokens and requests, summed up", usage_rows,
        cmd_usage, NULL },
    { "status", NULL, NULL, 0, 0, "data planes and channels", reach, cmd_status,
        NULL },
    { "planes", NULL, NULL, 0, 0, "what each has and does", reach, cmd_planes,
        NULL },
    { "user", "add", "NAME", 1, 1, "somebody who may log in", user_rows,
        cmd_user_add,
        "\nroutex user add anna --role admin --password-stdin < file" },
    { "user", "list", NULL, 0, 0, "show all", reach, cmd_list, NULL },
    { "user", "show", "USER", 1, 1, "show one", reach, cmd_show, NULL },
    { "user", "edit", "USER", 1, 1, "change what is given", user_edit_rows,
        cmd_edit, NULL },
    { "user", "rm", "USER...", 1, 100, "remove, with all sessions", reach,
        cmd_rm, NULL },
    { "token", "add", "NAME", 1, 1, "make a token and show it, once",
        token_rows, cmd_token_add,
        "\nroutex token add ci --scope read --scope channels:write" },
    { "token", "list", NULL, 0, 0, "show all", reach, cmd_list, NULL },
    { "token", "rm", "ID...", 1, 100, "take away, by id", reach, cmd_rm, NULL },
    { "audit", NULL, NULL, 0, 0, "the newest changes", audit_rows, cmd_audit,
        NULL },
    { "doctor", NULL, NULL, 0, 0, "look at everything, say what to do", reach,
        cmd_doctor, NULL },
    { "agent", "list", NULL, 0, 0, "show all", reach, cmd_list, NULL },
    { "agent", "show", "AGENT", 1, 1, "show one", reach, cmd_agent_show, NULL },
    { "agent", "edit", "AGENT", 1, 1, "change it, or make it", agent_rows,
        cmd_agent_edit,
        "\nroutex agent edit reviewer --prompt-file review.txt --model "
        "deepseek-reasoner --routing deep" },
    { "agent", "rm", "AGENT...", 1, 100, "remove its file", reach, cmd_rm,
        NULL },
    { "config", "export", NULL, 0, 0, "write it all down, as JSON", export_rows,
        cmd_config_export,
        "\nroutex config export > routex.json\n"
        "routex config export --secrets --passphrase-file pass --output all" },
    { "config", "import", "FILE", 1, 1, "take a document in; - is stdin",
        import_rows, cmd_config_import, NULL },
    { "config", "diff", "FILE", 1, 1,
        "what a document would change; exit 1 if it would", diff_rows,
        cmd_config_diff, NULL },
    { "import", NULL, "SYSTEM FILE", 2, 2,
        "take over the configuration of another router", foreign_rows,
        cmd_import,
        "\nSYSTEM is ccr (config.json or config.sqlite), ccflare, "
        "better-ccflare, llmio,\nroutex (of dctx-team) or cc-switch (its "
        "export).  What cannot be carried over is\nsaid, and why.  Without "
        "--yes nothing is changed unless you are asked.\n\n"
        "routex import ccr ~/.claude-code-router/config.json" },
    { "config", "backup", NULL, 0, 0, "copy the store now", reach,
        cmd_config_backup, NULL },
    { "config", "backups", NULL, 0, 0, "show the copies there are", reach,
        cmd_config_backups, NULL },
    { "config", "restore", "BACKUP", 1, 1,
        "go back to a copy; later requests are kept", restore_rows,
        cmd_config_restore,
        "\nBACKUP is a name of routex config backups, or latest." },
    { "apply", NULL, "[FILE]", 0, 1,
        "make it as a document says; twice is once", apply_rows, cmd_apply,
        "\nroutex apply -f routex.json\n"
        "routex apply -f - --prune < routex.json" },
    { "env", NULL, "CLIENT", 1, 1, "what to export for a client", env_rows,
        cmd_env,
        "\neval \"$(routex env claude)\" && claude\n"
        "CLIENT is claude, codex, gemini or openai." },
    { "code", NULL, "-- PROGRAM...", 1, 1000, "run claude, codex, gemini ...",
        env_rows, cmd_code, "\nroutex code -- claude -p 'Hello'" },
    { "completion", NULL, "SHELL", 1, 1, "script for bash, zsh or fish",
        no_rows, cmd_completion, "\nsource <(routex completion bash)" },
    { 0 },
};
