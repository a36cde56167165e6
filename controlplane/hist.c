#include "controlplane/hist.h"

#include <stdlib.h>
#include <string.h>

#define SUB  16 /* buckets to a doubling */
#define BITS 4
#define ALL  (HIST_MEASURES * HIST_BUCKETS)

unsigned
hist_bucket(uint64_t value)
{
    if (value < SUB)
        return (unsigned)value;
    if (value > UINT32_MAX)
        value = UINT32_MAX;
    unsigned shift = 63 - BITS - (unsigned)__builtin_clzll(value);
    return shift * SUB + (unsigned)(value >> shift);
}

uint64_t
hist_value(unsigned bucket)
{
    if (bucket < 2 * SUB)
        return bucket;
    unsigned shift = bucket / SUB - 1;
    uint64_t low = (uint64_t)(bucket % SUB + SUB) << shift;
    return low + ((UINT64_C(1) << shift) - 1) / 2;
}

static unsigned
index_of(enum hist_measure m, uint64_t value)
{
    return (unsigned)m * HIST_BUCKETS + hist_bucket(value);
}

/* ---- packed ---------------------------------------------------------------- */

static void
put_varint(struct rx_buf *out, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        rx_buf_addc(out, (char)(n | 0x80));
    rx_buf_addc(out, (char)n);
}

/* False at the end, or when it is cut off. */
static bool
get_varint(rx_str *s, uint64_t *n)
{
    *n = 0;
    for (unsigned shift = 0; s->len > 0 && shift < 64; shift += 7) {
        unsigned char c = (unsigned char)*s->ptr;
        *s = (rx_str){ s->ptr + 1, s->len - 1 };
        *n |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80)
            return true;
    }
    return false;
}

void
hist_merge(struct hist *h, rx_str packed)
{
    uint64_t at = 0, step, n;

    while (get_varint(&packed, &step) && get_varint(&packed, &n)) {
        if (step >= ALL || (at += step) >= ALL)
            return;
        h->n[at] += n;
    }
}

void
hist_pack(const struct hist *h, struct rx_buf *out)
{
    unsigned before = 0;

    for (unsigned i = 0; i < ALL; i++) {
        if (h->n[i] == 0)
            continue;
        put_varint(out, i - before);
        put_varint(out, h->n[i]);
        before = i;
    }
}

/* ---- asking ---------------------------------------------------------------- */

uint64_t
hist_count(const struct hist *h, enum hist_measure m)
{
    const uint64_t *n = h->n + (unsigned)m * HIST_BUCKETS;
    uint64_t sum = 0;

    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        sum += n[i];
    return sum;
}

bool
hist_percentile(
    const struct hist *h, enum hist_measure m, double share, uint64_t *value)
{
    const uint64_t *n = h->n + (unsigned)m * HIST_BUCKETS;
    uint64_t count = hist_count(h, m);
    double wanted = (double)count * share;
    uint64_t sum = 0;

    if (count == 0)
        return false;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        sum += n[i];
        if (n[i] > 0)
            *value = hist_value(i);
        if ((double)sum >= wanted && sum > 0)
            break;
    }
    return true;
}

/* ---- a few ----------------------------------------------------------------- */

static struct hist_pair *
pair_of(struct hist_few *f, uint16_t at)
{
    unsigned i = f->count;

    while (i > 0 && f->pairs[i - 1].at > at)
        i--;
    if (i > 0 && f->pairs[i - 1].at == at)
        return &f->pairs[i - 1];
    if (f->count == f->room) {
        f->room = (uint16_t)(f->room > 0 ? f->room * 2 : 4);
        f->pairs = realloc(f->pairs, f->room * sizeof(*f->pairs));
        if (f->pairs == NULL)
            abort();
    }
    memmove(f->pairs + i + 1, f->pairs + i, (f->count - i) * sizeof(*f->pairs));
    f->pairs[i] = (struct hist_pair){ .at = at };
    f->count++;
    return &f->pairs[i];
}

void
hist_few_add(struct hist_few *f, enum hist_measure m, uint64_t value)
{
    pair_of(f, (uint16_t)index_of(m, value))->n++;
}

void
hist_few_merge(struct hist_few *f, const struct hist_few *other)
{
    for (unsigned i = 0; i < other->count; i++)
        pair_of(f, other->pairs[i].at)->n += other->pairs[i].n;
}

void
hist_few_pack(const struct hist_few *f, struct rx_buf *out)
{
    unsigned before = 0;

    for (unsigned i = 0; i < f->count; i++) {
        put_varint(out, f->pairs[i].at - before);
        put_varint(out, f->pairs[i].n);
        before = f->pairs[i].at;
    }
}

void
hist_few_fini(struct hist_few *f)
{
    free(f->pairs);
    *f = (struct hist_few){ 0 };
}
