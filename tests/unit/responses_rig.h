/*
 * responses_rig.h - readers, normaliser, writers of the Responses codec put
 * together for tests, and an answer as text that can be compared.
 */
#ifndef TESTS_RESPONSES_RIG_H
#define TESTS_RESPONSES_RIG_H

#include <stdlib.h>

#include "dataplane/codec/accumulate.h"
#include "dataplane/codec/codec.h"
#include "dataplane/codec/normalise.h"
#include "dataplane/sse.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

#define RIG_MAX ((size_t)64 * 1024 * 1024)

/* Everything one answer needs on its way; all of it comparable. */
struct rig {
    struct rx_arena *arena;
    struct codec_world world;
    uint64_t seed;
    struct capability cap;
    struct ir_request request;
    struct codec_stream about;
    struct codec_reader *reader;
    struct codec_writer *writer;
    struct normaliser *normaliser;
    struct accumulator *accumulator;
    struct ir_sink fold;
    struct rx_buf out;   /* what the writer wrote */
    struct rx_buf trail; /* every event in a line */
    unsigned ends, errors;
};

static inline uint64_t
rig_random(void *arg)
{
    uint64_t *seed = arg;

    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 16;
}

static inline rx_str
rig_str(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* Text decoded, line ends and all shown. */
static inline void
rig_text(struct rx_buf *b, rx_str text)
{
    struct rx_buf plain;

    rx_buf_init(&plain, text.len + 1);
    if (!rx_span_unescape(text, &plain))
        rx_buf_add(b, RX_S("<bad escape>"));
    rx_buf_add_json(b, rx_buf_str(&plain));
    rx_buf_fini(&plain);
}

static inline const char *
rig_stop_name(enum ir_stop_reason r)
{
    static const char *const names[] = {
#define RIG_STOP(id) #id,
        IR_STOPS(RIG_STOP)
#undef RIG_STOP
    };

    return names[r];
}

/* What is none and what was not told look alike here. */
static inline void
rig_usage(struct rx_buf *b, const struct usage *u)
{
    static const char *const names[] = {
#define RIG_COUNTER(name) #name,
        USAGE_COUNTERS(RIG_COUNTER)
#undef RIG_COUNTER
    };

    rx_buf_add(b, RX_S("usage"));
    for (unsigned i = 0; i < USAGE_COUNT; i++) {
        if (u->n[i] != 0)
            rx_buf_addf(b, " %s=%" PRIu64, names[i], u->n[i]);
    }
    rx_buf_addc(b, '\n');
}

static inline void
rig_trail_open(struct rx_buf *b, const struct ir_event *e)
{
    static const char *const kinds[] = {
        [IR_TEXT] = "text",
        [IR_REFUSAL] = "refusal",
        [IR_MEDIA] = "media",
        [IR_THINKING] = "thinking",
        [IR_TOOL_CALL] = "call",
        [IR_OPAQUE] = "opaque",
        [IR_SERVER_RESULT] = "result",
        [IR_TOOL_RESULT] = "result",
        [IR_SEARCH_RESULT] = "search",
    };

    rx_buf_addf(b, "open %u %s", e->part, kinds[e->open.kind]);
    if (e->open.kind == IR_TOOL_CALL)
        rx_buf_addf(b, " " RX_STR_FMT " " RX_STR_FMT "%s%s" RX_STR_FMT,
            RX_STR_ARG(e->open.id), RX_STR_ARG(e->open.name),
            e->open.call == IR_CALL_CUSTOM ? " custom" : "",
            e->open.space.len > 0 ? " in " : "", RX_STR_ARG(e->open.space));
    rx_buf_addc(b, '\n');
}

/* One line for each event, by which sequences are compared. */
static inline void
rig_trail(struct rx_buf *b, const struct ir_event *e)
{
    switch (e->kind) {
    case IR_EV_START:
        rx_buf_addf(b, "start " RX_STR_FMT " " RX_STR_FMT "\n",
            RX_STR_ARG(e->start.id), RX_STR_ARG(e->start.model));
        break;
    case IR_EV_OPEN: rig_trail_open(b, e); break;
    case IR_EV_TEXT:
    case IR_EV_THINKING:
    case IR_EV_ARGS:
        rx_buf_addf(b, "%s %u ",
            e->kind == IR_EV_TEXT       ? "text"
            : e->kind == IR_EV_THINKING ? "thinking"
                                        : "args",
            e->part);
        rig_text(b, e->text);
        rx_buf_addc(b, '\n');
        break;
    case IR_EV_SEAL:
        rx_buf_addf(
            b, "seal %u " RX_STR_FMT "\n", e->part, RX_STR_ARG(e->seal.bytes));
        break;
    case IR_EV_CITATION:
        rx_buf_addf(b, "cite %u " RX_STR_FMT "\n", e->part,
            RX_STR_ARG(e->citation->url));
        break;
    case IR_EV_CLOSE: rx_buf_addf(b, "close %u\n", e->part); break;
    case IR_EV_USAGE: rig_usage(b, e->usage); break;
    case IR_EV_STOP:
        rx_buf_addf(b, "stop %s " RX_STR_FMT "\n",
            rig_stop_name(e->stop.reason), RX_STR_ARG(e->stop.raw));
        break;
    case IR_EV_ERROR:
        rx_buf_addf(b, "error %d " RX_STR_FMT "\n", e->error.fault,
            RX_STR_ARG(e->error.message));
        break;
    case IR_EV_END: rx_buf_add(b, RX_S("end\n")); break;
    case IR_EV_LOGPROBS:
    case IR_EV_KEEPALIVE: break;
    }
}

static inline void
rig_take(void *arg, const struct ir_event *e)
{
    struct rig *r = arg;

    rig_trail(&r->trail, e);
    r->ends += e->kind == IR_EV_END;
    r->errors += e->kind == IR_EV_ERROR;
    ir_put(&r->fold, e);
    r->writer->codec->write(r->writer, e);
}

static inline void
rig_init(struct rig *r)
{
    *r = (struct rig){ .seed = 1 };
    r->arena = rx_arena_new(RIG_MAX);
    r->world = (struct codec_world){ rig_random, &r->seed, 1700000000 };
    r->cap = capability_find(&(struct capability_key){
        .dialect = DIALECT_RESPONSES,
        .type = RX_S("openai"),
        .host = RX_S("api.openai.com"),
        .model = RX_S("gpt-5"),
    });
    r->request.dialect = DIALECT_RESPONSES;
    r->request.model_asked = r->request.model = RX_S("gpt-5");
    r->request.reasoning.show = IR_SHOW_SUMMARY;
    r->about = (struct codec_stream){
        .request = &r->request,
        .cap = &r->cap,
        .world = &r->world,
        .arena = r->arena,
    };
    rx_buf_init(&r->out, RIG_MAX);
    rx_buf_init(&r->trail, RIG_MAX);
}

/* Once the request is as it should be. */
static inline void
rig_start(struct rig *r)
{
    r->accumulator = accumulator_new(r->arena);
    r->fold = accumulator_sink(r->accumulator);
    r->writer = codec_responses.writer_new();
    r->writer->codec = &codec_responses;
    r->writer->about = r->about;
    r->writer->out = &r->out;
    r->normaliser = normaliser_new(&r->about, (struct ir_sink){ rig_take, r });
    r->reader = codec_responses.reader_new();
    r->reader->codec = &codec_responses;
    r->reader->about = r->about;
    r->reader->to = normaliser_sink(r->normaliser);
}

static inline void
rig_fini(struct rig *r)
{
    codec_responses.reader_fini(r->reader);
    free(r->reader);
    normaliser_free(r->normaliser);
    codec_responses.writer_fini(r->writer);
    free(r->writer);
    accumulator_free(r->accumulator);
    rx_buf_fini(&r->out);
    rx_buf_fini(&r->trail);
    rx_arena_free(r->arena);
}

/* The bytes of a stream, in pieces of at most `most` (0: at once). */
static inline void
rig_feed(struct rig *r, rx_str bytes, size_t most)
{
    struct sse sse;
    struct sse_event event;

    sse_init(&sse, SSE_EVENT_MAX);
    while (bytes.len > 0) {
        size_t n = most == 0 || most > bytes.len ? bytes.len : most;
        rx_str piece = { bytes.ptr, n };
        while (sse_next(&sse, &piece, &event))
            codec_responses.read(r->reader, &event);
        bytes.ptr += n;
        bytes.len -= n;
    }
    if (sse_end(&sse, &event))
        codec_responses.read(r->reader, &event);
    sse_fini(&sse);
}

static inline void
rig_end(struct rig *r)
{
    codec_responses.read_end(r->reader, true);
}

/* --- an answer as text ---------------------------------------------------------- */

static inline void
rig_digest_part(struct rx_buf *b, const struct ir_part *p)
{
    switch (p->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        rx_buf_add(b, p->kind == IR_TEXT ? RX_S("text ") : RX_S("refusal "));
        rig_text(b, p->text);
        break;
    case IR_THINKING:
        rx_buf_add(b, RX_S("thinking "));
        rig_text(b, p->thinking.text);
        /* Sealed anew each time it is told: that it is there must do. */
        if (p->thinking.seal.bytes.len > 0)
            rx_buf_add(b, RX_S(" sealed"));
        break;
    case IR_TOOL_CALL:
        rx_buf_addf(b, "call " RX_STR_FMT " " RX_STR_FMT "%s ",
            RX_STR_ARG(p->call.id), RX_STR_ARG(p->call.name),
            p->call.kind == IR_CALL_CUSTOM ? " custom" : "");
        rig_text(b, p->call.args.s);
        break;
    case IR_MEDIA:
    case IR_TOOL_RESULT:
    case IR_SERVER_RESULT:
    case IR_SEARCH_RESULT:
    case IR_LOOKUP: return; /* told apart from what is said */
    case IR_OPAQUE: rx_buf_add(b, RX_S("other")); break;
    }
    rx_buf_addc(b, '\n');
}

static inline void
rig_digest(const struct ir_response *r, struct rx_buf *b)
{
    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next)
        rig_digest_part(b, p);
    if (r->failed)
        rx_buf_addf(b, "failed %d\n", r->error.fault);
    else
        rx_buf_addf(b, "stop %s\n", rig_stop_name(r->stop.reason));
    rig_usage(b, &r->usage);
}

#endif
