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
    const char *sink, *to, *http_status;
    /* webhooks */
    struct rx_conf_list kinds;
    const char *severity;
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

#define CLI_ID 128

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

/* What commands are about. */
struct noun {
    const char *name; /* NULL ends the table */
    const char *help; /* for `routex <noun> --help` */
    /* Where there are many of it, by name: what noun.c needs. */
    const char *title; /* "Channel" */
    const char *path;  /* "/api/channels/" */
    const char *list;  /* "/api/channels?limit=200" */
    const struct table_column *columns;
    const struct table_column *one; /* NULL: those of the list */
    /* The id behind a word; false: not one, *code is set.  NULL: the API knows
     * it by the word. */
    bool (*find)(struct cli *c, const char *word, char id[CLI_ID], int *code);
    /* What the options say of it, but for name and status.  False: they do not
     * make sense, which was said. */
    bool (*put)(struct cli *c, struct rx_json_out *w);
};
extern const struct noun nouns[];

struct cli {
    const struct command *command;
    const struct noun *noun;
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
/* Words with a separator between name and value, as an object of texts. */
void cli_put_pairs(struct rx_json_out *w, const char *key, char separator,
    const struct rx_conf_list *list);
/* A value that is JSON already; false: it is not, which was said. */
bool cli_put_json(struct rx_json_out *w, const char *key, const char *option,
    const char *value);

/* ---- nouns: noun.c ---- */

/* All pages of a list in one array; the caller frees the document. */
bool cli_all(
    struct cli *c, const char *path, struct rx_json_doc **out, int *code);
/* POST what the options say.  True: it is made; `out` is to be ended, and was
 * printed where --json asks for it. */
bool cli_make(
    struct cli *c, const char *name, struct remote_answer *out, int *code);
/* The same, with a sentence. */
int cli_add(struct cli *c, const char *name, const char *fmt, ...)
    RX_PRINTF(3, 4);

extern const struct table_column cmd_channel_columns[], cmd_account_columns[],
    cmd_account_one[], cmd_key_columns[], cmd_tenant_columns[],
    cmd_tenant_one[], cmd_rule_columns[], cmd_webhook_columns[],
    cmd_tee_columns[], cmd_user_columns[], cmd_token_columns[],
    cmd_agent_columns[], cmd_alert_columns[];
typedef bool cli_put_fn(struct cli *c, struct rx_json_out *w);
cli_put_fn cmd_channel_put, cmd_key_put, cmd_tenant_put, cmd_webhook_put,
    cmd_tee_put, cmd_user_put, cmd_token_put;
bool cmd_key_find(struct cli *c, const char *word, char id[CLI_ID], int *code);

/* Handlers, by file. */
typedef int cli_fn(struct cli *c, int argc, char **argv);
cli_fn cmd_up, cmd_setup;
cli_fn cmd_list, cmd_show, cmd_edit, cmd_rm; /* of any noun */
cli_fn cmd_channel_add, cmd_channel_show, cmd_channel_test, cmd_channel_pause,
    cmd_channel_resume;
cli_fn cmd_login, cmd_account_refresh;
cli_fn cmd_key_add, cmd_key_rotate, cmd_tenant_add;
cli_fn cmd_rule_add, cmd_rule_show, cmd_rule_enable, cmd_rule_disable,
    cmd_route_explain;
cli_fn cmd_channel_health, cmd_channel_speed, cmd_channel_test_all,
    cmd_anomalies, cmd_alert_ack;
cli_fn cmd_webhook_add, cmd_webhook_test, cmd_tee_add;
cli_fn cmd_settings_show, cmd_settings_set;
cli_fn cmd_user_add, cmd_token_add, cmd_audit, cmd_planes;
cli_fn cmd_price_load, cmd_price_list, cmd_price_show, cmd_price_set,
    cmd_price_unset;
cli_fn cmd_requests, cmd_usage, cmd_usage_csv, cmd_status, cmd_doctor;
cli_fn cmd_config_backup, cmd_config_backups, cmd_config_restore;
cli_fn cmd_agent_show, cmd_agent_edit;
cli_fn cmd_import;
cli_fn cmd_config_export, cmd_config_import, cmd_config_diff, cmd_apply;
cli_fn cmd_env, cmd_code, cmd_completion;

#endif
