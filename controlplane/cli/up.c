/*
 * up.c - both planes on one machine: start them in order, keep them running,
 * end them in order.
 *
 *   CONTROL ──(it listens)──> PLANES ──(they serve)──> RUNNING
 *      │                        │                        │ SIGINT, SIGTERM
 *      └───────(a child ends before it was ready)──┐     v
 *                                                  ├─> DRAINING ──> CLOSING ──> end
 *                                                  ┘  data planes   the rest
 *
 * The state changes in go().  Children are asked how they are by looking at
 * the files they write when they listen, and then at their own /readyz.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "controlplane/cli/up_state.h"
#include "shared/conf.h"
#include "shared/log.h"
#include "shared/loop.h"

#define LOOK_MS  10
#define WATCH_MS 2000
#define SLOW_MS  60000

static void look(void *arg);

/* ---- the words of the children ---- */

/* The control plane prints one JSON line at its very first start. */
static void
read_words(struct up *u)
{
    rx_str text = rx_buf_str(&u->words);
    rx_str line;
    rx_str rest;
    struct rx_json_doc *doc;

    while (rx_str_cut(text, '\n', &line, &rest)) {
        text = rest;
        if (rx_json_parse(&doc, line, NULL, NULL) != RX_OK)
            continue;
        rx_str token =
            rx_json_str(rx_json_find(rx_json_root(doc), "admin_token"));
        rx_str key = rx_json_str(rx_json_find(rx_json_root(doc), "client_key"));

        if (token.len > 0 && token.len < REMOTE_TEXT && key.len < REMOTE_TEXT) {
            snprintf(
                u->admin_token, REMOTE_TEXT, RX_STR_FMT, RX_STR_ARG(token));
            snprintf(u->client_key, REMOTE_TEXT, RX_STR_FMT, RX_STR_ARG(key));
        }
        rx_json_free(doc);
    }
}

static void
on_words(void *arg, rx_str bytes)
{
    struct up *u = arg;

    rx_buf_add(&u->words, bytes);
    read_words(u);
}

/* ---- stages ---- */

static bool
ending(const struct up *u)
{
    return u->stage == DRAINING || u->stage == CLOSING;
}

static void
go(struct up *u, enum stage stage)
{
    u->stage = stage;
    u->stage_ms = rx_loop_ms(u->loop);
    rx_timer_set(&u->look, LOOK_MS);
}

/* Planes that are there, running or about to be. */
static unsigned
planes_left(const struct up *u)
{
    unsigned n = 0;

    for (unsigned i = 0; i < u->o.planes; i++)
        n += u->planes[i].pid != 0;
    return n;
}

static void
close_rest(struct up *u)
{
    go(u, CLOSING);
    child_stop(&u->control);
    child_stop(&u->demo);
    if (child_set_running(&u->children) == 0)
        rx_loop_stop(u->loop);
}

static void
drain(struct up *u)
{
    if (ending(u))
        return;
    up_stop_asking(u);
    go(u, DRAINING);
    rx_timer_set(&u->hurry, u->o.drain_ms + 10000);
    for (unsigned i = 0; i < u->o.planes; i++)
        child_stop(&u->planes[i]);
    if (planes_left(u) == 0)
        close_rest(u);
}

static void
give_up(struct up *u, const char *why)
{
    fprintf(stderr, "routex: %s\n", why);
    u->code = 1;
    drain(u);
}

/* Nobody may be left when we are done. */
static void
kill_all(void *arg)
{
    struct up *u = arg;
    struct rx_link *l;

    RX_LIST_FOREACH(l, &u->children.list)
        child_signal(RX_LIST_ITEM(l, struct child, link), SIGKILL);
}

static void
on_signal(void *arg, int signo)
{
    struct up *u = arg;
    struct rx_link *l;

    (void)signo;
    if (!ending(u)) {
        drain(u);
        return;
    }
    if (u->hurried) {
        kill_all(u);
        return;
    }
    u->hurried = true;
    rx_timer_set(&u->hurry, 3000);
    RX_LIST_FOREACH(l, &u->children.list)
        child_signal(RX_LIST_ITEM(l, struct child, link), SIGTERM);
}

/* ---- what the children are up to ---- */

static void
write_up_json(struct up *u)
{
    char path[HOME_PATH];
    struct rx_err err = { 0 };
    struct rx_buf b;
    struct rx_json_out w;
    struct rx_link *l;

    rx_buf_init(&b, 64 * 1024);
    w = rx_json_out(&b);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "client_url", u->client_url);
    rx_json_put_text(&w, "admin_url", u->admin_url);
    rx_json_open_object(&w, "pids");
    rx_json_put_u64(&w, "up", (uint64_t)getpid());
    RX_LIST_FOREACH(l, &u->children.list) {
        const struct child *c = RX_LIST_ITEM(l, struct child, link);

        if (c->pid != 0)
            rx_json_put_u64(&w, c->name, (uint64_t)c->pid);
    }
    rx_json_close(&w);
    rx_json_close(&w);
    rx_buf_addc(&b, '\n');
    if (home_join(u->data_dir, "run/up.json", path, &err) != RX_OK ||
        home_write(path, rx_buf_str(&b), &err) != RX_OK)
        rx_warn("up.untold", "why=%s", rx_log_quote(err.text));
    rx_buf_fini(&b);
}

static void
ready(struct up *u)
{
    struct up_told told = {
        .client_url = u->client_url,
        .admin_url = u->admin_url,
        .dashboard_url = u->dashboard_url,
        .data_dir = u->data_dir,
        .admin_token = u->admin_token,
        .client_key = u->client_key,
        .platform = home_platform(),
        .planes = (unsigned)u->o.planes,
        .demo = u->demo_wanted,
    };

    go(u, RUNNING);
    write_up_json(u);
    up_banner(&told);
    up_offer_setup(u);
}

static void
start_planes(struct up *u)
{
    struct rx_err err = { 0 };

    /* Should it have to be restarted, it shall come back where it was. */
    if (u->o.admin_port == 0) {
        const char *colon = strrchr(u->admin_url, ':');
        uint64_t port = 0;

        if (colon != NULL &&
            rx_str_u64((rx_str){ colon + 1, strlen(colon + 1) }, &port) &&
            up_control_args(u, (uint16_t)port, &err) != RX_OK) {
            give_up(u, err.text);
            return;
        }
    }
    for (unsigned i = 0; i < u->o.planes; i++) {
        if (up_plane_args(u, i, &err) != RX_OK) {
            give_up(u, err.text);
            return;
        }
        child_start(&u->planes[i]);
    }
    go(u, PLANES);
}

static void
look_control(struct up *u)
{
    if (!home_told(u->data_dir, "control", u->control.pid, "admin_url",
            u->admin_url, UP_URL))
        return;
    (void)home_told(u->data_dir, "control", u->control.pid, "dashboard_url",
        u->dashboard_url, UP_URL);
    /* Its output and its file reach us by different ways. */
    if (!u->demo_known)
        up_ask_channels(u);
    else
        start_planes(u);
}

/* Look again soon: something is still missing. */
static void
look(void *arg)
{
    struct up *u = arg;
    uint64_t since = rx_loop_ms(u->loop) - u->stage_ms;

    rx_timer_set(&u->look, u->stage == RUNNING ? WATCH_MS : LOOK_MS);
    switch (u->stage) {
    case CONTROL: look_control(u); break;
    case PLANES:
        if (up_all_ready(u))
            ready(u);
        break;
    case RUNNING: up_ask_channels(u); break;
    case STARTING:
    case DRAINING:
    case CLOSING: break;
    }
    if ((u->stage == CONTROL || u->stage == PLANES) && since > SLOW_MS)
        give_up(u, "not ready within a minute; see the lines above");
}

static void
on_start(void *arg, struct child *c)
{
    struct up *u = arg;

    (void)c;
    if (u->stage == RUNNING)
        write_up_json(u);
}

/* A child that ends before all are ready will not do better next time. */
static void
on_end(void *arg, struct child *c, int status)
{
    struct up *u = arg;
    char words[160];

    for (unsigned i = 0; i < u->o.planes; i++) {
        if (c == &u->planes[i])
            u->ready[i] = false;
    }
    if (u->stage == CONTROL || u->stage == PLANES) {
        snprintf(words, sizeof(words), "%s ended with %s while starting",
            c->name, child_end_words(status));
        give_up(u, words);
    }
    if (u->stage == RUNNING)
        write_up_json(u);
    if (u->stage == DRAINING && planes_left(u) == 0)
        close_rest(u);
    if (u->stage == CLOSING && child_set_running(&u->children) == 0)
        rx_loop_stop(u->loop);
}

/* ---- beginning and end ---- */

/* One of us per data directory: the lock goes with the process. */
static enum rx_code
lock_dir(struct up *u, struct rx_err *err)
{
    char path[HOME_PATH];
    enum rx_code code = home_join(u->data_dir, "run/up.lock", path, err);

    if (code != RX_OK)
        return code;
    u->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (u->lock_fd < 0)
        return rx_fail(err, RX_DENIED, "%s: %s", path, strerror(errno));
    if (flock(u->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return rx_fail(err, RX_CONFLICT, "another `routex up` runs with %.120s",
            u->data_dir);
    return RX_OK;
}

static enum rx_code
choose_dir(struct up *u, struct rx_err *err)
{
    char given[HOME_PATH];
    enum rx_code code;

    if (u->o.data_dir == NULL) {
        code = home_default_dir(given, err);
        if (code != RX_OK)
            return code;
    } else if (strlen(u->o.data_dir) >= HOME_PATH) {
        return rx_fail(err, RX_TOO_BIG, "--data-dir: path too long");
    } else {
        snprintf(given, sizeof(given), "%s", u->o.data_dir);
    }
    code = home_make_dir(given, err);
    if (code != RX_OK)
        return code;
    if (realpath(given, u->data_dir) == NULL)
        return rx_fail(err, RX_DENIED, "%.150s: %s", given, strerror(errno));
    /* The sockets in it have to fit into a sockaddr_un. */
    if (strlen(u->data_dir) > 90)
        return rx_fail(err, RX_TOO_BIG,
            "%.100s: choose a directory with a shorter path (90 characters)",
            u->data_dir);
    return RX_OK;
}

static void
choose_rest(struct up *u)
{
    bool platform = home_platform() != NULL;

    if (u->o.host == NULL)
        u->o.host = platform ? "0.0.0.0" : "127.0.0.1";
    /* There is one port for all; the other is ours alone. */
    if (platform && u->o.port != 0 && u->o.admin_port == u->o.port)
        u->o.admin_port = 0;
    if (u->o.planes == 0)
        u->o.planes = 1;
    if (u->o.planes > UP_PLANES_MAX)
        u->o.planes = UP_PLANES_MAX;
}

static enum rx_code
prepare(struct up *u, struct rx_err *err)
{
    enum rx_code code = choose_dir(u, err);
    bool v6 = strchr(u->o.host != NULL ? u->o.host : "", ':') != NULL;

    choose_rest(u);
    if (code == RX_OK)
        code = lock_dir(u, err);
    if (code == RX_OK)
        code = up_hold_port(u->o.host, u->o.port, &u->port, &u->port_fd, err);
    if (code == RX_OK)
        code = up_hold_port("127.0.0.1", 0, &u->demo_port, &u->demo_fd, err);
    if (code != RX_OK)
        return code;
    snprintf(u->client_url, UP_URL, v6 ? "http://[%s]:%u" : "http://%s:%u",
        strcmp(u->o.host, "0.0.0.0") == 0 ? "127.0.0.1" : u->o.host,
        (unsigned)u->port);
    code = up_control_args(u, u->o.admin_port, err);
    return code == RX_OK ? up_demo_args(u, err) : code;
}

static void
init(struct up *u)
{
    u->port_fd = u->demo_fd = u->lock_fd = -1;
    u->loop = rx_loop_new();
    u->fetch = rx_fetch_new(u->loop);
    rx_buf_init(&u->words, 64 * 1024);
    rx_timer_init(&u->look, u->loop, look, u);
    rx_timer_init(&u->hurry, u->loop, kill_all, u);
    child_set_init(&u->children, u->loop, on_start, on_end, u);
    child_init(&u->control, &u->children, "control");
    u->control.on_output = on_words;
    child_init(&u->demo, &u->children, "demo");
    for (unsigned i = 0; i < UP_PLANES_MAX; i++) {
        snprintf(u->names[i], sizeof(u->names[i]), "data-%u", i + 1);
        child_init(&u->planes[i], &u->children, u->names[i]);
    }
}

static void
fini(struct up *u)
{
    char path[HOME_PATH];

    up_stop_asking(u);
    if (u->data_dir[0] != '\0' &&
        home_join(u->data_dir, "run/up.json", path, NULL) == RX_OK &&
        u->lock_fd >= 0 && u->stage != STARTING)
        unlink(path);
    for (unsigned i = 0; i < UP_PLANES_MAX; i++)
        child_fini(&u->planes[i]);
    child_fini(&u->demo);
    child_fini(&u->control);
    rx_timer_fini(&u->look);
    rx_timer_fini(&u->hurry);
    rx_buf_fini(&u->words);
    rx_fetch_free(u->fetch);
    rx_loop_free(u->loop);
    for (size_t i = 0; i < 3; i++) {
        int fd = (int[]){ u->port_fd, u->demo_fd, u->lock_fd }[i];

        if (fd >= 0)
            close(fd);
    }
}

/* Children speak up when they must; the banner is not to drown. */
static void
quiet_children(void)
{
    if (isatty(STDERR_FILENO))
        setenv("LOG_LEVEL", "warn", 0);
}

static int
run(struct up *u)
{
    struct rx_err err = { 0 };

    if (prepare(u, &err) != RX_OK) {
        fprintf(stderr, "routex: %s\n", err.text);
        return 1;
    }
    quiet_children();
    rx_loop_signal(u->loop, SIGTERM, on_signal, u);
    rx_loop_signal(u->loop, SIGINT, on_signal, u);
    child_start(&u->control);
    go(u, CONTROL);
    rx_loop_run(u->loop);
    return u->code;
}

#define ROW(name, env, what, set, member, fallback, help) \
    RX_CONF(name, env, what, set, struct up_options, member, fallback, help)

const struct rx_conf_row up_rows[] = {
    ROW("data-dir", "ROUTEX_DATA_DIR", "DIR", rx_conf_text, data_dir, NULL,
        "where everything is kept (~/.routex; /data on a platform)"),
    ROW("host", "HOST", "IP", rx_conf_text, host, NULL,
        "where clients connect (127.0.0.1; 0.0.0.0 on a platform)"),
    ROW("port", "PORT", "N", rx_conf_port, port, "8080",
        "clients' port; 0: any free one"),
    ROW("admin-host", "ADMIN_HOST", "IP", rx_conf_text, admin_host, "127.0.0.1",
        "where the admin API listens"),
    ROW("admin-port", "ADMIN_PORT", "N", rx_conf_port, admin_port, "8081",
        "its port; 0: any free one"),
    ROW("data-planes", "ROUTEX_DATA_PLANES", "N", rx_conf_u64, planes, "1",
        "data planes to run: one uses one core"),
    ROW("drain-timeout", "ROUTEX_DRAIN_TIMEOUT", "TIME", rx_conf_ms, drain_ms,
        "5m", "how long running requests may take at the end"),
    RX_CONF_SWITCH("yes", NULL, struct up_options, yes,
        "ask nothing, not even at the first start"),
    { 0 },
};

static const struct rx_conf conf = {
    .program = "routex up",
    .summary = "Run Routex on this machine: the control plane, the data "
               "planes, and the demo\nprovider as long as a channel uses it. "
               "Restarts what dies; ends all of it on\nCtrl-C or SIGTERM, "
               "after running requests.",
    .rows = up_rows,
};

int
up_main(int argc, char **argv)
{
    static struct up up; /* large, and there is one */
    struct rx_err err = { 0 };
    int code;

    switch (rx_conf_load(&conf, &up.o, &argc, argv, &err)) {
    case RX_CONF_RUN: break;
    case RX_CONF_DONE: return 0;
    case RX_CONF_WRONG: fprintf(stderr, "routex up: %s\n", err.text); return 2;
    }
    rx_log_init("up", RX_LOG_WARN);
    signal(SIGPIPE, SIG_IGN);
    init(&up);
    code = run(&up);
    fini(&up);
    return code;
}
