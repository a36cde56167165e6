/*
 * stat.h - counters, gauges and histograms, shown as Prometheus text.
 *
 * Whoever counts asks for its slots once, at start; from then on counting is
 * one addition on memory that does not move:
 *
 *     uint64_t *served = rx_stat_counter(stat, "routex_requests_total",
 *         "requests answered", RX_STAT_LABELS({ "dialect", "chat" }));
 *     ++*served;
 *
 * A slot shows with its zero from the moment it was asked for.  A family (one
 * name) holds at most RX_STAT_SERIES_MAX sets of labels; whoever asks beyond
 * that shares one slot whose label values are all "other", so that what
 * strangers or configurations name cannot grow memory or the scrape.
 *
 * Not for a hot path: asking for a slot.  Names, help texts and label names are
 * borrowed for good (literals); label values are copied.
 */
#ifndef SHARED_STAT_H
#define SHARED_STAT_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"

#define RX_STAT_SERIES_MAX 256
#define RX_STAT_LABELS_MAX 4

struct rx_stat;

struct rx_stat_label {
    const char *name;
    const char *value;
};
/* RX_STAT_LABELS({ "a", "1" }, { "b", "2" }), or RX_STAT_NO_LABELS. */
struct rx_stat_labels {
    struct rx_stat_label at[RX_STAT_LABELS_MAX]; /* ended by a NULL name */
};
#define RX_STAT_LABELS(...) ((struct rx_stat_labels){ { __VA_ARGS__ } })
#define RX_STAT_NO_LABELS   ((struct rx_stat_labels){ 0 })

RX_NODISCARD struct rx_stat *rx_stat_new(void);
void rx_stat_free(struct rx_stat *stat);

/* Only grows.  The name ends in _total. */
RX_NODISCARD uint64_t *rx_stat_counter(struct rx_stat *stat, const char *name,
    const char *help, struct rx_stat_labels labels);
/* Goes up and down. */
RX_NODISCARD int64_t *rx_stat_gauge(struct rx_stat *stat, const char *name,
    const char *help, struct rx_stat_labels labels);
/* Asked when somebody looks: a counter where the name ends in _total, else a
 * gauge. */
void rx_stat_ask(struct rx_stat *stat, const char *name, const char *help,
    struct rx_stat_labels labels, double (*fn)(void *arg), void *arg);

/*
 * Values are whole numbers in a small unit (ms, bytes) and are shown divided by
 * `scale` (1000: ms become seconds).  `bounds` are upper bounds in the small
 * unit, ascending, ended by 0, borrowed for good.
 */
#define RX_STAT_BUCKETS_MAX 24
struct rx_histogram {
    const uint64_t *bounds;
    uint64_t scale;
    size_t bucket_count;
    uint64_t buckets[RX_STAT_BUCKETS_MAX + 1]; /* last: beyond every bound */
    uint64_t sum;
};
RX_NODISCARD struct rx_histogram *rx_stat_histogram(struct rx_stat *stat,
    const char *name, const char *help, struct rx_stat_labels labels,
    const uint64_t *bounds, uint64_t scale);

static inline void
rx_histogram_add(struct rx_histogram *h, uint64_t value)
{
    size_t i = 0;

    while (i < h->bucket_count && value > h->bounds[i])
        i++;
    h->buckets[i]++;
    h->sum += value;
}

/* From 1 ms to 5 min, for durations in ms with scale 1000. */
extern const uint64_t rx_stat_ms_bounds[];

/* Everything, in the text format 0.0.4; families in order of birth. */
void rx_stat_print(const struct rx_stat *stat, struct rx_buf *out);

#define RX_STAT_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
