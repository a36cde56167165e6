#include "dataplane/tally.h"

#include "shared/json_span.h"

#if defined(__SSE2__)
#    include <emmintrin.h>
#endif

/* How much of the front is ASCII without escapes, in steps of 16 bytes. */
static size_t
plain_ascii(rx_str s)
{
    size_t i = 0;

#if defined(__SSE2__)
    for (; s.len - i >= 16; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.ptr + i));
        __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
        if (_mm_movemask_epi8(_mm_or_si128(v, slash)) != 0)
            break;
    }
#endif
    return i;
}

/* Kana, ideographs, Hangul and their full-width company. */
static bool
is_cjk(uint32_t c)
{
    return (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff00 && c <= 0xffef) ||
           (c >= 0x20000 && c <= 0x3ffff);
}

static void
count(struct tally *t, uint64_t *ascii, uint32_t c)
{
    if (c < 0x80)
        ++*ascii;
    else if (is_cjk(c))
        t->cjk++;
    else
        t->other += c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/* One character of UTF-8; what is none counts as a byte of its own. */
static size_t
from_utf8(rx_str s, uint32_t *out)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t n = p[0] < 0xc2 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    *out = p[0];
    if (n == 1 || n > s.len)
        return 1;
    *out = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        *out = *out << 6 | (p[i] & 0x3f);
    return n;
}

/* One escape sequence; its shortest form is two bytes. */
static size_t
from_escape(rx_str s, uint32_t *out)
{
    char utf8[12];
    size_t len;
    size_t n = s.len >= 6 && s.ptr[1] == 'u' ? 6 : 2;

    if (n == 6 && s.len >= 12 && s.ptr[6] == '\\' && s.ptr[7] == 'u' &&
        (s.ptr[2] | 0x20) == 'd' && s.ptr[3] >= '8')
        n = 12;
    *out = ' ';
    if (s.len < 2)
        return s.len;
    if (rx_span_decode((rx_str){ s.ptr, n }, utf8, &len) && len > 0)
        from_utf8((rx_str){ utf8, len }, out);
    return n;
}

/* One character of ASCII, as it is or as \n and the like. */
static bool
is_plain(rx_str s)
{
    if (s.ptr[0] == '\\')
        return s.len >= 2 && s.ptr[1] != 'u' && (unsigned char)s.ptr[1] < 0x80;
    return (unsigned char)s.ptr[0] < 0x80;
}

static void
add(struct tally *t, uint64_t *ascii, rx_str s)
{
    while (s.len > 0) {
        uint32_t c;
        size_t n = plain_ascii(s);

        *ascii += n;
        s = (rx_str){ s.ptr + n, s.len - n };
        if (s.len == 0)
            return;
        /* Up to where it may be plain again. */
        for (size_t left = 16; left > 0 && s.len > 0; left--) {
            if (is_plain(s)) {
                size_t one = s.ptr[0] == '\\' ? 2 : 1;
                ++*ascii;
                s = (rx_str){ s.ptr + one, s.len - one };
                continue;
            }
            if (s.ptr[0] == '\\')
                n = from_escape(s, &c);
            else
                n = from_utf8(s, &c);
            count(t, ascii, c);
            s = (rx_str){ s.ptr + n, s.len - n };
        }
    }
}

void
tally_add(struct tally *t, rx_str escaped)
{
    add(t, &t->ascii, escaped);
}

void
tally_add_code(struct tally *t, rx_str escaped)
{
    add(t, &t->code, escaped);
}

uint64_t
tally_tokens(const struct tally *t)
{
    return (t->ascii + t->other + 3) / 4 + (t->code * 10 + 32) / 33 + t->cjk;
}

uint64_t
tally_tokens_of_bytes(uint64_t bytes)
{
    return (bytes + 3) / 4;
}
