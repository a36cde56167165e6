/*
 * words.h - which of very many words are in a text, looking at it once.
 *
 * Words are looked up by four bytes of them; so many of a word's are entered
 * that only every second or fourth place of the text needs a look.  Case of
 * ASCII letters does not matter.  Lives in an arena.
 */
#ifndef DATAPLANE_WORDS_H
#define DATAPLANE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/attr.h"
#include "shared/str.h"

struct words;

/* NULL when the arena is full. */
RX_NODISCARD struct words *words_new(struct rx_arena *arena);
/* Of at least one byte; the same word may come again.  It gets a number, from 0
 * on, by which it is reported; SIZE_MAX when the arena is full. */
size_t words_add(struct words *w, rx_str word);
size_t words_count(const struct words *w);
/* After the last one; false when the arena is full. */
RX_NODISCARD bool words_finish(struct words *w);

/* found(arg, number) for each word in the text, perhaps more than once. */
void words_find(const struct words *w, rx_str text,
    void (*found)(void *arg, size_t number), void *arg);

#endif
