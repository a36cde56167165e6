/*
 * Settings and prices as messages.
 */
#include "controlplane/wire_parts.h"

Routex__Timeouts *
wire_pack_timeouts(struct rx_arena *arena, const struct state_timeouts *t)
{
    Routex__Timeouts *m = field_make(arena, Routex__Timeouts, 1);

    routex__timeouts__init(m);
    m->connect_ms = t->connect_ms;
    m->first_byte_ms = t->first_byte_ms;
    m->first_event_ms = t->first_event_ms;
    m->idle_ms = t->idle_ms;
    m->total_ms = t->total_ms;
    return m;
}

static Routex__Rates *
rates(struct rx_arena *arena, const struct rx_rates *r)
{
    Routex__Rates *m = field_make(arena, Routex__Rates, 1);

    routex__rates__init(m);
    m->has = r->has;
    m->n = field_make(arena, uint64_t, RX_RATE_COUNT);
    for (unsigned k = 0; k < RX_RATE_COUNT; k++) {
        if ((r->has >> k & 1) != 0)
            m->n[m->n_n++] = r->n[k];
    }
    return m;
}

static Routex__Price *
price(struct rx_arena *arena, const struct state_price *p)
{
    Routex__Price *m = field_make(arena, Routex__Price, 1);
    size_t n = p->price->tier_count;

    routex__price__init(m);
    m->n_names = p->name_count;
    m->names = wire_texts(arena, p->names, p->name_count);
    m->set = p->set;
    m->claude = p->price->claude;
    m->web_search = p->price->web_search;
    m->rates = rates(arena, &p->price->base);
    m->n_tiers = n;
    m->tiers = field_make(arena, Routex__PriceTier *, n);
    for (size_t i = 0; i < n; i++) {
        const struct rx_price_tier *t = &p->price->tiers[i];
        routex__price_tier__init(
            m->tiers[i] = field_make(arena, Routex__PriceTier, 1));
        m->tiers[i]->service = t->service;
        m->tiers[i]->over = t->over;
        m->tiers[i]->inclusive = t->inclusive;
        m->tiers[i]->rates = rates(arena, &t->rates);
    }
    return m;
}

static Routex__CaptureSettings *
capture(struct rx_arena *arena, const struct state_capture *c)
{
    if (!c->enabled)
        return NULL;
    Routex__CaptureSettings *m = field_make(arena, Routex__CaptureSettings, 1);
    routex__capture_settings__init(m);
    m->n_tenants = c->tenant_count;
    m->tenants = wire_texts(arena, c->tenants, c->tenant_count);
    m->n_keys = c->key_count;
    m->keys = wire_texts(arena, c->keys, c->key_count);
    m->n_patterns = c->pattern_count;
    m->patterns = wire_texts(arena, c->patterns, c->pattern_count);
    m->max_bytes = c->max_bytes;
    return m;
}

bool
wire_pack_settings(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_settings *s = &item->settings;
    Routex__Settings m;

    routex__settings__init(&m);
    m.strategy = rx_proto_copy(arena, s->strategy);
    m.timeouts = wire_pack_timeouts(arena, &s->timeouts);
    m.max_attempts = s->max_attempts;
    m.strict_translation = s->strict_translation;
    m.max_body_bytes = s->max_body_bytes;
    m.journal_limit_bytes = s->journal_limit_bytes;
    m.journal_full = rx_proto_copy(arena, s->journal_full);
    m.capture = capture(arena, &s->capture);
    m.trace_upstream = rx_proto_copy(arena, s->trace_upstream);
    m.log_level = rx_proto_copy(arena, s->log_level);
    m.breaker = field_make(arena, Routex__Breaker, 1);
    routex__breaker__init(m.breaker);
    m.breaker->window_ms = s->breaker.window_ms;
    m.breaker->min_samples = s->breaker.min_samples;
    m.breaker->failure_pct = s->breaker.failure_pct;
    m.breaker->in_a_row = s->breaker.in_a_row;
    m.breaker->open_ms = s->breaker.open_ms;
    m.breaker->open_max_ms = s->breaker.open_max_ms;
    m.patience = field_make(arena, Routex__Patience, 1);
    routex__patience__init(m.patience);
    m.patience->max_wait_ms = s->max_wait_ms;
    m.patience->session_ttl_ms = s->session_ttl_ms;
    m.price_version = s->price_version;
    m.n_prices = s->price_count;
    m.prices = field_make(arena, Routex__Price *, s->price_count);
    for (size_t i = 0; i < s->price_count; i++)
        m.prices[i] = price(arena, &s->prices[i]);
    return rx_proto_add(out, &m.base);
}
