#include "dataplane/demand.h"

#include <stdlib.h>

#include "dataplane/wire_lease.h"
#include "shared/clock.h"
#include "shared/envelope.h"
#include "shared/log.h"

#define DEMAND_MS  ((uint64_t)1000)
#define PROMPT_MS  20 /* between Demands that cannot wait */
#define RETRY_MS   20 /* without a Lease yet: doubles up to DEMAND_MS */
#define IDLE_MS    ((uint64_t)600 * 1000)
#define ITEMS_MOST 8192

struct demand {
    struct rx_loop *loop;
    struct limits *limits;
    struct demand_options options;
    struct rx_timer timer;
    bool online;
    uint64_t control;       /* epoch of the control plane that is there */
    uint64_t epoch, serial; /* of the Lease applied */
    uint64_t parts;
    uint64_t sent_ms, swept_ms, retry_ms;
    struct limit_demand *items;
    size_t count, room;
};

static struct limits_time
now(const struct demand *d)
{
    return (struct limits_time){ rx_loop_ms(d->loop), rx_clock_wall_ms() };
}

static void
each_demand(void *arg, const struct limit_demand *item)
{
    struct demand *d = arg;

    if (d->count == ITEMS_MOST)
        return;
    if (d->count == d->room) {
        d->room = d->room > 0 ? d->room * 2 : 16;
        d->items = realloc(d->items, d->room * sizeof(*d->items));
        if (d->items == NULL)
            abort();
    }
    d->items[d->count++] = *item;
}

static bool
send(struct demand *d)
{
    struct rx_buf body;
    /* A control plane that knows nothing of us is told everything. */
    bool all = d->epoch != d->control;

    d->count = 0;
    limits_demand(d->limits, all, now(d), each_demand, d);
    struct wire_demand m = {
        .plane = d->options.plane,
        .boot = d->options.boot,
        .epoch = d->epoch,
        .serial = d->serial,
        .parts = d->parts,
        .items = d->items,
        .count = d->count,
    };
    rx_buf_init(&body, rx_message_max(RX_MSG_DEMAND));
    bool ok = wire_add_demand(&body, &m) &&
              d->options.send(d->options.arg, rx_buf_str(&body));
    rx_buf_fini(&body);
    free(d->items);
    d->items = NULL;
    d->room = 0;
    return ok;
}

/* Sooner than it is due; never later. */
static void
hurry(struct demand *d, uint64_t pause_ms)
{
    uint64_t ms = rx_loop_ms(d->loop);
    uint64_t due = d->sent_ms + pause_ms;

    if (d->online && (!rx_timer_is_set(&d->timer) || d->timer.due_ms > due))
        rx_timer_set(&d->timer, due > ms ? due - ms : 1);
}

static void
on_timer(void *arg)
{
    struct demand *d = arg;
    uint64_t ms = rx_loop_ms(d->loop);

    if (!d->online)
        return;
    if (ms - d->swept_ms > IDLE_MS / 10) {
        limits_sweep(d->limits, IDLE_MS, now(d));
        d->swept_ms = ms;
    }
    bool sent = send(d);
    d->sent_ms = ms;
    if (sent && d->epoch == d->control)
        d->retry_ms = DEMAND_MS;
    else
        d->retry_ms = d->retry_ms < DEMAND_MS / 2 ? d->retry_ms * 2 : DEMAND_MS;
    rx_timer_set(&d->timer, d->retry_ms);
}

static void
on_short(void *arg)
{
    hurry(arg, PROMPT_MS);
}

struct demand *
demand_new(struct rx_loop *loop, struct limits *limits,
    const struct demand_options *options)
{
    struct demand *d = calloc(1, sizeof(*d));

    if (d == NULL)
        abort();
    d->loop = loop;
    d->limits = limits;
    d->options = *options;
    rx_timer_init(&d->timer, loop, on_timer, d);
    limits_on_short(limits, on_short, d);
    return d;
}

void
demand_free(struct demand *d)
{
    if (d == NULL)
        return;
    limits_on_short(d->limits, NULL, NULL);
    rx_timer_fini(&d->timer);
    free(d);
}

void
demand_online(struct demand *d, bool online, uint64_t epoch)
{
    bool news = online && (!d->online || d->control != epoch);

    d->online = online;
    d->control = epoch;
    if (news) {
        d->retry_ms = RETRY_MS / 2;
        hurry(d, 0);
    }
}

bool
demand_leased(const struct demand *d)
{
    return d->online && d->epoch == d->control;
}

bool
demand_before_snapshot(struct demand *d)
{
    if (!d->online || demand_leased(d))
        return true;
    d->sent_ms = rx_loop_ms(d->loop);
    return send(d);
}

/* ---- a Lease ----------------------------------------------------------- */

struct lease_reading {
    struct demand *demand;
    uint64_t epoch;
    bool wanted;
};

static void
on_begin(void *arg, const struct wire_lease *head)
{
    struct lease_reading *r = arg;
    struct demand *d = r->demand;
    bool anew = r->epoch != d->epoch;

    r->wanted =
        head->boot == d->options.boot && (anew || head->serial > d->serial);
    if (!r->wanted)
        return;
    limits_lease_begin(d->limits, anew, head->parts, now(d));
    d->epoch = r->epoch;
    d->serial = head->serial;
    d->parts = head->parts;
}

static void
on_item(void *arg, const struct limit_lease *item)
{
    struct lease_reading *r = arg;

    if (r->wanted)
        limits_lease_item(r->demand->limits, item, now(r->demand));
}

void
demand_lease(struct demand *d, uint64_t epoch, rx_str body)
{
    struct lease_reading r = { d, epoch, false };

    if (!wire_read_lease(body, on_begin, on_item, &r)) {
        rx_warn("lease.unreadable", "bytes=%zu", body.len);
        return;
    }
    if (!r.wanted)
        return;
    limits_lease_end(d->limits, now(d));
    hurry(d, 1); /* who waits for a share waits for this word */
}
