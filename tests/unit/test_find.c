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

static const char *
first_of(const char *a, const char *b)
{
    return a == NULL || (b != NULL && b < a) ? b : a;
}

static void
of_two_words_the_one_that_stands_first_is_found(void)
{
    uint32_t dice = 2;
    unsigned found = 0;

    for (int round = 0; round < 20000; round++) {
        size_t n = 1 + next(&dice) % 900;
        size_t most = 1 + next(&dice) % 3; /* how often a letter is an a */
        char *text = malloc(n);
        char words[2][10];
        rx_str w[2];
        for (size_t i = 0; i < n; i++)
            text[i] = "zab"[next(&dice) % (most * 40) < 3 ? 1 : 0];
        for (size_t k = 0; k < 2; k++) {
            w[k] = (rx_str){ words[k], 1 + next(&dice) % 10 };
            for (size_t i = 0; i < w[k].len; i++)
                words[k][i] = "za"[next(&dice) % 2];
            words[k][0] = 'a';
        }
        rx_str t = { text, n };
        const char *want = first_of(plainly(t, w[0]), plainly(t, w[1]));
        CHECK(rx_find_either(t, w[0], w[1]) == want);
        found += want != NULL;
        free(text);
    }
    CHECK(found > 1000 && found < 19000);
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
    CHECK_RUN(of_two_words_the_one_that_stands_first_is_found);
    CHECK_RUN(empty_texts_and_words_are_no_trouble);
    return CHECK_EXIT();
}
