#include "dataplane/codec/estimate.h"

#include <string.h>

#include "dataplane/codec/image.h"
#include "dataplane/codec/put.h"
#include "dataplane/tally.h"
#include "shared/attr.h"
#include "shared/json_span.h"

/* Deeper than any request goes; what is below counts as it is written. */
#define DEPTH_MAX    32
/* A text whose beginning has a sign among so many bytes is code. */
#define SAMPLE       512
#define SIGN_AMONG   8
#define BYTES_A_PAGE ((uint64_t)40 * 1024)

/* Measured (see tests/unit/test_estimate.c); bytes are per ten tokens. */
struct rule {
    uint64_t prose, code, tools, other;
    uint64_t message; /* tokens around each message */
    uint64_t request; /* … and around the whole */
    uint64_t tool;    /* … and each tool */
    uint64_t tooling; /* what is told once to explain tools */
    uint64_t page;    /* of a document */
    uint64_t second;  /* of sound */
    uint64_t (*image)(uint32_t width, uint32_t height);
};

struct estimate {
    const struct rule *rule;
    struct tally prose, tools;
    uint64_t extra; /* tokens that are not text */
};

/* --- images ------------------------------------------------------------------ */

static uint64_t
divide_up(uint64_t n, uint64_t by)
{
    return (n + by - 1) / by;
}

/* Scale both so that the larger is at most `most`. */
static void
fit_larger(uint64_t *w, uint64_t *h, uint64_t most)
{
    uint64_t larger = *w > *h ? *w : *h;

    if (larger <= most)
        return;
    *w = divide_up(*w * most, larger);
    *h = divide_up(*h * most, larger);
}

static uint64_t
image_anthropic(uint32_t width, uint32_t height)
{
    uint64_t w = width;
    uint64_t h = height;

    fit_larger(&w, &h, 1568);
    uint64_t tokens = divide_up(w * h, 750);
    return tokens < 1600 ? tokens : 1600;
}

static uint64_t
image_openai(uint32_t width, uint32_t height)
{
    uint64_t w = width;
    uint64_t h = height;

    fit_larger(&w, &h, 2048);
    uint64_t smaller = w < h ? w : h;
    if (smaller > 768) {
        w = divide_up(w * 768, smaller);
        h = divide_up(h * 768, smaller);
    }
    return 85 + 170 * divide_up(w, 512) * divide_up(h, 512);
}

static uint64_t
image_gemini(uint32_t width, uint32_t height)
{
    if (width <= 384 && height <= 384)
        return 258;
    uint64_t w = width;
    uint64_t h = height;
    fit_larger(&w, &h, 3072);
    return 258 * divide_up(w, 768) * divide_up(h, 768);
}

#define OPENAI                                                             \
    {                                                                      \
        .prose = 42, .code = 33, .tools = 55, .other = 40, .message = 4,   \
        .request = 3, .tool = 8, .tooling = 8, .page = 1100, .second = 10, \
        .image = image_openai                                              \
    }

static const struct rule rules[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = { .prose = 38,
        .code = 31,
        .tools = 35,
        .other = 30,
        .message = 4,
        .request = 4,
        .tool = 30,
        .tooling = 420,
        .page = 2300,
        .second = 30,
        .image = image_anthropic },
    [DIALECT_CHAT] = OPENAI,
    [DIALECT_RESPONSES] = OPENAI,
    [DIALECT_GEMINI] = { .prose = 42,
        .code = 33,
        .tools = 42,
        .other = 40,
        .message = 1,
        .request = 1,
        .tool = 8,
        .tooling = 0,
        .page = 258,
        .second = 32,
        .image = image_gemini },
};
#undef OPENAI

/* --- text --------------------------------------------------------------------- */

static bool
looks_like_code(rx_str text)
{
    size_t n = text.len < SAMPLE ? text.len : SAMPLE;
    size_t signs = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        signs += (c > ' ' && c < '0') || (c > '9' && c < 'A') ||
                 (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7f);
    }
    return signs * SIGN_AMONG > n;
}

static void
add_text(struct estimate *e, rx_str text)
{
    if (looks_like_code(text))
        tally_add_code(&e->prose, text);
    else
        tally_add(&e->prose, text);
}

/* JSON as it is written, but for the blanks between. */
static void
add_json(struct tally *t, rx_str raw)
{
    const char *end = raw.ptr + raw.len;
    const char *from = raw.ptr;
    bool inside = false;

    for (const char *at = raw.ptr; at < end; at++) {
        if (inside) {
            if (*at == '\\' && end - at > 1)
                at++;
            else if (*at == '"')
                inside = false;
            continue;
        }
        inside = *at == '"';
        if (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t')
            continue;
        tally_add_code(t, (rx_str){ from, (size_t)(at - from) });
        from = at + 1;
    }
    tally_add_code(t, (rx_str){ from, (size_t)(end - from) });
}

/* --- media -------------------------------------------------------------------- */

static void
add_image(struct estimate *e, rx_str base64)
{
    uint32_t w;
    uint32_t h;

    if (!image_size(base64, &w, &h))
        w = h = 1024; /* only linked to, or of a kind not known */
    e->extra += e->rule->image(w, h);
}

static bool
starts(rx_str s, const char *with)
{
    return rx_str_starts(s, (rx_str){ with, strlen(with) });
}

/* A file: inline when `base64` is not empty. */
static void
add_file(struct estimate *e, rx_str mime, rx_str base64)
{
    uint64_t bytes = base64.len / 4 * 3;

    if (mime.len == 0)
        mime = image_mime(base64);
    if (starts(mime, "text/"))
        tally_add(&e->prose, (rx_str){ base64.ptr, (size_t)bytes });
    else if (starts(mime, "application/"))
        e->extra += e->rule->page * (1 + bytes / BYTES_A_PAGE);
    else if (starts(mime, "audio/"))
        e->extra += e->rule->second * (1 + bytes / 16000);
    else if (starts(mime, "video/"))
        e->extra += 300 * (1 + bytes / 250000);
    else
        add_image(e, base64);
}

/* "data:image/png;base64,…", or a URL that somebody else will open. */
static void
add_url(struct estimate *e, rx_str url)
{
    rx_str head;
    rx_str data;
    rx_str mime;
    rx_str rest;

    if (!starts(url, "data:") || !rx_str_cut(url, ',', &head, &data)) {
        add_image(e, (rx_str){ 0 });
        return;
    }
    rx_str_cut(head, ';', &mime, &rest);
    mime = (rx_str){ mime.ptr + 5, mime.len - 5 };
    add_file(e, mime, data);
}

/* --- the walk ------------------------------------------------------------------ */

static void walk(struct estimate *e, struct rx_span *j, unsigned depth);

static void
walk_skip(struct estimate *e, struct rx_span *j, unsigned depth)
{
    (void)e;
    (void)depth;
    rx_span_skip(j, NULL);
}

static void
walk_json(struct estimate *e, struct rx_span *j, unsigned depth)
{
    rx_str raw;

    (void)depth;
    if (rx_span_kind(j) == RX_SPAN_STRING) {
        if (rx_span_string(j, &raw))
            tally_add_code(&e->prose, raw);
    } else if (rx_span_skip(j, &raw)) {
        add_json(&e->prose, raw);
    }
}

static void
walk_url(struct estimate *e, struct rx_span *j, unsigned depth)
{
    rx_str url = { 0 };

    (void)depth;
    if (rx_span_kind(j) != RX_SPAN_OBJECT) {
        if (rx_span_string(j, &url))
            add_url(e, url);
        return;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, RX_S("url")))
            rx_span_string(j, &url);
        else
            rx_span_skip(j, NULL);
    }
    add_url(e, url);
}

static bool
key_among(const struct rx_span *j, const rx_str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rx_span_key_is(j, names[i]))
            return true;
    }
    return false;
}

static bool
is_plain(rx_str type)
{
    return rx_str_eq(type, RX_S("text")) || rx_str_eq(type, RX_S("content"));
}

/* {"media_type","data"} and its like; a document's text is text. */
static void
walk_file(struct estimate *e, struct rx_span *j, unsigned depth)
{
    static const rx_str mimes[] = { RX_STR_INIT("media_type"),
        RX_STR_INIT("mimeType"), RX_STR_INIT("mime_type") };
    rx_str mime = { 0 };
    rx_str data = { 0 };
    rx_str type = { 0 };
    rx_str format = { 0 };

    if (rx_span_kind(j) != RX_SPAN_OBJECT) {
        walk(e, j, depth);
        return;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        if (key_among(j, mimes, RX_COUNT(mimes)))
            rx_span_string(j, &mime);
        else if (rx_span_key_is(j, RX_S("data")))
            rx_span_string(j, &data);
        else if (rx_span_key_is(j, RX_S("type")))
            rx_span_string(j, &type);
        else if (rx_span_key_is(j, RX_S("format")))
            rx_span_string(j, &format);
        else if (rx_span_key_is(j, RX_S("content")))
            walk(e, j, depth + 1);
        else
            rx_span_skip(j, NULL);
    }
    if (is_plain(type))
        add_text(e, data);
    else
        add_file(e, format.len > 0 ? RX_S("audio/") : mime, data);
}

struct member {
    rx_str name;
    void (*walk)(struct estimate *e, struct rx_span *j, unsigned depth);
};

/* What is no text, in the parts of messages of any dialect. */
static const struct member members[] = {
    { RX_STR_INIT("type"), walk_skip },
    { RX_STR_INIT("role"), walk_skip },
    { RX_STR_INIT("id"), walk_skip },
    { RX_STR_INIT("tool_use_id"), walk_skip },
    { RX_STR_INIT("tool_call_id"), walk_skip },
    { RX_STR_INIT("call_id"), walk_skip },
    { RX_STR_INIT("cache_control"), walk_skip },
    { RX_STR_INIT("citations"), walk_skip },
    { RX_STR_INIT("annotations"), walk_skip },
    { RX_STR_INIT("logprobs"), walk_skip },
    { RX_STR_INIT("status"), walk_skip },
    { RX_STR_INIT("signature"), walk_skip },
    { RX_STR_INIT("thoughtSignature"), walk_skip },
    { RX_STR_INIT("thought_signature"), walk_skip },
    { RX_STR_INIT("encrypted_content"), walk_skip },
    { RX_STR_INIT("filename"), walk_skip },
    { RX_STR_INIT("detail"), walk_skip },
    { RX_STR_INIT("arguments"), walk_json },
    { RX_STR_INIT("input"), walk_json },
    { RX_STR_INIT("args"), walk_json },
    { RX_STR_INIT("response"), walk_json },
    { RX_STR_INIT("image_url"), walk_url },
    { RX_STR_INIT("file_data"), walk_url },
    { RX_STR_INIT("file_url"), walk_url },
    { RX_STR_INIT("source"), walk_file },
    { RX_STR_INIT("inlineData"), walk_file },
    { RX_STR_INIT("inline_data"), walk_file },
    { RX_STR_INIT("fileData"), walk_file },
    { RX_STR_INIT("file_data"), walk_file },
    { RX_STR_INIT("input_audio"), walk_file },
};

static void
walk_member(struct estimate *e, struct rx_span *j, unsigned depth)
{
    for (size_t i = 0; i < RX_COUNT(members); i++) {
        if (rx_span_key_is(j, members[i].name)) {
            members[i].walk(e, j, depth);
            return;
        }
    }
    walk(e, j, depth);
}

static void
walk(struct estimate *e, struct rx_span *j, unsigned depth)
{
    rx_str text;

    if (depth == DEPTH_MAX) {
        walk_json(e, j, depth);
        return;
    }
    enum rx_span_kind kind = rx_span_kind(j);
    if (kind == RX_SPAN_STRING) {
        if (rx_span_string(j, &text))
            add_text(e, text);
    } else if (kind == RX_SPAN_ARRAY) {
        rx_span_enter_array(j);
        while (rx_span_element(j))
            walk(e, j, depth + 1);
    } else if (kind == RX_SPAN_OBJECT) {
        rx_span_enter_object(j);
        while (rx_span_member(j, NULL))
            walk_member(e, j, depth + 1);
    } else {
        rx_span_skip(j, NULL);
    }
}

/* --- the members of a request ---------------------------------------------------- */

static void
walk_messages(struct estimate *e, struct rx_span *j, unsigned depth)
{
    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        e->extra += e->rule->message;
        walk(e, j, depth);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j)) {
        e->extra += e->rule->message;
        walk(e, j, depth + 1);
    }
}

static void
walk_tools(struct estimate *e, struct rx_span *j, unsigned depth)
{
    rx_str raw;
    uint64_t n = 0;

    (void)depth;
    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j) && rx_span_skip(j, &raw)) {
        add_json(&e->tools, raw);
        e->extra += e->rule->tool;
        n++;
    }
    if (n > 0)
        e->extra += e->rule->tooling;
}

/* A schema for the answer, wherever it stands among the settings. */
static void
walk_settings(struct estimate *e, struct rx_span *j, unsigned depth)
{
    static const rx_str names[] = { RX_STR_INIT("schema"),
        RX_STR_INIT("responseSchema"), RX_STR_INIT("response_schema"),
        RX_STR_INIT("responseJsonSchema"),
        RX_STR_INIT("response_json_schema") };
    rx_str raw;

    if (rx_span_kind(j) != RX_SPAN_OBJECT || depth > 4) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        if (!key_among(j, names, RX_COUNT(names)))
            walk_settings(e, j, depth + 1);
        else if (rx_span_skip(j, &raw))
            add_json(&e->tools, raw);
    }
}

static void walk_request(struct estimate *e, struct rx_span *j, unsigned depth);

static const struct member top[] = {
    { RX_STR_INIT("system"), walk_messages },
    { RX_STR_INIT("instructions"), walk_messages },
    { RX_STR_INIT("systemInstruction"), walk_messages },
    { RX_STR_INIT("system_instruction"), walk_messages },
    { RX_STR_INIT("messages"), walk_messages },
    { RX_STR_INIT("input"), walk_messages },
    { RX_STR_INIT("contents"), walk_messages },
    { RX_STR_INIT("prompt"), walk_messages },
    { RX_STR_INIT("tools"), walk_tools },
    { RX_STR_INIT("functions"), walk_tools },
    { RX_STR_INIT("output_config"), walk_settings },
    { RX_STR_INIT("response_format"), walk_settings },
    { RX_STR_INIT("text"), walk_settings },
    { RX_STR_INIT("generationConfig"), walk_settings },
    { RX_STR_INIT("generation_config"), walk_settings },
    { RX_STR_INIT("generateContentRequest"), walk_request },
    { RX_STR_INIT("generate_content_request"), walk_request },
};

static void
walk_request(struct estimate *e, struct rx_span *j, unsigned depth)
{
    if (rx_span_kind(j) != RX_SPAN_OBJECT || depth > 1) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        size_t i = 0;
        while (i < RX_COUNT(top) && !rx_span_key_is(j, top[i].name))
            i++;
        if (i < RX_COUNT(top))
            top[i].walk(e, j, depth + 1);
        else
            rx_span_skip(j, NULL);
    }
}

static uint64_t
tokens_of(const struct tally *t, const struct rule *r, uint64_t code)
{
    return divide_up(t->ascii * 10, r->prose) + divide_up(t->code * 10, code) +
           divide_up(t->other * 10, r->other) + t->cjk;
}

uint64_t
estimate_tokens(enum dialect dialect, rx_str body)
{
    struct estimate e = { .rule = &rules[dialect] };
    struct rx_span j;

    rx_span_init(&j, body);
    walk_request(&e, &j, 0);
    return tokens_of(&e.prose, e.rule, e.rule->code) +
           tokens_of(&e.tools, e.rule, e.rule->tools) + e.extra +
           e.rule->request;
}

void
estimate_answer(enum dialect dialect, uint64_t tokens, struct rx_buf *out)
{
    put_open(out, '{');
    if (dialect == DIALECT_RESPONSES)
        put_member_word(out, "object", "response.input_tokens");
    put_member_u64(out,
        dialect == DIALECT_GEMINI ? "totalTokens" : "input_tokens", tokens);
    put_close(out, '}');
}
