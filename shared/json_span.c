#include "shared/json_span.h"

#include <string.h>

#if defined(__SSE2__)
#    include <emmintrin.h>
#endif

static inline bool
white(char c)
{
    return (unsigned char)c <= ' ' &&
           (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

static inline bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
fail(struct rx_span *j)
{
    j->bad = true;
    return false;
}

static inline void
skip_white(struct rx_span *j)
{
    while (j->at < j->end && white(*j->at))
        j->at++;
}

/* The first quote or backslash in [at, end), or end. */
static inline const char *
string_mark(const char *at, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');

    for (; end - at >= 16; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        int hit = _mm_movemask_epi8(
            _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        if (hit != 0)
            return at + __builtin_ctz((unsigned)hit);
    }
#endif
    while (at < end && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Behind the closing quote of the string whose inside begins at `at`. */
static inline const char *
string_end(const char *at, const char *end, bool *escaped)
{
    *escaped = false;
    while ((at = string_mark(at, end)) < end) {
        if (*at == '"')
            return at + 1;
        if (end - at < 2)
            return NULL;
        *escaped = true;
        at += 2;
    }
    return NULL;
}

/* Behind the number that begins at `at`; NULL when it is not one. */
static const char *
number_end(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    if (at == end || !digit(*at))
        return NULL;
    if (*at++ != '0') {
        while (at < end && digit(*at))
            at++;
    }
    if (at < end && *at == '.') {
        if (++at == end || !digit(*at))
            return NULL;
        while (at < end && digit(*at))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (at == end || !digit(*at))
            return NULL;
        while (at < end && digit(*at))
            at++;
    }
    return at;
}

static const char *
literal_end(const char *at, const char *end, rx_str word)
{
    return rx_str_starts((rx_str){ at, (size_t)(end - at) }, word)
               ? at + word.len
               : NULL;
}

static const char *
container_end(const char *at, const char *end)
{
    struct rx_span_skip s = { 0 };

    return rx_span_skip_feed(&s, at, end);
}

void
rx_span_init(struct rx_span *j, rx_str text)
{
    if (text.len == 0)
        text.ptr = "";
    *j = (struct rx_span){
        .at = text.ptr,
        .end = text.ptr + text.len,
        .start = text.ptr,
    };
}

/* By the first byte; the rest is RX_SPAN_NOTHING. */
static const uint8_t kinds[256] = {
    ['{'] = RX_SPAN_OBJECT,
    ['['] = RX_SPAN_ARRAY,
    ['"'] = RX_SPAN_STRING,
    ['t'] = RX_SPAN_TRUE,
    ['f'] = RX_SPAN_FALSE,
    ['n'] = RX_SPAN_NULL,
    ['-'] = RX_SPAN_NUMBER,
    ['0'] = RX_SPAN_NUMBER,
    ['1'] = RX_SPAN_NUMBER,
    ['2'] = RX_SPAN_NUMBER,
    ['3'] = RX_SPAN_NUMBER,
    ['4'] = RX_SPAN_NUMBER,
    ['5'] = RX_SPAN_NUMBER,
    ['6'] = RX_SPAN_NUMBER,
    ['7'] = RX_SPAN_NUMBER,
    ['8'] = RX_SPAN_NUMBER,
    ['9'] = RX_SPAN_NUMBER,
};

static inline enum rx_span_kind
kind_of_byte(char c)
{
    return (enum rx_span_kind)kinds[(unsigned char)c];
}

enum rx_span_kind
rx_span_kind(struct rx_span *j)
{
    skip_white(j);
    return j->bad || j->at == j->end ? RX_SPAN_NOTHING : kind_of_byte(*j->at);
}

enum rx_span_kind
rx_span_kind_of(rx_str value)
{
    return value.len == 0 ? RX_SPAN_NOTHING : kind_of_byte(value.ptr[0]);
}

static bool
enter(struct rx_span *j, char open)
{
    if (j->bad)
        return false;
    skip_white(j);
    if (j->at == j->end || *j->at != open || j->depth == RX_SPAN_DEPTH)
        return fail(j);
    j->at++;
    j->depth++;
    j->fresh = true;
    return true;
}

bool
rx_span_enter_object(struct rx_span *j)
{
    return enter(j, '{');
}

bool
rx_span_enter_array(struct rx_span *j)
{
    return enter(j, '[');
}

/* To where the next member or element begins, past its comma. */
static inline bool
next(struct rx_span *j, char close)
{
    if (j->bad)
        return false;
    skip_white(j);
    if (j->at == j->end)
        return fail(j);
    if (*j->at == close) {
        j->at++;
        j->depth--;
        j->fresh = false;
        return false;
    }
    if (!j->fresh) {
        if (*j->at != ',')
            return fail(j);
        j->at++;
        skip_white(j);
    }
    j->fresh = false;
    return true;
}

bool
rx_span_member(struct rx_span *j, rx_str *key)
{
    if (!next(j, '}'))
        return false;
    if (j->at == j->end || *j->at != '"')
        return fail(j);

    const char *from = j->at + 1;
    const char *behind = string_end(from, j->end, &j->key_escaped);
    if (behind == NULL)
        return fail(j);
    j->key = (rx_str){ from, (size_t)(behind - from) - 1 };
    if (key != NULL)
        *key = j->key;
    j->at = behind;
    skip_white(j);
    if (j->at == j->end || *j->at != ':')
        return fail(j);
    j->at++;
    return true;
}

bool
rx_span_element(struct rx_span *j)
{
    return next(j, ']');
}

bool
rx_span_skip(struct rx_span *j, rx_str *value)
{
    const char *behind = NULL;
    const char *from;
    bool escaped;

    enum rx_span_kind kind = rx_span_kind(j);
    from = j->at;
    switch (kind) {
    case RX_SPAN_NOTHING: break;
    case RX_SPAN_OBJECT:
    case RX_SPAN_ARRAY: behind = container_end(from, j->end); break;
    case RX_SPAN_STRING: behind = string_end(from + 1, j->end, &escaped); break;
    case RX_SPAN_NUMBER: behind = number_end(from, j->end); break;
    case RX_SPAN_TRUE: behind = literal_end(from, j->end, RX_S("true")); break;
    case RX_SPAN_FALSE:
        behind = literal_end(from, j->end, RX_S("false"));
        break;
    case RX_SPAN_NULL: behind = literal_end(from, j->end, RX_S("null")); break;
    }
    if (behind == NULL)
        return fail(j);
    if (value != NULL)
        *value = (rx_str){ from, (size_t)(behind - from) };
    j->at = behind;
    j->fresh = false;
    return true;
}

bool
rx_span_string(struct rx_span *j, rx_str *out)
{
    rx_str value;

    if (!rx_span_skip(j, &value) || value.ptr[0] != '"')
        return false;
    *out = (rx_str){ value.ptr + 1, value.len - 2 };
    return true;
}

bool
rx_span_number(struct rx_span *j, rx_str *out)
{
    rx_str value;

    if (!rx_span_skip(j, &value) ||
        kind_of_byte(value.ptr[0]) != RX_SPAN_NUMBER)
        return false;
    *out = value;
    return true;
}

/* Whole numbers that came through somebody's floating point: 12.0, 1.2e1. */
static bool
u64_from_decimal(rx_str text, uint64_t *out)
{
    uint64_t value = 0;
    int point = 0; /* digits behind the point */
    int exponent = 0;
    size_t i = 0;
    bool behind = false;

    for (; i < text.len && (digit(text.ptr[i]) || text.ptr[i] == '.'); i++) {
        if (text.ptr[i] == '.') {
            behind = true;
            continue;
        }
        unsigned d = (unsigned)(text.ptr[i] - '0');
        if (value > (UINT64_MAX - d) / 10)
            return false;
        value = value * 10 + d;
        point += behind;
    }
    if (i < text.len) { /* e, a sign perhaps, digits */
        bool minus = text.ptr[++i] == '-';
        i += !digit(text.ptr[i]);
        for (; i < text.len && exponent < 1000; i++)
            exponent = exponent * 10 + (text.ptr[i] - '0');
        exponent = minus ? -exponent : exponent;
    }
    for (exponent -= point; exponent < 0 && value != 0; exponent++) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    for (; exponent > 0 && value != 0; exponent--) {
        if (value > UINT64_MAX / 10)
            return false;
        value *= 10;
    }
    *out = value;
    return true;
}

bool
rx_span_u64(struct rx_span *j, uint64_t *out)
{
    rx_str text;

    if (!rx_span_number(j, &text) || text.ptr[0] == '-')
        return false;
    return rx_str_u64(text, out) || u64_from_decimal(text, out);
}

bool
rx_span_bool(struct rx_span *j, bool *out)
{
    rx_str value;

    if (!rx_span_skip(j, &value) ||
        (value.ptr[0] != 't' && value.ptr[0] != 'f'))
        return false;
    *out = value.ptr[0] == 't';
    return true;
}

bool
rx_span_finish(struct rx_span *j)
{
    if (j->bad || j->depth != 0)
        return false;
    skip_white(j);
    return j->at == j->end;
}

bool
rx_span_whole(rx_str text)
{
    struct rx_span j;

    rx_span_init(&j, text);
    return rx_span_skip(&j, NULL) && rx_span_finish(&j);
}

bool
rx_span_key_is_escaped(const struct rx_span *j, rx_str name)
{
    char plain[256];
    size_t len;

    return j->key.len <= sizeof(plain) && rx_span_decode(j->key, plain, &len) &&
           rx_str_eq((rx_str){ plain, len }, name);
}
