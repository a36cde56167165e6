/*
 * db_parts.h - what the files behind db.h share: only db*.c may include it.
 */
#ifndef CONTROLPLANE_DB_PARTS_H
#define CONTROLPLANE_DB_PARTS_H

#include <sqlite3.h>

#include "controlplane/db.h"
#include "shared/map.h"

#define DB_BUSY_MS 1000 /* so long another program may hold the lock */

/* Most texts stand in the program: where one is says which it is, nearly. */
#define DB_PLACES 64

struct db_log;

struct db {
    sqlite3 *handle;
    struct rx_map *queries; /* by their text */
    struct db_place {
        const char *sql; /* only to be compared */
        struct db_query *query;
    } places[DB_PLACES];
    bool asking;        /* a question is being answered … */
    uint64_t asking_us; /* … since this much CPU time; 0: not looked yet */
    bool lazy;          /* the running transaction does not wait */
    struct db_log *log; /* who empties it; NULL: SQLite does, in commits */
    char *path;
};

/* Nothing is open yet; `name` is for messages. */
struct db *db_new(const char *name);
/* SQLite's result in our words. */
enum rx_code db_fail(
    const struct db *db, int rc, const char *why, struct rx_err *err);
/* The same for what just went wrong. */
enum rx_code db_fail_now(const struct db *db, int rc, struct rx_err *err);
enum rx_code db_run_text(struct db *db, const char *sql, struct rx_err *err);
/* The first column of the first row; 0 when there is none. */
enum rx_code db_read_number(
    struct db *db, const char *sql, int64_t *out, struct rx_err *err);
void db_forget_queries(struct db *db);
void db_log_free(struct db_log *log); /* NULL is allowed */

#endif
