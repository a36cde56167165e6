#include "controlplane/function.h"

#include <assert.h>

#include "controlplane/row.h"
#include "shared/clock.h"
#include "shared/script.h"

#define SELECT \
    "select id, name, source, created_ms, updated_ms, rev from function "

struct function *
function_new(struct rx_arena *arena)
{
    return field_make(arena, struct function, 1);
}

void
function_read(struct function *f, rx_json body, enum field_mode mode)
{
    static const char *const shown_only[] = { "id", "created_at", "updated_at",
        NULL };
    struct rx_script *script;
    struct rx_err err = { 0 };

    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    field_read_name(body, mode, true, &f->name);
    if (rx_json_need_str(body, "source", &f->source)) {
        if (rx_script_new(&script, f->source, NULL, &err) != RX_OK)
            rx_json_wrong_member(body, "source", "%.150s", err.text);
        else
            rx_script_free(script);
    }
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
}

void
function_put(struct rx_json_out *w, const char *key, const struct function *f)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", f->id);
    rx_json_put_str(w, "name", f->name);
    rx_json_put_str(w, "source", f->source);
    rx_json_put_time(w, "created_at", f->created_ms);
    rx_json_put_time(w, "updated_at", f->updated_ms);
    rx_json_close(w);
}

void
function_state(const struct function *f, struct state_function *out)
{
    *out = (struct state_function){ f->id, f->name, f->source };
}

static struct function *
read_row(struct db_query *q, struct rx_arena *arena)
{
    struct function *f = function_new(arena);

    f->id = field_keep(arena, db_str(q, 0));
    f->name = field_keep(arena, db_str(q, 1));
    f->source = field_keep(arena, db_str(q, 2));
    f->created_ms = db_u64(q, 3);
    f->updated_ms = db_u64(q, 4);
    f->rev = db_u64(q, 5);
    return f;
}

enum rx_code
function_load(struct store *s, struct rx_arena *arena, rx_str id,
    struct function **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        SELECT "where id = ?1 or name = ?1 order by id = ?1 desc limit 1");

    *out = NULL;
    db_bind_str(q, 1, id);
    if (db_next(q))
        *out = read_row(q, arena);
    return row_end(q, RX_OK, *out != NULL, "function", id, err);
}

enum rx_code
function_list(struct store *s, struct rx_arena *arena, rx_str after,
    size_t limit, struct function **out, size_t *count, struct rx_err *err)
{
    struct db_query *q = row_page(s, SELECT, after, limit);

    *count = 0;
    while (db_next(q))
        out[(*count)++] = read_row(q, arena);
    return db_done(q, err);
}

enum rx_code
function_save(struct store *s, struct rx_arena *arena, struct function *f,
    struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    enum rx_code code = row_check_name(s, "function", f->name, f->id, err);
    if (code != RX_OK)
        return code;
    f->updated_ms = rx_clock_wall_ms();
    if (f->id.len == 0) {
        f->id = store_new_id(arena, "fun_");
        f->created_ms = f->updated_ms;
    }
    f->rev++;
    struct db_query *q = db_query(s->db,
        "insert or replace into function (id, name, source, created_ms, "
        "updated_ms, rev) values (?, ?, ?, ?, ?, ?)");
    db_bind_str(q, 1, f->id);
    db_bind_str(q, 2, f->name);
    db_bind_str(q, 3, f->source);
    db_bind_u64(q, 4, f->created_ms);
    db_bind_u64(q, 5, f->updated_ms);
    db_bind_u64(q, 6, f->rev);
    code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_FUNCTION, f->id);
    return code;
}

enum rx_code
function_delete(struct store *s, const struct function *f, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from function where id = ?");

    assert(db_in_transaction(s->db));
    db_bind_str(q, 1, f->id);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_FUNCTION, f->id);
    return code;
}
