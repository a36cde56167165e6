/*
 * routex-data: wires the data plane together and runs it.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/follow.h"
#include "dataplane/ops.h"
#include "dataplane/proxy.h"
#include "shared/buf.h"
#include "shared/conf.h"
#include "shared/log.h"
#include "shared/loop.h"
#include "shared/secret.h"
#include "shared/startup.h"
#include "shared/url.h"

struct options {
    const char *data_dir;
    const char *plane;
    const char *host;
    uint16_t port;
    const char *ops_host;
    uint16_t ops_port;
    const char *control;
    const char *join_token_file;
    const char *tls_ca_file;
    const char *admin_url;
    uint64_t drain_ms;
    uint64_t keepalive_ms;
    enum rx_log_level log_level;
};

static const struct rx_conf_row rows[] = {
    RX_CONF("data-dir", "ROUTEX_DATA_DIR", "DIR", rx_conf_text, struct options,
        data_dir, NULL, "where the journal and the last snapshot are kept"),
    RX_CONF("plane", "ROUTEX_PLANE", "ID", rx_conf_text, struct options, plane,
        "data-1", "stable name of this data plane"),
    RX_CONF("host", "HOST", "ADDR", rx_conf_text, struct options, host,
        "127.0.0.1", "where clients connect"),
    RX_CONF("port", "PORT", "N", rx_conf_port, struct options, port, "8080",
        "clients' port; 0: any"),
    RX_CONF("ops-host", NULL, "ADDR", rx_conf_text, struct options, ops_host,
        "127.0.0.1", "where /livez, /readyz and /metrics are"),
    RX_CONF("ops-port", "OPS_PORT", "N", rx_conf_port, struct options, ops_port,
        "0", "their port; 0: any"),
    RX_CONF("control", "ROUTEX_CONTROL", "PUB,PULL", rx_conf_text,
        struct options, control, NULL,
        "the control plane's two sockets: tcp://host:7401,tcp://host:7402"),
    RX_CONF("join-token-file", "ROUTEX_JOIN_TOKEN_FILE", "FILE", rx_conf_text,
        struct options, join_token_file, NULL,
        "the team's join token, as the control plane made it"),
    RX_CONF("tls-ca-file", NULL, "FILE", rx_conf_text, struct options,
        tls_ca_file, NULL, "who signed the control plane (tls+tcp:// only)"),
    RX_CONF("admin-url", NULL, "URL", rx_conf_text, struct options, admin_url,
        NULL, "hand /api and /dashboard on to this address"),
    RX_CONF("keepalive", NULL, "TIME", rx_conf_ms, struct options, keepalive_ms,
        "15s", "a silent stream's client gets a sign of life; 0: never"),
    RX_CONF("drain-timeout", "DRAIN_TIMEOUT", "TIME", rx_conf_ms,
        struct options, drain_ms, "5m",
        "how long running answers may take after SIGTERM"),
    RX_CONF("log-level", "LOG_LEVEL", "LEVEL", rx_conf_level, struct options,
        log_level, "info", "error, warn, info or debug"),
    { 0 },
};

static const struct rx_conf conf = {
    .program = "routex-data",
    .summary = "Routex's data plane: proxies, and knows no database.",
    .rows = rows,
};

struct daemon {
    struct options options;
    struct rx_loop *loop;
    struct rx_stat *stat;
    struct follow *follow;
    struct proxy proxy;
    struct ops ops;
    struct rx_timer drain_limit;
    struct rx_startup startup;
    char pub_url[256];
    char pull_url[256];
    char client_url[320];
    char ops_url[320];
    char plane_dir[512]; /* <data>/data/<plane> */
};

static void
load(void *arg, struct follow_load *out)
{
    const struct daemon *d = arg;

    out->requests = d->proxy.requests;
    out->active = d->proxy.active;
}

/* "PUB,PULL" into its two halves. */
static enum rx_code
split_control(struct daemon *d, struct rx_err *err)
{
    rx_str both = { d->options.control, strlen(d->options.control) };
    rx_str pub;
    rx_str pull;

    if (!rx_str_cut(both, ',', &pub, &pull) || pub.len == 0 || pull.len == 0 ||
        pub.len >= sizeof(d->pub_url) || pull.len >= sizeof(d->pull_url))
        return rx_fail(
            err, RX_INVALID, "--control: two addresses are needed, PUB,PULL");
    memcpy(d->pub_url, pub.ptr, pub.len);
    memcpy(d->pull_url, pull.ptr, pull.len);
    return RX_OK;
}

static enum rx_code
check_options(struct daemon *d, struct rx_err *err)
{
    const struct options *o = &d->options;
    struct rx_url url;

    if (o->data_dir == NULL)
        return rx_fail(err, RX_INVALID, "--data-dir is needed");
    if (o->control == NULL)
        return rx_fail(err, RX_INVALID, "--control is needed");
    if (o->join_token_file == NULL)
        return rx_fail(err, RX_INVALID, "--join-token-file is needed");
    if (o->admin_url != NULL &&
        rx_url_split(
            (rx_str){ o->admin_url, strlen(o->admin_url) }, &url, err) != RX_OK)
        return rx_because(err, "--admin-url");
    return split_control(d, err);
}

/* <data>/data/<plane>, made as needed; a name is one path component. */
static enum rx_code
make_plane_dir(struct daemon *d, struct rx_err *err)
{
    const struct options *o = &d->options;
    char parent[480];

    if (o->plane[0] == '\0' || o->plane[0] == '.' ||
        strchr(o->plane, '/') != NULL)
        return rx_fail(err, RX_INVALID, "--plane: not a usable name");
    mkdir(o->data_dir, 0700);
    snprintf(parent, sizeof(parent), "%s/data", o->data_dir);
    mkdir(parent, 0700);
    if (snprintf(d->plane_dir, sizeof(d->plane_dir), "%s/%s", parent,
            o->plane) >= (int)sizeof(d->plane_dir))
        return rx_fail(err, RX_INVALID, "--data-dir: too long a path");
    if (mkdir(d->plane_dir, 0700) != 0 && errno != EEXIST)
        return rx_fail(
            err, RX_INTERNAL, "%s: %s", d->plane_dir, strerror(errno));
    return RX_OK;
}

static const char *
reachable(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host;
}

/* <data>/run/<plane>.json: where others find us. tmp + rename. */
static enum rx_code
write_run_file(struct daemon *d, struct rx_err *err)
{
    char path[512];
    char tmp[520];

    snprintf(path, sizeof(path), "%s/run", d->options.data_dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/run/%s.json", d->options.data_dir,
        d->options.plane);
    snprintf(tmp, sizeof(tmp), "%s.tmp", path);
    FILE *f = fopen(tmp, "we");
    if (f == NULL)
        return rx_fail(err, RX_INTERNAL, "%s: %s", tmp, strerror(errno));
    fprintf(f, "{\"client_url\":\"%s\",\"ops_url\":\"%s\",\"pid\":%ld}\n",
        d->client_url, d->ops_url, (long)getpid());
    bool failed = fclose(f) != 0;
    if (failed || rename(tmp, path) != 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    return RX_OK;
}

static void
on_drained(void *arg)
{
    struct daemon *d = arg;

    rx_info("daemon.drained", "requests=%" PRIu64, d->proxy.requests);
    rx_loop_stop(d->loop);
}

static void
on_drain_limit(void *arg)
{
    struct daemon *d = arg;

    rx_warn("drain.limit", "active=%u", d->proxy.active);
    rx_loop_stop(d->loop);
}

/* The first asks to finish what runs, the second not to. */
static void
on_stop(void *arg, int signo)
{
    struct daemon *d = arg;

    rx_info("daemon.stopping", "signal=%d active=%u", signo, d->proxy.active);
    if (d->ops.draining) {
        rx_loop_stop(d->loop);
        return;
    }
    d->ops.draining = true;
    rx_timer_set(&d->drain_limit, d->options.drain_ms);
    rx_httpd_drain(d->proxy.httpd, on_drained, d);
}

static enum rx_code
start(struct daemon *d, struct rx_err *err)
{
    const struct options *o = &d->options;
    struct proxy_options proxy = { .host = o->host,
        .port = o->port,
        .admin_url = o->admin_url,
        .keepalive_ms = o->keepalive_ms };
    struct follow_options follow = {
        .plane = o->plane,
        .pub_url = d->pub_url,
        .pull_url = d->pull_url,
        .join_token_file = o->join_token_file,
        .tls_ca_file = o->tls_ca_file,
        .data_dir = d->plane_dir,
        .ops_url = d->ops_url,
        .client_url = d->client_url,
    };

    if (make_plane_dir(d, err) != RX_OK)
        return err->code;
    if (ops_open(&d->ops, d->loop, o->ops_host, o->ops_port, err) != RX_OK)
        return rx_because(err, "ops listener");
    snprintf(d->ops_url, sizeof(d->ops_url), "http://%s:%u",
        reachable(o->ops_host), ops_port(&d->ops));
    if (proxy_open(&d->proxy, d->loop, d->stat, &proxy, err) != RX_OK)
        return rx_because(err, "clients' listener");
    snprintf(d->client_url, sizeof(d->client_url), "http://%s:%u",
        reachable(o->host), rx_httpd_port(d->proxy.httpd));
    if (follow_open(&d->follow, d->loop, &follow, load, d, err) != RX_OK)
        return rx_because(err, "following the control plane");
    proxy_attach(&d->proxy, d->follow);
    ops_attach(&d->ops, &d->proxy);
    return write_run_file(d, err);
}

static int
run(struct daemon *d)
{
    struct rx_err err = { 0 };

    rx_timer_init(&d->drain_limit, d->loop, on_drain_limit, d);
    if (check_options(d, &err) != RX_OK || start(d, &err) != RX_OK) {
        fprintf(stderr, "routex-data: %s\n", err.text);
        return err.code == RX_INVALID ? 2 : 1;
    }
    rx_loop_signal(d->loop, SIGTERM, on_stop, d);
    rx_loop_signal(d->loop, SIGINT, on_stop, d);
    rx_startup_begin(&d->startup, d->loop);
    rx_info("daemon.ready", "clients=%s ops=%s", d->client_url, d->ops_url);
    rx_loop_run(d->loop);
    return 0;
}

static void
stop(struct daemon *d)
{
    rx_timer_fini(&d->drain_limit);
    rx_startup_fini(&d->startup);
    if (d->proxy.httpd != NULL)
        proxy_close(&d->proxy);
    ops_close(&d->ops);
    if (d->follow != NULL)
        follow_close(d->follow);
    rx_stat_free(d->stat);
    rx_loop_free(d->loop);
}

int
main(int argc, char **argv)
{
    struct daemon d = { 0 };
    struct rx_err err = { 0 };

    switch (rx_conf_load(&conf, &d.options, &argc, argv, &err)) {
    case RX_CONF_RUN: break;
    case RX_CONF_DONE: return 0;
    case RX_CONF_WRONG:
        fprintf(stderr, "routex-data: %s\n", err.text);
        return 2;
    }
    rx_log_init(d.options.plane, d.options.log_level);
    rx_secret_init();
    d.loop = rx_loop_new();
    d.stat = rx_stat_new();
    int status = run(&d);
    stop(&d);
    return status;
}
