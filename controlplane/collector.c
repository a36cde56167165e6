/*
 * Usage is taken strictly in order per (plane, boot): a batch that leaves a gap
 * is passed over, and the plane sends from its oldest record again.  So what is
 * acknowledged is always everything up to a number.
 */
#include "controlplane/collector.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/captured.h"
#include "controlplane/windows.h"
#include "controlplane/wire.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"

#define LOST_MS    3000
#define WATCH_MS   500
#define ARENA_MAX  ((size_t)64 * 1024 * 1024)
#define BOOTS_MAX  64
#define PLANES_MAX 1024
#define QUEUE      64

struct plane {
    char id[RX_TOPIC_MAX + 1];
    struct rx_replay replay;
    struct rx_arena *arena; /* strings of the last Hello */
    struct plane_info info;
    struct rx_digest digest; /* of what it applies */
    uint64_t heard_ms;       /* monotonic */
    struct rx_map *progress; /* boot (8 bytes) to uint64_t */
};

struct collector {
    struct rx_loop *loop;
    struct usage_sink sink;
    struct publisher *publisher;
    struct rx_join_keys keys;
    struct rx_bus *bus;
    struct troubles *troubles;
    struct windows *windows;
    struct captured *captured;
    struct plane **planes; /* by id */
    size_t count;
    struct rx_timer watch;
    struct demand_sink demands; /* no functions: nobody listens */
    void (*on_rejected)(
        void *arg, rx_str credential, const struct rx_digest *digest);
    void *on_rejected_arg;
    struct collector_status status;
};

static void *
alloc_or_die(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL)
        abort();
    return p;
}

/* ---- the registry ------------------------------------------------------ */

static int
compare(rx_str a, const char *b)
{
    size_t len = strlen(b);
    int order = memcmp(a.ptr, b, a.len < len ? a.len : len);

    return order != 0 ? order : (a.len > len) - (a.len < len);
}

/* NULL when there are too many planes. */
static struct plane *
plane_of(struct collector *c, rx_str id)
{
    size_t at = 0;

    while (at < c->count && compare(id, c->planes[at]->id) > 0)
        at++;
    if (at < c->count && compare(id, c->planes[at]->id) == 0)
        return c->planes[at];
    if (c->count == PLANES_MAX)
        return NULL;

    struct plane *p = alloc_or_die(sizeof(*p));
    memcpy(p->id, id.ptr, id.len);
    p->info.id = (rx_str){ p->id, id.len };
    p->progress = rx_map_new();
    c->planes = realloc(c->planes, (c->count + 1) * sizeof(struct plane *));
    if (c->planes == NULL)
        abort();
    memmove(c->planes + at + 1, c->planes + at,
        (c->count - at) * sizeof(struct plane *));
    c->planes[at] = p;
    c->count++;
    return p;
}

static void
plane_free(struct plane *p)
{
    rx_arena_free(p->arena);
    rx_map_free(p->progress, free);
    free(p);
}

static void
tell_change(struct collector *c)
{
    rx_str *names = alloc_or_die((c->count + 1) * sizeof(*names));
    size_t n = 0;

    for (size_t i = 0; i < c->count; i++) {
        if (c->planes[i]->info.connected)
            names[n++] = c->planes[i]->info.id;
    }
    publisher_set_planes(c->publisher, names, n);
    free(names);
}

static void
set_connected(struct collector *c, struct plane *p, bool connected)
{
    if (p->info.connected == connected)
        return;
    p->info.connected = connected;
    if (connected)
        rx_info("plane.connected", "plane=%s", p->id);
    else if (p->info.left)
        rx_info("plane.left", "plane=%s", p->id);
    else
        rx_warn("plane.lost", "plane=%s", p->id);
    tell_change(c);
}

static void
forget(struct collector *c, size_t i)
{
    plane_free(c->planes[i]);
    c->count--;
    memmove(c->planes + i, c->planes + i + 1,
        (c->count - i) * sizeof(struct plane *));
}

static void
on_watch(void *arg)
{
    struct collector *c = arg;
    uint64_t now = rx_loop_ms(c->loop);

    for (size_t i = c->count; i-- > 0;) {
        uint64_t silent = now - c->planes[i]->heard_ms;
        if (silent > LOST_MS)
            set_connected(c, c->planes[i], false);
        if (silent > COLLECTOR_FORGET_MS)
            forget(c, i);
    }
    rx_timer_set(&c->watch, WATCH_MS);
}

/* ---- Hello ------------------------------------------------------------- */

static bool
in_sync(const struct collector *c, const struct plane *p)
{
    struct publisher_status st = publisher_status(c->publisher);

    return p->info.epoch == st.epoch && p->info.version == st.version &&
           memcmp(&p->digest, &st.digest, sizeof(st.digest)) == 0;
}

static void
note_hello(struct plane *p, const struct rx_envelope *head,
    const struct hello *h, struct rx_arena *arena)
{
    bool connected = p->info.connected;

    rx_arena_free(p->arena);
    p->arena = arena;
    memset(&p->digest, 0, sizeof(p->digest));
    if (h->digest.len == sizeof(p->digest.bytes))
        memcpy(p->digest.bytes, h->digest.ptr, h->digest.len);
    p->info = (struct plane_info){
        .id = { p->id, strlen(p->id) },
        .software = h->software,
        .major = head->major,
        .minor = head->minor,
        .compatible = true,
        .connected = connected,
        .left = h->leaving,
        .boot = h->boot,
        .epoch = h->epoch,
        .version = h->version,
        .seen_ms = rx_clock_wall_ms(),
        .started_ms = h->started_ms,
        .ops_url = h->ops_url,
        .client_url = h->client_url,
        .requests = h->requests,
        .active = h->active,
        .journal_bytes = h->journal_bytes,
        .journal_records = h->journal_records,
        .journal_dropped = h->journal_dropped,
        .rss_bytes = h->rss_bytes,
        .rejected = h->rejected,
        .rejected_count = h->rejected_count,
    };
}

static void
on_hello(struct collector *c, struct plane *p, const struct rx_envelope *head,
    rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct plane_info before = p->info;
    size_t rejected = p->info.rejected_count;
    struct hello h;

    if (!wire_read_hello(body, arena, &h) || !rx_str_eq(h.plane, p->info.id)) {
        rx_arena_free(arena);
        c->status.refused++;
        return;
    }
    note_hello(p, head, &h, arena);
    p->heard_ms = rx_loop_ms(c->loop);
    p->info.in_sync = in_sync(c, p);
    if (before.version != h.version || before.epoch != h.epoch ||
        before.boot != h.boot || rejected != h.rejected_count)
        tell_change(c);
    set_connected(c, p, !h.leaving);
    if (h.epoch == 0 && !h.leaving && c->demands.born != NULL)
        c->demands.born(c->demands.arg, p->info.id, h.boot);
    if (h.leaving && c->demands.left != NULL)
        c->demands.left(c->demands.arg, p->info.id);
    if (h.want_snapshot && !h.leaving)
        publisher_send_snapshot(c->publisher, p->info.id);
}

/* It speaks another language: shown to the operator, otherwise left alone. */
static void
note_incompatible(struct collector *c, const struct rx_envelope *head)
{
    struct plane *p = plane_of(c, rx_topic_plane(head->topic));

    if (p == NULL || !rx_replay_accept(&p->replay, head))
        return;
    bool news = p->info.compatible || p->info.major != head->major;
    p->info.major = head->major;
    p->info.minor = head->minor;
    p->info.compatible = false;
    p->info.in_sync = false;
    p->info.boot = head->epoch;
    p->info.seen_ms = rx_clock_wall_ms();
    p->heard_ms = rx_loop_ms(c->loop);
    if (news)
        rx_error("plane.incompatible", "plane=%s wire=%u.%u ours=%u.%u", p->id,
            head->major, head->minor, RX_WIRE_MAJOR, RX_WIRE_MINOR);
    set_connected(c, p, true);
}

/* ---- usage ------------------------------------------------------------- */

/* Where this boot's progress is kept; asks the store at first. */
static uint64_t *
progress_of(struct collector *c, struct plane *p, uint64_t boot)
{
    rx_str key = { (const char *)&boot, sizeof(boot) };
    uint64_t *seq = rx_map_get(p->progress, key);
    struct rx_err err = { 0 };

    if (seq != NULL)
        return seq;
    if (rx_map_count(p->progress) >= BOOTS_MAX) {
        rx_map_free(p->progress, free);
        p->progress = rx_map_new();
    }
    seq = alloc_or_die(sizeof(*seq));
    if (c->sink.progress(c->sink.arg, p->info.id, boot, seq, &err) != RX_OK) {
        rx_error(
            "usage.progress", "plane=%s why=%s", p->id, rx_log_quote(err.text));
        free(seq);
        return NULL;
    }
    rx_map_put(p->progress, key, seq);
    return seq;
}

static void
commit(struct collector *c, struct plane *p, const struct usage_message *m,
    uint64_t *progress)
{
    /* Before `oldest_seq` the plane has nothing to send any more. */
    uint64_t base = *progress;
    if (m->oldest_seq > base + 1)
        base = m->oldest_seq - 1;
    if (m->first_seq > base + 1) {
        rx_debug("usage.gap", "plane=%s have=%" PRIu64 " got=%" PRIu64, p->id,
            base, m->first_seq);
        return;
    }

    size_t skip = 0;
    while (skip < m->row_count && m->rows[skip].seq <= base)
        skip++;
    c->status.repeated += skip;
    if (m->last_seq > base) {
        struct usage_batch batch = { .plane = p->info.id,
            .boot = m->boot,
            .last_seq = m->last_seq,
            .dropped = m->dropped,
            .rows = m->rows + skip,
            .row_count = m->row_count - skip };
        struct rx_err err = { 0 };
        if (c->sink.commit(c->sink.arg, &batch, &err) != RX_OK) {
            c->status.commit_failed++;
            rx_error("usage.uncommitted", "plane=%s rows=%zu why=%s", p->id,
                batch.row_count, rx_log_quote(err.text));
            return;
        }
        c->status.batches++;
        c->status.rows += batch.row_count;
        *progress = m->last_seq;
    }
    publisher_send_ack(c->publisher, p->info.id, m->boot, *progress);
}

static void
on_usage(struct collector *c, struct plane *p, const struct rx_envelope *head,
    rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct usage_message m;

    (void)head;
    if (!wire_read_usage(body, arena, &m) || !rx_str_eq(m.plane, p->info.id)) {
        c->status.refused++;
        rx_error("usage.unreadable", "plane=%s", p->id);
    } else {
        if (m.unreadable > 0)
            rx_error("usage.unreadable", "plane=%s boot=%" PRIu64 " rows=%zu",
                p->id, m.boot, m.unreadable);
        uint64_t *progress = progress_of(c, p, m.boot);
        if (progress != NULL)
            commit(c, p, &m, progress);
    }
    rx_arena_free(arena);
}

static void
on_demand(struct collector *c, struct plane *p, const struct rx_envelope *head,
    rx_str body)
{
    (void)head;
    if (c->demands.demand != NULL)
        c->demands.demand(c->demands.arg, p->info.id, body);
}

/* ---- what planes tell each other --------------------------------------- */

static void
on_channel_report(struct collector *c, struct plane *p,
    const struct rx_envelope *head, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct trouble_report r;

    (void)head;
    if (wire_read_channel_report(body, rx_loop_ms(c->loop), arena, &r) &&
        rx_str_eq(r.plane, p->info.id))
        troubles_take(c->troubles, &r);
    else
        c->status.refused++;
    rx_arena_free(arena);
}

static void
on_pin_report(struct collector *c, struct plane *p,
    const struct rx_envelope *head, rx_str body)
{
    (void)head;
    if (wire_is_pin_report(body, p->info.id))
        publisher_send_notice(c->publisher, RX_MSG_PIN_NOTICE, body);
    else
        c->status.refused++;
}

static void
on_token_rejected(struct collector *c, struct plane *p,
    const struct rx_envelope *head, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct token_rejected t;

    (void)head;
    if (!wire_read_token_rejected(body, arena, &t) ||
        !rx_str_eq(t.plane, p->info.id))
        c->status.refused++;
    else if (c->on_rejected != NULL)
        c->on_rejected(c->on_rejected_arg, t.credential, &t.digest);
    rx_arena_free(arena);
}

static void
on_capture(struct collector *c, struct plane *p, const struct rx_envelope *head,
    rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct wire_captured m;

    (void)head;
    if (!wire_read_capture(body, arena, &m) || !rx_str_eq(m.plane, p->info.id))
        c->status.refused++;
    else if (c->captured != NULL)
        captured_take(c->captured, &m);
    rx_arena_free(arena);
}

static void
on_window_report(struct collector *c, struct plane *p,
    const struct rx_envelope *head, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct window *list;
    size_t count;

    (void)head;
    if (!wire_take_windows(
            body, p->info.id, rx_clock_wall_ms(), arena, &list, &count))
        c->status.refused++;
    else if (c->windows != NULL)
        windows_take(c->windows, list, count);
    rx_arena_free(arena);
}

/* ---- listening --------------------------------------------------------- */

static const struct {
    enum rx_message kind;
    void (*take)(struct collector *c, struct plane *p,
        const struct rx_envelope *head, rx_str body);
} takers[] = {
    { RX_MSG_HELLO, on_hello },
    { RX_MSG_USAGE_BATCH, on_usage },
    { RX_MSG_DEMAND, on_demand },
    { RX_MSG_CHANNEL_REPORT, on_channel_report },
    { RX_MSG_PIN_REPORT, on_pin_report },
    { RX_MSG_WINDOW_REPORT, on_window_report },
    { RX_MSG_TOKEN_REJECTED, on_token_rejected },
    { RX_MSG_CAPTURE, on_capture },
};

static void
take_message(struct collector *c, const struct rx_envelope *head, rx_str body)
{
    rx_str id = rx_topic_plane(head->topic);
    struct plane *p = id.len > 0 ? plane_of(c, id) : NULL;

    if (p == NULL || !rx_replay_accept(&p->replay, head)) {
        c->status.refused++;
        rx_warn("envelope.replayed",
            "topic=%s kind=%s epoch=%" PRIu64 " sequence=%" PRIu64,
            rx_log_quote_str(head->topic), rx_message_name(head->kind),
            head->epoch, head->sequence);
        return;
    }
    for (size_t i = 0; i < RX_COUNT(takers); i++) {
        if (takers[i].kind == head->kind)
            takers[i].take(c, p, head, body);
    }
}

static void
on_message(void *arg, rx_str message)
{
    struct collector *c = arg;
    struct rx_envelope head;
    struct rx_err err = { 0 };
    struct rx_buf body;

    rx_buf_init(&body, rx_envelope_max(false));
    enum rx_code code =
        rx_envelope_open(&c->keys, false, message, &head, &body, &err);
    if (code == RX_OK) {
        take_message(c, &head, rx_buf_str(&body));
    } else {
        c->status.refused++;
        if (code == RX_CONFLICT)
            note_incompatible(c, &head);
        else
            rx_warn("envelope.refused", "why=%s", rx_log_quote(err.text));
    }
    rx_buf_fini(&body);
}

/* ---- beginning, end, asking -------------------------------------------- */

enum rx_code
collector_open(struct collector **out, struct rx_loop *loop,
    const struct collector_options *options, const struct usage_sink *sink,
    struct publisher *publisher, struct rx_err *err)
{
    struct collector *c = alloc_or_die(sizeof(*c));
    struct rx_bus_options bus = { .role = RX_BUS_PULL,
        .url = options->url,
        .max_message = rx_envelope_max(false),
        .queue = QUEUE,
        .tls_cert_key_file = options->tls_cert_key_file };

    *out = NULL;
    c->loop = loop;
    c->sink = *sink;
    c->publisher = publisher;
    c->keys = options->keys;
    c->troubles = troubles_new(loop, publisher);
    rx_timer_init(&c->watch, loop, on_watch, c);
    enum rx_code code = rx_bus_open(&c->bus, loop, &bus, on_message, c, err);
    if (code != RX_OK) {
        collector_close(c);
        return code;
    }
    rx_timer_set(&c->watch, WATCH_MS);
    *out = c;
    return RX_OK;
}

void
collector_close(struct collector *c)
{
    if (c == NULL)
        return;
    rx_timer_fini(&c->watch);
    rx_bus_close(c->bus);
    troubles_free(c->troubles);
    for (size_t i = 0; i < c->count; i++)
        plane_free(c->planes[i]);
    free(c->planes);
    rx_wipe(&c->keys, sizeof(c->keys));
    free(c);
}

size_t
collector_plane_count(const struct collector *c)
{
    return c->count;
}

const struct plane_info *
collector_plane(struct collector *c, size_t i)
{
    struct plane *p = c->planes[i];

    p->info.in_sync = p->info.compatible && in_sync(c, p);
    return &p->info;
}

void
collector_on_demand(struct collector *c, const struct demand_sink *sink)
{
    c->demands = *sink;
}

void
collector_on_capture(struct collector *c, struct captured *captured)
{
    c->captured = captured;
}

void
collector_on_token_rejected(struct collector *c,
    void (*fn)(void *arg, rx_str credential, const struct rx_digest *digest),
    void *arg)
{
    c->on_rejected = fn;
    c->on_rejected_arg = arg;
}

void
collector_on_windows(struct collector *c, struct windows *windows)
{
    c->windows = windows;
}

struct troubles *
collector_troubles(struct collector *c)
{
    return c->troubles;
}

struct collector_status
collector_status(const struct collector *c)
{
    return c->status;
}
