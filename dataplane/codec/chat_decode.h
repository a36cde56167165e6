/* What the two halves of the Chat Completions decoder share. */
#ifndef DATAPLANE_CODEC_CHAT_DECODE_H
#define DATAPLANE_CODEC_CHAT_DECODE_H

#include "dataplane/codec/chat.h"
#include "dataplane/codec/decode.h"

struct chat_body {
    rx_str messages, tools, tool_choice, functions, function_call, stop,
        response_format, stream_options, reasoning, thinking, logit_bias,
        metadata, modalities, web_search;
    rx_str effort, verbosity, user, safety, tier, cache_key, cache_retention;
    rx_str temperature, top_p, top_k, frequency, presence, seed;
    struct ir_int max_tokens, max_completion, n, top_logprobs, budget;
    enum ir_tri parallel, logprobs, enable_thinking;
};

bool chat_decode_tools(struct decode *d, rx_str value, bool legacy);
bool chat_decode_choice(struct decode *d, rx_str value);
bool chat_decode_rest(struct decode *d, const struct chat_body *b);

#endif
