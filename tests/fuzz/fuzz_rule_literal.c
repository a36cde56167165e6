/*
 * What is said to stand in every text a pattern matches, does.  The first line
 * is the pattern, the rest is the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/rule_literal.h"
#include "shared/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
stands_in(rx_str word, rx_str text)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (rx_str_ieq((rx_str){ text.ptr + i, word.len }, word))
            return 1;
    }
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str pattern, text;
    struct rx_pattern *p;

    if (!rx_str_cut(
            (rx_str){ (const char *)data, size }, '\n', &pattern, &text) ||
        rx_pattern_new(&p, pattern, NULL) != RX_OK)
        return 0;
    rx_str literal = rule_literal(pattern);
    if (literal.len > 0 && rx_pattern_find(p, text) == RX_PATTERN_YES &&
        !stands_in(literal, text))
        abort();
    rx_pattern_free(p);
    return 0;
}
