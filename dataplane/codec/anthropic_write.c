/* Answers for clients of Anthropic Messages, streamed and whole. */
#include <inttypes.h>
#include <stdlib.h>

#include "dataplane/codec/anthropic.h"
#include "dataplane/codec/fault.h"
#include "dataplane/codec/provenance.h"
#include "dataplane/codec/put.h"

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
    rx_buf_addf(b, "event: %s\ndata: {\"type\":\"%s\"", type, type);
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

/* A block that holds nothing but a seal. */
static void
write_redacted(struct writer *w, const struct ir_opaque *seal)
{
    begin_block(w, "redacted_thinking");
    put_sealed(w->base.out, "data", seal);
    end_block_start(w);
    close_block(w);
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
    default: return;
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
    case IR_EV_CITATION:
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
put_part(struct rx_buf *b, const struct ir_part *p)
{
    switch (p->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        put_open(b, '{');
        put_member_word(b, "type", "text");
        put_member(b, "text", p->text);
        put_close(b, '}');
        break;
    case IR_THINKING: put_thinking(b, &p->thinking); break;
    case IR_TOOL_CALL: put_call(b, &p->call); break;
    default: break;
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
        put_part(out, p);
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
