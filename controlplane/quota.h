/*
 * quota.h - what rows say was spent.
 */
#ifndef CONTROLPLANE_QUOTA_H
#define CONTROLPLANE_QUOTA_H

#include "controlplane/store.h"
#include "controlplane/wire_lease.h"

/*
 * Tokens, or millionths of a dollar, of requests since `since_ms` of one tenant or key; with `plane`, of
 * that plane's boot only.
 */
RX_NODISCARD enum rx_code quota_spent(struct store *s, enum limited owner,
    enum state_limit kind, rx_str id, uint64_t since_ms, rx_str plane,
    uint64_t boot, uint64_t *out, struct rx_err *err);
/* The same of one row: everything read and written; counting is free. */
uint64_t quota_of_row(const struct usage_row *row);
/* Rounded up; 0 where the price is not known. */
uint64_t quota_money_of_row(struct store *s, const struct usage_row *row);

#endif
