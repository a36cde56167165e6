/*
 * rule_literal.h - a text that stands in every text a pattern matches.
 */
#ifndef DATAPLANE_RULE_LITERAL_H
#define DATAPLANE_RULE_LITERAL_H

#include "shared/str.h"

/*
 * A part of the pattern (PCRE2, case does not matter) without which it matches
 * nothing, in any case of its letters; empty when none is known.
 */
rx_str rule_literal(rx_str pattern);

#endif
