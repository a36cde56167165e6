/*
 * dialect.h - the four API formats clients speak, and which paths mean what.
 */
#ifndef DATAPLANE_DIALECT_H
#define DATAPLANE_DIALECT_H

#include <stdbool.h>

#include "shared/httpd.h"
#include "shared/str.h"

/* id, name in configuration and records */
#define DIALECTS(X)           \
    X(ANTHROPIC, "anthropic") \
    X(CHAT, "chat")           \
    X(RESPONSES, "responses") \
    X(GEMINI, "gemini")

enum dialect {
#define DIALECT_ENUM(id, name) DIALECT_##id,
    DIALECTS(DIALECT_ENUM)
#undef DIALECT_ENUM
        DIALECT_COUNT
};

/* What a request wants done. */
#define OPERATIONS(X)                                                      \
    X(CREATE, "create")     /* a model's answer, streamed or not */        \
    X(COUNT, "count")       /* how many tokens a request has */            \
    X(EMBED, "embed")       /* embeddings */                               \
    X(COMPLETE, "complete") /* POST /v1/completions, the old form */       \
    X(OBJECT, "object")     /* GET/DELETE of a stored response, compact */ \
    X(MEDIA, "media")       /* images, audio, moderations, rerank */       \
    X(MODELS, "models")     /* answered by us */

enum operation {
#define OPERATION_ENUM(id, name) OP_##id,
    OPERATIONS(OPERATION_ENUM)
#undef OPERATION_ENUM
        OP_COUNT_
};

const char *dialect_name(enum dialect d);
/* False when no dialect is called that. */
bool dialect_find(rx_str name, enum dialect *out);
const char *operation_name(enum operation op);

#endif
