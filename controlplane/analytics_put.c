/*
 * Sums as members of an object, or as values of a row of CSV.
 */
#include <stdio.h>

#include "controlplane/analytics_parts.h"
#include "controlplane/csv.h"
#include "controlplane/hist.h"
#include "shared/money.h"

static void
put_nothing(const struct analytics_paper *p, const char *key)
{
    if (p->w != NULL)
        rx_json_put_null(p->w, key);
    else
        csv_nothing(p->csv);
}

static void
put_u64(const struct analytics_paper *p, const char *key, uint64_t n)
{
    if (p->w != NULL)
        rx_json_put_u64(p->w, key, n);
    else
        csv_u64(p->csv, n);
}

static void
put_number(const struct analytics_paper *p, const char *key, double n)
{
    if (p->w != NULL)
        rx_json_put_number(p->w, key, n);
    else
        csv_number(p->csv, n);
}

static void
put_decimal(
    const struct analytics_paper *p, const char *key, int64_t n, unsigned scale)
{
    char text[RX_DECIMAL_SIZE];

    rx_decimal_format(n, scale, text);
    if (p->w != NULL)
        rx_json_put_text(p->w, key, text);
    else
        csv_plain(p->csv, text);
}

/* Millionths of a dollar, and pico-dollars beyond those. */
static void
put_sum_of_money(const struct analytics_paper *p, const char *key,
    struct db_query *q, int at)
{
    int64_t micro = db_i64(q, at);
    int64_t rest = db_i64(q, at + 1);

    micro += rest / 1000000;
    rest %= 1000000;
    if (micro > -INT64_C(9000000000000) && micro < INT64_C(9000000000000))
        put_decimal(p, key, micro * 1000000 + rest, 12);
    else
        put_decimal(p, key, micro, 6);
}

static void
put_percentiles(const struct analytics_paper *p, const struct hist *h,
    enum hist_measure m, const char *prefix, unsigned parts)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = { { "p50", 0.5 }, { "p95", 0.95 }, { "p99", 0.99 } };
    char key[48];
    uint64_t value;

    for (size_t i = 0; i < RX_COUNT(shares); i++) {
        snprintf(key, sizeof(key), "%s%s%s", prefix, shares[i].name,
            parts == 1 ? "_ms" : "");
        if (h == NULL || !hist_percentile(h, m, shares[i].share, &value))
            put_nothing(p, key);
        else if (parts == 1)
            put_u64(p, key, value);
        else
            put_number(p, key, (double)value / parts);
    }
}

static void
put_times(
    const struct analytics_paper *p, struct db_query *q, int at, bool known)
{
    struct hist h = { 0 };

    if (known)
        hist_merge(&h, db_blob(q, at));
    put_percentiles(p, known ? &h : NULL, HIST_DURATION, "duration_", 1);
    put_percentiles(p, known ? &h : NULL, HIST_TTFT, "ttft_", 1);
    put_percentiles(p, known ? &h : NULL, HIST_SPEED, "tokens_per_s_", 10);
}

static void
put_means(const struct analytics_paper *p, struct db_query *q)
{
    uint64_t requests = db_u64(q, C_SUMS + ROLLUP_N_requests);

    if (requests == 0) {
        put_nothing(p, "mean_duration_ms");
        put_nothing(p, "error_rate");
        return;
    }
    put_u64(p, "mean_duration_ms",
        db_u64(q, C_SUMS + ROLLUP_N_duration_ms) / requests);
    put_number(p, "error_rate",
        (double)db_u64(q, C_SUMS + ROLLUP_N_failed) / (double)requests);
}

/* SUM_NAMES are its columns. */
void
analytics_put_sums_on(
    const struct analytics_paper *p, struct db_query *q, bool plain)
{
    static const struct {
        const char *name;
        enum rollup_counter c;
    } counts[] = {
        { "requests", ROLLUP_N_requests },
        { "failed_requests", ROLLUP_N_failed },
        { "uncounted_requests", ROLLUP_N_unknown },
        { "estimated_requests", ROLLUP_N_estimated },
        { "unpriced_requests", ROLLUP_N_unpriced },
        { "input_tokens", ROLLUP_N_input_tokens },
        { "cache_read_tokens", ROLLUP_N_cache_read_tokens },
        { "cache_write_tokens", ROLLUP_N_cache_write_tokens },
        { "output_tokens", ROLLUP_N_output_tokens },
        { "reasoning_tokens", ROLLUP_N_reasoning_tokens },
    };
    int money = C_SUMS + ROLLUP_N_COUNT;

    for (size_t i = 0; i < RX_COUNT(counts); i++)
        put_u64(p, counts[i].name, db_u64(q, C_SUMS + (int)counts[i].c));
    put_means(p, q);
    put_sum_of_money(p, "cost_usd", q, money);
    put_sum_of_money(p, "cache_saved_usd", q, money + 2);
    put_times(p, q, money + 4, plain);
}

void
analytics_put_sums(struct rx_json_out *w, struct db_query *q, bool plain)
{
    analytics_put_sums_on(&(struct analytics_paper){ .w = w }, q, plain);
}
