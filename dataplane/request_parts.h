/*
 * request_parts.h - what the files of one request share, and nobody else sees.
 */
#ifndef DATAPLANE_REQUEST_PARTS_H
#define DATAPLANE_REQUEST_PARTS_H

#include "dataplane/admission.h"
#include "dataplane/attempt.h"
#include "dataplane/exchange.h"
#include "dataplane/inbound.h"
#include "dataplane/outgoing.h"
#include "dataplane/repair.h"
#include "dataplane/request.h"
#include "dataplane/tries.h"
#include "shared/arena.h"

struct request {
    const struct proxy_guest *guest;
    struct proxy *proxy;
    struct rx_httpd_req *req;        /* NULL once the client is gone */
    const struct snapshot *snapshot; /* pinned */
    const struct client_key *key;    /* in the snapshot */
    struct rx_arena *arena;
    unsigned char id[12]; /* the time first, then chance */
    struct path path;
    struct inbound in;       /* the body, understood */
    struct limits_hold hold; /* of limits; settled once, at the end */

    struct exchange exchange;
    struct rx_task run;
    struct decide_request ask;
    struct tries tries;
    struct rx_timer pause; /* of the loop's only once it was set */
    bool repaired;         /* a part was taken out that an upstream minded */
    struct repair repair;
    const struct candidate *repairing; /* who is asked without it */
    struct rx_link waiting;            /* in proxy->waiting: for a snapshot */
    bool renewed;             /* it was tried again with a fresh token */
    bool gave_up;             /* … and without one it is refused */
    struct candidate refused; /* whose token was refused */
    struct candidate renewed_to;
    struct attempt *attempt;
    struct outgoing outgoing; /* what this attempt sends */

    /* Why it is refused, if it is. */
    enum refusal refusal;
    const char *refusal_words;
    rx_str refusal_headers; /* more header lines for it; in the arena */
    uint64_t retry_ms;      /* loop time when to ask again; 0: nobody knows */
    bool pass_on;           /* tell the client what the last attempt was told */
    bool estimate;          /* nobody can count these tokens: do it here */

    bool head_sent;
    bool accounted;
    struct report_entry row;
    bool row_written;
    /* What the client gets once the row is written; NULL: nothing more. */
    void (*tell)(struct request *q);
    enum refusal broken;
    const char *broken_words;
    uint64_t start_ms; /* loop time */
    enum request_outcome outcome;
    struct capture *capture; /* NULL: its bodies are not kept */
    rx_str tracestate;       /* the client's; may be empty */
    struct record record;
};

/* Note a fact and have the machine run. */
void request_note(struct request *q, enum exchange_fact fact);

const char *request_keep_words(struct request *q, const struct rx_err *err);

/* Gone for good, as soon as nobody needs it any more. */
void request_maybe_free(struct request *q);

/* ---- its row: request_row.c ---- */

void request_row_begin(struct request *q);
/* What the record says of an answer that was (partly) shown. */
void request_row_describe(struct request *q);
/* What was left out for being minded: for the next request, and for the row. */
void request_row_note_repairs(struct request *q);
/* Have it written, once, and `tell` called after that. */
void request_row_write(struct request *q, enum request_outcome outcome,
    const char *reason, void (*tell)(struct request *q));

/* ---- what it is a part of: request_trace.c ---- */

/* From the client's headers, or of its own; the id has to be known. */
void request_trace_begin(struct request *q);
/* What the next attempt's upstream is told; empty: nothing. */
rx_str request_trace_next(struct request *q);

/* ---- OAuth tokens: request_token.c ---- */

/* What is known of the token that `o` speaks of; reports it where refused. */
void request_token_news(struct request *q, struct outcome *o);
/* `next` was decided after that; a fresh token changes it, once per request. */
enum exchange_next request_token_next(
    struct request *q, const struct outcome *o, enum exchange_next next);
/* The pause is over.  False: there is nobody left to be asked. */
bool request_token_resume(struct request *q);
/* The candidate with the freshest token there is. */
const struct candidate *request_token_freshen(
    struct request *q, const struct candidate *to);
/* Have it woken when a snapshot is installed, or no more. */
void request_token_await(struct request *q);
void request_token_forget(struct request *q);

/* The half of the exchange's port that is about attempts. */
enum exchange_start request_attempt(void *world);
enum exchange_next request_judge(void *world);
void request_pause(void *world);
void request_cancel(void *world);

/* ---- what the client is told: request_answer.c ---- */

/* The half of the exchange's port that is about answers. */
void request_commit(void *world);
void request_finish(void *world);
void request_refuse(void *world);

#endif
