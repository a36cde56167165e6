/*
 * cmd_config.h - what `routex config`, `apply` and `import` share.
 */
#ifndef CLI_CMD_CONFIG_H
#define CLI_CMD_CONFIG_H

#include "controlplane/cli/command.h"

/* "-" is stdin.  On failure the words are printed. */
bool cli_read_file(const char *name, struct rx_buf *out);
/*
 * Send a document, and print what it changes or would change.  False: *code
 * says how it failed, and the words are printed.
 */
bool cli_import(struct cli *c, rx_str document, bool dry, bool replace,
    int *code, size_t *changes);
/* The answer of an import, for people. */
void cli_put_import(struct cli *c, rx_json data, bool dry);

#endif
