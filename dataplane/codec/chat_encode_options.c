/* Requests of Chat Completions, for channels: everything but the messages. */
#include "dataplane/codec/chat_encode.h"
#include "dataplane/codec/decode.h"

/* --- tools -------------------------------------------------------------------------- */

static void
put_function(struct chat_encoder *x, const struct ir_tool *t)
{
    put_member_word(x->b, "type", "function");
    put_member_open(x->b, "function", '{');
    put_member(x->b, "name", t->name);
    put_member_if(x->b, "description", t->description);
    put_member_raw(x->b, "parameters",
        rx_span_kind_of(t->schema) == RX_SPAN_OBJECT && t->schema.len > 2
            ? t->schema
            : RX_S("{\"type\":\"object\",\"properties\":{}}"));
    if (t->strict == IR_YES)
        put_member_bool(x->b, "strict", true);
    put_close(x->b, '}');
}

static void
put_custom(struct chat_encoder *x, const struct ir_tool *t)
{
    put_member_word(x->b, "type", "custom");
    put_member_open(x->b, "custom", '{');
    put_member(x->b, "name", t->name);
    put_member_if(x->b, "description", t->description);
    if (t->grammar.len > 0) {
        put_member_open(x->b, "format", '{');
        put_member_word(x->b, "type", "grammar");
        put_member_open(x->b, "grammar", '{');
        put_member(x->b, "definition", t->grammar);
        put_member(x->b, "syntax", t->grammar_syntax);
        rx_buf_add(x->b, RX_S("}}"));
    }
    put_close(x->b, '}');
}

/* A server without a way to name the tool gets only that one. */
static bool
only_named(const struct chat_encoder *x)
{
    return x->r->choice == IR_CHOICE_NAMED && !x->cap->choice_named &&
           (x->cap->choice_any || x->cap->choice_required);
}

static void
put_tools(struct chat_encoder *x)
{
    const struct ir_request *r = x->r;

    if (r->tools == NULL)
        return;
    put_member_open(x->b, "tools", '[');
    for (const struct ir_tool *t = r->tools; t != NULL; t = t->next) {
        if (only_named(x) && !rx_str_eq(t->name, r->choice_name))
            continue;
        put_open(x->b, '{');
        if (t->kind == IR_TOOL_CUSTOM)
            put_custom(x, t);
        else
            put_function(x, t);
        if (t->cache != IR_CACHE_NONE)
            chat_lose(x, "tools.cache_control", "the server caches by itself");
        put_close(x->b, '}');
    }
    put_close(x->b, ']');
}

static bool
is_custom(const struct ir_request *r, rx_str name)
{
    for (const struct ir_tool *t = r->tools; t != NULL; t = t->next) {
        if (rx_str_eq(t->name, name))
            return t->kind == IR_TOOL_CUSTOM;
    }
    return false;
}

static void
put_named(struct chat_encoder *x)
{
    const char *kind =
        is_custom(x->r, x->r->choice_name) ? "custom" : "function";

    put_member_open(x->b, "tool_choice", '{');
    put_member_word(x->b, "type", kind);
    put_member_open(x->b, kind, '{');
    put_member(x->b, "name", x->r->choice_name);
    rx_buf_add(x->b, RX_S("}}"));
}

static void
put_choice(struct chat_encoder *x)
{
    enum ir_choice choice = x->r->choice;
    const char *word = NULL;

    if (x->r->tools == NULL)
        return;
    if (choice == IR_CHOICE_NAMED && x->cap->choice_named) {
        put_named(x);
        return;
    }
    if (choice == IR_CHOICE_NAMED)
        choice = IR_CHOICE_REQUIRED;
    if (choice == IR_CHOICE_AUTO)
        word = "auto";
    else if (choice == IR_CHOICE_NONE)
        word = "none";
    else if (choice == IR_CHOICE_REQUIRED)
        word = x->cap->choice_any ? "any" : "required";
    if (choice == IR_CHOICE_REQUIRED && !x->cap->choice_required) {
        word = "auto";
        chat_lose(x, "tool_choice", "the server knows auto only");
    }
    if (word != NULL)
        put_member_word(x->b, "tool_choice", word);
}

/* --- reasoning --------------------------------------------------------------------------- */

static void
put_thinking_type(struct chat_encoder *x, bool on)
{
    put_member_open(x->b, "thinking", '{');
    put_member_word(x->b, "type", on ? "enabled" : "disabled");
    put_close(x->b, '}');
}

/* OpenRouter's own object. */
static void
put_reasoning_object(struct chat_encoder *x, bool on)
{
    const struct ir_reasoning *r = &x->r->reasoning;

    put_member_open(x->b, "reasoning", '{');
    if (!on)
        put_member_bool(x->b, "enabled", false);
    else if (r->budget.there && r->budget.n > 0)
        put_member_u64(x->b, "max_tokens", (uint64_t)r->budget.n);
    else if (r->effort != IR_EFFORT_UNSET)
        put_member_word(x->b, "effort",
            effort_word(effort_clamp(r->effort, x->cap->levels)));
    else
        put_member_bool(x->b, "enabled", true);
    if (on && r->show == IR_SHOW_NONE)
        put_member_bool(x->b, "exclude", true);
    put_close(x->b, '}');
}

static void
put_enable_thinking(struct chat_encoder *x, bool on)
{
    const struct ir_reasoning *r = &x->r->reasoning;
    int64_t n = r->budget.there && r->budget.n > 0 ? r->budget.n
                                                   : effort_budget(r->effort);

    put_member_bool(x->b, "enable_thinking", on);
    if (on && n > 0)
        put_member_u64(x->b, "thinking_budget",
            (uint64_t)(n < x->cap->budget_max ? n : x->cap->budget_max));
}

static void
put_level(struct chat_encoder *x, bool on)
{
    enum ir_effort e = reasoning_effort(&x->r->reasoning);

    if (x->cap->reasoning != CAP_REASONING_LEVELS)
        return;
    if (!on && x->cap->effort_none) {
        put_member_word(x->b, "reasoning_effort", "none");
        return;
    }
    if (!on && x->cap->can_disable)
        return; /* by the object beside it */
    if (!on) {
        e = IR_EFFORT_MINIMAL;
        chat_lose(x, "reasoning", "it cannot be turned off");
    }
    if (e == IR_EFFORT_UNSET)
        return;
    enum ir_effort level = effort_clamp(e, x->cap->levels);
    if (level != e)
        chat_lose(x, "reasoning effort", "the nearest level was taken");
    if (level != IR_EFFORT_UNSET)
        put_member_word(x->b, "reasoning_effort", effort_word(level));
}

/* True when the model is going to reason. */
static bool
put_reasoning(struct chat_encoder *x)
{
    const struct ir_reasoning *r = &x->r->reasoning;
    bool on = reasoning_wanted(r);

    if (!on && r->mode != IR_THINK_OFF)
        return false;
    if (x->cap->reasoning == CAP_REASONING_NONE) {
        if (on)
            chat_lose(x, "reasoning", "the model has no control of it");
        return false;
    }
    if (x->cap->reasoning_object) {
        put_reasoning_object(x, on);
        return on;
    }
    if (x->cap->thinking_object)
        put_thinking_type(x, on);
    if (x->cap->enable_thinking)
        put_enable_thinking(x, on);
    /* A model nobody knows may not know the word: it is not told "off". */
    if (on || x->cap->can_disable || x->cap->developer_role)
        put_level(x, on);
    return on;
}

/* --- sampling ------------------------------------------------------------------------------ */

static void
put_or_lose(struct chat_encoder *x, bool may, const char *name, rx_str raw)
{
    if (raw.len > 0 && may)
        put_member_raw(x->b, name, raw);
    else if (raw.len > 0)
        chat_lose(x, name, "the model does not take it");
}

static void
put_sampling(struct chat_encoder *x, bool reasoning)
{
    const struct ir_request *r = x->r;
    const struct capability *c = x->cap;
    bool may = c->sampling == CAP_SAMPLING_YES ||
               c->sampling == CAP_SAMPLING_ONE_OF ||
               (c->sampling == CAP_SAMPLING_UNLESS_REASONING && !reasoning);

    put_or_lose(x, may, "temperature", r->temperature);
    put_or_lose(x, may, "top_p", r->top_p);
    put_or_lose(x, c->top_k, "top_k", r->top_k);
    put_or_lose(x, c->penalties, "frequency_penalty", r->frequency_penalty);
    put_or_lose(x, c->penalties, "presence_penalty", r->presence_penalty);
    put_or_lose(x, c->seed, c->choice_any ? "random_seed" : "seed", r->seed);
    put_or_lose(x, c->logit_bias, "logit_bias", r->logit_bias);
    if (r->logprobs.there && c->logprobs) {
        put_member_bool(x->b, "logprobs", true);
        if (r->logprobs.n > 0)
            put_member_u64(x->b, "top_logprobs", (uint64_t)r->logprobs.n);
    } else if (r->logprobs.there) {
        chat_lose(x, "logprobs", "the model does not take it");
    }
}

static void
put_stops(struct chat_encoder *x)
{
    unsigned n = 0;

    if (x->r->stop == NULL)
        return;
    if (!x->cap->stop) {
        chat_lose(x, "stop", "the model does not take it; watched for here");
        return;
    }
    put_member_open(x->b, "stop", '[');
    for (const struct ir_name *s = x->r->stop; s != NULL; s = s->next) {
        if (x->cap->stop_max != 0 && n == x->cap->stop_max) {
            chat_lose(x, "stop", "more than the model takes; watched for here");
            break;
        }
        put_text(x->b, s->name);
        n++;
    }
    put_close(x->b, ']');
}

static void
put_limit(struct chat_encoder *x)
{
    int64_t n = x->r->max_output.n;
    int64_t most = (int64_t)x->cap->max_output;

    if (!x->r->max_output.there)
        return;
    if (most > 0 && n > most) {
        chat_lose(x, "max_tokens", "lowered to what the model can do");
        n = most;
    }
    put_member_u64(x->b,
        x->cap->legacy_max ? "max_tokens" : "max_completion_tokens",
        n > 0 ? (uint64_t)n : 0);
}

/* --- output --------------------------------------------------------------------------------- */

static void
put_schema(struct chat_encoder *x)
{
    const struct ir_output *o = &x->r->output;

    put_member_open(x->b, "response_format", '{');
    put_member_word(x->b, "type", "json_schema");
    put_member_open(x->b, "json_schema", '{');
    put_member(x->b, "name", o->name.len > 0 ? o->name : RX_S("response"));
    put_member_if(x->b, "description", o->description);
    put_member_raw(x->b, "schema", o->schema);
    if (o->strict != IR_UNSET)
        put_member_bool(x->b, "strict", o->strict == IR_YES);
    rx_buf_add(x->b, RX_S("}}"));
}

static void
put_format(struct chat_encoder *x)
{
    const struct ir_output *o = &x->r->output;

    if (o->format == IR_OUT_TEXT)
        return;
    if (o->format == IR_OUT_SCHEMA && x->cap->json_schema) {
        put_schema(x);
    } else if (x->cap->json_object) {
        put_member_open(x->b, "response_format", '{');
        put_member_word(x->b, "type", "json_object");
        put_close(x->b, '}');
    }
}

static void
put_tier(struct chat_encoder *x)
{
    static const char *const words[] = {
        [IR_TIER_UNSET] = NULL,
        [IR_TIER_AUTO] = "auto",
        [IR_TIER_STANDARD] = "default",
        [IR_TIER_FLEX] = "flex",
        [IR_TIER_PRIORITY] = "priority",
        [IR_TIER_FAST] = "fast",
    };
    const char *word = words[x->r->tier];

    if (word == NULL)
        return;
    if (rx_str_eq(x->cap->family, RX_S("gpt")))
        put_member_word(x->b, "service_tier", word);
    else
        chat_lose(x, "service_tier", "the server has none");
}

static void
put_rest(struct chat_encoder *x)
{
    const struct ir_request *r = x->r;
    bool openai = rx_str_eq(x->cap->family, RX_S("gpt"));

    if (r->parallel != IR_UNSET && r->tools != NULL && x->cap->parallel_flag)
        put_member_bool(x->b, "parallel_tool_calls", r->parallel == IR_YES);
    put_tier(x);
    if (openai) {
        put_member_if(x->b, "prompt_cache_key", r->cache_key);
        put_member_if(x->b, "verbosity", r->output.verbosity);
    } else if (r->output.verbosity.len > 0) {
        chat_lose(x, "verbosity", "the server has none");
    }
    if (openai)
        put_member_if(x->b, x->cap->user_field ? "user" : "safety_identifier",
            r->user_id);
    else if (r->user_id.len > 0)
        chat_lose(x, "user", "not told to another provider");
    if (r->metadata.len > 2)
        chat_lose(x, "metadata", "not told to another provider");
    if (r->max_tool_calls.there)
        chat_lose(x, "max_tool_calls", "there is no such limit");
}

enum rx_code
chat_encode_request(const struct codec_encode *in, struct rx_err *err)
{
    struct chat_encoder x = {
        .in = in, .r = in->request, .cap = in->cap, .b = &in->out->body
    };

    put_open(x.b, '{');
    put_member(x.b, "model", x.r->model);
    chat_put_messages(&x);
    put_tools(&x);
    put_choice(&x);
    put_limit(&x);
    bool reasoning = put_reasoning(&x);
    put_sampling(&x, reasoning);
    put_stops(&x);
    put_format(&x);
    put_rest(&x);
    if (x.r->stream) {
        put_member_bool(x.b, "stream", true);
        if (x.cap->stream_options) {
            put_member_open(x.b, "stream_options", '{');
            put_member_bool(x.b, "include_usage", true);
            put_close(x.b, '}');
        }
    }
    put_close(x.b, '}');
    in->out->path = RX_S("/v1/chat/completions");
    if (x.b->full)
        return rx_fail(
            err, RX_TOO_BIG, "the request is too large to translate");
    return RX_OK;
}
