/*
 * Conditions that can never hold, and what conditions call.
 */
#include "controlplane/function.h"
#include "controlplane/rule_parts.h"

const struct state_condition *
rule_find(const struct state_condition *all, const char *kind)
{
    for (size_t i = 0; i < all->part_count; i++) {
        if (rule_is_kind(&all->parts[i], kind))
            return &all->parts[i];
    }
    return NULL;
}

static bool
crosses(const struct state_condition *all, const char *least, const char *most,
    int64_t gap)
{
    const struct state_condition *a = rule_find(all, least);
    const struct state_condition *b = rule_find(all, most);

    return a != NULL && b != NULL && a->numbers[0] + gap > b->numbers[0];
}

/* The same flag, both ways. */
static bool
contradicts(const struct state_condition *all)
{
    for (size_t i = 0; i < all->part_count; i++) {
        const struct state_condition *a = &all->parts[i];
        for (size_t k = i + 1; k < all->part_count; k++) {
            const struct state_condition *b = &all->parts[k];
            if (rx_str_eq(a->kind, b->kind) && a->number_count == 1 &&
                b->number_count == 1 && a->numbers[0] != b->numbers[0] &&
                a->numbers[0] <= 1 && b->numbers[0] <= 1)
                return true;
        }
    }
    return false;
}

static const char *
never_all(const struct state_condition *all)
{
    const struct state_condition *tools = rule_find(all, "has_tools");
    const struct state_condition *below = rule_find(all, "token_below");
    const struct state_condition *time = rule_find(all, "time");

    if (crosses(all, "token_threshold", "token_below", 1))
        return "token_threshold is not below token_below";
    if (crosses(all, "min_word_count", "max_word_count", 0))
        return "min_word_count is above max_word_count";
    if (below != NULL && below->numbers[0] == 0)
        return "token_below is 0";
    if (tools != NULL && tools->numbers[0] == 0 &&
        rule_find(all, "tool_names") != NULL)
        return "tool_names with has_tools false";
    if (time != NULL &&
        (time->numbers[0] == time->numbers[1] || time->numbers[3] == 0))
        return "the time is never";
    return contradicts(all) ? "it contradicts the rule's type" : NULL;
}

const char *
rule_never_holds(const struct state_condition *c)
{
    const char *why = rule_is_kind(c, "all") ? never_all(c) : NULL;
    size_t never = 0;

    if (rule_is_kind(c, "not"))
        return NULL;
    for (size_t i = 0; i < c->part_count && why == NULL; i++) {
        const char *part = rule_never_holds(&c->parts[i]);
        never += part != NULL;
        if (part != NULL && rule_is_kind(c, "all"))
            why = part;
    }
    if (why == NULL && rule_is_kind(c, "any") && never == c->part_count)
        why = "none of any can hold";
    return why;
}

bool
rule_calls(const struct state_condition *c, rx_str function)
{
    if (rule_is_kind(c, "custom_function") &&
        (function.len == 0 || rx_str_eq(c->texts[0], function)))
        return true;
    for (size_t i = 0; i < c->part_count; i++) {
        if (rule_calls(&c->parts[i], function))
            return true;
    }
    return false;
}
