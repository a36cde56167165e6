/* Answers for clients of Gemini, streamed and whole. */
#include <stdlib.h>

#include "dataplane/codec/fault.h"
#include "dataplane/codec/gemini.h"
#include "dataplane/codec/gemini_grounding.h"
#include "dataplane/codec/provenance.h"
#include "dataplane/codec/put.h"

struct writer {
    struct codec_writer base;
    bool any;  /* something was written: an array has begun */
    rx_str id; /* of the answer: the same in every chunk */
    struct usage usage;
    enum ir_part_kind kind; /* of the open part */
    struct ir_call call;    /* as it was opened */
    struct rx_buf args;     /* … and its arguments so far */
    struct gemini_grounding grounding;
};

#define ARGS_MAX ((size_t)32 * 1024 * 1024)

struct codec_writer *
gemini_writer_new(void)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    rx_buf_init(&w->args, ARGS_MAX);
    gemini_grounding_init(&w->grounding);
    return &w->base;
}

void
gemini_writer_fini(struct codec_writer *base)
{
    rx_buf_fini(&((struct writer *)base)->args);
    gemini_grounding_fini(&((struct writer *)base)->grounding);
}

/* --- pieces of an answer --------------------------------------------------------- */

static void
cite(const struct codec_stream *about, struct gemini_grounding *g,
    const struct ir_citation *c)
{
    if (codec_can_cite(about, c))
        gemini_grounding_cite(g, c);
}

/* Clients decode the bytes: an envelope is dressed as what they expect. */
static void
put_signature(struct rx_buf *b, const struct ir_opaque *seal)
{
    struct rx_buf envelope;

    put_key(b, "thoughtSignature");
    rx_buf_addc(b, '"');
    if (seal->dialect == DIALECT_GEMINI) {
        rx_buf_add(b, seal->bytes);
    } else {
        rx_buf_init(&envelope, seal->bytes.len * 2 + 256);
        provenance_wrap(&envelope, seal);
        gemini_base64(b, rx_buf_str(&envelope));
        rx_buf_fini(&envelope);
    }
    rx_buf_addc(b, '"');
}

static void
put_text_part(struct rx_buf *b, rx_str text, bool thought)
{
    put_open(b, '{');
    put_member(b, "text", text);
    if (thought)
        put_member_bool(b, "thought", true);
    put_close(b, '}');
}

static void
put_sealed_part(struct rx_buf *b, rx_str text, const struct ir_opaque *seal)
{
    put_open(b, '{');
    put_member(b, "text", text);
    put_member_bool(b, "thought", true);
    put_signature(b, seal);
    put_close(b, '}');
}

/* An object's source on one line: a line feed would end our event. */
static void
put_args(struct rx_buf *b, const struct ir_args *args)
{
    size_t from = b->len;

    put_args_object(b, args);
    for (size_t i = from; i < b->len; i++) {
        if (b->ptr[i] == '\n' || b->ptr[i] == '\r')
            b->ptr[i] = ' ';
    }
}

static void
put_call_part(struct rx_buf *b, const struct ir_call *c)
{
    put_open(b, '{');
    put_member_open(b, "functionCall", '{');
    put_member_if(b, "id", c->id);
    put_member(b, "name", c->name);
    put_key(b, "args");
    put_args(b, &c->args);
    put_close(b, '}');
    if (c->seal.bytes.len > 0)
        put_signature(b, &c->seal);
    put_close(b, '}');
}

static void
put_media_part(struct rx_buf *b, const struct ir_media *m)
{
    put_open(b, '{');
    put_member_open(b, "inlineData", '{');
    put_member(b, "mimeType", m->mime);
    put_member(b, "data", m->data);
    put_close(b, '}');
    put_close(b, '}');
}

static void
put_usage(struct rx_buf *b, const struct usage *u)
{
    uint64_t prompt = ir_usage_prompt(u);
    uint64_t tools = u->n[USAGE_in_tool_use];
    uint64_t thoughts = u->n[USAGE_out_reasoning];
    uint64_t out = u->n[USAGE_out_total];

    if (thoughts > out)
        thoughts = out;
    put_member_open(b, "usageMetadata", '{');
    put_member_u64(b, "promptTokenCount", prompt - tools);
    put_member_u64(b, "candidatesTokenCount", out - thoughts);
    if (tools > 0)
        put_member_u64(b, "toolUsePromptTokenCount", tools);
    if (ir_usage_has(u, USAGE_cache_read))
        put_member_u64(b, "cachedContentTokenCount", u->n[USAGE_cache_read]);
    if (thoughts > 0)
        put_member_u64(b, "thoughtsTokenCount", thoughts);
    put_member_u64(b, "totalTokenCount", prompt + out);
    put_close(b, '}');
}

static bool
shows_thoughts(const struct codec_stream *about)
{
    return about->request->reasoning.show == IR_SHOW_SUMMARY ||
           about->request->reasoning.show == IR_SHOW_FULL;
}

static void
put_model(const struct codec_stream *about, rx_str model, struct rx_buf *b)
{
    rx_str asked = about->request->model_asked;

    put_member(b, "modelVersion", asked.len > 0 ? asked : model);
}

static void
put_candidate_open(struct rx_buf *b)
{
    put_member_open(b, "candidates", '[');
    put_open(b, '{');
    put_member_open(b, "content", '{');
    put_member_open(b, "parts", '[');
}

/* Up to the candidate's other members. */
static void
put_content_close(struct rx_buf *b)
{
    put_close(b, ']');
    put_member_word(b, "role", "model");
    put_close(b, '}');
}

static void
put_finish(struct rx_buf *b, const struct ir_stop *stop)
{
    put_member_word(b, "finishReason", gemini_stop_word(stop->reason));
    put_member_if(b, "finishMessage", stop->detail);
}

static void
put_candidate_close(struct rx_buf *b)
{
    put_member_u64(b, "index", 0);
    put_close(b, '}');
    put_close(b, ']');
}

/* --- chunks ------------------------------------------------------------------------ */

static bool
is_array(const struct writer *w)
{
    return w->base.about.request->stream_array;
}

static void
begin_chunk(struct writer *w)
{
    struct rx_buf *b = w->base.out;

    if (!is_array(w))
        rx_buf_add(b, RX_S("data: "));
    else
        rx_buf_add(b, w->any ? RX_S(",\r\n") : RX_S("["));
    w->any = true;
    rx_buf_addc(b, '{');
}

static void
end_chunk(struct writer *w)
{
    rx_buf_addc(w->base.out, '}');
    if (!is_array(w))
        rx_buf_add(w->base.out, RX_S("\r\n\r\n"));
}

static void
begin_parts(struct writer *w)
{
    begin_chunk(w);
    put_candidate_open(w->base.out);
}

static void
end_parts(struct writer *w)
{
    struct rx_buf *b = w->base.out;

    put_content_close(b);
    put_candidate_close(b);
    put_model(&w->base.about, (rx_str){ 0 }, b);
    put_member(b, "responseId", w->id);
    end_chunk(w);
}

static void
write_start(struct writer *w, const struct ir_event *e)
{
    char id[CODEC_ID_MAX];

    (void)e;
    w->id = rx_arena_copy(
        w->base.about.arena, codec_id(w->base.about.world, "", id));
}

static void
write_open(struct writer *w, const struct ir_event *e)
{
    w->kind = e->open.kind;
    if (w->kind == IR_LOOKUP && e->open.lookup != NULL)
        gemini_grounding_lookup(&w->grounding, e->open.lookup);
    if (w->kind == IR_MEDIA && e->open.media != NULL &&
        e->open.media->source == IR_INLINE) {
        begin_parts(w);
        put_media_part(w->base.out, e->open.media);
        end_parts(w);
    }
    if (w->kind != IR_TOOL_CALL)
        return;
    rx_buf_clear(&w->args);
    w->call = (struct ir_call){ .id = e->open.id, .name = e->open.name };
    if (e->open.seal != NULL)
        w->call.seal = *e->open.seal;
}

static void
write_text(struct writer *w, rx_str text, bool thought)
{
    if (thought && !shows_thoughts(&w->base.about))
        return;
    begin_parts(w);
    put_text_part(w->base.out, text, thought);
    end_parts(w);
}

/* A call is only whole at its end: clients get it in one piece. */
static void
write_close(struct writer *w)
{
    if (w->kind != IR_TOOL_CALL)
        return;
    w->call.args = (struct ir_args){ rx_buf_str(&w->args), true };
    begin_parts(w);
    put_call_part(w->base.out, &w->call);
    end_parts(w);
    rx_buf_clear(&w->args);
}

static void
write_seal(struct writer *w, const struct ir_opaque *seal)
{
    begin_parts(w);
    put_sealed_part(w->base.out, RX_S(""), seal);
    end_parts(w);
}

static void
write_stop(struct writer *w, const struct ir_event *e)
{
    struct rx_buf *b = w->base.out;

    begin_chunk(w);
    put_candidate_open(b);
    put_text_part(b, RX_S(""), false);
    put_content_close(b);
    gemini_grounding_put(&w->grounding, b);
    put_finish(b, &e->stop);
    put_candidate_close(b);
    put_usage(b, &w->usage);
    put_model(&w->base.about, (rx_str){ 0 }, b);
    put_member(b, "responseId", w->id);
    end_chunk(w);
}

static void
write_logprobs(struct writer *w, rx_str list)
{
    struct rx_buf *b = w->base.out;

    begin_chunk(w);
    put_candidate_open(b);
    put_text_part(b, RX_S(""), false);
    put_content_close(b);
    gemini_put_logprobs(b, list);
    put_candidate_close(b);
    put_model(&w->base.about, (rx_str){ 0 }, b);
    put_member(b, "responseId", w->id);
    end_chunk(w);
}

static void
put_error(struct rx_buf *b, const struct ir_error *e)
{
    const struct fault_words *words = fault_words(e->fault);

    put_member_open(b, "error", '{');
    put_member_u64(b, "code", (uint64_t)words->gemini_status);
    put_member(
        b, "message", e->message.len > 0 ? e->message : RX_S("upstream error"));
    put_member_word(b, "status", words->gemini);
    put_close(b, '}');
}

static void
write_end(struct writer *w)
{
    if (is_array(w))
        rx_buf_add(w->base.out, w->any ? RX_S("]") : RX_S("[]"));
}

static void
write_fault(struct writer *w, const struct ir_error *e)
{
    begin_chunk(w);
    put_error(w->base.out, e);
    end_chunk(w);
    write_end(w);
}

void
gemini_write(struct codec_writer *base, const struct ir_event *e)
{
    struct writer *w = (struct writer *)base;

    switch (e->kind) {
    case IR_EV_START: write_start(w, e); break;
    case IR_EV_OPEN: write_open(w, e); break;
    case IR_EV_TEXT: write_text(w, e->text, false); break;
    case IR_EV_THINKING: write_text(w, e->text, true); break;
    case IR_EV_ARGS: rx_buf_add(&w->args, e->text); break;
    case IR_EV_SEAL: write_seal(w, &e->seal); break;
    case IR_EV_CLOSE: write_close(w); break;
    case IR_EV_USAGE: w->usage = *e->usage; break;
    case IR_EV_STOP: write_stop(w, e); break;
    case IR_EV_ERROR: write_fault(w, &e->error); break;
    case IR_EV_END: write_end(w); break;
    case IR_EV_CITATION: cite(&base->about, &w->grounding, e->citation); break;
    case IR_EV_LOGPROBS: write_logprobs(w, e->text); break;
    case IR_EV_KEEPALIVE: break;
    }
}

/* --- whole --------------------------------------------------------------------------- */

static bool
put_thinking(
    const struct codec_stream *about, struct rx_buf *b, const struct ir_part *p)
{
    rx_str text = shows_thoughts(about) ? p->thinking.text : RX_S("");

    if (p->thinking.seal.bytes.len > 0)
        put_sealed_part(b, text, &p->thinking.seal);
    else if (text.len > 0)
        put_text_part(b, text, true);
    return text.len > 0 || p->thinking.seal.bytes.len > 0;
}

static bool
put_part(
    const struct codec_stream *about, struct rx_buf *b, const struct ir_part *p)
{
    switch (p->kind) {
    case IR_TEXT:
    case IR_REFUSAL: put_text_part(b, p->text, false); return true;
    case IR_THINKING: return put_thinking(about, b, p);
    case IR_TOOL_CALL: put_call_part(b, &p->call); return true;
    case IR_MEDIA:
        if (p->media.source != IR_INLINE)
            return false;
        put_media_part(b, &p->media);
        return true;
    case IR_TOOL_RESULT:
    case IR_SERVER_RESULT:
    case IR_SEARCH_RESULT:
    case IR_LOOKUP:
    case IR_OPAQUE: break;
    }
    return false;
}

static void
put_grounding(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out)
{
    struct gemini_grounding g;

    gemini_grounding_init(&g);
    for (const struct ir_part *p = response->parts.first; p != NULL;
         p = p->next) {
        const struct ir_citation *c = p->kind == IR_TEXT ? p->citations : NULL;
        for (; c != NULL; c = c->next)
            cite(about, &g, c);
        if (p->kind == IR_LOOKUP)
            gemini_grounding_lookup(&g, &p->lookup);
    }
    gemini_grounding_put(&g, out);
    gemini_grounding_fini(&g);
}

void
gemini_write_whole(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out)
{
    char id[CODEC_ID_MAX];
    bool any = false;

    put_open(out, '{');
    put_candidate_open(out);
    for (const struct ir_part *p = response->parts.first; p != NULL;
         p = p->next)
        any = put_part(about, out, p) || any;
    if (!any)
        put_text_part(out, RX_S(""), false);
    put_content_close(out);
    put_grounding(about, response, out);
    gemini_put_logprobs(out, response->logprobs);
    put_finish(out, &response->stop);
    put_candidate_close(out);
    put_usage(out, &response->usage);
    put_model(about, response->model, out);
    put_member(out, "responseId", codec_id(about->world, "", id));
    put_close(out, '}');
}

int
gemini_write_error(const struct ir_error *error, struct rx_buf *out)
{
    put_open(out, '{');
    put_error(out, error);
    put_close(out, '}');
    return fault_words(error->fault)->gemini_status;
}
