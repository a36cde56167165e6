/*
 * filter.h - the steps of one request, waiting for its answer; and the changes
 * of its head.  For dataplane/transform only.
 */
#ifndef DATAPLANE_TRANSFORM_FILTER_H
#define DATAPLANE_TRANSFORM_FILTER_H

#include "dataplane/transform/step.h"

struct chain_step {
    const struct step_kind *kind;
    const void *options;
};

struct filter_step {
    const struct chain_step *step;
    void *state;
    bool active; /* wants to see the answer */
};

/* `steps` are borrowed: the snapshot is pinned as long as the request. */
struct transform_filter *filter_new(const struct chain_step *steps,
    size_t count, const struct transform_outgoing *about);
struct filter_step *filter_step(struct transform_filter *f, size_t i);
bool filter_useful(const struct transform_filter *f);

struct transform_headers *headers_new(struct rx_arena *arena);
bool headers_any(const struct transform_headers *h);

#endif
