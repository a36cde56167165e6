/*
 * A vector of positions at a time: where the word's two rarest bytes match, each
 * at its distance, the rest is compared.
 *
 *      text   . . . r t x 1 . . .      at + 2  compared with 'x' 'x' 'x' 'x'
 *                       ^ ^            at + 3  compared with '1' '1' '1' '1'
 */
#include "shared/find.h"

#include <string.h>

#if defined(__SSE2__)
#    include <immintrin.h>
#endif

#define WIDE ((size_t)256) /* shorter texts are not worth wide vectors */

struct search {
    rx_str word;
    const char *last;    /* where the word has room */
    size_t one, another; /* which of its bytes are looked for */
};

static bool
is_at(const char *at, rx_str word)
{
    return memcmp(at, word.ptr, word.len) == 0;
}

/* One by one, from `at` on. */
static const char *
find_scalar(const char *at, const struct search *s)
{
    for (; at <= s->last; at++) {
        at = memchr(at, s->word.ptr[0], (size_t)(s->last - at) + 1);
        if (at == NULL || is_at(at, s->word))
            return at;
    }
    return NULL;
}

#if defined(__SSE2__)

#    define RANK_WORD 32 /* bytes of a word that are looked at */

/* How common a byte is in JSON with English or code in it; the rest is rare. */
// clang-format off
static const uint8_t commonness[256] = {
    [' '] = 3, ['e'] = 3, ['t'] = 3, ['a'] = 3, ['o'] = 3, ['i'] = 3, ['n'] = 3,
    ['s'] = 3, ['r'] = 3, ['h'] = 3, ['l'] = 3, ['d'] = 3, ['c'] = 3, ['u'] = 3,
    ['"'] = 3, [','] = 3, ['\\'] = 3,
    ['b'] = 2, ['f'] = 2, ['g'] = 2, ['k'] = 2, ['m'] = 2, ['p'] = 2, ['v'] = 2,
    ['w'] = 2, ['y'] = 2,
    ['j'] = 1, ['q'] = 1, ['x'] = 1, ['z'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1,
    ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
    ['.'] = 1, [':'] = 1, ['_'] = 1, ['-'] = 1, ['{'] = 1, ['}'] = 1, ['['] = 1,
    [']'] = 1, ['('] = 1, [')'] = 1, ['/'] = 1,
};
// clang-format on

static void
choose_bytes(struct search *s)
{
    size_t n = s->word.len < RANK_WORD ? s->word.len : RANK_WORD;
    int best = 4;
    int second = 4;

    for (size_t i = 0; i < n; i++) {
        int rank = commonness[(unsigned char)s->word.ptr[i]];
        if (rank < best) {
            s->another = s->one;
            second = best;
            s->one = i;
            best = rank;
        } else if (rank < second) {
            s->another = i;
            second = rank;
        }
    }
}

/* The first place marked in `hits` where the word stands; NULL: nowhere. */
static inline const char *
check(const char *at, uint64_t hits, rx_str word)
{
    for (; hits != 0; hits &= hits - 1) {
        const char *here = at + __builtin_ctzll(hits);
        if (is_at(here, word))
            return here;
    }
    return NULL;
}

static inline __m128i
match_16(const char *at, __m128i byte)
{
    return _mm_cmpeq_epi8(
        _mm_loadu_si128((const __m128i *)(const void *)at), byte);
}

static const char *
find_sse2(const char *at, const struct search *s)
{
    const __m128i one = _mm_set1_epi8(s->word.ptr[s->one]);
    const __m128i another = _mm_set1_epi8(s->word.ptr[s->another]);

    for (; s->last - at >= 15; at += 16) {
        __m128i hit = _mm_and_si128(
            match_16(at + s->one, one), match_16(at + s->another, another));
        unsigned bits = (unsigned)_mm_movemask_epi8(hit);
        const char *found = check(at, bits, s->word);
        if (found != NULL)
            return found;
    }
    return find_scalar(at, s);
}

#    define AVX2 __attribute__((target("avx2,bmi")))

AVX2 static inline __m256i
match_32(const char *at, __m256i byte)
{
    return _mm256_cmpeq_epi8(
        _mm256_loadu_si256((const __m256i *)(const void *)at), byte);
}

AVX2 static inline uint64_t
bits_of(__m256i low, __m256i high)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

/* The vectors of a search, looked up once. */
struct probe {
    __m256i one, another;
    size_t at_one, at_another;
};

AVX2 static inline struct probe
probe_of(const struct search *s)
{
    return (struct probe){ _mm256_set1_epi8(s->word.ptr[s->one]),
        _mm256_set1_epi8(s->word.ptr[s->another]), s->one, s->another };
}

AVX2 static inline __m256i
match(const char *at, const struct probe *p)
{
    return _mm256_and_si256(match_32(at + p->at_one, p->one),
        match_32(at + p->at_another, p->another));
}

AVX2 static const char *
find_avx2(const char *at, const struct search *s)
{
    const struct probe p = probe_of(s);
    const char *found = NULL;

    for (; s->last - at >= 63 && found == NULL; at += 64) {
        __m256i low = match(at, &p);
        __m256i high = match(at + 32, &p);
        __m256i any = _mm256_or_si256(low, high);
        if (_mm256_testz_si256(any, any) == 0)
            found = check(at, bits_of(low, high), s->word);
    }
    /* See json_span_skip.c: compilers forget it. */
    _mm256_zeroupper();
    return found != NULL ? found : find_sse2(at, s);
}

#endif

static struct search
search_of(rx_str text, rx_str word)
{
    struct search s = { .word = word,
        .last = text.ptr + (text.len - word.len) };

#if defined(__SSE2__)
    choose_bytes(&s);
#endif
    return s;
}

static bool
has_avx2(void)
{
#if defined(__SSE2__)
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

static const char *
find_from(const char *at, const struct search *s, bool wide)
{
#if defined(__SSE2__)
    return wide ? find_avx2(at, s) : find_sse2(at, s);
#else
    (void)wide;
    return find_scalar(at, s);
#endif
}

const char *
rx_find(rx_str text, rx_str word)
{
    if (text.ptr == NULL || word.len > text.len)
        return NULL;
    if (word.len == 0)
        return text.ptr;
    struct search s = search_of(text, word);
    return find_from(text.ptr, &s, text.len >= WIDE && has_avx2());
}
