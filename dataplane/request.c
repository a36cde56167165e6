#include "dataplane/request.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/admission.h"
#include "dataplane/auth.h"
#include "dataplane/codec/estimate.h"
#include "dataplane/headers.h"
#include "dataplane/request_parts.h"
#include "dataplane/tariff.h"
#include "dataplane/wire.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/secret.h"

#define ARENA_MAX     ((size_t)4 * 1024 * 1024)
#define HEADERS_MAX   ((size_t)64 * 1024)
#define TRACE_ADD_MAX ((size_t)4096)

static const rx_str outcome_names[] = {
#define REQUEST_NAME(id, name) RX_STR_INIT(name),
    REQUEST_OUTCOMES(REQUEST_NAME)
#undef REQUEST_NAME
};

static void
schedule(struct request *q)
{
    rx_loop_post(q->proxy->loop, &q->run);
}

void
request_note(struct request *q, enum exchange_fact fact)
{
    exchange_note(&q->exchange, fact);
    schedule(q);
}

static void
free_request(void *arg)
{
    struct request *q = arg;

    rx_loop_unpost(q->proxy->loop, &q->run);
    inbound_fini(&q->in);
    outgoing_fini(&q->outgoing);
    capture_drop(q->capture);
    rx_arena_free(q->arena);
    snapshot_unpin(q->snapshot);
    free(q);
}

/* All must be done with it: exchange, journal and the client's connection. */
static void
maybe_free(struct request *q)
{
    if (q->req == NULL && q->row_written)
        rx_loop_bury(q->proxy->loop, free_request, q);
}

static void
run_task(void *arg)
{
    struct request *q = arg;

    exchange_run(&q->exchange);
}

/* --- the answer ------------------------------------------------------------ */

static void
add_own(struct rx_buf *out, rx_str name_colon, rx_str value)
{
    rx_buf_add(out, name_colon);
    rx_buf_add(out, value);
    rx_buf_add(out, RX_S("\r\n"));
}

static void
add_own_headers(struct request *q, struct rx_buf *out)
{
    add_own(out, RX_S("x-routex-request-id: "), q->record.request_id);
    if (q->record.attempt_count == 0)
        return;
    add_own(out, RX_S("x-routex-channel: "), q->record.channel);
    if (q->record.model.len > 0)
        add_own(out, RX_S("x-routex-model: "), q->record.model);
    if (q->record.rule.len > 0)
        add_own(out, RX_S("x-routex-rule: "), q->record.rule);
    char attempts = (char)('0' + q->record.attempt_count);
    add_own(out, RX_S("x-routex-attempts: "), (rx_str){ &attempts, 1 });
    size_t losses = outgoing_losses(&q->outgoing);
    if (losses > 0)
        rx_buf_addf(out, "x-routex-losses: %zu\r\n", losses);
}

/* The upstream's status and headers, with ours. */
static void
start_answer(struct request *q)
{
    struct rx_buf headers;

    rx_buf_init(&headers, HEADERS_MAX);
    rx_buf_add(&headers, attempt_headers(q->attempt));
    add_own_headers(q, &headers);
    rx_httpd_start(q->req, q->record.status, rx_buf_str(&headers),
        attempt_length(q->attempt));
    rx_buf_fini(&headers);
    attempt_forget_headers(q->attempt);
    q->head_sent = true;
}

/* With the head of an answer without a body the client has all of it. */
static bool
head_is_all(const struct attempt *a)
{
    int status = attempt_status(a);

    return attempt_length(a) == 0 || status == 204 || status == 304;
}

/* One more member of the row's trace, if it fits there. */
static void
add_to_trace(struct request *q, const char *name, rx_str value)
{
    rx_str trace = q->record.trace;
    struct rx_buf b;

    if (trace.len < 2)
        return;
    rx_buf_init(&b, WIRE_TRACE_MAX);
    rx_buf_add(&b, (rx_str){ trace.ptr, trace.len - 1 });
    rx_buf_addf(&b, "%s\"%s\":", trace.len > 2 ? "," : "", name);
    rx_buf_add(&b, value);
    rx_buf_addc(&b, '}');
    if (!b.full)
        q->record.trace = rx_arena_copy(q->arena, rx_buf_str(&b));
    rx_buf_fini(&b);
}

/* What was left out for being minded: for the next request, and for the row. */
static void
note_repairs(struct request *q)
{
    const struct candidate *to = q->tries.to;
    struct rx_buf b;

    if (q->outgoing.repairs == 0)
        return;
    if (to == q->repairing && q->record.status < 300)
        minds_learn(q->proxy->minds,
            &(struct minds_of){ to->channel->id, to->dialect, to->model },
            &q->repair, rx_loop_ms(q->proxy->loop));
    rx_buf_init(&b, TRACE_ADD_MAX);
    rx_buf_addc(&b, '"');
    rx_buf_add_json(&b, rx_buf_str(&q->outgoing.without));
    rx_buf_addc(&b, '"');
    add_to_trace(q, "without", rx_buf_str(&b));
    rx_buf_fini(&b);
}

/* What could not be said in the other dialect, of the request or its answer. */
static void
note_losses(struct request *q)
{
    struct rx_buf b;

    rx_buf_init(&b, TRACE_ADD_MAX);
    rx_buf_addc(&b, '[');
    if (outgoing_list_losses(&q->outgoing, &b)) {
        rx_buf_addc(&b, ']');
        add_to_trace(q, "lost", rx_buf_str(&b));
    }
    rx_buf_fini(&b);
}

static void
port_commit(void *world)
{
    struct request *q = world;

    q->record.status = attempt_status(q->attempt);
    note_repairs(q);
    if (!head_is_all(q->attempt))
        start_answer(q);
    if (q->record.status < 300 && q->path.op == OP_CREATE &&
        tries_pin(&q->tries, rx_loop_ms(q->proxy->loop)))
        gossip_pin(q->proxy->gossip, &q->tries.session);
    attempt_open(q->attempt);
    /* Nothing will be sent again: give the conversation's memory back. */
    if (!attempt_sent(q->attempt))
        return;
    if (outgoing_sent(&q->outgoing)) {
        inbound_release(&q->in);
        rx_httpd_drop_body(q->req);
    }
}

/* What the record says of an answer that was (partly) shown. */
static void
describe_answer(struct request *q)
{
    const struct usage_seen *seen = attempt_seen(q->attempt);
    uint64_t first = attempt_first_content_ms(q->attempt);

    q->record.usage = attempt_usage(q->attempt);
    if (first != 0)
        q->record.ttft_ms = first - q->start_ms > 0 ? first - q->start_ms : 1;
    if (seen != NULL) {
        q->record.model_served = rx_arena_copy(q->arena, seen->model);
        q->record.finish = rx_arena_copy(q->arena, seen->finish);
    }
}

static void
count(struct request *q)
{
    struct proxy_stats *s = &q->proxy->stats;
    const struct record *r = &q->record;

    ++*s->requests[r->dialect];
    ++*s->outcomes[q->outcome];
    *s->bytes_in += r->request_bytes;
    *s->bytes_out += r->response_bytes;
    rx_histogram_add(s->duration, r->duration_ms);
    if (r->ttft_ms != 0)
        rx_histogram_add(s->ttft, r->ttft_ms);
}

/* With what the client is about to get; a refusal of ours has no body. */
static void
end_capture(struct request *q)
{
    if (q->capture == NULL)
        return;
    if (q->attempt != NULL && q->outcome != REQUEST_CANCELLED &&
        q->outcome != REQUEST_REFUSED)
        capture_answer(q->capture, attempt_held(q->attempt));
    capture_end(q->capture, q->record.request_id, q->record.started_ms);
    q->capture = NULL;
}

/*
 * The one place where the end of an answer is let go: its row is in the journal
 * now, so whoever saw the end finds the row, whoever is killed when.
 */
static void
on_row_written(void *arg)
{
    struct request *q = arg;

    q->row_written = true;
    end_capture(q);
    if (q->req != NULL && q->tell != NULL)
        q->tell(q);
    attempt_free(q->attempt);
    q->attempt = NULL;
    maybe_free(q);
}

static void
log_done(const struct request *q)
{
    const struct record *r = &q->record;
    char trace[2 * sizeof(r->context.id) + 1];

    rx_hex(r->context.id, sizeof(r->context.id), trace);
    outgoing_log_losses(&q->outgoing, r->request_id);
    rx_log_at(q->outcome == REQUEST_OK ? RX_LOG_DEBUG : RX_LOG_INFO,
        "request.done",
        "req=" RX_STR_FMT " dialect=%s model=%s channel=" RX_STR_FMT
        " status=%d outcome=" RX_STR_FMT " attempts=%zu ms=%" PRIu64
        " trace=%s",
        RX_STR_ARG(r->request_id), dialect_name(r->dialect),
        rx_log_quote_str(r->model_requested), RX_STR_ARG(r->channel), r->status,
        RX_STR_ARG(r->outcome), r->attempt_count, r->duration_ms, trace);
}

/* Have the row written, once, and `tell` called after that. */
static void
account(struct request *q, enum request_outcome outcome, const char *reason,
    void (*tell)(struct request *q))
{
    struct record *r = &q->record;

    if (q->accounted)
        return;
    q->accounted = true;
    q->outcome = outcome;
    q->tell = tell;
    r->outcome = outcome_names[outcome];
    r->reason = (rx_str){ reason, strlen(reason) };
    r->duration_ms = rx_loop_ms(q->proxy->loop) - q->start_ms;
    if (r->duration_ms < r->ttft_ms)
        r->duration_ms = r->ttft_ms; /* which is 1 where it took no time */
    note_losses(q);
    q->row = (struct report_entry){ .written = on_row_written, .arg = q };
    report_add(follow_report(q->proxy->follow), r, &q->row);
    count(q);
    log_done(q);
}

/* What is left of the answer. */
static void
send_rest(struct request *q)
{
    rx_str rest = attempt_held(q->attempt);

    if (!q->head_sent)
        start_answer(q);
    if (rest.len > 0)
        rx_httpd_write(q->req, rest);
}

static void
tell_end(struct request *q)
{
    send_rest(q);
    rx_httpd_end(q->req);
}

/* The answer broke off after commit: say so in the dialect, if it can. */
static void
tell_broken(struct request *q)
{
    const struct usage_seen *seen = attempt_seen(q->attempt);
    struct rx_buf event;

    send_rest(q);
    if (q->outgoing.translation != NULL) {
        rx_httpd_end(q->req); /* it has said so already */
        return;
    }
    if (!attempt_is_sse(q->attempt) || attempt_is_encoded(q->attempt) ||
        attempt_length(q->attempt) != RX_HTTPD_CHUNKED) {
        rx_httpd_abort(q->req);
        return;
    }
    rx_buf_init(&event, HEADERS_MAX);
    refusal_event(&event, q->broken, q->path.dialect,
        (rx_str){ q->broken_words, strlen(q->broken_words) },
        seen->at_boundary);
    rx_httpd_write(q->req, rx_buf_str(&event));
    rx_buf_fini(&event);
    rx_httpd_end(q->req);
}

/* A stored answer of a provider in the client's own dialect. */
static void
note_kept(struct request *q)
{
    const struct usage_seen *seen = attempt_seen(q->attempt);

    if (q->path.dialect != DIALECT_RESPONSES || q->path.op != OP_CREATE ||
        q->tries.to->dialect != DIALECT_RESPONSES || seen->not_kept ||
        seen->answer_id.len == 0)
        return;
    struct session_key key =
        session_of_response(q->key->tenant->id, seen->answer_id);
    tries_kept(&q->tries, &key, rx_loop_ms(q->proxy->loop));
    gossip_pin(q->proxy->gossip, &key);
}

/* What the relayed attempt teaches. */
static void
learn(struct request *q)
{
    const struct attempt_result *r = attempt_result(q->attempt);
    bool whole = r->code == RX_OK && !attempt_seen(q->attempt)->error;
    enum disposition d = DISPOSITION_CUT;

    if (r->http_status >= 400)
        d = DISPOSITION_CLIENT;
    else if (whole)
        d = DISPOSITION_GOOD;
    if (d == DISPOSITION_GOOD)
        note_kept(q);
    tries_done(&q->tries, d, attempt_limits(q->attempt),
        attempt_first_content_ms(q->attempt), &q->record.usage,
        rx_loop_ms(q->proxy->loop), proxy_dice(q->proxy));
}

static void
port_finish(void *world)
{
    struct request *q = world;
    const struct attempt_result *r = attempt_result(q->attempt);
    const struct usage_seen *seen = attempt_seen(q->attempt);

    describe_answer(q);
    learn(q);
    q->record.response_bytes += attempt_held(q->attempt).len;
    if (r->code == RX_OK || (seen->error && !r->cut)) {
        bool ok = q->record.status < 400 && !seen->error &&
                  !outgoing_failed(&q->outgoing);
        account(q, ok ? REQUEST_OK : REQUEST_ERROR, ok ? "" : "upstream_error",
            tell_end);
        return;
    }
    q->broken = r->code == RX_TIMEOUT ? REFUSE_TIMEOUT : REFUSE_CUT;
    q->broken_words = r->code == RX_TIMEOUT
                          ? "the upstream went silent in mid-answer"
                          : "the upstream's answer was cut short";
    account(q, REQUEST_CUT, refusal_reason(q->broken), tell_broken);
}

/* When it is worth asking again, in whole seconds, as far as it is known. */
static void
add_retry_after(struct request *q, struct rx_buf *out)
{
    uint64_t now = rx_loop_ms(q->proxy->loop);

    if (q->retry_ms > now)
        rx_buf_addf(out, "retry-after: %" PRIu64 "\r\n",
            (q->retry_ms - now + 999) / 1000);
}

/* The last upstream's own words, unchanged. */
static void
tell_passed_on(struct request *q)
{
    const struct limit_facts *said = attempt_limits(q->attempt);
    struct rx_buf headers;

    rx_buf_init(&headers, HEADERS_MAX);
    rx_buf_add(&headers, attempt_headers(q->attempt));
    if (said == NULL || said->retry_after_ms == 0)
        add_retry_after(q, &headers);
    add_own_headers(q, &headers);
    rx_httpd_reply(q->req, q->record.status, rx_buf_str(&headers),
        attempt_held(q->attempt));
    rx_buf_fini(&headers);
}

static void
tell_refusal(struct request *q)
{
    struct rx_buf headers;

    rx_buf_init(&headers, HEADERS_MAX);
    add_own_headers(q, &headers);
    rx_buf_add(&headers, q->refusal_headers);
    add_retry_after(q, &headers);
    proxy_refuse(q->req, q->refusal, q->path.dialect, q->refusal_words,
        q->record.request_id, rx_buf_str(&headers));
    rx_buf_fini(&headers);
}

/* A count of ours, in the shape the client expects, and marked. */
static void
tell_estimate(struct request *q)
{
    struct rx_buf headers;
    struct rx_buf body;

    rx_buf_init(&body, HEADERS_MAX);
    estimate_answer(
        q->path.dialect, q->record.usage.n[USAGE_in_uncached], &body);
    rx_buf_init(&headers, HEADERS_MAX);
    rx_buf_add(&headers, RX_S("content-type: application/json\r\n"
                              "x-routex-estimated: 1\r\n"));
    add_own_headers(q, &headers);
    rx_httpd_reply(q->req, 200, rx_buf_str(&headers), rx_buf_str(&body));
    rx_buf_fini(&headers);
    rx_buf_fini(&body);
}

static void
answer_estimate(struct request *q)
{
    uint64_t tokens = estimate_tokens(q->path.dialect, q->in.body);
    struct rx_buf body;

    rx_buf_init(&body, HEADERS_MAX);
    estimate_answer(q->path.dialect, tokens, &body);
    q->record.usage = (struct usage){ .has = 1u << USAGE_in_uncached,
        .provenance = PROVENANCE_ESTIMATED };
    q->record.usage.n[USAGE_in_uncached] = tokens;
    q->record.status = 200;
    q->record.response_bytes = body.len;
    rx_buf_fini(&body);
    account(q, REQUEST_OK, "", tell_estimate);
}

static void
port_refuse(void *world)
{
    struct request *q = world;

    if (q->estimate) {
        answer_estimate(q);
        return;
    }
    if (q->pass_on) {
        describe_answer(q);
        q->record.status = attempt_status(q->attempt);
        q->record.response_bytes = attempt_held(q->attempt).len;
        account(q, REQUEST_ERROR, "upstream_error", tell_passed_on);
        return;
    }
    q->record.status = refusal_status(q->refusal, q->path.dialect);
    account(q, REQUEST_REFUSED, refusal_reason(q->refusal), tell_refusal);
}

static struct limits_time
limits_now(const struct proxy *p)
{
    return (struct limits_time){ rx_loop_ms(p->loop), rx_clock_wall_ms() };
}

/* What the row says it took is what is charged. */
static void
settle_limits(struct request *q)
{
    struct limit_amount amount = { 0 };

    if (q->path.op != OP_COUNT) {
        amount.tokens = usage_tokens(&q->record.usage);
        if (q->key != NULL && admission_counts_money(q->key->guard))
            amount.money = tariff_of_record(q->snapshot, &q->record);
    }
    limits_leave(follow_limits(q->proxy->follow), &q->hold, amount,
        limits_now(q->proxy));
}

static void
port_settle(void *world)
{
    struct request *q = world;

    if (q->exchange.cancelled) {
        if (q->head_sent)
            describe_answer(q);
        q->record.status = 499;
        account(q, REQUEST_CANCELLED, "client_left", NULL);
    }
    attempt_stop(q->attempt);
    request_token_forget(q);
    rx_timer_fini(&q->pause);
    if (q->key->guard != NULL)
        settle_limits(q);
    q->proxy->active--;
}

static const struct exchange_port port = {
    .attempt = request_attempt,
    .judge = request_judge,
    .pause = request_pause,
    .cancel = request_cancel,
    .commit = port_commit,
    .finish = port_finish,
    .refuse = port_refuse,
    .settle = port_settle,
};

/* --- the client's side ----------------------------------------------------- */

/*
 * "req_" and 24 hex digits, the time first and then chance: unique, not secret,
 * and cheap to index, because what comes later sorts later.
 */
static rx_str
make_id(struct request *q)
{
    uint64_t now = rx_clock_wall_ms();
    uint64_t dice = proxy_dice(q->proxy);
    char text[4 + 2 * sizeof(q->id) + 1] = "req_";

    for (size_t i = 0; i < 6; i++)
        q->id[i] = (unsigned char)(now >> (40 - 8 * i));
    memcpy(q->id + 6, &dice, 6);
    rx_hex(q->id, sizeof(q->id), text + 4);
    return rx_arena_copy(q->arena, (rx_str){ text, sizeof(text) - 1 });
}

/* A header's value for the row, cut to what is sensible. */
static rx_str
keep_header(struct request *q, const char *name, size_t most)
{
    rx_str v =
        rx_httpd_header(rx_httpd_head(q->req), (rx_str){ name, strlen(name) });

    if (v.len > most)
        v.len = most;
    return rx_arena_copy(q->arena, v);
}

static void
begin_record(struct request *q)
{
    const struct rx_httpd_head *head = rx_httpd_head(q->req);
    struct record *r = &q->record;

    r->request_id = make_id(q);
    r->started_ms = rx_clock_wall_ms();
    r->tenant_id = q->key->tenant->id;
    r->key_id = q->key->id;
    r->dialect = q->path.dialect;
    r->operation = q->path.op;
    r->tag = keep_header(q, "x-routex-tag", 128);
    r->user_agent = keep_header(q, "user-agent", 256);
    r->session = rx_arena_copy(q->arena, headers_session(head));
    r->client_ip = rx_arena_copy(q->arena, head->peer);
    request_trace_begin(q);
}

/* May this request be taken at all?  NULL and why, if not. */
static const struct client_key *
admit(struct proxy *p, const struct snapshot *s,
    const struct rx_httpd_head *head, enum refusal *why, const char **words)
{
    static const char *const by_refusal[] = {
        [REFUSE_NO_KEY] = "no API key: send it as x-api-key, as "
                          "authorization: Bearer, or as x-goog-api-key",
        [REFUSE_BAD_KEY] = "this API key is not known here",
        [REFUSE_KEY_DISABLED] = "this API key is disabled",
        [REFUSE_KEY_EXPIRED] = "this API key has expired",
    };

    if (s == NULL) {
        *why = REFUSE_NOT_READY;
        *words = "no configuration yet: the control plane was not heard";
        return NULL;
    }
    const struct client_key *key = auth_check(s, head, rx_clock_wall_ms(), why);
    if (key == NULL) {
        *words = by_refusal[*why];
        return NULL;
    }
    if (!report_admits(follow_report(p->follow))) {
        *why = REFUSE_JOURNAL_FULL;
        *words = "usage cannot be recorded now, and policy is to refuse";
        return NULL;
    }
    return key;
}

static bool
reserve_limits(struct request *q)
{
    struct admission no;

    if (q->path.op == OP_COUNT ||
        admission_reserve(follow_limits(q->proxy->follow), q->key, q->snapshot,
            q->path.dialect, &q->in, limits_now(q->proxy), &q->hold, &no))
        return true;
    q->refusal = no.refusal;
    q->refusal_words =
        rx_arena_copy(q->arena, (rx_str){ no.words, strlen(no.words) }).ptr;
    q->refusal_headers =
        rx_arena_copy(q->arena, (rx_str){ no.headers, strlen(no.headers) });
    ++*q->proxy->stats.limited;
    return false;
}

static void
on_body(void *guest)
{
    struct request *q = guest;
    struct rx_err err = { 0 };

    q->record.request_bytes = rx_httpd_body(q->req).len;
    enum rx_code code =
        inbound_read(&q->in, rx_httpd_head(q->req), rx_httpd_body(q->req),
            &q->path, q->arena, q->snapshot->settings.max_body_bytes, &err);
    q->record.stream = q->in.stream;
    q->record.model_requested = q->in.model;
    if (q->record.session.len == 0)
        q->record.session = q->in.session;
    if (code == RX_OK && q->path.op != OP_COUNT) {
        q->capture = capture_begin(q->proxy->captures, q->snapshot, q->key);
        if (q->capture != NULL)
            capture_request(q->capture, q->in.body);
    }
    if (code == RX_OK) {
        bool room = q->key->guard == NULL || reserve_limits(q);
        request_note(q, room ? EXCHANGE_BODY : EXCHANGE_REFUSED);
        return;
    }
    q->refusal = q->in.refusal;
    q->refusal_words = request_keep_words(q, &err);
    request_note(q, EXCHANGE_REFUSED);
}

static void
on_drained(void *guest)
{
    struct request *q = guest;

    if (q->attempt != NULL)
        attempt_resume(q->attempt);
}

/* Was its body turned down on its way?  The server has told the client. */
static bool
turned_down(enum rx_code how, enum refusal *why)
{
    static const struct {
        enum rx_code how;
        enum refusal why;
    } rows[] = {
        { RX_TOO_BIG, REFUSE_TOO_BIG },
        { RX_TIMEOUT, REFUSE_CLIENT_SLOW },
        { RX_INVALID, REFUSE_BAD_REQUEST },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (rows[i].how == how) {
            *why = rows[i].why;
            return true;
        }
    }
    return false;
}

static void
on_closed(void *guest, enum rx_code how)
{
    struct request *q = guest;

    q->req = NULL;
    /* The body goes with the connection, and may be on its way up. */
    attempt_stop(q->attempt);
    if (q->exchange.state == EXCHANGE_DONE) {
        maybe_free(q);
        return;
    }
    /* However it went, nobody is there to be answered any more. */
    bool refused =
        q->exchange.state == EXCHANGE_READ && turned_down(how, &q->refusal);
    request_note(q, refused ? EXCHANGE_REFUSED : EXCHANGE_GONE);
}

static const struct proxy_guest guest_calls = {
    .body = on_body,
    .drained = on_drained,
    .closed = on_closed,
};

/* May a key with limits come in?  A refusal here writes no row. */
static bool
enter_limits(struct proxy *p, struct rx_httpd_req *req, const struct path *path,
    const struct client_key *key, struct limits_hold *hold)
{
    struct admission no;

    if (admission_enter(follow_limits(p->follow), key, rx_httpd_head(req)->peer,
            limits_now(p), hold, &no))
        return true;
    ++*p->stats.limited;
    proxy_refuse(req, no.refusal, path->dialect, no.words, (rx_str){ 0 },
        (rx_str){ no.headers, strlen(no.headers) });
    return false;
}

void
request_begin(
    struct proxy *p, struct rx_httpd_req *req, const struct path *path)
{
    const struct snapshot *s = follow_snapshot(p->follow);
    enum refusal why = REFUSE_INTERNAL;
    const char *words = "";
    const struct client_key *key =
        admit(p, s, rx_httpd_head(req), &why, &words);

    if (key == NULL) {
        ++*p->stats.refused;
        proxy_refuse(
            req, why, path->dialect, words, (rx_str){ 0 }, (rx_str){ 0 });
        return;
    }
    struct limits_hold hold = { 0 };
    if (key->guard != NULL && !enter_limits(p, req, path, key, &hold))
        return;
    struct request *q = calloc(1, sizeof(*q));
    if (q == NULL)
        abort();
    q->hold = hold;
    q->guest = &guest_calls;
    q->proxy = p;
    q->req = req;
    q->snapshot = snapshot_pin(s);
    q->key = key;
    q->path = *path;
    q->arena = rx_arena_new(ARENA_MAX);
    q->start_ms = rx_loop_ms(p->loop);
    q->run = (struct rx_task){ .fn = run_task, .arg = q };
    outgoing_init(&q->outgoing);
    exchange_init(&q->exchange, &port, q);
    begin_record(q);
    p->requests++;
    p->active++;
    rx_httpd_set_user(req, q);
    rx_httpd_set_body_limit(req, s->settings.max_body_bytes);
}

const char *
request_outcome_name(enum request_outcome outcome)
{
    return outcome_names[outcome].ptr;
}
