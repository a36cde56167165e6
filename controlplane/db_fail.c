/*
 * What SQLite says went wrong, in words for whoever has to mend it.
 */
#include <stdio.h>

#include "controlplane/db_parts.h"

static const struct {
    int rc; /* primary result code */
    enum rx_code code;
    const char *words; /* for an operator; NULL: SQLite's own will do */
} failures[] = {
    { SQLITE_FULL, RX_UNAVAILABLE, "the disk is full" },
    { SQLITE_BUSY, RX_UNAVAILABLE, "another program keeps the store locked" },
    { SQLITE_LOCKED, RX_UNAVAILABLE, "another program keeps the store locked" },
    { SQLITE_CONSTRAINT, RX_CONFLICT, NULL },
    { SQLITE_CORRUPT, RX_INTERNAL,
        "the file is damaged; go back to a backup: routex config restore "
        "latest --offline" },
    { SQLITE_NOTADB, RX_INTERNAL,
        "the file is damaged: it is no database; go back to a backup: routex "
        "config restore latest --offline" },
    { SQLITE_READONLY, RX_INTERNAL, "the file may not be written to" },
    { SQLITE_CANTOPEN, RX_INTERNAL, "the file cannot be opened" },
    { SQLITE_TOOBIG, RX_TOO_BIG, NULL },
    { SQLITE_INTERRUPT, RX_UNAVAILABLE,
        "the question takes too long; ask for less" },
};

enum rx_code
db_fail(const struct db *db, int rc, const char *why, struct rx_err *err)
{
    enum rx_code code = RX_INTERNAL;
    const char *words = NULL;

    for (size_t i = 0; i < RX_COUNT(failures); i++) {
        if (failures[i].rc == (rc & 0xFF)) {
            code = failures[i].code;
            words = failures[i].words;
        }
    }
    rx_fail(err, code, "%s: %s", db->path, words == NULL ? why : words);
    if (err != NULL)
        err->sys = rc;
    return code;
}

enum rx_code
db_fail_now(const struct db *db, int rc, struct rx_err *err)
{
    return db_fail(db, rc, sqlite3_errmsg(db->handle), err);
}

enum rx_code
db_run_text(struct db *db, const char *sql, struct rx_err *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? RX_OK : db_fail_now(db, rc, err);
}
