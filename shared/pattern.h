/*
 * pattern.h - regular expressions somebody else wrote: door to PCRE2.
 *
 * Patterns ignore case and see text as bytes unless it is UTF-8.  A match may
 * take so many steps and so much depth, not more: one that would is given up,
 * which is neither yes nor no.
 */
#ifndef SHARED_PATTERN_H
#define SHARED_PATTERN_H

#include <stdbool.h>

#include "shared/err.h"
#include "shared/str.h"

#define RX_PATTERN_MAX ((size_t)4096) /* bytes of a pattern */

struct rx_pattern;

/* RX_INVALID says what is wrong where.  The caller owns *out. */
RX_NODISCARD enum rx_code rx_pattern_new(
    struct rx_pattern **out, rx_str text, struct rx_err *err);
void rx_pattern_free(struct rx_pattern *p); /* NULL is allowed */

enum rx_pattern_result {
    RX_PATTERN_NO,
    RX_PATTERN_YES,
    RX_PATTERN_GIVEN_UP, /* it would have taken too long */
};
/* Does it match anywhere in `text`?  One thread at a time. */
enum rx_pattern_result rx_pattern_find(const struct rx_pattern *p, rx_str text);
/* Where, from byte `from` on: *begin to before *end, which may be the same. */
enum rx_pattern_result rx_pattern_find_at(const struct rx_pattern *p,
    rx_str text, size_t from, size_t *begin, size_t *end);

#endif
