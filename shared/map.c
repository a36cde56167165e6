/*
 * Open addressing with linear probing and back-shift deletion; entries own
 * their key.  Load is kept under three quarters.
 */
#include "shared/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS_MIN ((size_t)16)

struct slot {
    uint64_t hash;
    char *key; /* NULL: free */
    size_t key_len;
    void *value;
};

struct rx_map {
    struct slot *slots;
    size_t size; /* power of two */
    size_t count;
};

static void *
zalloc(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p == NULL) {
        fprintf(stderr, "routex: out of memory\n");
        abort();
    }
    return p;
}

static inline uint64_t
rotl(uint64_t x, unsigned n)
{
    return (x << n) | (x >> (64 - n));
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void
sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

static const uint64_t *
secret(void)
{
    static uint64_t key[2];
    static bool made;

    if (!made) {
        if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
            abort();
        made = true;
    }
    return key;
}

/* SipHash-1-3 (Aumasson, Bernstein), keyed for this process. */
uint64_t
rx_hash(rx_str s)
{
    const uint64_t *k = secret();
    struct sip h = { k[0] ^ UINT64_C(0x736f6d6570736575),
        k[1] ^ UINT64_C(0x646f72616e646f6d),
        k[0] ^ UINT64_C(0x6c7967656e657261),
        k[1] ^ UINT64_C(0x7465646279746573) };
    size_t whole = s.len & ~(size_t)7;
    uint64_t last = (uint64_t)s.len << 56;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t m;
        memcpy(&m, s.ptr + i, 8);
        h.v3 ^= m;
        sip_round(&h);
        h.v0 ^= m;
    }
    for (size_t i = whole; i < s.len; i++)
        last |= (uint64_t)(unsigned char)s.ptr[i] << (8 * (i & 7));
    h.v3 ^= last;
    sip_round(&h);
    h.v0 ^= last;
    h.v2 ^= 0xff;
    sip_round(&h);
    sip_round(&h);
    sip_round(&h);
    return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

struct rx_map *
rx_map_new(void)
{
    struct rx_map *m = zalloc(1, sizeof(*m));

    m->size = SLOTS_MIN;
    m->slots = zalloc(m->size, sizeof(*m->slots));
    return m;
}

void
rx_map_free(struct rx_map *m, void (*drop)(void *value))
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->size; i++) {
        if (m->slots[i].key == NULL)
            continue;
        free(m->slots[i].key);
        if (drop != NULL)
            drop(m->slots[i].value);
    }
    free(m->slots);
    free(m);
}

/* Where `key` is, or the free slot where it would go. */
static struct slot *
find(const struct rx_map *m, rx_str key, uint64_t hash)
{
    size_t i = (size_t)hash & (m->size - 1);

    for (;; i = (i + 1) & (m->size - 1)) {
        struct slot *s = &m->slots[i];
        if (s->key == NULL)
            return s;
        if (s->hash == hash && rx_str_eq((rx_str){ s->key, s->key_len }, key))
            return s;
    }
}

void *
rx_map_get(const struct rx_map *m, rx_str key)
{
    struct slot *s = find(m, key, rx_hash(key));

    return s->key != NULL ? s->value : NULL;
}

static void
enlarge(struct rx_map *m)
{
    struct slot *old = m->slots;
    size_t n = m->size;

    m->size *= 2;
    m->slots = zalloc(m->size, sizeof(*m->slots));
    for (size_t i = 0; i < n; i++) {
        if (old[i].key == NULL)
            continue;
        rx_str key = { old[i].key, old[i].key_len };
        *find(m, key, old[i].hash) = old[i];
    }
    free(old);
}

void *
rx_map_put(struct rx_map *m, rx_str key, void *value)
{
    uint64_t hash = rx_hash(key);
    struct slot *s = find(m, key, hash);
    void *before = s->value;

    if (s->key == NULL) {
        if ((m->count + 1) * 4 > m->size * 3) {
            enlarge(m);
            s = find(m, key, hash);
        }
        s->key = zalloc(1, key.len + 1);
        if (key.len > 0)
            memcpy(s->key, key.ptr, key.len);
        s->key_len = key.len;
        s->hash = hash;
        m->count++;
        before = NULL;
    }
    s->value = value;
    return before;
}

void *
rx_map_remove(struct rx_map *m, rx_str key)
{
    struct slot *s = find(m, key, rx_hash(key));

    if (s->key == NULL)
        return NULL;
    void *value = s->value;
    free(s->key);
    m->count--;

    /* Move later members of the run back so that no probe stops early. */
    size_t hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & (m->size - 1); m->slots[i].key != NULL;
         i = (i + 1) & (m->size - 1)) {
        size_t home = (size_t)m->slots[i].hash & (m->size - 1);
        size_t span = (i - home) & (m->size - 1);
        size_t gap = (i - hole) & (m->size - 1);
        if (span >= gap) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct slot){ 0 };
    return value;
}

size_t
rx_map_count(const struct rx_map *m)
{
    return m->count;
}

bool
rx_map_next(const struct rx_map *m, size_t *at, rx_str *key, void **value)
{
    for (; *at < m->size; (*at)++) {
        const struct slot *s = &m->slots[*at];
        if (s->key == NULL)
            continue;
        *key = (rx_str){ s->key, s->key_len };
        *value = s->value;
        (*at)++;
        return true;
    }
    return false;
}
