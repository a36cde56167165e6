/*
 * oauth_token.h - what a token endpoint answers.
 */
#ifndef CONTROLPLANE_OAUTH_TOKEN_H
#define CONTROLPLANE_OAUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/str.h"

#define OAUTH_ANSWER_MAX ((size_t)64 << 10)
/* A token longer than this, or one a header cannot hold, is none. */
#define OAUTH_TOKEN_MAX  ((size_t)8192)

struct oauth_grant {
    rx_str access;
    rx_str refresh;   /* empty: none was given */
    uint64_t life_ms; /* 0: it is over already */
    rx_str scope;
    rx_str identity, email; /* as far as it is told whose it is */
};

enum oauth_verdict {
    OAUTH_GRANTED,
    OAUTH_FAILED,  /* nothing is known: worth another try */
    OAUTH_REFUSED, /* what was shown is good no more: somebody has to log in */
};

/*
 * Strings live in the arena.  Not granted: `err` says why, without anything
 * secret.  A refresh token may have come along with a failure: keep it, the old
 * one may be dead.  A grant that is over already is a failure, too; its tokens
 * are filled.
 */
enum oauth_verdict oauth_answer_read(struct rx_arena *arena, int status,
    rx_str body, struct oauth_grant *out, struct rx_err *err);

#endif
