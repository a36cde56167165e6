#include "controlplane/throttle.h"

#include "shared/map.h"

static struct throttle_place *
find(struct throttle *t, uint64_t hash)
{
    struct throttle_place *set = t->places[hash % THROTTLE_SETS];

    for (size_t i = 0; i < THROTTLE_WAYS; i++) {
        if (set[i].hash == hash && set[i].full_ms != 0)
            return &set[i];
    }
    return NULL;
}

/* The place of that name, or the one that loses least by being given away. */
static struct throttle_place *
place_of(struct throttle *t, uint64_t hash)
{
    struct throttle_place *set = t->places[hash % THROTTLE_SETS];
    struct throttle_place *best = find(t, hash);

    if (best != NULL)
        return best;
    best = &set[0];
    for (size_t i = 1; i < THROTTLE_WAYS; i++) {
        if (set[i].full_ms < best->full_ms)
            best = &set[i];
    }
    *best = (struct throttle_place){ .hash = hash };
    return best;
}

uint64_t
throttle_take(struct throttle *t, rx_str name, uint64_t now_ms)
{
    struct throttle_place *p = place_of(t, rx_hash(name));
    uint64_t from = p->full_ms > now_ms ? p->full_ms : now_ms;
    uint64_t room = t->every_ms * t->burst;

    if (from + t->every_ms - now_ms > room)
        return from + t->every_ms - now_ms - room;
    p->full_ms = from + t->every_ms;
    return 0;
}

void
throttle_give(struct throttle *t, rx_str name)
{
    struct throttle_place *p = find(t, rx_hash(name));

    if (p != NULL)
        p->full_ms -= p->full_ms > t->every_ms ? t->every_ms : 0;
}

void
throttle_clear(struct throttle *t, rx_str name)
{
    struct throttle_place *p = find(t, rx_hash(name));

    if (p != NULL)
        *p = (struct throttle_place){ 0 };
}
