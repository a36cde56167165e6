/*
 * write_chat.c - OpenAI Chat Completions: a completion, or its chunks.
 */
#include <inttypes.h>

#include "tests/demo/script.h"

static const char *const stops[] = {
    [ANSWER_END] = "stop",
    [ANSWER_LENGTH] = "length",
    [ANSWER_TOOL] = "tool_calls",
    [ANSWER_STOP_SEQUENCE] = "stop",
    [ANSWER_REFUSAL] = "content_filter",
};

static void
add_usage(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b,
        "{\"prompt_tokens\":%" PRIu64 ",\"completion_tokens\":%" PRIu64
        ",\"total_tokens\":%" PRIu64
        ",\"prompt_tokens_details\":{\"cached_tokens\":%" PRIu64
        ",\"audio_tokens\":0},\"completion_tokens_details\":"
        "{\"reasoning_tokens\":%" PRIu64
        ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
        "\"rejected_prediction_tokens\":0}}",
        a->input, a->output, a->input + a->output, a->cache_read, a->reasoning);
}

static void
add_head(struct rx_buf *b, const struct answer *a, const char *object)
{
    rx_buf_addf(b,
        "{\"id\":\"chatcmpl-%s\",\"object\":\"%s\",\"created\":%d,"
        "\"model\":\"" RX_STR_FMT "\"",
        a->id, object, SCRIPT_CREATED, RX_STR_ARG(a->model));
}

static void
add_tail(struct rx_buf *b)
{
    rx_buf_add(b, RX_S(",\"service_tier\":\"default\","
                       "\"system_fingerprint\":\"fp_demo\"}"));
}

static void
add_call(struct rx_buf *b, const struct answer *a, size_t i)
{
    rx_buf_addf(b,
        "\"id\":\"call_%s%zu\",\"type\":\"function\",\"function\":{"
        "\"name\":\"" RX_STR_FMT "\",\"arguments\":\"",
        a->id, i, RX_STR_ARG(a->calls[i].tool->name));
}

static void
add_calls(struct rx_buf *b, const struct answer *a)
{
    if (a->call_count == 0)
        return;
    rx_buf_add(b, RX_S(",\"tool_calls\":["));
    for (size_t i = 0; i < a->call_count; i++) {
        rx_buf_add(b, i == 0 ? RX_S("{") : RX_S(",{"));
        add_call(b, a, i);
        rx_buf_add_json(b, a->calls[i].args);
        rx_buf_add(b, RX_S("\"}}"));
    }
    rx_buf_addc(b, ']');
}

static void
write_whole(struct script *s, const struct question *q, const struct answer *a)
{
    struct rx_buf *b = &s->body;

    script_json(s, 200);
    add_head(b, a, "chat.completion");
    rx_buf_add(b, RX_S(",\"choices\":[{\"index\":0,\"message\":{"
                       "\"role\":\"assistant\",\"content\":"));
    if (a->text.len > 0) {
        rx_buf_addc(b, '"');
        rx_buf_add(b, a->text);
        rx_buf_addc(b, '"');
    } else {
        rx_buf_add(b, RX_S("null"));
    }
    if (q->thinktest && a->thinking.len > 0)
        rx_buf_addf(b, ",\"reasoning_content\":\"" RX_STR_FMT "\"",
            RX_STR_ARG(a->thinking));
    rx_buf_add(b, RX_S(",\"refusal\":null"));
    add_calls(b, a);
    rx_buf_addf(b,
        ",\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"%s\"}]"
        ",\"usage\":",
        stops[a->stop]);
    add_usage(b, a);
    add_tail(b);
}

/* Open a chunk up to the inside of its delta ... */
static void
chunk(struct script *s, const struct answer *a)
{
    script_event(s, NULL);
    add_head(&s->body, a, "chat.completion.chunk");
    rx_buf_add(&s->body,
        RX_S(",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_demo\""
             ",\"choices\":[{\"index\":0,\"delta\":{"));
}

/* ... and close it. */
static void
chunk_end(struct script *s, const struct question *q, const char *finish)
{
    rx_buf_add(&s->body, RX_S("},\"logprobs\":null,\"finish_reason\":"));
    if (finish == NULL)
        rx_buf_add(&s->body, RX_S("null"));
    else
        rx_buf_addf(&s->body, "\"%s\"", finish);
    rx_buf_add(&s->body, RX_S("}]"));
    if (q->include_usage)
        rx_buf_add(&s->body, RX_S(",\"usage\":null"));
    rx_buf_addc(&s->body, '}');
    script_event_end(s);
}

static void
stream_texts(struct script *s, const struct question *q, const struct answer *a,
    const char *member, rx_str text, size_t pieces)
{
    struct answer_pieces p = { text, pieces };
    rx_str piece;

    while (answer_next_piece(&p, &piece)) {
        chunk(s, a);
        rx_buf_addf(&s->body, "\"%s\":\"", member);
        rx_buf_add(&s->body, piece);
        rx_buf_addc(&s->body, '"');
        chunk_end(s, q, NULL);
    }
}

static void
stream_call(struct script *s, const struct question *q, const struct answer *a,
    size_t i)
{
    struct rx_buf escaped;
    struct answer_pieces p;
    rx_str piece;

    chunk(s, a);
    rx_buf_addf(&s->body, "\"tool_calls\":[{\"index\":%zu,", i);
    add_call(&s->body, a, i);
    rx_buf_add(&s->body, RX_S("\"}}]"));
    chunk_end(s, q, NULL);
    rx_buf_init(&escaped, 256 * 1024);
    rx_buf_add_json(&escaped, a->calls[i].args);
    p = (struct answer_pieces){ rx_buf_str(&escaped), 2 };
    while (answer_next_piece(&p, &piece)) {
        chunk(s, a);
        rx_buf_addf(&s->body,
            "\"tool_calls\":[{\"index\":%zu,\"function\":{\"arguments\":\"", i);
        rx_buf_add(&s->body, piece);
        rx_buf_add(&s->body, RX_S("\"}}]"));
        chunk_end(s, q, NULL);
    }
    rx_buf_fini(&escaped);
}

static void
stream_end(struct script *s, const struct question *q, const struct answer *a)
{
    script_mark_terminal(s);
    chunk(s, a);
    chunk_end(s, q, stops[a->stop]);
    if (q->include_usage) {
        script_event(s, NULL);
        add_head(&s->body, a, "chat.completion.chunk");
        rx_buf_add(&s->body, RX_S(",\"choices\":[],\"usage\":"));
        add_usage(&s->body, a);
        add_tail(&s->body);
        script_event_end(s);
    }
    script_event(s, NULL);
    rx_buf_add(&s->body, RX_S("[DONE]"));
    script_event_end(s);
}

void
script_chat(struct script *s, const struct question *q, const struct answer *a)
{
    if (!q->stream) {
        write_whole(s, q, a);
        return;
    }
    script_sse(s);
    chunk(s, a);
    rx_buf_addf(&s->body, "\"role\":\"assistant\",\"content\":%s",
        a->call_count > 0 ? "null" : "\"\"");
    chunk_end(s, q, NULL);
    if (q->thinktest)
        stream_texts(s, q, a, "reasoning_content", a->thinking, 3);
    stream_texts(s, q, a, "content", a->text, a->pieces);
    for (size_t i = 0; i < a->call_count; i++)
        stream_call(s, q, a, i);
    stream_end(s, q, a);
}
