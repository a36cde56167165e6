/*
 * deepseek.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/reasoning.h"

struct deepseek_options {
    uint64_t most; /* 0: by the model */
};

static const void *
deepseek_configure(rx_json options, struct rx_arena *arena)
{
    struct deepseek_options *o = step_room(arena, sizeof(*o));

    o->most = (uint64_t)step_number(options, "max_tokens", 0);
    return o;
}

static uint64_t
most_of(const struct deepseek_options *o, rx_str model)
{
    if (o->most > 0)
        return o->most;
    if (rx_str_eq(model, RX_S("deepseek-chat")))
        return 8192;
    return rx_str_eq(model, RX_S("deepseek-reasoner")) ? 65536 : 0;
}

/* It knows JSON, but no schema: that is told in words. */
static void
tell_schema(struct step_request *r)
{
    struct rx_edit *format = rx_edit_get(r->root, "response_format");
    struct rx_edit *wrap = rx_edit_get(format, "json_schema");
    struct rx_edit *schema = rx_edit_get(wrap, "schema");

    if (!body_says(format, "type", "json_schema"))
        return;
    if (schema != NULL)
        body_add_system(r,
            rx_edit_join(r->root,
                (rx_str[]){ RX_S("Answer with one JSON object and nothing "
                                 "else. It must fit this JSON Schema: "),
                    rx_edit_text(schema) },
                2),
            false);
    rx_edit_put(format, RX_S("{\"type\":\"json_object\"}"));
}

/* thinking {type} says whether, reasoning_effort how much. */
static void
say_thinking(struct rx_edit *root)
{
    struct reasoning_wish w = reasoning_read(root);
    const char *level = w.budget > 0 ? reasoning_level(w.budget) : "";

    if (!w.on && !w.off)
        return;
    if (w.level.len > 0)
        level = rx_edit_format(root, RX_STR_FMT, RX_STR_ARG(w.level)).ptr;
    reasoning_clear(root);
    if (w.off || body_forces_tool(root)) { /* it does not think then */
        rx_edit_set(root, "thinking", RX_S("{\"type\":\"disabled\"}"));
        return;
    }
    rx_edit_set(root, "thinking", RX_S("{\"type\":\"enabled\"}"));
    if (level == NULL || level[0] == '\0')
        return;
    rx_str word = { level, strlen(level) };
    if (rx_str_eq(word, RX_S("xhigh")))
        word = RX_S("max");
    else if (rx_str_eq(word, RX_S("minimal")))
        word = RX_S("low");
    rx_edit_set(root, "reasoning_effort", rx_edit_quote(root, word));
}

static void
give_reasoning(struct rx_edit *message, void *arg)
{
    const bool *wanted = arg;

    body_name_reasoning(message, NULL);
    if (*wanted && rx_edit_get(message, "reasoning_content") == NULL)
        rx_edit_set(message, "reasoning_content", RX_S("\"\""));
}

static void
deepseek_request(struct step_request *r)
{
    static const char *const refused[] = { "seed", "top_k", "logit_bias", "n",
        "store", "metadata", "service_tier", "parallel_tool_calls", NULL };
    uint64_t most = most_of(r->options, r->out->model);

    rx_edit_rename(r->root, "max_completion_tokens", "max_tokens");
    if (most > 0)
        limits_clamp(r, most);
    body_clean_cache(r->root, r->dialect);
    body_drop_all(r->root, refused);
    tell_schema(r);
    say_thinking(r->root);
    bool thinks =
        body_says(rx_edit_get(r->root, "thinking"), "type", "enabled");
    body_each_message(r->root, "assistant", give_reasoning, &thinks);
}

const struct step_kind step_deepseek = {
    .name = "deepseek",
    .ops = 1U << OP_CREATE,
    .configure = deepseek_configure,
    .request = deepseek_request,
};
