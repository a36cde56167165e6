/*
 * Sums agree with the rows they are made of, and percentiles with the values.
 */
#include <stdlib.h>

#include "controlplane/analytics.h"
#include "controlplane/field.h"
#include "controlplane/hist.h"
#include "controlplane/request.h"
#include "controlplane/rollup.h"
#include "shared/clock.h"
#include "tests/unit/store_rig.h"

#define NOW  ((uint64_t)1795318248756)
#define ROWS 3000

static uint64_t state = 88172645463325252;

static uint64_t
random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* ---- histograms ------------------------------------------------------------ */

static int
by_size(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void
a_bucket_is_off_by_a_thirtysecond_at_most(void)
{
    unsigned wrong = 0, before = 0;

    for (uint64_t v = 0; v < 5000000; v += 1 + v / 1000) {
        uint64_t got = hist_value(hist_bucket(v));
        uint64_t off = got > v ? got - v : v - got;
        wrong += off * 32 > v;
        wrong += hist_bucket(v) < before || hist_bucket(v) > before + 1;
        before = hist_bucket(v);
    }
    CHECK_INT(0, wrong);
    CHECK(hist_bucket(UINT64_MAX) < HIST_BUCKETS);
    CHECK_INT(hist_bucket(UINT32_MAX), hist_bucket(UINT64_MAX));
}

static void
percentiles_of_merged_parts_are_those_of_the_whole(void)
{
    static uint64_t values[20000];
    static const double shares[] = { 0.01, 0.5, 0.95, 0.99, 1 };
    struct hist whole = { 0 };
    struct rx_buf packed;

    rx_buf_init(&packed, 1 << 20);
    for (size_t part = 0; part < 100; part++) {
        struct hist_few few = { 0 };
        for (size_t i = 0; i < 200; i++) {
            uint64_t v = random_u64() % (UINT64_C(1000) << part % 12);
            values[part * 200 + i] = v;
            hist_few_add(&few, HIST_TTFT, v);
        }
        rx_buf_clear(&packed);
        hist_few_pack(&few, &packed);
        hist_merge(&whole, rx_buf_str(&packed));
        hist_few_fini(&few);
    }
    qsort(values, RX_COUNT(values), sizeof(values[0]), by_size);
    CHECK_INT((int)RX_COUNT(values), (int)hist_count(&whole, HIST_TTFT));
    CHECK_INT(0, (int)hist_count(&whole, HIST_DURATION));
    for (size_t i = 0; i < RX_COUNT(shares); i++) {
        size_t at = (size_t)(shares[i] * (double)RX_COUNT(values));
        double want = (double)values[at > 0 ? at - 1 : 0];
        uint64_t got = 0;
        CHECK(hist_percentile(&whole, HIST_TTFT, shares[i], &got));
        CHECK((double)got >= want * (1 - 1.0 / 31) - 1 &&
              (double)got <= want * (1 + 1.0 / 31) + 1);
    }
    rx_buf_fini(&packed);
}

static void
broken_bytes_are_passed_over(void)
{
    struct hist h = { 0 };
    uint64_t value;

    for (unsigned i = 0; i < 20000; i++) {
        char bytes[24];
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (char)random_u64();
        hist_merge(&h, (rx_str){ bytes, random_u64() % sizeof(bytes) });
    }
    (void)hist_percentile(&h, HIST_DURATION, 0.5, &value);
    struct hist none = { 0 };
    CHECK(!hist_percentile(&none, HIST_DURATION, 0.5, &value));
}

/* ---- sums ------------------------------------------------------------------ */

static const char *const keys[] = { "key_a", "key_b", "key_c" };
static const char *const models[] = { "gpt-5", "claude-haiku-4-5", "unheard" };

static const char *const provenances[] = { "reported", "partial", "none", "" };

/* Over the last `days` days, not in order. */
static void
fill(struct store *s, uint64_t first, uint64_t count, uint64_t days)
{
    struct usage_sink sink = request_sink(s);

    for (uint64_t i = 0; i < count; i++) {
        struct usage_row r = { .seq = first + i,
            .request_id = RX_S("req_x"),
            .started_ms = NOW - random_u64() % (days * 86400000),
            .tenant_id = random_u64() % 2 ? RX_S("tnt_a") : RX_S("tnt_b"),
            .key_id = field_text(keys[random_u64() % 3]),
            .operation = RX_S("create"),
            .model = field_text(models[random_u64() % 3]),
            .channel_id = RX_S("chn_a"),
            .tag = random_u64() % 3 ? RX_S("t") : (rx_str){ 0 },
            .agent = random_u64() % 3 ? RX_S("reviewer") : (rx_str){ 0 },
            .user_agent = random_u64() % 3 ? RX_S("curl/8") : RX_S("codex/1"),
            .outcome = random_u64() % 7 ? RX_S("ok") : RX_S("cut"),
            .ttft_ms = 1 + random_u64() % 500,
            .usage = { .has = 1u << COUNT_in_uncached | 1u << COUNT_out_total,
                .provenance = field_text(provenances[random_u64() % 4]) } };
        r.duration_ms = r.ttft_ms + random_u64() % 9000;
        r.usage.n[COUNT_in_uncached] = random_u64() % 100000;
        r.usage.n[COUNT_out_total] = random_u64() % 5000;
        struct usage_batch b = { .plane = RX_S("p"),
            .boot = 1,
            .last_seq = first + i,
            .rows = &r,
            .row_count = 1 };
        CHECK_INT(RX_OK, sink.commit(sink.arg, &b, NULL));
    }
}

static uint64_t
number(struct store *s, const char *sql)
{
    struct db_query *q = db_query(s->db, sql);
    uint64_t n = db_next(q) ? db_u64(q, 0) : 0;

    CHECK_INT(RX_OK, db_done(q, NULL));
    return n;
}

/* Each sum of each level, dimension and bucket against the rows. */
static void
check_all(struct store *s)
{
    static const char *const columns[] = { "''", "tenant_id", "key_id",
        "channel_id", "model", "rule", "tag", "agent", "client" };
    static const uint64_t spans[] = { 60000, 3600000, 86400000 };
    char sql[1024];

    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    for (unsigned dim = 0; dim < RX_COUNT(columns); dim++) {
        for (unsigned level = 0; level < RX_COUNT(spans); level++) {
            snprintf(sql, sizeof(sql),
                "select count(*) from (select started_ms - started_ms %% %llu "
                "a, %s n, count(*) c, sum(outcome <> 'ok') f, "
                "sum(in_uncached) i, sum(out_total) o, coalesce(sum(cost), 0) "
                "m, sum(cost is null) u, sum(duration_ms) d, "
                "sum(provenance in ('', 'none')), sum(provenance = 'partial') "
                "from request group by 1, 2 except select at_ms, name, requests, failed, "
                "input_tokens, output_tokens, cost, unpriced, duration_ms, "
                "unknown, estimated from usage_sum where level = %u and dim = %u)",
                (unsigned long long)spans[level], columns[dim], level, dim);
            CHECK_INT(0, (int)number(s, sql));
            snprintf(sql, sizeof(sql),
                "select sum(requests) from usage_sum where level = %u and "
                "dim = %u",
                level, dim);
            CHECK_INT((int)number(s, "select count(*) from request"),
                (int)number(s, sql));
        }
    }
    CHECK_INT(0,
        (int)number(s,
            "select count(*) from (select started_ms - started_ms % 3600000, "
            "tenant_id, key_id, channel_id, model, count(*), "
            "coalesce(sum(cost), 0) from request group by 1, 2, 3, 4, 5 except "
            "select at_ms, tenant_id, key_id, channel_id, model, requests, "
            "cost from usage_cube where level = 1)"));
}

static void
every_sum_is_that_of_its_rows(void)
{
    struct store *s = store_new();
    fill(s, 1, ROWS / 2, 3);
    check_all(s);
    fill(s, ROWS, ROWS / 2, 3);
    check_all(s);
    store_end(s);
}

static void
sums_lost_in_memory_are_made_again(void)
{
    struct store *s = store_new();
    fill(s, 1, 200, 2);
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    fill(s, 1000, 200, 2);
    /* As if it had died here: what is in memory never gets to the tables. */
    rollup_free(s->rollup);
    s->rollup = NULL;
    CHECK_INT(200, (int)number(s, "select sum(requests) from usage_sum "
                                  "where level = 0 and dim = 0"));
    store_close(s);
    s = store_again();
    CHECK(!rollup_is_behind(s->rollup));
    check_all(s);
    store_end(s);
}

static void
run(struct store *s, const char *sql)
{
    CHECK_INT(RX_OK, db_run(db_query(s->db, sql), NULL));
}

static void
a_flush_that_fails_leaves_nothing_and_the_next_makes_it_whole(void)
{
    static const char in_tables[] =
        "select count(*) from (select level from usage_sum union all "
        "select level from usage_cube)";
    struct store *s = store_new();

    fill(s, 1, 100, 2);
    run(s, "create trigger no_mark before insert on meta when "
           "new.name = 'rollup_mark' begin select raise(abort, 'no'); end");
    for (unsigned i = 0; i < 2; i++) {
        CHECK(rollup_flush(s->rollup, NULL) != RX_OK);
        CHECK(!db_in_transaction(s->db));
        CHECK_INT(0, (int)number(s, in_tables));
        CHECK_INT(0, (int)rollup_mark(s->rollup));
    }
    run(s, "drop trigger no_mark");
    fill(s, 1000, 100, 2); /* the store takes rows all the while */
    check_all(s);
    CHECK_INT(200, (int)rollup_mark(s->rollup));
    store_end(s);
}

static void
forgetting_that_fails_leaves_all_and_no_transaction(void)
{
    struct store *s = store_new();
    bool more;

    fill(s, 1, 200, 5);
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    uint64_t before = number(s, "select count(*) from usage_sum");
    run(s, "create trigger no_end before delete on usage_sum when "
           "old.dim = 8 begin select raise(abort, 'no'); end");
    CHECK(rollup_forget(s->rollup, &more, NULL) != RX_OK);
    CHECK(!db_in_transaction(s->db));
    CHECK_INT((int)before, (int)number(s, "select count(*) from usage_sum"));
    run(s, "drop trigger no_end");
    CHECK_INT(RX_OK, rollup_forget(s->rollup, &more, NULL));
    CHECK(number(s, "select count(*) from usage_sum") < before);
    store_end(s);
}

/* `count` rows of one hour, each with a tag and a key of its own. */
static void
flood(struct store *s, uint64_t first, uint64_t count, uint64_t at_ms)
{
    for (uint64_t i = first; i < first + count; i++) {
        char tag[32], id[32];
        struct rollup_row row = {
            .id = i, .started_ms = at_ms, .ok = true, .provenance = RX_S("none")
        };
        snprintf(tag, sizeof(tag), "tag-%llu", (unsigned long long)i);
        snprintf(id, sizeof(id), "key_%llu", (unsigned long long)i);
        row.names[ROLLUP_TAG] = field_text(tag);
        row.names[ROLLUP_KEY] = field_text(id);
        rollup_add(s->rollup, &row);
    }
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
}

#define NAMES_OF_AN_HOUR 1024

static void
a_flood_of_names_becomes_one(void)
{
    static const char tags[] = "select count(distinct name) from usage_sum "
                               "where level = 2 and dim = 6";
    uint64_t now = rx_clock_wall_ms();

    struct store *s = store_new();
    flood(s, 1, 3000, now - 3600000);
    CHECK_INT(NAMES_OF_AN_HOUR + 1, (int)number(s, tags));
    /* Storing them lets nobody else in ... */
    flood(s, 3001, 3000, now - 3600000);
    CHECK_INT(NAMES_OF_AN_HOUR + 1, (int)number(s, tags));
    /* ... another hour does, but not one that is still to come. */
    flood(s, 6001, 3000, now);
    CHECK_INT(2 * NAMES_OF_AN_HOUR + 1, (int)number(s, tags));
    flood(s, 9001, 1000, now + 7200000);
    CHECK_INT(2 * NAMES_OF_AN_HOUR + 1, (int)number(s, tags));
    CHECK_INT(10000, (int)number(s, "select sum(requests) from usage_sum "
                                    "where level = 2 and dim = 6"));
    /* Keys are ours: each of them counts. */
    CHECK_INT(
        10000, (int)number(s, "select count(distinct name) from usage_sum "
                              "where level = 2 and dim = 2"));
    store_end(s);
}

/* What "requests" of an answer is. */
static int
requests_of(struct store *s, const struct analytics_question *q)
{
    struct rx_json_doc *doc;
    struct rx_buf out;
    uint64_t got = 0;

    rx_buf_init(&out, 1 << 20);
    struct rx_json_out w = rx_json_out(&out);
    CHECK_INT(RX_OK, analytics_total(s, q, &w, NULL, NULL));
    CHECK_INT(RX_OK, rx_json_parse(&doc, rx_buf_str(&out), NULL, NULL));
    (void)rx_json_u64(rx_json_find(rx_json_root(doc), "requests"), &got);
    rx_json_free(doc);
    rx_buf_fini(&out);
    return (int)got;
}

/* Any range, cut at minutes or wider, has the rows between its ends. */
static void
a_total_counts_what_lies_between_its_ends(void)
{
    struct store *s = store_new();
    fill(s, 1, ROWS, 4);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t since = NOW - random_u64() % (5 * (uint64_t)86400000);
        struct analytics_question q = { .since_ms = since,
            .until_ms = since + 1 + random_u64() % (NOW - since + 1) };
        char sql[128];

        analytics_align(&q, NOW);
        snprintf(sql, sizeof(sql),
            "select count(*) from request where started_ms >= %llu and "
            "started_ms < %llu",
            (unsigned long long)q.since_ms, (unsigned long long)q.until_ms);
        CHECK_INT((int)number(s, sql), requests_of(s, &q));
    }
    store_end(s);
}

/* Over whole hours: of several dimensions together there is nothing finer. */
static void
several_filters_count_what_fits_all_of_them(void)
{
    static const struct {
        enum rollup_dim dims[2];
        const char *values[2], *where;
    } asks[] = {
        { { ROLLUP_TENANT, ROLLUP_MODEL }, { "tnt_a", "gpt-5" },
            "tenant_id = 'tnt_a' and model = 'gpt-5'" },
        { { ROLLUP_KEY, ROLLUP_MODEL }, { "key_b", "unheard" },
            "key_id = 'key_b' and model = 'unheard'" },
        { { ROLLUP_TENANT, ROLLUP_KEY }, { "tnt_b", "key_c" },
            "tenant_id = 'tnt_b' and key_id = 'key_c'" },
        { { ROLLUP_CHANNEL, ROLLUP_MODEL }, { "chn_a", "gpt-5" },
            "channel_id = 'chn_a' and model = 'gpt-5'" },
        { { ROLLUP_TENANT, ROLLUP_MODEL }, { "tnt_none", "gpt-5" }, "0" },
    };

    struct store *s = store_new();
    fill(s, 1, 600, 5);
    for (unsigned i = 0; i < 100; i++) {
        unsigned k = i % RX_COUNT(asks);
        uint64_t since = NOW - random_u64() % (6 * (uint64_t)86400000);
        struct analytics_question q = { .since_ms = since - since % 3600000 };
        char sql[256];
        /* Also until now, where days are taken whole. */
        q.until_ms =
            i % 3 == 0 ? NOW : q.since_ms + 3600000 * (1 + random_u64() % 72);
        for (unsigned d = 0; d < 2; d++)
            q.only[asks[k].dims[d]] = field_text(asks[k].values[d]);
        snprintf(sql, sizeof(sql),
            "select count(*) from request where started_ms >= %llu and "
            "started_ms < %llu and %s",
            (unsigned long long)q.since_ms,
            (unsigned long long)(q.until_ms >= NOW ? NOW + 1 : q.until_ms),
            asks[k].where);
        CHECK_INT((int)number(s, sql), requests_of(s, &q));
    }
    store_end(s);
}

static void
forgetting_what_is_fine_loses_no_day(void)
{
    struct store *s = store_new();
    bool more = true;
    fill(s, 1, 500, 5);
    CHECK_INT(RX_OK, rollup_flush(s->rollup, NULL));
    for (unsigned i = 0; i < 1000 && more; i++)
        CHECK_INT(RX_OK, rollup_forget(s->rollup, &more, NULL));
    CHECK(!more);
    CHECK_INT(0, (int)number(s, "select count(*) from usage_sum where "
                                "level = 0 and at_ms < 1795318248756 - "
                                "172800000"));
    CHECK(number(s, "select count(*) from usage_sum where level = 0") > 0);
    CHECK_INT(500, (int)number(s, "select sum(requests) from usage_sum "
                                  "where level = 1 and dim = 2"));
    CHECK_INT(500, (int)number(s, "select sum(requests) from usage_sum "
                                  "where level = 2 and dim = 4"));
    store_end(s);
}

int
main(void)
{
    rx_secret_init();
    rx_clock_fake(NOW);
    CHECK_RUN(a_bucket_is_off_by_a_thirtysecond_at_most);
    CHECK_RUN(percentiles_of_merged_parts_are_those_of_the_whole);
    CHECK_RUN(broken_bytes_are_passed_over);
    CHECK_RUN(every_sum_is_that_of_its_rows);
    CHECK_RUN(sums_lost_in_memory_are_made_again);
    CHECK_RUN(a_flush_that_fails_leaves_nothing_and_the_next_makes_it_whole);
    CHECK_RUN(forgetting_that_fails_leaves_all_and_no_transaction);
    CHECK_RUN(a_flood_of_names_becomes_one);
    CHECK_RUN(a_total_counts_what_lies_between_its_ends);
    CHECK_RUN(several_filters_count_what_fits_all_of_them);
    CHECK_RUN(forgetting_what_is_fine_loses_no_day);
    return CHECK_EXIT();
}
