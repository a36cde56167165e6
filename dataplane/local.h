/*
 * local.h - what the data plane answers by itself: /health, the lists of
 * models, "are you there", and everything it does not know.
 */
#ifndef DATAPLANE_LOCAL_H
#define DATAPLANE_LOCAL_H

#include "dataplane/paths.h"
#include "dataplane/proxy.h"
#include "shared/buf.h"
#include "shared/httpd.h"

void local_answer(
    struct proxy *p, struct rx_httpd_req *req, const struct path *path);

/* The JSON of GET /health: `healthy` tells which of the two words it says. */
void local_health(const struct proxy *p, struct rx_buf *out, bool *healthy);

#endif
