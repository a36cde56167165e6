/*
 * cmd_tee.c - routex tee ...
 */
#include <string.h>

#include "controlplane/cli/command.h"

const struct table_column cmd_tee_columns[] = {
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

static void
put_filter(struct rx_json_out *w, const struct cli_options *o)
{
    const struct {
        const char *key, *value;
    } rows[] = { { "tenant", o->tenant }, { "key", o->key },
        { "channel", o->channel }, { "model", o->model },
        { "outcome", o->outcome } };
    bool any = o->http_status != NULL;
    uint64_t status;

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        any = any || rows[i].value != NULL;
    if (!any)
        return;
    rx_json_open_object(w, "filter");
    for (size_t i = 0; i < RX_COUNT(rows); i++)
        cli_put_opt(w, rows[i].key, rows[i].value);
    if (o->http_status != NULL &&
        rx_str_u64((rx_str){ o->http_status, strlen(o->http_status) }, &status))
        rx_json_put_u64(w, "status", status);
    else
        cli_put_opt(
            w, "status", o->http_status); /* refused there, with words */
    rx_json_close(w);
}

bool
cmd_tee_put(struct cli *c, struct rx_json_out *w)
{
    const struct cli_options *o = &c->o;

    cli_put_opt(w, "sink", o->sink);
    cli_put_opt(w, "url", o->to);
    cli_put_pairs(w, "headers", ':', &o->headers);
    cli_put_pairs(w, "resource", '=', &o->resource);
    put_filter(w, o);
    return cli_put_json(w, "sampling", "--sampling", o->sampling);
}

int
cmd_tee_add(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    int code;

    c->o.sink = argv[2];
    c->o.to = argc > 3 ? argv[3] : NULL;
    if (!cli_make(c, argv[1], &answer, &code))
        return code;
    rx_str secret = rx_json_str(rx_json_find(answer.data, "secret"));
    if (!c->o.json)
        rx_buf_addf(
            &c->out, "requests are copied to %s from now on\n", argv[1]);
    if (!c->o.json && secret.len > 0)
        rx_buf_addf(&c->out,
            "What it gets is signed with this secret, shown only now:\n\n"
            "  " RX_STR_FMT "\n",
            RX_STR_ARG(secret));
    remote_answer_fini(&answer);
    return CLI_OK;
}
