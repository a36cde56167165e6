/*
 * capability.h - what a model of a channel can take.
 *
 * Encoders ask this record and nothing else: no vendor's name is looked at
 * further down.  It is found by patterns over the channel's type, its host and
 * the model's name; what nobody knows is taken for plain.
 */
#ifndef DATAPLANE_CODEC_CAPABILITY_H
#define DATAPLANE_CODEC_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "shared/str.h"

enum cap_sampling {
    CAP_SAMPLING_YES,
    CAP_SAMPLING_NO,
    CAP_SAMPLING_UNLESS_REASONING,
    CAP_SAMPLING_ONE_OF, /* temperature or top_p, not both */
};

enum cap_reasoning {
    CAP_REASONING_NONE,
    CAP_REASONING_BUDGET,   /* tokens between min and max */
    CAP_REASONING_LEVELS,   /* named efforts */
    CAP_REASONING_ADAPTIVE, /* Anthropic's newest: adaptive with an effort */
    CAP_REASONING_TOGGLE,   /* on or off */
};

enum cap_field {         /* where a chat server puts reasoning */
    CAP_FIELD_CONTENT,   /* reasoning_content */
    CAP_FIELD_REASONING, /* reasoning */
    CAP_FIELD_DETAILS,   /* reasoning and reasoning_details[] */
    CAP_FIELD_PARTS,     /* thinking parts of content */
    CAP_FIELD_NONE,
};

/* Must earlier reasoning be sent back? */
enum cap_replay { CAP_REPLAY_NO, CAP_REPLAY_MAY, CAP_REPLAY_MUST };

enum cap_schema {
    CAP_SCHEMA_PLAIN, /* JSON Schema as it came */
    CAP_SCHEMA_ANTHROPIC,
    CAP_SCHEMA_OPENAI,
    CAP_SCHEMA_GEMINI_JSON,
    CAP_SCHEMA_GEMINI_PROTO,
    CAP_SCHEMA_MOONSHOT,
};

enum cap_ids { /* what a tool call's id may look like */
    CAP_IDS_ANY,
    CAP_IDS_WORD, /* [a-zA-Z0-9_-]+, up to id_max */
    CAP_IDS_NINE, /* exactly nine letters and digits */
};

/* Bit per enum ir_effort. */
#define CAP_LEVEL(effort) (1u << (effort))

struct capability {
    rx_str family; /* word: who seals its reasoning: "claude", "gpt" */

    uint64_t max_output; /* tokens; 0: unknown */
    bool legacy_max;     /* chat: max_tokens, not max_completion_tokens */
    enum cap_sampling sampling;
    bool top_k, penalties, seed, logit_bias, logprobs, stop;
    unsigned stop_max; /* 0: any number */
    bool stop_blank;   /* a sequence may be white space only */

    enum cap_reasoning reasoning;
    unsigned levels; /* CAP_LEVEL bits */
    int64_t budget_min, budget_max;
    bool can_disable;
    bool effort_none;      /* "none" is a level that may be sent */
    bool thinking_object;  /* chat: thinking:{type} beside reasoning_effort */
    bool enable_thinking;  /* chat: Qwen's enable_thinking, thinking_budget */
    bool reasoning_object; /* chat: OpenRouter's reasoning:{…} */
    bool forced_choice_thinks; /* a forced tool and reasoning go together */
    enum cap_field field;
    enum cap_replay replay;

    bool developer_role, mid_system, prefill;
    bool choice_required, choice_named; /* else: lesser values are sent */
    bool choice_any;                    /* "any" is its word for "required" */
    bool parallel_flag, strict_tools, custom_tools;
    unsigned tool_name_max;
    bool call_ids; /* Gemini: calls and their results have ids */
    enum cap_ids ids;
    unsigned id_max;
    enum cap_schema schema;
    bool json_object, json_schema;
    bool image_url, image_inline, pdf, audio, video;
    bool result_media; /* images in tool results */
    bool cache_marks;  /* cache_control on parts */
    bool stream_options;
    bool user_field; /* chat: "user", not "safety_identifier" */
};

struct capability_key {
    enum dialect dialect; /* of the endpoint */
    rx_str type;          /* the channel's: "deepseek", "openrouter" */
    rx_str host;
    rx_str model;
};

/* The record for one model of one channel; every field is set. */
struct capability capability_find(const struct capability_key *key);

#endif
