/*
 * up_args.c - how the children of `routex up` are called.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "controlplane/cli/up_state.h"

static void arg_format(struct child *c, const char *fmt, ...) RX_PRINTF(2, 3);

static void
arg_format(struct child *c, const char *fmt, ...)
{
    char text[2 * HOME_PATH];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    child_arg(c, text);
}

static enum rx_code
begin_args(struct child *c, const char *program, struct rx_err *err)
{
    char path[HOME_PATH];
    enum rx_code code = home_sibling(program, path, err);

    child_clear(c);
    if (code == RX_OK)
        child_arg(c, path);
    return code;
}

enum rx_code
up_control_args(struct up *u, uint16_t admin_port, struct rx_err *err)
{
    struct child *c = &u->control;
    enum rx_code code = begin_args(c, "routex-control", err);

    if (code != RX_OK)
        return code;
    arg_format(c, "--data-dir=%s", u->data_dir);
    arg_format(c, "--host=%s", u->o.admin_host);
    arg_format(c, "--admin-port=%u", (unsigned)admin_port);
    arg_format(c, "--publish=ipc://%s/run/pub.sock", u->data_dir);
    arg_format(c, "--pull=ipc://%s/run/pull.sock", u->data_dir);
    arg_format(c, "--demo-url=http://127.0.0.1:%u", (unsigned)u->demo_port);
    child_arg(c, "--json");
    return RX_OK;
}

enum rx_code
up_plane_args(struct up *u, unsigned i, struct rx_err *err)
{
    struct child *c = &u->planes[i];
    enum rx_code code = begin_args(c, "routex-data", err);

    if (code != RX_OK)
        return code;
    arg_format(c, "--data-dir=%s", u->data_dir);
    arg_format(c, "--plane=%s", u->names[i]);
    arg_format(c, "--host=%s", u->o.host);
    arg_format(c, "--port=%u", (unsigned)u->port);
    child_arg(c, "--ops-port=0");
    arg_format(c, "--control=ipc://%s/run/pub.sock,ipc://%s/run/pull.sock",
        u->data_dir, u->data_dir);
    arg_format(c, "--join-token-file=%s/join.token", u->data_dir);
    arg_format(c, "--admin-url=%s", u->admin_url);
    arg_format(c, "--drain-timeout=%" PRIu64 "ms", u->o.drain_ms);
    return RX_OK;
}

enum rx_code
up_demo_args(struct up *u, struct rx_err *err)
{
    enum rx_code code = begin_args(&u->demo, "routex-demo", err);

    if (code != RX_OK)
        return code;
    arg_format(&u->demo, "--port=%u", (unsigned)u->demo_port);
    child_arg(&u->demo, "--reuse-port");
    return RX_OK;
}
