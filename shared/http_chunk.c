/*
 *        ┌────────────── next chunk ───────────────┐
 *   SIZE ──> EXTENSION ──> SIZE_LF ──> DATA ──> DATA_CR ──> DATA_LF
 *                             │ 0
 *                             └──> TRAILER ──> TRAILER_LF ──> END_LF ──> OVER
 */
#include "shared/http_chunk.h"

#include <stdbool.h>

#define MAX_LINE    256
#define MAX_TRAILER (8 * 1024)
#define MAX_DIGITS  15 /* no overflow, and far beyond any limit */

enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER,
    TRAILER_LF,
    END_LF,
    OVER,
    BROKEN,
};

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool
text(char c)
{
    return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

/* In the size: digits, then CR, or an extension after at least one digit. */
static int
after_size(struct rx_chunk *k, char c)
{
    int digit = hex_value(c);

    if (digit >= 0) {
        k->left = k->left * 16 + (unsigned)digit;
        return ++k->line > MAX_DIGITS ? BROKEN : SIZE;
    }
    if (k->line == 0)
        return BROKEN;
    if (c == '\r')
        return SIZE_LF;
    return c == ';' || c == ' ' || c == '\t' ? EXTENSION : BROKEN;
}

/* The state that follows byte `c` in a state that takes one byte. */
static int
after(struct rx_chunk *k, char c)
{
    switch (k->state) {
    case SIZE: return after_size(k, c);
    case EXTENSION:
        if (c == '\r')
            return SIZE_LF;
        return text(c) && ++k->line <= MAX_LINE ? EXTENSION : BROKEN;
    case SIZE_LF:
        k->line = 0;
        if (c != '\n')
            return BROKEN;
        return k->left > 0 ? DATA : TRAILER_START;
    case DATA_CR: return c == '\r' ? DATA_LF : BROKEN;
    case DATA_LF: return c == '\n' ? SIZE : BROKEN;
    case TRAILER_START:
        if (c == '\r')
            return END_LF;
        return text(c) && c != ' ' && c != '\t' ? TRAILER : BROKEN;
    case TRAILER:
        if (c == '\r')
            return TRAILER_LF;
        return text(c) && ++k->trailer <= MAX_TRAILER ? TRAILER : BROKEN;
    case TRAILER_LF: return c == '\n' ? TRAILER_START : BROKEN;
    case END_LF: return c == '\n' ? OVER : BROKEN;
    default: return BROKEN;
    }
}

enum rx_chunk_more
rx_chunk_next(struct rx_chunk *chunk, rx_str *in, rx_str *data)
{
    while (chunk->state < OVER && in->len > 0) {
        if (chunk->state == DATA) {
            size_t n = in->len < chunk->left ? in->len : (size_t)chunk->left;

            *data = (rx_str){ in->ptr, n };
            *in = (rx_str){ in->ptr + n, in->len - n };
            chunk->left -= n;
            if (chunk->left == 0)
                chunk->state = DATA_CR;
            return RX_CHUNK_DATA;
        }
        chunk->state = (uint8_t)after(chunk, in->ptr[0]);
        *in = (rx_str){ in->ptr + 1, in->len - 1 };
    }
    if (chunk->state == BROKEN)
        return RX_CHUNK_BAD;
    return chunk->state == OVER ? RX_CHUNK_DONE : RX_CHUNK_MORE;
}
