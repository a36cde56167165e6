/*
 * What translating costs beside passing through, CPU of one core:
 *
 *     cmake --preset release && cmake --build build/release -t bench_translate
 *     build/release/bench_translate
 *
 * Per event: a long streamed text, read and written event by event, beside the
 * tap that counts a stream of the channel's dialect while it passes through.
 * Per 100 KB of request, and for one of 512 KB: the body made anew, beside the scan and the splice
 * that pass-through makes do with.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/codec/translate.h"
#include "dataplane/scan.h"
#include "dataplane/usage.h"
#include "shared/attr.h"

#define EVENTS 200000u
#define BODY   ((size_t)100000)
#define ROUNDS 500u

/* What a stream of each dialect is made of, and how its requests are spelt. */
static const struct {
    rx_str begin, delta;
    rx_str open, user, assistant, close;
} made[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = {
        .begin = RX_STR_INIT(
            "event: message_start\ndata: {\"type\":\"message_start\","
            "\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":"
            "\"assistant\",\"model\":\"claude\",\"content\":[],"
            "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{"
            "\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
            "event: content_block_start\ndata: {\"type\":"
            "\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
            "\"text\",\"text\":\"\"}}\n\n"),
        .delta = RX_STR_INIT(
            "event: content_block_delta\ndata: {\"type\":"
            "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
            "\"text_delta\",\"text\":\" forest, over the hill\"}}\n\n"),
        .open = RX_STR_INIT("{\"model\":\"m\",\"max_tokens\":1024,\"stream\":"
                            "true,\"messages\":["),
        .user = RX_STR_INIT("{\"role\":\"user\",\"content\":[{\"type\":"
                            "\"text\",\"text\":\"%s\"}]}"),
        .assistant = RX_STR_INIT("{\"role\":\"assistant\",\"content\":[{"
                                 "\"type\":\"text\",\"text\":\"%s\"}]}"),
        .close = RX_STR_INIT("]}"),
    },
    [DIALECT_CHAT] = {
        .begin = RX_STR_INIT(
            "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\","
            "\"created\":1754432626,\"model\":\"gpt\",\"choices\":[{"
            "\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
            "\"finish_reason\":null}]}\n\n"),
        .delta = RX_STR_INIT(
            "data: {\"id\":\"chatcmpl-C1KMMrEA9QLIX25pFjKjoRdNkO0nN\","
            "\"object\":\"chat.completion.chunk\",\"created\":1754432626,"
            "\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\","
            "\"system_fingerprint\":\"fp_ff25b2783a\",\"choices\":[{"
            "\"index\":0,\"delta\":{\"content\":\" forest, over the hill\"},"
            "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,"
            "\"obfuscation\":\"fJykmX6H\"}\n\n"),
        .open = RX_STR_INIT("{\"model\":\"m\",\"stream\":true,\"messages\":["),
        .user = RX_STR_INIT("{\"role\":\"user\",\"content\":\"%s\"}"),
        .assistant = RX_STR_INIT("{\"role\":\"assistant\",\"content\":"
                                 "\"%s\"}"),
        .close = RX_STR_INIT("]}"),
    },
    [DIALECT_RESPONSES] = {
        .begin = RX_STR_INIT(
            "event: response.created\ndata: {\"type\":\"response.created\","
            "\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"object\":"
            "\"response\",\"created_at\":1754432626,\"status\":"
            "\"in_progress\",\"model\":\"gpt\",\"output\":[]}}\n\n"
            "event: response.output_item.added\ndata: {\"type\":"
            "\"response.output_item.added\",\"sequence_number\":1,"
            "\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":"
            "\"message\",\"status\":\"in_progress\",\"role\":\"assistant\","
            "\"content\":[]}}\n\n"
            "event: response.content_part.added\ndata: {\"type\":"
            "\"response.content_part.added\",\"sequence_number\":2,"
            "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,"
            "\"part\":{\"type\":\"output_text\",\"text\":\"\","
            "\"annotations\":[]}}\n\n"),
        .delta = RX_STR_INIT(
            "event: response.output_text.delta\ndata: {\"type\":"
            "\"response.output_text.delta\",\"sequence_number\":12,"
            "\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,"
            "\"delta\":\" forest, over the hill\",\"logprobs\":[],"
            "\"obfuscation\":\"fJykmX6H\"}\n\n"),
        .open = RX_STR_INIT("{\"model\":\"m\",\"stream\":true,\"input\":["),
        .user = RX_STR_INIT("{\"role\":\"user\",\"content\":[{\"type\":"
                            "\"input_text\",\"text\":\"%s\"}]}"),
        .assistant = RX_STR_INIT("{\"role\":\"assistant\",\"content\":[{"
                                 "\"type\":\"output_text\",\"text\":\"%s\"}]}"),
        .close = RX_STR_INIT("]}"),
    },
    [DIALECT_GEMINI] = {
        .begin = RX_STR_INIT(""),
        .delta = RX_STR_INIT(
            "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": "
            "\" forest, over the hill\"}],\"role\": \"model\"},\"index\": 0}]"
            ",\"usageMetadata\": {\"promptTokenCount\": 308,"
            "\"candidatesTokenCount\": 54,\"totalTokenCount\": 362},"
            "\"modelVersion\": \"gemini-3-flash-preview\"}\r\n\r\n"),
        .open = RX_STR_INIT("{\"contents\":["),
        .user = RX_STR_INIT("{\"role\":\"user\",\"parts\":[{\"text\":"
                            "\"%s\"}]}"),
        .assistant = RX_STR_INIT("{\"role\":\"model\",\"parts\":[{\"text\":"
                                 "\"%s\"}]}"),
        .close = RX_STR_INIT("]}"),
    },
};

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
next_random(void *arg)
{
    uint64_t *seed = arg;

    return *seed = *seed * 6364136223846793005u + 1442695040888963407u;
}

/* A message of some hundred bytes, by the dialect's pattern for its role. */
static void
add_message(struct rx_buf *b, rx_str pattern, unsigned sentences)
{
    const char *hole = memmem(pattern.ptr, pattern.len, "%s", 2);

    rx_buf_add(b, (rx_str){ pattern.ptr, (size_t)(hole - pattern.ptr) });
    for (unsigned i = 0; i < sentences; i++)
        rx_buf_add(b,
            RX_S("The quick brown fox said: \\\"jump\\\" {over} the [lazy] "
                 "dog.\\nThen it ran through the forest, over the hill and "
                 "back again to where it had come from in the first place. "));
    rx_buf_add(b,
        (rx_str){ hole + 2, (size_t)(pattern.ptr + pattern.len - hole - 2) });
}

static void
make_body(struct rx_buf *b, enum dialect dialect, size_t size)
{
    rx_buf_init(b, size + 8192);
    rx_buf_add(b, made[dialect].open);
    for (unsigned i = 0; i == 0 || b->len + 1500 < size; i++) {
        if (i > 0)
            rx_buf_addc(b, ',');
        add_message(b,
            i % 2 == 0 ? made[dialect].user : made[dialect].assistant,
            1 + i % 7);
    }
    rx_buf_add(b, made[dialect].close);
}

static struct translation *
translate(
    enum dialect client, enum dialect channel, rx_str body, uint64_t *seed)
{
    static const rx_str hosts[DIALECT_COUNT] = {
        [DIALECT_ANTHROPIC] = RX_STR_INIT("api.anthropic.com"),
        [DIALECT_CHAT] = RX_STR_INIT("api.openai.com"),
        [DIALECT_RESPONSES] = RX_STR_INIT("api.openai.com"),
        [DIALECT_GEMINI] = RX_STR_INIT("generativelanguage.googleapis.com"),
    };
    struct translation *t;
    struct rx_err err;
    struct translate_ask ask = { .client = client,
        .body = body,
        .model_asked = RX_S("m"),
        .model = RX_S("m"),
        .stream = true,
        .key = { .dialect = channel,
            .host = hosts[channel],
            .model = RX_S("m") },
        .world = { next_random, seed, 1700000000 } };

    if (translation_new(&t, &ask, &err) != RX_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return t;
}

/* --- events ---------------------------------------------------------------------- */

static double
tap_ns(enum dialect dialect)
{
    struct usage_tap *tap =
        usage_tap_new(dialect, OP_CREATE, RX_S("text/event-stream"), RX_S(""));

    usage_tap_feed(tap, made[dialect].begin);
    uint64_t from = now_ns();
    for (unsigned i = 0; i < EVENTS; i++)
        usage_tap_feed(tap, made[dialect].delta);
    double ns = (double)(now_ns() - from) / EVENTS;
    usage_tap_free(tap);
    return ns;
}

/* In several answers, each of a length that occurs. */
static double
event_ns(enum dialect client, enum dialect channel)
{
    enum { ANSWER = 2000 };
    struct rx_buf body, out;
    uint64_t seed = 7;
    uint64_t spent = 0;
    size_t told = 0;

    make_body(&body, client, 0);
    rx_buf_init(&out, 1 << 20);
    for (unsigned k = 0; k < EVENTS / ANSWER; k++) {
        struct translation *t =
            translate(client, channel, rx_buf_str(&body), &seed);
        translation_begin(t, 200, RX_S("text/event-stream"), RX_S(""));
        translation_feed(t, made[channel].begin, &out);
        uint64_t from = now_ns();
        for (unsigned i = 0; i < ANSWER; i++) {
            translation_feed(t, made[channel].delta, &out);
            told += out.len;
            rx_buf_clear(&out);
        }
        spent += now_ns() - from;
        translation_free(t);
    }
    /* Whoever says less than the text itself has not translated it. */
    if (told < (size_t)EVENTS * 22)
        abort();
    rx_buf_fini(&out);
    rx_buf_fini(&body);
    return (double)spent / EVENTS;
}

/* --- requests ---------------------------------------------------------------------- */

static double
scan_us(enum dialect dialect)
{
    rx_str pieces[2 * SPLICE_MAX + 1];
    struct scan s = { 0 };
    struct rx_buf body;
    size_t n = 0;

    make_body(&body, dialect, BODY);
    uint64_t from = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (scan_request(dialect, rx_buf_str(&body), &s, NULL) != RX_OK)
            abort();
        struct splice edit = { s.model_token, RX_S("\"other\"") };
        n += splice_pieces(
            rx_buf_str(&body), &edit, s.model_token.len > 0, pieces);
    }
    double us = (double)(now_ns() - from) / ROUNDS / 1000;
    if (n < ROUNDS)
        abort();
    us = us * (double)BODY / (double)body.len;
    rx_buf_fini(&body);
    return us;
}

static double
request_us(enum dialect client, enum dialect channel)
{
    struct rx_buf body;
    uint64_t seed = 7;

    make_body(&body, client, BODY);
    uint64_t from = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct translation *t =
            translate(client, channel, rx_buf_str(&body), &seed);
        if (translation_body(t).len < body.len / 2)
            abort();
        translation_free(t);
    }
    double us = (double)(now_ns() - from) / ROUNDS / 1000;
    us = us * (double)BODY / (double)body.len;
    rx_buf_fini(&body);
    return us;
}

/* One long conversation, 512 KB: how long the loop is kept. */
static double
long_us(enum dialect client, enum dialect channel)
{
    enum { TRIES = 40 };
    struct rx_buf body;
    uint64_t seed = 7;
    uint64_t least = UINT64_MAX;

    make_body(&body, client, (size_t)512 * 1024);
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t from = now_ns();
        struct translation *t =
            translate(client, channel, rx_buf_str(&body), &seed);
        uint64_t took = now_ns() - from;
        least = took < least ? took : least;
        translation_free(t);
    }
    rx_buf_fini(&body);
    return (double)least / 1000;
}

/* --- the table --------------------------------------------------------------------- */

/* The least of several: what others on the machine do only adds. */
static void
measure(enum dialect client, enum dialect channel, double best[5])
{
    for (int round = 0; round < 5; round++) {
        double now[5] = { tap_ns(channel), event_ns(client, channel),
            scan_us(client), request_us(client, channel),
            long_us(client, channel) };
        for (size_t i = 0; i < RX_COUNT(now); i++)
            best[i] = round == 0 || now[i] < best[i] ? now[i] : best[i];
    }
}

int
main(void)
{
    printf("%-22s %10s %12s %14s %16s %14s\n", "client > channel", "tap ns",
        "translate ns", "scan us/100KB", "translate us", "512 KB us");
    for (int c = 0; c < DIALECT_COUNT; c++) {
        for (int k = 0; k < DIALECT_COUNT; k++) {
            enum dialect client = (enum dialect)c;
            enum dialect channel = (enum dialect)k;
            double best[5];
            char pair[40];
            if (!translate_can(client, channel))
                continue;
            measure(client, channel, best);
            snprintf(pair, sizeof(pair), "%s > %s", dialect_name(client),
                dialect_name(channel));
            printf("%-22s %10.0f %12.0f %14.1f %16.1f %14.0f\n", pair, best[0],
                best[1], best[2], best[3], best[4]);
        }
    }
    return 0;
}
