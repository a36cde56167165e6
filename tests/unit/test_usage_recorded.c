/*
 * Recorded exchanges with the real providers, fed to the tap in every way they
 * might arrive, against what the vendors' own SDKs made of them (or, where
 * nothing was streamed, the usage object as it stands in the answer).
 */
#include <zlib.h>

#include "dataplane/scan.h"
#include "dataplane/usage.h"
#include "tests/unit/fixtures.h"

static unsigned answers_run[FIXTURE_APIS], requests_run[FIXTURE_APIS];

struct example {
    const struct fixture *fixture;
    const struct fixture_api *api;
    struct fixture_doc meta, request, response, sdk;
    struct rx_buf body; /* of the response, as it came */
    bool events;
    bool streamed;
    bool breaks; /* an error in the midst of the stream */
    int status;
};

struct expected {
    struct usage usage;
    bool sdk_failed;
    rx_str finish;
};

static enum operation
op_of(const struct example *x)
{
    return x->api->counts ? OP_COUNT : OP_CREATE;
}

/* Whole numbers only; absent and null are not there. */
static bool
number(rx_json object, const char *path, uint64_t *out)
{
    *out = 0;
    return rx_json_there(object) &&
           rx_json_u64(rx_json_find(object, path), out);
}

static void
want(struct usage *u, enum usage_counter i, bool there, uint64_t n)
{
    if (!there)
        return;
    u->has |= 1u << i;
    u->n[i] = n;
}

/* What the documentation says of each format, written down once more. */
static void
expect_anthropic(rx_json usage, struct usage *u)
{
    uint64_t n;
    uint64_t total;
    uint64_t hour;

    bool there = number(usage, "input_tokens", &n);
    want(u, USAGE_in_uncached, there, n);
    there = number(usage, "cache_read_input_tokens", &n);
    want(u, USAGE_cache_read, there, n);
    there = number(usage, "output_tokens", &n);
    want(u, USAGE_out_total, there, n);
    bool whole = number(usage, "cache_creation_input_tokens", &total);
    bool split =
        number(usage, "cache_creation.ephemeral_1h_input_tokens", &hour);
    want(u, USAGE_cache_write_1h, split, hour);
    want(u, USAGE_cache_write_5m, whole, total - hour);
    there = number(usage, "output_tokens_details.thinking_tokens", &n);
    want(u, USAGE_out_reasoning, there, n);
    there = number(usage, "server_tool_use.web_search_requests", &n);
    want(u, USAGE_web_searches, there, n);
    there = number(usage, "server_tool_use.web_fetch_requests", &n);
    want(u, USAGE_web_fetches, there, n);
}

struct openai_names {
    const char *input, *cached, *written, *output, *reasoning;
};

static void
expect_openai(rx_json usage, const struct openai_names *names, struct usage *u)
{
    uint64_t input;
    uint64_t cached;
    uint64_t written;
    uint64_t output;
    uint64_t reasoning;
    uint64_t total;

    bool has_input = number(usage, names->input, &input);
    bool has_cached = number(usage, names->cached, &cached);
    bool has_written = number(usage, names->written, &written);
    bool has_output = number(usage, names->output, &output);
    bool has_reasoning = number(usage, names->reasoning, &reasoning);
    if (!has_cached)
        has_cached = number(usage, "prompt_cache_hit_tokens", &cached);
    if (!has_cached)
        has_cached = number(usage, "num_cached_tokens", &cached);
    if (!has_cached)
        has_cached = number(usage, "cached_tokens", &cached);
    if (number(usage, "total_tokens", &total) && reasoning > 0 &&
        total == input + output + reasoning)
        output += reasoning;
    want(u, USAGE_in_uncached, has_input, input - cached - written);
    want(u, USAGE_cache_read, has_cached, cached);
    want(u, USAGE_cache_write_other, has_written, written);
    want(u, USAGE_out_total, has_output, output);
    want(u, USAGE_out_reasoning, has_reasoning, reasoning);
}

static void
expect_gemini(rx_json usage, struct usage *u)
{
    uint64_t input;
    uint64_t cached;
    uint64_t tool;
    uint64_t output;
    uint64_t thoughts;
    uint64_t total;

    bool has_input = number(usage, "promptTokenCount", &input);
    bool has_cached = number(usage, "cachedContentTokenCount", &cached);
    bool has_tool = number(usage, "toolUsePromptTokenCount", &tool);
    bool has_output = number(usage, "candidatesTokenCount", &output);
    bool has_thoughts = number(usage, "thoughtsTokenCount", &thoughts);
    bool has_total = number(usage, "totalTokenCount", &total);
    if (!has_total || input + tool + output != total)
        output += thoughts;
    want(u, USAGE_in_uncached, has_input, input - cached);
    want(u, USAGE_cache_read, has_cached, cached);
    want(u, USAGE_in_tool_use, has_tool, tool);
    want(u, USAGE_out_total, has_output || has_thoughts || has_total, output);
    want(u, USAGE_out_reasoning, has_thoughts, thoughts);
}

static void
expect_usage(const struct example *x, rx_json usage, struct usage *u)
{
    static const struct openai_names chat = { "prompt_tokens",
        "prompt_tokens_details.cached_tokens",
        "prompt_tokens_details.cache_write_tokens", "completion_tokens",
        "completion_tokens_details.reasoning_tokens" };
    static const struct openai_names responses = { "input_tokens",
        "input_tokens_details.cached_tokens",
        "input_tokens_details.cache_write_tokens", "output_tokens",
        "output_tokens_details.reasoning_tokens" };

    if (rx_json_kind(usage) != RX_JSON_OBJECT)
        return;
    switch (x->api->dialect) {
    case DIALECT_ANTHROPIC: expect_anthropic(usage, u); break;
    case DIALECT_CHAT: expect_openai(usage, &chat, u); break;
    case DIALECT_RESPONSES: expect_openai(usage, &responses, u); break;
    case DIALECT_GEMINI: expect_gemini(usage, u); break;
    case DIALECT_COUNT: break;
    }
}

/* Where a message, an SDK's or the answer itself, has usage and stop reason. */
static void
expect_message(const struct example *x, rx_json m, struct expected *e)
{
    static const struct {
        const char *usage, *finish;
    } places[DIALECT_COUNT] = {
        [DIALECT_ANTHROPIC] = { "usage", "stop_reason" },
        [DIALECT_CHAT] = { "usage", "choices.0.finish_reason" },
        [DIALECT_RESPONSES] = { "usage", "status" },
        [DIALECT_GEMINI] = { "usageMetadata", "candidates.0.finishReason" },
    };
    enum dialect d = x->api->dialect;
    uint64_t n;

    if (x->api->counts) {
        bool there =
            number(m, d == DIALECT_GEMINI ? "totalTokens" : "input_tokens", &n);
        want(&e->usage, USAGE_in_uncached, there, n);
        return;
    }
    expect_usage(x, rx_json_find(m, places[d].usage), &e->usage);
    e->finish = rx_json_str(rx_json_find(m, places[d].finish));
    rx_json reason = rx_json_find(m, "incomplete_details.reason");
    if (d == DIALECT_RESPONSES && rx_json_str(reason).len > 0)
        e->finish = rx_json_str(reason);
}

static struct expected
expect(const struct example *x)
{
    struct expected e = { 0 };
    rx_json result = rx_json_find(x->sdk.root, "result");

    e.sdk_failed = rx_json_there(rx_json_find(x->sdk.root, "error"));
    if (!x->streamed) {
        expect_message(x, x->response.root, &e);
    } else if (rx_json_kind(x->response.root) == RX_JSON_ARRAY) {
        char last[24];
        snprintf(
            last, sizeof(last), "%zu", rx_json_count(x->response.root) - 1);
        expect_message(x, rx_json_find(x->response.root, last), &e);
    } else if (x->api->dialect == DIALECT_RESPONSES) {
        expect_message(x, rx_json_find(result, "final_response"), &e);
    } else {
        expect_message(x, result, &e);
        if (x->api->dialect == DIALECT_GEMINI)
            e.finish = rx_json_str(rx_json_find(result, "finishReason"));
    }
    return e;
}

static void
complain(const struct example *x, const char *how, const char *what,
    const char *wanted, const char *got)
{
    fprintf(stderr, "%s (%s): %s: want %s, got %s\n", x->fixture->name, how,
        what, wanted, got);
    check_failures++;
}

static void
compare_counter(const struct example *x, const char *how, const char *name,
    enum usage_counter i, const struct usage *w, const struct usage *g)
{
    char a[32] = "nothing";
    char b[32] = "nothing";
    bool has_w = (w->has >> i & 1) != 0;
    bool has_g = (g->has >> i & 1) != 0;

    if (has_w == has_g && w->n[i] == g->n[i])
        return;
    if (has_w)
        snprintf(a, sizeof(a), "%" PRIu64, w->n[i]);
    if (has_g)
        snprintf(b, sizeof(b), "%" PRIu64, g->n[i]);
    complain(x, how, name, a, b);
}

static void
compare(const struct example *x, const char *how, const struct usage_tap *tap,
    const struct expected *e)
{
    static const char *const names[] = {
#define USAGE_NAME(name) #name,
        USAGE_COUNTERS(USAGE_NAME)
#undef USAGE_NAME
    };
    const struct usage_seen *seen = usage_tap_seen(tap);
    struct usage got = usage_tap_result(tap, 400);
    /* Some errors were sent with status 200. */
    bool failed =
        x->status >= 400 ||
        rx_json_kind(rx_json_find(x->response.root, "error")) == RX_JSON_OBJECT;

    if (seen->unreadable)
        complain(x, how, "unreadable", "false", "true");
    if (failed && (!seen->error || got.has != 0))
        complain(x, how, "error", "a free error", "something else");
    if (x->breaks && !seen->error)
        complain(x, how, "error", "true", "false");
    /* 404 or 400 for a model that is not there: servers do not agree. */
    if (failed && seen->error_status != 0 && x->status != 200 &&
        seen->error_status != x->status &&
        !(x->status == 400 && seen->error_status == 404)) {
        char a[16];
        char b[16];
        snprintf(a, sizeof(a), "%d", x->status);
        snprintf(b, sizeof(b), "%d", seen->error_status);
        complain(x, how, "error status", a, b);
    }
    if (failed || x->breaks || e->sdk_failed)
        return;
    if (!seen->terminal)
        complain(x, how, "terminal", "true", "false");
    if (seen->error)
        complain(x, how, "error", "false", "true");
    if (e->finish.len > 0 && !rx_str_eq(e->finish, seen->finish)) {
        char a[64];
        char b[64];
        snprintf(a, sizeof(a), RX_STR_FMT, RX_STR_ARG(e->finish));
        snprintf(b, sizeof(b), RX_STR_FMT, RX_STR_ARG(seen->finish));
        complain(x, how, "finish", a, b);
    }
    if (e->usage.has == 0) {
        if (got.provenance == PROVENANCE_REPORTED)
            complain(x, how, "provenance", "not reported", "reported");
        return;
    }
    if (got.provenance != PROVENANCE_REPORTED)
        complain(
            x, how, "provenance", "reported", provenance_name(got.provenance));
    for (unsigned i = 0; i < USAGE_COUNT; i++) {
        if (i < USAGE_in_audio || i > USAGE_out_image)
            compare_counter(
                x, how, names[i], (enum usage_counter)i, &e->usage, &got);
    }
}

/* Feed in pieces of 1 to `most` bytes, drawn from `seed`. */
static void
feed(struct usage_tap *tap, rx_str bytes, size_t most, uint64_t seed)
{
    while (bytes.len > 0) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t n = most == 0 ? bytes.len : 1 + (seed >> 33) % most;
        if (n > bytes.len)
            n = bytes.len;
        /* A copy of its own: reading past the piece must not go unseen. */
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, bytes.ptr, n);
        usage_tap_feed(tap, (rx_str){ piece, n });
        free(piece);
        bytes.ptr += n;
        bytes.len -= n;
    }
}

static void
pack(rx_str in, struct rx_buf *out)
{
    z_stream z = { 0 };
    size_t size = in.len + in.len / 100 + 1024;

    rx_buf_init(out, size);
    char *room = rx_buf_room(out, size);
    if (room == NULL || deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8,
                            Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    struct rx_buf copy;
    rx_buf_init(&copy, in.len);
    rx_buf_add(&copy, in);
    z.next_in = (Bytef *)copy.ptr;
    z.avail_in = (unsigned)in.len;
    z.next_out = (Bytef *)room;
    z.avail_out = (unsigned)size;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    rx_buf_grew(out, size - z.avail_out);
    deflateEnd(&z);
    rx_buf_fini(&copy);
}

static void
run_answer(const struct example *x, const struct expected *e, const char *how,
    rx_str bytes, const char *coding, size_t most)
{
    rx_str type = x->events ? RX_S("text/event-stream; charset=utf-8")
                            : RX_S("application/json");
    struct usage_tap *tap = usage_tap_new(
        x->api->dialect, op_of(x), type, (rx_str){ coding, strlen(coding) });

    feed(tap, bytes, most, x->body.len + most);
    usage_tap_end(tap, true);
    compare(x, how, tap, e);
    usage_tap_free(tap);
}

/* Some recordings are several answers in a row. */
static bool
is_one_answer(const struct example *x)
{
    static const char end[] = "event: response.completed";
    const char *first = strstr(x->body.ptr, end);

    return first == NULL || strstr(first + 1, end) == NULL;
}

/* Half of an answer is no answer. */
static void
run_cut(const struct example *x)
{
    if (!is_one_answer(x))
        return;
    struct usage_tap *tap =
        usage_tap_new(x->api->dialect, op_of(x), RX_S(""), RX_S("identity"));

    feed(tap, (rx_str){ x->body.ptr, x->body.len / 2 }, 100, x->body.len);
    usage_tap_end(tap, false);
    struct usage got = usage_tap_result(tap, 400);
    if (usage_tap_seen(tap)->terminal)
        complain(x, "cut", "terminal", "false", "true");
    if (got.provenance == PROVENANCE_REPORTED)
        complain(x, "cut", "provenance", "partial or less", "reported");
    if (usage_tap_seen(tap)->content && !got.has)
        complain(x, "cut", "usage", "at least an estimate", "nothing");
    usage_tap_free(tap);
}

static void
check_answer(const struct example *x)
{
    struct expected e = expect(x);
    struct rx_buf packed;
    rx_str body = rx_buf_str(&x->body);

    pack(body, &packed);
    run_answer(x, &e, "whole", body, "", 0);
    run_answer(x, &e, "bytes", body, "", 1);
    run_answer(x, &e, "pieces", body, "", 700);
    run_answer(x, &e, "gzip", rx_buf_str(&packed), "gzip", 0);
    run_answer(x, &e, "gzip pieces", rx_buf_str(&packed), "gzip", 200);
    rx_buf_fini(&packed);
    run_cut(x);
    answers_run[x->api - fixture_apis]++;
}

static void
check_request(const struct example *x)
{
    static const char *const arrays[] = { "messages", "messages", "input",
        "contents" };
    enum dialect d = x->api->dialect;
    rx_json body = x->request.root;
    struct scan s;
    struct rx_err err = { 0 };

    if (rx_json_kind(body) != RX_JSON_OBJECT)
        return;
    if (scan_request(d, rx_buf_str(&x->request.text), &s, &err) != RX_OK) {
        complain(x, "request", "scan", "ok", err.text);
        return;
    }
    if (d != DIALECT_GEMINI) {
        CHECK(rx_str_eq(s.model, rx_json_str(rx_json_find(body, "model"))));
        CHECK(s.stream == rx_json_bool(rx_json_find(body, "stream")));
    }
    rx_json list = rx_json_find(body, arrays[d]);
    size_t messages =
        rx_json_kind(list) == RX_JSON_STRING ? 1 : rx_json_count(list);
    CHECK_INT((intmax_t)messages, (intmax_t)scan_count(&s, SCAN_MESSAGES));
    CHECK_INT((intmax_t)rx_json_count(rx_json_find(body, "tools")),
        (intmax_t)scan_count(&s, SCAN_TOOLS));
    requests_run[x->api - fixture_apis]++;
}

static bool
has_feature(const struct example *x, rx_str feature)
{
    rx_json v = rx_json_first(rx_json_find(x->meta.root, "features"));

    for (; rx_json_there(v); v = rx_json_next(v)) {
        if (rx_str_eq(rx_json_str(v), feature))
            return true;
    }
    return false;
}

static void
run_body(struct example *x)
{
    uint64_t status = 200;

    number(x->meta.root, "status", &status);
    x->status = (int)status;
    x->streamed = rx_json_bool(rx_json_find(x->meta.root, "streaming"));
    x->breaks = has_feature(x, RX_S("mid_stream_error"));
    x->events = fixture_load(x->fixture, "response.sse", &x->body);
    if (x->events || fixture_load(x->fixture, "response.json", &x->body))
        check_answer(x);
    check_request(x);
    rx_buf_fini(&x->body);
}

static void
run_example(const struct fixture *f)
{
    struct example x = { .fixture = f };

    fixture_read(f, "meta.json", &x.meta);
    fixture_read(f, "request.json", &x.request);
    fixture_read(f, "response.json", &x.response);
    fixture_read(f, "sdk_final.json", &x.sdk);
    size_t api = fixture_api(&x.meta);
    if (api < FIXTURE_APIS) {
        x.api = &fixture_apis[api];
        run_body(&x);
    }
    fixture_drop(&x.meta);
    fixture_drop(&x.request);
    fixture_drop(&x.response);
    fixture_drop(&x.sdk);
}

static void
every_recorded_exchange_is_read_as_its_sdk_reads_it(void)
{
    size_t answers = 0;
    size_t requests = 0;

    if (!fixtures_each(run_example))
        return;
    for (size_t i = 0; i < FIXTURE_APIS; i++) {
        printf("  %-24s %3u answers, %3u requests\n", fixture_apis[i].name.ptr,
            answers_run[i], requests_run[i]);
        CHECK(answers_run[i] > 0 && requests_run[i] > 0);
        answers += answers_run[i];
        requests += requests_run[i];
    }
    fixtures_ran("answers", answers, 500);
    fixtures_ran("requests", requests, 350);
}

int
main(void)
{
    CHECK_RUN(every_recorded_exchange_is_read_as_its_sdk_reads_it);
    return CHECK_EXIT();
}
