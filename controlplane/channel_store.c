/*
 * Channels as rows.  Lists and maps are kept in the form the API uses, and read
 * back by the same readers.
 */
#include <assert.h>
#include <string.h>

#include "controlplane/channel.h"
#include "controlplane/oauth_account.h"
#include "controlplane/oauth_provider.h"
#include "controlplane/provider.h"
#include "controlplane/row.h"
#include "controlplane/service_account.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define COLUMNS                                                                  \
    "id, name, type, base_url, endpoints, models, priority, weight, status, "    \
    "tags, headers, timeouts, proxy_url, ca_file, created_ms, updated_ms, rev, " \
    "transformers, health_check, cost_ppm"

/* ---- reading ---- */

/*
 * The stored lists as one body, for channel_read() of the API: one reader for
 * both, so a channel that could be saved can be loaded.
 */
static void
read_lists(struct channel *ch, struct db_query *q, struct rx_arena *arena)
{
    static const char *const names[] = { "endpoints", "models", "tags",
        "headers", "timeouts", "health_check" };
    static const int columns[] = { 4, 5, 9, 10, 11, 18 };
    struct rx_buf text;

    rx_buf_init(&text, 4 << 20);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    for (size_t i = 0; i < RX_COUNT(names); i++)
        rx_json_put_raw(&w, names[i], db_str(q, columns[i]));
    rx_json_close(&w);
    channel_read(ch, field_parse(arena, rx_buf_str(&text)), FIELD_PATCH, arena);
    rx_buf_fini(&text);
}

static enum rx_code
read_row(struct store *s, struct db_query *q, struct rx_arena *arena,
    struct channel *ch, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    ch->id = row_text(q, 0, arena);
    ch->name = row_text(q, 1, arena);
    ch->type = row_text(q, 2, arena);
    ch->base_url = row_text(q, 3, arena);
    ch->priority = db_i64(q, 6);
    ch->weight = db_u64(q, 7);
    ch->status = row_text(q, 8, arena);
    if (!db_is_null(q, 12))
        code = row_unseal(s, arena, "channel.proxy_url", ch->id, db_blob(q, 12),
            &ch->proxy_url, err);
    ch->ca_file = row_text(q, 13, arena);
    ch->created_ms = db_u64(q, 14);
    ch->updated_ms = db_u64(q, 15);
    ch->rev = db_u64(q, 16);
    ch->transformers = row_text(q, 17, arena);
    ch->cost_ppm = db_u64(q, 19);
    read_lists(ch, q, arena);
    return code;
}

/* What a service account's key is exchanged for; not that of an older key. */
static enum rx_code
read_token(struct store *s, struct rx_arena *arena, bool secret,
    struct channel_key *k, struct rx_err *err)
{
    enum rx_code code =
        credential_token_load(s, arena, k->id, secret, &k->token, err);

    if (code != RX_OK || !secret)
        return code;
    struct rx_digest key = rx_digest(k->secret);
    if (memcmp(key.bytes, k->token.key.bytes, sizeof(key.bytes)) != 0)
        k->token.token = (rx_str){ 0 };
    return RX_OK;
}

/* What the provider wants to see beside an account's token. */
static void
add_token_headers(struct channel_key *k, struct rx_arena *arena,
    rx_str provider, rx_str identity)
{
    const struct oauth_provider *p = oauth_preset_find(provider);

    k->auth = RX_S("bearer");
    k->headers = field_make(arena, struct state_header, 2);
    if (p != NULL && p->header != NULL)
        k->headers[k->header_count++] =
            (struct state_header){ field_text(p->header),
                field_text(p->header_value) };
    if (p != NULL && p->identity_header != NULL && identity.len > 0)
        k->headers[k->header_count++] =
            (struct state_header){ field_text(p->identity_header), identity };
}

/* Its own secret, or its account's token. */
static enum rx_code
read_secret(struct store *s, struct db_query *q, struct rx_arena *arena,
    struct channel_key *k, struct rx_err *err)
{
    if (k->account_id.len == 0)
        return row_unseal(s, arena, "credential.secret", k->id, db_blob(q, 2),
            &k->secret, err);
    add_token_headers(k, arena, row_text(q, 9, arena), row_text(q, 10, arena));
    if (db_is_null(q, 8))
        return RX_OK;
    return row_unseal(s, arena, "oauth.access", k->account_id, db_blob(q, 8),
        &k->secret, err);
}

static enum rx_code
read_keys(struct store *s, struct rx_arena *arena, bool secrets,
    struct channel *ch, struct rx_err *err)
{
    enum rx_code code = RX_OK;
    struct db_query *q = db_query(s->db,
        "select k.id, k.kind, k.secret, k.last4, k.status, k.created_ms, "
        "a.id, a.name, a.access, a.provider, a.identity "
        "from credential k left join oauth_account a on a.id = k.account_id "
        "where k.channel_id = ? order by k.position");

    db_bind_str(q, 1, ch->id);
    while (code == RX_OK && ch->key_count < CHANNEL_KEYS_MAX && db_next(q)) {
        struct channel_key *k = &ch->keys[ch->key_count++];
        *k = (struct channel_key){
            .id = row_text(q, 0, arena),
            .kind = row_text(q, 1, arena),
            .last4 = row_text(q, 3, arena),
            .status = row_text(q, 4, arena),
            .created_ms = db_u64(q, 5),
            .account_id = row_text(q, 6, arena),
            .account = row_text(q, 7, arena),
        };
        if (secrets)
            code = read_secret(s, q, arena, k, err);
        if (code == RX_OK && rx_str_eq(k->kind, RX_S(SERVICE_ACCOUNT_KIND)))
            code = read_token(s, arena, secrets, k, err);
    }
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code != RX_OK ? code : done;
}

enum rx_code
channel_load(struct store *s, struct rx_arena *arena, rx_str id, bool secrets,
    struct channel **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select " COLUMNS " from channel where id = ?1 or name = ?1 "
        "order by id = ?1 desc limit 1");
    enum rx_code code = RX_OK;
    struct channel *ch = NULL;

    db_bind_str(q, 1, id);
    if (db_next(q)) {
        ch = channel_new(arena);
        code = read_row(s, q, arena, ch, err);
    }
    code = row_end(q, code, ch != NULL, "channel", id, err);
    if (code == RX_OK)
        code = read_keys(s, arena, secrets, ch, err);
    *out = ch;
    return code;
}

enum rx_code
channel_list(struct store *s, struct rx_arena *arena, rx_str after,
    size_t limit, bool secrets, struct channel **out, size_t *count,
    struct rx_err *err)
{
    struct db_query *q =
        row_page(s, "select " COLUMNS " from channel", after, limit);
    enum rx_code code = RX_OK;

    *count = 0;
    while (code == RX_OK && db_next(q)) {
        out[*count] = channel_new(arena);
        code = read_row(s, q, arena, out[(*count)++], err);
    }
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    if (code == RX_OK)
        code = done;
    for (size_t i = 0; code == RX_OK && i < *count; i++)
        code = read_keys(s, arena, secrets, out[i], err);
    return code;
}

enum rx_code
channel_count(struct store *s, uint64_t *out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "select count(*) from channel");

    *out = db_next(q) ? db_u64(q, 0) : 0;
    return db_done(q, err);
}

/* ---- accounts ---- */

static bool
fits(const struct channel *ch, const struct oauth_account *a)
{
    const struct provider *p = provider_find(ch->type);

    return p != NULL && p->oauth != NULL &&
           rx_str_eq(a->provider, field_text(p->oauth));
}

enum rx_code
channel_find_accounts(struct store *s, struct rx_arena *arena,
    struct channel *ch, struct rx_err *err)
{
    for (size_t i = 0; i < ch->key_count; i++) {
        struct channel_key *k = &ch->keys[i];
        struct oauth_account *a;
        if (k->account.len == 0)
            continue;
        rx_str wanted = k->account_id.len > 0 ? k->account_id : k->account;
        enum rx_code code =
            oauth_account_load(s, arena, wanted, false, &a, err);
        if (code != RX_OK)
            return code;
        if (!fits(ch, a))
            return rx_fail(err, RX_CONFLICT,
                "an account of " RX_STR_FMT
                " cannot serve a channel of type " RX_STR_FMT,
                RX_STR_ARG(a->provider), RX_STR_ARG(ch->type));
        k->account_id = a->id;
        k->account = a->name;
    }
    return RX_OK;
}

/* ---- writing ---- */

/* One member of the channel as the API shows it. */
static void
bind_member(struct db_query *q, int index, rx_json shown, const char *name)
{
    struct rx_buf text;

    rx_buf_init(&text, 4 << 20);
    rx_json_print(rx_json_find(shown, name), false, &text);
    assert(!text.full);
    db_bind_str(q, index, rx_buf_str(&text));
    rx_buf_fini(&text);
}

static void
bind_lists(struct db_query *q, const struct channel *ch, struct rx_arena *arena)
{
    struct rx_buf text;

    rx_buf_init(&text, 16 << 20);
    struct rx_json_out w = rx_json_out(&text);
    channel_put(&w, NULL, ch, NULL);
    rx_json shown = field_parse(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    bind_member(q, 5, shown, "endpoints");
    bind_member(q, 6, shown, "models");
    bind_member(q, 10, shown, "tags");
    bind_member(q, 11, shown, "headers");
    bind_member(q, 12, shown, "timeouts");
    bind_member(q, 19, shown, "health_check");
}

static void
bind_proxy(struct store *s, struct db_query *q, const struct channel *ch)
{
    struct rx_buf sealed;

    if (ch->proxy_url.len == 0)
        return; /* unbound is NULL */
    rx_buf_init(&sealed, 16 << 10);
    vault_seal(s->vault, "channel.proxy_url", ch->id, ch->proxy_url, &sealed);
    db_bind_blob(q, 13, rx_buf_str(&sealed));
    rx_buf_fini(&sealed);
}

static enum rx_code
save_row(struct store *s, struct rx_arena *arena, const struct channel *ch,
    struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into channel (" COLUMNS ") values "
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (id) do update set name = excluded.name, "
        "type = excluded.type, base_url = excluded.base_url, "
        "endpoints = excluded.endpoints, models = excluded.models, "
        "priority = excluded.priority, weight = excluded.weight, "
        "status = excluded.status, tags = excluded.tags, "
        "headers = excluded.headers, timeouts = excluded.timeouts, "
        "proxy_url = excluded.proxy_url, ca_file = excluded.ca_file, "
        "updated_ms = excluded.updated_ms, rev = excluded.rev, "
        "transformers = excluded.transformers, "
        "health_check = excluded.health_check, "
        "cost_ppm = excluded.cost_ppm");

    db_bind_str(q, 1, ch->id);
    db_bind_str(q, 2, ch->name);
    db_bind_str(q, 3, ch->type);
    db_bind_str(q, 4, ch->base_url);
    bind_lists(q, ch, arena);
    db_bind_i64(q, 7, ch->priority);
    db_bind_u64(q, 8, ch->weight);
    db_bind_str(q, 9, ch->status);
    bind_proxy(s, q, ch);
    db_bind_str(q, 14, ch->ca_file);
    db_bind_u64(q, 15, ch->created_ms);
    db_bind_u64(q, 16, ch->updated_ms);
    db_bind_u64(q, 17, ch->rev);
    db_bind_str(q, 18, ch->transformers);
    db_bind_u64(q, 20, ch->cost_ppm);
    return db_run(q, err);
}

static enum rx_code
save_key(struct store *s, const struct channel *ch, const struct channel_key *k,
    size_t position, struct rx_err *err)
{
    struct rx_buf sealed;
    struct db_query *q = db_query(s->db,
        "insert into credential (id, channel_id, position, kind, secret, "
        "last4, status, created_ms, account_id) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    rx_str secret = k->account_id.len > 0 ? (rx_str){ 0 } : k->secret;

    rx_buf_init(&sealed, 64 << 10);
    vault_seal(s->vault, "credential.secret", k->id, secret, &sealed);
    db_bind_str(q, 1, k->id);
    db_bind_str(q, 2, ch->id);
    db_bind_u64(q, 3, position);
    db_bind_str(q, 4, k->kind);
    db_bind_blob(q, 5, rx_buf_str(&sealed));
    db_bind_str(q, 6, k->last4);
    db_bind_str(q, 7, k->status);
    db_bind_u64(q, 8, k->created_ms);
    if (k->account_id.len > 0)
        db_bind_str(q, 9, k->account_id);
    rx_buf_fini(&sealed);
    return db_run(q, err);
}

static bool
is_same(const struct channel_key *a, const struct channel_key *b)
{
    if (a->account_id.len > 0 || b->account_id.len > 0)
        return rx_str_eq(a->account_id, b->account_id);
    return rx_secret_eq(a->secret, b->secret);
}

/* A new key that is an old one by its secret goes on under its id. */
static void
recognise_key(struct channel_key *k, const struct channel *old)
{
    for (size_t i = 0; old != NULL && i < old->key_count; i++) {
        if (is_same(k, &old->keys[i])) {
            k->id = old->keys[i].id;
            k->created_ms = old->keys[i].created_ms;
        }
    }
}

static enum rx_code
save_keys(struct store *s, struct rx_arena *arena, struct channel *ch,
    const struct channel *old, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "delete from credential where channel_id = ?");

    db_bind_str(q, 1, ch->id);
    enum rx_code code = db_run(q, err);
    for (size_t i = 0; code == RX_OK && i < ch->key_count; i++) {
        struct channel_key *k = &ch->keys[i];
        if (k->id.len == 0)
            recognise_key(k, old);
        if (k->id.len == 0) {
            k->id = store_new_id(arena, "crd_");
            k->created_ms = ch->updated_ms;
        }
        code = save_key(s, ch, k, i, err);
    }
    return code;
}

enum rx_code
channel_save(struct store *s, struct rx_arena *arena, struct channel *ch,
    struct rx_err *err)
{
    struct channel *old = NULL;

    assert(db_in_transaction(s->db));
    enum rx_code code = row_check_name(s, "channel", ch->name, ch->id, err);
    if (code == RX_OK && ch->id.len > 0)
        code = channel_load(s, arena, ch->id, true, &old, err);
    if (code != RX_OK)
        return code;
    ch->updated_ms = rx_clock_wall_ms();
    if (old == NULL) {
        ch->id = store_new_id(arena, "chn_");
        ch->created_ms = ch->updated_ms;
    }
    ch->rev++;
    code = save_row(s, arena, ch, err);
    if (code == RX_OK)
        code = save_keys(s, arena, ch, old, err);
    if (code == RX_OK)
        store_touch(s, STATE_CHANNEL, ch->id);
    return code;
}

enum rx_code
channel_delete(struct store *s, const struct channel *ch, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from channel where id = ?");

    assert(db_in_transaction(s->db));
    db_bind_str(q, 1, ch->id);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_CHANNEL, ch->id);
    return code;
}
