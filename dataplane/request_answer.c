/*
 * What the client of a request is told: an upstream's answer from its commit to
 * its end, or why there is none.
 */
#include <inttypes.h>
#include <string.h>

#include "dataplane/codec/estimate.h"
#include "dataplane/headers.h"
#include "dataplane/request_parts.h"

#define HEADERS_MAX ((size_t)64 * 1024)

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

void
request_commit(void *world)
{
    struct request *q = world;

    q->record.status = attempt_status(q->attempt);
    request_row_note_repairs(q);
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

void
request_finish(void *world)
{
    struct request *q = world;
    const struct attempt_result *r = attempt_result(q->attempt);
    const struct usage_seen *seen = attempt_seen(q->attempt);

    request_row_describe(q);
    learn(q);
    q->record.response_bytes += attempt_held(q->attempt).len;
    if (r->code == RX_OK || (seen->error && !r->cut)) {
        bool ok = q->record.status < 400 && !seen->error &&
                  !outgoing_failed(&q->outgoing);
        request_row_write(q, ok ? REQUEST_OK : REQUEST_ERROR,
            ok ? "" : "upstream_error", tell_end);
        return;
    }
    q->broken = r->code == RX_TIMEOUT ? REFUSE_TIMEOUT : REFUSE_CUT;
    q->broken_words = r->code == RX_TIMEOUT
                          ? "the upstream went silent in mid-answer"
                          : "the upstream's answer was cut short";
    request_row_write(q, REQUEST_CUT, refusal_reason(q->broken), tell_broken);
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
    request_row_write(q, REQUEST_OK, "", tell_estimate);
}

void
request_refuse(void *world)
{
    struct request *q = world;

    if (q->estimate) {
        answer_estimate(q);
        return;
    }
    if (q->pass_on) {
        request_row_describe(q);
        q->record.status = attempt_status(q->attempt);
        q->record.response_bytes = attempt_held(q->attempt).len;
        request_row_write(q, REQUEST_ERROR, "upstream_error", tell_passed_on);
        return;
    }
    q->record.status = refusal_status(q->refusal, q->path.dialect);
    request_row_write(
        q, REQUEST_REFUSED, refusal_reason(q->refusal), tell_refusal);
}
