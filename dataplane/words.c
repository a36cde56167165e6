/*
 * A gram is a few bytes of a word with the bit set that tells small ASCII
 * letters from capitals.  Other bytes lose that bit, too: a gram that is there
 * only says that the word has to be compared.
 */
#include "dataplane/words.h"

#include <stdlib.h>
#include <string.h>

#include "shared/map.h"

#define GRAM       4 /* bytes; of shorter words all of them */
#define STRIDE_MAX ((size_t)4)
#define CHAIN_MAX  32 /* words of one gram, before more places are looked at */
#define MARK_BITS  ((uint32_t)15)

struct word {
    rx_str text; /* small letters */
    size_t number;
    struct word *next;
};

/* A word that has the gram at that offset. */
struct entry {
    const struct word *word;
    size_t offset;
    uint32_t next; /* entry + 1; 0: the last */
};

struct slot {
    uint32_t gram;
    uint32_t first; /* entry + 1; 0: free */
};

/* Words whose grams are so long. */
struct table {
    struct word *words;
    size_t count;    /* of words */
    size_t shortest; /* of them */
    size_t stride;
    uint64_t marks[(1U << MARK_BITS) / 64]; /* grams there may be, by hash */
    struct slot *slots;
    size_t mask;
    struct entry *entries;
    size_t entry_count;
};

struct words {
    struct rx_arena *arena;
    struct rx_map *known; /* by text */
    size_t count;
    struct table *tables[GRAM + 1]; /* by length of gram; NULL: no words */
};

static void
free_known(void *arg)
{
    rx_map_free(arg, NULL);
}

struct words *
words_new(struct rx_arena *arena)
{
    struct words *w = rx_arena_make(arena, struct words, 1);

    if (w == NULL)
        return NULL;
    w->arena = arena;
    w->known = rx_map_new();
    rx_arena_defer(arena, free_known, w->known);
    return w;
}

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static struct word *
word_new(struct words *w, rx_str text)
{
    struct word *word = rx_arena_make(w->arena, struct word, 1);
    char *low = rx_arena_alloc(w->arena, text.len);

    if (word == NULL || low == NULL)
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        low[i] = lower(text.ptr[i]);
    word->text = (rx_str){ low, text.len };
    return word;
}

size_t
words_add(struct words *w, rx_str text)
{
    size_t length = text.len < GRAM ? text.len : GRAM;
    struct word *word = word_new(w, text);

    if (word == NULL)
        return SIZE_MAX;
    const struct word *had = rx_map_get(w->known, word->text);
    if (had != NULL)
        return had->number;
    if (w->tables[length] == NULL)
        w->tables[length] = rx_arena_make(w->arena, struct table, 1);
    struct table *t = w->tables[length];
    if (t == NULL)
        return SIZE_MAX;
    word->number = w->count++;
    word->next = t->words;
    t->words = word;
    if (t->count++ == 0 || text.len < t->shortest)
        t->shortest = text.len;
    rx_map_put(w->known, word->text, word);
    return word->number;
}

size_t
words_count(const struct words *w)
{
    return w->count;
}

/* ---- grams -------------------------------------------------------------------- */

static inline __attribute__((always_inline)) uint32_t
gram_at(const char *at, size_t length)
{
    uint32_t g = 0;

    memcpy(&g, at, length);
    return g | UINT32_C(0x20202020);
}

static inline uint32_t
mark_of(uint32_t gram)
{
    return gram * UINT32_C(0x9e3779b1) >> (32 - MARK_BITS);
}

static struct slot *
slot_of(const struct table *t, uint32_t gram)
{
    uint32_t hash = gram * UINT32_C(0x85ebca6b);
    size_t at = (hash ^ hash >> 15) & t->mask;

    while (t->slots[at].first != 0 && t->slots[at].gram != gram)
        at = (at + 1) & t->mask;
    return &t->slots[at];
}

static void
enter(struct table *t, const struct word *word, size_t offset, size_t length)
{
    uint32_t gram = gram_at(word->text.ptr + offset, length);
    uint32_t mark = mark_of(gram);
    struct slot *slot = slot_of(t, gram);

    t->marks[mark / 64] |= UINT64_C(1) << mark % 64;
    t->entries[t->entry_count] = (struct entry){ word, offset, slot->first };
    slot->gram = gram;
    slot->first = (uint32_t)++t->entry_count;
}

static size_t
longest_chain(const struct table *t)
{
    size_t most = 0;

    for (size_t i = 0; i <= t->mask; i++) {
        size_t n = 0;
        for (uint32_t e = t->slots[i].first; e != 0; e = t->entries[e - 1].next)
            n++;
        most = n > most ? n : most;
    }
    return most;
}

/* As many grams of each word's end as places are left out, and one. */
static void
fill(struct table *t, size_t length, size_t stride)
{
    memset(t->marks, 0, sizeof(t->marks));
    memset(t->slots, 0, (t->mask + 1) * sizeof(*t->slots));
    t->entry_count = 0;
    t->stride = stride;
    for (const struct word *w = t->words; w != NULL; w = w->next) {
        for (size_t i = 0; i < stride; i++)
            enter(t, w, w->text.len - length - i, length);
    }
}

static bool
finish(struct words *w, struct table *t, size_t length)
{
    size_t stride = STRIDE_MAX;
    size_t size = 16;

    while (stride > 1 && t->shortest < length + stride - 1)
        stride /= 2;
    while (size < t->count * stride * 2)
        size *= 2;
    t->slots = rx_arena_make(w->arena, struct slot, size);
    t->entries = rx_arena_make(w->arena, struct entry, t->count * stride);
    if (t->slots == NULL || t->entries == NULL)
        return false;
    t->mask = size - 1;
    fill(t, length, stride);
    while (stride > 1 && longest_chain(t) > CHAIN_MAX)
        fill(t, length, stride /= 2);
    return true;
}

bool
words_finish(struct words *w)
{
    for (size_t length = 1; length <= GRAM; length++) {
        if (w->tables[length] != NULL && !finish(w, w->tables[length], length))
            return false;
    }
    return true;
}

/* ---- looking ------------------------------------------------------------------- */

static bool
stands_at(const struct word *w, rx_str text, size_t at, size_t offset)
{
    if (at < offset || w->text.len > text.len - (at - offset))
        return false;
    const char *from = text.ptr + (at - offset);
    for (size_t i = 0; i < w->text.len; i++) {
        if (lower(from[i]) != w->text.ptr[i])
            return false;
    }
    return true;
}

struct finding {
    rx_str text;
    void (*found)(void *arg, size_t number);
    void *arg;
};

static void
compare(
    const struct table *t, const struct finding *f, size_t at, uint32_t gram)
{
    for (uint32_t e = slot_of(t, gram)->first; e != 0;
         e = t->entries[e - 1].next) {
        const struct entry *entry = &t->entries[e - 1];
        if (stands_at(entry->word, f->text, at, entry->offset))
            f->found(f->arg, entry->word->number);
    }
}

/* For each length of its own: then a gram is one load. */
static inline __attribute__((always_inline)) void
find_in(const struct table *t, const struct finding *f, size_t length)
{
    const uint64_t *const marks = t->marks;
    const char *const text = f->text.ptr;
    const size_t stride = t->stride;
    const size_t len = f->text.len;

    for (size_t at = 0; at + length <= len; at += stride) {
        uint32_t gram = gram_at(text + at, length);
        uint32_t mark = mark_of(gram);
        if ((marks[mark / 64] >> mark % 64 & 1) != 0)
            compare(t, f, at, gram);
    }
}

void
words_find(const struct words *w, rx_str text,
    void (*found)(void *arg, size_t number), void *arg)
{
    struct finding f = { text, found, arg };

    if (w->tables[GRAM] != NULL)
        find_in(w->tables[GRAM], &f, GRAM);
    if (w->tables[3] != NULL)
        find_in(w->tables[3], &f, 3);
    if (w->tables[2] != NULL)
        find_in(w->tables[2], &f, 2);
    if (w->tables[1] != NULL)
        find_in(w->tables[1], &f, 1);
}
