/*
 * The published state is kept packed, item by item, so that a Snapshot is a
 * walk over it and a change costs its own items only.  A change is staged
 * first; if it cannot be published nothing of it is.
 */
#include "controlplane/publisher.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "controlplane/wire.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"
#include "shared/tally.h"

#define BEAT_MS    1000
#define GATHER_MS  5 /* several planes may want the same snapshot */
#define QUEUE      8192
#define ITEM_MAX   ((size_t)1024 * 1024)
#define ITEM_EXTRA ((size_t)8) /* tag and length around an item */
#define PLANES_MAX 64

/* One packed item. */
struct entry {
    size_t id_len;
    size_t len;
    char bytes[]; /* id, then packed */
};

/* What a change does to one item; `now` NULL deletes. */
struct change {
    struct change *next;
    enum state_kind kind;
    const struct entry *before; /* owned by the state; NULL: new */
    struct entry *now;
};

struct publisher {
    struct rx_loop *loop;
    struct state_source source;
    struct rx_join_keys keys;
    struct rx_bus *bus;
    int lock_fd;
    uint64_t epoch, version, sequence;

    struct rx_map *state[STATE_KINDS]; /* id to struct entry */
    struct rx_tally tally;
    size_t bytes;
    char trouble[200];

    struct rx_map *touched[STATE_KINDS];
    bool touched_all;
    struct rx_task flush;

    struct rx_timer beat;
    rx_str *planes;
    size_t plane_count;

    struct rx_timer answer; /* those who want a snapshot */
    char wanted[PLANES_MAX][RX_TOPIC_MAX + 1];
    size_t wanted_count;
};

static void *
alloc_or_die(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);

    if (p == NULL)
        abort();
    return p;
}

static rx_str
entry_id(const struct entry *e)
{
    return (rx_str){ e->bytes, e->id_len };
}

static rx_str
entry_packed(const struct entry *e)
{
    return (rx_str){ e->bytes + e->id_len, e->len };
}

static struct entry *
entry_new(rx_str id, rx_str packed)
{
    struct entry *e = alloc_or_die(sizeof(*e) + id.len + packed.len);

    e->id_len = id.len;
    e->len = packed.len;
    if (id.len > 0)
        memcpy(e->bytes, id.ptr, id.len);
    if (packed.len > 0)
        memcpy(e->bytes + id.len, packed.ptr, packed.len);
    return e;
}

static void
entry_free(void *entry)
{
    struct entry *e = entry;

    if (e != NULL)
        rx_wipe(e->bytes, e->id_len + e->len); /* credentials may be in it */
    free(e);
}

static rx_str
item_id(const struct state_item *item)
{
    switch (item->kind) {
    case STATE_CHANNEL: return item->channel.id;
    case STATE_TENANT: return item->tenant.id;
    case STATE_KEY: return item->key.id;
    case STATE_RULE: return item->rule.id;
    case STATE_FUNCTION: return item->function.id;
    case STATE_SETTINGS:
    case STATE_KINDS: break;
    }
    return (rx_str){ 0 };
}

/* NULL when it is bigger than an item may be. */
static struct entry *
entry_of(const struct state_item *item)
{
    struct entry *e = NULL;
    struct rx_buf packed;

    rx_buf_init(&packed, ITEM_MAX);
    if (wire_pack_item(&packed, item))
        e = entry_new(item_id(item), rx_buf_str(&packed));
    if (packed.len > 0)
        rx_wipe(packed.ptr, packed.len);
    rx_buf_fini(&packed);
    return e;
}

/* ---- sending ----------------------------------------------------------- */

static void
send_down(
    struct publisher *p, enum rx_message kind, const char *topic, rx_str body)
{
    struct rx_envelope head = {
        .kind = kind,
        .topic = { topic, strlen(topic) },
        .major = RX_WIRE_MAJOR,
        .minor = RX_WIRE_MINOR,
        .from_control = true,
        .epoch = p->epoch,
        .version = p->version,
        .sequence = ++p->sequence,
    };
    struct rx_buf out;

    rx_buf_init(&out, body.len + RX_ENVELOPE_EXTRA);
    if (!rx_envelope_seal(&p->keys, &head, body, &out) ||
        rx_bus_send(p->bus, rx_buf_str(&out)) != RX_OK)
        rx_error("message.unsent", "kind=%s bytes=%zu", rx_message_name(kind),
            body.len);
    rx_buf_fini(&out);
}

static void
send_heartbeat(struct publisher *p)
{
    struct rx_digest digest = rx_tally_digest(&p->tally);
    struct rx_buf body;

    rx_buf_init(&body, rx_message_max(RX_MSG_HEARTBEAT));
    if (wire_pack_heartbeat(
            &body, p->epoch, p->version, &digest, p->planes, p->plane_count))
        send_down(p, RX_MSG_HEARTBEAT, "all", rx_buf_str(&body));
    rx_buf_fini(&body);
}

static void
send_snapshot(struct publisher *p, const char *topic)
{
    struct rx_buf body;

    rx_buf_init(&body, rx_message_max(RX_MSG_SNAPSHOT));
    for (unsigned k = 0; k < STATE_KINDS; k++) {
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(p->state[k], &at, &id, &value))
            wire_put_item(
                &body, false, (enum state_kind)k, entry_packed(value));
    }
    assert(!body.full); /* apply() saw to that */
    send_down(p, RX_MSG_SNAPSHOT, topic, rx_buf_str(&body));
    if (body.len > 0)
        rx_wipe(body.ptr, body.len);
    rx_buf_fini(&body);
}

void
publisher_send_ack(
    struct publisher *p, rx_str plane, uint64_t boot, uint64_t seq)
{
    char topic[RX_TOPIC_MAX + 1];
    struct rx_buf body;

    rx_plane_topic(plane, topic);
    rx_buf_init(&body, rx_message_max(RX_MSG_ACK));
    if (wire_pack_ack(&body, boot, seq))
        send_down(p, RX_MSG_ACK, topic, rx_buf_str(&body));
    rx_buf_fini(&body);
}

void
publisher_send_lease(struct publisher *p, rx_str plane, rx_str body)
{
    char topic[RX_TOPIC_MAX + 1];

    rx_plane_topic(plane, topic);
    send_down(p, RX_MSG_LEASE, topic, body);
}

void
publisher_send_notice(struct publisher *p, enum rx_message kind, rx_str body)
{
    send_down(p, kind, "all", body);
}

/* One plane gets it on its own topic; several share one message. */
static void
on_answer(void *arg)
{
    struct publisher *p = arg;

    send_snapshot(p, p->wanted_count == 1 ? p->wanted[0] : "all");
    p->wanted_count = 0;
}

void
publisher_send_snapshot(struct publisher *p, rx_str plane)
{
    char topic[RX_TOPIC_MAX + 1];

    rx_plane_topic(plane, topic);
    for (size_t i = 0; i < p->wanted_count; i++) {
        if (strcmp(p->wanted[i], topic) == 0)
            return;
    }
    if (p->wanted_count < PLANES_MAX)
        memcpy(p->wanted[p->wanted_count++], topic, sizeof(topic));
    if (!rx_timer_is_set(&p->answer))
        rx_timer_set(&p->answer, GATHER_MS);
}

static void
on_beat(void *arg)
{
    struct publisher *p = arg;

    if (p->trouble[0] != '\0')
        rx_loop_post(p->loop, &p->flush);
    send_heartbeat(p);
    rx_timer_set(&p->beat, BEAT_MS);
}

/* ---- staging a change -------------------------------------------------- */

static enum rx_code
troubled(struct publisher *p, const struct rx_err *err)
{
    snprintf(p->trouble, sizeof(p->trouble), "%s", err->text);
    rx_error("state.unpublished", "version=%" PRIu64 " why=%s", p->version,
        rx_log_quote(p->trouble));
    return err->code;
}

struct stage {
    struct publisher *publisher;
    struct change *changes;
    struct rx_map *seen[STATE_KINDS]; /* walking all: ids there are */
    struct rx_err err;                /* of the first failure */
};

/* Takes `now`; drops it when it changes nothing. */
static void
stage_put(struct stage *st, enum state_kind kind, rx_str id, struct entry *now)
{
    const struct entry *before = rx_map_get(st->publisher->state[kind], id);

    if (before == now ||
        (before != NULL && now != NULL &&
            rx_str_eq(entry_packed(before), entry_packed(now)))) {
        entry_free(now);
        return;
    }
    struct change *c = alloc_or_die(sizeof(*c));
    *c = (struct change){ st->changes, kind, before, now };
    st->changes = c;
}

static void
stage_item(struct stage *st, const struct state_item *item)
{
    rx_str id = item_id(item);
    struct entry *e = entry_of(item);

    if (e == NULL) {
        if (st->err.code == RX_OK)
            rx_fail(&st->err, RX_TOO_BIG, "item " RX_STR_FMT " is too big",
                RX_STR_ARG(id));
        return;
    }
    stage_put(st, item->kind, id, e);
}

static void
each_item(void *user, const struct state_item *item)
{
    struct stage *st = user;

    if (rx_map_put(st->seen[item->kind], item_id(item), st) == NULL)
        stage_item(st, item);
    else if (st->err.code == RX_OK)
        rx_fail(&st->err, RX_INTERNAL, "item " RX_STR_FMT " is there twice",
            RX_STR_ARG(item_id(item)));
}

/* Everything there is, and what is no more. */
static void
stage_all(struct stage *st)
{
    struct publisher *p = st->publisher;

    for (unsigned k = 0; k < STATE_KINDS; k++)
        st->seen[k] = rx_map_new();
    struct rx_err err = { 0 };
    if (p->source.walk(p->source.arg, each_item, st, &err) != RX_OK)
        st->err = err;
    for (unsigned k = 0; k < STATE_KINDS && st->err.code == RX_OK; k++) {
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(p->state[k], &at, &id, &value)) {
            if (rx_map_get(st->seen[k], id) == NULL)
                stage_put(st, (enum state_kind)k, id, NULL);
        }
    }
    for (unsigned k = 0; k < STATE_KINDS; k++)
        rx_map_free(st->seen[k], NULL);
}

static void
stage_one(struct stage *st, enum state_kind kind, rx_str id)
{
    struct publisher *p = st->publisher;
    struct rx_arena *arena = rx_arena_new(ITEM_MAX * 16);
    struct state_item item = { .kind = kind };
    struct rx_err err = { 0 };

    enum rx_code code =
        p->source.load(p->source.arg, kind, id, arena, &item, &err);
    if (code == RX_OK)
        stage_item(st, &item);
    else if (code == RX_NOT_FOUND && kind != STATE_SETTINGS)
        stage_put(st, kind, id, NULL);
    else if (st->err.code == RX_OK)
        st->err = err;
    rx_arena_free(arena);
}

static void
stage_touched(struct stage *st)
{
    for (unsigned k = 0; k < STATE_KINDS; k++) {
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(st->publisher->touched[k], &at, &id, &value))
            stage_one(st, (enum state_kind)k, id);
    }
}

static void
stage_fini(struct stage *st)
{
    for (struct change *c = st->changes, *next; c != NULL; c = next) {
        next = c->next;
        entry_free(c->now); /* NULL once applied */
        free(c);
    }
}

/* ---- applying it ------------------------------------------------------- */

static size_t
weight(const struct entry *e)
{
    return e != NULL ? e->len + ITEM_EXTRA : 0;
}

/* Would a snapshot of the result still fit its message? */
static enum rx_code
check_size(const struct stage *st, struct rx_err *err)
{
    size_t bytes = st->publisher->bytes;

    for (const struct change *c = st->changes; c != NULL; c = c->next)
        bytes += weight(c->now) - weight(c->before);
    if (bytes > rx_message_max(RX_MSG_SNAPSHOT))
        return rx_fail(err, RX_TOO_BIG, "state of %zu bytes, at most %zu",
            bytes, rx_message_max(RX_MSG_SNAPSHOT));
    return RX_OK;
}

static void
put_change(struct rx_buf *delta, const struct change *c)
{
    if (c->now != NULL)
        wire_put_item(delta, true, c->kind, entry_packed(c->now));
    else
        wire_put_deleted(delta, c->kind, entry_id(c->before));
}

static void
apply(struct publisher *p, struct change *c)
{
    p->bytes += weight(c->now) - weight(c->before);
    if (c->before != NULL)
        rx_tally_take(&p->tally, c->kind, entry_packed(c->before));
    if (c->now != NULL) {
        rx_tally_add(&p->tally, c->kind, entry_packed(c->now));
        entry_free(rx_map_put(p->state[c->kind], entry_id(c->now), c->now));
        c->now = NULL; /* the state's from now on */
    } else {
        entry_free(rx_map_remove(p->state[c->kind], entry_id(c->before)));
    }
}

/* The next version: a Delta, or when that would be too big, a Snapshot. */
static void
publish(struct stage *st)
{
    struct publisher *p = st->publisher;
    struct rx_buf delta;
    size_t count = 0;

    rx_buf_init(&delta, rx_message_max(RX_MSG_DELTA));
    wire_put_from(&delta, p->version);
    for (struct change *c = st->changes; c != NULL; c = c->next, count++) {
        put_change(&delta, c);
        apply(p, c);
    }
    p->version++;
    struct rx_digest digest = rx_tally_digest(&p->tally);
    wire_put_digest(&delta, &digest);
    if (p->bus != NULL) {
        if (delta.full)
            send_snapshot(p, "all");
        else
            send_down(p, RX_MSG_DELTA, "all", rx_buf_str(&delta));
        send_heartbeat(p);
    }
    rx_info("state.published",
        "epoch=%" PRIu64 " version=%" PRIu64 " changes=%zu bytes=%zu", p->epoch,
        p->version, count, delta.len);
    rx_wipe(delta.ptr, delta.len);
    rx_buf_fini(&delta);
}

static void
forget_touched(struct publisher *p)
{
    for (unsigned k = 0; k < STATE_KINDS; k++) {
        rx_map_free(p->touched[k], NULL);
        p->touched[k] = rx_map_new();
    }
    p->touched_all = false;
}

/* What was touched stays touched until it could be published. */
static enum rx_code
flush(struct publisher *p)
{
    struct stage st = { .publisher = p };

    if (p->touched_all)
        stage_all(&st);
    else
        stage_touched(&st);
    enum rx_code code = st.err.code;
    if (code == RX_OK)
        code = check_size(&st, &st.err);
    if (code != RX_OK) {
        troubled(p, &st.err);
    } else {
        p->trouble[0] = '\0';
        forget_touched(p);
        if (st.changes != NULL)
            publish(&st);
    }
    stage_fini(&st);
    return code;
}

static void
on_flush(void *arg)
{
    (void)flush(arg);
}

void
publisher_touch(struct publisher *p, enum state_kind kind, rx_str id)
{
    rx_map_put(p->touched[kind], id, p);
    rx_loop_post(p->loop, &p->flush);
}

void
publisher_touch_all(struct publisher *p)
{
    p->touched_all = true;
    rx_loop_post(p->loop, &p->flush);
}

/* ---- beginning, end, asking -------------------------------------------- */

uint64_t
publisher_next_epoch(uint64_t stored)
{
    uint64_t now = rx_clock_wall_ms();

    return stored >= now ? stored + 1 : now;
}

static enum rx_code
take_lock(struct publisher *p, const char *path, struct rx_err *err)
{
    p->lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (p->lock_fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    if (flock(p->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return rx_fail(err, RX_CONFLICT,
            "another control plane runs on this store (%s is locked)", path);
    return RX_OK;
}

static enum rx_code
start(struct publisher *p, const struct publisher_options *options,
    struct rx_err *err)
{
    struct rx_bus_options bus = { .role = RX_BUS_PUB,
        .url = options->url,
        .queue = QUEUE,
        .tls_cert_key_file = options->tls_cert_key_file };
    enum rx_code code = take_lock(p, options->lock_file, err);

    if (code != RX_OK)
        return code;
    p->touched_all = true;
    code = flush(p);
    if (code != RX_OK)
        return rx_fail(err, code, "loading the state: %.150s", p->trouble);
    return rx_bus_open(&p->bus, p->loop, &bus, NULL, NULL, err);
}

enum rx_code
publisher_open(struct publisher **out, struct rx_loop *loop,
    const struct publisher_options *options, const struct state_source *source,
    struct rx_err *err)
{
    struct publisher *p = alloc_or_die(sizeof(*p));

    *out = NULL;
    p->loop = loop;
    p->source = *source;
    p->keys = options->keys;
    p->epoch = options->epoch;
    p->lock_fd = -1;
    for (unsigned k = 0; k < STATE_KINDS; k++) {
        p->state[k] = rx_map_new();
        p->touched[k] = rx_map_new();
    }
    p->flush = (struct rx_task){ .fn = on_flush, .arg = p };
    rx_timer_init(&p->beat, loop, on_beat, p);
    rx_timer_init(&p->answer, loop, on_answer, p);
    enum rx_code code = start(p, options, err);
    if (code != RX_OK) {
        publisher_close(p);
        return code;
    }
    on_beat(p);
    *out = p;
    return RX_OK;
}

static void
free_planes(struct publisher *p)
{
    for (size_t i = 0; i < p->plane_count; i++)
        free((void *)(uintptr_t)p->planes[i].ptr);
    free(p->planes);
    p->planes = NULL;
    p->plane_count = 0;
}

void
publisher_close(struct publisher *p)
{
    if (p == NULL)
        return;
    rx_loop_unpost(p->loop, &p->flush);
    rx_timer_fini(&p->beat);
    rx_timer_fini(&p->answer);
    rx_bus_close(p->bus);
    for (unsigned k = 0; k < STATE_KINDS; k++) {
        rx_map_free(p->state[k], entry_free);
        rx_map_free(p->touched[k], NULL);
    }
    free_planes(p);
    if (p->lock_fd >= 0)
        close(p->lock_fd);
    rx_wipe(&p->keys, sizeof(p->keys));
    free(p);
}

struct publisher_status
publisher_status(const struct publisher *p)
{
    struct publisher_status st = {
        .epoch = p->epoch,
        .version = p->version,
        .digest = rx_tally_digest(&p->tally),
        .bytes = p->bytes,
    };

    for (unsigned k = 0; k < STATE_KINDS; k++)
        st.items += rx_map_count(p->state[k]);
    memcpy(st.trouble, p->trouble, sizeof(st.trouble));
    return st;
}

void
publisher_set_planes(struct publisher *p, const rx_str *planes, size_t count)
{
    free_planes(p);
    p->planes = alloc_or_die(count * sizeof(*p->planes));
    for (size_t i = 0; i < count; i++) {
        char *copy = alloc_or_die(planes[i].len + 1);
        memcpy(copy, planes[i].ptr, planes[i].len);
        p->planes[i] = (rx_str){ copy, planes[i].len };
    }
    p->plane_count = count;
}
