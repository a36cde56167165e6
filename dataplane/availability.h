/*
 * availability.h - may this channel, with this key, be asked now?
 *
 * The one place that answers.  Routing, /health, Retry-After, the words of a
 * refusal and what the admin API shows all come from here, so they agree.
 */
#ifndef DATAPLANE_AVAILABILITY_H
#define DATAPLANE_AVAILABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/route.h"
#include "dataplane/shortlist.h"
#include "dataplane/standing.h"

/* A value.  `trouble` is told when the reason is ROUTE_TROUBLED. */
struct availability {
    enum route_reason reason;
    enum trouble trouble;
    uint64_t until_ms; /* loop time; 0: ok, or nobody knows */
};

/*
 * By configuration alone: may the channel serve what is wanted, in which
 * dialect, and what does it call the model?
 */
enum route_reason availability_of_channel(const struct channel *c,
    const struct route_request *r, const struct route_wanted *w,
    struct choice *out);

/* By what was learnt: of a candidate that the configuration allows. */
struct availability availability_of(const struct standing *standing,
    const struct candidate *c, uint64_t now_ms);

/* Is any key of the channel fit to be asked for some model? */
struct availability availability_at_all(
    const struct standing *standing, const struct channel *c, uint64_t now_ms);

/* "is rate limited" */
const char *availability_words(const struct availability *a);
/* A provider's limit, rather than a failure. */
bool availability_is_limit(const struct availability *a);
/* Worth trying when nothing else is left. */
bool availability_is_guess(const struct availability *a);

#endif
