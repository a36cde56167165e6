/*
 * The table is rebuilt whole when it changes: that is a few times a day, while
 * it is asked for every row.  What is found is remembered per channel and
 * model, so a row costs one look into a map.
 */
#include "controlplane/price.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/field.h"
#include "controlplane/store.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"
#include "shared/money.h"

#define ARENA_MAX       ((size_t)64 << 20)
#define FOUND_MAX       8192 /* remembered answers */
#define KEY_MAX         (2 * RX_MODEL_NAME_MAX + 80)
#define VERSIONS_MAX    50
#define ONE             1000000        /* ppm */
#define PRICE_STATE_MAX ((size_t)8192) /* prices that planes are told */

extern const char price_built_in[]; /* controlplane/prices.json */

struct prices {
    struct store *store;
    struct rx_arena *arena; /* of what follows */
    struct price_entry *entries;
    size_t count, room;
    struct rx_map *names; /* exact and alias, to struct price_entry */
    uint64_t version;
    struct rx_map *found; /* channel NUL model, to struct found */
};

struct found {
    const struct price_entry *entry; /* NULL: not known */
    uint64_t ppm;
};

static const char *const sources[] = { "built-in", "file", "override" };

/* ---- building ------------------------------------------------------------- */

static void
add_entry(
    struct prices *p, const struct price_item *item, enum price_source source)
{
    if (p->count == p->room) {
        p->room = p->room > 0 ? p->room * 2 : 256;
        p->entries = realloc(p->entries, p->room * sizeof(*p->entries));
        if (p->entries == NULL)
            abort();
    }
    p->entries[p->count++] = (struct price_entry){
        .name = field_keep(p->arena, item->name),
        .provider = field_keep(p->arena, item->provider),
        .source = source,
        .price = item->price,
    };
}

static enum rx_code
add_built_in(struct prices *p, struct rx_err *err)
{
    struct rx_json_doc *doc;
    struct price_list list;
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);

    enum rx_code code =
        rx_json_parse(&doc, field_text(price_built_in), NULL, err);
    if (code == RX_OK) {
        field_adopt(p->arena, doc);
        code = price_read_file(&list, rx_json_root(doc), arena, err);
    }
    for (size_t i = 0; code == RX_OK && i < list.count; i++) {
        struct price_item *item = &list.items[i];
        struct rx_price_tier *tiers =
            field_make(p->arena, struct rx_price_tier, item->price.tier_count);
        for (size_t k = 0; k < item->price.tier_count; k++)
            tiers[k] = item->price.tiers[k];
        item->price.tiers = tiers;
        add_entry(p, item, PRICE_BUILT_IN);
    }
    rx_arena_free(arena);
    return code;
}

static enum rx_code
add_stored(struct prices *p, const char *sql, enum price_source source,
    struct rx_err *err)
{
    struct db_query *q = db_query(p->store->db, sql);

    while (db_next(q)) {
        struct rx_json_doc *doc;
        struct price_item item = { .name = db_str(q, 0),
            .provider = db_str(q, 1) };
        if (rx_json_parse(&doc, db_str(q, 2), NULL, NULL) != RX_OK)
            continue;
        price_read_one(
            rx_json_root(doc), item.name, item.provider, p->arena, &item.price);
        add_entry(p, &item, source);
        rx_json_free(doc);
    }
    return db_done(q, err);
}

/* Whose word about a model is taken when it is asked for without provider. */
static int
rank_of(const struct price_entry *e)
{
    static const char *const makers[] = { "anthropic", "openai", "gemini",
        "deepseek", "xai", "mistral", "qwen", "kimi", "zhipu", "minimax" };
    int rank = 20;

    for (size_t i = 0; i < RX_COUNT(makers); i++) {
        if (rx_str_eq(e->provider, field_text(makers[i])))
            rank = (int)i;
    }
    if (rx_str_eq(e->provider, RX_S("openrouter")))
        rank = 30;
    /* Operators before files, files before what we brought along. */
    return rank + 100 * (PRICE_OVERRIDE - (int)e->source);
}

static int
by_name(const void *a, const void *b)
{
    const struct price_entry *x = a;
    const struct price_entry *y = b;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.ptr, y->name.ptr, n);

    if (order == 0)
        order = (x->name.len > y->name.len) - (x->name.len < y->name.len);
    return order != 0 ? order : (int)y->source - (int)x->source;
}

/* Of entries of one name the most trusted stays. */
static void
sort_entries(struct prices *p)
{
    size_t kept = 0;

    qsort(p->entries, p->count, sizeof(*p->entries), by_name);
    for (size_t i = 0; i < p->count; i++) {
        if (kept == 0 ||
            !rx_str_eq(p->entries[i].name, p->entries[kept - 1].name)) {
            p->entries[kept++] = p->entries[i];
        } else if (p->entries[kept - 1].provider.len == 0) {
            /* An override says nothing of the provider; the file did. */
            p->entries[kept - 1].provider = p->entries[i].provider;
        }
    }
    p->count = kept;
}

static void
add_alias(struct prices *p, rx_str name, struct price_entry *e)
{
    struct price_entry *have = rx_map_get(p->names, name);

    if (have == NULL ||
        (!rx_str_eq(have->name, name) && rank_of(e) < rank_of(have)))
        rx_map_put(p->names, name, e);
}

static void
add_names(struct prices *p)
{
    char room[RX_MODEL_NAME_MAX];

    for (size_t i = 0; i < p->count; i++)
        rx_map_put(p->names, p->entries[i].name, &p->entries[i]);
    for (size_t i = 0; i < p->count; i++) {
        for (unsigned n = 1;; n++) {
            rx_str s = rx_price_spelling(p->entries[i].name, n, room);
            if (s.len == 0)
                break;
            add_alias(p, s, &p->entries[i]);
        }
    }
}

static void
clear(struct prices *p)
{
    rx_map_free(p->names, NULL);
    rx_map_free(p->found, free);
    rx_arena_free(p->arena);
    free(p->entries);
    p->entries = NULL;
    p->count = p->room = 0;
}

static enum rx_code
read_version(struct prices *p, struct rx_err *err)
{
    struct db_query *q =
        db_query(p->store->db, "select max(id) from price_version");

    p->version = db_next(q) ? db_u64(q, 0) : 0;
    return db_done(q, err);
}

enum rx_code
prices_reload(struct prices *p, struct rx_err *err)
{
    clear(p);
    p->names = rx_map_new();
    p->found = rx_map_new();
    p->arena = rx_arena_new(ARENA_MAX);
    enum rx_code code = add_built_in(p, err);
    if (code == RX_OK)
        code = add_stored(
            p, "select name, provider, rates from price", PRICE_FILE, err);
    if (code == RX_OK)
        code = add_stored(p, "select name, '', rates from price_override",
            PRICE_OVERRIDE, err);
    if (code != RX_OK)
        return code;
    sort_entries(p);
    add_names(p);
    return read_version(p, err);
}

/* ---- versions ------------------------------------------------------------- */

static enum rx_code
add_version(struct store *s, const char *kind, rx_str source,
    const char *format, rx_str digest, size_t models, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into price_version (kind, source, format, digest, models, "
        "loaded_ms) values (?, ?, ?, ?, ?, ?)");

    db_bind_str(q, 1, field_text(kind));
    db_bind_str(q, 2, source);
    db_bind_str(q, 3, field_text(format));
    db_bind_str(q, 4, digest);
    db_bind_u64(q, 5, models);
    db_bind_u64(q, 6, rx_clock_wall_ms());
    return db_run(q, err);
}

static void
write_hex(const struct rx_digest *d, char out[2 * sizeof(d->bytes) + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof(d->bytes); i++) {
        out[2 * i] = digits[d->bytes[i] >> 4];
        out[2 * i + 1] = digits[d->bytes[i] & 15];
    }
    out[2 * sizeof(d->bytes)] = '\0';
}

/* A program that brings other prices than the last one makes a version. */
static enum rx_code
note_built_in(struct prices *p, struct rx_err *err)
{
    struct rx_digest d = rx_digest(field_text(price_built_in));
    char hex[2 * sizeof(d.bytes) + 1];
    bool known = false;

    write_hex(&d, hex);
    struct db_query *q = db_query(p->store->db,
        "select digest from price_version where kind = 'built-in' "
        "order by id desc limit 1");
    if (db_next(q))
        known = rx_str_eq(db_str(q, 0), field_text(hex));
    enum rx_code code = db_done(q, err);
    if (code != RX_OK || known)
        return code;
    code = store_begin(p->store, err);
    if (code != RX_OK)
        return code;
    code = add_version(p->store, "built-in", RX_S("built-in"), "routex",
        field_text(hex), p->count, err);
    if (code == RX_OK)
        return store_commit(p->store, err);
    store_rollback(p->store);
    return code;
}

enum rx_code
prices_open(struct prices **out, struct store *store, struct rx_err *err)
{
    struct prices *p = calloc(1, sizeof(*p));

    if (p == NULL)
        abort();
    p->store = store;
    *out = p;
    enum rx_code code = prices_reload(p, err);
    if (code == RX_OK)
        code = note_built_in(p, err);
    return code == RX_OK ? read_version(p, err) : code;
}

void
prices_free(struct prices *p)
{
    if (p == NULL)
        return;
    clear(p);
    free(p);
}

/* ---- asking --------------------------------------------------------------- */

uint64_t
prices_version(const struct prices *p)
{
    return p->version;
}

static bool
is_override(const void *entry)
{
    return ((const struct price_entry *)entry)->source == PRICE_OVERRIDE;
}

const struct price_entry *
prices_find(const struct prices *p, rx_str provider, rx_str model)
{
    return rx_price_find(p->names, provider, model, is_override);
}

void
prices_forget_channels(struct prices *p)
{
    rx_map_free(p->found, free);
    p->found = rx_map_new();
}

static struct found *
ask_store(struct prices *p, rx_str channel_id, rx_str model)
{
    struct db_query *q = db_query(
        p->store->db, "select type, cost_ppm from channel where id = ?");
    struct found *f = calloc(1, sizeof(*f));

    if (f == NULL)
        abort();
    f->ppm = ONE;
    db_bind_str(q, 1, channel_id);
    bool there = db_next(q);
    f->entry = prices_find(p, there ? db_str(q, 0) : (rx_str){ 0 }, model);
    if (there)
        f->ppm = db_u64(q, 1);
    (void)db_done(q, NULL);
    return f;
}

static const struct found *
find_for(struct prices *p, rx_str channel_id, rx_str model)
{
    char key[KEY_MAX];
    size_t n = channel_id.len + 1 + model.len;

    if (n > sizeof(key))
        return NULL;
    if (channel_id.len > 0)
        memcpy(key, channel_id.ptr, channel_id.len);
    key[channel_id.len] = '\0';
    if (model.len > 0)
        memcpy(key + channel_id.len + 1, model.ptr, model.len);
    struct found *f = rx_map_get(p->found, (rx_str){ key, n });
    if (f != NULL)
        return f;
    if (rx_map_count(p->found) >= FOUND_MAX)
        prices_forget_channels(p);
    f = ask_store(p, channel_id, model);
    rx_map_put(p->found, (rx_str){ key, n }, f);
    if (f->entry == NULL)
        rx_info("price.unknown", "model=%s", rx_log_quote_str(model));
    return f;
}

static uint64_t
count_of(const struct usage_counts *u, enum usage_count c)
{
    return (u->has >> c & 1) != 0 ? u->n[c] : 0;
}

bool
prices_cost(struct prices *p, rx_str channel_id, rx_str model,
    const struct usage_counts *u, struct rx_cost *out)
{
    struct rx_tokens t = {
        .in_uncached = count_of(u, COUNT_in_uncached),
        .cache_read = count_of(u, COUNT_cache_read),
        .write_5m = count_of(u, COUNT_cache_write_5m),
        .write_1h = count_of(u, COUNT_cache_write_1h),
        .write_other = count_of(u, COUNT_cache_write_other),
        .in_tool_use = count_of(u, COUNT_in_tool_use),
        .out_total = count_of(u, COUNT_out_total),
        .out_reasoning = count_of(u, COUNT_out_reasoning),
        .in_audio = count_of(u, COUNT_in_audio),
        .in_image = count_of(u, COUNT_in_image),
        .out_audio = count_of(u, COUNT_out_audio),
        .out_image = count_of(u, COUNT_out_image),
        .web_searches = count_of(u, COUNT_web_searches),
        .service_tier = u->service_tier,
    };

    *out = (struct rx_cost){ 0 };
    if (u->has == 0 || model.len == 0)
        return false;
    const struct found *f = find_for(p, channel_id, model);
    if (f == NULL || f->entry == NULL)
        return false;
    *out = rx_price_cost(&f->entry->price, &t);
    if (f->ppm != ONE) {
        out->pico = rx_cost_times(out->pico, f->ppm);
        out->saved = rx_cost_times(out->saved, f->ppm);
    }
    return true;
}

/* ---- listing -------------------------------------------------------------- */

const struct price_entry *
prices_at(const struct prices *p, size_t i)
{
    return i < p->count ? &p->entries[i] : NULL;
}

size_t
prices_index(const struct prices *p, rx_str name)
{
    struct price_entry wanted = { .name = name, .source = PRICE_OVERRIDE };
    size_t low = 0, high = p->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_name(&p->entries[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void
price_put(struct rx_json_out *w, const char *key, const struct price_entry *e)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "model", e->name);
    if (e->provider.len > 0)
        rx_json_put_str(w, "provider", e->provider);
    else
        rx_json_put_null(w, "provider");
    rx_json_put_text(w, "source", sources[e->source]);
    price_put_rates(w, &e->price);
    rx_json_close(w);
}

/* ---- for the planes -------------------------------------------------------- */

struct wanted {
    struct prices *p;
    bool *marked; /* by index of entries */
    bool all;
};

static void
want_pattern(struct wanted *w, rx_str pattern)
{
    size_t at = 0;
    rx_str name;
    void *value = NULL;

    while (rx_map_next(w->p->names, &at, &name, &value)) {
        const struct price_entry *e = value;
        if (rx_str_fits(name, pattern))
            w->marked[e - w->p->entries] = true;
    }
}

static void
want_model(struct wanted *w, rx_str type, rx_str model)
{
    if (model.len > 0 && memchr(model.ptr, '*', model.len) != NULL) {
        want_pattern(w, model);
        return;
    }
    const struct price_entry *e = prices_find(w->p, type, model);
    if (e != NULL)
        w->marked[e - w->p->entries] = true;
}

static enum rx_code
want_channels(struct wanted *w, struct rx_arena *arena, struct rx_err *err)
{
    struct db_query *q = db_query(w->p->store->db,
        "select type, models from channel where status <> 'disabled'");

    while (db_next(q)) {
        rx_json list = field_parse(arena, db_str(q, 1));
        w->all = w->all || rx_json_count(list) == 0;
        for (rx_json v = rx_json_first(list); rx_json_there(v);
             v = rx_json_next(v)) {
            rx_json upstream = rx_json_find(v, "upstream");
            rx_str name = rx_json_kind(v) == RX_JSON_STRING
                              ? rx_json_str(v)
                              : rx_json_str(rx_json_find(v, "name"));
            if (rx_json_str(upstream).len > 0)
                name = rx_json_str(upstream);
            want_model(w, db_str(q, 0), name);
        }
    }
    return db_done(q, err);
}

static void
put_names(const struct prices *p, struct rx_arena *arena,
    struct state_price *out, const size_t *index)
{
    size_t at = 0;
    rx_str name;
    void *value = NULL;

    while (rx_map_next(p->names, &at, &name, &value)) {
        const struct price_entry *e = value;
        size_t i = index[e - p->entries];
        if (i == SIZE_MAX || out[i].name_count == PRICE_NAMES_MAX)
            continue;
        out[i].names[out[i].name_count++] = field_keep(arena, name);
    }
}

enum rx_code
prices_state(struct prices *p, struct rx_arena *arena, struct state_settings *s,
    struct rx_err *err)
{
    struct wanted w = { .p = p, .marked = field_make(arena, bool, p->count) };
    size_t *index = field_make(arena, size_t, p->count);
    size_t n = 0;

    enum rx_code code = want_channels(&w, arena, err);
    for (size_t i = 0; i < p->count; i++) {
        bool sent = (w.all || w.marked[i]) && n < PRICE_STATE_MAX;
        index[i] = sent ? n++ : SIZE_MAX;
    }
    struct state_price *out = field_make(arena, struct state_price, n);
    for (size_t i = 0; i < p->count; i++) {
        if (index[i] == SIZE_MAX)
            continue;
        out[index[i]].price = &p->entries[i].price;
        out[index[i]].set = p->entries[i].source == PRICE_OVERRIDE;
    }
    put_names(p, arena, out, index);
    s->prices = out;
    s->price_count = n;
    s->price_version = p->version;
    return code;
}

/* ---- changing ------------------------------------------------------------- */

static enum rx_code
changed(struct store *s, struct rx_err *err)
{
    s->prices_changed = true;
    return prices_reload(s->prices, err);
}

static enum rx_code
insert_price(struct store *s, const struct price_item *item, struct rx_buf *b,
    struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "insert or replace into price (name, provider, rates) "
                        "values (?, ?, ?)");
    struct rx_json_out w = rx_json_out(b);

    rx_buf_clear(b);
    rx_json_open_object(&w, NULL);
    price_put_rates(&w, &item->price);
    rx_json_close(&w);
    db_bind_str(q, 1, item->name);
    db_bind_str(q, 2, item->provider);
    db_bind_str(q, 3, rx_buf_str(b));
    return db_run(q, err);
}

enum rx_code
prices_load(struct store *s, const struct price_list *list, rx_str source,
    rx_str digest, struct rx_err *err)
{
    struct rx_buf text;

    rx_buf_init(&text, 64 << 10);
    enum rx_code code = db_run(db_query(s->db, "delete from price"), err);
    for (size_t i = 0; code == RX_OK && i < list->count; i++)
        code = insert_price(s, &list->items[i], &text, err);
    rx_buf_fini(&text);
    if (code == RX_OK)
        code = add_version(
            s, "file", source, list->format, digest, list->count, err);
    return code == RX_OK ? changed(s, err) : code;
}

enum rx_code
prices_override(struct store *s, rx_str name, rx_str rates, struct rx_err *err)
{
    enum rx_code code =
        add_version(s, "override", name, "routex", (rx_str){ 0 }, 1, err);
    if (code != RX_OK)
        return code;
    struct db_query *q = db_query(s->db,
        "insert or replace into price_override (name, rates, version, "
        "updated_ms) values (?, ?, last_insert_rowid(), ?)");
    db_bind_str(q, 1, name);
    db_bind_str(q, 2, rates);
    db_bind_u64(q, 3, rx_clock_wall_ms());
    code = db_run(q, err);
    return code == RX_OK ? changed(s, err) : code;
}

enum rx_code
prices_override_remove(struct store *s, rx_str name, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "delete from price_override where name = ?");

    db_bind_str(q, 1, name);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK && db_changes(s->db) == 0)
        return rx_fail(err, RX_NOT_FOUND, "no price was set for \"%.*s\"",
            (int)(name.len < 80 ? name.len : 80), name.ptr);
    if (code == RX_OK)
        code = add_version(s, "removed", name, "routex", (rx_str){ 0 }, 1, err);
    return code == RX_OK ? changed(s, err) : code;
}

enum rx_code
prices_put_versions(struct store *s, struct rx_json_out *w, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "select id, kind, source, format, digest, models, loaded_ms "
        "from price_version order by id desc limit ?");
    static const char *const texts[] = { "kind", "source", "format", "digest" };

    db_bind_u64(q, 1, VERSIONS_MAX);
    while (db_next(q)) {
        rx_json_open_object(w, NULL);
        rx_json_put_u64(w, "version", db_u64(q, 0));
        for (int i = 0; i < (int)RX_COUNT(texts); i++)
            rx_json_put_str(w, texts[i], db_str(q, 1 + i));
        rx_json_put_u64(w, "models", db_u64(q, 5));
        rx_json_put_time(w, "loaded_at", db_u64(q, 6));
        rx_json_close(w);
    }
    return db_done(q, err);
}
