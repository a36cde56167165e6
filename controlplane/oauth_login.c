#include "controlplane/oauth_login.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "controlplane/field.h"
#include "controlplane/oauth_pkce.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define TEXT_MAX    ((size_t)8192)
/* Begun and never finished, at a time. */
#define PENDING_MAX 1000

/* ---- keeping ----------------------------------------------------------------- */

static rx_str
random_text(struct rx_arena *arena)
{
    struct rx_buf b;

    rx_buf_init(&b, 128);
    oauth_random(&b);
    rx_str kept = field_keep(arena, rx_buf_str(&b));
    rx_wipe(b.ptr, b.len);
    rx_buf_fini(&b);
    return kept;
}

static rx_str
digest_bytes(const struct rx_digest *d)
{
    return (rx_str){ (const char *)d->bytes, sizeof(d->bytes) };
}

/* What a digest looks like as the name of a row in the vault. */
static rx_str
row_name(struct rx_arena *arena, const struct rx_digest *d)
{
    char *hex = field_room(arena, 1, 2 * sizeof(d->bytes) + 1);

    rx_hex(d->bytes, sizeof(d->bytes), hex);
    return (rx_str){ hex, 2 * sizeof(d->bytes) };
}

static enum rx_code
forget_old(struct store *s, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "delete from oauth_login where expires_ms <= ?");

    db_bind_u64(q, 1, rx_clock_wall_ms());
    return db_run(q, err);
}

static enum rx_code
check_room(struct store *s, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "select count(*) from oauth_login");
    uint64_t n = db_next(q) ? db_u64(q, 0) : 0;

    enum rx_code code = db_done(q, err);
    if (code == RX_OK && n >= PENDING_MAX)
        return rx_fail(
            err, RX_LIMITED, "too many log-ins were begun and not finished");
    return code;
}

static enum rx_code
insert(struct store *s, struct rx_arena *arena, const struct oauth_login *l,
    struct rx_err *err)
{
    struct rx_digest digest = rx_digest(l->state);
    struct rx_buf sealed;
    struct db_query *q = db_query(s->db,
        "insert into oauth_login (state, provider, account, redirect_uri, "
        "verifier, actor, actor_kind, actor_id, expires_ms) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?)");

    rx_buf_init(&sealed, 1024);
    vault_seal(s->vault, "oauth.verifier", row_name(arena, &digest),
        l->verifier, &sealed);
    db_bind_blob(q, 1, digest_bytes(&digest));
    db_bind_str(q, 2, l->provider);
    db_bind_str(q, 3, l->account);
    db_bind_str(q, 4, l->redirect_uri);
    db_bind_blob(q, 5, rx_buf_str(&sealed));
    db_bind_str(q, 6, l->actor.name);
    db_bind_str(q, 7, l->actor.kind);
    db_bind_str(q, 8, l->actor.id);
    db_bind_u64(q, 9, l->expires_ms);
    rx_buf_fini(&sealed);
    return db_run(q, err);
}

enum rx_code
oauth_login_begin(struct store *s, struct rx_arena *arena,
    struct oauth_login *l, struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    l->state = random_text(arena);
    l->verifier = random_text(arena);
    l->expires_ms = rx_clock_wall_ms() + OAUTH_LOGIN_MS;
    enum rx_code code = forget_old(s, err);
    if (code == RX_OK)
        code = check_room(s, err);
    return code == RX_OK ? insert(s, arena, l, err) : code;
}

static enum rx_code
read_row(struct store *s, struct db_query *q, struct rx_arena *arena,
    rx_str row, struct oauth_login *out, struct rx_err *err)
{
    struct rx_buf plain;

    out->provider = field_keep(arena, db_str(q, 0));
    out->account = field_keep(arena, db_str(q, 1));
    out->redirect_uri = field_keep(arena, db_str(q, 2));
    out->actor.name = field_keep(arena, db_str(q, 4));
    out->actor.kind = field_keep(arena, db_str(q, 6));
    out->actor.id = field_keep(arena, db_str(q, 7));
    out->expires_ms = db_u64(q, 5);
    rx_buf_init(&plain, 1024);
    enum rx_code code = vault_unseal(
        s->vault, "oauth.verifier", row, db_blob(q, 3), &plain, err);
    if (code == RX_OK)
        out->verifier = field_keep(arena, rx_buf_str(&plain));
    if (plain.ptr != NULL)
        rx_wipe(plain.ptr, plain.len);
    rx_buf_fini(&plain);
    return code;
}

static enum rx_code
delete_row(struct store *s, const struct rx_digest *digest, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "delete from oauth_login where state = ?");

    db_bind_blob(q, 1, digest_bytes(digest));
    return db_run(q, err);
}

enum rx_code
oauth_login_take(struct store *s, struct rx_arena *arena, rx_str provider,
    rx_str state, struct oauth_login *out, struct rx_err *err)
{
    struct rx_digest digest = rx_digest(state);
    enum rx_code code = RX_OK;
    bool found = false;

    assert(db_in_transaction(s->db));
    *out = (struct oauth_login){ .state = state };
    struct db_query *q = db_query(s->db,
        "select provider, account, redirect_uri, verifier, actor, expires_ms, "
        "actor_kind, actor_id from oauth_login where state = ?");
    db_bind_blob(q, 1, digest_bytes(&digest));
    if (db_next(q)) {
        found = true;
        code = read_row(s, q, arena, row_name(arena, &digest), out, err);
    }
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    if (code == RX_OK)
        code = done;
    if (code == RX_OK && found)
        code = delete_row(s, &digest, err);
    if (code != RX_OK)
        return code;
    if (!found)
        return rx_fail(err, RX_DENIED,
            "state: this log-in is not known, or was finished already");
    if (out->expires_ms <= rx_clock_wall_ms())
        return rx_fail(
            err, RX_DENIED, "state: this log-in took too long; begin it again");
    if (provider.len > 0 && !rx_str_eq(provider, out->provider))
        return rx_fail(
            err, RX_DENIED, "state: this log-in was begun at another provider");
    return RX_OK;
}

/* ---- addresses --------------------------------------------------------------- */

void
oauth_escape(struct rx_buf *out, rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
            rx_buf_addc(out, (char)c);
        else
            rx_buf_addf(out, "%%%02X", c);
    }
}

static void
add_field(struct rx_buf *out, const char *name, rx_str value)
{
    rx_buf_addf(out, "&%s=", name);
    oauth_escape(out, value);
}

void
oauth_login_url(const struct oauth_provider *p, const struct oauth_login *l,
    struct rx_buf *out)
{
    struct rx_buf challenge;

    rx_buf_init(&challenge, 256);
    oauth_challenge(l->verifier, &challenge);
    rx_buf_addf(out, "%s%sresponse_type=code", p->authorize_url,
        strchr(p->authorize_url, '?') != NULL ? "&" : "?");
    add_field(out, "client_id", field_text(p->client_id));
    add_field(out, "redirect_uri", l->redirect_uri);
    add_field(out, "scope", field_text(p->scope));
    add_field(out, "code_challenge", rx_buf_str(&challenge));
    add_field(out, "code_challenge_method", RX_S("S256"));
    add_field(out, "state", l->state);
    rx_buf_add(out, field_text(p->extra_query));
    rx_buf_fini(&challenge);
}

/* ---- what was brought back ------------------------------------------------------ */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Undo %41; what is no escape stands for itself. */
static rx_str
decode(struct rx_arena *arena, rx_str s)
{
    char *to = field_room(arena, 1, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
        int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
        if (s.ptr[i] == '%' && high >= 0 && low >= 0 && high + low > 0) {
            to[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            to[n++] = s.ptr[i];
        }
    }
    return (rx_str){ to, n };
}

static void
read_query(struct rx_arena *arena, rx_str query, rx_str *code, rx_str *state)
{
    rx_str pair, name, value;

    for (bool more = true; more;) {
        more = rx_str_cut(query, '&', &pair, &query);
        rx_str_cut(pair, '=', &name, &value);
        if (rx_str_eq(name, RX_S("code")))
            *code = decode(arena, value);
        else if (rx_str_eq(name, RX_S("state")))
            *state = decode(arena, value);
    }
}

static bool
is_plain(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= 0x20 || s.ptr[i] >= 0x7F)
            return false;
    }
    return s.len > 0;
}

bool
oauth_login_read(
    struct rx_arena *arena, rx_str brought, rx_str *code, rx_str *state)
{
    rx_str address, query, rest;

    *code = (rx_str){ 0 };
    brought = rx_str_trim(brought);
    if (brought.len > TEXT_MAX)
        return false;
    if (rx_str_cut(brought, '?', &address, &query)) {
        rx_str_cut(query, '#', &query, &rest);
        read_query(arena, query, code, state);
    } else if (rx_str_starts(brought, RX_S("code=")) ||
               rx_str_starts(brought, RX_S("state="))) {
        read_query(arena, brought, code, state);
    } else {
        rx_str_cut(brought, '#', code, &rest);
        if (rest.len > 0)
            *state = rest;
    }
    return is_plain(*code);
}
