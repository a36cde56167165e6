#include "dataplane/capture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/redact.h"
#include "dataplane/wire.h"
#include "shared/decode.h"
#include "shared/log.h"
#include "shared/worker.h"

#define ID_SIZE 64
#define TRIES   150 /* 3 s */

/* One body: its beginning, and how long it was. */
struct part {
    struct rx_buf kept;
    uint64_t bytes;
    struct rx_buf packed;
    size_t redacted;
};

struct capture {
    struct captures *owner;
    const struct snapshot *snapshot; /* pinned */
    size_t held;                     /* of CAPTURE_BYTES_MAX */
    unsigned tries;                  /* to hand it over */
    bool lost;                       /* there was no room for all of it */
    struct part request, answer;
    char id[ID_SIZE];
    uint64_t started_ms;
    struct rx_job job;
};

struct captures {
    struct rx_loop *loop;
    struct follow *follow;
    struct rx_worker *worker;
    size_t held;
    bool closing;
    uint64_t *sent, *lost;
};

static bool
is_listed(const rx_str *list, size_t count, rx_str id, rx_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (rx_str_eq(list[i], id) || rx_str_ieq(list[i], name))
            return true;
    }
    return false;
}

/* Lists that are both empty name everybody. */
static bool
is_wanted(const struct capture_settings *s, const struct client_key *key)
{
    return (s->tenant_count == 0 && s->key_count == 0) ||
           is_listed(s->keys, s->key_count, key->id, key->name) ||
           is_listed(
               s->tenants, s->tenant_count, key->tenant->id, key->tenant->name);
}

struct capture *
capture_begin(
    struct captures *c, const struct snapshot *s, const struct client_key *key)
{
    const struct capture_settings *set = s->settings.capture;

    if (set == NULL || !is_wanted(set, key))
        return NULL;
    struct capture *k = calloc(1, sizeof(*k));
    if (k == NULL)
        abort();
    k->owner = c;
    k->snapshot = snapshot_pin(s);
    rx_buf_init(&k->request.kept, set->max_bytes);
    rx_buf_init(&k->answer.kept, set->max_bytes);
    return k;
}

static void
keep(struct capture *k, struct part *p, rx_str bytes)
{
    struct captures *c = k->owner;
    size_t room = p->kept.cap - p->kept.len;

    p->bytes += bytes.len;
    if (bytes.len > room)
        bytes.len = room;
    if (bytes.len == 0 || k->lost)
        return;
    if (c->held + bytes.len > CAPTURE_BYTES_MAX) {
        k->lost = true;
        return;
    }
    c->held += bytes.len;
    k->held += bytes.len;
    rx_buf_add(&p->kept, bytes);
}

void
capture_request(struct capture *k, rx_str body)
{
    keep(k, &k->request, body);
}

void
capture_answer(struct capture *k, rx_str bytes)
{
    keep(k, &k->answer, bytes);
}

void
capture_drop(struct capture *k)
{
    if (k == NULL)
        return;
    k->owner->held -= k->held;
    rx_buf_fini(&k->request.kept);
    rx_buf_fini(&k->answer.kept);
    rx_buf_fini(&k->request.packed);
    rx_buf_fini(&k->answer.packed);
    snapshot_unpin(k->snapshot);
    free(k);
}

/* ---- on the thread --------------------------------------------------------- */

static void
pack_part(struct part *p, const struct redact *r)
{
    struct rx_buf clean;

    rx_buf_init(&clean, 2 * p->kept.len + 65536);
    p->redacted = redact_text(r, rx_buf_str(&p->kept), &clean);
    rx_buf_init(&p->packed, rx_zstd_bound(clean.len));
    rx_zstd_pack(rx_buf_str(&clean), &p->packed);
    rx_buf_fini(&clean);
}

static void
work(void *arg)
{
    struct capture *k = arg;
    const struct capture_settings *set = k->snapshot->settings.capture;
    struct redact *r = redact_new(set->patterns, set->pattern_count);

    pack_part(&k->request, r);
    pack_part(&k->answer, r);
    redact_free(r);
}

/* The control plane takes one message at a time, and rows are in a hurry. */
static void
wait_a_little(void *arg)
{
    (void)arg;
    nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
}

/* ---- and back -------------------------------------------------------------- */

static void
done(void *arg)
{
    struct capture *k = arg;
    struct captures *c = k->owner;
    struct wire_capture m = {
        .plane = c->closing ? "" : follow_plane(c->follow),
        .request_id = k->id,
        .started_ms = k->started_ms,
        .request = rx_buf_str(&k->request.packed),
        .answer = rx_buf_str(&k->answer.packed),
        .request_bytes = k->request.bytes,
        .answer_bytes = k->answer.bytes,
        .request_cut = k->request.bytes > k->request.kept.len,
        .answer_cut = k->answer.bytes > k->answer.kept.len,
        .redacted = k->request.redacted + k->answer.redacted,
    };
    struct rx_buf body;

    rx_buf_init(&body, rx_message_max(RX_MSG_CAPTURE));
    bool sent =
        !c->closing && wire_add_capture(&body, &m) &&
        follow_send(c->follow, RX_MSG_CAPTURE, rx_buf_str(&body)) == RX_OK;
    rx_buf_fini(&body);
    if (!sent && !c->closing && ++k->tries < TRIES) {
        k->job =
            (struct rx_job){ .work = wait_a_little, .done = done, .arg = k };
        rx_worker_give(c->worker, &k->job);
        return;
    }
    ++*(sent ? c->sent : c->lost);
    capture_drop(k);
}

void
capture_end(struct capture *k, rx_str request_id, uint64_t started_ms)
{
    if (k->lost || request_id.len >= ID_SIZE) {
        ++*k->owner->lost;
        capture_drop(k);
        return;
    }
    memcpy(k->id, request_id.ptr, request_id.len);
    k->started_ms = started_ms;
    k->job = (struct rx_job){ .work = work, .done = done, .arg = k };
    rx_worker_give(k->owner->worker, &k->job);
}

struct captures *
captures_new(struct rx_loop *loop, struct follow *follow, struct rx_stat *stat)
{
    struct captures *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->loop = loop;
    c->follow = follow;
    c->worker = rx_worker_new(loop);
    c->sent = rx_stat_counter(stat, "routex_capture_sent_total",
        "bodies handed to the control plane", RX_STAT_NO_LABELS);
    c->lost = rx_stat_counter(stat, "routex_capture_lost_total",
        "bodies there was no room for, or nobody to take", RX_STAT_NO_LABELS);
    return c;
}

void
captures_free(struct captures *c)
{
    if (c == NULL)
        return;
    c->closing = true;
    rx_worker_free(c->worker);
    free(c);
}
