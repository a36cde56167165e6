/*
 * log.h - one line per event, on stderr, in logfmt.
 *
 *     rx_info("snapshot.installed", "version=%" PRIu64 " channels=%zu", v, n);
 *     -> ts=2026-11-21T23:50:48.123Z level=info event=snapshot.installed
 *        proc=data version=8 channels=50
 *
 * The event name is noun.verb and never changes.  Arguments of silent lines
 * are not evaluated.  Bodies, keys and prompts never go in; values that may
 * hold blanks are written with RX_LOG_Q ("%s" of rx_log_quote).
 * warn and error lines of one event beyond 10 a second are counted, not
 * printed (suppressed=N on the next one).
 */
#ifndef SHARED_LOG_H
#define SHARED_LOG_H

#include "shared/attr.h"
#include "shared/str.h"

enum rx_log_level {
    RX_LOG_ERROR, /* somebody must act */
    RX_LOG_WARN,  /* something failed and we coped */
    RX_LOG_INFO,  /* a handful a minute, plus one per exchange */
    RX_LOG_DEBUG, /* everything */
};

extern enum rx_log_level rx_log_level;

/* `proc` is printed on every line ("data", "control", "up"); borrowed. */
void rx_log_init(const char *proc, enum rx_log_level level);
/* "error", "warn", "info", "debug" in any case; false when it is none. */
bool rx_log_level_parse(rx_str s, enum rx_log_level *out);
void rx_log_line(enum rx_log_level level, const char *event, const char *fmt,
    ...) RX_PRINTF(3, 4);
/* `s` quoted and escaped for a logfmt value; borrowed until the 8th next call. */
const char *rx_log_quote(const char *s);
const char *rx_log_quote_str(rx_str s);

#define rx_log_at(level, ...)                  \
    do {                                       \
        if ((level) <= rx_log_level)           \
            rx_log_line((level), __VA_ARGS__); \
    } while (0)
#define rx_error(...) rx_log_at(RX_LOG_ERROR, __VA_ARGS__)
#define rx_warn(...)  rx_log_at(RX_LOG_WARN, __VA_ARGS__)
#define rx_info(...)  rx_log_at(RX_LOG_INFO, __VA_ARGS__)
#define rx_debug(...) rx_log_at(RX_LOG_DEBUG, __VA_ARGS__)

#endif
