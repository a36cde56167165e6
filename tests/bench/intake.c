/*
 * intake.c - what it costs the control plane to take usage in.
 *
 *     bench_intake DIR [ROWS [BATCH [RATE]]]
 *
 * Commits ROWS rows (200 000) as one key's short requests over fifty channels,
 * BATCH (250) at a time and RATE (5 000) a second by their own clock, sums
 * stored once of that second as the program does.  Prints CPU time per row.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

static void
take(struct store *s, uint64_t rows, uint64_t size, uint64_t rate)
{
    struct usage_row *batch = calloc(size, sizeof(*batch));
    struct usage_attempt *attempts = calloc(size, sizeof(*attempts));
    struct texts *texts = calloc(size, sizeof(*texts));
    struct usage_sink sink = request_sink(s);
    uint64_t begin = rx_clock_wall_ms();
    struct rx_err err = { 0 };

    if (batch == NULL || attempts == NULL || texts == NULL)
        abort();
    for (uint64_t at = 1; at <= rows; at += size) {
        for (uint64_t i = 0; i < size; i++)
            make_row(&batch[i], &attempts[i], &texts[i], at + i,
                begin + (at + i) * 1000 / rate);
        struct usage_batch b = { .plane = RX_S("data-1"),
            .boot = begin,
            .last_seq = at + size - 1,
            .rows = batch,
            .row_count = size };
        if (sink.commit(sink.arg, &b, &err) != RX_OK)
            die("taking rows in", &err);
        if (at / rate != (at + size) / rate &&
            rollup_flush(s->rollup, &err) != RX_OK)
            die("storing sums", &err);
    }
    free(batch);
    free(attempts);
    free(texts);
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
        fprintf(stderr, "usage: bench_intake DIR [ROWS [BATCH [RATE]]]\n");
        return 2;
    }
    rx_secret_init();
    snprintf(db, sizeof(db), "%s/routex.db", argv[1]);
    snprintf(key, sizeof(key), "%s/master.key", argv[1]);
    if (store_open(&s, db, key, &err) != RX_OK)
        die("opening", &err);
    uint64_t before = rx_clock_cpu_us();
    take(s, rows, number(argc, argv, 3, 250), number(argc, argv, 4, 5000));
    uint64_t cpu = rx_clock_cpu_us() - before;
    printf("%.2f us of CPU a row\n", (double)cpu / (double)rows);
    store_close(s);
    return 0;
}
