#include "dataplane/tariff.h"

#include <string.h>

#include "dataplane/record.h"
#include "dataplane/snapshot.h"
#include "shared/map.h"

#define PICO_PER_MICRO 1000000
#define FULL_PPM       1000000

struct tariff {
    struct rx_arena *arena;
    struct rx_map *names; /* to struct entry */
};

struct entry {
    const struct rx_price *price;
    bool set;
};

static void
free_names(void *names)
{
    rx_map_free(names, NULL);
}

struct tariff *
tariff_new(struct rx_arena *arena)
{
    struct tariff *t = rx_arena_make(arena, struct tariff, 1);

    if (t == NULL)
        return NULL;
    t->arena = arena;
    t->names = rx_map_new();
    rx_arena_defer(arena, free_names, t->names);
    return t;
}

void
tariff_add(
    struct tariff *t, rx_str name, const struct rx_price *price, bool set)
{
    struct entry *e = rx_arena_make(t->arena, struct entry, 1);

    if (e == NULL)
        return;
    *e = (struct entry){ price, set };
    rx_map_put(t->names, name, e);
}

static size_t
tariff_count(const struct tariff *t)
{
    return t != NULL ? rx_map_count(t->names) : 0;
}

static bool
is_set(const void *entry)
{
    return ((const struct entry *)entry)->set;
}

static const struct rx_price *
find(const struct tariff *t, rx_str type, rx_str model)
{
    const struct entry *e =
        t != NULL ? rx_price_find(t->names, type, model, is_set) : NULL;

    return e != NULL ? e->price : NULL;
}

static uint64_t
count_of(const struct usage *u, enum usage_counter c)
{
    return (u->has >> c & 1) != 0 ? u->n[c] : 0;
}

static struct rx_tokens
tariff_tokens(const struct usage *u)
{
    return (struct rx_tokens){
        .in_uncached = count_of(u, USAGE_in_uncached),
        .cache_read = count_of(u, USAGE_cache_read),
        .write_5m = count_of(u, USAGE_cache_write_5m),
        .write_1h = count_of(u, USAGE_cache_write_1h),
        .write_other = count_of(u, USAGE_cache_write_other),
        .in_tool_use = count_of(u, USAGE_in_tool_use),
        .out_total = count_of(u, USAGE_out_total),
        .out_reasoning = count_of(u, USAGE_out_reasoning),
        .in_audio = count_of(u, USAGE_in_audio),
        .in_image = count_of(u, USAGE_in_image),
        .out_audio = count_of(u, USAGE_out_audio),
        .out_image = count_of(u, USAGE_out_image),
        .web_searches = count_of(u, USAGE_web_searches),
        .service_tier = { u->tier, strnlen(u->tier, sizeof(u->tier)) },
    };
}

const struct rx_price *
tariff_price(
    const struct tariff *t, const struct channel *channel, rx_str model)
{
    return find(t, channel->type, model);
}

int64_t
tariff_at(const struct rx_price *price, uint64_t cost_ppm,
    const struct rx_tokens *tokens)
{
    int64_t pico = rx_price_cost(price, tokens).pico;

    return cost_ppm != FULL_PPM ? rx_cost_times(pico, cost_ppm) : pico;
}

bool
tariff_cost(const struct tariff *t, const struct channel *channel, rx_str model,
    const struct rx_tokens *tokens, int64_t *pico)
{
    const struct rx_price *p = find(t, channel->type, model);

    if (p == NULL)
        return false;
    *pico = tariff_at(p, channel->cost_ppm, tokens);
    return true;
}

/* ---- for budgets ----------------------------------------------------------- */

static uint64_t
round_up(int64_t pico)
{
    uint64_t n = pico > 0 ? (uint64_t)pico : 0;

    return n / PICO_PER_MICRO + (n % PICO_PER_MICRO > 0);
}

/* What `c` calls the model; empty: it does not serve it. */
static rx_str
upstream_of(const struct channel *c, rx_str model)
{
    for (size_t i = 0; i < c->model_count; i++) {
        const struct model_entry *m = &c->models[i];
        if (snapshot_pattern_fits(m->name, model))
            return m->upstream.len > 0 ? m->upstream : model;
    }
    return c->model_count == 0 ? model : (rx_str){ 0 };
}

/* Whoever serves it may get it, so the dearest counts. */
uint64_t
tariff_estimate(
    const struct snapshot *s, rx_str model, uint64_t input, uint64_t output)
{
    struct rx_tokens t = { .in_uncached = input, .out_total = output };
    int64_t most = 0, pico;

    if (tariff_count(s->settings.tariff) == 0)
        return 0;
    for (size_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        rx_str upstream = upstream_of(c, model);
        if (c->enabled && upstream.len > 0 &&
            tariff_cost(s->settings.tariff, c, upstream, &t, &pico) &&
            pico > most)
            most = pico;
    }
    return round_up(most);
}

static int64_t
cost_at(const struct snapshot *s, rx_str channel_id, rx_str model,
    const struct usage *u)
{
    const struct channel *c =
        channel_id.len > 0 ? snapshot_find_channel(s, channel_id) : NULL;
    struct rx_tokens t = tariff_tokens(u);
    int64_t pico;

    return c != NULL && u->has != 0 &&
                   tariff_cost(s->settings.tariff, c, model, &t, &pico)
               ? pico
               : 0;
}

uint64_t
tariff_of_record(const struct snapshot *s, const struct record *r)
{
    int64_t pico = cost_at(s, r->channel_id, r->model, &r->usage);

    if (pico == 0 && r->model_served.len > 0)
        pico = cost_at(s, r->channel_id, r->model_served, &r->usage);
    for (size_t i = 0; i + 1 < r->attempt_count; i++) {
        const struct record_attempt *a = r->attempts[i];
        if (a->has_usage)
            pico = rx_cost_add(
                pico, cost_at(s, a->channel_id, a->model, &a->usage));
    }
    return round_up(pico);
}
