/*
 * db.h - the store's file: door to SQLite.
 *
 * One connection, used from the loop only.  WAL, foreign keys on, and every
 * commit is on disk before db_commit() returns: a usage row that was
 * acknowledged must survive a power cut.
 *
 * A query is prepared at its first use and kept.  Its errors stick, so a run of
 * binds and steps is looked at once, in db_done():
 *
 *     struct db_query *q = db_query(db, "select id from key where tenant = ?");
 *     db_bind_str(q, 1, tenant);
 *     while (db_next(q))
 *         use(db_str(q, 0));             // borrowed until the next step
 *     if (db_done(q, err) != RX_OK)
 *         return rx_because(err, "listing keys");
 *
 * Codes: RX_CONFLICT a constraint (unique, foreign key) was hit; RX_UNAVAILABLE
 * the disk is full or another program holds the lock: later may be better;
 * RX_INTERNAL the file is damaged or unreadable.  A question of more than 1.5 s
 * is given up (RX_UNAVAILABLE), because the loop has other things to do.
 */
#ifndef CONTROLPLANE_DB_H
#define CONTROLPLANE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/migrations.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/loop.h"
#include "shared/str.h"

struct db;
struct db_query;

/*
 * Open the file, create it (mode 0600) if there is none, and bring its schema
 * up to the last of `history`, one transaction per step.  RX_CONFLICT: the file
 * was made by a newer program, or is some other program's.
 */
RX_NODISCARD enum rx_code db_open(struct db **out, const char *path,
    const struct migration *history, struct rx_err *err);
/*
 * Another program's file, to be read only and with suspicion: nothing in it is
 * run.  Questions may take as long as they take.
 */
RX_NODISCARD enum rx_code db_open_foreign(
    struct db **out, const char *path, struct rx_err *err);
/*
 * A dump as SQL text, run in memory: it may make tables and fill them, and
 * nothing else (no files, no functions with effects).
 */
RX_NODISCARD enum rx_code db_open_script(
    struct db **out, rx_str sql, struct rx_err *err);
void db_close(struct db *db); /* NULL is allowed */

/*
 * `sql` is one statement.  The query is borrowed from `db` and stays taken
 * until db_done(): it may not be used twice at a time.
 */
struct db_query *db_query(struct db *db, const char *sql);

/* `index` counts from 1.  Bytes are copied. */
void db_bind_str(struct db_query *q, int index, rx_str s);
/* Not copied: has to stay until the query is run and done. */
void db_bind_view(struct db_query *q, int index, rx_str s);
/* NULL when `s` is empty. */
void db_bind_str_or_null(struct db_query *q, int index, rx_str s);
void db_bind_blob(struct db_query *q, int index, rx_str bytes);
void db_bind_i64(struct db_query *q, int index, int64_t n);
/* Stored with the same bits: beyond 2^63 it sorts as negative. */
void db_bind_u64(struct db_query *q, int index, uint64_t n);

/* True: a row is there to be read.  False: no more, or an error. */
bool db_next(struct db_query *q);
/* `column` counts from 0.  NULL reads as empty, 0, false. */
rx_str db_str(struct db_query *q, int column);
rx_str db_blob(struct db_query *q, int column);
int64_t db_i64(struct db_query *q, int column);
uint64_t db_u64(struct db_query *q, int column);
bool db_is_null(struct db_query *q, int column);
/* End it, at whatever row: gives the query back and says how it went. */
enum rx_code db_done(struct db_query *q, struct rx_err *err);
/* For statements without rows: one step, then db_done(). */
enum rx_code db_run(struct db_query *q, struct rx_err *err);

/* Rows touched by the last statement that changed some. */
uint64_t db_changes(const struct db *db);
/* Row id of the last insert. */
int64_t db_last_id(const struct db *db);

/*
 * Blobs that can be put together: `name`_merge(a, b) in SQL makes one of two,
 * `name`_sum(x) one of all in a group.  `size` bytes of zeroed state take in
 * blobs by `add` and give the result by `give`.
 */
struct db_blob_kind {
    const char *name;
    size_t size;
    void (*add)(void *state, rx_str blob);
    void (*give)(void *state, struct rx_buf *out);
};
RX_NODISCARD enum rx_code db_define(
    struct db *db, const struct db_blob_kind *kind, struct rx_err *err);

/* Bytes of the file, and of those the ones that hold nothing. */
RX_NODISCARD enum rx_code db_room(
    struct db *db, uint64_t *all, uint64_t *empty, struct rx_err *err);
/* Give some empty pages at the end back to the file system, at most `pages`;
 * outside a transaction.  Nothing happens to a file from before that could. */
RX_NODISCARD enum rx_code db_shrink(
    struct db *db, unsigned pages, struct rx_err *err);
/*
 * From now on a thread moves what was committed from the log into the file, so
 * that commits do not take longer for it; until db_close(), which ends it.
 */
void db_run_log(struct db *db, struct rx_loop *loop);
/* What was committed goes from the log into the file, as far as that may be;
 * soon, after db_run_log(). */
RX_NODISCARD enum rx_code db_checkpoint(struct db *db, struct rx_err *err);
/*
 * Write the whole file anew, without gaps, and so that db_shrink() works from
 * then on.  Takes minutes and as much room again where there is much.
 */
RX_NODISCARD enum rx_code db_compact(struct db *db, struct rx_err *err);
/* The same for a file from before db_shrink(), where that takes a moment only. */
RX_NODISCARD enum rx_code db_compact_if_small(
    struct db *db, struct rx_err *err);

/*
 * Transactions do not nest.  A commit that fails has been rolled back.
 */
RX_NODISCARD enum rx_code db_begin(struct db *db, struct rx_err *err);
RX_NODISCARD enum rx_code db_commit(struct db *db, struct rx_err *err);
/*
 * The same, but its commit does not wait for the disk: after a power cut it may
 * not have happened.  For what is done again then.
 */
RX_NODISCARD enum rx_code db_begin_lazily(struct db *db, struct rx_err *err);
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

#endif
