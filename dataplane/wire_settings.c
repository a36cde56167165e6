/*
 * Settings as they come, with the prices of models.
 */
#include <string.h>

#include "dataplane/strategy.h"
#include "dataplane/tariff.h"
#include "dataplane/wire_parts.h"

struct settings
wire_default_settings(void)
{
    return (struct settings){
        .strategy = STRATEGY_PRIORITY,
        .breaker = { .window_ms = 30000,
            .min_samples = 5,
            .failure_pct = 50,
            .in_a_row = 5,
            .open_ms = 15000,
            .open_max_ms = 120000 },
        .max_wait_ms = 5000,
        .session_ttl_ms = 5 * 3600 * 1000,
        .timeouts = { .connect = 10000,
            .first_byte = 120000,
            .first_event = 120000,
            .idle = 300000,
            .total = 0 },
        .max_attempts = 4,
        .max_body_bytes = 32u * 1024 * 1024,
        .journal_limit_bytes = 256u * 1024 * 1024,
        .journal_full_refuses = false,
    };
}

static struct breaker_limits
read_breaker(const Routex__Breaker *in)
{
    return (struct breaker_limits){
        .window_ms = in->window_ms,
        .min_samples = in->min_samples,
        .failure_pct = in->failure_pct,
        .in_a_row = in->in_a_row,
        .open_ms = in->open_ms,
        .open_max_ms = in->open_max_ms,
    };
}

static void
read_rates(const Routex__Rates *in, struct rx_rates *out)
{
    size_t at = 0;

    for (unsigned k = 0; in != NULL && k < RX_RATE_COUNT; k++) {
        if ((in->has >> k & 1) == 0 || at >= in->n_n)
            continue;
        out->n[k] = in->n[at] < RX_RATE_MOST ? in->n[at] : RX_RATE_MOST;
        out->has |= 1u << k;
        at++;
    }
}

static struct rx_price *
read_price(const Routex__Price *in, struct rx_arena *arena)
{
    struct rx_price *out = rx_arena_make(arena, struct rx_price, 1);
    struct rx_price_tier *tiers =
        rx_arena_make(arena, struct rx_price_tier, in->n_tiers);

    if (out == NULL || tiers == NULL)
        return NULL;
    *out = (struct rx_price){ .claude = in->claude,
        .web_search = in->web_search < RX_RATE_MOST ? in->web_search : 0,
        .tiers = tiers };
    read_rates(in->rates, &out->base);
    for (size_t i = 0; i < in->n_tiers; i++) {
        const Routex__PriceTier *t = in->tiers[i];
        if (t->service >= RX_SERVICE_COUNT)
            continue; /* of a newer kind */
        tiers[out->tier_count] =
            (struct rx_price_tier){ .service = (enum rx_service)t->service,
                .over = t->over,
                .inclusive = t->inclusive };
        read_rates(t->rates, &tiers[out->tier_count++].rates);
    }
    return out;
}

/* NULL when there are no prices, or no room: then none is known. */
static const struct tariff *
read_tariff(const Routex__Settings *in, struct rx_arena *arena)
{
    struct tariff *t = in->n_prices > 0 ? tariff_new(arena) : NULL;

    for (size_t i = 0; t != NULL && i < in->n_prices; i++) {
        const struct rx_price *p = read_price(in->prices[i], arena);
        for (size_t k = 0; p != NULL && k < in->prices[i]->n_names; k++)
            tariff_add(
                t, rx_str_of(in->prices[i]->names[k]), p, in->prices[i]->set);
    }
    return t;
}

#define CAPTURE_MAX ((size_t)1024 * 1024)

static const struct capture_settings *
read_capture(const Routex__CaptureSettings *in, struct rx_arena *arena)
{
    if (in == NULL)
        return NULL;
    struct capture_settings *out =
        rx_arena_make(arena, struct capture_settings, 1);
    if (out == NULL)
        return NULL;
    *out = (struct capture_settings){
        .tenants = wire_texts(arena, in->tenants, in->n_tenants),
        .tenant_count = in->n_tenants,
        .keys = wire_texts(arena, in->keys, in->n_keys),
        .key_count = in->n_keys,
        .patterns = wire_texts(arena, in->patterns, in->n_patterns),
        .pattern_count = in->n_patterns,
        .max_bytes = in->max_bytes < CAPTURE_MAX ? in->max_bytes : CAPTURE_MAX,
    };
    bool whole = (out->tenants != NULL || in->n_tenants == 0) &&
                 (out->keys != NULL || in->n_keys == 0) &&
                 (out->patterns != NULL || in->n_patterns == 0);
    return whole ? out : NULL;
}

static bool
read_trace_upstream(const char *word, enum trace_upstream *out)
{
    static const char *const words[] = { [TRACE_UPSTREAM_CLIENT] = "client",
        [TRACE_UPSTREAM_OFF] = "off",
        [TRACE_UPSTREAM_ALWAYS] = "always" };

    for (size_t i = 0; word[0] != '\0' && i < RX_COUNT(words); i++) {
        if (strcmp(words[i], word) == 0) {
            *out = (enum trace_upstream)i;
            return true;
        }
    }
    return word[0] == '\0';
}

enum rx_code
wire_read_settings(rx_str packed, struct rx_arena *arena, struct settings *out,
    struct rx_err *err)
{
    Routex__Settings *in = rx_proto_read(routex__settings, packed, arena);
    if (in == NULL)
        return wire_bad_bytes(err);

    *out = wire_default_settings();
    if (in->strategy[0] != '\0' &&
        !strategy_find(rx_str_of(in->strategy), &out->strategy))
        return rx_fail(
            err, RX_INVALID, "no usable strategy %.40s", in->strategy);
    if (in->breaker != NULL)
        out->breaker = read_breaker(in->breaker);
    if (in->patience != NULL) {
        out->max_wait_ms = in->patience->max_wait_ms;
        out->session_ttl_ms = in->patience->session_ttl_ms;
    }
    out->timeouts = wire_timeouts(in->timeouts, &out->timeouts);
    out->strict_translation = in->strict_translation;
    out->max_attempts = wire_or(in->max_attempts, out->max_attempts);
    if (in->max_body_bytes != 0)
        out->max_body_bytes = in->max_body_bytes;
    if (in->journal_limit_bytes != 0)
        out->journal_limit_bytes = in->journal_limit_bytes;
    out->tariff = read_tariff(in, arena);
    out->journal_full_refuses = strcmp(in->journal_full, "refuse") == 0;
    if (!out->journal_full_refuses && in->journal_full[0] != '\0' &&
        strcmp(in->journal_full, "keep-serving") != 0)
        return rx_fail(
            err, RX_INVALID, "unknown journal_full %.40s", in->journal_full);
    if (!read_trace_upstream(in->trace_upstream, &out->trace_upstream))
        return rx_fail(err, RX_INVALID, "unknown trace_upstream %.40s",
            in->trace_upstream);
    out->capture = read_capture(in->capture, arena);
    out->has_log_level = in->log_level[0] != '\0';
    if (out->has_log_level &&
        !rx_log_level_parse(rx_str_of(in->log_level), &out->log_level))
        return rx_fail(
            err, RX_INVALID, "unknown log_level %.40s", in->log_level);
    return RX_OK;
}
