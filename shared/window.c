#include "shared/window.h"

#include <string.h>

#include "shared/attr.h"
#include "shared/clock.h"

#define HOUR_MS ((uint64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

static const char *const names[] = {
#define NAME(id, name) name,
    RX_WINDOWS(NAME)
#undef NAME
};

const char *
rx_window_name(enum rx_window w)
{
    return names[w];
}

bool
rx_window_find(rx_str name, enum rx_window *out)
{
    for (size_t i = 0; i < RX_COUNT(names); i++) {
        if (rx_str_eq(name, (rx_str){ names[i], strlen(names[i]) })) {
            *out = (enum rx_window)i;
            return true;
        }
    }
    return false;
}

/* The clock's own text knows the calendar: "2026-11-…" to "2026-11-01…". */
static uint64_t
month_start(uint64_t wall_ms)
{
    char text[RX_TIME_SIZE];
    uint64_t start = 0;

    rx_time_format(wall_ms, text);
    memcpy(text + 8, "01T00:00:00Z", sizeof("01T00:00:00Z"));
    rx_time_parse((rx_str){ text, strlen(text) }, &start);
    return start;
}

uint64_t
rx_window_start(enum rx_window w, uint64_t wall_ms)
{
    uint64_t day = wall_ms / DAY_MS;

    switch (w) {
    case RX_WINDOW_TOTAL: return 0;
    case RX_WINDOW_DAY: return day * DAY_MS;
    case RX_WINDOW_WEEK: /* the epoch was a Thursday */
        return day < 4 ? 0 : (day - (day + 3) % 7) * DAY_MS;
    case RX_WINDOW_MONTH: return month_start(wall_ms);
    case RX_WINDOW_HOUR: return wall_ms - wall_ms % HOUR_MS;
    }
    return 0;
}

uint64_t
rx_window_end(enum rx_window w, uint64_t wall_ms)
{
    uint64_t start = rx_window_start(w, wall_ms);

    switch (w) {
    case RX_WINDOW_TOTAL: return 0;
    case RX_WINDOW_DAY: return start + DAY_MS;
    case RX_WINDOW_WEEK: return start + (start == 0 ? 4 : 7) * DAY_MS;
    case RX_WINDOW_MONTH: return month_start(start + 31 * DAY_MS);
    case RX_WINDOW_HOUR: return start + HOUR_MS;
    }
    return 0;
}
