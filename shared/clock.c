#include "shared/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static uint64_t fake_wall_ms; /* 0: real time */
static uint64_t fake_mono_ms;

static uint64_t
now_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
rx_clock_us(void)
{
    return fake_wall_ms != 0 ? fake_mono_ms * 1000 : now_us(CLOCK_MONOTONIC);
}

uint64_t
rx_clock_cpu_us(void)
{
    return now_us(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t
rx_clock_ms(void)
{
    return rx_clock_us() / 1000;
}

uint64_t
rx_clock_wall_ms(void)
{
    return fake_wall_ms != 0 ? fake_wall_ms : now_us(CLOCK_REALTIME) / 1000;
}

void
rx_clock_fake(uint64_t wall_ms)
{
    fake_wall_ms = wall_ms;
    fake_mono_ms = 1000;
}

void
rx_clock_advance(uint64_t ms)
{
    fake_wall_ms += ms;
    fake_mono_ms += ms;
}

void
rx_time_format(uint64_t wall_ms, char out[RX_TIME_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, RX_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, RX_TIME_SIZE - n, ".%03uZ", (unsigned)(wall_ms % 1000));
}

/* Exactly `n` digits off the front of `s`. */
static bool
take_digits(rx_str *s, size_t n, int *out)
{
    uint64_t value;

    if (s->len < n || !rx_str_u64((rx_str){ s->ptr, n }, &value))
        return false;
    *out = (int)value;
    s->ptr += n;
    s->len -= n;
    return true;
}

static bool
take_char(rx_str *s, const char *any)
{
    if (s->len == 0)
        return false;
    for (; *any != '\0'; any++) {
        if (s->ptr[0] == *any) {
            s->ptr++;
            s->len--;
            return true;
        }
    }
    return false;
}

/* ".123456" in ms; absent is fine. */
static bool
take_fraction(rx_str *s, int *ms)
{
    int unit = 100;
    int digit;

    *ms = 0;
    if (!take_char(s, "."))
        return true;
    if (!take_digits(s, 1, &digit))
        return false;
    do {
        *ms += digit * unit;
        unit /= 10;
    } while (take_digits(s, 1, &digit));
    return true;
}

static bool
take_offset(rx_str *s, int *minutes)
{
    int h;
    int m;

    *minutes = 0;
    if (take_char(s, "Zz"))
        return true;
    if (s->len == 0)
        return false;
    int sign = s->ptr[0] == '-' ? -1 : 1;
    if (!take_char(s, "+-") || !take_digits(s, 2, &h) || !take_char(s, ":") ||
        !take_digits(s, 2, &m))
        return false;
    *minutes = sign * (h * 60 + m);
    return h < 24 && m < 60;
}

bool
rx_time_parse(rx_str s, uint64_t *wall_ms)
{
    struct tm tm = { 0 };
    int ms;
    int offset;

    if (!take_digits(&s, 4, &tm.tm_year) || !take_char(&s, "-") ||
        !take_digits(&s, 2, &tm.tm_mon) || !take_char(&s, "-") ||
        !take_digits(&s, 2, &tm.tm_mday) || !take_char(&s, "Tt ") ||
        !take_digits(&s, 2, &tm.tm_hour) || !take_char(&s, ":") ||
        !take_digits(&s, 2, &tm.tm_min) || !take_char(&s, ":") ||
        !take_digits(&s, 2, &tm.tm_sec) || !take_fraction(&s, &ms) ||
        !take_offset(&s, &offset) || s.len > 0)
        return false;

    struct tm asked = tm;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t t = timegm(&tm);
    /* timegm() normalises: 30 February would come back as 2 March. */
    if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon - 1 ||
        tm.tm_hour != asked.tm_hour || tm.tm_min != asked.tm_min)
        return false;
    t -= (time_t)offset * 60;
    if (t < 0)
        return false;
    *wall_ms = (uint64_t)t * 1000 + (uint64_t)ms;
    return true;
}
