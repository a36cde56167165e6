#include "dataplane/codec/anthropic.h"

#include <string.h>

#include "shared/attr.h"

/* The first row of a reason is the word for it. */
static const struct {
    enum ir_stop_reason reason;
    const char *word;
} stops[] = {
    { IR_STOP_END, "end_turn" },
    { IR_STOP_SEQUENCE, "stop_sequence" },
    { IR_STOP_MAX_TOKENS, "max_tokens" },
    { IR_STOP_CONTEXT, "model_context_window_exceeded" },
    { IR_STOP_TOOL, "tool_use" },
    { IR_STOP_PAUSE, "pause_turn" },
    { IR_STOP_REFUSAL, "refusal" },
    { IR_STOP_FILTERED, "refusal" },
    { IR_STOP_COMPACTED, "compaction" },
    { IR_STOP_UNKNOWN, "end_turn" },
};

enum ir_stop_reason
anthropic_stop(rx_str word)
{
    for (size_t i = 0; i < RX_COUNT(stops); i++) {
        if (rx_str_eq(word, (rx_str){ stops[i].word, strlen(stops[i].word) }))
            return stops[i].reason;
    }
    return IR_STOP_UNKNOWN;
}

const char *
anthropic_stop_word(enum ir_stop_reason reason)
{
    for (size_t i = 0; i < RX_COUNT(stops); i++) {
        if (stops[i].reason == reason)
            return stops[i].word;
    }
    return "end_turn";
}

const struct codec codec_anthropic = {
    .dialect = DIALECT_ANTHROPIC,
    .decode_request = anthropic_decode_request,
    .writer_new = anthropic_writer_new,
    .write = anthropic_write,
    .counts_prompt = true,
    .keepalive = RX_STR_INIT("event: ping\ndata: {\"type\":\"ping\"}\n\n"),
    .write_whole = anthropic_write_whole,
    .write_error = anthropic_write_error,
    .encode_request = anthropic_encode_request,
    .reader_new = anthropic_reader_new,
    .reader_fini = anthropic_reader_fini,
    .read = anthropic_read,
    .read_whole = anthropic_read_whole,
    .read_end = anthropic_read_end,
};
