/*
 * enhancetool: arguments of a tool call are gathered, put right if they are no
 * JSON, and told at once when the call is over.  A call that was cut off is left
 * as it is: half a command must not look like a whole one.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/repair.h"

#define CALLS_MAX 64
#define ARGS_MAX  ((size_t)16 * 1024 * 1024)

struct call {
    uint64_t choice, index;
    struct rx_buf args; /* decoded */
};

struct gathering {
    struct call calls[CALLS_MAX];
    size_t count;
    /* Anthropic: a call has ended, but not well; why is told next. */
    struct rx_buf stop;
};

/* The arguments, put right unless `as_is`. */
static rx_str
settle(const struct rx_edit *any, rx_str args, bool as_is)
{
    struct rx_buf fixed;
    rx_str text = args;

    rx_buf_init(&fixed, 2 * ARGS_MAX);
    if (!as_is && args.len > 0 && rx_json_check(args, NULL, NULL) != RX_OK &&
        repair_object(args, &fixed))
        text = rx_buf_str(&fixed);
    rx_str quoted = rx_edit_quote(any, text);
    rx_buf_fini(&fixed);
    return quoted;
}

static struct call *
find_call(struct gathering *g, uint64_t choice, uint64_t index)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->calls[i].choice == choice && g->calls[i].index == index)
            return &g->calls[i];
    }
    return NULL;
}

static struct call *
add_call(struct gathering *g, uint64_t choice, uint64_t index)
{
    if (g->count == CALLS_MAX)
        return NULL;
    struct call *c = &g->calls[g->count++];
    *c = (struct call){ .choice = choice, .index = index };
    rx_buf_init(&c->args, ARGS_MAX);
    return c;
}

static void
drop_call(struct gathering *g, size_t i)
{
    rx_buf_fini(&g->calls[i].args);
    memmove(&g->calls[i], &g->calls[i + 1],
        (g->count - i - 1) * sizeof(g->calls[0]));
    g->count--;
}

/* ---- chat --------------------------------------------------------------- */

/* What every chunk of this answer repeats. */
static void
add_common(struct rx_buf *b, struct rx_edit *root)
{
    static const char *const names[] = { "id", "object", "created", "model" };

    for (size_t i = 0; i < RX_COUNT(names); i++) {
        struct rx_edit *e = rx_edit_get(root, names[i]);
        if (e == NULL)
            continue;
        rx_buf_addf(b, "\"%s\":", names[i]);
        rx_buf_add(b, rx_edit_text(e));
        rx_buf_addc(b, ',');
    }
}

static void
tell_call(
    struct step_flow *flow, struct step_event *like, struct call *c, bool as_is)
{
    struct rx_buf b;
    rx_str args = settle(like->root, rx_buf_str(&c->args), as_is);

    rx_buf_init(&b, 8 * ARGS_MAX);
    rx_buf_addc(&b, '{');
    add_common(&b, like->root);
    rx_buf_addf(&b,
        "\"choices\":[{\"index\":%llu,\"delta\":{\"tool_calls\":[{\"index\":"
        "%llu,\"function\":{\"arguments\":",
        (unsigned long long)c->choice, (unsigned long long)c->index);
    rx_buf_add(&b, args);
    rx_buf_add(&b, RX_S("}}]},\"finish_reason\":null}]}"));
    step_emit(
        flow, like->name, rx_arena_copy(step_arena(flow), rx_buf_str(&b)));
    rx_buf_fini(&b);
}

/* Calls of this choice that are over: all, or those but `index`. */
static void
tell_calls(struct gathering *g, struct step_flow *flow, struct step_event *like,
    uint64_t choice, const uint64_t *but, bool as_is)
{
    for (size_t i = 0; i < g->count;) {
        struct call *c = &g->calls[i];
        if (c->choice != choice || (but != NULL && c->index == *but)) {
            i++;
            continue;
        }
        if (c->args.len > 0)
            tell_call(flow, like, c, as_is);
        drop_call(g, i);
    }
}

/* Gather the arguments of one entry of tool_calls; true: nothing else is in
 * it. */
static bool
gather(struct gathering *g, struct step_flow *flow, struct step_event *event,
    uint64_t choice, struct rx_edit *entry)
{
    struct rx_edit *function = rx_edit_get(entry, "function");
    struct rx_edit *args = rx_edit_get(function, "arguments");
    uint64_t index = 0;

    rx_edit_u64(rx_edit_get(entry, "index"), &index);
    struct call *c = find_call(g, choice, index);
    if (c == NULL) {
        tell_calls(g, flow, event, choice, &index, false);
        c = add_call(g, choice, index);
    }
    if (c == NULL || rx_edit_kind(args) != RX_SPAN_STRING)
        return false;
    rx_buf_add(&c->args, rx_edit_plain(args));
    if (rx_edit_there(rx_edit_get(function, "name"))) {
        rx_edit_put(args, RX_S("\"\""));
        return false;
    }
    return true;
}

static void
chat_choice(struct gathering *g, struct step_flow *flow,
    struct step_event *event, struct rx_edit *choice)
{
    struct rx_edit *delta = rx_edit_get(choice, "delta");
    struct rx_edit *finish = rx_edit_get(choice, "finish_reason");
    struct rx_edit *calls = rx_edit_get(delta, "tool_calls");
    struct rx_edit *next;
    uint64_t index = 0;

    rx_edit_u64(rx_edit_get(choice, "index"), &index);
    for (struct rx_edit *e = rx_edit_first(calls); e != NULL; e = next) {
        next = rx_edit_next(e);
        if (gather(g, flow, event, index, e))
            rx_edit_remove(e);
    }
    if (calls != NULL && rx_edit_first(calls) == NULL)
        rx_edit_drop(delta, "tool_calls");
    if (rx_edit_there(finish))
        tell_calls(g, flow, event, index, NULL, rx_edit_is(finish, "length"));
}

/* Is anything left of an event whose arguments we kept? */
static bool
is_hollow(struct rx_edit *root)
{
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        if (rx_edit_count(rx_edit_get(c, "delta")) > 0 ||
            rx_edit_there(rx_edit_get(c, "finish_reason")))
            return false;
    }
    return !rx_edit_there(rx_edit_get(root, "usage"));
}

static void
chat_event(
    struct gathering *g, struct step_flow *flow, struct step_event *event)
{
    bool before = rx_edit_changed(event->root);

    for (struct rx_edit *c = rx_edit_first(rx_edit_get(event->root, "choices"));
         c != NULL; c = rx_edit_next(c))
        chat_choice(g, flow, event, c);
    if (before || !rx_edit_changed(event->root) || !is_hollow(event->root))
        step_pass(flow, event);
}

/* ---- anthropic ---------------------------------------------------------- */

static void
tell_block(struct step_flow *flow, struct call *c, bool as_is)
{
    struct rx_buf b;
    struct rx_edit *any = rx_edit_open(step_arena(flow), RX_S("0"));
    rx_str args = settle(any, rx_buf_str(&c->args), as_is);

    rx_buf_init(&b, 8 * ARGS_MAX);
    rx_buf_addf(&b,
        "{\"type\":\"content_block_delta\",\"index\":%llu,\"delta\":{\"type\":"
        "\"input_json_delta\",\"partial_json\":",
        (unsigned long long)c->index);
    rx_buf_add(&b, args);
    rx_buf_add(&b, RX_S("}}"));
    step_emit(flow, RX_S("content_block_delta"),
        rx_arena_copy(step_arena(flow), rx_buf_str(&b)));
    rx_buf_fini(&b);
}

/* The call that ended: now it is known whether it was cut off. */
static void
tell_stopped(struct gathering *g, struct step_flow *flow, struct rx_edit *next)
{
    bool cut =
        body_says(rx_edit_get(next, "delta"), "stop_reason", "max_tokens");

    if (g->stop.len == 0)
        return;
    if (g->count > 0) {
        if (g->calls[0].args.len > 0)
            tell_block(flow, &g->calls[0], cut);
        drop_call(g, 0);
    }
    rx_str stop = rx_arena_copy(step_arena(flow), rx_buf_str(&g->stop));
    rx_buf_clear(&g->stop);
    step_emit(flow, RX_S("content_block_stop"), stop);
}

static void
block_event(
    struct gathering *g, struct step_flow *flow, struct step_event *event)
{
    struct rx_edit *delta = rx_edit_get(event->root, "delta");
    struct rx_edit *part = rx_edit_get(delta, "partial_json");
    uint64_t index = 0;

    if (body_says(event->root, "type", "ping")) {
        step_pass(flow, event);
        return;
    }
    tell_stopped(g, flow, event->root);
    rx_edit_u64(rx_edit_get(event->root, "index"), &index);
    struct call *c = find_call(g, 0, index);
    if (rx_edit_kind(part) == RX_SPAN_STRING) {
        if (c == NULL)
            c = add_call(g, 0, index);
        if (c != NULL) {
            rx_buf_add(&c->args, rx_edit_plain(part));
            return;
        }
    }
    if (c != NULL && body_says(event->root, "type", "content_block_stop")) {
        rx_buf_add(&g->stop, event->data);
        return;
    }
    step_pass(flow, event);
}

/* ---- the step ----------------------------------------------------------- */

static void
repair_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    struct gathering *g = state;

    (void)options;
    if (g->stop.cap == 0)
        rx_buf_init(&g->stop, 1 << 20);
    if (event->root == NULL)
        step_pass(flow, event);
    else if (rx_edit_get(event->root, "choices") != NULL)
        chat_event(g, flow, event);
    else
        block_event(g, flow, event);
}

static void
repair_end(const void *options, void *state, struct step_flow *flow)
{
    struct gathering *g = state;

    (void)options;
    tell_stopped(g, flow, NULL);
}

static void
repair_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    (void)flow;
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        struct rx_edit *calls =
            rx_edit_get(rx_edit_get(c, "message"), "tool_calls");
        if (body_says(c, "finish_reason", "length"))
            continue;
        for (struct rx_edit *t = rx_edit_first(calls); t != NULL;
             t = rx_edit_next(t)) {
            struct rx_edit *args =
                rx_edit_get(rx_edit_get(t, "function"), "arguments");
            rx_str plain = rx_edit_plain(args);
            if (plain.len > 0 && rx_json_check(plain, NULL, NULL) != RX_OK)
                rx_edit_put(args, settle(root, plain, false));
        }
    }
}

static void
repair_forget(void *state)
{
    struct gathering *g = state;

    while (g->count > 0)
        drop_call(g, 0);
    rx_buf_fini(&g->stop);
}

const struct step_kind step_enhancetool = {
    .name = "enhancetool",
    .ops = 1U << OP_CREATE,
    .state = sizeof(struct gathering),
    .event = repair_event,
    .end = repair_end,
    .document = repair_document,
    .forget = repair_forget,
};
