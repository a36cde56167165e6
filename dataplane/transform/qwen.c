/*
 * qwen (DashScope), zhipu (GLM).
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/reasoning.h"

/* Open models carry their size: "qwen3-30b-a3b".  They refuse to think when
 * the answer is not streamed. */
static bool
is_open_model(rx_str model)
{
    for (size_t i = 1; i < model.len; i++) {
        char before = model.ptr[i - 1];
        if (model.ptr[i] == 'b' && before >= '0' && before <= '9')
            return true;
    }
    return false;
}

static void
qwen_request(struct step_request *r)
{
    struct reasoning_wish w = reasoning_read(r->root);
    uint64_t budget = w.budget > 0 ? w.budget : reasoning_budget(w.level);
    bool never = body_forces_tool(r->root) ||
                 (!r->stream && is_open_model(r->out->model) &&
                     rx_str_starts(r->out->model, RX_S("qwen3")));

    rx_edit_drop(r->root, "frequency_penalty");
    rx_edit_rename(r->root, "max_completion_tokens", "max_tokens");
    if (!w.on && !w.off && !never)
        return;
    reasoning_clear(r->root);
    bool on = w.on && !never;
    rx_edit_set(r->root, "enable_thinking", on ? RX_S("true") : RX_S("false"));
    if (on && budget > 0)
        rx_edit_set(r->root, "thinking_budget",
            rx_edit_format(r->root, "%llu", (unsigned long long)budget));
}

/* Later pieces of a call repeat its id as "". */
static void
drop_empty_ids(struct rx_edit *message, void *arg)
{
    (void)arg;
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(message, "tool_calls"));
         c != NULL; c = rx_edit_next(c)) {
        if (rx_edit_is(rx_edit_get(c, "id"), ""))
            rx_edit_drop(c, "id");
    }
}

static void
qwen_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    (void)options;
    (void)state;
    body_each_choice(event->root, drop_empty_ids, NULL);
    step_pass(flow, event);
}

const struct step_kind step_qwen = {
    .name = "qwen",
    .ops = 1U << OP_CREATE,
    .request = qwen_request,
    .event = qwen_event,
    .document = reasoning_document,
};

/* ---- zhipu -------------------------------------------------------------- */

static void
not_strict(struct rx_edit *function)
{
    rx_edit_drop(function, "strict");
}

/* Only auto is known: none is having no tools. */
static void
choose_tool(struct rx_edit *root)
{
    struct rx_edit *choice = rx_edit_get(root, "tool_choice");

    if (choice == NULL)
        return;
    if (rx_edit_is(choice, "none")) {
        rx_edit_drop(root, "tools");
        rx_edit_drop(root, "tool_choice");
    } else if (!rx_edit_is(choice, "auto")) {
        rx_edit_put(choice, RX_S("\"auto\""));
    }
}

/* At most one stop sequence. */
static void
one_stop(struct rx_edit *root)
{
    struct rx_edit *stop = rx_edit_get(root, "stop");

    if (rx_edit_kind(stop) == RX_SPAN_STRING)
        rx_edit_put(stop,
            rx_edit_join(root,
                (rx_str[]){ RX_S("["), rx_edit_text(stop), RX_S("]") }, 3));
    while (rx_edit_count(stop) > 1)
        rx_edit_remove(rx_edit_last(stop));
}

static void
say_thinking(struct rx_edit *root)
{
    struct reasoning_wish w = reasoning_read(root);

    if (!w.on && !w.off)
        return;
    reasoning_clear(root);
    rx_edit_set(root, "thinking",
        w.off ? RX_S("{\"type\":\"disabled\"}")
              : RX_S("{\"type\":\"enabled\"}"));
}

static void
note_user(struct rx_edit *message, void *arg)
{
    (void)message;
    *(bool *)arg = true;
}

static void
zhipu_request(struct step_request *r)
{
    static const char *const refused[] = { "frequency_penalty",
        "presence_penalty", "stream_options", "n", "logprobs", "top_logprobs",
        "logit_bias", "seed", "store", "metadata", "parallel_tool_calls",
        "service_tier", NULL };
    bool user = false;

    body_clean_cache(r->root, r->dialect);
    body_drop_all(r->root, refused);
    rx_edit_rename(r->root, "max_completion_tokens", "max_tokens");
    body_each_function(r->root, not_strict);
    choose_tool(r->root);
    one_stop(r->root);
    say_thinking(r->root);
    if (r->stream && rx_edit_first(rx_edit_get(r->root, "tools")) != NULL &&
        rx_edit_get(r->root, "tool_stream") == NULL)
        rx_edit_set(r->root, "tool_stream", RX_S("true"));
    body_each_message(r->root, "user", note_user, &user);
    if (!user)
        rx_edit_append(rx_edit_get(r->root, "messages"),
            RX_S("{\"role\":\"user\",\"content\":\"(continue)\"}"));
}

const struct step_kind step_zhipu = {
    .name = "zhipu",
    .ops = 1U << OP_CREATE,
    .request = zhipu_request,
};
