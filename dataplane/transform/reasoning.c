/*
 * reasoning: whether and how much to think, said in the channel's way; and
 * what was thought under one name.
 */
#include "dataplane/transform/reasoning.h"

#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

/* wire.md's ladder. */
static const struct {
    const char *level;
    uint64_t budget;
} ladder[] = { { "minimal", 512 }, { "low", 1024 }, { "medium", 8192 },
    { "high", 24576 }, { "xhigh", 32768 }, { "max", 128000 } };

uint64_t
reasoning_budget(rx_str level)
{
    for (size_t i = 0; i < RX_COUNT(ladder); i++) {
        if (rx_str_eq(
                level, (rx_str){ ladder[i].level, strlen(ladder[i].level) }))
            return ladder[i].budget;
    }
    return 0;
}

const char *
reasoning_level(uint64_t budget)
{
    for (size_t i = 0; i < RX_COUNT(ladder); i++) {
        if (budget <= ladder[i].budget)
            return ladder[i].level;
    }
    return "max";
}

struct reasoning_wish
reasoning_read(struct rx_edit *root)
{
    struct reasoning_wish w = { 0 };
    struct rx_edit *thinking = rx_edit_get(root, "thinking");
    struct rx_edit *open = rx_edit_get(root, "reasoning");
    struct rx_edit *effort = rx_edit_get(root, "reasoning_effort");
    struct rx_edit *enable = rx_edit_get(root, "enable_thinking");

    if (!rx_edit_there(effort))
        effort = rx_edit_get(open, "effort");
    w.level = rx_edit_plain(effort);
    if (!rx_edit_u64(rx_edit_get(thinking, "budget_tokens"), &w.budget) &&
        !rx_edit_u64(rx_edit_get(open, "max_tokens"), &w.budget))
        rx_edit_u64(rx_edit_get(root, "thinking_budget"), &w.budget);
    w.off = body_says(thinking, "type", "disabled") ||
            rx_str_eq(w.level, RX_S("none")) ||
            rx_edit_kind(enable) == RX_SPAN_FALSE ||
            rx_edit_kind(rx_edit_get(open, "enabled")) == RX_SPAN_FALSE;
    w.on = !w.off && (w.level.len > 0 || w.budget > 0 || rx_edit_true(enable) ||
                         rx_edit_there(thinking) ||
                         rx_edit_true(rx_edit_get(open, "enabled")));
    if (rx_str_eq(w.level, RX_S("none")))
        w.level = (rx_str){ 0 };
    return w;
}

void
reasoning_clear(struct rx_edit *root)
{
    static const char *const names[] = { "thinking", "reasoning",
        "reasoning_effort", "enable_thinking", "thinking_budget", NULL };

    body_drop_all(root, names);
}

/* ---- the step ----------------------------------------------------------- */

enum style {
    STYLE_AUTO,
    STYLE_THINKING,
    STYLE_ENABLE,
    STYLE_EFFORT,
    STYLE_OPEN
};

struct reasoning_options {
    bool enable;
    rx_str effort;
    uint64_t budget;
    enum style style;
};

static const void *
reasoning_configure(rx_json options, struct rx_arena *arena)
{
    static const char *const styles[] = { "auto", "thinking", "enable_thinking",
        "effort", "openrouter" };
    struct reasoning_options *o = step_room(arena, sizeof(*o));
    rx_str style = step_text(options, "style", arena, "auto");

    o->enable = step_bool(options, "enable", true);
    o->effort = step_text(options, "effort", arena, NULL);
    o->budget = (uint64_t)step_number(options, "budget_tokens", 0);
    for (size_t i = 0; i < RX_COUNT(styles); i++) {
        if (rx_str_eq(style, (rx_str){ styles[i], strlen(styles[i]) }))
            o->style = (enum style)i;
    }
    return o;
}

/* What is said in the end: our options, or else the request's own. */
static struct reasoning_wish
wish_of(const struct reasoning_options *o, struct reasoning_wish w)
{
    w.on = o->enable;
    w.off = !o->enable;
    if (o->effort.len > 0 || o->budget > 0) {
        w.level = o->effort;
        w.budget = o->budget;
    }
    return w;
}

static uint64_t
budget_of(const struct reasoning_wish *w)
{
    return w->budget > 0 ? w->budget : reasoning_budget(w->level);
}

static rx_str
level_of(const struct reasoning_wish *w)
{
    const char *level = w->budget > 0 ? reasoning_level(w->budget) : "medium";

    return w->level.len > 0 ? w->level : (rx_str){ level, strlen(level) };
}

static void
say_thinking(struct rx_edit *root, const struct reasoning_wish *w)
{
    uint64_t budget = budget_of(w);

    if (w->off)
        rx_edit_set(root, "thinking", RX_S("{\"type\":\"disabled\"}"));
    else if (budget > 0)
        rx_edit_set(root, "thinking",
            rx_edit_format(root,
                "{\"type\":\"enabled\",\"budget_tokens\":%llu}",
                (unsigned long long)budget));
    else
        rx_edit_set(root, "thinking", RX_S("{\"type\":\"enabled\"}"));
}

static void
say_enable(struct rx_edit *root, const struct reasoning_wish *w)
{
    uint64_t budget = budget_of(w);

    rx_edit_set(root, "enable_thinking", w->off ? RX_S("false") : RX_S("true"));
    if (!w->off && budget > 0)
        rx_edit_set(root, "thinking_budget",
            rx_edit_format(root, "%llu", (unsigned long long)budget));
}

static void
say_open(struct rx_edit *root, const struct reasoning_wish *w)
{
    rx_str level = level_of(w);

    if (w->off)
        rx_edit_set(root, "reasoning", RX_S("{\"enabled\":false}"));
    else if (w->budget > 0)
        rx_edit_set(root, "reasoning",
            rx_edit_format(
                root, "{\"max_tokens\":%llu}", (unsigned long long)w->budget));
    else
        rx_edit_set(root, "reasoning",
            rx_edit_join(root,
                (rx_str[]){ RX_S("{\"effort\":"), rx_edit_quote(root, level),
                    RX_S("}") },
                3));
}

static void
say_chat(struct rx_edit *root, const struct reasoning_wish *w, enum style style)
{
    reasoning_clear(root);
    if (style == STYLE_AUTO || style == STYLE_THINKING)
        say_thinking(root, w);
    if (style == STYLE_AUTO || style == STYLE_ENABLE)
        say_enable(root, w);
    if (style == STYLE_EFFORT)
        rx_edit_set(root, "reasoning_effort",
            w->off ? RX_S("\"none\"") : rx_edit_quote(root, level_of(w)));
    if (style == STYLE_OPEN)
        say_open(root, w);
}

/* Some of the limit is left for the answer, and 1024 is the least budget. */
static void
say_anthropic(struct step_request *r, const struct reasoning_wish *w)
{
    static const char *const refused[] = { "temperature", "top_k", "top_p",
        NULL };
    uint64_t budget = budget_of(w);
    uint64_t limit;

    if (w->off) {
        rx_edit_set(r->root, "thinking", RX_S("{\"type\":\"disabled\"}"));
        return;
    }
    if (budget == 0 && rx_edit_there(rx_edit_get(r->root, "thinking")) &&
        !body_says(rx_edit_get(r->root, "thinking"), "type", "disabled"))
        return; /* it is on already */
    if (budget == 0)
        budget = reasoning_budget(RX_S("medium"));
    if (rx_edit_u64(body_limit(r), &limit) && budget + 1024 > limit)
        budget = limit > 1024 ? limit - 1024 : 0;
    if (budget < 1024) {
        rx_edit_drop(r->root, "thinking"); /* no room for any */
        return;
    }
    body_drop_all(r->root, refused);
    rx_edit_set(r->root, "thinking",
        rx_edit_format(r->root, "{\"type\":\"enabled\",\"budget_tokens\":%llu}",
            (unsigned long long)budget));
}

static void
say_responses(struct rx_edit *root, const struct reasoning_wish *w)
{
    struct rx_edit *e = rx_edit_get(root, "reasoning");

    if (rx_edit_kind(e) != RX_SPAN_OBJECT)
        e = rx_edit_set(root, "reasoning", RX_S("{}"));
    rx_edit_set(e, "effort",
        w->off ? RX_S("\"none\"") : rx_edit_quote(root, level_of(w)));
}

static void
say_gemini(struct rx_edit *root, const struct reasoning_wish *w)
{
    struct rx_edit *config = body_config(root, true);
    uint64_t budget = budget_of(w);
    struct rx_edit *e =
        body_either(config, "thinkingConfig", "thinking_config");

    if (rx_edit_kind(e) != RX_SPAN_OBJECT)
        e = rx_edit_set(config, "thinkingConfig", RX_S("{}"));
    rx_edit_drop(e, "thinkingLevel");
    if (w->off)
        rx_edit_set(e, "thinkingBudget", RX_S("0"));
    else if (budget > 0)
        rx_edit_set(e, "thinkingBudget",
            rx_edit_format(root, "%llu", (unsigned long long)budget));
    else if (body_either(e, "thinkingBudget", "thinking_budget") == NULL)
        rx_edit_set(e, "thinkingBudget", RX_S("-1"));
    if (!w->off)
        rx_edit_set(e, "includeThoughts", RX_S("true"));
}

static void
reasoning_request(struct step_request *r)
{
    const struct reasoning_options *o = r->options;
    struct reasoning_wish w = wish_of(o, reasoning_read(r->root));

    r->listen = r->dialect == DIALECT_CHAT;
    switch (r->dialect) {
    case DIALECT_ANTHROPIC: say_anthropic(r, &w); break;
    case DIALECT_RESPONSES: say_responses(r->root, &w); break;
    case DIALECT_GEMINI: say_gemini(r->root, &w); break;
    case DIALECT_CHAT:
    case DIALECT_COUNT: say_chat(r->root, &w, o->style); break;
    }
}

void
reasoning_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    (void)options;
    (void)state;
    body_each_choice(event->root, body_name_reasoning, NULL);
    step_pass(flow, event);
}

void
reasoning_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    (void)flow;
    body_each_choice(root, body_name_reasoning, NULL);
}

const struct step_kind step_reasoning = {
    .name = "reasoning",
    .ops = 1U << OP_CREATE,
    .configure = reasoning_configure,
    .request = reasoning_request,
    .event = reasoning_event,
    .document = reasoning_document,
};
