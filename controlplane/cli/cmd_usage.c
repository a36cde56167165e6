/*
 * cmd_usage.c - routex requests, routex usage, routex status.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/usage_plot.h"
#include "controlplane/cli/watch.h"
#include "shared/clock.h"

static const struct table_column request_columns[] = {
    { "TIME (UTC)", "started_at", TABLE_TIME },
    { "STATUS", "status", TABLE_TEXT },
    { "OUTCOME", "outcome", TABLE_STATE },
    { "MODEL", "model", TABLE_TEXT },
    { "CHANNEL", "channel", TABLE_TEXT },
    { "KEY", "key", TABLE_TEXT },
    { "INPUT", "input_tokens", TABLE_NUMBER },
    { "CACHED", "cache_read_tokens", TABLE_NUMBER },
    { "OUTPUT", "output_tokens", TABLE_NUMBER },
    { "FIRST", "ttft_ms", TABLE_MS },
    { "TOOK", "duration_ms", TABLE_MS },
    { "TRIES", "attempts", TABLE_NUMBER },
    { "ID", "request_id", TABLE_TEXT },
    { 0 },
};

#define SUMS                                               \
    { "REQUESTS", "requests", TABLE_NUMBER },              \
        { "FAILED", "failed_requests", TABLE_NUMBER },     \
        { "INPUT", "input_tokens", TABLE_NUMBER },         \
        { "CACHED", "cache_read_tokens", TABLE_NUMBER },   \
        { "WRITTEN", "cache_write_tokens", TABLE_NUMBER }, \
        { "OUTPUT", "output_tokens", TABLE_NUMBER },       \
        { "REASONING", "reasoning_tokens", TABLE_NUMBER }, \
        { "MEAN", "mean_duration_ms", TABLE_MS },          \
    {                                                      \
        "COST", "cost_usd", TABLE_MONEY                    \
    }

static const struct table_column sums_by_name[] = {
    { "NAME", "name", TABLE_TEXT },
    SUMS,
    { 0 },
};
static const struct table_column sums_by_time[] = {
    { "FROM (UTC)", "start", TABLE_TIME },
    SUMS,
    { 0 },
};

void
cmd_usage_only(const struct cli *c, struct rx_buf *path)
{
    const struct {
        const char *name, *value;
    } only[] = { { "tenant", c->o.tenant }, { "key", c->o.key },
        { "channel", c->o.channel }, { "model", c->o.model },
        { "rule", c->o.rule }, { "tag", c->o.tag }, { "agent", c->o.agent },
        { "client", c->o.client } };

    for (size_t i = 0; i < RX_COUNT(only); i++)
        cli_query(path, only[i].name, only[i].value);
}

static void
requests_path(struct cli *c, struct rx_buf *path, const char *since)
{
    char limit[32];

    snprintf(limit, sizeof(limit), "%" PRIu64,
        c->o.limit == UINT64_MAX ? 20 : c->o.limit);
    cli_path(path, "/api/requests", "", "");
    cli_query(path, "limit", limit);
    cmd_usage_only(c, path);
    cli_query(path, "status", c->o.status);
    cli_query(path, "since", since);
}

/* One line per request as it settles. */
static void
print_line(struct cli *c, rx_json row)
{
    if (c->o.json) {
        rx_json_print(row, false, &c->out);
        rx_buf_addc(&c->out, '\n');
        return;
    }
    for (size_t i = 0; request_columns[i].path != NULL; i++) {
        const struct table_column *k = &request_columns[i];
        size_t before = c->out.len;

        table_value(&c->out, rx_json_find(row, k->path), k->kind);
        if (c->out.len == before)
            rx_buf_addc(&c->out, '-');
        rx_buf_add(&c->out, RX_S("  "));
    }
    rx_buf_addc(&c->out, '\n');
}

static void
on_event(void *arg, const struct watch_event *event)
{
    struct cli *c = arg;
    struct rx_json_doc *doc;

    if (rx_json_parse(&doc, event->data, NULL, NULL) != RX_OK)
        return;
    rx_json root = rx_json_root(doc);
    if (rx_str_eq(event->name, RX_S("request")))
        print_line(c, root);
    else if (rx_str_eq(event->name, RX_S("gap")))
        fprintf(stderr, "routex: %.0f requests were too many to show\n",
            rx_json_number(rx_json_find(root, "missed")));
    rx_json_free(doc);
    cli_flush(c);
}

static int
follow(struct cli *c)
{
    struct rx_buf path;
    struct rx_err err = { 0 };

    cli_path(&path, "/api/requests/live", "", "");
    cli_query(&path, "stats", "false");
    cmd_usage_only(c, &path);
    cli_query(&path, "status", c->o.status);
    cli_query(&path, "since", c->o.since);
    enum rx_code code = cli_reach(c, &err);
    if (code == RX_OK)
        code = watch(&c->remote, path.ptr, on_event, c, &err);
    rx_buf_fini(&path);
    return code == RX_OK ? CLI_OK : cli_fail(&err);
}

int
cmd_requests(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    int code;

    (void)argc;
    (void)argv;
    if (c->o.follow)
        return follow(c);
    requests_path(c, &path, c->o.since);
    code = cli_get(c, path.ptr, request_columns);
    rx_buf_fini(&path);
    return code;
}

static void
print_sums(struct cli *c, bool time, rx_json rows)
{
    cli_print(c, time ? sums_by_time : sums_by_name, rows);
    if (time)
        usage_sparkline(&c->out, rows);
    else
        usage_bars(&c->out, rows);
}

int
cmd_usage(struct cli *c, int argc, char **argv)
{
    const char *by = c->o.by != NULL ? c->o.by : "model";
    bool time = strcmp(by, "day") == 0 || strcmp(by, "hour") == 0;
    char member[64];
    struct remote_answer answer;
    struct rx_buf path;
    int code;

    if (c->o.csv)
        return cmd_usage_csv(c, argc, argv);
    snprintf(member, sizeof(member), "by_%s", by);
    cli_path(&path, "/api/analytics/summary", "", "");
    cli_query(&path, "by", by);
    cli_query(&path, "range", c->o.range);
    cmd_usage_only(c, &path);
    if (cli_call(c, "GET", path.ptr, RX_S(""), &answer, &code)) {
        if (c->o.json)
            cli_print(c, NULL, answer.data);
        else
            print_sums(c, time, rx_json_find(answer.data, member));
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    return code;
}

/* ---- status ---- */

/* The day so far, UTC; whoever may not ask is not told. */
static void
add_spent(struct cli *c)
{
    struct remote_answer answer;
    struct rx_err err = { 0 };
    char since[RX_TIME_SIZE];
    struct rx_buf path;
    uint64_t now = rx_clock_wall_ms();

    rx_time_format(now - now % ((uint64_t)24 * 3600 * 1000), since);
    cli_path(&path, "/api/analytics/summary", "", "");
    cli_query(&path, "by", "day");
    cli_query(&path, "since", since);
    if (cli_try(c, "GET", path.ptr, RX_S(""), &answer, &err)) {
        rx_buf_add(&c->out, RX_S("Today (UTC): "));
        table_value(
            &c->out, rx_json_find(answer.data, "total.requests"), TABLE_NUMBER);
        rx_buf_add(&c->out, RX_S(" requests, "));
        table_value(
            &c->out, rx_json_find(answer.data, "total.cost_usd"), TABLE_MONEY);
        rx_buf_add(&c->out, RX_S(" spent\n\n"));
    }
    remote_answer_fini(&answer);
    rx_buf_fini(&path);
}

static const struct table_column plane_columns[] = {
    { "PLANE", "id", TABLE_TEXT },
    { "STATE", "state", TABLE_STATE },
    { "VERSION", "applied.version", TABLE_TEXT },
    { "CLIENTS", "client_url", TABLE_TEXT },
    { "REQUESTS", "requests", TABLE_NUMBER },
    { "ACTIVE", "active", TABLE_NUMBER },
    { "JOURNAL", "journal.records", TABLE_NUMBER },
    { "REJECTED", "rejected", TABLE_COUNT },
    { "SINCE (UTC)", "started_at", TABLE_TIME },
    { 0 },
};

int
cmd_status(struct cli *c, int argc, char **argv)
{
    struct remote_answer planes;
    struct remote_answer channels;
    int code;

    (void)argc;
    (void)argv;
    if (!cli_call(c, "GET", "/api/planes", RX_S(""), &planes, &code))
        return code;
    if (!cli_call(
            c, "GET", "/api/channels?limit=200", RX_S(""), &channels, &code)) {
        remote_answer_fini(&planes);
        return code;
    }
    if (c->o.json) {
        struct rx_json_out w = rx_json_out(&c->out);

        rx_json_open_object(&w, NULL);
        rx_json_put_text(&w, "admin_url", c->remote.url);
        rx_json_put_value(&w, "planes", planes.data);
        rx_json_put_value(&w, "channels", channels.data);
        rx_json_close(&w);
        rx_buf_addc(&c->out, '\n');
    } else {
        rx_buf_addf(&c->out, "Control plane at %s\n", c->remote.url);
        add_spent(c);
        cli_print(c, plane_columns, planes.data);
        rx_buf_addc(&c->out, '\n');
        cli_print(c, cmd_channel_columns, channels.data);
    }
    remote_answer_fini(&planes);
    remote_answer_fini(&channels);
    return CLI_OK;
}
