/* Answers for clients of Chat Completions, streamed and whole. */
#include <inttypes.h>
#include <stdlib.h>

#include "dataplane/codec/chat.h"
#include "dataplane/codec/fault.h"
#include "dataplane/codec/provenance.h"
#include "dataplane/codec/put.h"

struct writer {
    struct codec_writer base;
    rx_str prefix;     /* of every chunk, up to its choices */
    unsigned calls;    /* begun so far */
    bool custom;       /* the open call takes free text */
    bool refusal;      /* the open part is one */
    unsigned thoughts; /* reasoning parts begun */
    struct usage usage;
    rx_str logprobs; /* of the chunk under way */
};

struct codec_writer *
chat_writer_new(void)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    return &w->base;
}

static void
put_head(const struct codec_stream *about, const char *object, rx_str model,
    uint64_t created, struct rx_buf *b)
{
    char id[CODEC_ID_MAX];
    rx_str asked = about->request->model_asked;

    put_member(b, "id", codec_id(about->world, "chatcmpl-", id));
    put_member_word(b, "object", object);
    put_member_u64(b, "created", created != 0 ? created : about->world->now_s);
    put_member(b, "model", asked.len > 0 ? asked : model);
}

static void
put_usage(struct rx_buf *b, const struct usage *u)
{
    uint64_t prompt = ir_usage_prompt(u);
    uint64_t written = ir_usage_written(u);

    put_open(b, '{');
    put_member_u64(b, "prompt_tokens", prompt);
    put_member_u64(b, "completion_tokens", u->n[USAGE_out_total]);
    put_member_u64(b, "total_tokens", prompt + u->n[USAGE_out_total]);
    if (ir_usage_has(u, USAGE_cache_read) || written > 0) {
        put_member_open(b, "prompt_tokens_details", '{');
        put_member_u64(b, "cached_tokens", u->n[USAGE_cache_read]);
        if (written > 0)
            put_member_u64(b, "cache_write_tokens", written);
        put_close(b, '}');
    }
    if (ir_usage_has(u, USAGE_out_reasoning)) {
        put_member_open(b, "completion_tokens_details", '{');
        put_member_u64(b, "reasoning_tokens", u->n[USAGE_out_reasoning]);
        put_close(b, '}');
    }
    put_close(b, '}');
}

/* --- chunks ---------------------------------------------------------------------- */

/* Up to the inside of the delta. */
static struct rx_buf *
begin(struct writer *w)
{
    struct rx_buf *b = w->base.out;

    rx_buf_add(b, w->prefix);
    rx_buf_add(b, RX_S("\"choices\":[{\"index\":0,\"delta\":{"));
    return b;
}

static void
put_logprobs(struct rx_buf *b, rx_str list)
{
    if (list.len == 0) {
        put_member_null(b, "logprobs");
        return;
    }
    put_member_open(b, "logprobs", '{');
    put_member_raw(b, "content", list);
    put_member_null(b, "refusal");
    put_close(b, '}');
}

static void
end_with(struct writer *w, const char *finish)
{
    struct rx_buf *b = w->base.out;

    put_close(b, '}');
    if (w->logprobs.len > 0)
        put_logprobs(b, w->logprobs);
    w->logprobs = (rx_str){ 0 };
    if (finish != NULL)
        put_member_word(b, "finish_reason", finish);
    else
        put_member_null(b, "finish_reason");
    rx_buf_add(b, RX_S("}]"));
    if (w->base.about.request->stream_usage)
        put_member_null(b, "usage");
    rx_buf_add(b, RX_S("}\n\n"));
}

static void
end(struct writer *w)
{
    end_with(w, NULL);
}

static void
write_start(struct writer *w, const struct ir_event *e)
{
    struct rx_buf head;

    rx_buf_init(&head, 64 * 1024);
    rx_buf_add(&head, RX_S("data: {"));
    put_head(&w->base.about, "chat.completion.chunk", e->start.model,
        e->start.created, &head);
    rx_buf_addc(&head, ',');
    w->prefix = rx_arena_copy(w->base.about.arena, rx_buf_str(&head));
    rx_buf_fini(&head);

    struct rx_buf *b = begin(w);
    put_member_word(b, "role", "assistant");
    put_member_word(b, "content", "");
    end(w);
}

/* Gemini's own carrier, so that its signature may stay as it is. */
static void
put_call_seal(struct rx_buf *b, const struct ir_opaque *seal)
{
    put_member_open(b, "extra_content", '{');
    put_member_open(b, "google", '{');
    put_member(b, "thought_signature", seal->bytes);
    rx_buf_add(b, RX_S("}}"));
}

static void
write_call(struct writer *w, const struct ir_event *e)
{
    struct rx_buf *b = begin(w);

    w->custom = e->open.call == IR_CALL_CUSTOM;
    put_member_open(b, "tool_calls", '[');
    put_open(b, '{');
    put_member_u64(b, "index", w->calls++);
    put_member(b, "id", e->open.id);
    put_member_word(b, "type", w->custom ? "custom" : "function");
    put_member_open(b, w->custom ? "custom" : "function", '{');
    put_member(b, "name", e->open.name);
    put_member_word(b, w->custom ? "input" : "arguments", "");
    put_close(b, '}');
    if (e->open.seal != NULL)
        put_call_seal(b, e->open.seal);
    rx_buf_add(b, RX_S("}]"));
    end(w);
}

static void
write_args(struct writer *w, rx_str text)
{
    struct rx_buf *b = begin(w);

    put_member_open(b, "tool_calls", '[');
    put_open(b, '{');
    put_member_u64(b, "index", w->calls - 1);
    put_member_open(b, w->custom ? "custom" : "function", '{');
    put_member(b, w->custom ? "input" : "arguments", text);
    rx_buf_add(b, RX_S("}}]"));
    end(w);
}

static void
put_detail(struct rx_buf *b, const struct ir_opaque *seal, unsigned index)
{
    bool redacted = seal->kind == 'r';

    put_open(b, '{');
    put_member_word(
        b, "type", redacted ? "reasoning.encrypted" : "reasoning.text");
    put_key(b, redacted ? "data" : "signature");
    rx_buf_addc(b, '"');
    provenance_wrap(b, seal);
    rx_buf_addc(b, '"');
    put_member_u64(b, "index", index);
    put_close(b, '}');
}

static void
write_seal(struct writer *w, const struct ir_opaque *seal)
{
    struct rx_buf *b = begin(w);

    put_member_open(b, "reasoning_details", '[');
    put_detail(b, seal, w->thoughts > 0 ? w->thoughts - 1 : 0);
    put_close(b, ']');
    end(w);
}

static void
write_member(struct writer *w, const char *name, rx_str text)
{
    put_member(begin(w), name, text);
    end(w);
}

static void
put_citation(struct rx_buf *b, const struct ir_citation *c)
{
    put_open(b, '{');
    put_member_word(b, "type", "url_citation");
    put_member_open(b, "url_citation", '{');
    put_member(b, "url", c->url);
    put_member(b, "title", c->title);
    put_member_u64(b, "start_index", c->before + (uint64_t)c->start.n);
    put_member_u64(b, "end_index", c->before + (uint64_t)c->end.n);
    rx_buf_add(b, RX_S("}}"));
}

static void
write_citation(struct writer *w, const struct ir_citation *c)
{
    if (!codec_can_cite(&w->base.about, c))
        return;
    struct rx_buf *b = begin(w);
    put_member_open(b, "annotations", '[');
    put_citation(b, c);
    put_close(b, ']');
    end(w);
}

static void
write_end(struct writer *w)
{
    struct rx_buf *b = w->base.out;

    if (w->base.about.request->stream_usage) {
        rx_buf_add(b, w->prefix);
        rx_buf_add(b, RX_S("\"choices\":[],\"usage\":"));
        put_usage(b, &w->usage);
        rx_buf_add(b, RX_S("}\n\n"));
    }
    rx_buf_add(b, RX_S("data: [DONE]\n\n"));
}

static void
put_error(struct rx_buf *b, const struct ir_error *e)
{
    const struct fault_words *words = fault_words(e->fault);

    put_open(b, '{');
    put_member_open(b, "error", '{');
    put_member(
        b, "message", e->message.len > 0 ? e->message : RX_S("upstream error"));
    put_member_word(b, "type", words->openai);
    if (e->param.len > 0)
        put_member(b, "param", e->param);
    else
        put_member_null(b, "param");
    if (words->openai_code != NULL)
        put_member_word(b, "code", words->openai_code);
    else
        put_member_null(b, "code");
    rx_buf_add(b, RX_S("}}"));
}

static void
write_logprobs(struct writer *w, rx_str list)
{
    begin(w);
    w->logprobs = list;
    end(w);
}

/* What an answer of this dialect has no member for. */
static void
lose_part(const struct codec_stream *about, enum ir_part_kind kind)
{
    if (kind == IR_LOOKUP)
        codec_lose(about, "searches", "an answer cannot tell of them here");
    if (kind == IR_MEDIA)
        codec_lose(about, "media", "media in answers have no form here");
}

static void
write_open(struct writer *w, const struct ir_event *e)
{
    lose_part(&w->base.about, e->open.kind);
    w->refusal = e->open.kind == IR_REFUSAL;
    if (e->open.kind == IR_THINKING)
        w->thoughts++;
    if (e->open.kind == IR_TOOL_CALL)
        write_call(w, e);
}

void
chat_write(struct codec_writer *base, const struct ir_event *e)
{
    struct writer *w = (struct writer *)base;

    switch (e->kind) {
    case IR_EV_START: write_start(w, e); break;
    case IR_EV_OPEN: write_open(w, e); break;
    case IR_EV_TEXT:
        write_member(w, w->refusal ? "refusal" : "content", e->text);
        break;
    case IR_EV_THINKING: write_member(w, "reasoning_content", e->text); break;
    case IR_EV_ARGS: write_args(w, e->text); break;
    case IR_EV_SEAL: write_seal(w, &e->seal); break;
    case IR_EV_CITATION: write_citation(w, e->citation); break;
    case IR_EV_USAGE: w->usage = *e->usage; break;
    case IR_EV_STOP:
        begin(w);
        end_with(w, chat_stop_word(e->stop.reason));
        break;
    case IR_EV_END: write_end(w); break;
    case IR_EV_ERROR:
        rx_buf_add(base->out, RX_S("data: "));
        put_error(base->out, &e->error);
        rx_buf_add(base->out, RX_S("\n\n"));
        break;
    case IR_EV_LOGPROBS: write_logprobs(w, e->text); break;
    case IR_EV_CLOSE:
    case IR_EV_KEEPALIVE: break;
    }
}

/* --- whole ------------------------------------------------------------------------- */

/* All parts of a kind in one string; false when there are none. */
static bool
put_joined(struct rx_buf *b, const char *name, const struct ir_parts *parts,
    enum ir_part_kind kind)
{
    bool any = false;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        rx_str text = kind == IR_THINKING ? p->thinking.text : p->text;
        if (p->kind != kind || (kind == IR_THINKING && text.len == 0))
            continue;
        if (!any) {
            put_key(b, name);
            rx_buf_addc(b, '"');
        }
        any = true;
        rx_buf_add(b, text);
    }
    if (any)
        rx_buf_addc(b, '"');
    return any;
}

static void
put_details(struct rx_buf *b, const struct ir_parts *parts)
{
    unsigned index = 0;
    bool any = false;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->kind != IR_THINKING)
            continue;
        if (p->thinking.seal.bytes.len > 0) {
            if (!any)
                put_member_open(b, "reasoning_details", '[');
            any = true;
            put_detail(b, &p->thinking.seal, index);
        }
        index++;
    }
    if (any)
        put_close(b, ']');
}

static void
put_annotations(const struct codec_stream *about, struct rx_buf *b,
    const struct ir_parts *parts)
{
    bool any = false;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        const struct ir_citation *c = p->kind == IR_TEXT ? p->citations : NULL;
        for (; c != NULL; c = c->next) {
            if (!codec_can_cite(about, c))
                continue;
            if (!any)
                put_member_open(b, "annotations", '[');
            any = true;
            put_citation(b, c);
        }
    }
    if (any)
        put_close(b, ']');
}

static void
put_call(struct rx_buf *b, const struct ir_call *c)
{
    chat_put_call(b, c);
    if (c->seal.bytes.len > 0)
        put_call_seal(b, &c->seal);
    put_close(b, '}');
}

static bool
put_calls(struct rx_buf *b, const struct ir_parts *parts)
{
    bool any = false;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_CALL)
            continue;
        if (!any)
            put_member_open(b, "tool_calls", '[');
        any = true;
        put_call(b, &p->call);
    }
    if (any)
        put_close(b, ']');
    return any;
}

static void
put_message(const struct codec_stream *about, struct rx_buf *b,
    const struct ir_parts *parts)
{
    for (const struct ir_part *p = parts->first; p != NULL; p = p->next)
        lose_part(about, p->kind);
    put_member_open(b, "message", '{');
    put_member_word(b, "role", "assistant");
    bool calls = put_calls(b, parts);
    if (!put_joined(b, "content", parts, IR_TEXT)) {
        if (calls)
            put_member_null(b, "content");
        else
            put_member_word(b, "content", "");
    }
    if (!put_joined(b, "refusal", parts, IR_REFUSAL))
        put_member_null(b, "refusal");
    put_joined(b, "reasoning_content", parts, IR_THINKING);
    put_details(b, parts);
    put_annotations(about, b, parts);
    put_close(b, '}');
}

void
chat_write_whole(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out)
{
    put_open(out, '{');
    put_head(about, "chat.completion", response->model, response->created, out);
    put_member_open(out, "choices", '[');
    put_open(out, '{');
    put_member_u64(out, "index", 0);
    put_message(about, out, &response->parts);
    put_member_word(
        out, "finish_reason", chat_stop_word(response->stop.reason));
    put_logprobs(out, response->logprobs);
    rx_buf_add(out, RX_S("}]"));
    put_key(out, "usage");
    put_usage(out, &response->usage);
    put_close(out, '}');
}

int
chat_write_error(const struct ir_error *error, struct rx_buf *out)
{
    put_error(out, error);
    return fault_words(error->fault)->openai_status;
}
