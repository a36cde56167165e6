/*
 * openrouter: its own way to speak of thinking; marks only where they help.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/reasoning.h"

static bool
model_has(rx_str model, const char *part)
{
    return model.len > 0 &&
           memmem(model.ptr, model.len, part, strlen(part)) != NULL;
}

/* reasoning_effort and thinking become reasoning {…}, which it knows. */
static void
say_reasoning(struct rx_edit *root)
{
    struct reasoning_wish w = reasoning_read(root);

    if ((!w.on && !w.off) || rx_edit_get(root, "reasoning") != NULL)
        return;
    reasoning_clear(root);
    if (w.off)
        rx_edit_set(root, "reasoning", RX_S("{\"enabled\":false}"));
    else if (w.budget > 0)
        rx_edit_set(root, "reasoning",
            rx_edit_format(
                root, "{\"max_tokens\":%llu}", (unsigned long long)w.budget));
    else if (w.level.len > 0)
        rx_edit_set(root, "reasoning",
            rx_edit_join(root,
                (rx_str[]){ RX_S("{\"effort\":"), rx_edit_quote(root, w.level),
                    RX_S("}") },
                3));
    else
        rx_edit_set(root, "reasoning", RX_S("{\"enabled\":true}"));
}

static void
open_request(struct step_request *r)
{
    rx_str model = r->out->model;

    if (!model_has(model, "claude") && !model_has(model, "gemini"))
        body_clean_cache(r->root, r->dialect);
    say_reasoning(r->root);
    if (rx_edit_get(r->root, "usage") == NULL)
        rx_edit_set(r->root, "usage", RX_S("{\"include\":true}"));
    params_merge(r, true);
}

/* Some of its providers number their calls from 0 in every answer. */
static void
name_call(struct rx_edit *call, struct step_flow *flow)
{
    struct rx_edit *id = rx_edit_get(call, "id");
    rx_str s = rx_edit_plain(id);
    uint64_t n;

    if (rx_edit_kind(id) == RX_SPAN_NUMBER)
        s = rx_edit_text(id);
    if (s.len > 0 && rx_str_u64(s, &n))
        rx_edit_put(id, rx_edit_quote(call, step_id(flow, "call_")));
}

static void
open_message(struct rx_edit *message, void *arg)
{
    struct rx_edit *calls = rx_edit_get(message, "tool_calls");

    body_name_reasoning(message, NULL);
    for (struct rx_edit *c = rx_edit_first(calls); c != NULL;
         c = rx_edit_next(c))
        name_call(c, arg);
}

static void
open_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    (void)options;
    (void)state;
    body_each_choice(event->root, open_message, flow);
    step_pass(flow, event);
}

static void
open_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    body_each_choice(root, open_message, flow);
}

const struct step_kind step_openrouter = {
    .name = "openrouter",
    .ops = 1U << OP_CREATE,
    .configure = params_configure,
    .request = open_request,
    .event = open_event,
    .document = open_document,
};
