/*
 * cli.c - what all commands do alike: ask, print, complain.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"

int
cli_fail(const struct rx_err *err)
{
    fprintf(stderr, "routex: %s\n", err->text);
    switch (err->code) {
    case RX_UNAVAILABLE:
    case RX_UPSTREAM:
    case RX_TIMEOUT:
    case RX_UNAUTHENTICATED: return CLI_UNREACHABLE;
    case RX_OK:
    case RX_INVALID:
    case RX_DENIED:
    case RX_NOT_FOUND:
    case RX_CONFLICT:
    case RX_TOO_BIG:
    case RX_LIMITED:
    case RX_CANCELLED:
    case RX_INTERNAL: break;
    }
    return CLI_FAILED;
}

void
cli_flush(struct cli *c)
{
    if (c->out.len > 0)
        fwrite(c->out.ptr, 1, c->out.len, stdout);
    fflush(stdout);
    rx_buf_clear(&c->out);
}

enum rx_code
cli_reach(struct cli *c, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    if (!c->remote_known)
        code = remote_find(&c->remote, c->data_dir, c->o.url, c->o.token, err);
    c->remote_known = code == RX_OK;
    return code;
}

bool
cli_try(struct cli *c, const char *method, const char *path, rx_str body,
    struct remote_answer *out, struct rx_err *err)
{
    if (cli_reach(c, err) != RX_OK)
        return false;
    c->remote.patient = c->patient;
    c->remote.extra = c->passphrase[0] != '\0' ? c->passphrase : NULL;
    return remote_call(&c->remote, method, path, body, out, err) == RX_OK;
}

bool
cli_call(struct cli *c, const char *method, const char *path, rx_str body,
    struct remote_answer *out, int *exit_code)
{
    struct rx_err err = { 0 };

    *exit_code = CLI_OK;
    memset(out, 0, sizeof(*out));
    if (cli_try(c, method, path, body, out, &err))
        return true;
    *exit_code = cli_fail(&err);
    remote_answer_fini(out);
    return false;
}

void
cli_print(struct cli *c, const struct table_column *columns, rx_json data)
{
    if (c->o.json) {
        rx_json_print(data, true, &c->out);
        rx_buf_addc(&c->out, '\n');
    } else if (rx_json_kind(data) == RX_JSON_ARRAY) {
        table_print(&c->out, columns, data, c->colour);
    } else {
        table_print_one(&c->out, columns, data, c->colour);
    }
}

int
cli_get(struct cli *c, const char *path, const struct table_column *columns)
{
    struct remote_answer answer;
    int code;

    if (!cli_call(c, "GET", path, RX_S(""), &answer, &code))
        return code;
    cli_print(c, columns, answer.data);
    remote_answer_fini(&answer);
    return CLI_OK;
}

int
cli_change(struct cli *c, const char *method, const char *path, rx_str body,
    const char *fmt, ...)
{
    struct remote_answer answer;
    char text[512];
    va_list args;
    int code;

    if (!cli_call(c, method, path, body, &answer, &code))
        return code;
    if (c->o.json && rx_json_there(answer.data)) {
        cli_print(c, NULL, answer.data);
    } else if (!c->o.json) {
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        rx_buf_addf(&c->out, "%s\n", text);
    }
    remote_answer_fini(&answer);
    return CLI_OK;
}

static void
add_escaped(struct rx_buf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            rx_buf_addc(out, *text);
        else
            rx_buf_addf(out, "%%%02X", (unsigned char)*text);
    }
}

void
cli_path(struct rx_buf *out, const char *prefix, const char *word,
    const char *suffix)
{
    rx_buf_init(out, 4096);
    rx_buf_addf(out, "%s", prefix);
    add_escaped(out, word);
    rx_buf_addf(out, "%s", suffix);
}

void
cli_query(struct rx_buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    rx_buf_addf(out,
        "%c%s=", memchr(out->ptr, '?', out->len) == NULL ? '?' : '&', name);
    add_escaped(out, value);
}

void
cli_put_opt(struct rx_json_out *w, const char *key, const char *value)
{
    if (value != NULL)
        rx_json_put_text(w, key, value);
}

void
cli_put_list(
    struct rx_json_out *w, const char *key, const struct rx_conf_list *list)
{
    if (list->count == 0)
        return;
    rx_json_open_array(w, key);
    for (size_t i = 0; i < list->count; i++)
        rx_json_put_text(w, NULL, list->at[i]);
    rx_json_close(w);
}

void
cli_put_pairs(struct rx_json_out *w, const char *key, char separator,
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

bool
cli_put_json(struct rx_json_out *w, const char *key, const char *option,
    const char *value)
{
    struct rx_err err = { 0 };

    if (value == NULL)
        return true;
    rx_str json = { value, strlen(value) };
    if (rx_json_check(json, NULL, &err) != RX_OK) {
        fprintf(stderr, "routex: %s: %s\n", option, err.text);
        return false;
    }
    rx_json_put_raw(w, key, json);
    return true;
}
