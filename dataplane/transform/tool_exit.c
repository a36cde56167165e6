/*
 * tooluse: the model has to call a tool each turn; to end it calls a tool of
 * ours, and what it says there is the answer's text.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

#define EXIT_TOOL "ExitTool"
#define CHOICES   8
#define ARGS_MAX  ((size_t)4 * 1024 * 1024)

static const char exit_prompt[] =
    "You work with tools: call one in every turn. When the task is done, or no "
    "other tool helps, call " EXIT_TOOL
    " with your answer to the user as \"response\".";

static const char exit_tool[] =
    "{\"type\":\"function\",\"function\":{\"name\":\"" EXIT_TOOL
    "\",\"description\":\"Ends the turn: use it when no other tool is needed, "
    "with the answer to the user.\",\"parameters\":{\"type\":\"object\","
    "\"properties\":{\"response\":{\"type\":\"string\",\"description\":\"The "
    "answer, exactly as the user should see it.\"}},\"required\":["
    "\"response\"]}}}";

static void
exit_request(struct step_request *r)
{
    struct rx_edit *tools = rx_edit_get(r->root, "tools");
    struct rx_edit *choice = rx_edit_get(r->root, "tool_choice");

    r->listen = rx_edit_first(tools) != NULL && !rx_edit_is(choice, "none") &&
                rx_edit_kind(choice) != RX_SPAN_OBJECT;
    if (!r->listen)
        return;
    rx_edit_append(tools, (rx_str){ exit_tool, sizeof(exit_tool) - 1 });
    rx_edit_set(r->root, "tool_choice", RX_S("\"required\""));
    body_add_system(r, (rx_str){ exit_prompt, sizeof(exit_prompt) - 1 }, false);
}

/* ---- its call, as it comes ---------------------------------------------- */

enum exit_where { EXIT_BEFORE, EXIT_COLON, EXIT_TEXT, EXIT_BEHIND };

struct exit_choice {
    bool called, others; /* our tool; any other */
    uint64_t index;      /* of our call */
    struct rx_buf args;  /* decoded once: JSON text */
    size_t at;
    enum exit_where where;
};

struct exit_state {
    struct exit_choice choices[CHOICES];
};

/* Length of the whole escape at `at`, 0 when its end is still to come.  Both
 * halves of a surrogate pair are one. */
static size_t
escape_length(rx_str s, size_t at)
{
    if (at + 2 > s.len)
        return 0;
    if (s.ptr[at + 1] != 'u')
        return 2;
    if (at + 6 > s.len)
        return 0;
    bool high = (s.ptr[at + 2] | 0x20) == 'd' &&
                strchr("89abAB", s.ptr[at + 3]) != NULL;
    if (!high)
        return 6;
    return at + 12 > s.len ? 0 : 12;
}

/* One step in the string; false when more must come first. */
static bool
take_text(struct exit_choice *c, rx_str args, struct rx_buf *out)
{
    char b = args.ptr[c->at];
    size_t n = 1;

    if (b == '"') {
        c->where = EXIT_BEHIND;
    } else if (b == '\\') {
        n = escape_length(args, c->at);
        rx_buf_add(out, (rx_str){ args.ptr + c->at, n });
    } else {
        rx_buf_add_json(out, (rx_str){ args.ptr + c->at, 1 });
    }
    c->at += n;
    return n > 0;
}

/* What is new of the answer, as the inside of a JSON string. */
static void
take_args(struct exit_choice *c, struct rx_buf *out)
{
    rx_str args = rx_buf_str(&c->args);

    while (c->at < args.len && c->where != EXIT_BEHIND) {
        if (c->where == EXIT_TEXT) {
            if (!take_text(c, args, out))
                return;
            continue;
        }
        char b = args.ptr[c->at++];
        if (c->where == EXIT_BEFORE && b == ':')
            c->where = EXIT_COLON;
        else if (c->where == EXIT_COLON && b == '"')
            c->where = EXIT_TEXT;
    }
}

static bool
is_exit(struct rx_edit *call)
{
    return body_says(rx_edit_get(call, "function"), "name", EXIT_TOOL);
}

/* A piece of our call is taken out, of another one left. */
static void
take_call(struct exit_choice *c, struct rx_edit *call, struct rx_buf *out)
{
    uint64_t index = 0;

    rx_edit_u64(rx_edit_get(call, "index"), &index);
    if (is_exit(call)) {
        c->called = true;
        c->index = index;
        if (c->args.cap == 0)
            rx_buf_init(&c->args, ARGS_MAX);
    }
    if (!c->called || c->index != index) {
        c->others = true;
        return;
    }
    rx_buf_add(&c->args,
        rx_edit_plain(rx_edit_get(rx_edit_get(call, "function"), "arguments")));
    take_args(c, out);
    rx_edit_remove(call);
}

static void
add_content(struct rx_edit *message, const struct rx_buf *said)
{
    struct rx_edit *content = rx_edit_get(message, "content");

    if (message == NULL || said->len == 0)
        return;
    rx_edit_set(message, "content",
        rx_edit_join(message,
            (rx_str[]){ RX_S("\""), rx_edit_escaped(content), rx_buf_str(said),
                RX_S("\"") },
            4));
}

/* A call that was never the text it should be: better raw than nothing. */
static void
finish_choice(
    struct exit_choice *c, struct rx_edit *choice, struct rx_buf *said)
{
    struct rx_edit *finish = rx_edit_get(choice, "finish_reason");

    if (!rx_edit_there(finish) || !c->called)
        return;
    if (c->where < EXIT_TEXT)
        rx_buf_add_json(said, rx_buf_str(&c->args));
    c->where = EXIT_BEHIND;
    if (!c->others && rx_edit_is(finish, "tool_calls"))
        rx_edit_put(finish, RX_S("\"stop\""));
}

static void
take_choice(struct exit_choice *c, struct rx_edit *choice)
{
    struct rx_edit *message = body_choice(choice);
    struct rx_edit *calls = rx_edit_get(message, "tool_calls");
    struct rx_edit *next;
    struct rx_buf said;

    rx_buf_init(&said, 8 * ARGS_MAX);
    for (struct rx_edit *e = rx_edit_first(calls); e != NULL; e = next) {
        next = rx_edit_next(e);
        take_call(c, e, &said);
    }
    finish_choice(c, choice, &said);
    add_content(message, &said);
    if (rx_edit_kind(calls) == RX_SPAN_ARRAY && rx_edit_first(calls) == NULL)
        rx_edit_drop(message, "tool_calls");
    rx_buf_fini(&said);
}

static void
exit_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    struct exit_state *s = state;

    (void)options;
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(event->root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        uint64_t index = 0;
        rx_edit_u64(rx_edit_get(c, "index"), &index);
        if (index < CHOICES)
            take_choice(&s->choices[index], c);
    }
    step_pass(flow, event);
}

static void
exit_forget(void *state)
{
    struct exit_state *s = state;

    for (size_t i = 0; i < CHOICES; i++)
        rx_buf_fini(&s->choices[i].args);
}

/* Calls of a document need not say their index. */
static void
number_calls(struct rx_edit *choice)
{
    uint64_t n = 0;

    for (struct rx_edit *e =
             rx_edit_first(rx_edit_get(body_choice(choice), "tool_calls"));
         e != NULL; e = rx_edit_next(e), n++) {
        if (is_exit(e) && rx_edit_get(e, "index") == NULL)
            rx_edit_set(e, "index", RX_S("4096"));
    }
}

static void
exit_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    (void)flow;
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        struct exit_choice one = { 0 };
        number_calls(c);
        take_choice(&one, c);
        rx_buf_fini(&one.args);
    }
}

const struct step_kind step_tooluse = {
    .name = "tooluse",
    .ops = 1U << OP_CREATE,
    .state = sizeof(struct exit_state),
    .request = exit_request,
    .event = exit_event,
    .document = exit_document,
    .forget = exit_forget,
};
