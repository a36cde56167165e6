/*
 * fault.h - errors in the words of each dialect, and replies that go wrong.
 */
#ifndef DEMO_FAULT_H
#define DEMO_FAULT_H

#include <stddef.h>

#include "tests/demo/recipe.h"
#include "tests/demo/script.h"

/* An error reply.  `type` and `message` may be empty: then by status. */
void fault_reply(struct script *s, enum demo_dialect dialect, int status,
    const char *type, const char *message);
/* The error reply a recipe asks for (status, error, message, body). */
void fault_by_recipe(
    struct script *s, enum demo_dialect dialect, const struct recipe *r);

/*
 * Do to a finished script what the recipe asks for: end it with an error event,
 * leave out its end, break an event, compress it.
 */
void fault_apply(
    struct script *s, enum demo_dialect dialect, const struct recipe *r);

/* Where in the body the reply is cut or stalls; SIZE_MAX: it is not. */
size_t fault_cut_at(const struct script *s, const struct recipe *r);
size_t fault_stall_at(const struct script *s, const struct recipe *r);

#endif
