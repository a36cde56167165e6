/*
 * cmd_health.c - routex channel health|speed|test-all, routex alert, routex
 * anomalies.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"

/* ---- channels --------------------------------------------------------------- */

static const struct table_column check_columns[] = {
    { "TIME (UTC)", "at", TABLE_TIME },
    { "VERDICT", "verdict", TABLE_STATE },
    { "STATUS", "status", TABLE_TEXT },
    { "CONNECT", "connect_ms", TABLE_MS },
    { "TOOK", "latency_ms", TABLE_MS },
    { "MESSAGE", "message", TABLE_TEXT },
    { 0 },
};
static const struct table_column speed_columns[] = {
    { "ADDRESS", "base_url", TABLE_TEXT },
    { "ANSWERED", "answered", TABLE_NUMBER },
    { "MEDIAN", "median_ms", TABLE_MS },
    { "BEST", "best_ms", TABLE_MS },
    { "MESSAGE", "message", TABLE_TEXT },
    { 0 },
};
static const struct table_column all_columns[] = {
    { "CHANNEL", "channel", TABLE_TEXT },
    { "OK", "ok", TABLE_STATE },
    { "STATUS", "status", TABLE_TEXT },
    { "TOOK", "latency_ms", TABLE_MS },
    { "MESSAGE", "message", TABLE_TEXT },
    { 0 },
};

int
cmd_channel_health(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    int code;

    (void)argc;
    cli_path(&path, "/api/channels/", argv[1], "/health?limit=20");
    if (cli_call(c, "GET", path.ptr, RX_S(""), &answer, &code)) {
        if (c->o.json) {
            cli_print(c, NULL, answer.data);
        } else {
            rx_str state = rx_json_str(rx_json_find(answer.data, "state"));
            rx_buf_addf(&c->out, "%s is " RX_STR_FMT "\n\n", argv[1],
                RX_STR_ARG(state));
            cli_print(c, check_columns, rx_json_find(answer.data, "checks"));
        }
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    return code;
}

int
cmd_channel_speed(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path, body;
    int code;

    rx_buf_init(&body, 64 << 10);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    rx_json_open_array(&w, "urls");
    for (int i = 2; i < argc; i++)
        rx_json_put_text(&w, NULL, argv[i]);
    rx_json_close(&w);
    rx_json_close(&w);
    cli_path(&path, "/api/channels/", argv[1], "/speedtest");
    if (cli_call(c, "POST", path.ptr, rx_buf_str(&body), &answer, &code)) {
        cli_print(c, speed_columns, answer.data);
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    rx_buf_fini(&body);
    return code;
}

int
cmd_channel_test_all(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    bool well = true;
    int code;

    (void)argc;
    (void)argv;
    if (!cli_call(
            c, "POST", "/api/channels/test-all", RX_S(""), &answer, &code))
        return code;
    for (rx_json v = rx_json_first(answer.data); rx_json_there(v);
         v = rx_json_next(v))
        well = well && rx_json_bool(rx_json_find(v, "ok"));
    cli_print(c, all_columns, answer.data);
    remote_answer_fini(&answer);
    return well ? CLI_OK : CLI_FAILED;
}

/* ---- alerts ------------------------------------------------------------------- */

const struct table_column cmd_alert_columns[] = {
    { "ID", "id", TABLE_TEXT },
    { "SINCE (UTC)", "opened_at", TABLE_TIME },
    { "SEVERITY", "severity", TABLE_STATE },
    { "KIND", "kind", TABLE_TEXT },
    { "ABOUT", "name", TABLE_TEXT },
    { "SEEN BY", "acked_by", TABLE_TEXT },
    { "MESSAGE", "message", TABLE_TEXT },
    { 0 },
};

int
cmd_anomalies(struct cli *c, int argc, char **argv)
{
    static const struct table_column columns[] = {
        { "SINCE (UTC)", "began_at", TABLE_TIME },
        { "KIND", "kind", TABLE_TEXT },
        { "OF", "about", TABLE_TEXT },
        { "NAME", "name", TABLE_TEXT },
        { "VALUE", "value", TABLE_TEXT },
        { "USUAL", "usual", TABLE_TEXT },
        { "OVER", "over", TABLE_TEXT },
        { 0 },
    };

    (void)argc;
    (void)argv;
    return cli_get(c, "/api/anomalies", columns);
}

int
cmd_alert_ack(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;

    (void)argc;
    cli_path(&path, "/api/alerts/", argv[1], "/ack");
    int code = cli_change(c, "POST", path.ptr, RX_S(""),
        "alert %s was seen; it stays open until its reason is gone", argv[1]);
    rx_buf_fini(&path);
    return code;
}
