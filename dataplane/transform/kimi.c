/*
 * kimi (Moonshot).
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/reasoning.h"
#include "dataplane/transform/schemas.h"

/* Temperature is fixed where a model thinks. */
static bool
thinks(struct step_request *r, const struct reasoning_wish *w)
{
    rx_str m = r->out->model;

    return w->on || (!w->off && m.len > 0 &&
                        (memmem(m.ptr, m.len, "thinking", 8) != NULL ||
                            rx_str_starts(m, RX_S("kimi-k2.5")) ||
                            rx_str_starts(m, RX_S("kimi-k3"))));
}

static void
keep_reasoning(struct rx_edit *message, void *arg)
{
    const bool *wanted = arg;

    body_name_reasoning(message, NULL);
    if (*wanted && rx_edit_first(rx_edit_get(message, "tool_calls")) != NULL &&
        rx_edit_get(message, "reasoning_content") == NULL)
        rx_edit_set(message, "reasoning_content", RX_S("\"\""));
}

static void
shape_schema(struct rx_edit *function)
{
    schemas_fit(rx_edit_get(function, "parameters"), SCHEMA_MOONSHOT, false);
}

static void
kimi_request(struct step_request *r)
{
    static const char *const refused[] = { "logit_bias", "logprobs",
        "top_logprobs", "seed", "store", "metadata", "service_tier",
        "parallel_tool_calls", NULL };
    struct reasoning_wish w = reasoning_read(r->root);
    struct rx_edit *choice = rx_edit_get(r->root, "tool_choice");
    bool on = thinks(r, &w);

    body_clean_cache(r->root, r->dialect);
    body_drop_all(r->root, refused);
    rx_edit_rename(r->root, "max_completion_tokens", "max_tokens");
    if (on)
        rx_edit_drop(r->root, "temperature");
    if (rx_edit_is(choice, "required"))
        rx_edit_put(choice, RX_S("\"auto\""));
    if (w.on || w.off) {
        bool k3 = rx_str_starts(r->out->model, RX_S("kimi-k3"));
        reasoning_clear(r->root);
        rx_edit_set(r->root, "thinking",
            w.off ? RX_S("{\"type\":\"disabled\"}")
                  : RX_S("{\"type\":\"enabled\"}"));
        if (k3 && w.on && w.level.len > 0)
            rx_edit_set(r->root, "reasoning_effort",
                rx_str_eq(w.level, RX_S("xhigh"))
                    ? RX_S("\"max\"")
                    : rx_edit_quote(r->root, w.level));
    }
    body_each_function(r->root, shape_schema);
    body_each_message(r->root, "assistant", keep_reasoning, &on);
}

/* Usage may stand in the choice instead of beside it. */
static void
lift_usage(struct rx_edit *root)
{
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        struct rx_edit *usage = rx_edit_get(c, "usage");
        if (!rx_edit_there(usage) || rx_edit_there(rx_edit_get(root, "usage")))
            continue;
        rx_str text = rx_edit_text(usage);
        rx_edit_drop(c, "usage");
        rx_edit_set(root, "usage", text);
    }
}

static void
kimi_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    (void)flow;
    lift_usage(root);
}

static void
kimi_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    (void)options;
    (void)state;
    lift_usage(event->root);
    step_pass(flow, event);
}

const struct step_kind step_kimi = {
    .name = "kimi",
    .ops = 1U << OP_CREATE,
    .request = kimi_request,
    .event = kimi_event,
    .document = kimi_document,
};
