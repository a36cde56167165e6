#include "controlplane/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/db_parts.h"
#include "shared/clock.h"

/* "Rtx1": says whose file it is. */
#define APPLICATION_ID 0x52747831

/* A question that takes longer would keep the loop from its heartbeats. */
#define QUESTION_US    UINT64_C(1500000)
/* How many of SQLite's steps between two looks at the clock: about 1 ms. */
#define STEPS_PER_LOOK 20000

struct db *
db_new(const char *name)
{
    struct db *db = calloc(1, sizeof(*db));

    if (db == NULL || (db->path = strdup(name)) == NULL)
        abort();
    db->queries = rx_map_new();
    return db;
}

static enum rx_code
migrate_one(struct db *db, const struct migration *step, unsigned version,
    struct rx_err *err)
{
    char mark[96];

    snprintf(mark, sizeof(mark),
        "pragma application_id = %d; pragma user_version = %u", APPLICATION_ID,
        version);
    if (db_begin(db, err) == RX_OK &&
        db_run_text(db, step->sql, err) == RX_OK &&
        db_run_text(db, mark, err) == RX_OK && db_commit(db, err) == RX_OK)
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

    if (db_read_number(db, "pragma application_id", &owner, err) != RX_OK ||
        db_read_number(
            db, "select count(*) from sqlite_master", &tables, err) != RX_OK)
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

    enum rx_code code =
        db_read_number(db, "pragma user_version", &version, err);
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
    enum rx_code code = db_read_number(db, "pragma page_count", &pages, err);

    if (code != RX_OK || pages > 0)
        return code;
    return db_run_text(db, "pragma auto_vacuum = incremental", err);
}

static enum rx_code
setup(struct db *db, struct rx_err *err)
{
    static const char *const pragmas[] = { "pragma journal_mode = wal",
        "pragma synchronous = full", "pragma foreign_keys = on",
        "pragma temp_store = memory", "pragma cache_size = -2048",
        "pragma journal_size_limit = 16777216",
        "pragma wal_autocheckpoint = 4000", "pragma trusted_schema = off" };

    sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_progress_handler(db->handle, STEPS_PER_LOOK, look_at_clock, db);
    enum rx_code code = let_it_shrink(db, err);
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(pragmas); i++)
        code = db_run_text(db, pragmas[i], err);
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

    struct db *db = db_new(path);
    int rc = sqlite3_open_v2(path, &db->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
        NULL);
    if (rc != SQLITE_OK)
        code = db_fail_now(db, rc, err);
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

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_log_free(db->log);
    db_forget_queries(db);
    sqlite3_close(db->handle);
    free(db->path);
    free(db);
}
