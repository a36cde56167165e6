#include "controlplane/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/buf.h"

#define CHUNK    1000
#define SQL_SIZE 8192

/*
 * What is taken over as it is: it grew with the requests, and the store in use
 * knows all of it.  Tables that one of the two does not have are passed over.
 */
static const char *const whole_tables[] = { "usage_sum", "usage_cube",
    "plane_progress", "price_version", "audit", "alert", "credential_token",
    "health_check" };

/*
 * What goes with it.  Tables may not be there: the stores may be of different
 * ages.  Of a log-in the newest tokens are the only ones that are good.
 */
static const char *const steps[] = {
    "insert or replace into main.meta (name, value) select name, value "
    "from old.meta where name in ('rollup_mark', 'lease_planes')",
    "update main.oauth_account as m set status = o.status, "
    "access = o.access, refresh = o.refresh, got_ms = o.got_ms, "
    "life_ms = o.life_ms, refreshed_ms = o.refreshed_ms, "
    "last_error = o.last_error, failed_ms = o.failed_ms, "
    "failures = o.failures from old.oauth_account o "
    "where o.id = m.id and o.refreshed_ms >= m.refreshed_ms",
};

struct merge {
    struct db *db;
    struct merge_result *out;
    char columns[SQL_SIZE / 4]; /* of request, but its id; of both stores */
    char attempt_columns[SQL_SIZE / 4];
    char insert[SQL_SIZE], insert_attempts[SQL_SIZE];
    uint64_t base; /* ids above this are nobody's */
};

/* Statements made of table and column names; they stay with the connection. */
static enum rx_code
run(struct db *db, const char *sql, struct rx_err *err)
{
    return db_run(db_query(db, sql), err);
}

/* The columns both have, with commas. */
static enum rx_code
shared_columns(struct db *db, const char *table, const char *without,
    const char *prefix, char *to, size_t size, struct rx_err *err)
{
    struct db_query *q = db_query(db,
        "select group_concat(?3 || name, ', ') from "
        "(select name from pragma_table_info(?1, 'main') where name <> ?2 and "
        "name in (select name from pragma_table_info(?1, 'old')))");

    db_bind_str(q, 1, (rx_str){ table, strlen(table) });
    db_bind_str(q, 2, (rx_str){ without, strlen(without) });
    db_bind_str(q, 3, (rx_str){ prefix, strlen(prefix) });
    to[0] = '\0';
    if (db_next(q)) {
        rx_str s = db_str(q, 0);
        snprintf(to, size, RX_STR_FMT, RX_STR_ARG(s));
    }
    return db_done(q, err);
}

static uint64_t
number(struct db *db, const char *sql, struct rx_err *err)
{
    struct db_query *q = db_query(db, sql);
    uint64_t n = db_next(q) ? db_u64(q, 0) : 0;

    (void)db_done(q, err);
    return n;
}

/* ---- requests -------------------------------------------------------------- */

static enum rx_code
prepare(struct merge *m, struct rx_err *err)
{
    char theirs[SQL_SIZE / 4];
    char attempts[SQL_SIZE / 4];

    enum rx_code code = shared_columns(
        m->db, "request", "id", "", m->columns, sizeof(m->columns), err);
    if (code == RX_OK)
        code = shared_columns(
            m->db, "request", "id", "o.", theirs, sizeof(theirs), err);
    if (code == RX_OK)
        code = shared_columns(m->db, "attempt", "request", "",
            m->attempt_columns, sizeof(m->attempt_columns), err);
    if (code == RX_OK)
        code = shared_columns(
            m->db, "attempt", "request", "a.", attempts, sizeof(attempts), err);
    if (code != RX_OK || m->columns[0] == '\0')
        return code;
    snprintf(m->insert, sizeof(m->insert),
        "insert into main.request (id, %s) select case when exists (select 1 "
        "from main.request r where r.id = o.id) then ?3 + m.rowid else o.id "
        "end, %s from temp.missing m join old.request o on o.id = m.id "
        "where m.id between ?1 and ?2",
        m->columns, theirs);
    snprintf(m->insert_attempts, sizeof(m->insert_attempts),
        "insert into main.attempt (request, %s) select r.id, %s "
        "from temp.missing m join old.request o on o.id = m.id "
        "join main.request r on r.plane = o.plane and r.boot = o.boot and "
        "r.seq = o.seq join old.attempt a on a.request = o.id "
        "where m.id between ?1 and ?2",
        m->attempt_columns, attempts);
    return run(
        m->db, "create temp table missing (id integer not null unique)", err);
}

static enum rx_code
run_range(struct merge *m, const char *sql, uint64_t first, uint64_t last,
    struct rx_err *err)
{
    struct db_query *q = db_query(m->db, sql);

    db_bind_u64(q, 1, first);
    db_bind_u64(q, 2, last);
    if (sql == m->insert)
        db_bind_u64(q, 3, m->base);
    return db_run(q, err);
}

static enum rx_code
take_range(struct merge *m, uint64_t first, uint64_t last, struct rx_err *err)
{
    static const char find[] =
        "insert into temp.missing (id) select o.id from old.request o "
        "where o.id between ?1 and ?2 and not exists (select 1 from "
        "main.request r where r.plane = o.plane and r.boot = o.boot and "
        "r.seq = o.seq)";
    enum rx_code code = run(m->db, "savepoint part", err);
    uint64_t found = 0;

    if (code == RX_OK)
        code = run_range(m, find, first, last, err);
    if (code == RX_OK && (found = db_changes(m->db)) > 0)
        code = run_range(m, m->insert, first, last, err);
    if (code == RX_OK && found > 0)
        code = run_range(m, m->insert_attempts, first, last, err);
    if (code != RX_OK)
        (void)run(m->db, "rollback to part", NULL);
    else
        m->out->requests += found;
    enum rx_code end = run(m->db, "release part", code == RX_OK ? err : NULL);
    return code != RX_OK ? code : end;
}

/* A damaged page costs the rows on it, not those around. */
static enum rx_code
take_requests(struct merge *m, struct rx_err *err)
{
    struct rx_err unread = { 0 };
    uint64_t last = number(m->db, "select max(id) from old.request", &unread);
    uint64_t first = number(m->db, "select min(id) from old.request", &unread);
    uint64_t mine = number(m->db, "select max(id) from main.request", err);

    if (unread.code != RX_OK) {
        snprintf(m->out->left, sizeof(m->out->left), "request");
        return RX_OK;
    }
    m->base = last > mine ? last : mine;
    for (uint64_t at = first; at <= last && last > 0; at += CHUNK) {
        uint64_t end = at + CHUNK - 1;
        enum rx_code code = take_range(m, at, end, err);
        for (uint64_t id = at; code == RX_INTERNAL && id <= end; id++) {
            enum rx_code one = take_range(m, id, id, err);
            m->out->unreadable += one == RX_INTERNAL;
            if (one != RX_OK && one != RX_INTERNAL)
                return one;
        }
        if (code != RX_OK && code != RX_INTERNAL)
            return code;
    }
    if (err != NULL)
        *err = (struct rx_err){ 0 };
    return RX_OK;
}

/* ---- what is taken whole --------------------------------------------------- */

static enum rx_code
replace_table(struct merge *m, const char *table, struct rx_err *err)
{
    char columns[SQL_SIZE / 4];
    char clear[256];
    char fill[SQL_SIZE];

    enum rx_code code =
        shared_columns(m->db, table, "", "", columns, sizeof(columns), err);
    if (code != RX_OK || columns[0] == '\0')
        return code;
    snprintf(clear, sizeof(clear), "delete from main.%s", table);
    snprintf(fill, sizeof(fill),
        "insert into main.%s (%s) select %s from old.%s", table, columns,
        columns, table);
    code = run(m->db, clear, err);
    return code == RX_OK ? run(m->db, fill, err) : code;
}

static void
note_left(struct merge *m, const char *table)
{
    size_t len = strlen(m->out->left);

    snprintf(m->out->left + len, sizeof(m->out->left) - len, "%s%s",
        len > 0 ? ", " : "", table);
}

static enum rx_code
take_whole(struct merge *m, const char *table, struct rx_err *err)
{
    enum rx_code code = run(m->db, "savepoint part", err);

    if (code != RX_OK)
        return code;
    code = replace_table(m, table, err);
    if (code != RX_OK)
        (void)run(m->db, "rollback to part", NULL);
    enum rx_code end = run(m->db, "release part", code == RX_OK ? err : NULL);
    if (code == RX_INTERNAL) {
        note_left(m, table);
        return RX_OK;
    }
    return code != RX_OK ? code : end;
}

/*
 * The sums of the store in use are of all its rows; where they could not be
 * read, those of the backup go on with the rows that came after it.
 */
static enum rx_code
take_mark(struct merge *m, struct rx_err *err)
{
    if (strstr(m->out->left, "usage_") != NULL ||
        number(m->db,
            "select count(*) from pragma_table_info('usage_sum', "
            "'old')",
            err) == 0)
        return RX_OK;
    return run(m->db,
        "insert or replace into main.meta (name, value) "
        "select 'rollup_mark', coalesce(max(id), 0) from main.request",
        err);
}

static enum rx_code
take_step(struct merge *m, const char *sql, struct rx_err *err)
{
    enum rx_code code = run(m->db, "savepoint part", err);

    if (code != RX_OK)
        return code;
    code = run(m->db, sql, err);
    if (code != RX_OK)
        (void)run(m->db, "rollback to part", NULL);
    enum rx_code end = run(m->db, "release part", code == RX_OK ? err : NULL);
    return code == RX_OK || code == RX_INTERNAL ? end : code;
}

/* ---- the whole ------------------------------------------------------------- */

static enum rx_code
take_all(struct merge *m, struct rx_err *err)
{
    enum rx_code code = prepare(m, err);

    if (code == RX_INTERNAL) { /* not even its schema can be read */
        snprintf(m->out->left, sizeof(m->out->left), "everything");
        return RX_OK;
    }
    if (code == RX_OK)
        code = db_begin(m->db, err);
    if (code != RX_OK)
        return code;
    if (m->columns[0] != '\0')
        code = take_requests(m, err);
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(whole_tables); i++)
        code = take_whole(m, whole_tables[i], err);
    if (code == RX_OK)
        code = take_mark(m, err);
    /* Sums and the mark of what is in them go together. */
    bool sums = strstr(m->out->left, "usage_") == NULL;
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(steps); i++) {
        if (i > 0 || sums)
            code = take_step(m, steps[i], err);
    }
    if (code == RX_OK)
        return db_commit(m->db, err);
    db_rollback(m->db);
    return code;
}

enum rx_code
merge_usage(struct db *into, const char *from, struct merge_result *out,
    struct rx_err *err)
{
    struct merge m = { .db = into, .out = out };
    struct db_query *q = db_query(into, "attach ? as old");

    *out = (struct merge_result){ 0 };
    db_bind_str(q, 1, (rx_str){ from, strlen(from) });
    if (db_run(q, NULL) != RX_OK) {
        snprintf(out->left, sizeof(out->left), "everything");
        return RX_OK;
    }
    enum rx_code code = take_all(&m, err);
    struct rx_err ignored = { 0 };
    enum rx_code end = run(into, "drop table if exists temp.missing", &ignored);
    if (end == RX_OK)
        (void)run(into, "detach old", &ignored);
    return code;
}
