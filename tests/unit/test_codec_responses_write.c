/*
 * The Responses codec, what it writes: what clients get byte for byte
 * (tests/golden/responses), streamed or whole.
 *
 * ROUTEX_GOLDEN=write writes the golden files anew; look at the difference.
 */
#include <stdio.h>

#include "tests/unit/responses_grammar.h"
#include "tests/unit/responses_rig.h"

/* --- golden files ------------------------------------------------------------------------- */

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

int
main(void)
{
    CHECK_RUN(clients_get_these_bytes);
    CHECK_RUN(a_whole_answer_says_what_its_stream_says);
    CHECK_RUN(reasoning_is_hidden_from_who_did_not_ask);
    CHECK_RUN(errors_keep_their_kind_and_hide_the_channels_credential);
    return CHECK_EXIT();
}
