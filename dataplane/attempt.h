/*
 * attempt.h - one try at one channel.
 *
 *   CONNECT ─> FIRST_BYTE ─> FIRST_EVENT ─> IDLE ─> over
 *
 * Sends the request, watches the separate time limits, reads along with the
 * answer (usage.h) and holds back what came until it is known to be worth
 * showing: the gate.  For an event stream the gate opens with the first content
 * (or its end); for a document when it is whole or too large to hold.  An
 * answer that another channel might better (429, 5xx, 401, an error as the
 * first event, a cut) never opens it.
 *
 * Events are told through callbacks that must only note; the owner calls back
 * in from the loop.
 */
#ifndef DATAPLANE_ATTEMPT_H
#define DATAPLANE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/codec/translate.h"
#include "dataplane/cooldown.h"
#include "dataplane/record.h"
#include "dataplane/route.h"
#include "dataplane/usage.h"
#include "shared/buf.h"
#include "shared/client.h"
#include "shared/loop.h"

struct attempt;

struct attempt_events {
    void (*on_gate)(void *arg); /* something may be shown: call attempt_open */
    /* Bytes for the client; only after attempt_open. */
    void (*on_bytes)(void *arg, rx_str bytes);
    void (*on_end)(void *arg); /* the last event */
};

struct attempt_request {
    struct rx_loop *loop;
    struct rx_client *client;
    const struct candidate *to;
    enum dialect dialect;  /* of the upstream */
    enum dialect speaks;   /* the client */
    uint64_t keepalive_ms; /* silence until the client gets a word; 0: none */
    enum operation op;
    bool stream;
    /* Set: the answer goes through it.  Outlives the attempt. */
    struct translation *translation;
    struct transform_filter *filter; /* ahead of it; NULL: none; borrowed */
    rx_str head;                     /* borrowed until the attempt is freed */
    const rx_str *body;
    size_t body_count;
    uint64_t prompt_bytes;
    struct record_attempt *record; /* filled as things happen */
    struct rx_arena *arena;        /* for texts of the record */
    uint64_t request_start_ms;     /* loop time */
};

/* What became of it; valid once the gate is open or the attempt is over. */
struct attempt_result {
    enum rx_code code; /* RX_OK: an answer, whole, with its terminal event */
    int http_status;   /* of the answer; 0: none came */
    int status;        /* the same, or what its error event stands for */
    rx_str reason;     /* why not, in words; empty when RX_OK */
    bool answered;     /* there is a whole answer that could be passed on */
    bool cut;          /* ended without its terminal event */
};

RX_NODISCARD struct attempt *attempt_start(const struct attempt_request *r,
    const struct attempt_events *events, void *arg);
/* Cancels what is still running; no event follows, what came can be read. */
void attempt_stop(struct attempt *a);
void attempt_free(struct attempt *a);

const struct attempt_result *attempt_result(const struct attempt *a);
/* The status line and headers of the answer, ready for the client. */
int attempt_status(const struct attempt *a);
rx_str attempt_headers(const struct attempt *a);
/* They are with the client: gives their memory back. */
void attempt_forget_headers(struct attempt *a);
/* What is held back: before attempt_open all that came, afterwards the end of
 * the answer (to be sent by the owner once it has accounted for it). */
rx_str attempt_held(const struct attempt *a);
/* Exact length of the answer if it was announced, else RX_HTTPD_CHUNKED. */
uint64_t attempt_length(const struct attempt *a);
bool attempt_sent(
    const struct attempt *a); /* the request is on its way whole */
bool attempt_is_sse(const struct attempt *a);
bool attempt_is_encoded(const struct attempt *a); /* content-encoding */
/* What came before attempt_open as the upstream said it, or its beginning. */
rx_str attempt_evidence(const struct attempt *a);
/* What the answer's head said about limits; NULL before it came. */
const struct limit_facts *attempt_limits(const struct attempt *a);
const struct usage_seen *attempt_seen(const struct attempt *a);
/* Counts so far, estimated where nothing was reported. */
struct usage attempt_usage(const struct attempt *a);
/* Loop time of the first content; 0: none yet. */
uint64_t attempt_first_content_ms(const struct attempt *a);

/* From now on bytes go to on_bytes, beginning with what was held. */
void attempt_open(struct attempt *a);
/* Back-pressure: the client takes nothing / takes again. */
void attempt_pause(struct attempt *a);
void attempt_resume(struct attempt *a);

#endif
