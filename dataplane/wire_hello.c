/*
 * How the planes know of each other: the hello of ours, the heartbeat of
 * theirs.
 */
#include <string.h>

#include "proto/sync.pb-c.h"

#include "dataplane/wire.h"
#include "shared/envelope.h"
#include "shared/proto.h"

#define SCRATCH_MAX ((size_t)8 * 1024 * 1024)

bool
wire_read_heartbeat(rx_str packed, rx_str plane, struct wire_heartbeat *out)
{
    Routex__Heartbeat *in = routex__heartbeat__unpack(
        NULL, packed.len, (const uint8_t *)packed.ptr);
    bool ok = in != NULL && in->digest.len == sizeof(out->digest.bytes);

    *out = (struct wire_heartbeat){ 0 };
    if (ok) {
        out->epoch = in->epoch;
        out->version = in->version;
        memcpy(out->digest.bytes, in->digest.data, sizeof(out->digest.bytes));
        for (size_t i = 0; i < in->n_planes; i++)
            out->hears_us =
                out->hears_us || rx_str_eq(rx_str_of(in->planes[i]), plane);
    }
    routex__heartbeat__free_unpacked(in, NULL);
    return ok;
}

static char *
cut_copy(struct rx_arena *arena, rx_str s)
{
    if (s.len > WIRE_TEXT_MAX)
        s.len = WIRE_TEXT_MAX;
    return rx_proto_copy(arena, s);
}

bool
wire_add_hello(struct rx_buf *out, const struct wire_hello *h)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__Hello m;
    size_t n = h->rejected_count < 1000 ? h->rejected_count : 1000;
    Routex__Rejected *items = rx_arena_make(arena, Routex__Rejected, n);

    routex__hello__init(&m);
    m.rejected = rx_arena_make(arena, Routex__Rejected *, n);
    m.n_rejected = n;
    for (size_t i = 0; i < n; i++) {
        routex__rejected__init(&items[i]);
        items[i].kind = cut_copy(arena, h->rejected[i].kind);
        items[i].id = cut_copy(arena, h->rejected[i].id);
        items[i].name = cut_copy(arena, h->rejected[i].name);
        items[i].reason = cut_copy(arena, h->rejected[i].reason);
        m.rejected[i] = &items[i];
    }
    m.plane = rx_proto_text(h->plane);
    m.boot = h->boot;
    m.software = rx_proto_text("routex-data " ROUTEX_VERSION);
    m.wire_version = RX_WIRE_MAJOR << 8 | RX_WIRE_MINOR;
    m.epoch = h->epoch;
    m.version = h->version;
    m.digest = rx_proto_blob(h->digest.bytes, sizeof(h->digest.bytes));
    m.want_snapshot = h->want_snapshot;
    m.leaving = h->leaving;
    m.ops_url = rx_proto_text(h->ops_url);
    m.client_url = rx_proto_text(h->client_url);
    m.started_ms = h->started_ms;
    m.requests = h->requests;
    m.active = h->active;
    m.journal_bytes = h->journal_bytes;
    m.journal_records = h->journal_records;
    m.journal_dropped = h->journal_dropped;
    m.rss_bytes = h->rss_bytes;
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}
