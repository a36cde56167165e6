/*
 * cmd_key.c - routex key ... and routex tenant ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"

const struct table_column cmd_key_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "ID", "id", TABLE_TEXT },
    { "TENANT", "tenant", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "ENDS IN", "last4", TABLE_TEXT },
    { "MADE (UTC)", "created_at", TABLE_TIME },
    { "LAST USED (UTC)", "last_used_at", TABLE_TIME },
    { "UNTIL (UTC)", "expires_at", TABLE_TIME },
    { 0 },
};

const struct table_column cmd_tenant_columns[] = {
    { "NAME", "name", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "KEYS", "key_count", TABLE_NUMBER },
    { "MODELS", "models", TABLE_LIST },
    { "CHANNELS", "channels", TABLE_LIST },
    { "MADE (UTC)", "created_at", TABLE_TIME },
    { 0 },
};

const struct table_column cmd_tenant_one[] = {
    { "name", "name", TABLE_TEXT },
    { "id", "id", TABLE_TEXT },
    { "status", "status", TABLE_STATE },
    { "keys", "key_count", TABLE_NUMBER },
    { "models", "models", TABLE_LIST },
    { "channels", "channels", TABLE_LIST },
    { "made", "created_at", TABLE_TIME },
    { "changed", "updated_at", TABLE_TIME },
    { 0 },
};

static void
put_limit(struct rx_json_out *w, const char *key, uint64_t n)
{
    if (n == 0)
        rx_json_put_null(w, key);
    else if (n != UINT64_MAX)
        rx_json_put_u64(w, key, n);
}

/* "1000000/day"; the control plane says what is wrong with another. */
static void
put_quota(struct rx_json_out *w, const char *quota)
{
    rx_str tokens, window;
    uint64_t n;

    if (quota == NULL)
        return;
    rx_str_cut((rx_str){ quota, strlen(quota) }, '/', &tokens, &window);
    if (!rx_str_u64(tokens, &n)) {
        rx_json_put_text(w, "quota", quota);
    } else if (n == 0) {
        rx_json_put_null(w, "quota");
    } else {
        rx_json_open_object(w, "quota");
        rx_json_put_u64(w, "tokens", n);
        rx_json_put_str(w, "window", window);
        rx_json_close(w);
    }
}

bool
cmd_tenant_put(struct cli *c, struct rx_json_out *w)
{
    const struct cli_options *o = &c->o;

    cli_put_list(w, "models", &o->models);
    cli_put_list(w, "channels", &o->channels);
    cli_put_list(w, "ips", &o->ips);
    rx_json_open_object(w, "limits");
    put_limit(w, "requests_per_min", o->rpm);
    put_limit(w, "tokens_per_min", o->tpm);
    put_limit(w, "concurrent", o->concurrent);
    put_quota(w, o->quota);
    rx_json_close(w);
    return true;
}

bool
cmd_key_put(struct cli *c, struct rx_json_out *w)
{
    cli_put_opt(w, "tenant", c->o.tenant);
    cli_put_opt(w, "expires_at", c->o.expires);
    if (c->o.may_force)
        rx_json_put_bool(w, "may_force_channel", true);
    return cmd_tenant_put(c, w);
}

int
cmd_tenant_add(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return cli_add(c, argv[1],
        "Tenant %s is there.  A key for it: routex key add NAME --tenant %s",
        argv[1], argv[1]);
}

/* ---- keys ---- */

/* A key that is shown this once. */
static void
show_key(struct cli *c, struct remote_answer *answer)
{
    rx_str key = rx_json_str(rx_json_find(answer->data, "key"));

    if (!c->o.json)
        rx_buf_addf(&c->out,
            RX_STR_FMT "\nKeep it: it is not shown again.  "
                       "export ROUTEX_KEY=" RX_STR_FMT "\n",
            RX_STR_ARG(key), RX_STR_ARG(key));
    remote_answer_fini(answer);
}

int
cmd_key_add(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    int code;

    (void)argc;
    if (c->o.tenant == NULL)
        c->o.tenant = "default";
    if (cli_make(c, argv[1], &answer, &code))
        show_key(c, &answer);
    return code;
}

/* Keys are known by their id, and by their name where only one has it. */
bool
cmd_key_find(struct cli *c, const char *word, char id[CLI_ID], int *code)
{
    struct rx_json_doc *doc;
    rx_str want = { word, strlen(word) };
    unsigned named = 0;

    if (!cli_all(c, "/api/keys?limit=200", &doc, code))
        return false;
    snprintf(id, CLI_ID, "%s", word);
    for (rx_json k = rx_json_first(rx_json_root(doc)); rx_json_there(k);
         k = rx_json_next(k)) {
        if (!rx_str_eq(rx_json_str(rx_json_find(k, "name")), want))
            continue;
        snprintf(id, CLI_ID, RX_STR_FMT,
            RX_STR_ARG(rx_json_str(rx_json_find(k, "id"))));
        named++;
    }
    rx_json_free(doc);
    if (named <= 1)
        return true;
    fprintf(stderr,
        "routex: %u keys are called %s: say which by its id (routex key "
        "list)\n",
        named, word);
    *code = CLI_FAILED;
    return false;
}

int
cmd_key_rotate(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    char id[CLI_ID];
    char body[64];
    int code;

    (void)argc;
    if (!cmd_key_find(c, argv[1], id, &code))
        return code;
    cli_path(&path, "/api/keys/", id, "/rotate");
    snprintf(body, sizeof(body), "{\"overlap_s\":%" PRIu64 "}",
        c->o.overlap_ms / 1000);
    if (cli_call(c, "POST", path.ptr, (rx_str){ body, strlen(body) }, &answer,
            &code)) {
        if (c->o.json)
            cli_print(c, NULL, answer.data);
        show_key(c, &answer);
    }
    rx_buf_fini(&path);
    return code;
}
