/*
 * redact.h - takes out of a text what must not be kept: credentials, and what
 * an operator's patterns match.
 */
#ifndef DATAPLANE_REDACT_H
#define DATAPLANE_REDACT_H

#include <stddef.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/str.h"

#define REDACT_MARK "[redacted]"

struct redact;

/* `patterns` are added to ours; those that cannot be used are left out, after
 * the control plane has checked them.  For one thread at a time. */
RX_NODISCARD struct redact *redact_new(const rx_str *patterns, size_t count);
void redact_free(struct redact *r); /* NULL is allowed */
/*
 * Append `text` to `out` with a mark in the place of each match; returns how
 * many.  Where a pattern would take too long, or `out` is full, nothing but a
 * mark is left of the text.
 */
size_t redact_text(const struct redact *r, rx_str text, struct rx_buf *out);

#endif
