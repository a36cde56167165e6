/*
 * routex-control - the words of its command line, and what they ask for.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/api.h"
#include "controlplane/control.h"
#include "shared/secret.h"

static const struct rx_conf_row rows[] = {
    RX_CONF("data-dir", "ROUTEX_DATA_DIR", "DIR", rx_conf_text, struct options,
        data_dir, NULL, "where everything is kept [~/.routex]"),
    RX_CONF("database", "DATABASE_PATH", "FILE", rx_conf_text, struct options,
        db_path, NULL, "the store [<data-dir>/routex.db]"),
    RX_CONF("master-key-file", "ROUTEX_MASTER_KEY_FILE", "FILE", rx_conf_text,
        struct options, key_file, NULL,
        "seals the secrets in the store [<data-dir>/master.key]"),
    RX_CONF("host", "ADMIN_HOST", "ADDRESS", rx_conf_text, struct options, host,
        "127.0.0.1", "where the admin API listens"),
    RX_CONF("admin-port", "ADMIN_PORT", "PORT", rx_conf_port, struct options,
        admin_port, "8081", "its port; 0: any"),
    RX_CONF("admin-api-key", "ADMIN_API_KEY", "TOKEN", rx_conf_text,
        struct options, admin_key, NULL, "an admin token of your own choice"),
    RX_CONF("publish", NULL, "URL", rx_conf_text, struct options, publish, NULL,
        "where data planes listen to us: ipc://, tcp://, tls+tcp://\n"
        "[ipc in <data-dir>/run]"),
    RX_CONF("pull", NULL, "URL", rx_conf_text, struct options, pull, NULL,
        "where data planes talk to us [ipc in <data-dir>/run]"),
    RX_CONF("tls-file", NULL, "FILE", rx_conf_text, struct options, tls_file,
        NULL, "certificate and key, for tls+tcp:// only"),
    RX_CONF("demo-url", NULL, "URL", rx_conf_text, struct options, demo_url,
        NULL, "a demo provider, used when there is no other channel"),
    RX_CONF("strategy", "LOAD_BALANCE_STRATEGY", "NAME", rx_conf_text,
        struct options, strategy, NULL,
        "set whom requests go to, at each start: see /api/settings"),
    RX_CONF("session-duration", "SESSION_DURATION", "SECONDS", rx_conf_text,
        struct options, session_s, NULL,
        "set how long conversations stay where they are, at each start"),
    RX_CONF("restore", NULL, "BACKUP", rx_conf_text, struct options, restore,
        NULL,
        "put a backup (its name, a path, or latest) in the store's place, and\n"
        "end; for a store that cannot be opened any more"),
    RX_CONF("dashboard", "ENABLE_DASHBOARD", NULL, rx_conf_switch,
        struct options, dashboard, "true", "serve the dashboard"),
    RX_CONF("dashboard-dir", NULL, "DIR", rx_conf_text, struct options,
        dashboard_dir, NULL, "its files [beside the program]"),
    RX_CONF("oauth", "ROUTEX_OAUTH", "WORDS", rx_conf_list, struct options,
        oauth, NULL,
        "log-ins at providers: PROVIDER.FIELD=VALUE, ';' between them;\n"
        "fields: client_id client_secret authorize_url token_url redirect_uri\n"
        "scope encoding extra_query proxy_url ca_file"),
    RX_CONF_SWITCH("forget-secrets", NULL, struct options, forget,
        "the master key is lost: forget what it sealed, and end; channels\n"
        "then wait for their keys"),
    RX_CONF_SWITCH("compact", NULL, struct options, compact,
        "write the store's file anew without its gaps, and end"),
    RX_CONF_SWITCH("json", NULL, struct options, json,
        "print the first credentials for machines"),
    RX_CONF("log-level", "LOG_LEVEL", "LEVEL", rx_conf_level, struct options,
        log_level, "info", "error, warn, info or debug"),
    { 0 },
};

static const struct rx_conf conf = {
    .program = "routex-control",
    .summary = "The control plane of Routex: owns the store, serves the admin "
               "API, tells\nthe data planes what was decided and takes in what "
               "happened.",
    .rows = rows,
};

/* The same program with the same words, on the port it had. */
static int
run_again(int argc, char **argv, uint16_t port)
{
    static char flag[] = "--admin-port";
    char number[8];
    char **words = calloc((size_t)argc + 3, sizeof(*words));

    if (words == NULL)
        abort();
    memcpy(words, argv, (size_t)argc * sizeof(*words));
    snprintf(number, sizeof(number), "%u", port);
    words[argc] = flag;
    words[argc + 1] = number;
    execv("/proc/self/exe", words);
    rx_error(
        "control.not_restarted", "reason=%s", rx_log_quote(strerror(errno)));
    return 1;
}

int
main(int argc, char **argv)
{
    struct control c = { 0 };
    struct rx_err err = { 0 };
    int count = argc;
    char **words = calloc((size_t)argc + 1, sizeof(*words));

    if (words == NULL)
        abort();
    memcpy(words, argv, (size_t)argc * sizeof(*words));

    switch (rx_conf_load(&conf, &c.options, &argc, argv, &err)) {
    case RX_CONF_RUN: break;
    case RX_CONF_DONE: free(words); return 0;
    case RX_CONF_WRONG:
        free(words);
        fprintf(stderr, "routex-control: %s\n", err.text);
        return 2;
    }
    rx_log_init("control", c.options.log_level);
    rx_secret_init();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk */
    if (c.options.restore != NULL || c.options.forget || c.options.compact) {
        free(words);
        return c.options.compact  ? offline_compact(&c, &err)
               : c.options.forget ? offline_forget_secrets(&c, &err)
                                  : offline_restore(&c, &err);
    }
    if (control_start(&c, &err) != RX_OK) {
        fprintf(stderr, "routex-control: %s\n", err.text);
        control_close(&c);
        free(words);
        return 1;
    }
    rx_startup_begin(&c.startup, c.loop);
    rx_info("control.ready", "admin_port=%u", api_port(c.api));
    rx_loop_run(c.loop);
    place_untell(&c.place);
    control_close(&c);
    rx_info("control.stopped", "clean=true");
    int end = c.again ? run_again(count, words, c.port) : 0;
    free(words);
    return end;
}
