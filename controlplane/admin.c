#include "controlplane/admin.h"

#include <assert.h>
#include <string.h>

#include "controlplane/scope.h"
#include "shared/clock.h"

#define SELECT                                                                 \
    "select id, name, last4, digest, scopes, expires_ms, created_ms, used_ms " \
    "from admin_token "
#define TOKEN_RANDOM 40
#define SCOPE_MAX    64
#define USED_MS      ((uint64_t)60 * 1000)

static rx_str
digest_bytes(const struct rx_digest *d)
{
    return (rx_str){ (const char *)d->bytes, sizeof(d->bytes) };
}

struct admin_token *
admin_new(struct rx_arena *arena)
{
    return field_make(arena, struct admin_token, 1);
}

void
admin_read(struct admin_token *t, rx_json body, struct rx_arena *arena)
{
    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    field_read_name(body, FIELD_CREATE, false, &t->name);
    field_read_list(body, "scopes", FIELD_CREATE, SCOPE_MAX, arena, &t->scopes);
    field_read_time(body, "expires_at", &t->expires_ms);
    rx_json_no_more(body);
    if (t->scopes.count == 0)
        rx_json_wrong_member(body, "scopes",
            "must name what the token may do: \"*\", \"read\", \"write\", or "
            "an area as in \"channels:write\"");
    for (size_t i = 0; i < t->scopes.count; i++) {
        rx_str scope = t->scopes.at[i];
        if (!scope_is_known(scope))
            rx_json_wrong_member(body, "scopes",
                "\"" RX_STR_FMT "\" is none: \"*\", \"read\", \"write\", or an "
                "area as in \"channels:write\"",
                RX_STR_ARG(scope));
    }
    if (t->expires_ms != 0 && t->expires_ms <= rx_clock_wall_ms())
        rx_json_wrong_member(body, "expires_at", "is in the past");
}

void
admin_put(struct rx_json_out *w, const char *key, const struct admin_token *t)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", t->id);
    if (t->text.len > 0)
        rx_json_put_str(w, "token", t->text);
    rx_json_put_str(w, "name", t->name);
    rx_json_put_str(w, "last4", t->last4);
    field_put_list(w, "scopes", &t->scopes);
    rx_json_put_time(w, "expires_at", t->expires_ms);
    rx_json_put_time(w, "created_at", t->created_ms);
    rx_json_put_time(w, "last_used_at", t->used_ms);
    rx_json_close(w);
}

/* ---- rows ---- */

static struct admin_token *
read_row(struct db_query *q, struct rx_arena *arena)
{
    struct admin_token *t = admin_new(arena);
    rx_str digest = db_blob(q, 3);

    t->id = field_keep(arena, db_str(q, 0));
    t->name = field_keep(arena, db_str(q, 1));
    t->last4 = field_keep(arena, db_str(q, 2));
    if (digest.len == sizeof(t->digest.bytes))
        memcpy(t->digest.bytes, digest.ptr, digest.len);
    field_load_list(arena, db_str(q, 4), &t->scopes);
    t->expires_ms = db_u64(q, 5);
    t->created_ms = db_u64(q, 6);
    t->used_ms = db_u64(q, 7);
    return t;
}

static void
draw(struct admin_token *t, struct rx_arena *arena)
{
    struct rx_buf text;

    rx_buf_init(&text, 128);
    rx_random_text(ADMIN_PREFIX, TOKEN_RANDOM, &text);
    t->text = field_keep(arena, rx_buf_str(&text));
    rx_wipe(text.ptr, text.len);
    rx_buf_fini(&text);
    t->digest = rx_digest(t->text);
    t->last4 = field_last4(arena, t->text);
}

enum rx_code
admin_create(struct store *s, struct rx_arena *arena, struct admin_token *t,
    struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    draw(t, arena);
    t->id = store_new_id(arena, "tok_");
    t->created_ms = rx_clock_wall_ms();
    struct db_query *q = db_query(s->db,
        "insert into admin_token (id, name, digest, last4, created_ms, scopes, "
        "expires_ms) values (?, ?, ?, ?, ?, ?, ?)");
    db_bind_str(q, 1, t->id);
    db_bind_str(q, 2, t->name);
    db_bind_blob(q, 3, digest_bytes(&t->digest));
    db_bind_str(q, 4, t->last4);
    db_bind_u64(q, 5, t->created_ms);
    db_bind_str(q, 6, field_list_text(arena, &t->scopes));
    db_bind_u64(q, 7, t->expires_ms);
    return db_run(q, err);
}

/* A store that cannot be written to can still be looked at. */
static void
note_used(struct store *s, const struct admin_token *t, uint64_t now)
{
    struct db_query *q =
        db_query(s->db, "update admin_token set used_ms = ? where id = ?");

    db_bind_u64(q, 1, now);
    db_bind_str(q, 2, t->id);
    (void)db_run(q, NULL);
}

enum rx_code
admin_check(struct store *s, struct rx_arena *arena,
    const struct rx_digest *digest, struct admin_token **out,
    struct rx_err *err)
{
    struct db_query *q = db_query(s->db, SELECT "where digest = ?");
    uint64_t now = rx_clock_wall_ms();

    *out = NULL;
    db_bind_blob(q, 1, digest_bytes(digest));
    if (db_next(q))
        *out = read_row(q, arena);
    enum rx_code code = db_done(q, err);
    if (code != RX_OK)
        return code;
    if (*out == NULL)
        return rx_fail(err, RX_UNAUTHENTICATED, "unknown admin token");
    if ((*out)->expires_ms != 0 && (*out)->expires_ms <= now)
        return rx_fail(err, RX_UNAUTHENTICATED, "this admin token has expired");
    if (now >= (*out)->used_ms + USED_MS)
        note_used(s, *out, now);
    return RX_OK;
}

enum rx_code
admin_load(struct store *s, struct rx_arena *arena, rx_str id,
    struct admin_token **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, SELECT "where id = ?");

    *out = NULL;
    db_bind_str(q, 1, id);
    if (db_next(q))
        *out = read_row(q, arena);
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && *out == NULL)
        return rx_fail(err, RX_NOT_FOUND, "there is no token \"%.*s\"",
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    return code;
}

enum rx_code
admin_list(struct store *s, struct rx_arena *arena, uint64_t after_ms,
    rx_str after_id, size_t limit, struct admin_token **out, size_t *count,
    struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, SELECT "where (created_ms, id) > (?, ?) "
                               "order by created_ms, id limit ?");

    *count = 0;
    db_bind_u64(q, 1, after_ms);
    db_bind_str(q, 2, after_id);
    db_bind_u64(q, 3, limit);
    while (db_next(q))
        out[(*count)++] = read_row(q, arena);
    return db_done(q, err);
}

enum rx_code
admin_delete(struct store *s, const struct admin_token *t, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from session where token = ?");

    assert(db_in_transaction(s->db));
    db_bind_blob(q, 1, digest_bytes(&t->digest));
    enum rx_code code = db_run(q, err);
    if (code != RX_OK)
        return code;
    q = db_query(s->db, "delete from admin_token where id = ?");
    db_bind_str(q, 1, t->id);
    return db_run(q, err);
}
