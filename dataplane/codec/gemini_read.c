/* Answers of Gemini, streamed and whole: each event of a stream is a document
 * that holds what is new. */
#include <stdlib.h>

#include "dataplane/codec/fault.h"
#include "dataplane/codec/gemini.h"
#include "dataplane/codec/gemini_grounding.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/reader.h"
#include "dataplane/codec/walk.h"

enum { PART_TEXT, PART_THINKING, PART_SEALED, PART_LOOKUP, PART_FIRST_CALL };

#define ARGS_MAX ((size_t)32 * 1024 * 1024)

struct reader {
    struct codec_reader base;
    uint32_t calls;
    bool started, stopped;
    bool thinking; /* the last thing told was a thought */
    bool patching; /* a call's arguments come in pieces */
    struct gemini_args args;
    struct rx_buf scratch;
    struct rx_buf grounding, pages, citations; /* raw; told at the end */
};

struct chunk {
    rx_str id, model, candidates, usage, feedback, error;
};
static const struct walk_row chunk_rows[] = {
    WALK_ROW(TEXT, chunk, "responseId", id),
    WALK_ROW(TEXT, chunk, "modelVersion", model),
    WALK_ROW(RAW, chunk, "candidates", candidates),
    WALK_ROW(RAW, chunk, "usageMetadata", usage),
    WALK_ROW(RAW, chunk, "promptFeedback", feedback),
    WALK_ROW(RAW, chunk, "error", error),
};

struct candidate {
    struct ir_int index;
    rx_str content, parts, finish, message, grounding, pages, citations,
        logprobs, ratings;
};
static const struct walk_row candidate_rows[] = {
    WALK_ROW(INT, candidate, "index", index),
    WALK_ROW(RAW, candidate, "content", content),
    WALK_ROW(TEXT, candidate, "finishReason", finish),
    WALK_ROW(TEXT, candidate, "finishMessage", message),
    WALK_ROW(RAW, candidate, "groundingMetadata", grounding),
    WALK_ROW(RAW, candidate, "urlContextMetadata", pages),
    WALK_ROW(RAW, candidate, "citationMetadata", citations),
    WALK_ROW(RAW, candidate, "logprobsResult", logprobs),
    WALK_ROW(RAW, candidate, "safetyRatings", ratings),
};
static const struct walk_row content_rows[] = {
    WALK_ROW(RAW, candidate, "parts", parts),
};

struct rating {
    rx_str probability;
    bool blocked;
};
static const struct walk_row rating_rows[] = {
    WALK_ROW(TEXT, rating, "probability", probability),
    WALK_ROW(BOOL, rating, "blocked", blocked),
};

struct part {
    rx_str code, outcome, file;
    rx_str text, call, inline_data, signature;
    bool thought;
};
static const struct walk_row part_rows[] = {
    WALK_ROW(TEXT, part, "text", text),
    WALK_ROW(BOOL, part, "thought", thought),
    WALK_ROW(RAW, part, "functionCall", call),
    WALK_ROW(RAW, part, "inlineData", inline_data),
    WALK_ROW(TEXT, part, "thoughtSignature", signature),
    WALK_ROW(RAW, part, "executableCode", code),
    WALK_ROW(RAW, part, "codeExecutionResult", outcome),
    WALK_ROW(RAW, part, "fileData", file),
};

struct call {
    rx_str id, name, args, partial;
    bool more;
};
static const struct walk_row call_rows[] = {
    WALK_ROW(TEXT, call, "id", id),
    WALK_ROW(TEXT, call, "name", name),
    WALK_ROW(RAW, call, "args", args),
    WALK_ROW(RAW, call, "partialArgs", partial),
    WALK_ROW(BOOL, call, "willContinue", more),
};

static const struct walk_row blob_rows[] = {
    WALK_ROW(TEXT, ir_media, "mimeType", mime),
    WALK_ROW(TEXT, ir_media, "data", data),
};

struct feedback {
    rx_str reason, message;
};
static const struct walk_row feedback_rows[] = {
    WALK_ROW(TEXT, feedback, "blockReason", reason),
    WALK_ROW(TEXT, feedback, "blockReasonMessage", message),
};

struct codec_reader *
gemini_reader_new(void)
{
    struct reader *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    rx_buf_init(&r->scratch, ARGS_MAX);
    rx_buf_init(&r->grounding, SSE_EVENT_MAX);
    rx_buf_init(&r->pages, SSE_EVENT_MAX);
    rx_buf_init(&r->citations, SSE_EVENT_MAX);
    return &r->base;
}

void
gemini_reader_fini(struct codec_reader *base)
{
    struct reader *r = (struct reader *)base;

    gemini_args_fini(&r->args);
    rx_buf_fini(&r->scratch);
    rx_buf_fini(&r->grounding);
    rx_buf_fini(&r->pages);
    rx_buf_fini(&r->citations);
}

/* --- signatures --------------------------------------------------------------------- */

/* Of the thought just told; else it stands for itself. */
static void
read_signature(struct reader *r, rx_str signature)
{
    struct ir_event e = { .kind = IR_EV_SEAL, .part = PART_THINKING };

    if (signature.len == 0)
        return;
    e.seal = reader_seal(&r->base, signature, 's');
    if (r->thinking) {
        reader_put(&r->base, &e);
        return;
    }
    e.part = PART_SEALED;
    reader_put(
        &r->base, &(struct ir_event){ .kind = IR_EV_OPEN,
                      .part = PART_SEALED,
                      .open = { .kind = IR_THINKING, .redacted = true } });
    reader_put(&r->base, &e);
    reader_put(&r->base,
        &(struct ir_event){ .kind = IR_EV_CLOSE, .part = PART_SEALED });
}

/* --- calls ---------------------------------------------------------------------------- */

/* Arguments as text: the object's source, escaped. */
static void
put_args(struct reader *r, rx_str json)
{
    rx_buf_clear(&r->scratch);
    rx_buf_add_json(&r->scratch, json);
    reader_put_bytes(&r->base, IR_EV_ARGS, PART_FIRST_CALL + r->calls,
        rx_buf_str(&r->scratch));
}

static void
end_call(struct reader *r)
{
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_CLOSE,
                             .part = PART_FIRST_CALL + r->calls });
    r->calls++;
    r->patching = false;
    gemini_args_fini(&r->args);
}

static void
end_patched(struct reader *r)
{
    struct rx_buf json;

    if (r->args.bad) {
        reader_fail_with(&r->base, IR_FAULT_UPSTREAM,
            RX_S("a tool call's arguments make no sense"));
        return;
    }
    rx_buf_init(&json, ARGS_MAX);
    gemini_args_put(&r->args, &json);
    put_args(r, rx_buf_str(&json));
    rx_buf_fini(&json);
    end_call(r);
}

static void
open_call(struct reader *r, const struct call *c, rx_str signature)
{
    struct ir_opaque sealed = reader_seal(&r->base, signature, 't');
    struct ir_event e = { .kind = IR_EV_OPEN,
        .part = PART_FIRST_CALL + r->calls,
        .open = { .kind = IR_TOOL_CALL,
            .id = c->id,
            .name = c->name,
            .seal = signature.len > 0 ? &sealed : NULL } };

    reader_put(&r->base, &e);
}

static void
read_call(struct reader *r, const struct part *p)
{
    struct call c = { 0 };

    WALK_VALUE(p->call, call_rows, &c);
    if (r->patching && c.name.len > 0)
        end_patched(r);
    if (!r->patching && c.name.len == 0)
        return;
    if (r->base.over)
        return;
    if (!r->patching)
        open_call(r, &c, p->signature);
    gemini_args_add(&r->args, c.partial);
    r->thinking = false;
    if (c.more) {
        r->patching = true;
    } else if (r->patching || c.partial.len > 0) {
        end_patched(r);
    } else {
        if (rx_span_kind_of(c.args) == RX_SPAN_OBJECT)
            put_args(r, c.args);
        end_call(r);
    }
}

/* --- parts ---------------------------------------------------------------------------- */

static void
read_media(struct reader *r, rx_str value)
{
    struct ir_media m = { .source = IR_INLINE };

    WALK_VALUE(value, blob_rows, &m);
    m.kind = gemini_media_kind(m.mime);
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_OPEN,
                             .part = PART_FIRST_CALL + r->calls,
                             .open = { .kind = IR_MEDIA, .media = &m } });
    end_call(r);
}

static void
read_part(struct reader *r, rx_str value)
{
    struct part p = { 0 };

    WALK_VALUE(value, part_rows, &p);
    if (p.call.len > 0) {
        read_call(r, &p);
        return;
    }
    if (p.inline_data.len > 0) {
        read_media(r, p.inline_data);
        return;
    }
    if (p.code.len > 0 || p.outcome.len > 0)
        codec_lose(&r->base.about, "tool calls",
            "calls of the provider's own tools have no form here");
    if (p.file.len > 0)
        codec_lose(&r->base.about, "files",
            "a file kept by the provider is of no use elsewhere");
    if (p.thought) {
        reader_put_bytes(&r->base, IR_EV_THINKING, PART_THINKING, p.text);
        r->thinking = r->thinking || p.text.len > 0;
        read_signature(r, p.signature);
        return;
    }
    if (r->thinking)
        read_signature(r, p.signature);
    reader_put_bytes(&r->base, IR_EV_TEXT, PART_TEXT, p.text);
    if (!r->thinking)
        read_signature(r, p.signature);
    r->thinking = r->thinking && p.text.len == 0;
}

static void
read_parts(struct reader *r, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return;
    while (!r->base.over && walk_next(&j, &one))
        read_part(r, one);
}

/* --- the rest of a chunk --------------------------------------------------------------- */

/* The last that is told of it counts: it is told whole, with the last text. */
static void
note(struct rx_buf *kept, rx_str value)
{
    if (value.len <= 2)
        return;
    rx_buf_clear(kept);
    rx_buf_add(kept, value);
}

static void
tell_notes(struct reader *r)
{
    rx_str grounding = rx_buf_str(&r->grounding);
    rx_str pages = rx_buf_str(&r->pages);

    gemini_citations_read(&r->base, rx_buf_str(&r->citations), PART_TEXT);
    gemini_grounding_read(&r->base, grounding, pages, PART_TEXT, PART_LOOKUP);
}

/* Ratings of what nobody minds need no place. */
static void
check_ratings(struct reader *r, rx_str list)
{
    struct rx_span j;
    rx_str one;

    for (bool is = list.len > 0 && walk_array(&j, list);
         is && walk_next(&j, &one);) {
        struct rating x = { 0 };
        WALK_VALUE(one, rating_rows, &x);
        if (x.blocked || (x.probability.len > 0 &&
                             !rx_str_eq(x.probability, RX_S("NEGLIGIBLE"))))
            codec_lose(&r->base.about, "safetyRatings",
                "ratings of the answer have no form here");
    }
}

static void
read_stop(struct reader *r, rx_str word, rx_str detail)
{
    if (word.len == 0 || rx_str_eq(word, RX_S("FINISH_REASON_UNSPECIFIED")))
        return;
    r->stopped = true;
    reader_put(&r->base,
        &(struct ir_event){ .kind = IR_EV_STOP,
            .stop = {
                .reason = gemini_stop(word), .raw = word, .detail = detail } });
}

static void
read_candidate(struct reader *r, rx_str value)
{
    struct candidate c = { 0 };

    WALK_VALUE(value, candidate_rows, &c);
    if (c.index.there && c.index.n != 0)
        return;
    if (c.content.len > 0)
        WALK_VALUE(c.content, content_rows, &c);
    read_parts(r, c.parts);
    if (r->base.over)
        return;
    gemini_logprobs_read(&r->base, c.logprobs);
    note(&r->grounding, c.grounding);
    note(&r->pages, c.pages);
    note(&r->citations, c.citations);
    check_ratings(r, c.ratings);
    if (c.finish.len > 0 && r->patching)
        end_patched(r);
    if (!r->base.over)
        read_stop(r, c.finish, c.message);
}

static void
read_candidates(struct reader *r, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return;
    while (!r->base.over && walk_next(&j, &one))
        read_candidate(r, one);
}

/* A prompt that was blocked has no candidates. */
static void
read_feedback(struct reader *r, rx_str value)
{
    struct feedback f = { 0 };

    if (value.len == 0)
        return;
    WALK_VALUE(value, feedback_rows, &f);
    if (f.reason.len == 0)
        return;
    r->stopped = true;
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_STOP,
                             .stop = { .reason = IR_STOP_FILTERED,
                                 .raw = f.reason,
                                 .detail = f.message } });
}

static void
read_start(struct reader *r, const struct chunk *c)
{
    if (r->started)
        return;
    r->started = true;
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_START,
                             .start = { .id = c->id, .model = c->model } });
}

static void
read_chunk(struct reader *r, rx_str data)
{
    struct chunk c = { 0 };
    struct ir_error e = { 0 };

    if (!rx_span_whole(data)) {
        reader_fail(
            &r->base, &(struct ir_error){ .fault = IR_FAULT_UPSTREAM,
                          .message = RX_S("the upstream sent broken JSON") });
        return;
    }
    WALK_VALUE(data, chunk_rows, &c);
    if (c.error.len > 0 && fault_read_value(c.error, &e)) {
        reader_fail(&r->base, &e);
        return;
    }
    read_start(r, &c);
    reader_put_usage(&r->base, c.usage);
    read_candidates(r, c.candidates);
    if (!r->base.over)
        read_feedback(r, c.feedback);
}

/* Some send a chunk, or all of them, in an array. */
static void
read_document(struct reader *r, rx_str data)
{
    struct rx_span j;
    rx_str one;

    if (rx_span_kind_of(data) != RX_SPAN_ARRAY) {
        read_chunk(r, data);
        return;
    }
    walk_array(&j, data);
    while (!r->base.over && walk_next(&j, &one))
        read_chunk(r, one);
}

/* --- the end ------------------------------------------------------------------------------ */

static void
finish(struct reader *r)
{
    r->base.over = true;
    tell_notes(r);
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_END });
}

void
gemini_read(struct codec_reader *base, const struct sse_event *event)
{
    struct reader *r = (struct reader *)base;

    if (!r->base.over && !rx_str_starts(event->data, RX_S("[DONE]")))
        read_document(r, event->data);
}

void
gemini_read_whole(struct codec_reader *base, rx_str document)
{
    struct reader *r = (struct reader *)base;

    if (r->base.over)
        return;
    document = rx_str_trim(document);
    while (document.len > 0 &&
           (document.ptr[0] == '\n' || document.ptr[0] == '\r'))
        document = rx_str_trim((rx_str){ document.ptr + 1, document.len - 1 });
    read_document(r, document);
    if (r->base.over)
        return;
    if (r->stopped && !r->patching) {
        finish(r);
        return;
    }
    reader_fail_by(
        base, document, RX_S("the upstream's answer is not finished"));
}

void
gemini_read_end(struct codec_reader *base, bool clean)
{
    struct reader *r = (struct reader *)base;

    if (r->base.over)
        return;
    if (clean && r->stopped && !r->patching)
        finish(r);
    else
        reader_fail_cut(&r->base);
}
