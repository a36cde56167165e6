/*
 * step.h - what a transformer is made of; for dataplane/transform only.
 */
#ifndef DATAPLANE_TRANSFORM_STEP_H
#define DATAPLANE_TRANSFORM_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/eventstream.h"
#include "dataplane/transform/transform.h"
#include "shared/json.h"
#include "shared/json_edit.h"

#define STEP_OPS_BODY ((1U << OP_CREATE) | (1U << OP_COUNT))
#define STEP_OPS_ALL  (~0U)

enum header_change { HEADER_SET, HEADER_APPEND, HEADER_REMOVE };

/* A request, as the steps see it. */
struct step_request {
    struct transform_outgoing *out;
    enum dialect dialect;
    bool stream;
    bool count;           /* it only wants its tokens counted */
    struct rx_edit *root; /* the body; NULL when there is no JSON body */
    struct transform_headers *headers;
    const void *options;
    void *state; /* zeroed; the same one the answer gets */
    bool listen; /* in: true.  false: the answer need not be changed */
};

/* `name` and `value` live as long as the request. */
void step_header(struct step_request *r, enum header_change change, rx_str name,
    rx_str value);
/* 24 characters that were not there before, behind `prefix`. */
rx_str step_new_id(const struct rx_edit *any, uint64_t (*random)(void *),
    void *arg, const char *prefix);

struct step_flow;

/* An event of an answer. */
struct step_event {
    rx_str name;          /* of its event: line */
    rx_str data;          /* as it came */
    struct rx_edit *root; /* data; NULL when it is no JSON, like [DONE] */
    bool raw;             /* stood there without "data:" */
    bool hidden;          /* for us only */
};

/* Hand an event to the next step. */
void step_pass(struct step_flow *flow, const struct step_event *event);
/* A new event of the same name, ahead of what is passed later. */
void step_emit(struct step_flow *flow, rx_str name, rx_str data);
/* Of the answer. */
int step_status(const struct step_flow *flow);
struct rx_arena *step_arena(struct step_flow *flow); /* of this event */
rx_str step_id(struct step_flow *flow, const char *prefix);

struct step_kind {
    const char *name;
    unsigned ops; /* 1u << enum operation; 0: STEP_OPS_BODY */
    size_t state; /* bytes per request */
    /* The options as this kind wants them, in the arena; `options` may not be
     * there.  NULL function: it has none.  Numbers and words were checked. */
    const void *(*configure)(rx_json options, struct rx_arena *arena);
    void (*request)(struct step_request *r);

    /* Answers; all three or none.  `options` and `state` come first. */
    void (*event)(const void *options, void *state, struct step_flow *flow,
        struct step_event *event);
    /* Before the end of a stream; may be NULL. */
    void (*end)(const void *options, void *state, struct step_flow *flow);
    void (*document)(const void *options, void *state, struct step_flow *flow,
        struct rx_edit *root);
    /* `document` gets errors, too. */
    bool errors;
    /* One message of application/vnd.amazon.eventstream as an event; false:
     * none.  NULL: such an answer is not for this kind. */
    bool (*frame)(const struct eventstream_message *m, struct rx_buf *name,
        struct rx_buf *data);
    /* Give back what the state holds; may be NULL. */
    void (*forget)(void *state);
};

/* Ends with a NULL name. */
extern const struct step_kind *const step_kinds[];

/* Options. */
rx_str step_text(rx_json options, const char *name, struct rx_arena *arena,
    const char *fallback);
double step_number(rx_json options, const char *name, double fallback);
bool step_bool(rx_json options, const char *name, bool fallback);
/* A value's JSON text, in the arena. */
rx_str step_json(rx_json value, struct rx_arena *arena);
void *step_room(struct rx_arena *arena, size_t size);

#endif
