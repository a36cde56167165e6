/*
 * merge.h - what happened stays happened: the usage of one store carried over
 * into another that was restored from a backup.
 *
 * The configuration of the restored store is the backup's; requests, their
 * sums and the audit log are those of the store that was in use, so that no
 * record is lost that came after the backup was made.  May run on any thread.
 */
#ifndef CONTROLPLANE_MERGE_H
#define CONTROLPLANE_MERGE_H

#include <stdint.h>

#include "controlplane/db.h"
#include "shared/err.h"

struct merge_result {
    uint64_t requests;   /* carried over */
    uint64_t unreadable; /* of the damaged store in use; at least */
    char left[160];      /* tables that could not be carried over whole */
};

/*
 * `into` is open and up to date; `from` is the path of the store in use, which
 * may be damaged.  RX_OK also when parts could not be read: see `out`.
 */
RX_NODISCARD enum rx_code merge_usage(struct db *into, const char *from,
    struct merge_result *out, struct rx_err *err);

#endif
