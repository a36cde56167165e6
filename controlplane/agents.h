/*
 * agents.h - the folder of agents: read, watched, written.
 */
#ifndef CONTROLPLANE_AGENTS_H
#define CONTROLPLANE_AGENTS_H

#include "controlplane/agent.h"
#include "shared/loop.h"

struct agents;

/* `folder` is made if it is not there.  Bad files do not disturb the others. */
RX_NODISCARD struct agents *agents_new(
    struct rx_loop *loop, struct store *store, const char *folder);
void agents_free(struct agents *g); /* NULL is allowed */
/* Call fn(arg, rule) for each agent that changed: `rule` is its rule's id. */
void agents_on_change(
    struct agents *g, void (*fn)(void *arg, rx_str rule), void *arg);
/* What they point to may have changed: all of them are told again. */
void agents_changed(struct agents *g);

/* Borrowed until the loop runs again. */
size_t agents_count(const struct agents *g);
const struct agent *agents_at(const struct agents *g, size_t i);
/* By id or name; NULL. */
const struct agent *agents_find(const struct agents *g, rx_str id);

/* Write the file, whole or not at all, and take it in. */
RX_NODISCARD enum rx_code agents_write(
    struct agents *g, rx_str id, rx_str text, struct rx_err *err);
RX_NODISCARD enum rx_code agents_remove(
    struct agents *g, rx_str id, struct rx_err *err);

#endif
