#include "controlplane/credential_token.h"

#include <assert.h>
#include <string.h>

#include "controlplane/field.h"

#define PLACE     "credential_token.token"
#define TOKEN_MAX ((size_t)16 << 10)

static enum rx_code
read_token(struct store *s, struct rx_arena *arena, rx_str credential,
    rx_str sealed, struct credential_token *out, struct rx_err *err)
{
    struct rx_buf plain;

    rx_buf_init(&plain, TOKEN_MAX);
    enum rx_code code =
        vault_unseal(s->vault, PLACE, credential, sealed, &plain, err);
    if (code == RX_OK)
        out->token = field_keep(arena, rx_buf_str(&plain));
    if (plain.ptr != NULL)
        rx_wipe(plain.ptr, plain.len);
    rx_buf_fini(&plain);
    return code;
}

enum rx_code
credential_token_load(struct store *s, struct rx_arena *arena,
    rx_str credential, bool secret, struct credential_token *out,
    struct rx_err *err)
{
    enum rx_code code = RX_OK;
    struct db_query *q = db_query(s->db,
        "select token, key, got_ms, expires_ms, error, failed_ms, failures "
        "from credential_token where credential_id = ?");

    *out = (struct credential_token){ 0 };
    db_bind_str(q, 1, credential);
    if (db_next(q)) {
        rx_str key = db_blob(q, 1);
        if (key.len == sizeof(out->key.bytes))
            memcpy(out->key.bytes, key.ptr, key.len);
        out->got_ms = db_u64(q, 2);
        out->expires_ms = db_u64(q, 3);
        out->error = field_keep(arena, db_str(q, 4));
        out->failed_ms = db_u64(q, 5);
        out->failures = db_u64(q, 6);
        if (secret && !db_is_null(q, 0))
            code = read_token(s, arena, credential, db_blob(q, 0), out, err);
    }
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code != RX_OK ? code : done;
}

enum rx_code
credential_token_save(struct store *s, rx_str credential,
    const struct credential_token *t, struct rx_err *err)
{
    struct rx_buf sealed;
    struct db_query *q = db_query(s->db,
        "insert into credential_token (credential_id, token, key, got_ms, "
        "expires_ms, error, failed_ms, failures) values (?, ?, ?, ?, ?, ?, ?, "
        "?) on conflict (credential_id) do update set token = excluded.token, "
        "key = excluded.key, got_ms = excluded.got_ms, expires_ms = "
        "excluded.expires_ms, error = excluded.error, failed_ms = "
        "excluded.failed_ms, failures = excluded.failures");

    assert(db_in_transaction(s->db));
    rx_buf_init(&sealed, 2 * TOKEN_MAX);
    db_bind_str(q, 1, credential);
    if (t->token.len > 0) {
        vault_seal(s->vault, PLACE, credential, t->token, &sealed);
        db_bind_blob(q, 2, rx_buf_str(&sealed));
    }
    db_bind_blob(
        q, 3, (rx_str){ (const char *)t->key.bytes, sizeof(t->key.bytes) });
    db_bind_u64(q, 4, t->got_ms);
    db_bind_u64(q, 5, t->expires_ms);
    db_bind_str(q, 6, t->error);
    db_bind_u64(q, 7, t->failed_ms);
    db_bind_u64(q, 8, t->failures);
    rx_buf_fini(&sealed);
    return db_run(q, err);
}

enum rx_code
credential_token_sweep(struct store *s, struct rx_err *err)
{
    return db_run(db_query(s->db,
                      "delete from credential_token where credential_id not in "
                      "(select id from credential)"),
        err);
}
