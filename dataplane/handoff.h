/*
 * handoff.h - /api and /dashboard on the clients' port are the control
 * plane's: passed to it, and its answer back, when it is on the same machine.
 */
#ifndef DATAPLANE_HANDOFF_H
#define DATAPLANE_HANDOFF_H

#include "dataplane/proxy.h"
#include "shared/httpd.h"

/* The head has arrived; p->options.admin_url is set. */
void handoff_begin(struct proxy *p, struct rx_httpd_req *req);

#endif
