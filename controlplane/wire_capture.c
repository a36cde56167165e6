/*
 * What a data plane captured of a request.
 */
#include "proto/sync.pb-c.h"

#include "controlplane/wire.h"
#include "shared/proto.h"

bool
wire_read_capture(
    rx_str packed, struct rx_arena *arena, struct wire_captured *out)
{
    Routex__Capture *in = rx_proto_read(routex__capture, packed, arena);

    if (in == NULL || in->request_id[0] == '\0')
        return false;
    *out = (struct wire_captured){
        .plane = rx_str_of(in->plane),
        .request_id = rx_str_of(in->request_id),
        .started_ms = in->started_ms,
        .request = rx_proto_bytes(in->request),
        .response = rx_proto_bytes(in->response),
        .request_bytes = in->request_bytes,
        .response_bytes = in->response_bytes,
        .request_cut = in->request_cut,
        .response_cut = in->response_cut,
        .redacted = in->redacted,
    };
    return true;
}
