/*
 * cmd_key.c - routex key ... and routex tenant ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"

#define BODY_MAX ((size_t)1 << 20)

static const struct table_column keys[] = {
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

static const struct table_column tenants[] = {
    { "NAME", "name", TABLE_TEXT },
    { "STATUS", "status", TABLE_STATE },
    { "KEYS", "key_count", TABLE_NUMBER },
    { "MODELS", "models", TABLE_LIST },
    { "CHANNELS", "channels", TABLE_LIST },
    { "MADE (UTC)", "created_at", TABLE_TIME },
    { 0 },
};

static const struct table_column one_tenant[] = {
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

static void
put_bounds(struct cli *c, struct rx_json_out *w)
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
}

/* A key that is shown this once. */
static int
make_key(struct cli *c, const char *path, rx_str body)
{
    struct remote_answer answer;
    rx_str key;
    int code;

    if (!cli_call(c, "POST", path, body, &answer, &code))
        return code;
    key = rx_json_str(rx_json_find(answer.data, "key"));
    if (c->o.json)
        cli_print(c, keys, answer.data);
    else
        rx_buf_addf(&c->out,
            RX_STR_FMT "\nKeep it: it is not shown again.  "
                       "export ROUTEX_KEY=" RX_STR_FMT "\n",
            RX_STR_ARG(key), RX_STR_ARG(key));
    remote_answer_fini(&answer);
    return CLI_OK;
}

int
cmd_key_add(struct cli *c, int argc, char **argv)
{
    struct rx_buf body;
    struct rx_json_out w;
    int code;

    (void)argc;
    rx_buf_init(&body, BODY_MAX);
    w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "name", argv[1]);
    rx_json_put_text(
        &w, "tenant", c->o.tenant != NULL ? c->o.tenant : "default");
    cli_put_opt(&w, "expires_at", c->o.expires);
    if (c->o.may_force)
        rx_json_put_bool(&w, "may_force_channel", true);
    put_bounds(c, &w);
    rx_json_close(&w);
    code = make_key(c, "/api/keys", rx_buf_str(&body));
    rx_buf_fini(&body);
    return code;
}

int
cmd_key_list(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    int code;

    (void)argc;
    (void)argv;
    cli_path(&path, "/api/keys?limit=200", "", "");
    cli_query(&path, "tenant", c->o.tenant);
    code = cli_get(c, path.ptr, keys);
    rx_buf_fini(&path);
    return code;
}

/* Keys are known by their id, and by their name where only one has it. */
static bool
find_key(struct cli *c, const char *word, char *id, size_t size, int *code)
{
    struct remote_answer answer;
    rx_str want = { word, strlen(word) };
    unsigned named = 0;

    if (!cli_call(c, "GET", "/api/keys?limit=200", RX_S(""), &answer, code))
        return false;
    snprintf(id, size, "%s", word);
    for (rx_json k = rx_json_first(answer.data); rx_json_there(k);
         k = rx_json_next(k)) {
        if (!rx_str_eq(rx_json_str(rx_json_find(k, "name")), want))
            continue;
        snprintf(id, size, RX_STR_FMT,
            RX_STR_ARG(rx_json_str(rx_json_find(k, "id"))));
        named++;
    }
    remote_answer_fini(&answer);
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
cmd_key_rm(struct cli *c, int argc, char **argv)
{
    int code = CLI_OK;

    for (int i = 1; i < argc && code == CLI_OK; i++) {
        struct rx_buf path;
        char id[128];

        if (!find_key(c, argv[i], id, sizeof(id), &code))
            break;
        cli_path(&path, "/api/keys/", id, "");
        code = cli_change(
            c, "DELETE", path.ptr, RX_S(""), "Key %s is gone.", argv[i]);
        rx_buf_fini(&path);
    }
    return code;
}

int
cmd_key_show(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    char id[128];
    int code;

    (void)argc;
    if (!find_key(c, argv[1], id, sizeof(id), &code))
        return code;
    cli_path(&path, "/api/keys/", id, "");
    code = cli_get(c, path.ptr, keys);
    rx_buf_fini(&path);
    return code;
}

int
cmd_key_edit(struct cli *c, int argc, char **argv)
{
    struct rx_buf path, body;
    char id[128];
    int code;

    (void)argc;
    if (!find_key(c, argv[1], id, sizeof(id), &code))
        return code;
    rx_buf_init(&body, BODY_MAX);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    cli_put_opt(&w, "name", c->o.name);
    cli_put_opt(&w, "status", c->o.status);
    cli_put_opt(&w, "tenant", c->o.tenant);
    cli_put_opt(&w, "expires_at", c->o.expires);
    if (c->o.may_force)
        rx_json_put_bool(&w, "may_force_channel", true);
    put_bounds(c, &w);
    rx_json_close(&w);
    cli_path(&path, "/api/keys/", id, "");
    code = cli_change(
        c, "PATCH", path.ptr, rx_buf_str(&body), "Key %s is changed.", argv[1]);
    rx_buf_fini(&path);
    rx_buf_fini(&body);
    return code;
}

int
cmd_key_rotate(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    char id[128];
    char body[64];
    int code;

    (void)argc;
    if (!find_key(c, argv[1], id, sizeof(id), &code))
        return code;
    cli_path(&path, "/api/keys/", id, "/rotate");
    snprintf(body, sizeof(body), "{\"overlap_s\":%" PRIu64 "}",
        c->o.overlap_ms / 1000);
    code = make_key(c, path.ptr, (rx_str){ body, strlen(body) });
    rx_buf_fini(&path);
    return code;
}

/* ---- tenants ---- */

int
cmd_tenant_add(struct cli *c, int argc, char **argv)
{
    struct rx_buf body;
    struct rx_json_out w;
    int code;

    (void)argc;
    rx_buf_init(&body, BODY_MAX);
    w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "name", argv[1]);
    put_bounds(c, &w);
    rx_json_close(&w);
    code = cli_change(c, "POST", "/api/tenants", rx_buf_str(&body),
        "Tenant %s is there.  A key for it: routex key add NAME --tenant %s",
        argv[1], argv[1]);
    rx_buf_fini(&body);
    return code;
}

int
cmd_tenant_edit(struct cli *c, int argc, char **argv)
{
    struct rx_buf body, path;
    struct rx_json_out w;
    int code;

    (void)argc;
    rx_buf_init(&body, BODY_MAX);
    w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    cli_put_opt(&w, "name", c->o.name);
    cli_put_opt(&w, "status", c->o.status);
    put_bounds(c, &w);
    rx_json_close(&w);
    cli_path(&path, "/api/tenants/", argv[1], "");
    code = cli_change(c, "PATCH", path.ptr, rx_buf_str(&body),
        "Tenant %s is changed.", argv[1]);
    rx_buf_fini(&path);
    rx_buf_fini(&body);
    return code;
}

int
cmd_tenant_list(struct cli *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return cli_get(c, "/api/tenants?limit=200", tenants);
}

int
cmd_tenant_show(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    int code;

    (void)argc;
    cli_path(&path, "/api/tenants/", argv[1], "");
    code = cli_get(c, path.ptr, one_tenant);
    rx_buf_fini(&path);
    return code;
}

int
cmd_tenant_rm(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;
    int code = CLI_OK;

    for (int i = 1; i < argc && code == CLI_OK; i++) {
        cli_path(&path, "/api/tenants/", argv[i], "");
        code = cli_change(
            c, "DELETE", path.ptr, RX_S(""), "Tenant %s is gone.", argv[i]);
        rx_buf_fini(&path);
    }
    return code;
}
