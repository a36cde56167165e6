/*
 * play.h - send a script as its recipe says: when, in which pieces, how far.
 *
 *   WAIT ──(delay)──> HEAD ──(first delay)──> EVENTS ──> END
 *                                               ├──> CUT
 *                                               └──> STALLED
 */
#ifndef DEMO_PLAY_H
#define DEMO_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/httpd.h"
#include "shared/loop.h"
#include "tests/demo/recipe.h"
#include "tests/demo/script.h"

struct play {
    struct rx_httpd_req *req;
    struct rx_loop *loop;
    const struct script *script; /* borrowed until play_fini() */
    struct rx_timer timer;
    struct rx_task more;
    size_t at;    /* bytes of the body sent */
    size_t event; /* events sent */
    size_t cut_at, stall_at;
    uint64_t first_delay_ms, event_delay_ms;
    uint64_t split;
    bool started; /* the head was sent */
    bool whole;   /* one reply, no pieces */
    bool reset;   /* a cut is a reset */
    bool waiting; /* for the client to take something */
    bool held;    /* for ever */
};

/* Begin.  Nothing happens on the request after play_fini(). */
void play_start(struct play *p, struct rx_loop *loop, struct rx_httpd_req *req,
    const struct script *script, const struct recipe *recipe);
/* The client took what was queued. */
void play_drained(struct play *p);
void play_fini(struct play *p);

#endif
