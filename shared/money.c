#include "shared/money.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX   18 /* exact in 64 bits; the rest only rounds */
#define EXPONENT_MAX 400

/* mantissa * 10^exponent */
struct decimal {
    uint64_t mantissa;
    int exponent;
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with at most one point; how many bytes were read, 0: none. */
static size_t
read_digits(rx_str s, struct decimal *d)
{
    size_t i = 0, digits = 0;
    bool point = false;

    for (; i < s.len && (is_digit(s.ptr[i]) || (s.ptr[i] == '.' && !point));
         i++) {
        if (s.ptr[i] == '.') {
            point = true;
            continue;
        }
        digits++;
        if (d->mantissa >= UINT64_C(100000000000000000)) {
            d->exponent += !point;
        } else {
            d->mantissa = d->mantissa * 10 + (uint64_t)(s.ptr[i] - '0');
            d->exponent -= point;
        }
    }
    return digits > 0 && s.ptr[i - 1] != '.' ? i : 0;
}

static bool
read_exponent(rx_str s, int *out)
{
    bool minus = s.len > 0 && s.ptr[0] == '-';
    uint64_t n;

    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = (rx_str){ s.ptr + 1, s.len - 1 };
    if (!rx_str_u64(s, &n) || n > EXPONENT_MAX)
        return false;
    *out = minus ? -(int)n : (int)n;
    return true;
}

static bool
read_decimal(rx_str s, struct decimal *d)
{
    size_t n = read_digits(s, d);
    int exponent;

    if (n == 0 || n == s.len)
        return n > 0;
    if ((s.ptr[n] | 0x20) != 'e' ||
        !read_exponent((rx_str){ s.ptr + n + 1, s.len - n - 1 }, &exponent))
        return false;
    d->exponent += exponent;
    return true;
}

bool
rx_decimal_parse(rx_str s, unsigned scale, uint64_t *out)
{
    struct decimal d = { 0 };

    if (s.len > 64 || !read_decimal(s, &d))
        return false;
    d.exponent += (int)scale;
    for (; d.exponent < -1 && d.mantissa > 0; d.exponent++)
        d.mantissa /= 10;
    if (d.exponent < 0)
        d.mantissa = d.mantissa / 10 + (d.mantissa % 10 >= 5);
    for (; d.exponent > 0 && d.mantissa > 0; d.exponent--) {
        if (d.mantissa > (uint64_t)INT64_MAX / 10)
            return false;
        d.mantissa *= 10;
    }
    *out = d.mantissa;
    return true;
}

/*
 * A number has been through a double, whose shortest text is what stood in the
 * document unless that had more than 15 digits.
 */
bool
rx_decimal_read(rx_json v, unsigned scale, uint64_t *out)
{
    char text[40];

    if (rx_json_kind(v) == RX_JSON_STRING)
        return rx_decimal_parse(rx_json_str(v), scale, out);
    if (rx_json_kind(v) != RX_JSON_NUMBER)
        return false;
    snprintf(text, sizeof(text), "%.15g", rx_json_number(v));
    return rx_decimal_parse((rx_str){ text, strlen(text) }, scale, out);
}

void
rx_decimal_format(int64_t n, unsigned scale, char out[RX_DECIMAL_SIZE])
{
    uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    uint64_t unit = 1;

    assert(scale <= DIGITS_MAX);
    for (unsigned i = 0; i < scale; i++)
        unit *= 10;
    int at = snprintf(out, RX_DECIMAL_SIZE, "%s%" PRIu64 ".%0*" PRIu64,
        n < 0 ? "-" : "", size / unit, (int)(scale > 0 ? scale : 1),
        scale > 0 ? size % unit : 0);
    while (out[at - 1] == '0')
        at--;
    if (out[at - 1] == '.')
        at--;
    out[at] = '\0';
}

void
rx_decimal_put(
    struct rx_json_out *w, const char *key, int64_t n, unsigned scale)
{
    char text[RX_DECIMAL_SIZE];

    rx_decimal_format(n, scale, text);
    rx_json_put_text(w, key, text);
}

void
rx_usd_put(struct rx_json_out *w, const char *key, int64_t pico)
{
    rx_decimal_put(w, key, pico, 12);
}
