#include "controlplane/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/rollup.h"
#include "shared/buf.h"
#include "shared/log.h"
#include "shared/secret.h"

struct touch {
    struct rx_link link;
    enum state_kind kind;
    size_t len;
    char id[];
};

/* The lock ends with the process, however that ends. */
static enum rx_code
lock(struct store *s, const char *db_path, struct rx_err *err)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s.lock", db_path);

    if (n < 0 || (size_t)n >= sizeof(path))
        return rx_fail(err, RX_INVALID, "%s: path too long", db_path);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return RX_OK;
    if (errno != EWOULDBLOCK)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    return rx_fail(err, RX_CONFLICT,
        "%s: another control plane is running on this store", db_path);
}

enum rx_code
store_is_free(const char *db_path, struct rx_err *err)
{
    struct store s = { .lock_fd = -1 };
    enum rx_code code = lock(&s, db_path, err);

    if (s.lock_fd >= 0)
        close(s.lock_fd);
    return code;
}

enum rx_code
store_compact(
    const char *db_path, uint64_t *before, uint64_t *after, struct rx_err *err)
{
    struct store s = { .lock_fd = -1 };
    uint64_t empty;
    enum rx_code code = lock(&s, db_path, err);

    if (code == RX_OK)
        code = db_open(&s.db, db_path, migrations, err);
    if (code == RX_OK)
        code = db_room(s.db, before, &empty, err);
    if (code == RX_OK)
        code = db_compact(s.db, err);
    if (code == RX_OK)
        code = db_room(s.db, after, &empty, err);
    db_close(s.db);
    if (s.lock_fd >= 0)
        close(s.lock_fd);
    return code;
}

/* The key that does not fit stays beside the new one: it may fit a backup. */
static enum rx_code
put_key_aside(const char *key_file, struct rx_err *err)
{
    char aside[4096];

    snprintf(aside, sizeof(aside), "%s.old", key_file);
    if (rename(key_file, aside) != 0 && errno != ENOENT)
        return rx_fail(
            err, RX_INTERNAL, "%.120s: %s", key_file, strerror(errno));
    return RX_OK;
}

enum rx_code
store_forget_secrets(const char *db_path, const char *key_file,
    struct rx_buf *names, struct rx_err *err)
{
    struct db *db = NULL;
    enum rx_code code = store_is_free(db_path, err);

    if (code == RX_OK)
        code = db_open(&db, db_path, migrations, err);
    if (code == RX_OK)
        code = db_begin(db, err);
    if (code == RX_OK)
        code = vault_forget(db, names, err);
    if (code == RX_OK)
        code = put_key_aside(key_file, err);
    if (code == RX_OK)
        code = db_commit(db, err);
    db_close(db);
    return code;
}

static char *
keep_text(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

static enum rx_code
open_parts(struct store *s, struct rx_err *err)
{
    enum rx_code code = db_open(&s->db, s->db_path, migrations, err);

    if (code == RX_OK)
        code = vault_open(&s->vault, s->db, s->key_file, err);
    if (code == RX_OK)
        code = prices_open(&s->prices, s, err);
    if (code == RX_OK)
        code = rollup_open(&s->rollup, s, err);
    return code;
}

static void
close_parts(struct store *s)
{
    /* What does not get there is made again from the rows. */
    if (s->rollup != NULL && rollup_flush(s->rollup, NULL) != RX_OK)
        rx_warn("rollup.unstored", "mark=%llu",
            (unsigned long long)rollup_mark(s->rollup));
    rollup_free(s->rollup);
    prices_free(s->prices);
    s->rollup = NULL;
    s->prices = NULL;
    vault_close(s->vault);
    db_close(s->db);
    s->vault = NULL;
    s->db = NULL;
}

enum rx_code
store_open(struct store **out, const char *db_path, const char *key_file,
    struct rx_err *err)
{
    struct store *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->lock_fd = -1;
    rx_list_init(&s->touched);
    *out = NULL;
    s->db_path = keep_text(db_path);
    s->key_file = keep_text(key_file);
    enum rx_code code = lock(s, db_path, err);
    if (code == RX_OK)
        code = open_parts(s, err);
    if (code != RX_OK) {
        store_close(s);
        return code;
    }
    *out = s;
    return RX_OK;
}

static void
forget_touched(struct store *s)
{
    struct rx_link *l;

    while ((l = rx_list_first(&s->touched)) != NULL) {
        rx_list_remove(&s->touched, l);
        free(RX_LIST_ITEM(l, struct touch, link));
    }
}

void
store_close(struct store *s)
{
    if (s == NULL)
        return;
    if (s->db != NULL)
        db_rollback(s->db);
    forget_touched(s);
    close_parts(s);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->db_path);
    free(s->key_file);
    free(s);
}

/* ---- exchanging ------------------------------------------------------------ */

/* A log beside the file would be read into whatever has its name. */
static enum rx_code
check_alone(const struct store *s, struct rx_err *err)
{
    char log[4096];
    struct stat st;

    snprintf(log, sizeof(log), "%s-wal", s->db_path);
    if (stat(log, &st) == 0 && st.st_size > 0)
        return rx_fail(err, RX_UNAVAILABLE,
            "%.120s: another program has the store open; close it first",
            s->db_path);
    (void)unlink(log);
    snprintf(log, sizeof(log), "%s-shm", s->db_path);
    (void)unlink(log);
    return RX_OK;
}

/* The name is there at every moment, for the one store or the other. */
static enum rx_code
exchange_files(const struct store *s, const char *with, const char *aside,
    struct rx_err *err)
{
    if (link(s->db_path, aside) != 0 || rename(with, s->db_path) != 0) {
        rx_fail(err, RX_INTERNAL, "%.120s: %s", aside, strerror(errno));
        (void)unlink(aside);
        return RX_INTERNAL;
    }
    return RX_OK;
}

enum rx_code
store_exchange(
    struct store *s, const char *with, const char *aside, struct rx_err *err)
{
    assert(!db_in_transaction(s->db));
    close_parts(s);
    enum rx_code code = check_alone(s, err);
    if (code == RX_OK)
        code = exchange_files(s, with, aside, err);
    if (code == RX_OK && (code = open_parts(s, err)) != RX_OK) {
        close_parts(s);
        (void)rename(aside, s->db_path);
    }
    if (code != RX_OK && open_parts(s, NULL) != RX_OK)
        abort(); /* the file we had open a moment ago is gone */
    return code;
}

static enum rx_code
check_open(const struct store *s, struct rx_err *err)
{
    assert(s->touched.count == 0);
    if (s->frozen != NULL)
        return rx_fail(
            err, RX_UNAVAILABLE, "%s; try again in a moment", s->frozen);
    return RX_OK;
}

enum rx_code
store_begin(struct store *s, struct rx_err *err)
{
    enum rx_code code = check_open(s, err);

    return code == RX_OK ? db_begin(s->db, err) : code;
}

enum rx_code
store_begin_lazily(struct store *s, struct rx_err *err)
{
    enum rx_code code = check_open(s, err);

    return code == RX_OK ? db_begin_lazily(s->db, err) : code;
}

/* What is kept in memory follows what is on disk. */
static void
follow_commit(struct store *s)
{
    struct rx_link *l;

    RX_LIST_FOREACH(l, &s->touched) {
        if (RX_LIST_ITEM(l, struct touch, link)->kind == STATE_CHANNEL)
            prices_forget_channels(s->prices);
    }
    if (!s->prices_changed)
        return;
    s->prices_changed = false;
    store_touch(s, STATE_SETTINGS, (rx_str){ 0 }); /* they go out with them */
}

enum rx_code
store_commit(struct store *s, struct rx_err *err)
{
    enum rx_code code = db_commit(s->db, err);
    struct rx_link *l;

    if (code == RX_OK)
        follow_commit(s);
    if (code == RX_OK && s->on_change != NULL) {
        RX_LIST_FOREACH(l, &s->touched) {
            struct touch *t = RX_LIST_ITEM(l, struct touch, link);
            s->on_change(s->on_change_arg, t->kind, (rx_str){ t->id, t->len });
        }
    }
    forget_touched(s);
    return code;
}

void
store_rollback(struct store *s)
{
    struct rx_err err = { 0 };

    db_rollback(s->db);
    if (s->prices_changed && prices_reload(s->prices, &err) != RX_OK)
        rx_error("prices.unread", "why=%s", rx_log_quote(err.text));
    s->prices_changed = false;
    forget_touched(s);
}

void
store_touch(struct store *s, enum state_kind kind, rx_str id)
{
    struct touch *t = malloc(sizeof(*t) + id.len);

    if (t == NULL)
        abort();
    *t = (struct touch){ .kind = kind, .len = id.len };
    if (id.len > 0)
        memcpy(t->id, id.ptr, id.len);
    rx_list_append(&s->touched, &t->link);
}

void
store_on_change(struct store *s,
    void (*fn)(void *arg, enum state_kind kind, rx_str id), void *arg)
{
    s->on_change = fn;
    s->on_change_arg = arg;
}

enum rx_code
store_get(struct store *s, const char *name, uint64_t *out, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "select value from meta where name = ?");

    db_bind_str(q, 1, (rx_str){ name, strlen(name) });
    *out = db_next(q) ? db_u64(q, 0) : 0;
    return db_done(q, err);
}

enum rx_code
store_set(struct store *s, const char *name, uint64_t value, struct rx_err *err)
{
    struct db_query *q = db_query(
        s->db, "insert or replace into meta (name, value) values (?, ?)");

    db_bind_str(q, 1, (rx_str){ name, strlen(name) });
    db_bind_u64(q, 2, value);
    return db_run(q, err);
}

rx_str
store_new_id(struct rx_arena *arena, const char *prefix)
{
    struct rx_buf id;

    rx_buf_init(&id, 64);
    rx_random_text(prefix, 16, &id);
    rx_str copy = rx_arena_copy(arena, rx_buf_str(&id));
    rx_buf_fini(&id);
    return copy;
}
