/*
 * codec_fuzz.h - what must hold of any bytes a client or a provider sends.
 *
 * The first byte chooses: a request or an answer, streamed or whole, which
 * other dialect, and how the answer is cut into reads.
 */
#ifndef TESTS_CODEC_FUZZ_H
#define TESTS_CODEC_FUZZ_H

#include <stdint.h>

#include "tests/unit/codec_rig.h"

static inline void
fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

static inline enum dialect
fuzz_other(enum dialect one, unsigned n)
{
    enum dialect found = one;

    for (int d = 0; d < DIALECT_COUNT; d++) {
        if (translate_can(one, (enum dialect)d)) {
            found = (enum dialect)d;
            if (n-- == 0)
                break;
        }
    }
    return found;
}

/* Whatever is not refused is JSON, and a request of the target's dialect. */
static inline void
fuzz_request(
    enum dialect client, enum dialect channel, bool stream, rx_str body)
{
    uint64_t seed;
    struct translate_ask ask = { .client = client,
        .body = body,
        .model_asked = RX_S("m"),
        .model = RX_S("m"),
        .stream = stream,
        .key = { .dialect = channel, .model = RX_S("m") },
        .world = rig_world(&seed) };
    struct translation *t;
    struct rx_err err;
    struct rx_arena *arena;

    if (translation_new(&t, &ask, &err) != RX_OK) {
        fuzz_require(err.text[0] != '\0');
        return;
    }
    fuzz_require(rx_span_whole(translation_body(t)));
    arena = rx_arena_new((size_t)64 * 1024 * 1024);
    struct ir_request again = { .dialect = channel, .stream = stream };
    enum rx_code code = codec_of(channel)->decode_request(
        translation_body(t), arena, &again, &err);
    fuzz_require(code == RX_OK || code == RX_TOO_BIG);
    rx_arena_free(arena);
    translation_free(t);
}

/* Every event is one value of JSON, or the last mark. */
static inline void
fuzz_events(rx_str out)
{
    struct sse_event event;
    struct sse sse;

    sse_init(&sse, SSE_EVENT_MAX);
    while (sse_next(&sse, &out, &event))
        fuzz_require(!event.raw && (rx_span_whole(event.data) ||
                                       rx_str_eq(event.data, RX_S("[DONE]"))));
    fuzz_require(sse_at_boundary(&sse));
    sse_fini(&sse);
}

static inline void
fuzz_translate(enum dialect channel, enum dialect client, unsigned how,
    rx_str answer, size_t most, bool clean, struct rx_buf *out)
{
    static const rx_str bodies[DIALECT_COUNT] = {
        [DIALECT_ANTHROPIC] =
            RX_STR_INIT("{\"model\":\"m\",\"max_tokens\":9,\"thinking\":{"
                        "\"type\":\"adaptive\"},\"messages\":[{\"role\":"
                        "\"user\",\"content\":\"hi\"}]}"),
        [DIALECT_CHAT] = RX_STR_INIT(
            "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
            "\"hi\"}],\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":"
            "\"c\"}}]}"),
        [DIALECT_RESPONSES] = RX_STR_INIT("{\"model\":\"m\",\"input\":\"hi\"}"),
        [DIALECT_GEMINI] = RX_STR_INIT(
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}"
            "]}"),
    };
    uint64_t seed;
    struct translate_ask ask = { .client = client,
        .body = bodies[client],
        .model_asked = RX_S("m"),
        .model = RX_S("m"),
        .stream = (how & 1) != 0,
        .key = { .dialect = channel, .model = RX_S("m") },
        .world = rig_world(&seed) };
    struct translation *t;
    struct rx_err err;

    rx_buf_init(out, (size_t)1 << 30);
    fuzz_require(translation_new(&t, &ask, &err) == RX_OK);
    translation_begin(t, (how & 2) != 0 ? 500 : 200,
        (how & 4) != 0 ? RX_S("application/json") : RX_S("text/event-stream"),
        RX_S(""));
    rig_feed(t, answer, most, clean, out);
    fuzz_require(out->len > 0 || !translation_failed(t));
    translation_free(t);
}

static inline void
fuzz_answer(
    enum dialect channel, enum dialect client, unsigned how, rx_str answer)
{
    struct rx_buf whole;
    struct rx_buf pieces;
    struct rx_buf cut;
    bool stream = (how & 1) != 0 && (how & 2) == 0;

    fuzz_translate(channel, client, how, answer, 0, true, &whole);
    fuzz_translate(channel, client, how, answer, 1 + (how & 7), true, &pieces);
    fuzz_translate(channel, client, how, answer, 0, false, &cut);
    fuzz_require(rx_str_eq(rx_buf_str(&whole), rx_buf_str(&pieces)));
    if (stream) {
        fuzz_events(rx_buf_str(&whole));
        fuzz_events(rx_buf_str(&cut));
        if (rig_looks_clean(client, rx_buf_str(&cut)))
            fuzz_require(rx_str_eq(rx_buf_str(&whole), rx_buf_str(&cut)));
    } else {
        fuzz_require(rx_span_whole(rx_buf_str(&whole)));
    }
    rx_buf_fini(&whole);
    rx_buf_fini(&pieces);
    rx_buf_fini(&cut);
}

static inline void
fuzz_codec(enum dialect dialect, const uint8_t *data, size_t size)
{
    if (size < 2)
        return;
    unsigned how = data[0];
    rx_str bytes = { (const char *)data + 1, size - 1 };
    enum dialect other = fuzz_other(dialect, how >> 4 & 3);

    if ((how & 8) != 0)
        fuzz_request(dialect, other, (how & 1) != 0, bytes);
    else
        fuzz_answer(dialect, other, how & 7, bytes);
}

#endif
