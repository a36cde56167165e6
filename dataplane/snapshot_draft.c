/*
 * A message sorted into piles of packed items: what it brings, and for a delta
 * what it leaves alone.
 */
#include "dataplane/snapshot_draft.h"

#include <stdlib.h>

static void
pile_add(struct pile *p, struct item item)
{
    if (p->count == p->size) {
        p->size = p->size > 0 ? p->size * 2 : 16;
        p->items = snapshot_alloc(p->items, p->size * sizeof(*p->items));
    }
    p->items[p->count++] = item;
}

void
draft_fini(struct draft *d)
{
    for (size_t k = 0; k < ITEM_KINDS; k++) {
        free(d->piles[k].items);
        rx_map_free(d->replaced[k], NULL);
    }
}

static bool
draft_item(struct draft *d, enum item_kind kind, rx_str bytes)
{
    rx_str id = wire_item_id(kind, bytes);

    if (id.len == 0 && kind != ITEM_SETTINGS)
        return false;
    pile_add(&d->piles[kind], (struct item){ id, bytes, bytes });
    d->touched[snapshot_part_of[kind]] = true;
    d->bytes += bytes.len;
    return true;
}

static void
draft_replaces(struct draft *d, enum item_kind kind, rx_str id)
{
    if (d->replaced[kind] == NULL)
        d->replaced[kind] = rx_map_new();
    rx_map_put(d->replaced[kind], id, d);
    d->touched[snapshot_part_of[kind]] = true;
}

enum rx_code
draft_full(struct draft *d, rx_str message, struct rx_err *err)
{
    for (;;) {
        struct wire_piece p = wire_next_of_snapshot(&message);
        if (p.type == WIRE_END)
            break;
        if (p.type != WIRE_ITEM || !draft_item(d, p.kind, p.bytes))
            return rx_fail(err, RX_INVALID, "snapshot is not readable");
    }
    for (size_t i = 0; i < PARTS; i++)
        d->touched[i] = true;
    return RX_OK;
}

enum rx_code
draft_delta(struct draft *d, rx_str message, struct rx_err *err)
{
    for (;;) {
        struct wire_piece p = wire_next_of_delta(&message);
        if (p.type == WIRE_END)
            return RX_OK;
        if (p.type == WIRE_BAD ||
            (p.type == WIRE_ITEM && !draft_item(d, p.kind, p.bytes)))
            return rx_fail(err, RX_INVALID, "delta is not readable");
        if (p.type == WIRE_ITEM)
            draft_replaces(d, p.kind, wire_item_id(p.kind, p.bytes));
        else if (p.type == WIRE_DELETED)
            draft_replaces(d, p.kind, p.bytes);
        else if (p.type == WIRE_FROM)
            d->from = p.number;
        else
            d->digest = p.bytes;
    }
}

/* What a delta leaves alone in the parts it touches. */
void
draft_keep(struct draft *d)
{
    for (size_t k = 0; k < ITEM_KINDS; k++) {
        if (!d->touched[snapshot_part_of[k]])
            continue;
        const struct shelf *old =
            &d->previous->parts[snapshot_part_of[k]]->shelf[k];
        for (size_t i = 0; i < old->count; i++) {
            if (d->replaced[k] != NULL &&
                rx_map_get(d->replaced[k], old->items[i].id) != NULL)
                continue;
            pile_add(&d->piles[k], old->items[i]);
            d->bytes += old->items[i].bytes.len;
            if (old->items[i].good.ptr != old->items[i].bytes.ptr)
                d->bytes += old->items[i].good.len;
        }
    }
}
