/*
 * json_fuzz.h - what both targets of JSON compare by.
 */
#ifndef TESTS_FUZZ_JSON_FUZZ_H
#define TESTS_FUZZ_JSON_FUZZ_H

#include <stdlib.h>

#include "shared/json.h"

/* The document without blanks, as our writer has it; it must be readable. */
static inline void
json_fuzz_print(rx_str text, struct rx_buf *out)
{
    struct rx_json_doc *doc;

    if (rx_json_parse(&doc, text, NULL, NULL) != RX_OK)
        abort();
    rx_json_print(rx_json_root(doc), false, out);
    rx_json_free(doc);
}

#endif
