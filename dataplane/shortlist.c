/*
 * When it has grown too large, because clients make up names of models, all of
 * it is forgotten: what is in use is soon back.
 */
#include "dataplane/shortlist.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/snapshot.h"
#include "dataplane/strategy.h"
#include "shared/map.h"

#define LISTS_MAX  4096
#define BYTES_MAX  ((size_t)4 * 1024 * 1024)
#define MODEL_MAX  ((size_t)200) /* longer ones are looked up anew */
#define FIXED_SIZE (sizeof(void *) + 2)

struct shortlists {
    struct rx_map *lists;
    struct rx_arena *arena;
};

static void
begin(struct shortlists *all)
{
    all->lists = rx_map_new();
    all->arena = rx_arena_new(BYTES_MAX);
}

static void
forget(struct shortlists *all)
{
    rx_map_free(all->lists, NULL);
    rx_arena_free(all->arena);
}

struct shortlists *
shortlists_new(void)
{
    struct shortlists *all = malloc(sizeof(*all));

    if (all == NULL)
        abort();
    begin(all);
    return all;
}

void
shortlists_free(struct shortlists *all)
{
    if (all == NULL)
        return;
    forget(all);
    free(all);
}

/* Whose list of channels is it that restricts the key? */
static const void *
restricted_by(const struct client_key *key)
{
    if (key->channel_count > 0)
        return key;
    return key->tenant->channel_count > 0 ? key->tenant : NULL;
}

static rx_str
pack_key(const struct shortlist_key *key, char out[FIXED_SIZE + MODEL_MAX])
{
    const void *by = restricted_by(key->key);

    memcpy(out, &by, sizeof(by));
    out[sizeof(by)] = (char)key->dialect;
    out[sizeof(by) + 1] = (char)key->op;
    if (key->model.len > 0)
        memcpy(out + FIXED_SIZE, key->model.ptr, key->model.len);
    return (rx_str){ out, FIXED_SIZE + key->model.len };
}

const struct shortlist *
shortlist_find(const struct shortlists *all, const struct shortlist_key *key)
{
    RX_UNSET char packed[FIXED_SIZE + MODEL_MAX];

    if (all == NULL || key->model.len > MODEL_MAX)
        return NULL;
    return rx_map_get(all->lists, pack_key(key, packed));
}

static struct place
place_of(const struct choice *c, const struct credential *credential,
    size_t keys, rx_str model)
{
    rx_str key = credential != NULL ? credential->id : (rx_str){ 0 };
    struct place p = { .channel = c->channel,
        .credential = credential,
        .dialect = c->dialect,
        .weight = (double)c->channel->weight / (double)keys,
        .hash = strategy_hash(key, strategy_hash(c->channel->id, 0)) };

    if (c->model.ptr != model.ptr)
        p.model = c->model;
    return p;
}

bool
shortlist_make(struct shortlist *out, const struct choice *choices, size_t n,
    rx_str model, struct rx_arena *arena)
{
    size_t most = 0;
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        most += choices[i].channel->credential_count + 1;
    struct place *places = rx_arena_make(arena, struct place, most);
    if (places == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct channel *c = choices[i].channel;
        if (c->credential_count == 0)
            places[count++] = place_of(&choices[i], NULL, 1, model);
        for (size_t k = 0; k < c->credential_count; k++)
            places[count++] = place_of(
                &choices[i], &c->credentials[k], c->credential_count, model);
    }
    *out = (struct shortlist){ places, count };
    return true;
}

void
shortlist_keep(struct shortlists *all, const struct shortlist_key *key,
    const struct shortlist *list)
{
    RX_UNSET char packed[FIXED_SIZE + MODEL_MAX];

    if (all == NULL || key->model.len > MODEL_MAX)
        return;
    if (rx_map_count(all->lists) == LISTS_MAX) {
        forget(all);
        begin(all);
    }
    struct shortlist *kept = rx_arena_make(all->arena, struct shortlist, 1);
    struct place *places = rx_arena_make(all->arena, struct place, list->count);
    if (kept == NULL || places == NULL) {
        forget(all);
        begin(all);
        return;
    }
    if (list->count > 0)
        memcpy(places, list->places, list->count * sizeof(*places));
    *kept = (struct shortlist){ places, list->count };
    rx_map_put(all->lists, pack_key(key, packed), kept);
}
