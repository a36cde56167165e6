/*
 * One thing at a time, on a thread of its own.  The loop's side: who asked, when
 * the next is due, and the moment in which the stores change places.
 */
#include "controlplane/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rollup.h"
#include "controlplane/settings.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/worker.h"

#define LOOK_MS   5000
#define NAMES_MAX 2000

struct backups {
    struct rx_loop *loop;
    struct store *store;
    const struct place *place;
    struct rx_worker *worker;
    struct rx_timer look;
    uint64_t failed_ms; /* loop time of the last failure; 0: none */

    struct rx_job job;
    bool busy, restoring;
    atomic_bool stop;
    backup_fn *fn;
    void *arg;
    /* the thread's, while busy */
    char path[PLACE_PATH_MAX + BACKUP_NAME_MAX + 16];
    struct backup_done done;
    struct rx_err err;
    enum rx_code code;

    void (*restored)(void *arg);
    void *restored_arg;
};

static void
work(void *arg)
{
    struct backups *b = arg;

    b->code =
        b->restoring
            ? backup_prepare(b->place, b->path, &b->stop, &b->done, &b->err)
            : backup_make_file(b->place, &b->stop, &b->done.info, &b->err);
}

static void
answer(struct backups *b)
{
    if (b->fn != NULL)
        b->fn(b->arg, b->code, &b->done, &b->err);
    b->fn = NULL;
}

/* ---- settings -------------------------------------------------------------- */

static void
load_plan(struct backups *b, struct backup_plan *plan)
{
    struct rx_arena *arena = rx_arena_new((size_t)4 << 20);
    struct settings s;

    *plan = (struct backup_plan){ 0 };
    if (settings_load(b->store, arena, &s, NULL) == RX_OK)
        *plan = s.backups;
    rx_arena_free(arena);
}

/* ---- making ---------------------------------------------------------------- */

static void
made(struct backups *b)
{
    struct backup_plan plan;

    b->failed_ms = 0;
    if (b->code != RX_OK) {
        b->failed_ms = rx_loop_ms(b->loop);
        rx_error("backup.failed", "reason=%s", rx_log_quote(b->err.text));
        return;
    }
    load_plan(b, &plan);
    if (plan.keep > 0)
        backup_prune(b->place, plan.keep);
    rx_info("backup.made", "name=%s bytes=%llu requests=%llu",
        b->done.info.name, (unsigned long long)b->done.info.bytes,
        (unsigned long long)b->done.info.facts.requests);
}

/* ---- restoring ------------------------------------------------------------- */

static void
exchange(struct backups *b)
{
    char prepared[sizeof(b->path)];

    backup_prepared_path(b->place, prepared, sizeof(prepared));
    backup_aside_path(b->place, b->done.aside, sizeof(b->done.aside));
    if (b->code == RX_OK)
        b->code = store_exchange(b->store, prepared, b->done.aside, &b->err);
    if (b->code != RX_OK) {
        b->store->frozen = NULL;
        rx_error("restore.failed", "reason=%s", rx_log_quote(b->err.text));
        return;
    }
    rx_warn("restore.done",
        "from=%s carried_over=%llu unreadable=%llu aside=%s",
        rx_log_quote(b->path), (unsigned long long)b->done.merged.requests,
        (unsigned long long)b->done.merged.unreadable,
        rx_log_quote(b->done.aside));
}

static void
on_done(void *arg)
{
    struct backups *b = arg;
    bool restored = false;

    b->busy = false;
    if (b->restoring) {
        exchange(b);
        restored = b->code == RX_OK;
    } else {
        made(b);
    }
    answer(b);
    if (restored && b->restored != NULL)
        b->restored(b->restored_arg);
}

/* ---- asking ---------------------------------------------------------------- */

static enum rx_code
start(struct backups *b, bool restoring, backup_fn *fn, void *arg,
    struct rx_err *err)
{
    if (b->busy || b->store->frozen != NULL)
        return rx_fail(err, RX_CONFLICT,
            b->restoring ? "a backup is being restored just now"
                         : "a backup is being made just now");
    b->busy = true;
    b->restoring = restoring;
    b->fn = fn;
    b->arg = arg;
    b->done = (struct backup_done){ 0 };
    b->err = (struct rx_err){ 0 };
    b->code = RX_OK;
    if (restoring) {
        /* Its sums go into the restored store as they are. */
        if (rollup_flush(b->store->rollup, &b->err) != RX_OK)
            rx_warn("rollup.unstored", "why=%s", rx_log_quote(b->err.text));
        b->err = (struct rx_err){ 0 };
        b->store->frozen = "a backup is being restored";
    }
    rx_worker_give(b->worker, &b->job);
    return RX_OK;
}

enum rx_code
backups_make(struct backups *b, backup_fn *fn, void *arg, struct rx_err *err)
{
    return start(b, false, fn, arg, err);
}

enum rx_code
backups_restore(struct backups *b, rx_str name, backup_fn *fn, void *arg,
    struct rx_err *err)
{
    if (!b->busy) {
        enum rx_code code =
            backup_find(b->place, name, b->path, sizeof(b->path), err);
        if (code != RX_OK)
            return code;
    }
    return start(b, true, fn, arg, err);
}

void
backups_forget(struct backups *b, void *arg)
{
    if (b->arg == arg)
        b->fn = NULL;
}

enum rx_code
backups_list(struct backups *b, struct rx_json_out *w, struct rx_err *err)
{
    char(*names)[BACKUP_NAME_MAX] = calloc(NAMES_MAX, sizeof(*names));
    struct backup_info info;

    (void)err;
    if (names == NULL)
        abort();
    size_t n = backup_names(b->place, names, NAMES_MAX);
    for (size_t i = 0; i < n; i++) {
        backup_describe(b->place, names[i], &info);
        backup_put(w, NULL, &info);
    }
    free(names);
    return RX_OK;
}

/* ---- by itself ------------------------------------------------------------- */

static uint64_t
newest_ms(const struct backups *b)
{
    struct backup_info info = { 0 };
    char(*names)[BACKUP_NAME_MAX] = calloc(NAMES_MAX, sizeof(*names));

    if (names == NULL)
        abort();
    if (backup_names(b->place, names, NAMES_MAX) > 0)
        backup_describe(b->place, names[0], &info);
    free(names);
    return info.made_ms;
}

/* After a failure it is tried again, but not every five seconds. */
static bool
is_due(const struct backups *b, const struct backup_plan *plan)
{
    uint64_t pause = plan->every_ms < 600000 ? plan->every_ms : 600000;

    if (plan->every_ms == 0 || b->busy || b->store->frozen != NULL)
        return false;
    if (b->failed_ms != 0 && rx_loop_ms(b->loop) < b->failed_ms + pause)
        return false;
    uint64_t newest = newest_ms(b);
    uint64_t now = rx_clock_wall_ms();
    return newest + plan->every_ms <= now || newest > now + plan->every_ms;
}

static void
on_look(void *arg)
{
    struct backups *b = arg;
    struct backup_plan plan;

    load_plan(b, &plan);
    if (is_due(b, &plan))
        (void)start(b, false, NULL, NULL, NULL);
    /* Whoever wants them every few seconds is looked after every few seconds. */
    uint64_t soon = plan.every_ms != 0 ? plan.every_ms / 2 + 100 : LOOK_MS;
    rx_timer_set(&b->look, soon < LOOK_MS ? soon : LOOK_MS);
}

/* ---- beginning and end ----------------------------------------------------- */

struct backups *
backups_new(
    struct rx_loop *loop, struct store *store, const struct place *place)
{
    struct backups *b = calloc(1, sizeof(*b));

    if (b == NULL)
        abort();
    b->loop = loop;
    b->store = store;
    b->place = place;
    b->worker = rx_worker_new(loop);
    b->job = (struct rx_job){ .work = work, .done = on_done, .arg = b };
    rx_timer_init(&b->look, loop, on_look, b);
    rx_timer_set(&b->look, LOOK_MS);
    return b;
}

void
backups_free(struct backups *b)
{
    if (b == NULL)
        return;
    atomic_store(&b->stop, true);
    b->fn = NULL;
    b->restored = NULL;
    rx_worker_free(b->worker);
    rx_timer_fini(&b->look);
    free(b);
}

void
backups_on_restored(struct backups *b, void (*fn)(void *arg), void *arg)
{
    b->restored = fn;
    b->restored_arg = arg;
}
