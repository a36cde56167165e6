/*
 * Files of agents: whatever is in them, what is read lies within, and an agent
 * without a fault is read again from what is printed of it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "controlplane/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    struct agent a = { .id = RX_S("a"), .text = { (const char *)data, size } };
    struct agent b = { .id = RX_S("a") };
    struct rx_buf text;

    if (size > AGENT_FILE_MAX / 4) {
        rx_arena_free(arena);
        return 0;
    }
    rx_buf_init(&text, 2 * AGENT_FILE_MAX);
    agent_parse(&a, arena);
    if (a.fault[0] == '\0') {
        agent_print(&a, &text);
        b.text = rx_buf_str(&text);
        agent_parse(&b, arena);
        if (!rx_str_eq(a.model, b.model) || !rx_str_eq(a.prompt, b.prompt) ||
            !rx_str_eq(a.routing, b.routing))
            abort();
    }
    rx_buf_fini(&text);
    rx_arena_free(arena);
    return 0;
}
