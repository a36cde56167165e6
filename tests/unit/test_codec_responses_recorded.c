/*
 * Recorded Responses answers, streamed and not: what is read of them is what
 * the vendor's own SDK read, what is written of it says the same again, and no
 * part of a stream is taken for the whole.
 */
#include "tests/unit/fixtures.h"
#include "tests/unit/responses_grammar.h"
#include "tests/unit/responses_rig.h"

static unsigned streams, answers, failures;

/* --- what is expected: a second reading of the format ------------------------------ */

static void
expect_texts(struct rx_buf *b, rx_json list)
{
    bool first = true;

    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_str text = rx_json_str(rx_json_member(v, "text"));
        if (text.len == 0)
            continue;
        if (!first)
            rx_buf_add(b, RX_S("\\n\\n"));
        first = false;
        rx_buf_add_json(b, text);
    }
}

static void
expect_reasoning(struct rx_buf *b, rx_json item)
{
    struct rx_buf texts;
    rx_str seal = rx_json_str(rx_json_member(item, "encrypted_content"));

    rx_buf_init(&texts, RIG_MAX);
    expect_texts(&texts, rx_json_member(item, "content"));
    if (texts.len == 0)
        expect_texts(&texts, rx_json_member(item, "summary"));
    if (texts.len + seal.len > 0)
        rx_buf_addf(b, "thinking " RX_STR_FMT "%s\n",
            RX_STR_ARG(rx_buf_str(&texts)), seal.len > 0 ? " sealed" : "");
    rx_buf_fini(&texts);
}

static void
expect_message(struct rx_buf *b, rx_json item, bool *refused)
{
    rx_json v = rx_json_first(rx_json_member(item, "content"));

    for (; rx_json_there(v); v = rx_json_next(v)) {
        rx_str text = rx_json_str(rx_json_member(v, "text"));
        rx_str refusal = rx_json_str(rx_json_member(v, "refusal"));
        *refused = *refused || refusal.len > 0;
        if (text.len + refusal.len == 0)
            continue;
        rx_buf_add(b, refusal.len > 0 ? RX_S("refusal ") : RX_S("text "));
        rx_buf_add_json(b, refusal.len > 0 ? refusal : text);
        rx_buf_addc(b, '\n');
    }
}

/* Of the client's own tools the arguments are an object. */
static void
expect_args(struct rx_buf *b, rx_json item)
{
    static const char *const members[] = { "arguments", "input", "action",
        "operation" };

    for (size_t i = 0; i < RX_COUNT(members); i++) {
        rx_json v = rx_json_member(item, members[i]);
        if (rx_json_kind(v) == RX_JSON_STRING)
            rx_buf_add_json(
                b, rx_json_str(v).len > 0 ? rx_json_str(v) : RX_S("{}"));
        else if (rx_json_kind(v) == RX_JSON_OBJECT)
            rx_buf_add(b, RX_S("<object>"));
    }
}

static bool
expect_call(struct rx_buf *b, rx_json item, rx_str type)
{
    static const struct {
        rx_str type, name;
    } own[] = {
        { RX_STR_INIT("function_call"), RX_STR_INIT("") },
        { RX_STR_INIT("custom_tool_call"), RX_STR_INIT("") },
        { RX_STR_INIT("local_shell_call"), RX_STR_INIT("local_shell") },
        { RX_STR_INIT("shell_call"), RX_STR_INIT("shell") },
        { RX_STR_INIT("apply_patch_call"), RX_STR_INIT("apply_patch") },
        { RX_STR_INIT("tool_search_call"), RX_STR_INIT("tool_search") },
    };
    size_t i = 0;

    while (i < RX_COUNT(own) && !rx_str_eq(type, own[i].type))
        i++;
    if (i == RX_COUNT(own))
        return false;
    if (i == 5 && !rx_str_eq(rx_json_str(rx_json_member(item, "execution")),
                      RX_S("client")))
        return false;
    if (rx_json_there(rx_json_find(item, "environment.container_id")))
        return false;
    rx_str name = own[i].name.len > 0
                      ? own[i].name
                      : rx_json_str(rx_json_member(item, "name"));
    rx_buf_addf(b, "call " RX_STR_FMT " " RX_STR_FMT "%s ",
        RX_STR_ARG(rx_json_str(rx_json_member(item, "call_id"))),
        RX_STR_ARG(name), i == 1 ? " custom" : "");
    expect_args(b, item);
    rx_buf_addc(b, '\n');
    return true;
}

static void
expect_counter(struct usage *u, enum usage_counter i, rx_json v, uint64_t less)
{
    uint64_t n;

    if (!rx_json_u64(v, &n))
        return;
    u->has |= 1u << i;
    u->n[i] = n - less;
}

static void
expect_usage(struct rx_buf *b, rx_json usage)
{
    struct usage u = { 0 };
    uint64_t cached = 0;
    uint64_t written = 0;

    rx_json_u64(
        rx_json_find(usage, "input_tokens_details.cached_tokens"), &cached);
    rx_json_u64(rx_json_find(usage, "input_tokens_details.cache_write_tokens"),
        &written);
    expect_counter(&u, USAGE_in_uncached, rx_json_find(usage, "input_tokens"),
        cached + written);
    expect_counter(&u, USAGE_cache_read,
        rx_json_find(usage, "input_tokens_details.cached_tokens"), 0);
    expect_counter(&u, USAGE_cache_write_other,
        rx_json_find(usage, "input_tokens_details.cache_write_tokens"), 0);
    expect_counter(
        &u, USAGE_out_total, rx_json_find(usage, "output_tokens"), 0);
    expect_counter(&u, USAGE_out_reasoning,
        rx_json_find(usage, "output_tokens_details.reasoning_tokens"), 0);
    rig_usage(b, &u);
}

static void
expect(rx_json response, struct rx_buf *b)
{
    bool calls = false;
    bool refused = false;
    rx_json v = rx_json_first(rx_json_find(response, "output"));
    rx_str why =
        rx_json_str(rx_json_find(response, "incomplete_details.reason"));

    for (; rx_json_there(v); v = rx_json_next(v)) {
        rx_str type = rx_json_str(rx_json_member(v, "type"));
        if (rx_str_eq(type, RX_S("message")))
            expect_message(b, v, &refused);
        else if (rx_str_eq(type, RX_S("reasoning")))
            expect_reasoning(b, v);
        else
            calls = expect_call(b, v, type) || calls;
    }
    rx_buf_addf(b, "stop %s\n",
        rx_str_eq(why, RX_S("max_output_tokens")) ? "MAX_TOKENS"
        : rx_str_eq(why, RX_S("content_filter"))  ? "FILTERED"
        : calls                                   ? "TOOL"
        : refused                                 ? "REFUSAL"
                                                  : "END");
    expect_usage(b, rx_json_find(response, "usage"));
}

/* --- what is read -------------------------------------------------------------------- */

static void
compare(const char *name, const char *how, rx_str want, rx_str got)
{
    if (rx_str_eq(want, got))
        return;
    fprintf(stderr, "%s (%s):\n--- want\n" RX_STR_FMT "--- got\n" RX_STR_FMT,
        name, how, RX_STR_ARG(want), RX_STR_ARG(got));
    check_failures++;
}

/* The digest, arguments that are no string of the provider's made alike. */
static void
digest(struct rig *r, struct rx_buf *b)
{
    const struct ir_response *x = accumulator_result(r->accumulator);

    for (const struct ir_part *p = x->parts.first; p != NULL; p = p->next) {
        static const char *const own[] = { "local_shell", "shell",
            "apply_patch", "tool_search" };
        for (size_t i = 0; i < RX_COUNT(own) && p->kind == IR_TOOL_CALL; i++) {
            if (rx_str_eq(p->call.name, rig_str(own[i])))
                ((struct ir_part *)(uintptr_t)p)->call.args.s =
                    RX_S("<object>");
        }
    }
    rig_digest(x, b);
}

static void
declare_builtins(struct rig *r)
{
    static const char *const own[] = { "local_shell", "shell", "apply_patch",
        "tool_search" };

    for (size_t i = 0; i < RX_COUNT(own); i++) {
        struct ir_tool *t = ir_tool_add(r->arena, &r->request);
        t->kind = IR_TOOL_BUILTIN;
        t->type = t->name = rig_str(own[i]);
    }
}

static void
check_stream(
    const char *name, const char *how, rx_str body, rx_str want, size_t most)
{
    struct rig first;
    struct rig again;
    struct rx_buf got;
    struct rx_buf echoed;

    rx_buf_init(&got, RIG_MAX);
    rx_buf_init(&echoed, RIG_MAX);
    rig_init(&first);
    declare_builtins(&first);
    rig_start(&first);
    rig_feed(&first, body, most);
    rig_end(&first);
    digest(&first, &got);
    compare(name, how, want, rx_buf_str(&got));

    const char *wrong = grammar_check(rx_buf_str(&first.out));
    if (wrong != NULL)
        compare(name, wrong, RX_S(""), rx_buf_str(&first.out));

    /* What was written for the client is read once more. */
    rig_init(&again);
    rig_start(&again);
    rig_feed(&again, rx_buf_str(&first.out), 0);
    rig_end(&again);
    digest(&again, &echoed);
    compare(name, "written and read again", want, rx_buf_str(&echoed));
    rig_fini(&again);
    rig_fini(&first);
    rx_buf_fini(&got);
    rx_buf_fini(&echoed);
}

static void
check_whole(const char *name, const char *how, rx_str document, rx_str want)
{
    struct rig r;
    struct rig again;
    struct rx_buf got;
    struct rx_buf written;

    rx_buf_init(&got, RIG_MAX);
    rx_buf_init(&written, RIG_MAX);
    rig_init(&r);
    declare_builtins(&r);
    rig_start(&r);
    codec_responses.read_whole(r.reader, document);
    digest(&r, &got);
    compare(name, how, want, rx_buf_str(&got));

    rig_init(&again);
    rig_start(&again);
    codec_responses.write_whole(
        &r.about, accumulator_result(r.accumulator), &written);
    rx_buf_clear(&got);
    codec_responses.read_whole(again.reader, rx_buf_str(&written));
    digest(&again, &got);
    if (rx_json_check(rx_buf_str(&written), NULL, NULL) != RX_OK)
        compare(name, "written whole", RX_S("JSON\n"), rx_buf_str(&written));
    rig_fini(&again);
    rig_fini(&r);
    rx_buf_fini(&got);
    rx_buf_fini(&written);
}

/* Cut behind each event: an end is told only if the last one was there. */
static void
check_cuts(const char *name, rx_str body)
{
    struct rig r;
    const char *end = body.ptr + body.len;
    const char *last = NULL;

    for (const char *at = body.ptr; at < end;) {
        at = memmem(at, (size_t)(end - at), "event: response.", 16);
        if (at == NULL)
            break;
        if (strncmp(at + 16, "completed", 9) == 0 ||
            strncmp(at + 16, "incomplete", 10) == 0)
            last = last == NULL ? at : last;
        at++;
    }
    if (last == NULL)
        return;
    size_t whole = (size_t)(last - body.ptr);
    for (size_t i = 1; i <= 40; i++) {
        rig_init(&r);
        rig_start(&r);
        rig_feed(&r, (rx_str){ body.ptr, whole * i / 40 }, 0);
        rig_end(&r);
        if (r.ends != 0 || r.errors != 1)
            compare(name, "cut", RX_S("an error\n"), RX_S("an end\n"));
        rig_fini(&r);
    }
}

/* Some recordings are several answers in a row, one was shortened by hand: its
 * last event tells another text than those before. */
static bool
is_one_answer(const char *name, const struct rx_buf *body)
{
    static const char end[] = "response.completed\"";
    const char *first = strstr(body->ptr, end);

    if (strncmp(name, "or-s-135", 8) == 0)
        return false;
    return first == NULL || strstr(first + 1, end) == NULL;
}

static void
run_stream(const struct fixture *f)
{
    struct rx_buf body;
    struct rx_buf want;
    struct fixture_doc sdk;

    rx_buf_init(&want, RIG_MAX);
    bool there = fixture_load(f, "response.sse", &body) &&
                 fixture_read(f, "sdk_final.json", &sdk);
    if (there && is_one_answer(f->name, &body)) {
        rx_json final = rx_json_find(sdk.root, "result.final_response");
        if (rx_json_there(final)) {
            expect(final, &want);
            check_stream(
                f->name, "stream", rx_buf_str(&body), rx_buf_str(&want), 0);
            check_stream(
                f->name, "pieces", rx_buf_str(&body), rx_buf_str(&want), 61);
            check_cuts(f->name, rx_buf_str(&body));
            streams++;
        } else {
            struct rig r;
            rig_init(&r);
            rig_start(&r);
            rig_feed(&r, rx_buf_str(&body), 0);
            rig_end(&r);
            CHECK_INT(0, r.ends);
            CHECK_INT(1, r.errors);
            rig_fini(&r);
            failures++;
        }
    }
    if (there)
        fixture_drop(&sdk);
    rx_buf_fini(&body);
    rx_buf_fini(&want);
}

static void
run_answer(const struct fixture *f)
{
    struct fixture_doc d;
    struct rx_buf want;

    rx_buf_init(&want, RIG_MAX);
    if (fixture_read(f, "response.json", &d)) {
        if (rx_json_kind(rx_json_find(d.root, "output")) == RX_JSON_ARRAY &&
            rx_str_starts(rx_json_str(rx_json_find(d.root, "status")),
                RX_S("complete"))) {
            expect(d.root, &want);
            check_whole(
                f->name, "whole", rx_buf_str(&d.text), rx_buf_str(&want));
            answers++;
        } else {
            struct rig r;
            rig_init(&r);
            rig_start(&r);
            codec_responses.read_whole(r.reader, rx_buf_str(&d.text));
            CHECK_INT(1, r.errors);
            rig_fini(&r);
            failures++;
        }
    }
    fixture_drop(&d);
    rx_buf_fini(&want);
}

static void
run_exchange(const struct fixture *f)
{
    if (strncmp(f->name, "or-s", 4) == 0)
        run_stream(f);
    else if (strncmp(f->name, "or-n", 4) == 0)
        run_answer(f);
}

static void
every_recorded_answer_is_read_as_its_sdk_reads_it(void)
{
    if (!fixtures_each(run_exchange))
        return;
    fixtures_ran("streams", streams, 50);
    fixtures_ran("answers", answers, 80);
    fixtures_ran("failures", failures, 5);
}

int
main(void)
{
    CHECK_RUN(every_recorded_answer_is_read_as_its_sdk_reads_it);
    return CHECK_EXIT();
}
