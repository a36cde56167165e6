/*
 * audit.h - who changed what, and when.  Written in the transaction of the
 * change itself, so there is no change without its line and no line without its
 * change.  Secrets are left out.
 */
#ifndef CONTROLPLANE_AUDIT_H
#define CONTROLPLANE_AUDIT_H

#include <stdint.h>

#include "controlplane/store.h"
#include "shared/json.h"

struct audit_line {
    rx_str actor;       /* name of the token */
    const char *action; /* "create", "update", "delete", "rotate", … */
    const char *kind;   /* "channel", "key", … */
    rx_str id, name;
    rx_json body; /* what was asked; may be not there */
};
RX_NODISCARD enum rx_code audit_add(
    struct store *s, const struct audit_line *line, struct rx_err *err);

/*
 * Newest first, those before `before` (0: from the newest), as elements of the
 * open array.  *last: number of the last one.
 */
RX_NODISCARD enum rx_code audit_list(struct store *s, uint64_t before,
    size_t limit, struct rx_json_out *w, size_t *count, uint64_t *last,
    struct rx_err *err);

#endif
