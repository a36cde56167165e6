/*
 * intake.c - what it costs the control plane to take usage in.
 *
 *     bench_intake DIR [ROWS [BATCH [RATE [inline | paced | paced-inline]]]]
 *
 * Commits ROWS rows (200 000) as one key's short requests over fifty channels,
 * BATCH (250) at a time and RATE (5 000) a second by their own clock, sums
 * stored once of that second as the program does; `paced`: by ours, too.  With
 * `inline` the log is moved into the file in commits, as it is without a thread
 * for it.  Prints CPU time per row and how long batches kept the loop.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/request.h"
#include "controlplane/rollup.h"
#include "shared/clock.h"

#define CHANNELS 50

struct texts {
    char request[32], channel[24], name[16];
};

static rx_str
say(char *to, size_t size, const char *format, uint64_t n)
{
    int len = snprintf(to, size, "%s%019" PRIu64, format, n);

    return (rx_str){ to, (size_t)len };
}

static void
make_row(struct usage_row *r, struct usage_attempt *a, struct texts *t,
    uint64_t seq, uint64_t ms)
{
    uint64_t mixed = seq * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t channel = (mixed >> 32) % CHANNELS;
    const rx_str model = RX_S("claude-sonnet-4-5");

    *r = (struct usage_row){
        .seq = seq,
        .started_ms = ms,
        .request_id = say(t->request, sizeof(t->request), "req_", seq),
        .tenant_id = RX_S("tn_01kamxw6vk5b6w2jhtnq0g7t3x"),
        .key_id = RX_S("key_01kamxw6vk5b6w2jhtnq0g7t3x"),
        .dialect = RX_S("anthropic"),
        .operation = RX_S("create"),
        .model_requested = model,
        .model = model,
        .model_served = model,
        .channel_id = say(t->channel, sizeof(t->channel), "ch", channel),
        .channel = (rx_str){ t->name, (size_t)snprintf(t->name, sizeof(t->name),
                                          "bench-%u", (unsigned)channel) },
        .client_ip = RX_S("127.0.0.1"),
        .status = 200,
        .outcome = RX_S("ok"),
        .finish = RX_S("end_turn"),
        .ttft_ms = 1 + mixed % 3,
        .duration_ms = 2 + mixed % 5,
        .request_bytes = 1024,
        .response_bytes = 1024,
        .attempts = a,
        .attempt_count = 1,
    };
    r->usage = (struct usage_counts){ .has = 1U << COUNT_in_uncached |
                                             1U << COUNT_out_total,
        .provenance = RX_S("reported") };
    r->usage.n[COUNT_in_uncached] = 250;
    r->usage.n[COUNT_out_total] = 12;
    *a = (struct usage_attempt){ .channel_id = r->channel_id,
        .channel = r->channel,
        .credential_id = RX_S("crd_01kamxw6vk5b6w2jhtnq0g7t3x"),
        .model = model,
        .status = 200,
        .first_byte_ms = 1,
        .total_ms = 2,
        .reused = true,
        .bytes = 1024,
        .has_usage = true,
        .usage = r->usage };
}

static void
die(const char *what, const struct rx_err *err)
{
    fprintf(stderr, "bench_intake: %s: %s\n", what, err->text);
    exit(1);
}

struct intake {
    struct store *store;
    struct rx_loop *loop;
    struct rx_task task;
    struct rx_timer timer;
    bool paced;
    struct usage_sink sink;
    uint64_t rows, size, rate, at, begin;
    struct usage_row *batch;
    struct usage_attempt *attempts;
    struct texts *texts;
    uint64_t *took_us; /* each of them, by the clock */
    size_t took;
};

static void *
room(uint64_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p == NULL)
        abort();
    return p;
}

/* A batch a tick, and the sums of each second. */
static void
take(void *arg)
{
    struct intake *t = arg;
    struct rx_err err = { 0 };

    for (uint64_t i = 0; i < t->size; i++)
        make_row(&t->batch[i], &t->attempts[i], &t->texts[i], t->at + i,
            t->begin + (t->at + i) * 1000 / t->rate);
    uint64_t from = rx_clock_us();
    struct usage_batch b = { .plane = RX_S("data-1"),
        .boot = t->begin,
        .last_seq = t->at + t->size - 1,
        .rows = t->batch,
        .row_count = t->size };
    if (t->sink.commit(t->sink.arg, &b, &err) != RX_OK)
        die("taking rows in", &err);
    if (t->at / t->rate != (t->at + t->size) / t->rate &&
        rollup_flush(t->store->rollup, &err) != RX_OK)
        die("storing sums", &err);
    t->took_us[t->took++] = rx_clock_us() - from;
    t->at += t->size;
    uint64_t due = t->begin + t->at * 1000 / t->rate;
    uint64_t now = rx_clock_wall_ms();
    if (t->at > t->rows)
        rx_loop_stop(t->loop);
    else if (t->paced && due > now)
        rx_timer_set(&t->timer, due - now);
    else
        rx_loop_post(t->loop, &t->task);
}

static int
by_size(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static uint64_t
number(int argc, char **argv, int i, uint64_t otherwise)
{
    return argc > i ? strtoull(argv[i], NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
    uint64_t rows = number(argc, argv, 2, 200000);
    char db[512], key[512];
    struct rx_err err = { 0 };
    struct store *s;

    if (argc < 2) {
        fprintf(
            stderr, "usage: bench_intake DIR [ROWS [BATCH [RATE [MODE]]]]\n");
        return 2;
    }
    rx_secret_init();
    snprintf(db, sizeof(db), "%s/routex.db", argv[1]);
    snprintf(key, sizeof(key), "%s/master.key", argv[1]);
    if (store_open(&s, db, key, &err) != RX_OK)
        die("opening", &err);
    struct intake t = { .store = s,
        .loop = rx_loop_new(),
        .sink = request_sink(s),
        .rows = rows,
        .size = number(argc, argv, 3, 250),
        .rate = number(argc, argv, 4, 5000),
        .at = 1,
        .begin = rx_clock_wall_ms() };
    t.task = (struct rx_task){ .fn = take, .arg = &t };
    t.batch = room(t.size, sizeof(*t.batch));
    t.attempts = room(t.size, sizeof(*t.attempts));
    t.took_us = room(rows / t.size + 2, sizeof(*t.took_us));
    t.texts = room(t.size, sizeof(*t.texts));
    const char *mode = argc > 5 ? argv[5] : "";
    t.paced = strstr(mode, "paced") != NULL;
    rx_timer_init(&t.timer, t.loop, take, &t);
    if (strstr(mode, "inline") == NULL)
        db_run_log(s->db, t.loop);
    uint64_t before = rx_clock_cpu_us();
    rx_loop_post(t.loop, &t.task);
    rx_loop_run(t.loop);
    uint64_t cpu = rx_clock_cpu_us() - before;
    qsort(t.took_us, t.took, sizeof(*t.took_us), by_size);
    printf("%.2f us of CPU a row; a batch %.1f ms, 99 %% of them %.1f, the "
           "longest %.1f\n",
        (double)cpu / (double)rows, (double)t.took_us[t.took / 2] / 1000,
        (double)t.took_us[t.took * 99 / 100] / 1000,
        (double)t.took_us[t.took - 1] / 1000);
    rx_timer_fini(&t.timer);
    store_close(s);
    rx_loop_free(t.loop);
    free(t.batch);
    free(t.attempts);
    free(t.texts);
    free(t.took_us);
    return 0;
}
