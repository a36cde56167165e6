/*
 * streamoptions: have usage in every stream, without showing it to who did not
 * ask.
 */
#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

static void
usage_request(struct step_request *r)
{
    struct rx_edit *o = rx_edit_get(r->root, "stream_options");
    struct rx_edit *asked = rx_edit_get(o, "include_usage");

    r->listen = r->stream && !rx_edit_true(asked);
    if (!r->listen)
        return;
    if (rx_edit_kind(o) == RX_SPAN_OBJECT)
        rx_edit_set(o, "include_usage", RX_S("true"));
    else
        rx_edit_set(
            r->root, "stream_options", RX_S("{\"include_usage\":true}"));
}

static void
usage_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    struct rx_edit *choices = rx_edit_get(event->root, "choices");

    (void)options;
    (void)state;
    if (rx_edit_kind(choices) == RX_SPAN_ARRAY &&
        rx_edit_first(choices) == NULL &&
        rx_edit_there(rx_edit_get(event->root, "usage")))
        event->hidden = true;
    step_pass(flow, event);
}

static void
usage_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    (void)flow;
    (void)root; /* a document has its usage anyway */
}

const struct step_kind step_streamoptions = {
    .name = "streamoptions",
    .ops = 1U << OP_CREATE,
    .request = usage_request,
    .event = usage_event,
    .document = usage_document,
};
