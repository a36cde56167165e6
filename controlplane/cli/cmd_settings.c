/*
 * cmd_settings.c - routex settings ...
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"

#define BODY_MAX ((size_t)64 << 10)

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
