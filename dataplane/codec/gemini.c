#include "dataplane/codec/gemini.h"

#include <string.h>

#include "shared/attr.h"

/* The first row of a reason is the word for it. */
static const struct {
    enum ir_stop_reason reason;
    const char *word;
} stops[] = {
    { IR_STOP_END, "STOP" },
    { IR_STOP_SEQUENCE, "STOP" },
    { IR_STOP_TOOL, "STOP" },
    { IR_STOP_PAUSE, "STOP" },
    { IR_STOP_COMPACTED, "STOP" },
    { IR_STOP_MAX_TOKENS, "MAX_TOKENS" },
    { IR_STOP_CONTEXT, "MAX_TOKENS" },
    { IR_STOP_FILTERED, "SAFETY" },
    { IR_STOP_REFUSAL, "SAFETY" },
    { IR_STOP_FILTERED, "RECITATION" },
    { IR_STOP_FILTERED, "PROHIBITED_CONTENT" },
    { IR_STOP_FILTERED, "BLOCKLIST" },
    { IR_STOP_FILTERED, "SPII" },
    { IR_STOP_FILTERED, "IMAGE_SAFETY" },
    { IR_STOP_FILTERED, "IMAGE_PROHIBITED_CONTENT" },
    { IR_STOP_FILTERED, "IMAGE_RECITATION" },
    { IR_STOP_BAD_TOOL, "MALFORMED_FUNCTION_CALL" },
    { IR_STOP_BAD_TOOL, "UNEXPECTED_TOOL_CALL" },
    { IR_STOP_TOOL, "TOO_MANY_TOOL_CALLS" },
    { IR_STOP_UNKNOWN, "OTHER" },
};

enum ir_stop_reason
gemini_stop(rx_str word)
{
    for (size_t i = 0; i < RX_COUNT(stops); i++) {
        if (rx_str_eq(word, (rx_str){ stops[i].word, strlen(stops[i].word) }))
            return stops[i].reason;
    }
    return IR_STOP_UNKNOWN;
}

const char *
gemini_stop_word(enum ir_stop_reason reason)
{
    for (size_t i = 0; i < RX_COUNT(stops); i++) {
        if (stops[i].reason == reason)
            return stops[i].word;
    }
    return "OTHER";
}

enum ir_media_kind
gemini_media_kind(rx_str mime)
{
    if (rx_str_starts(mime, RX_S("image/")))
        return IR_IMAGE;
    if (rx_str_starts(mime, RX_S("audio/")))
        return IR_AUDIO;
    return rx_str_starts(mime, RX_S("video/")) ? IR_VIDEO : IR_DOCUMENT;
}

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
gemini_base64(struct rx_buf *out, rx_str bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            rx_buf_addc(out, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

static int
value_of(char c)
{
    if (c == '-')
        return 62;
    if (c == '_')
        return 63;
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

bool
gemini_from_base64(rx_str text, struct rx_buf *out)
{
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '=' || c == '\n' || c == '\r' || c == ' ')
            continue;
        int v = value_of(c);
        if (v < 0)
            return false;
        bits = (bits << 6 | (uint32_t)v) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            rx_buf_addc(out, (char)(bits >> have & 0xff));
        }
    }
    return !out->full;
}

const struct codec codec_gemini = {
    .dialect = DIALECT_GEMINI,
    .decode_request = gemini_decode_request,
    .writer_new = gemini_writer_new,
    .writer_fini = gemini_writer_fini,
    .write = gemini_write,
    .write_whole = gemini_write_whole,
    .write_error = gemini_write_error,
    .encode_request = gemini_encode_request,
    .reader_new = gemini_reader_new,
    .reader_fini = gemini_reader_fini,
    .read = gemini_read,
    .read_whole = gemini_read_whole,
    .read_end = gemini_read_end,
};
