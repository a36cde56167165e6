/*
 * attempt_parts.h - the inside of an attempt; for attempt*.c only.
 */
#ifndef DATAPLANE_ATTEMPT_PARTS_H
#define DATAPLANE_ATTEMPT_PARTS_H

#include "dataplane/attempt.h"
#include "dataplane/heartbeat.h"

/* What a translation may make of one read, or of a whole answer. */
#define TRANSLATED_MAX ((size_t)256 * 1024 * 1024)

enum phase { CONNECT, FIRST_BYTE, FIRST_EVENT, IDLE, OVER };

struct attempt {
    struct attempt_request r;
    const struct attempt_events *events;
    void *arg;

    struct rx_client_call *call; /* NULL when over */
    enum phase phase;
    bool sent; /* all of the request */
    bool paused;
    bool opened;    /* attempt_open was called */
    bool gate_told; /* on_gate was called */
    bool retryable; /* another channel might better this answer */
    bool head_seen;
    bool error_taken; /* the first event was an error */
    bool last_held;   /* the end of the answer is in `held` */
    bool sse;
    bool encoded;
    bool filtering;        /* the answer goes through r.filter */
    bool body_ended;       /* the framing says it is all here */
    struct rx_timer limit; /* of the phase */
    struct rx_timer total;
    struct heartbeat heartbeat;

    uint64_t start_ms;
    uint64_t first_content_ms;
    struct rx_buf headers; /* for the client */
    struct rx_buf held;
    uint64_t length;
    struct rx_buf translated; /* of one read; empty without a translation */
    struct rx_buf evidence;   /* … and what the answer began with */
    struct limit_facts limits;
    struct usage_tap *tap;
    struct attempt_result result;
};

/* The head of the answer: what of it the client gets, and how to read on. */
void attempt_keep_head(struct attempt *a, const struct rx_client_head *head);

#endif
