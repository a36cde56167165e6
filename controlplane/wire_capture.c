/*
 * What a data plane captured of a request.
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

static rx_str
blob(ProtobufCBinaryData d)
{
    return (rx_str){ (const char *)d.data, d.len };
}

bool
wire_read_capture(
    rx_str packed, struct rx_arena *arena, struct wire_captured *out)
{
    ProtobufCAllocator in_arena = { arena_take, arena_leave, arena };
    Routex__Capture *in = routex__capture__unpack(
        &in_arena, packed.len, (const uint8_t *)packed.ptr);

    if (in == NULL || in->request_id[0] == '\0')
        return false;
    *out = (struct wire_captured){
        .plane = { in->plane, strlen(in->plane) },
        .request_id = { in->request_id, strlen(in->request_id) },
        .started_ms = in->started_ms,
        .request = blob(in->request),
        .response = blob(in->response),
        .request_bytes = in->request_bytes,
        .response_bytes = in->response_bytes,
        .request_cut = in->request_cut,
        .response_cut = in->response_cut,
        .redacted = in->redacted,
    };
    return true;
}
