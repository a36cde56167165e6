#include "dataplane/codec/places.h"

#include <string.h>

/* Text beyond that is taken for one run more. */
#define RUNS_MAX ((size_t)4 * 1024 * 1024)

struct place_run {
    uint64_t chars, bytes; /* where it begins */
    unsigned width;        /* bytes per character */
};

void
places_init(struct places *p)
{
    *p = (struct places){ 0 };
    rx_buf_init(&p->runs, RUNS_MAX);
}

void
places_fini(struct places *p)
{
    rx_buf_fini(&p->runs);
}

static size_t
run_count(const struct places *p)
{
    return p->runs.len / sizeof(struct place_run);
}

static struct place_run
run_at(const struct places *p, size_t i)
{
    struct place_run run;

    memcpy(&run, p->runs.ptr + i * sizeof(run), sizeof(run));
    return run;
}

static void
add_chars(struct places *p, size_t count, unsigned width)
{
    size_t n = run_count(p);
    struct place_run run = { p->chars, p->bytes, width };

    if (n == 0 || run_at(p, n - 1).width != width)
        rx_buf_add(&p->runs,
            (rx_str){ (const char *)(const void *)&run, sizeof(run) });
    p->chars += count;
    p->bytes += count * width;
}

static int
hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 0;
}

/* Four digits; the first half of a pair counts for both. */
static void
add_unit(struct places *p, const char *digits)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (unsigned)hex(digits[i]);
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return;
    add_chars(p, 1,
        unit < 0x80                        ? 1
        : unit < 0x800                     ? 2
        : unit >= 0xD800 && unit <= 0xDBFF ? 4
                                           : 3);
}

/* How many bytes from `i` on are characters of their own, as most are. */
static size_t
plain_at(rx_str text, size_t i)
{
    size_t from = i;

    while (i < text.len && (text.ptr[i] & 0x80) == 0 && text.ptr[i] != '\\')
        i++;
    return i - from;
}

void
places_feed(struct places *p, rx_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\\' && i + 5 < text.len && text.ptr[i + 1] == 'u') {
            add_unit(p, text.ptr + i + 2);
            i += 5;
        } else if (c == '\\') {
            add_chars(p, 1, 1);
            i++;
        } else if (c < 0x80) {
            size_t n = plain_at(text, i);
            add_chars(p, n, 1);
            i += n - 1;
        } else if (c >= 0xC0) {
            add_chars(p, 1, c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2);
        }
    }
}

/* The last run that begins at or before a place; there is one. */
static struct place_run
find_run(const struct places *p, uint64_t at, bool by_bytes)
{
    size_t low = 0;
    size_t high = run_count(p);

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        struct place_run run = run_at(p, middle);
        if ((by_bytes ? run.bytes : run.chars) <= at)
            low = middle;
        else
            high = middle;
    }
    return run_at(p, low);
}

static uint64_t
to_bytes(const struct places *p, uint64_t chars)
{
    if (chars >= p->chars)
        return p->bytes;
    struct place_run run = find_run(p, chars, false);
    return run.bytes + (chars - run.chars) * run.width;
}

/* One for the other; what is beyond the end is the end. */
static uint64_t
to_chars(const struct places *p, uint64_t bytes)
{
    if (bytes >= p->bytes)
        return p->chars;
    struct place_run run = find_run(p, bytes, true);
    return run.chars + (bytes - run.bytes) / run.width;
}

static uint64_t
not_below_zero(const struct ir_int *n)
{
    return n->there && n->n > 0 ? (uint64_t)n->n : 0;
}

void
places_settle(const struct places *p, struct ir_citation *c)
{
    bool by_bytes = c->start_byte.there || c->end_byte.there;
    uint64_t from = not_below_zero(by_bytes ? &c->start_byte : &c->start);
    uint64_t to = not_below_zero(by_bytes ? &c->end_byte : &c->end);

    if (by_bytes) {
        from = to_chars(p, from);
        to = to_chars(p, to);
    }
    if (to > p->chars)
        to = p->chars;
    if (from >= to) {
        from = 0;
        to = p->chars;
    }
    c->start = (struct ir_int){ true, (int64_t)from };
    c->end = (struct ir_int){ true, (int64_t)to };
    c->start_byte = (struct ir_int){ true, (int64_t)to_bytes(p, from) };
    c->end_byte = (struct ir_int){ true, (int64_t)to_bytes(p, to) };
}
