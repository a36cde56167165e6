#include "dataplane/codec/gemini_grounding.h"

#include <string.h>

#include "dataplane/codec/put.h"
#include "dataplane/codec/walk.h"

#define GROUNDING_MAX ((size_t)4 * 1024 * 1024)

/* --- written ---------------------------------------------------------------------- */

void
gemini_grounding_init(struct gemini_grounding *g)
{
    rx_buf_init(&g->queries, GROUNDING_MAX);
    rx_buf_init(&g->chunks, GROUNDING_MAX);
    rx_buf_init(&g->supports, GROUNDING_MAX);
    rx_buf_init(&g->pages, GROUNDING_MAX);
    rx_buf_init(&g->urls, GROUNDING_MAX);
}

void
gemini_grounding_fini(struct gemini_grounding *g)
{
    rx_buf_fini(&g->queries);
    rx_buf_fini(&g->chunks);
    rx_buf_fini(&g->supports);
    rx_buf_fini(&g->pages);
    rx_buf_fini(&g->urls);
}

/* The element of groundingChunks for a page: each is named once. */
static uint64_t
chunk_of(struct gemini_grounding *g, rx_str url, rx_str title)
{
    rx_str rest = rx_buf_str(&g->urls);
    rx_str known;
    uint64_t n = 0;

    for (; rest.len > 0 && rx_str_cut(rest, '\0', &known, &rest); n++) {
        if (rx_str_eq(known, url))
            return n;
    }
    rx_buf_add(&g->urls, url);
    rx_buf_addc(&g->urls, '\0');
    struct rx_buf *b = &g->chunks;
    put_open(b, '{');
    put_member_open(b, "web", '{');
    put_member(b, "uri", url);
    put_member_if(b, "title", title);
    put_close(b, '}');
    put_close(b, '}');
    return n;
}

static void
add_page(struct rx_buf *b, const struct ir_lookup *l)
{
    put_open(b, '{');
    put_member(b, "retrievedUrl", l->what);
    put_member_word(b, "urlRetrievalStatus",
        l->failed ? "URL_RETRIEVAL_STATUS_ERROR"
                  : "URL_RETRIEVAL_STATUS_SUCCESS");
    put_close(b, '}');
}

void
gemini_grounding_lookup(struct gemini_grounding *g, const struct ir_lookup *l)
{
    if (l->kind == IR_LOOKUP_PAGE) {
        add_page(&g->pages, l);
        return;
    }
    if (l->what.len > 0)
        put_text(&g->queries, l->what);
    for (const struct ir_page *s = l->sources; s != NULL; s = s->next)
        chunk_of(g, s->url, s->title);
}

void
gemini_grounding_cite(struct gemini_grounding *g, const struct ir_citation *c)
{
    struct rx_buf *b = &g->supports;

    uint64_t chunk = chunk_of(g, c->url, c->title);
    put_open(b, '{');
    put_member_open(b, "segment", '{');
    put_member_u64(
        b, "startIndex", c->before_bytes + (uint64_t)c->start_byte.n);
    put_member_u64(b, "endIndex", c->before_bytes + (uint64_t)c->end_byte.n);
    put_close(b, '}');
    put_member_open(b, "groundingChunkIndices", '[');
    put_u64(b, chunk);
    put_close(b, ']');
    put_close(b, '}');
}

static void
put_list(struct rx_buf *b, const char *name, const struct rx_buf *elements)
{
    if (elements->len == 0 || elements->full)
        return;
    put_member_open(b, name, '[');
    rx_buf_add(b, rx_buf_str(elements));
    put_close(b, ']');
}

void
gemini_grounding_put(const struct gemini_grounding *g, struct rx_buf *b)
{
    bool indexed = !g->chunks.full && !g->urls.full;

    if (g->queries.len > 0 || g->chunks.len > 0) {
        put_member_open(b, "groundingMetadata", '{');
        put_list(b, "webSearchQueries", &g->queries);
        put_list(b, "groundingChunks", &g->chunks);
        if (indexed)
            put_list(b, "groundingSupports", &g->supports);
        put_close(b, '}');
    }
    if (g->pages.len > 0) {
        put_member_open(b, "urlContextMetadata", '{');
        put_list(b, "urlMetadata", &g->pages);
        put_close(b, '}');
    }
}

/* --- probabilities ---------------------------------------------------------------- */

struct likely {
    rx_str token, logprob, top;
};
static const struct walk_row openai_rows[] = {
    WALK_ROW(TEXT, likely, "token", token),
    WALK_ROW(NUMBER, likely, "logprob", logprob),
    WALK_ROW(RAW, likely, "top_logprobs", top),
};
static const struct walk_row gemini_rows[] = {
    WALK_ROW(TEXT, likely, "token", token),
    WALK_ROW(NUMBER, likely, "logProbability", logprob),
    WALK_ROW(RAW, likely, "candidates", top),
};

static void
put_likely(struct rx_buf *b, rx_str value)
{
    struct likely l = { 0 };

    WALK_VALUE(value, openai_rows, &l);
    put_open(b, '{');
    put_member(b, "token", l.token);
    put_member_raw_if(b, "logProbability", l.logprob);
    put_close(b, '}');
}

static void
put_each(struct rx_buf *b, rx_str list)
{
    struct rx_span j;
    rx_str one;

    for (bool is = walk_array(&j, list); is && walk_next(&j, &one);)
        put_likely(b, one);
}

void
gemini_put_logprobs(struct rx_buf *b, rx_str list)
{
    struct rx_span j;
    rx_str one;

    if (list.len == 0)
        return;
    put_member_open(b, "logprobsResult", '{');
    put_member_open(b, "topCandidates", '[');
    for (bool is = walk_array(&j, list); is && walk_next(&j, &one);) {
        struct likely l = { 0 };
        WALK_VALUE(one, openai_rows, &l);
        put_open(b, '{');
        put_member_open(b, "candidates", '[');
        if (l.top.len > 0)
            put_each(b, l.top);
        put_close(b, ']');
        put_close(b, '}');
    }
    put_close(b, ']');
    put_member_open(b, "chosenCandidates", '[');
    put_each(b, list);
    put_close(b, ']');
    put_close(b, '}');
}

/* OpenAI tells the token's bytes, too. */
static void
put_openai(struct rx_buf *b, const struct likely *l, rx_str top)
{
    struct rx_buf plain;
    struct rx_span j;
    rx_str one;

    rx_buf_init(&plain, l->token.len + 1);
    rx_span_unescape(l->token, &plain);
    put_open(b, '{');
    put_member(b, "token", l->token);
    put_member_raw(
        b, "logprob", l->logprob.len > 0 ? l->logprob : RX_S("-9999.0"));
    put_member_open(b, "bytes", '[');
    for (size_t i = 0; i < plain.len; i++)
        put_u64(b, (unsigned char)plain.ptr[i]);
    put_close(b, ']');
    if (top.ptr != NULL) {
        put_member_open(b, "top_logprobs", '[');
        for (bool is = top.len > 0 && walk_array(&j, top);
             is && walk_next(&j, &one);) {
            struct likely t = { 0 };
            WALK_VALUE(one, gemini_rows, &t);
            put_openai(b, &t, (rx_str){ 0 });
        }
        put_close(b, ']');
    }
    put_close(b, '}');
    rx_buf_fini(&plain);
}

struct result {
    rx_str chosen, top;
};
static const struct walk_row result_rows[] = {
    WALK_ROW(RAW, result, "chosenCandidates", chosen),
    WALK_ROW(RAW, result, "topCandidates", top),
};

void
gemini_logprobs_read(struct codec_reader *r, rx_str value)
{
    struct result x = { 0 };
    struct rx_span chosen, top;
    struct rx_buf out;
    rx_str one, others;

    if (value.len == 0)
        return;
    WALK_VALUE(value, result_rows, &x);
    if (x.chosen.len == 0 || !walk_array(&chosen, x.chosen))
        return;
    bool ranked = x.top.len > 0 && walk_array(&top, x.top);
    rx_buf_init(&out, GROUNDING_MAX);
    put_open(&out, '[');
    while (walk_next(&chosen, &one)) {
        struct likely l = { 0 };
        struct likely t = { .top = RX_S("") };
        WALK_VALUE(one, gemini_rows, &l);
        if (ranked && walk_next(&top, &others))
            WALK_VALUE(others, gemini_rows, &t);
        put_openai(&out, &l, t.top);
    }
    put_close(&out, ']');
    if (!out.full)
        ir_put(&r->to, &(struct ir_event){
                           .kind = IR_EV_LOGPROBS, .text = rx_buf_str(&out) });
    rx_buf_fini(&out);
}

/* --- read ------------------------------------------------------------------------- */

struct grounding {
    rx_str chunks, supports, queries, pages;
};
static const struct walk_row grounding_rows[] = {
    WALK_ROW(RAW, grounding, "groundingChunks", chunks),
    WALK_ROW(RAW, grounding, "groundingSupports", supports),
    WALK_ROW(RAW, grounding, "webSearchQueries", queries),
};
static const struct walk_row pages_rows[] = {
    WALK_ROW(RAW, grounding, "urlMetadata", pages),
};

struct chunk {
    rx_str web, retrieved, url, title, text, status;
    bool cited;
};
static const struct walk_row chunk_rows[] = {
    WALK_ROW(RAW, chunk, "web", web),
    WALK_ROW(RAW, chunk, "retrievedContext", retrieved),
};
static const struct walk_row web_rows[] = {
    WALK_ROW(TEXT, chunk, "uri", url),
    WALK_ROW(TEXT, chunk, "title", title),
    WALK_ROW(TEXT, chunk, "text", text),
};
static const struct walk_row page_rows[] = {
    WALK_ROW(TEXT, chunk, "retrievedUrl", url),
    WALK_ROW(TEXT, chunk, "urlRetrievalStatus", status),
};

struct support {
    rx_str segment, indices;
    struct ir_int start, end;
};
static const struct walk_row support_rows[] = {
    WALK_ROW(RAW, support, "segment", segment),
    WALK_ROW(RAW, support, "groundingChunkIndices", indices),
};
static const struct walk_row segment_rows[] = {
    WALK_ROW(INT, support, "startIndex", start),
    WALK_ROW(INT, support, "endIndex", end),
};

#define CHUNKS_MAX 256

struct reading {
    struct codec_reader *reader;
    uint32_t text_part, lookup_part;
    struct chunk chunks[CHUNKS_MAX];
    size_t count;
};

static void
read_chunks(struct reading *x, rx_str list)
{
    struct rx_span j;
    rx_str one;

    for (bool is = list.len > 0 && walk_array(&j, list);
         is && x->count < CHUNKS_MAX && walk_next(&j, &one);) {
        struct chunk *c = &x->chunks[x->count++];
        *c = (struct chunk){ 0 };
        WALK_VALUE(one, chunk_rows, c);
        rx_str from = c->web.len > 0 ? c->web : c->retrieved;
        if (from.len > 0)
            WALK_VALUE(from, web_rows, c);
    }
}

static void
cite(struct reading *x, struct chunk *c, const struct support *s)
{
    struct ir_citation out = { .dialect = DIALECT_GEMINI,
        .url = c->url,
        .title = c->title,
        .text = c->text,
        .start_byte = s->start,
        .end_byte = s->end };

    c->cited = true;
    ir_put(&x->reader->to,
        &(struct ir_event){
            .kind = IR_EV_CITATION, .part = x->text_part, .citation = &out });
}

static void
read_support(struct reading *x, rx_str value)
{
    struct support s = { 0 };
    struct rx_span j;
    rx_str one;

    WALK_VALUE(value, support_rows, &s);
    if (s.segment.len > 0)
        WALK_VALUE(s.segment, segment_rows, &s);
    for (bool is = s.indices.len > 0 && walk_array(&j, s.indices);
         is && walk_next(&j, &one);) {
        uint64_t n;
        if (rx_str_u64(one, &n) && n < x->count)
            cite(x, &x->chunks[n], &s);
    }
}

static struct ir_page *
sources_of(const struct reading *x)
{
    struct ir_page *first = NULL;
    struct ir_page **end = &first;

    for (size_t i = 0; i < x->count; i++) {
        const struct chunk *c = &x->chunks[i];
        if (c->web.len == 0 || c->url.len == 0)
            continue;
        *end = rx_arena_make(x->reader->about.arena, struct ir_page, 1);
        if (*end == NULL)
            break;
        **end = (struct ir_page){ .url = c->url, .title = c->title };
        end = &(*end)->next;
    }
    return first;
}

/* Which search found which page is not told: all goes with the last. */
static void
read_queries(struct reading *x, rx_str list)
{
    struct rx_span j;
    rx_str one;
    rx_str before = { 0 };

    for (bool is = list.len > 0 && walk_array(&j, list);
         is && walk_next(&j, &one);) {
        rx_str words = walk_text(one);
        if (words.len == 0)
            continue;
        if (before.len > 0)
            ir_put_lookup(&x->reader->to, x->lookup_part,
                &(struct ir_lookup){ .what = before });
        before = words;
    }
    if (before.len > 0)
        ir_put_lookup(&x->reader->to, x->lookup_part,
            &(struct ir_lookup){ .what = before, .sources = sources_of(x) });
}

static void
read_pages(struct reading *x, rx_str value)
{
    struct grounding g = { 0 };
    struct rx_span j;
    rx_str one;

    if (value.len > 0)
        WALK_VALUE(value, pages_rows, &g);
    for (bool is = g.pages.len > 0 && walk_array(&j, g.pages);
         is && walk_next(&j, &one);) {
        struct chunk c = { 0 };
        WALK_VALUE(one, page_rows, &c);
        ir_put_lookup(&x->reader->to, x->lookup_part,
            &(struct ir_lookup){ .kind = IR_LOOKUP_PAGE,
                .what = c.url,
                .failed = !rx_str_eq(
                    c.status, RX_S("URL_RETRIEVAL_STATUS_SUCCESS")) });
    }
}

void
gemini_grounding_read(struct codec_reader *r, rx_str grounding, rx_str pages,
    uint32_t text_part, uint32_t lookup_part)
{
    struct reading x = {
        .reader = r, .text_part = text_part, .lookup_part = lookup_part
    };
    struct grounding g = { 0 };
    struct rx_span j;
    rx_str one;

    if (grounding.len > 0)
        WALK_VALUE(grounding, grounding_rows, &g);
    read_chunks(&x, g.chunks);
    for (bool is = g.supports.len > 0 && walk_array(&j, g.supports);
         is && walk_next(&j, &one);)
        read_support(&x, one);
    for (size_t i = 0; i < x.count; i++) {
        if (!x.chunks[i].cited)
            cite(&x, &x.chunks[i], &(struct support){ 0 });
    }
    read_queries(&x, g.queries);
    read_pages(&x, pages);
}

struct repeated {
    rx_str list, url, title;
    struct ir_int start, end;
};
static const struct walk_row repeated_list_rows[] = {
    WALK_ROW(RAW, repeated, "citationSources", list),
    WALK_ROW(RAW, repeated, "citations", list),
};
static const struct walk_row repeated_rows[] = {
    WALK_ROW(TEXT, repeated, "uri", url),
    WALK_ROW(TEXT, repeated, "title", title),
    WALK_ROW(INT, repeated, "startIndex", start),
    WALK_ROW(INT, repeated, "endIndex", end),
};

void
gemini_citations_read(struct codec_reader *r, rx_str value, uint32_t text_part)
{
    struct repeated list = { 0 };
    struct rx_span j;
    rx_str one;

    if (value.len > 0)
        WALK_VALUE(value, repeated_list_rows, &list);
    for (bool is = list.list.len > 0 && walk_array(&j, list.list);
         is && walk_next(&j, &one);) {
        struct repeated x = { 0 };
        WALK_VALUE(one, repeated_rows, &x);
        struct ir_citation c = { .dialect = DIALECT_GEMINI,
            .url = x.url,
            .title = x.title,
            .start_byte = x.start,
            .end_byte = x.end };
        ir_put(&r->to,
            &(struct ir_event){
                .kind = IR_EV_CITATION, .part = text_part, .citation = &c });
    }
}
