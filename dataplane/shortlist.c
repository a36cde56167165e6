/*
 * When it has grown too large, because clients make up names of models, all of
 * it is forgotten: what is in use is soon back.
 */
#include "dataplane/shortlist.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/snapshot.h"
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

bool
shortlist_find(const struct shortlists *all, const struct shortlist_key *key,
    struct rx_arena *arena, struct shortlist *out)
{
    RX_UNSET char packed[FIXED_SIZE + MODEL_MAX];

    if (all == NULL || key->model.len > MODEL_MAX)
        return false;
    const struct shortlist *kept =
        rx_map_get(all->lists, pack_key(key, packed));
    if (kept == NULL)
        return false;
    out->choices = rx_arena_make(arena, struct choice, kept->count);
    if (out->choices == NULL)
        return false;
    out->count = kept->count;
    for (size_t i = 0; i < kept->count; i++) {
        out->choices[i] = kept->choices[i];
        if (kept->choices[i].model.ptr == NULL)
            out->choices[i].model = key->model;
    }
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
    struct choice *choices =
        rx_arena_make(all->arena, struct choice, list->count);
    if (kept == NULL || choices == NULL) {
        forget(all);
        begin(all);
        return;
    }
    *kept = (struct shortlist){ choices, list->count };
    for (size_t i = 0; i < list->count; i++) {
        choices[i] = list->choices[i];
        if (choices[i].model.ptr == key->model.ptr)
            choices[i].model = (rx_str){ 0 };
    }
    rx_map_put(all->lists, pack_key(key, packed), kept);
}
