/*
 * snapshot_build.h - makes the next snapshot out of the last one and a message.
 *
 *            ┌ settings ┐   A snapshot is three counted parts.  A delta makes
 *   snapshot ┼ channels ┼   the parts it touches anew and shares the others,
 *            └ directory┘   so a token refresh costs the channels, not the
 *              (tenants, keys)                                100 000 keys.
 *
 * Building touches nothing but its inputs, which are immutable: it may happen
 * on another thread while `previous` is pinned.  Pinning is for the loop.
 */
#ifndef DATAPLANE_SNAPSHOT_BUILD_H
#define DATAPLANE_SNAPSHOT_BUILD_H

#include <stdint.h>

#include "dataplane/snapshot.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

/*
 * A whole state.  `previous` (or NULL) lends last good values to items that
 * cannot be used.  The caller holds the only pin on `out`.  RX_INVALID: the
 * message is not readable as a whole; RX_TOO_BIG.
 */
RX_NODISCARD enum rx_code snapshot_from_full(const struct snapshot *previous,
    uint64_t epoch, uint64_t version, rx_str message,
    const struct snapshot **out, struct rx_err *err);
/*
 * What changed since `previous`.  RX_CONFLICT: it does not follow `previous`,
 * or the result has not the digest it should have; ask for a whole state.
 */
RX_NODISCARD enum rx_code snapshot_from_delta(const struct snapshot *previous,
    uint64_t epoch, uint64_t version, rx_str message,
    const struct snapshot **out, struct rx_err *err);

/* The state as published, packed as a Snapshot message. */
bool snapshot_pack(const struct snapshot *s, struct rx_buf *out);
/* The same with last good values in the place of rejected ones. */
bool snapshot_pack_good(const struct snapshot *s, struct rx_buf *out);

#endif
