/*
 * repair.h - a request that a provider refuses for one part of it.
 *
 * Conversations that move between accounts carry signatures only one of them
 * can check; newer clients send fields an upstream does not know yet.  Nothing
 * is taken out up front.  When an upstream refuses with 400 and says what it
 * minds, the request is sent once more without it.
 */
#ifndef DATAPLANE_REPAIR_H
#define DATAPLANE_REPAIR_H

#include <stdbool.h>

#include "dataplane/dialect.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/str.h"

/* Does this 400 name a part that could be left out? */
bool repair_is_possible(enum dialect dialect, rx_str error_body);

struct repair {
    char what[64];  /* what was taken out, for the log: "thinking blocks" */
    char beta[128]; /* this item of anthropic-beta is to be left out */
};

/*
 * Write `body` without the offending part to the empty `out` (which stays so if
 * only a header is to change).  False, and nothing is written, when the part is
 * not in there or the body is not what it seemed.
 */
RX_NODISCARD bool repair_body(enum dialect dialect, rx_str error_body,
    rx_str body, struct rx_buf *out, struct repair *done);

#endif
