/*
 * command.h - the command line as a table: one row per command, from which
 * dispatch, help and shell completion come.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/cli/home.h"
#include "controlplane/cli/remote.h"
#include "controlplane/cli/table.h"
#include "shared/conf.h"

/* Exit codes. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* refused, or something is wrong */
    CLI_USAGE = 2,       /* the command was not understood */
    CLI_UNREACHABLE = 3, /* no control plane, or no way in */
};

/* Options of all commands.  Numbers nobody gave are UINT64_MAX. */
struct cli_options {
    const char *data_dir, *url, *token;
    bool json;
    /* channels */
    const char *name, *type, *base_url, *api_key, *proxy_url, *status;
    bool api_key_stdin;
    /* accounts */
    const char *account, *code, *state;
    struct rx_conf_list models, tags, headers;
    const char *priority;     /* may be negative */
    const char *transformers; /* JSON */
    uint64_t weight;
    /* keys and tenants */
    const char *tenant, *expires;
    bool may_force;
    struct rx_conf_list channels, ips;
    uint64_t rpm, tpm, concurrent, overlap_ms;
    const char *quota; /* "1000000/day" */
    /* rules */
    const char *condition, *to_tag, *dialect;
    bool strict;
    /* requests and usage */
    bool follow, csv;
    uint64_t limit;
    const char *channel, *model, *key, *since, *range, *by;
    const char *rule, *tag, *agent, *client;
    /* tees */
    const char *outcome, *sampling;
    struct rx_conf_list resource;
    /* configuration */
    const char *prompt_file, *routing, *description;
    const char *passphrase_file, *select, *output, *file;
    bool secrets, replace, prune, dry_run, yes, offline;
    /* users, tokens and what they did */
    const char *role, *actor, *object, *kind, *action;
    bool password_stdin;
    struct rx_conf_list scopes;
    /* setup */
    bool first;
};

struct cli;
struct command {
    const char *noun;  /* NULL ends the table */
    const char *verb;  /* NULL: the noun is the command */
    const char *words; /* "CHANNEL"; NULL: takes none */
    unsigned min, max; /* words it takes */
    const char *help;  /* one line */
    const struct rx_conf_row *rows;
    int (*run)(struct cli *c, int argc, char **argv);
    const char *more; /* further lines for its own --help; may be NULL */
};
extern const struct command commands[];

/* What a noun stands for, for `routex <noun> --help`. */
struct noun {
    const char *name;
    const char *help;
};
extern const struct noun nouns[];

struct cli {
    const struct command *command;
    struct cli_options o;
    char data_dir[HOME_PATH];
    struct remote remote;
    bool remote_known;
    bool patient;         /* what is asked may take an hour */
    char passphrase[448]; /* as a header; empty: none */
    bool colour;
    struct rx_buf out; /* printed at the end, or by cli_flush() */
};

/* argv[0] is the program's name; returns the exit code. */
int cli_main(int argc, char **argv);

/* ---- for the commands ---- */

/* Print "routex: ..." on stderr and return the exit code that belongs to it. */
int cli_fail(const struct rx_err *err);
/* Print what was gathered in c->out. */
void cli_flush(struct cli *c);
/* Find out where the control plane is, once. */
RX_NODISCARD enum rx_code cli_reach(struct cli *c, struct rx_err *err);
/* Ask the admin API; on failure the answer is ended and the exit code is set. */
bool cli_call(struct cli *c, const char *method, const char *path, rx_str body,
    struct remote_answer *out, int *exit_code);
/* The same, and the words are left to the caller; `out` is to be ended. */
bool cli_try(struct cli *c, const char *method, const char *path, rx_str body,
    struct remote_answer *out, struct rx_err *err);
/* Print a list, an object, or with --json the "data" as it came. */
void cli_print(struct cli *c, const struct table_column *columns, rx_json data);
/* GET and print. */
int cli_get(
    struct cli *c, const char *path, const struct table_column *columns);
/* Send `body`, then print one sentence (or the data with --json). */
int cli_change(struct cli *c, const char *method, const char *path, rx_str body,
    const char *fmt, ...) RX_PRINTF(5, 6);
/* "/api/channels/" and `word`, escaped as a part of a path. */
void cli_path(struct rx_buf *out, const char *prefix, const char *word,
    const char *suffix);
/* "&name=value" (or "?"), value escaped; nothing when it is NULL. */
void cli_query(struct rx_buf *out, const char *name, const char *value);
/* Add which requests it is about: --tenant to --client. */
void cmd_usage_only(const struct cli *c, struct rx_buf *path);
void cli_put_list(
    struct rx_json_out *w, const char *key, const struct rx_conf_list *list);
void cli_put_opt(struct rx_json_out *w, const char *key, const char *value);

extern const struct table_column cmd_channel_columns[];

/* Handlers, by file. */
typedef int cli_fn(struct cli *c, int argc, char **argv);
cli_fn cmd_up, cmd_setup;
cli_fn cmd_channel_add, cmd_channel_list, cmd_channel_show, cmd_channel_edit,
    cmd_channel_rm, cmd_channel_test, cmd_channel_pause, cmd_channel_resume;
cli_fn cmd_login, cmd_account_list, cmd_account_show, cmd_account_refresh,
    cmd_account_rm;
cli_fn cmd_key_add, cmd_key_list, cmd_key_rm, cmd_key_rotate;
cli_fn cmd_tenant_add, cmd_tenant_list, cmd_tenant_show, cmd_tenant_edit,
    cmd_tenant_rm;
cli_fn cmd_rule_add, cmd_rule_list, cmd_rule_show, cmd_rule_rm, cmd_rule_enable,
    cmd_rule_disable, cmd_route_explain;
cli_fn cmd_channel_health, cmd_channel_speed, cmd_channel_test_all,
    cmd_alert_list, cmd_anomalies, cmd_alert_ack, cmd_webhook_add,
    cmd_webhook_list, cmd_webhook_rm, cmd_webhook_test;
cli_fn cmd_tee_add, cmd_tee_list, cmd_tee_rm, cmd_settings_show,
    cmd_settings_set;
cli_fn cmd_user_add, cmd_user_list, cmd_user_show, cmd_user_edit, cmd_user_rm,
    cmd_token_add, cmd_token_list, cmd_token_rm, cmd_audit, cmd_planes;
cli_fn cmd_key_show, cmd_key_edit, cmd_price_unset;
cli_fn cmd_price_load, cmd_price_list, cmd_price_show, cmd_price_set;
cli_fn cmd_requests, cmd_usage, cmd_usage_csv, cmd_status, cmd_doctor;
cli_fn cmd_config_backup, cmd_config_backups, cmd_config_restore;
cli_fn cmd_agent_list, cmd_agent_show, cmd_agent_edit, cmd_agent_rm;
cli_fn cmd_import;
cli_fn cmd_config_export, cmd_config_import, cmd_config_diff, cmd_apply;
cli_fn cmd_env, cmd_code, cmd_completion;

#endif
