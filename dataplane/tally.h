/*
 * tally.h - how many tokens a text may be, judged by its script.
 *
 * A rule of thumb, good to about ten percent on English and on code: four bytes
 * of ASCII prose make a token, 3.3 bytes of code or JSON, four bytes of other
 * alphabets, one character of Chinese, Japanese or Korean.
 */
#ifndef DATAPLANE_TALLY_H
#define DATAPLANE_TALLY_H

#include <stdint.h>

#include "shared/str.h"

struct tally {
    uint64_t ascii; /* bytes */
    uint64_t code;  /* bytes of ASCII that are code or JSON */
    uint64_t cjk;   /* characters */
    uint64_t other; /* bytes of other scripts, as UTF-8 */
};

/* Count the inside of a JSON string, escapes understood. */
void tally_add(struct tally *t, rx_str escaped);
void tally_add_code(struct tally *t, rx_str escaped);

uint64_t tally_tokens(const struct tally *t);
/* For a request of which only the size is known. */
uint64_t tally_tokens_of_bytes(uint64_t bytes);

#endif
