#include "dataplane/codec/codec.h"

#include <stdio.h>
#include <string.h>

static const struct codec *const codecs[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = &codec_anthropic,
    [DIALECT_CHAT] = &codec_chat,
    [DIALECT_RESPONSES] = &codec_responses,
    [DIALECT_GEMINI] = &codec_gemini,
};

const struct codec *
codec_of(enum dialect dialect)
{
    return codecs[dialect];
}

rx_str
codec_id(
    const struct codec_world *w, const char *prefix, char out[CODEC_ID_MAX])
{
    static const char digits[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    int n = snprintf(out, CODEC_ID_MAX - 24, "%s", prefix);
    uint64_t bits = 0;

    for (int i = 0; i < 24; i++) {
        if (i % 8 == 0)
            bits = w->random(w->arg);
        out[n++] = digits[bits % 62];
        bits /= 62;
    }
    out[n] = '\0';
    return (rx_str){ out, (size_t)n };
}

bool
codec_can_cite(const struct codec_stream *about, const struct ir_citation *c)
{
    if (c->url.len == 0)
        codec_lose(about, "citations", "what is cited has no address");
    return c->url.len > 0;
}
