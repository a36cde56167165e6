/*
 * models.h - one catalogue of models, three views.
 *
 * The catalogue is what the channels list by name (a pattern names no model)
 * as far as the key may use it, each name once.
 */
#ifndef DATAPLANE_MODELS_H
#define DATAPLANE_MODELS_H

#include <stdbool.h>

#include "dataplane/dialect.h"
#include "dataplane/snapshot.h"
#include "shared/buf.h"

void models_list(const struct snapshot *s, const struct client_key *key,
    enum dialect dialect, struct rx_buf *out);
/* False when no channel lists `name` (by name or pattern) for this key. */
bool models_one(const struct snapshot *s, const struct client_key *key,
    enum dialect dialect, rx_str name, struct rx_buf *out);

#endif
