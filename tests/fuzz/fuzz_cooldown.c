/*
 * An answer by a stranger: lines "name:value" up to an empty one are its
 * headers, the rest its body; the first byte picks the status.
 * Invariants: the table of windows keeps to its size and its texts end; what is
 * believed lies between the floor and the cap; evidence is given for whatever
 * is read; a second reading says the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/cooldown.h"

#define WALL_MS UINT64_C(1763600000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = { 429, 402, 503, 529 };

static rx_str
line_of(rx_str *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
    rx_str line = { rest->ptr, len };
    size_t used = end != NULL ? len + 1 : len;

    rest->ptr += used;
    rest->len -= used;
    return line;
}

static void
read_headers(struct limit_facts *f, rx_str *rest)
{
    while (rest->len > 0) {
        rx_str line = line_of(rest);
        const char *colon = memchr(line.ptr, ':', line.len);
        if (line.len == 0)
            return;
        if (colon == NULL)
            continue;
        size_t at = (size_t)(colon - line.ptr);
        limit_read_header(f, (rx_str){ line.ptr, at },
            (rx_str){ colon + 1, line.len - at - 1 }, WALL_MS);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limit_facts f = { 0 };

    if (size == 0)
        return 0;
    int status = statuses[data[0] % 4];
    rx_str rest = { (const char *)data + 1, size - 1 };
    read_headers(&f, &rest);
    assert(f.count <= LIMIT_WINDOWS);
    for (size_t i = 0; i < f.count; i++) {
        const struct limit_window *w = &f.windows[i];
        assert(memchr(w->name, 0, sizeof(w->name)) != NULL);
        assert(!(w->used < 0)); /* nor not a number */
        assert(w->used == w->used);
    }
    assert(memchr(f.claim, 0, sizeof(f.claim)) != NULL);
    struct cooldown c = cooldown_read(&f, status, rest, WALL_MS);
    struct cooldown again = cooldown_read(&f, status, rest, WALL_MS);
    assert(c.kind == again.kind && c.ms == again.ms);
    assert(c.ms == 0 || (c.ms >= COOLDOWN_FLOOR_MS && c.ms <= COOLDOWN_CAP_MS));
    if (c.kind == COOLDOWN_THROTTLED || c.kind == COOLDOWN_EXHAUSTED)
        assert(c.ms > 0 && c.evidence != NULL);
    return 0;
}
