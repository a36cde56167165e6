/*
 * rules.h - conditions on a request, and where a request goes that meets them.
 *
 * Compiled with the snapshot they came with: patterns, functions, order.  Asked
 * from the highest priority down; whose condition holds first decides, unless
 * nothing it points to can be used (decide.h).
 */
#ifndef DATAPLANE_RULES_H
#define DATAPLANE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "dataplane/snapshot.h"
#include "dataplane/understand.h"
#include "shared/arena.h"
#include "shared/err.h"
#include "shared/pattern.h"
#include "shared/script.h"

/* id, name on the wire, what it takes */
#define CONDITIONS(X)                                      \
    X(ALL, "all", PARTS)                                   \
    X(ANY, "any", PARTS)                                   \
    X(NOT, "not", PARTS)                                   \
    X(TOKEN_THRESHOLD, "token_threshold", NUMBER)          \
    X(TOKEN_BELOW, "token_below", NUMBER)                  \
    X(MIN_WORD_COUNT, "min_word_count", NUMBER)            \
    X(MAX_WORD_COUNT, "max_word_count", NUMBER)            \
    X(KEYWORDS, "keywords", TEXTS)                         \
    X(USER_PATTERN, "user_pattern", PATTERN)               \
    X(SYSTEM_PATTERN, "system_pattern", PATTERN)           \
    X(MODEL_PATTERN, "model_pattern", PATTERN)             \
    X(MODEL, "model", TEXTS)                               \
    X(TOOL_NAMES, "tool_names", TEXTS)                     \
    X(HAS_TOOLS, "has_tools", FLAG)                        \
    X(HAS_IMAGES, "has_images", FLAG)                      \
    X(HAS_DOCUMENTS, "has_documents", FLAG)                \
    X(HAS_AUDIO, "has_audio", FLAG)                        \
    X(HAS_CODE, "has_code", FLAG)                          \
    X(STREAM, "stream", FLAG)                              \
    X(THINKING, "thinking", FLAG)                          \
    X(WEB_SEARCH, "web_search", FLAG)                      \
    X(SUBAGENT, "subagent", FLAG)                          \
    X(CONTENT_CATEGORY, "content_category", TEXTS)         \
    X(COMPLEXITY_LEVEL, "complexity_level", TEXTS)         \
    X(PROGRAMMING_LANGUAGE, "programming_language", TEXTS) \
    X(INTENT, "intent", TEXTS)                             \
    X(TENANT, "tenant", TEXTS)                             \
    X(KEY, "key", TEXTS)                                   \
    X(TAG, "tag", TEXTS)                                   \
    X(DIALECT, "dialect", TEXTS)                           \
    X(USER_AGENT, "user_agent", TEXTS)                     \
    X(HEADER, "header", PAIR)                              \
    X(TIME, "time", TIMES)                                 \
    X(CUSTOM_FUNCTION, "custom_function", NAME)

enum condition_kind {
#define CONDITION_ENUM(id, name, takes) CONDITION_##id,
    CONDITIONS(CONDITION_ENUM)
#undef CONDITION_ENUM
        CONDITION_KINDS
};

struct function {
    rx_str id, name;
    struct rx_script *script;
};

struct condition {
    enum condition_kind kind;
    const rx_str *texts;
    size_t text_count;
    const int64_t *numbers; /* time: from, to (minutes), offset, days */
    size_t number_count;
    struct condition *parts;
    size_t part_count;
    struct rx_pattern *pattern;
    const struct function *function;
};

struct hop {
    const rx_str *channels;  /* ids */
    const uint32_t *weights; /* NULL: in this order */
    size_t channel_count;
    rx_str tag, model;
};

struct rule {
    rx_str id, name, type;
    bool enabled, strict;
    int32_t priority;
    uint32_t rank; /* from 1, among those that are enabled */
    uint64_t created_ms;
    struct condition *condition;
    const struct hop *hops;
    size_t hop_count;
    bool has_strategy; /* else as in the settings */
    enum strategy strategy;
    const struct transform_set *transformers; /* NULL: none */
    rx_str agent; /* whose the requests are that meet it; empty: nobody's */
};

struct ruleset {
    struct function *functions;
    size_t function_count;
    /* In the order they are asked: those that are enabled, and agents, which
     * are recognised even where they decide nothing. */
    struct rule *rules;
    size_t rule_count;
    size_t agent_count; /* of them */
    /* Of those that are enabled, and of agents: rule_index.h */
    const struct rule_index *index, *agents;
};

/* ---- building ------------------------------------------------------------ */

/* False when no condition is called that. */
bool condition_find(rx_str name, enum condition_kind *out);
/* Check what it was given, and compile it.  Freed with the arena. */
RX_NODISCARD enum rx_code condition_compile(
    struct condition *c, struct rx_arena *arena, struct rx_err *err);
RX_NODISCARD enum rx_code function_compile(struct function *f, rx_str source,
    struct rx_arena *arena, struct rx_err *err);

RX_NODISCARD bool ruleset_init(struct ruleset *set, struct rx_arena *arena,
    size_t functions, size_t rules);
RX_NODISCARD enum rx_code ruleset_add_function(
    struct ruleset *set, const struct function *f, struct rx_err *err);
/* RX_INVALID when it names a function there is not.  Functions come first. */
RX_NODISCARD enum rx_code ruleset_add(
    struct ruleset *set, const struct rule *rule, struct rx_err *err);
/* Behind the last one; false when the arena is full. */
RX_NODISCARD bool ruleset_finish(struct ruleset *set, struct rx_arena *arena);

/* ---- asking --------------------------------------------------------------- */

/* A request as rules see it.  All borrowed. */
struct rule_subject {
    struct understanding *u;
    const struct client_key *key;
    enum dialect dialect;
    rx_str model;
    rx_str session;
    bool stream;
    uint64_t wall_ms;
    rx_str (*header)(const void *arg, rx_str name); /* empty when absent */
    const void *header_arg;
    /* Put one table per candidate into the table that is open. */
    void (*put_candidates)(void *arg, struct rx_script *s);
    void *put_arg;
    rx_str lowered; /* the user's text in lower case, once asked for */
};

enum rule_answer { RULE_NO, RULE_YES, RULE_TROUBLE };

struct rule_match {
    rx_str channel, model; /* what a function chose; in the arena */
    char trouble[160];     /* why it could not be told */
};

enum rule_answer rule_ask(const struct rule *rule, struct rule_subject *subject,
    struct rule_match *out);

/* ---- for the index --------------------------------------------------------- */

#define RULE_WORD_MAX  ((size_t)256) /* longer ones are in no text */
#define RULE_NAMES_MAX 2
/* By which names a kind that takes some, but tool_names, knows the request. */
size_t rule_names(enum condition_kind kind, struct rule_subject *subject,
    rx_str names[RULE_NAMES_MAX]);
/* The text that a kind looks for words or a pattern in. */
rx_str rule_text(enum condition_kind kind, struct rule_subject *subject);
/* What a number is compared with. */
uint64_t rule_number(enum condition_kind kind, struct rule_subject *subject);
/* Of one that cannot be in trouble. */
bool condition_holds(const struct condition *c, struct rule_subject *subject);

/* Claude Code's sub-agents say so in one of several ways. */
bool rule_is_subagent(struct rule_subject *subject);

#endif
