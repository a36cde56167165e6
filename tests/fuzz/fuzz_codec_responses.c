/*
 * The Responses codec against any bytes.
 *
 *   answers   However a stream is cut into pieces, clients get the same bytes;
 *             it ends once; and out of clean text comes a stream whose grammar
 *             strict clients take.
 *   requests  What is accepted, and is JSON, becomes JSON for every channel.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tests/unit/codec_rig.h"
#include "tests/unit/responses_grammar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWER_MAX ((size_t)64 * 1024 * 1024)

static struct translation *
begin(enum dialect client, enum dialect channel, rx_str body, bool stream,
    uint64_t *seed)
{
    struct translate_ask ask = {
        .client = client,
        .body = body,
        .model_asked = RX_S("m"),
        .model = RX_S("m"),
        .stream = stream,
        .key = { .dialect = channel, .model = RX_S("m") },
        .world = rig_world(seed),
    };
    struct translation *t;
    struct rx_err err;

    return translation_new(&t, &ask, &err) == RX_OK ? t : NULL;
}

static void
answer(enum dialect client, enum dialect channel, rx_str body, rx_str bytes,
    size_t most, struct rx_buf *out)
{
    uint64_t seed;
    struct translation *t = begin(client, channel, body, true, &seed);

    if (t == NULL)
        abort();
    rx_buf_init(out, ANSWER_MAX);
    translation_begin(t, 200, RX_S("text/event-stream"), RX_S(""));
    rig_feed(t, bytes, most, true, out);
    translation_free(t);
}

/* The inside of strings is handed on as it is: it has to be JSON's. */
static bool
is_clean(rx_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c == '\\' || c >= 0x7f || (c < 0x20 && c != '\n'))
            return false;
    }
    return true;
}

static void
check_answer(enum dialect client, enum dialect channel, rx_str body, rx_str in)
{
    static const size_t sizes[] = { 1, 7 };
    struct rx_buf whole;
    struct rx_buf pieces;

    answer(client, channel, body, in, 0, &whole);
    for (size_t i = 0; i < RX_COUNT(sizes); i++) {
        answer(client, channel, body, in, sizes[i], &pieces);
        if (!rx_str_eq(rx_buf_str(&whole), rx_buf_str(&pieces)))
            abort();
        rx_buf_fini(&pieces);
    }
    if (client == DIALECT_RESPONSES && is_clean(in) && whole.len > 0 &&
        whole.ptr[0] == 'e' && grammar_check(rx_buf_str(&whole)) != NULL)
        abort();
    rx_buf_fini(&whole);
}

static void
check_request(rx_str body)
{
    static const enum dialect channels[] = { DIALECT_CHAT, DIALECT_ANTHROPIC };
    uint64_t seed;

    for (size_t i = 0; i < RX_COUNT(channels); i++) {
        struct translation *t =
            begin(DIALECT_RESPONSES, channels[i], body, true, &seed);
        if (t != NULL && rx_json_check(body, NULL, NULL) == RX_OK &&
            rx_json_check(translation_body(t), NULL, NULL) != RX_OK)
            abort();
        translation_free(t);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const rx_str chat = RX_STR_INIT(
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    static const rx_str responses = RX_STR_INIT(
        "{\"model\":\"m\",\"input\":\"a\",\"reasoning\":{\"summary\":\"auto\"}}");

    if (size == 0)
        return 0;
    rx_str in = { (const char *)data + 1, size - 1 };
    switch (data[0] % 3) {
    case 0: check_answer(DIALECT_CHAT, DIALECT_RESPONSES, chat, in); break;
    case 1: check_answer(DIALECT_RESPONSES, DIALECT_CHAT, responses, in); break;
    case 2: check_request(in); break;
    }
    return 0;
}
