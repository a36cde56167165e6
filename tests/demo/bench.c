#include "tests/demo/bench.h"

#include <stdlib.h>
#include <string.h>

#include "shared/arena.h"
#include "tests/demo/route.h"

static void (*const writers[BENCH_DIALECTS])(
    struct script *s, const struct question *q, const struct answer *a) = {
    [DEMO_ANTHROPIC] = script_anthropic,
    [DEMO_CHAT] = script_chat,
    [DEMO_RESPONSES] = script_responses,
    [DEMO_GEMINI] = script_gemini,
};

static void
prepare(struct script *s, enum demo_dialect dialect, bool stream)
{
    struct rx_arena *arena = rx_arena_new(1 << 20);
    struct question q;
    struct answer a;
    struct recipe r;

    recipe_init(&r);
    (void)recipe_parse(&r,
        stream ? RX_S("events=64 input=100 output=64")
               : RX_S("text=ok input=100 output=1"),
        ' ', NULL);
    (void)question_read(&q, dialect, RX_S("bench"), RX_S("{}"));
    q.stream = stream;
    q.sse = q.include_usage = true;
    answer_make(&a, &q, &r, arena);
    script_init(s);
    writers[dialect](s, &q, &a);
    rx_arena_free(arena);
}

void
bench_init(struct bench *b, struct rx_loop *loop)
{
    b->loop = loop;
    recipe_init(&b->paced);
    b->paced.event_delay_ms = 20;
    for (unsigned i = 0; i < BENCH_DIALECTS; i++) {
        prepare(&b->whole[i], (enum demo_dialect)i, false);
        prepare(&b->stream[i], (enum demo_dialect)i, true);
    }
}

void
bench_fini(struct bench *b)
{
    for (unsigned i = 0; i < BENCH_DIALECTS; i++) {
        script_fini(&b->whole[i]);
        script_fini(&b->stream[i]);
    }
}

/* Looked for at both ends of the body, where clients put it. */
static bool
wants_stream(rx_str body)
{
    static const char word[] = "\"stream\":true";
    static const char spaced[] = "\"stream\": true";
    size_t n = body.len < 512 ? body.len : 512;
    const char *tail = body.ptr + body.len - n;

    if (body.len == 0)
        return false;
    return memmem(body.ptr, n, word, sizeof(word) - 1) != NULL ||
           memmem(tail, n, word, sizeof(word) - 1) != NULL ||
           memmem(body.ptr, n, spaced, sizeof(spaced) - 1) != NULL ||
           memmem(tail, n, spaced, sizeof(spaced) - 1) != NULL;
}

bool
bench_answer(struct bench *b, struct rx_httpd_req *req)
{
    const struct rx_httpd_head *head = rx_httpd_head(req);
    const struct script *s;
    struct route route;
    struct play *p;

    if (!route_find(&route, head, head->path) || route.small != NULL)
        return false;
    if (!route.stream && !wants_stream(rx_httpd_body(req))) {
        s = &b->whole[route.dialect];
        rx_httpd_reply(req, 200, rx_buf_str(&s->headers), rx_buf_str(&s->body));
        return true;
    }
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        abort();
    rx_httpd_set_user(req, p);
    rx_httpd_drop_body(req);
    play_start(p, b->loop, req, &b->stream[route.dialect], &b->paced);
    return true;
}

bool
bench_owns(const struct bench *b, const struct play *p)
{
    return p->script >= b->stream && p->script < b->stream + BENCH_DIALECTS;
}

void
bench_end(struct play *p)
{
    play_fini(p);
    free(p);
}
