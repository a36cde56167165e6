#include "tests/demo/small.h"

#include <inttypes.h>
#include <string.h>

#include "tests/demo/fault.h"
#include "tests/demo/span.h"

#define DIMENSIONS     8
#define DIMENSIONS_MAX 4096

/* The catalogue.  Any other model name is answered as well. */
static const struct {
    const char *id;
    const char *title;
    const char *owner;
} models[] = {
    { "claude-sonnet-4-5", "Claude Sonnet 4.5", "anthropic" },
    { "claude-haiku-4-5", "Claude Haiku 4.5", "anthropic" },
    { "claude-opus-4-8", "Claude Opus 4.8", "anthropic" },
    { "gpt-5.5", "GPT-5.5", "openai" },
    { "gpt-5.4-nano", "GPT-5.4 nano", "openai" },
    { "gemini-2.5-pro", "Gemini 2.5 Pro", "google" },
    { "gemini-2.5-flash", "Gemini 2.5 Flash", "google" },
    { "demo", "Demo", "routex" },
};

static struct rx_buf *
json(const struct small *x)
{
    script_json(x->s, 200);
    return &x->s->body;
}

/* ---- counting ---- */

void
small_count_anthropic(const struct small *x)
{
    rx_buf_addf(json(x), "{\"input_tokens\":%" PRIu64 "}", x->a->input);
}

void
small_count_responses(const struct small *x)
{
    rx_buf_addf(json(x),
        "{\"object\":\"response.input_tokens\",\"input_tokens\":%" PRIu64 "}",
        x->a->input);
}

/* The contents may stand in a generateContentRequest. */
void
small_count_gemini(const struct small *x)
{
    rx_str inner = span_get(x->body, "generateContentRequest");
    uint64_t tokens = x->a->input;
    struct question q;

    if (inner.len > 0 &&
        question_read(&q, DEMO_GEMINI, (rx_str){ NULL, 0 }, inner))
        tokens = (q.prompt_bytes + 3) / 4;
    rx_buf_addf(json(x),
        "{\"totalTokens\":%" PRIu64
        ",\"promptTokensDetails\":[{\"modality\":\"TEXT\","
        "\"tokenCount\":%" PRIu64 "}]}",
        tokens, tokens);
}

/* ---- legacy completions ---- */

static void
add_completion(
    struct script *s, const struct answer *a, rx_str text, const char *finish)
{
    struct rx_buf *b = &s->body;

    rx_buf_addf(b,
        "{\"id\":\"cmpl-%s\",\"object\":\"text_completion\",\"created\":%d,"
        "\"model\":\"" RX_STR_FMT "\",\"choices\":[{\"text\":\"",
        a->id, SCRIPT_CREATED, RX_STR_ARG(a->model));
    rx_buf_add(b, text);
    rx_buf_add(b, RX_S("\",\"index\":0,\"logprobs\":null,\"finish_reason\":"));
    if (finish == NULL)
        rx_buf_add(b, RX_S("null}]"));
    else
        rx_buf_addf(b, "\"%s\"}]", finish);
}

static void
add_completion_usage(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b,
        ",\"usage\":{\"prompt_tokens\":%" PRIu64
        ",\"completion_tokens\":%" PRIu64 ",\"total_tokens\":%" PRIu64 "}",
        a->input, a->output, a->input + a->output);
}

static void
stream_completion(const struct small *x, const char *finish)
{
    struct answer_pieces p = { x->a->text, x->a->pieces };
    struct script *s = x->s;
    rx_str piece;

    script_sse(s);
    while (answer_next_piece(&p, &piece)) {
        script_event(s, NULL);
        add_completion(s, x->a, piece, NULL);
        rx_buf_addc(&s->body, '}');
        script_event_end(s);
    }
    script_mark_terminal(s);
    script_event(s, NULL);
    add_completion(s, x->a, RX_S(""), finish);
    if (x->q->include_usage)
        add_completion_usage(&s->body, x->a);
    rx_buf_addc(&s->body, '}');
    script_event_end(s);
    script_event(s, NULL);
    rx_buf_add(&s->body, RX_S("[DONE]"));
    script_event_end(s);
}

void
small_completion(const struct small *x)
{
    const char *finish = x->a->stop == ANSWER_LENGTH ? "length" : "stop";

    if (x->q->stream) {
        stream_completion(x, finish);
        return;
    }
    script_json(x->s, 200);
    add_completion(x->s, x->a, x->a->text, finish);
    add_completion_usage(&x->s->body, x->a);
    rx_buf_addc(&x->s->body, '}');
}

/* ---- embeddings ---- */

/* Coordinate `i` of a text: a small exact fraction from its digest. */
static float
coordinate(rx_str text, uint64_t i)
{
    uint64_t h = question_digest(text) + i * 0x9e3779b97f4a7c15U;

    h ^= h >> 31;
    h *= 0xbf58476d1ce4e5b9U;
    return (float)(int)(h >> 56) / 256.0F - 0.5F;
}

static void
add_numbers(struct rx_buf *b, rx_str text, uint64_t dimensions)
{
    rx_buf_addc(b, '[');
    for (uint64_t i = 0; i < dimensions; i++)
        rx_buf_addf(
            b, "%s%.8g", i == 0 ? "" : ",", (double)coordinate(text, i));
    rx_buf_addc(b, ']');
}

static void
add_base64_group(struct rx_buf *b, const unsigned char *p, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned v = (unsigned)p[0] << 16;

    if (n > 1)
        v |= (unsigned)p[1] << 8;
    if (n > 2)
        v |= p[2];
    rx_buf_addc(b, digits[v >> 18]);
    rx_buf_addc(b, digits[v >> 12 & 63]);
    rx_buf_addc(b, n > 1 ? digits[v >> 6 & 63] : '=');
    rx_buf_addc(b, n > 2 ? digits[v & 63] : '=');
}

/* Little-endian float32s, as the OpenAI SDK asks for by default. */
static void
add_base64(struct rx_buf *b, rx_str text, uint64_t dimensions)
{
    unsigned char bytes[DIMENSIONS_MAX * 4];
    size_t size = (size_t)dimensions * 4;

    for (uint64_t i = 0; i < dimensions; i++) {
        float f = coordinate(text, i);
        uint32_t bits;

        memcpy(&bits, &f, sizeof(bits));
        for (size_t k = 0; k < 4; k++)
            bytes[i * 4 + k] = (unsigned char)(bits >> (8 * k));
    }
    rx_buf_addc(b, '"');
    for (size_t i = 0; i < size; i += 3)
        add_base64_group(b, bytes + i, size - i);
    rx_buf_addc(b, '"');
}

static uint64_t
dimensions_of(rx_str body, const char *member)
{
    uint64_t n;

    if (!rx_str_u64(span_get(body, member), &n) || n == 0 || n > DIMENSIONS_MAX)
        return DIMENSIONS;
    return n;
}

static void
add_embedding(
    const struct small *x, struct rx_buf *b, size_t index, rx_str text)
{
    uint64_t dimensions = dimensions_of(x->body, "dimensions");
    bool base64 =
        rx_str_eq(span_get_text(x->body, "encoding_format"), RX_S("base64"));

    rx_buf_addf(b, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":",
        index == 0 ? "" : ",", index);
    if (base64)
        add_base64(b, text, dimensions);
    else
        add_numbers(b, text, dimensions);
    rx_buf_addc(b, '}');
}

/* An input is a text, tokens, or a list of either. */
void
small_embeddings(const struct small *x)
{
    rx_str input = span_get(x->body, "input");
    struct span_walk w = span_walk(input);
    struct rx_buf *b = json(x);
    size_t index = 0;
    rx_str key;
    rx_str item;

    rx_buf_add(b, RX_S("{\"object\":\"list\",\"data\":["));
    while (span_next(&w, &key, &item)) {
        if (item.ptr[0] == '"' || item.ptr[0] == '[')
            add_embedding(x, b, index++, item);
    }
    if (index == 0)
        add_embedding(x, b, 0, input);
    rx_buf_addf(b,
        "],\"model\":\"" RX_STR_FMT "\",\"usage\":{\"prompt_tokens\":%" PRIu64
        ",\"total_tokens\":%" PRIu64 "}}",
        RX_STR_ARG(x->a->model), x->a->input, x->a->input);
}

void
small_embed_gemini(const struct small *x)
{
    struct rx_buf *b = json(x);

    rx_buf_add(b, RX_S("{\"embedding\":{\"values\":"));
    add_numbers(b, span_get(x->body, "content"),
        dimensions_of(x->body, "outputDimensionality"));
    rx_buf_add(b, RX_S("}}"));
}

void
small_embed_gemini_batch(const struct small *x)
{
    struct span_walk w = span_walk(span_get(x->body, "requests"));
    struct rx_buf *b = json(x);
    const char *comma = "";
    rx_str key;
    rx_str item;

    rx_buf_add(b, RX_S("{\"embeddings\":["));
    while (span_next(&w, &key, &item)) {
        rx_buf_addf(b, "%s{\"values\":", comma);
        add_numbers(b, span_get(item, "content"),
            dimensions_of(item, "outputDimensionality"));
        rx_buf_addc(b, '}');
        comma = ",";
    }
    rx_buf_add(b, RX_S("]}"));
}

/* ---- models ---- */

static void
add_openai_model(struct rx_buf *b, rx_str id, const char *owner)
{
    rx_buf_addf(b,
        "{\"id\":\"" RX_STR_FMT "\",\"object\":\"model\",\"created\":%d,"
        "\"owned_by\":\"%s\"}",
        RX_STR_ARG(id), SCRIPT_CREATED, owner);
}

static void
add_anthropic_model(struct rx_buf *b, rx_str id, const char *title)
{
    rx_buf_addf(b,
        "{\"type\":\"model\",\"id\":\"" RX_STR_FMT "\",\"display_name\":\"%s\","
        "\"created_at\":\"2025-11-22T00:00:00Z\"}",
        RX_STR_ARG(id), title);
}

static void
add_gemini_model(struct rx_buf *b, rx_str id, const char *title)
{
    rx_buf_addf(b,
        "{\"name\":\"models/" RX_STR_FMT "\",\"version\":\"001\","
        "\"displayName\":\"%s\",\"inputTokenLimit\":1048576,"
        "\"outputTokenLimit\":65536,\"supportedGenerationMethods\":"
        "[\"generateContent\",\"countTokens\",\"embedContent\"]}",
        RX_STR_ARG(id), title);
}

static rx_str
id_of(size_t i)
{
    return (rx_str){ models[i].id, strlen(models[i].id) };
}

void
small_models_openai(const struct small *x)
{
    struct rx_buf *b = json(x);

    rx_buf_add(b, RX_S("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < RX_COUNT(models); i++) {
        rx_buf_add(b, i == 0 ? RX_S("") : RX_S(","));
        add_openai_model(b, id_of(i), models[i].owner);
    }
    rx_buf_add(b, RX_S("]}"));
}

void
small_models_anthropic(const struct small *x)
{
    struct rx_buf *b = json(x);

    rx_buf_add(b, RX_S("{\"data\":["));
    for (size_t i = 0; i < RX_COUNT(models); i++) {
        rx_buf_add(b, i == 0 ? RX_S("") : RX_S(","));
        add_anthropic_model(b, id_of(i), models[i].title);
    }
    rx_buf_addf(b,
        "],\"has_more\":false,\"first_id\":\"%s\",\"last_id\":\"%s\"}",
        models[0].id, models[RX_COUNT(models) - 1].id);
}

void
small_models_gemini(const struct small *x)
{
    struct rx_buf *b = json(x);

    rx_buf_add(b, RX_S("{\"models\":["));
    for (size_t i = 0; i < RX_COUNT(models); i++) {
        rx_buf_add(b, i == 0 ? RX_S("") : RX_S(","));
        add_gemini_model(b, id_of(i), models[i].title);
    }
    rx_buf_add(b, RX_S("]}"));
}

void
small_model_openai(const struct small *x)
{
    add_openai_model(json(x), x->rest, "routex");
}

void
small_model_anthropic(const struct small *x)
{
    add_anthropic_model(json(x), x->rest, "Demo");
}

void
small_model_gemini(const struct small *x)
{
    add_gemini_model(json(x), x->rest, "Demo");
}

/* ---- stored responses ---- */

/* Nothing is stored: an id says all, and the answer is made from it again. */
void
small_response_get(const struct small *x)
{
    if (!rx_str_starts(x->rest, RX_S("resp_"))) {
        fault_reply(
            x->s, DEMO_RESPONSES, 404, "not_found", "no response of this id");
        return;
    }
    rx_buf_addf(json(x),
        "{\"id\":\"" RX_STR_FMT "\",\"object\":\"response\",\"created_at\":%d,"
        "\"status\":\"completed\",\"error\":null,\"incomplete_details\":null,"
        "\"instructions\":null,\"model\":\"demo\",\"output\":[],"
        "\"parallel_tool_calls\":true,\"temperature\":1.0,"
        "\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0,\"metadata\":{}}",
        RX_STR_ARG(x->rest), SCRIPT_CREATED);
}

void
small_response_delete(const struct small *x)
{
    rx_buf_addf(json(x),
        "{\"id\":\"" RX_STR_FMT
        "\",\"object\":\"response.deleted\",\"deleted\":true}",
        RX_STR_ARG(x->rest));
}

void
small_compact(const struct small *x)
{
    rx_buf_addf(json(x),
        "{\"id\":\"resp_%s\",\"object\":\"response.compaction\","
        "\"created_at\":%d,\"output\":[{\"id\":\"cmp_%s\","
        "\"type\":\"compaction\",\"encrypted_content\":\"gAAAA%s\"}],"
        "\"usage\":{\"input_tokens\":%" PRIu64
        ",\"input_tokens_details\":{\"cached_tokens\":0},"
        "\"output_tokens\":%" PRIu64
        ",\"output_tokens_details\":{\"reasoning_tokens\":0},"
        "\"total_tokens\":%" PRIu64 "}}",
        x->a->id, SCRIPT_CREATED, x->a->id, x->a->id, x->a->input, x->a->output,
        x->a->input + x->a->output);
}

/* ---- pictures, sound, judgement ---- */

/* One black dot. */
void
small_images(const struct small *x)
{
    rx_buf_addf(json(x),
        "{\"created\":%d,\"data\":[{\"b64_json\":\""
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgAB"
        "SK+kcQAAAABJRU5ErkJggg==\"}],\"usage\":{\"input_tokens\":%" PRIu64
        ",\"output_tokens\":1,\"total_tokens\":%" PRIu64 "}}",
        SCRIPT_CREATED, x->a->input, x->a->input + 1);
}

/* A second of silence would be long: a WAVE head with one sample. */
void
small_speech(const struct small *x)
{
    static const char wave[] =
        "RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0"
        "\x02\0\x10\0data\x02\0\0\0\0";

    x->s->status = 200;
    script_header(x->s, "content-type", "audio/wav");
    rx_buf_add(&x->s->body, (rx_str){ wave, sizeof(wave) });
}

void
small_transcription(const struct small *x)
{
    rx_buf_add(json(x), RX_S("{\"text\":\"The demo provider heard you.\"}"));
}

void
small_moderations(const struct small *x)
{
    rx_buf_addf(json(x),
        "{\"id\":\"modr-%s\",\"model\":\"" RX_STR_FMT "\",\"results\":["
        "{\"flagged\":false,\"categories\":{\"violence\":false},"
        "\"category_scores\":{\"violence\":0.0}}]}",
        x->a->id, RX_STR_ARG(x->a->model));
}

void
small_rerank(const struct small *x)
{
    struct span_walk w = span_walk(span_get(x->body, "documents"));
    struct rx_buf *b = json(x);
    size_t i = 0;
    rx_str key;
    rx_str item;

    rx_buf_addf(b, "{\"id\":\"%s\",\"results\":[", x->a->id);
    for (; span_next(&w, &key, &item); i++)
        rx_buf_addf(b, "%s{\"index\":%zu,\"relevance_score\":%.4f}",
            i == 0 ? "" : ",", i, 1.0 / (double)(i + 1));
    rx_buf_add(b, RX_S("],\"meta\":{\"billed_units\":{\"search_units\":1}}}"));
}

void
small_hello(const struct small *x)
{
    rx_buf_add(
        json(x), RX_S("{\"status\":\"ok\",\"service\":\"routex-demo\"}"));
}
