/*
 * heartbeat.h - a word to a client whose answer has gone silent.
 *
 * What stands between us and the client closes connections on which nothing
 * moves.  Every so often without a byte it is time to say something that means
 * nothing: a ping to an Anthropic client, a comment to one of Chat or
 * Responses, nothing to Gemini's, who would take it for JSON.
 */
#ifndef DATAPLANE_HEARTBEAT_H
#define DATAPLANE_HEARTBEAT_H

#include "dataplane/dialect.h"
#include "shared/loop.h"
#include "shared/str.h"

struct heartbeat {
    struct rx_timer timer;
    uint64_t every_ms; /* 0: never */
    rx_str words;
    /* It is time; whether it is also the place, the owner knows. */
    void (*beat)(void *arg, rx_str words);
    void *arg;
};

void heartbeat_init(struct heartbeat *h, struct rx_loop *loop,
    enum dialect client, uint64_t every_ms,
    void (*beat)(void *arg, rx_str words), void *arg);
/* Bytes went to the client; the first call starts it. */
void heartbeat_moved(struct heartbeat *h);
void heartbeat_stop(struct heartbeat *h);
void heartbeat_fini(struct heartbeat *h); /* idempotent */

#endif
