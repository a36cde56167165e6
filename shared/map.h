/*
 * map.h - bytes to pointer, the one hash map of the tree.
 *
 * Keys are copied.  The hash is keyed with a secret made at process start, so
 * strangers cannot choose colliding keys.  Not for iteration in a hot path.
 */
#ifndef SHARED_MAP_H
#define SHARED_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/str.h"

struct rx_map;

RX_NODISCARD struct rx_map *rx_map_new(void);
/* Frees the map; `drop` (may be NULL) is called on each value. */
void rx_map_free(struct rx_map *m, void (*drop)(void *value));

void *rx_map_get(const struct rx_map *m, rx_str key); /* NULL if absent */
/* Returns the value that was there before, or NULL. `value` may not be NULL. */
void *rx_map_put(struct rx_map *m, rx_str key, void *value);
/* Returns the removed value, or NULL. */
void *rx_map_remove(struct rx_map *m, rx_str key);
size_t rx_map_count(const struct rx_map *m);

/*
 * Walk in no particular order: start with *at = 0, ends with false.  The map
 * must not change meanwhile.
 */
bool rx_map_next(const struct rx_map *m, size_t *at, rx_str *key, void **value);

/* The keyed hash itself (SipHash-1-3 shape), for tables of fixed-size keys. */
uint64_t rx_hash(rx_str bytes);

#endif
