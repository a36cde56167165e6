/* Requests of Anthropic Messages, for channels. */
#include <inttypes.h>
#include <string.h>

#include "dataplane/codec/anthropic.h"
#include "dataplane/codec/decode.h"
#include "dataplane/codec/put.h"

#define MARKS_MAX 4

struct encoder {
    const struct codec_encode *in;
    const struct ir_request *r;
    const struct capability *cap;
    struct rx_buf *b;
    unsigned marks; /* for the cache, so far */
};

static void
lose(struct encoder *x, const char *what, const char *why)
{
    ir_lose(x->in->losses, what, why);
}

static void
put_mark(struct encoder *x, enum ir_cache mark)
{
    if (mark == IR_CACHE_NONE || !x->cap->cache_marks)
        return;
    if (x->marks == MARKS_MAX) {
        lose(x, "cache_control", "more than four marks");
        return;
    }
    x->marks++;
    put_member_open(x->b, "cache_control", '{');
    put_member_word(x->b, "type", "ephemeral");
    if (mark == IR_CACHE_1H)
        put_member_word(x->b, "ttl", "1h");
    put_close(x->b, '}');
}

/* --- blocks ------------------------------------------------------------------------ */

static void put_blocks(struct encoder *x, const struct ir_parts *parts);

static void
put_source(struct encoder *x, const struct ir_media *m)
{
    struct rx_buf *b = x->b;
    static const char *const types[] = {
        [IR_INLINE] = "base64",
        [IR_URL] = "url",
        [IR_FILE_ID] = "file",
        [IR_PLAIN] = "text",
        [IR_PARTS] = "content",
    };

    put_member_open(b, "source", '{');
    put_member_word(b, "type", types[m->source]);
    switch (m->source) {
    case IR_INLINE:
    case IR_PLAIN:
        put_key(b, "media_type");
        put_plain(b, m->source == IR_PLAIN ? RX_S("text/plain")
                     : m->mime.len > 0     ? m->mime
                                           : RX_S("application/pdf"));
        put_member(b, "data", m->data);
        break;
    case IR_URL: put_member(b, "url", m->data); break;
    case IR_FILE_ID: put_member(b, "file_id", m->data); break;
    case IR_PARTS:
        put_key(b, "content");
        put_blocks(x, &m->parts);
        break;
    }
    put_close(b, '}');
}

static void
put_media(struct encoder *x, const struct ir_media *m)
{
    if (m->detail.len > 0 && !rx_str_eq(m->detail, RX_S("auto")))
        lose(x, "image detail", "Anthropic has no such setting");
    put_member_word(x->b, "type", m->kind == IR_IMAGE ? "image" : "document");
    put_source(x, m);
    put_member_if(x->b, "title", m->title);
    put_member_if(x->b, "context", m->context);
}

static void
put_thinking(struct encoder *x, const struct ir_thinking *t)
{
    if (t->redacted) {
        put_member_word(x->b, "type", "redacted_thinking");
        put_member(x->b, "data", t->seal.bytes);
        return;
    }
    put_member_word(x->b, "type", "thinking");
    put_member(x->b, "thinking", t->text);
    put_member(x->b, "signature", t->seal.bytes);
}

static void
put_call(struct encoder *x, const struct ir_call *c)
{
    put_member_word(x->b, "type", "tool_use");
    put_member(x->b, "id", c->id);
    put_member(x->b, "name", c->name);
    put_key(x->b, "input");
    if (!put_args_object(x->b, &c->args))
        lose(x, "tool arguments", "they are no JSON object");
}

static void
put_result(struct encoder *x, const struct ir_result *res)
{
    const struct ir_part *only = res->parts.first;

    put_member_word(x->b, "type", "tool_result");
    put_member(x->b, "tool_use_id", res->call_id);
    if (only != NULL) {
        put_key(x->b, "content");
        if (only->next == NULL && only->kind == IR_TEXT)
            put_text(x->b, only->text);
        else
            put_blocks(x, &res->parts);
    }
    if (res->is_error)
        put_member_bool(x->b, "is_error", true);
}

static void
put_search(struct encoder *x, const struct ir_part *p)
{
    put_member_word(x->b, "type", "search_result");
    put_member(x->b, "source", p->search.source);
    put_member(x->b, "title", p->search.title);
    put_key(x->b, "content");
    put_blocks(x, &p->search.parts);
}

static void
put_block(struct encoder *x, const struct ir_part *p)
{
    put_open(x->b, '{');
    switch (p->kind) {
    case IR_TEXT:
    case IR_REFUSAL:
        put_member_word(x->b, "type", "text");
        put_member(x->b, "text", p->text);
        break;
    case IR_MEDIA: put_media(x, &p->media); break;
    case IR_THINKING: put_thinking(x, &p->thinking); break;
    case IR_TOOL_CALL: put_call(x, &p->call); break;
    case IR_TOOL_RESULT: put_result(x, &p->result); break;
    case IR_SEARCH_RESULT: put_search(x, p); break;
    case IR_SERVER_RESULT:
    case IR_LOOKUP:
    case IR_OPAQUE: break; /* normalise_request lets none through */
    }
    if (p->kind != IR_THINKING)
        put_mark(x, p->cache);
    put_close(x->b, '}');
}

static void
put_blocks(struct encoder *x, const struct ir_parts *parts)
{
    put_open(x->b, '[');
    for (const struct ir_part *p = parts->first; p != NULL; p = p->next)
        put_block(x, p);
    put_close(x->b, ']');
}

/* --- conversation -------------------------------------------------------------------- */

static void
put_system(struct encoder *x)
{
    const struct ir_output *o = &x->r->output;
    const struct ir_part *only = x->r->system.first;
    bool ask = o->format == IR_OUT_JSON ||
               (o->format == IR_OUT_SCHEMA && !x->cap->json_schema);

    if (only == NULL && !ask)
        return;
    put_key(x->b, "system");
    if (!ask && only->next == NULL && only->cache == IR_CACHE_NONE) {
        put_text(x->b, only->text);
        return;
    }
    put_open(x->b, '[');
    for (const struct ir_part *p = only; p != NULL; p = p->next)
        put_block(x, p);
    if (ask) {
        lose(x, "response_format", "asked for in words");
        put_open(x->b, '{');
        put_member_word(x->b, "type", "text");
        put_key(x->b, "text");
        rx_buf_add(x->b, RX_S("\"Respond only with one JSON object."));
        if (o->schema.len > 0) {
            rx_buf_add(x->b, RX_S(" It must match this JSON Schema: "));
            rx_buf_add_json(x->b, o->schema);
        }
        rx_buf_add(x->b, RX_S("\"}"));
    }
    put_close(x->b, ']');
}

static void
put_messages(struct encoder *x)
{
    static const char *const roles[] = {
        [IR_USER] = "user",
        [IR_ASSISTANT] = "assistant",
        [IR_SYSTEM] = "system",
    };

    put_member_open(x->b, "messages", '[');
    for (const struct ir_turn *t = x->r->turns; t != NULL; t = t->next) {
        const struct ir_part *only = t->parts.first;
        put_open(x->b, '{');
        put_member_word(x->b, "role", roles[t->role]);
        put_key(x->b, "content");
        if (only != NULL && only->next == NULL && only->kind == IR_TEXT &&
            only->cache == IR_CACHE_NONE)
            put_text(x->b, only->text);
        else
            put_blocks(x, &t->parts);
        put_close(x->b, '}');
    }
    put_close(x->b, ']');
}

/* --- tools ----------------------------------------------------------------------------- */

static void
put_search_tool(struct encoder *x, const struct ir_tool *t)
{
    bool place = t->search.city.len + t->search.region.len +
                     t->search.country.len + t->search.timezone.len >
                 0;

    put_member_word(x->b, "type", "web_search_20250305");
    put_member_word(x->b, "name", "web_search");
    put_member_raw_if(x->b, "allowed_domains", t->search.allow);
    if (t->search.allow.len == 0)
        put_member_raw_if(x->b, "blocked_domains", t->search.block);
    if (t->search.max_uses.there)
        put_member_u64(x->b, "max_uses", (uint64_t)t->search.max_uses.n);
    if (t->search.context_size.len > 0)
        lose(x, "search_context_size", "Anthropic has no such setting");
    if (!place)
        return;
    put_member_open(x->b, "user_location", '{');
    put_member_word(x->b, "type", "approximate");
    put_member_if(x->b, "city", t->search.city);
    put_member_if(x->b, "region", t->search.region);
    put_member_if(x->b, "country", t->search.country);
    put_member_if(x->b, "timezone", t->search.timezone);
    put_close(x->b, '}');
}

static void
put_tool(struct encoder *x, const struct ir_tool *t)
{
    put_open(x->b, '{');
    if (t->kind == IR_TOOL_WEB_SEARCH) {
        put_search_tool(x, t);
    } else if (t->kind == IR_TOOL_WEB_FETCH) {
        put_member_word(x->b, "type", "web_fetch_20250910");
        put_member_word(x->b, "name", "web_fetch");
    } else {
        put_member(x->b, "name", t->name);
        put_member_if(x->b, "description", t->description);
        put_member_raw(x->b, "input_schema",
            rx_span_kind_of(t->schema) == RX_SPAN_OBJECT && t->schema.len > 2
                ? t->schema
                : RX_S("{\"type\":\"object\",\"properties\":{}}"));
        if (t->strict == IR_YES)
            put_member_bool(x->b, "strict", true);
    }
    put_mark(x, t->cache);
    put_close(x->b, '}');
}

static void
put_choice(struct encoder *x)
{
    static const char *const words[] = {
        [IR_CHOICE_UNSET] = "auto",
        [IR_CHOICE_AUTO] = "auto",
        [IR_CHOICE_NONE] = "none",
        [IR_CHOICE_REQUIRED] = "any",
        [IR_CHOICE_NAMED] = "tool",
        [IR_CHOICE_ALLOWED] = "auto",
    };
    const struct ir_request *r = x->r;
    bool single = r->parallel == IR_NO && r->choice != IR_CHOICE_NONE;

    if (r->tools == NULL || (r->choice == IR_CHOICE_UNSET && !single))
        return;
    put_member_open(x->b, "tool_choice", '{');
    put_member_word(x->b, "type", words[r->choice]);
    if (r->choice == IR_CHOICE_NAMED)
        put_member(x->b, "name", r->choice_name);
    if (single)
        put_member_bool(x->b, "disable_parallel_tool_use", true);
    put_close(x->b, '}');
}

static void
put_tools(struct encoder *x)
{
    if (x->r->tools == NULL)
        return;
    put_member_open(x->b, "tools", '[');
    for (const struct ir_tool *t = x->r->tools; t != NULL; t = t->next)
        put_tool(x, t);
    put_close(x->b, ']');
}

/* --- reasoning and limits ------------------------------------------------------------------ */

#define OUTPUT_UNKNOWN 8192
#define BUDGET_ROOM    1024 /* left for the answer itself */

/* What the reasoning may cost; 0: no budget is sent. */
static int64_t
budget(const struct encoder *x)
{
    const struct ir_reasoning *r = &x->r->reasoning;
    int64_t wanted;

    if (x->cap->reasoning != CAP_REASONING_BUDGET || !reasoning_wanted(r))
        return 0;
    wanted = r->budget.there && r->budget.n > 0 ? r->budget.n
             : r->effort != IR_EFFORT_UNSET     ? effort_budget(r->effort)
                                            : effort_budget(IR_EFFORT_MEDIUM);
    if (wanted < x->cap->budget_min)
        wanted = x->cap->budget_min;
    return wanted < x->cap->budget_max ? wanted : x->cap->budget_max;
}

/* max_tokens is required here: the client's, else what the model can do. */
static int64_t
limit(struct encoder *x, int64_t wanted)
{
    int64_t most = (int64_t)x->cap->max_output;
    int64_t n = most > 0 ? most : OUTPUT_UNKNOWN;

    if (x->r->max_output.there) {
        n = x->r->max_output.n;
        if (most > 0 && n > most) {
            lose(x, "max_tokens", "lowered to what the model can do");
            n = most;
        }
    } else if (n < wanted + BUDGET_ROOM) {
        n = wanted + BUDGET_ROOM;
    }
    return n;
}

static void
put_effort(struct encoder *x)
{
    const struct ir_output *o = &x->r->output;
    enum ir_effort e =
        effort_clamp(reasoning_effort(&x->r->reasoning), x->cap->levels);
    bool level = x->cap->reasoning == CAP_REASONING_ADAPTIVE &&
                 reasoning_effort(&x->r->reasoning) != IR_EFFORT_UNSET;
    bool format = o->format == IR_OUT_SCHEMA && x->cap->json_schema;

    if (!level && !format)
        return;
    put_member_open(x->b, "output_config", '{');
    if (level)
        put_member_word(x->b, "effort", effort_word(e));
    if (format) {
        put_member_open(x->b, "format", '{');
        put_member_word(x->b, "type", "json_schema");
        put_member_raw(x->b, "schema", o->schema);
        put_close(x->b, '}');
    }
    put_close(x->b, '}');
}

/* True when the model is going to reason. */
static bool
put_reasoning(struct encoder *x, int64_t tokens, int64_t most)
{
    const struct ir_reasoning *r = &x->r->reasoning;
    bool wanted = reasoning_wanted(r);

    if (!wanted && r->mode != IR_THINK_OFF)
        return false;
    if (x->cap->reasoning == CAP_REASONING_NONE) {
        if (wanted)
            lose(x, "reasoning", "the model does not reason");
        return false;
    }
    if (wanted && tokens > 0 && tokens >= most) {
        if (most <= x->cap->budget_min) {
            lose(x, "reasoning", "the output limit leaves no room for it");
            return false;
        }
        tokens = most - BUDGET_ROOM > x->cap->budget_min ? most - BUDGET_ROOM
                                                         : x->cap->budget_min;
    }
    put_member_open(x->b, "thinking", '{');
    if (!wanted) {
        put_member_word(x->b, "type", "disabled");
    } else if (tokens > 0) {
        put_member_word(x->b, "type", "enabled");
        put_member_u64(x->b, "budget_tokens", (uint64_t)tokens);
    } else {
        put_member_word(x->b, "type", "adaptive");
        if (r->show == IR_SHOW_SUMMARY || r->show == IR_SHOW_FULL)
            put_member_word(x->b, "display", "summarized");
    }
    put_close(x->b, '}');
    return wanted;
}

static void
put_sampling(struct encoder *x, bool reasoning)
{
    const struct ir_request *r = x->r;
    bool may = x->cap->sampling != CAP_SAMPLING_NO && !reasoning;

    if (!may && r->temperature.len + r->top_p.len > 0)
        lose(x, "temperature", "the model or its reasoning excludes it");
    if (may && r->temperature.len > 0) {
        if (ir_number(r->temperature, 0) > 1) {
            lose(x, "temperature", "lowered to 1");
            put_member_u64(x->b, "temperature", 1);
        } else {
            put_member_raw(x->b, "temperature", r->temperature);
        }
    }
    bool both = x->cap->sampling == CAP_SAMPLING_ONE_OF;
    if (may && r->top_p.len > 0 && both && r->temperature.len > 0)
        lose(x, "top_p", "temperature is set");
    else if (may)
        put_member_raw_if(x->b, "top_p", r->top_p);
    if (r->top_k.len > 0 && may && x->cap->top_k)
        put_member_raw(x->b, "top_k", r->top_k);
    else if (r->top_k.len > 0)
        lose(x, "top_k", "the model or its reasoning excludes it");
}

static bool
is_blank(rx_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len &&
            strchr("nrt", text.ptr[i + 1]) != NULL)
            i++;
        else if (text.ptr[i] != ' ')
            return false;
    }
    return true;
}

static void
put_stops(struct encoder *x)
{
    bool any = false;

    for (const struct ir_name *n = x->r->stop; n != NULL; n = n->next) {
        if (is_blank(n->name)) {
            lose(x, "stop", "blank ones are refused; watched for here");
            continue;
        }
        if (!any)
            put_member_open(x->b, "stop_sequences", '[');
        any = true;
        put_text(x->b, n->name);
    }
    if (any)
        put_close(x->b, ']');
}

static void
note_losses(struct encoder *x)
{
    const struct ir_request *r = x->r;
    const struct {
        bool there;
        const char *what;
    } unknown[] = {
        { r->frequency_penalty.len > 0, "frequency_penalty" },
        { r->presence_penalty.len > 0, "presence_penalty" },
        { r->seed.len > 0, "seed" },
        { r->logit_bias.len > 0, "logit_bias" },
        { r->logprobs.there, "logprobs" },
        { r->output.verbosity.len > 0, "verbosity" },
        { r->metadata.len > 2, "metadata" },
        { r->tier == IR_TIER_FLEX, "service_tier" },
        { r->max_tool_calls.there, "max_tool_calls" },
        { r->truncation.len > 0, "truncation" },
    };

    for (size_t i = 0; i < RX_COUNT(unknown); i++) {
        if (unknown[i].there)
            lose(x, unknown[i].what, "Anthropic has no counterpart");
    }
}

enum rx_code
anthropic_encode_request(const struct codec_encode *in, struct rx_err *err)
{
    struct encoder x = {
        .in = in, .r = in->request, .cap = in->cap, .b = &in->out->body
    };
    int64_t tokens = budget(&x);
    int64_t most = limit(&x, tokens);

    put_open(x.b, '{');
    put_member(x.b, "model", x.r->model);
    put_member_u64(x.b, "max_tokens", (uint64_t)most);
    put_system(&x);
    put_tools(&x);
    put_choice(&x);
    put_messages(&x);
    bool reasoning = put_reasoning(&x, tokens, most);
    put_effort(&x);
    put_sampling(&x, reasoning);
    put_stops(&x);
    if (x.r->user_id.len > 0) {
        put_member_open(x.b, "metadata", '{');
        put_member(x.b, "user_id", x.r->user_id);
        put_close(x.b, '}');
    }
    if (x.r->tier == IR_TIER_STANDARD)
        put_member_word(x.b, "service_tier", "standard_only");
    else if (x.r->tier == IR_TIER_AUTO || x.r->tier == IR_TIER_PRIORITY)
        put_member_word(x.b, "service_tier", "auto");
    if (x.r->stream)
        put_member_bool(x.b, "stream", true);
    put_close(x.b, '}');
    note_losses(&x);
    in->out->path = RX_S("/v1/messages");
    if (x.b->full)
        return rx_fail(
            err, RX_TOO_BIG, "the request is too large to translate");
    return RX_OK;
}
