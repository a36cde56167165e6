/*
 * Files and dumps of other programs.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/db_parts.h"

static void
distrust(struct db *db)
{
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
    sqlite3_extended_result_codes(db->handle, 1);
}

enum rx_code
db_open_foreign(struct db **out, const char *path, struct rx_err *err)
{
    struct db *db = db_new(path);
    int rc = sqlite3_open_v2(
        path, &db->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    enum rx_code code = RX_OK;
    int64_t tables;

    *out = NULL;
    if (rc != SQLITE_OK)
        code = db_fail_now(db, rc, err);
    if (code == RX_OK) {
        distrust(db);
        code = db_run_text(db, "pragma cell_size_check = on", err);
    }
    if (code == RX_OK)
        code = db_read_number(
            db, "select count(*) from sqlite_master", &tables, err);
    if (code != RX_OK)
        db_close(db);
    else
        *out = db;
    return code;
}

/* What a dump needs, and nothing that reaches beyond the memory. */
static int
may_run(void *arg, int action, const char *a, const char *b, const char *c,
    const char *d)
{
    static const int allowed[] = { SQLITE_CREATE_TABLE, SQLITE_CREATE_INDEX,
        SQLITE_CREATE_TRIGGER, SQLITE_CREATE_VIEW, SQLITE_INSERT, SQLITE_UPDATE,
        SQLITE_DELETE, SQLITE_READ, SQLITE_SELECT, SQLITE_TRANSACTION,
        SQLITE_REINDEX, SQLITE_FUNCTION, SQLITE_DROP_TABLE };

    (void)arg;
    (void)c;
    (void)d;
    if (action == SQLITE_PRAGMA)
        return strcmp(a, "foreign_keys") == 0 || strcmp(a, "user_version") == 0
                   ? SQLITE_OK
                   : SQLITE_DENY;
    if (action == SQLITE_FUNCTION && strcmp(b, "load_extension") == 0)
        return SQLITE_DENY;
    for (size_t i = 0; i < RX_COUNT(allowed); i++) {
        if (allowed[i] == action)
            return SQLITE_OK;
    }
    return SQLITE_DENY;
}

enum rx_code
db_open_script(struct db **out, rx_str sql, struct rx_err *err)
{
    struct db *db = db_new("the export");
    int rc = sqlite3_open_v2(":memory:", &db->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL);
    char *text = strndup(sql.ptr, sql.len);
    enum rx_code code = RX_OK;

    if (text == NULL)
        abort();
    *out = NULL;
    if (rc != SQLITE_OK)
        code = db_fail_now(db, rc, err);
    if (code == RX_OK) {
        distrust(db);
        sqlite3_set_authorizer(db->handle, may_run, NULL);
        code = db_run_text(db, text, err);
    }
    if (code == RX_OK && db_in_transaction(db))
        code = rx_fail(err, RX_INVALID, "the export is cut off");
    free(text);
    if (code != RX_OK) {
        db_close(db);
        return code;
    }
    sqlite3_set_authorizer(db->handle, NULL, NULL);
    *out = db;
    return RX_OK;
}
