/* Requests of Gemini, for channels: everything but the conversation. */
#include <inttypes.h>

#include "dataplane/codec/decode.h"
#include "dataplane/codec/gemini.h"
#include "dataplane/codec/gemini_encode.h"

bool
gemini_is_third(const struct gemini_encoder *x)
{
    return x->cap->reasoning == CAP_REASONING_LEVELS;
}

static bool
has_tool(const struct ir_request *r, bool hosted)
{
    for (const struct ir_tool *t = r->tools; t != NULL; t = t->next) {
        if ((t->kind >= IR_TOOL_WEB_SEARCH) == hosted)
            return true;
    }
    return false;
}

/* Earlier models take either functions or a format. */
bool
gemini_asks_in_words(const struct gemini_encoder *x)
{
    return x->r->output.format != IR_OUT_TEXT && has_tool(x->r, false) &&
           !gemini_is_third(x);
}

/* --- tools --------------------------------------------------------------------------- */

/* Without properties there is nothing to be said, and it is refused. */
static bool
takes_nothing(rx_str schema)
{
    struct rx_span j;
    rx_str properties = { 0 };
    bool more = false;

    rx_span_init(&j, schema);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return true;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("properties"))) {
            rx_span_skip(&j, &properties);
            continue;
        }
        more = more || !(rx_span_key_is(&j, RX_S("type")) ||
                           rx_span_key_is(&j, RX_S("required")) ||
                           rx_span_key_is(&j, RX_S("$schema")) ||
                           rx_span_key_is(&j, RX_S("additionalProperties")));
        rx_span_skip(&j, NULL);
    }
    return !more && properties.len <= 2;
}

static bool
is_proto(const struct gemini_encoder *x)
{
    return x->cap->schema == CAP_SCHEMA_GEMINI_PROTO;
}

static void
put_functions(struct gemini_encoder *x)
{
    put_open(x->b, '{');
    put_member_open(x->b, "functionDeclarations", '[');
    for (const struct ir_tool *t = x->r->tools; t != NULL; t = t->next) {
        if (t->kind != IR_TOOL_FUNCTION)
            continue;
        put_open(x->b, '{');
        put_member(x->b, "name", t->name);
        put_member_if(x->b, "description", t->description);
        if (!takes_nothing(t->schema))
            put_member_raw(x->b,
                is_proto(x) ? "parameters" : "parametersJsonSchema", t->schema);
        put_close(x->b, '}');
        if (t->cache != IR_CACHE_NONE)
            gemini_lose(
                x, "tools.cache_control", "the server caches by itself");
    }
    put_close(x->b, ']');
    put_close(x->b, '}');
}

static void
put_hosted(struct gemini_encoder *x, const struct ir_tool *t)
{
    const char *name =
        t->kind == IR_TOOL_WEB_SEARCH ? "googleSearch" : "urlContext";

    if (t->search.allow.len > 0 || t->search.block.len > 0 ||
        t->search.max_uses.there || t->search.country.len > 0)
        gemini_lose(x, "web_search", "its limits are not known there");
    put_open(x->b, '{');
    put_member_raw(x->b, name, RX_S("{}"));
    put_close(x->b, '}');
}

static void
put_tools(struct gemini_encoder *x)
{
    bool functions = has_tool(x->r, false);
    bool hosted = has_tool(x->r, true);

    /* Agents offer a search beside tools of their own, and do without it. */
    if (functions && hosted && !gemini_is_third(x)) {
        gemini_lose(x, "web_search", "the model takes it or functions");
        hosted = false;
    }
    if (!functions && !hosted)
        return;
    put_member_open(x->b, "tools", '[');
    if (functions)
        put_functions(x);
    for (const struct ir_tool *t = x->r->tools; t != NULL; t = t->next) {
        if (hosted && t->kind >= IR_TOOL_WEB_SEARCH)
            put_hosted(x, t);
    }
    put_close(x->b, ']');
}

static const char *
mode_word(const struct gemini_encoder *x, bool mixed)
{
    switch (x->r->choice) {
    case IR_CHOICE_NONE: return "NONE";
    case IR_CHOICE_REQUIRED:
    case IR_CHOICE_NAMED: return "ANY";
    case IR_CHOICE_AUTO: return mixed ? "VALIDATED" : "AUTO";
    case IR_CHOICE_UNSET:
    case IR_CHOICE_ALLOWED: break;
    }
    return mixed ? "VALIDATED" : NULL;
}

static void
put_choice(struct gemini_encoder *x)
{
    bool functions = has_tool(x->r, false);
    bool mixed = functions && has_tool(x->r, true) && gemini_is_third(x);
    const char *mode = mode_word(x, mixed);

    if (x->r->parallel == IR_NO && functions)
        gemini_lose(x, "parallel_tool_calls", "the model decides for itself");
    if (mode == NULL || !functions)
        return;
    put_member_open(x->b, "toolConfig", '{');
    put_member_open(x->b, "functionCallingConfig", '{');
    put_member_word(x->b, "mode", mode);
    if (x->r->choice == IR_CHOICE_NAMED) {
        put_member_open(x->b, "allowedFunctionNames", '[');
        put_text(x->b, x->r->choice_name);
        put_close(x->b, ']');
    }
    put_close(x->b, '}');
    if (mixed)
        put_member_bool(x->b, "includeServerSideToolInvocations", true);
    put_close(x->b, '}');
}

/* --- reasoning ------------------------------------------------------------------------- */

static void
put_level(struct gemini_encoder *x)
{
    const struct ir_reasoning *r = &x->r->reasoning;
    enum ir_effort wanted = reasoning_effort(r);

    if (r->mode == IR_THINK_OFF) {
        wanted = IR_EFFORT_MINIMAL;
        gemini_lose(x, "reasoning", "it cannot be turned off");
    }
    if (wanted == IR_EFFORT_UNSET)
        return;
    enum ir_effort level = effort_clamp(wanted, x->cap->levels);
    if (level != wanted)
        gemini_lose(x, "reasoning effort", "the nearest level was taken");
    if (level != IR_EFFORT_UNSET)
        put_member_word(x->b, "thinkingLevel", effort_word(level));
}

static int64_t
clamp(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* -1: as much as it takes. */
static void
put_budget(struct gemini_encoder *x)
{
    const struct ir_reasoning *r = &x->r->reasoning;
    const struct capability *c = x->cap;
    int64_t n = -1;

    if (r->mode == IR_THINK_OFF)
        n = c->can_disable ? 0 : c->budget_min;
    else if (r->budget.there && r->budget.n > 0)
        n = clamp(r->budget.n, c->budget_min, c->budget_max);
    else if (r->effort != IR_EFFORT_UNSET)
        n = clamp(effort_budget(r->effort), c->budget_min, c->budget_max);
    if (r->mode == IR_THINK_OFF && n != 0)
        gemini_lose(x, "reasoning", "it cannot be turned off");
    put_key(x->b, "thinkingBudget");
    rx_buf_addf(x->b, "%" PRId64, n);
}

static void
put_thinking(struct gemini_encoder *x)
{
    const struct ir_reasoning *r = &x->r->reasoning;
    bool told = reasoning_wanted(r) || r->mode == IR_THINK_OFF;

    if (!told && r->show == IR_SHOW_UNSET)
        return;
    if (x->cap->reasoning == CAP_REASONING_NONE) {
        if (reasoning_wanted(r))
            gemini_lose(x, "reasoning", "the model has no control of it");
        return;
    }
    put_member_open(x->b, "thinkingConfig", '{');
    if (told && gemini_is_third(x))
        put_level(x);
    else if (told)
        put_budget(x);
    if (r->show != IR_SHOW_UNSET && r->mode != IR_THINK_OFF)
        put_member_bool(x->b, "includeThoughts", r->show != IR_SHOW_NONE);
    put_close(x->b, '}');
}

/* --- settings ---------------------------------------------------------------------------- */

static void
put_max_output(struct gemini_encoder *x)
{
    uint64_t most = x->cap->max_output;

    if (!x->r->max_output.there || x->r->max_output.n <= 0)
        return;
    uint64_t n = (uint64_t)x->r->max_output.n;
    if (most != 0 && n > most) {
        gemini_lose(x, "max_tokens", "it is more than the model can give");
        n = most;
    }
    put_member_u64(x->b, "maxOutputTokens", n);
}

static void
put_stop(struct gemini_encoder *x)
{
    unsigned n = 0;

    if (x->r->stop == NULL)
        return;
    put_member_open(x->b, "stopSequences", '[');
    for (const struct ir_name *s = x->r->stop; s != NULL; s = s->next) {
        if (x->cap->stop_max != 0 && n++ == x->cap->stop_max) {
            gemini_lose(
                x, "stop", "more than the model takes; watched for here");
            break;
        }
        put_text(x->b, s->name);
    }
    put_close(x->b, ']');
}

static void
put_format(struct gemini_encoder *x)
{
    const struct ir_output *o = &x->r->output;

    if (o->verbosity.len > 0)
        gemini_lose(x, "verbosity", "the model does not know it");
    if (o->format == IR_OUT_TEXT || gemini_asks_in_words(x))
        return;
    put_member_word(x->b, "responseMimeType", "application/json");
    if (o->format == IR_OUT_SCHEMA)
        put_member_raw(x->b,
            is_proto(x) ? "responseSchema" : "responseJsonSchema", o->schema);
}

static void
put_generation(struct gemini_encoder *x)
{
    const struct ir_request *r = x->r;
    struct rx_buf *b = x->b;
    size_t before = b->len;

    put_member_open(b, "generationConfig", '{');
    size_t begun = b->len;
    put_max_output(x);
    put_member_raw_if(b, "temperature", r->temperature);
    put_member_raw_if(b, "topP", r->top_p);
    put_member_raw_if(b, "topK", r->top_k);
    put_member_raw_if(b, "seed", r->seed);
    put_member_raw_if(b, "presencePenalty", r->presence_penalty);
    put_member_raw_if(b, "frequencyPenalty", r->frequency_penalty);
    put_stop(x);
    if (r->logprobs.there) {
        put_member_bool(b, "responseLogprobs", true);
        if (r->logprobs.n > 0)
            put_member_u64(b, "logprobs", (uint64_t)r->logprobs.n);
    }
    put_format(x);
    put_thinking(x);
    if (b->len == begun && !b->full)
        b->len = before;
    else
        put_close(b, '}');
    if (r->logit_bias.len > 0)
        gemini_lose(x, "logit_bias", "the model does not know it");
}

static void
put_tier(struct gemini_encoder *x)
{
    static const char *const words[] = {
        [IR_TIER_STANDARD] = "standard",
        [IR_TIER_FLEX] = "flex",
        [IR_TIER_PRIORITY] = "priority",
        [IR_TIER_FAST] = NULL,
    };
    const char *word = x->r->tier < RX_COUNT(words) ? words[x->r->tier] : NULL;

    if (word != NULL && x->r->tier != IR_TIER_STANDARD)
        put_member_word(x->b, "serviceTier", word);
    if (x->r->user_id.len > 0)
        gemini_lose(x, "user", "there is no place for it");
    if (x->r->metadata.len > 0)
        gemini_lose(x, "metadata", "there is no place for it");
}

/* --- path ----------------------------------------------------------------------------------- */

static bool
is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* "/v1beta/models/<model>:generateContent" */
static rx_str
make_path(struct gemini_encoder *x)
{
    struct rx_buf b;
    rx_str model = ir_decode(x->in->arena, x->r->model);

    if (rx_str_starts(model, RX_S("models/")))
        model = (rx_str){ model.ptr + 7, model.len - 7 };
    rx_buf_init(&b, model.len * 3 + 128);
    rx_buf_add(&b, RX_S("/v1beta/models/"));
    for (size_t i = 0; i < model.len; i++) {
        unsigned char c = (unsigned char)model.ptr[i];
        if (is_plain(c))
            rx_buf_addc(&b, (char)c);
        else
            rx_buf_addf(&b, "%%%02X", c);
    }
    rx_buf_add(&b, x->r->stream ? RX_S(":streamGenerateContent?alt=sse")
                                : RX_S(":generateContent"));
    rx_str path = rx_arena_copy(x->in->arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return path;
}

enum rx_code
gemini_encode_request(const struct codec_encode *in, struct rx_err *err)
{
    struct gemini_encoder x = {
        .in = in, .r = in->request, .cap = in->cap, .b = &in->out->body
    };

    *err = (struct rx_err){ 0 };
    in->out->path = make_path(&x);
    put_open(x.b, '{');
    gemini_put_contents(&x);
    put_tools(&x);
    put_choice(&x);
    put_generation(&x);
    put_tier(&x);
    put_close(x.b, '}');
    if (x.b->full || in->out->path.ptr == NULL)
        return rx_fail(err, RX_TOO_BIG, "the request is too large to send");
    return RX_OK;
}
