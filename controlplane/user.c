#include "controlplane/user.h"

#include <assert.h>

#include "controlplane/row.h"
#include "shared/clock.h"

#define SELECT                                                               \
    "select id, name, role, password, created_ms, updated_ms, rev, seen_ms " \
    "from user "

static const char *const roles[] = { "viewer", "admin", "owner", NULL };

struct user *
user_new(struct rx_arena *arena)
{
    struct user *u = field_make(arena, struct user, 1);

    u->role = API_VIEWER;
    return u;
}

void
user_check_password(rx_json body, const char *field, rx_str password)
{
    if (password.len < USER_PASSWORD_MIN)
        rx_json_wrong_member(
            body, field, "must have at least %d characters", USER_PASSWORD_MIN);
    else if (password.len > USER_PASSWORD_MAX)
        rx_json_wrong_member(
            body, field, "must have at most %d bytes", USER_PASSWORD_MAX);
}

void
user_read(struct user *u, rx_json body, enum field_mode mode, rx_str *password)
{
    static const char *const shown_only[] = { "id", "created_at", "updated_at",
        "last_login_at", "has_password", NULL };
    rx_str role = field_text(scope_role_name(u->role));

    *password = (rx_str){ 0 };
    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    field_read_name(body, mode, false, &u->name);
    field_read_word(body, "role", roles, &role);
    scope_role_parse(role, &u->role);
    bool given = mode == FIELD_CREATE
                     ? rx_json_need_str(body, "password", password)
                     : rx_json_get_str(body, "password", password);
    if (given)
        user_check_password(body, "password", *password);
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
}

void
user_put(struct rx_json_out *w, const char *key, const struct user *u)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", u->id);
    rx_json_put_str(w, "name", u->name);
    rx_json_put_text(w, "role", scope_role_name(u->role));
    rx_json_put_bool(w, "has_password", u->password.len > 0);
    rx_json_put_time(w, "created_at", u->created_ms);
    rx_json_put_time(w, "updated_at", u->updated_ms);
    rx_json_put_time(w, "last_login_at", u->seen_ms);
    rx_json_close(w);
}

/* ---- rows ---- */

static struct user *
read_row(struct db_query *q, struct rx_arena *arena)
{
    struct user *u = user_new(arena);

    u->id = field_keep(arena, db_str(q, 0));
    u->name = field_keep(arena, db_str(q, 1));
    scope_role_parse(db_str(q, 2), &u->role);
    u->password = field_keep(arena, db_str(q, 3));
    u->created_ms = db_u64(q, 4);
    u->updated_ms = db_u64(q, 5);
    u->rev = db_u64(q, 6);
    u->seen_ms = db_u64(q, 7);
    return u;
}

static enum rx_code
load_one(struct db_query *q, struct rx_arena *arena, rx_str what,
    struct user **out, struct rx_err *err)
{
    *out = NULL;
    db_bind_str(q, 1, what);
    if (db_next(q))
        *out = read_row(q, arena);
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && *out == NULL)
        return rx_fail(err, RX_NOT_FOUND, "there is no user \"%.*s\"",
            (int)(what.len < 80 ? what.len : 80), what.ptr);
    return code;
}

enum rx_code
user_load(struct store *s, struct rx_arena *arena, rx_str id, struct user **out,
    struct rx_err *err)
{
    return load_one(
        db_query(s->db, SELECT "where id = ?1 or name = ?1 limit 1"), arena, id,
        out, err);
}

enum rx_code
user_load_named(struct store *s, struct rx_arena *arena, rx_str name,
    struct user **out, struct rx_err *err)
{
    return load_one(
        db_query(s->db, SELECT "where name = ?1"), arena, name, out, err);
}

enum rx_code
user_list(struct store *s, struct rx_arena *arena, rx_str after, size_t limit,
    struct user **out, size_t *count, struct rx_err *err)
{
    struct db_query *q = row_page(s, SELECT, after, limit);

    *count = 0;
    while (db_next(q))
        out[(*count)++] = read_row(q, arena);
    return db_done(q, err);
}

enum rx_code
user_count(struct store *s, uint64_t *all, uint64_t *owners, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select count(*), count(*) filter (where role = 'owner') "
        "from user where password <> ''");

    *all = *owners = 0;
    if (db_next(q)) {
        *all = db_u64(q, 0);
        *owners = db_u64(q, 1);
    }
    return db_done(q, err);
}

static void
bind_row(struct db_query *q, const struct user *u)
{
    db_bind_str(q, 1, u->id);
    db_bind_str(q, 2, u->name);
    db_bind_str(q, 3, field_text(scope_role_name(u->role)));
    db_bind_str(q, 4, u->password);
    db_bind_u64(q, 5, u->created_ms);
    db_bind_u64(q, 6, u->updated_ms);
    db_bind_u64(q, 7, u->rev);
}

enum rx_code
user_save(
    struct store *s, struct rx_arena *arena, struct user *u, struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    u->updated_ms = rx_clock_wall_ms();
    if (u->id.len == 0) {
        u->id = store_new_id(arena, "usr_");
        u->created_ms = u->updated_ms;
    }
    u->rev++;
    struct db_query *q = db_query(s->db,
        "insert into user (id, name, role, password, created_ms, updated_ms, "
        "rev, seen_ms) values (?, ?, ?, ?, ?, ?, ?, 0) "
        "on conflict (id) do update set name = excluded.name, "
        "role = excluded.role, password = excluded.password, "
        "updated_ms = excluded.updated_ms, rev = excluded.rev");
    bind_row(q, u);
    enum rx_code code = db_run(q, err);
    if (code == RX_CONFLICT)
        return rx_fail(err, code, "name: there is a user of this name already");
    return code;
}

enum rx_code
user_delete(struct store *s, const struct user *u, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from user where id = ?");

    assert(db_in_transaction(s->db));
    db_bind_str(q, 1, u->id);
    return db_run(q, err);
}

enum rx_code
user_saw(struct store *s, const struct user *u, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "update user set seen_ms = ? where id = ?");

    db_bind_u64(q, 1, rx_clock_wall_ms());
    db_bind_str(q, 2, u->id);
    return db_run(q, err);
}
