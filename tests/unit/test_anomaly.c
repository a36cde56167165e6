/* What is unlike before is found, and what only looks like it is not. */
#include "controlplane/anomaly.h"
#include "controlplane/field.h"
#include "controlplane/request.h"
#include "controlplane/rollup.h"
#include "shared/clock.h"
#include "tests/unit/store_rig.h"

#define NOW     ((uint64_t)1795318248756)
#define HOUR_MS ((uint64_t)3600000)
#define DOLLAR  1000000 /* input tokens at a dollar a million */

static uint64_t seq;

static struct store *
begin(void)
{
    seq = 0;
    return store_new();
}

struct wish {
    uint64_t ms, tokens, bytes;
    const char *key, *session, *outcome;
};

static void
take(struct store *s, struct wish w)
{
    struct usage_sink sink = request_sink(s);
    struct usage_row r = { .seq = ++seq,
        .request_id = RX_S("req_x"),
        .started_ms = w.ms,
        .tenant_id = RX_S("tnt_a"),
        .key_id = field_text(w.key != NULL ? w.key : "key_a"),
        .operation = RX_S("create"),
        .model_requested = RX_S("gpt-5"),
        .model = RX_S("gpt-5"),
        .channel_id = RX_S("chn_a"),
        .session = field_text(w.session != NULL ? w.session : ""),
        .request_bytes = w.bytes,
        .outcome = field_text(w.outcome != NULL ? w.outcome : "ok"),
        .usage = {
            .has = 1u << COUNT_in_uncached, .provenance = RX_S("reported") } };
    struct usage_batch b = { .plane = RX_S("p"),
        .boot = 1,
        .last_seq = seq,
        .rows = &r,
        .row_count = 1 };

    r.usage.n[COUNT_in_uncached] = w.tokens;
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, NULL));
}

/* How often `text` is in what the API would show. */
static int
shown(const struct anomalies *a, const char *text)
{
    struct rx_buf out;
    int n = 0;

    rx_buf_init(&out, 1 << 20);
    struct rx_json_out w = rx_json_out(&out);
    rx_json_open_array(&w, NULL);
    anomalies_put(a, &w);
    rx_json_close(&w);
    for (const char *p = out.ptr; (p = strstr(p, text)) != NULL; p++)
        n++;
    rx_buf_fini(&out);
    return n;
}

static void
the_bound_is_not_moved_by_a_few_wild_hours(void)
{
    uint64_t even[] = { 4, 1, 3, 2 }, one[] = { 7 };
    uint64_t calm[] = { 10, 12, 9, 11, 10, 10, 500, 11, 9, 900 };

    CHECK_INT(0, (int)anomaly_median(NULL, 0));
    CHECK_INT(7, (int)anomaly_median(one, 1));
    CHECK_INT(2, (int)anomaly_median(even, 4));
    uint64_t bound = anomaly_bound(calm, RX_COUNT(calm));
    CHECK(bound >= 18 && bound <= 40);
    uint64_t wild[] = { 1, 100, 5, 80, 20, 60 };
    CHECK(anomaly_bound(wild, RX_COUNT(wild)) > 150);
}

/* `hours` hours of the week before, at about `tokens` each. */
static void
spend_before(struct store *s, unsigned hours, uint64_t tokens)
{
    for (unsigned h = 1; h <= hours; h++)
        take(s, (struct wish){ .ms = NOW - h * HOUR_MS,
                    .tokens = tokens + tokens / 10 * (h % 3) });
}

static void
an_hour_far_above_the_week_is_found_until_it_is_over(void)
{
    struct store *s = begin();
    struct anomalies *a = anomalies_new(s, NULL);
    rx_clock_fake(NOW);
    spend_before(s, 30, DOLLAR);
    take(s, (struct wish){ .ms = NOW, .tokens = 2 * DOLLAR });
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(0, shown(a, "\"kind\""));
    take(s, (struct wish){ .ms = NOW, .tokens = 20 * DOLLAR });
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(2, shown(a, "\"kind\":\"spend\""));
    CHECK_INT(1, shown(a, "\"about\":\"tenant\""));
    CHECK_INT(1, shown(a, "\"about\":\"key\",\"id\":\"key_a\""));
    CHECK_INT(2, shown(a, "\"over\":false"));
    rx_clock_fake(NOW + 2 * HOUR_MS);
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(2, shown(a, "\"over\":true"));
    anomalies_free(a);
    store_end(s);
}

static void
little_money_and_little_past_are_not_judged(void)
{
    struct store *s = begin();
    struct anomalies *a = anomalies_new(s, NULL);
    rx_clock_fake(NOW);
    spend_before(s, 30, DOLLAR / 1000);
    take(s, (struct wish){ .ms = NOW, .tokens = DOLLAR }); /* 1.25 dollars */
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(0, shown(a, "\"kind\""));
    for (unsigned h = 1; h < 11; h++)
        take(s,
            (struct wish){
                .ms = NOW - h * HOUR_MS, .tokens = DOLLAR, .key = "key_new" });
    take(
        s, (struct wish){ .ms = NOW, .tokens = 50 * DOLLAR, .key = "key_new" });
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(0, shown(a, "key_new"));
    anomalies_free(a);
    store_end(s);
}

static void
a_session_that_repeats_itself_is_found_and_one_that_grows_is_not(void)
{
    struct store *s = begin();
    struct anomalies *a = anomalies_new(s, NULL);
    rx_clock_fake(NOW);
    CHECK_INT(RX_OK, anomalies_read(a, NULL));
    for (unsigned i = 0; i < 40; i++) {
        uint64_t ms = NOW + i * 1000;
        take(s, (struct wish){
                    .ms = ms, .session = "stuck", .bytes = 9000 + i % 3 });
        take(s, (struct wish){
                    .ms = ms, .session = "talks", .bytes = 9000 + i * 400 });
        take(s, (struct wish){ .ms = ms, .bytes = 9000 }); /* has none */
        /* Alike, but a minute and more apart. */
        take(s, (struct wish){
                    .ms = NOW + i * 61000, .session = "polls", .bytes = 70 });
        if (i == 17) {
            CHECK_INT(RX_OK, anomalies_read(a, NULL));
            CHECK_INT(0, shown(a, "\"kind\""));
        }
    }
    CHECK_INT(RX_OK, anomalies_read(a, NULL));
    CHECK_INT(1, shown(a, "\"kind\":\"loop\""));
    CHECK_INT(1, shown(a, "\"id\":\"stuck\",\"name\":\"key_a\""));
    CHECK_INT(1, shown(a, "\"value\":\"40\""));
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(1, shown(a, "\"over\":false"));
    rx_clock_fake(NOW + 180000);
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(1, shown(a, "\"over\":true"));
    anomalies_free(a);
    store_end(s);
}

static void
a_burst_of_errors_is_one_where_there_were_few(void)
{
    struct store *s = begin();
    struct anomalies *a = anomalies_new(s, NULL);
    rx_clock_fake(NOW);
    for (unsigned i = 0; i < 200; i++) {
        take(s, (struct wish){ .ms = NOW - 3 * HOUR_MS, .key = "key_good" });
        take(s, (struct wish){ .ms = NOW - 3 * HOUR_MS,
                    .key = "key_bad",
                    .outcome = i % 2 ? "error" : "ok" });
    }
    for (unsigned i = 0; i < 40; i++) {
        take(s, (struct wish){ .ms = NOW - 1000,
                    .key = "key_good",
                    .outcome = i % 5 ? "error" : "ok" });
        take(s, (struct wish){ .ms = NOW - 1000,
                    .key = "key_bad",
                    .outcome = i % 5 ? "error" : "ok" });
    }
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(1, shown(a, "\"kind\":\"errors\",\"about\":\"key\""));
    CHECK_INT(1, shown(a, "\"id\":\"key_good\""));
    CHECK_INT(1, shown(a, "\"value\":\"0.8\",\"usual\":\"0\""));
    CHECK_INT(0, shown(a, "key_bad"));
    rx_clock_fake(NOW + 10 * 60000);
    CHECK_INT(RX_OK, anomalies_look(a, NULL));
    CHECK_INT(0, shown(a, "\"over\":false"));
    anomalies_free(a);
    store_end(s);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(the_bound_is_not_moved_by_a_few_wild_hours);
    CHECK_RUN(an_hour_far_above_the_week_is_found_until_it_is_over);
    CHECK_RUN(little_money_and_little_past_are_not_judged);
    CHECK_RUN(a_session_that_repeats_itself_is_found_and_one_that_grows_is_not);
    CHECK_RUN(a_burst_of_errors_is_one_where_there_were_few);
    return CHECK_EXIT();
}
