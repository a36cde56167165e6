#include "controlplane/key.h"

#include <assert.h>
#include <string.h>

#include "controlplane/limit_set.h"
#include "controlplane/row.h"
#include "shared/clock.h"

#define KEY_RANDOM 40

#define SELECT                                                                \
    "select k.id, k.name, k.tenant_id, t.name, k.status, k.digest, k.last4, " \
    "k.expires_ms, k.may_force_channel, k.models, k.channels, k.created_ms, " \
    "k.updated_ms, k.rev, "                                                   \
    "(select max(started_ms) from request where key_id = k.id), "             \
    "k.limits, k.ips, k.old_digest, k.old_last4, k.old_until_ms "             \
    "from client_key k join tenant t on t.id = k.tenant_id "

struct key *
key_new(struct rx_arena *arena)
{
    struct key *k = field_make(arena, struct key, 1);

    k->status = RX_S("enabled");
    return k;
}

void
key_read(struct key *k, rx_json body, enum field_mode mode,
    struct rx_arena *arena, rx_str *tenant)
{
    static const char *const statuses[] = { "enabled", "disabled", NULL };
    static const char *const shown_only[] = { "id", "tenant_id", "last4",
        "created_at", "updated_at", "last_used_at", "limits_state", "previous",
        NULL };

    *tenant = (rx_str){ 0 };
    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    field_read_name(body, mode, false, &k->name);
    rx_json_get_str(body, "tenant", tenant);
    field_read_word(body, "status", statuses, &k->status);
    field_read_time(body, "expires_at", &k->expires_ms);
    rx_json_get_bool(body, "may_force_channel", &k->may_force_channel);
    field_read_allowed(body, "models", mode, arena, &k->models);
    field_read_allowed(body, "channels", mode, arena, &k->channels);
    limit_set_read(body, mode, &k->limits);
    limit_set_read_ips(body, mode, arena, &k->ips);
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
}

static void
put_previous(struct rx_json_out *w, const struct key *k)
{
    if (k->old_until_ms <= rx_clock_wall_ms()) {
        rx_json_put_null(w, "previous");
        return;
    }
    rx_json_open_object(w, "previous");
    rx_json_put_str(w, "last4", k->old_last4);
    rx_json_put_time(w, "valid_until", k->old_until_ms);
    rx_json_close(w);
}

void
key_put(struct rx_json_out *w, const char *key, const struct key *k)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", k->id);
    if (k->text.len > 0)
        rx_json_put_str(w, "key", k->text);
    rx_json_put_str(w, "name", k->name);
    rx_json_put_str(w, "tenant", k->tenant);
    rx_json_put_str(w, "tenant_id", k->tenant_id);
    rx_json_put_str(w, "status", k->status);
    rx_json_put_str(w, "last4", k->last4);
    rx_json_put_time(w, "expires_at", k->expires_ms);
    put_previous(w, k);
    rx_json_put_bool(w, "may_force_channel", k->may_force_channel);
    field_put_allowed(w, "models", &k->models);
    field_put_allowed(w, "channels", &k->channels);
    limit_set_put(w, "limits", &k->limits);
    if (k->limits_state.len > 0)
        rx_json_put_raw(w, "limits_state", k->limits_state);
    field_put_allowed(w, "ips", &k->ips);
    rx_json_put_time(w, "created_at", k->created_ms);
    rx_json_put_time(w, "updated_at", k->updated_ms);
    rx_json_put_time(w, "last_used_at", k->used_ms);
    rx_json_close(w);
}

void
key_state(const struct key *k, struct state_key *out)
{
    *out = (struct state_key){
        .id = k->id,
        .name = k->name,
        .digest = k->digest,
        .tenant_id = k->tenant_id,
        .enabled = rx_str_eq(k->status, RX_S("enabled")),
        .expires_ms = k->expires_ms,
        .old_digest = k->old_digest,
        .old_until_ms = k->old_until_ms,
        .may_force_channel = k->may_force_channel,
        .models = k->models.at,
        .model_count = k->models.count,
        .channels = k->channels.at,
        .channel_count = k->channels.count,
        .limits = k->limits,
        .ips = k->ips.at,
        .ip_count = k->ips.count,
    };
}

void
key_draw(struct key *k, struct rx_arena *arena)
{
    struct rx_buf text;

    rx_buf_init(&text, 128);
    rx_random_text(KEY_PREFIX, KEY_RANDOM, &text);
    k->text = field_keep(arena, rx_buf_str(&text));
    rx_wipe(text.ptr, text.len);
    rx_buf_fini(&text);
    k->digest = rx_digest(k->text);
    k->last4 = field_last4(arena, k->text);
    k->old_until_ms = 0;
}

void
key_rotate(struct key *k, uint64_t old_until_ms, struct rx_arena *arena)
{
    k->old_digest = k->digest;
    k->old_last4 = k->last4;
    key_draw(k, arena);
    k->old_until_ms = old_until_ms;
}

/* ---- rows ---- */

static struct key *
read_row(struct db_query *q, struct rx_arena *arena)
{
    struct key *k = key_new(arena);
    rx_str digest = db_blob(q, 5);

    k->id = field_keep(arena, db_str(q, 0));
    k->name = field_keep(arena, db_str(q, 1));
    k->tenant_id = field_keep(arena, db_str(q, 2));
    k->tenant = field_keep(arena, db_str(q, 3));
    k->status = field_keep(arena, db_str(q, 4));
    if (digest.len == sizeof(k->digest))
        memcpy(&k->digest, digest.ptr, sizeof(k->digest));
    k->last4 = field_keep(arena, db_str(q, 6));
    k->expires_ms = db_u64(q, 7);
    k->may_force_channel = db_i64(q, 8) != 0;
    field_load_list(arena, db_str(q, 9), &k->models);
    field_load_list(arena, db_str(q, 10), &k->channels);
    k->created_ms = db_u64(q, 11);
    k->updated_ms = db_u64(q, 12);
    k->rev = db_u64(q, 13);
    k->used_ms = db_u64(q, 14);
    limit_set_load(arena, db_str(q, 15), &k->limits);
    field_load_list(arena, db_str(q, 16), &k->ips);
    rx_str old = db_blob(q, 17);
    if (old.len == sizeof(k->old_digest))
        memcpy(&k->old_digest, old.ptr, sizeof(k->old_digest));
    k->old_last4 = field_keep(arena, db_str(q, 18));
    k->old_until_ms = db_u64(q, 19);
    return k;
}

enum rx_code
key_load(struct store *s, struct rx_arena *arena, rx_str id, struct key **out,
    struct rx_err *err)
{
    struct db_query *q = db_query(s->db, SELECT "where k.id = ?");

    *out = NULL;
    db_bind_str(q, 1, id);
    if (db_next(q))
        *out = read_row(q, arena);
    return row_end(q, RX_OK, *out != NULL, "key", id, err);
}

enum rx_code
key_list(struct store *s, struct rx_arena *arena,
    const struct key_filter *filter, size_t limit, struct key **out,
    size_t *count, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, SELECT "where (k.created_ms, k.id) > (?1, ?2) "
                               "and (?3 = '' or k.tenant_id = ?3) "
                               "order by k.created_ms, k.id limit ?4");

    *count = 0;
    db_bind_u64(q, 1, filter->after_ms);
    db_bind_str(q, 2, filter->after_id);
    db_bind_str(q, 3, filter->tenant_id);
    db_bind_u64(q, 4, limit);
    while (db_next(q))
        out[(*count)++] = read_row(q, arena);
    return db_done(q, err);
}

static void
bind_row(struct db_query *q, const struct key *k, struct rx_arena *arena)
{
    db_bind_str(q, 1, k->id);
    db_bind_str(q, 2, k->name);
    db_bind_str(q, 3, k->tenant_id);
    db_bind_blob(q, 4,
        (rx_str){ (const char *)k->digest.bytes, sizeof(k->digest.bytes) });
    db_bind_str(q, 5, k->last4);
    db_bind_str(q, 6, k->status);
    db_bind_u64(q, 7, k->expires_ms);
    db_bind_i64(q, 8, k->may_force_channel);
    db_bind_str(q, 9, field_list_text(arena, &k->models));
    db_bind_str(q, 10, field_list_text(arena, &k->channels));
    db_bind_u64(q, 11, k->created_ms);
    db_bind_u64(q, 12, k->updated_ms);
    db_bind_u64(q, 13, k->rev);
    db_bind_str(q, 14, limit_set_text(arena, &k->limits));
    db_bind_str(q, 15, field_list_text(arena, &k->ips));
    if (k->old_until_ms != 0)
        db_bind_blob(q, 16,
            (rx_str){ (const char *)k->old_digest.bytes,
                sizeof(k->old_digest.bytes) });
    db_bind_str(q, 17, k->old_last4);
    db_bind_u64(q, 18, k->old_until_ms);
}

enum rx_code
key_save(
    struct store *s, struct rx_arena *arena, struct key *k, struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    k->updated_ms = rx_clock_wall_ms();
    if (k->id.len == 0) {
        k->id = store_new_id(arena, "key_");
        k->created_ms = k->updated_ms;
    }
    k->rev++;
    struct db_query *q = db_query(s->db,
        "insert into client_key (id, name, tenant_id, digest, last4, status, "
        "expires_ms, may_force_channel, models, channels, created_ms, "
        "updated_ms, rev, limits, ips, old_digest, old_last4, old_until_ms) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (id) do update set name = excluded.name, "
        "tenant_id = excluded.tenant_id, digest = excluded.digest, "
        "last4 = excluded.last4, status = excluded.status, "
        "expires_ms = excluded.expires_ms, "
        "may_force_channel = excluded.may_force_channel, "
        "models = excluded.models, channels = excluded.channels, "
        "updated_ms = excluded.updated_ms, rev = excluded.rev, "
        "limits = excluded.limits, ips = excluded.ips, "
        "old_digest = excluded.old_digest, old_last4 = excluded.old_last4, "
        "old_until_ms = excluded.old_until_ms");
    bind_row(q, k, arena);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_KEY, k->id);
    return code;
}

enum rx_code
key_delete(struct store *s, const struct key *k, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from client_key where id = ?");

    assert(db_in_transaction(s->db));
    db_bind_str(q, 1, k->id);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_KEY, k->id);
    return code;
}
