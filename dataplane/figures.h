/*
 * figures.h - the numbers of a usage object, as each dialect counts them, and
 * their conversion into counters that do not overlap.
 *
 * Figures are collected raw while an answer goes by (a later one overwrites an
 * earlier one, they are never summed) and converted once at the end, because
 * what a figure means may depend on the others.  Which conversion applies is
 * decided by the dialect that was read, never by the provider's name.
 */
#ifndef DATAPLANE_FIGURES_H
#define DATAPLANE_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "dataplane/usage.h"
#include "shared/json_span.h"

enum figure {
    FIGURE_INPUT,
    FIGURE_CACHED,
    FIGURE_CACHED_ELSEWHERE, /* a vendor's other name for the same */
    FIGURE_WRITTEN,
    FIGURE_WRITTEN_5M,
    FIGURE_WRITTEN_1H,
    FIGURE_TOOL_INPUT,
    FIGURE_OUTPUT,
    FIGURE_REASONING,
    FIGURE_TOTAL,
    FIGURE_IN_AUDIO,
    FIGURE_IN_IMAGE,
    FIGURE_OUT_AUDIO,
    FIGURE_OUT_IMAGE,
    FIGURE_WEB_SEARCHES,
    FIGURE_WEB_FETCHES,
    FIGURE_COUNT
};

struct figures {
    uint32_t has; /* 1u << enum figure */
    uint64_t n[FIGURE_COUNT];
    bool growing; /* what is repeated may only grow */
    char tier[16];
};

/* Read the usage object at the cursor (null and other kinds are passed). */
void figures_read(struct figures *f, enum dialect dialect, struct rx_span *j);
void figures_read_tier(struct figures *f, struct rx_span *j);

/* Fills has, n and tier of `out`. */
void figures_convert(
    const struct figures *f, enum dialect dialect, struct usage *out);

#endif
