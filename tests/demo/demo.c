/*
 * demo.c - from a request to the script of its reply.
 *
 *   path ─> words in it ─> route ─> recipe ─> question ─> answer ─> script
 *                                                           play <────┘
 *
 * What a request asks for is decided from its bytes alone.  The one thing that
 * is remembered between requests is how often `flaky` ones have come.
 */
#include "tests/demo/demo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/arena.h"
#include "shared/log.h"
#include "shared/map.h"
#include "tests/demo/bench.h"
#include "tests/demo/fault.h"
#include "tests/demo/journal.h"
#include "tests/demo/play.h"
#include "tests/demo/replay.h"
#include "tests/demo/route.h"

#define ARENA_MAX ((size_t)128 << 20)
#define BODY_MAX  ((uint64_t)256 << 20)

struct demo {
    const struct demo_options *options;
    struct rx_loop *loop;
    struct rx_httpd *httpd;
    struct recipe always;
    struct replay *replay;
    struct journal journal;
    struct bench bench;
    struct rx_map *flaky; /* id -> struct count */
    uint64_t requests;
    uint64_t open;
    uint64_t left; /* clients that went away before the end */
};

struct count {
    uint64_t seen;
};

/* One request under way.  Its play is the request's user until on_close. */
struct exchange {
    struct play play;
    struct demo *demo;
    struct rx_httpd_req *req;
    struct rx_arena *arena;
    uint64_t seq;
    struct recipe recipe;
    struct script script;
};

/* ---- which recipe ---- */

/* What the path says before the endpoint: /with/<words>/ and /case/<id>/. */
struct prefix {
    rx_str path; /* the rest, as the provider knows it */
    rx_str case_id;
};

static bool
take_prefix(rx_str *path, rx_str name, rx_str *value)
{
    rx_str rest;

    if (!rx_str_starts(*path, name))
        return false;
    rest = (rx_str){ path->ptr + name.len, path->len - name.len };
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] == '/') {
            *value = (rx_str){ rest.ptr, i };
            *path = (rx_str){ rest.ptr + i, rest.len - i };
            return true;
        }
    }
    return false;
}

static enum rx_code
read_prefix(
    struct prefix *p, struct recipe *recipe, rx_str path, struct rx_err *err)
{
    rx_str words;

    *p = (struct prefix){ .path = path };
    for (;;) {
        if (take_prefix(&p->path, RX_S("/with/"), &words)) {
            enum rx_code code = recipe_parse(recipe, words, '+', err);

            if (code != RX_OK)
                return code;
        } else if (!take_prefix(&p->path, RX_S("/case/"), &p->case_id)) {
            return RX_OK;
        }
    }
}

static enum rx_code
read_recipe(struct recipe *recipe, const struct question *q,
    const struct rx_httpd_head *head, struct rx_err *err)
{
    rx_str header = rx_httpd_header(head, RX_S("x-demo"));
    enum rx_code code;

    (void)recipe_from_model(recipe, q->model);
    code = recipe_parse(recipe, header, ' ', err);
    return code == RX_OK ? recipe_from_text(recipe, q->user_turn, err) : code;
}

/* Is this one of the first `flaky` requests of its id? */
static bool
is_flaky(struct demo *d, const struct recipe *r, const struct question *q)
{
    char digest[24];
    const char *id = r->id;
    struct count *c;
    rx_str key;

    if (!recipe_on(r->flaky))
        return false;
    if (id[0] == '\0') {
        snprintf(digest, sizeof(digest), "%016" PRIx64, q->digest);
        id = digest;
    }
    key = (rx_str){ id, strlen(id) };
    c = rx_map_get(d->flaky, key);
    if (c == NULL) {
        c = calloc(1, sizeof(*c));
        if (c == NULL)
            abort();
        rx_map_put(d->flaky, key, c);
    }
    return ++c->seen <= r->flaky;
}

/* ---- the reply ---- */

static bool
may_enter(const struct demo *d, const struct rx_httpd_head *head)
{
    static const char *const names[] = { "x-api-key", "x-goog-api-key",
        "authorization" };
    static const rx_str bearer = RX_STR_INIT("Bearer ");
    const char *key = d->options->require_key;

    if (key == NULL)
        return true;
    for (size_t i = 0; i < RX_COUNT(names); i++) {
        rx_str given =
            rx_httpd_header(head, (rx_str){ names[i], strlen(names[i]) });

        if (rx_str_starts(given, bearer))
            given = (rx_str){ given.ptr + bearer.len, given.len - bearer.len };
        if (rx_str_eq(given, (rx_str){ key, strlen(key) }))
            return true;
    }
    return false;
}

static void
write_stats(struct demo *d, struct script *s)
{
    script_json(s, 200);
    rx_buf_addf(&s->body,
        "{\"requests\":%" PRIu64 ",\"open\":%" PRIu64
        ",\"client_left\":%" PRIu64 "}",
        d->requests, d->open - 1, d->left); // without this one
}

static void
answer_model(struct exchange *x, const struct question *q)
{
    static void (*const writers[])(
        struct script * s, const struct question *q, const struct answer *a) = {
        [DEMO_ANTHROPIC] = script_anthropic,
        [DEMO_CHAT] = script_chat,
        [DEMO_RESPONSES] = script_responses,
        [DEMO_GEMINI] = script_gemini,
    };
    struct answer a;

    answer_make(&a, q, &x->recipe, x->arena);
    writers[q->dialect](&x->script, q, &a);
}

static void
answer_small(
    struct exchange *x, const struct route *route, const struct question *q)
{
    struct answer a;
    struct small small = { .s = &x->script, .q = q, .a = &a };

    answer_make(&a, q, &x->recipe, x->arena);
    small.body = rx_httpd_body(x->req);
    small.rest = route->rest;
    route->small(&small);
}

static void
add_extra_headers(struct exchange *x)
{
    struct script *s = &x->script;

    for (size_t i = 0; i < RX_COUNT(x->recipe.headers); i++) {
        if (x->recipe.headers[i][0] != '\0')
            rx_buf_addf(&s->headers, "%s\r\n", x->recipe.headers[i]);
    }
}

/* What real providers call a request: each dialect has its header. */
static void
add_request_id(struct exchange *x, const struct question *q)
{
    rx_buf_addf(&x->script.headers, "%s: req_%016" PRIx64 "\r\n",
        q->dialect == DEMO_ANTHROPIC ? "request-id" : "x-request-id",
        q->digest);
}

static void
answer_route(struct exchange *x, const struct route *route)
{
    const struct rx_httpd_head *head = rx_httpd_head(x->req);
    rx_str body = rx_httpd_body(x->req);
    struct rx_err err = { 0 };
    struct question q;
    bool object = question_read(&q, route->dialect, route->model, body);
    bool failing;

    q.sse = head->query.len > 0 &&
            memmem(head->query.ptr, head->query.len, "alt=sse", 7) != NULL;
    q.stream |= route->stream;
    if (read_recipe(&x->recipe, &q, head, &err) != RX_OK) {
        fault_reply(&x->script, route->dialect, 400, "", err.text);
        return;
    }
    failing = x->recipe.status != RECIPE_NEVER && x->recipe.status >= 300;
    if (recipe_on(x->recipe.flaky)) {
        bool now = is_flaky(x->demo, &x->recipe, &q);

        if (now && !failing)
            x->recipe.status = 503;
        failing = now;
    }
    add_request_id(x, &q);
    if (failing)
        fault_by_recipe(&x->script, route->dialect, &x->recipe);
    else if (route->small != NULL)
        answer_small(x, route, &q);
    else if (!object)
        fault_reply(&x->script, route->dialect, 400, "",
            "the body is not a JSON object");
    else
        answer_model(x, &q);
    add_extra_headers(x);
    fault_apply(&x->script, route->dialect, &x->recipe);
}

static void
answer_case(struct exchange *x, rx_str id)
{
    const struct rx_httpd_head *head = rx_httpd_head(x->req);
    struct rx_err err = { 0 };
    enum rx_code code;

    code = recipe_parse(
        &x->recipe, rx_httpd_header(head, RX_S("x-demo")), ' ', &err);
    if (code == RX_OK && x->demo->replay == NULL)
        code = rx_fail(&err, RX_NOT_FOUND, "nothing to replay: use --replay");
    if (code == RX_OK)
        code = replay_case(x->demo->replay, id, &x->script, &err);
    if (code != RX_OK)
        fault_reply(&x->script, DEMO_CHAT, rx_code_http(code), "", err.text);
    fault_apply(&x->script, DEMO_CHAT, &x->recipe);
}

static void
choose(struct exchange *x)
{
    const struct rx_httpd_head *head = rx_httpd_head(x->req);
    struct rx_err err = { 0 };
    struct prefix prefix;
    struct route route;

    if (read_prefix(&prefix, &x->recipe, head->path, &err) != RX_OK) {
        fault_reply(&x->script, DEMO_CHAT, 400, "", err.text);
        return;
    }
    if (prefix.case_id.len == 0)
        prefix.case_id = rx_httpd_header(head, RX_S("x-demo-case"));
    if (rx_str_eq(prefix.path, RX_S("/demo/stats")))
        write_stats(x->demo, &x->script);
    else if (prefix.case_id.len > 0)
        answer_case(x, prefix.case_id);
    else if (!route_find(&route, head, prefix.path))
        fault_reply(&x->script, route.dialect, route.upgrade ? 426 : 404, "",
            "no such endpoint");
    else if (route.upgrade)
        fault_reply(&x->script, route.dialect, 426, "", "HTTP only");
    else if (!may_enter(x->demo, head))
        fault_reply(&x->script, route.dialect, 401, "", "");
    else
        answer_route(x, &route);
}

/* ---- the server ---- */

static void
on_request(void *arg, struct rx_httpd_req *req)
{
    (void)arg;
    (void)req;
}

static void
on_body(void *arg, struct rx_httpd_req *req)
{
    struct demo *d = arg;
    struct exchange *x;

    d->requests++;
    if (d->options->bench && bench_answer(&d->bench, req))
        return;
    x = calloc(1, sizeof(*x));
    if (x == NULL)
        abort();
    x->demo = d;
    x->req = req;
    x->seq = d->requests;
    x->arena = rx_arena_new(ARENA_MAX);
    x->recipe = d->always;
    script_init(&x->script);
    rx_httpd_set_user(req, &x->play);
    d->open++;
    journal_request(&d->journal, x->seq, req);
    choose(x);
    rx_httpd_drop_body(req);
    play_start(&x->play, d->loop, req, &x->script, &x->recipe);
}

static void
on_drain(void *arg, struct rx_httpd_req *req)
{
    (void)arg;
    play_drained(rx_httpd_user(req));
}

static void
end_exchange(struct demo *d, struct exchange *x, enum rx_code how)
{
    struct play *p = &x->play;

    d->open--;
    d->left += how == RX_CANCELLED;
    journal_end(&d->journal, x->seq, how, x->script.status,
        p->whole && p->started ? x->script.body.len : p->at);
    play_fini(p);
    script_fini(&x->script);
    rx_arena_free(x->arena);
    free(x);
}

static void
on_close(void *arg, struct rx_httpd_req *req, enum rx_code how)
{
    struct demo *d = arg;
    struct play *p = rx_httpd_user(req);

    if (p == NULL)
        return;
    if (bench_owns(&d->bench, p))
        bench_end(p);
    else
        end_exchange(d, RX_LIST_ITEM(p, struct exchange, play), how);
}

static const struct rx_httpd_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_drain = on_drain,
    .on_close = on_close,
};

static enum rx_code
prepare(struct demo *d, struct rx_err *err)
{
    const struct demo_options *o = d->options;
    enum rx_code code = RX_OK;

    recipe_init(&d->always);
    journal_init(&d->journal);
    d->flaky = rx_map_new();
    bench_init(&d->bench, d->loop);
    if (o->replay_dir != NULL)
        d->replay = replay_new(o->replay_dir);
    if (o->always != NULL)
        code = recipe_parse(
            &d->always, (rx_str){ o->always, strlen(o->always) }, ' ', err);
    if (code == RX_OK && o->log_path != NULL)
        code = journal_open(&d->journal, o->log_path, err);
    return code;
}

enum rx_code
demo_open(struct demo **out, struct rx_loop *loop,
    const struct demo_options *options, struct rx_err *err)
{
    struct rx_httpd_options server = {
        .host = options->host,
        .port = options->port,
        .reuse_port = options->reuse_port,
        .server_name = "demo",
        .max_body = BODY_MAX,
    };
    struct demo *d = calloc(1, sizeof(*d));
    enum rx_code code;

    if (d == NULL)
        abort();
    d->options = options;
    d->loop = loop;
    code = prepare(d, err);
    if (code == RX_OK)
        code = rx_httpd_open(&d->httpd, loop, &server, &handler, d, err);
    if (code != RX_OK) {
        demo_close(d);
        return code;
    }
    *out = d;
    return RX_OK;
}

void
demo_close(struct demo *d)
{
    if (d->httpd != NULL)
        rx_httpd_close(d->httpd);
    journal_close(&d->journal);
    replay_free(d->replay);
    bench_fini(&d->bench);
    rx_map_free(d->flaky, free);
    free(d);
}

uint16_t
demo_port(const struct demo *d)
{
    return rx_httpd_port(d->httpd);
}

void
demo_drain(struct demo *d, void (*fn)(void *arg), void *arg)
{
    rx_httpd_drain(d->httpd, fn, arg);
}
