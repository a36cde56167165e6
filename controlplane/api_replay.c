#include "controlplane/api_replay.h"

#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/secret.h"

#define KEEP_MS ((uint64_t)24 * 3600 * 1000)
#define KEY_MAX 200

static rx_str
key_of(const struct api_call *c)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);

    if (!rx_str_eq(head->method, RX_S("POST")) || c->who.kind == CALLER_NOBODY)
        return (rx_str){ 0 };
    return rx_str_trim(rx_httpd_header(head, RX_S("idempotency-key")));
}

/* What makes two requests the same: path and body. */
static struct rx_digest
request_digest(const struct api_call *c)
{
    struct rx_buf all;

    rx_buf_init(&all, (size_t)4 << 20);
    rx_buf_add(&all, rx_httpd_head(c->req)->target);
    rx_buf_addc(&all, '\n');
    rx_buf_add(&all, rx_httpd_body(c->req));
    struct rx_digest digest = rx_digest(rx_buf_str(&all));
    rx_wipe(all.ptr, all.len);
    rx_buf_fini(&all);
    return digest;
}

static rx_str
digest_bytes(const struct rx_digest *d)
{
    return (rx_str){ (const char *)d->bytes, sizeof(d->bytes) };
}

static enum rx_code
forget_old(struct api_call *c, struct rx_err *err)
{
    struct db_query *q =
        db_query(c->store->db, "delete from idempotency where at_ms < ?");

    db_bind_u64(q, 1, rx_clock_wall_ms() - KEEP_MS);
    return db_run(q, err);
}

static enum rx_code
open_answer(struct api_call *c, rx_str key, rx_str sealed, struct rx_err *err)
{
    rx_buf_clear(&c->out);
    rx_buf_add(&c->headers, RX_S("idempotency-replayed: true\r\n"));
    return vault_unseal(
        c->store->vault, "idempotency.answer", key, sealed, &c->out, err);
}

enum rx_code
api_replay_find(struct api_call *c, bool *replayed, struct rx_err *err)
{
    rx_str key = key_of(c);

    *replayed = false;
    if (key.len == 0)
        return RX_OK;
    if (key.len > KEY_MAX)
        return api_wrong(
            c, err, "Idempotency-Key", "must be at most %d bytes", KEY_MAX);
    enum rx_code code = forget_old(c, err);
    if (code != RX_OK)
        return code;
    struct rx_digest digest = request_digest(c);
    struct db_query *q = db_query(c->store->db,
        "select request, status, answer from idempotency "
        "where actor = ? and key = ?");
    db_bind_str(q, 1, c->who.id);
    db_bind_str(q, 2, key);
    if (db_next(q)) {
        *replayed = rx_str_eq(db_blob(q, 0), digest_bytes(&digest));
        c->status = (int)db_i64(q, 1);
        code =
            *replayed
                ? open_answer(c, key, db_blob(q, 2), err)
                : rx_fail(err, RX_CONFLICT,
                      "Idempotency-Key: was used for another request already");
    }
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code != RX_OK ? code : done;
}

enum rx_code
api_replay_keep(struct api_call *c, struct rx_err *err)
{
    rx_str key = key_of(c);
    struct rx_buf sealed;

    if (key.len == 0)
        return RX_OK;
    struct rx_digest digest = request_digest(c);
    rx_buf_init(&sealed, c->out.len + 1024);
    vault_seal(c->store->vault, "idempotency.answer", key, rx_buf_str(&c->out),
        &sealed);
    struct db_query *q = db_query(c->store->db,
        "insert into idempotency (actor, key, request, status, answer, at_ms) "
        "values (?, ?, ?, ?, ?, ?)");
    db_bind_str(q, 1, c->who.id);
    db_bind_str(q, 2, key);
    db_bind_blob(q, 3, digest_bytes(&digest));
    db_bind_i64(q, 4, c->status);
    db_bind_blob(q, 5, rx_buf_str(&sealed));
    db_bind_u64(q, 6, rx_clock_wall_ms());
    rx_buf_fini(&sealed);
    return db_run(q, err);
}
