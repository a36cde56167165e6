/*
 * content.h - a guess at what a text is about.
 *
 * Words are counted and looked for; nothing is understood.  What counts how is
 * written down in docs/routing.md, so that a rule built on it can be foreseen.
 */
#ifndef DATAPLANE_CONTENT_H
#define DATAPLANE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/str.h"

#define CONTENT_CATEGORIES(X)       \
    X(GENERAL, "general")           \
    X(CODING, "coding")             \
    X(WRITING, "writing")           \
    X(ANALYSIS, "analysis")         \
    X(CONVERSATION, "conversation") \
    X(RESEARCH, "research")         \
    X(CREATIVE, "creative")         \
    X(TECHNICAL, "technical")

#define CONTENT_LEVELS(X)   \
    X(SIMPLE, "simple")     \
    X(MODERATE, "moderate") \
    X(COMPLEX, "complex")   \
    X(VERY_COMPLEX, "very_complex")

#define CONTENT_LANGUAGES(X)    \
    X(NONE, "none")             \
    X(PYTHON, "python")         \
    X(JAVASCRIPT, "javascript") \
    X(TYPESCRIPT, "typescript") \
    X(JAVA, "java")             \
    X(C, "c")                   \
    X(CPP, "cpp")               \
    X(CSHARP, "csharp")         \
    X(GO, "go")                 \
    X(RUST, "rust")             \
    X(RUBY, "ruby")             \
    X(PHP, "php")               \
    X(SQL, "sql")               \
    X(SHELL, "shell")

#define CONTENT_INTENTS(X)          \
    X(CONVERSATION, "conversation") \
    X(QUESTION, "question")         \
    X(TASK, "task")                 \
    X(GENERATION, "generation")     \
    X(ANALYSIS, "analysis")         \
    X(REVIEW, "review")             \
    X(DEBUG, "debug")

enum content_category {
#define CATEGORY_ENUM(id, name) CATEGORY_##id,
    CONTENT_CATEGORIES(CATEGORY_ENUM)
#undef CATEGORY_ENUM
};
enum content_level {
#define LEVEL_ENUM(id, name) LEVEL_##id,
    CONTENT_LEVELS(LEVEL_ENUM)
#undef LEVEL_ENUM
};
enum content_language {
#define LANGUAGE_ENUM(id, name) LANGUAGE_##id,
    CONTENT_LANGUAGES(LANGUAGE_ENUM)
#undef LANGUAGE_ENUM
};
enum content_intent {
#define INTENT_ENUM(id, name) INTENT_##id,
    CONTENT_INTENTS(INTENT_ENUM)
#undef INTENT_ENUM
};

struct content {
    uint32_t words;
    bool code;
    enum content_category category;
    enum content_level level;
    enum content_language language;
    enum content_intent intent;
};

/* `text` is the user's last; `messages` those of the whole conversation. */
void content_judge(struct content *out, rx_str text, size_t messages);

const char *content_category_name(enum content_category c);
const char *content_level_name(enum content_level l);
const char *content_language_name(enum content_language l);
const char *content_intent_name(enum content_intent i);

#endif
