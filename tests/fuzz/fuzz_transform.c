/*
 * Any bytes as an answer through every step that changes answers: no crash, and
 * the same out of it in whatever pieces it comes.  Any bytes as arguments of a
 * tool: what repair calls an object is one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/transform/repair.h"
#include "dataplane/transform/transform.h"
#include "shared/json_span.h"

#define MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
no_dice(void *arg)
{
    (void)arg;
    return 7;
}

static const char config[] =
    "{\"use\":[\"streamoptions\",\"reasoning\",\"extrathinktag\",\"tooluse\","
    "\"enhancetool\",\"openrouter\",\"groq\",\"mistral\",\"xai\",\"qwen\","
    "\"kimi\",\"cerebras\",\"forcereasoning\"]}";

static void
take(struct rx_buf *out, const struct transform_bytes *b)
{
    rx_buf_add(out, b->shown);
    rx_buf_add(out, b->hidden);
}

static void
run(rx_str answer, bool stream, size_t piece, struct rx_buf *out)
{
    struct rx_arena *arena = rx_arena_new(MAX);
    const struct transform_set *set = NULL;
    struct transform_headers *headers;
    struct transform_filter *filter;
    struct transform_bytes b;
    struct rx_buf changed;

    rx_buf_init(&changed, MAX);
    if (transform_build(
            (rx_str){ config, sizeof(config) - 1 }, arena, &set, NULL) != RX_OK)
        abort();
    struct transform_outgoing o = {
        .dialect = DIALECT_CHAT,
        .op = OP_CREATE,
        .stream = stream,
        .model = RX_S("m"),
        .body = RX_S("{\"stream\":true,\"tools\":[{\"function\":{}}],"
                     "\"messages\":[]}"),
        .changed = &changed,
        .arena = arena,
        .random = no_dice,
    };
    if (transform_request(transform_find(set, DIALECT_CHAT, o.model), &o,
            &headers, &filter, NULL) != RX_OK ||
        filter == NULL ||
        !transform_filter_begin(filter, 200,
            stream ? RX_S("text/event-stream") : RX_S("application/json"),
            RX_S("")))
        abort();
    for (size_t at = 0; at < answer.len; at += piece) {
        size_t n = answer.len - at < piece ? answer.len - at : piece;
        if (transform_filter_feed(filter, (rx_str){ answer.ptr + at, n }, &b) !=
            RX_OK)
            abort();
        take(out, &b);
    }
    transform_filter_end(filter, true, &b);
    take(out, &b);
    transform_filter_free(filter);
    rx_buf_fini(&changed);
    rx_arena_free(arena);
}

static void
repair(rx_str text)
{
    struct rx_buf out;

    rx_buf_init(&out, MAX);
    if (repair_object(text, &out) && !rx_span_whole(rx_buf_str(&out)))
        abort();
    rx_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str answer = { (const char *)data, size };
    struct rx_buf whole, pieces;

    repair(answer);
    for (int stream = 0; stream < 2; stream++) {
        rx_buf_init(&whole, MAX);
        rx_buf_init(&pieces, MAX);
        run(answer, stream, size > 0 ? size : 1, &whole);
        run(answer, stream, 3, &pieces);
        /* Hidden events change places with others of the same read. */
        if (whole.len != pieces.len)
            abort();
        rx_buf_fini(&whole);
        rx_buf_fini(&pieces);
    }
    return 0;
}
