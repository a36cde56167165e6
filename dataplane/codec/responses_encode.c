/*
 * A request for a channel that speaks Responses.
 *
 * Nothing is kept at the provider: the whole conversation goes along each time,
 * with its sealed reasoning, so that any channel can take the next request.
 */
#include "dataplane/codec/decode.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/responses.h"

/* The least that is accepted. */
#define OUTPUT_MIN 16

static void
put_limits(const struct codec_encode *in, struct rx_buf *b)
{
    const struct ir_request *r = in->request;
    int64_t n = r->max_output.n;

    if (r->max_output.there && n < OUTPUT_MIN) {
        n = OUTPUT_MIN;
        ir_lose(in->losses, "max_output_tokens", "raised to 16, the least");
    }
    if (in->cap->max_output > 0 && n > 0 && (uint64_t)n > in->cap->max_output) {
        n = (int64_t)in->cap->max_output;
        ir_lose(in->losses, "max_output_tokens", "more than the model gives");
    }
    if (r->max_output.there)
        put_member_u64(b, "max_output_tokens", (uint64_t)n);
    if (r->max_tool_calls.there && r->max_tool_calls.n > 0)
        put_member_u64(b, "max_tool_calls", (uint64_t)r->max_tool_calls.n);
}

static bool
may_sample(const struct codec_encode *in)
{
    switch (in->cap->sampling) {
    case CAP_SAMPLING_NO: return false;
    case CAP_SAMPLING_UNLESS_REASONING:
        return !reasoning_wanted(&in->request->reasoning);
    case CAP_SAMPLING_YES:
    case CAP_SAMPLING_ONE_OF: break;
    }
    return true;
}

static void
put_sampling(const struct codec_encode *in, struct rx_buf *b)
{
    const struct ir_request *r = in->request;
    bool both = in->cap->sampling != CAP_SAMPLING_ONE_OF;

    if (may_sample(in)) {
        put_member_raw_if(b, "temperature", r->temperature);
        if (both || r->temperature.len == 0)
            put_member_raw_if(b, "top_p", r->top_p);
        else if (r->top_p.len > 0)
            ir_lose(in->losses, "top_p", "not beside a temperature");
        if (r->logprobs.there && in->cap->logprobs)
            put_member_u64(b, "top_logprobs", (uint64_t)r->logprobs.n);
        else if (r->logprobs.there)
            ir_lose(in->losses, "logprobs", "the model does not give them");
        return;
    }
    if (r->temperature.len > 0)
        ir_lose(in->losses, "temperature", "the model does not take it");
    if (r->top_p.len > 0)
        ir_lose(in->losses, "top_p", "the model does not take it");
    if (r->logprobs.there)
        ir_lose(in->losses, "logprobs", "the model does not give them");
}

/* What has no member here. */
static void
lose_rest(const struct codec_encode *in)
{
    const struct ir_request *r = in->request;
    const struct {
        bool there;
        const char *what;
    } rest[] = {
        { r->top_k.len > 0, "top_k" },
        { r->frequency_penalty.len > 0, "frequency_penalty" },
        { r->presence_penalty.len > 0, "presence_penalty" },
        { r->seed.len > 0, "seed" },
        { r->logit_bias.len > 0, "logit_bias" },
    };

    for (size_t i = 0; i < RX_COUNT(rest); i++) {
        if (rest[i].there)
            ir_lose(in->losses, rest[i].what, "Responses has no such thing");
    }
    if (r->stop != NULL)
        ir_lose(in->losses, "stop", "Responses has none; watched for here");
}

/* --- reasoning, output ------------------------------------------------------------ */

static const char *
effort_of(const struct codec_encode *in)
{
    const struct ir_reasoning *x = &in->request->reasoning;
    const struct capability *cap = in->cap;

    if (x->mode == IR_THINK_OFF) {
        if (cap->effort_none)
            return "none";
        ir_lose(in->losses, "reasoning", "cannot be turned off; the least");
        return effort_word(effort_clamp(IR_EFFORT_MINIMAL, cap->levels));
    }
    enum ir_effort wanted = reasoning_effort(x);
    if (wanted == IR_EFFORT_UNSET)
        return NULL;
    enum ir_effort given = effort_clamp(wanted, cap->levels);
    if (given != wanted)
        ir_lose(in->losses, "reasoning.effort", "the nearest there is");
    return effort_word(given);
}

static void
put_reasoning(const struct codec_encode *in, struct rx_buf *b)
{
    const struct ir_reasoning *x = &in->request->reasoning;
    bool shown = x->show == IR_SHOW_SUMMARY || x->show == IR_SHOW_FULL;

    if (in->cap->reasoning == CAP_REASONING_NONE) {
        if (reasoning_wanted(x))
            ir_lose(in->losses, "reasoning", "the model does not reason");
        return;
    }
    const char *effort = effort_of(in);
    if (effort == NULL && !shown)
        return;
    put_member_open(b, "reasoning", '{');
    if (effort != NULL)
        put_member_word(b, "effort", effort);
    if (shown && x->mode != IR_THINK_OFF)
        put_member(b, "summary",
            x->summary_style.len > 0 ? x->summary_style : RX_S("auto"));
    put_close(b, '}');
}

static void
put_schema(const struct codec_encode *in, struct rx_buf *b)
{
    const struct ir_output *x = &in->request->output;

    put_member_word(b, "type", "json_schema");
    put_member(b, "name", x->name.len > 0 ? x->name : RX_S("response"));
    put_member_if(b, "description", x->description);
    put_member_raw(b, "schema", x->schema);
    put_member_bool(b, "strict", x->strict == IR_YES);
}

static void
put_output(const struct codec_encode *in, struct rx_buf *b)
{
    const struct ir_output *x = &in->request->output;

    if (x->format == IR_OUT_TEXT && x->verbosity.len == 0)
        return;
    put_member_open(b, "text", '{');
    if (x->format != IR_OUT_TEXT) {
        put_member_open(b, "format", '{');
        if (x->format == IR_OUT_SCHEMA)
            put_schema(in, b);
        else
            put_member_word(b, "type", "json_object");
        put_close(b, '}');
    }
    put_member_if(b, "verbosity", x->verbosity);
    put_close(b, '}');
}

/* --- who and how -------------------------------------------------------------------- */

static void
put_tier(const struct ir_request *r, struct rx_buf *b)
{
    static const char *const words[] = {
        [IR_TIER_AUTO] = "auto",
        [IR_TIER_STANDARD] = "default",
        [IR_TIER_FLEX] = "flex",
        [IR_TIER_PRIORITY] = "priority",
        [IR_TIER_FAST] = "fast",
    };

    if (r->tier != IR_TIER_UNSET)
        put_member_word(b, "service_tier", words[r->tier]);
}

/* Clients of other dialects are told the pages that a search found. */
static bool
wants_sources(const struct codec_encode *in)
{
    const struct ir_tool *t = in->request->tools;

    while (t != NULL && t->kind != IR_TOOL_WEB_SEARCH)
        t = t->next;
    return t != NULL && rx_str_eq(in->cap->family, RX_S("gpt"));
}

static void
put_include(const struct codec_encode *in, struct rx_buf *b)
{
    bool reasons = in->cap->reasoning != CAP_REASONING_NONE;
    bool logprobs =
        in->request->logprobs.there && in->cap->logprobs && may_sample(in);

    bool sources = wants_sources(in);

    if (!reasons && !logprobs && !sources)
        return;
    put_member_open(b, "include", '[');
    if (reasons)
        put_word(b, "reasoning.encrypted_content");
    if (logprobs)
        put_word(b, "message.output_text.logprobs");
    if (sources)
        put_word(b, "web_search_call.action.sources");
    put_close(b, ']');
}

/* Metadata is kept with what is stored, and nothing is. */
static void
put_identity(const struct codec_encode *in, struct rx_buf *b)
{
    const struct ir_request *r = in->request;
    bool own = r->dialect == DIALECT_CHAT;

    if (own)
        put_member_raw_if(b, "metadata", r->metadata);
    else if (r->metadata.len > 0)
        ir_lose(in->losses, "metadata", "of another kind");
    put_member_if(b, "prompt_cache_key", r->cache_key);
    put_member_if(b, "prompt_cache_retention", r->cache_retention);
    put_member_if(b, "safety_identifier", r->user_id);
    put_member_if(b, "truncation", r->truncation);
}

enum rx_code
responses_encode_request(const struct codec_encode *in, struct rx_err *err)
{
    const struct ir_request *r = in->request;
    struct rx_buf *b = &in->out->body;

    if (r->n.there && r->n.n > 1)
        return rx_fail(
            err, RX_INVALID, "n: this model gives one answer at a time");
    put_open(b, '{');
    put_member(b, "model", r->model);
    enum rx_code code = responses_put_input(in, err);
    if (code != RX_OK)
        return code;
    responses_put_tools(in);
    responses_put_choice(in);
    put_limits(in, b);
    put_sampling(in, b);
    put_reasoning(in, b);
    put_output(in, b);
    put_include(in, b);
    put_tier(r, b);
    put_identity(in, b);
    lose_rest(in);
    put_member_bool(b, "store", false);
    if (r->stream)
        put_member_bool(b, "stream", true);
    put_close(b, '}');
    in->out->path = RX_S("/v1/responses");
    return b->full ? rx_fail(err, RX_TOO_BIG, "the request is too large")
                   : RX_OK;
}
