/* What the two halves of the Anthropic decoder share. */
#ifndef DATAPLANE_CODEC_ANTHROPIC_DECODE_H
#define DATAPLANE_CODEC_ANTHROPIC_DECODE_H

#include "dataplane/codec/anthropic.h"
#include "dataplane/codec/decode.h"

struct anthropic_body {
    rx_str messages, system, metadata, stop, thinking, output_config, tools,
        tool_choice, container, context_management, mcp_servers;
    rx_str temperature, top_p, top_k, tier;
    struct ir_int max_tokens;
};

bool anthropic_decode_tools(struct decode *d, rx_str value);
bool anthropic_decode_choice(struct decode *d, rx_str value);
bool anthropic_decode_thinking_config(struct decode *d, rx_str value);
void anthropic_decode_config(struct decode *d, rx_str value);
bool anthropic_decode_rest(struct decode *d, const struct anthropic_body *b);

enum ir_cache anthropic_decode_cache(rx_str value);

#endif
