#include "shared/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/clock.h"

#define LINE_MAX_BYTES ((size_t)8 * 1024)
#define PER_SECOND     10
#define EVENTS_TRACKED 64

enum rx_log_level rx_log_level = RX_LOG_INFO;

static const char *process = "routex";
static const char *const names[] = { "error", "warn", "info", "debug" };

/* How often an event was printed in its current second. */
static struct {
    const char *event;
    uint64_t second;
    unsigned printed;
    unsigned suppressed;
} seen[EVENTS_TRACKED];

void
rx_log_init(const char *proc, enum rx_log_level level)
{
    process = proc;
    rx_log_level = level;
}

bool
rx_log_level_parse(rx_str s, enum rx_log_level *out)
{
    for (size_t i = 0; i < RX_COUNT(names); i++) {
        if (rx_str_ieq(s, (rx_str){ names[i], strlen(names[i]) })) {
            *out = (enum rx_log_level)i;
            return true;
        }
    }
    return false;
}

/* May `event` be printed now?  Tells how many were held back before. */
static bool
admit(const char *event, uint64_t second, unsigned *suppressed)
{
    size_t i = ((uintptr_t)event >> 3) % EVENTS_TRACKED;

    *suppressed = 0;
    if (seen[i].event != event || seen[i].second != second) {
        if (seen[i].event == event)
            *suppressed = seen[i].suppressed;
        seen[i].event = event;
        seen[i].second = second;
        seen[i].printed = 0;
        seen[i].suppressed = 0;
    }
    if (++seen[i].printed <= PER_SECOND)
        return true;
    seen[i].suppressed++;
    return false;
}

void
rx_log_line(enum rx_log_level level, const char *event, const char *fmt, ...)
{
    uint64_t now = rx_clock_wall_ms();
    unsigned suppressed = 0;
    char line[LINE_MAX_BYTES];
    char ts[RX_TIME_SIZE];

    if (level <= RX_LOG_WARN && !admit(event, now / 1000, &suppressed))
        return;
    rx_time_format(now, ts);
    int n = snprintf(line, sizeof(line), "ts=%s level=%s event=%s proc=%s ", ts,
        names[level], event, process);

    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof(line) - (size_t)n - 40, fmt, ap);
    va_end(ap);
    size_t len = strlen(line);
    (void)m;
    if (suppressed > 0)
        len += (size_t)snprintf(
            line + len, sizeof(line) - len, " suppressed=%u", suppressed);
    while (len > 0 && line[len - 1] == ' ')
        len--;
    line[len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written; /* nowhere left to complain */
}

const char *
rx_log_quote_str(rx_str s)
{
    static char ring[8][320];
    static unsigned turn;
    char *out = ring[turn++ % RX_COUNT(ring)];
    size_t n = 0;

    out[n++] = '"';
    for (size_t i = 0; i < s.len && n < sizeof(ring[0]) - 8; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '"' || c == '\\')
            out[n++] = '\\';
        out[n++] = c < 0x20 ? ' ' : (char)c;
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}

const char *
rx_log_quote(const char *s)
{
    return rx_log_quote_str((rx_str){ s, strlen(s) });
}
