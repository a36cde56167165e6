/*
 * json_span.h - walk over JSON text without building anything.
 *
 * A cursor goes over one text from front to back, once.  What the caller asks
 * for is handed out as a view into the text; what it does not ask for is
 * skipped at several bytes per clock tick.  No allocation, no recursion.
 *
 *     struct rx_span j;
 *
 *     rx_span_init(&j, text);
 *     if (rx_span_enter_object(&j)) {
 *         while (rx_span_member(&j, NULL)) {
 *             if (rx_span_key_is(&j, RX_S("model")))
 *                 rx_span_string(&j, &model);
 *             else
 *                 rx_span_skip(&j, NULL);
 *         }
 *     }
 *     if (!rx_span_finish(&j))
 *         ...
 *
 * Checked is what is walked on: brackets, colons, commas, literals, numbers.
 * The inside of a skipped object or array is only balanced (strings are known
 * as such, so no bracket or quote in a text misleads it) and at most
 * RX_SPAN_DEPTH deep; the inside of a string is not checked at all.  Once
 * something is wrong `bad` sticks and every call returns false.
 */
#ifndef SHARED_JSON_SPAN_H
#define SHARED_JSON_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/str.h"

#define RX_SPAN_DEPTH 512

enum rx_span_kind {
    RX_SPAN_NOTHING, /* end of text, or a byte no value begins with */
    RX_SPAN_OBJECT,
    RX_SPAN_ARRAY,
    RX_SPAN_STRING,
    RX_SPAN_NUMBER,
    RX_SPAN_TRUE,
    RX_SPAN_FALSE,
    RX_SPAN_NULL,
};

struct rx_span {
    const char *at;
    const char *end;
    const char *start;
    unsigned depth; /* objects and arrays entered and not yet left */
    rx_str key;     /* of the member reached last */
    bool key_escaped;
    bool fresh; /* just entered: no comma before the next */
    bool bad;
};

void rx_span_init(struct rx_span *j, rx_str text);

/* What begins at the cursor.  White space before it is passed over. */
enum rx_span_kind rx_span_kind(struct rx_span *j);
/* Same for a value handed out by rx_span_skip. */
enum rx_span_kind rx_span_kind_of(rx_str value);

/* Step into the value at the cursor.  Another kind of value makes it bad. */
bool rx_span_enter_object(struct rx_span *j);
bool rx_span_enter_array(struct rx_span *j);
/*
 * To the next member of the object entered last; the cursor is then at its
 * value, which must be read, entered or skipped before the next call.  `key`
 * (may be NULL) is without its quotes and still escaped.  False behind the last
 * one (the object is left then) or when the text is bad.
 */
bool rx_span_member(struct rx_span *j, rx_str *key);
bool rx_span_element(struct rx_span *j);

/* Pass over any value; `value` (may be NULL) is its text, quotes included. */
bool rx_span_skip(struct rx_span *j, rx_str *value);

/*
 * Typed reads.  A value of another kind is passed over, leaves `out` untouched
 * and gives false without making the text bad.
 */
bool rx_span_string(struct rx_span *j, rx_str *out); /* inside the quotes */
bool rx_span_u64(struct rx_span *j, uint64_t *out);  /* 12, 12.0, 1.2e1 */
bool rx_span_bool(struct rx_span *j, bool *out);
bool rx_span_number(struct rx_span *j, rx_str *out); /* as written */

/* Nothing was wrong, everything was left, and only white space follows. */
bool rx_span_finish(struct rx_span *j);

/* Is all of `text` one value (as far as a skip checks), nothing behind it? */
bool rx_span_whole(rx_str text);

/* Is the key read last this name?  Escapes in it are understood. */
bool rx_span_key_is_escaped(const struct rx_span *j, rx_str name);
static inline bool
rx_span_key_is(const struct rx_span *j, rx_str name)
{
    if (j->key_escaped)
        return rx_span_key_is_escaped(j, name);
    return j->key.len == name.len &&
           memcmp(j->key.ptr, name.ptr, name.len) == 0;
}

/*
 * Decode the inside of a string.  `out` needs room for escaped.len bytes at
 * most; half a surrogate pair becomes U+FFFD.  False on a bad escape; `len` is
 * then what came before it.
 */
bool rx_span_decode(rx_str escaped, char *out, size_t *len);
bool rx_span_unescape(rx_str escaped, struct rx_buf *out);

/*
 * The skip on its own, for text that comes in pieces: zero it, then feed from
 * the opening bracket on.
 */
struct rx_span_skip {
    uint64_t inside;  /* all ones: in a string */
    uint64_t escaped; /* 1: the next byte is taken as it is */
    unsigned depth;
    bool too_deep;
};

/*
 * Returns the place behind the bracket that closes the value, or NULL when it
 * is not among these bytes (or `too_deep` was set, which is final).
 */
const char *rx_span_skip_feed(
    struct rx_span_skip *s, const char *at, const char *end);

/* Which code does the skipping.  All give the same answers; the best the
 * machine has is taken by itself.  False when it does not have it. */
enum rx_span_kernel { RX_SPAN_SCALAR, RX_SPAN_SSE2, RX_SPAN_AVX2 };
bool rx_span_use(enum rx_span_kernel kernel);

#endif
