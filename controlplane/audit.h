/*
 * audit.h - who changed what, and when, from where; how it was before and how
 * it is since.  Written in the transaction of the change itself, so there is no
 * change without its line and no line without its change.  Of secrets only the
 * last four characters are written.
 */
#ifndef CONTROLPLANE_AUDIT_H
#define CONTROLPLANE_AUDIT_H

#include <stdint.h>

#include "controlplane/store.h"
#include "shared/json.h"

struct audit_line {
    rx_str actor;       /* name of the user or token; routex-control */
    const char *action; /* "create", "update", "delete", "rotate", … */
    const char *kind;   /* "channel", "key", … */
    rx_str id, name;
    rx_json body;           /* what was asked; may be not there */
    const char *actor_kind; /* "user", "token", …; NULL: "system" */
    rx_str actor_id;
    rx_str address;        /* empty: from nowhere else */
    rx_json before, after; /* the item; not there: there was none */
};
RX_NODISCARD enum rx_code audit_add(
    struct store *s, const struct audit_line *line, struct rx_err *err);
/* Forget what is older. */
RX_NODISCARD enum rx_code audit_prune(
    struct store *s, uint64_t before_ms, struct rx_err *err);

/* Empty and 0: any. */
struct audit_filter {
    rx_str actor;  /* name or id */
    rx_str object; /* name or id */
    rx_str kind, action;
    uint64_t since_ms, until_ms; /* from, and before */
    uint64_t before;             /* those written before this one */
};
/*
 * Newest first, as elements of the open array.  *last: number of the last one.
 */
RX_NODISCARD enum rx_code audit_list(struct store *s,
    const struct audit_filter *filter, size_t limit, struct rx_json_out *w,
    size_t *count, uint64_t *last, struct rx_err *err);

#endif
