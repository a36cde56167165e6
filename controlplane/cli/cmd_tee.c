/*
 * cmd_tee.c - routex tee ..., routex settings ...
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"

#define BODY_MAX ((size_t)64 << 10)

/* ---- tees ---------------------------------------------------------------------- */

static const struct table_column tee_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "SINK", "sink", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "ADDRESS", "url", TABLE_TEXT },
    { "SENT", "sent", TABLE_NUMBER },
    { "LOST", "lost", TABLE_NUMBER },
    { "BEHIND", "behind", TABLE_NUMBER },
    { "LAST (UTC)", "last_at", TABLE_TIME },
    { "LAST ERROR", "last_error", TABLE_TEXT },
    { 0 },
};

/* Words with a separator between name and value, as an object of texts. */
static void
put_pairs(struct rx_json_out *w, const char *key, char separator,
    const struct rx_conf_list *list)
{
    if (list->count == 0)
        return;
    rx_json_open_object(w, key);
    for (size_t i = 0; i < list->count; i++) {
        rx_str text = { list->at[i], strlen(list->at[i]) };
        char name[256];
        rx_str head, value;
        (void)rx_str_cut(text, separator, &head, &value);
        snprintf(name, sizeof(name), RX_STR_FMT, RX_STR_ARG(head));
        rx_json_put_str(w, name, rx_str_trim(value));
    }
    rx_json_close(w);
}

static void
put_filter(struct rx_json_out *w, const struct cli_options *o)
{
    const struct {
        const char *key, *value;
    } rows[] = { { "tenant", o->tenant }, { "key", o->key },
        { "channel", o->channel }, { "model", o->model },
        { "outcome", o->outcome } };
    uint64_t status;

    rx_json_open_object(w, "filter");
    for (size_t i = 0; i < RX_COUNT(rows); i++)
        cli_put_opt(w, rows[i].key, rows[i].value);
    if (o->status != NULL &&
        rx_str_u64((rx_str){ o->status, strlen(o->status) }, &status))
        rx_json_put_u64(w, "status", status);
    else
        cli_put_opt(w, "status", o->status); /* refused there, with words */
    rx_json_close(w);
}

static void
put_tee(
    struct rx_json_out *w, const struct cli_options *o, int argc, char **argv)
{
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "name", argv[1]);
    rx_json_put_text(w, "sink", argv[2]);
    if (argc > 3)
        rx_json_put_text(w, "url", argv[3]);
    put_pairs(w, "headers", ':', &o->headers);
    put_pairs(w, "resource", '=', &o->resource);
    if (o->sampling != NULL)
        rx_json_put_raw(
            w, "sampling", (rx_str){ o->sampling, strlen(o->sampling) });
    put_filter(w, o);
    rx_json_close(w);
}

int
cmd_tee_add(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf body;
    int code;

    rx_buf_init(&body, BODY_MAX);
    struct rx_json_out w = rx_json_out(&body);
    put_tee(&w, &c->o, argc, argv);
    if (cli_call(c, "POST", "/api/tees", rx_buf_str(&body), &answer, &code)) {
        rx_str secret = rx_json_str(rx_json_find(answer.data, "secret"));
        if (c->o.json)
            cli_print(c, NULL, answer.data);
        else
            rx_buf_addf(
                &c->out, "requests are copied to %s from now on\n", argv[1]);
        if (!c->o.json && secret.len > 0)
            rx_buf_addf(&c->out,
                "What it gets is signed with this secret, shown only now:\n\n"
                "  " RX_STR_FMT "\n",
                RX_STR_ARG(secret));
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&body);
    return code;
}

int
cmd_tee_list(struct cli *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return cli_get(c, "/api/tees", tee_columns);
}

int
cmd_tee_rm(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;

    (void)argc;
    cli_path(&path, "/api/tees/", argv[1], "");
    int code =
        cli_change(c, "DELETE", path.ptr, RX_S(""), "tee %s is gone", argv[1]);
    rx_buf_fini(&path);
    return code;
}

/* ---- settings ------------------------------------------------------------------- */

int
cmd_settings_show(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf text;
    int code;

    (void)argc;
    (void)argv;
    if (!cli_call(c, "GET", "/api/settings", RX_S(""), &answer, &code))
        return code;
    rx_buf_init(&text, (size_t)1 << 20);
    rx_json_print(answer.data, true, &text);
    rx_buf_add(&c->out, rx_buf_str(&text));
    rx_buf_addc(&c->out, '\n');
    rx_buf_fini(&text);
    remote_answer_fini(&answer);
    return code;
}

/* As it stands when it is JSON, else a text. */
static void
put_value(struct rx_json_out *w, const char *key, rx_str value)
{
    if (rx_json_check(value, NULL, NULL) == RX_OK)
        rx_json_put_raw(w, key, value);
    else
        rx_json_put_str(w, key, value);
}

/* "a.b=1" is {"a":{"b":1}}: objects are patched, members not named stay. */
static bool
put_setting(struct rx_json_out *w, const char *word)
{
    rx_str path, value, part;
    char name[128];
    unsigned depth = 0;

    if (!rx_str_cut((rx_str){ word, strlen(word) }, '=', &path, &value))
        return false;
    for (bool more = true; more;) {
        more = rx_str_cut(path, '.', &part, &path);
        if (part.len == 0 || part.len >= sizeof(name))
            return false;
        snprintf(name, sizeof(name), RX_STR_FMT, RX_STR_ARG(part));
        if (more) {
            rx_json_open_object(w, name);
            depth++;
        }
    }
    put_value(w, name, value);
    while (depth-- > 0)
        rx_json_close(w);
    return true;
}

int
cmd_settings_set(struct cli *c, int argc, char **argv)
{
    int code = CLI_OK;

    for (int i = 1; i < argc && code == CLI_OK; i++) {
        struct rx_err err = { 0 };
        struct rx_buf body;
        rx_buf_init(&body, BODY_MAX);
        struct rx_json_out w = rx_json_out(&body);
        rx_json_open_object(&w, NULL);
        bool good = put_setting(&w, argv[i]);
        rx_json_close(&w);
        if (good) {
            code = cli_change(c, "PATCH", "/api/settings", rx_buf_str(&body),
                "%s is set", argv[i]);
        } else {
            (void)rx_fail(&err, RX_INVALID,
                "\"%s\" is not like name=value or group.name=value", argv[i]);
            (void)cli_fail(&err);
            code = CLI_USAGE;
        }
        rx_buf_fini(&body);
    }
    return code;
}
