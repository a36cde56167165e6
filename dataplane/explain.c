#include "dataplane/explain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/admission.h"
#include "dataplane/availability.h"
#include "dataplane/choose.h"
#include "dataplane/decide.h"
#include "dataplane/headers.h"
#include "dataplane/inbound.h"
#include "dataplane/tariff.h"
#include "shared/attr.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/json_span.h"
#include "shared/money.h"

#define ARENA_MAX   ((size_t)64 * 1024 * 1024)
#define HEADERS_MAX 64

/* What is asked, taken apart. */
struct question {
    const struct explain_world *world;
    const struct snapshot *snapshot;
    struct rx_arena *arena;
    rx_str body;
    rx_str dialect, model, key; /* empty: not said */
    struct rx_header headers[HEADERS_MAX];
    struct rx_httpd_head head;
    struct path path;
    struct inbound in;
    struct understanding u;
    struct decision d;
    struct decide_request r;
    bool limited; /* the key has limits, or an owner of it */
    bool refused; /* … and they say no */
    struct admission no;
};

/* ---- reading it ---------------------------------------------------------------- */

static rx_str
decoded(struct question *q, rx_str escaped)
{
    struct rx_buf text;

    rx_buf_init(&text, escaped.len + 1);
    rx_str kept = { 0 };
    if (rx_span_unescape(escaped, &text))
        kept = rx_arena_copy(q->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

static void
read_headers(struct question *q, struct rx_span *j)
{
    rx_str name, value;

    if (!rx_span_enter_object(j))
        return;
    while (rx_span_member(j, &name)) {
        if (!rx_span_string(j, &value) || q->head.header_count == HEADERS_MAX)
            continue;
        q->headers[q->head.header_count++] =
            (struct rx_header){ decoded(q, name), decoded(q, value) };
    }
}

/* An object with a "body" says more than the body. */
static void
unwrap(struct question *q, rx_str text)
{
    struct rx_span j;
    rx_str body = { 0 };

    q->body = text;
    rx_span_init(&j, text);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT || !rx_span_enter_object(&j))
        return;
    while (rx_span_member(&j, NULL)) {
        rx_str value = { 0 };
        if (rx_span_key_is(&j, RX_S("body")))
            rx_span_skip(&j, &body);
        else if (rx_span_key_is(&j, RX_S("headers")) &&
                 rx_span_kind(&j) == RX_SPAN_OBJECT)
            read_headers(q, &j);
        else if (rx_span_key_is(&j, RX_S("dialect")))
            rx_span_string(&j, &q->dialect);
        else if (rx_span_key_is(&j, RX_S("model")) &&
                 rx_span_string(&j, &value))
            q->model = decoded(q, value);
        else if (rx_span_key_is(&j, RX_S("key")) && rx_span_string(&j, &value))
            q->key = decoded(q, value);
        else
            rx_span_skip(&j, NULL);
    }
    if (rx_span_kind_of(body) == RX_SPAN_OBJECT) {
        q->body = body;
    } else {
        q->head.header_count = 0;
        q->model = q->key = (rx_str){ 0 };
    }
}

/* A guess by the members that only one of them has. */
static enum dialect
guess_dialect(rx_str body)
{
    static const struct {
        rx_str member;
        enum dialect dialect;
    } signs[] = {
        { RX_STR_INIT("contents"), DIALECT_GEMINI },
        { RX_STR_INIT("input"), DIALECT_RESPONSES },
        { RX_STR_INIT("system"), DIALECT_ANTHROPIC },
        { RX_STR_INIT("thinking"), DIALECT_ANTHROPIC },
        { RX_STR_INIT("anthropic_version"), DIALECT_ANTHROPIC },
    };
    enum dialect found = DIALECT_CHAT;
    struct rx_span j;
    rx_str model;

    rx_span_init(&j, body);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT || !rx_span_enter_object(&j))
        return found;
    while (rx_span_member(&j, NULL)) {
        for (size_t i = 0; i < RX_COUNT(signs); i++) {
            if (rx_span_key_is(&j, signs[i].member))
                found = signs[i].dialect;
        }
        if (!rx_span_key_is(&j, RX_S("model")))
            rx_span_skip(&j, NULL);
        else if (rx_span_string(&j, &model) && found == DIALECT_CHAT &&
                 memmem(model.ptr, model.len, "claude", 6) != NULL)
            found = DIALECT_ANTHROPIC;
    }
    return found;
}

/* Somebody who may do everything, where no key is named. */
static const struct tenant anybody = { .id = RX_STR_INIT("default"),
    .name = RX_STR_INIT("default"),
    .enabled = true };
static const struct client_key any_key = { .name = RX_STR_INIT(""),
    .tenant = &anybody,
    .enabled = true,
    .may_force_channel = true };

static const char *
prepare(struct question *q, rx_str dialect)
{
    struct rx_err err = { 0 };
    enum dialect d = guess_dialect(q->body);

    if (dialect.len == 0)
        dialect = q->dialect;
    if (dialect.len > 0 && !dialect_find(dialect, &d))
        return "dialect: must be anthropic, chat, responses or gemini";
    q->path = (struct path){
        .kind = PATH_PROXY, .dialect = d, .op = OP_CREATE, .model = q->model
    };
    q->head.method = RX_S("POST");
    q->head.headers = q->headers;
    q->head.has_body = true;
    if (inbound_read(&q->in, &q->head, q->body, &q->path, q->arena,
            q->body.len + 64, &err) != RX_OK)
        return rx_arena_copy(q->arena, (rx_str){ err.text, strlen(err.text) })
            .ptr;
    return NULL;
}

static rx_str
header_of(const void *arg, rx_str name)
{
    const struct question *q = arg;

    return rx_httpd_header(&q->head, name);
}

static const char *
find_key(struct question *q, const struct client_key **out)
{
    *out = &any_key;
    if (q->key.len == 0)
        return NULL;
    *out = snapshot_find_key_named(q->snapshot, q->key);
    return *out == NULL ? "key: there is none of this name" : NULL;
}

static uint64_t
tokens_of(void *u)
{
    return understand_tokens(u);
}

/*
 * Is there room for it?  It goes in as the request would, and out again as one
 * that was refused.  Where it comes from is not known, so that is not asked.
 */
static void
try_limits(struct question *q, const struct client_key *key)
{
    struct limits *l = q->world->limits;
    struct limits_time now = { q->world->now_ms, rx_clock_wall_ms() };
    struct limits_hold hold = { 0 };

    q->limited = l != NULL && key->guard != NULL && key->guard->limited;
    if (!q->limited)
        return;
    q->refused = !admission_limits(l, key, now, &hold, &q->no);
    if (q->refused)
        return;
    q->refused = !admission_reserve(
        l, key, q->snapshot, q->path.dialect, &q->in, now, &hold, &q->no);
    if (!q->refused)
        limits_undo(l, &hold, now);
}

static void
run(struct question *q, const struct client_key *key)
{
    rx_str session = headers_session(&q->head);

    q->r.route = (struct route_request){
        .snapshot = q->snapshot,
        .key = key,
        .dialect = q->path.dialect,
        .op = q->path.op,
        .model = q->in.model,
        .forced = header_of(q, RX_S("x-routex-channel")),
        .dice = q->world->dice,
        .tokens = tokens_of,
        .tokens_arg = &q->u,
        .output = q->in.scan.has_max_tokens ? q->in.scan.max_tokens : 0,
        .standing = q->world->standing,
        .now_ms = q->world->now_ms,
    };
    q->r.subject = (struct rule_subject){
        .u = &q->u,
        .key = key,
        .dialect = q->path.dialect,
        .model = q->in.model,
        .session = session.len > 0 ? session : q->in.session,
        .stream = q->in.stream,
        .wall_ms = rx_clock_wall_ms(),
        .header = header_of,
        .header_arg = q,
    };
    q->r.agent_model = q->in.agent_model;
    understand_begin(&q->u, q->path.dialect, q->in.scanned ? &q->in.scan : NULL,
        q->in.body, q->arena);
    decide(&q->d, &q->r, q->arena);
}

/* ---- telling ---------------------------------------------------------------------- */

static void RX_PRINTF(3, 4)
    step(struct rx_json_out *w, const char *name, const char *fmt, ...)
{
    char text[400];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "step", name);
    rx_json_put_text(w, "text", text);
    rx_json_close(w);
}

static void
tell_request(struct question *q, struct rx_json_out *w)
{
    const struct shape *s = understand_shape(&q->u);
    const struct content *c = understand_content(&q->u);

    rx_json_open_object(w, "request");
    rx_json_put_text(w, "dialect", dialect_name(q->path.dialect));
    rx_json_put_str(w, "model", q->in.model);
    rx_json_put_bool(w, "stream", q->in.stream);
    rx_json_put_u64(w, "tokens", understand_tokens(&q->u));
    rx_json_put_u64(w, "messages", scan_count(&q->in.scan, SCAN_MESSAGES));
    rx_json_put_u64(w, "tools", scan_count(&q->in.scan, SCAN_TOOLS));
    rx_json_put_u64(w, "images", s->images);
    rx_json_put_u64(w, "documents", s->documents);
    rx_json_put_u64(w, "audio", s->audio);
    rx_json_put_bool(w, "thinking", understand_thinking(&q->u));
    rx_json_put_bool(w, "web_search", understand_tools(&q->u)->web_search);
    rx_json_put_bool(w, "subagent", rule_is_subagent(&q->r.subject));
    rx_json_put_u64(w, "words", c->words);
    rx_json_put_bool(w, "code", c->code);
    rx_json_put_text(w, "content_category", content_category_name(c->category));
    rx_json_put_text(w, "complexity_level", content_level_name(c->level));
    rx_json_put_text(
        w, "programming_language", content_language_name(c->language));
    rx_json_put_text(w, "intent", content_intent_name(c->intent));
    rx_json_close(w);
}

static void
tell_rules(struct question *q, struct rx_json_out *w)
{
    const struct decision *d = &q->d;

    if (d->direct) {
        step(w, "rules", "not asked: the client chose the channel");
        return;
    }
    if (d->by_agent) {
        step(w, "rules", "not asked: a sub-agent's tag chose the model");
        return;
    }
    for (size_t i = 0; i < d->passed_count; i++) {
        const struct passed *p = &d->passed[i];
        step(w, p->rule != NULL ? "rule" : "subagent",
            "%s" RX_STR_FMT "%s passed by: " RX_STR_FMT,
            p->rule != NULL ? "'" : "",
            p->rule != NULL ? (int)p->rule->name.len : 0,
            p->rule != NULL ? p->rule->name.ptr : "",
            p->rule != NULL ? "'" : "the tag's model is", RX_STR_ARG(p->why));
    }
    if (d->rule != NULL)
        step(w, "rules", "'" RX_STR_FMT "' holds (%zu asked)",
            RX_STR_ARG(d->rule->name), d->asked);
    else
        step(w, "rules", "none of %zu decides", d->asked);
}

/* What the first one is expected to take, where a price is known. */
static void
tell_cost(struct question *q, struct rx_json_out *w)
{
    const struct candidate *c = &q->d.plan.candidates[0];
    struct rx_tokens tokens = choose_expected(&q->r.route);
    char usd[RX_DECIMAL_SIZE];
    int64_t pico;

    if (!tariff_cost(
            q->snapshot->settings.tariff, c->channel, c->model, &tokens, &pico))
        return;
    rx_decimal_format(pico, 12, usd);
    step(w, "cost", "about $%s at '" RX_STR_FMT "'", usd,
        RX_STR_ARG(c->channel->name));
}

static void
tell_steps(struct question *q, struct rx_json_out *w)
{
    rx_json_open_array(w, "steps");
    step(w, "understand",
        "%s, model '" RX_STR_FMT "', about %" PRIu64 " tokens",
        dialect_name(q->path.dialect), RX_STR_ARG(q->in.model),
        understand_tokens(&q->u));
    if (q->limited)
        step(w, "limits", "%s",
            q->refused ? q->no.words : "there is room for it");
    tell_rules(q, w);
    if (q->d.plan.count > 0)
        step(w, "candidates", "%zu to try, '" RX_STR_FMT "' first",
            q->d.plan.count, RX_STR_ARG(q->d.plan.candidates[0].channel->name));
    else
        step(w, "candidates", "none: %s", q->d.plan.words);
    if (q->d.plan.count > 0)
        tell_cost(q, w);
    rx_json_close(w);
}

/* When it is available again, if that is known. */
static void
put_reason(const struct question *q, struct rx_json_out *w,
    const struct availability *why)
{
    uint64_t now = q->world->now_ms;

    rx_json_put_text(w, "reason", availability_words(why));
    if (why->until_ms > now)
        rx_json_put_time(w, "until", rx_clock_wall_ms() + why->until_ms - now);
    else
        rx_json_put_null(w, "until");
}

static void
put_candidate(struct rx_json_out *w, const struct candidate *c)
{
    rx_json_put_str(w, "channel", c->channel->name);
    rx_json_put_str(w, "channel_id", c->channel->id);
    if (c->credential != NULL)
        rx_json_put_str(w, "key_id", c->credential->id);
    else
        rx_json_put_null(w, "key_id");
    rx_json_put_str(w, "model", c->model);
}

static void
put_chosen(struct rx_json_out *w, const struct candidate *c)
{
    rx_json_open_object(w, "chosen");
    put_candidate(w, c);
    rx_json_close(w);
}

/* In a panic one that is out is tried nevertheless, and said to be out. */
static void
put_one(struct question *q, struct rx_json_out *w, const struct candidate *c)
{
    struct availability why =
        availability_of(q->world->standing, c, q->world->now_ms);

    rx_json_open_object(w, NULL);
    put_candidate(w, c);
    put_reason(q, w, &why);
    rx_json_close(w);
}

static bool
is_candidate(const struct route_plan *plan, const struct channel *c)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->candidates[i].channel == c)
            return true;
    }
    return false;
}

/* The model a rule asks this channel for; else the one asked for. */
static rx_str
model_for(const struct question *q, const struct channel *c)
{
    const struct rule *rule = q->d.rule;

    for (size_t i = 0; rule != NULL && i < rule->hop_count; i++) {
        const struct hop *hop = &rule->hops[i];
        bool listed = hop->channel_count == 0;
        for (size_t k = 0; k < hop->channel_count; k++)
            listed = listed || rx_str_eq(hop->channels[k], c->id);
        if (listed && hop->model.len > 0)
            return hop->model;
    }
    return q->d.model;
}

/* Why a channel is none. */
static void
put_other(struct question *q, struct rx_json_out *w, const struct channel *c)
{
    struct route_request route = q->r.route;

    route.model = model_for(q, c);
    route.rewritten = q->d.rule != NULL;
    struct availability why = { .reason = route_reason_of(c, &route) };
    if (why.reason == ROUTE_OK)
        why = availability_at_all(q->world->standing, c, q->world->now_ms);
    if (why.reason == ROUTE_OK)
        why.reason = ROUTE_NOT_TARGET;
    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "channel", c->name);
    rx_json_put_str(w, "channel_id", c->id);
    rx_json_put_null(w, "key_id");
    rx_json_put_str(w, "model", route.model);
    put_reason(q, w, &why);
    rx_json_close(w);
}

static void
tell_candidates(struct question *q, struct rx_json_out *w)
{
    const struct snapshot *s = q->snapshot;

    rx_json_open_array(w, "candidates");
    for (size_t i = 0; i < q->d.plan.count; i++)
        put_one(q, w, &q->d.plan.candidates[i]);
    for (size_t i = 0; i < s->channel_count; i++) {
        if (!is_candidate(&q->d.plan, &s->channels[i]))
            put_other(q, w, &s->channels[i]);
    }
    rx_json_close(w);
}

static void
tell(struct question *q, struct rx_buf *out)
{
    struct rx_json_out w = rx_json_out(out);
    const struct decision *d = &q->d;

    rx_json_open_object(&w, NULL);
    if (d->plan.count > 0 && !q->refused)
        put_chosen(&w, &d->plan.candidates[0]);
    else
        rx_json_put_null(&w, "chosen");
    if (d->rule != NULL) {
        rx_json_open_object(&w, "rule");
        rx_json_put_str(&w, "id", d->rule->id);
        rx_json_put_str(&w, "name", d->rule->name);
        rx_json_close(&w);
    } else {
        rx_json_put_null(&w, "rule");
    }
    if (d->agent.len > 0)
        rx_json_put_str(&w, "agent", d->agent);
    else
        rx_json_put_null(&w, "agent");
    if (q->r.subject.session.len > 0)
        rx_json_put_str(&w, "session", q->r.subject.session);
    else
        rx_json_put_null(&w, "session");
    if (q->refused)
        rx_json_put_text(&w, "refusal", refusal_reason(q->no.refusal));
    else if (d->plan.count == 0)
        rx_json_put_text(&w, "refusal", refusal_reason(d->plan.refusal));
    tell_request(q, &w);
    tell_steps(q, &w);
    tell_candidates(q, &w);
    rx_json_put_u64(&w, "snapshot_version", q->snapshot->version);
    rx_json_close(&w);
}

static int
wrong(struct rx_buf *out, const char *why)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_open_object(&w, NULL);
    rx_json_open_object(&w, "error");
    rx_json_put_text(&w, "message", why);
    rx_json_close(&w);
    rx_json_close(&w);
    return 400;
}

int
explain(const struct explain_world *world, rx_str question, rx_str dialect,
    struct rx_buf *out)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct question *q = rx_arena_make(arena, struct question, 1);
    const struct client_key *key = NULL;
    int status = 200;

    assert(q != NULL);
    q->world = world;
    q->snapshot = world->snapshot;
    q->arena = arena;
    unwrap(q, question);
    const char *why = prepare(q, dialect);
    if (why == NULL)
        why = find_key(q, &key);
    if (why != NULL) {
        status = wrong(out, why);
    } else {
        run(q, key);
        try_limits(q, key);
        tell(q, out);
    }
    inbound_fini(&q->in);
    rx_arena_free(arena);
    return status;
}
