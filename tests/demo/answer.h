/*
 * answer.h - what the demo provider says to a question, before any dialect.
 *
 * The same question and recipe always give the same answer: nothing comes from
 * a clock or from chance.
 */
#ifndef DEMO_ANSWER_H
#define DEMO_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/str.h"
#include "tests/demo/question.h"
#include "tests/demo/recipe.h"

enum answer_stop {
    ANSWER_END,
    ANSWER_LENGTH,
    ANSWER_TOOL,
    ANSWER_STOP_SEQUENCE,
    ANSWER_REFUSAL,
};

struct answer_call {
    const struct question_tool *tool;
    rx_str args; /* JSON object; not escaped */
};
#define ANSWER_CALLS 2

struct answer {
    char id[25]; /* hex; answers put their dialect's prefix before it */
    rx_str model;
    rx_str thinking; /* escaped; empty: none */
    rx_str text;     /* escaped; empty when there are calls */
    struct answer_call calls[ANSWER_CALLS];
    size_t call_count;
    enum answer_stop stop;
    size_t pieces; /* deltas of text in a stream, at least 1 */
    /* tokens */
    uint64_t input; /* all of them, cached ones included */
    uint64_t cache_read;
    uint64_t cache_write;
    uint64_t output; /* all of them, reasoning included */
    uint64_t reasoning;
};

/* Everything of the answer lives in `arena`, or in the question's bytes. */
void answer_make(struct answer *a, const struct question *q,
    const struct recipe *r, struct rx_arena *arena);

/*
 * Cut a text into `count` pieces of about one size, between characters:
 *
 *     struct answer_pieces p = { a->text, a->pieces };
 *     while (answer_next_piece(&p, &piece)) ...
 */
struct answer_pieces {
    rx_str rest;
    size_t left;
};
bool answer_next_piece(struct answer_pieces *p, rx_str *piece);

/* Arguments for a tool that fit its JSON Schema; shells are told to echo. */
rx_str answer_arguments(
    rx_str schema, const char *echo, struct rx_arena *arena);

#endif
