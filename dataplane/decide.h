/*
 * decide.h - which candidates a request gets: what the client or an agent chose
 * outright, else the first rule that holds and has somebody to offer, else
 * every channel that serves the model.
 */
#ifndef DATAPLANE_DECIDE_H
#define DATAPLANE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/route.h"
#include "dataplane/rules.h"
#include "shared/arena.h"
#include "shared/buf.h"

/* What is asked.  All borrowed. */
struct decide_request {
    struct route_request route; /* as without rules */
    struct rule_subject subject;
    rx_str agent_model; /* of a sub-agent's tag; empty: none */
};

/* A rule that held, or could not be asked, and was passed by. */
struct passed {
    const struct rule *rule;
    rx_str why;
};

#define DECIDE_PASSED_MAX 8
struct decision {
    struct route_plan plan;
    const struct rule *rule; /* NULL: none decided */
    rx_str model;            /* as looked for */
    bool direct;             /* the client named the channel */
    bool by_agent;           /* the sub-agent's tag chose the model */
    rx_str agent;            /* whose prompt it holds; empty: nobody's */
    size_t asked;            /* rules up to the one that decided, or all */
    size_t troubles;         /* of them, could not tell */
    struct passed passed[DECIDE_PASSED_MAX];
    size_t passed_count;
};

/*
 * Fills `d`; false when there is no candidate, with plan.refusal and its words.
 * `r->subject` remembers what was worked out.
 */
bool decide(
    struct decision *d, struct decide_request *r, struct rx_arena *arena);

#define DECISION_TRACE_MAX ((size_t)2048)
/* Why it went where it went: one JSON object of at most that many bytes. */
void decision_trace(const struct decision *d, struct rx_buf *out);

#endif
