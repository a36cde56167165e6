/*
 * Queries: prepared once, kept, with errors that stick.
 *
 * SQLite's surprises, told once: a failed step leaves the statement to be reset
 * before it can be used again; a text bound from a null pointer is NULL and not
 * the empty text.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/db_parts.h"

struct db_query {
    struct db *db;
    sqlite3_stmt *stmt; /* NULL: could not be prepared */
    int rc;             /* the first failure, else SQLITE_OK */
    char why[160];      /* its words */
    bool taken;
    char sql[];
};

static void
query_free(void *value)
{
    struct db_query *q = value;

    sqlite3_finalize(q->stmt);
    free(q);
}

void
db_forget_queries(struct db *db)
{
    rx_map_free(db->queries, query_free);
}

static void
note(struct db_query *q, int rc)
{
    if (rc == SQLITE_OK || q->rc != SQLITE_OK)
        return;
    q->rc = rc;
    snprintf(q->why, sizeof(q->why), "%s", sqlite3_errmsg(q->db->handle));
}

static void
prepare(struct db_query *q, const char *sql)
{
    note(q, sqlite3_prepare_v3(q->db->handle, sql, -1,
                SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL));
}

static struct db_query *
find_by_text(struct db *db, const char *sql)
{
    rx_str text = { sql, strlen(sql) };
    struct db_query *q = rx_map_get(db->queries, text);

    if (q == NULL) {
        q = calloc(1, sizeof(*q) + text.len + 1);
        if (q == NULL)
            abort();
        q->db = db;
        memcpy(q->sql, sql, text.len + 1);
        rx_map_put(db->queries, text, q);
    }
    return q;
}

/* Another text may have come to where one was. */
static struct db_query *
find_query(struct db *db, const char *sql)
{
    struct db_place *at = &db->places[((uintptr_t)sql >> 4) % DB_PLACES];

    if (at->sql != sql || strcmp(at->query->sql, sql) != 0)
        *at = (struct db_place){ sql, find_by_text(db, sql) };
    return at->query;
}

struct db_query *
db_query(struct db *db, const char *sql)
{
    struct db_query *q = find_query(db, sql);

    assert(!q->taken);
    q->taken = true;
    if (q->stmt == NULL)
        prepare(q, sql);
    return q;
}

static void
bind_text(
    struct db_query *q, int index, rx_str s, sqlite3_destructor_type whose)
{
    note(q, sqlite3_bind_text64(q->stmt, index, s.ptr == NULL ? "" : s.ptr,
                s.len, whose, SQLITE_UTF8));
}

void
db_bind_str(struct db_query *q, int index, rx_str s)
{
    bind_text(q, index, s, SQLITE_TRANSIENT);
}

void
db_bind_view(struct db_query *q, int index, rx_str s)
{
    bind_text(q, index, s, SQLITE_STATIC);
}

void
db_bind_str_or_null(struct db_query *q, int index, rx_str s)
{
    if (s.len == 0)
        note(q, sqlite3_bind_null(q->stmt, index));
    else
        db_bind_str(q, index, s);
}

void
db_bind_blob(struct db_query *q, int index, rx_str bytes)
{
    note(q,
        sqlite3_bind_blob64(q->stmt, index, bytes.ptr == NULL ? "" : bytes.ptr,
            bytes.len, SQLITE_TRANSIENT));
}

void
db_bind_i64(struct db_query *q, int index, int64_t n)
{
    note(q, sqlite3_bind_int64(q->stmt, index, n));
}

void
db_bind_u64(struct db_query *q, int index, uint64_t n)
{
    db_bind_i64(q, index, (int64_t)n);
}

bool
db_next(struct db_query *q)
{
    if (q->rc != SQLITE_OK)
        return false;
    bool question = sqlite3_stmt_readonly(q->stmt) != 0;
    q->db->asking = question;
    q->db->asking_us = 0;
    int rc = sqlite3_step(q->stmt);
    q->db->asking = false;
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        note(q, rc);
    return false;
}

rx_str
db_str(struct db_query *q, int column)
{
    const char *s = (const char *)sqlite3_column_text(q->stmt, column);

    return (rx_str){ s, (size_t)sqlite3_column_bytes(q->stmt, column) };
}

rx_str
db_blob(struct db_query *q, int column)
{
    const char *s = sqlite3_column_blob(q->stmt, column);

    return (rx_str){ s, (size_t)sqlite3_column_bytes(q->stmt, column) };
}

int64_t
db_i64(struct db_query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

uint64_t
db_u64(struct db_query *q, int column)
{
    return (uint64_t)sqlite3_column_int64(q->stmt, column);
}

bool
db_is_null(struct db_query *q, int column)
{
    return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

enum rx_code
db_done(struct db_query *q, struct rx_err *err)
{
    int rc = q->rc;

    if (q->stmt != NULL) {
        sqlite3_reset(q->stmt);
        sqlite3_clear_bindings(q->stmt);
    }
    q->rc = SQLITE_OK;
    q->taken = false;
    return rc == SQLITE_OK ? RX_OK : db_fail(q->db, rc, q->why, err);
}

enum rx_code
db_run(struct db_query *q, struct rx_err *err)
{
    db_next(q);
    return db_done(q, err);
}

uint64_t
db_changes(const struct db *db)
{
    return (uint64_t)sqlite3_changes64(db->handle);
}

int64_t
db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

enum rx_code
db_read_number(struct db *db, const char *sql, int64_t *out, struct rx_err *err)
{
    struct db_query *q = db_query(db, sql);

    *out = db_next(q) ? db_i64(q, 0) : 0;
    return db_done(q, err);
}
