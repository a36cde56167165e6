/*
 * anomaly.h - what is unlike before: spending, loops, errors.
 *
 *   spend   what a tenant or a key costs this hour, against the hours of the
 *           last week in which it cost something: above the median by eight
 *           median deviations, three times the median, and two dollars
 *   loop    twenty requests in a row of one session to one model, of the same
 *           size within 64 bytes, none a minute after the one before: a
 *           conversation grows with each turn, a program that is stuck does not
 *   errors  half of what a key or a channel was asked in five minutes failed,
 *           twenty at least, and four times as much as in the day before
 *
 * Each is an alert, too, for as long as it holds.  The last ones are kept in
 * memory.  Looking costs a few milliseconds a minute, whatever is stored.
 */
#ifndef CONTROLPLANE_ANOMALY_H
#define CONTROLPLANE_ANOMALY_H

#include "controlplane/alert.h"
#include "controlplane/store.h"
#include "shared/json.h"

struct anomalies;

/* Both outlive it; `alerts` may be NULL. */
struct anomalies *anomalies_new(struct store *store, struct alerts *alerts);
void anomalies_free(struct anomalies *a); /* NULL is allowed */
/* From now on, by itself: loops every second, the rest every minute. */
void anomalies_run(struct anomalies *a, struct rx_loop *loop);

/* Read the rows that came since the last time; outside a transaction. */
RX_NODISCARD enum rx_code anomalies_read(
    struct anomalies *a, struct rx_err *err);
/* Look at sums, and end what is over. */
RX_NODISCARD enum rx_code anomalies_look(
    struct anomalies *a, struct rx_err *err);
/* Elements of the open array, newest first. */
void anomalies_put(const struct anomalies *a, struct rx_json_out *w);

/* Median of n values, which are put in order; 0 of none. */
uint64_t anomaly_median(uint64_t *values, size_t n);
/* Beyond what is usual, in the unit of the values, which are overwritten. */
uint64_t anomaly_bound(uint64_t *values, size_t n);

#endif
