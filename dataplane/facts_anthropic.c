/* What is learnt from Anthropic Messages answers. */
#include "dataplane/facts.h"
#include "shared/attr.h"

/*
 * A content block, or a delta of one: whatever is not empty is content, but a
 * text or thinking block only opens with the first byte in it.
 */
static void
read_block(struct facts *f, struct rx_span *j)
{
    rx_str type = { 0 };
    rx_str value;

    if (rx_span_kind(j) != RX_SPAN_OBJECT) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, RX_S("type"))) {
            rx_span_string(j, &type);
        } else if (rx_span_key_is(j, RX_S("text")) ||
                   rx_span_key_is(j, RX_S("thinking"))) {
            facts_text(f, j);
        } else if (rx_span_key_is(j, RX_S("partial_json"))) {
            facts_code(f, j);
        } else if (rx_span_key_is(j, RX_S("input"))) {
            if (rx_span_skip(j, &value) && value.len > 2)
                tally_add_code(&f->tally, value);
        } else if (rx_span_key_is(j, RX_S("signature")) ||
                   rx_span_key_is(j, RX_S("citation"))) {
            facts_content(f, j);
        } else {
            rx_span_skip(j, NULL);
        }
    }
    static const rx_str may_be_empty[] = {
        RX_STR_INIT("text"),
        RX_STR_INIT("thinking"),
        RX_STR_INIT("text_delta"),
        RX_STR_INIT("thinking_delta"),
        RX_STR_INIT("input_json_delta"),
        RX_STR_INIT("signature_delta"),
        RX_STR_INIT("citations_delta"),
    };
    for (size_t i = 0; i < RX_COUNT(may_be_empty); i++) {
        if (rx_str_eq(type, may_be_empty[i]))
            return;
    }
    f->seen.content = f->seen.content || type.len > 0;
}

static void
read_blocks(struct facts *f, struct rx_span *j)
{
    facts_each(f, j, read_block);
}

/* message_start: the output figure is a first guess. */
static void
read_start_usage(struct facts *f, struct rx_span *j)
{
    facts_usage(f, j);
    f->provisional = true;
}

static void
read_final_usage(struct facts *f, struct rx_span *j)
{
    struct figures told = { 0 };
    struct rx_span again = *j;

    figures_read(&told, f->dialect, &again);
    facts_usage(f, j);
    if ((told.has >> FIGURE_OUTPUT & 1) != 0)
        f->provisional = false;
}

static const struct facts_member message_members[] = {
    FACTS_READ("model", facts_model),
    FACTS_READ("usage", read_start_usage),
    FACTS_READ("content", read_blocks),
};

static const struct facts_member reason_members[] = {
    FACTS_READ("stop_reason", facts_stop),
};

static void
end_message(struct facts *f, struct rx_span *j)
{
    rx_span_skip(j, NULL);
    f->seen.terminal = true;
}

static const struct facts_member start_members[] = {
    FACTS_INSIDE("message", message_members),
};
static const struct facts_member block_members[] = {
    FACTS_READ("content_block", read_block),
};
static const struct facts_member delta_members[] = {
    FACTS_READ("delta", read_block),
};
static const struct facts_member message_delta_members[] = {
    FACTS_INSIDE("delta", reason_members),
    FACTS_READ("usage", read_final_usage),
};
static const struct facts_member stop_members[] = {
    FACTS_READ("type", end_message),
};
/* Also for events without a type: some servers tell errors so. */
static const struct facts_member error_members[] = {
    FACTS_READ("error", facts_error),
};

static const struct facts_event events[] = {
    FACTS_EVENT("content_block_delta", delta_members),
    FACTS_EVENT("content_block_start", block_members),
    FACTS_EVENT("message_start", start_members),
    FACTS_EVENT("message_delta", message_delta_members),
    FACTS_EVENT("message_stop", stop_members),
    FACTS_EVENT("error", error_members),
    FACTS_EVENT("", error_members),
};

void
facts_anthropic_event(struct facts *f, rx_str data)
{
    facts_event(f, data, facts_type(data), events, RX_COUNT(events));
}

void
facts_anthropic_document(struct facts *f, rx_str data)
{
    static const struct facts_member members[] = {
        FACTS_READ("model", facts_model),
        FACTS_READ("content", read_blocks),
        FACTS_READ("stop_reason", facts_stop),
        FACTS_READ("usage", facts_usage),
        FACTS_READ("error", facts_error),
        FACTS_READ("input_tokens", facts_count),
    };
    struct rx_span j;

    rx_span_init(&j, data);
    FACTS_WALK(f, &j, members);
}
