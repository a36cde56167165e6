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

enum repair_fault {
    FAULT_NONE,
    FAULT_THINKING,       /* signatures of thinking blocks */
    FAULT_THOUGHT,        /* the same in Gemini's words */
    FAULT_ENCRYPTED,      /* reasoning items another account encrypted */
    FAULT_BETA,           /* an item of anthropic-beta */
    FAULT_MAX_TOKENS,     /* is max_completion_tokens there */
    FAULT_MAX_COMPLETION, /* … and the other way round */
    FAULT_DEVELOPER,      /* a role that is called system there */
    FAULT_FIELD,          /* a member at a path */
};

#define REPAIR_PATH_MAX 160
struct repair {
    enum repair_fault fault;
    bool lasting; /* the model minds it always, not in this request only */
    unsigned parts;
    char path[REPAIR_PATH_MAX]; /* each part ended by a zero byte */
    char what[64];  /* what is taken out, for the log: "thinking blocks" */
    char beta[128]; /* this item of anthropic-beta is to be left out */
};

/* What this 400 asks for; false when there is nothing to be done. */
RX_NODISCARD bool repair_find(
    enum dialect dialect, rx_str error_body, struct repair *out);
/* Write `body` without it to `out`; false, and nothing written, when it is not
 * in there (as FAULT_BETA never is). */
RX_NODISCARD bool repair_apply(
    const struct repair *r, rx_str body, struct rx_buf *out);

#endif
