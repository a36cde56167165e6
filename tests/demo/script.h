/*
 * script.h - the bytes of one reply, and where its events end.
 *
 * The writers of the dialects fill it; play.c sends it.  What goes wrong on
 * purpose (a cut, a missing end, an event that is broken) is done to the
 * script, so it works alike in every dialect.
 */
#ifndef DEMO_SCRIPT_H
#define DEMO_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"
#include "tests/demo/answer.h"
#include "tests/demo/question.h"

struct script {
    int status;
    struct rx_buf headers; /* lines, each with CRLF */
    struct rx_buf body;
    bool stream;
    size_t *ends; /* of the events in body */
    size_t count;
    size_t size;
    size_t terminal; /* first event that says the answer is complete */
};

void script_init(struct script *s);
void script_fini(struct script *s);
void script_header(struct script *s, const char *name, const char *value);
/* Head of a JSON reply, or of a stream of server-sent events. */
void script_json(struct script *s, int status);
void script_sse(struct script *s);
/* One event: open, write its data into s->body, close.  `name` may be NULL. */
void script_event(struct script *s, const char *name);
void script_event_end(struct script *s);
/* The same for what is no server-sent event: an item of a JSON array. */
void script_piece_end(struct script *s);
/* The next event says that the answer is complete. */
void script_mark_terminal(struct script *s);
/* Forget the events from `count` on. */
void script_truncate(struct script *s, size_t count);
/* The bytes of event `i`, framing included. */
rx_str script_event_bytes(const struct script *s, size_t i);

/* A whole reply of a dialect to a question, streamed when it asks for it. */
void script_anthropic(
    struct script *s, const struct question *q, const struct answer *a);
void script_chat(
    struct script *s, const struct question *q, const struct answer *a);
void script_responses(
    struct script *s, const struct question *q, const struct answer *a);
void script_gemini(
    struct script *s, const struct question *q, const struct answer *a);

/* Seconds since 1970 in every field that needs a time: the clock is not asked. */
#define SCRIPT_CREATED 1763769600

#endif
