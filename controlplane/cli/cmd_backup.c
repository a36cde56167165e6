/*
 * cmd_backup.c - routex config backup, backups, restore
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"

static const struct table_column backups[] = {
    { "NAME", "name", TABLE_TEXT },
    { "CREATED", "created_at", TABLE_TIME },
    { "BYTES", "bytes", TABLE_NUMBER },
    { "REQUESTS", "requests", TABLE_NUMBER },
    { "CHANNELS", "channels", TABLE_NUMBER },
    { 0 },
};

int
cmd_config_backup(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    int code = CLI_OK;

    (void)argc;
    (void)argv;
    c->patient = true;
    if (!cli_call(c, "POST", "/api/config/backup", RX_S(""), &answer, &code))
        return code;
    if (c->o.json) {
        cli_print(c, backups, answer.data);
    } else {
        rx_str name = rx_json_str(rx_json_find(answer.data, "name"));
        rx_buf_addf(&c->out,
            "%.*s is made and checked.  Keep master.key apart from it.\n",
            (int)name.len, name.ptr);
    }
    remote_answer_fini(&answer);
    return CLI_OK;
}

int
cmd_config_backups(struct cli *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return cli_get(c, "/api/config/backups", backups);
}

/* The control plane's own program does it, beside this one. */
static int
restore_offline(struct cli *c, const char *name)
{
    char program[HOME_PATH];
    struct rx_err err = { 0 };

    if (home_sibling("routex-control", program, &err) != RX_OK)
        return cli_fail(&err);
    execl(program, program, "--data-dir", c->data_dir, "--restore", name,
        (char *)NULL);
    fprintf(stderr, "routex: %s: %s\n", program, strerror(errno));
    return CLI_FAILED;
}

int
cmd_config_restore(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    int code = CLI_OK;

    (void)argc;
    if (c->o.offline)
        return restore_offline(c, argv[1]);
    c->patient = true;
    cli_path(&path, "/api/config/backups/", argv[1], "/restore");
    if (cli_call(c, "POST", path.ptr, RX_S(""), &answer, &code)) {
        uint64_t kept = 0;
        uint64_t lost = 0;
        rx_json_u64(rx_json_find(answer.data, "requests_kept"), &kept);
        rx_json_u64(rx_json_find(answer.data, "requests_lost"), &lost);
        rx_str aside = rx_json_str(rx_json_find(answer.data, "aside"));
        if (c->o.json)
            cli_print(c, NULL, answer.data);
        else
            rx_buf_addf(&c->out,
                "%s is in place.  %llu requests that came after it were kept, "
                "%llu could not be read.\nThe store that was in use is %.*s\n",
                argv[1], (unsigned long long)kept, (unsigned long long)lost,
                (int)aside.len, aside.ptr);
        remote_answer_fini(&answer);
    } else if (code == CLI_UNREACHABLE) {
        fprintf(stderr,
            "routex: if the control plane cannot be started any "
            "more: routex config restore %s --offline\n",
            argv[1]);
    }
    rx_buf_fini(&path);
    return code;
}
