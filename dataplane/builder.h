/*
 * builder.h - turns arriving states into snapshots, one after the other.
 *
 * Each is built on the one installed before it.  Small ones are built at once;
 * big ones on a helper thread, so that no stream has to wait for them.
 */
#ifndef DATAPLANE_BUILDER_H
#define DATAPLANE_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/snapshot.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/loop.h"

struct builder;

enum built_result {
    BUILT,        /* install it: `snapshot` is pinned for the taker */
    BUILT_GAP,    /* it does not follow what is installed */
    BUILT_BROKEN, /* not readable as a whole: `err` */
};
struct built {
    enum built_result result;
    bool delta;
    uint64_t version;
    const struct snapshot *snapshot;
    const struct rx_err *err;
};

/*
 * current(arg) gives the installed snapshot, or NULL; on_built(arg, built) must
 * install before it returns.  Both are called on the loop, on_built possibly
 * from inside builder_give().
 */
RX_NODISCARD struct builder *builder_new(struct rx_loop *loop,
    const struct snapshot *(*current)(void *arg),
    void (*on_built)(void *arg, const struct built *built), void *arg);
/* What is not built yet is dropped, without a word. */
void builder_free(struct builder *b);

/*
 * A packed Snapshot or Delta, copied.  One that is older than what is installed
 * is dropped; so is one too many, which the next heartbeat will show.
 */
void builder_give(struct builder *b, bool delta, uint64_t epoch,
    uint64_t version, rx_str message);
/* Is one being built now? */
bool builder_busy(const struct builder *b);

#endif
