/*
 * The Responses codec, what it reads, by cases: what each deviation of a server
 * comes to, and which requests are refused in which words.
 */
#include "tests/unit/responses_grammar.h"
#include "tests/unit/responses_rig.h"

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
    CHECK_RUN(a_bad_request_is_refused_in_words_that_name_the_place);
    return CHECK_EXIT();
}
