/*
 * hour_sums.h - the table usage_hour: sums of what was used, per hour and who.
 *
 * Rows come in batches, and those of a batch are much alike: they are summed up
 * here first, so that the table is touched once for each kind of row.  Begin and
 * store in the transaction that holds the rows.
 */
#ifndef CONTROLPLANE_HOUR_SUMS_H
#define CONTROLPLANE_HOUR_SUMS_H

#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/attr.h"

struct hour_sums;

RX_NODISCARD struct hour_sums *hour_sums_begin(void);
/* The row's texts are borrowed until the end. */
void hour_sums_add(struct hour_sums *h, const struct usage_row *r);
RX_NODISCARD enum rx_code hour_sums_store(
    struct hour_sums *h, struct store *s, struct rx_err *err);
void hour_sums_end(struct hour_sums *h);

#endif
