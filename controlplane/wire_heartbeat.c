/*
 * Heartbeats and acknowledgements.
 */
#include "proto/sync.pb-c.h"
#include "proto/telemetry.pb-c.h"

#include "controlplane/wire.h"
#include "controlplane/wire_parts.h"

bool
wire_pack_heartbeat(struct rx_buf *out, uint64_t epoch, uint64_t version,
    const struct rx_digest *digest, const rx_str *planes, size_t plane_count)
{
    struct rx_arena *arena = rx_arena_new(WIRE_SCRATCH);
    Routex__Heartbeat m;

    routex__heartbeat__init(&m);
    m.epoch = epoch;
    m.version = version;
    m.digest = rx_proto_blob(digest->bytes, sizeof(digest->bytes));
    m.n_planes = plane_count;
    m.planes = wire_texts(arena, planes, plane_count);
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_pack_ack(struct rx_buf *out, uint64_t boot, uint64_t seq)
{
    Routex__Ack m;

    routex__ack__init(&m);
    m.boot = boot;
    m.seq = seq;
    return rx_proto_add(out, &m.base);
}
