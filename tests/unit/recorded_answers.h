/*
 * recorded_answers.h - recorded answers and errors, told to clients of the other
 * dialects and read back as such a client would.
 */
#ifndef TESTS_RECORDED_ANSWERS_H
#define TESTS_RECORDED_ANSWERS_H

#include "dataplane/codec/fault.h"
#include "shared/find.h"
#include "tests/unit/recorded_translate.h"

/* A request of each dialect that wants to see reasoning and usage. */
static const rx_str requests[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = RX_STR_INIT(
        "{\"model\":\"m\",\"max_tokens\":9000,\"thinking\":{\"type\":"
        "\"adaptive\"},\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"),
    [DIALECT_CHAT] = RX_STR_INIT(
        "{\"model\":\"m\",\"stream_options\":{\"include_usage\":true},"
        "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"),
    [DIALECT_RESPONSES] = RX_STR_INIT(
        "{\"model\":\"m\",\"reasoning\":{\"summary\":\"auto\"},\"input\":"
        "\"hi\"}"),
    [DIALECT_GEMINI] = RX_STR_INIT(
        "{\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":true}},"
        "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}"),
};

/* Only the first of several answers in a row is one. */
static inline bool
is_one_answer(rx_str body)
{
    static const char *const ends[] = { "event: response.completed",
        "event: message_stop", "data: [DONE]" };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const char *first =
            memmem(body.ptr, body.len, ends[i], strlen(ends[i]));
        if (first != NULL && strstr(first + 1, ends[i]) != NULL)
            return false;
    }
    return true;
}

static inline void
tell_thinking(struct rx_buf *out, const struct ir_response *r)
{
    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_THINKING)
            rx_buf_add(out, p->thinking.text);
    }
}

/* What it rests on, a line each: addresses cited, words searched for. */
static inline void
tell_grounds(struct rx_buf *out, const struct ir_response *r)
{
    for (const struct ir_part *p = r->parts.first; p != NULL; p = p->next) {
        const struct ir_citation *c = p->kind == IR_TEXT ? p->citations : NULL;
        for (; c != NULL; c = c->next) {
            if (c->url.len > 0)
                rx_buf_addf(out, "cites " RX_STR_FMT "\n", RX_STR_ARG(c->url));
        }
        if (p->kind == IR_LOOKUP && p->lookup.kind == IR_LOOKUP_SEARCH &&
            p->lookup.what.len > 0)
            rx_buf_addf(
                out, "searches " RX_STR_FMT "\n", RX_STR_ARG(p->lookup.what));
    }
}

/* An answer and what is read of it. */
struct reading {
    rx_str body;
    bool events;
    struct rx_buf essence, thinking, grounds;
};

static inline void
read_answer(struct reading *a, enum dialect dialect)
{
    rx_buf_init(&a->essence, FIXTURE_MAX);
    rx_buf_init(&a->thinking, FIXTURE_MAX);
    rig_read_essence(dialect, a->body, a->events, &a->essence);
    rig_read_with(dialect, a->body, a->events, tell_thinking, &a->thinking);
    rx_buf_init(&a->grounds, FIXTURE_MAX);
    rig_read_with(dialect, a->body, a->events, tell_grounds, &a->grounds);
}

static inline void
forget(struct reading *a)
{
    rx_buf_fini(&a->essence);
    rx_buf_fini(&a->thinking);
    rx_buf_fini(&a->grounds);
}

static unsigned grounds_told;

/* Whatever it rests on is told, though perhaps in another order; where a client
 * cannot be told of searches, what they found is cited all the same. */
static inline void
check_grounds(const struct recorded *r, enum dialect client,
    const struct reading *direct, const struct reading *got)
{
    rx_str rest = rx_buf_str(&direct->grounds);
    rx_str line;

    while (rest.len > 0 && rx_str_cut(rest, '\n', &line, &rest)) {
        if (client == DIALECT_CHAT && rx_str_starts(line, RX_S("searches ")))
            continue;
        grounds_told++;
        if (rx_find(rx_buf_str(&got->grounds), line) == NULL)
            complain(r, client, r->dialect, "grounds",
                rx_buf_str(&direct->grounds), rx_buf_str(&got->grounds));
    }
}

static inline bool
same(const struct recorded *r, enum dialect client, const char *what,
    const struct rx_buf *want, const struct rx_buf *got)
{
    if (rx_str_eq(rx_buf_str(want), rx_buf_str(got)))
        return true;
    complain(r, client, r->dialect, what, rx_buf_str(want), rx_buf_str(got));
    return false;
}

static inline void
run_answer_for(const struct recorded *r, enum dialect client,
    const struct reading *direct, bool stream)
{
    struct reading got = { .events = stream };
    struct rx_err err;
    struct rx_buf out;
    uint64_t seed;
    struct translation *t =
        ask_of(client, r->dialect, requests[client], stream, &seed, &err);

    CHECK(t != NULL);
    if (t == NULL)
        return;
    rx_buf_init(&out, FIXTURE_MAX * 4);
    translation_begin(t, 200,
        direct->events ? RX_S("text/event-stream") : RX_S("application/json"),
        RX_S(""));
    rig_feed(t, direct->body, stream ? 1000 : 0, true, &out);
    got.body = rx_buf_str(&out);
    read_answer(&got, client);
    bool kept = same(r, client, stream ? "streamed" : "whole", &direct->essence,
        &got.essence);
    bool failed = rx_str_eq(rx_buf_str(&direct->essence), RX_S("failed\n"));
    if (!failed)
        check_grounds(r, client, direct, &got);
    bool thought =
        failed || same(r, client, "thinking", &direct->thinking, &got.thinking);
    for (int f = 0; f < FEATURE_END; f++) {
        if ((r->answers & (1u << f)) != 0)
            recorded_note(client, r->dialect, (enum feature)f,
                f == FEATURE_THINKING ? thought : kept);
    }
    if (failed)
        recorded_note(client, r->dialect, FEATURE_ERRORS, kept);
    forget(&got);
    rx_buf_fini(&out);
    translation_free(t);
}

static inline void
run_answer(const struct recorded *r)
{
    struct reading direct = { .events = true };
    struct rx_buf body;

    if (!fixture_load(r->fixture, "response.sse", &body)) {
        direct.events = false;
        if (!fixture_load(r->fixture, "response.json", &body))
            return;
    }
    direct.body = rx_buf_str(&body);
    /* A streamed array is read element by element, as events are. */
    if (body.len > 0 && body.ptr[0] != '[' && is_one_answer(direct.body)) {
        read_answer(&direct, r->dialect);
        for (int to = 0; to < DIALECT_COUNT; to++) {
            if (!translate_can((enum dialect)to, r->dialect))
                continue;
            run_answer_for(r, (enum dialect)to, &direct, false);
            run_answer_for(r, (enum dialect)to, &direct, true);
        }
        forget(&direct);
    }
    rx_buf_fini(&body);
}

/* --- errors ------------------------------------------------------------------------- */

static inline const char *
word_of(enum dialect dialect, enum ir_fault fault)
{
    const struct fault_words *w = fault_words(fault);

    return dialect == DIALECT_ANTHROPIC ? w->anthropic
           : dialect == DIALECT_GEMINI  ? w->gemini
                                        : w->openai;
}

static inline void
run_error_for(const struct recorded *r, enum dialect client, rx_str body)
{
    struct ir_error want = { 0 };
    struct ir_error got = { 0 };
    struct rx_err err;
    struct rx_buf out;
    uint64_t seed;
    struct translation *t =
        ask_of(client, r->dialect, requests[client], true, &seed, &err);

    CHECK(t != NULL);
    if (t == NULL)
        return;
    rx_buf_init(&out, FIXTURE_MAX);
    translation_begin(t, r->status, RX_S("application/json"), RX_S(""));
    rig_feed(t, body, 100, true, &out);
    CHECK(fault_read(body, r->status, &want));
    bool ok =
        translation_failed(t) && translation_status(t) >= 400 &&
        rx_json_check(rx_buf_str(&out), NULL, NULL) == RX_OK &&
        fault_read(rx_buf_str(&out), translation_status(t), &got) &&
        rx_str_eq(want.message, got.message) &&
        strcmp(word_of(client, want.fault), word_of(client, got.fault)) == 0;
    if (!ok)
        complain(r, client, r->dialect, "error", body, rx_buf_str(&out));
    recorded_note(client, r->dialect, FEATURE_ERRORS, ok);
    rx_buf_fini(&out);
    translation_free(t);
}

static inline void
run_error(const struct recorded *r)
{
    struct rx_buf body;

    if (fixture_load(r->fixture, "response.json", &body)) {
        for (int to = 0; to < DIALECT_COUNT; to++) {
            if (translate_can((enum dialect)to, r->dialect))
                run_error_for(r, (enum dialect)to, rx_buf_str(&body));
        }
    }
    rx_buf_fini(&body);
}

#endif
