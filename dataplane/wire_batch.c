/*
 * Records on their way up, and the word that they arrived.
 */
#include "proto/sync.pb-c.h"
#include "proto/telemetry.pb-c.h"

#include "dataplane/wire.h"
#include "shared/proto.h"

#define SCRATCH_MAX ((size_t)8 * 1024 * 1024)

bool
wire_read_ack(rx_str packed, struct wire_ack *out)
{
    Routex__Ack *in =
        routex__ack__unpack(NULL, packed.len, (const uint8_t *)packed.ptr);

    *out = (struct wire_ack){ 0 };
    if (in == NULL)
        return false;
    *out = (struct wire_ack){ in->boot, in->seq };
    routex__ack__free_unpacked(in, NULL);
    return true;
}

bool
wire_add_batch(struct rx_buf *out, const struct wire_batch *batch)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__UsageBatch m;

    routex__usage_batch__init(&m);
    m.plane = rx_proto_text(batch->plane);
    m.boot = batch->boot;
    m.first_seq = batch->first_seq;
    m.last_seq = batch->last_seq;
    m.oldest_seq = batch->oldest_seq;
    m.dropped = batch->dropped;
    m.n_records = batch->record_count;
    m.records = rx_arena_make(arena, ProtobufCBinaryData, batch->record_count);
    assert(m.records != NULL);
    for (size_t i = 0; i < batch->record_count; i++)
        m.records[i] =
            rx_proto_blob(batch->records[i].ptr, batch->records[i].len);
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}
