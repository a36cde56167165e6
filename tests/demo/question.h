/*
 * question.h - what a request asks for, whatever its dialect.
 *
 * Everything points into the request's target and body.  Texts are escaped as
 * in JSON, so that they can be put into an answer of any dialect.
 */
#ifndef DEMO_QUESTION_H
#define DEMO_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/str.h"

enum demo_dialect {
    DEMO_ANTHROPIC,
    DEMO_CHAT,
    DEMO_RESPONSES,
    DEMO_GEMINI,
};

struct question_tool {
    rx_str name;
    rx_str type; /* "function", "custom", "local_shell" ... may be empty */
    rx_str schema;
};
#define QUESTION_TOOLS 64

struct question {
    enum demo_dialect dialect;
    rx_str model;
    bool stream;
    bool sse;           /* Gemini: alt=sse, else one JSON array */
    bool include_usage; /* Chat: stream_options.include_usage */
    bool encrypted;     /* Responses: include reasoning.encrypted_content */
    bool thinking;      /* the request asks for it */
    bool thinktest, tooltest, paralleltools; /* words in the last user text */
    bool answered;    /* a tool result came after the last user text */
    rx_str user;      /* last text of the last user turn */
    rx_str user_turn; /* the whole turn as JSON: markers are looked for here */
    rx_str result;    /* text of the last tool result */
    struct question_tool tools[QUESTION_TOOLS];
    size_t tool_count;
    unsigned user_turns;
    uint64_t max_tokens; /* UINT64_MAX if not said */
    size_t prompt_bytes; /* messages, system and tools */
    size_t prefix_bytes; /* of these, before the last user turn */
    bool cache_marks;    /* Anthropic: cache_control is used */
    uint64_t digest;     /* of the body: ids come from it */
};

/*
 * Read `body`.  `model` is the one in the path and may be empty.  A body that
 * is not a JSON object gives an empty question and false.
 */
bool question_read(
    struct question *q, enum demo_dialect dialect, rx_str model, rx_str body);

/* 64 bits of `bytes`, the same everywhere and always. */
uint64_t question_digest(rx_str bytes);

#endif
