/*
 * analytics.h - sums of usage for people: totals, groups, series.
 *
 * A question is answered from the coarsest buckets that fit: whole days in the
 * middle, hours and minutes at both ends, so that a month costs no more than a
 * day.  What ends now ends with the day: there is nothing behind it yet.  Percentiles are there where the question is about one dimension at a
 * time; with a filter on another one they are null.
 */
#ifndef CONTROLPLANE_ANALYTICS_H
#define CONTROLPLANE_ANALYTICS_H

#include <stdint.h>

#include "controlplane/rollup.h"
#include "controlplane/store.h"
#include "shared/json.h"

struct analytics_question {
    uint64_t since_ms, until_ms;   /* until is not included */
    rx_str only[ROLLUP_DIM_COUNT]; /* ids; ptr NULL: any */
};

/* Set the ends to those of buckets that are kept, outwards. */
void analytics_align(struct analytics_question *q, uint64_t now_ms);

/* One object of sums under `key`. */
RX_NODISCARD enum rx_code analytics_total(struct store *s,
    const struct analytics_question *q, struct rx_json_out *w, const char *key,
    struct rx_err *err);

enum analytics_order {
    ANALYTICS_BY_REQUESTS,
    ANALYTICS_BY_COST,
    ANALYTICS_BY_TOKENS
};
/* The greatest `most` names of a dimension, as elements of an open array. */
RX_NODISCARD enum rx_code analytics_groups(struct store *s,
    const struct analytics_question *q, enum rollup_dim by,
    enum analytics_order order, size_t most, struct rx_json_out *w,
    struct rx_err *err);
/* Buckets of that level that hold something, in order of time, as elements of
 * an open array; of one name of a dimension, or of all (ROLLUP_TOTAL). */
RX_NODISCARD enum rx_code analytics_times(struct store *s,
    const struct analytics_question *q, enum rollup_level level,
    struct rx_json_out *w, struct rx_err *err);
/* The names of the columns of analytics_csv(), as a line. */
void analytics_csv_head(struct rx_buf *out);
/* A line of CSV for each name of a dimension in that range, or one for all
 * (ROLLUP_TOTAL); none where there was nothing.  RX_TOO_BIG: more than `most`. */
RX_NODISCARD enum rx_code analytics_csv(struct store *s,
    const struct analytics_question *q, enum rollup_dim by, size_t most,
    struct rx_buf *out, struct rx_err *err);
#define ANALYTICS_SERIES_MAX 50
/* {"id","name","total":{…},"points":[…]} per name, the greatest `most` of them;
 * as elements of an open array. */
RX_NODISCARD enum rx_code analytics_series(struct store *s,
    const struct analytics_question *q, enum rollup_dim by,
    enum rollup_level level, enum analytics_order order, size_t most,
    struct rx_json_out *w, struct rx_err *err);

/* "total", "tenant", …; false: no such dimension. */
bool analytics_dim(rx_str name, enum rollup_dim *out);
const char *analytics_dim_name(enum rollup_dim dim);

#endif
