/*
 * What a data plane says of itself.
 */
#include "proto/sync.pb-c.h"

#include "controlplane/wire.h"
#include "shared/proto.h"

bool
wire_read_hello(rx_str packed, struct rx_arena *arena, struct hello *out)
{
    Routex__Hello *in = rx_proto_read(routex__hello, packed, arena);

    if (in == NULL)
        return false;
    struct plane_rejected *rejected =
        rx_arena_make(arena, struct plane_rejected, in->n_rejected);
    if (rejected == NULL)
        return false;

    for (size_t i = 0; i < in->n_rejected; i++)
        rejected[i] = (struct plane_rejected){
            .kind = rx_str_of(in->rejected[i]->kind),
            .id = rx_str_of(in->rejected[i]->id),
            .name = rx_str_of(in->rejected[i]->name),
            .reason = rx_str_of(in->rejected[i]->reason),
        };
    *out = (struct hello){
        .plane = rx_str_of(in->plane),
        .boot = in->boot,
        .software = rx_str_of(in->software),
        .epoch = in->epoch,
        .version = in->version,
        .digest = rx_proto_bytes(in->digest),
        .rejected = rejected,
        .rejected_count = in->n_rejected,
        .want_snapshot = in->want_snapshot,
        .leaving = in->leaving,
        .ops_url = rx_str_of(in->ops_url),
        .client_url = rx_str_of(in->client_url),
        .started_ms = in->started_ms,
        .requests = in->requests,
        .active = in->active,
        .journal_bytes = in->journal_bytes,
        .journal_records = in->journal_records,
        .journal_dropped = in->journal_dropped,
        .rss_bytes = in->rss_bytes,
    };
    return true;
}
