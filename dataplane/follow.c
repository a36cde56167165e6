/*
 * Nothing here depends on a message arriving.  A heartbeat says what the state
 * is; whoever applies something else asks for all of it, again and again with
 * growing pauses, until it applies that.
 */
#include "dataplane/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/builder.h"
#include "dataplane/demand.h"
#include "dataplane/keep.h"
#include "dataplane/wire.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/envelope.h"
#include "shared/log.h"
#include "shared/worker.h"

#define HELLO_MS     1000
#define LOST_MS      3000 /* without a heartbeat */
#define SUB_RENEW_MS 10000
#define RETRY_MS     20 /* nobody took the Hello: grows to RETRY_MAX_MS */
#define RETRY_MAX_MS 500
#define ASK_MS       100 /* between requests for a snapshot: doubles up to */
#define ASK_MAX_MS   5000
#define CLOSE_MS     1000 /* for outstanding acknowledgements */
#define HOOKS        8
#define QUEUE        8192

struct hook {
    void (*fn)(void *arg);
    void *arg;
};

struct follow {
    struct rx_loop *loop;
    char *plane, *dir, *ops_url, *client_url, *pub_url, *pull_url;
    char *tls_ca_file; /* NULL: none */
    char topic[RX_TOPIC_MAX + 1];
    struct rx_join_keys keys;
    int lock_fd;
    void (*load)(void *arg, struct follow_load *out);
    void *load_arg;
    uint64_t started_ms;

    struct rx_bus *sub, *push;
    struct rx_worker *worker;
    struct report *report;
    struct limits *limits;
    struct demand *demand;
    uint64_t sequence; /* of what we send, in this boot */

    const struct snapshot *snapshot;
    bool from_disk;
    char refused[160]; /* why the last state was refused as a whole */
    struct hook hooks[HOOKS];
    size_t hook_count;
    void (*on_notice)(void *arg, enum rx_message kind, rx_str body);
    void *on_notice_arg;

    struct rx_replay replay;
    uint64_t heard_ms;      /* monotonic; 0: never */
    uint64_t control_epoch; /* of the last message */
    bool connected;
    uint64_t opened_ms; /* monotonic */
    /* Monotonic: when the sockets were last known or made to work. */
    uint64_t sub_good_ms, push_good_ms;
    bool unheard_told;

    bool asking; /* for a snapshot */
    bool leaving;
    uint64_t ask_due_ms, ask_pause_ms;
    uint32_t retry_ms;
    struct rx_timer hello;
    struct rx_timer watch;

    struct builder *builder;
    struct rx_job save_job;
    const struct snapshot *saving; /* pinned while the thread writes it */
    bool save_again, saved;
};

static void on_message(void *arg, rx_str message);

/* ---- the two sockets --------------------------------------------------- */

static enum rx_code
open_sub(struct follow *f, struct rx_err *err)
{
    struct rx_bus_options options = { .role = RX_BUS_SUB,
        .url = f->pub_url,
        .max_message = rx_envelope_max(true),
        .queue = QUEUE,
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

static enum rx_code
open_push(struct follow *f, struct rx_err *err)
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
    if (open_sub(f, &err) != RX_OK)
        rx_error("control.sub", "why=%s", rx_log_quote(err.text));
}

/* ---- talking ----------------------------------------------------------- */

static enum rx_code
send_up(struct follow *f, enum rx_message kind, rx_str body)
{
    struct rx_envelope head = {
        .kind = kind,
        .topic = { f->topic, strlen(f->topic) },
        .major = RX_WIRE_MAJOR,
        .minor = RX_WIRE_MINOR,
        .from_control = false,
        .epoch = report_status(f->report).boot,
        .sequence = f->sequence + 1,
    };
    struct rx_buf out;
    enum rx_code code = RX_TOO_BIG;

    rx_buf_init(&out, body.len + RX_ENVELOPE_EXTRA);
    if (f->push != NULL && rx_envelope_seal(&f->keys, &head, body, &out))
        code = rx_bus_send(f->push, rx_buf_str(&out));
    if (code == RX_OK)
        f->sequence++;
    rx_buf_fini(&out);
    return code;
}

static enum rx_code
send_usage(void *arg, rx_str batch)
{
    return send_up(arg, RX_MSG_USAGE_BATCH, batch);
}

static bool
send_demand(void *arg, rx_str body)
{
    return send_up(arg, RX_MSG_DEMAND, body) == RX_OK;
}

static uint64_t
rss_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    rx_str first;
    rx_str rest;
    uint64_t pages = 0;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    rx_str_cut((rx_str){ text, (size_t)n }, ' ', &first, &rest);
    rx_str_cut(rest, ' ', &first, &rest);
    if (!rx_str_u64(first, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What cannot be used: items, and maybe the last state as a whole. */
static struct rejected *
list_rejected(const struct follow *f, size_t *count)
{
    size_t n = f->snapshot != NULL ? f->snapshot->rejected_count : 0;
    struct rejected *list = calloc(n + 1, sizeof(*list));

    if (list == NULL)
        abort();
    if (n > 0)
        memcpy(list, f->snapshot->rejected, n * sizeof(*list));
    if (f->refused[0] != '\0')
        list[n++] = (struct rejected){ .kind = RX_S("snapshot"),
            .reason = { f->refused, strlen(f->refused) } };
    *count = n;
    return list;
}

static enum rx_code
send_hello(struct follow *f, bool want)
{
    struct report_status st = report_status(f->report);
    struct follow_load load = { 0 };
    struct wire_hello h = {
        .plane = f->plane,
        .boot = st.boot,
        .want_snapshot = want,
        .leaving = f->leaving,
        .ops_url = f->ops_url,
        .client_url = f->client_url,
        .started_ms = f->started_ms,
        .journal_bytes = st.pending_bytes,
        .journal_records = st.pending_records,
        .journal_dropped = st.dropped,
        .rss_bytes = rss_bytes(),
    };
    struct rx_buf body;

    if (f->load != NULL)
        f->load(f->load_arg, &load);
    h.requests = load.requests;
    h.active = load.active;
    if (f->snapshot != NULL) {
        h.epoch = f->snapshot->epoch;
        h.version = f->snapshot->version;
        h.digest = f->snapshot->state;
    }
    struct rejected *rejected = list_rejected(f, &h.rejected_count);
    h.rejected = rejected;
    rx_buf_init(&body, rx_message_max(RX_MSG_HELLO));
    enum rx_code code = RX_TOO_BIG;
    if (wire_add_hello(&body, &h))
        code = send_up(f, RX_MSG_HELLO, rx_buf_str(&body));
    rx_buf_fini(&body);
    free(rejected);
    return code;
}

/* The Hello that is due, and when the next one is. */
static void
on_hello(void *arg)
{
    struct follow *f = arg;
    uint64_t now = rx_loop_ms(f->loop);
    bool want = f->asking && now >= f->ask_due_ms;

    if ((want && !demand_before_snapshot(f->demand)) ||
        send_hello(f, want) != RX_OK) {
        rx_timer_set(&f->hello, f->retry_ms);
        if (f->retry_ms < RETRY_MAX_MS)
            f->retry_ms += RETRY_MS;
        return;
    }
    f->retry_ms = RETRY_MS;
    if (want) {
        f->ask_due_ms = now + f->ask_pause_ms;
        f->ask_pause_ms *= 2;
        if (f->ask_pause_ms > ASK_MAX_MS)
            f->ask_pause_ms = ASK_MAX_MS;
    }
    uint64_t next = HELLO_MS;
    if (f->asking && f->ask_due_ms < now + next)
        next = f->ask_due_ms > now ? f->ask_due_ms - now : 1;
    rx_timer_set(&f->hello, next);
}

/* What we apply is not what is published. */
static void
ask(struct follow *f)
{
    if (f->asking)
        return;
    f->asking = true;
    f->ask_due_ms = rx_loop_ms(f->loop);
    f->ask_pause_ms = ASK_MS;
    rx_timer_set(&f->hello, 1);
}

/* ---- keeping it on disk ------------------------------------------------ */

static void
save_work(void *arg)
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

static void
save_done(void *arg)
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

static void
install(struct follow *f, const struct snapshot *s, bool from_disk)
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
    install(f, s, false);
    f->asking = false;
    save(f);
    rx_timer_set(&f->hello, 1);
}

static void
refuse(struct follow *f, const char *what, const struct rx_err *err)
{
    snprintf(f->refused, sizeof(f->refused), "%s: %.140s", what, err->text);
    rx_error("snapshot.refused", "why=%s", rx_log_quote(f->refused));
    ask(f);
}

/* The builder's answer about one Snapshot or Delta. */
static void
on_built(void *arg, const struct built *b)
{
    struct follow *f = arg;

    switch (b->result) {
    case BUILT: installed_from_control(f, b->snapshot); break;
    case BUILT_GAP:
        rx_info("snapshot.gap", "have=%" PRIu64 " got=%" PRIu64,
            f->snapshot != NULL ? f->snapshot->version : 0, b->version);
        ask(f);
        break;
    case BUILT_BROKEN:
        refuse(f, b->delta ? "delta" : "snapshot", b->err);
        break;
    }
}

static const struct snapshot *
current(void *arg)
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
    if (now - f->push_good_ms < LOST_MS)
        return;
    f->push_good_ms = now;
    rx_warn("control.deaf", "pull=%s", rx_log_quote(f->pull_url));
    rx_bus_close(f->push);
    if (open_push(f, &err) != RX_OK)
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
        ask(f);
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

static void
on_watch(void *arg)
{
    struct follow *f = arg;

    if (f->connected && rx_loop_ms(f->loop) - f->heard_ms > LOST_MS) {
        f->connected = false;
        rx_warn("control.lost", "epoch=%" PRIu64, f->control_epoch);
        report_online(f->report, false, false);
        demand_online(f->demand, false, f->control_epoch);
    }
    if (f->heard_ms == 0 && !f->unheard_told &&
        rx_loop_ms(f->loop) - f->opened_ms > LOST_MS) {
        f->unheard_told = true;
        rx_warn("control.unheard", "pub=%s pull=%s", rx_log_quote(f->pub_url),
            rx_log_quote(f->pull_url));
    }
    look_after_sub(f);
    rx_timer_set(&f->watch, LOST_MS / 6);
}

/* ---- beginning --------------------------------------------------------- */

static enum rx_code
make_folders(const char *path, struct rx_err *err)
{
    char part[4096];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return rx_fail(err, RX_INVALID, "data directory: bad path");
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char end = part[i];
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return rx_fail(err, RX_INTERNAL, "%s: %s", part, strerror(errno));
        part[i] = end;
    }
    return RX_OK;
}

static enum rx_code
take_lock(struct follow *f, struct rx_err *err)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/lock", f->dir);

    if (n < 0 || (size_t)n >= sizeof(path))
        return rx_fail(err, RX_INVALID, "data directory: path too long");
    f->lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return rx_fail(err, RX_CONFLICT,
            "data plane %s is running already (%s is locked)", f->plane, path);
    return RX_OK;
}

static enum rx_code
open_report(struct follow *f, struct rx_err *err)
{
    char dir[4096];
    int n = snprintf(dir, sizeof(dir), "%s/journal", f->dir);

    if (n < 0 || (size_t)n >= sizeof(dir))
        return rx_fail(err, RX_INVALID, "data directory: path too long");
    struct report_options options = {
        .plane = f->plane,
        .dir = dir,
        .worker = f->worker,
        .send = send_usage,
        .arg = f,
    };
    return report_open(&f->report, f->loop, &options, err);
}

static enum rx_code
open_sockets(struct follow *f, struct rx_err *err)
{
    enum rx_code code = open_sub(f, err);

    return code == RX_OK ? open_push(f, err) : code;
}

static void
start_from_disk(struct follow *f)
{
    const struct snapshot *s = keep_load(f->dir, &f->keys.at_rest);

    if (s == NULL)
        return;
    install(f, s, true);
    f->replay = (struct rx_replay){ .epoch = s->epoch };
}

static char *
copy(const char *s)
{
    char *p = strdup(s != NULL ? s : "");

    if (p == NULL)
        abort();
    return p;
}

static enum rx_code
start(
    struct follow *f, const struct follow_options *options, struct rx_err *err)
{
    rx_str id = { f->plane, strlen(f->plane) };

    if (!rx_plane_id_ok(id))
        return rx_fail(err, RX_INVALID,
            "data plane id: 1 to 64 letters, digits, '.', '_' or '-'");
    rx_plane_topic(id, f->topic);
    enum rx_code code =
        rx_join_file(options->join_token_file, false, &f->keys, err);
    if (code != RX_OK)
        return code;
    code = make_folders(f->dir, err);
    if (code == RX_OK)
        code = take_lock(f, err);
    if (code == RX_OK)
        code = open_report(f, err);
    if (code == RX_OK) {
        struct demand_options demand = { .plane = f->plane,
            .boot = report_status(f->report).boot,
            .send = send_demand,
            .arg = f };
        f->demand = demand_new(f->loop, f->limits, &demand);
        start_from_disk(f);
    }
    if (code == RX_OK)
        code = open_sockets(f, err);
    return code;
}

static void
destroy(struct follow *f)
{
    rx_timer_fini(&f->hello);
    rx_timer_fini(&f->watch);
    rx_bus_close(f->sub);
    rx_bus_close(f->push);
    builder_free(f->builder);
    rx_worker_finish(f->worker); /* the newest snapshot is on disk */
    report_close(f->report);
    rx_worker_free(f->worker);
    demand_free(f->demand);
    limits_free(f->limits);
    snapshot_unpin(f->snapshot);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    rx_wipe(&f->keys, sizeof(f->keys));
    free(f->plane);
    free(f->dir);
    free(f->ops_url);
    free(f->client_url);
    free(f->pub_url);
    free(f->pull_url);
    free(f->tls_ca_file);
    free(f);
}

enum rx_code
follow_open(struct follow **out, struct rx_loop *loop,
    const struct follow_options *options,
    void (*load)(void *arg, struct follow_load *out), void *arg,
    struct rx_err *err)
{
    struct follow *f = calloc(1, sizeof(*f));

    *out = NULL;
    if (f == NULL)
        abort();
    f->loop = loop;
    f->plane = copy(options->plane);
    f->dir = copy(options->data_dir);
    f->ops_url = copy(options->ops_url);
    f->client_url = copy(options->client_url);
    f->pub_url = copy(options->pub_url);
    f->pull_url = copy(options->pull_url);
    if (options->tls_ca_file != NULL)
        f->tls_ca_file = copy(options->tls_ca_file);
    f->opened_ms = f->sub_good_ms = f->push_good_ms = rx_loop_ms(loop);
    f->load = load;
    f->load_arg = arg;
    f->lock_fd = -1;
    f->started_ms = rx_clock_wall_ms();
    f->retry_ms = RETRY_MS;
    f->limits = limits_new();
    f->worker = rx_worker_new(loop);
    f->builder = builder_new(loop, current, on_built, f);
    f->save_job =
        (struct rx_job){ .work = save_work, .done = save_done, .arg = f };
    rx_timer_init(&f->hello, loop, on_hello, f);
    rx_timer_init(&f->watch, loop, on_watch, f);
    enum rx_code code = start(f, options, err);
    if (code != RX_OK) {
        destroy(f);
        return code;
    }
    ask(f);
    rx_timer_set(&f->watch, LOST_MS / 6);
    *out = f;
    return RX_OK;
}

/* ---- end --------------------------------------------------------------- */

static void
nothing(void *arg)
{
    (void)arg;
}

/* Let the loop run for `ms`, or until every record is acknowledged. */
static void
linger(struct follow *f, uint64_t ms, bool for_acks)
{
    struct rx_timer wake;
    uint64_t end = rx_clock_ms() + ms;

    rx_timer_init(&wake, f->loop, nothing, NULL);
    while (rx_clock_ms() < end &&
           !(for_acks && report_status(f->report).pending_records == 0)) {
        rx_timer_set(&wake, 5);
        rx_loop_tick(f->loop, true);
    }
    rx_timer_fini(&wake);
}

void
follow_close(struct follow *f)
{
    if (f == NULL)
        return;
    if (f->connected) {
        linger(f, CLOSE_MS, true);
        f->leaving = true;
        rx_timer_unset(&f->hello);
        for (int i = 0; i < 10 && send_hello(f, false) != RX_OK; i++)
            linger(f, 5, false);
        linger(f, 20, false); /* nng's threads hand it to the kernel */
    }
    destroy(f);
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
    if (f->hook_count == HOOKS)
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
    return send_up(f, kind, body);
}
