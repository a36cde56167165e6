/*
 * Files of agents: whatever is in them, what is read lies within; an agent
 * without a fault that is saved as it is leaves the file as it is; and what is
 * changed reads back, with or without a fault before.
 */
#include <stdint.h>
#include <stdlib.h>

#include "controlplane/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static rx_str
print(const struct agent *a, struct rx_arena *arena)
{
    struct rx_buf text;

    rx_buf_init(&text, 2 * AGENT_FILE_MAX);
    agent_print(a, arena, &text);
    rx_str kept = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

static void
check_same(const struct agent *a, const struct agent *b)
{
    if (!rx_str_eq(a->name, b->name) || !rx_str_eq(a->model, b->model) ||
        !rx_str_eq(a->description, b->description) ||
        !rx_str_eq(a->routing, b->routing) || !rx_str_eq(a->prompt, b->prompt))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    struct agent a = { .id = RX_S("a"), .text = { (const char *)data, size } };
    struct agent b = { .id = RX_S("a") };

    if (size <= AGENT_FILE_MAX / 4) {
        agent_parse(&a, arena);
        bool sound = a.fault[0] == '\0';
        if (sound && !rx_str_eq(print(&a, arena), a.text))
            abort();
        a.model = RX_S("another \"model\" # with\\signs");
        b.text = print(&a, arena);
        agent_parse(&b, arena);
        if (sound)
            check_same(&a, &b);
    }
    rx_arena_free(arena);
    return 0;
}
