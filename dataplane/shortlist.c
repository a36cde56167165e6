/*
 * When it has grown too large, because clients make up names of models, all of
 * it is forgotten: what is in use is soon back.
 */
#include "dataplane/shortlist.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/snapshot.h"
#include "dataplane/standing.h"
#include "dataplane/strategy.h"
#include "dataplane/tariff.h"
#include "shared/map.h"

#define LISTS_MAX   4096
#define BYTES_MIN   ((size_t)4 * 1024 * 1024)
#define BYTES_PER   ((size_t)8 * 1024) /* per channel, beyond that */
#define PLACE_BYTES ((size_t)288)      /* more than one takes */
#define TEXT_MAX    ((size_t)200)      /* longer ones are looked up anew */
#define FIXED_SIZE  (sizeof(void *) + 4)
#define DRAWN       4096

struct shortlist_memory {
    struct shortlists *all;
    struct seat **seats;             /* NULL: not looked up yet */
    const struct standing *standing; /* … in here */
};

struct shortlists {
    struct rx_map *lists;
    struct rx_arena *arena;
    size_t bytes_max;
    struct shortlist_drawn *drawn; /* NULL: nothing yet */
    struct rx_map *names;          /* models that channels list */
    struct rx_map *patterns;
};

static void
begin(struct shortlists *all)
{
    all->lists = rx_map_new();
    all->arena = rx_arena_new(all->bytes_max);
}

static void
forget(struct shortlists *all)
{
    rx_map_free(all->lists, NULL);
    rx_arena_free(all->arena);
    free(all->drawn);
    all->drawn = NULL;
}

/* ---- which models there are ------------------------------------------------- */

static void
note_models(struct shortlists *all, const struct channel *c)
{
    for (size_t i = 0; i < c->model_count; i++) {
        rx_str name = c->models[i].name;
        bool wild = name.len > 0 && memchr(name.ptr, '*', name.len) != NULL;
        rx_map_put(wild ? all->patterns : all->names, name, all);
    }
}

bool
shortlists_have_model(const struct shortlists *all, rx_str model)
{
    size_t at = 0;
    rx_str pattern;
    void *value;

    if (rx_map_get(all->names, model) != NULL)
        return true;
    while (rx_map_next(all->patterns, &at, &pattern, &value)) {
        if (snapshot_pattern_fits(pattern, model))
            return true;
    }
    return false;
}

struct shortlists *
shortlists_new(const struct channel *channels, size_t count)
{
    struct shortlists *all = calloc(1, sizeof(*all));

    if (all == NULL)
        abort();
    all->bytes_max = BYTES_MIN + BYTES_PER * count;
    begin(all);
    all->names = rx_map_new();
    all->patterns = rx_map_new();
    for (size_t i = 0; i < count; i++)
        note_models(all, &channels[i]);
    return all;
}

void
shortlists_free(struct shortlists *all)
{
    if (all == NULL)
        return;
    forget(all);
    rx_map_free(all->names, NULL);
    rx_map_free(all->patterns, NULL);
    free(all);
}

/* ---- what is kept ------------------------------------------------------------ */

/* Whose list of channels is it that restricts the key? */
static const void *
restricted_by(const struct client_key *key)
{
    if (key->channel_count > 0)
        return key;
    return key->tenant->channel_count > 0 ? key->tenant : NULL;
}

static bool
is_short(const struct shortlist_key *key)
{
    return key->tag.len + key->model.len <= TEXT_MAX;
}

static size_t
put_text(char *out, rx_str text)
{
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    return text.len;
}

static rx_str
pack_key(const struct shortlist_key *key, char out[FIXED_SIZE + TEXT_MAX])
{
    const void *by = restricted_by(key->key);
    size_t n = sizeof(by);

    memcpy(out, &by, n);
    out[n++] = (char)key->dialect;
    out[n++] = (char)key->op;
    out[n++] = (char)(key->layout << 1 | key->unlisted);
    out[n++] = (char)key->tag.len;
    n += put_text(out + n, key->tag);
    if (!key->unlisted)
        n += put_text(out + n, key->model);
    return (rx_str){ out, n };
}

const struct shortlist *
shortlist_find(const struct shortlists *all, const struct shortlist_key *key)
{
    RX_UNSET char packed[FIXED_SIZE + TEXT_MAX];

    if (all == NULL || !is_short(key))
        return NULL;
    return rx_map_get(all->lists, pack_key(key, packed));
}

struct rx_arena *
shortlist_room(
    struct shortlists *all, const struct shortlist_key *key, size_t places)
{
    size_t need = (places + 8) * PLACE_BYTES;

    if (all == NULL || !is_short(key) || need > all->bytes_max)
        return NULL;
    if (rx_map_count(all->lists) >= LISTS_MAX ||
        rx_arena_used(all->arena) + need > all->bytes_max) {
        forget(all);
        begin(all);
    }
    return all->arena;
}

void
shortlist_keep_too(struct shortlists *all, const struct shortlist_key *key,
    const struct shortlist *kept)
{
    RX_UNSET char packed[FIXED_SIZE + TEXT_MAX];

    if (!is_short(key) || rx_map_count(all->lists) >= LISTS_MAX)
        return;
    rx_map_put(all->lists, pack_key(key, packed),
        (void *)(uintptr_t)(const void *)kept);
}

const struct shortlist *
shortlist_keep(struct shortlists *all, const struct shortlist_key *key,
    const struct shortlist *list)
{
    struct shortlist *kept = rx_arena_make(all->arena, struct shortlist, 1);
    struct shortlist_memory *memory =
        rx_arena_make(all->arena, struct shortlist_memory, 1);

    if (kept == NULL || memory == NULL)
        return list;
    *kept = *list;
    memory->all = all;
    kept->memory = memory;
    shortlist_keep_too(all, key, kept);
    return kept;
}

/* ---- making one --------------------------------------------------------------- */

/* A place to be, and where it belongs. */
struct entry {
    const struct choice *choice;
    const struct credential *credential;
    int32_t priority; /* 0 where it does not matter */
    bool foreign;
    const struct rx_price *price; /* NULL where it does not matter */
    uint64_t cost_ppm;
    size_t number; /* in the order they came */
};

static int
compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int
by_tier(const struct entry *x, const struct entry *y)
{
    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    if (x->foreign != y->foreign)
        return x->foreign ? 1 : -1;
    if (x->price != y->price)
        return compare((uintptr_t)x->price, (uintptr_t)y->price);
    return compare(x->cost_ppm, y->cost_ppm);
}

static int
by_tier_and_number(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = by_tier(x, y);

    return order != 0 ? order : compare(x->number, y->number);
}

static struct entry
entry_of(const struct choice *c, const struct credential *credential,
    const struct shortlist_wish *wish, size_t number)
{
    struct entry e = { .choice = c,
        .credential = credential,
        .foreign = c->dialect != wish->dialect,
        .number = number };

    if (wish->layout == LAYOUT_PRIORITY)
        e.priority = c->channel->priority;
    if (wish->layout == LAYOUT_PRICE)
        e.price = tariff_price(wish->tariff, c->channel, c->model);
    if (e.price != NULL)
        e.cost_ppm = c->channel->cost_ppm;
    return e;
}

static size_t
spread(struct entry *out, const struct choice *choices, size_t n,
    const struct shortlist_wish *wish)
{
    size_t count = 0;
    bool sorted = true;

    for (size_t i = 0; i < n; i++) {
        const struct channel *c = choices[i].channel;
        for (size_t k = 0; k == 0 || k < c->credential_count; k++) {
            const struct credential *key =
                c->credential_count > 0 ? &c->credentials[k] : NULL;
            out[count] = entry_of(&choices[i], key, wish, count);
            sorted = sorted &&
                     (count == 0 || by_tier(&out[count - 1], &out[count]) <= 0);
            count++;
        }
    }
    if (!sorted)
        qsort(out, count, sizeof(*out), by_tier_and_number);
    return count;
}

static struct place
place_of(const struct entry *e, rx_str model)
{
    const struct channel *c = e->choice->channel;
    rx_str key = e->credential != NULL ? e->credential->id : (rx_str){ 0 };
    size_t keys = c->credential_count > 0 ? c->credential_count : 1;
    struct place p = { .channel = c,
        .credential = e->credential,
        .dialect = e->choice->dialect,
        .weight = (double)c->weight / (double)keys,
        .hash = strategy_hash(key, strategy_hash(c->id, 0)) };

    if (e->choice->model.ptr != model.ptr)
        p.model = e->choice->model;
    return p;
}

static bool
add_tiers(struct shortlist *out, const struct entry *entries, size_t n,
    struct rx_arena *arena)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += i == 0 || by_tier(&entries[i - 1], &entries[i]) != 0;
    struct tier *tiers = rx_arena_make(arena, struct tier, count);
    if (tiers == NULL)
        return false;
    for (size_t i = 0, at = 0; i < n; i++) {
        bool first = i == 0 || by_tier(&entries[i - 1], &entries[i]) != 0;
        if (first)
            tiers[at++] = (struct tier){ .from = i,
                .foreign = entries[i].foreign,
                .price = entries[i].price,
                .cost_ppm = entries[i].cost_ppm };
        tiers[at - 1].to = i + 1;
    }
    out->tiers = tiers;
    out->tier_count = count;
    return true;
}

static bool
add_places(struct shortlist *out, const struct entry *entries, size_t n,
    rx_str model, struct rx_arena *arena)
{
    size_t size = 4;

    while (size < n * 2)
        size *= 2;
    struct place *places = rx_arena_make(arena, struct place, n);
    uint32_t *slots = rx_arena_make(arena, uint32_t, size);
    if (places == NULL || slots == NULL ||
        !draw_columns_make(&out->columns, n, arena))
        return false;
    for (size_t i = 0; i < n; i++) {
        places[i] = place_of(&entries[i], model);
        draw_columns_add(&out->columns, places[i].hash, places[i].weight);
        size_t at = places[i].hash & (size - 1);
        while (slots[at] != 0)
            at = (at + 1) & (size - 1);
        slots[at] = (uint32_t)i + 1;
    }
    out->places = places;
    out->count = n;
    out->slots = slots;
    out->slot_mask = size - 1;
    return true;
}

bool
shortlist_make(struct shortlist *out, const struct choice *choices, size_t n,
    const struct shortlist_wish *wish, struct rx_arena *arena)
{
    size_t most = 0;

    for (size_t i = 0; i < n; i++)
        most += choices[i].channel->credential_count + 1;
    struct entry *entries = calloc(most + 1, sizeof(*entries));
    if (entries == NULL)
        abort();
    size_t count = spread(entries, choices, n, wish);
    *out = (struct shortlist){ 0 };
    bool ok = add_tiers(out, entries, count, arena) &&
              add_places(out, entries, count, wish->model, arena);
    free(entries);
    return ok;
}

/* ---- looking into one ----------------------------------------------------------- */

static rx_str
credential_of(const struct place *p)
{
    return p->credential != NULL ? p->credential->id : (rx_str){ 0 };
}

const struct place *
shortlist_place(const struct shortlist *list, rx_str channel, rx_str credential)
{
    uint64_t hash = strategy_hash(credential, strategy_hash(channel, 0));

    for (size_t at = hash & list->slot_mask; list->slots[at] != 0;
         at = (at + 1) & list->slot_mask) {
        const struct place *p = &list->places[list->slots[at] - 1];
        if (p->hash == hash && rx_str_eq(p->channel->id, channel) &&
            rx_str_eq(credential_of(p), credential))
            return p;
    }
    return NULL;
}

struct shortlist_drawn *
shortlist_drawn(
    const struct shortlist *list, const struct tier *tier, uint64_t session)
{
    if (list->memory == NULL)
        return NULL;
    struct shortlists *all = list->memory->all;
    if (all->drawn == NULL)
        all->drawn = calloc(DRAWN, sizeof(*all->drawn));
    if (all->drawn == NULL)
        abort();
    return &all->drawn[draw_mix(session ^ (uintptr_t)tier) % DRAWN];
}

struct seat **
shortlist_seats(const struct shortlist *list, struct standing *standing,
    struct rx_arena *scratch)
{
    struct shortlist_memory *memory = list->memory;

    if (memory != NULL && memory->standing == standing)
        return memory->seats;
    struct rx_arena *arena = memory != NULL ? memory->all->arena : scratch;
    struct seat **seats = rx_arena_make(arena, struct seat *, list->count);
    for (size_t i = 0; seats != NULL && i < list->count; i++)
        seats[i] = standing_seat(standing, list->places[i].channel->id,
            credential_of(&list->places[i]));
    if (memory != NULL && seats != NULL) {
        memory->seats = seats;
        memory->standing = standing;
    }
    return seats;
}
