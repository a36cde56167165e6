/* Tool calls, written: functions, free text, and the client's own tools. */
#include "dataplane/codec/put.h"
#include "dataplane/codec/responses_write.h"

/* Did the client declare a tool of its own that is called so? */
static const struct responses_builtin *
find_builtin(const struct responses_writer *w, rx_str name)
{
    const struct ir_tool *t = w->base.about.request->tools;

    for (; t != NULL; t = t->next) {
        if (rx_str_eq(t->name, name))
            return responses_builtin_of(t->type);
    }
    return NULL;
}

static void
put_head(struct responses_writer *w, const struct ir_event *e)
{
    struct rx_buf *b = &w->head;

    if (w->builtin != NULL) {
        put_member(b, "type", w->builtin->call);
        put_member(b, "call_id", e->open.id);
        return;
    }
    put_member_word(b, "type",
        w->call == IR_CALL_CUSTOM ? "custom_tool_call" : "function_call");
    put_member(b, "call_id", e->open.id);
    put_member(b, "name", e->open.name);
    put_member_if(b, "namespace", e->open.space);
}

void
responses_call_open(struct responses_writer *w, const struct ir_event *e)
{
    responses_item_finish(w);
    if (e->open.call == IR_CALL_SERVER)
        return;
    responses_sealed_item(w, e->open.seal);
    w->builtin = find_builtin(w, e->open.name);
    w->call = e->open.call;
    responses_item_begin(w, w->call == IR_CALL_CUSTOM ? "ctc_" : "fc_");
    rx_buf_clear(&w->name);
    rx_buf_add(&w->name, e->open.name);
    put_head(w, e);
    w->open = OPEN_CALL;
    if (w->builtin == NULL)
        responses_item_added(w);
}

void
responses_call_feed(struct responses_writer *w, const struct ir_event *e)
{
    static const char *const types[] = {
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
    };
    struct rx_buf *b = w->base.out;

    if (e->kind != IR_EV_ARGS)
        return;
    rx_buf_add(&w->text, e->text);
    if (w->builtin != NULL ||
        !responses_frame(w, types[w->call == IR_CALL_CUSTOM]))
        return;
    responses_frame_item(w);
    put_member(b, "delta", e->text);
    responses_frame_end(w);
}

static void
frame_arguments(struct responses_writer *w)
{
    bool custom = w->call == IR_CALL_CUSTOM;
    struct rx_buf *b = w->base.out;

    if (!responses_frame(w, custom ? "response.custom_tool_call_input.done"
                                   : "response.function_call_arguments.done"))
        return;
    responses_frame_item(w);
    if (!custom)
        put_member(b, "name", rx_buf_str(&w->name));
    put_member(b, custom ? "input" : "arguments", rx_buf_str(&w->text));
    responses_frame_end(w);
}

/* local_shell's action says what it is, and has an environment. */
static void
put_exec(struct rx_buf *b, rx_str object)
{
    struct action {
        rx_str type, env;
    } a = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, action, "type", type),
        WALK_ROW(RAW, action, "env", env),
    };

    RESPONSES_WALK(object, rows, &a);
    put_open(b, '{');
    if (a.type.len == 0)
        put_member_word(b, "type", "exec");
    if (a.env.len == 0)
        put_member_raw(b, "env", RX_S("{}"));
    if (object.len > 2) {
        put_comma(b);
        rx_buf_add(b, (rx_str){ object.ptr + 1, object.len - 2 });
    }
    put_close(b, '}');
}

/* What the model put into the function's arguments is what the item says. */
static void
put_action(struct responses_writer *w, struct rx_buf *b)
{
    struct ir_args args = { rx_buf_str(&w->text), true };
    struct rx_buf object;

    rx_buf_init(&object, RESPONSES_OUTPUT_MAX);
    put_args_object(&object, &args);
    put_key(b, w->builtin->arguments.ptr);
    if (rx_str_eq(w->builtin->type, RX_S("local_shell")))
        put_exec(b, rx_buf_str(&object));
    else
        put_raw(b, rx_buf_str(&object));
    if (rx_str_eq(w->builtin->type, RX_S("tool_search")))
        put_member_word(b, "execution", "client");
    rx_buf_fini(&object);
}

void
responses_call_close(struct responses_writer *w)
{
    struct rx_buf rest;

    rx_buf_init(&rest, RESPONSES_OUTPUT_MAX);
    if (w->builtin != NULL) {
        responses_item_added(w);
        put_action(w, &rest);
    } else {
        frame_arguments(w);
        put_member(&rest, w->call == IR_CALL_CUSTOM ? "input" : "arguments",
            rx_buf_str(&w->text));
    }
    put_member_word(&rest, "status", "completed");
    if (rest.full)
        w->output.full = true;
    responses_item_done(w, rx_buf_str(&rest));
    rx_buf_fini(&rest);
}
