#include "controlplane/vault.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/secret.h"

struct vault {
    struct rx_key key;
};

/* What is sealed at birth, to recognise the key by. */
#define PROBE_PLACE "meta.vault"
#define PROBE_TEXT  "routex vault 1"

#define CONTEXT_MAX 256

static rx_str
context(char to[CONTEXT_MAX], const char *place, rx_str id)
{
    int n = snprintf(to, CONTEXT_MAX, "%s/" RX_STR_FMT, place, RX_STR_ARG(id));

    assert(n > 0 && n < CONTEXT_MAX);
    return (rx_str){ to, (size_t)n };
}

void
vault_seal(struct vault *v, const char *place, rx_str id, rx_str secret,
    struct rx_buf *out)
{
    char bound[CONTEXT_MAX];
    bool sealed = rx_seal(&v->key, secret, context(bound, place, id), out);

    assert(sealed);
    (void)sealed;
}

enum rx_code
vault_unseal(struct vault *v, const char *place, rx_str id, rx_str sealed,
    struct rx_buf *out, struct rx_err *err)
{
    char bound[CONTEXT_MAX];

    if (rx_unseal(&v->key, sealed, context(bound, place, id), out))
        return RX_OK;
    return rx_fail(err, RX_DENIED,
        "%s of " RX_STR_FMT ": does not open with the master key", place,
        RX_STR_ARG(id));
}

/* The probe as it is stored; empty when nothing was ever sealed here. */
static enum rx_code
load_probe(struct db *db, struct rx_buf *probe, struct rx_err *err)
{
    struct db_query *q =
        db_query(db, "select value from meta where name = 'vault'");

    if (db_next(q))
        rx_buf_add(probe, db_blob(q, 0));
    return db_done(q, err);
}

static enum rx_code
store_probe(struct vault *v, struct db *db, struct rx_err *err)
{
    struct rx_buf probe;

    rx_buf_init(&probe, 256);
    vault_seal(v, PROBE_PLACE, RX_S("1"), RX_S(PROBE_TEXT), &probe);
    struct db_query *q =
        db_query(db, "insert into meta (name, value) values ('vault', ?)");
    db_bind_blob(q, 1, rx_buf_str(&probe));
    rx_buf_fini(&probe);
    return db_run(q, err);
}

static enum rx_code
check_probe(
    struct vault *v, const char *key_file, rx_str probe, struct rx_err *err)
{
    struct rx_buf plain;

    rx_buf_init(&plain, 256);
    enum rx_code code =
        vault_unseal(v, PROBE_PLACE, RX_S("1"), probe, &plain, NULL);
    rx_buf_fini(&plain);
    if (code != RX_OK)
        return rx_fail(err, RX_DENIED,
            "%s: is not the master key this store was made with; put the right "
            "one back, or see --forget-secrets (nothing was changed)",
            key_file);
    return RX_OK;
}

/* The key's purpose keeps it apart from other uses of the same file. */
static enum rx_code
load_key(struct vault *v, const char *key_file, bool create, struct rx_err *err)
{
    struct rx_key master;
    enum rx_code code = rx_key_file(key_file, create, &master, err);

    if (code == RX_OK)
        v->key = rx_key_derive(&master, RX_S("routex vault"));
    rx_wipe(&master, sizeof(master));
    if (code == RX_NOT_FOUND)
        return rx_fail(err, RX_NOT_FOUND,
            "%s: the master key is lost; the secrets in this store cannot be "
            "read without it: put it back, or see --forget-secrets (nothing "
            "was changed)",
            key_file);
    return code;
}

enum rx_code
vault_open(
    struct vault **out, struct db *db, const char *key_file, struct rx_err *err)
{
    struct rx_buf probe;
    struct vault *v = calloc(1, sizeof(*v));

    if (v == NULL)
        abort();
    *out = NULL;
    rx_buf_init(&probe, 1024);
    enum rx_code code = load_probe(db, &probe, err);
    bool fresh = probe.len == 0;
    if (code == RX_OK)
        code = load_key(v, key_file, fresh, err);
    if (code == RX_OK)
        code = fresh ? store_probe(v, db, err)
                     : check_probe(v, key_file, rx_buf_str(&probe), err);
    rx_buf_fini(&probe);
    if (code != RX_OK) {
        vault_close(v);
        return code;
    }
    *out = v;
    return RX_OK;
}

/*
 * Whatever holds something sealed has its line here.  What cannot work without
 * its secret is switched off until it has another one.
 */
static const char *const forgetting[] = {
    "update channel set status = 'disabled' where id in "
    "(select channel_id from credential)",
    "update channel set proxy_url = null where proxy_url is not null",
    "delete from credential",
    "delete from credential_token",
    "delete from idempotency",
    "update oauth_account set access = null, refresh = null, "
    "status = 'needs_login'",
    "delete from oauth_login",
    "delete from webhook",
    "delete from tee",
    "delete from meta where name = 'vault'",
};

enum rx_code
vault_forget(struct db *db, struct rx_buf *names, struct rx_err *err)
{
    struct db_query *q =
        db_query(db, "select distinct c.name from channel c join credential k "
                     "on k.channel_id = c.id order by c.name");

    while (db_next(q)) {
        rx_str name = db_str(q, 0);
        rx_buf_addf(names, "%s" RX_STR_FMT, names->len > 0 ? ", " : "",
            RX_STR_ARG(name));
    }
    enum rx_code code = db_done(q, err);
    for (size_t i = 0; code == RX_OK && i < RX_COUNT(forgetting); i++)
        code = db_run(db_query(db, forgetting[i]), err);
    return code;
}

void
vault_close(struct vault *v)
{
    if (v == NULL)
        return;
    rx_wipe(v, sizeof(*v));
    free(v);
}
