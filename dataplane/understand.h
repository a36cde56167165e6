/*
 * understand.h - what rules ask of a request beyond its first scan.
 *
 * Everything is worked out when it is first asked for: one walk over messages,
 * system and tools (at several GB/s) for the shape, text decoded only for those
 * who read it, and the content judged only for those who ask.  Where no rule
 * asks, nothing is done.
 */
#ifndef DATAPLANE_UNDERSTAND_H
#define DATAPLANE_UNDERSTAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/content.h"
#include "dataplane/dialect.h"
#include "dataplane/scan.h"
#include "shared/arena.h"
#include "shared/secret.h"

#define UNDERSTAND_PIECES 16
#define UNDERSTAND_NAMES  256
#define UNDERSTAND_USER   ((size_t)64 * 1024) /* bytes of text looked at */
#define UNDERSTAND_SYSTEM ((size_t)16 * 1024)

/* The texts of one message, still escaped. */
struct text_pieces {
    rx_str at[UNDERSTAND_PIECES];
    size_t count;
};

struct shape {
    uint32_t images, documents, audio;
    bool subagent; /* Claude Code says so of itself */
    bool billing;  /* Claude Code's billing line is in the system text */
    struct text_pieces user; /* of the last user message that has text */
    struct text_pieces first_user;
    struct text_pieces system;
};

struct toolbox {
    const rx_str *names; /* escaped as they stand */
    size_t count;
    bool any;        /* with a name or without one */
    bool web_search; /* the provider's own tool, not a client's */
};

struct understanding {
    enum dialect dialect;
    const struct scan *scan; /* NULL: the body is no JSON we know */
    rx_str body;
    struct rx_arena *arena;
    bool has_tokens, has_toolbox, has_shape, has_user, has_system, has_content;
    uint64_t tokens;
    struct toolbox toolbox;
    struct shape shape;
    rx_str user, system; /* decoded */
    struct content content;
};

/* `scan` and the body it points into are borrowed; may be NULL. */
void understand_begin(struct understanding *u, enum dialect dialect,
    const struct scan *scan, rx_str body, struct rx_arena *arena);

/* Of the whole input, estimated as counting requests are (estimate.h). */
uint64_t understand_tokens(struct understanding *u);

/* Entries of messages, input or contents. */
size_t understand_messages(const struct understanding *u);

/* Was it asked for?  "disabled" and "none" are not. */
bool understand_thinking(const struct understanding *u);
const struct toolbox *understand_tools(struct understanding *u);
const struct shape *understand_shape(struct understanding *u);
/* The last text of the user, the head of the system text, decoded. */
rx_str understand_user(struct understanding *u);
rx_str understand_system(struct understanding *u);
const struct content *understand_content(struct understanding *u);

/*
 * What a conversation keeps from turn to turn: system text and first user
 * message, whatever their form (a text is the same as a list of one block) and
 * wherever cache marks stand.  False when there is no user text.
 */
bool understand_prefix(struct understanding *u, struct rx_digest *out);

/* <CCR-SUBAGENT-MODEL>model</CCR-SUBAGENT-MODEL>, where an agent may put it: in
 * a system text or in the first two user messages. */
struct subagent_tag {
    rx_str span;  /* in the body, tags included */
    rx_str model; /* between them, trimmed; escaped as it stands */
};
bool understand_find_tag(const struct scan *scan, struct subagent_tag *out);

#endif
