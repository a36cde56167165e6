/*
 * analytics.c - how long the dashboard's questions take on many requests.
 *
 *     bench_analytics DIR [ROWS]
 *
 * Fills DIR/routex.db with ROWS requests (ten million unless said otherwise) of
 * the last thirty days through the same code that takes in what data planes
 * report, then asks what the dashboard asks and prints a line for each question:
 * the first time, the median and the worst of twenty.  A store that is there
 * already is asked as it is.
 */
#include "controlplane/analytics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/field.h"
#include "controlplane/price.h"
#include "controlplane/request.h"
#include "controlplane/rollup.h"
#include "shared/clock.h"

#define DAY_MS  ((uint64_t)24 * 3600 * 1000)
#define DAYS    30
#define BATCH   5000
#define TIMES   20
#define TENANTS 20
#define KEYS    200
#define RULES   6
#define TAGS    12

static const char *const models[] = { "claude-sonnet-4-5", "claude-opus-4-5",
    "claude-haiku-4-5", "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1",
    "gemini-2.5-pro", "gemini-2.5-flash", "deepseek-chat", "grok-4",
    "qwen3-max", "glm-4.6", "kimi-k2-thinking", "my-own-model" };
#define CHANNELS 14

/* ---- numbers ---------------------------------------------------------------- */

static uint64_t state = 88172645463325252;

static uint64_t
random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* 0 to n - 1, the low ones far more often. */
static unsigned
skewed(unsigned n)
{
    double u = (double)(random_u64() >> 11) * 0x1p-53;

    return (unsigned)(u * u * n);
}

static uint64_t
around(uint64_t typical)
{
    return typical / 4 + random_u64() % (typical * 2);
}

/* ---- rows ------------------------------------------------------------------- */

/* Texts of a row live as long as its batch. */
struct texts {
    char request[32], key[32], tenant[32], channel[32], rule[32], tag[32],
        session[48];
};

static rx_str
say(char to[], size_t size, const char *what, unsigned n)
{
    int len = snprintf(to, size, "%s%016u", what, n);

    return (rx_str){ to, (size_t)len };
}

static void
count_tokens(struct usage_counts *u)
{
    u->has = 1u << COUNT_in_uncached | 1u << COUNT_cache_read |
             1u << COUNT_cache_write_5m | 1u << COUNT_out_total;
    u->n[COUNT_in_uncached] = around(3000);
    u->n[COUNT_cache_read] = around(40000);
    u->n[COUNT_cache_write_5m] = around(2000);
    u->n[COUNT_out_total] = around(600);
    u->provenance = RX_S("reported");
}

static void
make_row(struct usage_row *r, struct texts *t, uint64_t seq, uint64_t ms)
{
    unsigned key = skewed(KEYS);
    unsigned model = skewed(RX_COUNT(models));
    bool ok = random_u64() % 50 != 0;

    *r = (struct usage_row){
        .seq = seq,
        .started_ms = ms,
        .request_id =
            say(t->request, sizeof(t->request), "req_", (unsigned)seq),
        .tenant_id = say(t->tenant, sizeof(t->tenant), "tnt_", key % TENANTS),
        .key_id = say(t->key, sizeof(t->key), "key_", key),
        .dialect = RX_S("anthropic"),
        .operation = RX_S("create"),
        .stream = true,
        .model_requested = field_text(models[model]),
        .model = field_text(models[model]),
        .model_served = field_text(models[model]),
        .channel_id = say(t->channel, sizeof(t->channel), "chn_",
            (model + (unsigned)(random_u64() % 3)) % CHANNELS),
        .channel = RX_S("channel"),
        .rule = skewed(3) == 0
                    ? (rx_str){ 0 }
                    : say(t->rule, sizeof(t->rule), "rule-", skewed(RULES)),
        .session =
            say(t->session, sizeof(t->session), "session-", skewed(100000)),
        .tag = skewed(4) < 2
                   ? (rx_str){ 0 }
                   : say(t->tag, sizeof(t->tag), "tag-", skewed(TAGS)),
        .user_agent = RX_S("claude-cli/2.0.50 (external, cli)"),
        .client_ip = RX_S("127.0.0.1"),
        .status = ok ? 200 : 502,
        .outcome = ok ? RX_S("ok") : RX_S("cut"),
        .finish = RX_S("end_turn"),
        .ttft_ms = around(900),
        .request_bytes = 200000,
        .response_bytes = 12000,
    };
    r->duration_ms = r->ttft_ms + around(9000);
    count_tokens(&r->usage);
}

static void
die(const char *what, const struct rx_err *err)
{
    fprintf(stderr, "bench_analytics: %s: %s\n", what, err->text);
    exit(1);
}

static void
commit(struct store *s, uint64_t first, size_t count, uint64_t begin,
    double step, struct usage_row *rows, struct texts *texts)
{
    struct usage_attempt attempt = { .channel = RX_S("channel"),
        .credential_id = RX_S("crd_0000000000000001"),
        .model = RX_S("claude-sonnet-4-5"),
        .status = 200,
        .connect_ms = 0,
        .first_byte_ms = 800,
        .total_ms = 9000,
        .reused = true };
    struct usage_sink sink = request_sink(s);
    struct rx_err err = { 0 };

    for (size_t i = 0; i < count; i++) {
        make_row(&rows[i], &texts[i], first + i,
            begin + (uint64_t)((double)(first + i) * step));
        rows[i].attempts = &attempt;
        rows[i].attempt_count = 1;
    }
    struct usage_batch b = { .plane = RX_S("data-1"),
        .boot = 1,
        .last_seq = first + count - 1,
        .rows = rows,
        .row_count = count };
    if (sink.commit(sink.arg, &b, &err) != RX_OK ||
        rollup_flush(s->rollup, &err) != RX_OK)
        die("taking rows in", &err);
}

static void
fill(struct store *s, uint64_t rows)
{
    struct usage_row *batch = calloc(BATCH, sizeof(*batch));
    struct texts *texts = calloc(BATCH, sizeof(*texts));
    uint64_t begin = rx_clock_wall_ms() - DAYS * DAY_MS;
    double step = (double)(DAYS * DAY_MS) / (double)(rows + 1);
    uint64_t started = rx_clock_ms();

    for (uint64_t at = 1; at <= rows; at += BATCH) {
        uint64_t left = rows - at + 1;
        commit(s, at, left < BATCH ? left : BATCH, begin, step, batch, texts);
        if (at / BATCH % 100 == 99)
            fprintf(stderr, "%" PRIu64 " rows, %.0f a second\n", at + BATCH - 1,
                (double)(at + BATCH) * 1000 /
                    (double)(rx_clock_ms() - started + 1));
    }
    free(batch);
    free(texts);
}

/* ---- questions -------------------------------------------------------------- */

struct ask {
    const char *what;
    unsigned days; /* 0: three hours */
    enum rollup_dim only, by;
    const char *id;
    enum rollup_level level;
    enum { SUMMARY, SERIES, GROUP, LIST } kind;
};

static const struct ask asks[] = {
    { "summary?range=1h, totals", 0, 0, 0, NULL, 0, GROUP },
    { "summary?range=24h", 1, 0, 0, NULL, ROLLUP_HOUR, SUMMARY },
    { "summary?range=7d", 7, 0, 0, NULL, ROLLUP_DAY, SUMMARY },
    { "summary?range=30d", 30, 0, 0, NULL, ROLLUP_DAY, SUMMARY },
    { "summary?range=30d&by=model", 30, 0, ROLLUP_MODEL, NULL, 0, GROUP },
    { "summary?range=30d&by=key", 30, 0, ROLLUP_KEY, NULL, 0, GROUP },
    { "summary?range=30d&by=rule", 30, 0, ROLLUP_RULE, NULL, 0, GROUP },
    { "summary?range=30d&by=tag", 30, 0, ROLLUP_TAG, NULL, 0, GROUP },
    { "summary?range=7d&tenant=T&by=model", 7, ROLLUP_TENANT, ROLLUP_MODEL,
        "tnt_0000000000000003", 0, GROUP },
    { "summary?range=30d&tenant=T&by=key", 30, ROLLUP_TENANT, ROLLUP_KEY,
        "tnt_0000000000000003", 0, GROUP },
    { "summary?range=30d&channel=C&by=model", 30, ROLLUP_CHANNEL, ROLLUP_MODEL,
        "chn_0000000000000003", 0, GROUP },
    { "analytics?range=3h (minutes)", 0, 0, 0, NULL, ROLLUP_MINUTE, SERIES },
    { "analytics?range=24h&by=model (hours)", 1, 0, ROLLUP_MODEL, NULL,
        ROLLUP_HOUR, SERIES },
    { "analytics?range=7d&by=channel (hours)", 7, 0, ROLLUP_CHANNEL, NULL,
        ROLLUP_HOUR, SERIES },
    { "analytics?range=30d&by=key (days)", 30, 0, ROLLUP_KEY, NULL, ROLLUP_DAY,
        SERIES },
    { "analytics?range=30d&key=K (days)", 30, ROLLUP_KEY, 0,
        "key_0000000000000007", ROLLUP_DAY, SERIES },
    { "requests (newest 50)", 30, 0, 0, NULL, 0, LIST },
    { "requests?key=K", 30, ROLLUP_KEY, 0, "key_0000000000000007", 0, LIST },
    { "requests?model=rare", 30, ROLLUP_MODEL, 0, "my-own-model", 0, LIST },
};

static enum rx_code
put_summary(struct store *s, const struct analytics_question *q,
    struct rx_json_out *w, struct rx_err *err)
{
    static const enum rollup_dim dims[] = { ROLLUP_TENANT, ROLLUP_KEY,
        ROLLUP_CHANNEL, ROLLUP_MODEL };
    enum rx_code code = analytics_total(s, q, w, "total", err);

    rx_json_open_array(w, "by_day");
    if (code == RX_OK)
        code = analytics_times(s, q, ROLLUP_DAY, w, err);
    rx_json_close(w);
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(dims); i++) {
        rx_json_open_array(w, "by");
        code = analytics_groups(
            s, q, dims[i], ANALYTICS_BY_REQUESTS, 1000, w, err);
        rx_json_close(w);
    }
    return code;
}

static enum rx_code
put_list(struct store *s, const struct ask *a, struct rx_json_out *w,
    struct rx_err *err)
{
    struct request_filter f = { .limit = 50 };
    struct request_page page;

    if (a->only == ROLLUP_KEY)
        f.key = field_text(a->id);
    if (a->only == ROLLUP_MODEL)
        f.model = field_text(a->id);
    return request_list(s, &f, w, &page, err);
}

static size_t
answer(struct store *s, const struct ask *a)
{
    uint64_t now = rx_clock_wall_ms();
    uint64_t span = a->days > 0 ? a->days * DAY_MS : DAY_MS / 8;
    struct analytics_question q = { .since_ms = now - span, .until_ms = now };
    struct rx_err err = { 0 };
    struct rx_buf out;
    enum rx_code code = RX_OK;

    rx_buf_init(&out, (size_t)64 << 20);
    struct rx_json_out w = rx_json_out(&out);
    analytics_align(&q, now);
    if (a->only != ROLLUP_TOTAL)
        q.only[a->only] = field_text(a->id);
    rx_json_open_object(&w, NULL);
    if (a->kind == SUMMARY)
        code = put_summary(s, &q, &w, &err);
    rx_json_open_array(&w, "data");
    if (a->kind == GROUP)
        code = a->by == ROLLUP_TOTAL ? analytics_total(s, &q, &w, NULL, &err)
                                     : analytics_groups(s, &q, a->by,
                                           ANALYTICS_BY_COST, 1000, &w, &err);
    else if (a->kind == SERIES)
        code = analytics_series(
            s, &q, a->by, a->level, ANALYTICS_BY_REQUESTS, 10, &w, &err);
    else if (a->kind == LIST)
        code = put_list(s, a, &w, &err);
    rx_json_close(&w);
    rx_json_close(&w);
    if (code != RX_OK)
        printf("  %-42s %s\n", a->what, err.text);
    size_t size = code == RX_OK ? out.len : 0;
    rx_buf_fini(&out);
    return size;
}

static int
by_size(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void
measure(struct store *s, const struct ask *a)
{
    uint64_t us[TIMES];
    size_t size = 0;

    for (unsigned i = 0; i < TIMES; i++) {
        uint64_t start = rx_clock_us();
        size = answer(s, a);
        us[i] = rx_clock_us() - start;
        if (size == 0)
            return;
    }
    uint64_t first = us[0];
    qsort(us, TIMES, sizeof(us[0]), by_size);
    printf("  %-42s %9.2f %9.2f %9.2f %9.1f\n", a->what, (double)first / 1000,
        (double)us[TIMES / 2] / 1000, (double)us[TIMES - 1] / 1000,
        (double)size / 1024);
}

static uint64_t
number(struct store *s, const char *sql)
{
    struct db_query *q = db_query(s->db, sql);
    uint64_t n = db_next(q) ? db_u64(q, 0) : 0;

    (void)db_done(q, NULL);
    return n;
}

int
main(int argc, char **argv)
{
    char db[512], key[512];
    struct rx_err err = { 0 };
    struct store *s;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_analytics DIR [ROWS]\n");
        return 2;
    }
    rx_secret_init();
    snprintf(db, sizeof(db), "%s/routex.db", argv[1]);
    snprintf(key, sizeof(key), "%s/master.key", argv[1]);
    if (store_open(&s, db, key, &err) != RX_OK)
        die("opening", &err);
    if (request_count(s) == 0)
        fill(s, argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000);
    while (rollup_is_behind(s->rollup)) {
        if (rollup_flush(s->rollup, &err) != RX_OK)
            die("summing up", &err);
    }
    printf("%" PRIu64 " requests; %" PRIu64 " sums, %" PRIu64 " cells\n",
        request_count(s), number(s, "select count(*) from usage_sum"),
        number(s, "select count(*) from usage_cube"));
    printf("  %-42s %9s %9s %9s %9s\n", "", "first ms", "median ms", "worst ms",
        "KiB");
    for (size_t i = 0; i < RX_COUNT(asks); i++)
        measure(s, &asks[i]);
    store_close(s);
    return 0;
}
