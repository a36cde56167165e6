/*
 * span.h - look into JSON text without copying or building anything.
 *
 * Comfort over shared/json_span.h: any member, any time, by name.  A value is
 * the span of bytes it has in the text; a request that is not JSON simply has
 * no members.  The texts of strings stay escaped, because an escaped text
 * can be put into any answer as it is.
 */
#ifndef DEMO_SPAN_H
#define DEMO_SPAN_H

#include <stdbool.h>

#include "shared/buf.h"
#include "shared/json_span.h"
#include "shared/str.h"

/* Walks the members of an object or the items of an array. */
struct span_walk {
    struct rx_span cursor;
    bool object;
    bool array;
};

/* Start on `value`; walks nothing when it is neither object nor array. */
struct span_walk span_walk(rx_str value);
/* `key` is the escaped inside of the name, empty for array items. */
bool span_next(struct span_walk *w, rx_str *key, rx_str *value);

/* Member of an object; an empty span if it is not there. */
rx_str span_get(rx_str object, const char *key);
/*
 * Several members in one pass: values[i] becomes the member named keys[i], the
 * empty span where there is none.  Of members with one name the last one wins.
 */
void span_pick(
    rx_str object, const char *const *keys, rx_str *values, size_t count);
/* The escaped inside of a string value; an empty span for anything else. */
rx_str span_text(rx_str value);
/* span_text() of span_get(). */
rx_str span_get_text(rx_str object, const char *key);
bool span_is_true(rx_str value);
/* Cut an escaped text to at most `max` bytes, between characters. */
rx_str span_clip(rx_str text, size_t max);
/* Append `text` with its escapes undone. */
void span_unescape(rx_str text, struct rx_buf *out);

#endif
