/*
 * analytics_parts.h - what the files behind analytics.h share.
 */
#ifndef CONTROLPLANE_ANALYTICS_PARTS_H
#define CONTROLPLANE_ANALYTICS_PARTS_H

#include "controlplane/analytics.h"
#include "controlplane/csv.h"

#define ANALYTICS_PARTS   5
#define ANALYTICS_SQL_MAX 4096

struct analytics_part {
    enum rollup_level level;
    uint64_t from, to;
};

enum { C_GROUP, C_NAME, C_SUMS };

struct analytics_asked {
    const struct analytics_question *q;
    enum rollup_dim dim; /* the marginal that answers it */
    bool plain;
    bool thin;                                    /* nobody wants percentiles */
    struct analytics_part parts[ANALYTICS_PARTS]; /* empty ones find nothing */
};

/* Its column of usage_cube. */
const char *analytics_column(enum rollup_dim dim);
/* Where the names of ids are; NULL: they are names themselves. */
const char *analytics_table_of(enum rollup_dim dim);
/* Can it be answered?  What is not in the cube is summed up on its own only. */
RX_NODISCARD enum rx_code analytics_check(
    const struct analytics_question *q, enum rollup_dim by, struct rx_err *err);
struct analytics_asked analytics_prepare(
    const struct analytics_question *q, enum rollup_dim by);
/* One level only, for series. */
struct analytics_asked analytics_prepare_level(
    const struct analytics_question *q, enum rollup_dim by,
    enum rollup_level level);
/* "select" group, name, and sums in the columns from C_SUMS on … */
void analytics_add_columns(struct rx_buf *sql, const struct analytics_asked *a,
    const char *group, const char *name);
/* The same for each bucket of one level, together with "from". */
void analytics_add_bucket_columns(
    struct rx_buf *sql, const struct analytics_asked *a, const char *name);
/* … "from" the buckets that answer it. */
void analytics_add_from(struct rx_buf *sql, const struct analytics_asked *a);
/* The text with its values bound. */
struct db_query *analytics_ask(
    struct store *s, const struct analytics_asked *a, const char *sql);

/* Members of an open object, or values of a row of CSV. */
struct analytics_paper {
    struct rx_json_out *w;
    struct csv *csv; /* when `w` is NULL */
};

#define SUM_NAMES                                                          \
    "requests,failed_requests,uncounted_requests,estimated_requests,"      \
    "unpriced_requests,input_tokens,cache_read_tokens,cache_write_tokens," \
    "output_tokens,reasoning_tokens,mean_duration_ms,error_rate,cost_usd," \
    "cache_saved_usd,duration_p50_ms,duration_p95_ms,duration_p99_ms,"     \
    "ttft_p50_ms,ttft_p95_ms,ttft_p99_ms,tokens_per_s_p50,"                \
    "tokens_per_s_p95,tokens_per_s_p99"

/* Those names, in that order; `plain`: with percentiles. */
void analytics_put_sums_on(
    const struct analytics_paper *p, struct db_query *q, bool plain);
void analytics_put_sums(struct rx_json_out *w, struct db_query *q, bool plain);

#endif
