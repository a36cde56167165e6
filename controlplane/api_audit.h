/*
 * api_audit.h - the audit log's part in running a change: see api.c.
 */
#ifndef CONTROLPLANE_API_AUDIT_H
#define CONTROLPLANE_API_AUDIT_H

#include "controlplane/api.h"

/* Before the handler of a change runs: note how the item is now. */
void api_audit_before(struct api_call *c);

#endif
