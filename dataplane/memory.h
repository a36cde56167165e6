/*
 * memory.h - small values that may be forgotten: bounded in bytes, in number
 * and in time; what was not used longest goes first.
 */
#ifndef DATAPLANE_MEMORY_H
#define DATAPLANE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/secret.h"
#include "shared/str.h"

struct memory;

struct memory_limits {
    size_t bytes; /* of values, with what each costs besides */
    size_t entries;
    uint64_t ttl_ms;
};

RX_NODISCARD struct memory *memory_new(const struct memory_limits *limits);
void memory_free(struct memory *m); /* NULL is allowed; wipes what it held */

/* Copies; over what was there.  One larger than an eighth of all is passed
 * over. */
void memory_put(struct memory *m, const struct rx_digest *key, rx_str value,
    uint64_t now_ms);
/* Good until the next put; empty if it is not there.  Counts as use, which does
 * not make it live longer. */
rx_str memory_get(
    struct memory *m, const struct rx_digest *key, uint64_t now_ms);

size_t memory_bytes(const struct memory *m);
size_t memory_count(const struct memory *m);

#endif
