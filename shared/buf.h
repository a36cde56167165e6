/*
 * buf.h - bytes that grow, but never past a size said at birth.
 *
 * The one growable buffer of the tree.  Every append may fail with false when
 * the cap would be passed; the failure sticks (`full`), so a run of appends
 * needs one check at its end.  What was appended before stays intact.
 *
 *     struct rx_buf b;
 *     rx_buf_init(&b, 64 * 1024);
 *     rx_buf_addf(&b, "GET %s HTTP/1.1\r\n", path);
 *     rx_buf_add(&b, RX_S("\r\n"));
 *     if (b.full) ...
 *     rx_buf_fini(&b);
 */
#ifndef SHARED_BUF_H
#define SHARED_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/str.h"

struct rx_buf {
    char *ptr; /* NUL-terminated once anything was appended */
    size_t len;
    size_t size;
    size_t cap; /* most bytes it may ever hold */
    bool full;  /* an append did not fit */
};

void rx_buf_init(struct rx_buf *b, size_t cap);
void rx_buf_fini(struct rx_buf *b); /* may be used again after init */

bool rx_buf_addf(struct rx_buf *b, const char *fmt, ...) RX_PRINTF(2, 3);
bool rx_buf_add_u64(struct rx_buf *b, uint64_t n); /* in decimal */
/* `s` as the inside of a JSON string: quotes, backslashes, controls escaped. */
bool rx_buf_add_json(struct rx_buf *b, rx_str s);
/* Make room for `n` more bytes and return where they go; NULL past the cap.
 * rx_buf_grew() then says how many were written. */
RX_NODISCARD char *rx_buf_room(struct rx_buf *b, size_t n);
void rx_buf_grew(struct rx_buf *b, size_t n);
/* Drop the first `n` bytes (moves the rest down). */
void rx_buf_drop(struct rx_buf *b, size_t n);
void rx_buf_clear(struct rx_buf *b); /* empty, memory kept, `full` forgotten */
/* Empty it and give its memory back. */
void rx_buf_release(struct rx_buf *b);

/* Where there is no room yet; for rx_buf_add(). */
bool rx_buf_add_slow(struct rx_buf *b, rx_str s);

/* Heads and rows are made of many small pieces, so the usual case is here. */
static inline bool
rx_buf_add(struct rx_buf *b, rx_str s)
{
    if (s.len >= b->size - b->len) /* the NUL needs room, too */
        return rx_buf_add_slow(b, s);
    if (s.len > 0)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    b->ptr[b->len] = '\0';
    return true;
}

static inline bool
rx_buf_addc(struct rx_buf *b, char c)
{
    return rx_buf_add(b, (rx_str){ &c, 1 });
}

/* Borrowed view, valid until the next change. */
static inline rx_str
rx_buf_str(const struct rx_buf *b)
{
    return (rx_str){ b->ptr, b->len };
}

#endif
