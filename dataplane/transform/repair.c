#include "dataplane/transform/repair.h"

#include <ctype.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/json_span.h"

#define DEPTH_MAX 40

struct repair {
    const char *at, *end;
    struct rx_buf *out;
    unsigned depth;
    bool failed;
};

static void value(struct repair *r);

static bool
one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool
looking_at(const struct repair *r, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(r->end - r->at) >= n && memcmp(r->at, text, n) == 0;
}

static char
peek(const struct repair *r)
{
    return r->at < r->end ? *r->at : '\0';
}

static void
skip_line(struct repair *r)
{
    while (r->at < r->end && *r->at != '\n')
        r->at++;
}

static void
skip_comment(struct repair *r)
{
    while (r->at < r->end && !looking_at(r, "*/"))
        r->at++;
    r->at += r->at < r->end ? 2 : 0;
}

static void
skip_blanks(struct repair *r)
{
    while (r->at < r->end) {
        if (isspace((unsigned char)*r->at))
            r->at++;
        else if (looking_at(r, "//"))
            skip_line(r);
        else if (looking_at(r, "/*"))
            skip_comment(r);
        else
            return;
    }
}

/* Is the quote at `at` the one that ends its string?  What may stand behind a
 * string says so. */
static bool
ends_string(const struct repair *r, const char *at)
{
    for (at++; at < r->end && isspace((unsigned char)*at); at++)
        continue;
    return at == r->end || one_of(*at, ",:}]");
}

static void
add_byte(struct repair *r, unsigned char c)
{
    if (c < 0x20)
        rx_buf_addf(r->out, "\\u%04x", c);
    else
        rx_buf_addc(r->out, (char)c);
}

static bool
is_unicode(const struct repair *r)
{
    for (int i = 2; i < 6; i++) {
        if (r->end - r->at <= i || !isxdigit((unsigned char)r->at[i]))
            return false;
    }
    return true;
}

/* At a backslash. */
static void
escape(struct repair *r)
{
    char c = r->end - r->at > 1 ? r->at[1] : '\0';
    size_t n = 2;

    if (c == 'u' && is_unicode(r)) {
        n = 6;
    } else if (c == '\'') {
        rx_buf_addc(r->out, '\'');
        r->at += 2;
        return;
    } else if (!one_of(c, "\"\\/bfnrt")) {
        rx_buf_add(r->out, RX_S("\\\\")); /* it stands for itself */
        r->at++;
        return;
    }
    rx_buf_add(r->out, (rx_str){ r->at, n });
    r->at += n;
}

static void
string(struct repair *r)
{
    char quote = *r->at++;

    rx_buf_addc(r->out, '"');
    while (r->at < r->end) {
        char c = *r->at;
        if (c == quote && ends_string(r, r->at)) {
            r->at++;
            break;
        }
        if (c == '\\') {
            escape(r);
            continue;
        }
        if (c == '"')
            rx_buf_add(r->out, RX_S("\\\""));
        else if (c == '\n')
            rx_buf_add(r->out, RX_S("\\n"));
        else
            add_byte(r, (unsigned char)c);
        r->at++;
    }
    rx_buf_addc(r->out, '"');
}

/* Letters and the like without quotes: a word JSON knows, a number, or what
 * was meant as text. */
static void
bare(struct repair *r, bool key)
{
    static const struct {
        rx_str from, to;
    } words[] = {
        { RX_STR_INIT("true"), RX_STR_INIT("true") },
        { RX_STR_INIT("false"), RX_STR_INIT("false") },
        { RX_STR_INIT("null"), RX_STR_INIT("null") },
        { RX_STR_INIT("True"), RX_STR_INIT("true") },
        { RX_STR_INIT("False"), RX_STR_INIT("false") },
        { RX_STR_INIT("None"), RX_STR_INIT("null") },
        { RX_STR_INIT("undefined"), RX_STR_INIT("null") },
        { RX_STR_INIT("NaN"), RX_STR_INIT("null") },
    };
    const char *from = r->at;

    while (r->at < r->end && !one_of(*r->at, ",:}]\n"))
        r->at++;
    rx_str text = rx_str_trim((rx_str){ from, (size_t)(r->at - from) });
    for (size_t i = 0; !key && i < RX_COUNT(words); i++) {
        if (rx_str_eq(text, words[i].from)) {
            rx_buf_add(r->out, words[i].to);
            return;
        }
    }
    if (!key && rx_span_kind_of(text) == RX_SPAN_NUMBER &&
        rx_span_whole(text)) {
        rx_buf_add(r->out, text);
        return;
    }
    rx_buf_addc(r->out, '"');
    rx_buf_add_json(r->out, text);
    rx_buf_addc(r->out, '"');
}

static bool
is_quote(char c)
{
    return c == '"' || c == '\'';
}

static void
member(struct repair *r)
{
    if (is_quote(peek(r)))
        string(r);
    else
        bare(r, true);
    skip_blanks(r);
    rx_buf_addc(r->out, ':');
    if (peek(r) == ':')
        r->at++;
    skip_blanks(r);
    if (r->at == r->end || one_of(*r->at, ",}"))
        rx_buf_add(r->out, RX_S("null"));
    else
        value(r);
}

/* At a bracket. */
static void
container(struct repair *r)
{
    bool object = *r->at++ == '{';
    char close = object ? '}' : ']';
    bool first = true;

    if (++r->depth > DEPTH_MAX) {
        r->failed = true;
        return;
    }
    rx_buf_addc(r->out, object ? '{' : '[');
    for (;;) {
        skip_blanks(r);
        while (peek(r) == ',' && r->at < r->end) {
            r->at++;
            skip_blanks(r);
        }
        if (r->at == r->end || r->failed)
            break;
        if (*r->at == '}' || *r->at == ']') {
            /* The wrong one closes what is around us. */
            r->at += *r->at == close || r->depth == 1 ? 1 : 0;
            break;
        }
        const char *before = r->at;
        if (!first)
            rx_buf_addc(r->out, ',');
        first = false;
        if (object)
            member(r);
        else
            value(r);
        if (r->at == before)
            r->at++; /* a stray byte must not hold us up */
    }
    rx_buf_addc(r->out, close);
    r->depth--;
}

static void
value(struct repair *r)
{
    char c = peek(r);

    if (c == '{' || c == '[')
        container(r);
    else if (is_quote(c))
        string(r);
    else
        bare(r, false);
}

bool
repair_object(rx_str text, struct rx_buf *out)
{
    const char *brace = text.len > 0 ? memchr(text.ptr, '{', text.len) : NULL;

    if (brace == NULL)
        return false;
    struct repair r = { .at = brace, .end = text.ptr + text.len, .out = out };
    container(&r);
    return !r.failed && !out->full;
}
