/*
 * cmd_rule.c - routex rule ... and routex route explain
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/cmd_config.h"
#include "controlplane/cli/command.h"

#define BODY_MAX ((size_t)32 << 20)

const struct table_column cmd_rule_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "TYPE", "type", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "PRIORITY", "priority", TABLE_NUMBER },
    { "CHANNEL", "target.channel", TABLE_TEXT },
    { "CHANNELS", "target.channels", TABLE_COUNT },
    { "TAG", "target.tag", TABLE_TEXT },
    { "MODEL", "target.model", TABLE_TEXT },
    { "FALLBACKS", "target.fallbacks", TABLE_COUNT },
    { 0 },
};

static const struct table_column candidates[] = {
    { "CHANNEL", "channel", TABLE_TEXT },
    { "MODEL", "model", TABLE_TEXT },
    { "KEY", "key_id", TABLE_TEXT },
    { "REASON", "reason", TABLE_TEXT },
    { "UNTIL", "until", TABLE_TIME },
    { 0 },
};

/* ---- rules ------------------------------------------------------------------- */

static void
put_target(struct rx_json_out *w, const struct cli_options *o)
{
    rx_json_open_object(w, "target");
    if (o->channels.count == 1)
        rx_json_put_text(w, "channel", o->channels.at[0]);
    else
        cli_put_list(w, "channels", &o->channels);
    cli_put_opt(w, "tag", o->to_tag);
    cli_put_opt(w, "model", o->model);
    rx_json_close(w);
}

static bool
write_rule(struct cli *c, const char *name, struct rx_buf *body)
{
    const struct cli_options *o = &c->o;
    struct rx_json_out w = rx_json_out(body);

    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "name", name);
    cli_put_opt(&w, "type", o->type);
    if (o->priority != NULL)
        rx_json_put_raw(
            &w, "priority", (rx_str){ o->priority, strlen(o->priority) });
    cli_put_opt(&w, "status", o->status);
    if (o->strict)
        rx_json_put_bool(&w, "strict", true);
    bool ok = cli_put_json(&w, "condition", "--condition", o->condition);
    put_target(&w, o);
    rx_json_close(&w);
    if (ok && rx_json_check(rx_buf_str(body), NULL, NULL) != RX_OK) {
        fprintf(stderr, "routex: --priority: must be a number\n");
        ok = false;
    }
    return ok;
}

int
cmd_rule_add(struct cli *c, int argc, char **argv)
{
    struct rx_buf body;
    int code = CLI_USAGE;

    (void)argc;
    rx_buf_init(&body, BODY_MAX);
    if (write_rule(c, argv[1], &body))
        code = cli_change(c, "POST", "/api/routing/rules", rx_buf_str(&body),
            "Rule %s is there.  What it does to a request: routex route "
            "explain FILE",
            argv[1]);
    rx_buf_fini(&body);
    return code;
}

/* Conditions and targets are trees: shown as the JSON they are. */
int
cmd_rule_show(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    int code = CLI_OK;

    (void)argc;
    cli_path(&path, "/api/routing/rules/", argv[1], "");
    if (cli_call(c, "GET", path.ptr, RX_S(""), &answer, &code)) {
        rx_json_print(answer.data, !c->o.json, &c->out);
        rx_buf_addc(&c->out, '\n');
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    return code;
}

static int
switch_rule(struct cli *c, const char *name, const char *way, const char *says)
{
    struct rx_buf path;

    cli_path(&path, "/api/routing/rules/", name, way);
    int code =
        cli_change(c, "POST", path.ptr, RX_S(""), "Rule %s %s.", name, says);
    rx_buf_fini(&path);
    return code;
}

int
cmd_rule_enable(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return switch_rule(c, argv[1], "/enable", "is asked from now on");
}

int
cmd_rule_disable(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return switch_rule(c, argv[1], "/disable", "is not asked for now");
}

/* ---- explaining ----------------------------------------------------------------- */

static void
print_steps(struct rx_buf *out, rx_json steps)
{
    for (rx_json s = rx_json_first(steps); rx_json_there(s);
         s = rx_json_next(s)) {
        rx_str step = rx_json_str(rx_json_find(s, "step"));
        rx_str text = rx_json_str(rx_json_find(s, "text"));
        rx_buf_addf(out, "%-11.*s " RX_STR_FMT "\n", (int)step.len, step.ptr,
            RX_STR_ARG(text));
    }
}

static void
print_explanation(struct cli *c, rx_json data)
{
    rx_json chosen = rx_json_find(data, "chosen");

    print_steps(&c->out, rx_json_find(data, "steps"));
    if (rx_json_kind(chosen) == RX_JSON_OBJECT) {
        rx_str channel = rx_json_str(rx_json_find(chosen, "channel"));
        rx_str model = rx_json_str(rx_json_find(chosen, "model"));
        rx_buf_addf(&c->out,
            "%-11s channel " RX_STR_FMT ", model " RX_STR_FMT "\n", "chosen",
            RX_STR_ARG(channel), RX_STR_ARG(model));
    } else {
        rx_str why = rx_json_str(rx_json_find(data, "refusal"));
        rx_buf_addf(&c->out, "%-11s it would be refused (" RX_STR_FMT ")\n",
            "chosen", RX_STR_ARG(why));
    }
    rx_buf_addc(&c->out, '\n');
    table_print(
        &c->out, candidates, rx_json_find(data, "candidates"), c->colour);
}

int
cmd_route_explain(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf body, path;
    int code = CLI_FAILED;

    (void)argc;
    rx_buf_init(&body, BODY_MAX);
    cli_path(&path, "/api/routing/test", "", "");
    cli_query(&path, "dialect", c->o.dialect);
    if (cli_read_file(argv[1], &body) &&
        cli_call(c, "POST", path.ptr, rx_buf_str(&body), &answer, &code)) {
        code = CLI_OK;
        if (c->o.json) {
            rx_json_print(answer.data, false, &c->out);
            rx_buf_addc(&c->out, '\n');
        } else {
            print_explanation(c, answer.data);
        }
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    rx_buf_fini(&body);
    return code;
}
