#include "controlplane/oauth_account.h"

#include <assert.h>
#include <stdio.h>

#include "controlplane/row.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define COLUMNS                                                             \
    "id, provider, name, status, identity, email, scope, access, refresh, " \
    "got_ms, life_ms, refreshed_ms, last_error, failed_ms, failures, "      \
    "created_ms, updated_ms, rev"

#define SEALED_MAX ((size_t)16 << 10)
#define NAMES_MAX  1000

/* ---- reading ----------------------------------------------------------------- */

static enum rx_code
read_row(struct store *s, struct db_query *q, struct rx_arena *arena,
    bool secrets, struct oauth_account *a, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    *a = (struct oauth_account){
        .id = row_text(q, 0, arena),
        .provider = row_text(q, 1, arena),
        .name = row_text(q, 2, arena),
        .needs_login = rx_str_eq(db_str(q, 3), RX_S("needs_login")),
        .identity = row_text(q, 4, arena),
        .email = row_text(q, 5, arena),
        .scope = row_text(q, 6, arena),
        .renewable = !db_is_null(q, 8),
        .span = { db_u64(q, 9), db_u64(q, 10) },
        .refreshed_ms = db_u64(q, 11),
        .last_error = row_text(q, 12, arena),
        .failed_ms = db_u64(q, 13),
        .failures = db_u64(q, 14),
        .created_ms = db_u64(q, 15),
        .updated_ms = db_u64(q, 16),
        .rev = db_u64(q, 17),
    };
    if (secrets)
        code = row_unseal(
            s, arena, "oauth.access", a->id, db_blob(q, 7), &a->access, err);
    if (secrets && code == RX_OK)
        code = row_unseal(
            s, arena, "oauth.refresh", a->id, db_blob(q, 8), &a->refresh, err);
    return code;
}

/* The one row of a query, or NULL. */
static enum rx_code
read_one(struct store *s, struct db_query *q, struct rx_arena *arena,
    bool secrets, struct oauth_account **out, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    *out = NULL;
    if (db_next(q)) {
        *out = field_make(arena, struct oauth_account, 1);
        code = read_row(s, q, arena, secrets, *out, err);
    }
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code != RX_OK ? code : done;
}

enum rx_code
oauth_account_load(struct store *s, struct rx_arena *arena, rx_str id,
    bool secrets, struct oauth_account **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select " COLUMNS " from oauth_account where id = ?1 or name = ?1 "
        "order by id = ?1 desc limit 1");

    db_bind_str(q, 1, id);
    enum rx_code code = read_one(s, q, arena, secrets, out, err);
    if (code == RX_OK && *out == NULL)
        return rx_fail(err, RX_NOT_FOUND, "there is no account \"%.*s\"",
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    return code;
}

enum rx_code
oauth_account_of(struct store *s, struct rx_arena *arena, rx_str provider,
    rx_str identity, struct oauth_account **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select " COLUMNS " from oauth_account "
        "where provider = ? and identity = ? and identity <> '' limit 1");

    db_bind_str(q, 1, provider);
    db_bind_str(q, 2, identity);
    return read_one(s, q, arena, false, out, err);
}

enum rx_code
oauth_account_list(struct store *s, struct rx_arena *arena, rx_str after,
    size_t limit, struct oauth_account **out, size_t *count, struct rx_err *err)
{
    struct db_query *q =
        row_page(s, "select " COLUMNS " from oauth_account", after, limit);
    enum rx_code code = RX_OK;

    *count = 0;
    while (code == RX_OK && db_next(q)) {
        out[*count] = field_make(arena, struct oauth_account, 1);
        code = read_row(s, q, arena, false, out[(*count)++], err);
    }
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code != RX_OK ? code : done;
}

static enum rx_code
is_taken(
    struct store *s, rx_str name, rx_str but, bool *taken, struct rx_err *err)
{
    struct db_query *q = db_query(
        s->db, "select 1 from oauth_account where name = ? and id <> ?");

    db_bind_str(q, 1, name);
    db_bind_str(q, 2, but);
    *taken = db_next(q);
    return db_done(q, err);
}

enum rx_code
oauth_account_free_name(struct store *s, struct rx_arena *arena,
    rx_str provider, rx_str *out, struct rx_err *err)
{
    for (unsigned n = 1; n < NAMES_MAX; n++) {
        struct rx_buf name;
        bool taken;
        rx_buf_init(&name, 256);
        rx_buf_add(&name, provider);
        if (n > 1)
            rx_buf_addf(&name, "-%u", n);
        enum rx_code code =
            is_taken(s, rx_buf_str(&name), (rx_str){ 0 }, &taken, err);
        if (code == RX_OK && !taken)
            *out = field_keep(arena, rx_buf_str(&name));
        rx_buf_fini(&name);
        if (code != RX_OK || !taken)
            return code;
    }
    return rx_fail(err, RX_CONFLICT, "account: give it a name of its own");
}

/* ---- uses -------------------------------------------------------------------- */

enum rx_code
oauth_account_uses(struct store *s, rx_str id,
    void (*fn)(void *arg, rx_str channel_id, rx_str channel, rx_str credential),
    void *arg, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select c.id, c.name, k.id from credential k join channel c "
        "on c.id = k.channel_id where k.account_id = ? order by c.name");

    db_bind_str(q, 1, id);
    while (db_next(q))
        fn(arg, db_str(q, 0), db_str(q, 1), db_str(q, 2));
    return db_done(q, err);
}

enum rx_code
oauth_account_by_credential(struct store *s, struct rx_arena *arena,
    rx_str credential, rx_str *id, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "select account_id from credential where id = ? "
                        "and account_id is not null");

    *id = (rx_str){ 0 };
    db_bind_str(q, 1, credential);
    if (db_next(q))
        *id = field_keep(arena, db_str(q, 0));
    return db_done(q, err);
}

static void
touch_channel(void *arg, rx_str channel_id, rx_str channel, rx_str credential)
{
    (void)channel;
    (void)credential;
    store_touch(arg, STATE_CHANNEL, channel_id);
}

static void
add_name(void *arg, rx_str channel_id, rx_str channel, rx_str credential)
{
    struct rx_buf *names = arg;

    (void)channel_id;
    (void)credential;
    rx_buf_addf(names, "%s" RX_STR_FMT, names->len > 0 ? ", " : "",
        RX_STR_ARG(channel));
}

/* ---- writing ----------------------------------------------------------------- */

static enum rx_code
save_row(struct store *s, const struct oauth_account *a, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into oauth_account (id, provider, name, status, identity, "
        "email, scope, got_ms, life_ms, refreshed_ms, last_error, failed_ms, "
        "failures, created_ms, updated_ms, rev) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (id) do update set name = excluded.name, "
        "status = excluded.status, identity = excluded.identity, "
        "email = excluded.email, scope = excluded.scope, "
        "got_ms = excluded.got_ms, life_ms = excluded.life_ms, "
        "refreshed_ms = excluded.refreshed_ms, "
        "last_error = excluded.last_error, failed_ms = excluded.failed_ms, "
        "failures = excluded.failures, updated_ms = excluded.updated_ms, "
        "rev = excluded.rev");

    db_bind_str(q, 1, a->id);
    db_bind_str(q, 2, a->provider);
    db_bind_str(q, 3, a->name);
    db_bind_str(q, 4, a->needs_login ? RX_S("needs_login") : RX_S("active"));
    db_bind_str(q, 5, a->identity);
    db_bind_str(q, 6, a->email);
    db_bind_str(q, 7, a->scope);
    db_bind_u64(q, 8, a->span.got_ms);
    db_bind_u64(q, 9, a->span.life_ms);
    db_bind_u64(q, 10, a->refreshed_ms);
    db_bind_str(q, 11, a->last_error);
    db_bind_u64(q, 12, a->failed_ms);
    db_bind_u64(q, 13, a->failures);
    db_bind_u64(q, 14, a->created_ms);
    db_bind_u64(q, 15, a->updated_ms);
    db_bind_u64(q, 16, a->rev);
    return db_run(q, err);
}

/* Unbound is NULL. */
static enum rx_code
save_tokens(struct store *s, const struct oauth_account *a, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "update oauth_account set access = ?1, refresh = ?2 where id = ?3");

    if (a->access.len > 0)
        row_bind_sealed(s, q, 1, "oauth.access", a->id, a->access);
    if (a->refresh.len > 0)
        row_bind_sealed(s, q, 2, "oauth.refresh", a->id, a->refresh);
    db_bind_str(q, 3, a->id);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        code = oauth_account_uses(s, a->id, touch_channel, s, err);
    return code;
}

enum rx_code
oauth_account_save(struct store *s, struct rx_arena *arena,
    struct oauth_account *a, bool tokens, struct rx_err *err)
{
    bool taken;

    assert(db_in_transaction(s->db));
    enum rx_code code = is_taken(s, a->name, a->id, &taken, err);
    if (code == RX_OK && taken)
        return rx_fail(err, RX_CONFLICT,
            "account: there is an account \"" RX_STR_FMT "\" already",
            RX_STR_ARG(a->name));
    if (code != RX_OK)
        return code;
    a->updated_ms = rx_clock_wall_ms();
    if (a->id.len == 0) {
        a->id = store_new_id(arena, "acc_");
        a->created_ms = a->updated_ms;
    }
    a->rev++;
    code = save_row(s, a, err);
    if (code == RX_OK && tokens) {
        a->renewable = a->refresh.len > 0;
        code = save_tokens(s, a, err);
    }
    return code;
}

enum rx_code
oauth_account_delete(
    struct store *s, const struct oauth_account *a, struct rx_err *err)
{
    struct rx_buf names;

    assert(db_in_transaction(s->db));
    rx_buf_init(&names, 4096);
    enum rx_code code = oauth_account_uses(s, a->id, add_name, &names, err);
    if (code == RX_OK && names.len > 0)
        code = rx_fail(
            err, RX_CONFLICT, "the account serves channels: %.150s", names.ptr);
    rx_buf_fini(&names);
    if (code != RX_OK)
        return code;
    struct db_query *q =
        db_query(s->db, "delete from oauth_account where id = ?");
    db_bind_str(q, 1, a->id);
    return db_run(q, err);
}

/* ---- showing ----------------------------------------------------------------- */

static void
put_text_or_null(struct rx_json_out *w, const char *key, rx_str s)
{
    if (s.len == 0)
        rx_json_put_null(w, key);
    else
        rx_json_put_str(w, key, s);
}

static const char *
status_of(const struct oauth_account *a)
{
    if (a->needs_login)
        return "needs_login";
    return a->failures > 0 ? "failing" : "active";
}

static void
put_channel(void *arg, rx_str channel_id, rx_str channel, rx_str credential)
{
    (void)channel_id;
    (void)credential;
    rx_json_put_str(arg, NULL, channel);
}

enum rx_code
oauth_account_put(struct store *s, struct rx_json_out *w, const char *key,
    const struct oauth_account *a, struct rx_err *err)
{
    uint64_t end = a->span.got_ms + a->span.life_ms;

    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", a->id);
    rx_json_put_str(w, "name", a->name);
    rx_json_put_str(w, "provider", a->provider);
    rx_json_put_text(w, "status", status_of(a));
    put_text_or_null(w, "email", a->email);
    put_text_or_null(w, "identity", a->identity);
    put_text_or_null(w, "scope", a->scope);
    rx_json_put_bool(
        w, "token_valid", oauth_left_ms(&a->span, rx_clock_wall_ms()) > 0);
    rx_json_put_bool(w, "renewable", a->renewable);
    rx_json_put_time(w, "expires_at", a->span.life_ms > 0 ? end : 0);
    rx_json_put_time(w, "refreshed_at", a->refreshed_ms);
    put_text_or_null(w, "last_error", a->last_error);
    rx_json_put_time(w, "failed_at", a->failed_ms);
    rx_json_put_u64(w, "failures", a->failures);
    rx_json_open_array(w, "channels");
    enum rx_code code = oauth_account_uses(s, a->id, put_channel, w, err);
    rx_json_close(w);
    rx_json_put_time(w, "created_at", a->created_ms);
    rx_json_put_time(w, "updated_at", a->updated_ms);
    rx_json_close(w);
    return code;
}
