/*
 * trouble.h - what the data planes learnt about channels, put together.
 *
 * Each plane tells all that it knows and is still true; the union is told to
 * all planes at once when it changes and every second while there is any.  The
 * admin API shows it.  Nothing of it is stored: planes tell it again.
 */
#ifndef CONTROLPLANE_TROUBLE_H
#define CONTROLPLANE_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/publisher.h"
#include "shared/arena.h"
#include "shared/json.h"
#include "shared/loop.h"

struct trouble {
    rx_str plane; /* who told it */
    rx_str channel, credential, model;
    rx_str kind;       /* "rate_limited", "failing", ... */
    uint64_t noted_ms; /* loop time */
    uint64_t until_ms; /* loop time; UINT64_MAX: until the key changes */
    uint64_t secret;
    bool quiet; /* shown to people, not told to the planes */
};

/* Proof that what was noted before is over; or an operator's word. */
struct trouble_cleared {
    rx_str channel, credential, model;
    uint64_t before_ms; /* loop time */
    uint64_t reset;     /* 0: no operator's */
};

struct trouble_report {
    rx_str plane;
    struct trouble *troubles;
    size_t trouble_count;
    struct trouble_cleared *cleared;
    size_t cleared_count;
};

struct troubles;

RX_NODISCARD struct troubles *troubles_new(
    struct rx_loop *loop, struct publisher *publisher);
void troubles_free(struct troubles *t);
/* All that this plane knows; what it told before is forgotten. */
void troubles_take(struct troubles *t, const struct trouble_report *report);
/* What the control plane itself found out about a channel; said again, it lasts
 * until then. */
void troubles_say(
    struct troubles *t, rx_str channel, const char *kind, uint64_t until_ms);
void troubles_unsay(struct troubles *t, rx_str channel, const char *kind);
/* An operator says that the channel is well: on every plane. */
void troubles_reset(struct troubles *t, rx_str channel);
/* What else is known about channels: fn(arg, w, channel) writes it beside. */
void troubles_put_also(struct troubles *t,
    void (*fn)(void *arg, struct rx_json_out *w, rx_str channel), void *arg);
/* Walk; false behind the last. */
bool troubles_next(
    const struct troubles *t, size_t *at, const struct trouble **out);
/* "availability": {…} of one channel. */
void troubles_put(
    const struct troubles *t, struct rx_json_out *w, rx_str channel);

#endif
