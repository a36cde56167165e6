/*
 * Any body the scan takes can be understood: what is handed out lies in the
 * body, decoded texts keep to their size, and asking twice gives the same.
 * A tag, once found and cut out, leaves a body the scan takes, too.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/understand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(rx_str body, rx_str part)
{
    assert(part.len == 0 || (part.ptr >= body.ptr &&
                                part.ptr + part.len <= body.ptr + body.len));
}

static void
all_inside(rx_str body, const struct text_pieces *pieces)
{
    assert(pieces->count <= UNDERSTAND_PIECES);
    for (size_t i = 0; i < pieces->count; i++)
        inside(body, pieces->at[i]);
}

static void
cut_tag(enum dialect d, const struct scan *scan, rx_str body)
{
    static char rest[1 << 16];
    struct subagent_tag tag;
    struct scan again;

    if (!understand_find_tag(scan, &tag))
        return;
    inside(body, tag.span);
    inside(tag.span, tag.model);
    size_t before = (size_t)(tag.span.ptr - body.ptr);
    size_t after = body.len - before - tag.span.len;
    if (before + after > sizeof(rest))
        return;
    memcpy(rest, body.ptr, before);
    memcpy(rest + before, tag.span.ptr + tag.span.len, after);
    (void)scan_request(d, (rx_str){ rest, before + after }, &again, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct understanding u = { 0 };
    struct rx_digest one, two;
    struct scan scan;

    if (size == 0)
        return 0;
    enum dialect d = (enum dialect)(data[0] % DIALECT_COUNT);
    rx_str body = { (const char *)data + 1, size - 1 };
    if (scan_request(d, body, &scan, NULL) != RX_OK)
        return 0;
    for (size_t i = 0; i < SCAN_PARTS; i++)
        inside(body, scan.parts[i]);
    struct rx_arena *arena = rx_arena_new(64 << 20);
    understand_begin(&u, d, &scan, body, arena);
    const struct shape *s = understand_shape(&u);
    all_inside(body, &s->user);
    all_inside(body, &s->first_user);
    all_inside(body, &s->system);
    const struct toolbox *t = understand_tools(&u);
    assert(t->count <= UNDERSTAND_NAMES);
    for (size_t i = 0; i < t->count; i++)
        inside(body, t->names[i]);
    assert(understand_user(&u).len <= UNDERSTAND_USER);
    assert(understand_system(&u).len <= UNDERSTAND_SYSTEM);
    (void)understand_content(&u);
    (void)understand_thinking(&u);
    uint64_t tokens = understand_tokens(&u);
    bool has = understand_prefix(&u, &one);
    struct understanding v = { 0 };
    understand_begin(&v, d, &scan, body, arena);
    assert(understand_tokens(&v) == tokens);
    assert(understand_prefix(&v, &two) == has);
    assert(!has || memcmp(&one, &two, sizeof(one)) == 0);
    cut_tag(d, &scan, body);
    rx_arena_free(arena);
    return 0;
}
