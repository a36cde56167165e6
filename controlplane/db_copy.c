/*
 * The source is read inside one open transaction, so that what is written to it
 * meanwhile does not begin the copy anew, page after page, for ever.
 */
#include "controlplane/db_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "shared/str.h"

#define APPLICATION_ID 0x52747831
#define PAGES_PER_STEP 512
#define BUSY_MS        5000
#define STEPS_PER_LOOK 100000

static enum rx_code
fail(sqlite3 *db, int rc, const char *path, struct rx_err *err)
{
    enum rx_code code = RX_INTERNAL;
    const char *words = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc);

    switch (rc & 0xFF) {
    case SQLITE_FULL:
        code = RX_UNAVAILABLE;
        words = "the disk is full";
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = RX_UNAVAILABLE;
        words = "another program keeps it locked";
        break;
    case SQLITE_INTERRUPT: code = RX_CANCELLED; break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: words = "the file is damaged"; break;
    default: break;
    }
    rx_fail(err, code, "%.120s: %s", path, words);
    if (err != NULL)
        err->sys = rc;
    return code;
}

static enum rx_code
open_file(sqlite3 **out, const char *path, int flags, struct rx_err *err)
{
    int rc = sqlite3_open_v2(
        path, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);

    if (rc != SQLITE_OK)
        return fail(*out, rc, path, err);
    sqlite3_busy_timeout(*out, BUSY_MS);
    sqlite3_extended_result_codes(*out, 1);
    rc = sqlite3_exec(*out, "pragma trusted_schema = off", NULL, NULL, NULL);
    return rc == SQLITE_OK ? RX_OK : fail(*out, rc, path, err);
}

static enum rx_code
run(sqlite3 *db, const char *sql, const char *path, struct rx_err *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? RX_OK : fail(db, rc, path, err);
}

/* One number, or the text "ok" as 1. */
static enum rx_code
ask(sqlite3 *db, const char *sql, const char *path, int64_t *out,
    struct rx_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    *out = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) == SQLITE_TEXT)
        *out = strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    else if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? RX_OK
                                                 : fail(db, rc, path, err);
}

/* ---- copying --------------------------------------------------------------- */

static enum rx_code
copy_pages(sqlite3 *from, sqlite3 *to, const char *path,
    const atomic_bool *stop, struct rx_err *err)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int rc = SQLITE_OK;

    if (b == NULL)
        return fail(to, sqlite3_errcode(to), path, err);
    while (rc == SQLITE_OK && !(stop != NULL && atomic_load(stop)))
        rc = sqlite3_backup_step(b, PAGES_PER_STEP);
    sqlite3_backup_finish(b);
    if (rc == SQLITE_OK)
        return rx_fail(err, RX_CANCELLED, "%.120s: given up", path);
    return rc == SQLITE_DONE ? RX_OK : fail(NULL, rc, path, err);
}

static enum rx_code
sync_path(const char *path, int flags, struct rx_err *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int why = errno;

    if (fd >= 0)
        close(fd);
    return good ? RX_OK
                : rx_fail(
                      err, RX_UNAVAILABLE, "%.120s: %s", path, strerror(why));
}

static enum rx_code
create(const char *path, struct rx_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return rx_fail(err, errno == ENOSPC ? RX_UNAVAILABLE : RX_INTERNAL,
            "%.120s: %s", path, strerror(errno));
    close(fd);
    return RX_OK;
}

/* The copy stands alone: no write-ahead log beside it. */
static enum rx_code
copy_into(sqlite3 *from, const char *source, const char *to,
    const atomic_bool *stop, struct rx_err *err)
{
    sqlite3 *copy = NULL;
    enum rx_code code = open_file(&copy, to, SQLITE_OPEN_READWRITE, err);

    if (code == RX_OK)
        code =
            run(from, "begin; select count(*) from sqlite_master", source, err);
    if (code == RX_OK)
        code = copy_pages(from, copy, to, stop, err);
    if (code == RX_OK)
        code = run(copy, "pragma journal_mode = delete", to, err);
    sqlite3_close(copy);
    return code == RX_OK ? sync_path(to, O_RDONLY, err) : code;
}

enum rx_code
db_copy(const char *from, const char *to, const atomic_bool *stop,
    struct rx_err *err)
{
    sqlite3 *source = NULL;
    enum rx_code code = create(to, err);

    if (code != RX_OK)
        return code;
    code = open_file(&source, from, SQLITE_OPEN_READWRITE, err);
    if (code == RX_OK)
        code = copy_into(source, from, to, stop, err);
    sqlite3_close(source);
    if (code != RX_OK)
        (void)unlink(to);
    return code;
}

/* ---- looking it over ------------------------------------------------------- */

static int
is_stopped(void *stop)
{
    return atomic_load((const atomic_bool *)stop);
}

static uint64_t
last_version(const struct migration *history)
{
    uint64_t n = 0;

    for (const struct migration *m = history; m->name != NULL; m++)
        (void)rx_str_u64((rx_str){ m->name, strcspn(m->name, "_") }, &n);
    return n;
}

static enum rx_code
look(sqlite3 *db, const char *path, const struct migration *history,
    struct db_facts *out, struct rx_err *err)
{
    int64_t owner = 0;
    int64_t version = 0;
    int64_t sound = 0;

    enum rx_code code = ask(db, "pragma application_id", path, &owner, err);
    if (code == RX_OK && owner != APPLICATION_ID)
        return rx_fail(err, RX_CONFLICT,
            "%.120s: belongs to another program, not to Routex", path);
    if (code == RX_OK)
        code = ask(db, "pragma user_version", path, &version, err);
    out->schema = (uint64_t)version;
    if (code == RX_OK && out->schema > last_version(history))
        return rx_fail(err, RX_CONFLICT,
            "%.120s: was written by a newer version of Routex", path);
    if (code == RX_OK)
        code = ask(db, "pragma integrity_check(1)", path, &sound, err);
    if (code == RX_OK && sound != 1)
        return rx_fail(err, RX_INTERNAL, "%.120s: the file is damaged", path);
    return code;
}

enum rx_code
db_verify(const char *path, const struct migration *history,
    const atomic_bool *stop, struct db_facts *out, struct rx_err *err)
{
    sqlite3 *db = NULL;
    int64_t n = 0;

    *out = (struct db_facts){ 0 };
    enum rx_code code = open_file(&db, path, SQLITE_OPEN_READONLY, err);
    if (code == RX_OK && stop != NULL)
        sqlite3_progress_handler(
            db, STEPS_PER_LOOK, is_stopped, (void *)(uintptr_t)stop);
    if (code == RX_OK)
        code = look(db, path, history, out, err);
    if (code == RX_OK)
        code = ask(db, "select count(*) from request", path, &n, err);
    out->requests = (uint64_t)n;
    if (code == RX_OK)
        code = ask(db, "select count(*) from channel", path, &n, err);
    out->channels = (uint64_t)n;
    sqlite3_close(db);
    return code;
}
