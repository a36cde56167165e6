#include "controlplane/admin.h"

#include "controlplane/field.h"
#include "shared/clock.h"
#include "shared/secret.h"

static rx_str
digest_bytes(const struct rx_digest *d)
{
    return (rx_str){ (const char *)d->bytes, sizeof(d->bytes) };
}

enum rx_code
admin_create(struct store *s, struct rx_arena *arena, rx_str name,
    rx_str *token, struct rx_err *err)
{
    struct rx_buf text;

    rx_buf_init(&text, 128);
    rx_random_text(ADMIN_PREFIX, 40, &text);
    *token = field_keep(arena, rx_buf_str(&text));
    rx_wipe(text.ptr, text.len);
    rx_buf_fini(&text);

    struct rx_digest digest = rx_digest(*token);
    struct db_query *q = db_query(s->db,
        "insert into admin_token (id, name, digest, last4, created_ms) "
        "values (?, ?, ?, ?, ?)");
    db_bind_str(q, 1, store_new_id(arena, "tok_"));
    db_bind_str(q, 2, name);
    db_bind_blob(q, 3, digest_bytes(&digest));
    db_bind_str(q, 4, field_last4(arena, *token));
    db_bind_u64(q, 5, rx_clock_wall_ms());
    return db_run(q, err);
}

enum rx_code
admin_check(struct store *s, struct rx_arena *arena, rx_str token, rx_str *name,
    struct rx_err *err)
{
    struct rx_digest digest = rx_digest(token);
    struct db_query *q =
        db_query(s->db, "select name from admin_token where digest = ?");

    *name = (rx_str){ 0 };
    db_bind_blob(q, 1, digest_bytes(&digest));
    if (db_next(q))
        *name = field_keep(arena, db_str(q, 0));
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && name->len == 0)
        return rx_fail(err, RX_UNAUTHENTICATED, "unknown admin token");
    return code;
}
