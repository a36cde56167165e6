/*
 * The size of the store's file: what is empty in it, and giving that back.
 */
#include <assert.h>
#include <stdio.h>

#include "controlplane/db_parts.h"
#include "shared/log.h"

/* A file from before it could shrink is written anew at the next start, if that
 * takes a moment only. */
#define SMALL_BYTES ((uint64_t)64 << 20)

enum rx_code
db_room(struct db *db, uint64_t *all, uint64_t *empty, struct rx_err *err)
{
    int64_t size, pages, unused;

    if (db_read_number(db, "pragma page_size", &size, err) != RX_OK ||
        db_read_number(db, "pragma page_count", &pages, err) != RX_OK ||
        db_read_number(db, "pragma freelist_count", &unused, err) != RX_OK)
        return err == NULL ? RX_INTERNAL : err->code;
    *all = (uint64_t)(pages * size);
    *empty = (uint64_t)(unused * size);
    return RX_OK;
}

enum rx_code
db_shrink(struct db *db, unsigned pages, struct rx_err *err)
{
    char sql[64];

    assert(!db_in_transaction(db));
    snprintf(sql, sizeof(sql), "pragma incremental_vacuum(%u)", pages);
    enum rx_code code = db_begin_lazily(db, err);
    if (code != RX_OK)
        return code;
    struct db_query *q = db_query(db, sql);
    while (db_next(q)) /* a row for each page */
        continue;
    code = db_done(q, err);
    if (code == RX_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

/* Statements that answer with a row or not; what they say does not matter. */
static enum rx_code
run(struct db *db, const char *sql, struct rx_err *err)
{
    return db_run(db_query(db, sql), err);
}

enum rx_code
db_compact(struct db *db, struct rx_err *err)
{
    enum rx_code code = run(db, "pragma temp_store = file", err);

    if (code == RX_OK)
        code = run(db, "pragma auto_vacuum = incremental", err);
    if (code == RX_OK)
        code = run(db, "vacuum", err);
    enum rx_code back = run(db, "pragma temp_store = memory", NULL);
    if (code == RX_OK)
        code = back;
    return code == RX_OK ? db_checkpoint(db, err) : code;
}

enum rx_code
db_compact_if_small(struct db *db, struct rx_err *err)
{
    int64_t mode;
    uint64_t all, empty;
    enum rx_code code = db_read_number(db, "pragma auto_vacuum", &mode, err);

    if (code != RX_OK || mode != 0)
        return code;
    code = db_room(db, &all, &empty, err);
    if (code != RX_OK || all > SMALL_BYTES)
        return code;
    /* No room for a copy of it now: it is as good as it was. */
    struct rx_err why = { 0 };
    if (db_compact(db, &why) != RX_OK)
        rx_warn("db.not_compacted", "why=%s", rx_log_quote(why.text));
    return RX_OK;
}
