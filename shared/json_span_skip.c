/*
 * The inner loop of the span scanner: find the bracket that closes a value.
 *
 * 64 bytes at a time become four bit masks (quotes, backslashes, opening and
 * closing brackets).  Escaped quotes are dropped, a running xor over the rest
 * says which bits lie in strings, and what remains of the brackets only has to
 * be counted: as long as more are open than could be closed in this block, its
 * end cannot be the value's.
 *
 * Most bytes of a conversation lie in long strings: a block that begins in one,
 * has no quote and does not end with a backslash changes nothing, whatever else
 * is in it.
 */
#include <string.h>

#include "shared/json_span.h"

#if defined(__SSE2__)
#    include <immintrin.h>
#endif

#define BLOCK 64

struct strings {
    uint64_t quote, backslash;
};

struct brackets {
    uint64_t open, close;
};

/*
 * Which bits are taken literally because a backslash stands before them.
 *
 * In a run of backslashes every second one is taken literally itself.  Adding
 * the first bit of a run to the run carries to the bit behind it; from where it
 * arrives, and from whether the run began at an odd bit, follows the run's
 * length modulo two, for all runs of the block at once.
 */
static inline uint64_t
mask_escaped(struct rx_span_skip *s, uint64_t backslash, unsigned n)
{
    const uint64_t odd = UINT64_C(0xaaaaaaaaaaaaaaaa);
    uint64_t carried = s->escaped;

    /* A backslash taken literally begins no escape. */
    backslash &= ~carried;
    uint64_t behind = backslash << 1 | carried;
    uint64_t odd_begin = backslash & odd & ~behind;
    unsigned long long sum;
    s->escaped = __builtin_uaddll_overflow(odd_begin, backslash, &sum);
    uint64_t escaped = (~odd ^ (uint64_t)sum << 1) & behind;
    if (n < BLOCK)
        s->escaped = escaped >> n & 1;
    return escaped;
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

/* How many of the block's bytes belong to the value; 0: it goes on. */
static inline unsigned
take_block(
    struct rx_span_skip *s, uint64_t inside, uint64_t open, uint64_t close)
{
    unsigned opened = (unsigned)__builtin_popcountll(open);
    unsigned closed = (unsigned)__builtin_popcountll(close);

    s->inside = 0 - (inside >> (BLOCK - 1));
    if (s->depth <= closed || s->depth + opened > RX_SPAN_DEPTH)
        return count_brackets(s, open, close);
    s->depth += opened - closed;
    return 0;
}

/*
 * The loop is the same for every instruction set, but must be compiled with it.
 * What is left over at the end is padded with blanks, which mean nothing.
 */
#define INLINE __attribute__((always_inline)) static inline

#define SKIP_KERNEL(name, target, between, leave)                        \
    target INLINE unsigned name##_block(                                 \
        struct rx_span_skip *s, const char *at, unsigned n)              \
    {                                                                    \
        struct strings t = name##_strings(at);                           \
        uint64_t escaped = mask_escaped(s, t.backslash, n);              \
                                                                         \
        uint64_t inside = between(t.quote & ~escaped) ^ s->inside;       \
        uint64_t quiet = inside | escaped;                               \
        struct brackets b = name##_brackets(at);                         \
        return take_block(s, inside, b.open & ~quiet, b.close & ~quiet); \
    }                                                                    \
                                                                         \
    target static const char *name(                                      \
        struct rx_span_skip *state, const char *at, const char *end)     \
    {                                                                    \
        struct rx_span_skip s = *state; /* in registers */               \
        unsigned n = 0;                                                  \
        char rest[BLOCK];                                                \
                                                                         \
        while (end - at >= BLOCK && !s.too_deep) {                       \
            if (s.inside != 0 && at[BLOCK - 1] != '\\' &&                \
                !name##_quoted(at)) {                                    \
                s.escaped = 0;                                           \
                at += BLOCK;                                             \
                continue;                                                \
            }                                                            \
            n = name##_block(&s, at, BLOCK);                             \
            if (n != 0)                                                  \
                goto out;                                                \
            at += BLOCK;                                                 \
        }                                                                \
        if (at < end && !s.too_deep) {                                   \
            memset(rest, ' ', sizeof(rest));                             \
            memcpy(rest, at, (size_t)(end - at));                        \
            n = name##_block(&s, rest, (unsigned)(end - at));            \
        }                                                                \
    out:                                                                 \
        leave();                                                         \
        *state = s;                                                      \
        return n != 0 ? at + n : NULL;                                   \
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

#    define BITS_SSE2(vector, c)                \
        ((uint64_t)(uint32_t)_mm_movemask_epi8( \
            _mm_cmpeq_epi8(vector, _mm_set1_epi8(c))))

static inline __m128i
load_16(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Is there a quote in the block? */
static inline bool
skip_sse2_quoted(const char *at)
{
    const __m128i quote = _mm_set1_epi8('"');
    __m128i hit = _mm_setzero_si128();

    for (unsigned i = 0; i < BLOCK; i += 16)
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(load_16(at + i), quote));
    return _mm_movemask_epi8(hit) != 0;
}

static inline struct strings
skip_sse2_strings(const char *at)
{
    struct strings t = { 0 };

    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = load_16(at + i);
        t.quote |= BITS_SSE2(v, '"') << i;
        t.backslash |= BITS_SSE2(v, '\\') << i;
    }
    return t;
}

/* '[' and '{', ']' and '}' differ in one bit each. */
static inline struct brackets
skip_sse2_brackets(const char *at)
{
    struct brackets b = { 0 };

    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i folded = _mm_or_si128(load_16(at + i), _mm_set1_epi8(0x20));
        b.open |= BITS_SSE2(folded, '{') << i;
        b.close |= BITS_SSE2(folded, '}') << i;
    }
    return b;
}

/* Bit i becomes the parity of bits 0..i: from each quote to its partner. */
static inline uint64_t
between_by_shifts(uint64_t quote)
{
    quote ^= quote << 1;
    quote ^= quote << 2;
    quote ^= quote << 4;
    quote ^= quote << 8;
    quote ^= quote << 16;
    return quote ^ quote << 32;
}

#    define AVX2 __attribute__((target("avx2,bmi,popcnt,pclmul")))

/* The same: a carryless product with all ones. */
AVX2 static inline uint64_t
between_by_product(uint64_t quote)
{
    __m128i product = _mm_clmulepi64_si128(
        _mm_set_epi64x(0, (int64_t)quote), _mm_set1_epi8(-1), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

#    define BITS_AVX2(vector, c)                   \
        ((uint64_t)(uint32_t)_mm256_movemask_epi8( \
            _mm256_cmpeq_epi8(vector, _mm256_set1_epi8(c))))

AVX2 static inline __m256i
load_32(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline bool
skip_avx2_quoted(const char *at)
{
    const __m256i quote = _mm256_set1_epi8('"');

    return _mm256_movemask_epi8(
               _mm256_or_si256(_mm256_cmpeq_epi8(load_32(at), quote),
                   _mm256_cmpeq_epi8(load_32(at + 32), quote))) != 0;
}

AVX2 static inline struct strings
skip_avx2_strings(const char *at)
{
    __m256i low = load_32(at);
    __m256i high = load_32(at + 32);

    return (struct strings){
        BITS_AVX2(low, '"') | BITS_AVX2(high, '"') << 32,
        BITS_AVX2(low, '\\') | BITS_AVX2(high, '\\') << 32,
    };
}

AVX2 static inline struct brackets
skip_avx2_brackets(const char *at)
{
    const __m256i bit = _mm256_set1_epi8(0x20);
    __m256i low = _mm256_or_si256(load_32(at), bit);
    __m256i high = _mm256_or_si256(load_32(at + 32), bit);

    return (struct brackets){
        BITS_AVX2(low, '{') | BITS_AVX2(high, '{') << 32,
        BITS_AVX2(low, '}') | BITS_AVX2(high, '}') << 32,
    };
}

/*
 * The compiler forgets to clean the upper halves of the registers on some ways
 * out, and code without AVX then runs at a crawl (200 ns a call were seen).
 */
#    define LEAVE_SSE2() ((void)0)
#    define LEAVE_AVX2() _mm256_zeroupper()

SKIP_KERNEL(skip_sse2, , between_by_shifts, LEAVE_SSE2)
SKIP_KERNEL(skip_avx2, AVX2, between_by_product, LEAVE_AVX2)

static bool
have_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
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
