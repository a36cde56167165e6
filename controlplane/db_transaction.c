/*
 * Transactions.  SQLITE_FULL and SQLITE_IOERR may have rolled one back by
 * themselves: sqlite3_get_autocommit() knows.
 */
#include <assert.h>
#include <stdlib.h>

#include "controlplane/db_parts.h"

bool
db_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

enum rx_code
db_begin(struct db *db, struct rx_err *err)
{
    assert(!db_in_transaction(db));
    return db_run(db_query(db, "begin immediate"), err);
}

/* SQLite takes it outside transactions only, and each time anew. */
static enum rx_code
wait_for_disk(struct db *db, bool wait, struct rx_err *err)
{
    db->lazy = !wait;
    return db_run_text(db,
        wait ? "pragma synchronous = full" : "pragma synchronous = normal",
        err);
}

enum rx_code
db_begin_lazily(struct db *db, struct rx_err *err)
{
    assert(!db_in_transaction(db));
    enum rx_code code = wait_for_disk(db, false, err);
    if (code == RX_OK)
        code = db_begin(db, err);
    if (code != RX_OK && wait_for_disk(db, true, NULL) != RX_OK)
        abort(); /* what is acknowledged would not be safe */
    return code;
}

static void
end_laziness(struct db *db)
{
    if (db->lazy && !db_in_transaction(db) &&
        wait_for_disk(db, true, NULL) != RX_OK)
        abort();
}

enum rx_code
db_commit(struct db *db, struct rx_err *err)
{
    /* A full disk may have ended the transaction before we got here. */
    if (!db_in_transaction(db)) {
        end_laziness(db);
        return rx_fail(err, RX_UNAVAILABLE,
            "%s: the change was given up; is the disk full?", db->path);
    }
    enum rx_code code = db_run(db_query(db, "commit"), err);
    if (code != RX_OK)
        db_rollback(db);
    end_laziness(db);
    return code;
}

void
db_rollback(struct db *db)
{
    if (db_in_transaction(db))
        (void)db_run(db_query(db, "rollback"), NULL);
    end_laziness(db);
}
