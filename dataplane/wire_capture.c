/*
 * What was captured of a request, for the control plane.
 */
#include "proto/sync.pb-c.h"

#include "dataplane/wire.h"
#include "shared/proto.h"

bool
wire_add_capture(struct rx_buf *out, const struct wire_capture *c)
{
    Routex__Capture m;

    routex__capture__init(&m);
    m.plane = rx_proto_text(c->plane);
    m.request_id = rx_proto_text(c->request_id);
    m.started_ms = c->started_ms;
    m.request = rx_proto_blob(c->request.ptr, c->request.len);
    m.response = rx_proto_blob(c->answer.ptr, c->answer.len);
    m.request_bytes = c->request_bytes;
    m.response_bytes = c->answer_bytes;
    m.request_cut = c->request_cut;
    m.response_cut = c->answer_cut;
    m.redacted = (uint32_t)c->redacted;
    return rx_proto_add(out, &m.base);
}
