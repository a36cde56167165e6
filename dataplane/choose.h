/*
 * choose.h - from the channels that could serve to the order of asking.
 *
 * Lets the strategy pick from whoever is not in trouble, and puts the
 * conversation's own seat in front.
 * Where everybody is out it says who comes back first, or, when they are out
 * for failing only, has the one that is due soonest tried (panic).
 */
#ifndef DATAPLANE_CHOOSE_H
#define DATAPLANE_CHOOSE_H

#include "dataplane/route.h"
#include "dataplane/shortlist.h"

/* The rule's, or the settings'. */
enum strategy choose_strategy(const struct route_request *r);
/* What it will probably take: cost is worked out from that. */
struct rx_tokens choose_expected(const struct route_request *r);

/*
 * Fills plan->candidates from a list of at least one place; `model` is what is
 * asked for.  False with plan->until_ms when nobody is available.
 */
bool choose(struct route_plan *plan, const struct route_request *r,
    rx_str model, const struct shortlist *list);

#endif
