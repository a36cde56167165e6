/*
 * responses_grammar.h - is a Responses stream one that strict clients take?
 *
 * Written from what clients insist on: numbers without gaps, every item and
 * part announced before its deltas, done events that repeat what the deltas
 * said, one last event that repeats it all.
 */
#ifndef TESTS_RESPONSES_GRAMMAR_H
#define TESTS_RESPONSES_GRAMMAR_H

#include "dataplane/sse.h"
#include "shared/json.h"
#include "tests/unit/check.h"

struct grammar {
    const char *wrong; /* the first thing that is */
    uint64_t events, items, parts;
    bool item_open, part_open, over;
    char item_id[64];
    char item_type[64];
    struct rx_buf text; /* of the part, or the arguments */
};

static inline void
grammar_need(struct grammar *g, bool holds, const char *what)
{
    if (!holds && g->wrong == NULL)
        g->wrong = what;
}

static inline bool
grammar_number(rx_json e, const char *name, uint64_t want)
{
    uint64_t n;

    return rx_json_u64(rx_json_find(e, name), &n) && n == want;
}

static inline bool
grammar_says(rx_json e, const char *path, rx_str want)
{
    rx_json v = rx_json_find(e, path);

    return rx_json_kind(v) == RX_JSON_STRING && rx_str_eq(rx_json_str(v), want);
}

static inline void
grammar_copy(char *out, size_t size, rx_str s)
{
    snprintf(out, size, RX_STR_FMT, RX_STR_ARG(s));
}

static inline void
grammar_added(struct grammar *g, rx_json e)
{
    grammar_need(g, !g->item_open, "an item opens while another is open");
    grammar_need(g, grammar_number(e, "output_index", g->items),
        "items are not numbered without gaps");
    grammar_copy(g->item_id, sizeof(g->item_id),
        rx_json_str(rx_json_find(e, "item.id")));
    grammar_copy(g->item_type, sizeof(g->item_type),
        rx_json_str(rx_json_find(e, "item.type")));
    grammar_need(g, g->item_id[0] != '\0' && g->item_type[0] != '\0',
        "an item without id or type");
    g->item_open = true;
    g->parts = 0;
    rx_buf_clear(&g->text);
}

static inline void
grammar_item_done(struct grammar *g, rx_json e)
{
    rx_str text = rx_buf_str(&g->text);
    rx_str id = { g->item_id, strlen(g->item_id) };
    rx_str type = { g->item_type, strlen(g->item_type) };

    grammar_need(g, g->item_open && !g->part_open, "an item is done too early");
    grammar_need(
        g, grammar_number(e, "output_index", g->items), "another item is done");
    grammar_need(g, grammar_says(e, "item.id", id), "an item changes its id");
    grammar_need(
        g, grammar_says(e, "item.type", type), "an item changes its type");
    if (rx_str_eq(type, RX_S("message")))
        grammar_need(g,
            rx_json_count(rx_json_find(e, "item.content")) == g->parts,
            "a message lacks parts");
    if (rx_str_eq(type, RX_S("function_call")))
        grammar_need(g, grammar_says(e, "item.arguments", text),
            "a call's arguments differ");
    if (rx_str_eq(type, RX_S("custom_tool_call")))
        grammar_need(
            g, grammar_says(e, "item.input", text), "a call's input differs");
    g->item_open = false;
    g->items++;
}

static inline void
grammar_part(struct grammar *g, rx_json e, const char *index, bool added)
{
    rx_str text = rx_buf_str(&g->text);

    grammar_need(g, g->item_open, "a part outside an item");
    grammar_need(g, g->part_open == !added, "a part out of turn");
    grammar_need(g, grammar_number(e, index, g->parts),
        "parts are not numbered without gaps");
    if (!added)
        grammar_need(g,
            grammar_says(e, "part.text", text) ||
                grammar_says(e, "part.refusal", text),
            "a part is not what its deltas said");
    g->part_open = added;
    g->parts += !added;
    if (added)
        rx_buf_clear(&g->text);
}

static inline void
grammar_delta(struct grammar *g, rx_json e, bool part, bool logprobs)
{
    rx_json delta = rx_json_find(e, "delta");

    grammar_need(g, g->item_open && g->part_open == part, "a stray delta");
    grammar_need(g, rx_json_str(delta).len > 0, "an empty delta");
    if (logprobs)
        grammar_need(g,
            rx_json_kind(rx_json_find(e, "logprobs")) == RX_JSON_ARRAY,
            "a text delta without logprobs");
    rx_buf_add(&g->text, rx_json_str(delta));
}

static inline void
grammar_response(struct grammar *g, rx_json response, bool last)
{
    static const char *const keys[] = { "id", "object", "created_at", "error",
        "incomplete_details", "instructions", "model", "tools", "output",
        "parallel_tool_calls", "metadata", "tool_choice", "temperature",
        "top_p", "status", "usage" };

    for (size_t i = 0; i < RX_COUNT(keys); i++)
        grammar_need(g, rx_json_there(rx_json_member(response, keys[i])),
            "the response lacks a member");
    grammar_need(g,
        rx_json_count(rx_json_find(response, "output")) ==
            (last ? g->items : 0),
        "the response's output is not what was streamed");
    rx_json usage = rx_json_find(response, "usage");
    if (rx_json_kind(usage) == RX_JSON_OBJECT)
        grammar_need(g, rx_json_there(rx_json_find(usage, "total_tokens")),
            "usage without a total");
}

static inline void
grammar_end(struct grammar *g, rx_json e, bool failed)
{
    rx_json response = rx_json_find(e, "response");

    grammar_need(g, failed || (!g->item_open && !g->part_open),
        "it ends while an item is open");
    if (failed) {
        grammar_need(g,
            rx_json_kind(rx_json_find(response, "error")) == RX_JSON_OBJECT,
            "a failure without an error");
        g->items = rx_json_count(rx_json_find(response, "output"));
    }
    grammar_response(g, response, true);
    g->over = true;
}

static inline void
grammar_event(struct grammar *g, rx_str type, rx_json e)
{
    rx_str id = { g->item_id, strlen(g->item_id) };
    rx_str text = rx_buf_str(&g->text);
#define IS(name) rx_str_eq(type, RX_S("response." name))

    if (rx_json_there(rx_json_find(e, "item_id")))
        grammar_need(g,
            grammar_says(e, "item_id", id) &&
                grammar_number(e, "output_index", g->items),
            "an event of another item");
    if (IS("created") || IS("in_progress"))
        grammar_response(g, rx_json_find(e, "response"), false);
    else if (IS("output_item.added"))
        grammar_added(g, e);
    else if (IS("output_item.done"))
        grammar_item_done(g, e);
    else if (IS("content_part.added") || IS("content_part.done"))
        grammar_part(g, e, "content_index", IS("content_part.added"));
    else if (IS("reasoning_summary_part.added") ||
             IS("reasoning_summary_part.done"))
        grammar_part(g, e, "summary_index", IS("reasoning_summary_part.added"));
    else if (IS("output_text.delta"))
        grammar_delta(g, e, true, true);
    else if (IS("refusal.delta") || IS("reasoning_summary_text.delta"))
        grammar_delta(g, e, true, false);
    else if (IS("function_call_arguments.delta") ||
             IS("custom_tool_call_input.delta"))
        grammar_delta(g, e, false, false);
    else if (IS("output_text.done") || IS("reasoning_summary_text.done"))
        grammar_need(g, grammar_says(e, "text", text), "done says otherwise");
    else if (IS("refusal.done"))
        grammar_need(
            g, grammar_says(e, "refusal", text), "done says otherwise");
    else if (IS("function_call_arguments.done"))
        grammar_need(g,
            grammar_says(e, "arguments", text) &&
                rx_json_there(rx_json_find(e, "name")),
            "done says otherwise");
    else if (IS("custom_tool_call_input.done"))
        grammar_need(g, grammar_says(e, "input", text), "done says otherwise");
    else if (IS("web_search_call.in_progress") ||
             IS("web_search_call.searching") || IS("web_search_call.completed"))
        grammar_need(g,
            g->item_open && strcmp(g->item_type, "web_search_call") == 0,
            "a search outside its item");
    else if (IS("completed") || IS("incomplete") || IS("failed"))
        grammar_end(g, e, IS("failed"));
    else
        grammar_need(g, IS("output_text.annotation.added"), "an unknown event");
#undef IS
}

static inline void
grammar_take(struct grammar *g, const struct sse_event *event)
{
    struct rx_json_limits limits = { .values = 10000000 };
    struct rx_json_doc *doc;

    grammar_need(g, !g->over, "something behind the end");
    if (rx_json_parse(&doc, event->data, &limits, NULL) != RX_OK) {
        grammar_need(g, false, "an event that is no JSON");
        return;
    }
    rx_json e = rx_json_root(doc);
    grammar_need(
        g, grammar_says(e, "type", event->name), "event and type differ");
    grammar_need(g, grammar_number(e, "sequence_number", g->events),
        "events are not numbered without gaps");
    if (g->events < 2)
        grammar_need(g,
            rx_str_eq(event->name, g->events == 0
                                       ? RX_S("response.created")
                                       : RX_S("response.in_progress")),
            "it does not begin with its creation");
    g->events++;
    grammar_event(g, event->name, e);
    rx_json_free(doc);
}

/* NULL, or what is wrong with it. */
static inline const char *
grammar_check(rx_str stream)
{
    struct grammar g = { 0 };
    struct sse sse;
    struct sse_event event;

    rx_buf_init(&g.text, 64 << 20);
    sse_init(&sse, SSE_EVENT_MAX);
    while (sse_next(&sse, &stream, &event))
        grammar_take(&g, &event);
    grammar_need(&g, sse_at_boundary(&sse), "it ends amid an event");
    grammar_need(&g, g.over, "it has no end");
    sse_fini(&sse);
    rx_buf_fini(&g.text);
    return g.wrong;
}

#endif
