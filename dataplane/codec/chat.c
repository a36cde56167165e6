#include "dataplane/codec/chat.h"

#include <string.h>

#include "dataplane/codec/put.h"
#include "shared/attr.h"

/* The first row of a reason is the word for it. */
static const struct {
    enum ir_stop_reason reason;
    const char *word;
} stops[] = {
    { IR_STOP_END, "stop" },
    { IR_STOP_MAX_TOKENS, "length" },
    { IR_STOP_TOOL, "tool_calls" },
    { IR_STOP_FILTERED, "content_filter" },
    { IR_STOP_CONTEXT, "length" },
    { IR_STOP_REFUSAL, "content_filter" },
    { IR_STOP_TOOL, "function_call" },
    { IR_STOP_END, "eos" },
    { IR_STOP_END, "end_turn" },
    { IR_STOP_END, "stop_sequence" },
    { IR_STOP_MAX_TOKENS, "model_length" },
    { IR_STOP_MAX_TOKENS, "max_tokens" },
    { IR_STOP_TOOL, "tool_use" },
    { IR_STOP_FILTERED, "sensitive" },
    { IR_STOP_FILTERED, "safety" },
};

enum ir_stop_reason
chat_stop(rx_str word)
{
    for (size_t i = 0; i < RX_COUNT(stops); i++) {
        if (rx_str_eq(word, (rx_str){ stops[i].word, strlen(stops[i].word) }))
            return stops[i].reason;
    }
    return IR_STOP_UNKNOWN;
}

const char *
chat_stop_word(enum ir_stop_reason reason)
{
    for (size_t i = 0; i < RX_COUNT(stops); i++) {
        if (stops[i].reason == reason)
            return stops[i].word;
    }
    return "stop";
}

void
chat_put_call(struct rx_buf *b, const struct ir_call *c)
{
    bool custom = c->kind == IR_CALL_CUSTOM;

    put_open(b, '{');
    put_member(b, "id", c->id);
    put_member_word(b, "type", custom ? "custom" : "function");
    put_member_open(b, custom ? "custom" : "function", '{');
    put_member(b, "name", c->name);
    put_key(b, custom ? "input" : "arguments");
    rx_buf_addc(b, '"');
    if (c->args.s.len > 0 || custom)
        put_args_text(b, &c->args);
    else
        rx_buf_add(b, RX_S("{}"));
    rx_buf_add(b, RX_S("\"}"));
}

const struct codec codec_chat = {
    .dialect = DIALECT_CHAT,
    .decode_request = chat_decode_request,
    .writer_new = chat_writer_new,
    .write = chat_write,
    .keepalive = RX_STR_INIT(": keep-alive\n\n"),
    .write_whole = chat_write_whole,
    .write_error = chat_write_error,
    .encode_request = chat_encode_request,
    .reader_new = chat_reader_new,
    .reader_fini = chat_reader_fini,
    .read = chat_read,
    .read_whole = chat_read_whole,
    .read_end = chat_read_end,
};
