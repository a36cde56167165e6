/*
 * What a rule's type stands for.
 */
#include <string.h>

#include "controlplane/rule_parts.h"

static const rx_str small_models[] = { RX_STR_INIT("*haiku*"),
    RX_STR_INIT("*-mini"), RX_STR_INIT("*-mini-*"), RX_STR_INIT("*-nano*"),
    RX_STR_INIT("*flash-lite*"), RX_STR_INIT("*-lite") };
static const int64_t yes[] = { 1 };
static const int64_t long_tokens[] = { 60000 };

static const struct {
    const char *type;
    const char *unless; /* the rule's own condition that replaces it */
    struct state_condition adds;
} additions[] = {
    { "background", "model",
        { .kind = RX_STR_INIT("model"),
            .texts = small_models,
            .text_count = RX_COUNT(small_models) } },
    { "think", NULL,
        { .kind = RX_STR_INIT("thinking"),
            .numbers = yes,
            .number_count = 1 } },
    { "longContext", "token_threshold",
        { .kind = RX_STR_INIT("token_threshold"),
            .numbers = long_tokens,
            .number_count = 1 } },
    { "webSearch", NULL,
        { .kind = RX_STR_INIT("web_search"),
            .numbers = yes,
            .number_count = 1 } },
    { "image", NULL,
        { .kind = RX_STR_INIT("has_images"),
            .numbers = yes,
            .number_count = 1 } },
    { "subagent", NULL,
        { .kind = RX_STR_INIT("subagent"),
            .numbers = yes,
            .number_count = 1 } },
};

const struct rule_preset rule_presets[] = {
    { "custom", 100, "what its condition says" },
    { "image", 90, "there are pictures, in tool results too" },
    { "longContext", 80, "the input is long (token_threshold)" },
    { "subagent", 70, "it comes from a sub-agent" },
    { "background", 60, "a small model of the family was asked for" },
    { "webSearch", 50, "the provider's web search is among the tools" },
    { "think", 40, "thinking is asked for" },
    { "default", 0, "everything else" },
    { 0 },
};

struct state_condition
rule_full_condition(const struct rule *r, struct rx_arena *arena)
{
    size_t n = r->condition.part_count;
    struct state_condition *parts =
        field_make(arena, struct state_condition, n + 1);

    if (n > 0)
        memcpy(parts, r->condition.parts, n * sizeof(*parts));
    for (size_t i = 0; i < RX_COUNT(additions); i++) {
        bool replaced = additions[i].unless != NULL &&
                        rule_find(&r->condition, additions[i].unless) != NULL;
        if (rx_str_eq(r->type, field_text(additions[i].type)) && !replaced)
            parts[n++] = additions[i].adds;
    }
    return (struct state_condition){
        .kind = RX_S("all"), .parts = parts, .part_count = n
    };
}

void
rule_preset_put(struct rx_json_out *w, const struct rule_preset *preset)
{
    struct state_condition all = { .kind = RX_STR_INIT("all") };

    for (size_t i = 0; i < RX_COUNT(additions); i++) {
        if (strcmp(additions[i].type, preset->type) == 0) {
            all.parts = &additions[i].adds;
            all.part_count = 1;
        }
    }
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "type", preset->type);
    rx_json_put_i64(w, "priority", preset->priority);
    rx_json_put_text(w, "help", preset->help);
    rule_put_condition(w, "condition", &all);
    rx_json_close(w);
}
