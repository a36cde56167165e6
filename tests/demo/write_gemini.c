/*
 * write_gemini.c - Gemini: one GenerateContentResponse, or several of them as
 * server-sent events (alt=sse) or as the items of one JSON array.
 */
#include <inttypes.h>

#include "tests/demo/script.h"

static const char *const stops[] = {
    [ANSWER_END] = "STOP",
    [ANSWER_LENGTH] = "MAX_TOKENS",
    [ANSWER_TOOL] = "STOP",
    [ANSWER_STOP_SEQUENCE] = "STOP",
    [ANSWER_REFUSAL] = "SAFETY",
};

struct writer {
    struct script *s;
    const struct question *q;
    const struct answer *a;
    bool first;
};

static void
add_usage(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b,
        "\"usageMetadata\":{\"promptTokenCount\":%" PRIu64
        ",\"candidatesTokenCount\":%" PRIu64 ",\"totalTokenCount\":%" PRIu64,
        a->input, a->output - a->reasoning, a->input + a->output);
    if (a->cache_read > 0)
        rx_buf_addf(b, ",\"cachedContentTokenCount\":%" PRIu64, a->cache_read);
    if (a->reasoning > 0)
        rx_buf_addf(b, ",\"thoughtsTokenCount\":%" PRIu64, a->reasoning);
    rx_buf_addf(b,
        ",\"promptTokensDetails\":[{\"modality\":\"TEXT\","
        "\"tokenCount\":%" PRIu64 "}]}",
        a->input);
}

static void
add_text_part(struct rx_buf *b, rx_str text, bool thought)
{
    rx_buf_add(b, RX_S("{\"text\":\""));
    rx_buf_add(b, text);
    rx_buf_add(b, thought ? RX_S("\",\"thought\":true}") : RX_S("\"}"));
}

/* The signature rides on the first call, as the real one does. */
static void
add_call_part(struct rx_buf *b, const struct answer *a, size_t i)
{
    const struct answer_call *call = &a->calls[i];

    rx_buf_addf(b,
        "{\"functionCall\":{\"id\":\"%s%zu\",\"name\":\"" RX_STR_FMT
        "\",\"args\":" RX_STR_FMT "}",
        a->id, i, RX_STR_ARG(call->tool->name), RX_STR_ARG(call->args));
    if (i == 0)
        rx_buf_addf(b, ",\"thoughtSignature\":\"%s%s\"", a->id, a->id);
    rx_buf_addc(b, '}');
}

static void
open_parts(struct rx_buf *b)
{
    rx_buf_add(b, RX_S("{\"candidates\":[{\"content\":{\"parts\":["));
}

static void
close_parts(struct rx_buf *b, const struct answer *a, bool finish)
{
    rx_buf_add(b, RX_S("],\"role\":\"model\"},"));
    if (finish)
        rx_buf_addf(b, "\"finishReason\":\"%s\",", stops[a->stop]);
    rx_buf_add(b, RX_S("\"index\":0}],"));
    add_usage(b, a);
    rx_buf_addf(b,
        ",\"modelVersion\":\"" RX_STR_FMT "\",\"responseId\":\"%s\"}",
        RX_STR_ARG(a->model), a->id);
}

static void
write_whole(struct script *s, const struct answer *a)
{
    struct rx_buf *b = &s->body;
    const char *comma = "";

    script_json(s, 200);
    open_parts(b);
    if (a->thinking.len > 0) {
        add_text_part(b, a->thinking, true);
        comma = ",";
    }
    if (a->text.len > 0) {
        rx_buf_addf(b, "%s", comma);
        add_text_part(b, a->text, false);
        comma = ",";
    }
    for (size_t i = 0; i < a->call_count; i++) {
        rx_buf_addf(b, "%s", comma);
        add_call_part(b, a, i);
        comma = ",";
    }
    close_parts(b, a, true);
}

static struct rx_buf *
chunk(struct writer *w)
{
    if (w->q->sse)
        script_event(w->s, NULL);
    else
        rx_buf_add(&w->s->body, w->first ? RX_S("[") : RX_S(",\r\n"));
    w->first = false;
    open_parts(&w->s->body);
    return &w->s->body;
}

static void
chunk_end(struct writer *w, bool finish)
{
    close_parts(&w->s->body, w->a, finish);
    if (w->q->sse) {
        script_event_end(w->s);
        return;
    }
    if (finish)
        rx_buf_addc(&w->s->body, ']');
    script_piece_end(w->s);
}

static void
stream_texts(struct writer *w, rx_str text, size_t pieces, bool thought)
{
    struct answer_pieces p = { text, pieces };
    rx_str piece;

    while (answer_next_piece(&p, &piece)) {
        add_text_part(chunk(w), piece, thought);
        chunk_end(w, false);
    }
}

static void
write_stream(struct writer *w)
{
    const struct answer *a = w->a;

    if (w->q->sse) {
        script_sse(w->s);
    } else {
        script_json(w->s, 200);
        w->s->stream = true;
    }
    if (a->thinking.len > 0)
        stream_texts(w, a->thinking, 3, true);
    stream_texts(w, a->text, a->pieces, false);
    if (a->call_count > 0) {
        struct rx_buf *b = chunk(w);

        for (size_t i = 0; i < a->call_count; i++) {
            rx_buf_add(b, i == 0 ? RX_S("") : RX_S(","));
            add_call_part(b, a, i);
        }
        chunk_end(w, false);
    }
    script_mark_terminal(w->s);
    add_text_part(chunk(w), RX_S(""), false);
    chunk_end(w, true);
}

void
script_gemini(
    struct script *s, const struct question *q, const struct answer *a)
{
    struct writer w = { .s = s, .q = q, .a = a, .first = true };

    if (q->stream)
        write_stream(&w);
    else
        write_whole(s, a);
}
