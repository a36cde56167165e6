/* Answers for clients of Anthropic Messages, streamed and whole. */
#include <inttypes.h>
#include <stdlib.h>

#include "dataplane/codec/anthropic.h"
#include "dataplane/codec/fault.h"
#include "dataplane/codec/provenance.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/reseal.h"

struct writer {
    struct codec_writer base;
    unsigned blocks; /* begun so far; the last is open if `open` */
    bool open;
    bool redacted; /* the open part waits for its seal */
    struct usage usage;
};

struct codec_writer *
anthropic_writer_new(void)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    return &w->base;
}

static void
begin(struct rx_buf *b, const char *type)
{
    rx_str name = rx_str_of(type);

    rx_buf_add(b, RX_S("event: "));
    rx_buf_add(b, name);
    rx_buf_add(b, RX_S("\ndata: {\"type\":\""));
    rx_buf_add(b, name);
    rx_buf_addc(b, '"');
}

static void
end(struct rx_buf *b)
{
    rx_buf_add(b, RX_S("}\n\n"));
}

static void
put_usage(struct rx_buf *b, const struct usage *u, bool whole)
{
    uint64_t hour = u->n[USAGE_cache_write_1h];

    put_member_open(b, "usage", '{');
    put_member_u64(
        b, "input_tokens", u->n[USAGE_in_uncached] + u->n[USAGE_in_tool_use]);
    put_member_u64(b, "cache_creation_input_tokens", ir_usage_written(u));
    put_member_u64(b, "cache_read_input_tokens", u->n[USAGE_cache_read]);
    if (whole && hour > 0) {
        put_member_open(b, "cache_creation", '{');
        put_member_u64(
            b, "ephemeral_5m_input_tokens", ir_usage_written(u) - hour);
        put_member_u64(b, "ephemeral_1h_input_tokens", hour);
        put_close(b, '}');
    }
    put_member_u64(b, "output_tokens", u->n[USAGE_out_total]);
    if (ir_usage_has(u, USAGE_web_searches)) {
        put_member_open(b, "server_tool_use", '{');
        put_member_u64(b, "web_search_requests", u->n[USAGE_web_searches]);
        put_close(b, '}');
    }
    put_close(b, '}');
}

/* The head of a message, up to its content. */
static void
put_head(const struct codec_stream *about, rx_str model, struct rx_buf *b)
{
    char id[CODEC_ID_MAX];
    rx_str asked = about->request->model_asked;

    put_member(b, "id", codec_id(about->world, "msg_", id));
    put_member_word(b, "type", "message");
    put_member_word(b, "role", "assistant");
    put_member(b, "model", asked.len > 0 ? asked : model);
}

/* What the prompt takes is estimated here as long as nobody has told; the end
 * of the stream then says what is true. */
static struct usage
first_usage(const struct writer *w, const struct usage *told)
{
    struct usage u = told != NULL ? *told : (struct usage){ 0 };

    if (!ir_usage_has(&u, USAGE_in_uncached))
        u.n[USAGE_in_uncached] = w->base.about.request->prompt_estimate;
    return u;
}

static void
write_start(struct writer *w, const struct ir_event *e)
{
    struct rx_buf *b = w->base.out;
    struct usage first = first_usage(w, e->start.usage);

    begin(b, "message_start");
    put_member_open(b, "message", '{');
    put_head(&w->base.about, e->start.model, b);
    put_member_raw(b, "content", RX_S("[]"));
    put_member_null(b, "stop_reason");
    put_member_null(b, "stop_sequence");
    put_usage(b, &first, false);
    put_close(b, '}');
    end(b);
    rx_buf_add(b, codec_anthropic.keepalive);
}

/* --- blocks ---------------------------------------------------------------------- */

static void
begin_block(struct writer *w, const char *type)
{
    struct rx_buf *b = w->base.out;

    begin(b, "content_block_start");
    put_member_u64(b, "index", w->blocks++);
    put_member_open(b, "content_block", '{');
    put_member_word(b, "type", type);
    w->open = true;
}

static void
end_block_start(struct writer *w)
{
    put_close(w->base.out, '}');
    end(w->base.out);
}

static void
close_block(struct writer *w)
{
    struct rx_buf *b = w->base.out;

    if (!w->open)
        return;
    w->open = false;
    begin(b, "content_block_stop");
    put_member_u64(b, "index", w->blocks - 1);
    end(b);
}

static void
put_sealed(struct rx_buf *b, const char *name, const struct ir_opaque *seal)
{
    put_key(b, name);
    rx_buf_addc(b, '"');
    provenance_wrap(b, seal);
    rx_buf_addc(b, '"');
}

/* {"query":…} as the inside of a string, as deltas have it. */
static void
put_query_text(struct rx_buf *b, rx_str query)
{
    struct rx_buf json;

    rx_buf_init(&json, query.len + 64);
    put_open(&json, '{');
    put_member(&json, "query", query);
    put_close(&json, '}');
    put_key(b, "partial_json");
    rx_buf_addc(b, '"');
    rx_buf_add_json(b, rx_buf_str(&json));
    rx_buf_addc(b, '"');
    rx_buf_fini(&json);
}

/* A block that holds nothing but a seal. */
static void
write_redacted(struct writer *w, const struct ir_opaque *seal)
{
    begin_block(w, "redacted_thinking");
    put_sealed(w->base.out, "data", seal);
    end_block_start(w);
    close_block(w);
}

/* --- searches, citations ---------------------------------------------------------- */

/*
 * What the provider gives to be brought back is not ours to make: a mark stands
 * for it, by which the blocks are known and left out when they come back.
 */
static void
put_mark(struct rx_buf *b, const char *name)
{
    put_member(b, name, reseal_mark);
}

static rx_str
search_id(const struct codec_stream *about, char out[CODEC_ID_MAX])
{
    return codec_id(about->world, "srvtoolu_rtx1.", out);
}

static void
put_result(struct rx_buf *b, const struct ir_lookup *l, rx_str id)
{
    put_member(b, "tool_use_id", id);
    if (l->failed) {
        put_member_open(b, "content", '{');
        put_member_word(b, "type", "web_search_tool_result_error");
        put_member_word(b, "error_code", "unavailable");
        put_close(b, '}');
        return;
    }
    put_member_open(b, "content", '[');
    for (const struct ir_page *s = l->sources; s != NULL; s = s->next) {
        put_open(b, '{');
        put_member_word(b, "type", "web_search_result");
        put_member(b, "url", s->url);
        put_member(b, "title", s->title.len > 0 ? s->title : s->url);
        put_mark(b, "encrypted_content");
        if (s->age.len > 0)
            put_member(b, "page_age", s->age);
        else
            put_member_null(b, "page_age");
        put_close(b, '}');
    }
    put_close(b, ']');
}

/* A page that was read cannot be shown: what it says stays with the provider. */
static bool
can_show(const struct codec_stream *about, const struct ir_lookup *l)
{
    if (l->kind == IR_LOOKUP_PAGE)
        codec_lose(
            about, "pages", "the text of a page that was read is not told");
    return l->kind == IR_LOOKUP_SEARCH;
}

static void
write_lookup(struct writer *w, const struct ir_lookup *l)
{
    struct rx_buf *b = w->base.out;
    char made[CODEC_ID_MAX];
    rx_str id = search_id(&w->base.about, made);

    if (!can_show(&w->base.about, l))
        return;
    begin_block(w, "server_tool_use");
    put_member(b, "id", id);
    put_member_word(b, "name", "web_search");
    put_member_raw(b, "input", RX_S("{}"));
    end_block_start(w);
    begin(b, "content_block_delta");
    put_member_u64(b, "index", w->blocks - 1);
    put_member_open(b, "delta", '{');
    put_member_word(b, "type", "input_json_delta");
    put_query_text(b, l->what);
    put_close(b, '}');
    end(b);
    close_block(w);
    begin_block(w, "web_search_tool_result");
    put_result(b, l, id);
    end_block_start(w);
}

static void
put_citation(struct rx_buf *b, const struct ir_citation *c)
{
    put_open(b, '{');
    put_member_word(b, "type", "web_search_result_location");
    put_member(b, "url", c->url);
    put_member(b, "title", c->title);
    put_mark(b, "encrypted_index");
    put_member(b, "cited_text", c->text);
    put_close(b, '}');
}

static void
write_citation(struct writer *w, const struct ir_citation *c)
{
    struct rx_buf *b = w->base.out;

    if (!w->open || !codec_can_cite(&w->base.about, c))
        return;
    begin(b, "content_block_delta");
    put_member_u64(b, "index", w->blocks - 1);
    put_member_open(b, "delta", '{');
    put_member_word(b, "type", "citations_delta");
    put_key(b, "citation");
    put_citation(b, c);
    put_close(b, '}');
    end(b);
}

static void
lose_part(const struct codec_stream *about, enum ir_part_kind kind)
{
    if (kind == IR_MEDIA)
        codec_lose(about, "media", "media in answers have no form here");
}

static void
write_open(struct writer *w, const struct ir_event *e)
{
    struct rx_buf *b = w->base.out;

    switch (e->open.kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        begin_block(w, "text");
        put_member_word(b, "text", "");
        break;
    case IR_THINKING:
        w->redacted = e->open.redacted;
        if (w->redacted)
            return;
        begin_block(w, "thinking");
        put_member_word(b, "thinking", "");
        put_member_word(b, "signature", "");
        break;
    case IR_TOOL_CALL:
        if (e->open.seal != NULL)
            write_redacted(w, e->open.seal);
        begin_block(w, "tool_use");
        put_member(b, "id", e->open.id);
        put_member(b, "name", e->open.name);
        put_member_raw(b, "input", RX_S("{}"));
        break;
    case IR_LOOKUP:
        if (e->open.lookup != NULL)
            write_lookup(w, e->open.lookup);
        return;
    default: lose_part(&w->base.about, e->open.kind); return;
    }
    end_block_start(w);
}

static void
write_delta(struct writer *w, const char *type, const char *member, rx_str text)
{
    struct rx_buf *b = w->base.out;

    if (!w->open)
        return;
    begin(b, "content_block_delta");
    put_member_u64(b, "index", w->blocks - 1);
    put_member_open(b, "delta", '{');
    put_member_word(b, "type", type);
    put_member(b, member, text);
    put_close(b, '}');
    end(b);
}

static void
write_seal(struct writer *w, const struct ir_opaque *seal)
{
    struct rx_buf *b = w->base.out;

    if (!w->open) {
        write_redacted(w, seal);
        return;
    }
    begin(b, "content_block_delta");
    put_member_u64(b, "index", w->blocks - 1);
    put_member_open(b, "delta", '{');
    put_member_word(b, "type", "signature_delta");
    put_sealed(b, "signature", seal);
    put_close(b, '}');
    end(b);
}

/* --- end ------------------------------------------------------------------------- */

static void
put_stop(struct rx_buf *b, const struct ir_stop *stop)
{
    put_member_word(b, "stop_reason", anthropic_stop_word(stop->reason));
    if (stop->reason == IR_STOP_SEQUENCE && stop->sequence.len > 0)
        put_member(b, "stop_sequence", stop->sequence);
    else
        put_member_null(b, "stop_sequence");
    if ((stop->reason == IR_STOP_REFUSAL || stop->reason == IR_STOP_FILTERED) &&
        stop->detail.len > 0) {
        put_member_open(b, "stop_details", '{');
        put_member_word(b, "type", "refusal");
        put_member_null(b, "category");
        put_member(b, "explanation", stop->detail);
        put_close(b, '}');
    }
}

static void
write_stop(struct writer *w, const struct ir_event *e)
{
    struct rx_buf *b = w->base.out;

    begin(b, "message_delta");
    put_member_open(b, "delta", '{');
    put_stop(b, &e->stop);
    put_close(b, '}');
    put_usage(b, &w->usage, false);
    end(b);
}

static void
put_error(struct rx_buf *b, const struct ir_error *e)
{
    put_member_open(b, "error", '{');
    put_member_word(b, "type", fault_words(e->fault)->anthropic);
    put_key(b, "message");
    rx_buf_addc(b, '"');
    /* Claude Code makes room when it reads these words. */
    if (e->fault == IR_FAULT_CONTEXT &&
        !rx_str_starts(e->message, RX_S("prompt is too long")))
        rx_buf_add(b, RX_S("prompt is too long: "));
    rx_buf_add(b, e->message.len > 0 ? e->message : RX_S("upstream error"));
    rx_buf_addc(b, '"');
    put_close(b, '}');
}

void
anthropic_write(struct codec_writer *base, const struct ir_event *e)
{
    struct writer *w = (struct writer *)base;

    switch (e->kind) {
    case IR_EV_START: write_start(w, e); break;
    case IR_EV_OPEN: write_open(w, e); break;
    case IR_EV_TEXT: write_delta(w, "text_delta", "text", e->text); break;
    case IR_EV_THINKING:
        write_delta(w, "thinking_delta", "thinking", e->text);
        break;
    case IR_EV_ARGS:
        write_delta(w, "input_json_delta", "partial_json", e->text);
        break;
    case IR_EV_SEAL: write_seal(w, &e->seal); break;
    case IR_EV_CLOSE: close_block(w); break;
    case IR_EV_USAGE: w->usage = *e->usage; break;
    case IR_EV_STOP: write_stop(w, e); break;
    case IR_EV_END:
        begin(base->out, "message_stop");
        end(base->out);
        break;
    case IR_EV_ERROR:
        begin(base->out, "error");
        put_error(base->out, &e->error);
        end(base->out);
        break;
    case IR_EV_CITATION: write_citation(w, e->citation); break;
    case IR_EV_LOGPROBS:
    case IR_EV_KEEPALIVE: break;
    }
}

/* --- whole ------------------------------------------------------------------------ */

static void
put_redacted(struct rx_buf *b, const struct ir_opaque *seal)
{
    put_open(b, '{');
    put_member_word(b, "type", "redacted_thinking");
    put_sealed(b, "data", seal);
    put_close(b, '}');
}

static void
put_thinking(struct rx_buf *b, const struct ir_thinking *t)
{
    if (t->redacted) {
        put_redacted(b, &t->seal);
        return;
    }
    put_open(b, '{');
    put_member_word(b, "type", "thinking");
    put_member(b, "thinking", t->text);
    if (t->seal.bytes.len > 0)
        put_sealed(b, "signature", &t->seal);
    else
        put_member_word(b, "signature", "");
    put_close(b, '}');
}

static void
put_call(struct rx_buf *b, const struct ir_call *c)
{
    if (c->seal.bytes.len > 0)
        put_redacted(b, &c->seal);
    put_open(b, '{');
    put_member_word(b, "type", "tool_use");
    put_member(b, "id", c->id);
    put_member(b, "name", c->name);
    put_key(b, "input");
    put_args_object(b, &c->args);
    put_close(b, '}');
}

static void
put_lookup(const struct codec_stream *about, struct rx_buf *b,
    const struct ir_lookup *l)
{
    char made[CODEC_ID_MAX];
    rx_str id = search_id(about, made);

    if (!can_show(about, l))
        return;
    put_open(b, '{');
    put_member_word(b, "type", "server_tool_use");
    put_member(b, "id", id);
    put_member_word(b, "name", "web_search");
    put_member_open(b, "input", '{');
    put_member(b, "query", l->what);
    put_close(b, '}');
    put_close(b, '}');
    put_open(b, '{');
    put_member_word(b, "type", "web_search_tool_result");
    put_result(b, l, id);
    put_close(b, '}');
}

static void
put_citations(const struct codec_stream *about, struct rx_buf *b,
    const struct ir_citation *c)
{
    bool any = false;

    for (; c != NULL; c = c->next) {
        if (!codec_can_cite(about, c))
            continue;
        if (!any)
            put_member_open(b, "citations", '[');
        any = true;
        put_citation(b, c);
    }
    if (any)
        put_close(b, ']');
}

static void
put_part(
    const struct codec_stream *about, struct rx_buf *b, const struct ir_part *p)
{
    switch (p->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        put_open(b, '{');
        put_member_word(b, "type", "text");
        put_member(b, "text", p->text);
        put_citations(about, b, p->citations);
        put_close(b, '}');
        break;
    case IR_THINKING: put_thinking(b, &p->thinking); break;
    case IR_TOOL_CALL: put_call(b, &p->call); break;
    case IR_LOOKUP: put_lookup(about, b, &p->lookup); break;
    default: lose_part(about, p->kind); break;
    }
}

void
anthropic_write_whole(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out)
{
    put_open(out, '{');
    put_head(about, response->model, out);
    put_member_open(out, "content", '[');
    for (const struct ir_part *p = response->parts.first; p != NULL;
         p = p->next)
        put_part(about, out, p);
    put_close(out, ']');
    put_stop(out, &response->stop);
    put_usage(out, &response->usage, true);
    put_close(out, '}');
}

int
anthropic_write_error(const struct ir_error *error, struct rx_buf *out)
{
    put_open(out, '{');
    put_member_word(out, "type", "error");
    put_error(out, error);
    put_close(out, '}');
    return fault_words(error->fault)->anthropic_status;
}
