/*
 * Nothing here depends on a message arriving.  A heartbeat says what the state
 * is; whoever applies something else asks for all of it, again and again with
 * growing pauses, until it applies that.
 */
#include "dataplane/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/follow_parts.h"
#include "dataplane/keep.h"
#include "dataplane/wire.h"
#include "shared/log.h"

#define SUB_RENEW_MS 10000

static void on_message(void *arg, rx_str message);

/* ---- the two sockets --------------------------------------------------- */

enum rx_code
follow_open_sub(struct follow *f, struct rx_err *err)
{
    struct rx_bus_options options = { .role = RX_BUS_SUB,
        .url = f->pub_url,
        .max_message = rx_envelope_max(true),
        .queue = FOLLOW_QUEUE,
        .tls_ca_file = f->tls_ca_file };
    /* A topic ends with NUL: "plane/a" is not for "plane/ab". */
    rx_str own = { f->topic, strlen(f->topic) + 1 };

    enum rx_code code =
        rx_bus_open(&f->sub, f->loop, &options, on_message, f, err);
    if (code == RX_OK)
        code = rx_bus_subscribe(f->sub, (rx_str){ "all", 4 }, err);
    if (code == RX_OK)
        code = rx_bus_subscribe(f->sub, own, err);
    return code;
}

enum rx_code
follow_open_push(struct follow *f, struct rx_err *err)
{
    struct rx_bus_options options = { .role = RX_BUS_PUSH,
        .url = f->pull_url,
        .queue = 0, /* taken, or not: nothing grows old in between */
        .tls_ca_file = f->tls_ca_file };

    f->push = NULL;
    return rx_bus_open(&f->push, f->loop, &options, NULL, NULL, err);
}

/* Nothing heard for long: is it gone, or is it our socket?  See below. */
static void
look_after_sub(struct follow *f)
{
    uint64_t now = rx_loop_ms(f->loop);
    struct rx_err err = { 0 };

    if (now - f->sub_good_ms < SUB_RENEW_MS)
        return;
    f->sub_good_ms = now;
    rx_bus_close(f->sub);
    f->sub = NULL;
    if (follow_open_sub(f, &err) != RX_OK)
        rx_error("control.sub", "why=%s", rx_log_quote(err.text));
}

/* ---- keeping it on disk ------------------------------------------------ */

void
follow_save_work(void *arg)
{
    struct follow *f = arg;

    f->saved = keep_save(f->dir, &f->keys.at_rest, f->saving);
}

static void
save(struct follow *f)
{
    if (f->saving != NULL) {
        f->save_again = true;
        return;
    }
    f->save_again = false;
    f->saving = snapshot_pin(f->snapshot);
    rx_worker_give(f->worker, &f->save_job);
}

void
follow_save_done(void *arg)
{
    struct follow *f = arg;

    if (!f->saved)
        rx_error("snapshot.unsaved", "version=%" PRIu64, f->saving->version);
    snapshot_unpin(f->saving);
    f->saving = NULL;
    if (f->save_again)
        save(f);
}

/* ---- installing -------------------------------------------------------- */

static void
log_rejected(const struct snapshot *s)
{
    for (size_t i = 0; i < s->rejected_count; i++) {
        const struct rejected *r = &s->rejected[i];
        rx_warn("item.rejected", "kind=" RX_STR_FMT " name=%s reason=%s",
            RX_STR_ARG(r->kind), rx_log_quote_str(r->name),
            rx_log_quote_str(r->reason));
    }
}

void
follow_install(struct follow *f, const struct snapshot *s, bool from_disk)
{
    const struct snapshot *old = f->snapshot;

    f->snapshot = s;
    f->from_disk = from_disk;
    f->refused[0] = '\0';
    report_configure(f->report, s->settings.journal_limit_bytes,
        s->settings.journal_full_refuses);
    rx_info("snapshot.installed",
        "epoch=%" PRIu64 " version=%" PRIu64
        " channels=%zu keys=%zu rejected=%zu from=%s",
        s->epoch, s->version, s->channel_count, s->key_count, s->rejected_count,
        from_disk ? "disk" : "control");
    log_rejected(s);
    for (size_t i = 0; i < f->hook_count; i++)
        f->hooks[i].fn(f->hooks[i].arg);
    snapshot_unpin(old);
}

static void
installed_from_control(struct follow *f, const struct snapshot *s)
{
    follow_install(f, s, false);
    f->asking = false;
    save(f);
    rx_timer_set(&f->hello, 1);
}

static void
refuse(struct follow *f, const char *what, const struct rx_err *err)
{
    snprintf(f->refused, sizeof(f->refused), "%s: %.140s", what, err->text);
    rx_error("snapshot.refused", "why=%s", rx_log_quote(f->refused));
    follow_ask(f);
}

/* The builder's answer about one Snapshot or Delta. */
void
follow_on_built(void *arg, const struct built *b)
{
    struct follow *f = arg;

    switch (b->result) {
    case BUILT: installed_from_control(f, b->snapshot); break;
    case BUILT_GAP:
        rx_info("snapshot.gap", "have=%" PRIu64 " got=%" PRIu64,
            f->snapshot != NULL ? f->snapshot->version : 0, b->version);
        follow_ask(f);
        break;
    case BUILT_BROKEN:
        refuse(f, b->delta ? "delta" : "snapshot", b->err);
        break;
    }
}

const struct snapshot *
follow_current(void *arg)
{
    struct follow *f = arg;

    return f->snapshot;
}

static void
on_state(struct follow *f, const struct rx_envelope *head, rx_str body)
{
    bool delta = head->kind == RX_MSG_DELTA;

    builder_give(f->builder, delta, head->epoch, head->version, body);
}

/*
 * We hear the control plane and it does not hear us: nng's dialer was seen to
 * give up for good when a listener died at the wrong moment (1.5.2).  A fresh
 * socket finds the way.
 */
static void
look_after_push(struct follow *f, bool heard)
{
    uint64_t now = rx_loop_ms(f->loop);
    struct rx_err err = { 0 };

    if (heard)
        f->push_good_ms = now;
    if (now - f->push_good_ms < FOLLOW_LOST_MS)
        return;
    f->push_good_ms = now;
    rx_warn("control.deaf", "pull=%s", rx_log_quote(f->pull_url));
    rx_bus_close(f->push);
    if (follow_open_push(f, &err) != RX_OK)
        rx_error("control.push", "why=%s", rx_log_quote(err.text));
}

static void
on_heartbeat(struct follow *f, const struct rx_envelope *head, rx_str body)
{
    struct wire_heartbeat hb;
    const struct snapshot *s = f->snapshot;

    rx_str plane = { f->plane, strlen(f->plane) };

    if (!wire_read_heartbeat(body, plane, &hb) || hb.epoch != head->epoch)
        return;
    look_after_push(f, hb.hears_us);
    if (builder_busy(f->builder))
        return; /* what we will apply is not known yet; the next one tells */
    bool same = s != NULL && hb.epoch == s->epoch && hb.version == s->version &&
                memcmp(&hb.digest, &s->state, sizeof(hb.digest)) == 0;
    if (!same) {
        follow_ask(f);
        return;
    }
    f->asking = false;
    f->from_disk = false;
}

static void
on_ack(struct follow *f, const struct rx_envelope *head, rx_str body)
{
    struct wire_ack ack;

    (void)head;
    if (wire_read_ack(body, &ack))
        report_acked(f->report, ack.boot, ack.seq);
}

static void
on_lease(struct follow *f, const struct rx_envelope *head, rx_str body)
{
    demand_lease(f->demand, head->epoch, body);
}

/* ---- listening --------------------------------------------------------- */

static const struct {
    enum rx_message kind;
    void (*take)(struct follow *f, const struct rx_envelope *head, rx_str body);
} takers[] = {
    { RX_MSG_SNAPSHOT, on_state },
    { RX_MSG_DELTA, on_state },
    { RX_MSG_HEARTBEAT, on_heartbeat },
    { RX_MSG_ACK, on_ack },
    { RX_MSG_LEASE, on_lease },
};

static void
heard(struct follow *f, const struct rx_envelope *head)
{
    bool anew = head->epoch != f->control_epoch;

    f->heard_ms = f->sub_good_ms = rx_loop_ms(f->loop);
    f->control_epoch = head->epoch;
    if (!f->connected || anew) {
        rx_info("control.connected", "epoch=%" PRIu64, head->epoch);
        f->push_good_ms = f->heard_ms; /* it has yet to hear us */
    }
    f->connected = true;
    report_online(f->report, true, anew);
    demand_online(f->demand, true, head->epoch);
}

/* A state we apply already: not worth opening, whoever sent it. */
static bool
known(const struct follow *f, const struct rx_envelope *head)
{
    return head->kind == RX_MSG_SNAPSHOT && !f->asking && f->snapshot != NULL &&
           head->epoch == f->snapshot->epoch &&
           head->version == f->snapshot->version;
}

static void
take_message(struct follow *f, const struct rx_envelope *head, rx_str body)
{
    if (!rx_replay_accept(&f->replay, head)) {
        rx_warn("envelope.replayed",
            "kind=%s epoch=%" PRIu64 " sequence=%" PRIu64,
            rx_message_name(head->kind), head->epoch, head->sequence);
        return;
    }
    heard(f, head);
    for (size_t i = 0; i < RX_COUNT(takers); i++) {
        if (takers[i].kind == head->kind) {
            takers[i].take(f, head, body);
            return;
        }
    }
    if (f->on_notice != NULL)
        f->on_notice(f->on_notice_arg, head->kind, body);
}

static void
on_message(void *arg, rx_str message)
{
    struct follow *f = arg;
    struct rx_envelope head;
    struct rx_err err = { 0 };
    struct rx_buf body;

    enum rx_code code = rx_envelope_peek(message, &head, &err);
    if (code == RX_OK && known(f, &head))
        return;
    rx_buf_init(&body, rx_envelope_max(true));
    if (code == RX_OK)
        code = rx_envelope_open(&f->keys, true, message, &head, &body, &err);
    if (code == RX_OK)
        take_message(f, &head, rx_buf_str(&body));
    else if (code == RX_CONFLICT)
        rx_error("control.incompatible", "why=%s", rx_log_quote(err.text));
    else
        rx_warn("envelope.refused", "why=%s", rx_log_quote(err.text));
    rx_buf_fini(&body);
}

void
follow_on_watch(void *arg)
{
    struct follow *f = arg;

    if (f->connected && rx_loop_ms(f->loop) - f->heard_ms > FOLLOW_LOST_MS) {
        f->connected = false;
        rx_warn("control.lost", "epoch=%" PRIu64, f->control_epoch);
        report_online(f->report, false, false);
        demand_online(f->demand, false, f->control_epoch);
    }
    if (f->heard_ms == 0 && !f->unheard_told &&
        rx_loop_ms(f->loop) - f->opened_ms > FOLLOW_LOST_MS) {
        f->unheard_told = true;
        rx_warn("control.unheard", "pub=%s pull=%s", rx_log_quote(f->pub_url),
            rx_log_quote(f->pull_url));
    }
    look_after_sub(f);
    rx_timer_set(&f->watch, FOLLOW_LOST_MS / 6);
}

/* ---- asked by others --------------------------------------------------- */

const struct snapshot *
follow_snapshot(const struct follow *f)
{
    return f->snapshot;
}

void
follow_on_install(struct follow *f, void (*fn)(void *arg), void *arg)
{
    if (f->hook_count == FOLLOW_HOOKS)
        abort();
    f->hooks[f->hook_count++] = (struct hook){ fn, arg };
}

bool
follow_connected(const struct follow *f)
{
    return f->connected;
}

bool
follow_leased(const struct follow *f)
{
    return demand_leased(f->demand);
}

bool
follow_from_disk(const struct follow *f)
{
    return f->snapshot != NULL && f->from_disk;
}

struct report *
follow_report(struct follow *f)
{
    return f->report;
}

struct limits *
follow_limits(struct follow *f)
{
    return f->limits;
}

const char *
follow_plane(const struct follow *f)
{
    return f->plane;
}

void
follow_on_notice(struct follow *f,
    void (*fn)(void *arg, enum rx_message kind, rx_str body), void *arg)
{
    f->on_notice = fn;
    f->on_notice_arg = arg;
}

enum rx_code
follow_send(struct follow *f, enum rx_message kind, rx_str body)
{
    return follow_send_up(f, kind, body);
}
