/*
 * write_anthropic.c - Anthropic Messages: a message, or its stream.
 */
#include <inttypes.h>

#include "tests/demo/script.h"

static const char *const stops[] = {
    [ANSWER_END] = "end_turn",
    [ANSWER_LENGTH] = "max_tokens",
    [ANSWER_TOOL] = "tool_use",
    [ANSWER_STOP_SEQUENCE] = "stop_sequence",
    [ANSWER_REFUSAL] = "refusal",
};

/* The fields that stand before the content. */
static void
add_message_head(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b,
        "{\"model\":\"" RX_STR_FMT "\",\"id\":\"msg_%s\","
        "\"type\":\"message\",\"role\":\"assistant\",\"content\":[",
        RX_STR_ARG(a->model), a->id);
}

static void
add_stop(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b, "\"stop_reason\":\"%s\",\"stop_sequence\":%s",
        stops[a->stop], a->stop == ANSWER_STOP_SEQUENCE ? "\"STOP\"" : "null");
}

static void
add_input_usage(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b,
        "\"input_tokens\":%" PRIu64 ",\"cache_creation_input_tokens\":%" PRIu64
        ",\"cache_read_input_tokens\":%" PRIu64,
        a->input - a->cache_read - a->cache_write, a->cache_write,
        a->cache_read);
}

static void
add_usage(struct rx_buf *b, const struct answer *a, uint64_t output)
{
    rx_buf_add(b, RX_S("\"usage\":{"));
    add_input_usage(b, a);
    rx_buf_addf(b,
        ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":%" PRIu64
        ",\"ephemeral_1h_input_tokens\":0},\"output_tokens\":%" PRIu64
        ",\"service_tier\":\"standard\"}",
        a->cache_write, output);
}

/* 96 characters that are valid base64 and depend on the request. */
static void
add_signature(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b, "%s%s%s%s", a->id, a->id, a->id, a->id);
}

static void
write_whole(struct script *s, const struct answer *a)
{
    struct rx_buf *b = &s->body;
    const char *comma = "";

    script_json(s, 200);
    add_message_head(b, a);
    if (a->thinking.len > 0) {
        rx_buf_addf(b,
            "{\"type\":\"thinking\",\"thinking\":\"" RX_STR_FMT
            "\",\"signature\":\"",
            RX_STR_ARG(a->thinking));
        add_signature(b, a);
        rx_buf_add(b, RX_S("\"}"));
        comma = ",";
    }
    if (a->text.len > 0) {
        rx_buf_addf(b, "%s{\"type\":\"text\",\"text\":\"", comma);
        rx_buf_add(b, a->text);
        rx_buf_add(b, RX_S("\"}"));
        comma = ",";
    }
    for (size_t i = 0; i < a->call_count; i++) {
        rx_buf_addf(b,
            "%s{\"type\":\"tool_use\",\"id\":\"toolu_%s%zu\",\"name\":\"" RX_STR_FMT
            "\",\"input\":" RX_STR_FMT "}",
            comma, a->id, i, RX_STR_ARG(a->calls[i].tool->name),
            RX_STR_ARG(a->calls[i].args));
        comma = ",";
    }
    rx_buf_add(b, RX_S("],"));
    add_stop(b, a);
    rx_buf_addc(b, ',');
    add_usage(b, a, a->output);
    rx_buf_addc(b, '}');
}

static void
block_start(struct script *s, size_t index)
{
    script_event(s, "content_block_start");
    rx_buf_addf(&s->body,
        "{\"type\":\"content_block_start\",\"index\":%zu,\"content_block\":",
        index);
}

static void
block_stop(struct script *s, size_t index)
{
    script_event(s, "content_block_stop");
    rx_buf_addf(
        &s->body, "{\"type\":\"content_block_stop\",\"index\":%zu}", index);
    script_event_end(s);
}

/* One delta: {"type":"<type>","<member>":"<text>"}. */
static void
delta(struct script *s, size_t index, const char *type, const char *member,
    rx_str text)
{
    script_event(s, "content_block_delta");
    rx_buf_addf(&s->body,
        "{\"type\":\"content_block_delta\",\"index\":%zu,\"delta\":"
        "{\"type\":\"%s\",\"%s\":\"",
        index, type, member);
    rx_buf_add(&s->body, text);
    rx_buf_add(&s->body, RX_S("\"}}"));
    script_event_end(s);
}

static void
stream_thinking(struct script *s, const struct answer *a, size_t index)
{
    struct answer_pieces p = { a->thinking, 3 };
    struct rx_buf signature;
    rx_str piece;

    block_start(s, index);
    rx_buf_add(&s->body,
        RX_S("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}"));
    script_event_end(s);
    while (answer_next_piece(&p, &piece))
        delta(s, index, "thinking_delta", "thinking", piece);
    rx_buf_init(&signature, 256);
    add_signature(&signature, a);
    delta(s, index, "signature_delta", "signature", rx_buf_str(&signature));
    rx_buf_fini(&signature);
    block_stop(s, index);
}

static void
stream_text(struct script *s, const struct answer *a, size_t index)
{
    struct answer_pieces p = { a->text, a->pieces };
    rx_str piece;

    block_start(s, index);
    rx_buf_add(&s->body, RX_S("{\"type\":\"text\",\"text\":\"\"}}"));
    script_event_end(s);
    while (answer_next_piece(&p, &piece))
        delta(s, index, "text_delta", "text", piece);
    block_stop(s, index);
}

/* The arguments come in two halves, cut anywhere between characters. */
static void
stream_call(struct script *s, const struct answer *a, size_t call, size_t index)
{
    struct rx_buf escaped;
    struct answer_pieces p;
    rx_str piece;

    block_start(s, index);
    rx_buf_addf(&s->body,
        "{\"type\":\"tool_use\",\"id\":\"toolu_%s%zu\",\"name\":\"" RX_STR_FMT
        "\",\"input\":{}}}",
        a->id, call, RX_STR_ARG(a->calls[call].tool->name));
    script_event_end(s);
    delta(s, index, "input_json_delta", "partial_json", RX_S(""));
    rx_buf_init(&escaped, 256 * 1024);
    rx_buf_add_json(&escaped, a->calls[call].args);
    p = (struct answer_pieces){ rx_buf_str(&escaped), 2 };
    while (answer_next_piece(&p, &piece))
        delta(s, index, "input_json_delta", "partial_json", piece);
    rx_buf_fini(&escaped);
    block_stop(s, index);
}

static void
stream_start(struct script *s, const struct answer *a)
{
    struct rx_buf *b = &s->body;

    script_event(s, "message_start");
    rx_buf_add(b, RX_S("{\"type\":\"message_start\",\"message\":"));
    add_message_head(b, a);
    rx_buf_add(b, RX_S("],\"stop_reason\":null,\"stop_sequence\":null,"));
    add_usage(b, a, 1);
    rx_buf_add(b, RX_S("}}"));
    script_event_end(s);
    script_event(s, "ping");
    rx_buf_add(b, RX_S("{\"type\": \"ping\"}"));
    script_event_end(s);
}

static void
stream_end(struct script *s, const struct answer *a)
{
    struct rx_buf *b = &s->body;

    script_mark_terminal(s);
    script_event(s, "message_delta");
    rx_buf_add(b, RX_S("{\"type\":\"message_delta\",\"delta\":{"));
    add_stop(b, a);
    rx_buf_add(b, RX_S("},\"usage\":{"));
    add_input_usage(b, a);
    rx_buf_addf(b, ",\"output_tokens\":%" PRIu64 "}}", a->output);
    script_event_end(s);
    script_event(s, "message_stop");
    rx_buf_add(b, RX_S("{\"type\":\"message_stop\"}"));
    script_event_end(s);
}

void
script_anthropic(
    struct script *s, const struct question *q, const struct answer *a)
{
    size_t index = 0;

    if (!q->stream) {
        write_whole(s, a);
        return;
    }
    script_sse(s);
    stream_start(s, a);
    if (a->thinking.len > 0)
        stream_thinking(s, a, index++);
    if (a->text.len > 0)
        stream_text(s, a, index++);
    for (size_t i = 0; i < a->call_count; i++)
        stream_call(s, a, i, index++);
    stream_end(s, a);
}
