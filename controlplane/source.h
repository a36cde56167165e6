/*
 * source.h - the store as the publisher and the collector see it (state.h).
 */
#ifndef CONTROLPLANE_SOURCE_H
#define CONTROLPLANE_SOURCE_H

#include "controlplane/state.h"
#include "controlplane/store.h"

/* Everything that is published, item by item. */
struct state_source source_of(struct store *s);

#endif
