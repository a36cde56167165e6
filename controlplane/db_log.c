/*
 * What was committed stands in the log until it is moved into the file, which
 * takes as long as the disk takes: up to 0.2 s were seen.  A thread does it, on
 * a connection of its own; whoever commits does not wait for it.
 *
 * The log begins anew once all of it was moved and nothing was added meanwhile.
 * While commits come without a pause that never is, so when it has become long,
 * and most of it was moved, the loop moves the little that is left itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/db_parts.h"
#include "shared/log.h"
#include "shared/worker.h"

#define LONG_PAGES  1000 /* then it is worth the while */
#define OVER_PAGES  8000 /* then the loop moves what is little, … */
#define LITTLE      500
#define MOST_PAGES  16000 /* … and then whatever is left: the disk is too slow */
#define AGAIN_MS    1000 /* after a failure */
#define PASSES_MOST 4    /* one after the other */

struct db_log {
    struct db *db;
    struct rx_loop *loop;
    struct rx_worker *worker;
    struct rx_job job;
    bool busy;
    bool closing;
    bool failed;       /* and that was said */
    uint64_t again_ms; /* not before */
    unsigned passes;
    /* The thread's while it is busy. */
    sqlite3 *handle;
    int rc;
    char why[160];
    int pages, moved; /* in the log; of them, in the file, too */
};

/* ---- on the thread --------------------------------------------------------- */

static void
open_own(struct db_log *l)
{
    l->rc = sqlite3_open_v2(l->db->path, &l->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
        NULL);
    if (l->rc == SQLITE_OK)
        l->rc = sqlite3_exec(
            l->handle, "pragma synchronous = full", NULL, NULL, NULL);
}

static void
work(void *arg)
{
    struct db_log *l = arg;

    l->rc = SQLITE_OK;
    if (l->handle == NULL)
        open_own(l);
    if (l->rc == SQLITE_OK)
        l->rc = sqlite3_wal_checkpoint_v2(
            l->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &l->pages, &l->moved);
    if (l->rc == SQLITE_OK)
        return;
    snprintf(l->why, sizeof(l->why), "%s", sqlite3_errmsg(l->handle));
    if (l->pages < 0)
        l->pages = l->moved = 0;
}

/* ---- on the loop ----------------------------------------------------------- */

static void
give(struct db_log *l)
{
    l->busy = true;
    rx_worker_give(l->worker, &l->job);
}

/* A backup that reads may keep it, too: later is good enough. */
static void
note_failure(struct db_log *l)
{
    if (l->rc == SQLITE_OK || (l->rc & 0xFF) == SQLITE_BUSY) {
        l->failed = false;
        return;
    }
    if (!l->failed)
        rx_warn("db.log_kept", "why=%s", rx_log_quote(l->why));
    l->failed = true;
    l->again_ms = rx_loop_ms(l->loop) + AGAIN_MS;
}

/* Is it for the loop to move the rest? */
static bool
is_overdue(const struct db_log *l)
{
    int left = l->pages - l->moved;

    if (db_in_transaction(l->db) || left == 0)
        return false;
    return l->pages >= MOST_PAGES || (l->pages >= OVER_PAGES && left <= LITTLE);
}

/* Another pass at once? */
static bool
goes_on(struct db_log *l)
{
    if (l->closing || l->rc != SQLITE_OK || l->moved == l->pages)
        return false;
    if (is_overdue(l) &&
        sqlite3_wal_checkpoint_v2(l->db->handle, NULL,
            SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_OK)
        return false;
    return l->pages >= OVER_PAGES || l->passes < PASSES_MOST;
}

static void
done(void *arg)
{
    struct db_log *l = arg;

    l->busy = false;
    note_failure(l);
    bool more = goes_on(l);
    l->passes = more ? l->passes + 1 : 0;
    if (more)
        give(l);
}

/* Called after each commit, with the length of the log. */
static int
on_commit(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct db_log *l = arg;

    (void)handle;
    (void)name;
    if (!l->busy && !l->closing && pages >= LONG_PAGES &&
        rx_loop_ms(l->loop) >= l->again_ms)
        give(l);
    return SQLITE_OK;
}

void
db_run_log(struct db *db, struct rx_loop *loop)
{
    struct db_log *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    l->db = db;
    l->loop = loop;
    l->worker = rx_worker_new(loop);
    l->job = (struct rx_job){ .work = work, .done = done, .arg = l };
    db->log = l;
    sqlite3_wal_hook(db->handle, on_commit, l);
}

enum rx_code
db_checkpoint(struct db *db, struct rx_err *err)
{
    struct db_log *l = db->log;

    if (l == NULL)
        return db_run(db_query(db, "pragma wal_checkpoint(passive)"), err);
    if (!l->busy && !l->closing)
        give(l);
    return RX_OK;
}

void
db_log_free(struct db_log *l)
{
    if (l == NULL)
        return;
    l->closing = true;
    sqlite3_wal_hook(l->db->handle, NULL, NULL);
    rx_worker_free(l->worker);
    sqlite3_close(l->handle); /* before the other one, which is the last */
    free(l);
}
