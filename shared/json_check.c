/*
 * The strict walk over a text: is it RFC 8259 and nothing beyond, within limits
 * on depth and number of values?
 */
#include <string.h>

#include "shared/json.h"

struct check {
    const unsigned char *at;
    const unsigned char *start;
    const unsigned char *end;
    size_t depth;
    size_t values;
    struct rx_json_limits limits;
    enum rx_code code;
    struct rx_err *err;
};

static bool check_value(struct check *c);

static bool
refuse(struct check *c, enum rx_code code, const char *why)
{
    if (c->code == RX_OK)
        c->code = rx_fail(
            c->err, code, "byte %zu: %s", (size_t)(c->at - c->start), why);
    return false;
}

static bool
bad(struct check *c, const char *why)
{
    return refuse(c, RX_INVALID, c->at == c->end ? "ends too early" : why);
}

static void
skip_blanks(struct check *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' ||
                                 *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool
next_is(struct check *c, char ch)
{
    if (c->at == c->end || *c->at != (unsigned char)ch)
        return false;
    c->at++;
    return true;
}

static bool
check_word(struct check *c, const char *word)
{
    for (; *word != '\0'; word++) {
        if (!next_is(c, *word))
            return bad(c, "unknown word");
    }
    return true;
}

static bool
check_digits(struct check *c)
{
    const unsigned char *from = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > from || bad(c, "not a number");
}

static bool
check_number(struct check *c)
{
    const unsigned char *from = c->at;

    next_is(c, '-');
    if (!next_is(c, '0') && !check_digits(c))
        return false;
    if (next_is(c, '.') && !check_digits(c))
        return false;
    if (next_is(c, 'e') || next_is(c, 'E')) {
        if (!next_is(c, '+'))
            next_is(c, '-');
        if (!check_digits(c))
            return false;
    }
    /* cJSON reads at most 63 characters and takes the rest for garbage. */
    return c->at - from < 63 || bad(c, "number is too long");
}

/* Four hex digits; -1 when they are not. */
static int
take_hex4(struct check *c)
{
    int n = 0;

    for (int i = 0; i < 4; i++, c->at++) {
        if (c->at == c->end)
            return -1;
        unsigned char ch = *c->at;
        if (ch >= '0' && ch <= '9')
            n = n * 16 + (ch - '0');
        else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f')
            n = n * 16 + ((ch | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return n;
}

static bool
check_unicode_escape(struct check *c)
{
    int unit = take_hex4(c);

    if (unit < 0)
        return bad(c, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return refuse(c, RX_INVALID, "U+0000 is not accepted in a string");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return bad(c, "half a surrogate pair");
    if (unit < 0xD800 || unit > 0xDBFF)
        return true;
    if (!next_is(c, '\\') || !next_is(c, 'u'))
        return bad(c, "half a surrogate pair");
    unit = take_hex4(c);
    return (unit >= 0xDC00 && unit <= 0xDFFF) ||
           bad(c, "half a surrogate pair");
}

static bool
check_escape(struct check *c)
{
    if (next_is(c, 'u'))
        return check_unicode_escape(c);
    if (c->at == c->end || *c->at == '\0' ||
        strchr("\"\\/bfnrt", *c->at) == NULL)
        return bad(c, "unknown escape");
    c->at++;
    return true;
}

/* Shortest form only, no surrogates, nothing beyond U+10FFFF. */
size_t
rx_json_rune(rx_str s)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *at = (const unsigned char *)s.ptr;

    if (s.len == 0 || at[0] < 0x80)
        return s.len == 0 ? 0 : 1;
    size_t n = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || s.len < n)
        return 0;
    uint32_t rune = at[0] & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        rune = rune << 6 | (at[i] & 0x3FU);
    }
    bool wrong = rune < least[n] || rune > 0x10FFFF ||
                 (rune >= 0xD800 && rune <= 0xDFFF);
    return wrong ? 0 : n;
}

static bool
check_utf8(struct check *c)
{
    size_t n =
        rx_json_rune((rx_str){ (const char *)c->at, (size_t)(c->end - c->at) });

    c->at += n;
    return n > 0 || refuse(c, RX_INVALID, "not UTF-8");
}

/* From behind the opening quote to behind the closing one. */
static bool
check_string(struct check *c)
{
    while (c->at < c->end) {
        unsigned char ch = *c->at;
        if (ch >= 0x80) {
            if (!check_utf8(c))
                return false;
            continue;
        }
        if (ch < 0x20)
            return bad(c, "control character in a string");
        c->at++;
        if (ch == '"')
            return true;
        if (ch == '\\' && !check_escape(c))
            return false;
    }
    return bad(c, "");
}

static bool
check_member(struct check *c)
{
    skip_blanks(c);
    if (!next_is(c, '"'))
        return bad(c, "a member's name is expected");
    if (!check_string(c))
        return false;
    skip_blanks(c);
    if (!next_is(c, ':'))
        return bad(c, "':' is expected");
    return check_value(c);
}

static bool
check_container(struct check *c, char close, bool (*item)(struct check *c))
{
    if (++c->depth > c->limits.depth)
        return refuse(c, RX_TOO_BIG, "nested too deeply");
    skip_blanks(c);
    if (!next_is(c, close)) {
        do {
            if (!item(c))
                return false;
            skip_blanks(c);
        } while (next_is(c, ','));
        if (!next_is(c, close))
            return bad(c, "',' or the closing bracket is expected");
    }
    c->depth--;
    return true;
}

static bool
check_value(struct check *c)
{
    if (++c->values > c->limits.values)
        return refuse(c, RX_TOO_BIG, "holds too many values");
    skip_blanks(c);
    if (c->at == c->end)
        return bad(c, "");
    switch (*c->at) {
    case '{': c->at++; return check_container(c, '}', check_member);
    case '[': c->at++; return check_container(c, ']', check_value);
    case '"': c->at++; return check_string(c);
    case 't': return check_word(c, "true");
    case 'f': return check_word(c, "false");
    case 'n': return check_word(c, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return check_number(c);
    default: return bad(c, "a value is expected");
    }
}

enum rx_code
rx_json_check(
    rx_str text, const struct rx_json_limits *limits, struct rx_err *err)
{
    struct check c = {
        .at = (const unsigned char *)text.ptr,
        .start = (const unsigned char *)text.ptr,
        .limits = { .depth = RX_JSON_DEPTH_MAX, .values = 100000 },
        .err = err,
    };

    if (text.len == 0)
        return rx_fail(err, RX_INVALID, "empty, where JSON is expected");
    c.end = c.at + text.len;
    if (limits != NULL && limits->depth != 0 &&
        limits->depth < RX_JSON_DEPTH_MAX)
        c.limits.depth = limits->depth;
    if (limits != NULL && limits->values != 0)
        c.limits.values = limits->values;
    if (check_value(&c)) {
        skip_blanks(&c);
        if (c.at < c.end)
            bad(&c, "something follows the document");
    }
    return c.code;
}
