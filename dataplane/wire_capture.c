/*
 * What was captured of a request, for the control plane.
 */
#include "proto/sync.pb-c.h"

#include "dataplane/wire.h"

static char *
own(const char *s)
{
    return (char *)(uintptr_t)s; /* protobuf-c does not write to it */
}

static ProtobufCBinaryData
as_blob(rx_str s)
{
    return (ProtobufCBinaryData){ s.len, (uint8_t *)(uintptr_t)s.ptr };
}

bool
wire_add_capture(struct rx_buf *out, const struct wire_capture *c)
{
    Routex__Capture m;

    routex__capture__init(&m);
    m.plane = own(c->plane);
    m.request_id = own(c->request_id);
    m.started_ms = c->started_ms;
    m.request = as_blob(c->request);
    m.response = as_blob(c->answer);
    m.request_bytes = c->request_bytes;
    m.response_bytes = c->answer_bytes;
    m.request_cut = c->request_cut;
    m.response_cut = c->answer_cut;
    m.redacted = (uint32_t)c->redacted;

    size_t size = routex__capture__get_packed_size(&m);
    char *to = rx_buf_room(out, size);
    if (to == NULL)
        return false;
    rx_buf_grew(out, routex__capture__pack(&m, (uint8_t *)to));
    return true;
}
