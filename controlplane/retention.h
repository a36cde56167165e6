/*
 * retention.h - how long things are kept.
 *
 * What is old goes a slice at a time, each of about a millisecond: rows of
 * requests and attempts as the settings say, oldest first and never one that is
 * not in the sums yet; the cube's hours; then the room that became empty goes
 * back to the file system.  Sums by day stay for ever.
 */
#ifndef CONTROLPLANE_RETENTION_H
#define CONTROLPLANE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/store.h"
#include "shared/loop.h"

#define RETENTION_MINUTES_MS   ((uint64_t)48 * 3600 * 1000)
#define RETENTION_HOURS_MS     ((uint64_t)100 * 24 * 3600 * 1000)
/* Days: a month's limits are counted from the rows. */
#define RETENTION_REQUESTS_MIN 32

struct retention;

struct retention *retention_new(struct store *store);
void retention_free(struct retention *r); /* NULL is allowed */
/* From now on, by itself. */
void retention_run(struct retention *r, struct rx_loop *loop);
/* The settings changed; NULL is allowed. */
void retention_changed(struct retention *r);
/* One slice.  *more: there was something to do, so there may be more. */
RX_NODISCARD enum rx_code retention_slice(
    struct retention *r, bool *more, struct rx_err *err);

#endif
