/*
 * request.h - what was asked and what it took: one row per request, one per
 * attempt.  Their sums are rollup.h's.
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

/* What the row's requests cost at today's prices, all attempts; pico-dollars.
 * False: not known. */
bool request_cost(struct store *s, const struct usage_row *row, int64_t *pico);

struct request_filter {
    rx_str tenant, key, channel; /* ids or names; empty: any */
    rx_str model;                /* as asked, sent or served */
    rx_str outcome;
    rx_str request_id;
    rx_str trace_id; /* 32 hex digits */
    rx_str rule, tag, agent, client;
    uint64_t status;             /* 0: any */
    uint64_t since_ms, until_ms; /* 0: open */
    /* Newest first: those before (ms, id); 0: from the newest. */
    uint64_t before_ms, before_id;
    size_t limit;
    /* For request_follow() only. */
    uint64_t until_id; /* the last row to look at; 0: open */
    bool detail;       /* with attempts, as request_put() has them */
    bool sampled;      /* some of them: by the ids of their traces */
    bool heed_parent;  /* those of callers: as the caller does */
    uint32_t sample;   /* how many of 2^32 */
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
/* The names of the columns, as the first line of a CSV file. */
void request_csv_head(struct rx_buf *out);
/*
 * Some of the rows as lines of CSV, newest first: those among the next few
 * hundred of the filter's range that fit it, so that a call takes a few
 * milliseconds whatever is asked for.  *filter then says where it goes on;
 * *more: it does.  `tenant`, `key` and `channel` have to be ids.
 */
RX_NODISCARD enum rx_code request_csv(struct store *s,
    struct request_filter *filter, struct rx_buf *out, bool *more,
    struct rx_err *err);
/* One row with its attempts; `id` is the row's, or the request's own id. */
RX_NODISCARD enum rx_code request_put(struct store *s, rx_str id,
    struct rx_json_out *w, const char *key, struct rx_err *err);

/* The row before the first that began at `since_ms` or later; UINT64_MAX: there
 * is none yet. */
uint64_t request_before(struct store *s, uint64_t since_ms);
/* Rows in all, cheaply: the greatest row id. */
uint64_t request_count(struct store *s);

#endif
