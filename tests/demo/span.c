#include "tests/demo/span.h"

#include <string.h>

struct span_walk
span_walk(rx_str value)
{
    struct span_walk w = { 0 };

    rx_span_init(&w.cursor, value);
    switch (rx_span_kind(&w.cursor)) {
    case RX_SPAN_OBJECT: w.object = rx_span_enter_object(&w.cursor); break;
    case RX_SPAN_ARRAY: w.array = rx_span_enter_array(&w.cursor); break;
    case RX_SPAN_NOTHING:
    case RX_SPAN_STRING:
    case RX_SPAN_NUMBER:
    case RX_SPAN_TRUE:
    case RX_SPAN_FALSE:
    case RX_SPAN_NULL: break;
    }
    return w;
}

bool
span_next(struct span_walk *w, rx_str *key, rx_str *value)
{
    bool more = false;

    *key = (rx_str){ NULL, 0 };
    if (w->object)
        more = rx_span_member(&w->cursor, key);
    else if (w->array)
        more = rx_span_element(&w->cursor);
    if (more && rx_span_skip(&w->cursor, value))
        return true;
    w->object = w->array = false;
    return false;
}

rx_str
span_get(rx_str object, const char *key)
{
    struct span_walk w = span_walk(object);
    rx_str want = { key, strlen(key) };
    rx_str name;
    rx_str value;

    while (span_next(&w, &name, &value)) {
        if (rx_str_eq(name, want))
            return value;
    }
    return (rx_str){ NULL, 0 };
}

void
span_pick(rx_str object, const char *const *keys, rx_str *values, size_t count)
{
    struct span_walk w = span_walk(object);
    rx_str name;
    rx_str value;

    memset(values, 0, count * sizeof(*values));
    if (!w.object)
        return;
    while (span_next(&w, &name, &value)) {
        for (size_t i = 0; i < count; i++) {
            if (rx_str_eq(name, (rx_str){ keys[i], strlen(keys[i]) }))
                values[i] = value;
        }
    }
}

rx_str
span_text(rx_str value)
{
    if (value.len < 2 || value.ptr[0] != '"')
        return (rx_str){ NULL, 0 };
    return (rx_str){ value.ptr + 1, value.len - 2 };
}

rx_str
span_get_text(rx_str object, const char *key)
{
    return span_text(span_get(object, key));
}

bool
span_is_true(rx_str value)
{
    return rx_str_eq(value, RX_S("true"));
}

/* Bytes of the character (or escape) at the start of `s`. */
static size_t
unit_length(rx_str s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t n = 1;

    if (c == '\\')
        n = s.len > 1 && s.ptr[1] == 'u' ? 6 : 2;
    else if (c >= 0xf0)
        n = 4;
    else if (c >= 0xe0)
        n = 3;
    else if (c >= 0xc0)
        n = 2;
    /* The two halves of an escaped surrogate pair stay together. */
    if (n == 6 && s.len >= 12 && (s.ptr[2] | 0x20) == 'd' &&
        strchr("89abAB", s.ptr[3]) != NULL)
        n = 12;
    return n < s.len ? n : s.len;
}

rx_str
span_clip(rx_str text, size_t max)
{
    size_t at = 0;

    if (text.len <= max)
        return text;
    for (;;) {
        rx_str rest = { text.ptr + at, text.len - at };
        size_t n = unit_length(rest);

        if (at + n > max)
            return (rx_str){ text.ptr, at };
        at += n;
    }
}

void
span_unescape(rx_str text, struct rx_buf *out)
{
    (void)rx_span_unescape(text, out);
}
