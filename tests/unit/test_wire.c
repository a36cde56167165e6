/* What a data plane packs by hand is what the control plane unpacks. */
#include <string.h>

#include "controlplane/wire.h"
#include "dataplane/wire.h"
#include "tests/unit/check.h"

#define ROOM ((size_t)256 * 1024)

static const struct usage everything_told = {
    .has = (1u << USAGE_COUNT) - 1,
    .n = { 0, 1, 127, 128, 300, 1u << 20, UINT64_MAX, 7, 8, 9, 10, 11, 12, 13 },
    .provenance = PROVENANCE_REPORTED,
    .tier = "fifteen letters",
};

/* Through a batch and back; the row lives in the arena. */
static const struct usage_row *
there_and_back(
    struct rx_arena *arena, uint64_t seq, const struct record *record)
{
    struct rx_buf packed;
    struct rx_buf batch;
    struct usage_message m;

    rx_buf_init(&packed, ROOM);
    rx_buf_init(&batch, 2 * ROOM);
    CHECK(wire_add_record(&packed, seq, record));
    rx_str one = rx_buf_str(&packed);
    struct wire_batch w = { .plane = "data-1",
        .boot = 1,
        .first_seq = seq,
        .last_seq = seq,
        .oldest_seq = seq,
        .records = &one,
        .record_count = 1 };
    CHECK(wire_add_batch(&batch, &w));
    CHECK(wire_read_usage(rx_buf_str(&batch), arena, &m));
    CHECK_INT(1, (int)m.row_count);
    CHECK_INT(0, (int)m.unreadable);
    rx_buf_fini(&packed);
    rx_buf_fini(&batch);
    return m.rows;
}

static void
check_text(const char *want, rx_str got)
{
    CHECK_INT((int)strlen(want), (int)got.len);
    CHECK(rx_str_eq((rx_str){ want, strlen(want) }, got));
}

static void
check_counts(const struct usage *want, const struct usage_counts *got)
{
    CHECK_INT(want->has, got->has);
    for (size_t i = 0; i < USAGE_COUNT; i++) {
        if ((want->has >> i & 1) != 0)
            CHECK(want->n[i] == got->n[i]);
    }
    check_text(want->tier, got->service_tier);
    check_text(provenance_name(want->provenance), got->provenance);
}

static void
every_field_of_a_record_arrives(void)
{
    struct record_attempt first = { .channel_id = RX_S("ch_1"),
        .channel = RX_S("one"),
        .credential_id = RX_S("cred_1"),
        .model = RX_S("m-1"),
        .status = 529,
        .code = RX_UPSTREAM,
        .reason = RX_S("refused by the provider"),
        .start_ms = 1,
        .connect_ms = 2,
        .first_byte_ms = 3,
        .total_ms = 4,
        .reused = true,
        .bytes = 5,
        .upstream_request_id = RX_S("up_1"),
        .has_usage = true,
        .usage = everything_told };
    struct record_attempt second = { .channel_id = RX_S("ch_2") };
    struct record r = { .request_id = RX_S("req_1"),
        .started_ms = UINT64_C(1700000000000),
        .tenant_id = RX_S("te"),
        .key_id = RX_S("ke"),
        .dialect = DIALECT_GEMINI,
        .operation = OP_COUNT,
        .stream = true,
        .model_requested = RX_S("asked"),
        .model = RX_S("sent"),
        .model_served = RX_S("served"),
        .channel_id = RX_S("ch_2"),
        .channel = RX_S("two"),
        .rule = RX_S("rule"),
        .session = RX_S("session"),
        .tag = RX_S("tag"),
        .user_agent = RX_S("agent"),
        .agent = RX_S("reviewer"),
        .client_ip = RX_S("::1"),
        .status = 499,
        .outcome = RX_S("cancelled"),
        .reason = RX_S("client_left"),
        .finish = RX_S("end_turn"),
        .ttft_ms = 11,
        .duration_ms = 12,
        .request_bytes = 13,
        .response_bytes = 14,
        .usage = everything_told,
        .attempts = { &first, &second },
        .attempt_count = 2 };
    struct rx_arena *arena = rx_arena_new(1 << 20);
    const struct usage_row *row = there_and_back(arena, 77, &r);

    CHECK_INT(77, (int)row->seq);
    check_text("req_1", row->request_id);
    CHECK(row->started_ms == r.started_ms);
    check_text("te", row->tenant_id);
    check_text("ke", row->key_id);
    check_text(dialect_name(DIALECT_GEMINI), row->dialect);
    check_text(operation_name(OP_COUNT), row->operation);
    CHECK(row->stream);
    check_text("asked", row->model_requested);
    check_text("sent", row->model);
    check_text("served", row->model_served);
    check_text("ch_2", row->channel_id);
    check_text("two", row->channel);
    check_text("rule", row->rule);
    check_text("session", row->session);
    check_text("tag", row->tag);
    check_text("agent", row->user_agent);
    check_text("reviewer", row->agent);
    check_text("::1", row->client_ip);
    CHECK_INT(499, (int)row->status);
    check_text("cancelled", row->outcome);
    check_text("client_left", row->reason);
    check_text("end_turn", row->finish);
    CHECK_INT(11, (int)row->ttft_ms);
    CHECK_INT(12, (int)row->duration_ms);
    CHECK_INT(13, (int)row->request_bytes);
    CHECK_INT(14, (int)row->response_bytes);
    check_counts(&everything_told, &row->usage);
    CHECK_INT(2, (int)row->attempt_count);

    const struct usage_attempt *a = &row->attempts[0];
    check_text("ch_1", a->channel_id);
    check_text("one", a->channel);
    check_text("cred_1", a->credential_id);
    check_text("m-1", a->model);
    CHECK_INT(529, (int)a->status);
    check_text(rx_code_words(RX_UPSTREAM), a->code);
    check_text("refused by the provider", a->reason);
    CHECK_INT(1, (int)a->start_ms);
    CHECK_INT(2, (int)a->connect_ms);
    CHECK_INT(3, (int)a->first_byte_ms);
    CHECK_INT(4, (int)a->total_ms);
    CHECK(a->reused);
    CHECK_INT(5, (int)a->bytes);
    check_text("up_1", a->upstream_request_id);
    CHECK(a->has_usage);
    check_counts(&everything_told, &a->usage);
    check_text("ch_2", row->attempts[1].channel_id);
    CHECK(!row->attempts[1].has_usage);
    rx_arena_free(arena);
}

static void
an_empty_record_arrives_empty(void)
{
    struct rx_arena *arena = rx_arena_new(1 << 20);
    const struct usage_row *row =
        there_and_back(arena, 1, &(struct record){ 0 });

    check_text("", row->request_id);
    CHECK_INT(0, (int)row->started_ms);
    CHECK_INT(0, (int)row->usage.has);
    check_text("none", row->usage.provenance);
    CHECK_INT(0, (int)row->attempt_count);
    rx_arena_free(arena);
}

/* Also the longest record there can be, whose inner lengths take two bytes. */
static void
long_texts_are_cut(void)
{
    static char big[3 * WIRE_TEXT_MAX];
    rx_str text = { big, sizeof(big) };
    struct record_attempt a = { text, text, text, text, 200, RX_OK, text, 0, 0,
        0, 0, false, 0, text, true, everything_told };
    struct record r = { .model = text,
        .user_agent = text,
        .usage = everything_told,
        .attempt_count = RECORD_ATTEMPTS_MAX };
    struct rx_arena *arena = rx_arena_new(1 << 20);

    memset(big, 'x', sizeof(big));
    for (size_t i = 0; i < RECORD_ATTEMPTS_MAX; i++)
        r.attempts[i] = &a;
    const struct usage_row *row = there_and_back(arena, 9, &r);
    CHECK_INT((int)WIRE_TEXT_MAX, (int)row->model.len);
    CHECK_INT((int)WIRE_TEXT_MAX, (int)row->user_agent.len);
    CHECK_INT(RECORD_ATTEMPTS_MAX, (int)row->attempt_count);
    for (size_t i = 0; i < RECORD_ATTEMPTS_MAX; i++) {
        CHECK_INT((int)WIRE_TEXT_MAX, (int)row->attempts[i].reason.len);
        check_counts(&everything_told, &row->attempts[i].usage);
    }
    rx_arena_free(arena);
}

static void
a_record_without_room_is_not_begun(void)
{
    struct rx_buf small;

    rx_buf_init(&small, 100);
    CHECK(!wire_add_record(&small, 1, &(struct record){ 0 }));
    CHECK_INT(0, (int)small.len);
    rx_buf_fini(&small);
}

int
main(void)
{
    CHECK_RUN(every_field_of_a_record_arrives);
    CHECK_RUN(an_empty_record_arrives_empty);
    CHECK_RUN(long_texts_are_cut);
    CHECK_RUN(a_record_without_room_is_not_begun);
    return CHECK_EXIT();
}
