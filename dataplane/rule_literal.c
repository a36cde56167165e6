/*
 * Only what is certain counts: of alternatives, groups, classes and whatever
 * may be left out, nothing is taken, and of a pattern that does something rare
 * nothing at all.
 */
#include "dataplane/rule_literal.h"

#include <stdbool.h>
#include <string.h>

#define LITERAL_MAX ((size_t)128)
#define LITERAL_MIN ((size_t)3)

/* k and s have relatives beyond ASCII that a pattern takes for them. */
static bool
is_literal(char c)
{
    return c != '\0' && strchr("abcdefghijlmnopqrtuvwxyz"
                               "ABCDEFGHIJLMNOPQRTUVWXYZ"
                               "0123456789 _-/:,=\"'<>@%&!;~",
                            c) != NULL;
}

/* Behind the class that begins at `i`; 0: it does not end. */
static size_t
skip_class(rx_str p, size_t i)
{
    i++;
    i += i < p.len && p.ptr[i] == '^';
    i += i < p.len && p.ptr[i] == ']';
    for (; i < p.len; i++) {
        if (p.ptr[i] == '\\')
            i++;
        else if (p.ptr[i] == '[')
            return 0; /* perhaps one inside another */
        else if (p.ptr[i] == ']')
            return i + 1;
    }
    return 0;
}

/* Behind the group that begins at `i`; 0: it does not end. */
static size_t
skip_group(rx_str p, size_t i)
{
    size_t depth = 0;

    while (i < p.len) {
        if (p.ptr[i] == '[') {
            i = skip_class(p, i);
            if (i == 0)
                return 0;
            continue;
        }
        depth += p.ptr[i] == '(';
        depth -= p.ptr[i] == ')';
        i += p.ptr[i] == '\\' ? 2 : 1;
        if (depth == 0)
            return i;
    }
    return 0;
}

/* Behind the escape at `i`; 0: of a kind that says more than one character. */
static size_t
skip_escape(rx_str p, size_t i)
{
    if (i + 1 >= p.len)
        return 0;
    char c = p.ptr[i + 1];
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9');

    return !word || strchr("bBdDwWsSnrt", c) != NULL ? i + 2 : 0;
}

/* Behind what is at `i` and no literal; 0: nobody knows what this means. */
static size_t
skip_other(rx_str p, size_t i)
{
    const char *end;

    switch (p.ptr[i]) {
    case '\\': return skip_escape(p, i);
    case '[': return skip_class(p, i);
    case '(': return skip_group(p, i);
    case '{':
        end = memchr(p.ptr + i, '}', p.len - i);
        return end != NULL ? (size_t)(end - p.ptr) + 1 : 0;
    default: return i + 1;
    }
}

rx_str
rule_literal(rx_str p)
{
    rx_str best = { 0 };

    if (p.len == 0 || memchr(p.ptr, '|', p.len) != NULL ||
        memmem(p.ptr, p.len, "(?", 2) != NULL ||
        memmem(p.ptr, p.len, "(*", 2) != NULL)
        return best;
    for (size_t i = 0; i < p.len;) {
        size_t from = i;
        while (i < p.len && is_literal(p.ptr[i]))
            i++;
        size_t len = i - from;
        /* The last one may be there any number of times. */
        if (len > 0 && i < p.len && strchr("*?+{", p.ptr[i]) != NULL)
            len--;
        if (len > best.len)
            best = (rx_str){ p.ptr + from, len };
        if (i < p.len && !is_literal(p.ptr[i]))
            i = skip_other(p, i);
        if (i == 0)
            return (rx_str){ 0 };
    }
    best.len = best.len < LITERAL_MAX ? best.len : LITERAL_MAX;
    return best.len >= LITERAL_MIN ? best : (rx_str){ 0 };
}
