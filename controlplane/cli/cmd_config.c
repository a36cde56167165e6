/*
 * cmd_config.c - routex config export, import, diff; routex apply
 */
#include "controlplane/cli/cmd_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/command.h"

#define BODY_MAX ((size_t)32 << 20)
#define CELL_MAX 100 /* bytes of a value in a line */

/* ---- files ----------------------------------------------------------------- */

bool
cli_read_file(const char *name, struct rx_buf *out)
{
    bool standard = strcmp(name, "-") == 0;
    FILE *f = standard ? stdin : fopen(name, "re");
    size_t n = 1;

    if (f == NULL) {
        fprintf(stderr, "routex: %s: %s\n", name, strerror(errno));
        return false;
    }
    while (n > 0) {
        char *room = rx_buf_room(out, 65536);
        if (room == NULL)
            break;
        n = fread(room, 1, 65536, f);
        rx_buf_grew(out, n);
    }
    bool bad = ferror(f) != 0 || out->full;
    if (!standard)
        fclose(f);
    if (bad)
        fprintf(stderr, "routex: %s: cannot be read, or is too large\n", name);
    return !bad;
}

/* Its first line. */
static bool
load_passphrase(struct cli *c)
{
    struct rx_buf text;
    rx_str line, rest;
    bool good = true;

    if (c->o.passphrase_file == NULL)
        return true;
    rx_buf_init(&text, 256 << 10);
    good = cli_read_file(c->o.passphrase_file, &text);
    rx_str_cut(rx_buf_str(&text), '\n', &line, &rest);
    if (good && (line.len < 8 || line.len >= sizeof(c->passphrase) - 32)) {
        fprintf(stderr, "routex: %s: a passphrase has 8 to 400 characters\n",
            c->o.passphrase_file);
        good = false;
    }
    if (good)
        snprintf(c->passphrase, sizeof(c->passphrase),
            "x-routex-passphrase: " RX_STR_FMT, RX_STR_ARG(line));
    if (text.ptr != NULL)
        memset(text.ptr, 0, text.len);
    rx_buf_fini(&text);
    return good;
}

/* A new file, readable by its owner only: it may hold what keys are made of. */
static bool
save_file(const char *name, rx_str text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0;

    while (good && text.len > 0) {
        ssize_t n = write(fd, text.ptr, text.len);
        good = n > 0;
        if (good)
            text = (rx_str){ text.ptr + n, text.len - (size_t)n };
    }
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "routex: %s: %s\n", name, strerror(errno));
    return good;
}

/* ---- export ---------------------------------------------------------------- */

int
cmd_config_export(struct cli *c, int argc, char **argv)
{
    struct remote_answer answer;
    struct rx_buf path;
    int code = CLI_FAILED;

    (void)argc;
    (void)argv;
    if (c->o.secrets && c->o.passphrase_file == NULL) {
        fprintf(stderr, "routex: --secrets needs --passphrase-file: they are "
                        "sealed with it\n");
        return CLI_USAGE;
    }
    if (!load_passphrase(c))
        return CLI_FAILED;
    cli_path(&path, "/api/config/export", "", "");
    cli_query(&path, "secrets", c->o.secrets ? "sealed" : NULL);
    cli_query(&path, "select", c->o.select);
    if (cli_call(c, "GET", path.ptr, RX_S(""), &answer, &code)) {
        code = CLI_OK;
        rx_json_print(answer.data, true, &c->out);
        rx_buf_addc(&c->out, '\n');
        if (c->o.output != NULL) {
            code = save_file(c->o.output, rx_buf_str(&c->out)) ? CLI_OK
                                                               : CLI_FAILED;
            rx_buf_clear(&c->out);
        }
        remote_answer_fini(&answer);
    }
    rx_buf_fini(&path);
    return code;
}

/* ---- what would change ----------------------------------------------------- */

static void
put_value(struct rx_buf *out, rx_json v)
{
    struct rx_buf text;

    rx_buf_init(&text, BODY_MAX);
    if (rx_json_kind(v) == RX_JSON_STRING)
        rx_buf_add(&text, rx_json_str(v));
    else
        rx_json_print(v, false, &text);
    bool fits = text.len <= CELL_MAX;
    rx_buf_add(out, (rx_str){ text.ptr == NULL ? "" : text.ptr,
                        fits ? text.len : CELL_MAX - 1 });
    if (!fits)
        rx_buf_add(out, RX_S("…"));
    rx_buf_fini(&text);
}

static void
put_fields(struct rx_buf *out, rx_json fields)
{
    for (rx_json f = rx_json_first(fields); rx_json_there(f);
         f = rx_json_next(f)) {
        rx_str name = rx_json_str(rx_json_find(f, "field"));
        rx_buf_addf(out, "    " RX_STR_FMT ": ", RX_STR_ARG(name));
        put_value(out, rx_json_find(f, "before"));
        rx_buf_add(out, RX_S(" -> "));
        put_value(out, rx_json_find(f, "after"));
        rx_buf_addc(out, '\n');
    }
}

static void
put_change(struct cli *c, rx_json change)
{
    static const struct {
        const char *action, *sign, *colour;
    } signs[] = { { "added", "+", "\033[32m" }, { "removed", "-", "\033[31m" },
        { "changed", "~", "\033[33m" } };
    rx_str action = rx_json_str(rx_json_find(change, "action"));
    rx_str kind = rx_json_str(rx_json_find(change, "kind"));
    rx_str name = rx_json_str(rx_json_find(change, "name"));

    for (size_t i = 0; i < RX_COUNT(signs); i++) {
        if (!rx_str_eq(
                action, (rx_str){ signs[i].action, strlen(signs[i].action) }))
            continue;
        rx_buf_addf(&c->out, "%s%s " RX_STR_FMT " " RX_STR_FMT "%s\n",
            c->colour ? signs[i].colour : "", signs[i].sign, RX_STR_ARG(kind),
            RX_STR_ARG(name), c->colour ? TABLE_PLAIN : "");
    }
    put_fields(&c->out, rx_json_find(change, "fields"));
}

static uint64_t
count_of(rx_json data, const char *path)
{
    uint64_t n = 0;

    rx_json_u64(rx_json_find(data, path), &n);
    return n;
}

void
cli_put_import(struct cli *c, rx_json data, bool dry)
{
    rx_json list = rx_json_find(data, "changes");

    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        put_change(c, v);
    list = rx_json_find(data, "warnings");
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_str name = rx_json_str(rx_json_find(v, "name"));
        rx_str words = rx_json_str(rx_json_find(v, "message"));
        rx_buf_addf(&c->out, "! " RX_STR_FMT ": " RX_STR_FMT "\n",
            RX_STR_ARG(name), RX_STR_ARG(words));
    }
    list = rx_json_find(data, "made_keys");
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_str name = rx_json_str(rx_json_find(v, "name"));
        rx_str key = rx_json_str(rx_json_find(v, "key"));
        rx_buf_addf(&c->out,
            "key " RX_STR_FMT ": " RX_STR_FMT "  (shown only now)\n",
            RX_STR_ARG(name), RX_STR_ARG(key));
    }
    rx_buf_addf(&c->out,
        "%s%llu added, %llu changed, %llu removed, %llu unchanged\n",
        dry ? "would be: " : "",
        (unsigned long long)count_of(data, "summary.added"),
        (unsigned long long)count_of(data, "summary.changed"),
        (unsigned long long)count_of(data, "summary.removed"),
        (unsigned long long)count_of(data, "summary.unchanged"));
}

static size_t
changes_in(rx_json data)
{
    return rx_json_count(rx_json_find(data, "changes"));
}

/* Every fault on a line of its own. */
static int
put_faults(const struct remote_answer *answer, const struct rx_err *err)
{
    rx_json list = { 0 };
    size_t count = 0;

    if (answer->doc != NULL)
        list = rx_json_find(rx_json_root(answer->doc), "error.errors");
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v), count++) {
        rx_str field = rx_json_str(rx_json_find(v, "field"));
        rx_str words = rx_json_str(rx_json_find(v, "message"));
        fprintf(stderr, "routex: " RX_STR_FMT ": " RX_STR_FMT "\n",
            RX_STR_ARG(field), RX_STR_ARG(words));
    }
    if (count == 0)
        return cli_fail(err);
    fprintf(stderr, "routex: nothing was changed\n");
    return CLI_FAILED;
}

bool
cli_import(struct cli *c, rx_str document, bool dry, bool replace, int *code,
    size_t *changes)
{
    struct remote_answer answer = { 0 };
    struct rx_err err = { 0 };
    struct rx_buf path;

    cli_path(&path, "/api/config/import", "", "");
    cli_query(&path, "dry_run", dry ? "true" : NULL);
    cli_query(&path, "mode", replace ? "replace" : NULL);
    cli_query(&path, "select", c->o.select);
    bool good = cli_try(c, "POST", path.ptr, document, &answer, &err);
    if (good) {
        *changes = changes_in(answer.data);
        if (c->o.json)
            rx_json_print(answer.data, false, &c->out);
        else
            cli_put_import(c, answer.data, dry);
        if (c->o.json)
            rx_buf_addc(&c->out, '\n');
    } else {
        *code = put_faults(&answer, &err);
    }
    remote_answer_fini(&answer);
    rx_buf_fini(&path);
    return good;
}

static int
import_file(struct cli *c, const char *file, bool dry, bool replace,
    bool tell_difference)
{
    struct rx_buf document;
    size_t changes = 0;
    int code = CLI_FAILED;

    rx_buf_init(&document, BODY_MAX);
    if (load_passphrase(c) && cli_read_file(file, &document) &&
        cli_import(c, rx_buf_str(&document), dry, replace, &code, &changes))
        code = tell_difference && changes > 0 ? CLI_FAILED : CLI_OK;
    rx_buf_fini(&document);
    return code;
}

int
cmd_config_import(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return import_file(c, argv[1], c->o.dry_run, c->o.replace, false);
}

int
cmd_config_diff(struct cli *c, int argc, char **argv)
{
    (void)argc;
    return import_file(c, argv[1], true, c->o.replace, true);
}

int
cmd_apply(struct cli *c, int argc, char **argv)
{
    const char *file = c->o.file != NULL ? c->o.file
                       : argc > 1        ? argv[1]
                                         : NULL;

    if (file == NULL) {
        fprintf(stderr, "routex: apply: -f FILE is missing; - is stdin\n");
        return CLI_USAGE;
    }
    return import_file(c, file, c->o.dry_run, c->o.prune, false);
}
