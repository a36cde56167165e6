#include "dataplane/wire_parts.h"

const rx_str *
wire_texts(struct rx_arena *arena, char *const *list, size_t count)
{
    rx_str *out = rx_arena_make(arena, rx_str, count);

    for (size_t i = 0; out != NULL && i < count; i++)
        out[i] = rx_str_of(list[i]);
    return out;
}

enum rx_code
wire_no_room(struct rx_err *err)
{
    return rx_fail(err, RX_TOO_BIG, "snapshot too big");
}

enum rx_code
wire_bad_bytes(struct rx_err *err)
{
    return rx_fail(err, RX_INVALID, "not readable");
}

uint32_t
wire_or(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

struct timeouts
wire_timeouts(const Routex__Timeouts *t, const struct timeouts *defaults)
{
    if (t == NULL)
        return *defaults;
    return (struct timeouts){
        .connect = wire_or(t->connect_ms, defaults->connect),
        .first_byte = wire_or(t->first_byte_ms, defaults->first_byte),
        .first_event = wire_or(t->first_event_ms, defaults->first_event),
        .idle = wire_or(t->idle_ms, defaults->idle),
        .total = wire_or(t->total_ms, defaults->total),
    };
}
