#include "dataplane/ops.h"

#include <stdio.h>
#include <unistd.h>

#include "dataplane/explain.h"
#include "dataplane/local.h"

#define BODY_MAX    ((size_t)4 * 1024 * 1024)
#define EXPLAIN_MAX ((uint64_t)32 * 1024 * 1024)

/* "live" as long as the loop turns. */
static int
answer_livez(struct ops *o, struct rx_buf *out)
{
    (void)o;
    rx_buf_add(out, RX_S("{\"status\":\"live\"}"));
    return 200;
}

/*
 * Ready once there is a configuration to serve by, be it from disk: it says so
 * then, and it is for the operator to worry.
 */
static int
answer_readyz(struct ops *o, struct rx_buf *out)
{
    const struct follow *f = o->proxy->follow;
    bool ready = follow_snapshot(f) != NULL && !o->draining;

    rx_buf_addf(out,
        "{\"status\":\"%s\",\"snapshot\":\"%s\",\"control\":\"%s\"}",
        o->draining ? "draining"
        : ready     ? "ready"
                    : "waiting for a snapshot",
        follow_snapshot(f) == NULL ? "none"
        : follow_from_disk(f)      ? "last known good, from disk"
                                   : "current",
        follow_connected(f) ? "connected" : "lost");
    return ready ? 200 : 503;
}

static int
answer_health(struct ops *o, struct rx_buf *out)
{
    bool healthy;

    local_health(o->proxy, out, &healthy);
    return 200;
}

static int
answer_metrics(struct ops *o, struct rx_buf *out)
{
    o->longest_tick = rx_loop_take_longest(o->proxy->loop);
    rx_stat_print(o->proxy->stat, out);
    return 200;
}

static const struct {
    rx_str path;
    int (*answer)(struct ops *o, struct rx_buf *out);
    rx_str headers;
} rows[] = {
#define JSON RX_STR_INIT("content-type: application/json\r\n")
    { RX_STR_INIT("/livez"), answer_livez, JSON },
    { RX_STR_INIT("/readyz"), answer_readyz, JSON },
    { RX_STR_INIT("/health"), answer_health, JSON },
    { RX_STR_INIT("/metrics"), answer_metrics,
        RX_STR_INIT("content-type: " RX_STAT_CONTENT_TYPE "\r\n") },
#undef JSON
};

/* POST /explain: its body comes later. */
static bool
is_explain(const struct rx_httpd_head *head)
{
    return rx_str_eq(head->method, RX_S("POST")) &&
           rx_str_eq(head->path, RX_S("/explain"));
}

static void
on_request(void *arg, struct rx_httpd_req *req)
{
    struct ops *o = arg;
    const struct rx_httpd_head *head = rx_httpd_head(req);
    struct rx_buf body;

    if (is_explain(head)) {
        rx_httpd_set_body_limit(req, EXPLAIN_MAX);
        return;
    }
    if (!rx_str_eq(head->method, RX_S("GET")) &&
        !rx_str_eq(head->method, RX_S("HEAD"))) {
        rx_httpd_reply(req, 405, RX_S("allow: GET, HEAD\r\n"), (rx_str){ 0 });
        return;
    }
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (!rx_str_eq(head->path, rows[i].path))
            continue;
        rx_buf_init(&body, BODY_MAX);
        int status = o->proxy != NULL ? rows[i].answer(o, &body) : 503;
        rx_httpd_reply(req, status, rows[i].headers, rx_buf_str(&body));
        rx_buf_fini(&body);
        return;
    }
    rx_httpd_reply(req, 404, RX_S("content-type: text/plain\r\n"),
        RX_S("/livez /readyz /health /metrics, POST /explain\n"));
}

static void
on_body(void *arg, struct rx_httpd_req *req)
{
    struct ops *o = arg;
    const struct rx_httpd_head *head = rx_httpd_head(req);
    struct rx_buf answer;
    rx_str name;
    rx_str dialect = { 0 };

    if (!is_explain(head))
        return; /* its answer was given with the head */
    const struct snapshot *s =
        o->proxy != NULL ? follow_snapshot(o->proxy->follow) : NULL;
    if (s == NULL) {
        rx_httpd_reply(req, 503, RX_S("content-type: application/json\r\n"),
            RX_S("{\"error\":{\"message\":\"there is no configuration "
                 "yet\"}}"));
        return;
    }
    if (!rx_str_cut(head->query, '=', &name, &dialect) ||
        !rx_str_eq(name, RX_S("dialect")))
        dialect = (rx_str){ 0 };
    struct explain_world world = { .snapshot = s,
        .standing = o->proxy->standing,
        .limits = follow_limits(o->proxy->follow),
        .now_ms = rx_loop_ms(o->proxy->loop),
        .dice = proxy_dice(o->proxy) };
    rx_buf_init(&answer, BODY_MAX);
    int status = explain(&world, rx_httpd_body(req), dialect, &answer);
    rx_httpd_reply(req, status, RX_S("content-type: application/json\r\n"),
        rx_buf_str(&answer));
    rx_buf_fini(&answer);
}

static void
on_drain(void *arg, struct rx_httpd_req *req)
{
    (void)arg;
    (void)req;
}

static void
on_close(void *arg, struct rx_httpd_req *req, enum rx_code how)
{
    (void)arg;
    (void)req;
    (void)how;
}

static const struct rx_httpd_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_drain = on_drain,
    .on_close = on_close,
};

enum rx_code
ops_open(struct ops *o, struct rx_loop *loop, const char *host, uint16_t port,
    struct rx_err *err)
{
    struct rx_httpd_options options = {
        .host = host,
        .port = port,
        .server_name = "ops",
        .max_body = 64 * 1024,
    };

    *o = (struct ops){ 0 };
    return rx_httpd_open(&o->httpd, loop, &options, &handler, o, err);
}

/* --- what is asked when somebody looks --------------------------------- */

static double
ask_active(void *arg)
{
    return ((const struct ops *)arg)->proxy->active;
}

static double
ask_connections(void *arg)
{
    return (double)rx_httpd_connections(
        ((const struct ops *)arg)->proxy->httpd);
}

static double
ask_idle_upstream(void *arg)
{
    return (double)rx_client_idle(((const struct ops *)arg)->proxy->client);
}

static double
ask_longest_tick(void *arg)
{
    return (double)((const struct ops *)arg)->longest_tick.cpu_us / 1e6;
}

static double
ask_longest_wall(void *arg)
{
    return (double)((const struct ops *)arg)->longest_tick.wall_us / 1e6;
}

static double
ask_rss(void *arg)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    (void)arg;
    if (f != NULL) {
        if (fscanf(f, "%*u %lu", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double
ask_version(void *arg)
{
    const struct snapshot *s =
        follow_snapshot(((const struct ops *)arg)->proxy->follow);

    return s != NULL ? (double)s->version : 0;
}

static double
ask_connected(void *arg)
{
    return follow_connected(((const struct ops *)arg)->proxy->follow);
}

static double
ask_leased(void *arg)
{
    return follow_leased(((const struct ops *)arg)->proxy->follow);
}

static struct report_status
journal(void *arg)
{
    return report_status(
        follow_report(((const struct ops *)arg)->proxy->follow));
}

static double
ask_journal_records(void *arg)
{
    return (double)journal(arg).pending_records;
}

static double
ask_journal_bytes(void *arg)
{
    return (double)journal(arg).pending_bytes;
}

static double
ask_journal_dropped(void *arg)
{
    return (double)journal(arg).dropped;
}

static const struct {
    const char *name;
    const char *help;
    double (*ask)(void *arg);
} asked[] = {
    { "routex_active_requests", "requests under way", ask_active },
    { "routex_client_connections", "open client connections", ask_connections },
    { "routex_idle_upstream_connections", "kept connections to upstreams",
        ask_idle_upstream },
    { "routex_longest_tick_seconds",
        "most CPU time one turn of the loop took since the last scrape",
        ask_longest_tick },
    { "routex_longest_tick_wall_seconds",
        "longest time one turn of the loop took since the last scrape",
        ask_longest_wall },
    { "routex_resident_bytes", "memory in use", ask_rss },
    { "routex_snapshot_version", "version of the configuration in force",
        ask_version },
    { "routex_control_connected", "1 while the control plane is heard",
        ask_connected },
    { "routex_control_leased",
        "1 while limits are held to this plane's share of them", ask_leased },
    { "routex_journal_records", "usage records not yet acknowledged",
        ask_journal_records },
    { "routex_journal_bytes", "bytes of them on disk", ask_journal_bytes },
    { "routex_journal_dropped_total", "usage records that could not be kept",
        ask_journal_dropped },
};

void
ops_attach(struct ops *o, struct proxy *proxy)
{
    o->proxy = proxy;
    for (size_t i = 0; i < RX_COUNT(asked); i++)
        rx_stat_ask(proxy->stat, asked[i].name, asked[i].help,
            RX_STAT_NO_LABELS, asked[i].ask, o);
}

void
ops_close(struct ops *o)
{
    if (o->httpd != NULL)
        rx_httpd_close(o->httpd);
    o->httpd = NULL;
}

uint16_t
ops_port(const struct ops *o)
{
    return rx_httpd_port(o->httpd);
}
