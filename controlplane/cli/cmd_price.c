/*
 * cmd_price.c - routex price: what models cost.
 */
#include "controlplane/cli/cmd_config.h"
#include "controlplane/cli/command.h"

#define FILE_LIMIT ((size_t)32 << 20)

static const struct table_column columns[] = {
    { "MODEL", "model", TABLE_TEXT },
    { "PROVIDER", "provider", TABLE_TEXT },
    { "INPUT/M", "input", TABLE_MONEY },
    { "OUTPUT/M", "output", TABLE_MONEY },
    { "CACHED/M", "cache_read", TABLE_MONEY },
    { "WRITTEN/M", "cache_write_5m", TABLE_MONEY },
    { "SOURCE", "source", TABLE_TEXT },
    { 0 },
};

int
cmd_price_list(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;

    cli_path(&path, "/api/prices", "", "");
    cli_query(&path, "limit", "200");
    cli_query(&path, "search", argc > 1 ? argv[1] : NULL);
    int code = cli_get(c, path.ptr, columns);
    rx_buf_fini(&path);
    return code;
}

int
cmd_price_show(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;

    (void)argc;
    cli_path(&path, "/api/prices/", argv[1], "");
    int code = cli_get(c, path.ptr, columns);
    rx_buf_fini(&path);
    return code;
}

/* MODEL INPUT OUTPUT, dollars per million tokens. */
int
cmd_price_set(struct cli *c, int argc, char **argv)
{
    struct rx_buf path, body;

    (void)argc;
    rx_buf_init(&body, 4096);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "input", argv[2]);
    rx_json_put_text(&w, "output", argv[3]);
    rx_json_close(&w);
    cli_path(&path, "/api/prices/", argv[1], "");
    int code = cli_change(c, "PUT", path.ptr, rx_buf_str(&body),
        "The price of %s is set.", argv[1]);
    rx_buf_fini(&path);
    rx_buf_fini(&body);
    return code;
}

int
cmd_price_load(struct cli *c, int argc, char **argv)
{
    struct rx_buf path, body;
    int code = CLI_FAILED;

    (void)argc;
    rx_buf_init(&body, FILE_LIMIT);
    if (cli_read_file(argv[1], &body)) {
        cli_path(&path, "/api/prices", "", "");
        cli_query(&path, "source", argv[1]);
        code = cli_change(c, "POST", path.ptr, rx_buf_str(&body),
            "The prices of %s are loaded.", argv[1]);
        rx_buf_fini(&path);
    }
    rx_buf_fini(&body);
    return code;
}

int
cmd_price_unset(struct cli *c, int argc, char **argv)
{
    struct rx_buf path;

    (void)argc;
    cli_path(&path, "/api/prices/", argv[1], "");
    int code = cli_change(c, "DELETE", path.ptr, RX_S(""),
        "The price of %s is the file's again.", argv[1]);
    rx_buf_fini(&path);
    return code;
}
