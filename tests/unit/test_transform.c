/*
 * dataplane/transform: every file of tests/golden/transform/<name>/ is a request
 * (and perhaps an answer) with what must become of it.
 *
 *     {"about", "dialect", "model", "stream", "operation", "use",
 *      "request", "expect",                     bodies; or "…_text" as it stands
 *      "path", "expect_path", "query", "expect_query",
 *      "head", "expect_head", "betas",          lines
 *      "events", "expect_events", "expect_hidden", "document",
 *      "expect_document", "status"}
 *
 * What is expected but not said is: no change.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/transform/repair.h"
#include "dataplane/transform/step.h"
#include "dataplane/transform/transform.h"
#include "shared/json.h"
#include "shared/transformers.h"
#include "tests/unit/check.h"

#define BIG ((size_t)16 << 20)

static uint64_t dice;
static const char *golden; /* for messages */

static uint64_t
next_dice(void *arg)
{
    (void)arg;
    return dice += 1000003;
}

static bool
read_file(const char *path, struct rx_buf *out)
{
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "rb");

    rx_buf_init(out, BIG);
    if (f == NULL)
        return false;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        rx_buf_add(out, (rx_str){ piece, n });
    fclose(f);
    return true;
}

/* ---- pieces of a golden file -------------------------------------------- */

static void
print(rx_json v, struct rx_buf *out)
{
    rx_json_print(v, false, out);
}

/* Member `name` as compact JSON, or `name`_text as it stands. */
static void
body_of(rx_json g, const char *name, struct rx_buf *out)
{
    char as_text[64];

    rx_buf_init(out, BIG);
    snprintf(as_text, sizeof(as_text), "%s_text", name);
    rx_json text = rx_json_find(g, as_text);
    rx_json value = rx_json_find(g, name);
    if (rx_json_there(text))
        rx_buf_add(out, rx_json_str(text));
    else if (rx_json_there(value))
        print(value, out);
}

static void
compare(const char *what, rx_str want, rx_str got)
{
    if (rx_str_eq(want, got))
        return;
    fprintf(stderr, "%s: %s:\n  want " RX_STR_FMT "\n  got  " RX_STR_FMT "\n",
        golden, what, RX_STR_ARG(want), RX_STR_ARG(got));
    check_failures++;
}

static void
add_event(struct rx_buf *out, rx_json v, bool named)
{
    if (named) {
        rx_buf_add(out, RX_S("event: "));
        rx_buf_add(out, rx_json_str(rx_json_find(v, "type")));
        rx_buf_addc(out, '\n');
    }
    rx_buf_add(out, RX_S("data: "));
    if (rx_json_kind(v) == RX_JSON_STRING)
        rx_buf_add(out, rx_json_str(v));
    else
        print(v, out);
    rx_buf_add(out, RX_S("\n\n"));
}

static void
stream_of(rx_json g, const char *name, bool named, struct rx_buf *out)
{
    rx_json list = rx_json_find(g, name);

    rx_buf_init(out, BIG);
    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        add_event(out, v, named);
}

/* ---- one of them -------------------------------------------------------- */

struct run {
    rx_json golden;
    struct rx_arena *arena;
    struct transform_outgoing out;
    struct rx_buf request, changed;
    struct transform_headers *headers;
    struct transform_filter *filter;
};

static const struct transform_set *
build(rx_json golden_file, struct rx_arena *arena)
{
    const struct transform_set *set = NULL;
    struct rx_buf config;
    struct rx_err err = { 0 };

    rx_buf_init(&config, BIG);
    rx_buf_add(&config, RX_S("{\"use\":"));
    print(rx_json_find(golden_file, "use"), &config);
    rx_buf_addc(&config, '}');
    if (transform_build(rx_buf_str(&config), arena, &set, &err) != RX_OK) {
        fprintf(stderr, "%s: %s\n", golden, err.text);
        check_failures++;
    }
    rx_buf_fini(&config);
    return set;
}

static rx_str
said(rx_json g, const char *name, const char *otherwise)
{
    rx_json v = rx_json_find(g, name);

    if (rx_json_kind(v) == RX_JSON_STRING)
        return rx_json_str(v);
    return (rx_str){ otherwise, strlen(otherwise) };
}

static bool
ask(struct run *r)
{
    rx_json g = r->golden;
    struct rx_err err = { 0 };
    enum dialect dialect = DIALECT_CHAT;
    rx_str model = said(g, "model", "m");

    dice = 0;
    r->arena = rx_arena_new(BIG);
    body_of(g, "request", &r->request);
    rx_buf_init(&r->changed, BIG);
    CHECK(dialect_find(said(g, "dialect", "chat"), &dialect));
    const struct transform_chain *chain =
        transform_find(build(g, r->arena), dialect, model);
    if (chain == NULL) {
        fprintf(stderr, "%s: nothing to do\n", golden);
        check_failures++;
        return false;
    }
    r->out = (struct transform_outgoing){
        .dialect = dialect,
        .op = rx_str_eq(said(g, "operation", "create"), RX_S("count"))
                  ? OP_COUNT
                  : OP_CREATE,
        .stream = rx_json_bool(rx_json_find(g, "stream")),
        .model = model,
        .betas = said(g, "betas", ""),
        .body = rx_buf_str(&r->request),
        .path = said(g, "path", "/v1/x"),
        .query = said(g, "query", ""),
        .changed = &r->changed,
        .arena = r->arena,
        .random = next_dice,
    };
    if (transform_request(chain, &r->out, &r->headers, &r->filter, &err) ==
        RX_OK)
        return true;
    fprintf(stderr, "%s: %s\n", golden, err.text);
    check_failures++;
    return false;
}

static void
finish(struct run *r)
{
    transform_filter_free(r->filter);
    rx_buf_fini(&r->request);
    rx_buf_fini(&r->changed);
    rx_arena_free(r->arena);
}

static void
lines_of(rx_json g, const char *name, struct rx_buf *out)
{
    rx_json list = rx_json_find(g, name);

    rx_buf_init(out, BIG);
    rx_buf_add(out, RX_S("POST /x HTTP/1.1\r\n"));
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_buf_add(out, rx_json_str(v));
        rx_buf_add(out, RX_S("\r\n"));
    }
    rx_buf_add(out, RX_S("\r\n"));
}

static void
check_head(struct run *r)
{
    struct rx_buf head;
    struct rx_buf want;

    if (!rx_json_there(rx_json_find(r->golden, "expect_head")))
        return;
    lines_of(r->golden, "head", &head);
    lines_of(r->golden, "expect_head", &want);
    if (r->headers != NULL)
        transform_head(r->headers, &head);
    compare("head", rx_buf_str(&want), rx_buf_str(&head));
    rx_buf_fini(&head);
    rx_buf_fini(&want);
}

static void
check_request(struct run *r)
{
    struct rx_buf want;
    rx_json g = r->golden;
    bool unsaid = !rx_json_there(rx_json_find(g, "expect")) &&
                  !rx_json_there(rx_json_find(g, "expect_text"));

    body_of(g, unsaid ? "request" : "expect", &want);
    compare("request", rx_buf_str(&want), r->out.body);
    rx_buf_fini(&want);
    compare("path", said(g, "expect_path", said(g, "path", "/v1/x").ptr),
        r->out.path);
    compare("query", said(g, "expect_query", said(g, "query", "").ptr),
        r->out.query);
    check_head(r);
}

/* The answer, fed in pieces of so many bytes. */
static void
answer(struct run *r, rx_str in, const char *type, size_t piece,
    struct rx_buf *shown, struct rx_buf *hidden)
{
    struct transform_bytes out;
    rx_json status = rx_json_find(r->golden, "status");

    rx_buf_init(shown, BIG);
    rx_buf_init(hidden, BIG);
    if (r->filter == NULL ||
        !transform_filter_begin(r->filter,
            rx_json_there(status) ? (int)rx_json_number(status) : 200,
            (rx_str){ type, strlen(type) }, RX_S(""))) {
        rx_buf_add(shown, in);
        return;
    }
    for (size_t at = 0; at < in.len; at += piece) {
        size_t n = in.len - at < piece ? in.len - at : piece;
        CHECK_INT(RX_OK,
            transform_filter_feed(r->filter, (rx_str){ in.ptr + at, n }, &out));
        rx_buf_add(shown, out.shown);
        rx_buf_add(hidden, out.hidden);
    }
    transform_filter_end(r->filter, true, &out);
    rx_buf_add(shown, out.shown);
    rx_buf_add(hidden, out.hidden);
}

static void
check_answer(rx_json g, const char *in_name, const char *type, size_t piece)
{
    struct run r = { .golden = g };
    struct rx_buf in, want, want_hidden, shown, hidden;
    bool events = strcmp(in_name, "events") == 0;
    bool named = rx_str_eq(said(g, "dialect", "chat"), RX_S("anthropic"));
    char name[32];

    snprintf(name, sizeof(name), "expect_%s", in_name);
    if (!rx_json_there(rx_json_find(g, in_name)) || !ask(&r))
        return;
    const char *expected =
        rx_json_there(rx_json_find(g, name)) ? name : in_name;
    if (events) {
        stream_of(g, in_name, named, &in);
        stream_of(g, expected, named, &want);
    } else {
        body_of(g, in_name, &in);
        body_of(g, expected, &want);
    }
    stream_of(g, "expect_hidden", named, &want_hidden);
    answer(&r, rx_buf_str(&in), type, piece, &shown, &hidden);
    compare(in_name, rx_buf_str(&want), rx_buf_str(&shown));
    compare("hidden", rx_buf_str(&want_hidden), rx_buf_str(&hidden));
    rx_buf_fini(&in);
    rx_buf_fini(&want);
    rx_buf_fini(&want_hidden);
    rx_buf_fini(&shown);
    rx_buf_fini(&hidden);
    finish(&r);
}

static void
check_golden(const char *path)
{
    struct rx_buf text;
    struct rx_json_doc *doc = NULL;
    struct rx_err err = { 0 };

    golden = path;
    CHECK(read_file(path, &text));
    if (rx_json_parse(&doc, rx_buf_str(&text), NULL, &err) != RX_OK) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        check_failures++;
        rx_buf_fini(&text);
        return;
    }
    struct run r = { .golden = rx_json_root(doc) };
    if (ask(&r)) {
        check_request(&r);
        finish(&r);
    }
    for (size_t piece = 1; piece < BIG; piece = piece * 7 + piece / 2) {
        check_answer(r.golden, "events", "text/event-stream", piece);
        check_answer(r.golden, "document", "application/json", piece);
    }
    rx_json_free(doc);
    rx_buf_fini(&text);
}

static int
check_folder(const char *name)
{
    char path[512];
    int files = 0;

    snprintf(path, sizeof(path), "%s/tests/golden/transform/%s",
        ROUTEX_SOURCE_DIR, name);
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char file[800];
        if (strstr(e->d_name, ".json") == NULL)
            continue;
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        check_golden(file);
        files++;
    }
    if (d != NULL)
        closedir(d);
    return files;
}

static void
every_transformer_does_what_its_golden_files_say(void)
{
    for (const struct rx_transformer *t = rx_transformers; t->name != NULL;
         t++) {
        int files = check_folder(t->name);
        if (files == 0)
            fprintf(stderr, "%s has no golden file\n", t->name);
        CHECK(files > 0);
    }
}

static void
steps_run_in_order_and_answers_in_reverse(void)
{
    CHECK(check_folder("chain") > 0);
}

/* ---- the registry ------------------------------------------------------- */

static void
what_can_be_saved_can_be_built(void)
{
    for (const struct rx_transformer *t = rx_transformers; t->name != NULL;
         t++) {
        const struct step_kind *found = NULL;
        for (const struct step_kind *const *k = step_kinds; *k != NULL; k++)
            if (strcmp((*k)->name, t->name) == 0)
                found = *k;
        CHECK(found != NULL);
        if (found == NULL)
            continue;
        CHECK_INT(t->request, found->request != NULL);
        CHECK_INT(t->response, found->event != NULL);
        CHECK((found->event == NULL) == (found->document == NULL));
        CHECK_INT(t->options != NULL || t->open, found->configure != NULL);
    }
}

static void
refuse(const char *config, const char *words)
{
    struct rx_arena *arena = rx_arena_new(BIG);
    const struct transform_set *set;
    struct rx_err err = { 0 };

    CHECK_INT(RX_INVALID,
        transform_build((rx_str){ config, strlen(config) }, arena, &set, &err));
    if (strstr(err.text, words) == NULL)
        CHECK_TEXT(words, err.text);
    rx_arena_free(arena);
}

static void
what_is_no_configuration_is_refused_by_name(void)
{
    refuse("{\"use\":[\"nosuch\"]}", "use[0] is not a known transformer");
    refuse("{\"use\":[\"groq\",[\"maxtoken\",{\"max_tokens\":1,\"x\":2}]]}",
        "use[1][1].x");
    refuse("{\"use\":[[\"maxtoken\",{\"max_tokens\":\"8\"}]]}",
        "use[0][1].max_tokens must be a number");
    refuse("{\"use\":[[\"maxtoken\",{\"max_tokens\":0}]]}",
        "use[0][1].max_tokens must be 1 to");
    refuse("{\"use\":[[\"maxtoken\",{\"max_tokens\":1.5}]]}",
        "use[0][1].max_tokens must be a whole number");
    refuse("{\"use\":[\"maxtoken\"]}", "needs the option \"max_tokens\"");
    refuse("{\"use\":[[\"groq\",{\"a\":1}]]}", "use[0][1].a");
    refuse("{\"use\":[[\"maxtoken\",{\"max_tokens\":1},3]]}", "use[0] must be");
    refuse("{\"use\":[7]}", "use[0] must be");
    refuse("{\"use\":{}}", "use must be an array");
    refuse("{\"m\":{\"use\":[\"nosuch\"]}}", "m.use[0]");
    refuse("{\"m\":{\"uses\":[]}}", "m");
    refuse("{\"m\":[]}", "m must be an object");
    refuse("[]", "must be an object");
    refuse("{\"use\":[[\"headers\",{\"set\":{\"x-api-key\":\"k\"}}]]}",
        "is set by Routex itself");
    refuse("{\"use\":[[\"headers\",{\"remove\":[\"a b\"]}]]}", "remove[0]");
    refuse("{\"use\":[[\"paramoverride\",{\"delete\":[\"a..b\"]}]]}",
        "delete[0] is not a path");
    refuse("{\"use\":[[\"paramoverride\",{\"when\":{\"a\":{\"like\":1}}}]]}",
        "like");
    refuse("{\"use\":[[\"sampling\",{\"drop\":[\"tools\"]}]]}", "drop[0]");
    refuse("{\"use\":[\"systemprompt\"]}", "prepend");
    refuse("{\"use\":[[\"vertex\",{\"project\":\"a/b\"}]]}", "project");
}

static void
a_model_may_have_steps_of_its_own(void)
{
    static const char config[] =
        "{\"use\":[\"groq\"],\"big-*\":{\"use\":[\"cleancache\"]}}";
    struct rx_arena *arena = rx_arena_new(BIG);
    const struct transform_set *set;
    struct rx_err err = { 0 };
    struct rx_buf names;

    CHECK_INT(RX_OK, transform_build((rx_str){ config, sizeof(config) - 1 },
                         arena, &set, &err));
    rx_buf_init(&names, 1000);
    transform_names(transform_find(set, DIALECT_CHAT, RX_S("big-1")), &names);
    CHECK_TEXT("groq,cleancache", names.ptr);
    rx_buf_clear(&names);
    transform_names(transform_find(set, DIALECT_CHAT, RX_S("big")), &names);
    CHECK_TEXT("groq", names.ptr);
    rx_buf_clear(&names);
    transform_names(
        transform_find(set, DIALECT_ANTHROPIC, RX_S("big-1")), &names);
    CHECK_TEXT("cleancache", names.ptr);
    CHECK(transform_find(set, DIALECT_ANTHROPIC, RX_S("x")) == NULL);
    CHECK(transform_find(NULL, DIALECT_CHAT, RX_S("x")) == NULL);
    rx_buf_fini(&names);
    rx_arena_free(arena);
}

static void
nothing_to_do_builds_nothing(void)
{
    struct rx_arena *arena = rx_arena_new(BIG);
    const struct transform_set *set;
    struct rx_err err = { 0 };
    static const char *const none[] = { "", "{}", "{\"use\":[]}",
        "{\"m\":{\"use\":[]}}" };

    for (size_t i = 0; i < RX_COUNT(none); i++) {
        CHECK_INT(RX_OK, transform_build((rx_str){ none[i], strlen(none[i]) },
                             arena, &set, &err));
        CHECK(set == NULL);
    }
    rx_arena_free(arena);
}

/* ---- answers that are none of our business ------------------------------ */

static void
errors_and_downloads_pass_as_they_are(void)
{
    struct rx_json_doc *doc = NULL;
    CHECK_INT(RX_OK,
        rx_json_parse(&doc, RX_S("{\"use\":[\"reasoning\"],\"request\":{}}"),
            NULL, NULL));
    struct run r = { .golden = rx_json_root(doc) };

    golden = "errors";
    CHECK(ask(&r));
    CHECK(r.filter != NULL);
    CHECK(!transform_filter_begin(
        r.filter, 429, RX_S("application/json"), RX_S("")));
    CHECK(!transform_filter_begin(r.filter, 200, RX_S("audio/mpeg"), RX_S("")));
    CHECK(!transform_filter_begin(
        r.filter, 200, RX_S("application/json"), RX_S("lzma")));
    finish(&r);
    rx_json_free(doc);
}

/* ---- repair ------------------------------------------------------------- */

static void
repaired(const char *text, const char *want)
{
    struct rx_buf out;

    rx_buf_init(&out, BIG);
    bool good = repair_object((rx_str){ text, strlen(text) }, &out);
    CHECK_TEXT(want, good ? out.ptr : "");
    if (good)
        CHECK_INT(RX_OK, rx_json_check(rx_buf_str(&out), NULL, NULL));
    rx_buf_fini(&out);
}

static void
broken_arguments_read_as_they_were_meant(void)
{
    repaired("{\"a\":1,}", "{\"a\":1}");
    repaired("{'a':'it''s','b':None}", "{\"a\":\"it''s\",\"b\":null}");
    repaired("{a: true, b: [1 2,], c: hello world}",
        "{\"a\":true,\"b\":[\"1 2\"],\"c\":\"hello world\"}");
    repaired("{\"a\":\"x\ny\",\"b\":\"c:\\dir\"}",
        "{\"a\":\"x\\ny\",\"b\":\"c:\\\\dir\"}");
    repaired("{\"a\":\"say \"hi\" now\"}", "{\"a\":\"say \\\"hi\\\" now\"}");
    repaired("{\"a\":{\"b\":[1,2", "{\"a\":{\"b\":[1,2]}}");
    repaired("```json\n{\"a\":1}\n```", "{\"a\":1}");
    repaired("{\"a\":1} trailing", "{\"a\":1}");
    repaired("{\"a\": /* c */ 1, // d\n \"b\":.5}", "{\"a\":1,\"b\":\".5\"}");
    repaired("{\"a\":", "{\"a\":null}");
    repaired("{\"a\":\"b", "{\"a\":\"b\"}");
    repaired("{a:1]}", "{\"a\":1}");
    repaired("no object", "");
    repaired("", "");
}

int
main(void)
{
    CHECK_RUN(what_can_be_saved_can_be_built);
    CHECK_RUN(what_is_no_configuration_is_refused_by_name);
    CHECK_RUN(a_model_may_have_steps_of_its_own);
    CHECK_RUN(nothing_to_do_builds_nothing);
    CHECK_RUN(every_transformer_does_what_its_golden_files_say);
    CHECK_RUN(steps_run_in_order_and_answers_in_reverse);
    CHECK_RUN(errors_and_downloads_pass_as_they_are);
    CHECK_RUN(broken_arguments_read_as_they_were_meant);
    return CHECK_EXIT();
}
