/*
 * Tenants and their keys: read, bounded, and found by digest.
 */
#include <string.h>

#include "dataplane/snapshot_draft.h"

/* What bounds the tenant bounds its keys. */
static enum rx_code
inherit_guard(struct reading *r, struct client_key *k, struct rx_err *err)
{
    const struct tenant *t = k->tenant;

    if (t->limits == NULL && t->ips.count == 0)
        return RX_OK;
    struct guard *g = rx_arena_make(r->part->arena, struct guard, 1);
    if (g == NULL)
        return rx_fail(err, RX_TOO_BIG, "no room");
    if (k->guard != NULL)
        *g = *k->guard;
    g->who[LIMIT_TENANT] = (struct limit_who){ t->id, t->limits };
    g->ips[LIMIT_TENANT] = t->ips;
    g->limited = g->limited || t->limits != NULL;
    k->guard = g;
    return RX_OK;
}

/* Another key with that digest, or where this one goes. */
static uint32_t *
slot_for(uint32_t *slots, size_t mask, const struct client_key *keys,
    const struct rx_digest *digest)
{
    uint64_t at;

    memcpy(&at, digest->bytes, sizeof(at));
    while (slots[at & mask] != 0 && memcmp(&keys[slots[at & mask] - 1].digest,
                                        digest, sizeof(*digest)) != 0)
        at++;
    return &slots[at & mask];
}

/* The key under its text before: the same in all but digest and end. */
static bool
add_old(struct part *p, const struct client_key *k,
    const struct wire_old_text *text)
{
    if (p->old_count == p->old_room) {
        size_t room = p->old_room > 0 ? p->old_room * 2 : 4;
        struct client_key *more =
            rx_arena_make(p->arena, struct client_key, room);
        if (more == NULL)
            return false;
        if (p->old_count > 0)
            memcpy(more, p->olds, p->old_count * sizeof(*more));
        p->olds = more;
        p->old_room = room;
    }
    struct client_key *old = &p->olds[p->old_count++];
    *old = *k;
    old->digest = text->digest;
    if (old->expires_ms == 0 || old->expires_ms > text->until_ms)
        old->expires_ms = text->until_ms;
    return true;
}

/* How many there are is known only now. */
static bool
index_olds(struct part *p)
{
    size_t slots = 16;

    if (p->old_count == 0)
        return true;
    while (slots < p->old_count * 2)
        slots *= 2;
    p->old_mask = slots - 1;
    p->old_slots = rx_arena_make(p->arena, uint32_t, slots);
    if (p->old_slots == NULL)
        return false;
    for (size_t i = 0; i < p->old_count; i++)
        *slot_for(p->old_slots, p->old_mask, p->olds, &p->olds[i].digest) =
            (uint32_t)i + 1;
    return true;
}

enum rx_code
snapshot_read_key(struct reading *r, rx_str bytes, struct rx_err *err)
{
    struct part *p = r->part;
    struct client_key *k = &p->keys[p->key_count];
    struct wire_old_text old;
    rx_str tenant_id;
    enum rx_code code =
        wire_read_key(bytes, p->arena, k, &tenant_id, &old, err);

    if (code != RX_OK)
        return code;
    k->tenant = rx_map_get(r->tenants, tenant_id);
    if (k->tenant == NULL)
        return rx_fail(err, RX_INVALID, "unknown tenant " RX_STR_FMT,
            (int)(tenant_id.len < 64 ? tenant_id.len : 64), tenant_id.ptr);
    uint32_t *slot = slot_for(p->slots, p->slot_mask, p->keys, &k->digest);
    if (*slot != 0)
        return rx_fail(err, RX_INVALID, "same key text as key " RX_STR_FMT,
            RX_STR_ARG(p->keys[*slot - 1].id));
    *slot = (uint32_t)++p->key_count;
    code = inherit_guard(r, k, err);
    if (code == RX_OK && old.until_ms != 0 && !add_old(p, k, &old))
        return rx_fail(err, RX_TOO_BIG, "no room");
    return code;
}

enum rx_code
snapshot_read_tenant(struct reading *r, rx_str bytes, struct rx_err *err)
{
    struct part *p = r->part;
    struct tenant *t = &p->tenants[p->tenant_count];
    enum rx_code code = wire_read_tenant(bytes, p->arena, t, err);

    if (code != RX_OK)
        return code;
    if (rx_map_get(r->tenants, t->id) != NULL)
        return rx_fail(err, RX_INVALID, "there twice");
    rx_map_put(r->tenants, t->id, t);
    p->tenant_count++;
    return RX_OK;
}

bool
snapshot_build_directory(struct reading *r, const struct draft *d)
{
    struct part *p = r->part;
    const struct pile *tenants = &d->piles[ITEM_TENANT];
    const struct pile *keys = &d->piles[ITEM_KEY];
    size_t slots = 16;

    while (slots < keys->count * 2)
        slots *= 2;
    p->slot_mask = slots - 1;
    p->slots = rx_arena_make(p->arena, uint32_t, slots);
    p->tenants = rx_arena_make(p->arena, struct tenant, tenants->count + 1);
    p->keys = rx_arena_make(p->arena, struct client_key, keys->count + 1);
    if (p->slots == NULL || p->tenants == NULL || p->keys == NULL)
        return false;
    r->tenants = rx_map_new();
    bool ok = snapshot_read_shelf(r, ITEM_TENANT, tenants) &&
              snapshot_read_shelf(r, ITEM_KEY, keys) && index_olds(p);
    rx_map_free(r->tenants, NULL);
    return ok;
}
