#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controlplane/db.h"
#include "tests/unit/check.h"

static char folder[64];
static char path[128];

static const struct migration one[] = {
    { "001_first", "create table t (a integer primary key, b text unique)" },
    { 0 },
};
static const struct migration three[] = {
    { "001_first", "create table t (a integer primary key, b text unique)" },
    { "002_more", "insert into t values (1, 'x'); create table u (a integer)" },
    { "010_last", "insert into u select a from t" },
    { 0 },
};

/* A fresh file name for each test. */
static void
new_path(void)
{
    static int n;

    snprintf(path, sizeof(path), "%s/%d.db", folder, n++);
}

static struct db *
must_open(const struct migration *history)
{
    struct db *db;
    struct rx_err err = { 0 };

    if (db_open(&db, path, history, &err) != RX_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return db;
}

static int64_t
number(struct db *db, const char *sql)
{
    struct db_query *q = db_query(db, sql);
    int64_t n = db_next(q) ? db_i64(q, 0) : -1;

    CHECK_INT(RX_OK, db_done(q, NULL));
    return n;
}

static void
migrations_run_once_and_in_order(void)
{
    new_path();
    struct db *db = must_open(one);
    CHECK_INT(1, number(db, "pragma user_version"));
    db_close(db);

    db = must_open(three);
    CHECK_INT(10, number(db, "pragma user_version"));
    CHECK_INT(1, number(db, "select count(*) from u"));
    db_close(db);

    db = must_open(three);
    CHECK_INT(1, number(db, "select count(*) from u"));
    db_close(db);
}

static void
a_newer_store_is_refused_and_left_alone(void)
{
    struct rx_err err = { 0 };
    struct db *db;

    new_path();
    db_close(must_open(three));
    CHECK_INT(RX_CONFLICT, db_open(&db, path, one, &err));
    CHECK(db == NULL);
    CHECK(strstr(err.text, "newer version") != NULL);

    db = must_open(three);
    CHECK_INT(10, number(db, "pragma user_version"));
    db_close(db);
}

static void
a_migration_that_fails_leaves_nothing_behind(void)
{
    static const struct migration broken[] = {
        { "001_first", "create table t (a); insert into t values (1);"
                       "insert into nowhere values (1)" },
        { 0 },
    };
    struct rx_err err = { 0 };
    struct db *db;

    new_path();
    CHECK(db_open(&db, path, broken, &err) != RX_OK);
    CHECK(strstr(err.text, "001_first") != NULL);
    db = must_open(one);
    CHECK_INT(0, number(db, "select count(*) from t"));
    db_close(db);
}

static void
another_programs_file_is_refused(void)
{
    static const char text[] = "this is no database, it is a letter to you";
    struct rx_err err = { 0 };
    struct db *db;

    new_path();
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(write(fd, text, sizeof(text)) == (ssize_t)sizeof(text));
    close(fd);
    CHECK_INT(RX_INTERNAL, db_open(&db, path, one, &err));
    CHECK(strstr(err.text, "no database") != NULL);

    new_path();
    db = must_open(one);
    CHECK_INT(RX_OK, db_run(db_query(db, "pragma application_id = 7"), &err));
    db_close(db);
    CHECK_INT(RX_CONFLICT, db_open(&db, path, one, &err));
    CHECK(strstr(err.text, "another program") != NULL);
}

static void
a_damaged_file_says_so(void)
{
    struct rx_err err = { 0 };
    char junk[512];
    struct db *db;

    new_path();
    db = must_open(three);
    db_close(db);
    int fd = open(path, O_RDWR);
    memset(junk, 0x5A, sizeof(junk));
    CHECK(pwrite(fd, junk, sizeof(junk), 100) == (ssize_t)sizeof(junk));
    close(fd);
    CHECK_INT(RX_INTERNAL, db_open(&db, path, three, &err));
    CHECK(strstr(err.text, "damaged") != NULL ||
          strstr(err.text, "no database") != NULL);
}

static void
the_file_is_for_its_owner_only(void)
{
    struct stat st;

    new_path();
    db_close(must_open(one));
    CHECK_INT(0, stat(path, &st));
    CHECK_INT(0600, st.st_mode & 0777);
}

static void
a_rollback_undoes_and_a_commit_keeps(void)
{
    struct rx_err err = { 0 };

    new_path();
    struct db *db = must_open(one);
    CHECK_INT(RX_OK, db_begin(db, &err));
    CHECK_INT(
        RX_OK, db_run(db_query(db, "insert into t values (1, 'x')"), &err));
    db_rollback(db);
    CHECK_INT(0, number(db, "select count(*) from t"));
    CHECK_INT(RX_OK, db_begin(db, &err));
    CHECK_INT(
        RX_OK, db_run(db_query(db, "insert into t values (1, 'x')"), &err));
    CHECK_INT(RX_OK, db_commit(db, &err));
    CHECK(!db_in_transaction(db));
    db_close(db);
    db = must_open(one);
    CHECK_INT(1, number(db, "select count(*) from t"));
    db_close(db);
}

static void
a_constraint_is_a_conflict_and_the_query_can_be_used_again(void)
{
    struct rx_err err = { 0 };

    new_path();
    struct db *db = must_open(one);
    for (int i = 0; i < 3; i++) {
        struct db_query *q = db_query(db, "insert into t (b) values (?)");
        db_bind_str(q, 1, i == 2 ? RX_S("y") : RX_S("x"));
        CHECK_INT(i == 1 ? RX_CONFLICT : RX_OK, db_run(q, &err));
    }
    CHECK_INT(2, number(db, "select count(*) from t"));
    db_close(db);
}

static void
values_come_back_as_they_were(void)
{
    struct rx_err err = { 0 };
    rx_str blob = { "a\0b", 3 };

    new_path();
    struct db *db = must_open(one);
    struct db_query *q = db_query(db, "select ?1, ?2, ?3, ?4, ?5, ?6");
    db_bind_str(q, 1, (rx_str){ 0 });
    db_bind_blob(q, 2, blob);
    db_bind_u64(q, 3, UINT64_MAX);
    db_bind_i64(q, 4, -7);
    db_bind_str_or_null(q, 5, (rx_str){ 0 });
    CHECK(db_next(q));
    CHECK(!db_is_null(q, 0));
    CHECK(rx_str_eq(db_blob(q, 1), blob));
    CHECK(db_u64(q, 2) == UINT64_MAX);
    CHECK_INT(-7, db_i64(q, 3));
    CHECK(db_is_null(q, 4));
    CHECK(db_is_null(q, 5));
    CHECK_INT(RX_OK, db_done(q, &err));
    db_close(db);
}

/* In a process of its own: the limit on file sizes stands for a full disk. */
static void
fill_the_disk(void)
{
    struct rlimit limit = { 256 << 10, 256 << 10 };
    struct rx_err err = { 0 };
    struct db *db = must_open(one);
    enum rx_code code = RX_OK;
    int done = 0;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; code == RX_OK && i < 2000; i++) {
        code = db_begin(db, &err);
        struct db_query *q = db_query(
            db, "insert into t (b) values (?1 || hex(zeroblob(2000)))");
        db_bind_i64(q, 1, i);
        if (code == RX_OK)
            code = db_run(q, &err);
        else
            (void)db_done(q, NULL);
        if (code == RX_OK)
            code = db_commit(db, &err);
        db_rollback(db);
        done += code == RX_OK;
    }
    CHECK(code == RX_UNAVAILABLE || code == RX_INTERNAL);
    CHECK(err.text[0] != '\0');
    CHECK_INT(done, number(db, "select count(*) from t"));
    db_close(db);
    exit(done > 0 ? CHECK_EXIT() : 3);
}

static void
a_full_disk_loses_nothing_that_was_committed(void)
{
    struct rx_err err = { 0 };
    int status = 0;

    new_path();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        fill_the_disk();
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(0, WEXITSTATUS(status));

    struct db *db = must_open(one);
    CHECK(number(db, "select count(*) from t") > 0);
    CHECK_INT(
        RX_OK, db_run(db_query(db, "insert into t (b) values ('z')"), &err));
    db_close(db);
}

static void
a_store_that_is_locked_is_unavailable(void)
{
    struct rx_err err = { 0 };

    new_path();
    struct db *first = must_open(one);
    struct db *second = must_open(one);
    CHECK_INT(RX_OK, db_begin(first, &err));
    CHECK_INT(RX_UNAVAILABLE, db_begin(second, &err));
    CHECK(strstr(err.text, "locked") != NULL);
    db_rollback(first);
    CHECK_INT(RX_OK, db_begin(second, &err));
    db_rollback(second);
    db_close(first);
    db_close(second);
}

static void
a_question_that_takes_too_long_is_given_up(void)
{
    struct rx_err err = { 0 };

    new_path();
    struct db *db = must_open(one);
    struct db_query *q = db_query(db,
        "with recursive n(i) as (select 1 union all select i + 1 from n) "
        "select max(i) from n");
    CHECK(!db_next(q));
    CHECK_INT(RX_UNAVAILABLE, db_done(q, &err));
    CHECK(strstr(err.text, "too long") != NULL);
    CHECK_INT(0, number(db, "select count(*) from t"));
    db_close(db);
}

/* ---- the log -------------------------------------------------------------- */

static off_t
size_of(const char *suffix)
{
    char name[160];
    struct stat st = { 0 };

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &st) == 0 ? st.st_size : 0;
}

/* A megabyte in one commit. */
static void
commit_much(struct db *db)
{
    CHECK_INT(RX_OK, db_begin(db, NULL));
    CHECK_INT(RX_OK, db_run(db_query(db, "insert into t (b) select "
                                         "hex(randomblob(512)) from (with "
                                         "recursive n(i) as (select 1 union "
                                         "all select i + 1 from n where i < "
                                         "1000) select i from n)"),
                         NULL));
    CHECK_INT(RX_OK, db_commit(db, NULL));
}

static bool
log_is_in_the_file(struct db *db)
{
    struct db_query *q = db_query(db, "pragma page_count");
    int64_t pages = db_next(q) ? db_i64(q, 0) : 0;

    CHECK_INT(RX_OK, db_done(q, NULL));
    return size_of("") >= (off_t)(pages * 4096);
}

static void
rest(struct db *db, struct rx_loop *loop)
{
    CHECK_INT(RX_OK, db_checkpoint(db, NULL));
    usleep(1000);
    rx_loop_tick(loop, false);
}

static void
a_thread_moves_the_log_into_the_file(void)
{
    struct rx_loop *loop = rx_loop_new();
    const unsigned most = 24;
    unsigned count;

    new_path();
    struct db *db = must_open(one);
    db_run_log(db, loop);
    /* Without a tick nobody moves anything: commits do not. */
    off_t before = size_of("");
    for (unsigned i = 0; i < 4; i++)
        commit_much(db);
    CHECK(size_of("-wal") > 4 << 20);
    for (unsigned i = 4; i < most; i++) {
        commit_much(db);
        rx_loop_tick(loop, false);
    }
    for (unsigned i = 0; i < 20000 && !log_is_in_the_file(db); i++)
        rest(db, loop);
    CHECK(log_is_in_the_file(db) && size_of("") > before);
    /* Once all of it is, it begins anew. */
    off_t log = 0;
    for (count = most; count < 100 && size_of("-wal") > log; count++) {
        for (unsigned i = 0; i < 100; i++)
            rest(db, loop);
        log = size_of("-wal");
        commit_much(db);
    }
    CHECK(size_of("-wal") <= log);
    db_close(db);
    rx_loop_free(loop);
    CHECK_INT(0, (int)size_of("-wal"));
    db = must_open(one);
    CHECK_INT((int)count * 1000, (int)number(db, "select count(*) from t"));
    CHECK_INT(1, (int)number(db, "select count(*) from pragma_quick_check "
                                 "where quick_check = 'ok'"));
    db_close(db);
}

int
main(void)
{
    char clean[96];

    snprintf(folder, sizeof(folder), "/tmp/rx-db-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    CHECK_RUN(migrations_run_once_and_in_order);
    CHECK_RUN(a_newer_store_is_refused_and_left_alone);
    CHECK_RUN(a_migration_that_fails_leaves_nothing_behind);
    CHECK_RUN(another_programs_file_is_refused);
    CHECK_RUN(a_damaged_file_says_so);
    CHECK_RUN(the_file_is_for_its_owner_only);
    CHECK_RUN(a_rollback_undoes_and_a_commit_keeps);
    CHECK_RUN(a_constraint_is_a_conflict_and_the_query_can_be_used_again);
    CHECK_RUN(values_come_back_as_they_were);
    CHECK_RUN(a_full_disk_loses_nothing_that_was_committed);
    CHECK_RUN(a_store_that_is_locked_is_unavailable);
    CHECK_RUN(a_question_that_takes_too_long_is_given_up);
    CHECK_RUN(a_thread_moves_the_log_into_the_file);
    snprintf(clean, sizeof(clean), "rm -rf '%s'", folder);
    return system(clean) != 0 ? 1 : CHECK_EXIT();
}
