/*
 * What happened, as data planes report it.
 */
#include "proto/telemetry.pb-c.h"

#include "controlplane/wire.h"
#include "shared/proto.h"

static struct usage_counts
read_counts(const Routex__Usage *in)
{
    struct usage_counts out = { 0 };

    if (in == NULL)
        return out;
#define COUNT_FIELD(name)               \
    if (in->has_##name) {               \
        out.has |= 1u << COUNT_##name;  \
        out.n[COUNT_##name] = in->name; \
    }
    STATE_COUNTERS(COUNT_FIELD)
#undef COUNT_FIELD
    out.service_tier = rx_str_of(in->service_tier);
    out.provenance = rx_str_of(in->provenance);
    return out;
}

static struct usage_attempt
read_attempt(const Routex__Attempt *in)
{
    return (struct usage_attempt){
        .channel_id = rx_str_of(in->channel_id),
        .channel = rx_str_of(in->channel),
        .credential_id = rx_str_of(in->credential_id),
        .model = rx_str_of(in->model),
        .status = in->status,
        .code = rx_str_of(in->code),
        .reason = rx_str_of(in->reason),
        .start_ms = in->start_ms,
        .connect_ms = in->connect_ms,
        .first_byte_ms = in->first_byte_ms,
        .total_ms = in->total_ms,
        .reused = in->reused,
        .bytes = in->bytes,
        .upstream_request_id = rx_str_of(in->upstream_request_id),
        .has_usage = in->usage != NULL,
        .usage = read_counts(in->usage),
    };
}

static bool
read_row(const ProtobufCBinaryData *bytes, struct rx_arena *arena,
    struct usage_row *out)
{
    Routex__UsageRecord *in =
        rx_proto_read(routex__usage_record, rx_proto_bytes(*bytes), arena);

    if (in == NULL)
        return false;
    struct usage_attempt *attempts =
        rx_arena_make(arena, struct usage_attempt, in->n_attempts);
    if (attempts == NULL)
        return false;

    for (size_t i = 0; i < in->n_attempts; i++)
        attempts[i] = read_attempt(in->attempts[i]);
    *out = (struct usage_row){
        .seq = in->seq,
        .request_id = rx_str_of(in->request_id),
        .started_ms = in->started_ms,
        .tenant_id = rx_str_of(in->tenant_id),
        .key_id = rx_str_of(in->key_id),
        .dialect = rx_str_of(in->dialect),
        .operation = rx_str_of(in->operation),
        .stream = in->stream,
        .model_requested = rx_str_of(in->model_requested),
        .model = rx_str_of(in->model),
        .model_served = rx_str_of(in->model_served),
        .channel_id = rx_str_of(in->channel_id),
        .channel = rx_str_of(in->channel),
        .rule = rx_str_of(in->rule),
        .trace = rx_str_of(in->trace),
        .trace_context = rx_proto_bytes(in->trace_context),
        .session = rx_str_of(in->session),
        .tag = rx_str_of(in->tag),
        .user_agent = rx_str_of(in->user_agent),
        .agent = rx_str_of(in->agent),
        .client_ip = rx_str_of(in->client_ip),
        .status = in->status,
        .outcome = rx_str_of(in->outcome),
        .reason = rx_str_of(in->reason),
        .finish = rx_str_of(in->finish),
        .ttft_ms = in->ttft_ms,
        .duration_ms = in->duration_ms,
        .request_bytes = in->request_bytes,
        .response_bytes = in->response_bytes,
        .usage = read_counts(in->usage),
        .attempts = attempts,
        .attempt_count = in->n_attempts,
    };
    return true;
}

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
        if (!read_row(&in->records[i], arena, row)) {
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
