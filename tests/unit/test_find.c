/*
 * Finding a word in a text, whatever the vectors do.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/find.h"
#include "tests/unit/check.h"

/* The definition, byte for byte. */
static const char *
plainly(rx_str text, rx_str word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (memcmp(text.ptr + i, word.ptr, word.len) == 0)
            return text.ptr + i;
    }
    return NULL;
}

static uint32_t
next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

/* Of two letters there are many near misses; blocks are heap's own, so that
 * a sanitizer sees a read behind the end. */
static void
a_word_is_found_where_it_stands_first(void)
{
    uint32_t dice = 1;
    unsigned found = 0;

    for (int round = 0; round < 20000; round++) {
        size_t n = 1 + next(&dice) % 400;
        size_t m = 1 + next(&dice) % 12;
        char *text = malloc(n);
        char word[12];
        for (size_t i = 0; i < n; i++)
            text[i] = "ab"[next(&dice) % 2];
        for (size_t i = 0; i < m; i++)
            word[i] = "ab"[next(&dice) % 2];
        const char *want = plainly((rx_str){ text, n }, (rx_str){ word, m });
        CHECK(rx_find((rx_str){ text, n }, (rx_str){ word, m }) == want);
        found += want != NULL;
        free(text);
    }
    CHECK(found > 1000 && found < 19000);
}

static void
a_word_is_found_at_every_place_of_a_long_text(void)
{
    static const rx_str word = RX_STR_INIT("rtx1.");
    enum { SIZE = 700 };

    for (size_t at = 0; at + word.len <= SIZE; at++) {
        char *text = malloc(SIZE);
        memset(text, 'r', SIZE);
        memcpy(text + at, word.ptr, word.len);
        CHECK(rx_find((rx_str){ text, SIZE }, word) == text + at);
        CHECK(rx_find((rx_str){ text, at + word.len - 1 }, word) == NULL);
        free(text);
    }
}

static void
empty_texts_and_words_are_no_trouble(void)
{
    CHECK(rx_find((rx_str){ 0 }, RX_S("a")) == NULL);
    CHECK(rx_find((rx_str){ 0 }, (rx_str){ 0 }) == NULL);
    rx_str text = RX_S("abc");
    CHECK(rx_find(text, (rx_str){ 0 }) == text.ptr);
    CHECK(rx_find(text, text) == text.ptr);
    CHECK(rx_find(text, RX_S("abcd")) == NULL);
    CHECK(rx_find(text, RX_S("c")) == text.ptr + 2);
}

int
main(void)
{
    CHECK_RUN(a_word_is_found_where_it_stands_first);
    CHECK_RUN(a_word_is_found_at_every_place_of_a_long_text);
    CHECK_RUN(empty_texts_and_words_are_no_trouble);
    return CHECK_EXIT();
}
