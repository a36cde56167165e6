/*
 * planes_rig.h - both ends of the protocol in one process, on one loop.
 *
 * The control plane's end publishes a toy state and commits usage to memory;
 * any number of data planes follow it.  A tap of the pub socket and a push of
 * our own let tests play the stranger in the middle.
 */
#ifndef TESTS_PLANES_RIG_H
#define TESTS_PLANES_RIG_H

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/collector.h"
#include "controlplane/publisher.h"
#include "dataplane/follow.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/loop.h"
#include "tests/unit/check.h"
#include "tests/unit/toy_state.h"

#define RIG_ROWS 100000

struct rig_row {
    char plane[65];
    uint64_t boot, seq;
    char request[40];
    uint64_t in;
};

struct rig_progress {
    char plane[65];
    uint64_t boot, seq;
};

struct rig {
    struct rx_loop *loop;
    char dir[64];
    char token[128];
    char pub_url[160], pull_url[160];
    struct rx_join_keys keys;
    uint64_t epoch;
    struct toy toy;
    struct publisher *publisher;
    struct collector *collector;
    /* the usage store */
    struct rig_row *rows;
    size_t row_count;
    struct rig_progress progress[64];
    size_t progress_count;
    unsigned doubled;     /* rows that were here already */
    bool commit_fails;    /* the store refuses */
    bool crash_at_commit; /* it commits, but nobody hears of it */
    unsigned commits;
};

static inline int
rig_remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
    (void)st;
    (void)type;
    (void)w;
    return remove(path);
}

static inline enum rx_code
rig_walk(void *arg, void (*each)(void *user, const struct state_item *item),
    void *user, struct rx_err *err)
{
    struct rig *r = arg;

    if (r->toy.broken)
        return rx_fail(err, RX_INTERNAL, "the toy is broken");
    for (size_t i = 0; i < r->toy.count; i++)
        each(user, &r->toy.items[i]);
    return RX_OK;
}

static inline enum rx_code
rig_load(void *arg, enum state_kind kind, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    struct rig *r = arg;
    struct state_item *item = toy_find(&r->toy, kind, id);

    (void)arena;
    if (r->toy.broken)
        return rx_fail(err, RX_INTERNAL, "the toy is broken");
    if (item == NULL)
        return rx_fail(err, RX_NOT_FOUND, "gone");
    *out = *item;
    return RX_OK;
}

static inline struct rig_progress *
rig_progress_of(struct rig *r, rx_str plane, uint64_t boot)
{
    for (size_t i = 0; i < r->progress_count; i++) {
        struct rig_progress *p = &r->progress[i];
        if (p->boot == boot &&
            rx_str_eq(plane, (rx_str){ p->plane, strlen(p->plane) }))
            return p;
    }
    return NULL;
}

static inline enum rx_code
rig_get_progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    struct rig_progress *p = rig_progress_of(arg, plane, boot);

    (void)err;
    *seq = p != NULL ? p->seq : 0;
    return RX_OK;
}

static inline void
rig_add_row(
    struct rig *r, rx_str plane, uint64_t boot, const struct usage_row *row)
{
    for (size_t i = r->row_count; i-- > 0 && i + 2000 > r->row_count;) {
        if (r->rows[i].boot == boot && r->rows[i].seq == row->seq &&
            strncmp(r->rows[i].plane, plane.ptr, plane.len) == 0) {
            r->doubled++;
            return;
        }
    }
    if (r->row_count == RIG_ROWS)
        abort();
    struct rig_row *to = &r->rows[r->row_count++];
    memset(to, 0, sizeof(*to));
    memcpy(to->plane, plane.ptr, plane.len);
    to->boot = boot;
    to->seq = row->seq;
    to->in = row->usage.n[COUNT_in_uncached];
    snprintf(to->request, sizeof(to->request), RX_STR_FMT,
        RX_STR_ARG(row->request_id));
}

static inline enum rx_code
rig_commit(void *arg, const struct usage_batch *batch, struct rx_err *err)
{
    struct rig *r = arg;

    if (r->commit_fails)
        return rx_fail(err, RX_UNAVAILABLE, "store is full");
    for (size_t i = 0; i < batch->row_count; i++)
        rig_add_row(r, batch->plane, batch->boot, &batch->rows[i]);
    struct rig_progress *p = rig_progress_of(r, batch->plane, batch->boot);
    if (p == NULL) {
        p = &r->progress[r->progress_count++];
        memcpy(p->plane, batch->plane.ptr, batch->plane.len);
        p->boot = batch->boot;
    }
    p->seq = batch->last_seq;
    r->commits++;
    if (r->crash_at_commit)
        return rx_fail(err, RX_INTERNAL, "killed after the commit");
    return RX_OK;
}

static inline enum rx_code
rig_start_control(struct rig *r, struct rx_err *err)
{
    struct publisher_options po = { .url = r->pub_url, .keys = r->keys };
    struct collector_options co = { .url = r->pull_url, .keys = r->keys };
    struct state_source source = { r, rig_walk, rig_load };
    struct usage_sink sink = { r, rig_get_progress, rig_commit };
    char lock[128];

    snprintf(lock, sizeof(lock), "%s/control.lock", r->dir);
    po.lock_file = lock;
    po.epoch = r->epoch = publisher_next_epoch(r->epoch);
    enum rx_code code =
        publisher_open(&r->publisher, r->loop, &po, &source, err);
    if (code == RX_OK)
        code = collector_open(
            &r->collector, r->loop, &co, &sink, r->publisher, err);
    return code;
}

static inline void
rig_stop_control(struct rig *r)
{
    collector_close(r->collector);
    publisher_close(r->publisher);
    r->collector = NULL;
    r->publisher = NULL;
}

static inline struct rig *
rig_new(void)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct rx_err err = { 0 };

    r->rows = calloc(RIG_ROWS, sizeof(*r->rows));
    r->loop = rx_loop_new();
    snprintf(r->dir, sizeof(r->dir), "/tmp/rxplanes.XXXXXX");
    if (mkdtemp(r->dir) == NULL)
        abort();
    snprintf(r->token, sizeof(r->token), "%s/join.token", r->dir);
    snprintf(r->pub_url, sizeof(r->pub_url), "ipc://%s/pub.sock", r->dir);
    snprintf(r->pull_url, sizeof(r->pull_url), "ipc://%s/pull.sock", r->dir);
    CHECK_INT(RX_OK, rx_join_file(r->token, true, &r->keys, &err));
    toy_put(&r->toy, toy_settings(3));
    toy_put(&r->toy, toy_tenant(1));
    toy_put(&r->toy, toy_channel(1, 1));
    toy_put(&r->toy, toy_key(1, 1));
    return r;
}

static inline void
rig_free(struct rig *r)
{
    rig_stop_control(r);
    rx_loop_free(r->loop);
    nftw(r->dir, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(r->rows);
    free(r);
}

static inline enum rx_code
rig_follow_as(struct rig *r, const char *plane, const char *token,
    struct follow **out, struct rx_err *err)
{
    char dir[256];
    struct follow_options o = {
        .plane = plane,
        .pub_url = r->pub_url,
        .pull_url = r->pull_url,
        .join_token_file = token,
        .data_dir = dir,
        .ops_url = "http://127.0.0.1:1",
        .client_url = "http://127.0.0.1:2",
    };

    snprintf(dir, sizeof(dir), "%s/data/%s", r->dir, plane);
    return follow_open(out, r->loop, &o, NULL, NULL, err);
}

static inline struct follow *
rig_follow(struct rig *r, const char *plane)
{
    struct follow *f = NULL;
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, rig_follow_as(r, plane, r->token, &f, &err));
    return f;
}

static inline void
rig_tick_(void *arg)
{
    (void)arg;
}

/* A condition that holds costs nothing, whatever the machine is busy with. */
#define RIG_DEADLINE_MS 30000

/* Run the loop until the condition holds. */
#define RIG_UNTIL(r, condition)                                           \
    do {                                                                  \
        struct rx_timer t_;                                               \
        uint64_t end_ = rx_clock_ms() + RIG_DEADLINE_MS;                  \
        bool reached_ = false;                                            \
        rx_timer_init(&t_, (r)->loop, rig_tick_, NULL);                   \
        while (!(reached_ = (condition)) && rx_clock_ms() < end_) {       \
            rx_timer_set(&t_, 2);                                         \
            rx_loop_tick((r)->loop, true);                                \
        }                                                                 \
        rx_timer_fini(&t_);                                               \
        if (!reached_) {                                                  \
            fprintf(stderr, "%s:%d: %s: never: %s\n", __FILE__, __LINE__, \
                __func__, #condition);                                    \
            check_failures++;                                             \
        }                                                                 \
    } while (0)

/* Run the loop for that long. */
#define RIG_RUN(r, ms)                                  \
    do {                                                \
        struct rx_timer t_;                             \
        uint64_t end_ = rx_clock_ms() + (ms);           \
        rx_timer_init(&t_, (r)->loop, rig_tick_, NULL); \
        while (rx_clock_ms() < end_) {                  \
            rx_timer_set(&t_, 2);                       \
            rx_loop_tick((r)->loop, true);              \
        }                                               \
        rx_timer_fini(&t_);                             \
    } while (0)

/* Does it apply what is published now? */
static inline bool
rig_in_sync(const struct rig *r, const struct follow *f)
{
    const struct snapshot *s = follow_snapshot(f);
    struct publisher_status st = publisher_status(r->publisher);

    return s != NULL && s->epoch == st.epoch && s->version == st.version &&
           memcmp(&s->state, &st.digest, sizeof(st.digest)) == 0;
}

static inline void
rig_change(struct rig *r, struct state_item item)
{
    toy_put(&r->toy, item);
    publisher_touch(r->publisher, item.kind, toy_id(&item));
}

static inline void
rig_use(struct follow *f, unsigned n)
{
    char id[32];
    struct record rec = {
        .started_ms = rx_clock_wall_ms(),
        .tenant_id = RX_S("te1"),
        .key_id = RX_S("ke1"),
        .status = 200,
        .outcome = RX_S("ok"),
        .usage = { .has = 1u << USAGE_in_uncached, .n = { n } },
        .attempt_count = 1,
        .attempts = { &(struct record_attempt){
            .channel_id = RX_S("ch1"), .status = 200 } },
    };

    snprintf(id, sizeof(id), "request-%u", n);
    rec.request_id = (rx_str){ id, strlen(id) };
    report_add(follow_report(f), &rec, NULL);
}

#endif
