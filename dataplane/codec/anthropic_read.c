/* Answers of Anthropic Messages, streamed and whole. */
#include <stdlib.h>

#include "dataplane/codec/anthropic.h"
#include "dataplane/codec/fault.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/reader.h"
#include "dataplane/codec/walk.h"

/* A search that was asked for; told when what it gave has come. */
struct asked {
    struct asked *next;
    rx_str id;
    struct ir_lookup lookup;
    uint32_t part;
    bool told;
};

struct reader {
    struct codec_reader base;
    bool stopped; /* a stop reason was told */
    /* A tool's input that came with its start: stands unless deltas follow. */
    struct rx_buf input;
    uint32_t input_part;
    struct rx_buf scratch;
    struct asked *asked, *asking; /* the one whose input is coming */
    struct rx_buf input_of;       /* … so far, decoded */
};

struct frame {
    rx_str type, message, block, delta, usage, error;
    struct ir_int index;
};
static const struct walk_row frame_rows[] = {
    WALK_ROW(TEXT, frame, "type", type),
    WALK_ROW(INT, frame, "index", index),
    WALK_ROW(RAW, frame, "message", message),
    WALK_ROW(RAW, frame, "content_block", block),
    WALK_ROW(RAW, frame, "delta", delta),
    WALK_ROW(RAW, frame, "usage", usage),
    WALK_ROW(RAW, frame, "error", error),
};

struct message {
    rx_str type, id, model, content, usage, stop_reason, stop_sequence,
        stop_details, error;
};
static const struct walk_row message_rows[] = {
    WALK_ROW(TEXT, message, "type", type),
    WALK_ROW(TEXT, message, "id", id),
    WALK_ROW(TEXT, message, "model", model),
    WALK_ROW(RAW, message, "content", content),
    WALK_ROW(RAW, message, "usage", usage),
    WALK_ROW(TEXT, message, "stop_reason", stop_reason),
    WALK_ROW(TEXT, message, "stop_sequence", stop_sequence),
    WALK_ROW(RAW, message, "stop_details", stop_details),
    WALK_ROW(RAW, message, "error", error),
};

struct block {
    rx_str type, text, thinking, signature, data, id, name, input, citations,
        tool_use_id, content;
    /* of a delta */
    rx_str partial_json, citation;
};
static const struct walk_row block_rows[] = {
    WALK_ROW(TEXT, block, "type", type),
    WALK_ROW(TEXT, block, "text", text),
    WALK_ROW(TEXT, block, "thinking", thinking),
    WALK_ROW(TEXT, block, "signature", signature),
    WALK_ROW(TEXT, block, "data", data),
    WALK_ROW(TEXT, block, "id", id),
    WALK_ROW(TEXT, block, "name", name),
    WALK_ROW(RAW, block, "input", input),
    WALK_ROW(RAW, block, "citations", citations),
    WALK_ROW(TEXT, block, "tool_use_id", tool_use_id),
    WALK_ROW(RAW, block, "content", content),
    WALK_ROW(TEXT, block, "partial_json", partial_json),
    WALK_ROW(RAW, block, "citation", citation),
};

struct cited {
    rx_str url, title, document_title, cited_text;
};
static const struct walk_row cited_rows[] = {
    WALK_ROW(TEXT, cited, "url", url),
    WALK_ROW(TEXT, cited, "title", title),
    WALK_ROW(TEXT, cited, "document_title", document_title),
    WALK_ROW(TEXT, cited, "cited_text", cited_text),
};

struct found {
    rx_str url, title, age, error;
};
static const struct walk_row found_rows[] = {
    WALK_ROW(TEXT, found, "url", url),
    WALK_ROW(TEXT, found, "title", title),
    WALK_ROW(TEXT, found, "page_age", age),
    WALK_ROW(TEXT, found, "error_code", error),
};

struct wanted {
    rx_str query, url;
};
static const struct walk_row wanted_rows[] = {
    WALK_ROW(TEXT, wanted, "query", query),
    WALK_ROW(TEXT, wanted, "url", url),
};

struct details {
    rx_str explanation;
};
static const struct walk_row details_rows[] = {
    WALK_ROW(TEXT, details, "explanation", explanation),
};

struct codec_reader *
anthropic_reader_new(void)
{
    struct reader *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    rx_buf_init(&r->input, SSE_EVENT_MAX);
    rx_buf_init(&r->scratch, 2 * SSE_EVENT_MAX);
    rx_buf_init(&r->input_of, SSE_EVENT_MAX);
    return &r->base;
}

void
anthropic_reader_fini(struct codec_reader *base)
{
    struct reader *r = (struct reader *)base;

    rx_buf_fini(&r->input);
    rx_buf_fini(&r->scratch);
    rx_buf_fini(&r->input_of);
}

/* --- pieces of both forms -------------------------------------------------------- */

static void
read_start(struct reader *r, const struct message *m)
{
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_START,
                             .start = { .id = m->id,
                                 .model = m->model,
                                 .created = r->base.about.world->now_s } });
    reader_put_usage(&r->base, m->usage);
}

static void
read_stop(struct reader *r, const struct message *m)
{
    struct details d = { 0 };

    if (m->stop_reason.len == 0)
        return;
    r->stopped = true;
    if (rx_str_eq(m->stop_reason, RX_S("pause_turn")))
        codec_lose(&r->base.about, "stop_reason",
            "pause_turn: only this dialect knows to go on after a rest");
    if (m->stop_details.len > 0)
        WALK_VALUE(m->stop_details, details_rows, &d);
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_STOP,
                             .stop = { .reason = anthropic_stop(m->stop_reason),
                                 .sequence = m->stop_sequence,
                                 .raw = m->stop_reason,
                                 .detail = d.explanation } });
}

static void
read_citation(struct reader *r, uint32_t part, rx_str value)
{
    struct cited c = { 0 };
    struct ir_citation out = { .dialect = DIALECT_ANTHROPIC, .raw = value };

    WALK_VALUE(value, cited_rows, &c);
    out.url = c.url;
    out.title = c.title.len > 0 ? c.title : c.document_title;
    out.text = c.cited_text;
    reader_put(
        &r->base, &(struct ir_event){
                      .kind = IR_EV_CITATION, .part = part, .citation = &out });
}

static void
put_seal(struct reader *r, uint32_t part, rx_str bytes, char kind)
{
    if (bytes.len > 0)
        reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_SEAL,
                                 .part = part,
                                 .seal = reader_seal(&r->base, bytes, kind) });
}

/* An object's source as a string's contents. */
static void
put_object(struct reader *r, uint32_t part, rx_str object)
{
    rx_buf_clear(&r->scratch);
    rx_buf_add_json(&r->scratch, object);
    reader_put_bytes(&r->base, IR_EV_ARGS, part, rx_buf_str(&r->scratch));
}

static bool
is_empty_object(rx_str value)
{
    struct rx_span j;

    rx_span_init(&j, value);
    return rx_span_kind(&j) != RX_SPAN_OBJECT ||
           (rx_span_enter_object(&j) && !rx_span_member(&j, NULL));
}

/* --- searches -------------------------------------------------------------------- */

static bool
is_search(const struct block *b)
{
    return rx_str_eq(b->type, RX_S("server_tool_use")) &&
           (rx_str_eq(b->name, RX_S("web_search")) ||
               rx_str_eq(b->name, RX_S("web_fetch")));
}

static bool
is_found(rx_str type)
{
    return rx_str_eq(type, RX_S("web_search_tool_result")) ||
           rx_str_eq(type, RX_S("web_fetch_tool_result"));
}

static void
begin_search(struct reader *r, uint32_t part, const struct block *b)
{
    struct asked *a = rx_arena_make(r->base.about.arena, struct asked, 1);

    if (a == NULL)
        return;
    a->id = rx_arena_copy(r->base.about.arena, b->id);
    a->part = part;
    if (rx_str_eq(b->name, RX_S("web_fetch")))
        a->lookup.kind = IR_LOOKUP_PAGE;
    a->next = r->asked;
    r->asked = r->asking = a;
    rx_buf_clear(&r->input_of);
    if (!is_empty_object(b->input))
        rx_buf_add(&r->input_of, b->input);
}

/* All of its input has come. */
static void
end_search(struct reader *r)
{
    struct wanted w = { 0 };

    if (r->asking == NULL)
        return;
    if (rx_span_whole(rx_buf_str(&r->input_of)))
        WALK_VALUE(rx_buf_str(&r->input_of), wanted_rows, &w);
    r->asking->lookup.what =
        rx_arena_copy(r->base.about.arena, w.query.len > 0 ? w.query : w.url);
    r->asking = NULL;
}

/* An array of pages, one page, or an error. */
static void
read_sources(struct reader *r, rx_str content, struct ir_lookup *l)
{
    struct ir_page **end = &l->sources;
    struct rx_span j;
    rx_str one = content;
    bool list = content.len > 0 && content.ptr[0] == '[';

    if (content.len == 0 || (list && !walk_array(&j, content)))
        return;
    while (!list || walk_next(&j, &one)) {
        struct found f = { 0 };
        WALK_VALUE(one, found_rows, &f);
        l->failed = l->failed || f.error.len > 0;
        struct ir_page *s = f.url.len > 0 ? rx_arena_make(r->base.about.arena,
                                                struct ir_page, 1)
                                          : NULL;
        if (s != NULL) {
            *s = (struct ir_page){ NULL, f.url, f.title, f.age };
            *end = s;
            end = &s->next;
        }
        if (!list)
            return;
    }
}

static void
read_found(struct reader *r, uint32_t part, const struct block *b)
{
    struct ir_lookup l = { 0 };

    for (struct asked *a = r->asked; a != NULL; a = a->next) {
        if (a->told || !rx_str_eq(a->id, b->tool_use_id))
            continue;
        a->told = true;
        l = a->lookup;
        break;
    }
    read_sources(r, b->content, &l);
    ir_put_lookup(&r->base.to, part, &l);
}

/* The provider rests, or broke off, before it gave anything. */
static void
tell_unanswered(struct reader *r)
{
    struct asked *in_order = NULL;

    end_search(r);
    for (struct asked *a = r->asked, *next; a != NULL; a = next) {
        next = a->next;
        a->next = in_order;
        in_order = a;
    }
    r->asked = NULL;
    for (struct asked *a = in_order; a != NULL; a = a->next) {
        if (!a->told)
            ir_put_lookup(&r->base.to, a->part, &a->lookup);
    }
}

/* "web_search_tool_result" and its like. */
static bool
is_server_result(rx_str type)
{
    static const rx_str end = RX_STR_INIT("_tool_result");

    return type.len > end.len &&
           rx_str_eq((rx_str){ type.ptr + type.len - end.len, end.len }, end);
}

static void
open_block(struct reader *r, uint32_t part, const struct block *b, rx_str raw)
{
    struct ir_event e = { .kind = IR_EV_OPEN, .part = part };

    end_search(r);
    if (is_search(b)) {
        begin_search(r, part, b);
        return;
    }
    if (is_found(b->type)) {
        read_found(r, part, b);
        return;
    }
    if (rx_str_eq(b->type, RX_S("text"))) {
        e.open.kind = IR_TEXT;
    } else if (rx_str_eq(b->type, RX_S("thinking"))) {
        e.open.kind = IR_THINKING;
    } else if (rx_str_eq(b->type, RX_S("redacted_thinking"))) {
        e.open.kind = IR_THINKING;
        e.open.redacted = true;
    } else if (rx_str_eq(b->type, RX_S("tool_use"))) {
        e.open.kind = IR_TOOL_CALL;
        e.open.id = b->id;
        e.open.name = b->name;
    } else if (rx_str_eq(b->type, RX_S("server_tool_use")) ||
               rx_str_eq(b->type, RX_S("mcp_tool_use"))) {
        e.open.kind = IR_TOOL_CALL;
        e.open.call = IR_CALL_SERVER;
        e.open.id = b->id;
        e.open.name = b->name;
    } else {
        e.open.kind = is_server_result(b->type) ? IR_SERVER_RESULT : IR_OPAQUE;
        e.open.raw = raw;
    }
    reader_put(&r->base, &e);
}

static void
read_citations(struct reader *r, uint32_t part, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0 || !walk_array(&j, list))
        return;
    while (walk_next(&j, &one))
        read_citation(r, part, one);
}

/* --- stream ---------------------------------------------------------------------- */

static void
flush_input(struct reader *r)
{
    if (r->input.len > 0)
        put_object(r, r->input_part, rx_buf_str(&r->input));
    rx_buf_clear(&r->input);
}

static void
read_block_start(struct reader *r, const struct frame *f)
{
    uint32_t part = (uint32_t)f->index.n;
    struct block b = { 0 };

    flush_input(r);
    WALK_VALUE(f->block, block_rows, &b);
    open_block(r, part, &b, f->block);
    reader_put_bytes(&r->base, IR_EV_TEXT, part, b.text);
    reader_put_bytes(&r->base, IR_EV_THINKING, part, b.thinking);
    put_seal(r, part, b.data, 'r');
    put_seal(r, part, b.signature, 's');
    if (r->asking == NULL && b.input.len > 0 && !is_empty_object(b.input)) {
        rx_buf_add(&r->input, b.input);
        r->input_part = part;
    }
}

static void
read_delta(struct reader *r, const struct frame *f)
{
    uint32_t part = (uint32_t)f->index.n;
    struct block d = { 0 };

    WALK_VALUE(f->delta, block_rows, &d);
    reader_put_bytes(&r->base, IR_EV_TEXT, part, d.text);
    reader_put_bytes(&r->base, IR_EV_THINKING, part, d.thinking);
    if (d.partial_json.len > 0 && r->asking != NULL) {
        if (rx_span_whole(rx_buf_str(&r->input_of)))
            rx_buf_clear(&r->input_of);
        rx_span_unescape(d.partial_json, &r->input_of);
    } else if (d.partial_json.len > 0) {
        if (part == r->input_part)
            rx_buf_clear(&r->input);
        reader_put_bytes(&r->base, IR_EV_ARGS, part, d.partial_json);
    }
    put_seal(r, part, d.signature, 's');
    if (d.citation.len > 0)
        read_citation(r, part, d.citation);
}

static void
finish(struct reader *r)
{
    if (r->base.over)
        return;
    r->base.over = true;
    flush_input(r);
    tell_unanswered(r);
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_END });
}

static const rx_str error_words = RX_STR_INIT("the upstream told an error");

static void
read_frame(struct reader *r, const struct frame *f)
{
    struct message m = { 0 };

    if (rx_str_eq(f->type, RX_S("content_block_delta"))) {
        read_delta(r, f);
    } else if (rx_str_eq(f->type, RX_S("content_block_start"))) {
        read_block_start(r, f);
    } else if (rx_str_eq(f->type, RX_S("content_block_stop"))) {
        flush_input(r);
        end_search(r);
        reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_CLOSE,
                                 .part = (uint32_t)f->index.n });
    } else if (rx_str_eq(f->type, RX_S("message_start"))) {
        WALK_VALUE(f->message, message_rows, &m);
        read_start(r, &m);
    } else if (rx_str_eq(f->type, RX_S("message_delta"))) {
        WALK_VALUE(f->delta, message_rows, &m);
        reader_put_usage(&r->base, f->usage);
        read_stop(r, &m);
    } else if (rx_str_eq(f->type, RX_S("message_stop"))) {
        finish(r);
    } else if (rx_str_eq(f->type, RX_S("ping"))) {
        reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_KEEPALIVE });
    }
}

void
anthropic_read(struct codec_reader *base, const struct sse_event *event)
{
    struct reader *r = (struct reader *)base;
    struct frame f = { 0 };

    if (r->base.over)
        return;
    if (rx_str_starts(event->data, RX_S("[DONE]"))) {
        if (r->stopped)
            finish(r);
        return;
    }
    WALK_VALUE(event->data, frame_rows, &f);
    if (f.error.len > 0)
        reader_fail_by(base, event->data, error_words);
    else if (rx_str_eq(f.type, RX_S("message")))
        anthropic_read_whole(base, event->data);
    else
        read_frame(r, &f);
}

void
anthropic_read_end(struct codec_reader *base, bool clean)
{
    struct reader *r = (struct reader *)base;

    if (r->base.over)
        return;
    if (clean && r->stopped) {
        finish(r);
        return;
    }
    reader_fail_cut(&r->base);
}

/* --- whole ------------------------------------------------------------------------ */

static void
read_whole_block(struct reader *r, uint32_t part, rx_str raw)
{
    struct block b = { 0 };

    WALK_VALUE(raw, block_rows, &b);
    open_block(r, part, &b, raw);
    reader_put_bytes(&r->base, IR_EV_TEXT, part, b.text);
    reader_put_bytes(&r->base, IR_EV_THINKING, part, b.thinking);
    read_citations(r, part, b.citations);
    put_seal(r, part, b.data, 'r');
    put_seal(r, part, b.signature, 's');
    if (r->asking == NULL && b.input.len > 0 && !is_empty_object(b.input))
        put_object(r, part, b.input);
    end_search(r);
    reader_put(
        &r->base, &(struct ir_event){ .kind = IR_EV_CLOSE, .part = part });
}

void
anthropic_read_whole(struct codec_reader *base, rx_str document)
{
    struct reader *r = (struct reader *)base;
    struct message m = { 0 };
    struct rx_span j;
    rx_str block;
    uint32_t part = 0;

    WALK_VALUE(document, message_rows, &m);
    if (m.error.len > 0 || m.content.len == 0) {
        reader_fail_by(base, document, error_words);
        return;
    }
    read_start(r, &m);
    if (walk_array(&j, m.content)) {
        while (walk_next(&j, &block))
            read_whole_block(r, part++, block);
    }
    read_stop(r, &m);
    finish(r);
}
