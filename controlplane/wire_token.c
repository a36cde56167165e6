/*
 * A data plane's word about an OAuth token.
 */
#include <string.h>

#include "proto/sync.pb-c.h"

#include "controlplane/wire.h"

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

bool
wire_read_token_rejected(
    rx_str packed, struct rx_arena *arena, struct token_rejected *out)
{
    ProtobufCAllocator in_arena = { arena_take, arena_leave, arena };
    Routex__TokenRejected *in = routex__token_rejected__unpack(
        &in_arena, packed.len, (const uint8_t *)packed.ptr);

    if (in == NULL || in->digest.len != sizeof(out->digest.bytes))
        return false;
    out->plane = (rx_str){ in->plane, strlen(in->plane) };
    out->credential = (rx_str){ in->credential_id, strlen(in->credential_id) };
    memcpy(out->digest.bytes, in->digest.data, sizeof(out->digest.bytes));
    return true;
}
