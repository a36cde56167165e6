/*
 * What is old goes and its sums stay; a file that became empty gets shorter.
 */
#include <sys/stat.h>

#include "controlplane/analytics.h"
#include "controlplane/field.h"
#include "controlplane/quota.h"
#include "controlplane/request.h"
#include "controlplane/retention.h"
#include "controlplane/rollup.h"
#include "controlplane/settings.h"
#include "shared/clock.h"
#include "tests/unit/held_clock.h"
#include "tests/unit/store_rig.h"

#define NOW    ((uint64_t)1795318248756)
#define DAY_MS ((uint64_t)86400000)
#define ROWS   8000
#define BATCH  500
#define DAYS   200

static uint64_t
file_size(void)
{
    struct stat st = { 0 };

    CHECK_INT(0, stat(store_file, &st));
    return (uint64_t)st.st_size;
}

static uint64_t
number(struct store *s, const char *sql)
{
    struct db_query *q = db_query(s->db, sql);
    uint64_t n = db_next(q) ? db_u64(q, 0) : 0;

    CHECK_INT(RX_OK, db_done(q, NULL));
    return n;
}

static void
fill_row(struct usage_row *r, struct usage_attempt tries[2], uint64_t n)
{
    static const char *const tenants[] = { "tnt_a", "tnt_b", "tnt_c" };

    for (unsigned i = 0; i < 2; i++)
        tries[i] = (struct usage_attempt){ .channel_id = RX_S("chn_a"),
            .channel = RX_S("one"),
            .model = RX_S("gpt-5"),
            .upstream_request_id = RX_S("req_0123456789abcdef"),
            .status = i == 0 ? 500 : 200 };
    *r = (struct usage_row){ .seq = n + 1,
        .request_id = RX_S("req_0123456789abcdefghijklmn"),
        .started_ms = NOW - n * DAYS * DAY_MS / ROWS,
        .tenant_id = field_text(tenants[n % 3]),
        .key_id = RX_S("key_a"),
        .operation = n % 10 == 0 ? RX_S("count") : RX_S("create"),
        .model = RX_S("gpt-5"),
        .channel_id = RX_S("chn_a"),
        .outcome = n % 7 ? RX_S("ok") : RX_S("cut"),
        .user_agent = RX_S("somebody/1.0 (with a long name of a client)"),
        .duration_ms = n % 5000,
        .attempts = tries,
        .attempt_count = 2,
        .usage = { .has = 1u << COUNT_in_uncached | 1u << COUNT_out_total,
            .provenance = RX_S("reported") } };
    r->usage.n[COUNT_in_uncached] = n % 999;
    r->usage.n[COUNT_out_total] = n % 77;
}

/* Over DAYS days back, the newest first. */
static void
fill(struct store *s)
{
    static struct usage_row rows[BATCH];
    static struct usage_attempt tries[BATCH][2];
    struct usage_sink sink = request_sink(s);

    for (uint64_t n = 0; n < ROWS; n += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            fill_row(&rows[i], tries[i], n + i);
        struct usage_batch b = { .plane = RX_S("p"),
            .boot = 1,
            .last_seq = n + BATCH,
            .rows = rows,
            .row_count = BATCH };
        CHECK_INT(RX_OK, sink.commit(sink.arg, &b, NULL));
    }
}

static void
set_plan(struct store *s, uint64_t requests_days, uint64_t attempts_days)
{
    struct rx_arena *arena = rx_arena_new((size_t)8 << 20);
    struct settings all;

    CHECK_INT(RX_OK, settings_load(s, arena, &all, NULL));
    all.retention = (struct settings_retention){ requests_days, attempts_days };
    CHECK_INT(RX_OK, store_begin(s, NULL));
    CHECK_INT(RX_OK, settings_save(s, &all, NULL));
    CHECK_INT(RX_OK, store_commit(s, NULL));
    rx_arena_free(arena);
}

static unsigned
run_out(struct store *s)
{
    struct retention *r = retention_new(s);
    bool more = true;
    unsigned slices = 0;

    while (more && slices < 200000) {
        CHECK_INT(RX_OK, retention_slice(r, &more, NULL));
        slices++;
    }
    CHECK(!more);
    retention_free(r);
    return slices;
}

/* Everything by day, tenant and model, percentiles too. */
static char *
sums(struct store *s)
{
    struct analytics_question q = { .since_ms = NOW - 2 * DAYS * DAY_MS,
        .until_ms = NOW };
    struct rx_buf out;

    analytics_align(&q, NOW);
    rx_buf_init(&out, 1 << 20);
    struct rx_json_out w = rx_json_out(&out);
    rx_json_open_object(&w, NULL);
    CHECK_INT(RX_OK, analytics_total(s, &q, &w, "total", NULL));
    rx_json_open_array(&w, "tenants");
    CHECK_INT(RX_OK, analytics_groups(s, &q, ROLLUP_TENANT,
                         ANALYTICS_BY_REQUESTS, 100, &w, NULL));
    rx_json_close(&w);
    rx_json_open_array(&w, "days");
    CHECK_INT(RX_OK, analytics_times(s, &q, ROLLUP_DAY, &w, NULL));
    rx_json_close(&w);
    q.only[ROLLUP_TENANT] = RX_S("tnt_b"); /* of the cube */
    q.only[ROLLUP_CHANNEL] = RX_S("chn_a");
    CHECK_INT(RX_OK, analytics_total(s, &q, &w, "both", NULL));
    rx_json_close(&w);
    CHECK(!out.full);
    char *text = strdup(out.ptr);
    rx_buf_fini(&out);
    return text;
}

static uint64_t
tokens(struct store *s)
{
    uint64_t n = 0;

    CHECK_INT(RX_OK, quota_spent(s, LIMITED_TENANT, STATE_LIMIT_QUOTA,
                         RX_S("tnt_b"), 0, (rx_str){ 0 }, 0, &n, NULL));
    return n;
}

static void
rows_go_their_sums_stay_and_the_file_gets_shorter(void)
{
    struct store *s = store_new();
    fill(s);
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    char *before = sums(s);
    uint64_t spent = tokens(s);
    CHECK(spent > 0);
    CHECK_INT(RX_OK, db_checkpoint(s->db, NULL));
    uint64_t size = file_size();

    set_plan(s, 40, 33);
    unsigned slices = run_out(s);
    CHECK_INT(
        ROWS * 40 / DAYS + 1, (int)number(s, "select count(*) from request"));
    CHECK_INT(0, (int)number(s, "select count(*) from request where "
                                "started_ms < 1795318248756 - 3456000000"));
    CHECK_INT(2 * (ROWS * 33 / DAYS + 1),
        (int)number(s, "select count(*) from attempt"));
    CHECK_INT(0, (int)number(s, "select count(*) from usage_cube where "
                                "level = 1 and at_ms < 1795318248756 - "
                                "8640000000 - 86400000"));
    CHECK(number(s, "select count(*) from usage_cube where level = 1") > 0);
    CHECK(slices > ROWS / 2 / 200);

    char *after = sums(s);
    CHECK_TEXT(before, after);
    CHECK_INT((intmax_t)spent, (intmax_t)tokens(s));
    /* Sums by minute, which stay here, are more than half of it. */
    if (file_size() * 5 > size * 4) {
        fprintf(stderr, "the file had %zu bytes and has %zu\n", (size_t)size,
            (size_t)file_size());
        check_failures++;
    }
    free(before);
    free(after);

    /* Made again from nothing, sums are those of the days that are left. */
    store_close(s);
    s = store_again();
    after = sums(s);
    CHECK(strstr(after, "\"requests\":8000") != NULL);
    free(after);
    store_end(s);
}

static void
rows_that_are_not_in_the_sums_yet_stay(void)
{
    struct store *s = store_new();
    fill(s); /* nothing was flushed */
    set_plan(s, 40, 0);
    CHECK_INT(0, (int)rollup_mark(s->rollup));
    run_out(s);
    CHECK_INT(ROWS, (int)number(s, "select count(*) from request"));
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    run_out(s);
    CHECK_INT(
        ROWS * 40 / DAYS + 1, (int)number(s, "select count(*) from request"));
    CHECK_INT(2 * (ROWS * 40 / DAYS + 1),
        (int)number(s, "select count(*) from attempt"));
    store_end(s);
}

static void
nothing_goes_when_all_is_kept(void)
{
    struct store *s = store_new();
    fill(s);
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    set_plan(s, 0, 0);
    run_out(s);
    CHECK_INT(ROWS, (int)number(s, "select count(*) from request"));
    CHECK_INT(2 * ROWS, (int)number(s, "select count(*) from attempt"));
    store_end(s);
}

static void
attempts_are_passed_once_also_over_a_restart(void)
{
    struct store *s = store_new();
    fill(s);
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    set_plan(s, 0, 50);
    unsigned first = run_out(s);
    store_close(s);
    s = store_again();
    unsigned again = run_out(s);
    CHECK(first > 50);
    CHECK(again < 10);
    CHECK_INT(2 * (ROWS * 50 / DAYS + 1),
        (int)number(s, "select count(*) from attempt"));
    CHECK_INT(ROWS, (int)number(s, "select count(*) from request"));
    store_end(s);
}

static void
run(struct store *s, const char *sql)
{
    CHECK_INT(RX_OK, db_run(db_query(s->db, sql), NULL));
}

static void
a_slice_that_fails_is_undone_and_tried_again_after_five_seconds(void)
{
    static const char rows[] = "select count(*) from request";
    struct rx_loop *loop = rx_loop_new();
    struct store *s = store_new();
    struct retention *r = retention_new(s);

    fill(s);
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    set_plan(s, 100, 0);
    run(s, "create trigger no_end before delete on request begin "
           "select raise(abort, 'no'); end");
    retention_run(r, loop);
    for (unsigned i = 0; i < 3; i++) {
        held_pass(loop, 5000);
        CHECK(!db_in_transaction(s->db));
        CHECK_INT(ROWS, (int)number(s, rows));
        CHECK_INT(0, (int)number(s, "select count(*) from request_gone"));
    }
    run(s, "drop trigger no_end");
    held_pass(loop, 4999);
    CHECK_INT(ROWS, (int)number(s, rows));
    held_pass(loop, 1);
    uint64_t left = number(s, rows);
    CHECK(left < ROWS);
    /* From here on slice follows slice. */
    held_pass(loop, 10);
    CHECK(number(s, rows) < left);
    retention_free(r);
    store_end(s);
    rx_loop_free(loop);
    rx_clock_fake(NOW);
}

int
main(void)
{
    rx_secret_init();
    rx_clock_fake(NOW);
    CHECK_RUN(rows_go_their_sums_stay_and_the_file_gets_shorter);
    CHECK_RUN(rows_that_are_not_in_the_sums_yet_stay);
    CHECK_RUN(nothing_goes_when_all_is_kept);
    CHECK_RUN(attempts_are_passed_once_also_over_a_restart);
    CHECK_RUN(a_slice_that_fails_is_undone_and_tried_again_after_five_seconds);
    return CHECK_EXIT();
}
