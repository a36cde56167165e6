#include "shared/proto.h"

#include <assert.h>

static void *
arena_take(void *arg, size_t size)
{
    return rx_arena_alloc(arg, size > 0 ? size : 1);
}

static void
arena_leave(void *arg, void *at)
{
    (void)arg;
    (void)at;
}

void *
rx_proto_unpack(const ProtobufCMessageDescriptor *type, rx_str packed,
    struct rx_arena *arena)
{
    ProtobufCAllocator in_arena = { arena_take, arena_leave, arena };

    return protobuf_c_message_unpack(
        type, &in_arena, packed.len, (const uint8_t *)packed.ptr);
}

bool
rx_proto_add(struct rx_buf *out, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    char *room = rx_buf_room(out, size);

    if (room == NULL)
        return false;
    protobuf_c_message_pack(message, (uint8_t *)room);
    rx_buf_grew(out, size);
    return true;
}

char *
rx_proto_copy(struct rx_arena *arena, rx_str s)
{
    rx_str copy = rx_arena_copy(arena, s);

    assert(copy.ptr != NULL);
    return rx_proto_text(copy.ptr);
}
