#include "shared/price.h"

#include <string.h>

#include "shared/map.h"

/* Sixteen thousand tokens at a dollar each are beyond 64 bits. */
__extension__ typedef __int128 wide;

static const char *const rate_names[] = {
#define NAME(id, name) name,
    RX_RATES(NAME)
#undef NAME
};
static const char *const service_names[] = {
#define NAME(id, name) name,
    RX_SERVICES(NAME)
#undef NAME
};

const char *
rx_rate_name(enum rx_rate r)
{
    return rate_names[r];
}

const char *
rx_service_name(enum rx_service s)
{
    return service_names[s];
}

/* "default", "auto", "on_demand", "" and what is not known are standard. */
static enum rx_service
service_of(rx_str name)
{
    for (unsigned i = 0; i < RX_SERVICE_COUNT; i++) {
        if (rx_str_eq(
                name, (rx_str){ service_names[i], strlen(service_names[i]) }))
            return (enum rx_service)i;
    }
    return RX_SERVICE_STANDARD;
}

/* ---- the rates in force ------------------------------------------------- */

static bool
has(const struct rx_rates *r, enum rx_rate k)
{
    return (r->has >> k & 1) != 0;
}

static void
lay_over(struct rx_rates *under, const struct rx_rates *over)
{
    for (unsigned k = 0; k < RX_RATE_COUNT; k++) {
        if (has(over, k)) {
            under->n[k] = over->n[k];
            under->has |= 1u << k;
        }
    }
}

/* Tiers are by size: the last that applies is the highest. */
static void
lay_tiers(struct rx_rates *r, const struct rx_price *p, enum rx_service service,
    uint64_t prompt)
{
    const struct rx_price_tier *found = NULL;

    for (size_t i = 0; i < p->tier_count; i++) {
        const struct rx_price_tier *t = &p->tiers[i];
        bool reached = t->inclusive ? prompt >= t->over : prompt > t->over;
        if (t->service != service)
            continue;
        if (t->over == 0)
            lay_over(r, &t->rates);
        else if (reached)
            found = t;
    }
    if (found != NULL)
        lay_over(r, &found->rates);
}

static void
fall_back(struct rx_rates *r, enum rx_rate k, uint64_t n)
{
    if (!has(r, k))
        r->n[k] = n;
}

static struct rx_rates
rates_for(const struct rx_price *p, uint64_t prompt, enum rx_service service)
{
    struct rx_rates r = p->base;

    lay_tiers(&r, p, RX_SERVICE_STANDARD, prompt);
    if (service != RX_SERVICE_STANDARD)
        lay_tiers(&r, p, service, prompt);
    uint64_t in = r.n[RX_RATE_IN];
    fall_back(&r, RX_RATE_CACHE_READ, p->claude ? in / 10 : in);
    fall_back(&r, RX_RATE_WRITE_5M, p->claude ? in * 5 / 4 : in);
    fall_back(&r, RX_RATE_WRITE_1H,
        p->claude ? r.n[RX_RATE_WRITE_5M] * 8 / 5 : r.n[RX_RATE_WRITE_5M]);
    fall_back(&r, RX_RATE_REASONING, r.n[RX_RATE_OUT]);
    fall_back(&r, RX_RATE_AUDIO_IN, in);
    fall_back(&r, RX_RATE_IMAGE_IN, in);
    fall_back(&r, RX_RATE_AUDIO_OUT, r.n[RX_RATE_OUT]);
    fall_back(&r, RX_RATE_IMAGE_OUT, r.n[RX_RATE_OUT]);
    return r;
}

/* ---- the sum ------------------------------------------------------------ */

static int64_t
narrow(wide n)
{
    if (n > INT64_MAX)
        return INT64_MAX;
    return n < INT64_MIN ? INT64_MIN : (int64_t)n;
}

static wide
times(uint64_t tokens, uint64_t rate)
{
    return (wide)tokens * (wide)rate;
}

/* A part of tokens that were counted at another rate before. */
static wide
reprice(uint64_t part, uint64_t rate, uint64_t before)
{
    return times(part, rate) - times(part, before);
}

static uint64_t
at_most(uint64_t n, uint64_t most)
{
    return n < most ? n : most;
}

struct rx_cost
rx_price_cost(const struct rx_price *p, const struct rx_tokens *t)
{
    uint64_t written = t->write_5m + t->write_1h + t->write_other;
    uint64_t prompt = t->in_uncached + t->cache_read + written + t->in_tool_use;
    struct rx_rates r = rates_for(p, prompt, service_of(t->service_tier));
    const uint64_t *n = r.n;
    uint64_t reasoning = at_most(t->out_reasoning, t->out_total);
    uint64_t plain_out = t->out_total - reasoning;
    uint64_t plain_in = t->in_uncached;

    wide cached = times(t->cache_read, n[RX_RATE_CACHE_READ]) +
                  times(t->write_5m + t->write_other, n[RX_RATE_WRITE_5M]) +
                  times(t->write_1h, n[RX_RATE_WRITE_1H]);
    wide sum = times(t->in_uncached + t->in_tool_use, n[RX_RATE_IN]) + cached +
               times(plain_out, n[RX_RATE_OUT]) +
               times(reasoning, n[RX_RATE_REASONING]) +
               times(t->web_searches, p->web_search);
    uint64_t audio = at_most(t->in_audio, plain_in);
    sum += reprice(audio, n[RX_RATE_AUDIO_IN], n[RX_RATE_IN]);
    sum += reprice(at_most(t->in_image, plain_in - audio), n[RX_RATE_IMAGE_IN],
        n[RX_RATE_IN]);
    audio = at_most(t->out_audio, plain_out);
    sum += reprice(audio, n[RX_RATE_AUDIO_OUT], n[RX_RATE_OUT]);
    sum += reprice(at_most(t->out_image, plain_out - audio),
        n[RX_RATE_IMAGE_OUT], n[RX_RATE_OUT]);
    return (struct rx_cost){
        .pico = narrow(sum),
        .saved = narrow(times(t->cache_read + written, n[RX_RATE_IN]) - cached),
    };
}

int64_t
rx_cost_times(int64_t pico, uint64_t ppm)
{
    wide n = (wide)pico * (wide)ppm;

    return narrow((n + (n < 0 ? -500000 : 500000)) / 1000000);
}

int64_t
rx_cost_add(int64_t a, int64_t b)
{
    return narrow((wide)a + (wide)b);
}

/* ---- names -------------------------------------------------------------- */

static bool
is_digits(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return s.len > 0;
}

static rx_str
tail_of(rx_str s, size_t n)
{
    return n < s.len ? (rx_str){ s.ptr + s.len - n, n } : s;
}

static rx_str
from(rx_str s, size_t at)
{
    return (rx_str){ s.ptr + at, s.len - at };
}

/* "claude-sonnet-4-5[1m]" */
static rx_str
without_brackets(rx_str s)
{
    const char *open =
        s.len > 0 && s.ptr[s.len - 1] == ']' ? memchr(s.ptr, '[', s.len) : NULL;

    return open != NULL && open > s.ptr
               ? (rx_str){ s.ptr, (size_t)(open - s.ptr) }
               : s;
}

static rx_str
without_folder(rx_str s)
{
    for (size_t i = s.len; i-- > 0;) {
        if (s.ptr[i] == '/' && i + 1 < s.len)
            return from(s, i + 1);
    }
    return s;
}

/* "-v1:0" and "-v2", as Bedrock ends its names. */
static rx_str
without_revision(rx_str s)
{
    for (size_t i = s.len; i-- > 2;) {
        rx_str head, tail;
        if (s.ptr[i - 2] != '-' || s.ptr[i - 1] != 'v')
            continue;
        bool colon = rx_str_cut(from(s, i), ':', &head, &tail);
        if (is_digits(head) && (!colon || is_digits(tail)))
            return (rx_str){ s.ptr, i - 2 };
    }
    return s;
}

/* "us.anthropic.claude-…-v1:0", "claude-…@20250929" */
static rx_str
without_decoration(rx_str s)
{
    static const char *const regions[] = { "us.", "eu.", "apac.", "jp.", "au.",
        "global.", "us-gov." };
    static const char *const vendors[] = { "anthropic.", "amazon.", "meta.",
        "mistral.", "cohere.", "deepseek.", "openai.", "qwen." };
    rx_str head, tail;

    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        rx_str r = { regions[i], strlen(regions[i]) };
        if (rx_str_starts(s, r)) {
            s = from(s, r.len);
            break;
        }
    }
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
        rx_str v = { vendors[i], strlen(vendors[i]) };
        if (rx_str_starts(s, v)) {
            s = without_revision(from(s, v.len));
            break;
        }
    }
    rx_str_cut(s, '@', &head, &tail);
    return head.len > 0 ? head : s;
}

/* "-20250929", "-2025-08-07", "-latest" */
static rx_str
without_date(rx_str s)
{
    rx_str t = tail_of(s, 9);

    if (s.len > 9 && t.ptr[0] == '-' && t.ptr[1] == '2' &&
        is_digits(from(t, 1)))
        return (rx_str){ s.ptr, s.len - 9 };
    t = tail_of(s, 11);
    if (s.len > 11 && t.ptr[0] == '-' && t.ptr[1] == '2' && t.ptr[5] == '-' &&
        t.ptr[8] == '-' && is_digits((rx_str){ t.ptr + 1, 4 }) &&
        is_digits((rx_str){ t.ptr + 6, 2 }) &&
        is_digits((rx_str){ t.ptr + 9, 2 }))
        return (rx_str){ s.ptr, s.len - 11 };
    if (s.len > 7 && rx_str_eq(tail_of(s, 7), RX_S("-latest")))
        return (rx_str){ s.ptr, s.len - 7 };
    return s;
}

/* "claude-sonnet-4.5" is what some call claude-sonnet-4-5. */
static rx_str
with_dashes(rx_str s, char room[RX_MODEL_NAME_MAX])
{
    if (!rx_str_starts(s, RX_S("claude-")) || memchr(s.ptr, '.', s.len) == NULL)
        return s;
    for (size_t i = 0; i < s.len; i++)
        room[i] = s.ptr[i] == '.' ? '-' : s.ptr[i];
    return (rx_str){ room, s.len };
}

#define STEPS 4

rx_str
rx_price_spelling(rx_str model, unsigned n, char room[RX_MODEL_NAME_MAX])
{
    static rx_str (*const steps[STEPS])(rx_str s) = { without_brackets,
        without_folder, without_decoration, without_date };
    rx_str s = model;

    if (model.len == 0 || model.len > RX_MODEL_NAME_MAX)
        return (rx_str){ 0 };
    for (size_t i = 0; n > 0; i++) {
        if (i > STEPS)
            return (rx_str){ 0 };
        rx_str next = i < STEPS ? steps[i](s) : with_dashes(s, room);
        n -= !rx_str_eq(next, s);
        s = next;
    }
    return s;
}

static void *
find_at(const struct rx_map *names, rx_str provider, rx_str model)
{
    char key[2 * RX_MODEL_NAME_MAX];
    size_t n = provider.len + 1 + model.len;
    void *entry = NULL;

    if (provider.len > 0 && n <= sizeof(key)) {
        memcpy(key, provider.ptr, provider.len);
        key[provider.len] = '/';
        memcpy(key + provider.len + 1, model.ptr, model.len);
        entry = rx_map_get(names, (rx_str){ key, n });
    }
    return entry != NULL ? entry : rx_map_get(names, model);
}

static void *
find_spelled(const struct rx_map *names, rx_str provider, rx_str model,
    bool (*first)(const void *entry))
{
    char room[RX_MODEL_NAME_MAX];

    for (unsigned n = 0;; n++) {
        rx_str s = rx_price_spelling(model, n, room);
        if (s.len == 0)
            return NULL;
        void *entry =
            first != NULL ? rx_map_get(names, s) : find_at(names, provider, s);
        if (entry != NULL && (first == NULL || first(entry)))
            return entry;
    }
}

void *
rx_price_find(const struct rx_map *names, rx_str provider, rx_str model,
    bool (*first)(const void *entry))
{
    void *entry = find_spelled(names, provider, model, first);

    return entry != NULL ? entry : find_spelled(names, provider, model, NULL);
}
