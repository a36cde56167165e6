#include "dataplane/request.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/admission.h"
#include "dataplane/auth.h"
#include "dataplane/request_parts.h"
#include "dataplane/tariff.h"
#include "shared/clock.h"

#define ARENA_MAX ((size_t)4 * 1024 * 1024)

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
void
request_maybe_free(struct request *q)
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

/* --- its end ----------------------------------------------------------------- */

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
            request_row_describe(q);
        q->record.status = 499;
        request_row_write(q, REQUEST_CANCELLED, "client_left", NULL);
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
    .commit = request_commit,
    .finish = request_finish,
    .refuse = request_refuse,
    .settle = port_settle,
};

/* --- the client's side ----------------------------------------------------- */

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
        request_maybe_free(q);
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
    request_row_begin(q);
    p->requests++;
    p->active++;
    rx_httpd_set_user(req, q);
    rx_httpd_set_body_limit(req, s->settings.max_body_bytes);
}
