/*
 * Tenants and client keys as messages.
 */
#include <string.h>

#include "controlplane/wire_parts.h"

/* NULL where nothing is limited: older planes then see no difference. */
static Routex__Limits *
limits(struct rx_arena *arena, const struct state_limits *l)
{
    bool any = false;

    for (unsigned k = 0; k < STATE_LIMITS; k++)
        any = any || l->most[k] > 0;
    if (!any)
        return NULL;
    Routex__Limits *m = field_make(arena, Routex__Limits, 1);
    routex__limits__init(m);
    m->requests_per_min = l->most[STATE_LIMIT_REQUESTS];
    m->tokens_per_min = l->most[STATE_LIMIT_TOKENS];
    m->concurrent = l->most[STATE_LIMIT_CONCURRENT];
    m->quota_tokens = l->most[STATE_LIMIT_QUOTA];
    const char *window = rx_window_name(l->window);
    m->quota_window = rx_proto_copy(arena, (rx_str){ window, strlen(window) });
    m->budget = l->most[STATE_LIMIT_BUDGET];
    window = rx_window_name(l->budget_window);
    m->budget_window = rx_proto_copy(arena, (rx_str){ window, strlen(window) });
    return m;
}

bool
wire_pack_tenant(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_tenant *t = &item->tenant;
    Routex__Tenant m;

    routex__tenant__init(&m);
    m.id = rx_proto_copy(arena, t->id);
    m.name = rx_proto_copy(arena, t->name);
    m.enabled = t->enabled;
    m.n_models = t->model_count;
    m.models = wire_texts(arena, t->models, t->model_count);
    m.n_channels = t->channel_count;
    m.channels = wire_texts(arena, t->channels, t->channel_count);
    m.limits = limits(arena, &t->limits);
    m.n_ips = t->ip_count;
    m.ips = wire_texts(arena, t->ips, t->ip_count);
    return rx_proto_add(out, &m.base);
}

bool
wire_pack_key(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_key *k = &item->key;
    Routex__ClientKey m;

    routex__client_key__init(&m);
    m.id = rx_proto_copy(arena, k->id);
    m.name = rx_proto_copy(arena, k->name);
    m.digest = rx_proto_blob(k->digest.bytes, sizeof(k->digest.bytes));
    m.tenant_id = rx_proto_copy(arena, k->tenant_id);
    m.enabled = k->enabled;
    m.expires_ms = k->expires_ms;
    if (k->old_until_ms != 0) {
        m.old_digest =
            rx_proto_blob(k->old_digest.bytes, sizeof(k->old_digest.bytes));
        m.old_until_ms = k->old_until_ms;
    }
    m.may_force_channel = k->may_force_channel;
    m.n_models = k->model_count;
    m.models = wire_texts(arena, k->models, k->model_count);
    m.n_channels = k->channel_count;
    m.channels = wire_texts(arena, k->channels, k->channel_count);
    m.limits = limits(arena, &k->limits);
    m.n_ips = k->ip_count;
    m.ips = wire_texts(arena, k->ips, k->ip_count);
    return rx_proto_add(out, &m.base);
}
