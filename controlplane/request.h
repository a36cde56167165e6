/*
 * request.h - what was asked and what it took: one row per request, one per
 * attempt, and sums per hour kept with them.
 *
 * A batch is one transaction: rows that are there already (same plane, boot and
 * sequence number) are left alone and counted nowhere again, so a batch may
 * come any number of times.
 */
#ifndef CONTROLPLANE_REQUEST_H
#define CONTROLPLANE_REQUEST_H

#include <stdint.h>

#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"

/* For the collector. */
struct usage_sink request_sink(struct store *s);

struct request_filter {
    rx_str tenant, key, channel; /* ids or names; empty: any */
    rx_str model;                /* as asked, sent or served */
    rx_str outcome;
    rx_str request_id;
    uint64_t status;             /* 0: any */
    uint64_t since_ms, until_ms; /* 0: open */
    /* Newest first: those before (ms, id); 0: from the newest. */
    uint64_t before_ms, before_id;
    size_t limit;
};
struct request_page {
    size_t count;
    uint64_t last_ms, last_id; /* to go on from */
};
/* Write the rows as elements of the open array. */
RX_NODISCARD enum rx_code request_list(struct store *s,
    const struct request_filter *filter, struct rx_json_out *w,
    struct request_page *page, struct rx_err *err);
/*
 * Rows with ids greater than `after_id`, oldest first, at most filter->limit;
 * times and cursor of the filter do not count.  `each` must not use the store.
 */
RX_NODISCARD enum rx_code request_follow(struct store *s,
    const struct request_filter *filter, uint64_t after_id,
    void (*each)(void *user, uint64_t id, rx_str json), void *user,
    size_t *count, struct rx_err *err);
/* One row with its attempts; `id` is the row's, or the request's own id. */
RX_NODISCARD enum rx_code request_put(struct store *s, rx_str id,
    struct rx_json_out *w, const char *key, struct rx_err *err);

enum request_group {
    REQUEST_BY_DAY,
    REQUEST_BY_HOUR,
    REQUEST_BY_TENANT,
    REQUEST_BY_KEY,
    REQUEST_BY_CHANNEL,
    REQUEST_BY_MODEL,
};
/* "day", "hour", …; NULL ends it.  Order is that of the enum. */
extern const char *const request_groups[];

struct request_range {
    uint64_t since_ms, until_ms; /* whole hours; until is not included */
    rx_str tenant_id;            /* empty: all */
};
/* Sums as an object, and as elements of an open array, one per group. */
RX_NODISCARD enum rx_code request_total(struct store *s,
    const struct request_range *range, struct rx_json_out *w, const char *key,
    struct rx_err *err);
RX_NODISCARD enum rx_code request_sums(struct store *s,
    const struct request_range *range, enum request_group by,
    struct rx_json_out *w, struct rx_err *err);

/* The row before the first that began at `since_ms` or later; UINT64_MAX: there
 * is none yet. */
uint64_t request_before(struct store *s, uint64_t since_ms);
/* Rows in all, cheaply: the greatest row id. */
uint64_t request_count(struct store *s);

#endif
