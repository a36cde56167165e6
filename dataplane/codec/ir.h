/*
 * ir.h - the neutral form: what a request, an answer and a stream of one mean,
 * whatever dialect they came in.
 *
 * A view (rx_str) in here is one of three things, and each field says which:
 *
 *   text  the inside of a JSON string, still escaped.  Escapes are the same in
 *         all four dialects, so what is only passed on is never decoded.
 *   raw   the source of one JSON value, of any kind, quotes and brackets
 *         included.  Numbers are kept so, as they were spelt.
 *   word  plain ASCII that needs no escaping (our own constants).
 *
 * An empty view means "not given" unless said otherwise.  Everything lives in
 * the arena of the translation, or looks into the client's body, which must
 * stay as long.  Lists are linked: order is kept, and shaping a conversation is
 * cutting and joining.
 */
#ifndef DATAPLANE_CODEC_IR_H
#define DATAPLANE_CODEC_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "dataplane/usage.h"
#include "shared/arena.h"
#include "shared/err.h"
#include "shared/json_span.h"
#include "shared/str.h"

/* unset is not false */
enum ir_tri { IR_UNSET, IR_NO, IR_YES };

struct ir_int {
    bool there;
    int64_t n;
};

/* --- parts ---------------------------------------------------------------- */

enum ir_part_kind {
    IR_TEXT,
    IR_REFUSAL,       /* what the model said instead of an answer */
    IR_MEDIA,         /* image, audio, video, document */
    IR_THINKING,      /* reasoning, readable, sealed or both */
    IR_TOOL_CALL,     /* the model wants a tool run */
    IR_TOOL_RESULT,   /* … and here is what it gave */
    IR_SERVER_RESULT, /* what a tool of the provider's gave; opaque */
    IR_SEARCH_RESULT, /* a source the client offers for citing */
    IR_LOOKUP,        /* what the provider looked up; in answers only */
    IR_OPAQUE,        /* a block only its own dialect knows */
};

enum ir_cache { IR_CACHE_NONE, IR_CACHE_5M, IR_CACHE_1H };

/* A signature, sealed reasoning: forwarded to whom it came from, or nobody. */
struct ir_opaque {
    rx_str bytes;         /* text; as the provider gave it, no envelope */
    enum dialect dialect; /* whose format it is */
    rx_str family;        /* word: "claude", "gpt"; empty: nobody knows */
    char kind;            /* 's' signature, 'r' redacted block, 't' of a tool */
};

/* A tool call's arguments: an object's source, or a string's contents. */
struct ir_args {
    rx_str s;     /* raw or text */
    bool escaped; /* text: decode it to get at the JSON (or the free text) */
};

enum ir_media_kind { IR_IMAGE, IR_AUDIO, IR_VIDEO, IR_DOCUMENT };
enum ir_source {
    IR_INLINE,  /* data: base64 */
    IR_URL,     /* data: the URL */
    IR_FILE_ID, /* data: the provider's id; good in its own dialect only */
    IR_PLAIN,   /* data: text of a document */
    IR_PARTS,   /* parts: a document made of blocks */
};

struct ir_part;
struct ir_parts {
    struct ir_part *first, *last;
};

struct ir_media {
    enum ir_media_kind kind;
    enum ir_source source;
    rx_str mime; /* text; "image/png"; empty: not told */
    rx_str data; /* text */
    rx_str title, context;
    rx_str detail; /* text: low, high, auto, original */
    bool citations;
    struct ir_parts parts;
};

struct ir_thinking {
    rx_str text;
    bool summary;  /* not the reasoning itself but a summary of it */
    bool redacted; /* sealed only: `seal` is all there is */
    struct ir_opaque seal;
    rx_str item_id;
};

enum ir_call_kind {
    IR_CALL_FUNCTION, /* arguments are a JSON object */
    IR_CALL_CUSTOM,   /* arguments are free text */
    IR_CALL_SERVER,   /* run by the provider; nothing for the client to do */
};

struct ir_call {
    rx_str id, name;
    rx_str space; /* Responses: namespace of the name */
    enum ir_call_kind kind;
    struct ir_args args;
    struct ir_opaque seal; /* Gemini's thought signature */
    rx_str item_id;
};

struct ir_result {
    rx_str call_id;
    rx_str name; /* of the call; filled in by normalise_request */
    struct ir_parts parts;
    bool is_error;
    bool custom;
};

/*
 * A source the model cites.  A reader tells the place in characters or in
 * bytes, or none, which is all of the part; a writer gets both.
 */
struct ir_citation {
    struct ir_citation *next;
    rx_str url, title, text;            /* text: words of the source */
    struct ir_int start, end;           /* characters of the text it supports */
    struct ir_int start_byte, end_byte; /* the same in UTF-8 */
    uint64_t before, before_bytes;      /* of the answer's earlier text parts */
    enum dialect dialect;               /* of raw */
    rx_str raw;                         /* as it came */
};

/* A search of the provider's, or a page it read. */
struct ir_page {
    struct ir_page *next;
    rx_str url, title, age; /* text */
};
struct ir_lookup {
    enum { IR_LOOKUP_SEARCH, IR_LOOKUP_PAGE } kind;
    rx_str what; /* text; the words, or the address */
    bool failed;
    struct ir_page *sources;
};

struct ir_part {
    struct ir_part *next;
    enum ir_part_kind kind;
    enum ir_cache cache;
    uint32_t turn, index; /* where it stood in the request, for ir_where */
    union {
        struct { /* IR_TEXT, IR_REFUSAL */
            rx_str text;
            struct ir_citation *citations;
        };
        struct ir_media media;
        struct ir_thinking thinking;
        struct ir_call call;
        struct ir_result result;
        struct { /* IR_SERVER_RESULT */
            rx_str call_id, name;
            rx_str raw; /* the whole block */
            enum dialect dialect;
        } server;
        struct {
            rx_str source, title;
            struct ir_parts parts;
        } search;
        struct ir_lookup lookup;
        struct {
            rx_str type; /* text */
            rx_str raw;
            enum dialect dialect;
        } opaque;
    };
};

enum ir_role { IR_USER, IR_ASSISTANT, IR_SYSTEM /* in mid-conversation */ };

struct ir_turn {
    struct ir_turn *next;
    enum ir_role role;
    struct ir_parts parts;
    rx_str name;
    rx_str phase; /* Responses: commentary, final_answer */
};

/* --- tools ------------------------------------------------------------------ */

enum ir_tool_kind {
    IR_TOOL_FUNCTION,
    IR_TOOL_CUSTOM,     /* free text, perhaps by a grammar */
    IR_TOOL_WEB_SEARCH, /* from here on: not defined by the client */
    IR_TOOL_WEB_FETCH,
    IR_TOOL_CODE,
    IR_TOOL_BUILTIN, /* run by the client, schema known to the model: bash */
    IR_TOOL_OTHER,   /* of one provider only */
};

struct ir_tool {
    struct ir_tool *next;
    enum ir_tool_kind kind;
    rx_str name, description;
    rx_str space;  /* Responses: namespace it was declared in */
    rx_str schema; /* raw */
    enum ir_tri strict;
    enum ir_cache cache;
    bool deferred;
    rx_str grammar, grammar_syntax; /* text: IR_TOOL_CUSTOM */
    struct {                        /* IR_TOOL_WEB_SEARCH */
        rx_str allow, block;        /* raw arrays of strings */
        struct ir_int max_uses;
        rx_str city, region, country, timezone;
        rx_str context_size;
    } search;
    rx_str type; /* text: as its dialect calls it ("bash_20250124") */
    rx_str raw;  /* the whole definition, for that dialect */
};

enum ir_choice {
    IR_CHOICE_UNSET,
    IR_CHOICE_AUTO,
    IR_CHOICE_NONE,
    IR_CHOICE_REQUIRED,
    IR_CHOICE_NAMED,
    IR_CHOICE_ALLOWED, /* one of `allowed`; must it be one? `allowed_required` */
};

struct ir_name {
    struct ir_name *next;
    rx_str name; /* text */
};

/* A tool whose name had to change for this upstream. */
struct ir_rename {
    struct ir_rename *next;
    rx_str client, space; /* as the client calls it */
    rx_str wire;          /* as the upstream does */
    bool custom;          /* a free-text tool, sent as a function */
};

/* --- request ---------------------------------------------------------------- */

enum ir_effort {
    IR_EFFORT_UNSET,
    IR_EFFORT_MINIMAL,
    IR_EFFORT_LOW,
    IR_EFFORT_MEDIUM,
    IR_EFFORT_HIGH,
    IR_EFFORT_XHIGH,
    IR_EFFORT_MAX,
};

struct ir_reasoning {
    enum { IR_THINK_UNSET, IR_THINK_OFF, IR_THINK_ON, IR_THINK_ADAPTIVE } mode;
    enum ir_effort effort;
    struct ir_int budget; /* tokens; -1: as many as it takes */
    enum { IR_SHOW_UNSET, IR_SHOW_NONE, IR_SHOW_SUMMARY, IR_SHOW_FULL } show;
    rx_str summary_style; /* text: auto, concise, detailed */
};

struct ir_output {
    enum { IR_OUT_TEXT, IR_OUT_JSON, IR_OUT_SCHEMA } format;
    rx_str name, description;
    rx_str schema; /* raw */
    enum ir_tri strict;
    rx_str verbosity;
};

enum ir_tier {
    IR_TIER_UNSET,
    IR_TIER_AUTO,
    IR_TIER_STANDARD,
    IR_TIER_FLEX,
    IR_TIER_PRIORITY,
    IR_TIER_FAST,
};

/* A member that only makes sense in the dialect it came in. */
struct ir_extra {
    struct ir_extra *next;
    rx_str name; /* text */
    rx_str raw;
};

/* Raw: what a Responses answer repeats of its request. */
struct ir_echo {
    rx_str instructions, tools, tool_choice, reasoning, text;
};

struct ir_request {
    enum dialect dialect; /* the client's */
    rx_str model_asked;   /* text; as the client wrote it: named in answers */
    rx_str model;         /* text; what the upstream is asked for */
    bool stream;
    bool stream_usage; /* the client wants usage in the stream */
    bool stream_array; /* Gemini without alt=sse: a stream is one JSON array */

    struct ir_parts system; /* leading system text */
    struct ir_turn *turns, *last_turn;

    struct ir_tool *tools, *last_tool;
    enum ir_choice choice;
    rx_str choice_name;
    struct ir_name *allowed;
    bool allowed_required;
    enum ir_tri parallel;
    struct ir_int max_tool_calls;

    struct ir_int max_output; /* reasoning included */
    rx_str temperature, top_p, top_k, frequency_penalty, presence_penalty, seed,
        logit_bias;       /* raw */
    struct ir_name *stop; /* sequences */
    struct ir_int n;
    struct ir_int logprobs; /* alternatives wanted; 0: just the chosen */

    struct ir_reasoning reasoning;
    struct ir_output output;
    rx_str cache_key, cache_retention;
    enum ir_tier tier;
    rx_str user_id;
    rx_str metadata;    /* raw object */
    rx_str previous_id; /* Responses: state the provider keeps */
    bool wants_state;   /* background, conversation, stored prompt, cache */
    rx_str truncation;
    rx_str betas; /* anthropic-beta of the client, plain */
    struct ir_extra *extras;
    struct ir_echo echo;

    struct ir_rename *renames; /* made by normalise_request */
    uint64_t prompt_estimate;  /* tokens, counted here; 0: not counted */
};

/* --- answer ------------------------------------------------------------------ */

/* id, what it is */
#define IR_STOPS(X)                                         \
    X(NONE)       /* not told yet */                        \
    X(END)        /* natural */                             \
    X(SEQUENCE)   /* a stop sequence of the client's */     \
    X(MAX_TOKENS) /* the limit asked for */                 \
    X(CONTEXT)    /* the model's window is full */          \
    X(TOOL)       /* tools of the client's are to be run */ \
    X(PAUSE)      /* the provider's loop rests; ask on */   \
    X(REFUSAL)    /* the model declined */                  \
    X(FILTERED)   /* content filter */                      \
    X(BAD_TOOL)   /* the model made an unusable call */     \
    X(COMPACTED)                                            \
    X(UNKNOWN) /* see the raw word */

enum ir_stop_reason {
#define IR_STOP_ENUM(id) IR_STOP_##id,
    IR_STOPS(IR_STOP_ENUM)
#undef IR_STOP_ENUM
};

struct ir_stop {
    enum ir_stop_reason reason;
    rx_str sequence; /* text; which stop sequence */
    rx_str raw;      /* text; the provider's word */
    rx_str detail;   /* text; explanation of a refusal */
};

/* What went wrong (wire.md 3.18). */
enum ir_fault {
    IR_FAULT_INVALID,
    IR_FAULT_CONTEXT, /* the prompt is too long */
    IR_FAULT_TOO_LARGE,
    IR_FAULT_AUTH, /* the channel's credential, never the client's */
    IR_FAULT_PERMISSION,
    IR_FAULT_BILLING,
    IR_FAULT_NOT_FOUND,
    IR_FAULT_RATE,
    IR_FAULT_OVERLOADED,
    IR_FAULT_UPSTREAM,
    IR_FAULT_TIMEOUT,
    IR_FAULT_FILTERED,
    IR_FAULT_CUT, /* ended without its terminal event */
};

struct ir_error {
    enum ir_fault fault;
    int status;     /* HTTP status it came with, or stands for; 0 unknown */
    rx_str message; /* text */
    rx_str type, code, param; /* text; the provider's words */
};

/* An answer, whole: what accumulating the events of a stream gives. */
struct ir_response {
    rx_str id, model; /* text; the provider's own */
    uint64_t created; /* s; 0: not told */
    struct ir_parts parts;
    struct ir_stop stop;
    struct usage usage;
    rx_str logprobs; /* raw elements, see IR_EV_LOGPROBS */
    rx_str tier;
    bool failed; /* `error` ended it */
    struct ir_error error;
};

/* --- stream ------------------------------------------------------------------ */

enum ir_event_kind {
    IR_EV_START,     /* once, first */
    IR_EV_OPEN,      /* a part begins: its kind and header */
    IR_EV_TEXT,      /* of a text or refusal part */
    IR_EV_THINKING,  /* of a thinking part */
    IR_EV_SEAL,      /* of a thinking part or a call: at most one, whole */
    IR_EV_ARGS,      /* of a tool call: a fragment */
    IR_EV_CITATION,  /* of a text part */
    IR_EV_CLOSE,     /* the part is whole */
    IR_EV_LOGPROBS,  /* raw: an array as Chat has it, of what is new */
    IR_EV_USAGE,     /* later figures overwrite earlier ones */
    IR_EV_STOP,      /* why it ends; all parts are closed */
    IR_EV_ERROR,     /* last: it went wrong */
    IR_EV_END,       /* last: it is complete */
    IR_EV_KEEPALIVE, /* the provider is alive, nothing to say */
};

/*
 * A reader may tell things loosely: deltas for parts it never opened, parts
 * that overlap, a stop before the last delta.  A writer gets what
 * normalise.h makes of it: START, then parts one after another, none empty but
 * calls and sealed reasoning, numbered from 0, then USAGE, STOP, END; or ERROR
 * at any place.
 */
struct ir_event {
    enum ir_event_kind kind;
    uint32_t part; /* which part, as the reader numbers them */
    union {
        rx_str text; /* TEXT, THINKING, ARGS: text; LOGPROBS: raw */
        struct {
            rx_str id, model, tier;
            uint64_t created;
            const struct usage *usage; /* what is known so far; or NULL */
        } start;
        struct {
            enum ir_part_kind kind;
            rx_str id, name, space; /* of a call */
            enum ir_call_kind call;
            bool summary;  /* of thinking */
            bool redacted; /* of thinking: only a SEAL follows */
            rx_str item_id;
            rx_str raw; /* IR_OPAQUE, IR_SERVER_RESULT: the whole block */
            const struct ir_media *media;
            const struct ir_lookup *lookup;
            const struct ir_opaque *seal; /* of a call, if known by now */
        } open;
        struct ir_opaque seal;
        const struct ir_citation *citation;
        const struct usage *usage;
        struct ir_stop stop;
        struct ir_error error;
    };
};

struct ir_sink {
    void (*put)(void *arg, const struct ir_event *e);
    void *arg;
};

static inline void
ir_put(const struct ir_sink *to, const struct ir_event *e)
{
    to->put(to->arg, e);
}

/* What was looked up, as a part of its own. */
void ir_put_lookup(
    const struct ir_sink *to, uint32_t part, const struct ir_lookup *l);

/* --- losses ------------------------------------------------------------------ */

#define IR_LOSSES_KEPT 32

/* What could not be said in the other dialect.  Counted; the first are kept. */
struct ir_losses {
    size_t count;
    struct {
        const char *what; /* "top_k", "messages.cache_control" */
        const char *why;
    } kept[IR_LOSSES_KEPT];
};

/* Both are constants.  The same loss is counted once. */
void ir_lose(struct ir_losses *l, const char *what, const char *why);

/* --- building ---------------------------------------------------------------- */

/*
 * A translation that outgrows its arena fails as a whole: makers then return
 * NULL, and the codec RX_TOO_BIG.
 */

/* A part at the end of `list`. */
struct ir_part *ir_part_add(
    struct rx_arena *arena, struct ir_parts *list, enum ir_part_kind kind);
/* The same, with its text; a NULL result need not be looked at. */
void ir_text_add(struct rx_arena *arena, struct ir_parts *list, rx_str text);
void ir_part_append(struct ir_parts *list, struct ir_part *part);
void ir_parts_join(struct ir_parts *list, struct ir_parts *rest);
/* A turn at the end of the request, numbered. */
struct ir_turn *ir_turn_add(
    struct rx_arena *arena, struct ir_request *r, enum ir_role role);
struct ir_tool *ir_tool_add(struct rx_arena *arena, struct ir_request *r);
/* A name at the end of the list that begins at *list. */
void ir_name_add(struct rx_arena *arena, struct ir_name **list, rx_str name);
void ir_extra_add(
    struct rx_arena *arena, struct ir_request *r, rx_str name, rx_str raw);

/*
 * Fill `err` with RX_INVALID, the place of a part in the client's own words
 * ("messages[3].content[1]") and what is wrong with it.
 */
enum rx_code ir_blame(struct rx_err *err, const struct ir_request *r,
    const struct ir_part *part, const char *words);

/* Decode a text into the arena; empty on a bad escape. */
rx_str ir_decode(struct rx_arena *arena, rx_str text);
/* Plain bytes as text: escaped, into the arena. */
rx_str ir_escape(struct rx_arena *arena, rx_str plain);
/* Several texts in one. */
rx_str ir_concat(struct rx_arena *arena, const rx_str *pieces, size_t n);
/* A number as it was spelt; `fallback` if it is none. */
double ir_number(rx_str raw, double fallback);

/* Watches a tool call's fragments until they are a whole JSON object. */
struct ir_scan {
    struct rx_span_skip skip;
    bool complete;
};
void ir_scan_feed(struct ir_scan *s, rx_str text);

bool ir_usage_has(const struct usage *u, enum usage_counter i);
/* All of the prompt: uncached, read, written, for tools. */
uint64_t ir_usage_prompt(const struct usage *u);
uint64_t ir_usage_written(const struct usage *u);

/* Is a part of its turns or of the system's text marked for a cache? */
bool ir_is_marked(const struct ir_request *r);

#endif
