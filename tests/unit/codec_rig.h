/*
 * codec_rig.h - translations as tests need them: deterministic, fed in pieces,
 * and their answers taken apart again.
 */
#ifndef TESTS_CODEC_RIG_H
#define TESTS_CODEC_RIG_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/accumulate.h"
#include "dataplane/codec/normalise.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/translate.h"

static inline uint64_t
rig_random(void *arg)
{
    uint64_t *n = arg;

    /* SplitMix64 (Steele, Lea, Flood). */
    uint64_t z = *n += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* `seed` must live as long as the translation does. */
static inline struct codec_world
rig_world(uint64_t *seed)
{
    *seed = 7;
    return (struct codec_world){ rig_random, seed, 1700000000 };
}

/* Feed `bytes` in pieces of at most `most` (0: all at once), then end. */
static inline void
rig_feed(struct translation *t, rx_str bytes, size_t most, bool clean,
    struct rx_buf *out)
{
    while (bytes.len > 0) {
        size_t n = most == 0 || most > bytes.len ? bytes.len : most;
        /* A copy of its own: reading past the piece must not go unseen. */
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, bytes.ptr, n);
        translation_feed(t, (rx_str){ piece, n }, out);
        free(piece);
        bytes = (rx_str){ bytes.ptr + n, bytes.len - n };
    }
    translation_end(t, clean, out);
}

/* Does a client of this dialect take this for a complete answer?  No text can
 * hold a line feed, so the mark at a line's beginning is one. */
static inline bool
rig_looks_clean(enum dialect client, rx_str out)
{
    static const char *const marks[DIALECT_COUNT][2] = {
        [DIALECT_ANTHROPIC] = { "\nevent: message_stop\n", NULL },
        [DIALECT_CHAT] = { "\ndata: [DONE]\n", NULL },
        [DIALECT_RESPONSES] = { "\nevent: response.completed\n",
            "\nevent: response.incomplete\n" },
        [DIALECT_GEMINI] = { "\"finishReason\":", NULL },
    };

    for (int i = 0; i < 2; i++) {
        const char *mark = marks[client][i];
        if (mark != NULL && out.len > 0 &&
            memmem(out.ptr, out.len, mark, strlen(mark)) != NULL)
            return true;
    }
    return false;
}

/* --- an answer, as words to be compared -------------------------------------------- */

static inline void
rig_dump_text(struct rx_buf *b, const struct ir_part *p)
{
    rx_buf_add(b, p->text);
    for (const struct ir_citation *c = p->citations; c != NULL; c = c->next) {
        rx_buf_addf(b,
            "\n  cites %" PRId64 "-%" PRId64 " (%" PRId64 "-%" PRId64 ") ",
            c->start.n, c->end.n, c->start_byte.n, c->end_byte.n);
        rx_buf_add(b, c->url);
    }
}

static inline void
rig_dump_lookup(struct rx_buf *b, const struct ir_lookup *l)
{
    rx_buf_add(b, l->kind == IR_LOOKUP_PAGE ? RX_S("page ") : RX_S("search "));
    rx_buf_add(b, l->what);
    for (const struct ir_page *s = l->sources; s != NULL; s = s->next) {
        rx_buf_addc(b, ' ');
        rx_buf_add(b, s->url);
    }
}

static inline void
rig_dump_part(struct rx_buf *b, const struct ir_part *p)
{
    static const char *const names[] = { "text", "refusal", "media", "thinking",
        "call", "result", "server", "search", "lookup", "opaque" };
    size_t from;

    rx_buf_addf(b, "%s ", names[p->kind]);
    switch (p->kind) {
    case IR_TEXT: rig_dump_text(b, p); break;
    case IR_REFUSAL: rx_buf_add(b, p->text); break;
    case IR_LOOKUP: rig_dump_lookup(b, &p->lookup); break;
    case IR_THINKING: rx_buf_add(b, p->thinking.text); break;
    case IR_TOOL_CALL:
        rx_buf_add(b, p->call.name);
        rx_buf_add(b, RX_S(" "));
        from = b->len;
        put_args_object(b, &p->call.args);
        /* Where an event may not hold line feeds, they become blanks. */
        for (size_t i = from; i < b->len; i++)
            b->ptr[i] = b->ptr[i] == '\n' ? ' ' : b->ptr[i];
        break;
    case IR_MEDIA:
    case IR_TOOL_RESULT:
    case IR_SERVER_RESULT:
    case IR_SEARCH_RESULT:
    case IR_OPAQUE: break;
    }
    rx_buf_addc(b, '\n');
}

/* Where the answer's own price was not told, the prompt's is an estimate. */
static inline uint64_t
rig_prompt(const struct usage *u)
{
    return u->n[USAGE_out_total] > 0 ? ir_usage_prompt(u) : 0;
}

static inline void
rig_dump(struct rx_buf *b, const struct ir_response *r)
{
    static const char *const stops[] = {
#define RIG_STOP(id) #id,
        IR_STOPS(RIG_STOP)
#undef RIG_STOP
    };

    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next)
        rig_dump_part(b, p);
    if (r->logprobs.len > 0) {
        rx_buf_add(b, RX_S("logprobs "));
        rx_buf_add(b, r->logprobs);
        rx_buf_addc(b, '\n');
    }
    rx_buf_addf(b, "stop %s\n", stops[r->stop.reason]);
    rx_buf_addf(b, "prompt %" PRIu64 " cached %" PRIu64 " output %" PRIu64 "\n",
        rig_prompt(&r->usage), r->usage.n[USAGE_cache_read],
        r->usage.n[USAGE_out_total]);
    if (r->failed) {
        rx_buf_addf(b, "failed %d ", (int)r->error.fault);
        rx_buf_add(b, r->error.message);
        rx_buf_addc(b, '\n');
    }
}

/*
 * What every dialect can say of an answer: all its text, its calls, why it
 * stopped (in four classes) and what it cost.  A failed one is a failed one.
 */
static inline void
rig_essence(struct rx_buf *b, const struct ir_response *r)
{
    static const char *const stops[] = {
        [IR_STOP_NONE] = "end",
        [IR_STOP_END] = "end",
        [IR_STOP_SEQUENCE] = "end",
        [IR_STOP_MAX_TOKENS] = "length",
        [IR_STOP_CONTEXT] = "length",
        [IR_STOP_TOOL] = "tool",
        [IR_STOP_PAUSE] = "end",
        [IR_STOP_REFUSAL] = "filtered",
        [IR_STOP_FILTERED] = "filtered",
        [IR_STOP_BAD_TOOL] = "bad tool",
        [IR_STOP_COMPACTED] = "end",
        [IR_STOP_UNKNOWN] = "end",
    };

    /* Only Gemini has a word for an unusable call; to others it is an error. */
    if (r->failed || r->stop.reason == IR_STOP_BAD_TOOL) {
        rx_buf_add(b, RX_S("failed\n"));
        return;
    }
    rx_buf_add(b, RX_S("text "));
    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_TEXT || p->kind == IR_REFUSAL)
            rx_buf_add(b, p->text);
    }
    rx_buf_addc(b, '\n');
    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_TOOL_CALL)
            rig_dump_part(b, p);
    }
    rx_buf_addf(b, "stop %s\n", stops[r->stop.reason]);
    rx_buf_addf(b, "prompt %" PRIu64 " cached %" PRIu64 " output %" PRIu64 "\n",
        rig_prompt(&r->usage), r->usage.n[USAGE_cache_read],
        r->usage.n[USAGE_out_total]);
}

/* Read an answer as one of `dialect`, and tell what it holds. */
static inline void
rig_read_with(enum dialect dialect, rx_str answer, bool events,
    void (*tell)(struct rx_buf *out, const struct ir_response *r),
    struct rx_buf *out)
{
    struct rx_arena *arena = rx_arena_new((size_t)256 * 1024 * 1024);
    struct ir_request request = { .dialect = dialect,
        .stream = events,
        .logprobs = { true, 0 },
        .reasoning = { .mode = IR_THINK_ON, .show = IR_SHOW_FULL } };
    struct capability_key key = { .dialect = dialect };
    struct capability cap = capability_find(&key);
    uint64_t seed;
    struct codec_world world = rig_world(&seed);
    struct codec_stream about = { &request, &cap, &world, arena, NULL };
    struct accumulator *a = accumulator_new(arena);
    struct normaliser *n = normaliser_new(&about, accumulator_sink(a));
    const struct codec *codec = codec_of(dialect);
    struct codec_reader *r = codec->reader_new();
    struct sse_event event;
    struct sse sse;

    r->codec = codec;
    r->about = about;
    r->to = normaliser_sink(n);
    if (events) {
        sse_init(&sse, SSE_EVENT_MAX);
        while (sse_next(&sse, &answer, &event))
            codec->read(r, &event);
        if (sse_end(&sse, &event))
            codec->read(r, &event);
        sse_fini(&sse);
    } else {
        codec->read_whole(r, answer);
    }
    codec->read_end(r, true);
    tell(out, accumulator_result(a));
    if (codec->reader_fini != NULL)
        codec->reader_fini(r);
    free(r);
    normaliser_free(n);
    accumulator_free(a);
    rx_arena_free(arena);
}

static inline void
rig_read(enum dialect dialect, rx_str answer, bool events, struct rx_buf *out)
{
    rig_read_with(dialect, answer, events, rig_dump, out);
}

static inline void
rig_read_essence(
    enum dialect dialect, rx_str answer, bool events, struct rx_buf *out)
{
    rig_read_with(dialect, answer, events, rig_essence, out);
}

#endif
