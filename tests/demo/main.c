/*
 * main.c - routex-demo: a provider that needs no account.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/conf.h"
#include "shared/log.h"
#include "shared/loop.h"
#include "shared/secret.h"
#include "tests/demo/demo.h"

struct options {
    struct demo_options demo;
    const char *port_file;
    enum rx_log_level level;
};

#define ROW(name, what, set, member, fallback, help) \
    RX_CONF(name, NULL, what, set, struct options, member, fallback, help)

static const struct rx_conf_row rows[] = {
    ROW("host", "H", rx_conf_text, demo.host, "127.0.0.1", "where to listen"),
    ROW("port", "N", rx_conf_port, demo.port, "0", "0: any free one"),
    ROW("port-file", "FILE", rx_conf_text, port_file, NULL,
        "write the port here once listening"),
    RX_CONF_SWITCH("reuse-port", NULL, struct options, demo.reuse_port,
        "share the port with other instances"),
    ROW("always", "RECIPE", rx_conf_text, demo.always, NULL,
        "how to behave, e.g. \"status=503 delay-ms=20\"; see README.md"),
    ROW("require-key", "KEY", rx_conf_text, demo.require_key, NULL,
        "answer 401 to any other key"),
    ROW("replay", "DIR", rx_conf_text, demo.replay_dir, NULL,
        "recorded exchanges, asked for by x-demo-case or /case/<id>/"),
    ROW("log", "FILE", rx_conf_text, demo.log_path, NULL,
        "append a JSON line per request and per end"),
    RX_CONF_SWITCH("bench", NULL, struct options, demo.bench,
        "one tiny answer for all; streams of 64 deltas, one every 20 ms"),
    ROW("log-level", "LEVEL", rx_conf_level, level, "info",
        "error, warn, info or debug"),
    { 0 },
};

static const struct rx_conf conf = {
    .program = "routex-demo",
    .summary = "An AI provider for trials and tests: speaks Anthropic "
               "Messages, Chat Completions,\nResponses and Gemini, and "
               "misbehaves on request.",
    .rows = rows,
};

struct program {
    struct rx_loop *loop;
    struct demo *demo;
    bool ending;
};

static void
stop(void *arg)
{
    rx_loop_stop(arg);
}

static void
on_signal(void *arg, int signo)
{
    struct program *p = arg;

    (void)signo;
    if (p->ending)
        rx_loop_stop(p->loop);
    p->ending = true;
    demo_drain(p->demo, stop, p->loop);
}

static bool
write_port(const char *path, uint16_t port)
{
    char text[16];
    char next[4096];
    int n = snprintf(text, sizeof(text), "%u\n", (unsigned)port);
    int fd;
    bool ok;

    snprintf(next, sizeof(next), "%s.new", path);
    fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ok = write(fd, text, (size_t)n) == n;
    close(fd);
    return ok && rename(next, path) == 0;
}

static int
fail(const char *what)
{
    fprintf(stderr, "routex-demo: %s\n", what);
    return 1;
}

static int
run(struct program *p, const struct options *o)
{
    struct rx_err err = { 0 };

    if (demo_open(&p->demo, p->loop, &o->demo, &err) != RX_OK)
        return fail(err.text);
    rx_loop_signal(p->loop, SIGTERM, on_signal, p);
    rx_loop_signal(p->loop, SIGINT, on_signal, p);
    if (o->port_file != NULL && !write_port(o->port_file, demo_port(p->demo)))
        return fail(strerror(errno));
    rx_info("demo.listening", "url=http://%s:%u", o->demo.host,
        (unsigned)demo_port(p->demo));
    rx_loop_run(p->loop);
    demo_close(p->demo);
    return 0;
}

int
main(int argc, char **argv)
{
    struct options options = { 0 };
    struct program program = { 0 };
    struct rx_err err = { 0 };
    int code;

    switch (rx_conf_load(&conf, &options, &argc, argv, &err)) {
    case RX_CONF_RUN: break;
    case RX_CONF_DONE: return 0;
    case RX_CONF_WRONG: fail(err.text); return 2;
    }
    rx_log_init("demo", options.level);
    signal(SIGPIPE, SIG_IGN);
    rx_secret_init();
    program.loop = rx_loop_new();
    code = run(&program, &options);
    rx_loop_free(program.loop);
    return code;
}
