#include "controlplane/tenant.h"

#include <assert.h>
#include <inttypes.h>

#include "controlplane/limit_set.h"
#include "controlplane/row.h"
#include "shared/clock.h"

#define SELECT                                                             \
    "select id, name, status, models, channels, created_ms, updated_ms, "  \
    "rev, (select count(*) from client_key where tenant_id = tenant.id), " \
    "limits, ips from tenant "

struct tenant *
tenant_new(struct rx_arena *arena)
{
    struct tenant *t = field_make(arena, struct tenant, 1);

    t->status = RX_S("enabled");
    return t;
}

void
tenant_read(struct tenant *t, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    static const char *const statuses[] = { "enabled", "disabled", NULL };
    static const char *const shown_only[] = { "id", "created_at", "updated_at",
        "key_count", "limits_state", NULL };

    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    if (mode == FIELD_REPLACE)
        t->status = RX_S("enabled");
    field_read_name(body, mode, false, &t->name);
    field_read_word(body, "status", statuses, &t->status);
    field_read_allowed(body, "models", mode, arena, &t->models);
    field_read_allowed(body, "channels", mode, arena, &t->channels);
    limit_set_read(body, mode, &t->limits);
    limit_set_read_ips(body, mode, arena, &t->ips);
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
}

void
tenant_put(struct rx_json_out *w, const char *key, const struct tenant *t)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", t->id);
    rx_json_put_str(w, "name", t->name);
    rx_json_put_str(w, "status", t->status);
    field_put_allowed(w, "models", &t->models);
    field_put_allowed(w, "channels", &t->channels);
    limit_set_put(w, "limits", &t->limits);
    field_put_allowed(w, "ips", &t->ips);
    rx_json_put_u64(w, "key_count", t->key_count);
    if (t->limits_state.len > 0)
        rx_json_put_raw(w, "limits_state", t->limits_state);
    rx_json_put_time(w, "created_at", t->created_ms);
    rx_json_put_time(w, "updated_at", t->updated_ms);
    rx_json_close(w);
}

void
tenant_state(const struct tenant *t, struct state_tenant *out)
{
    *out = (struct state_tenant){
        .id = t->id,
        .name = t->name,
        .enabled = rx_str_eq(t->status, RX_S("enabled")),
        .models = t->models.at,
        .model_count = t->models.count,
        .channels = t->channels.at,
        .channel_count = t->channels.count,
        .limits = t->limits,
        .ips = t->ips.at,
        .ip_count = t->ips.count,
    };
}

/* ---- rows ---- */

static struct field_list
read_list(struct rx_arena *arena, rx_str stored)
{
    struct field_list list;

    field_load_list(arena, stored, &list);
    return list;
}

static struct tenant *
read_row(struct db_query *q, struct rx_arena *arena)
{
    struct tenant *t = tenant_new(arena);

    t->id = field_keep(arena, db_str(q, 0));
    t->name = field_keep(arena, db_str(q, 1));
    t->status = field_keep(arena, db_str(q, 2));
    t->models = read_list(arena, db_str(q, 3));
    t->channels = read_list(arena, db_str(q, 4));
    t->created_ms = db_u64(q, 5);
    t->updated_ms = db_u64(q, 6);
    t->rev = db_u64(q, 7);
    t->key_count = db_u64(q, 8);
    limit_set_load(arena, db_str(q, 9), &t->limits);
    t->ips = read_list(arena, db_str(q, 10));
    return t;
}

enum rx_code
tenant_load(struct store *s, struct rx_arena *arena, rx_str id,
    struct tenant **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        SELECT "where id = ?1 or name = ?1 order by id = ?1 desc limit 1");

    *out = NULL;
    db_bind_str(q, 1, id);
    if (db_next(q))
        *out = read_row(q, arena);
    return row_end(q, RX_OK, *out != NULL, "tenant", id, err);
}

enum rx_code
tenant_list(struct store *s, struct rx_arena *arena, rx_str after, size_t limit,
    struct tenant **out, size_t *count, struct rx_err *err)
{
    struct db_query *q = row_page(s, SELECT, after, limit);

    *count = 0;
    while (db_next(q))
        out[(*count)++] = read_row(q, arena);
    return db_done(q, err);
}

enum rx_code
tenant_save(struct store *s, struct rx_arena *arena, struct tenant *t,
    struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    enum rx_code code = row_check_name(s, "tenant", t->name, t->id, err);
    if (code != RX_OK)
        return code;
    t->updated_ms = rx_clock_wall_ms();
    if (t->id.len == 0) {
        t->id = store_new_id(arena, "ten_");
        t->created_ms = t->updated_ms;
    }
    t->rev++;
    struct db_query *q = db_query(s->db,
        "insert into tenant (id, name, status, models, channels, created_ms, "
        "updated_ms, rev, limits, ips) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (id) do update set name = excluded.name, "
        "status = excluded.status, models = excluded.models, "
        "channels = excluded.channels, updated_ms = excluded.updated_ms, "
        "rev = excluded.rev, limits = excluded.limits, ips = excluded.ips");
    db_bind_str(q, 1, t->id);
    db_bind_str(q, 2, t->name);
    db_bind_str(q, 3, t->status);
    db_bind_str(q, 4, field_list_text(arena, &t->models));
    db_bind_str(q, 5, field_list_text(arena, &t->channels));
    db_bind_u64(q, 6, t->created_ms);
    db_bind_u64(q, 7, t->updated_ms);
    db_bind_u64(q, 8, t->rev);
    db_bind_str(q, 9, limit_set_text(arena, &t->limits));
    db_bind_str(q, 10, field_list_text(arena, &t->ips));
    code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_TENANT, t->id);
    return code;
}

enum rx_code
tenant_delete(struct store *s, const struct tenant *t, struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    if (t->key_count > 0)
        return rx_fail(err, RX_CONFLICT,
            "tenant \"" RX_STR_FMT "\" still has %" PRIu64
            " keys; delete them first",
            RX_STR_ARG(t->name), t->key_count);
    struct db_query *q = db_query(s->db, "delete from tenant where id = ?");
    db_bind_str(q, 1, t->id);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_TENANT, t->id);
    return code;
}
