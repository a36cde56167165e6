/* What the steps of normalise_request share. */
#ifndef DATAPLANE_CODEC_SHAPE_H
#define DATAPLANE_CODEC_SHAPE_H

#include "dataplane/codec/normalise.h"

struct shape {
    struct ir_request *r;
    enum dialect target;
    const struct capability *cap;
    struct rx_arena *arena;
    struct ir_losses *losses;
    struct rx_err *err;
};

/* Parts the target can take; false: refused, with err filled. */
bool shape_parts(struct shape *s);
/* Every call answered right behind it, every result where it belongs. */
bool shape_pairs(struct shape *s);
/* Names, choice and what has no counterpart. */
bool shape_tools(struct shape *s);
/* Of tools and answers, cleaned; behind shape_tools. */
bool shape_schemas(struct shape *s);

#endif
