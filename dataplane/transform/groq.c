/*
 * groq, cerebras: Chat Completions with less in it.
 */
#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/reasoning.h"

static void
drop_dialect(struct rx_edit *function)
{
    rx_edit_drop(rx_edit_get(function, "parameters"), "$schema");
}

/* n of 1 says nothing, and more it cannot. */
static void
drop_common(struct step_request *r)
{
    static const char *const names[] = { "logprobs", "top_logprobs",
        "logit_bias", "n", "store", "metadata", NULL };

    body_clean_cache(r->root, r->dialect);
    body_drop_all(r->root, names);
    body_each_function(r->root, drop_dialect);
    rx_edit_rename(r->root, "max_tokens", "max_completion_tokens");
}

/* ---- groq --------------------------------------------------------------- */

static void
to_reasoning(struct rx_edit *message, void *arg)
{
    (void)arg;
    rx_edit_rename(message, "reasoning_content", "reasoning");
}

static void
groq_request(struct step_request *r)
{
    struct rx_edit *format = rx_edit_get(r->root, "reasoning_format");
    bool strict = rx_edit_first(rx_edit_get(r->root, "tools")) != NULL ||
                  rx_edit_there(rx_edit_get(r->root, "response_format"));

    drop_common(r);
    if (strict && rx_edit_is(format, "raw"))
        rx_edit_put(format, RX_S("\"parsed\""));
    body_each_message(r->root, "assistant", to_reasoning, NULL);
}

static void
groq_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    struct rx_edit *usage =
        rx_edit_get(rx_edit_get(event->root, "x_groq"), "usage");

    if (rx_edit_there(usage) &&
        !rx_edit_there(rx_edit_get(event->root, "usage")))
        rx_edit_set(event->root, "usage", rx_edit_text(usage));
    reasoning_event(options, state, flow, event);
}

const struct step_kind step_groq = {
    .name = "groq",
    .ops = 1U << OP_CREATE,
    .request = groq_request,
    .event = groq_event,
    .document = reasoning_document,
};

/* ---- cerebras ----------------------------------------------------------- */

static void
cerebras_request(struct step_request *r)
{
    static const char *const refused[] = { "frequency_penalty",
        "presence_penalty", "service_tier", NULL };
    struct reasoning_wish w = reasoning_read(r->root);

    drop_common(r);
    body_drop_all(r->root, refused);
    if (!w.on && !w.off)
        return;
    reasoning_clear(r->root);
    if (w.off)
        rx_edit_set(r->root, "disable_reasoning", RX_S("true"));
    else if (w.level.len > 0)
        rx_edit_set(
            r->root, "reasoning_effort", rx_edit_quote(r->root, w.level));
}

const struct step_kind step_cerebras = {
    .name = "cerebras",
    .ops = 1U << OP_CREATE,
    .request = cerebras_request,
    .event = reasoning_event,
    .document = reasoning_document,
};
