/*
 * transformers.h - what transformers there are and what they can be told.
 *
 * A transformer changes requests on their way to a channel and answers on
 * their way back.  Here is only what both planes must agree on: the names, the
 * options, and whether a configuration is one.  The work is the data plane's.
 *
 *     {"use": ["deepseek", ["maxtoken", {"max_tokens": 8192}]],
 *      "some-model-*": {"use": ["reasoning"]}}
 */
#ifndef SHARED_TRANSFORMERS_H
#define SHARED_TRANSFORMERS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/json.h"
#include "shared/str.h"

/* Steps in one list, and models with a list of their own. */
#define RX_TRANSFORMER_STEPS_MAX  16
#define RX_TRANSFORMER_MODELS_MAX 64

/* id, name */
#define RX_TRANSFORMER_TYPES(X) \
    X(INTEGER, "integer")       \
    X(NUMBER, "number")         \
    X(BOOL, "boolean")          \
    X(TEXT, "string")           \
    X(WORD, "word")             \
    X(LIST, "strings")          \
    X(OBJECT, "object")

enum rx_transformer_type {
#define RX_TRANSFORMER_ENUM(id, name) RX_TRANSFORMER_##id,
    RX_TRANSFORMER_TYPES(RX_TRANSFORMER_ENUM)
#undef RX_TRANSFORMER_ENUM
};

struct rx_transformer_option {
    const char *name; /* NULL ends the list */
    enum rx_transformer_type type;
    bool required;
    const char *fallback; /* as JSON; NULL: none */
    double min, max;      /* of a number; both 0: any */
    const char *words;    /* "clamp|set" */
    const char *help;
};

/* Bits of `dialects`, in the order of the data plane's dialects. */
#define RX_TRANSFORMER_ANTHROPIC 1U
#define RX_TRANSFORMER_CHAT      2U
#define RX_TRANSFORMER_RESPONSES 4U
#define RX_TRANSFORMER_GEMINI    8U
#define RX_TRANSFORMER_ALL       15U

struct rx_transformer {
    const char *name;  /* NULL ends the table */
    const char *help;  /* one line */
    unsigned dialects; /* of the channel: where it has something to do */
    bool request, response;
    bool open; /* any further option goes into the request as it is */
    const struct rx_transformer_option *options; /* NULL: none */
    void (*check)(
        rx_json step, rx_json options); /* more than types; NULL: nothing */
};

extern const struct rx_transformer rx_transformers[];
/* NULL when there is none of that name. */
const struct rx_transformer *rx_transformer_find(rx_str name);

/*
 * Is this a configuration?  What is wrong is noted as the document's fault,
 * with the path of the field.
 */
void rx_transformers_check(rx_json config);
/* Does the checked configuration have a step at all? */
bool rx_transformers_any(rx_json config);

/* One transformer, as GET /api/transformers shows it. */
void rx_transformer_put(
    struct rx_json_out *w, const char *key, const struct rx_transformer *t);

/* A step of a checked list: its name, and its options (not there: none). */
rx_str rx_transformer_step(rx_json step, rx_json *options);

/* A path into a body: "generation.size", or "/generation/size" when names hold
 * dots.  Takes the next piece off; false at the end. */
bool rx_transformer_path(rx_str *path, rx_str *piece);

#endif
