/*
 * cmd_import.c - routex import SYSTEM FILE
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cli/cmd_config.h"
#include "controlplane/cli/importing.h"
#include "shared/attr.h"

#define DOCUMENT_MAX ((size_t)32 << 20)

static const struct {
    const char *name;
    import_fn *read;
} systems[] = {
    { "ccr", import_ccr },
    { "ccflare", import_ccflare },
    { "better-ccflare", import_better_ccflare },
    { "llmio", import_llmio },
    { "routex", import_dctx_routex },
    { "cc-switch", import_cc_switch },
};

static void
put_report(struct cli *c, rx_json report)
{
    if (rx_json_count(report) == 0)
        return;
    rx_buf_add(&c->out, RX_S("Not carried over, or to be known:\n"));
    for (rx_json v = rx_json_first(report); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_str item = rx_json_str(rx_json_find(v, "item"));
        rx_str why = rx_json_str(rx_json_find(v, "reason"));
        rx_buf_addf(&c->out, "  " RX_STR_FMT ": " RX_STR_FMT "\n",
            RX_STR_ARG(item), RX_STR_ARG(why));
    }
    rx_buf_addc(&c->out, '\n');
}

/* On a terminal people are asked; elsewhere nothing is changed unsaid. */
static bool
is_wanted(struct cli *c)
{
    char answer[16];

    if (c->o.yes)
        return true;
    if (c->o.dry_run || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    cli_flush(c);
    printf("Take this over? [y/N] ");
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) != NULL &&
           (answer[0] == 'y' || answer[0] == 'Y');
}

static int
offer(struct cli *c, rx_str document)
{
    size_t changes = 0;
    int code = CLI_FAILED;

    if (!c->o.yes && !cli_import(c, document, true, false, &code, &changes))
        return code;
    if (!c->o.yes && changes == 0)
        return CLI_OK;
    if (is_wanted(c))
        return cli_import(c, document, false, false, &code, &changes) ? CLI_OK
                                                                      : code;
    if (!c->o.json)
        rx_buf_add(
            &c->out, RX_S("Nothing was changed; --yes takes it over.\n"));
    return CLI_OK;
}

/* For machines: the document and what is missing in it. */
static void
put_json(struct cli *c, rx_str document, rx_str report)
{
    struct rx_json_out w = rx_json_out(&c->out);

    rx_json_open_object(&w, NULL);
    rx_json_put_raw(&w, "document", document);
    rx_json_put_raw(&w, "report", report);
    rx_json_close(&w);
    rx_buf_addc(&c->out, '\n');
}

static int
convert(struct cli *c, import_fn *read, const char *file)
{
    struct importing im;
    struct rx_buf document;
    struct rx_err err = { 0 };
    int code = CLI_OK;

    importing_init(&im);
    rx_buf_init(&document, DOCUMENT_MAX);
    if (read(&im, file, &err) != RX_OK) {
        code = cli_fail(&err);
    } else {
        importing_document(&im, &document);
        rx_str report = rx_buf_str(&im.report);
        if (c->o.json)
            put_json(c, rx_buf_str(&document), report);
        else
            put_report(c, import_json(&im, report));
        if (!c->o.json || c->o.yes)
            code = offer(c, rx_buf_str(&document));
    }
    rx_buf_fini(&document);
    importing_fini(&im);
    return code;
}

int
cmd_import(struct cli *c, int argc, char **argv)
{
    (void)argc;
    for (size_t i = 0; i < RX_COUNT(systems); i++) {
        if (strcmp(argv[1], systems[i].name) == 0)
            return convert(c, systems[i].read, argv[2]);
    }
    fprintf(stderr,
        "routex: import %s: no such system; there are ccr, ccflare, "
        "better-ccflare, llmio, routex and cc-switch\n",
        argv[1]);
    return CLI_USAGE;
}
