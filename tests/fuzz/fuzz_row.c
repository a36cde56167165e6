/*
 * Records of data planes: what is read by hand is what protobuf-c reads, and
 * whatever protobuf-c packs is read.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/telemetry.pb-c.h"

#include "controlplane/wire.h"

static void
must(bool true_)
{
    if (!true_)
        abort();
}

static void
same_text(const char *want, rx_str got)
{
    if (want == NULL) /* proto2: it is not there */
        want = "";
    must(rx_str_eq((rx_str){ want, strlen(want) }, got));
}

static void
same_counts(const Routex__Usage *want, const struct usage_counts *got)
{
    if (want == NULL) {
        must(got->has == 0 && got->provenance.len == 0);
        return;
    }
#define SAME(name)                                                   \
    must(want->has_##name == ((got->has >> COUNT_##name & 1) != 0)); \
    must(!want->has_##name || want->name == got->n[COUNT_##name]);
    STATE_COUNTERS(SAME)
#undef SAME
    same_text(want->service_tier, got->service_tier);
    same_text(want->provenance, got->provenance);
}

static void
same_attempt(const Routex__Attempt *want, const struct usage_attempt *got)
{
    same_text(want->channel_id, got->channel_id);
    same_text(want->channel, got->channel);
    same_text(want->credential_id, got->credential_id);
    same_text(want->model, got->model);
    same_text(want->code, got->code);
    same_text(want->reason, got->reason);
    same_text(want->upstream_request_id, got->upstream_request_id);
    must(want->status == got->status && want->start_ms == got->start_ms);
    must(want->connect_ms == got->connect_ms &&
         want->first_byte_ms == got->first_byte_ms &&
         want->total_ms == got->total_ms);
    must((want->reused != 0) == got->reused && want->bytes == got->bytes);
    must((want->usage != NULL) == got->has_usage);
    same_counts(want->usage, &got->usage);
}

static void
same_row(const Routex__UsageRecord *want, const struct usage_row *got)
{
    const struct {
        const char *want;
        rx_str got;
    } texts[] = { { want->request_id, got->request_id },
        { want->tenant_id, got->tenant_id }, { want->key_id, got->key_id },
        { want->dialect, got->dialect }, { want->operation, got->operation },
        { want->model_requested, got->model_requested },
        { want->model, got->model }, { want->model_served, got->model_served },
        { want->channel_id, got->channel_id }, { want->channel, got->channel },
        { want->rule, got->rule }, { want->session, got->session },
        { want->tag, got->tag }, { want->user_agent, got->user_agent },
        { want->client_ip, got->client_ip }, { want->outcome, got->outcome },
        { want->reason, got->reason }, { want->finish, got->finish },
        { want->trace, got->trace }, { want->agent, got->agent } };

    for (size_t i = 0; i < RX_COUNT(texts); i++)
        same_text(texts[i].want, texts[i].got);
    must(want->seq == got->seq && want->started_ms == got->started_ms);
    must((want->stream != 0) == got->stream && want->status == got->status);
    must(want->ttft_ms == got->ttft_ms &&
         want->duration_ms == got->duration_ms &&
         want->request_bytes == got->request_bytes &&
         want->response_bytes == got->response_bytes);
    must(want->trace_context.len == got->trace_context.len);
    must(got->trace_context.len == 0 ||
         memcmp(want->trace_context.data, got->trace_context.ptr,
             got->trace_context.len) == 0);
    same_counts(want->usage, &got->usage);
    must(want->n_attempts == got->attempt_count);
    for (size_t i = 0; i < got->attempt_count; i++)
        same_attempt(want->attempts[i], &got->attempts[i]);
}

/* It keeps what it does not know, with tags that nobody may use, too. */
static bool
is_known(const Routex__UsageRecord *r)
{
    size_t unknown = r->base.n_unknown_fields;

    if (r->usage != NULL)
        unknown += r->usage->base.n_unknown_fields;
    for (size_t i = 0; i < r->n_attempts; i++) {
        const Routex__Attempt *a = r->attempts[i];
        unknown += a->base.n_unknown_fields;
        unknown += a->usage != NULL ? a->usage->base.n_unknown_fields : 0;
    }
    return unknown == 0;
}

/* As the other one packs it, it must be readable. */
static void
must_read_again(const Routex__UsageRecord *want, struct rx_arena *arena)
{
    size_t size = routex__usage_record__get_packed_size(want);
    unsigned char *bytes = malloc(size + 1);
    struct usage_row got;

    must(bytes != NULL);
    routex__usage_record__pack(want, bytes);
    must(wire_read_row((rx_str){ (const char *)bytes, size }, arena, &got));
    same_row(want, &got);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    Routex__UsageRecord *want = routex__usage_record__unpack(NULL, size, data);
    struct usage_row got;

    if (wire_read_row((rx_str){ (const char *)data, size }, arena, &got)) {
        must(want != NULL);
        same_row(want, &got);
    }
    if (want != NULL) {
        if (is_known(want))
            must_read_again(want, arena);
        routex__usage_record__free_unpacked(want, NULL);
    }
    rx_arena_free(arena);
    return 0;
}
