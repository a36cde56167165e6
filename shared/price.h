/*
 * price.h - what tokens cost: rates, tiers, and the sum.
 *
 * Rates are pico-dollars per token.  A rate that a price does not name falls
 * back to what a provider would charge: reading a cache like input (a tenth of
 * it for Claude), writing one like input (Claude: 5/4 for five minutes, twice
 * for an hour), reasoning like output, sound and pictures like text.
 *
 * Tiers: the whole request is priced by the highest one its prompt exceeds, the
 * output too; what a tier does not name is the base's.
 */
#ifndef SHARED_PRICE_H
#define SHARED_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/str.h"

/* id, name in JSON */
#define RX_RATES(X)               \
    X(IN, "input")                \
    X(OUT, "output")              \
    X(REASONING, "reasoning")     \
    X(CACHE_READ, "cache_read")   \
    X(WRITE_5M, "cache_write_5m") \
    X(WRITE_1H, "cache_write_1h") \
    X(AUDIO_IN, "audio_input")    \
    X(AUDIO_OUT, "audio_output")  \
    X(IMAGE_IN, "image_input")    \
    X(IMAGE_OUT, "image_output")

enum rx_rate {
#define RX_RATE_ENUM(id, name) RX_RATE_##id,
    RX_RATES(RX_RATE_ENUM)
#undef RX_RATE_ENUM
        RX_RATE_COUNT
};

struct rx_rates {
    uint32_t has; /* 1u << enum rx_rate */
    uint64_t n[RX_RATE_COUNT];
};
#define RX_RATE_MOST ((uint64_t)1000000000000) /* a dollar per token */

/* As answers say how they were served. */
#define RX_SERVICES(X)      \
    X(STANDARD, "standard") \
    X(PRIORITY, "priority") \
    X(FLEX, "flex")         \
    X(BATCH, "batch")

enum rx_service {
#define RX_SERVICE_ENUM(id, name) RX_SERVICE_##id,
    RX_SERVICES(RX_SERVICE_ENUM)
#undef RX_SERVICE_ENUM
        RX_SERVICE_COUNT
};

struct rx_price_tier {
    enum rx_service service;
    uint64_t over;  /* prompts of more tokens; 0: all */
    bool inclusive; /* … and of just as many */
    struct rx_rates rates;
};

struct rx_price {
    struct rx_rates base;
    const struct rx_price_tier *tiers; /* by `over`, lowest first */
    size_t tier_count;
    bool claude;         /* its fallbacks for caches are Anthropic's */
    uint64_t web_search; /* pico-dollars each; 0: not charged apart */
};

/* Input is disjoint: what was read from a cache is not in `in_uncached`. */
struct rx_tokens {
    uint64_t in_uncached, cache_read;
    uint64_t write_5m, write_1h, write_other;
    uint64_t in_tool_use;
    uint64_t out_total, out_reasoning; /* the second is part of the first */
    uint64_t in_audio, in_image, out_audio, out_image; /* parts too */
    uint64_t web_searches;
    rx_str service_tier;
};

struct rx_cost {
    int64_t pico; /* saturates */
    int64_t
        saved; /* by caches: without them it were so much more; may be < 0 */
};

struct rx_cost rx_price_cost(
    const struct rx_price *p, const struct rx_tokens *t);
/* For a channel that charges more or less: times ppm / 1e6, rounded half up. */
int64_t rx_cost_times(int64_t pico, uint64_t ppm);

int64_t rx_cost_add(int64_t a, int64_t b); /* saturates */

const char *rx_rate_name(enum rx_rate r);
const char *rx_service_name(enum rx_service s);

/*
 * Ways to write a model's name in order of preference, n = 0, 1, …: as it is,
 * without "[1m]", without what is before the last '/', without Bedrock's and
 * Vertex's decorations, without its date or "-latest", and with '-' for '.' in
 * Claude's version.  Empty when there is no n-th.  `room` backs the text.
 */
#define RX_MODEL_NAME_MAX 160
rx_str rx_price_spelling(
    rx_str model, unsigned n, char room[RX_MODEL_NAME_MAX]);

/*
 * Find a model in a map from names to whatever has a price: the first spelling
 * that `first` holds for, else the first with its provider or without.
 */
struct rx_map;
void *rx_price_find(const struct rx_map *names, rx_str provider, rx_str model,
    bool (*first)(const void *entry));

#endif
