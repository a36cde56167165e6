/*
 * reasoning.h - the ways a chat request speaks of thinking.
 */
#ifndef DATAPLANE_TRANSFORM_REASONING_H
#define DATAPLANE_TRANSFORM_REASONING_H

#include "dataplane/transform/step.h"

/* Tokens for a level and the level for so many tokens; 0: no such level. */
uint64_t reasoning_budget(rx_str level);
const char *reasoning_level(uint64_t budget);

/* What a request says, in whichever way: both false when it says nothing. */
struct reasoning_wish {
    bool on, off;
    rx_str level;    /* may be empty */
    uint64_t budget; /* 0: not said */
};
struct reasoning_wish reasoning_read(struct rx_edit *root);
/* Take all of them out. */
void reasoning_clear(struct rx_edit *root);

/* The answer's half: reasoning under the name reasoning_content. */
void reasoning_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event);
void reasoning_document(const void *options, void *state,
    struct step_flow *flow, struct rx_edit *root);

#endif
