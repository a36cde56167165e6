/*
 * write_responses.c - OpenAI Responses: a response object, or its events.
 */
#include <inttypes.h>

#include "tests/demo/script.h"

/* A response being written: events are numbered as they come. */
struct writer {
    struct script *s;
    const struct question *q;
    const struct answer *a;
    unsigned sequence;
    size_t items; /* output items so far */
};

static bool
is_local_shell(const struct answer_call *call)
{
    return rx_str_eq(call->tool->type, RX_S("local_shell"));
}

static bool
is_custom(const struct answer_call *call)
{
    return rx_str_eq(call->tool->type, RX_S("custom"));
}

/* ---- items ---- */

static void
add_reasoning(struct rx_buf *b, const struct writer *w, bool done)
{
    const struct answer *a = w->a;

    rx_buf_addf(
        b, "{\"id\":\"rs_%s\",\"type\":\"reasoning\",\"summary\":[", a->id);
    if (done)
        rx_buf_addf(b,
            "{\"type\":\"summary_text\",\"text\":\"" RX_STR_FMT "\"}",
            RX_STR_ARG(a->thinking));
    rx_buf_addc(b, ']');
    if (done && w->q->encrypted)
        rx_buf_addf(
            b, ",\"encrypted_content\":\"gAAAA%s%s%s\"", a->id, a->id, a->id);
    rx_buf_addc(b, '}');
}

static void
add_text_part(struct rx_buf *b, rx_str text)
{
    rx_buf_add(b, RX_S("{\"type\":\"output_text\",\"annotations\":[],"
                       "\"logprobs\":[],\"text\":\""));
    rx_buf_add(b, text);
    rx_buf_add(b, RX_S("\"}"));
}

static void
add_message(struct rx_buf *b, const struct writer *w, bool done)
{
    rx_buf_addf(b,
        "{\"id\":\"msg_%s\",\"type\":\"message\",\"status\":\"%s\","
        "\"role\":\"assistant\",\"content\":[",
        w->a->id, done ? "completed" : "in_progress");
    if (done)
        add_text_part(b, w->a->text);
    rx_buf_add(b, RX_S("]}"));
}

static void
add_local_shell(struct rx_buf *b, const struct writer *w, size_t i)
{
    rx_buf_addf(b,
        "{\"id\":\"lsh_%s%zu\",\"type\":\"local_shell_call\","
        "\"status\":\"completed\",\"call_id\":\"call_%s%zu\","
        "\"action\":{\"type\":\"exec\",\"command\":[\"bash\",\"-lc\","
        "\"echo routex-tool-ok\"],\"env\":{}}}",
        w->a->id, i, w->a->id, i);
}

static void
add_call(struct rx_buf *b, const struct writer *w, size_t i, bool done)
{
    const struct answer_call *call = &w->a->calls[i];
    const char *input = is_custom(call) ? "input" : "arguments";

    if (is_local_shell(call)) {
        add_local_shell(b, w, i);
        return;
    }
    rx_buf_addf(b,
        "{\"id\":\"%s_%s%zu\",\"type\":\"%s\",\"status\":\"%s\","
        "\"%s\":\"",
        is_custom(call) ? "ctc" : "fc", w->a->id, i,
        is_custom(call) ? "custom_tool_call" : "function_call",
        done ? "completed" : "in_progress", input);
    if (done)
        rx_buf_add_json(b, call->args);
    rx_buf_addf(b, "\",\"call_id\":\"call_%s%zu\",\"name\":\"" RX_STR_FMT "\"}",
        w->a->id, i, RX_STR_ARG(call->tool->name));
}

/* ---- the response object ---- */

static void
add_output(struct rx_buf *b, const struct writer *w)
{
    const struct answer *a = w->a;
    const char *comma = "";

    if (a->thinking.len > 0) {
        add_reasoning(b, w, true);
        comma = ",";
    }
    if (a->text.len > 0) {
        rx_buf_addf(b, "%s", comma);
        add_message(b, w, true);
        comma = ",";
    }
    for (size_t i = 0; i < a->call_count; i++) {
        rx_buf_addf(b, "%s", comma);
        add_call(b, w, i, true);
        comma = ",";
    }
}

static void
add_usage(struct rx_buf *b, const struct answer *a)
{
    rx_buf_addf(b,
        "{\"input_tokens\":%" PRIu64
        ",\"input_tokens_details\":{\"cached_tokens\":%" PRIu64
        "},\"output_tokens\":%" PRIu64
        ",\"output_tokens_details\":{\"reasoning_tokens\":%" PRIu64
        "},\"total_tokens\":%" PRIu64 "}",
        a->input, a->cache_read, a->output, a->reasoning, a->input + a->output);
}

static const char *
status_of(const struct answer *a, bool done)
{
    if (!done)
        return "in_progress";
    return a->stop == ANSWER_LENGTH || a->stop == ANSWER_REFUSAL ? "incomplete"
                                                                 : "completed";
}

static void
add_response(struct rx_buf *b, const struct writer *w, bool done)
{
    const struct answer *a = w->a;
    const char *why = !done                       ? NULL
                      : a->stop == ANSWER_LENGTH  ? "max_output_tokens"
                      : a->stop == ANSWER_REFUSAL ? "content_filter"
                                                  : NULL;

    rx_buf_addf(b,
        "{\"id\":\"resp_%s\",\"object\":\"response\",\"created_at\":%d,"
        "\"status\":\"%s\",\"background\":false,\"error\":null,"
        "\"incomplete_details\":",
        a->id, SCRIPT_CREATED, status_of(a, done));
    if (why != NULL)
        rx_buf_addf(b, "{\"reason\":\"%s\"}", why);
    else
        rx_buf_add(b, RX_S("null"));
    rx_buf_addf(b,
        ",\"instructions\":null,\"max_output_tokens\":null,"
        "\"model\":\"" RX_STR_FMT "\",\"output\":[",
        RX_STR_ARG(a->model));
    if (done)
        add_output(b, w);
    rx_buf_addf(b,
        "],\"parallel_tool_calls\":true,\"previous_response_id\":null,"
        "\"reasoning\":{\"effort\":%s,\"summary\":null},"
        "\"service_tier\":\"%s\",\"store\":false,\"temperature\":1.0,"
        "\"text\":{\"format\":{\"type\":\"text\"}},\"tool_choice\":\"auto\","
        "\"tools\":[],\"top_p\":1.0,\"truncation\":\"disabled\",\"usage\":",
        w->q->thinking ? "\"medium\"" : "null", done ? "default" : "auto");
    if (done)
        add_usage(b, a);
    else
        rx_buf_add(b, RX_S("null"));
    rx_buf_add(b, RX_S(",\"user\":null,\"metadata\":{}}"));
}

/* ---- events ---- */

/* Open an event: type and number are there, the rest follows. */
static struct rx_buf *
event(struct writer *w, const char *type)
{
    script_event(w->s, type);
    rx_buf_addf(&w->s->body, "{\"type\":\"%s\",\"sequence_number\":%u", type,
        w->sequence++);
    return &w->s->body;
}

static void
event_end(struct writer *w)
{
    rx_buf_addc(&w->s->body, '}');
    script_event_end(w->s);
}

static void
response_event(struct writer *w, const char *type, bool done)
{
    struct rx_buf *b = event(w, type);

    rx_buf_add(b, RX_S(",\"response\":"));
    add_response(b, w, done);
    event_end(w);
}

/* Open an event of an item that is named by its id. */
static struct rx_buf *
item_event(struct writer *w, const char *type, const char *id)
{
    struct rx_buf *b = event(w, type);

    rx_buf_addf(b, ",\"item_id\":\"%s%s\",\"output_index\":%zu", id, w->a->id,
        w->items);
    return b;
}

static void
summary_event(struct writer *w, const char *type, const char *member,
    rx_str text, bool part)
{
    struct rx_buf *b = item_event(w, type, "rs_");

    rx_buf_addf(b, ",\"summary_index\":0,\"%s\":", member);
    if (part)
        rx_buf_add(b, RX_S("{\"type\":\"summary_text\",\"text\":"));
    rx_buf_addf(b, "\"" RX_STR_FMT "\"", RX_STR_ARG(text));
    if (part)
        rx_buf_addc(b, '}');
    event_end(w);
}

static void
stream_reasoning(struct writer *w)
{
    struct answer_pieces p = { w->a->thinking, 3 };
    rx_str piece;
    struct rx_buf *b = event(w, "response.output_item.added");

    rx_buf_addf(b, ",\"output_index\":%zu,\"item\":", w->items);
    add_reasoning(b, w, false);
    event_end(w);
    summary_event(
        w, "response.reasoning_summary_part.added", "part", RX_S(""), true);
    while (answer_next_piece(&p, &piece))
        summary_event(
            w, "response.reasoning_summary_text.delta", "delta", piece, false);
    summary_event(w, "response.reasoning_summary_text.done", "text",
        w->a->thinking, false);
    summary_event(w, "response.reasoning_summary_part.done", "part",
        w->a->thinking, true);
    b = event(w, "response.output_item.done");
    rx_buf_addf(b, ",\"output_index\":%zu,\"item\":", w->items++);
    add_reasoning(b, w, true);
    event_end(w);
}

static void
text_event(struct writer *w, const char *type, const char *member, rx_str text)
{
    struct rx_buf *b = item_event(w, type, "msg_");

    rx_buf_addf(b, ",\"content_index\":0,\"%s\":\"", member);
    rx_buf_add(b, text);
    rx_buf_add(b, RX_S("\",\"logprobs\":[]"));
    event_end(w);
}

static void
part_event(struct writer *w, const char *type, rx_str text)
{
    struct rx_buf *b = item_event(w, type, "msg_");

    rx_buf_add(b, RX_S(",\"content_index\":0,\"part\":"));
    add_text_part(b, text);
    event_end(w);
}

static void
stream_message(struct writer *w)
{
    struct answer_pieces p = { w->a->text, w->a->pieces };
    rx_str piece;
    struct rx_buf *b = event(w, "response.output_item.added");

    rx_buf_addf(b, ",\"output_index\":%zu,\"item\":", w->items);
    add_message(b, w, false);
    event_end(w);
    part_event(w, "response.content_part.added", RX_S(""));
    while (answer_next_piece(&p, &piece))
        text_event(w, "response.output_text.delta", "delta", piece);
    text_event(w, "response.output_text.done", "text", w->a->text);
    part_event(w, "response.content_part.done", w->a->text);
    b = event(w, "response.output_item.done");
    rx_buf_addf(b, ",\"output_index\":%zu,\"item\":", w->items++);
    add_message(b, w, true);
    event_end(w);
}

/* Deltas and the end of a call's arguments (or of a custom tool's input). */
static void
stream_arguments(struct writer *w, size_t i)
{
    const struct answer_call *call = &w->a->calls[i];
    bool custom = is_custom(call);
    const char *prefix = custom ? "ctc_" : "fc_";
    struct rx_buf escaped;
    struct answer_pieces p;
    struct rx_buf *b;
    rx_str piece;

    rx_buf_init(&escaped, 256 * 1024);
    rx_buf_add_json(&escaped, call->args);
    p = (struct answer_pieces){ rx_buf_str(&escaped), 2 };
    while (answer_next_piece(&p, &piece)) {
        b = event(w, custom ? "response.custom_tool_call_input.delta"
                            : "response.function_call_arguments.delta");
        rx_buf_addf(b,
            ",\"item_id\":\"%s%s%zu\",\"output_index\":%zu,\"delta\":\"",
            prefix, w->a->id, i, w->items);
        rx_buf_add(b, piece);
        rx_buf_addc(b, '"');
        event_end(w);
    }
    b = event(w, custom ? "response.custom_tool_call_input.done"
                        : "response.function_call_arguments.done");
    rx_buf_addf(b, ",\"item_id\":\"%s%s%zu\",\"output_index\":%zu", prefix,
        w->a->id, i, w->items);
    if (!custom)
        rx_buf_addf(
            b, ",\"name\":\"" RX_STR_FMT "\"", RX_STR_ARG(call->tool->name));
    rx_buf_addf(b, ",\"%s\":\"", custom ? "input" : "arguments");
    rx_buf_add(b, rx_buf_str(&escaped));
    rx_buf_addc(b, '"');
    event_end(w);
    rx_buf_fini(&escaped);
}

static void
stream_call(struct writer *w, size_t i)
{
    struct rx_buf *b = event(w, "response.output_item.added");

    rx_buf_addf(b, ",\"output_index\":%zu,\"item\":", w->items);
    add_call(b, w, i, false);
    event_end(w);
    if (!is_local_shell(&w->a->calls[i]))
        stream_arguments(w, i);
    b = event(w, "response.output_item.done");
    rx_buf_addf(b, ",\"output_index\":%zu,\"item\":", w->items++);
    add_call(b, w, i, true);
    event_end(w);
}

static void
write_stream(struct writer *w)
{
    const struct answer *a = w->a;
    bool whole = a->stop != ANSWER_LENGTH && a->stop != ANSWER_REFUSAL;

    script_sse(w->s);
    response_event(w, "response.created", false);
    response_event(w, "response.in_progress", false);
    if (a->thinking.len > 0)
        stream_reasoning(w);
    if (a->text.len > 0)
        stream_message(w);
    for (size_t i = 0; i < a->call_count; i++)
        stream_call(w, i);
    script_mark_terminal(w->s);
    response_event(
        w, whole ? "response.completed" : "response.incomplete", true);
}

void
script_responses(
    struct script *s, const struct question *q, const struct answer *a)
{
    struct writer w = { .s = s, .q = q, .a = a };

    if (q->stream) {
        write_stream(&w);
        return;
    }
    script_json(s, 200);
    add_response(&s->body, &w, true);
}
