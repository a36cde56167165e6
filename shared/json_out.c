/*
 * The writing half of json.h.  It needs no tree, so no library either.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/json.h"

struct rx_json_out
rx_json_out(struct rx_buf *buf)
{
    return (struct rx_json_out){ .buf = buf };
}

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* How much of it stands as it is: ASCII without quotes and the like. */
static size_t
plain_run(rx_str s)
{
    size_t n = 0;

    for (; n < s.len; n++) {
        unsigned char c = (unsigned char)s.ptr[n];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            break;
    }
    return n;
}

/* With what needs an escape, and what is no UTF-8. */
static void
add_uneven(struct rx_buf *b, rx_str s)
{
    while (s.len > 0) {
        size_t good = 0, n;
        while ((n = rx_json_rune((rx_str){ s.ptr + good, s.len - good })) > 0)
            good += n;
        rx_buf_add_json(b, (rx_str){ s.ptr, good });
        if (good == s.len)
            break;
        rx_buf_add(b, RX_S("\xEF\xBF\xBD"));
        s = (rx_str){ s.ptr + good + 1, s.len - good - 1 };
    }
}

static void
add_quoted(struct rx_buf *b, rx_str s)
{
    size_t plain = plain_run(s);

    rx_buf_addc(b, '"');
    rx_buf_add(b, (rx_str){ s.ptr, plain });
    if (plain < s.len)
        add_uneven(b, (rx_str){ s.ptr + plain, s.len - plain });
    rx_buf_addc(b, '"');
}

/* Comma and name in front of the next thing. */
static void
lead(struct rx_json_out *w, const char *key)
{
    uint64_t here = (uint64_t)1 << w->depth;

    /* Inside an object everything has a name, elsewhere nothing has. */
    assert((key != NULL) == (w->depth > 0 && !(w->arrays & here)));
    if (w->filled & here)
        rx_buf_addc(w->buf, ',');
    w->filled |= here;
    if (key != NULL) {
        add_quoted(w->buf, text(key));
        rx_buf_addc(w->buf, ':');
    }
}

static void
open(struct rx_json_out *w, const char *key, bool array)
{
    lead(w, key);
    rx_buf_addc(w->buf, array ? '[' : '{');
    assert(w->depth + 1 < 64);
    uint64_t here = (uint64_t)1 << ++w->depth;
    w->filled &= ~here;
    w->arrays = array ? w->arrays | here : w->arrays & ~here;
}

void
rx_json_open_object(struct rx_json_out *w, const char *key)
{
    open(w, key, false);
}

void
rx_json_open_array(struct rx_json_out *w, const char *key)
{
    open(w, key, true);
}

void
rx_json_close(struct rx_json_out *w)
{
    assert(w->depth > 0);
    bool array = w->arrays & ((uint64_t)1 << w->depth);
    rx_buf_addc(w->buf, array ? ']' : '}');
    w->depth--;
}

void
rx_json_put_str(struct rx_json_out *w, const char *key, rx_str s)
{
    lead(w, key);
    add_quoted(w->buf, s);
}

void
rx_json_put_text(struct rx_json_out *w, const char *key, const char *s)
{
    rx_json_put_str(w, key, text(s));
}

void
rx_json_put_u64(struct rx_json_out *w, const char *key, uint64_t n)
{
    lead(w, key);
    rx_buf_add_u64(w->buf, n);
}

void
rx_json_put_i64(struct rx_json_out *w, const char *key, int64_t n)
{
    lead(w, key);
    rx_buf_addf(w->buf, "%" PRId64, n);
}

void
rx_json_put_number(struct rx_json_out *w, const char *key, double n)
{
    lead(w, key);
    if (!isfinite(n)) {
        rx_buf_add(w->buf, RX_S("null"));
        return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, n);
        if (!(strtod(digits, NULL) < n) && !(strtod(digits, NULL) > n))
            break;
    }
    rx_buf_add(w->buf, text(digits));
}

void
rx_json_put_bool(struct rx_json_out *w, const char *key, bool yes)
{
    lead(w, key);
    rx_buf_add(w->buf, yes ? RX_S("true") : RX_S("false"));
}

void
rx_json_put_null(struct rx_json_out *w, const char *key)
{
    lead(w, key);
    rx_buf_add(w->buf, RX_S("null"));
}

void
rx_json_put_time(struct rx_json_out *w, const char *key, uint64_t wall_ms)
{
    char at[RX_TIME_SIZE];

    if (wall_ms == 0) {
        rx_json_put_null(w, key);
        return;
    }
    rx_time_format(wall_ms, at);
    rx_json_put_text(w, key, at);
}

void
rx_json_put_raw(struct rx_json_out *w, const char *key, rx_str json)
{
    lead(w, key);
    rx_buf_add(w->buf, json);
}

static void put_any(struct rx_json_out *w, const char *key, rx_json v);

static void
put_children(struct rx_json_out *w, const char *key, rx_json v, bool array)
{
    open(w, key, array);
    for (rx_json c = rx_json_first(v); rx_json_there(c); c = rx_json_next(c))
        put_any(w, array ? NULL : rx_json_name(c).ptr, c);
    rx_json_close(w);
}

static void
put_any(struct rx_json_out *w, const char *key, rx_json v)
{
    switch (rx_json_kind(v)) {
    case RX_JSON_NONE:
    case RX_JSON_NULL: rx_json_put_null(w, key); break;
    case RX_JSON_BOOL: rx_json_put_bool(w, key, rx_json_bool(v)); break;
    case RX_JSON_NUMBER: rx_json_put_number(w, key, rx_json_number(v)); break;
    case RX_JSON_STRING: rx_json_put_str(w, key, rx_json_str(v)); break;
    case RX_JSON_ARRAY: put_children(w, key, v, true); break;
    case RX_JSON_OBJECT: put_children(w, key, v, false); break;
    }
}

void
rx_json_put_value(struct rx_json_out *w, const char *key, rx_json v)
{
    put_any(w, key, v);
}

static void
indent(struct rx_buf *out, size_t depth)
{
    rx_buf_addc(out, '\n');
    for (size_t i = 0; i < depth; i++)
        rx_buf_add(out, RX_S("  "));
}

/* Indented by `depth`; containers of nothing stay on their line. */
static void
print_pretty(rx_json v, size_t depth, struct rx_buf *out)
{
    bool array = rx_json_kind(v) == RX_JSON_ARRAY;
    struct rx_json_out leaf = rx_json_out(out);
    rx_json c = rx_json_first(v);

    if (!rx_json_there(c)) {
        put_any(&leaf, NULL, v);
        return;
    }
    rx_buf_addc(out, array ? '[' : '{');
    for (; rx_json_there(c); c = rx_json_next(c)) {
        indent(out, depth + 1);
        if (!array) {
            add_quoted(out, rx_json_name(c));
            rx_buf_add(out, RX_S(": "));
        }
        print_pretty(c, depth + 1, out);
        if (rx_json_there(rx_json_next(c)))
            rx_buf_addc(out, ',');
    }
    indent(out, depth);
    rx_buf_addc(out, array ? ']' : '}');
}

void
rx_json_print(rx_json v, bool pretty, struct rx_buf *out)
{
    struct rx_json_out w = rx_json_out(out);

    if (pretty)
        print_pretty(v, 0, out);
    else
        put_any(&w, NULL, v);
}
