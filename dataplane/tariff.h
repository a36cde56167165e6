/*
 * tariff.h - the prices of a snapshot: what a request would cost, and did.
 *
 * Found by name like in the control plane (shared/price.h).  Costs here serve
 * routing and budgets; what is shown and kept is worked out by the control
 * plane when the row arrives.
 */
#ifndef DATAPLANE_TARIFF_H
#define DATAPLANE_TARIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/usage.h"
#include "shared/arena.h"
#include "shared/price.h"
#include "shared/str.h"

struct tariff;
struct channel;
struct snapshot;
struct record;

/* Empty, in the arena. */
struct tariff *tariff_new(struct rx_arena *arena);
/* `price` and the name stay as long as the arena. */
void tariff_add(
    struct tariff *t, rx_str name, const struct rx_price *price, bool set);

/* What the channel charges for a model, before its own factor; NULL: unknown. */
const struct rx_price *tariff_price(
    const struct tariff *t, const struct channel *channel, rx_str model);
/* Pico-dollars at such a price, for a channel that takes so many millionths. */
int64_t tariff_at(const struct rx_price *price, uint64_t cost_ppm,
    const struct rx_tokens *tokens);
/* Pico-dollars at that channel; false: no price is known. */
bool tariff_cost(const struct tariff *t, const struct channel *channel,
    rx_str model, const struct rx_tokens *tokens, int64_t *pico);

/* Millionths of a dollar, rounded up; 0 when nothing is known of a price. */
uint64_t tariff_estimate(
    const struct snapshot *s, rx_str model, uint64_t input, uint64_t output);
/* … of all its attempts. */
uint64_t tariff_of_record(const struct snapshot *s, const struct record *r);

#endif
