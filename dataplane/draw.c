/*
 * An entry is passed over by a bound that is cheap to work out for many at
 * once: -log(1 - v) is never less than v.
 */
#include "dataplane/draw.h"

#include <math.h>

#if defined(__x86_64__)
#    include <immintrin.h>
#endif

#define SCALE  0x1p-31 /* of what the bound is worked out from */
#define MARGIN 1.000002
#define TRIES  4 /* per entry wanted, before chance gives up */

uint64_t
draw_mix(uint64_t z)
{
    /* The finaliser of SplitMix64 (Steele, Lea, Flood). */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

bool
draw_columns_make(struct draw_columns *c, size_t most, struct rx_arena *arena)
{
    *c = (struct draw_columns){
        .low = rx_arena_make(arena, uint32_t, most),
        .high = rx_arena_make(arena, uint32_t, most),
        .slowness = rx_arena_make(arena, float, most),
        .weight = rx_arena_make(arena, double, most),
        .sum = rx_arena_make(arena, double, most + 1),
    };
    return c->low != NULL && c->high != NULL && c->slowness != NULL &&
           c->weight != NULL && c->sum != NULL;
}

void
draw_columns_add(struct draw_columns *c, uint64_t hash, double weight)
{
    size_t i = c->count++;

    c->low[i] = (uint32_t)hash;
    c->high[i] = (uint32_t)(hash >> 32);
    c->weight[i] = weight > 0 ? weight : 0;
    c->slowness[i] = weight > 0 ? (float)(1 / weight) : 1e30F;
    c->sum[i + 1] = c->sum[i] + c->weight[i];
    c->uneven = c->uneven || weight <= 0 || weight != c->weight[0];
}

/* Multipliers of Wellons' search for good mixing of 32 bits. */
#define MIX_A UINT32_C(0x7feb352d)
#define MIX_B UINT32_C(0x846ca68b)

/* What both the bound and the key begin with. */
static inline uint32_t
upper_half(uint32_t low, uint32_t high, uint64_t session)
{
    uint32_t x = low ^ (uint32_t)session;

    x = (x ^ x >> 16) * MIX_A;
    x += high ^ (uint32_t)(session >> 32);
    x = (x ^ x >> 15) * MIX_B;
    return x ^ x >> 16;
}

static double
key_of(const struct draw_columns *c, size_t i, uint64_t session)
{
    uint32_t upper = upper_half(c->low[i], c->high[i], session);
    uint64_t lower = draw_mix((uint64_t)c->high[i] << 32 ^ c->low[i] ^ session);
    uint64_t h = (uint64_t)upper << 32 | lower >> 32;
    double v = ((double)(h >> 11) + 0.5) * 0x1p-53;

    if (!c->uneven)
        return v / c->weight[i]; /* a logarithm would change no order */
    return c->weight[i] > 0 ? -log1p(-v) / c->weight[i] : DRAW_NEVER * v;
}

/* ---- the best of many ------------------------------------------------------- */

static double
limit_of(const struct draw *d)
{
    return d->count < d->most ? (double)INFINITY : d->best[d->count - 1].key;
}

static void
put(struct draw *d, struct drawn own)
{
    size_t i = d->count < d->most ? d->count++ : d->count - 1;

    for (; i > 0 && own.key < d->best[i - 1].key; i--)
        d->best[i] = d->best[i - 1];
    d->best[i] = own;
}

static void
offer(struct draw *d, const struct draw_columns *c, size_t i, uint64_t session)
{
    double key = key_of(c, i, session);

    if (key < limit_of(d))
        put(d, (struct drawn){ key, (uint32_t)i });
}

/* As large as a bound may be for a key below the limit. */
static float
reach_of(double limit)
{
    double reach = limit * (MARGIN / SCALE);

    return reach < 1e38 ? (float)reach : INFINITY;
}

static inline bool
is_within(const struct draw_columns *c, size_t i, uint64_t session, float reach)
{
    uint32_t h = upper_half(c->low[i], c->high[i], session);

    return (float)(int32_t)(h >> 1) * c->slowness[i] <= reach;
}

bool
draw_below(const struct draw_columns *c, size_t at, uint64_t session,
    double limit, double *key)
{
    uint64_t s = draw_mix(session);

    if (!is_within(c, at, s, reach_of(limit)))
        return false;
    *key = key_of(c, at, s);
    return *key < limit;
}

static void
draw_plain(struct draw *d, const struct draw_columns *c, size_t from, size_t to,
    uint64_t session)
{
    float reach = reach_of(limit_of(d));

    for (size_t i = from; i < to; i++) {
        if (!is_within(c, i, session, reach))
            continue;
        offer(d, c, i, session);
        reach = reach_of(limit_of(d));
    }
}

#if defined(__x86_64__)

#    define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i
eight(const uint32_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline __m256i
upper_halves(const struct draw_columns *c, size_t i, __m256i s0, __m256i s1)
{
    const __m256i a = _mm256_set1_epi32((int32_t)MIX_A);
    const __m256i b = _mm256_set1_epi32((int32_t)MIX_B);
    __m256i x = _mm256_xor_si256(eight(c->low + i), s0);

    x = _mm256_mullo_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(x, 16)), a);
    x = _mm256_add_epi32(x, _mm256_xor_si256(eight(c->high + i), s1));
    x = _mm256_mullo_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(x, 15)), b);
    return _mm256_xor_si256(x, _mm256_srli_epi32(x, 16));
}

/* A bit for each of eight that may be good enough. */
AVX2 static inline unsigned
within(const struct draw_columns *c, size_t i, __m256i h, __m256 reach)
{
    __m256 v = _mm256_cvtepi32_ps(_mm256_srli_epi32(h, 1));
    __m256 bound = _mm256_mul_ps(v, _mm256_loadu_ps(c->slowness + i));

    return (unsigned)_mm256_movemask_ps(
        _mm256_cmp_ps(bound, reach, _CMP_LE_OQ));
}

AVX2 static size_t
draw_wide(struct draw *d, const struct draw_columns *c, size_t from, size_t to,
    uint64_t session)
{
    const __m256i s0 = _mm256_set1_epi32((int32_t)(uint32_t)session);
    const __m256i s1 = _mm256_set1_epi32((int32_t)(uint32_t)(session >> 32));
    __m256 reach = _mm256_set1_ps(reach_of(limit_of(d)));
    size_t i = from;

    for (; i + 8 <= to; i += 8) {
        unsigned hit = within(c, i, upper_halves(c, i, s0, s1), reach);
        if (hit == 0)
            continue;
        for (; hit != 0; hit &= hit - 1)
            offer(d, c, i + (size_t)__builtin_ctz(hit), session);
        reach = _mm256_set1_ps(reach_of(limit_of(d)));
    }
    _mm256_zeroupper();
    return i;
}

#endif

void
draw_from(struct draw *d, const struct draw_columns *c, size_t from, size_t to,
    uint64_t session)
{
    uint64_t s = draw_mix(session);

#if defined(__x86_64__)
    if (to - from >= 32 && __builtin_cpu_supports("avx2"))
        from = draw_wide(d, c, from, to, s);
#endif
    draw_plain(d, c, from, to, s);
}

/* ---- by chance --------------------------------------------------------------- */

/* The entry in [from, to) whose stretch of the sums `at` falls into. */
static size_t
stretch_of(const struct draw_columns *c, size_t from, size_t to, double at)
{
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        if (c->sum[middle] <= at)
            from = middle;
        else
            to = middle;
    }
    return from;
}

static bool
is_drawn(const struct draw *d, size_t at)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->best[i].at == at)
            return true;
    }
    return false;
}

/*
 * One after the other, in proportion to the weights of those that are left,
 * which is the order the exponentials have, too.
 */
static void
draw_in_turn(struct draw *d, const struct draw_columns *c, size_t from,
    size_t to, uint64_t dice)
{
    double all = c->sum[to] - c->sum[from];

    for (size_t n = 0; n < d->most * TRIES && d->count < d->most; n++) {
        double u =
            ((double)(draw_mix(dice += UINT64_C(0x9e3779b97f4a7c15)) >> 11) +
                0.5) *
            0x1p-53;
        size_t at = stretch_of(c, from, to, c->sum[from] + u * all);
        if (c->weight[at] > 0 && !is_drawn(d, at))
            d->best[d->count++] = (struct drawn){ 0, (uint32_t)at };
    }
}

void
draw_by_chance(struct draw *d, const struct draw_columns *c, size_t from,
    size_t to, uint64_t dice)
{
    if (d->most * 2 < to - from)
        draw_in_turn(d, c, from, to, dice);
    if (d->count == d->most)
        return;
    /* Those that are left, of whom enough are among the best of all. */
    struct draw rest = { d->best + d->most, d->most, 0 };
    draw_from(&rest, c, from, to, dice);
    for (size_t i = 0; i < rest.count && d->count < d->most; i++) {
        if (!is_drawn(d, rest.best[i].at))
            d->best[d->count++] = rest.best[i];
    }
}
