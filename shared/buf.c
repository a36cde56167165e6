#include "shared/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN_FIRST ((size_t)256)

void
rx_buf_init(struct rx_buf *b, size_t cap)
{
    *b = (struct rx_buf){ .cap = cap };
}

void
rx_buf_fini(struct rx_buf *b)
{
    free(b->ptr);
    b->ptr = NULL;
    b->len = b->size = 0;
}

/* Room for `n` bytes and a NUL behind them. */
static bool
grow(struct rx_buf *b, size_t n)
{
    if (n > b->cap - b->len) {
        b->full = true;
        return false;
    }
    size_t need = b->len + n + 1;
    if (need <= b->size)
        return true;

    size_t size = b->size > 0 ? b->size * 2 : SIZE_MIN_FIRST;
    if (size < need)
        size = need;
    if (size > b->cap + 1)
        size = b->cap + 1;
    char *p = realloc(b->ptr, size);
    if (p == NULL) {
        fprintf(stderr, "routex: out of memory allocating %zu bytes\n", size);
        abort();
    }
    b->ptr = p;
    b->size = size;
    return true;
}

bool
rx_buf_add_slow(struct rx_buf *b, rx_str s)
{
    return grow(b, s.len) && rx_buf_add(b, s);
}

bool
rx_buf_addf(struct rx_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_list again;

    va_start(ap, fmt);
    va_copy(again, ap);
    size_t room = b->size > b->len ? b->size - b->len : 0;
    int n = vsnprintf(room > 0 ? b->ptr + b->len : NULL, room, fmt, ap);
    va_end(ap);

    bool fits = n >= 0 && grow(b, (size_t)n);
    if (fits) {
        if ((size_t)n >= room)
            vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    } else if (b->ptr != NULL && b->size > b->len) {
        b->ptr[b->len] = '\0';
    }
    va_end(again);
    return fits;
}

bool
rx_buf_add_u64(struct rx_buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return rx_buf_add(b, (rx_str){ digits + at, sizeof(digits) - at });
}

bool
rx_buf_add_json(struct rx_buf *b, rx_str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        rx_buf_add(b, (rx_str){ s.ptr + from, i - from });
        from = i + 1;
        if (c == '"' || c == '\\') {
            rx_buf_add(b, (rx_str){ (char[]){ '\\', (char)c }, 2 });
        } else if (c == '\n') {
            rx_buf_add(b, RX_S("\\n"));
        } else {
            rx_buf_add(b, RX_S("\\u00"));
            rx_buf_add(b, (rx_str){ (char[]){ hex[c >> 4], hex[c & 15] }, 2 });
        }
    }
    if (from < s.len)
        rx_buf_add(b, (rx_str){ s.ptr + from, s.len - from });
    return !b->full;
}

char *
rx_buf_room(struct rx_buf *b, size_t n)
{
    return grow(b, n) ? b->ptr + b->len : NULL;
}

void
rx_buf_grew(struct rx_buf *b, size_t n)
{
    b->len += n;
    b->ptr[b->len] = '\0';
}

void
rx_buf_drop(struct rx_buf *b, size_t n)
{
    if (n >= b->len) {
        rx_buf_clear(b);
        return;
    }
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
    b->ptr[b->len] = '\0';
}

void
rx_buf_clear(struct rx_buf *b)
{
    b->len = 0;
    b->full = false;
    if (b->ptr != NULL)
        b->ptr[0] = '\0';
}

void
rx_buf_release(struct rx_buf *b)
{
    rx_buf_fini(b);
    b->full = false;
}
