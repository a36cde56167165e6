/*
 * The Responses codec, both sides, by cases: what each deviation of a server
 * comes to, what clients get byte for byte (tests/golden/responses), and which
 * requests are refused in which words.
 *
 * ROUTEX_GOLDEN=write writes the golden files anew; look at the difference.
 */
#include <stdio.h>

#include "tests/unit/responses_grammar.h"
#include "tests/unit/responses_rig.h"

static bool
load(const char *path, struct rx_buf *out)
{
    rx_buf_init(out, RIG_MAX);
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return false;
    char *room = rx_buf_room(out, 1 << 20);
    rx_buf_grew(out, fread(room, 1, 1 << 20, in));
    fclose(in);
    return true;
}

static void
check_golden(const char *name, rx_str got)
{
    const char *write = getenv("ROUTEX_GOLDEN");
    struct rx_buf want;
    char path[512];

    snprintf(path, sizeof(path), "%s/tests/golden/responses/%s",
        ROUTEX_SOURCE_DIR, name);
    if (write != NULL && strcmp(write, "write") == 0) {
        FILE *out = fopen(path, "wb");
        if (out == NULL || fwrite(got.ptr, 1, got.len, out) != got.len)
            check_failures++;
        if (out != NULL)
            fclose(out);
        return;
    }
    CHECK(load(path, &want));
    if (!rx_str_eq(rx_buf_str(&want), got)) {
        fprintf(stderr, "%s: got\n" RX_STR_FMT "\n", name, RX_STR_ARG(got));
        check_failures++;
    }
    rx_buf_fini(&want);
}

/* --- reading: what servers send, and what is made of it ----------------------------- */

#define EVENT(json) "data: " json "\n\n"
#define CREATED                                                  \
    EVENT("{\"type\":\"response.created\",\"response\":{\"id\":" \
          "\"resp_1\",\"model\":\"m\",\"created_at\":5}}")
#define ADDED(n, item)                                                    \
    EVENT("{\"type\":\"response.output_item.added\",\"output_index\":" #n \
          ",\"item\":" item "}")
#define DONE(n, item)                                                    \
    EVENT("{\"type\":\"response.output_item.done\",\"output_index\":" #n \
          ",\"item\":" item "}")
#define DELTA(what, n, more) \
    EVENT("{\"type\":\"response." what "\",\"output_index\":" #n "," more "}")
#define COMPLETED(output)                                                     \
    EVENT("{\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\"," \
          "\"status\":\"completed\",\"output\":[" output "],\"usage\":{"      \
          "\"input_tokens\":3,\"output_tokens\":2,\"total_tokens\":5}}}")
#define CALL(args)                                                        \
    "{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_1\"," \
    "\"name\":\"f\",\"arguments\":\"" args "\"}"
#define MESSAGE(parts) \
    "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[" parts "]}"
#define TEXT(s) "{\"type\":\"output_text\",\"text\":\"" s "\"}"

#define START  "start resp_1 m\n"
#define USAGE  "usage in_uncached=3 out_total=2\n"
#define ENDED  USAGE "stop END completed\nend\n"
#define CALLED USAGE "stop TOOL completed\nend\n"

static const struct {
    const char *name, *stream, *trail;
} deviations[] = {
    { "deltas and their done events tell a text once",
        CREATED ADDED(0, MESSAGE(""))
            DELTA("output_text.delta", 0, "\"delta\":\"Hel\"")
                DELTA("output_text.delta", 0, "\"delta\":\"lo\"")
                    DELTA("output_text.done", 0, "\"text\":\"Hello\"")
                        DONE(0, MESSAGE(TEXT("Hello")))
                            COMPLETED(MESSAGE(TEXT("Hello"))),
        START "open 0 text\ntext 0 Hel\ntext 0 lo\nclose 0\n" ENDED },
    { "a done event adds what the deltas left out",
        CREATED DELTA("output_text.delta", 0, "\"delta\":\"Hel\"")
            DELTA("output_text.done", 0, "\"text\":\"Hello\"") COMPLETED(""),
        START "open 0 text\ntext 0 Hel\ntext 0 lo\nclose 0\n" ENDED },
    { "a done event that says otherwise is not believed",
        CREATED DELTA("output_text.delta", 0, "\"delta\":\"Hello\"")
            DELTA("output_text.done", 0, "\"text\":\"Farewell\"") COMPLETED(""),
        START "open 0 text\ntext 0 Hello\nclose 0\n" ENDED },
    { "an item that is only done is told whole",
        CREATED DONE(0, CALL("{}")) COMPLETED(""),
        START "open 0 call call_1 f\nargs 0 {}\nclose 0\n" CALLED },
    { "what only the last event holds is told before the end",
        CREATED COMPLETED(MESSAGE(TEXT("all of it"))),
        START "open 0 text\ntext 0 all of it\nclose 0\n" ENDED },
    { "arguments in the done event of the item complete the deltas",
        CREATED ADDED(0, CALL("")) DELTA(
            "function_call_arguments.delta", 0, "\"delta\":\"{\\\"a\\\":\"")
            DONE(0, CALL("{\\\"a\\\":1}")) COMPLETED(""),
        START
        "open 0 call call_1 f\nargs 0 {\\\"a\\\":\nargs 0 1}\nclose 0\n" CALLED },
    { "calls whose deltas alternate are told one after the other",
        CREATED ADDED(0, CALL("")) ADDED(1,
            "{\"type\":\"function_call\",\"call_id\":\"call_2\",\"name\":\"g\","
            "\"arguments\":\"\"}") DELTA("function_call_arguments.delta", 0,
            "\"delta\":\"{\\\"a\\\"\"") DELTA("function_call_arguments.delta",
            1, "\"delta\":\"{}\"") DELTA("function_call_arguments.delta", 0,
            "\"delta\":\":1}\"") DONE(1,
            "{\"type\":\"function_call\",\"call_id\":\"call_2\",\"name\":\"g\","
            "\"arguments\":\"{}\"}") DONE(0, CALL("{\\\"a\\\":1}"))
            COMPLETED(""),
        START "open 0 call call_1 f\nargs 0 {\\\"a\\\"\nargs 0 :1}\nclose 0\n"
              "open 1 call call_2 g\nargs 1 {}\nclose 1\n" CALLED },
    { "pieces of a summary are set apart",
        CREATED DELTA("reasoning_summary_text.delta", 0,
            "\"summary_index\":0,\"delta\":\"one\"")
            DELTA("reasoning_summary_text.delta", 0,
                "\"summary_index\":1,\"delta\":\"two\"") DONE(0,
                "{\"type\":\"reasoning\",\"encrypted_content\":\"gAAAA\","
                "\"summary\":[{\"type\":\"summary_text\",\"text\":\"one\"},"
                "{\"type\":\"summary_text\",\"text\":\"two\"}]}") COMPLETED(""),
        START "open 0 thinking\nthinking 0 one\nthinking 0 \\n\\n\n"
              "thinking 0 two\nseal 0 gAAAA\nclose 0\n" ENDED },
    { "sealed reasoning without words is kept",
        CREATED DONE(0,
            "{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":"
            "\"gAAAA\"}") COMPLETED(""),
        START "open 0 thinking\nseal 0 gAAAA\nclose 0\n" ENDED },
    { "a custom call's input is free text",
        CREATED ADDED(0,
            "{\"type\":\"custom_tool_call\",\"call_id\":\"call_1\",\"name\":"
            "\"sh\",\"input\":\"\"}") DELTA("custom_tool_call_input.delta", 0,
            "\"delta\":\"ls\"") DONE(0,
            "{\"type\":\"custom_tool_call\",\"call_id\":\"call_1\",\"name\":"
            "\"sh\",\"input\":\"ls -l\"}") COMPLETED(""),
        START
        "open 0 call call_1 sh custom\nargs 0 ls\nargs 0  -l\nclose 0\n" CALLED },
    { "a namespace goes with the name",
        CREATED DONE(0,
            "{\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"f\","
            "\"namespace\":\"ns\",\"arguments\":\"{}\"}") COMPLETED(""),
        START "open 0 call call_1 f in ns\nargs 0 {}\nclose 0\n" CALLED },
    { "a refusal that is all there is ends as one",
        CREATED DELTA("refusal.delta", 0, "\"delta\":\"No\"")
            DELTA("refusal.done", 0, "\"refusal\":\"No.\"") COMPLETED(""),
        START "open 0 refusal\ntext 0 No\ntext 0 .\nclose 0\n" USAGE
              "stop REFUSAL completed\nend\n" },
    { "the limit ends it as the limit, a call or not",
        CREATED DONE(0, CALL("{\\\"a"))
            EVENT("{\"type\":\"response.incomplete\",\"response\":{\"status\":"
                  "\"incomplete\",\"incomplete_details\":{\"reason\":"
                  "\"max_output_tokens\"},\"usage\":{\"input_tokens\":3,"
                  "\"output_tokens\":2}}}"),
        START "open 0 call call_1 f\nargs 0 {\\\"a\nclose 0\n" USAGE
              "stop MAX_TOKENS max_output_tokens\nend\n" },
    { "the content filter ends it as such",
        CREATED EVENT(
            "{\"type\":\"response.incomplete\",\"response\":{\"status\":"
            "\"incomplete\",\"incomplete_details\":{\"reason\":"
            "\"content_filter\"}}}"),
        START "stop FILTERED content_filter\nend\n" },
    { "overload told by a 200 stream is overload",
        CREATED EVENT(
            "{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\","
            "\"error\":{\"code\":\"server_is_overloaded\",\"message\":"
            "\"busy\"}}}"),
        "error 8 busy\n" },
    { "an error event may be flat",
        CREATED EVENT("{\"type\":\"error\",\"code\":\"rate_limit_exceeded\","
                      "\"message\":\"slow\",\"param\":null}"),
        "error 7 slow\n" },
    { "an error event may be nested",
        CREATED EVENT("{\"type\":\"error\",\"error\":{\"type\":"
                      "\"invalid_request_error\",\"code\":"
                      "\"context_length_exceeded\",\"message\":\"long\"}}"),
        "error 1 long\n" },
    { "an error may be no event of its own",
        "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n",
        "error 9 boom\n" },
    { "a stream without its last event was cut",
        CREATED DELTA("output_text.delta", 0, "\"delta\":\"Hi\""),
        START "open 0 text\ntext 0 Hi\n"
              "error 12 the upstream closed the stream before it finished\n" },
    { "a DONE mark is not the last event",
        CREATED DELTA(
            "output_text.delta", 0, "\"delta\":\"Hi\"") "data: [DONE]\n\n",
        START "open 0 text\ntext 0 Hi\n"
              "error 12 the upstream closed the stream before it finished\n" },
    { "nothing behind the last event counts",
        CREATED COMPLETED("") DELTA(
            "output_text.delta", 0, "\"delta\":\"late\"") "data: [DONE]\n\n",
        START ENDED },
    { "a broken event is an error, not a gap",
        CREATED "data: {\"type\":\"response.output_text.delta\",\"delta\":\n\n",
        "error 9 the upstream sent an event that is no JSON\n" },
    { "unknown events and items are passed over",
        CREATED EVENT("{\"type\":\"codex.rate_limits\",\"x\":1}")
            DONE(0, "{\"type\":\"mcp_list_tools\",\"tools\":[]}")
                DELTA("output_text.delta", 1, "\"delta\":\"Hi\"") COMPLETED(""),
        START "open 0 text\ntext 0 Hi\nclose 0\n" ENDED },
    { "numbers may be missing",
        CREATED EVENT("{\"type\":\"response.output_text.delta\",\"delta\":"
                      "\"Hi\"}") COMPLETED(""),
        START "open 0 text\ntext 0 Hi\nclose 0\n" ENDED },
    { "the name of the event may stand in its line only",
        CREATED "event: response.output_text.delta\ndata: {\"output_index\":0,"
                "\"delta\":\"Hi\"}\n\n" COMPLETED(""),
        START "open 0 text\ntext 0 Hi\nclose 0\n" ENDED },
    { "citations come once, streamed or whole",
        CREATED DELTA("output_text.delta", 0, "\"delta\":\"Hi\"") DELTA(
            "output_text.annotation.added", 0,
            "\"annotation\":{\"type\":\"url_citation\",\"url\":\"u1\","
            "\"title\":\"t\",\"start_index\":0,\"end_index\":1}")
            DELTA("content_part.done", 0,
                "\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":"
                "\"Hi\",\"annotations\":[{\"type\":\"url_citation\",\"url\":\"u1\"}"
                ",{\"type\":\"url_citation\",\"url\":\"u2\"}]}") COMPLETED(""),
        START "open 0 text\ntext 0 Hi\ncite 0 u1\ncite 0 u2\nclose 0\n" ENDED },
    { "a whole answer in place of a stream is taken",
        "{\"id\":\"resp_1\",\"object\":\"response\",\"model\":\"m\",\"status\":"
        "\"completed\",\"output\":[" MESSAGE(TEXT("Hi")) "]}\n",
        START "open 0 text\ntext 0 Hi\nclose 0\nstop END completed\nend\n" },
};

static void
every_deviation_of_a_server_comes_to_the_same(void)
{
    for (size_t i = 0; i < RX_COUNT(deviations); i++) {
        struct rig r;
        rig_init(&r);
        rig_start(&r);
        rig_feed(&r, rig_str(deviations[i].stream), 0);
        rig_end(&r);
        if (!rx_str_eq(rx_buf_str(&r.trail), rig_str(deviations[i].trail))) {
            fprintf(stderr, "%s:\n--- want\n%s--- got\n" RX_STR_FMT,
                deviations[i].name, deviations[i].trail,
                RX_STR_ARG(rx_buf_str(&r.trail)));
            check_failures++;
        }
        const char *wrong = grammar_check(rx_buf_str(&r.out));
        if (wrong != NULL) {
            fprintf(stderr, "%s: %s:\n" RX_STR_FMT, deviations[i].name, wrong,
                RX_STR_ARG(rx_buf_str(&r.out)));
            check_failures++;
        }
        rig_fini(&r);
    }
}

static void
no_part_of_a_stream_is_taken_for_the_whole(void)
{
    for (size_t i = 0; i < RX_COUNT(deviations); i++) {
        rx_str all = rig_str(deviations[i].stream);
        const char *last = strstr(all.ptr, "\"response.completed\"");
        size_t end = last != NULL ? (size_t)(last - all.ptr) : 0;
        for (size_t n = 0; n < end; n++) {
            struct rig r;
            rig_init(&r);
            rig_start(&r);
            rig_feed(&r, (rx_str){ all.ptr, n }, 0);
            rig_end(&r);
            CHECK_INT(0, r.ends);
            CHECK_INT(1, r.errors);
            CHECK(grammar_check(rx_buf_str(&r.out)) == NULL);
            rig_fini(&r);
        }
    }
}

/* --- writing ------------------------------------------------------------------------------ */

static void
put(struct rig *r, struct ir_event e)
{
    normaliser_put(r->normaliser, &e);
}

static void
put_text(struct rig *r, enum ir_event_kind kind, uint32_t part, const char *s)
{
    put(r, (struct ir_event){ .kind = kind, .part = part, .text = rig_str(s) });
}

static void
put_usage(struct rig *r, uint64_t input, uint64_t cached, uint64_t output)
{
    struct usage u = {
        .has = 1u << USAGE_in_uncached | 1u << USAGE_cache_read |
               1u << USAGE_out_total,
    };

    u.n[USAGE_in_uncached] = input;
    u.n[USAGE_cache_read] = cached;
    u.n[USAGE_out_total] = output;
    put(r, (struct ir_event){ .kind = IR_EV_USAGE, .usage = &u });
}

static void
put_stop(struct rig *r, enum ir_stop_reason reason)
{
    put(r,
        (struct ir_event){ .kind = IR_EV_STOP, .stop = { .reason = reason } });
    put(r, (struct ir_event){ .kind = IR_EV_END });
}

static void
put_open(struct rig *r, uint32_t part, enum ir_part_kind kind)
{
    put(r, (struct ir_event){
               .kind = IR_EV_OPEN, .part = part, .open = { .kind = kind } });
}

static void
put_call(struct rig *r, uint32_t part, const char *id, const char *name)
{
    put(r, (struct ir_event){ .kind = IR_EV_OPEN,
               .part = part,
               .open = { .kind = IR_TOOL_CALL,
                   .id = rig_str(id),
                   .name = rig_str(name) } });
}

/* The trace W2 of the wire specification: Anthropic's answer. */
static void
tell_thinking(struct rig *r)
{
    put(r, (struct ir_event){ .kind = IR_EV_START,
               .start = { .id = RX_S("msg_01"), .model = RX_S("claude") } });
    put_open(r, 0, IR_THINKING);
    put_text(r, IR_EV_THINKING, 0, "Let me");
    put(r, (struct ir_event){ .kind = IR_EV_SEAL,
               .part = 0,
               .seal = { .bytes = RX_S("EqoB"),
                   .dialect = DIALECT_ANTHROPIC,
                   .family = RX_S("claude"),
                   .kind = 's' } });
    put(r, (struct ir_event){ .kind = IR_EV_CLOSE, .part = 0 });
    put_open(r, 1, IR_TEXT);
    put_text(r, IR_EV_TEXT, 1, "Hello");
    put(r, (struct ir_event){ .kind = IR_EV_CLOSE, .part = 1 });
    put_usage(r, 10, 5, 9);
    put_stop(r, IR_STOP_END);
}

static void
tell_calls(struct rig *r)
{
    put(r, (struct ir_event){ .kind = IR_EV_START });
    put_text(r, IR_EV_TEXT, 0, "Look:\\nä\\ud83d\\ude00");
    put_call(r, 1, "call_a", "read");
    put_text(r, IR_EV_ARGS, 1, "{\\\"p\\\":");
    put_call(r, 2, "call_b", "list");
    put_text(r, IR_EV_ARGS, 1, "1}");
    put(r, (struct ir_event){ .kind = IR_EV_CLOSE, .part = 1 });
    put(r, (struct ir_event){ .kind = IR_EV_CLOSE, .part = 2 });
    put_text(r, IR_EV_TEXT, 3, "more");
    put_usage(r, 10, 0, 9);
    put_stop(r, IR_STOP_END);
}

static void
tell_broken(struct rig *r)
{
    put(r, (struct ir_event){ .kind = IR_EV_START });
    put_text(r, IR_EV_TEXT, 0, "A");
    put_call(r, 1, "call_a", "read");
    put_text(r, IR_EV_ARGS, 1, "{\\\"p\\\"");
    put(r, (struct ir_event){ .kind = IR_EV_ERROR,
               .error = { .fault = IR_FAULT_CUT,
                   .message = RX_S("upstream closed the stream before it "
                                   "finished") } });
}

static void
tell_refusal(struct rig *r)
{
    put(r, (struct ir_event){ .kind = IR_EV_START });
    put_open(r, 0, IR_REFUSAL);
    put_text(r, IR_EV_TEXT, 0, "I will not.");
    put_usage(r, 1, 0, 2);
    put_stop(r, IR_STOP_REFUSAL);
}

static void
tell_limit(struct rig *r)
{
    put(r, (struct ir_event){ .kind = IR_EV_START });
    put_text(r, IR_EV_TEXT, 0, "One two");
    put_usage(r, 1, 0, 2);
    put_stop(r, IR_STOP_MAX_TOKENS);
}

static void
tell_early_error(struct rig *r)
{
    put(r, (struct ir_event){ .kind = IR_EV_ERROR,
               .error = { .fault = IR_FAULT_CONTEXT,
                   .message = RX_S("the prompt is too long") } });
}

/* Gemini signs calls; a client of Responses carries that as reasoning. */
static void
tell_signed_call(struct rig *r)
{
    static const struct ir_opaque seal = {
        .bytes = RX_STR_INIT("CsoB"),
        .dialect = DIALECT_GEMINI,
        .family = RX_STR_INIT("gemini"),
        .kind = 't',
    };

    put(r, (struct ir_event){ .kind = IR_EV_START });
    put(r, (struct ir_event){ .kind = IR_EV_OPEN,
               .part = 0,
               .open = { .kind = IR_TOOL_CALL,
                   .id = RX_S("call_a"),
                   .name = RX_S("read"),
                   .seal = &seal } });
    put_text(r, IR_EV_ARGS, 0, "{}");
    put_stop(r, IR_STOP_END);
}

static void
tell_shell(struct rig *r)
{
    struct ir_tool *t = ir_tool_add(r->arena, &r->request);

    t->kind = IR_TOOL_BUILTIN;
    t->name = t->type = RX_S("local_shell");
    put(r, (struct ir_event){ .kind = IR_EV_START });
    put_call(r, 0, "call_a", "local_shell");
    put_text(r, IR_EV_ARGS, 0, "{\\\"command\\\":[\\\"ls\\\"]}");
    put_stop(r, IR_STOP_TOOL);
}

static void
tell_citation(struct rig *r)
{
    static const struct ir_citation c = {
        .url = RX_STR_INIT("https://example.org/a"),
        .title = RX_STR_INIT("A"),
        .dialect = DIALECT_ANTHROPIC,
    };

    put(r, (struct ir_event){ .kind = IR_EV_START });
    put_open(r, 0, IR_TEXT);
    put_text(r, IR_EV_TEXT, 0, "f\\u00fcnf");
    put(r,
        (struct ir_event){ .kind = IR_EV_CITATION, .part = 0, .citation = &c });
    put_stop(r, IR_STOP_END);
}

static const struct {
    const char *file;
    void (*tell)(struct rig *r);
} tales[] = {
    { "thinking.sse", tell_thinking },
    { "calls.sse", tell_calls },
    { "broken.sse", tell_broken },
    { "refusal.sse", tell_refusal },
    { "limit.sse", tell_limit },
    { "early_error.sse", tell_early_error },
    { "signed_call.sse", tell_signed_call },
    { "shell.sse", tell_shell },
    { "citation.sse", tell_citation },
};

static void
clients_get_these_bytes(void)
{
    for (size_t i = 0; i < RX_COUNT(tales); i++) {
        struct rig r;
        rig_init(&r);
        rig_start(&r);
        tales[i].tell(&r);
        check_golden(tales[i].file, rx_buf_str(&r.out));
        const char *wrong = grammar_check(rx_buf_str(&r.out));
        CHECK_TEXT("", wrong != NULL ? wrong : "");
        rig_fini(&r);
    }
}

/* The last event's response is what a client without streaming gets. */
static void
a_whole_answer_says_what_its_stream_says(void)
{
    for (size_t i = 0; i < RX_COUNT(tales); i++) {
        struct rig r;
        struct rx_buf whole;
        struct rx_buf a;
        struct rx_buf b;
        struct rig again;

        rx_buf_init(&whole, RIG_MAX);
        rx_buf_init(&a, RIG_MAX);
        rx_buf_init(&b, RIG_MAX);
        rig_init(&r);
        rig_start(&r);
        tales[i].tell(&r);
        const struct ir_response *x = accumulator_result(r.accumulator);
        codec_responses.write_whole(&r.about, x, &whole);
        CHECK(rx_json_check(rx_buf_str(&whole), NULL, NULL) == RX_OK);

        rig_init(&again);
        rig_start(&again);
        rig_feed(&again, rx_buf_str(&r.out), 0);
        rig_end(&again);
        rig_digest(accumulator_result(again.accumulator), &a);
        rig_fini(&again);
        rig_init(&again);
        rig_start(&again);
        codec_responses.read_whole(again.reader, rx_buf_str(&whole));
        rig_digest(accumulator_result(again.accumulator), &b);
        rig_fini(&again);
        if (!x->failed && !rx_str_eq(rx_buf_str(&a), rx_buf_str(&b))) {
            fprintf(stderr, "%s:\n" RX_STR_FMT "---\n" RX_STR_FMT,
                tales[i].file, RX_STR_ARG(rx_buf_str(&a)),
                RX_STR_ARG(rx_buf_str(&b)));
            check_failures++;
        }
        rig_fini(&r);
        rx_buf_fini(&whole);
        rx_buf_fini(&a);
        rx_buf_fini(&b);
    }
}

static void
reasoning_is_hidden_from_who_did_not_ask(void)
{
    struct rig r;

    rig_init(&r);
    r.request.reasoning.show = IR_SHOW_NONE;
    rig_start(&r);
    tell_thinking(&r);
    CHECK(strstr(r.out.ptr, "Let me") == NULL);
    CHECK(
        strstr(r.out.ptr, "\"encrypted_content\":\"rtx1.a.claude.s.") != NULL);
    CHECK(grammar_check(rx_buf_str(&r.out)) == NULL);
    rig_fini(&r);
}

static void
errors_keep_their_kind_and_hide_the_channels_credential(void)
{
    static const struct {
        struct ir_error error;
        int status;
        const char *body;
    } rows[] = {
        { { .fault = IR_FAULT_CONTEXT, .message = RX_STR_INIT("long") }, 400,
            "{\"error\":{\"message\":\"long\",\"type\":\"invalid_request_error"
            "\",\"param\":null,\"code\":\"context_length_exceeded\"}}" },
        { { .fault = IR_FAULT_RATE, .message = RX_STR_INIT("slow") }, 429,
            "{\"error\":{\"message\":\"slow\",\"type\":\"rate_limit_error\","
            "\"param\":null,\"code\":\"rate_limit_exceeded\"}}" },
        { { .fault = IR_FAULT_AUTH, .message = RX_STR_INIT("none") }, 503,
            "{\"error\":{\"message\":\"none\",\"type\":\"server_error\","
            "\"param\":null,\"code\":null}}" },
        { { .fault = IR_FAULT_INVALID,
              .message = RX_STR_INIT("bad"),
              .param = RX_STR_INIT("input") },
            400,
            "{\"error\":{\"message\":\"bad\",\"type\":\"invalid_request_error\""
            ",\"param\":\"input\",\"code\":null}}" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_buf out;
        rx_buf_init(&out, 4096);
        CHECK_INT(
            rows[i].status, codec_responses.write_error(&rows[i].error, &out));
        CHECK_TEXT(rows[i].body, out.ptr);
        rx_buf_fini(&out);
    }
}

/* --- requests -------------------------------------------------------------------------------- */

static const struct {
    const char *body, *words;
} refused[] = {
    { "[]", "the body must be a JSON object" },
    { "{\"input\":\"a\"", "the body is not valid JSON" },
    { "{\"model\":\"m\"}", "input: must be a string or a list of items" },
    { "{\"input\":5}", "input: must be a string or a list of items" },
    { "{\"input\":[5]}", "input[0]: must be an object" },
    { "{\"input\":[{\"content\":\"a\"}]}", "input[0].type: is missing" },
    { "{\"input\":[{\"role\":\"tool\",\"content\":\"a\"}]}",
        "input[0].role: must be user, assistant, system or developer" },
    { "{\"input\":[{\"role\":\"user\"}]}",
        "input[0].content: must be a string or a list of parts" },
    { "{\"input\":[{\"role\":\"user\",\"content\":[\"a\"]}]}",
        "input[0].content[0]: must be an object" },
    { "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
      "\"text\":\"a\"},{\"type\":\"input_file\"}]}]}",
        "input[0].content[1]: holds no file" },
    { "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}"
      "]}",
        "input[0].content[0]: holds no image" },
    { "{\"input\":[{\"type\":\"function_call\",\"name\":\"f\"}]}",
        "input[0].call_id: is missing" },
    { "{\"input\":[{\"type\":\"function_call\",\"call_id\":\"c\"}]}",
        "input[0].name: is missing" },
    { "{\"input\":[{\"type\":\"function_call_output\",\"output\":\"\"}]}",
        "input[0].call_id: is missing" },
    { "{\"input\":\"a\",\"tools\":{}}", "tools: must be a list" },
    { "{\"input\":\"a\",\"tools\":[{}]}", "tools[0].type: is missing" },
    { "{\"input\":\"a\",\"tools\":[{\"type\":\"function\"}]}",
        "tools[0].name: is missing" },
    { "{\"input\":\"a\",\"tool_choice\":\"any\"}",
        "tool_choice: must be auto, none, required or a tool" },
    { "{\"input\":\"a\",\"max_output_tokens\":\"5\"}",
        "max_output_tokens: has the wrong type" },
    { "{\"input\":\"a\",\"previous_response_id\":\"resp_1\"}",
        "previous_response_id: the chosen model is served by a provider that "
        "keeps no such state" },
    { "{\"input\":\"a\",\"background\":true}",
        "background: the chosen model is served by a provider that keeps no "
        "such state" },
    { "{\"input\":[{\"type\":\"item_reference\",\"id\":\"msg_1\"}]}",
        "input[0]: the item it refers to is kept by another provider" },
    { "{\"input\":\"a\",\"instructions\":[]}",
        "instructions: must be a string" },
    { "{\"input\":\"a\",\"text\":{\"format\":{\"type\":\"json_schema\"}}}",
        "text.format.schema: must be an object" },
};

static void
a_bad_request_is_refused_in_words_that_name_the_place(void)
{
    for (size_t i = 0; i < RX_COUNT(refused); i++) {
        struct rx_arena *arena = rx_arena_new(1 << 20);
        struct ir_request request = { .dialect = DIALECT_RESPONSES };
        struct rx_err err = { 0 };
        CHECK_INT(
            RX_INVALID, codec_responses.decode_request(
                            rig_str(refused[i].body), arena, &request, &err));
        CHECK_TEXT(refused[i].words, err.text);
        rx_arena_free(arena);
    }
}

int
main(void)
{
    CHECK_RUN(every_deviation_of_a_server_comes_to_the_same);
    CHECK_RUN(no_part_of_a_stream_is_taken_for_the_whole);
    CHECK_RUN(clients_get_these_bytes);
    CHECK_RUN(a_whole_answer_says_what_its_stream_says);
    CHECK_RUN(reasoning_is_hidden_from_who_did_not_ask);
    CHECK_RUN(errors_keep_their_kind_and_hide_the_channels_credential);
    CHECK_RUN(a_bad_request_is_refused_in_words_that_name_the_place);
    return CHECK_EXIT();
}
