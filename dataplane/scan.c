#include "dataplane/scan.h"

#include <assert.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/json_span.h"

struct work {
    struct rx_span j;
    rx_str body;
    struct scan *out;
    struct rx_err *err;
};

/* A reader stands at the value of `name` and must pass it. */
typedef enum rx_code reader(struct work *w, rx_str name);

/* The members of an object that are looked at; all others are skipped. */
struct field {
    rx_str name;
    reader *read;
};

static enum rx_code
wrong(struct work *w, rx_str name, const char *what)
{
    return rx_fail(
        w->err, RX_INVALID, RX_STR_FMT ": must be %s", RX_STR_ARG(name), what);
}

/* Clients write null for "not given". */
static bool
given(struct work *w)
{
    return rx_span_kind(&w->j) != RX_SPAN_NULL || !rx_span_skip(&w->j, NULL);
}

static enum rx_code
read_string(struct work *w, rx_str name, rx_str *out, rx_str *token)
{
    rx_str value;

    *out = (rx_str){ 0 };
    *token = (rx_str){ 0 };
    if (!given(w))
        return RX_OK;
    if (rx_span_kind(&w->j) != RX_SPAN_STRING)
        return wrong(w, name, "a string");
    if (rx_span_skip(&w->j, &value)) {
        *token = value;
        *out = (rx_str){ value.ptr + 1, value.len - 2 };
    }
    return RX_OK;
}

static enum rx_code
read_model(struct work *w, rx_str name)
{
    return read_string(w, name, &w->out->model, &w->out->model_token);
}

static enum rx_code
read_user_id(struct work *w, rx_str name)
{
    rx_str token;

    return read_string(w, name, &w->out->user_id, &token);
}

static enum rx_code
read_prompt_cache_key(struct work *w, rx_str name)
{
    rx_str token;

    return read_string(w, name, &w->out->prompt_cache_key, &token);
}

/* Null is what the SDKs send for none. */
static enum rx_code
read_previous(struct work *w, rx_str name)
{
    rx_str token;

    if (rx_span_kind(&w->j) == RX_SPAN_NULL) {
        rx_span_skip(&w->j, NULL);
        return RX_OK;
    }
    return read_string(w, name, &w->out->previous, &token);
}

static enum rx_code
read_flag(struct work *w, rx_str name, bool *there, bool *out)
{
    *there = *out = false;
    if (!given(w))
        return RX_OK;
    enum rx_span_kind kind = rx_span_kind(&w->j);
    if (kind != RX_SPAN_TRUE && kind != RX_SPAN_FALSE)
        return wrong(w, name, "true or false");
    *there = rx_span_bool(&w->j, out);
    return RX_OK;
}

static enum rx_code
read_stream(struct work *w, rx_str name)
{
    bool there;

    return read_flag(w, name, &there, &w->out->stream);
}

static enum rx_code
read_include_usage(struct work *w, rx_str name)
{
    return read_flag(
        w, name, &w->out->has_include_usage, &w->out->include_usage);
}

/* What is no whole number is for the upstream to judge. */
static enum rx_code
read_max_tokens(struct work *w, rx_str name)
{
    if (!given(w))
        return RX_OK;
    if (rx_span_kind(&w->j) != RX_SPAN_NUMBER)
        return wrong(w, name, "a number");
    w->out->has_max_tokens = rx_span_u64(&w->j, &w->out->max_tokens);
    return RX_OK;
}

/* Where it stands; what is in it is looked at when somebody asks. */
static enum rx_code
read_list(struct work *w, rx_str name, enum scan_part part)
{
    w->out->parts[part] = (rx_str){ 0 };
    if (!given(w))
        return RX_OK;
    if (rx_span_kind(&w->j) != RX_SPAN_ARRAY)
        return wrong(w, name, "an array");
    rx_span_skip(&w->j, &w->out->parts[part]);
    return RX_OK;
}

static enum rx_code
read_messages(struct work *w, rx_str name)
{
    return read_list(w, name, SCAN_MESSAGES);
}

static enum rx_code
read_tools(struct work *w, rx_str name)
{
    return read_list(w, name, SCAN_TOOLS);
}

/* Whatever they are, they are for others to judge. */
static enum rx_code
note_part(struct work *w, enum scan_part part)
{
    rx_str value = { 0 };

    if (given(w) && rx_span_skip(&w->j, &value))
        w->out->parts[part] = value;
    return RX_OK;
}

static enum rx_code
read_system(struct work *w, rx_str name)
{
    (void)name;
    return note_part(w, SCAN_SYSTEM);
}

static enum rx_code
read_thinking(struct work *w, rx_str name)
{
    (void)name;
    return note_part(w, SCAN_THINKING);
}

static enum rx_code
read_search(struct work *w, rx_str name)
{
    (void)name;
    return note_part(w, SCAN_SEARCH);
}

/* Responses: a plain text is one user message. */
static enum rx_code
read_input(struct work *w, rx_str name)
{
    if (rx_span_kind(&w->j) != RX_SPAN_STRING)
        return read_messages(w, name);
    return note_part(w, SCAN_MESSAGES);
}

static enum rx_code read_members(
    struct work *w, const struct field *fields, size_t n);

/* An object of which some members are looked at. */
static enum rx_code
read_object(struct work *w, rx_str name, const struct field *fields, size_t n)
{
    if (!given(w))
        return RX_OK;
    if (rx_span_kind(&w->j) != RX_SPAN_OBJECT)
        return wrong(w, name, "an object");
    enum rx_code code = read_members(w, fields, n);
    if (code != RX_OK)
        return rx_because(w->err, RX_STR_FMT, RX_STR_ARG(name));
    return RX_OK;
}

static enum rx_code
read_metadata(struct work *w, rx_str name)
{
    static const struct field fields[] = {
        { RX_STR_INIT("user_id"), read_user_id },
    };

    w->out->user_id = (rx_str){ 0 };
    return read_object(w, name, fields, RX_COUNT(fields));
}

static enum rx_code
read_stream_options(struct work *w, rx_str name)
{
    static const struct field fields[] = {
        { RX_STR_INIT("include_usage"), read_include_usage },
    };

    w->out->has_include_usage = w->out->include_usage = false;
    rx_span_kind(&w->j); /* to where the value begins */
    const char *from = w->j.at;
    enum rx_code code = read_object(w, name, fields, RX_COUNT(fields));
    w->out->stream_options = (rx_str){ from, (size_t)(w->j.at - from) };
    return code;
}

static enum rx_code
read_generation_config(struct work *w, rx_str name)
{
    static const struct field fields[] = {
        { RX_STR_INIT("maxOutputTokens"), read_max_tokens },
        { RX_STR_INIT("max_output_tokens"), read_max_tokens },
        { RX_STR_INIT("thinkingConfig"), read_thinking },
        { RX_STR_INIT("thinking_config"), read_thinking },
    };

    return read_object(w, name, fields, RX_COUNT(fields));
}

static const struct field anthropic_fields[] = {
    { RX_STR_INIT("model"), read_model },
    { RX_STR_INIT("stream"), read_stream },
    { RX_STR_INIT("max_tokens"), read_max_tokens },
    { RX_STR_INIT("messages"), read_messages },
    { RX_STR_INIT("tools"), read_tools },
    { RX_STR_INIT("system"), read_system },
    { RX_STR_INIT("thinking"), read_thinking },
    { RX_STR_INIT("metadata"), read_metadata },
};

/* Also embeddings, legacy completions, images, audio. */
static const struct field chat_fields[] = {
    { RX_STR_INIT("model"), read_model },
    { RX_STR_INIT("stream"), read_stream },
    { RX_STR_INIT("max_tokens"), read_max_tokens },
    { RX_STR_INIT("max_completion_tokens"), read_max_tokens },
    { RX_STR_INIT("messages"), read_messages },
    { RX_STR_INIT("tools"), read_tools },
    { RX_STR_INIT("stream_options"), read_stream_options },
    { RX_STR_INIT("reasoning_effort"), read_thinking },
    { RX_STR_INIT("reasoning"), read_thinking },
    { RX_STR_INIT("thinking"), read_thinking },
    { RX_STR_INIT("enable_thinking"), read_thinking },
    { RX_STR_INIT("web_search_options"), read_search },
    { RX_STR_INIT("prompt_cache_key"), read_prompt_cache_key },
};

static const struct field responses_fields[] = {
    { RX_STR_INIT("model"), read_model },
    { RX_STR_INIT("stream"), read_stream },
    { RX_STR_INIT("max_output_tokens"), read_max_tokens },
    { RX_STR_INIT("input"), read_input },
    { RX_STR_INIT("tools"), read_tools },
    { RX_STR_INIT("instructions"), read_system },
    { RX_STR_INIT("reasoning"), read_thinking },
    { RX_STR_INIT("prompt_cache_key"), read_prompt_cache_key },
    { RX_STR_INIT("previous_response_id"), read_previous },
};

/* Model and streaming are in the path. */
static const struct field gemini_fields[] = {
    { RX_STR_INIT("contents"), read_messages },
    { RX_STR_INIT("tools"), read_tools },
    { RX_STR_INIT("systemInstruction"), read_system },
    { RX_STR_INIT("system_instruction"), read_system },
    { RX_STR_INIT("generationConfig"), read_generation_config },
    { RX_STR_INIT("generation_config"), read_generation_config },
};

static const struct {
    const struct field *fields;
    size_t count;
} tables[] = {
    [DIALECT_ANTHROPIC] = { anthropic_fields, RX_COUNT(anthropic_fields) },
    [DIALECT_CHAT] = { chat_fields, RX_COUNT(chat_fields) },
    [DIALECT_RESPONSES] = { responses_fields, RX_COUNT(responses_fields) },
    [DIALECT_GEMINI] = { gemini_fields, RX_COUNT(gemini_fields) },
};

static enum rx_code
not_json(struct work *w)
{
    return rx_fail(w->err, RX_INVALID, "not valid JSON at byte %zu",
        (size_t)(w->j.at - w->body.ptr));
}

static enum rx_code
not_json_in(struct work *w, rx_str name)
{
    return rx_fail(w->err, RX_INVALID,
        RX_STR_FMT ": not valid JSON at byte %zu", RX_STR_ARG(name),
        (size_t)(w->j.at - w->body.ptr));
}

static enum rx_code
read_members(struct work *w, const struct field *fields, size_t n)
{
    rx_span_enter_object(&w->j);
    while (rx_span_member(&w->j, NULL)) {
        const struct field *f = fields;
        while (f < fields + n && !rx_span_key_is(&w->j, f->name))
            f++;
        if (f == fields + n) {
            rx_span_skip(&w->j, NULL);
            continue;
        }
        enum rx_code code = f->read(w, f->name);
        if (code != RX_OK)
            return code;
        if (w->j.bad)
            return not_json_in(w, f->name);
    }
    return w->j.bad ? not_json(w) : RX_OK;
}

/* Where the first member would go, and whether there is one. */
static void
note_opening(struct work *w)
{
    struct rx_span ahead = w->j;

    if (!rx_span_enter_object(&ahead))
        return;
    w->out->object_start = (size_t)(ahead.at - w->body.ptr);
    w->out->object_empty = !rx_span_member(&ahead, NULL);
}

enum rx_code
scan_request(
    enum dialect dialect, rx_str body, struct scan *out, struct rx_err *err)
{
    struct rx_err unasked;
    struct work w = {
        .body = body,
        .out = out,
        .err = err != NULL ? err : &unasked,
    };

    *out = (struct scan){ 0 };
    rx_span_init(&w.j, body);
    if (rx_span_kind(&w.j) != RX_SPAN_OBJECT)
        return rx_fail(w.err, RX_INVALID, "body: must be a JSON object");
    note_opening(&w);

    enum rx_code code =
        read_members(&w, tables[dialect].fields, tables[dialect].count);
    if (code != RX_OK)
        return code;
    return rx_span_finish(&w.j) ? RX_OK : not_json(&w);
}

size_t
scan_count(const struct scan *s, enum scan_part part)
{
    struct rx_span j;
    size_t count = 0;

    rx_span_init(&j, s->parts[part]);
    if (rx_span_kind(&j) == RX_SPAN_STRING)
        return 1;
    if (rx_span_kind(&j) != RX_SPAN_ARRAY)
        return 0;
    rx_span_enter_array(&j);
    while (rx_span_element(&j) && rx_span_skip(&j, NULL))
        count++;
    return count;
}

size_t
splice_pieces(rx_str body, const struct splice *edits, size_t n,
    rx_str pieces[2 * SPLICE_MAX + 1])
{
    const char *at = body.ptr;
    size_t count = 0;

    assert(n <= SPLICE_MAX);
    for (size_t i = 0; i < n; i++) {
        assert(edits[i].at.ptr >= at);
        if (edits[i].at.ptr > at)
            pieces[count++] = (rx_str){ at, (size_t)(edits[i].at.ptr - at) };
        if (edits[i].with.len > 0)
            pieces[count++] = edits[i].with;
        at = edits[i].at.ptr + edits[i].at.len;
    }
    assert(at <= body.ptr + body.len);
    if (at < body.ptr + body.len)
        pieces[count++] = (rx_str){ at, (size_t)(body.ptr + body.len - at) };
    return count;
}

bool
scan_unescape(rx_str escaped, struct rx_buf *out)
{
    return rx_span_unescape(escaped, out);
}
