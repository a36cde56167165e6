/* The inside of a JSON string, decoded. */
#include <string.h>

#include "shared/json_span.h"

#define REPLACEMENT 0xfffdu

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX at `at`, or false. */
static bool
unit(const char *at, const char *end, uint32_t *out)
{
    uint32_t value = 0;

    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int d = hex(at[i]);
        if (d < 0)
            return false;
        value = value << 4 | (uint32_t)d;
    }
    *out = value;
    return true;
}

/* A code point from behind \u; the second half of a pair is taken with it. */
static const char *
code_point(const char *at, const char *end, uint32_t *out)
{
    uint32_t low;

    if (!unit(at, end, out))
        return NULL;
    at += 4;
    if (*out < 0xd800 || *out > 0xdfff)
        return at;
    if (*out < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
        unit(at + 2, end, &low) && low >= 0xdc00 && low <= 0xdfff) {
        *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
        return at + 6;
    }
    *out = REPLACEMENT;
    return at;
}

static size_t
put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* What the letter behind a backslash stands for; 0: nothing. */
static char
plain_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

/* One escape sequence, decoded to `to`; NULL when it is none. */
static const char *
take_escape(const char *at, const char *end, char **to)
{
    uint32_t code;

    if (end - at < 2)
        return NULL;
    if (at[1] == 'u') {
        at = code_point(at + 2, end, &code);
        if (at != NULL)
            *to += put_utf8(*to, code);
        return at;
    }
    char c = plain_escape(at[1]);
    if (c == 0)
        return NULL;
    *(*to)++ = c;
    return at + 2;
}

bool
rx_span_decode(rx_str escaped, char *out, size_t *len)
{
    const char *at = escaped.ptr;
    const char *end = at + escaped.len;
    char *to = out;

    while (at != NULL && at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash != NULL ? slash : end) - at);

        memcpy(to, at, plain);
        to += plain;
        at = slash != NULL ? take_escape(slash, end, &to) : end;
    }
    *len = (size_t)(to - out);
    return at == end;
}

bool
rx_span_unescape(rx_str escaped, struct rx_buf *out)
{
    size_t len;

    if (escaped.len == 0)
        return true;
    char *room = rx_buf_room(out, escaped.len);
    if (room == NULL || !rx_span_decode(escaped, room, &len))
        return false;
    rx_buf_grew(out, len);
    return true;
}
