/*
 * recorded_requests.h - recorded requests, sent to channels of the other dialects
 * and decoded as such a server would; and what was counted.
 */
#ifndef TESTS_RECORDED_REQUESTS_H
#define TESTS_RECORDED_REQUESTS_H

#include "dataplane/codec/decode.h"
#include "dataplane/codec/estimate.h"
#include "tests/unit/recorded_translate.h"

static const struct rx_json_limits limits = { .values = 1000000 };

static const char *const feature_names[] = {
#define FEATURE_NAME(id, heading) heading,
    FEATURES(FEATURE_NAME)
#undef FEATURE_NAME
};

/* Losses a feature may fail by. */
static const struct {
    enum feature feature;
    const char *what;
} excuses[] = {
    { FEATURE_THINKING, "reasoning" },
    { FEATURE_THINKING, "thinking" },
    { FEATURE_STRUCTURED, "response_format" },
    { FEATURE_TEXT, "response_format" },
    { FEATURE_TEXT, "prefill" },
    { FEATURE_TEXT, "messages" },
    { FEATURE_TEXT, "content blocks" },
    { FEATURE_TOOLS, "tools" },
    { FEATURE_TOOLS, "tool_choice.allowed_tools" },
};

/* What a request says of each feature, as words to be compared. */
struct facts {
    struct rx_buf of[FEATURE_END];
    bool parallel; /* several calls in one turn */
    bool off;      /* it must not think */
    bool measured; /* it is told how much to think */
};

/* Decoded, without blanks: where texts are joined, dialects differ in those. */
static inline void
add_words(struct rx_buf *b, rx_str text)
{
    struct rx_buf plain;

    rx_buf_init(&plain, text.len + 1);
    if (!rx_span_unescape(text, &plain))
        rx_buf_add(b, RX_S("<bad escape>"));
    for (size_t i = 0; i < plain.len; i++) {
        if (memchr(" \t\r\n", plain.ptr[i], 4) == NULL)
            rx_buf_addc(b, plain.ptr[i]);
    }
    rx_buf_fini(&plain);
}

static inline void
add_raw(struct rx_buf *b, rx_str raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        if (memchr(" \t\r\n", raw.ptr[i], 4) == NULL)
            rx_buf_addc(b, raw.ptr[i]);
    }
}

/* A document of plain text may become words of the message. */
static inline void
add_media(struct facts *f, const struct ir_media *m, struct rx_buf *text)
{
    struct rx_buf *b =
        &f->of[m->kind == IR_IMAGE ? FEATURE_IMAGES : FEATURE_DOCUMENTS];

    if (m->kind != IR_IMAGE && m->kind != IR_DOCUMENT)
        return;
    if (m->source == IR_PLAIN) {
        rx_buf_add(text, RX_S("<document>"));
        add_words(text, m->data);
        rx_buf_add(text, RX_S("</document>"));
        return;
    }
    rx_buf_addf(b, "%d ", (int)m->source);
    /* What lies elsewhere need not be told the kind of. */
    if (m->source == IR_INLINE)
        add_words(b, m->mime);
    rx_buf_addc(b, ' ');
    add_words(b, m->data);
    rx_buf_addc(b, '\n');
}

static inline void
add_call(struct facts *f, const struct ir_call *c)
{
    struct rx_buf *b = &f->of[FEATURE_TOOLS];
    struct rx_buf args;

    rx_buf_init(&args, FIXTURE_MAX);
    put_args_object(&args, &c->args);
    rx_buf_add(b, RX_S("call "));
    add_words(b, c->name);
    rx_buf_addc(b, ' ');
    add_raw(b, rx_buf_str(&args));
    rx_buf_addc(b, '\n');
    rx_buf_fini(&args);
}

/* Where results hold no images: words that say which image belongs where. */
static inline bool
is_ours(rx_str text)
{
    return rx_str_eq(text, RX_S("[image attached below]")) ||
           rx_str_starts(text, RX_S("Attached to tool result "));
}

static inline void
add_parts(struct facts *f, const struct ir_parts *parts, struct rx_buf *text)
{
    unsigned calls = 0;

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if ((p->kind == IR_TEXT || p->kind == IR_REFUSAL) && !is_ours(p->text))
            add_words(text, p->text);
        if (p->kind == IR_MEDIA)
            add_media(f, &p->media, text);
        if (p->kind == IR_TOOL_CALL && p->call.kind != IR_CALL_SERVER) {
            add_call(f, &p->call);
            calls++;
        }
        if (p->kind == IR_TOOL_RESULT) {
            rx_buf_add(&f->of[FEATURE_TOOLS],
                p->result.is_error ? RX_S("result Error:") : RX_S("result "));
            add_parts(f, &p->result.parts, &f->of[FEATURE_TOOLS]);
            rx_buf_addc(&f->of[FEATURE_TOOLS], '\n');
        }
    }
    f->parallel = f->parallel || calls > 1;
}

static inline void
add_output(struct rx_buf *b, const struct ir_output *o)
{
    struct rx_json_doc *doc;

    rx_buf_addf(b, "format %d", (int)o->format);
    if (o->format == IR_OUT_SCHEMA &&
        rx_json_parse(&doc, o->schema, NULL, NULL) == RX_OK) {
        rx_json p =
            rx_json_first(rx_json_member(rx_json_root(doc), "properties"));
        for (; rx_json_there(p); p = rx_json_next(p))
            rx_buf_addf(b, " " RX_STR_FMT, RX_STR_ARG(rx_json_name(p)));
        rx_json_free(doc);
    }
}

/* False when `body` is no request of that dialect. */
static inline bool
gather(enum dialect dialect, rx_str body, struct facts *f)
{
    struct rx_arena *arena = rx_arena_new((size_t)256 * 1024 * 1024);
    struct ir_request r = { .dialect = dialect };
    struct rx_err err;
    bool ok = codec_of(dialect)->decode_request(body, arena, &r, &err) == RX_OK;

    f->parallel = false;
    for (int i = 0; i < FEATURE_END; i++)
        rx_buf_init(&f->of[i], FIXTURE_MAX);
    for (const struct ir_tool *t = r.tools; ok && t != NULL; t = t->next) {
        if (t->kind == IR_TOOL_FUNCTION || t->kind == IR_TOOL_CUSTOM ||
            t->kind == IR_TOOL_BUILTIN) {
            rx_buf_add(&f->of[FEATURE_TOOLS], RX_S("tool "));
            add_words(&f->of[FEATURE_TOOLS], t->name);
            rx_buf_addc(&f->of[FEATURE_TOOLS], '\n');
        }
    }
    add_parts(f, &r.system, &f->of[FEATURE_TEXT]);
    for (const struct ir_turn *t = r.turns; ok && t != NULL; t = t->next)
        add_parts(f, &t->parts, &f->of[FEATURE_TEXT]);
    f->off = r.reasoning.mode == IR_THINK_OFF;
    f->measured = !f->off && (r.reasoning.effort != IR_EFFORT_UNSET ||
                                 r.reasoning.budget.there);

    add_output(&f->of[FEATURE_STRUCTURED], &r.output);
    rx_buf_add(&f->of[FEATURE_PARALLEL], rx_buf_str(&f->of[FEATURE_TOOLS]));
    rx_arena_free(arena);
    return ok;
}

static inline void
drop_facts(struct facts *f)
{
    for (int i = 0; i < FEATURE_END; i++)
        rx_buf_fini(&f->of[i]);
}

/* Does a stated loss speak of this feature? */
static inline bool
is_stated(const struct ir_losses *l, enum feature f)
{
    for (size_t i = 0; i < RX_COUNT(l->kept) && i < l->count; i++) {
        for (size_t k = 0; k < RX_COUNT(excuses); k++) {
            if (excuses[k].feature == f &&
                strcmp(l->kept[i].what, excuses[k].what) == 0)
                return true;
        }
    }
    return false;
}

static inline void
show_losses(const struct ir_losses *l)
{
    for (size_t i = 0; i < RX_COUNT(l->kept) && i < l->count; i++)
        fprintf(stderr, "  loss: %s: %s\n", l->kept[i].what, l->kept[i].why);
}

/* Is it the same, or as near as the dialects come? */
static inline bool
kept(const struct facts *want, const struct facts *got, enum feature f)
{
    if (f == FEATURE_THINKING)
        return want->off == got->off && want->measured <= got->measured;
    return rx_str_eq(rx_buf_str(&want->of[f]), rx_buf_str(&got->of[f]));
}

static inline void
compare(const struct recorded *r, enum dialect channel, rx_str body,
    const struct facts *want, const struct translation *t)
{
    const struct ir_losses *losses = translation_losses(t);
    rx_str sent = translation_body(t);
    unsigned asks = r->asks | 1u << FEATURE_TEXT;
    struct facts got;

    if (!gather(channel, sent, &got))
        complain(r, r->dialect, channel, "no request", body, sent);
    asks |= want->parallel ? 1u << FEATURE_PARALLEL : 0;
    for (int f = 0; f < FEATURE_END; f++) {
        if ((asks & (1u << f)) == 0)
            continue;
        bool ok = kept(want, &got, (enum feature)f);
        if (!ok && !is_stated(losses, (enum feature)f)) {
            complain(r, r->dialect, channel, feature_names[f],
                rx_buf_str(&want->of[f]), rx_buf_str(&got.of[f]));
            show_losses(losses);
        }
        recorded_lost += !ok;
        recorded_note(r->dialect, channel, (enum feature)f, ok);
    }
    drop_facts(&got);
}

/* What was refused must have been said to be, and is not done. */
static inline void
note_refusal(const struct recorded *r, enum dialect channel,
    const struct facts *want, const struct rx_err *err)
{
    unsigned asks = r->asks | 1u << FEATURE_TEXT;

    asks |= want->parallel ? 1u << FEATURE_PARALLEL : 0;
    if (err->code != RX_INVALID || err->text[0] == '\0')
        complain(r, r->dialect, channel, "refused without words", RX_S(""),
            (rx_str){ err->text, strlen(err->text) });
    for (int f = 0; f < FEATURE_END; f++) {
        if ((asks & (1u << f)) != 0)
            recorded_note(r->dialect, channel, (enum feature)f, false);
    }
    if (getenv("ROUTEX_SHOW") != NULL)
        printf("  %s on %s: %s\n", r->fixture->name, dialect_name(channel),
            err->text);
}

static inline void
run_request_on(const struct recorded *r, enum dialect channel, rx_str body,
    const struct facts *want)
{
    struct rx_err err = { 0 };
    uint64_t seed;
    struct translation *t =
        ask_of(r->dialect, channel, body, false, &seed, &err);

    recorded_requests++;
    if (t == NULL) {
        recorded_refused++;
        note_refusal(r, channel, want, &err);
        return;
    }
    if (rx_json_check(translation_body(t), &limits, NULL) != RX_OK)
        complain(r, r->dialect, channel, "no JSON", body, translation_body(t));
    compare(r, channel, body, want, t);
    translation_free(t);
}

static inline void
run_request(const struct recorded *r)
{
    struct facts want;
    struct rx_buf body;

    if (fixture_load(r->fixture, "request.json", &body)) {
        /* What is refused here is so for every channel: see note_refusal. */
        gather(r->dialect, rx_buf_str(&body), &want);
        for (int to = 0; to < DIALECT_COUNT; to++) {
            if (translate_can(r->dialect, (enum dialect)to))
                run_request_on(r, (enum dialect)to, rx_buf_str(&body), &want);
        }
        drop_facts(&want);
    }
    rx_buf_fini(&body);
}

/* --- counting ------------------------------------------------------------------------ */

/* The number in an answer to a counting request; 0 if there is none. */
static inline uint64_t
count_in(rx_str answer)
{
    struct rx_json_doc *doc;
    uint64_t n = 0;

    if (rx_json_parse(&doc, answer, NULL, NULL) != RX_OK)
        return 0;
    rx_json root = rx_json_root(doc);
    if (!rx_json_u64(rx_json_member(root, "input_tokens"), &n))
        rx_json_u64(rx_json_member(root, "totalTokens"), &n);
    rx_json_free(doc);
    return n;
}

/*
 * Where the channel's dialect is another one, counting is done here: the
 * answer is read as the client reads it, and is no less than three quarters and
 * no more than four times what the provider said.
 */
static inline void
run_count(const struct recorded *r)
{
    struct rx_buf body, told, out;

    rx_buf_init(&out, FIXTURE_MAX);
    bool there = fixture_load(r->fixture, "request.json", &body);
    if (fixture_load(r->fixture, "response.json", &told) && there) {
        uint64_t want = count_in(rx_buf_str(&told));
        estimate_answer(
            r->dialect, estimate_tokens(r->dialect, rx_buf_str(&body)), &out);
        uint64_t got = count_in(rx_buf_str(&out));
        bool ok = want > 0 && got >= want * 3 / 4 && got <= want * 4;
        for (int to = 0; to < DIALECT_COUNT; to++) {
            if (!translate_can(r->dialect, (enum dialect)to))
                continue;
            if (!ok)
                complain(r, r->dialect, (enum dialect)to, "count",
                    rx_buf_str(&told), rx_buf_str(&out));
            recorded_note(r->dialect, (enum dialect)to, FEATURE_COUNT, ok);
        }
    }
    rx_buf_fini(&body);
    rx_buf_fini(&told);
    rx_buf_fini(&out);
}

#endif
