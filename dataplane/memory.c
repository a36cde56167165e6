#include "dataplane/memory.h"

#include <stdlib.h>
#include <string.h>

#include "shared/list.h"
#include "shared/map.h"

struct entry {
    struct rx_link link; /* least used first */
    struct rx_digest key;
    uint64_t put_ms;
    size_t len;
    char bytes[];
};

struct memory {
    struct memory_limits limits;
    struct rx_map *map;
    struct rx_list used;
    size_t bytes;
};

/* What the map and the allocator add to an entry, about. */
#define EXTRA (sizeof(struct entry) + 96)

static rx_str
key_str(const struct rx_digest *key)
{
    return (rx_str){ (const char *)key->bytes, sizeof(key->bytes) };
}

struct memory *
memory_new(const struct memory_limits *limits)
{
    struct memory *m = calloc(1, sizeof(*m));

    if (m == NULL)
        abort();
    m->limits = *limits;
    m->map = rx_map_new();
    rx_list_init(&m->used);
    return m;
}

static void
drop(struct memory *m, struct entry *e)
{
    rx_map_remove(m->map, key_str(&e->key));
    rx_list_remove(&m->used, &e->link);
    m->bytes -= e->len + EXTRA;
    rx_wipe(e->bytes, e->len);
    free(e);
}

static struct entry *
oldest(const struct memory *m)
{
    return RX_LIST_ITEM(rx_list_first(&m->used), struct entry, link);
}

void
memory_free(struct memory *m)
{
    if (m == NULL)
        return;
    while (m->used.count > 0)
        drop(m, oldest(m));
    rx_map_free(m->map, NULL);
    free(m);
}

static bool
is_over(const struct memory *m, const struct entry *e, uint64_t now_ms)
{
    return now_ms - e->put_ms >= m->limits.ttl_ms;
}

void
memory_put(struct memory *m, const struct rx_digest *key, rx_str value,
    uint64_t now_ms)
{
    size_t size = value.len + EXTRA;
    struct entry *e = rx_map_get(m->map, key_str(key));

    if (e != NULL)
        drop(m, e);
    if (size > m->limits.bytes / 8)
        return;
    while (m->used.count > 0 && (m->bytes + size > m->limits.bytes ||
                                    m->used.count >= m->limits.entries ||
                                    is_over(m, oldest(m), now_ms)))
        drop(m, oldest(m));
    e = calloc(1, sizeof(*e) + value.len);
    if (e == NULL)
        abort();
    e->key = *key;
    e->put_ms = now_ms;
    e->len = value.len;
    if (value.len > 0)
        memcpy(e->bytes, value.ptr, value.len);
    rx_map_put(m->map, key_str(key), e);
    rx_list_append(&m->used, &e->link);
    m->bytes += size;
}

rx_str
memory_get(struct memory *m, const struct rx_digest *key, uint64_t now_ms)
{
    struct entry *e = rx_map_get(m->map, key_str(key));

    if (e == NULL)
        return (rx_str){ 0 };
    if (is_over(m, e, now_ms)) {
        drop(m, e);
        return (rx_str){ 0 };
    }
    rx_list_remove(&m->used, &e->link);
    rx_list_append(&m->used, &e->link);
    return (rx_str){ e->bytes, e->len };
}

size_t
memory_bytes(const struct memory *m)
{
    return m->bytes;
}

size_t
memory_count(const struct memory *m)
{
    return m->used.count;
}
