/*
 * api_audit.h - the audit log's part in running a change: see api.c.
 */
#ifndef CONTROLPLANE_API_AUDIT_H
#define CONTROLPLANE_API_AUDIT_H

#include "controlplane/api.h"
#include "controlplane/audit.h"

/* Before the handler of a change runs: note how the item is now. */
void api_audit_before(struct api_call *c);
/* A line of this caller, from where he calls. */
struct audit_line api_audit_line(const struct api_call *c, const char *action,
    const char *kind, rx_str id, rx_str name);

#endif
