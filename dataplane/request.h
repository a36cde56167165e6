/*
 * request.h - one proxied request from its head to its row.
 *
 * Fills the exchange's port: reads and understands the body, asks route for
 * candidates, makes attempts, relays, refuses, and writes the record.  The row
 * is in the journal before the client can see the end of its answer.
 */
#ifndef DATAPLANE_REQUEST_H
#define DATAPLANE_REQUEST_H

#include "dataplane/paths.h"
#include "dataplane/proxy.h"
#include "shared/httpd.h"

/* id, name in records */
#define REQUEST_OUTCOMES(X)                                          \
    X(OK, "ok")                                                      \
    X(ERROR, "error")         /* the upstream's answer, passed on */ \
    X(REFUSED, "refused")     /* by us */                            \
    X(CUT, "cut")             /* the upstream broke after commit */  \
    X(CANCELLED, "cancelled") /* the client left */

enum request_outcome {
#define REQUEST_ENUM(id, name) REQUEST_##id,
    REQUEST_OUTCOMES(REQUEST_ENUM)
#undef REQUEST_ENUM
};
const char *request_outcome_name(enum request_outcome outcome);

/*
 * Take a request whose head has arrived.  It may be refused at once (bad key,
 * not ready), without waiting for its body; from then on it looks after itself.
 */
void request_begin(
    struct proxy *p, struct rx_httpd_req *req, const struct path *path);

/* A snapshot was installed: whoever waits for it may go on. */
void request_wake_waiting(struct proxy *p);

#endif
