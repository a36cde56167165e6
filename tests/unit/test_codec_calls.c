/*
 * Tool calls as servers really send them, put together; seals that find their
 * way home; ids and names that fit.
 */
#include <stdio.h>

#include "dataplane/codec/provenance.h"
#include "tests/unit/check.h"
#include "tests/unit/codec_rig.h"

/* Chunks' deltas, one per line, as one stream that ends with tool_calls. */
static void
stream_of(const char *deltas, struct rx_buf *out)
{
    rx_str rest = { deltas, strlen(deltas) };
    rx_str line;

    for (bool more = true; more;) {
        more = rx_str_cut(rest, '\n', &line, &rest);
        rx_buf_addf(out,
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":"
            "{" RX_STR_FMT "}}]}\n\n",
            RX_STR_ARG(line));
    }
    rx_buf_add(
        out, RX_S("data: {\"choices\":[{\"index\":0,\"delta\":{},"
                  "\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"));
}

#define CALL(rest) "\"tool_calls\":[{" rest "}]"
#define FN(rest)   "\"function\":{" rest "}"

static const struct {
    const char *what, *deltas, *want;
} streams[] = {
    { "a call in fragments",
        CALL("\"index\":0,\"id\":\"a\"," FN("\"name\":\"f\"")) "\n" CALL(
            "\"index\":0," FN(
                "\"arguments\":\"{\\\"x\\\"\"")) "\n" CALL("\"index\":0," FN("\"arguments\":\":1}\"")),
        "call f {\"x\":1}\n" },
    { "all at index zero, told apart by their ids",
        CALL("\"index\":0,\"id\":\"a\"," FN("\"name\":\"f\",\"arguments\":\"{}\"")) "\n" CALL(
            "\"index\":0,"
            "\"id\":\"b\"," FN(
                "\"name\":\"g\",\"arguments\":\"{\\\"y\\\":2}\"")),
        "call f {}\ncall g {\"y\":2}\n" },
    { "no index and no id after the first fragment",
        CALL("\"id\":\"a\"," FN("\"name\":\"f\",\"arguments\":\"\"")) "\n" CALL(FN(
            "\"arguments\":\"{\\\"x\\\"\"")) "\n" CALL(FN("\"arguments\":\":1}\"")),
        "call f {\"x\":1}\n" },
    { "the same id on every fragment, the name too",
        CALL("\"index\":0,\"id\":\"a\"," FN("\"name\":\"f\",\"arguments\":\"{\"")) "\n" CALL(
            "\"index\":0,"
            "\"id\":\"a\"," FN("\"name\":\"f\",\"arguments\":\"}\"")),
        "call f {}\n" },
    { "an empty id later on",
        CALL("\"index\":0,\"id\":\"a\"," FN(
            "\"name\":\"f\",\"arguments\":\"{\"")) "\n" CALL("\"index\":0,"
                                                             "\"id\":\"\"," FN(
                                                                 "\"arguments\":\"}\"")),
        "call f {}\n" },
    { "another id on every fragment",
        CALL("\"index\":0,\"id\":\"a\"," FN(
            "\"name\":\"f\",\"arguments\":\"{\"")) "\n" CALL("\"index\":0,"
                                                             "\"id\":\"b\"," FN(
                                                                 "\"arguments\":\"}\"")),
        "call f {}\n" },
    { "the name comes late",
        CALL("\"index\":0,\"id\":\"a\"," FN("\"arguments\":\"{\"")) "\n" CALL(
            "\"index\":0," FN("\"name\":\"f\",\"arguments\":\"}\"")),
        "call f {}\n" },
    { "arguments as an object",
        CALL("\"index\":0,\"id\":\"a\"," FN(
            "\"name\":\"f\",\"arguments\":{\"x\": [1, \"b\"]}")),
        "call f {\"x\": [1, \"b\"]}\n" },
    { "a hollow object first, then the real one",
        CALL("\"index\":0,\"id\":\"a\"," FN("\"name\":\"f\",\"arguments\":\"{}\"")) "\n" CALL(
            "\"index\":0," FN("\"arguments\":\"{\\\"x\\\":1}\"")),
        "call f {\"x\":1}\n" },
    { "no arguments at all",
        CALL("\"index\":0,\"id\":\"a\"," FN(
            "\"name\":\"f\",\"arguments\":null")),
        "call f {}\n" },
    { "two whole calls in one chunk, without index or id",
        "\"tool_calls\":[{" FN("\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"") "},{" FN(
            "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":2}\"") "}]",
        "call f {\"a\":1}\ncall f {\"a\":2}\n" },
    { "the old way",
        "\"function_call\":{\"name\":\"f\",\"arguments\":\"{\"}\n"
        "\"function_call\":{\"arguments\":\"}\"}",
        "call f {}\n" },
    { "text behind a call",
        CALL("\"index\":0,\"id\":\"a\"," FN(
            "\"name\":\"f\",\"arguments\":\"{}\"")) "\n\"content\":\"so\"",
        "call f {}\ntext so\n" },
    { "parts of content, as Mistral sends them",
        "\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\","
        "\"text\":\"hm\"}]},{\"type\":\"text\",\"text\":\"so\"}]",
        "thinking hm\ntext so\n" },
    { "reasoning told twice is told once",
        "\"reasoning\":\"a\",\"reasoning_details\":[{\"type\":"
        "\"reasoning.text\",\"text\":\"a\"}]\n\"reasoning\":\"b\","
        "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"b\"}]",
        "thinking ab\n" },
};

static void
calls_are_put_together_however_they_are_sent(void)
{
    for (size_t i = 0; i < RX_COUNT(streams); i++) {
        struct rx_buf in;
        struct rx_buf got;
        rx_buf_init(&in, 65536);
        rx_buf_init(&got, 65536);
        stream_of(streams[i].deltas, &in);
        rig_read(DIALECT_CHAT, rx_buf_str(&in), true, &got);
        char *end = got.ptr != NULL ? strstr(got.ptr, "stop ") : NULL;
        if (end != NULL)
            *end = '\0';
        if (strcmp(streams[i].want, got.ptr) != 0) {
            fprintf(stderr, "%s:\n--- want\n%s--- got\n%s", streams[i].what,
                streams[i].want, got.ptr);
            check_failures++;
        }
        rx_buf_fini(&in);
        rx_buf_fini(&got);
    }
}

static void
a_seal_comes_home_and_goes_nowhere_else(void)
{
    struct rx_arena *arena = rx_arena_new(65536);
    struct ir_opaque seal = { RX_S("EqQB+/=x\\/"), DIALECT_ANTHROPIC,
        RX_S("claude"), 's' };
    struct ir_opaque back;
    struct rx_buf b;

    rx_buf_init(&b, 4096);
    provenance_wrap(&b, &seal);
    CHECK(provenance_is_wrapped(rx_buf_str(&b)));
    CHECK(provenance_unwrap(rx_buf_str(&b), arena, &back));
    CHECK(rx_str_eq(back.bytes, seal.bytes));
    CHECK(rx_str_eq(back.family, seal.family));
    CHECK_INT('s', back.kind);
    CHECK(provenance_fits(&back, DIALECT_ANTHROPIC, RX_S("claude")));
    CHECK(!provenance_fits(&back, DIALECT_ANTHROPIC, RX_S("kimi")));
    CHECK(!provenance_fits(&back, DIALECT_GEMINI, RX_S("claude")));
    for (size_t cut = 0; cut < b.len; cut++) {
        if (provenance_unwrap((rx_str){ b.ptr, cut }, arena, &back))
            CHECK(!rx_str_eq(back.bytes, seal.bytes));
    }
    CHECK(!provenance_unwrap(RX_S("rtx1.a.claude.s.!!"), arena, &back));
    CHECK(!provenance_unwrap(RX_S("rtx1.z.claude.s.QUJD"), arena, &back));
    rx_buf_fini(&b);
    rx_arena_free(arena);
}

static void
an_id_that_does_not_fit_becomes_one_that_does_and_always_the_same(void)
{
    char a[40];
    char b[40];
    rx_str kimi = RX_S("functions.read:0");

    CHECK(normalise_id_ok(RX_S("toolu_01-x"), CAP_IDS_WORD, 64));
    CHECK(!normalise_id_ok(kimi, CAP_IDS_WORD, 64));
    CHECK(!normalise_id_ok(RX_S("toolu_01"), CAP_IDS_NINE, 9));
    rx_str one = normalise_id(kimi, CAP_IDS_WORD, 64, 0, a);
    rx_str two = normalise_id(kimi, CAP_IDS_WORD, 64, 0, b);
    CHECK(rx_str_eq(one, two));
    CHECK(normalise_id_ok(one, CAP_IDS_WORD, 64));
    two = normalise_id(RX_S("functions.read:1"), CAP_IDS_WORD, 64, 0, b);
    CHECK(!rx_str_eq(one, two));
    CHECK(normalise_id_ok(
        normalise_id(kimi, CAP_IDS_NINE, 9, 0, a), CAP_IDS_NINE, 9));
}

static void
what_is_replayed_is_what_was_gathered(void)
{
    struct rx_arena *arena = rx_arena_new(65536);
    struct accumulator *first = accumulator_new(arena);
    struct accumulator *second = accumulator_new(arena);
    struct ir_sink to = accumulator_sink(first);
    struct ir_citation cited = { .url = RX_S("u") };
    struct usage used = { .has = 1u << USAGE_out_total };
    struct rx_buf a;
    struct rx_buf b;

    ir_put(&to, &(struct ir_event){ .kind = IR_EV_START });
    ir_put(&to,
        &(struct ir_event){ .kind = IR_EV_OPEN, .open = { .kind = IR_TEXT } });
    ir_put(&to, &(struct ir_event){ .kind = IR_EV_TEXT, .text = RX_S("so") });
    ir_put(
        &to, &(struct ir_event){ .kind = IR_EV_CITATION, .citation = &cited });
    ir_put(&to, &(struct ir_event){ .kind = IR_EV_CLOSE });
    ir_put(&to,
        &(struct ir_event){ .kind = IR_EV_OPEN,
            .part = 1,
            .open = {
                .kind = IR_TOOL_CALL, .id = RX_S("i"), .name = RX_S("f") } });
    ir_put(&to,
        &(struct ir_event){
            .kind = IR_EV_ARGS, .part = 1, .text = RX_S("{\\\"x\\\":1}") });
    ir_put(&to, &(struct ir_event){ .kind = IR_EV_CLOSE, .part = 1 });
    ir_put(&to, &(struct ir_event){ .kind = IR_EV_USAGE, .usage = &used });
    ir_put(&to, &(struct ir_event){
                    .kind = IR_EV_STOP, .stop = { .reason = IR_STOP_TOOL } });
    ir_put(&to, &(struct ir_event){ .kind = IR_EV_END });
    to = accumulator_sink(second);
    accumulate_replay(accumulator_result(first), &to);
    rx_buf_init(&a, 4096);
    rx_buf_init(&b, 4096);
    rig_dump(&a, accumulator_result(first));
    rig_dump(&b, accumulator_result(second));
    CHECK_TEXT(a.ptr, b.ptr);
    CHECK(accumulator_result(second)->parts.first->citations != NULL);
    CHECK(strstr(a.ptr, "call f {\"x\":1}") != NULL);
    rx_buf_fini(&a);
    rx_buf_fini(&b);
    accumulator_free(first);
    accumulator_free(second);
    rx_arena_free(arena);
}

/* The client loaded a deferred tool and has called it: Responses puts such
 * calls in a namespace of the tool's own name. */
static void
a_loaded_tool_is_called_by_the_name_it_was_declared_with(void)
{
    static const char body[] =
        "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":"
        "\"hi\"},{\"type\":\"additional_tools\",\"role\":\"developer\","
        "\"tools\":[{\"type\":\"function\",\"name\":\"look\","
        "\"parameters\":{\"type\":\"object\",\"properties\":{}}}]},"
        "{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":"
        "\"look\",\"namespace\":\"look\",\"arguments\":\"{}\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c1\","
        "\"output\":\"seen\"}]}";
    struct rx_err err = { 0 };
    struct translation *t;
    uint64_t seed;

    for (int to = 0; to < DIALECT_COUNT; to++) {
        struct translate_ask ask = { .client = DIALECT_RESPONSES,
            .body = { body, sizeof(body) - 1 },
            .model_asked = RX_S("m"),
            .model = RX_S("m"),
            .key = { .dialect = (enum dialect)to, .model = RX_S("m") },
            .world = rig_world(&seed) };
        if (!translate_can(DIALECT_RESPONSES, (enum dialect)to))
            continue;
        CHECK_INT(RX_OK, translation_new(&t, &ask, &err));
        CHECK_TEXT("", err.text);
        if (t == NULL)
            continue;
        rx_str sent = translation_body(t);
        CHECK(memmem(sent.ptr, sent.len, "\"look\"", 6) != NULL);
        CHECK(memmem(sent.ptr, sent.len, "look__look", 10) == NULL);
        translation_free(t);
    }
}

int
main(void)
{
    CHECK_RUN(calls_are_put_together_however_they_are_sent);
    CHECK_RUN(a_seal_comes_home_and_goes_nowhere_else);
    CHECK_RUN(
        an_id_that_does_not_fit_becomes_one_that_does_and_always_the_same);
    CHECK_RUN(what_is_replayed_is_what_was_gathered);
    CHECK_RUN(a_loaded_tool_is_called_by_the_name_it_was_declared_with);
    return CHECK_EXIT();
}
