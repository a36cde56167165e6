/*
 * xai: parameters that reasoning models refuse, and how it counts.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/schemas.h"

static void
loosen_function(struct rx_edit *function)
{
    schemas_loosen(rx_edit_get(function, "parameters"));
}

static bool
reasons(rx_str model)
{
    return rx_str_starts(model, RX_S("grok-4")) ||
           rx_str_starts(model, RX_S("grok-3-mini")) ||
           rx_str_starts(model, RX_S("grok-code"));
}

static void
xai_request(struct step_request *r)
{
    static const char *const refused[] = { "presence_penalty",
        "frequency_penalty", "stop", NULL };

    body_each_function(r->root, loosen_function);
    if (!reasons(r->out->model))
        return;
    body_drop_all(r->root, refused);
    if (!rx_str_starts(r->out->model, RX_S("grok-3-mini")))
        rx_edit_drop(r->root, "reasoning_effort");
}

static void
set_count(struct rx_edit *usage, const char *name, uint64_t n)
{
    rx_edit_set(
        usage, name, rx_edit_format(usage, "%llu", (unsigned long long)n));
}

/*
 * Reasoning is not in completion_tokens, unless the sum says that it is; what
 * was cached is in prompt_tokens, unless it is more than that.
 */
static void
recount(struct rx_edit *root)
{
    struct rx_edit *usage = rx_edit_get(root, "usage");
    struct rx_edit *in = rx_edit_get(usage, "prompt_tokens_details");
    struct rx_edit *out = rx_edit_get(usage, "completion_tokens_details");
    uint64_t prompt = 0;
    uint64_t completion = 0;
    uint64_t total = 0;
    uint64_t reasoning = 0;
    uint64_t cached = 0;

    rx_edit_u64(rx_edit_get(usage, "prompt_tokens"), &prompt);
    rx_edit_u64(rx_edit_get(usage, "completion_tokens"), &completion);
    rx_edit_u64(rx_edit_get(usage, "total_tokens"), &total);
    rx_edit_u64(rx_edit_get(out, "reasoning_tokens"), &reasoning);
    rx_edit_u64(rx_edit_get(in, "cached_tokens"), &cached);
    if (reasoning > 0 && prompt + completion != total)
        set_count(usage, "completion_tokens", completion + reasoning);
    if (cached > prompt)
        set_count(usage, "prompt_tokens", prompt + cached);
}

static void
xai_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    (void)flow;
    recount(root);
}

static void
xai_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    (void)options;
    (void)state;
    recount(event->root);
    step_pass(flow, event);
}

const struct step_kind step_xai = {
    .name = "xai",
    .ops = 1U << OP_CREATE,
    .request = xai_request,
    .event = xai_event,
    .document = xai_document,
};
