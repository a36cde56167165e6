/*
 * What happened, as data planes report it.
 */
#include "proto/telemetry.pb-c.h"

#include "controlplane/wire.h"
#include "shared/proto.h"

bool
wire_read_usage(
    rx_str packed, struct rx_arena *arena, struct usage_message *out)
{
    Routex__UsageBatch *in = rx_proto_read(routex__usage_batch, packed, arena);

    if (in == NULL || in->first_seq == 0 || in->last_seq < in->first_seq)
        return false;
    *out = (struct usage_message){
        .plane = rx_str_of(in->plane),
        .boot = in->boot,
        .first_seq = in->first_seq,
        .last_seq = in->last_seq,
        .oldest_seq = in->oldest_seq,
        .dropped = in->dropped,
        .rows = rx_arena_make(arena, struct usage_row, in->n_records),
    };
    if (out->rows == NULL)
        return false;

    uint64_t next = in->first_seq;
    for (size_t i = 0; i < in->n_records; i++) {
        struct usage_row *row = &out->rows[out->row_count];
        if (!wire_read_row(rx_proto_bytes(in->records[i]), arena, row)) {
            out->unreadable++;
            continue;
        }
        if (row->seq < next || row->seq > in->last_seq)
            return false;
        next = row->seq + 1;
        out->row_count++;
    }
    return true;
}
