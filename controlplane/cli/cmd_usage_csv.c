/*
 * routex usage --csv
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"

struct sheet {
    FILE *file;
    bool failed;
};

static void
on_bytes(void *arg, rx_str bytes)
{
    struct sheet *s = arg;

    if (fwrite(bytes.ptr, 1, bytes.len, s->file) != bytes.len)
        s->failed = true;
}

static void
ask(const struct cli *c, struct rx_buf *path)
{
    cli_path(path, "/api/usage.csv", "", "");
    cli_query(path, "by", c->o.by);
    cli_query(path, "range", c->o.range);
    cmd_usage_only(c, path);
    cli_query(path, "status", c->o.status);
}

static enum rx_code
end(struct sheet *s, const char *name, enum rx_code code, struct rx_err *err)
{
    bool closed =
        s->file == stdout ? fflush(s->file) == 0 : fclose(s->file) == 0;

    if (code == RX_OK && (s->failed || !closed))
        code = rx_fail(err, RX_INTERNAL, "%.150s: %s",
            name != NULL ? name : "stdout", strerror(errno));
    if (code != RX_OK && name != NULL)
        (void)unlink(name); /* half a file is worse than none */
    return code;
}

int
cmd_usage_csv(struct cli *c, int argc, char **argv)
{
    struct sheet s = { .file = stdout };
    struct rx_err err = { 0 };
    struct rx_buf path;

    (void)argc;
    (void)argv;
    enum rx_code code = cli_reach(c, &err);
    if (code == RX_OK && c->o.output != NULL &&
        (s.file = fopen(c->o.output, "wb")) == NULL)
        code = rx_fail(
            &err, RX_INVALID, "%.150s: %s", c->o.output, strerror(errno));
    if (code != RX_OK)
        return cli_fail(&err);
    ask(c, &path);
    code = remote_download(&c->remote, path.ptr, on_bytes, &s, &err);
    rx_buf_fini(&path);
    code = end(&s, c->o.output, code, &err);
    return code == RX_OK ? CLI_OK : cli_fail(&err);
}
