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

static void
read_message(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("model"), facts_model },
        { RX_STR_INIT("usage"), read_start_usage },
        { RX_STR_INIT("content"), read_blocks },
    };

    FACTS_WALK(f, j, members);
}

static void
read_stop(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("stop_reason"), facts_stop },
    };

    FACTS_WALK(f, j, members);
}

static void
end_message(struct facts *f, struct rx_span *j)
{
    rx_span_skip(j, NULL);
    f->seen.terminal = true;
}

static const struct facts_member start_members[] = {
    { RX_STR_INIT("message"), read_message },
};
static const struct facts_member block_members[] = {
    { RX_STR_INIT("content_block"), read_block },
};
static const struct facts_member delta_members[] = {
    { RX_STR_INIT("delta"), read_block },
};
static const struct facts_member message_delta_members[] = {
    { RX_STR_INIT("delta"), read_stop },
    { RX_STR_INIT("usage"), read_final_usage },
};
static const struct facts_member stop_members[] = {
    { RX_STR_INIT("type"), end_message },
};
/* Also for events without a type: some servers tell errors so. */
static const struct facts_member error_members[] = {
    { RX_STR_INIT("error"), facts_error },
};

static const struct {
    rx_str type;
    const struct facts_member *members;
    size_t count;
} events[] = {
#define EVENT(type, members)                          \
    {                                                 \
        RX_STR_INIT(type), members, RX_COUNT(members) \
    }
    EVENT("content_block_delta", delta_members),
    EVENT("content_block_start", block_members),
    EVENT("message_start", start_members),
    EVENT("message_delta", message_delta_members),
    EVENT("message_stop", stop_members),
    EVENT("error", error_members),
    EVENT("", error_members),
#undef EVENT
};

void
facts_anthropic_event(struct facts *f, rx_str data)
{
    rx_str type = facts_type(data);
    struct rx_span j;

    for (size_t i = 0; i < RX_COUNT(events); i++) {
        if (rx_str_eq(type, events[i].type)) {
            rx_span_init(&j, data);
            facts_walk(f, &j, events[i].members, events[i].count);
            return;
        }
    }
}

/* The answer of count_tokens. */
static void
read_count(struct facts *f, struct rx_span *j)
{
    uint64_t n;

    if (rx_span_u64(j, &n) && f->op == OP_COUNT) {
        f->figures.n[FIGURE_INPUT] = n;
        f->figures.has |= 1u << FIGURE_INPUT;
    }
}

void
facts_anthropic_document(struct facts *f, rx_str data)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("model"), facts_model },
        { RX_STR_INIT("content"), read_blocks },
        { RX_STR_INIT("stop_reason"), facts_stop },
        { RX_STR_INIT("usage"), facts_usage },
        { RX_STR_INIT("error"), facts_error },
        { RX_STR_INIT("input_tokens"), read_count },
    };
    struct rx_span j;

    rx_span_init(&j, data);
    FACTS_WALK(f, &j, members);
}
