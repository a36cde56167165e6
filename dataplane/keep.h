/*
 * keep.h - the last known good snapshot on disk, sealed, two generations.
 *
 *   <dir>/snapshot.1  the newest     <dir>/snapshot.2  the one before
 *
 * Written as tmp, fsync, rename; a file that cannot be opened with this team's
 * token, or is damaged, is passed over.
 */
#ifndef DATAPLANE_KEEP_H
#define DATAPLANE_KEEP_H

#include <stdbool.h>

#include "dataplane/snapshot.h"
#include "shared/secret.h"

/* The newest usable one, pinned for the caller; NULL when there is none. */
const struct snapshot *keep_load(const char *dir, const struct rx_key *key);
/* Any thread; the snapshot must stay pinned meanwhile. */
bool keep_save(
    const char *dir, const struct rx_key *key, const struct snapshot *s);

#endif
