/*
 * The row of a request: what is known when it begins, what its answer says, and
 * the one place where it is handed over to be written.
 */
#include <inttypes.h>
#include <string.h>

#include "dataplane/headers.h"
#include "dataplane/request_parts.h"
#include "dataplane/wire.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/secret.h"

#define TRACE_ADD_MAX ((size_t)4096)

static const rx_str outcome_names[] = {
#define REQUEST_NAME(id, name) RX_STR_INIT(name),
    REQUEST_OUTCOMES(REQUEST_NAME)
#undef REQUEST_NAME
};

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

void
request_row_begin(struct request *q)
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
void
request_row_note_repairs(struct request *q)
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

/* What the record says of an answer that was (partly) shown. */
void
request_row_describe(struct request *q)
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
    request_maybe_free(q);
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
void
request_row_write(struct request *q, enum request_outcome outcome,
    const char *reason, void (*tell)(struct request *q))
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

const char *
request_outcome_name(enum request_outcome outcome)
{
    return outcome_names[outcome].ptr;
}
