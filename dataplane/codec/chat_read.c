/* Answers of Chat Completions, streamed and whole; a message is a delta that
 * comes all at once. */
#include <stdlib.h>

#include "dataplane/codec/chat.h"
#include "dataplane/codec/fault.h"
#include "dataplane/codec/reader.h"
#include "dataplane/codec/walk.h"

enum { PART_TEXT, PART_THINKING, PART_REFUSAL, PART_SEALED, PART_CALLS };

/* Where reasoning stands; the first found is followed to the end. */
enum carrier { NOT_CHOSEN, DETAILS, CONTENT, REASONING };

struct reader {
    struct codec_reader base;
    struct chat_calls *calls;
    enum carrier carrier;
    bool started, stopped;
    bool refused; /* refusal text came */
};

struct chunk {
    rx_str id, model, choices, usage, error, tier, x_groq;
    struct ir_int created;
};
static const struct walk_row chunk_rows[] = {
    WALK_ROW(TEXT, chunk, "id", id),
    WALK_ROW(TEXT, chunk, "model", model),
    WALK_ROW(INT, chunk, "created", created),
    WALK_ROW(RAW, chunk, "choices", choices),
    WALK_ROW(RAW, chunk, "usage", usage),
    WALK_ROW(RAW, chunk, "error", error),
    WALK_ROW(RAW, chunk, "x_groq", x_groq),
    WALK_ROW(TEXT, chunk, "service_tier", tier),
};

struct choice {
    struct ir_int index;
    rx_str delta, message, finish, usage, error, logprobs, content;
};
static const struct walk_row choice_rows[] = {
    WALK_ROW(INT, choice, "index", index),
    WALK_ROW(RAW, choice, "delta", delta),
    WALK_ROW(RAW, choice, "message", message),
    WALK_ROW(TEXT, choice, "finish_reason", finish),
    WALK_ROW(RAW, choice, "usage", usage),
    WALK_ROW(RAW, choice, "error", error),
    WALK_ROW(RAW, choice, "logprobs", logprobs),
};
static const struct walk_row logprobs_rows[] = {
    WALK_ROW(RAW, choice, "content", content),
};

struct delta {
    rx_str content, refusal, reasoning_content, reasoning, details, calls,
        function_call, annotations, audio, images;
};
static const struct walk_row delta_rows[] = {
    WALK_ROW(RAW, delta, "content", content),
    WALK_ROW(TEXT, delta, "refusal", refusal),
    WALK_ROW(TEXT, delta, "reasoning_content", reasoning_content),
    WALK_ROW(TEXT, delta, "reasoning", reasoning),
    WALK_ROW(RAW, delta, "reasoning_details", details),
    WALK_ROW(RAW, delta, "tool_calls", calls),
    WALK_ROW(RAW, delta, "function_call", function_call),
    WALK_ROW(RAW, delta, "annotations", annotations),
    WALK_ROW(RAW, delta, "audio", audio),
    WALK_ROW(RAW, delta, "images", images),
};

/* An element of content, of reasoning_details or of annotations. */
struct piece {
    rx_str type, text, summary, data, signature, thinking, url_citation;
};
static const struct walk_row piece_rows[] = {
    WALK_ROW(TEXT, piece, "type", type),
    WALK_ROW(TEXT, piece, "text", text),
    WALK_ROW(TEXT, piece, "summary", summary),
    WALK_ROW(TEXT, piece, "data", data),
    WALK_ROW(TEXT, piece, "signature", signature),
    WALK_ROW(RAW, piece, "thinking", thinking),
    WALK_ROW(RAW, piece, "url_citation", url_citation),
};

static const struct walk_row cited_rows[] = {
    WALK_ROW(TEXT, ir_citation, "url", url),
    WALK_ROW(TEXT, ir_citation, "title", title),
    WALK_ROW(TEXT, ir_citation, "content", text),
    WALK_ROW(INT, ir_citation, "start_index", start),
    WALK_ROW(INT, ir_citation, "end_index", end),
};

struct call {
    struct ir_int index;
    rx_str id, type, function, custom, extra;
};
static const struct walk_row call_rows[] = {
    WALK_ROW(INT, call, "index", index),
    WALK_ROW(TEXT, call, "id", id),
    WALK_ROW(TEXT, call, "type", type),
    WALK_ROW(RAW, call, "function", function),
    WALK_ROW(RAW, call, "custom", custom),
    WALK_ROW(RAW, call, "extra_content", extra),
};

struct function {
    rx_str name, arguments, input;
};
static const struct walk_row function_rows[] = {
    WALK_ROW(TEXT, function, "name", name),
    WALK_ROW(RAW, function, "arguments", arguments),
    WALK_ROW(RAW, function, "input", input),
};

struct extra {
    rx_str google, signature;
};
static const struct walk_row extra_rows[] = {
    WALK_ROW(RAW, extra, "google", google),
    WALK_ROW(TEXT, extra, "thought_signature", signature),
};

struct groq {
    rx_str usage;
};
static const struct walk_row groq_rows[] = {
    WALK_ROW(RAW, groq, "usage", usage),
};

struct codec_reader *
chat_reader_new(void)
{
    struct reader *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->base.figures.growing = true;
    return &r->base;
}

void
chat_reader_fini(struct codec_reader *base)
{
    chat_calls_free(((struct reader *)base)->calls);
}

/* --- reasoning --------------------------------------------------------------------- */

static void
put_sealed(struct reader *r, rx_str data)
{
    struct ir_event e = { .kind = IR_EV_OPEN,
        .part = PART_SEALED,
        .open = { .kind = IR_THINKING, .redacted = true } };

    reader_put(&r->base, &e);
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_SEAL,
                             .part = PART_SEALED,
                             .seal = reader_seal(&r->base, data, 'r') });
    reader_put(&r->base,
        &(struct ir_event){ .kind = IR_EV_CLOSE, .part = PART_SEALED });
}

static bool
details_have_text(rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return false;
    while (walk_next(&j, &one)) {
        struct piece p = { 0 };
        WALK_VALUE(one, piece_rows, &p);
        if (p.text.len > 0 || p.summary.len > 0)
            return true;
    }
    return false;
}

static void
read_details(struct reader *r, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return;
    while (walk_next(&j, &one)) {
        struct piece p = { 0 };
        WALK_VALUE(one, piece_rows, &p);
        if (r->carrier == DETAILS) {
            reader_put_bytes(&r->base, IR_EV_THINKING, PART_THINKING, p.text);
            reader_put_bytes(
                &r->base, IR_EV_THINKING, PART_THINKING, p.summary);
        }
        if (p.signature.len > 0)
            reader_put(&r->base,
                &(struct ir_event){ .kind = IR_EV_SEAL,
                    .part = PART_THINKING,
                    .seal = reader_seal(&r->base, p.signature, 's') });
        if (p.data.len > 0)
            put_sealed(r, p.data);
    }
}

static void
read_reasoning(struct reader *r, const struct delta *d)
{
    if (r->carrier == NOT_CHOSEN) {
        if (details_have_text(d->details))
            r->carrier = DETAILS;
        else if (d->reasoning_content.len > 0)
            r->carrier = CONTENT;
        else if (d->reasoning.len > 0)
            r->carrier = REASONING;
    }
    if (r->carrier == CONTENT)
        reader_put_bytes(
            &r->base, IR_EV_THINKING, PART_THINKING, d->reasoning_content);
    else if (r->carrier == REASONING)
        reader_put_bytes(&r->base, IR_EV_THINKING, PART_THINKING, d->reasoning);
    read_details(r, d->details);
}

/* --- content ------------------------------------------------------------------------ */

static void
read_pieces(struct reader *r, rx_str list, enum ir_event_kind kind,
    uint32_t part, unsigned depth)
{
    struct rx_span j;
    rx_str one;

    if (!walk_array(&j, list))
        return;
    while (walk_next(&j, &one)) {
        struct piece p = { 0 };
        WALK_VALUE(one, piece_rows, &p);
        reader_put_bytes(&r->base, kind, part, p.text);
        if (rx_str_eq(p.type, RX_S("thinking")) && depth == 0)
            read_pieces(r, p.thinking, IR_EV_THINKING, PART_THINKING, 1);
    }
}

static void
read_content(struct reader *r, rx_str content)
{
    if (content.len == 0)
        return;
    if (content.ptr[0] == '[')
        read_pieces(r, content, IR_EV_TEXT, PART_TEXT, 0);
    else
        reader_put_bytes(&r->base, IR_EV_TEXT, PART_TEXT, walk_text(content));
}

static void
read_refusal(struct reader *r, rx_str text)
{
    if (text.len == 0)
        return;
    if (!r->refused)
        reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_OPEN,
                                 .part = PART_REFUSAL,
                                 .open = { .kind = IR_REFUSAL } });
    r->refused = true;
    reader_put_bytes(&r->base, IR_EV_TEXT, PART_REFUSAL, text);
}

static void
read_annotations(struct reader *r, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return;
    while (walk_next(&j, &one)) {
        struct piece p = { 0 };
        struct ir_citation c = { .dialect = DIALECT_CHAT, .raw = one };
        WALK_VALUE(one, piece_rows, &p);
        if (p.url_citation.len == 0) {
            codec_lose(&r->base.about, "annotations",
                "only addresses can be cited elsewhere");
            continue;
        }
        WALK_VALUE(p.url_citation, cited_rows, &c);
        reader_put(&r->base,
            &(struct ir_event){
                .kind = IR_EV_CITATION, .part = PART_TEXT, .citation = &c });
    }
}

static void
read_function(struct reader *r, rx_str value, struct chat_fragment *f)
{
    struct function fn = { 0 };

    WALK_VALUE(value, function_rows, &fn);
    rx_str args = f->custom ? fn.input : fn.arguments;
    f->name = fn.name;
    if (args.len > 0 && args.ptr[0] == '{')
        f->object = args;
    else
        f->args = walk_text(args);
    chat_calls_add(r->calls, f);
}

static void
read_calls(struct reader *r, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return;
    while (walk_next(&j, &one)) {
        struct call c = { 0 };
        struct extra x = { 0 };
        WALK_VALUE(one, call_rows, &c);
        struct chat_fragment f = {
            .index = c.index, .id = c.id, .custom = c.custom.len > 0
        };
        if (c.extra.len > 0) {
            WALK_VALUE(c.extra, extra_rows, &x);
            if (x.google.len > 0)
                WALK_VALUE(x.google, extra_rows, &x);
            f.seal = (struct ir_opaque){ x.signature, DIALECT_GEMINI,
                RX_S("gemini"), 't' };
        }
        read_function(r, f.custom ? c.custom : c.function, &f);
    }
}

static void
read_delta(struct reader *r, rx_str value)
{
    struct delta d = { 0 };

    WALK_VALUE(value, delta_rows, &d);
    read_reasoning(r, &d);
    read_content(r, d.content);
    read_refusal(r, d.refusal);
    read_annotations(r, d.annotations);
    if (d.audio.len > 2 || d.images.len > 2)
        codec_lose(&r->base.about, d.audio.len > 2 ? "audio" : "images",
            "media in answers have no form here");
    if (r->calls == NULL && (d.calls.len > 2 || d.function_call.len > 2))
        r->calls = chat_calls_new(r->base.to, PART_CALLS);
    if (d.calls.len > 2)
        read_calls(r, d.calls);
    if (d.function_call.len > 2)
        read_function(r, d.function_call, &(struct chat_fragment){ 0 });
}

/* --- chunks -------------------------------------------------------------------------- */

static bool
failed(rx_str finish)
{
    static const rx_str words[] = {
        RX_STR_INIT("error"),
        RX_STR_INIT("network_error"),
        RX_STR_INIT("insufficient_system_resource"),
    };

    for (size_t i = 0; i < RX_COUNT(words); i++) {
        if (rx_str_eq(finish, words[i]))
            return true;
    }
    return false;
}

static void
read_finish(struct reader *r, const struct choice *c)
{
    struct ir_stop stop = { .reason = chat_stop(c->finish), .raw = c->finish };
    struct ir_error e = { .fault = IR_FAULT_OVERLOADED,
        .message = RX_S("the upstream gave up in mid-answer") };

    if (c->finish.len == 0)
        return;
    if (failed(c->finish)) {
        fault_read_value(c->error, &e);
        reader_fail(&r->base, &e);
        return;
    }
    if (r->refused && stop.reason == IR_STOP_END)
        stop.reason = IR_STOP_REFUSAL;
    r->stopped = true;
    reader_put(
        &r->base, &(struct ir_event){ .kind = IR_EV_STOP, .stop = stop });
}

static void
read_choices(struct reader *r, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return;
    while (!r->base.over && walk_next(&j, &one)) {
        struct choice c = { 0 };
        WALK_VALUE(one, choice_rows, &c);
        if (c.index.there && c.index.n != 0)
            continue;
        if (c.delta.len > 0)
            read_delta(r, c.delta);
        else if (c.message.len > 0)
            read_delta(r, c.message);
        if (c.logprobs.len > 2)
            WALK_VALUE(c.logprobs, logprobs_rows, &c);
        if (c.content.len > 2)
            reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_LOGPROBS,
                                     .text = c.content });
        reader_put_usage(&r->base, c.usage);
        read_finish(r, &c);
    }
}

/* Azure's first chunk has no choices and no id: the answer begins later. */
static void
read_start(struct reader *r, const struct chunk *c)
{
    if (r->started || (c->id.len == 0 && c->choices.len <= 2))
        return;
    r->started = true;
    reader_put(
        &r->base, &(struct ir_event){ .kind = IR_EV_START,
                      .start = { .id = c->id,
                          .model = c->model,
                          .tier = c->tier,
                          .created = c->created.there && c->created.n > 0
                                         ? (uint64_t)c->created.n
                                         : r->base.about.world->now_s } });
}

static bool
is_something(rx_str value)
{
    return value.len > 2 && !rx_str_eq(value, RX_S("false"));
}

static void
read_chunk(struct reader *r, rx_str data)
{
    struct chunk c = { 0 };
    struct groq x = { 0 };
    struct ir_error e = { 0 };

    WALK_VALUE(data, chunk_rows, &c);
    if (is_something(c.error) && fault_read_value(c.error, &e)) {
        reader_fail(&r->base, &e);
        return;
    }
    read_start(r, &c);
    read_choices(r, c.choices);
    reader_put_usage(&r->base, c.usage);
    if (c.x_groq.len > 0) {
        WALK_VALUE(c.x_groq, groq_rows, &x);
        reader_put_usage(&r->base, x.usage);
    }
}

static void
finish(struct reader *r)
{
    if (r->base.over)
        return;
    r->base.over = true;
    if (r->calls != NULL)
        chat_calls_finish(r->calls);
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_END });
}

void
chat_read(struct codec_reader *base, const struct sse_event *event)
{
    struct reader *r = (struct reader *)base;

    if (r->base.over)
        return;
    if (rx_str_starts(event->data, RX_S("[DONE]")))
        finish(r);
    else
        read_chunk(r, event->data);
}

void
chat_read_whole(struct codec_reader *base, rx_str document)
{
    struct reader *r = (struct reader *)base;

    if (r->base.over)
        return;
    read_chunk(r, document);
    if (r->stopped) {
        finish(r);
    } else if (!r->base.over) {
        reader_fail_by(
            base, document, RX_S("the upstream's answer is no completion"));
    }
}

void
chat_read_end(struct codec_reader *base, bool clean)
{
    struct reader *r = (struct reader *)base;

    if (r->base.over)
        return;
    if (clean && r->stopped)
        finish(r);
    else
        reader_fail_cut(&r->base);
}
