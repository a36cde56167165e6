/*
 * The inner loop of the span scanner: find the bracket that closes a value.
 *
 * 64 bytes at a time become four bit masks (quotes, backslashes, opening and
 * closing brackets).  Escaped quotes are dropped, a running xor over the rest
 * says which bits lie in strings, and what remains of the brackets only has to
 * be counted: as long as more are open than could be closed in this block, its
 * end cannot be the value's.
 */
#include <string.h>

#include "shared/json_span.h"

#if defined(__SSE2__)
#    include <immintrin.h>
#endif

#define BLOCK 64

struct masks {
    uint64_t quote, backslash, open, close;
};

/* Which bits are taken literally because a backslash stands before them. */
static inline uint64_t
mask_escaped(struct rx_span_skip *s, uint64_t backslash, unsigned n)
{
    uint64_t escaped = s->escaped;

    backslash &= ~escaped;
    s->escaped = 0;
    while (backslash != 0) {
        uint64_t first = backslash & -backslash;
        escaped |= first << 1;
        if (first >> (BLOCK - 1) != 0)
            s->escaped = 1;
        backslash &= ~(first | first << 1);
    }
    if (n < BLOCK)
        s->escaped = escaped >> n & 1;
    return escaped;
}

/* Bit i becomes the parity of bits 0..i: from each quote to its partner. */
static inline uint64_t
mask_between(uint64_t quote)
{
    if (quote == 0)
        return 0;
    for (unsigned shift = 1; shift < BLOCK; shift *= 2)
        quote ^= quote << shift;
    return quote;
}

/* One by one, where the count alone does not decide. */
static unsigned
count_brackets(struct rx_span_skip *s, uint64_t open, uint64_t close)
{
    for (uint64_t all = open | close; all != 0; all &= all - 1) {
        if ((open & all & -all) != 0) {
            if (++s->depth > RX_SPAN_DEPTH) {
                s->too_deep = true;
                return 0;
            }
        } else if (--s->depth == 0) {
            return (unsigned)__builtin_ctzll(all) + 1;
        }
    }
    return 0;
}

/* How many of the block's `n` bytes belong to the value; 0: it goes on. */
static inline unsigned
take_block(struct rx_span_skip *s, const struct masks *m, unsigned n)
{
    uint64_t escaped = mask_escaped(s, m->backslash, n);
    uint64_t inside = mask_between(m->quote & ~escaped) ^ s->inside;
    uint64_t open = m->open & ~(inside | escaped);
    uint64_t close = m->close & ~(inside | escaped);

    s->inside = (inside >> (BLOCK - 1)) != 0 ? UINT64_MAX : 0;
    unsigned opened = (unsigned)__builtin_popcountll(open);
    unsigned closed = (unsigned)__builtin_popcountll(close);
    if (s->depth <= closed || s->depth + opened > RX_SPAN_DEPTH)
        return count_brackets(s, open, close);
    s->depth += opened;
    s->depth -= closed;
    return 0;
}

/*
 * The loop is the same for every instruction set, but must be compiled with it.
 * What is left over at the end is padded with blanks, which mean nothing.
 */
#define SKIP_KERNEL(name, target, classify)                      \
    target static const char *name(                              \
        struct rx_span_skip *s, const char *at, const char *end) \
    {                                                            \
        struct masks m;                                          \
        unsigned n;                                              \
                                                                 \
        for (; end - at >= BLOCK && !s->too_deep; at += BLOCK) { \
            classify(at, &m);                                    \
            if ((n = take_block(s, &m, BLOCK)) != 0)             \
                return at + n;                                   \
        }                                                        \
        if (at == end || s->too_deep)                            \
            return NULL;                                         \
        char rest[BLOCK];                                        \
        memset(rest, ' ', sizeof(rest));                         \
        memcpy(rest, at, (size_t)(end - at));                    \
        classify(rest, &m);                                      \
        n = take_block(s, &m, (unsigned)(end - at));             \
        return n != 0 ? at + n : NULL;                           \
    }

static const char *
skip_scalar(struct rx_span_skip *s, const char *at, const char *end)
{
    for (; at < end; at++) {
        if (s->escaped != 0) {
            s->escaped = 0;
            continue;
        }
        switch (*at) {
        case '\\': s->escaped = 1; break;
        case '"': s->inside = ~s->inside; break;
        case '{':
        case '[':
            if (s->inside == 0 && ++s->depth > RX_SPAN_DEPTH) {
                s->too_deep = true;
                return NULL;
            }
            break;
        case '}':
        case ']':
            if (s->inside == 0 && --s->depth == 0)
                return at + 1;
            break;
        default: break;
        }
    }
    return NULL;
}

#if defined(__SSE2__)

/* '[' and '{', ']' and '}' differ in one bit each. */
static inline void
classify_sse2(const char *at, struct masks *m)
{
    const __m128i bit = _mm_set1_epi8(0x20);

    *m = (struct masks){ 0 };
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i folded = _mm_or_si128(v, bit);
#    define BITS(vector, c)                            \
        ((uint64_t)(uint32_t)_mm_movemask_epi8(        \
             _mm_cmpeq_epi8(vector, _mm_set1_epi8(c))) \
            << i)
        m->quote |= BITS(v, '"');
        m->backslash |= BITS(v, '\\');
        m->open |= BITS(folded, '{');
        m->close |= BITS(folded, '}');
#    undef BITS
    }
}

#    define AVX2 __attribute__((target("avx2,bmi,popcnt")))

AVX2 static inline void
classify_avx2(const char *at, struct masks *m)
{
    const __m256i bit = _mm256_set1_epi8(0x20);

    *m = (struct masks){ 0 };
    for (unsigned i = 0; i < BLOCK; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(at + i));
        __m256i folded = _mm256_or_si256(v, bit);
#    define BITS(vector, c)                                  \
        ((uint64_t)(uint32_t)_mm256_movemask_epi8(           \
             _mm256_cmpeq_epi8(vector, _mm256_set1_epi8(c))) \
            << i)
        m->quote |= BITS(v, '"');
        m->backslash |= BITS(v, '\\');
        m->open |= BITS(folded, '{');
        m->close |= BITS(folded, '}');
#    undef BITS
    }
}

SKIP_KERNEL(skip_sse2, , classify_sse2)
SKIP_KERNEL(skip_avx2, AVX2, classify_avx2)

static bool
have_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

#endif

typedef const char *kernel_fn(
    struct rx_span_skip *s, const char *at, const char *end);

static kernel_fn skip_first;
static kernel_fn *kernel = skip_first;

/* The first call finds out what the machine can do. */
static const char *
skip_first(struct rx_span_skip *s, const char *at, const char *end)
{
    if (!rx_span_use(RX_SPAN_AVX2) && !rx_span_use(RX_SPAN_SSE2))
        rx_span_use(RX_SPAN_SCALAR);
    return kernel(s, at, end);
}

bool
rx_span_use(enum rx_span_kernel which)
{
    switch (which) {
    case RX_SPAN_SCALAR: kernel = skip_scalar; return true;
#if defined(__SSE2__)
    case RX_SPAN_SSE2: kernel = skip_sse2; return true;
    case RX_SPAN_AVX2:
        if (!have_avx2())
            return false;
        kernel = skip_avx2;
        return true;
#else
    case RX_SPAN_SSE2:
    case RX_SPAN_AVX2: return false;
#endif
    }
    return false;
}

const char *
rx_span_skip_feed(struct rx_span_skip *s, const char *at, const char *end)
{
    return s->too_deep ? NULL : kernel(s, at, end);
}
