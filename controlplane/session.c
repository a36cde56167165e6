#include "controlplane/session.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "controlplane/field.h"
#include "shared/clock.h"

#define COOKIE_RANDOM 43 /* base62 characters: 256 bits */
#define COOKIE_MAX    128
#define SEEN_MS       ((uint64_t)60 * 1000)

static rx_str
digest_bytes(const struct rx_digest *d)
{
    return (rx_str){ (const char *)d->bytes, sizeof(d->bytes) };
}

/* ---- cookies ---- */

rx_str
session_cookie(rx_str header)
{
    rx_str rest = header, pair, name, value;

    for (bool more = header.len > 0; more;) {
        more = rx_str_cut(rest, ';', &pair, &rest);
        rx_str_cut(rx_str_trim(pair), '=', &name, &value);
        if (rx_str_eq(name, RX_S(SESSION_COOKIE)) && value.len <= COOKIE_MAX)
            return value;
    }
    return (rx_str){ 0 };
}

static void
put_cookie(struct rx_buf *headers, rx_str value, uint64_t age_s, bool secure)
{
    rx_buf_addf(headers,
        "set-cookie: " SESSION_COOKIE "=" RX_STR_FMT
        "; Path=/; Max-Age=%" PRIu64 "; HttpOnly; SameSite=Strict%s\r\n",
        RX_STR_ARG(value), age_s, secure ? "; Secure" : "");
}

void
session_put_cookie(
    struct rx_buf *headers, rx_str cookie, uint64_t age_ms, bool secure)
{
    put_cookie(headers, cookie, age_ms / 1000, secure);
}

void
session_clear_cookie(struct rx_buf *headers, bool secure)
{
    put_cookie(headers, (rx_str){ 0 }, 0, secure);
}

/* ---- CSRF ---- */

static void
add_csrf(rx_str cookie, struct rx_buf *out)
{
    struct rx_digest root = rx_digest(cookie);
    struct rx_key from;

    _Static_assert(sizeof(from.bytes) == sizeof(root.bytes), "as large");
    memcpy(from.bytes, root.bytes, sizeof(from.bytes));
    struct rx_key token = rx_key_derive(&from, RX_S("routex session csrf"));
    rx_base64url((rx_str){ (const char *)token.bytes, RX_KEY_SIZE }, out);
    rx_wipe(&from, sizeof(from));
}

rx_str
session_csrf(struct rx_arena *arena, rx_str cookie)
{
    struct rx_buf text;

    rx_buf_init(&text, 256);
    add_csrf(cookie, &text);
    rx_str kept = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

bool
session_csrf_fits(rx_str cookie, rx_str shown)
{
    struct rx_buf want;

    rx_buf_init(&want, 256);
    add_csrf(cookie, &want);
    bool fits = rx_secret_eq(rx_buf_str(&want), shown);
    rx_buf_fini(&want);
    return fits;
}

/* ---- rows ---- */

static uint64_t
since(uint64_t ms)
{
    uint64_t now = rx_clock_wall_ms();

    return now > ms ? now - ms : 0;
}

static enum rx_code
forget_old(
    struct store *s, const struct session_limits *limits, struct rx_err *err)
{
    struct db_query *q = db_query(
        s->db, "delete from session where seen_ms <= ? or created_ms <= ?");

    db_bind_u64(q, 1, since(limits->idle_ms));
    db_bind_u64(q, 2, since(limits->absolute_ms));
    return db_run(q, err);
}

static enum rx_code
make_room(struct store *s, rx_str user_id, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "delete from session where digest in (select digest from session "
        "where user_id is ?1 order by created_ms desc, digest "
        "limit -1 offset ?2)");

    db_bind_str_or_null(q, 1, user_id);
    db_bind_i64(q, 2, SESSION_PER_USER - 1);
    return db_run(q, err);
}

static enum rx_code
insert(struct store *s, rx_str cookie, const struct session *whose,
    rx_str address, struct rx_err *err)
{
    struct rx_digest digest = rx_digest(cookie);
    uint64_t now = rx_clock_wall_ms();
    struct db_query *q = db_query(s->db,
        "insert into session (digest, user_id, token, address, created_ms, "
        "seen_ms) values (?, ?, ?, ?, ?, ?)");

    db_bind_blob(q, 1, digest_bytes(&digest));
    db_bind_str_or_null(q, 2, whose->user_id);
    if (whose->user_id.len == 0)
        db_bind_blob(q, 3, digest_bytes(&whose->token));
    db_bind_str(q, 4, address);
    db_bind_u64(q, 5, now);
    db_bind_u64(q, 6, now);
    return db_run(q, err);
}

enum rx_code
session_create(struct store *s, struct rx_arena *arena,
    const struct session *whose, rx_str address,
    const struct session_limits *limits, rx_str *cookie, struct rx_err *err)
{
    struct rx_buf text;

    assert(db_in_transaction(s->db));
    rx_buf_init(&text, COOKIE_MAX);
    rx_random_text("", COOKIE_RANDOM, &text);
    *cookie = field_keep(arena, rx_buf_str(&text));
    rx_wipe(text.ptr, text.len);
    rx_buf_fini(&text);
    enum rx_code code = forget_old(s, limits, err);
    if (code == RX_OK)
        code = make_room(s, whose->user_id, err);
    return code == RX_OK ? insert(s, *cookie, whose, address, err) : code;
}

/* A store that cannot be written to can still be looked at. */
static void
note_seen(struct store *s, rx_str digest, uint64_t now)
{
    struct db_query *q =
        db_query(s->db, "update session set seen_ms = ? where digest = ?");

    db_bind_u64(q, 1, now);
    db_bind_blob(q, 2, digest);
    (void)db_run(q, NULL);
}

static bool
read_row(struct db_query *q, struct rx_arena *arena, struct session *out)
{
    if (!db_next(q))
        return false;
    out->user_id = field_keep(arena, db_str(q, 0));
    rx_str token = db_blob(q, 1);
    if (token.len == sizeof(out->token.bytes))
        memcpy(out->token.bytes, token.ptr, token.len);
    out->created_ms = db_u64(q, 2);
    out->seen_ms = db_u64(q, 3);
    return true;
}

enum rx_code
session_find(struct store *s, struct rx_arena *arena, rx_str cookie,
    const struct session_limits *limits, struct session *out,
    struct rx_err *err)
{
    struct rx_digest digest = rx_digest(cookie);
    uint64_t now = rx_clock_wall_ms();
    struct db_query *q = db_query(s->db,
        "select user_id, token, created_ms, seen_ms from session "
        "where digest = ?");

    *out = (struct session){ 0 };
    db_bind_blob(q, 1, digest_bytes(&digest));
    bool there = read_row(q, arena, out);
    enum rx_code code = db_done(q, err);
    if (code != RX_OK)
        return code;
    if (!there || out->seen_ms + limits->idle_ms <= now ||
        out->created_ms + limits->absolute_ms <= now)
        return rx_fail(err, RX_UNAUTHENTICATED, "the session is over; log in");
    if (now >= out->seen_ms + SEEN_MS) {
        note_seen(s, digest_bytes(&digest), now);
        out->seen_ms = now;
    }
    uint64_t idle = out->seen_ms + limits->idle_ms;
    uint64_t end = out->created_ms + limits->absolute_ms;
    out->expires_ms = idle < end ? idle : end;
    return code;
}

enum rx_code
session_end(struct store *s, rx_str cookie, struct rx_err *err)
{
    struct rx_digest digest = rx_digest(cookie);
    struct db_query *q =
        db_query(s->db, "delete from session where digest = ?");

    db_bind_blob(q, 1, digest_bytes(&digest));
    return db_run(q, err);
}

enum rx_code
session_end_all(struct store *s, rx_str user_id, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "delete from session where user_id = ?");

    db_bind_str(q, 1, user_id);
    return db_run(q, err);
}
