/*
 * tees.h - runs the tees: hands on what was committed, in order.
 *
 *   commit ─> woken ─> rows after `done`, as the sink wants them ─> sent ─> done
 *
 * What waits is in the store, so nothing is queued in memory but the batch that
 * is under way, and nobody who reports has to wait.  A sink that fails is asked
 * again, 1 s to a minute apart; what it refuses for good, and what it falls
 * behind more than TEES_BEHIND rows, is passed over and counted as lost.  A
 * batch may come twice (a crash, an answer that got lost): receivers tell by
 * the rows' ids.
 */
#ifndef CONTROLPLANE_TEES_H
#define CONTROLPLANE_TEES_H

#include "controlplane/alert.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "controlplane/tee.h"
#include "shared/fetch.h"
#include "shared/stat.h"

#define TEES_BEHIND ((uint64_t)100000)

struct tees;

struct tees_options {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct alerts *alerts;
    const char *folder; /* of the files; made when there is one to write */
};
RX_NODISCARD struct tees *tees_new(const struct tees_options *options);
void tees_free(struct tees *t); /* notes how far each is; NULL is allowed */
/* Hears of commits to `inner`. */
struct usage_sink tees_sink(struct tees *t, struct usage_sink inner);
/* One was made, changed or removed: after the commit. */
void tees_changed(struct tees *t);
/* What the store does not know yet of a tee that was loaded. */
void tees_fill(const struct tees *t, struct tee *loaded);
/* From here on its numbers are shown there. */
void tees_stats(struct tees *t, struct rx_stat *stat);

#endif
