#include "dataplane/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/shortlist.h"
#include "dataplane/snapshot_parts.h"

void
part_release(struct part *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) > 1)
        return;
    rx_map_free(p->by_name, NULL);
    rx_arena_free(p->arena);
    free(p);
}

const struct snapshot *
snapshot_pin(const struct snapshot *s)
{
    ((struct whole *)(uintptr_t)s)->refs++;
    return s;
}

void
snapshot_unpin(const struct snapshot *s)
{
    if (s == NULL)
        return;
    struct whole *w = (struct whole *)(uintptr_t)s;
    assert(w->refs > 0);
    if (--w->refs > 0)
        return;
    for (size_t i = 0; i < PARTS; i++)
        part_release(w->parts[i]);
    shortlists_free(w->pub.shortlists);
    free(w->rejected);
    free(w);
}

static const struct client_key *
find_in(const uint32_t *slots, size_t mask, const struct client_key *keys,
    const struct rx_digest *digest)
{
    uint64_t at;

    memcpy(&at, digest->bytes, sizeof(at));
    for (; slots[at & mask] != 0; at++) {
        const struct client_key *k = &keys[slots[at & mask] - 1];
        if (memcmp(&k->digest, digest, sizeof(*digest)) == 0)
            return k;
    }
    return NULL;
}

const struct client_key *
snapshot_find_key(const struct snapshot *s, const struct rx_digest *digest)
{
    const struct part *p = whole_of(s)->parts[PART_DIRECTORY];
    const struct client_key *k =
        find_in(p->slots, p->slot_mask, p->keys, digest);

    if (k != NULL || p->old_slots == NULL)
        return k;
    return find_in(p->old_slots, p->old_mask, p->olds, digest);
}

const struct client_key *
snapshot_find_key_named(const struct snapshot *s, rx_str name)
{
    const struct part *p = whole_of(s)->parts[PART_DIRECTORY];

    for (size_t i = 0; i < p->key_count; i++) {
        if (rx_str_eq(p->keys[i].id, name) || rx_str_eq(p->keys[i].name, name))
            return &p->keys[i];
    }
    return NULL;
}

const struct channel *
snapshot_find_channel(const struct snapshot *s, rx_str name)
{
    return rx_map_get(whole_of(s)->parts[PART_CHANNELS]->by_name, name);
}

const struct credential *
snapshot_find_credential(
    const struct snapshot *s, rx_str channel_id, rx_str credential_id)
{
    const struct channel *c = snapshot_find_channel(s, channel_id);

    for (size_t i = 0; c != NULL && i < c->credential_count; i++) {
        if (rx_str_eq(c->credentials[i].id, credential_id))
            return &c->credentials[i];
    }
    return NULL;
}

bool
snapshot_pattern_fits(rx_str pattern, rx_str name)
{
    return rx_str_fits(name, pattern);
}
