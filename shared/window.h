/*
 * window.h - stretches of the calendar, in UTC: what a quota is for.
 */
#ifndef SHARED_WINDOW_H
#define SHARED_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/str.h"

/* id, name; a week begins on Monday */
#define RX_WINDOWS(X) \
    X(TOTAL, "total") \
    X(DAY, "day")     \
    X(WEEK, "week")   \
    X(MONTH, "month") \
    X(HOUR, "hour")

enum rx_window {
#define RX_WINDOW_ENUM(id, name) RX_WINDOW_##id,
    RX_WINDOWS(RX_WINDOW_ENUM)
#undef RX_WINDOW_ENUM
};

const char *rx_window_name(enum rx_window w);
/* False when no window is called so. */
bool rx_window_find(rx_str name, enum rx_window *out);
/* When the one that `wall_ms` is in began; 0 for the total. */
uint64_t rx_window_start(enum rx_window w, uint64_t wall_ms);
/* When the next one begins; 0: never. */
uint64_t rx_window_end(enum rx_window w, uint64_t wall_ms);

#endif
