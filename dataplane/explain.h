/*
 * explain.h - what would become of this request?  The way a request goes is
 * gone up to the first attempt, and written down.
 */
#ifndef DATAPLANE_EXPLAIN_H
#define DATAPLANE_EXPLAIN_H

#include "dataplane/limits.h"
#include "dataplane/snapshot.h"
#include "dataplane/standing.h"
#include "shared/buf.h"
#include "shared/str.h"

/*
 * `question` is a request body of any dialect, or an object that says more:
 * {"dialect","body","headers","model","key"}; `dialect` (may be empty) is the
 * one to take it in.  Appends one JSON object, and returns the HTTP status: 400
 * with an "error" when it is no request.
 */
struct explain_world {
    const struct snapshot *snapshot;
    struct standing *standing; /* NULL: nobody is in trouble */
    struct limits *limits;     /* NULL: there are none */
    uint64_t now_ms;           /* loop time */
    uint64_t dice;
};
int explain(const struct explain_world *world, rx_str question, rx_str dialect,
    struct rx_buf *out);

#endif
