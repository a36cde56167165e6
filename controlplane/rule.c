#include "controlplane/rule.h"

#include <assert.h>
#include <string.h>

#include "controlplane/row.h"
#include "shared/clock.h"

#define SELECT                                                             \
    "select id, name, type, condition, target, priority, strict, status, " \
    "created_ms, updated_ms, rev from rule "
#define ORDER "order by priority desc, created_ms, id "

static const char *const statuses[] = { "enabled", "disabled", NULL };

static const struct rule_preset *
preset_of(rx_str type)
{
    const struct rule_preset *p = rule_presets;

    while (p->type != NULL && !rx_str_eq(type, field_text(p->type)))
        p++;
    return p->type != NULL ? p : NULL;
}

/* ---- body and answer --------------------------------------------------------- */

static void
read_type(struct rule *r, rx_json body)
{
    const char *words[16] = { 0 };

    r->type = RX_S("custom");
    for (size_t i = 0; rule_presets[i].type != NULL; i++)
        words[i] = rule_presets[i].type;
    field_read_word(body, "type", words, &r->type);
    const struct rule_preset *p = preset_of(r->type);
    r->priority = p != NULL ? p->priority : 0;
    rx_json_get_i64(body, "priority", -1000000, 1000000, &r->priority);
}

/* The seeds say "enabled": true. */
static void
read_status(struct rule *r, rx_json body)
{
    bool enabled = true;

    r->status = RX_S("enabled");
    if (rx_json_get_bool(body, "enabled", &enabled) && !enabled)
        r->status = RX_S("disabled");
    field_read_word(body, "status", statuses, &r->status);
}

static void
check(const struct rule *r, rx_json body, struct rx_arena *arena)
{
    struct state_condition all = rule_full_condition(r, arena);
    const char *why = rule_never_holds(&all);
    bool chooses = rule_calls(&all, (rx_str){ 0 });

    if (why != NULL)
        rx_json_wrong_member(body, "condition", "can never hold: %.100s", why);
    if (rx_str_eq(r->type, RX_S("custom")) && r->condition.part_count == 0)
        rx_json_wrong_member(body, "condition",
            "is needed for a rule of type custom; one that always holds is "
            "of type default");
    if (r->target.hop_count == 0 && r->target.strategy.len == 0 &&
        r->target.transformers.len == 0 && !chooses)
        rx_json_wrong_member(body, "target",
            "must name a channel, channels, a tag, a model or a strategy");
}

void
rule_read(struct rule *r, rx_json body, enum field_mode mode, struct store *s,
    struct rx_arena *arena)
{
    static const char *const shown_only[] = { "id", "created_at", "updated_at",
        NULL };
    rx_json condition;

    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    field_read_name(body, mode, false, &r->name);
    read_type(r, body);
    read_status(r, body);
    r->strict = false;
    rx_json_get_bool(body, "strict", &r->strict);
    condition = rx_json_member(body, "condition");
    rule_read_condition(condition, s, arena, &r->condition);
    rule_read_target(body, s, arena, &r->target);
    field_ignore(body, mode, shown_only);
    check(r, body, arena);
    rx_json_no_more(body);
}

void
rule_put(struct rx_json_out *w, const char *key, const struct rule *r)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", r->id);
    rx_json_put_str(w, "name", r->name);
    rx_json_put_str(w, "type", r->type);
    rx_json_put_str(w, "status", r->status);
    rx_json_put_i64(w, "priority", r->priority);
    rx_json_put_bool(w, "strict", r->strict);
    rule_put_condition(w, "condition", &r->condition);
    rule_put_target(w, "target", &r->target);
    rx_json_put_time(w, "created_at", r->created_ms);
    rx_json_put_time(w, "updated_at", r->updated_ms);
    rx_json_close(w);
}

void
rule_state(const struct rule *r, struct rx_arena *arena, struct state_rule *out)
{
    struct state_hop *hops =
        field_make(arena, struct state_hop, r->target.hop_count);

    for (size_t i = 0; i < r->target.hop_count; i++) {
        const struct rule_hop *from = &r->target.hops[i];
        hops[i] = (struct state_hop){ .channels = from->channels,
            .weights = from->weights,
            .channel_count = from->channel_count,
            .tag = from->tag,
            .model = from->model };
    }
    *out = (struct state_rule){
        .id = r->id,
        .name = r->name,
        .type = r->type,
        .enabled = rx_str_eq(r->status, RX_S("enabled")),
        .strict = r->strict,
        .priority = (int32_t)r->priority,
        .created_ms = r->created_ms,
        .condition = rule_full_condition(r, arena),
        .hops = hops,
        .hop_count = r->target.hop_count,
        .strategy = r->target.strategy,
        .transformers = r->target.transformers,
    };
}

/* ---- rows ---------------------------------------------------------------------- */

/* A row as it is, before what it names is looked up: one query at a time. */
struct raw {
    rx_str condition, target;
};

static struct rule *
read_row(struct db_query *q, struct rx_arena *arena, struct raw *raw)
{
    struct rule *r = field_make(arena, struct rule, 1);

    r->id = field_keep(arena, db_str(q, 0));
    r->name = field_keep(arena, db_str(q, 1));
    r->type = field_keep(arena, db_str(q, 2));
    raw->condition = field_keep(arena, db_str(q, 3));
    raw->target = field_keep(arena, db_str(q, 4));
    r->priority = db_i64(q, 5);
    r->strict = db_i64(q, 6) != 0;
    r->status = field_keep(arena, db_str(q, 7));
    r->created_ms = db_u64(q, 8);
    r->updated_ms = db_u64(q, 9);
    r->rev = db_u64(q, 10);
    return r;
}

static void
finish_row(struct store *s, struct rx_arena *arena, struct rule *r,
    const struct raw *raw)
{
    rule_read_condition(
        field_parse(arena, raw->condition), s, arena, &r->condition);
    rule_load_target(s, arena, raw->target, &r->target);
}

enum rx_code
rule_load(struct store *s, struct rx_arena *arena, rx_str id, struct rule **out,
    struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        SELECT "where id = ?1 or name = ?1 order by id = ?1 desc limit 1");
    struct raw raw = { 0 };

    *out = NULL;
    db_bind_str(q, 1, id);
    if (db_next(q))
        *out = read_row(q, arena, &raw);
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && *out == NULL)
        return rx_fail(err, RX_NOT_FOUND, "there is no rule \"%.*s\"",
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    if (code == RX_OK)
        finish_row(s, arena, *out, &raw);
    return code;
}

enum rx_code
rule_list(struct store *s, struct rx_arena *arena, size_t skip, size_t limit,
    struct rule **out, size_t *count, struct rx_err *err)
{
    struct raw *raw = field_make(arena, struct raw, limit);
    struct db_query *q = db_query(s->db, SELECT ORDER "limit ?1 offset ?2");

    *count = 0;
    db_bind_u64(q, 1, limit);
    db_bind_u64(q, 2, skip);
    while (db_next(q)) {
        out[*count] = read_row(q, arena, &raw[*count]);
        ++*count;
    }
    enum rx_code code = db_done(q, err);
    for (size_t i = 0; code == RX_OK && i < *count; i++)
        finish_row(s, arena, out[i], &raw[i]);
    return code;
}

static rx_str
condition_text(struct rx_arena *arena, const struct state_condition *c)
{
    struct rx_buf text;

    rx_buf_init(&text, 1 << 20);
    struct rx_json_out w = rx_json_out(&text);
    rule_put_condition(&w, NULL, c);
    rx_str copy = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return copy;
}

enum rx_code
rule_save(
    struct store *s, struct rx_arena *arena, struct rule *r, struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    enum rx_code code = row_check_name(s, "rule", r->name, r->id, err);
    if (code != RX_OK)
        return code;
    r->updated_ms = rx_clock_wall_ms();
    if (r->id.len == 0) {
        r->id = store_new_id(arena, "rul_");
        if (r->created_ms == 0)
            r->created_ms = r->updated_ms;
    }
    r->rev++;
    struct db_query *q = db_query(s->db,
        "insert or replace into rule (id, name, type, condition, target, "
        "priority, strict, status, created_ms, updated_ms, rev) values "
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    db_bind_str(q, 1, r->id);
    db_bind_str(q, 2, r->name);
    db_bind_str(q, 3, r->type);
    db_bind_str(q, 4, condition_text(arena, &r->condition));
    db_bind_str(q, 5, rule_target_text(arena, &r->target));
    db_bind_i64(q, 6, r->priority);
    db_bind_i64(q, 7, r->strict);
    db_bind_str(q, 8, r->status);
    db_bind_u64(q, 9, r->created_ms);
    db_bind_u64(q, 10, r->updated_ms);
    db_bind_u64(q, 11, r->rev);
    code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_RULE, r->id);
    return code;
}

enum rx_code
rule_delete(struct store *s, const struct rule *r, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from rule where id = ?");

    assert(db_in_transaction(s->db));
    db_bind_str(q, 1, r->id);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        store_touch(s, STATE_RULE, r->id);
    return code;
}

/* ---- what rules name ---------------------------------------------------------------- */

enum rx_code
rule_spares_channel(struct store *s, rx_str id, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select name from rule where instr(target, '\"' || ? || '\"') > 0");
    struct rx_err named = { 0 };

    db_bind_str(q, 1, id);
    if (db_next(q))
        rx_fail(&named, RX_CONFLICT,
            "rule \"" RX_STR_FMT "\" points to this channel; change it first",
            RX_STR_ARG(db_str(q, 0)));
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && named.code != RX_OK)
        return rx_fail(err, named.code, "%s", named.text);
    return code;
}

enum rx_code
rule_spares_function(
    struct store *s, struct rx_arena *arena, rx_str name, struct rx_err *err)
{
    struct rule *page[100];
    size_t count = RX_COUNT(page);

    for (size_t at = 0; count == RX_COUNT(page); at += count) {
        enum rx_code code =
            rule_list(s, arena, at, RX_COUNT(page), page, &count, err);
        if (code != RX_OK)
            return code;
        for (size_t i = 0; i < count; i++) {
            if (rule_calls(&page[i]->condition, name))
                return rx_fail(err, RX_CONFLICT,
                    "rule \"" RX_STR_FMT
                    "\" calls this function; change it first",
                    RX_STR_ARG(page[i]->name));
        }
    }
    return RX_OK;
}
