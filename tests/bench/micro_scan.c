/*
 * How fast the readers of the data path are, on one core:
 *
 *     cmake --preset release && cmake --build build/release -t bench_scan
 *     build/release/bench_scan
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/scan.h"
#include "dataplane/usage.h"
#include "shared/attr.h"
#include "shared/json_span.h"

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A conversation of about `size` bytes with tools, escapes and long texts. */
static void
make_request(struct rx_buf *b, size_t size)
{
    static const char text[] =
        "The quick brown fox said: \\\"jump\\\" {over} the [lazy] dog.\\n"
        "Then it ran through the forest, over the hill and back again to "
        "where it had come from in the first place. ";

    rx_buf_init(b, size + 4096);
    rx_buf_add(b, RX_S("{\"max_tokens\":1024,\"system\":\"You help.\","
                       "\"tools\":[{\"name\":\"read\",\"input_schema\":"
                       "{\"type\":\"object\",\"properties\":{\"path\":"
                       "{\"type\":\"string\"}}}}],\"messages\":["));
    for (unsigned i = 0; b->len + 400 < size; i++) {
        rx_buf_addf(b,
            "%s{\"role\":\"%s\",\"content\":[{\"type\":\"text\","
            "\"text\":\"",
            i > 0 ? "," : "", i % 2 == 0 ? "user" : "assistant");
        for (unsigned k = 0; k < 1 + i % 7 && b->len + 400 < size; k++)
            rx_buf_addf(b, "%s", text);
        rx_buf_add(b, RX_S("\"}]}"));
    }
    rx_buf_add(b, RX_S("],\"stream\":true,\"model\":\"claude-sonnet\"}"));
}

static void
bench_scan(const char *kernel, size_t size)
{
    struct rx_buf b;
    struct scan s = { 0 };
    unsigned rounds = (unsigned)(200000000 / size);

    make_request(&b, size);
    uint64_t from = now_ns();
    for (unsigned i = 0; i < rounds; i++) {
        if (scan_request(DIALECT_ANTHROPIC, rx_buf_str(&b), &s, NULL) != RX_OK)
            abort();
    }
    double ns = (double)(now_ns() - from) / rounds;
    printf("scan  %-6s %7zu bytes %4zu messages %9.2f us %6.2f GB/s\n", kernel,
        b.len, scan_count(&s, SCAN_MESSAGES), ns / 1000, (double)b.len / ns);
    rx_buf_fini(&b);
}

static void
bench_tap(const char *name, enum dialect dialect, rx_str event)
{
    enum { EVENTS = 2000000 };
    struct usage_tap *tap =
        usage_tap_new(dialect, OP_CREATE, RX_S("text/event-stream"), RX_S(""));

    uint64_t from = now_ns();
    for (unsigned i = 0; i < EVENTS; i++)
        usage_tap_feed(tap, event);
    double ns = (double)(now_ns() - from) / EVENTS;
    printf("tap   %-34s %4zu bytes %7.1f ns/event, content %" PRIu64 "\n", name,
        event.len, ns, usage_tap_seen(tap)->content_bytes / EVENTS);
    usage_tap_free(tap);
}

int
main(void)
{
    static const struct {
        enum rx_span_kernel kernel;
        const char *name;
    } kernels[] = { { RX_SPAN_SCALAR, "scalar" }, { RX_SPAN_SSE2, "sse2" },
        { RX_SPAN_AVX2, "avx2" } };

    for (size_t i = 0; i < RX_COUNT(kernels); i++) {
        if (!rx_span_use(kernels[i].kernel))
            continue;
        bench_scan(kernels[i].name, (size_t)1024);
        bench_scan(kernels[i].name, (size_t)64 * 1024);
        bench_scan(kernels[i].name, (size_t)512 * 1024);
    }
    bench_tap("anthropic content_block_delta", DIALECT_ANTHROPIC,
        RX_S("event: content_block_delta\ndata: {\"type\":"
             "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
             "\"text_delta\",\"text\":\" forest, over the hill\"}}\n\n"));
    bench_tap("chat chunk", DIALECT_CHAT,
        RX_S("data: {\"id\":\"chatcmpl-C1KMMrEA9QLIX25pFjKjoRdNkO0nN\","
             "\"object\":\"chat.completion.chunk\",\"created\":1754432626,"
             "\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\","
             "\"system_fingerprint\":\"fp_ff25b2783a\",\"choices\":[{"
             "\"index\":0,\"delta\":{\"content\":\" forest, over\"},"
             "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,"
             "\"obfuscation\":\"fJykmX6H\"}\n\n"));
    bench_tap("responses output_text.delta", DIALECT_RESPONSES,
        RX_S("event: response.output_text.delta\ndata: {\"type\":"
             "\"response.output_text.delta\",\"sequence_number\":12,"
             "\"item_id\":\"msg_05ed6c8b322854d8006a024b554efc8196\","
             "\"output_index\":0,\"content_index\":0,\"delta\":\" forest\","
             "\"logprobs\":[],\"obfuscation\":\"fJykmX6H\"}\n\n"));
    bench_tap("gemini chunk", DIALECT_GEMINI,
        RX_S("data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": "
             "\" forest, over the hill\"}],\"role\": \"model\"},\"index\": 0}]"
             ",\"usageMetadata\": {\"promptTokenCount\": 308,"
             "\"candidatesTokenCount\": 54,\"totalTokenCount\": 362},"
             "\"modelVersion\": \"gemini-3-flash-preview\"}\r\n\r\n"));
    return 0;
}
