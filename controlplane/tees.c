/*
 * Who is next, and how far each is.
 */
#include "controlplane/tees.h"

#include <inttypes.h>
#include <stdlib.h>

#include "controlplane/tees_parts.h"
#include "shared/log.h"

#define BATCH_BYTES ((size_t)1 << 20) /* then it is sent */
#define ARENA_MAX   ((size_t)4 << 20)

static void pump(void *arg);

static void
pass_over(struct runner *r, uint64_t newest)
{
    uint64_t behind = newest - r->tee->done;

    if (behind <= TEES_BEHIND)
        return;
    uint64_t lost = behind - TEES_BEHIND;
    r->tee->lost += lost;
    *r->owner->counts[r->tee->sink].lost += lost;
    r->tee->done += lost;
    rx_error("tee.behind", "name=" RX_STR_FMT " lost=%" PRIu64,
        RX_STR_ARG(r->tee->name), lost);
    tee_note(
        r, r->tee->last_status, "fell too far behind: rows were passed over");
}

static bool
is_whole(const struct runner *r, uint64_t newest)
{
    return r->upto >= newest || r->rows >= r->most ||
           r->batch.len >= BATCH_BYTES;
}

static void
pump(void *arg)
{
    struct runner *r = arg;
    struct store *store = r->owner->options.store;

    if (r->transfer != NULL || !rx_str_eq(r->tee->status, RX_S("enabled")))
        return;
    uint64_t newest = request_count(store);
    if (r->rows == 0) {
        if (r->tee->done >= newest)
            return;
        pass_over(r, newest);
        tee_open_batch(r);
    }
    if (!tee_gather(r, newest)) {
        r->rows = 0;
        rx_timer_set(&r->due, BACKOFF_MS);
    } else if (r->rows > 0 && is_whole(r, newest)) {
        tee_send_batch(r);
    } else if (r->rows == 0) { /* nothing in there for it */
        r->tee->done = r->upto;
        r->dirty = true;
        rx_timer_set(&r->due, 0);
    } else {
        rx_timer_set(&r->due, 0); /* the others' turn, and the loop's */
    }
}

static enum rx_code
sink_commit(void *arg, const struct usage_batch *batch, struct rx_err *err)
{
    struct tees *t = arg;
    enum rx_code code = t->inner.commit(t->inner.arg, batch, err);

    for (size_t i = 0; code == RX_OK && i < t->count; i++) {
        struct runner *r = t->at[i];
        if (r->transfer == NULL && !rx_timer_is_set(&r->due))
            rx_timer_set(&r->due, GATHER_MS);
    }
    return code;
}

static enum rx_code
sink_progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    struct tees *t = arg;

    return t->inner.progress(t->inner.arg, plane, boot, seq, err);
}

struct usage_sink
tees_sink(struct tees *t, struct usage_sink inner)
{
    t->inner = inner;
    return (struct usage_sink){ t, sink_progress, sink_commit };
}

static enum rx_code
save_one(struct store *s, const struct tee *t, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "update tee set done = ?2, sent = ?3, lost = ?4, last_ms = ?5, "
        "last_status = ?6, last_error = ?7 where id = ?1");

    db_bind_str(q, 1, t->id);
    db_bind_u64(q, 2, t->done);
    db_bind_u64(q, 3, t->sent);
    db_bind_u64(q, 4, t->lost);
    db_bind_u64(q, 5, t->last_ms);
    db_bind_u64(q, 6, t->last_status);
    db_bind_str_or_null(q, 7, t->last_error);
    return db_run(q, err);
}

static enum rx_code
save_all(struct tees *t, struct rx_err *err)
{
    struct store *s = t->options.store;
    enum rx_code code = store_begin(s, err);

    if (code != RX_OK)
        return code;
    for (size_t i = 0; code == RX_OK && i < t->count; i++) {
        if (t->at[i]->dirty)
            code = save_one(s, t->at[i]->tee, err);
    }
    if (code == RX_OK)
        return store_commit(s, err);
    store_rollback(s);
    return code;
}

static void
save(void *arg)
{
    struct tees *t = arg;
    struct rx_err err = { 0 };
    bool any = false;

    for (size_t i = 0; i < t->count; i++)
        any = any || t->at[i]->dirty;
    if (!any)
        return;
    if (db_in_transaction(t->options.store->db)) {
        rx_timer_set(&t->save, 1);
        return;
    }
    if (save_all(t, &err) != RX_OK) {
        rx_warn("tee.unsaved", "why=%s", rx_log_quote(err.text));
        rx_timer_set(&t->save, SAVE_MS);
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        t->at[i]->dirty = false;
}

static void
runner_free(struct runner *r)
{
    rx_transfer_cancel(r->transfer);
    rx_timer_fini(&r->due);
    rx_buf_fini(&r->batch);
    rx_arena_free(r->arena);
    free(r);
}

static struct runner *
runner_of(struct tees *t, rx_str id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (rx_str_eq(t->at[i]->tee->id, id))
            return t->at[i];
    }
    if (t->count == TEE_MOST)
        return NULL;
    struct runner *r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->owner = t;
    r->most = BATCH_ROWS;
    rx_buf_init(&r->batch, BATCH_MAX);
    rx_timer_init(&r->due, t->options.loop, pump, r);
    t->at[t->count++] = r;
    return r;
}

/* Start it, or have it go on in a new way; `done` is what it had. */
static void
take_up(struct tees *t, rx_str id)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct rx_err err = { 0 };
    struct tee *fresh = NULL;

    if (tee_load(t->options.store, arena, id, true, &fresh, &err) != RX_OK) {
        rx_error("tee.unread", "why=%s", rx_log_quote(err.text));
        rx_arena_free(arena);
        return;
    }
    struct runner *r = runner_of(t, fresh->id);
    if (r == NULL) {
        rx_arena_free(arena);
        return;
    }
    r->kept = true;
    if (r->tee != NULL && r->tee->rev == fresh->rev) {
        rx_arena_free(arena);
        return;
    }
    if (r->tee != NULL) { /* … but for what only we know */
        fresh->done = r->tee->done;
        fresh->sent = r->tee->sent;
        fresh->lost = r->tee->lost;
        rx_transfer_cancel(r->transfer);
        r->transfer = NULL;
        r->rows = 0;
        r->failures = 0;
    }
    uint64_t newest = request_count(t->options.store);
    if (fresh->done > newest) /* of a store that was put back */
        fresh->done = newest;
    rx_arena_free(r->arena);
    r->arena = arena;
    r->tee = fresh;
    rx_timer_set(&r->due, 0);
}

static void
drop_gone(struct tees *t)
{
    for (size_t i = t->count; i-- > 0;) {
        struct runner *r = t->at[i];
        if (r->kept)
            continue;
        runner_free(r);
        t->at[i] = t->at[--t->count];
    }
}

static void
read_anew(void *arg)
{
    struct tees *t = arg;
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct tee *list[TEE_MOST];
    struct rx_err err = { 0 };
    size_t count = 0;

    if (db_in_transaction(t->options.store->db)) {
        rx_timer_set(&t->again, 1);
    } else if (tee_list(t->options.store, arena, false, list, &count, &err) !=
               RX_OK) {
        rx_error("tee.unread", "why=%s", rx_log_quote(err.text));
        rx_timer_set(&t->again, SAVE_MS);
    } else {
        for (size_t i = 0; i < t->count; i++)
            t->at[i]->kept = false;
        for (size_t i = 0; i < count; i++)
            take_up(t, list[i]->id);
        drop_gone(t);
    }
    rx_arena_free(arena);
}

void
tees_changed(struct tees *t)
{
    rx_timer_set(&t->again, 0);
}

void
tees_fill(const struct tees *t, struct tee *loaded)
{
    uint64_t newest = loaded->done + loaded->behind;

    for (size_t i = 0; i < t->count; i++) {
        const struct tee *mine = t->at[i]->tee;
        if (!rx_str_eq(mine->id, loaded->id))
            continue;
        loaded->done = mine->done;
        loaded->sent = mine->sent;
        loaded->lost = mine->lost;
        loaded->last_ms = mine->last_ms;
        loaded->last_status = mine->last_status;
        loaded->last_error = mine->last_error;
        loaded->behind = newest > mine->done ? newest - mine->done : 0;
    }
}

void
tees_stats(struct tees *t, struct rx_stat *stat)
{
    for (size_t i = 0; i < TEE_SINK_COUNT; i++) {
        struct rx_stat_labels sink =
            RX_STAT_LABELS({ "sink", tee_sink_names[i] });
        t->counts[i].sent = rx_stat_counter(
            stat, "routex_tee_sent_total", "rows that tees handed on", sink);
        t->counts[i].lost = rx_stat_counter(stat, "routex_tee_lost_total",
            "rows that a tee's sink did not take, or fell too far behind",
            sink);
        t->counts[i].failed = rx_stat_counter(stat, "routex_tee_failures_total",
            "attempts of tees that failed", sink);
    }
}

struct tees *
tees_new(const struct tees_options *options)
{
    struct tees *t = calloc(1, sizeof(*t));

    if (t == NULL)
        abort();
    t->options = *options;
    for (size_t i = 0; i < TEE_SINK_COUNT; i++)
        t->counts[i] = (struct counts){ &t->unseen, &t->unseen, &t->unseen };
    rx_timer_init(&t->save, options->loop, save, t);
    rx_timer_init(&t->again, options->loop, read_anew, t);
    rx_timer_set(&t->again, 0);
    return t;
}

void
tees_free(struct tees *t)
{
    if (t == NULL)
        return;
    save(t);
    for (size_t i = 0; i < t->count; i++)
        runner_free(t->at[i]);
    rx_timer_fini(&t->save);
    rx_timer_fini(&t->again);
    free(t);
}
