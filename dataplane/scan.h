/*
 * scan.h - what routing needs to know of a request body, found in one pass.
 *
 * Nothing is copied or unescaped: the results are views into the body.  The
 * body is checked to be one JSON object as far as the pass goes (depth limited);
 * what is not looked at is skipped, not validated.  Of members with the same
 * name the last one counts, as with most parsers; null means "not given".
 */
#ifndef DATAPLANE_SCAN_H
#define DATAPLANE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

/* Values as they stand in the body, for understand.h; empty if absent. */
enum scan_part {
    SCAN_MESSAGES, /* messages, input, contents */
    SCAN_SYSTEM,   /* system, instructions, systemInstruction */
    SCAN_TOOLS,
    SCAN_THINKING, /* thinking, reasoning, reasoning_effort, thinkingConfig */
    SCAN_SEARCH,   /* web_search_options */
    SCAN_PARTS
};

struct scan {
    rx_str model;       /* string contents, still escaped; empty if absent */
    rx_str model_token; /* with its quotes: what a splice replaces */
    bool stream;        /* "stream": true (never set for Gemini) */
    bool has_max_tokens;
    uint64_t max_tokens;    /* max_tokens, max_completion_tokens, … */
    bool has_include_usage; /* chat: stream_options.include_usage is there */
    bool include_usage;     /* … and true */
    rx_str stream_options;  /* chat: the whole value; empty if absent */
    size_t object_start;    /* just behind the opening brace: to insert at */
    bool object_empty;
    rx_str user_id;          /* anthropic metadata.user_id, escaped */
    rx_str prompt_cache_key; /* escaped */
    rx_str previous;         /* responses: previous_response_id, escaped */
    rx_str parts[SCAN_PARTS];
};

/*
 * RX_INVALID with words that name the place when the body is not a JSON object
 * or a field has the wrong type ("model: must be a string").
 */
RX_NODISCARD enum rx_code scan_request(
    enum dialect dialect, rx_str body, struct scan *out, struct rx_err *err);

/* How many there are in a list that was found; a plain text is one message. */
size_t scan_count(const struct scan *s, enum scan_part part);

/* One replaced span of a text: `at` is inside it, `with` comes instead.  An
 * insertion has at.len == 0 (ptr still says where). */
struct splice {
    rx_str at;
    rx_str with;
};

#define SPLICE_MAX 8
/*
 * The pieces of `body` after `n` (<= SPLICE_MAX) edits in ascending order, for
 * rx_client_request.body: no byte is copied.  Returns how many pieces (at most
 * 2 * n + 1).
 */
size_t splice_pieces(rx_str body, const struct splice *edits, size_t n,
    rx_str pieces[2 * SPLICE_MAX + 1]);

/* The contents of a JSON string decoded into `out`; false on a bad escape. */
bool scan_unescape(rx_str escaped, struct rx_buf *out);

#endif
