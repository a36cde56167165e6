#include "tests/demo/question.h"

#include <string.h>

#include "tests/demo/span.h"

/* Members of a request that matter, with their names in all dialects. */
enum field {
    MODEL,
    STREAM,
    TURNS,
    SYSTEM,
    TOOLS,
    THINKING,
    OPTIONS,
    LIMIT,
    INCLUDE,
    FIELDS,
};

static const struct {
    const char *name;
    enum field field;
} names[] = {
    { "model", MODEL },
    { "stream", STREAM },
    { "messages", TURNS },
    { "input", TURNS },
    { "contents", TURNS },
    { "prompt", TURNS },
    { "system", SYSTEM },
    { "instructions", SYSTEM },
    { "systemInstruction", SYSTEM },
    { "system_instruction", SYSTEM },
    { "tools", TOOLS },
    { "thinking", THINKING },
    { "reasoning", THINKING },
    { "reasoning_effort", THINKING },
    { "generationConfig", THINKING },
    { "generation_config", THINKING },
    { "stream_options", OPTIONS },
    { "max_tokens", LIMIT },
    { "max_completion_tokens", LIMIT },
    { "max_output_tokens", LIMIT },
    { "include", INCLUDE },
};

static bool
is(rx_str text, const char *word)
{
    return rx_str_eq(text, (rx_str){ word, strlen(word) });
}

static bool
holds(rx_str text, const char *word)
{
    return text.len > 0 &&
           memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

uint64_t
question_digest(rx_str bytes)
{
    uint64_t h = 0x9e3779b97f4a7c15U ^ bytes.len;
    size_t i = 0;

    for (; i + 8 <= bytes.len; i += 8) {
        uint64_t word;

        memcpy(&word, bytes.ptr + i, sizeof(word));
        h = (h ^ word) * 0xff51afd7ed558ccdU;
        h ^= h >> 32;
    }
    for (; i < bytes.len; i++)
        h = (h ^ (unsigned char)bytes.ptr[i]) * 0x100000001b3U;
    h ^= h >> 29;
    h *= 0xc4ceb9fe1a85ec53U;
    return h ^ h >> 32;
}

/* Texts that clients put beside what their user said. */
static bool
is_aside(rx_str text)
{
    return rx_str_starts(text, RX_S("<system-reminder")) ||
           rx_str_starts(text, RX_S("<environment_context"));
}

/* The text in a tool's result: a string, or the first string inside. */
static rx_str
result_text(rx_str value)
{
    struct span_walk w;
    rx_str key;
    rx_str item;

    if (span_text(value).len > 0)
        return span_text(value);
    w = span_walk(value);
    while (span_next(&w, &key, &item)) {
        rx_str text = span_get_text(item, "text");

        if (text.len > 0)
            return text;
        text = span_text(item);
        if (text.len > 0 && !is(key, "type") && !is(key, "name"))
            return text;
        if (item.ptr[0] == '{' || item.ptr[0] == '[') {
            text = result_text(item);
            if (text.len > 0)
                return text;
        }
    }
    return (rx_str){ NULL, 0 };
}

static void
note_result(struct question *q, rx_str value)
{
    q->answered = true;
    q->result = result_text(value);
}

/* One part of a user turn: a tool's result, a text, or something else. */
static void
read_part(struct question *q, rx_str part, rx_str *text)
{
    static const char *const keys[] = { "type", "text", "content",
        "functionResponse", "function_response" };
    rx_str v[RX_COUNT(keys)];
    rx_str response;

    span_pick(part, keys, v, RX_COUNT(keys));
    response = v[3].len > 0 ? v[3] : v[4];
    if (is(span_text(v[0]), "tool_result"))
        note_result(q, v[2]);
    else if (response.len > 0)
        note_result(q, span_get(response, "response"));
    else if (span_text(v[1]).len > 0 && !is_aside(span_text(v[1])))
        *text = span_text(v[1]);
}

static void
read_user_turn(struct question *q, rx_str turn, rx_str content)
{
    bool was_answered = q->answered;
    rx_str text = span_text(content);

    q->answered = false;
    if (text.len == 0) {
        struct span_walk w = span_walk(content);
        rx_str key;
        rx_str part;

        while (span_next(&w, &key, &part))
            read_part(q, part, &text);
    }
    if (q->answered)
        return; /* texts beside a result belong to the client, not its user */
    if (text.len == 0 || is_aside(text)) {
        q->answered = was_answered;
        return;
    }
    q->user = text;
    q->user_turn = turn;
    q->user_turns++;
}

static void
read_turn(struct question *q, rx_str turn)
{
    static const char *const keys[] = { "role", "type", "content", "parts",
        "output" };
    static const rx_str output = RX_STR_INIT("_output");
    rx_str v[RX_COUNT(keys)];
    rx_str role;
    rx_str type;

    span_pick(turn, keys, v, RX_COUNT(keys));
    role = span_text(v[0]);
    type = span_text(v[1]);
    if (type.len > output.len &&
        is((rx_str){ type.ptr + type.len - output.len, output.len }, "_output"))
        note_result(q, v[4]);
    else if (is(role, "tool") || is(role, "function"))
        note_result(q, v[2].len > 0 ? v[2] : v[3]);
    else if (is(role, "user") || (role.len == 0 && v[3].len > 0))
        read_user_turn(q, turn, v[2].len > 0 ? v[2] : v[3]);
}

static void
read_turns(struct question *q, rx_str turns)
{
    struct span_walk w = span_walk(turns);
    rx_str key;
    rx_str turn;

    if (span_text(turns).len > 0) {
        q->user = span_text(turns);
        q->user_turn = turns;
        q->user_turns = 1;
    }
    while (span_next(&w, &key, &turn)) {
        if (turn.ptr[0] == '{')
            read_turn(q, turn);
    }
    if (q->user_turn.len > 0)
        q->prefix_bytes = (size_t)(q->user_turn.ptr - turns.ptr);
}

static void
add_tool(struct question *q, rx_str tool)
{
    static const char *const keys[] = { "name", "type", "input_schema",
        "parameters", "parametersJsonSchema" };
    rx_str v[RX_COUNT(keys)];

    if (q->tool_count == QUESTION_TOOLS)
        return;
    span_pick(tool, keys, v, RX_COUNT(keys));
    q->tools[q->tool_count++] = (struct question_tool){
        .name = span_text(v[0]),
        .type = span_text(v[1]),
        .schema = v[2].len > 0   ? v[2]
                  : v[3].len > 0 ? v[3]
                                 : v[4],
    };
}

static void
read_tools(struct question *q, rx_str tools)
{
    struct span_walk w = span_walk(tools);
    rx_str key;
    rx_str tool;

    while (span_next(&w, &key, &tool)) {
        rx_str inner = span_get(tool, "function");
        rx_str list = span_get(tool, "functionDeclarations");
        struct span_walk declared;

        if (list.len == 0)
            list = span_get(tool, "function_declarations");
        declared = span_walk(list);
        if (q->dialect == DEMO_GEMINI) {
            while (span_next(&declared, &key, &inner))
                add_tool(q, inner);
        } else {
            add_tool(q, inner.len > 0 ? inner : tool);
        }
    }
}

static bool
asks_to_think(enum demo_dialect dialect, rx_str value)
{
    rx_str config;
    rx_str effort;

    if (value.len == 0)
        return false;
    switch (dialect) {
    case DEMO_ANTHROPIC:
        effort = span_get_text(value, "type");
        return is(effort, "enabled") || is(effort, "adaptive");
    case DEMO_CHAT:
        effort = span_text(value);
        return effort.len > 0 && !is(effort, "none") && !is(effort, "minimal");
    case DEMO_RESPONSES:
        return value.ptr[0] == '{' &&
               !is(span_get_text(value, "effort"), "none");
    case DEMO_GEMINI:
        config = span_get(value, "thinkingConfig");
        if (config.len == 0)
            config = span_get(value, "thinking_config");
        return span_is_true(span_get(config, "includeThoughts")) ||
               span_is_true(span_get(config, "include_thoughts"));
    }
    return false;
}

static void
collect(rx_str body, rx_str fields[FIELDS])
{
    struct span_walk w = span_walk(body);
    rx_str key;
    rx_str value;

    memset(fields, 0, FIELDS * sizeof(*fields));
    while (span_next(&w, &key, &value)) {
        for (size_t i = 0; i < RX_COUNT(names); i++) {
            if (is(key, names[i].name))
                fields[names[i].field] = value;
        }
    }
}

bool
question_read(
    struct question *q, enum demo_dialect dialect, rx_str model, rx_str body)
{
    rx_str f[FIELDS];

    memset(q, 0, offsetof(struct question, tools));
    q->tool_count = q->user_turns = 0;
    q->prefix_bytes = 0;
    q->dialect = dialect;
    q->digest = question_digest(body);

    collect(body, f);
    q->model = model.len > 0 ? model : span_text(f[MODEL]);
    q->stream = span_is_true(f[STREAM]);
    q->include_usage = span_is_true(span_get(f[OPTIONS], "include_usage"));
    q->encrypted = holds(f[INCLUDE], "reasoning.encrypted_content");
    q->thinking = asks_to_think(dialect, f[THINKING]);
    q->cache_marks = dialect == DEMO_ANTHROPIC && holds(body, "cache_control");
    if (!rx_str_u64(f[LIMIT], &q->max_tokens))
        q->max_tokens = UINT64_MAX;
    q->prompt_bytes = f[TURNS].len + f[SYSTEM].len + f[TOOLS].len;
    read_turns(q, f[TURNS]);
    q->prefix_bytes += f[SYSTEM].len + f[TOOLS].len;
    read_tools(q, f[TOOLS]);
    q->thinktest = holds(q->user_turn, "THINKTEST");
    q->paralleltools = holds(q->user_turn, "PARALLELTOOLS");
    q->tooltest = q->paralleltools || holds(q->user_turn, "TOOLTEST");
    return span_walk(body).object;
}
