/*
 * SQLite's surprises, told once: a failed step leaves the statement to be reset
 * before it can be used again; SQLITE_FULL and SQLITE_IOERR may have rolled the
 * transaction back by themselves (ask sqlite3_get_autocommit); a text bound
 * from a null pointer is NULL and not the empty text.
 */
#include "controlplane/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "shared/clock.h"
#include "shared/map.h"

/* "Rtx1": says whose file it is. */
#define APPLICATION_ID  0x52747831
#define BUSY_TIMEOUT_MS 1000

/* A question that takes longer would keep the loop from its heartbeats. */
#define QUESTION_US    UINT64_C(1500000)
/* How many of SQLite's steps between two looks at the clock: about 1 ms. */
#define STEPS_PER_LOOK 20000

/* Most texts stand in the program: where one is says which it is, nearly. */
#define PLACES 64

struct db {
    sqlite3 *handle;
    struct rx_map *queries; /* by their text */
    struct place {
        const char *sql; /* only to be compared */
        struct db_query *query;
    } places[PLACES];
    bool asking;        /* a question is being answered … */
    uint64_t asking_us; /* … since this much CPU time; 0: not looked yet */
    bool lazy;          /* the running transaction does not wait */
    char *path;
};

struct db_query {
    struct db *db;
    sqlite3_stmt *stmt; /* NULL: could not be prepared */
    int rc;             /* the first failure, else SQLITE_OK */
    char why[160];      /* its words */
    bool taken;
    char sql[];
};

/* ---- failures ---- */

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

static enum rx_code
fail(const struct db *db, int rc, const char *why, struct rx_err *err)
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

static enum rx_code
fail_now(const struct db *db, int rc, struct rx_err *err)
{
    return fail(db, rc, sqlite3_errmsg(db->handle), err);
}

static enum rx_code
run_text(struct db *db, const char *sql, struct rx_err *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? RX_OK : fail_now(db, rc, err);
}

/* ---- opening ---- */

static enum rx_code
read_number(struct db *db, const char *sql, int64_t *out, struct rx_err *err)
{
    struct db_query *q = db_query(db, sql);

    *out = db_next(q) ? db_i64(q, 0) : 0;
    return db_done(q, err);
}

static enum rx_code
migrate_one(struct db *db, const struct migration *step, unsigned version,
    struct rx_err *err)
{
    char mark[96];

    snprintf(mark, sizeof(mark),
        "pragma application_id = %d; pragma user_version = %u", APPLICATION_ID,
        version);
    if (db_begin(db, err) == RX_OK && run_text(db, step->sql, err) == RX_OK &&
        run_text(db, mark, err) == RX_OK && db_commit(db, err) == RX_OK)
        return RX_OK;
    db_rollback(db);
    return err == NULL ? RX_INTERNAL
                       : rx_because(err, "migration %s", step->name);
}

/* The number in front of the name is the version: "012_more" is 12. */
static unsigned
version_of(const struct migration *step)
{
    uint64_t n = 0;

    bool is_number =
        rx_str_u64((rx_str){ step->name, strcspn(step->name, "_") }, &n);
    assert(is_number && n > 0 && n < 10000);
    return is_number ? (unsigned)n : 0;
}

static enum rx_code
check_owner(struct db *db, int64_t version, struct rx_err *err)
{
    int64_t owner, tables;

    if (read_number(db, "pragma application_id", &owner, err) != RX_OK ||
        read_number(db, "select count(*) from sqlite_master", &tables, err) !=
            RX_OK)
        return err == NULL ? RX_INTERNAL : err->code;
    if ((version != 0 || tables != 0) && owner != APPLICATION_ID)
        return rx_fail(err, RX_CONFLICT,
            "%s: belongs to another program, not to Routex", db->path);
    return RX_OK;
}

static enum rx_code
migrate(struct db *db, const struct migration *history, struct rx_err *err)
{
    int64_t version;
    unsigned last = 0;

    enum rx_code code = read_number(db, "pragma user_version", &version, err);
    if (code == RX_OK)
        code = check_owner(db, version, err);
    for (const struct migration *m = history; code == RX_OK && m->name != NULL;
         m++) {
        assert(version_of(m) > last);
        last = version_of(m);
        if (last > version)
            code = migrate_one(db, m, last, err);
    }
    if (code == RX_OK && version > last)
        return rx_fail(err, RX_CONFLICT,
            "%s: was written by a newer version of Routex (schema %d, this one "
            "knows %u); start that version, or restore a backup",
            db->path, (int)version, last);
    return code;
}

/* CPU time: a busy machine takes longer, and nothing is wrong with that. */
static int
look_at_clock(void *arg)
{
    struct db *db = arg;

    if (!db->asking)
        return 0;
    uint64_t now = rx_clock_cpu_us();
    if (db->asking_us == 0)
        db->asking_us = now;
    return now - db->asking_us > QUESTION_US;
}

/* It has to be said before there is a page; said later, it writes one. */
static enum rx_code
let_it_shrink(struct db *db, struct rx_err *err)
{
    int64_t pages;
    enum rx_code code = read_number(db, "pragma page_count", &pages, err);

    if (code != RX_OK || pages > 0)
        return code;
    return run_text(db, "pragma auto_vacuum = incremental", err);
}

static enum rx_code
setup(struct db *db, struct rx_err *err)
{
    static const char *const pragmas[] = { "pragma journal_mode = wal",
        "pragma synchronous = full", "pragma foreign_keys = on",
        "pragma temp_store = memory", "pragma cache_size = -2048",
        "pragma journal_size_limit = 16777216",
        "pragma wal_autocheckpoint = 4000", "pragma trusted_schema = off" };

    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_progress_handler(db->handle, STEPS_PER_LOOK, look_at_clock, db);
    enum rx_code code = let_it_shrink(db, err);
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(pragmas); i++)
        code = run_text(db, pragmas[i], err);
    return code;
}

/* What it has allocated we do not ask, and counting it takes a lock each time.
 * The store is opened first, before there are threads. */
static void
begin_library(void)
{
    static bool begun;

    if (!begun)
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    begun = true;
}

/* SQLite would make the file with the umask's mode. */
static enum rx_code
create_private(const char *path, struct rx_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    close(fd);
    return RX_OK;
}

enum rx_code
db_open(struct db **out, const char *path, const struct migration *history,
    struct rx_err *err)
{
    *out = NULL;
    begin_library();
    enum rx_code code = create_private(path, err);
    if (code != RX_OK)
        return code;

    struct db *db = calloc(1, sizeof(*db));
    if (db == NULL || (db->path = strdup(path)) == NULL)
        abort();
    db->queries = rx_map_new();
    int rc = sqlite3_open_v2(path, &db->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
        NULL);
    if (rc != SQLITE_OK)
        code = fail_now(db, rc, err);
    if (code == RX_OK)
        code = setup(db, err);
    if (code == RX_OK)
        code = migrate(db, history, err);
    if (code == RX_OK)
        code = db_compact_if_small(db, err);
    if (code != RX_OK) {
        db_close(db);
        return code;
    }
    *out = db;
    return RX_OK;
}

/* ---- strangers' files ---- */

static struct db *
new_db(const char *name)
{
    struct db *db = calloc(1, sizeof(*db));

    if (db == NULL || (db->path = strdup(name)) == NULL)
        abort();
    db->queries = rx_map_new();
    return db;
}

static void
distrust(struct db *db)
{
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_extended_result_codes(db->handle, 1);
}

enum rx_code
db_open_foreign(struct db **out, const char *path, struct rx_err *err)
{
    struct db *db = new_db(path);
    int rc = sqlite3_open_v2(
        path, &db->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    enum rx_code code = RX_OK;
    int64_t tables;

    *out = NULL;
    if (rc != SQLITE_OK)
        code = fail_now(db, rc, err);
    if (code == RX_OK) {
        distrust(db);
        code = run_text(db, "pragma cell_size_check = on", err);
    }
    if (code == RX_OK)
        code =
            read_number(db, "select count(*) from sqlite_master", &tables, err);
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
    struct db *db = new_db("the export");
    int rc = sqlite3_open_v2(":memory:", &db->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL);
    char *text = strndup(sql.ptr, sql.len);
    enum rx_code code = RX_OK;

    if (text == NULL)
        abort();
    *out = NULL;
    if (rc != SQLITE_OK)
        code = fail_now(db, rc, err);
    if (code == RX_OK) {
        distrust(db);
        sqlite3_set_authorizer(db->handle, may_run, NULL);
        code = run_text(db, text, err);
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

static void
query_free(void *value)
{
    struct db_query *q = value;

    sqlite3_finalize(q->stmt);
    free(q);
}

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    rx_map_free(db->queries, query_free);
    sqlite3_close(db->handle);
    free(db->path);
    free(db);
}

/* ---- queries ---- */

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
    struct place *at = &db->places[((uintptr_t)sql >> 4) % PLACES];

    if (at->sql != sql || strcmp(at->query->sql, sql) != 0)
        *at = (struct place){ sql, find_by_text(db, sql) };
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
    return rc == SQLITE_OK ? RX_OK : fail(q->db, rc, q->why, err);
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

/* ---- blobs that can be put together ---- */

#define BLOB_MAX ((size_t)1 << 20)

static void
take_blob(const struct db_blob_kind *kind, void *state, sqlite3_value *value)
{
    const char *ptr = sqlite3_value_blob(value);

    if (ptr != NULL)
        kind->add(state, (rx_str){ ptr, (size_t)sqlite3_value_bytes(value) });
}

static void
give_blob(sqlite3_context *to, const struct db_blob_kind *kind, void *state)
{
    struct rx_buf out;

    rx_buf_init(&out, BLOB_MAX);
    kind->give(state, &out);
    sqlite3_result_blob64(
        to, out.len > 0 ? out.ptr : "", out.len, SQLITE_TRANSIENT);
    rx_buf_fini(&out);
}

static void
merge_blobs(sqlite3_context *to, int count, sqlite3_value **values)
{
    const struct db_blob_kind *kind = sqlite3_user_data(to);
    void *state = calloc(1, kind->size);

    if (state == NULL)
        abort();
    for (int i = 0; i < count; i++)
        take_blob(kind, state, values[i]);
    give_blob(to, kind, state);
    free(state);
}

static void
sum_step(sqlite3_context *to, int count, sqlite3_value **values)
{
    const struct db_blob_kind *kind = sqlite3_user_data(to);
    void *state = sqlite3_aggregate_context(to, (int)kind->size);

    if (state == NULL)
        sqlite3_result_error_nomem(to);
    else if (count == 1)
        take_blob(kind, state, values[0]);
}

static void
sum_final(sqlite3_context *to)
{
    const struct db_blob_kind *kind = sqlite3_user_data(to);
    void *state = sqlite3_aggregate_context(to, 0);

    if (state == NULL)
        sqlite3_result_null(to);
    else
        give_blob(to, kind, state);
}

enum rx_code
db_define(struct db *db, const struct db_blob_kind *kind, struct rx_err *err)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    char name[64];
    /* SQLite wants it without const, and only hands it back. */
    void *arg = (void *)(uintptr_t)kind;

    snprintf(name, sizeof(name), "%s_merge", kind->name);
    int rc = sqlite3_create_function_v2(
        db->handle, name, 2, flags, arg, merge_blobs, NULL, NULL, NULL);
    snprintf(name, sizeof(name), "%s_sum", kind->name);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(
            db->handle, name, 1, flags, arg, NULL, sum_step, sum_final, NULL);
    return rc == SQLITE_OK ? RX_OK : fail_now(db, rc, err);
}

/* ---- transactions ---- */

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
    return run_text(db,
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
