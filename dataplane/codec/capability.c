#include "dataplane/codec/capability.h"

#include "dataplane/codec/ir.h"
#include "dataplane/snapshot.h"
#include "shared/attr.h"

#define LOW_TO_HIGH                                           \
    (CAP_LEVEL(IR_EFFORT_LOW) | CAP_LEVEL(IR_EFFORT_MEDIUM) | \
        CAP_LEVEL(IR_EFFORT_HIGH))

static const struct capability plain[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = {
        .family = RX_STR_INIT("claude"),
            .sampling = CAP_SAMPLING_YES,
        .top_k = true,
        .stop = true,
        .reasoning = CAP_REASONING_BUDGET,
        .budget_min = 1024,
        .budget_max = 128000,
        .can_disable = true,
        .replay = CAP_REPLAY_MAY,
        .prefill = true,
        .choice_required = true,
        .choice_named = true,
        .parallel_flag = true,
        .tool_name_max = 64,
        .ids = CAP_IDS_WORD,
        .id_max = 128,
        .schema = CAP_SCHEMA_ANTHROPIC,
        .image_url = true,
        .image_inline = true,
        .pdf = true,
        .result_media = true,
        .cache_marks = true,
    },
    [DIALECT_CHAT] = {
        .family = RX_STR_INIT(""),
        .legacy_max = true,
        .sampling = CAP_SAMPLING_YES,
        .penalties = true,
        .seed = true,
        .logit_bias = true,
        .logprobs = true,
        .stop = true,
        .stop_max = 4,
        .stop_blank = true,
        .reasoning = CAP_REASONING_LEVELS,
        .levels = LOW_TO_HIGH,
        .can_disable = false,
        .forced_choice_thinks = true,
        .field = CAP_FIELD_CONTENT,
        .replay = CAP_REPLAY_NO,
        .prefill = true,
        .mid_system = true,
        .choice_required = true,
        .choice_named = true,
        .parallel_flag = true,
        .strict_tools = true,
        .tool_name_max = 64,
        .ids = CAP_IDS_ANY,
        .id_max = 64,
        .schema = CAP_SCHEMA_OPENAI,
        .json_object = true,
        .json_schema = true,
        .image_url = true,
        .image_inline = true,
        .pdf = true,
        .audio = true,
        .stream_options = true,
        .user_field = true,
    },
    [DIALECT_RESPONSES] = {
        .family = RX_STR_INIT("gpt"),
        .sampling = CAP_SAMPLING_YES,
        .logprobs = true,
        .reasoning = CAP_REASONING_LEVELS,
        .levels = LOW_TO_HIGH,
        .forced_choice_thinks = true,
        .replay = CAP_REPLAY_MAY,
        .developer_role = true,
        .mid_system = true,
        .prefill = true,
        .choice_required = true,
        .choice_named = true,
        .parallel_flag = true,
        .strict_tools = true,
        .custom_tools = true,
        .tool_name_max = 64,
        .ids = CAP_IDS_ANY,
        .id_max = 64,
        .schema = CAP_SCHEMA_OPENAI,
        .json_object = true,
        .json_schema = true,
        .image_url = true,
        .image_inline = true,
        .pdf = true,
        .result_media = true,
    },
    [DIALECT_GEMINI] = {
        .family = RX_STR_INIT("gemini"),
        .sampling = CAP_SAMPLING_YES,
        .top_k = true,
        .penalties = true,
        .seed = true,
        .logprobs = true,
        .stop = true,
        .stop_max = 5,
        .stop_blank = true,
        .reasoning = CAP_REASONING_BUDGET,
        .budget_min = 0,
        .budget_max = 24576,
        .can_disable = true,
        .forced_choice_thinks = true,
        .replay = CAP_REPLAY_MAY,
        .prefill = true,
        .choice_required = true,
        .choice_named = true,
        .tool_name_max = 64,
        .call_ids = true,
        .ids = CAP_IDS_ANY,
        .id_max = 64,
        .schema = CAP_SCHEMA_GEMINI_JSON,
        .json_object = true,
        .json_schema = true,
        .image_inline = true,
        .pdf = true,
        .audio = true,
        .video = true,
    },
};

/* --- families of models ------------------------------------------------------ */

static void
claude_adaptive(struct capability *c)
{
    c->max_output = 128000;
    c->sampling = CAP_SAMPLING_NO;
    c->top_k = false;
    c->reasoning = CAP_REASONING_ADAPTIVE;
    c->levels =
        LOW_TO_HIGH | CAP_LEVEL(IR_EFFORT_XHIGH) | CAP_LEVEL(IR_EFFORT_MAX);
    c->forced_choice_thinks = true;
    c->strict_tools = true;
    c->json_schema = true;
    c->prefill = false;
    c->tool_name_max = 128;
}

static void
claude_3(struct capability *c)
{
    c->max_output = 4096;
    c->reasoning = CAP_REASONING_NONE;
}

static void
claude_35(struct capability *c)
{
    c->max_output = 8192;
    c->reasoning = CAP_REASONING_NONE;
}

static void
claude_budget(struct capability *c)
{
    c->max_output = 64000;
    c->budget_max = 63999;
}

static void
claude_opus_4(struct capability *c)
{
    c->max_output = 32000;
    c->budget_max = 31999;
    c->sampling = CAP_SAMPLING_ONE_OF;
}

static void
claude_45(struct capability *c)
{
    claude_budget(c);
    c->sampling = CAP_SAMPLING_ONE_OF;
    c->json_schema = true;
    c->strict_tools = true;
}

static void
gpt_reasoning(struct capability *c)
{
    c->family = RX_S("gpt");
    c->legacy_max = false;
    c->sampling = CAP_SAMPLING_NO;
    c->penalties = c->logit_bias = c->logprobs = c->stop = false;
    c->levels = LOW_TO_HIGH | CAP_LEVEL(IR_EFFORT_MINIMAL);
    c->developer_role = true;
    c->custom_tools = true;
    c->user_field = false;
}

static void
gpt_o(struct capability *c)
{
    gpt_reasoning(c);
    c->levels = LOW_TO_HIGH;
    c->max_output = 100000;
}

static void
gpt_51(struct capability *c)
{
    gpt_reasoning(c);
    c->sampling = CAP_SAMPLING_UNLESS_REASONING;
    c->levels = LOW_TO_HIGH | CAP_LEVEL(IR_EFFORT_XHIGH);
    c->can_disable = c->effort_none = true;
}

static void
gpt_plain(struct capability *c)
{
    c->family = RX_S("gpt");
    c->legacy_max = false;
    c->reasoning = CAP_REASONING_NONE;
    c->user_field = false;
}

static void
gemini_3(struct capability *c)
{
    c->reasoning = CAP_REASONING_LEVELS;
    c->levels = LOW_TO_HIGH;
    c->can_disable = false;
    c->result_media = true;
    c->max_output = 65536;
}

static void
gemini_3_flash(struct capability *c)
{
    gemini_3(c);
    c->levels |= CAP_LEVEL(IR_EFFORT_MINIMAL);
}

static void
gemini_lite(struct capability *c)
{
    c->budget_min = 512;
    c->max_output = 65536;
}

static void
gemini_pro(struct capability *c)
{
    c->budget_min = 128;
    c->budget_max = 32768;
    c->can_disable = false;
    c->max_output = 65536;
}

static void
gemini_old(struct capability *c)
{
    c->reasoning = CAP_REASONING_NONE;
    c->max_output = 8192;
}

/* --- providers ----------------------------------------------------------------- */

static void
deepseek(struct capability *c)
{
    c->family = RX_S("deepseek");
    c->legacy_max = true;
    c->seed = c->logit_bias = false;
    c->levels = LOW_TO_HIGH | CAP_LEVEL(IR_EFFORT_MAX);
    c->can_disable = true;
    c->thinking_object = true;
    c->forced_choice_thinks = false;
    c->replay = CAP_REPLAY_MUST;
    c->json_schema = false;
    c->strict_tools = false;
    c->image_url = c->image_inline = c->pdf = c->audio = false;
}

static void
deepseek_r1(struct capability *c)
{
    deepseek(c);
    c->reasoning = CAP_REASONING_NONE;
    c->thinking_object = false;
    c->replay = CAP_REPLAY_NO;
}

static void
openrouter(struct capability *c)
{
    c->family = RX_S("openrouter");
    c->reasoning_object = true;
    c->levels |= CAP_LEVEL(IR_EFFORT_MINIMAL) | CAP_LEVEL(IR_EFFORT_XHIGH);
    c->can_disable = true;
    c->field = CAP_FIELD_DETAILS;
    c->replay = CAP_REPLAY_MAY;
    c->cache_marks = true;
    c->top_k = true;
}

static void
groq(struct capability *c)
{
    c->family = RX_S("groq");
    c->legacy_max = false;
    c->logprobs = c->logit_bias = false;
    c->field = CAP_FIELD_REASONING;
    c->replay = CAP_REPLAY_MAY;
    c->pdf = c->audio = false;
}

static void
mistral(struct capability *c)
{
    c->family = RX_S("mistral");
    c->choice_any = true;
    c->choice_named = false;
    c->logit_bias = c->logprobs = false;
    c->reasoning = CAP_REASONING_NONE;
    c->field = CAP_FIELD_PARTS;
    c->ids = CAP_IDS_NINE;
    c->id_max = 9;
    c->pdf = c->audio = false;
}

static void
xai(struct capability *c)
{
    c->family = RX_S("grok");
    c->legacy_max = false;
    c->levels = CAP_LEVEL(IR_EFFORT_LOW) | CAP_LEVEL(IR_EFFORT_HIGH);
    c->logit_bias = false;
    c->pdf = c->audio = false;
}

static void
xai_4(struct capability *c)
{
    xai(c);
    c->reasoning = CAP_REASONING_NONE;
    c->stop = c->penalties = false;
}

static void
qwen(struct capability *c)
{
    c->family = RX_S("qwen");
    c->enable_thinking = true;
    c->reasoning = CAP_REASONING_BUDGET;
    c->budget_min = 1;
    c->budget_max = 81920;
    c->can_disable = true;
    c->forced_choice_thinks = false;
    c->top_k = true;
    c->cache_marks = true;
    c->logit_bias = false;
}

static void
kimi(struct capability *c)
{
    c->family = RX_S("kimi");
    c->thinking_object = true;
    c->reasoning = CAP_REASONING_TOGGLE;
    c->can_disable = true;
    c->replay = CAP_REPLAY_MUST;
    c->schema = CAP_SCHEMA_MOONSHOT;
    c->image_url = c->pdf = c->audio = false;
    c->choice_required = c->choice_named = false;
    c->logit_bias = false;
}

static void
glm(struct capability *c)
{
    c->family = RX_S("glm");
    c->thinking_object = true;
    c->reasoning = CAP_REASONING_TOGGLE;
    c->can_disable = true;
    c->replay = CAP_REPLAY_MAY;
    c->choice_required = c->choice_named = false;
    c->strict_tools = c->penalties = c->stream_options = c->logprobs = false;
    c->stop_max = 1;
    c->pdf = c->audio = false;
}

static void
ollama(struct capability *c)
{
    c->field = CAP_FIELD_REASONING;
    c->pdf = c->audio = false;
}

static void
vertex(struct capability *c)
{
    c->call_ids = false;
}

/* Others who speak Anthropic's dialect seal their own reasoning. */
#define SPEAKS_ANTHROPIC(name)                     \
    static void name##_seals(struct capability *c) \
    {                                              \
        c->family = RX_S(#name);                   \
    }
SPEAKS_ANTHROPIC(deepseek)
SPEAKS_ANTHROPIC(kimi)
SPEAKS_ANTHROPIC(glm)
SPEAKS_ANTHROPIC(minimax)
SPEAKS_ANTHROPIC(qwen)
SPEAKS_ANTHROPIC(grok)
#undef SPEAKS_ANTHROPIC

/* Of the rows about a dialect's models the first that fits is taken. */
static const struct {
    enum dialect dialect;
    rx_str pattern;
    void (*apply)(struct capability *c);
} models[] = {
#define MODEL(d, m, f)                 \
    {                                  \
        DIALECT_##d, RX_STR_INIT(m), f \
    }
/* OpenAI serves its models in two dialects. */
#define GPT(d)                                                           \
    MODEL(d, "gpt-5*-chat*", gpt_plain), MODEL(d, "gpt-5.*", gpt_51),    \
        MODEL(d, "gpt-5*", gpt_reasoning), MODEL(d, "gpt-*", gpt_plain), \
        MODEL(d, "o1*", gpt_o), MODEL(d, "o3*", gpt_o), MODEL(d, "o4*", gpt_o)
    /* claude-opus-4-1, but also claude-opus-4-20250514 */
    MODEL(ANTHROPIC, "*claude-*-4-5*", claude_45),
    MODEL(ANTHROPIC, "*claude-opus-4-0*", claude_opus_4),
    MODEL(ANTHROPIC, "*claude-opus-4-1*", claude_opus_4),
    MODEL(ANTHROPIC, "*claude-opus-4-2*", claude_opus_4),
    MODEL(ANTHROPIC, "*claude-sonnet-4-0*", claude_budget),
    MODEL(ANTHROPIC, "*claude-sonnet-4-2*", claude_budget),
    MODEL(ANTHROPIC, "*claude-3-7-*", claude_budget),
    MODEL(ANTHROPIC, "*claude-3-5-*", claude_35),
    MODEL(ANTHROPIC, "*claude-3*", claude_3),
    /* One that nobody knows is a new one. */
    MODEL(ANTHROPIC, "*claude*", claude_adaptive),
    MODEL(ANTHROPIC, "*deepseek*", deepseek_seals),
    MODEL(ANTHROPIC, "*kimi*", kimi_seals),
    MODEL(ANTHROPIC, "*glm-*", glm_seals),
    MODEL(ANTHROPIC, "*MiniMax*", minimax_seals),
    MODEL(ANTHROPIC, "*qwen*", qwen_seals),
    MODEL(ANTHROPIC, "*grok-*", grok_seals),
    GPT(CHAT),
    MODEL(CHAT, "deepseek-reasoner*", deepseek_r1),
    MODEL(CHAT, "deepseek*", deepseek),
    MODEL(CHAT, "*kimi*", kimi),
    MODEL(CHAT, "*moonshot*", kimi),
    MODEL(CHAT, "glm-*", glm),
    MODEL(CHAT, "qwen*", qwen),
    MODEL(CHAT, "grok-4*", xai_4),
    MODEL(CHAT, "grok-*", xai),
    GPT(RESPONSES),
    MODEL(GEMINI, "*gemini-1*", gemini_old),
    MODEL(GEMINI, "*gemini-2.0*", gemini_old),
    MODEL(GEMINI, "*gemini-2.5-pro*", gemini_pro),
    MODEL(GEMINI, "*gemini-2.5-flash-lite*", gemini_lite),
    MODEL(GEMINI, "*gemini-3*flash*", gemini_3_flash),
    MODEL(GEMINI, "*gemini-3*", gemini_3),
#undef GPT
#undef MODEL
};

/* What a provider makes of any model: by the channel's type or its host. */
static const struct {
    enum dialect dialect;
    rx_str type, host;
    void (*apply)(struct capability *c);
    bool alone; /* it serves everybody's models in its own way */
} providers[] = {
#define PROVIDER(d, t, h, f, alone)                           \
    {                                                         \
        DIALECT_##d, RX_STR_INIT(t), RX_STR_INIT(h), f, alone \
    }
    PROVIDER(CHAT, "deepseek", "*deepseek.com", deepseek, false),
    PROVIDER(CHAT, "openrouter", "*openrouter.ai", openrouter, true),
    PROVIDER(CHAT, "groq", "*groq.com", groq, true),
    PROVIDER(CHAT, "mistral", "*mistral.ai", mistral, true),
    PROVIDER(CHAT, "ollama", "*ollama.com", ollama, true),
    PROVIDER(GEMINI, "vertex", "*aiplatform.googleapis.com", vertex, false),
#undef PROVIDER
};

struct capability
capability_find(const struct capability_key *key)
{
    struct capability c = plain[key->dialect];

    for (size_t i = 0; i < RX_COUNT(providers); i++) {
        if (providers[i].dialect != key->dialect ||
            (!rx_str_eq(providers[i].type, key->type) &&
                !snapshot_pattern_fits(providers[i].host, key->host)))
            continue;
        providers[i].apply(&c);
        if (providers[i].alone)
            return c;
    }
    for (size_t i = 0; i < RX_COUNT(models); i++) {
        if (models[i].dialect != key->dialect ||
            !snapshot_pattern_fits(models[i].pattern, key->model))
            continue;
        models[i].apply(&c);
        break;
    }
    return c;
}
