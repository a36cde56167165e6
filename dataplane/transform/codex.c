/*
 * codex: what ChatGPT's back end for Codex wants differently from the public
 * Responses API.  Answers are streams there, whatever is asked for.
 */
#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

static void
codex_request(struct step_request *r)
{
    static const char *const unknown[] = { "max_output_tokens", "temperature",
        "top_p", "metadata", "user", "safety_identifier" };

    if (rx_str_starts(r->out->path, RX_S("/v1/")))
        r->out->path = (rx_str){ r->out->path.ptr + 3, r->out->path.len - 3 };
    for (size_t i = 0; i < RX_COUNT(unknown); i++)
        rx_edit_drop(r->root, unknown[i]);
    if (rx_edit_kind(r->root) != RX_SPAN_OBJECT)
        return;
    rx_edit_set(r->root, "store", RX_S("false"));
    if (!rx_edit_there(rx_edit_get(r->root, "instructions")))
        rx_edit_set(r->root, "instructions", RX_S("\"\""));
}

const struct step_kind step_codex = {
    .name = "codex",
    .ops = STEP_OPS_ALL,
    .request = codex_request,
};
