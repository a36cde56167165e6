/*
 * hist.h - latencies in log buckets: 64 per power of two, so a percentile is
 * right within 1.6 % from nanoseconds to years, in 30 KiB.
 */
#ifndef TESTS_BENCH_HIST_H
#define TESTS_BENCH_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_BITS    6
#define HIST_SUB     (1u << HIST_BITS)
#define HIST_BUCKETS ((64 - HIST_BITS + 1) * HIST_SUB)

struct hist {
    uint64_t total;
    uint64_t max;
    uint64_t count[HIST_BUCKETS];
};

static inline void
hist_add(struct hist *h, uint64_t value)
{
    unsigned shift = 0;

    if (value >= HIST_SUB)
        shift = 63 - HIST_BITS - (unsigned)__builtin_clzll(value);
    h->count[(shift << HIST_BITS) + (value >> shift)]++;
    h->total++;
    if (value > h->max)
        h->max = value;
}

/* The highest value of the bucket where `share` (0..1) of all is reached. */
static inline uint64_t
hist_at(const struct hist *h, double share)
{
    uint64_t want = (uint64_t)((double)h->total * share);
    uint64_t seen = 0;

    for (size_t i = 0; i < HIST_BUCKETS; i++) {
        seen += h->count[i];
        if (seen > want || (seen == h->total && seen > 0)) {
            unsigned shift = i < HIST_SUB ? 0 : (unsigned)(i >> HIST_BITS) - 1;
            uint64_t top =
                ((i - ((size_t)shift << HIST_BITS) + 1) << shift) - 1;
            return top < h->max ? top : h->max;
        }
    }
    return 0;
}

#endif
