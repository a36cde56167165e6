#include "dataplane/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/attempt_parts.h"
#include "dataplane/disposition.h"
#include "dataplane/transform/transform.h"

#define HELD_MAX     ((size_t)64 * 1024) /* a gate holds no more than this */
#define HEADERS_MAX  ((size_t)64 * 1024)
/* An error body is kept whole up to here, to be passed on unchanged. */
#define ERROR_MAX    ((size_t)1024 * 1024)
#define EVIDENCE_MAX ((size_t)16 * 1024)

/* After the terminal event the upstream may still end its framing. */
#define GRACE_MS 50

/* In words, for a limit that passed in this phase. */
static const char *const timed_out[] = {
    [CONNECT] = "connect: timed out",
    [FIRST_BYTE] = "first byte: timed out",
    [FIRST_EVENT] = "first event: timed out",
    [IDLE] = "idle: nothing came for too long",
    [OVER] = "",
};

static uint64_t
now(const struct attempt *a)
{
    return rx_loop_ms(a->r.loop);
}

/* The client waits for nothing but the end of the upstream's framing. */
static bool
in_grace(const struct attempt *a)
{
    return a->gate_told && a->last_held;
}

static void
set_phase(struct attempt *a, enum phase phase)
{
    const struct timeouts *t = &a->r.to->channel->timeouts;
    const uint32_t limits[] = {
        [CONNECT] = 0, /* the client of shared/ watches that one */
        [FIRST_BYTE] = t->first_byte,
        [FIRST_EVENT] = t->first_event,
        [IDLE] = in_grace(a) ? GRACE_MS : t->idle,
        [OVER] = 0,
    };

    a->phase = phase;
    if (limits[phase] > 0)
        rx_timer_set(&a->limit, limits[phase]);
    else
        rx_timer_unset(&a->limit);
}

static rx_str
keep_text(struct attempt *a, const char *words)
{
    return rx_arena_copy(a->r.arena, (rx_str){ words, strlen(words) });
}

static uint32_t
since_start(const struct attempt *a)
{
    uint64_t ms = now(a) - a->start_ms;

    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* The statuses that another channel or key may not have. */
static bool
status_is_retryable(int status)
{
    switch (status) {
    case 401:
    case 402:
    case 403:
    case 408:
    case 429: return true;
    default: return status >= 500;
    }
}

/* Counting is not offered everywhere; another channel may have it. */
static bool
cannot_count(const struct attempt *a, int status)
{
    return a->r.op == OP_COUNT && (status == 404 || status == 405);
}

static void
write_record(struct attempt *a)
{
    struct record_attempt *rec = a->r.record;
    const struct usage_seen *seen = attempt_seen(a);

    rec->status = a->result.http_status;
    rec->code = a->result.code;
    rec->reason = a->result.reason;
    rec->total_ms = since_start(a);
    if (seen != NULL && (seen->content || seen->terminal)) {
        rec->usage = attempt_usage(a);
        rec->has_usage = rec->usage.has != 0;
    }
}

/* The one end: whatever happened, the owner hears it once. */
static void
over(struct attempt *a, enum rx_code code, const char *why)
{
    set_phase(a, OVER);
    rx_timer_unset(&a->total);
    heartbeat_stop(&a->heartbeat);
    a->result.code = code;
    if (code != RX_OK && a->result.reason.len == 0)
        a->result.reason = keep_text(a, why);
    write_record(a);
    a->events->on_end(a->arg);
}

static void
tell_gate(struct attempt *a)
{
    if (a->gate_told)
        return;
    a->gate_told = true;
    set_phase(a, IDLE);
    a->events->on_gate(a->arg);
}

static void
drop_call(struct attempt *a)
{
    if (a->call != NULL)
        rx_client_cancel(a->call);
    a->call = NULL;
}

/* What a translation still has to say, at the end or at a break. */
static void
end_translation(struct attempt *a, bool clean)
{
    struct translation *t = a->r.translation;

    if (t == NULL || !a->head_seen)
        return;
    a->last_held = true; /* it is the end, whatever it is */
    a->held.cap = TRANSLATED_MAX;
    translation_end(t, clean, &a->held);
}

static void
time_out(struct attempt *a, const char *why)
{
    drop_call(a);
    if (a->tap != NULL)
        usage_tap_end(a->tap, false);
    end_translation(a, a->tap != NULL && usage_tap_seen(a->tap)->terminal);
    if (a->gate_told && usage_tap_seen(a->tap)->terminal) {
        a->result.answered = true;
        over(a, RX_OK, "");
        return;
    }
    a->result.cut = a->gate_told;
    over(a, RX_TIMEOUT, why);
}

static void
on_limit(void *arg)
{
    struct attempt *a = arg;

    time_out(a, timed_out[a->phase]);
}

static void
on_total(void *arg)
{
    time_out(arg, "total: took too long");
}

static void
on_connected(void *arg, bool reused)
{
    struct attempt *a = arg;

    a->r.record->connect_ms = since_start(a);
    a->r.record->reused = reused;
    set_phase(a, FIRST_BYTE);
}

static void
on_sent(void *arg)
{
    struct attempt *a = arg;

    a->sent = true;
    if (a->phase == FIRST_BYTE)
        set_phase(a, FIRST_BYTE); /* sending a large body took its time */
}

static void
on_head(void *arg, const struct rx_client_head *head)
{
    struct attempt *a = arg;

    a->head_seen = true;
    a->result.status = a->result.http_status = head->status;
    a->retryable =
        status_is_retryable(head->status) || cannot_count(a, head->status);
    a->r.record->first_byte_ms = since_start(a);
    attempt_keep_head(a, head);
    if (a->retryable || head->status >= 300)
        a->held.cap = a->r.translation != NULL ? TRANSLATED_MAX : ERROR_MAX;
    set_phase(a, a->sse ? FIRST_EVENT : IDLE);
}

/* An error event in a 200 counts as the status it stands for. */
static void
take_error_event(struct attempt *a, const struct usage_seen *seen)
{
    char words[160];

    a->error_taken = true;
    a->retryable =
        seen->error_status == 0 || status_is_retryable(seen->error_status);
    if (seen->error_status != 0)
        a->result.status = seen->error_status;
    snprintf(words, sizeof(words), "error event: " RX_STR_FMT,
        (int)(seen->error_type.len < 100 ? seen->error_type.len : 100),
        seen->error_type.ptr != NULL ? seen->error_type.ptr : "");
    a->result.reason = keep_text(a, words);
}

/* May the client see what is held? */
static void
look_at_gate(struct attempt *a)
{
    const struct usage_seen *seen = usage_tap_seen(a->tap);

    if (a->gate_told || a->retryable || a->result.status >= 300)
        return;
    bool whole = a->r.translation != NULL && !a->r.stream;
    /* A translated document has its status and its bytes at the end, and is
     * shown when nothing was wrong with any of it: judge_whole(). */
    if (whole && !a->body_ended)
        return;
    if (seen->error && (whole || !seen->content)) {
        if (!a->error_taken)
            take_error_event(a, seen);
        return;
    }
    if (whole)
        return;
    if (a->sse || a->r.stream ? (seen->content || seen->terminal ||
                                    seen->unreadable || a->held.len >= HELD_MAX)
                              : a->held.len >= HELD_MAX)
        tell_gate(a);
}

static void
note_first_content(struct attempt *a)
{
    if (a->first_content_ms == 0 && usage_tap_seen(a->tap)->content)
        a->first_content_ms = now(a);
}

/* With these bytes the client could take the answer for complete. */
static bool
is_last(const struct attempt *a)
{
    return usage_tap_seen(a->tap)->terminal || a->r.record->bytes == a->length;
}

/*
 * The end of an answer is held back until the request is accounted for: a
 * client that saw the end must find its row, whoever is killed when.  The
 * upstream gets a moment to end its framing, so that the connection can be
 * used again.
 */
static void
hold_last(struct attempt *a)
{
    if (a->last_held)
        return;
    a->last_held = true;
    if (a->gate_told)
        set_phase(a, IDLE);
}

/* What the upstream said in its own words, as far as it is looked at. */
static void
keep_evidence(struct attempt *a, rx_str bytes)
{
    size_t room = EVIDENCE_MAX - a->evidence.len;

    rx_buf_add(&a->evidence,
        (rx_str){ bytes.ptr, bytes.len < room ? bytes.len : room });
}

/* An answer beyond all bounds: the connection is not worth it. */
static void
give_up(struct attempt *a, const char *why)
{
    drop_call(a);
    usage_tap_end(a->tap, false);
    over(a, RX_UPSTREAM, why);
}

/* For the client, who has the head of its answer. */
static void
show(struct attempt *a, rx_str bytes)
{
    if (bytes.len == 0)
        return;
    a->events->on_bytes(a->arg, bytes);
    heartbeat_moved(&a->heartbeat);
}

/* Do the bytes shown so far end between two plain events? */
static bool
is_between_events(const struct attempt *a)
{
    if (a->result.http_status >= 300)
        return false;
    if (a->r.translation != NULL)
        return a->r.stream; /* it makes whole ones */
    return a->sse && !a->encoded && !a->filtering &&
           a->length == RX_HTTPD_CHUNKED && usage_tap_seen(a->tap)->at_boundary;
}

static void
on_silence(void *arg, rx_str words)
{
    struct attempt *a = arg;

    if (a->opened && a->call != NULL && !a->last_held && !a->paused &&
        is_between_events(a))
        a->events->on_bytes(a->arg, words);
}

/* Bytes of the answer, in the channel's dialect.  False: it is over. */
static bool
take_bytes(struct attempt *a, rx_str bytes)
{
    usage_tap_feed(a->tap, bytes);
    note_first_content(a);
    if (is_last(a))
        hold_last(a);
    if (a->r.translation != NULL) {
        if (!a->opened)
            keep_evidence(a, bytes);
        rx_buf_clear(&a->translated);
        translation_feed(a->r.translation, bytes, &a->translated);
        bytes = rx_buf_str(&a->translated);
    }
    if (a->opened && !a->last_held) {
        show(a, bytes);
        return true;
    }
    if (!rx_buf_add(&a->held, bytes)) {
        give_up(a, "answer too large to hold");
        return false;
    }
    if (a->opened)
        return true;
    look_at_gate(a);
    /* Until the loop has opened the gate the rest waits in the kernel. */
    if (a->gate_told && !a->last_held && a->held.len >= HELD_MAX)
        attempt_pause(a);
    return true;
}

/* What the channel's transformers made of some bytes, or of the end. */
static bool
take_transformed(struct attempt *a, const struct transform_bytes *b)
{
    if (b->hidden.len > 0)
        usage_tap_feed(a->tap, b->hidden);
    return b->shown.len == 0 || take_bytes(a, b->shown);
}

static void
on_body(void *arg, rx_str bytes)
{
    struct attempt *a = arg;
    struct transform_bytes out;

    a->r.record->bytes += bytes.len;
    if (a->phase == IDLE && !a->paused && !in_grace(a))
        set_phase(a, IDLE);
    if (!a->filtering)
        take_bytes(a, bytes);
    else if (transform_filter_feed(a->r.filter, bytes, &out) != RX_OK)
        give_up(a, "answer not readable");
    else
        take_transformed(a, &out);
}

/* The answer is all here and the gate is still shut: is it worth showing? */
static void
judge_whole(struct attempt *a)
{
    const struct usage_seen *seen = usage_tap_seen(a->tap);

    a->result.answered = true;
    if (a->retryable || !disposition_is_final(a->result.status,
                            attempt_evidence(a), a->r.dialect)) {
        over(a, RX_UPSTREAM, "refused by the provider");
        return;
    }
    if (a->result.status < 300 && a->r.op == OP_CREATE && !seen->terminal &&
        !seen->unreadable) {
        a->result.answered = false;
        a->result.cut = true;
        over(a, RX_UPSTREAM, "ended without its terminal event");
        return;
    }
    tell_gate(a);
    over(a, RX_OK, "");
}

static void
on_client_end(void *arg, enum rx_code code, const char *why)
{
    struct attempt *a = arg;

    a->call = NULL;
    if (a->filtering) {
        struct transform_bytes rest;
        transform_filter_end(a->r.filter, code == RX_OK, &rest);
        if (!take_transformed(a, &rest))
            return;
    }
    if (a->tap != NULL)
        usage_tap_end(a->tap, code == RX_OK);
    if (code != RX_OK || !a->head_seen) {
        end_translation(a, false);
        a->result.cut = a->gate_told;
        over(a, code != RX_OK ? code : RX_UPSTREAM, why);
        return;
    }
    a->body_ended = true;
    end_translation(a, true);
    note_first_content(a);
    look_at_gate(a);
    if (!a->gate_told) {
        judge_whole(a);
        return;
    }
    const struct usage_seen *seen = usage_tap_seen(a->tap);
    a->result.cut = a->r.op == OP_CREATE && !seen->terminal && !seen->error &&
                    !seen->unreadable;
    a->result.answered = !a->result.cut;
    if (a->result.cut)
        over(a, RX_UPSTREAM, "ended without its terminal event");
    else if (seen->error)
        over(a, RX_UPSTREAM, "error event");
    else
        over(a, RX_OK, "");
}

static const struct rx_client_events client_events = {
    .on_connected = on_connected,
    .on_sent = on_sent,
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_client_end,
};

static void
start_record(const struct attempt *a)
{
    struct record_attempt *rec = a->r.record;
    const struct candidate *to = a->r.to;

    *rec = (struct record_attempt){
        .channel_id = to->channel->id,
        .channel = to->channel->name,
        .credential_id =
            to->credential != NULL ? to->credential->id : (rx_str){ 0 },
        .model = to->model,
        .start_ms = a->start_ms - a->r.request_start_ms,
    };
}

struct attempt *
attempt_start(const struct attempt_request *r,
    const struct attempt_events *events, void *arg)
{
    struct attempt *a = calloc(1, sizeof(*a));

    if (a == NULL)
        abort();
    a->r = *r;
    a->events = events;
    a->arg = arg;
    a->start_ms = now(a);
    a->length = RX_HTTPD_CHUNKED;
    rx_buf_init(&a->headers, HEADERS_MAX);
    /* One read may arrive on top of a full gate. */
    rx_buf_init(
        &a->held, r->translation != NULL ? TRANSLATED_MAX : HELD_MAX * 4);
    rx_buf_init(&a->translated, TRANSLATED_MAX);
    rx_buf_init(&a->evidence, EVIDENCE_MAX);
    rx_timer_init(&a->limit, r->loop, on_limit, a);
    rx_timer_init(&a->total, r->loop, on_total, a);
    heartbeat_init(
        &a->heartbeat, r->loop, r->speaks, r->keepalive_ms, on_silence, a);
    if (r->to->channel->timeouts.total > 0)
        rx_timer_set(&a->total, r->to->channel->timeouts.total);
    start_record(a);
    set_phase(a, CONNECT);

    struct rx_client_request request = {
        .target = r->to->endpoint->target,
        .head = r->head,
        .body = r->body,
        .body_count = r->body_count,
        .connect_ms = r->to->channel->timeouts.connect,
    };
    a->call = rx_client_start(r->client, &request, &client_events, a);
    return a;
}

static void
free_buried(void *arg)
{
    struct attempt *a = arg;

    usage_tap_free(a->tap);
    rx_buf_fini(&a->headers);
    rx_buf_fini(&a->held);
    rx_buf_fini(&a->translated);
    rx_buf_fini(&a->evidence);
    free(a);
}

void
attempt_stop(struct attempt *a)
{
    if (a == NULL)
        return;
    drop_call(a);
    rx_timer_fini(&a->limit);
    rx_timer_fini(&a->total);
    heartbeat_fini(&a->heartbeat);
}

void
attempt_free(struct attempt *a)
{
    if (a == NULL)
        return;
    attempt_stop(a);
    rx_loop_bury(a->r.loop, free_buried, a);
}

void
attempt_open(struct attempt *a)
{
    a->opened = true;
    attempt_resume(a);
    if (a->last_held)
        return;
    heartbeat_moved(&a->heartbeat);
    show(a, rx_buf_str(&a->held));
    rx_buf_release(&a->held);
}

void
attempt_pause(struct attempt *a)
{
    if (a->call == NULL || a->paused)
        return;
    a->paused = true;
    rx_timer_unset(&a->limit); /* it is the client that keeps us waiting */
    rx_client_pause(a->call);
}

void
attempt_resume(struct attempt *a)
{
    if (a->call == NULL || !a->paused)
        return;
    a->paused = false;
    set_phase(a, a->phase);
    rx_client_resume(a->call);
}
