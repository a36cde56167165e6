/*
 * Targets: channels, a tag or anything, another model, and what comes next.
 */
#include <string.h>

#include "controlplane/channel.h"
#include "controlplane/rule.h"
#include "controlplane/settings.h"
#include "shared/transformers.h"

#define TEXT_MAX         256
#define WEIGHT_MAX       1000
#define TRANSFORMERS_MAX ((size_t)64 << 10)

struct reading {
    struct store *store;
    struct rx_arena *arena;
};

/* ---- can it serve? -------------------------------------------------------- */

static bool
serves(const struct channel *ch, rx_str model)
{
    for (size_t i = 0; i < ch->model_count; i++) {
        if (rx_str_fits(model, ch->models[i].name))
            return true;
    }
    return ch->model_count == 0;
}

static bool
is_tagged(const struct channel *ch, rx_str tag)
{
    for (size_t i = 0; i < ch->tags.count; i++) {
        if (rx_str_eq(ch->tags.at[i], tag))
            return true;
    }
    return tag.len == 0;
}

static bool
is_listed(const struct rule_hop *hop, rx_str id)
{
    for (size_t i = 0; i < hop->channel_count; i++) {
        if (rx_str_eq(hop->channels[i], id))
            return true;
    }
    return hop->channel_count == 0;
}

/* Does any channel the hop means serve its model? */
static bool
hop_serves(struct reading *r, const struct rule_hop *hop)
{
    struct channel *page[100];
    size_t count = RX_COUNT(page);
    rx_str after = { 0 };

    while (count == RX_COUNT(page)) {
        if (channel_list(r->store, r->arena, after, RX_COUNT(page), false, page,
                &count, NULL) != RX_OK)
            return true; /* not the rule's fault */
        for (size_t i = 0; i < count; i++) {
            if (is_listed(hop, page[i]->id) && is_tagged(page[i], hop->tag) &&
                (hop->model.len == 0 || serves(page[i], hop->model)))
                return true;
        }
        if (count > 0)
            after = page[count - 1]->name;
    }
    return false;
}

static void
check_hop(struct reading *r, rx_json object, const struct rule_hop *hop)
{
    if (hop->tag.len > 0 && hop->channel_count > 0) {
        rx_json_wrong_member(object, "tag", "is for when no channel is named");
        return;
    }
    if (hop_serves(r, hop))
        return;
    if (hop->model.len > 0)
        rx_json_wrong_member(object, "model",
            "no channel it points to serves \"%.*s\"",
            (int)(hop->model.len < 80 ? hop->model.len : 80), hop->model.ptr);
    else
        rx_json_wrong_member(object, "tag", "no channel has this tag");
}

/* ---- reading ----------------------------------------------------------------- */

struct list {
    rx_str ids[RULE_CHANNELS_MAX];
    rx_str names[RULE_CHANNELS_MAX];
    uint32_t weights[RULE_CHANNELS_MAX];
    size_t count;
    bool weighted;
};

static void
list_add(struct reading *r, struct list *l, rx_json v, rx_str name)
{
    struct channel *ch;

    if (l->count == RULE_CHANNELS_MAX) {
        rx_json_wrong(v, "has more than %d channels", RULE_CHANNELS_MAX);
        return;
    }
    if (channel_load(r->store, r->arena, name, false, &ch, NULL) != RX_OK) {
        rx_json_wrong(v, "there is no channel \"%.*s\"",
            (int)(name.len < 64 ? name.len : 64), name.ptr);
        return;
    }
    l->ids[l->count] = ch->id;
    l->names[l->count] = ch->name;
    l->weights[l->count++] = 1;
}

/* "main", or {"channel":"main","weight":3}. */
static void
list_read(struct reading *r, struct list *l, rx_json v)
{
    uint64_t weight = 1;
    rx_str name;

    if (rx_json_kind(v) != RX_JSON_OBJECT) {
        if (rx_json_want(v, RX_JSON_STRING))
            list_add(r, l, v, rx_json_str(v));
        return;
    }
    size_t at = l->count;
    if (rx_json_need_str(v, "channel", &name))
        list_add(r, l, rx_json_member(v, "channel"), name);
    bool given = rx_json_get_u64(v, "weight", 0, WEIGHT_MAX, &weight);
    rx_json_no_more(v);
    l->weighted = l->weighted || given;
    if (l->count > at)
        l->weights[at] = (uint32_t)weight;
}

static void
list_keep(struct reading *r, const struct list *l, struct rule_hop *hop)
{
    rx_str *ids = field_make(r->arena, rx_str, l->count);
    rx_str *names = field_make(r->arena, rx_str, l->count);
    uint32_t *weights = field_make(r->arena, uint32_t, l->count);

    for (size_t i = 0; i < l->count; i++) {
        ids[i] = l->ids[i];
        names[i] = l->names[i];
        weights[i] = l->weights[i];
    }
    hop->channels = ids;
    hop->names = names;
    hop->weights = l->weighted ? weights : NULL;
    hop->channel_count = l->count;
}

static void
read_text(rx_json object, const char *name, rx_str *out)
{
    if (!rx_json_get_str(object, name, out))
        return;
    if (out->len == 0 || out->len > TEXT_MAX)
        rx_json_wrong_member(object, name, "must be 1 to %d bytes", TEXT_MAX);
}

/* False when the object names nothing. */
static bool
read_hop(struct reading *r, rx_json object, bool many, struct rule_hop *hop)
{
    struct list *l = field_make(r->arena, struct list, 1);
    rx_json v;
    rx_str name;

    if (rx_json_get_str(object, "channel", &name))
        list_add(r, l, rx_json_member(object, "channel"), name);
    if (many && rx_json_get_array(object, "channels", &v)) {
        if (l->count > 0)
            rx_json_wrong(v, "is for when \"channel\" is not there");
        if (rx_json_count(v) == 0)
            rx_json_wrong(v, "must name a channel");
        for (v = rx_json_first(v); rx_json_there(v); v = rx_json_next(v))
            list_read(r, l, v);
    }
    list_keep(r, l, hop);
    read_text(object, "tag", &hop->tag);
    read_text(object, "model", &hop->model);
    if (hop->channel_count == 0 && hop->tag.len == 0 && hop->model.len == 0)
        return false;
    check_hop(r, object, hop);
    return true;
}

static void
read_fallbacks(struct reading *r, rx_json object, struct rule_target *out)
{
    rx_json list;

    if (!rx_json_get_array(object, "fallbacks", &list))
        return;
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        if (!rx_json_want(v, RX_JSON_OBJECT))
            return;
        if (out->hop_count == RULE_HOPS_MAX) {
            rx_json_wrong(list, "has more than %d", RULE_HOPS_MAX - 1);
            return;
        }
        if (read_hop(r, v, false, &out->hops[out->hop_count]))
            out->hop_count++;
        else
            rx_json_wrong(v, "must name a channel, a tag or a model");
        rx_json_no_more(v);
    }
}

/* Whether a channel has a use for a step, nobody knows beforehand. */
static void
read_transformers(struct reading *r, rx_json object, struct rule_target *out)
{
    struct rx_buf text;
    rx_json config;

    if (!rx_json_get_object(object, "transformers", &config))
        return;
    rx_transformers_check(config);
    rx_buf_init(&text, TRANSFORMERS_MAX);
    rx_json_print(config, false, &text);
    if (text.full)
        rx_json_wrong(config, "is too long");
    out->transformers = field_keep(r->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
}

static void
read_object(struct reading *r, rx_json v, struct rule_target *out)
{
    if (read_hop(r, v, true, &out->hops[0]))
        out->hop_count = 1;
    read_fallbacks(r, v, out);
    field_read_word(v, "strategy", settings_strategies, &out->strategy);
    read_transformers(r, v, out);
    field_refuse_unsupported(v, "limits");
    rx_json_no_more(v);
}

/* Older configurations say it in two words beside the condition. */
static void
read_flat(struct reading *r, rx_json body, struct rule_target *out)
{
    struct list *l = field_make(r->arena, struct list, 1);
    struct rule_hop *hop = &out->hops[0];
    rx_str name;
    rx_str model = { 0 };

    bool channel = rx_json_get_str(body, "target_channel", &name);
    bool other = rx_json_get_str(body, "target_model", &model);
    if (!channel && !other)
        return;
    if (out->hop_count > 0) {
        rx_json_wrong_member(body, channel ? "target_channel" : "target_model",
            "is for when \"target\" is not there");
        return;
    }
    if (channel)
        list_add(r, l, rx_json_member(body, "target_channel"), name);
    list_keep(r, l, hop);
    hop->model = model;
    out->hop_count = 1;
    if (!hop_serves(r, hop))
        rx_json_wrong_member(
            body, "target_model", "no channel it points to serves this model");
}

void
rule_read_target(rx_json body, struct store *s, struct rx_arena *arena,
    struct rule_target *out)
{
    struct reading r = { s, arena };
    rx_json v;

    *out = (struct rule_target){ 0 };
    if (rx_json_get_object(body, "target", &v))
        read_object(&r, v, out);
    read_flat(&r, body, out);
}

/* ---- writing -------------------------------------------------------------------- */

static void
put_hop(struct rx_json_out *w, const struct rule_hop *hop, bool ids)
{
    const rx_str *names = ids ? hop->channels : hop->names;

    if (hop->channel_count == 1 && hop->weights == NULL) {
        rx_json_put_str(w, "channel", names[0]);
    } else if (hop->channel_count > 0) {
        rx_json_open_array(w, "channels");
        for (size_t i = 0; i < hop->channel_count; i++) {
            if (hop->weights == NULL) {
                rx_json_put_str(w, NULL, names[i]);
                continue;
            }
            rx_json_open_object(w, NULL);
            rx_json_put_str(w, "channel", names[i]);
            rx_json_put_u64(w, "weight", hop->weights[i]);
            rx_json_close(w);
        }
        rx_json_close(w);
    }
    if (hop->tag.len > 0)
        rx_json_put_str(w, "tag", hop->tag);
    if (hop->model.len > 0)
        rx_json_put_str(w, "model", hop->model);
}

static void
put_target(struct rx_json_out *w, const char *key, const struct rule_target *t,
    bool ids)
{
    rx_json_open_object(w, key);
    if (t->hop_count > 0)
        put_hop(w, &t->hops[0], ids);
    rx_json_open_array(w, "fallbacks");
    for (size_t i = 1; i < t->hop_count; i++) {
        rx_json_open_object(w, NULL);
        put_hop(w, &t->hops[i], ids);
        rx_json_close(w);
    }
    rx_json_close(w);
    if (t->strategy.len > 0)
        rx_json_put_str(w, "strategy", t->strategy);
    if (t->transformers.len > 0)
        rx_json_put_raw(w, "transformers", t->transformers);
    rx_json_close(w);
}

void
rule_put_target(
    struct rx_json_out *w, const char *key, const struct rule_target *t)
{
    put_target(w, key, t, false);
}

/* ---- as it is stored --------------------------------------------------------------- */

rx_str
rule_target_text(struct rx_arena *arena, const struct rule_target *t)
{
    struct rx_buf text;

    rx_buf_init(&text, 1 << 20);
    struct rx_json_out w = rx_json_out(&text);
    put_target(&w, NULL, t, true);
    rx_str copy = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return copy;
}

/* The name of a channel there is; its id when it is gone. */
static rx_str
name_of(struct reading *r, rx_str id)
{
    struct db_query *q =
        db_query(r->store->db, "select name from channel where id = ?");
    rx_str name = id;

    db_bind_str(q, 1, id);
    if (db_next(q))
        name = field_keep(r->arena, db_str(q, 0));
    (void)db_done(q, NULL);
    return name;
}

static void
load_channel(struct reading *r, struct list *l, rx_json v)
{
    rx_str id = rx_json_str(v);
    uint64_t weight;

    if (rx_json_kind(v) == RX_JSON_OBJECT) {
        id = rx_json_str(rx_json_find(v, "channel"));
        if (rx_json_u64(rx_json_find(v, "weight"), &weight)) {
            l->weighted = true;
            l->weights[l->count] = (uint32_t)weight;
        }
    }
    l->ids[l->count] = id;
    l->names[l->count++] = name_of(r, id);
}

static bool
load_hop(struct reading *r, rx_json v, struct rule_hop *hop)
{
    struct list *l = field_make(r->arena, struct list, 1);
    rx_json one = rx_json_find(v, "channel");
    rx_json many = rx_json_find(v, "channels");

    if (rx_json_there(one))
        load_channel(r, l, one);
    for (rx_json c = rx_json_first(many); rx_json_there(c); c = rx_json_next(c))
        load_channel(r, l, c);
    list_keep(r, l, hop);
    hop->tag = rx_json_str(rx_json_find(v, "tag"));
    hop->model = rx_json_str(rx_json_find(v, "model"));
    return hop->channel_count > 0 || hop->tag.len > 0 || hop->model.len > 0;
}

void
rule_load_target(struct store *s, struct rx_arena *arena, rx_str stored,
    struct rule_target *out)
{
    struct reading r = { s, arena };
    rx_json v = field_parse(arena, stored);
    rx_json list = rx_json_find(v, "fallbacks");

    *out = (struct rule_target){ 0 };
    if (load_hop(&r, v, &out->hops[0]))
        out->hop_count = 1;
    for (rx_json f = rx_json_first(list); rx_json_there(f); f = rx_json_next(f))
        out->hop_count += load_hop(&r, f, &out->hops[out->hop_count]);
    out->strategy = rx_json_str(rx_json_find(v, "strategy"));
    if (rx_json_kind(rx_json_find(v, "transformers")) != RX_JSON_OBJECT)
        return;
    struct rx_buf text;
    rx_buf_init(&text, TRANSFORMERS_MAX);
    rx_json_print(rx_json_find(v, "transformers"), false, &text);
    out->transformers = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
}
