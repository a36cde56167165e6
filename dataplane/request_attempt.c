/*
 * The attempts of a request: whom to ask, with which head and body, and what to
 * make of it when the client saw nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/headers.h"
#include "dataplane/request_parts.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/secret.h"

/* --- what an attempt tells ---------------------------------------------- */

static void
on_gate(void *arg)
{
    request_note(arg, EXCHANGE_GATE);
}

static void
on_bytes(void *arg, rx_str bytes)
{
    struct request *q = arg;

    q->record.response_bytes += bytes.len;
    if (q->capture != NULL)
        capture_answer(q->capture, bytes);
    if (q->req != NULL && !rx_httpd_write(q->req, bytes))
        attempt_pause(q->attempt);
}

static void
on_end(void *arg)
{
    request_note(arg, EXCHANGE_END);
}

static const struct attempt_events attempt_events = {
    .on_gate = on_gate,
    .on_bytes = on_bytes,
    .on_end = on_end,
};

/* --- attempts ------------------------------------------------------------ */

static rx_str
header_of(const void *arg, rx_str name)
{
    const struct request *q = arg;

    return rx_httpd_header(rx_httpd_head(q->req), name);
}

/* Somebody's sub-agent, though not one with a file here: as far as it shows
 * without reading the body. */
static bool
says_subagent(const struct request *q)
{
    return q->in.agent_model.len > 0 ||
           header_of(q, RX_S("x-claude-code-agent-id")).len > 0 ||
           header_of(q, RX_S("x-parent-session-id")).len > 0;
}

/* Why it goes where it goes, for the row and for the client. */
static void
note_decision(struct request *q, const struct decision *d)
{
    struct rx_buf trace;

    if (d->rule != NULL)
        q->record.rule = d->rule->name;
    q->record.agent =
        d->agent.len > 0 || !says_subagent(q) ? d->agent : RX_S("(sub-agent)");
    *q->proxy->stats.rule_troubles += d->troubles;
    rx_buf_init(&trace, 4 * DECISION_TRACE_MAX);
    decision_trace(d, &trace);
    q->record.trace = rx_arena_copy(q->arena, rx_buf_str(&trace));
    rx_buf_fini(&trace);
}

static uint64_t
tokens_of(void *u)
{
    return understand_tokens(u);
}

static void
begin_ask(struct request *q)
{
    struct understanding *u = rx_arena_make(q->arena, struct understanding, 1);

    if (u == NULL)
        abort(); /* one of a bounded request always fits */
    q->ask = (struct decide_request){
        .route = {
            .snapshot = q->snapshot,
            .key = q->key,
            .dialect = q->path.dialect,
            .op = q->path.op,
            .model = q->in.model,
            .forced = header_of(q, RX_S("x-routex-channel")),
            .dice = proxy_dice(q->proxy),
            .tokens = tokens_of,
            .tokens_arg = u,
            .output = q->in.scan.has_max_tokens ? q->in.scan.max_tokens : 0,
        },
        .subject = {
            .u = u,
            .key = q->key,
            .dialect = q->path.dialect,
            .model = q->in.model,
            .session = q->record.session,
            .stream = q->in.stream,
            .wall_ms = q->record.started_ms,
            .header = header_of,
            .header_arg = q,
        },
        .agent_model = q->in.agent_model,
    };
    understand_begin(u, q->path.dialect, q->in.scanned ? &q->in.scan : NULL,
        q->in.body, q->arena);
}

/* By a request that goes on from it, or by the path of one that fetches it. */
static rx_str
response_referred_to(const struct request *q)
{
    static const rx_str prefix = RX_STR_INIT("/v1/responses/");
    rx_str path = q->path.upstream;
    rx_str id;
    rx_str rest;

    if (q->path.dialect != DIALECT_RESPONSES)
        return (rx_str){ 0 };
    if (q->in.previous.len > 0)
        return q->in.previous;
    if (q->path.op != OP_OBJECT || !rx_str_starts(path, prefix))
        return (rx_str){ 0 };
    rx_str_cut((rx_str){ path.ptr + prefix.len, path.len - prefix.len }, '/',
        &id, &rest);
    return id;
}

static void
begin_tries(struct request *q)
{
    struct session_source source = {
        .tenant = q->key->tenant->id,
        .head = rx_httpd_head(q->req),
        .user_id = q->in.user_id,
        .prompt_cache_key = q->in.prompt_cache_key,
        .messages = q->in.scan.parts[SCAN_MESSAGES],
    };

    begin_ask(q);
    q->tries = (struct tries){
        .standing = q->proxy->standing,
        .sessions = q->proxy->sessions,
        .settings = &q->snapshot->settings,
        .arena = q->arena,
        .request = &q->ask,
    };
    if (q->snapshot->settings.session_ttl_ms > 0)
        q->tries.session = session_key_of(&source);
    q->tries.kept =
        session_of_response(q->key->tenant->id, response_referred_to(q));
}

/* Why nobody can serve it, as things stand. */
static void
take_refusal(struct request *q)
{
    const struct route_plan *plan = q->tries.plan;

    q->refusal = plan->refusal;
    q->refusal_words = plan->words;
    q->retry_ms = plan->until_ms;
    q->estimate = q->path.op == OP_COUNT && plan->foreign;
}

static struct record_attempt *
add_attempt(struct request *q)
{
    struct record_attempt *a =
        rx_arena_make(q->arena, struct record_attempt, 1);

    if (a == NULL)
        abort(); /* a few attempts of a bounded request always fit */
    q->record.attempts[q->record.attempt_count++] = a;
    return a;
}

const char *
request_keep_words(struct request *q, const struct rx_err *err)
{
    rx_str kept =
        rx_arena_copy(q->arena, (rx_str){ err->text, strlen(err->text) });

    return kept.ptr != NULL ? kept.ptr : "";
}

/* By its own word, or by the settings'. */
static bool
wants_strict(const struct request *q)
{
    rx_str word = header_of(q, RX_S("x-routex-strict"));

    if (word.len == 0)
        return q->snapshot->settings.strict_translation;
    return rx_str_eq(word, RX_S("1")) || rx_str_ieq(word, RX_S("true"));
}

/* Say it as the candidate understands it; false, and why, when it cannot be. */
static bool
prepare(struct request *q, const struct candidate *to)
{
    const struct rule *rule = q->tries.decision->rule;
    struct outgoing_ask ask = {
        .in = &q->in,
        .path = &q->path,
        .from = rx_httpd_head(q->req),
        .to = to,
        .arena = q->arena,
        .proxy = q->proxy,
        .transformers = rule != NULL ? rule->transformers : NULL,
        .strict = wants_strict(q),
        .tenant = q->key->tenant->id,
        .repair = to == q->repairing ? &q->repair : NULL,
    };
    struct rx_err err = { 0 };

    ask.traceparent = request_trace_next(q);
    if (ask.traceparent.len > 0)
        ask.tracestate = q->tracestate;
    attempt_free(q->attempt);
    q->attempt = NULL;
    enum rx_code code = outgoing_make(&q->outgoing, &ask, &err);
    if (code == RX_OK)
        return true;
    q->estimate = q->path.op == OP_COUNT && to->dialect != q->path.dialect;
    q->refusal = code == RX_TOO_BIG ? REFUSE_TOO_BIG : REFUSE_BAD_REQUEST;
    q->refusal_words = request_keep_words(q, &err);
    return false;
}

static void
start_attempt(struct request *q, const struct candidate *to)
{
    struct proxy *p = q->proxy;
    struct attempt_request a = {
        .loop = p->loop,
        .client = p->client,
        .to = to,
        .dialect = to->dialect,
        .speaks = q->path.dialect,
        .keepalive_ms = p->options.keepalive_ms,
        .op = q->path.op,
        .stream = q->in.stream,
        .translation = q->outgoing.translation,
        .filter = q->outgoing.filter,
        .head = rx_buf_str(&q->outgoing.head),
        .body = q->outgoing.body,
        .body_count = q->outgoing.body_count,
        .prompt_bytes = q->in.body.len,
        .record = add_attempt(q),
        .arena = q->arena,
        .request_start_ms = q->start_ms,
    };

    q->attempt = attempt_start(&a, &attempt_events, q);
    ++*p->stats.attempts;
    q->record.channel_id = to->channel->id;
    q->record.channel = to->channel->name;
    q->record.model = to->model;
}

enum exchange_start
request_attempt(void *world)
{
    struct request *q = world;
    struct tries *t = &q->tries;
    uint64_t now = rx_loop_ms(q->proxy->loop);

    if (!request_token_resume(q))
        return EXCHANGE_NOBODY;
    if (t->count == 0) {
        if (t->plan == NULL)
            begin_tries(q);
        bool found = tries_plan(t, now);
        note_decision(q, t->decision);
        if (!found) {
            if (tries_wait(t, now, proxy_dice(q->proxy))) {
                request_token_await(q);
                return EXCHANGE_LATER;
            }
            take_refusal(q);
            return EXCHANGE_NOBODY;
        }
    }
    const struct candidate *to;
    q->refusal = REFUSE_NO_CHANNEL;
    q->refusal_words = "no channel is available any more";
    while ((to = tries_begin(t, now)) != NULL) {
        to = request_token_freshen(q, to);
        if (prepare(q, to)) {
            start_attempt(q, to);
            return EXCHANGE_STARTED;
        }
        tries_cancel(t);
    }
    return EXCHANGE_NOBODY;
}

/* Send it once more without what the upstream minds.  Once per request. */
static bool
repair(struct request *q, rx_str error)
{
    if (q->repaired || !q->in.scanned ||
        !repair_find(q->tries.to->dialect, error, &q->repair) ||
        !outgoing_can_repair(&q->outgoing, &q->repair))
        return false;
    q->repaired = true;
    q->repairing = q->tries.to;
    rx_info("request.repaired",
        "req=" RX_STR_FMT " channel=" RX_STR_FMT " without=%s",
        RX_STR_ARG(q->record.request_id), RX_STR_ARG(q->record.channel),
        rx_log_quote(q->repair.what));
    return true;
}

/* Nobody is left: the last answer as it is, or what we have to say. */
static void
give_up(struct request *q, enum disposition d)
{
    const struct attempt_result *r = attempt_result(q->attempt);
    uint64_t now = rx_loop_ms(q->proxy->loop);
    enum blame blame = disposition_row(d)->blame;
    bool account = blame == BLAME_CREDENTIAL || blame == BLAME_CREDIT;
    bool limit = blame == BLAME_FAMILY || blame == BLAME_KEY;
    bool alone = q->tries.plan->count == 1 && !q->tries.plan->panic;

    q->pass_on = r->answered && !account && !(limit && !alone);
    q->estimate =
        q->path.op == OP_COUNT && (r->status == 404 || r->status == 405 ||
                                      q->tries.to->dialect != q->path.dialect);
    q->refusal = REFUSE_UPSTREAM;
    q->refusal_words = "the upstream could not be reached";
    if (d == DISPOSITION_SILENT) {
        q->refusal = REFUSE_TIMEOUT;
        q->refusal_words = "the upstream did not answer in time";
    } else if (d == DISPOSITION_CUT) {
        q->refusal = REFUSE_CUT;
        q->refusal_words = "the upstream's answer ended too early";
    } else if (account) {
        /* The client's own key is fine; it must not be told otherwise. */
        q->refusal = REFUSE_NO_CHANNEL;
        q->refusal_words = "no channel has a working credential";
    } else if (limit) {
        q->refusal = REFUSE_LIMITED;
        q->refusal_words = "whoever was asked is rate limited";
    }
    if ((account || limit) && !tries_plan(&q->tries, now)) {
        bool estimate = q->estimate;
        take_refusal(q);
        q->estimate = estimate;
    }
}

static struct outcome
outcome_of(const struct attempt *a)
{
    const struct attempt_result *r = attempt_result(a);

    return (struct outcome){
        .code = r->code,
        .answered = r->answered,
        .cut = r->cut,
        .status = r->status,
        .body = attempt_evidence(a),
        .limits = attempt_limits(a),
    };
}

static void
log_failed(const struct request *q, int status)
{
    const struct record *r = &q->record;
    char trace[2 * sizeof(r->context.id) + 1];

    rx_hex(r->context.id, sizeof(r->context.id), trace);
    rx_warn("attempt.failed",
        "req=" RX_STR_FMT " channel=" RX_STR_FMT " status=%d reason=%s"
        " trace=%s",
        RX_STR_ARG(r->request_id), RX_STR_ARG(r->channel), status,
        rx_log_quote_str(attempt_result(q->attempt)->reason), trace);
}

enum exchange_next
request_judge(void *world)
{
    struct request *q = world;
    struct outcome o = outcome_of(q->attempt);
    enum disposition d =
        disposition_of(&o, q->tries.to->dialect, rx_clock_wall_ms());

    if (q->path.op == OP_COUNT && (o.status == 404 || o.status == 405))
        d = DISPOSITION_NO_COUNT;
    if (d == DISPOSITION_CREDENTIAL)
        request_token_news(q, &o);
    ++*q->proxy->stats.attempts_failed;
    log_failed(q, o.status);
    enum exchange_next next = tries_failed(
        &q->tries, d, &o, rx_loop_ms(q->proxy->loop), proxy_dice(q->proxy));
    if (d == DISPOSITION_REPAIRABLE &&
        q->record.attempt_count < RECORD_ATTEMPTS_MAX && repair(q, o.body)) {
        tries_repeat(&q->tries);
        next = EXCHANGE_TRY_NEXT;
    }
    /* A count of ours now is better than theirs later. */
    if (next == EXCHANGE_WAIT && q->path.op == OP_COUNT &&
        q->tries.to->dialect != q->path.dialect)
        next = EXCHANGE_GIVE_UP;
    if (next == EXCHANGE_GIVE_UP)
        give_up(q, d);
    if (d == DISPOSITION_CREDENTIAL)
        next = request_token_next(q, &o, next);
    if (next != EXCHANGE_GIVE_UP)
        ++*q->proxy->stats.fail_overs;
    return next;
}

static void
on_pause_over(void *arg)
{
    request_note(arg, EXCHANGE_DUE);
}

void
request_pause(void *world)
{
    struct request *q = world;

    if (q->pause.loop == NULL)
        rx_timer_init(&q->pause, q->proxy->loop, on_pause_over, q);
    rx_timer_set(&q->pause, q->tries.pause_ms);
}

void
request_cancel(void *world)
{
    struct request *q = world;

    tries_cancel(&q->tries);
    if (q->attempt == NULL)
        return;
    struct record_attempt *rec =
        q->record.attempts[q->record.attempt_count - 1];
    if (rec->total_ms == 0) {
        rec->total_ms = (uint32_t)(rx_loop_ms(q->proxy->loop) - q->start_ms -
                                   rec->start_ms);
        rec->code = RX_CANCELLED;
        rec->reason = RX_S("client left");
    }
    q->record.usage = attempt_usage(q->attempt);
}
