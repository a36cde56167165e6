/*
 * recorded_translate.h - translations of recorded exchanges, and what is wrong
 * with one of them.
 */
#ifndef TESTS_RECORDED_TRANSLATE_H
#define TESTS_RECORDED_TRANSLATE_H

#include "tests/unit/check.h"
#include "tests/unit/codec_rig.h"
#include "tests/unit/recorded_rig.h"

#define SHOWN 1500

/* Channels whose models can do the most. */
static const struct {
    rx_str type, host, model;
} models[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = { RX_STR_INIT("anthropic"),
        RX_STR_INIT("api.anthropic.com"), RX_STR_INIT("claude-sonnet-4-5") },
    [DIALECT_CHAT] = { RX_STR_INIT("openai"), RX_STR_INIT("api.openai.com"),
        RX_STR_INIT("gpt-5") },
    [DIALECT_RESPONSES] = { RX_STR_INIT("openai"),
        RX_STR_INIT("api.openai.com"), RX_STR_INIT("gpt-5") },
    [DIALECT_GEMINI] = { RX_STR_INIT("gemini"),
        RX_STR_INIT("generativelanguage.googleapis.com"),
        RX_STR_INIT("gemini-2.5-pro") },
};

static inline void
complain(const struct recorded *r, enum dialect client, enum dialect channel,
    const char *what, rx_str want, rx_str got)
{
    fprintf(stderr, "%s: %s client on %s: %s:\n--- want\n%.*s\n--- got\n%.*s\n",
        r->fixture->name, dialect_name(client), dialect_name(channel), what,
        (int)(want.len < SHOWN ? want.len : SHOWN), want.ptr,
        (int)(got.len < SHOWN ? got.len : SHOWN), got.ptr);
    check_failures++;
}

static inline struct translation *
ask_of(enum dialect client, enum dialect channel, rx_str body, bool stream,
    uint64_t *seed, struct rx_err *err)
{
    struct translation *t;
    struct translate_ask ask = { .client = client,
        .body = body,
        .model_asked = RX_S("m"),
        .model = models[channel].model,
        .stream = stream,
        .key = { .dialect = channel,
            .type = models[channel].type,
            .host = models[channel].host,
            .model = models[channel].model },
        .world = rig_world(seed) };

    return translation_new(&t, &ask, err) == RX_OK ? t : NULL;
}

#endif
