/*
 * Tenants and their client keys as they come: what they may use, and from where.
 */
#include <string.h>

#include "dataplane/wire_parts.h"

/* Each copied: the list may outlive what it was unpacked into. */
static const rx_str *
copied_texts(struct rx_arena *arena, char *const *list, size_t count)
{
    rx_str *out = rx_arena_make(arena, rx_str, count);

    for (size_t i = 0; out != NULL && i < count; i++) {
        out[i] = rx_arena_copy(arena, rx_str_of(list[i]));
        if (out[i].ptr == NULL)
            return NULL;
    }
    return out;
}

/* An allow-list; one that holds "*" allows all and is the same as empty. */
static bool
allow_list(struct rx_arena *arena, char *const *list, size_t count,
    const rx_str **out, size_t *out_count)
{
    *out = NULL;
    *out_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], "*") == 0)
            return true;
    }
    if (count == 0)
        return true;
    *out = copied_texts(arena, list, count);
    *out_count = count;
    return *out != NULL;
}

/* *out stays NULL where nothing is limited. */
static enum rx_code
read_limits(const Routex__Limits *in, struct rx_arena *arena,
    const struct limit_set **out, struct rx_err *err)
{
    struct limit_set set = { 0 };

    *out = NULL;
    if (in == NULL)
        return RX_OK;
    set.most[LIMIT_REQUESTS] = in->requests_per_min;
    set.most[LIMIT_TOKENS] = in->tokens_per_min;
    set.most[LIMIT_CONCURRENT] = in->concurrent;
    set.most[LIMIT_QUOTA] = in->quota_tokens;
    set.most[LIMIT_BUDGET] = in->budget;
    if (in->quota_tokens > 0 &&
        !rx_window_find(rx_str_of(in->quota_window), &set.window))
        return rx_fail(
            err, RX_INVALID, "unknown window %.40s", in->quota_window);
    if (in->budget > 0 &&
        !rx_window_find(rx_str_of(in->budget_window), &set.budget_window))
        return rx_fail(
            err, RX_INVALID, "unknown window %.40s", in->budget_window);
    bool any = false;
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        any = any || set.most[k] > 0;
        if (set.most[k] > LIMIT_MOST)
            return rx_fail(err, RX_INVALID, "limit out of range");
    }
    if (!any)
        return RX_OK;
    struct limit_set *kept = rx_arena_make(arena, struct limit_set, 1);
    if (kept == NULL)
        return wire_no_room(err);
    *kept = set;
    *out = kept;
    return RX_OK;
}

static enum rx_code
read_ips(char *const *list, size_t count, struct rx_arena *arena,
    struct rx_ip_list *out, struct rx_err *err)
{
    struct rx_ip_range *at = rx_arena_make(arena, struct rx_ip_range, count);

    if (at == NULL)
        return wire_no_room(err);
    for (size_t i = 0; i < count; i++) {
        if (!rx_ip_range_parse(rx_str_of(list[i]), &at[i]))
            return rx_fail(err, RX_INVALID, "no address: %.60s", list[i]);
    }
    *out = (struct rx_ip_list){ at, count };
    return RX_OK;
}

enum rx_code
wire_read_tenant(rx_str packed, struct rx_arena *arena, struct tenant *out,
    struct rx_err *err)
{
    Routex__Tenant *in = rx_proto_read(routex__tenant, packed, arena);
    if (in == NULL)
        return wire_bad_bytes(err);

    *out = (struct tenant){
        .id = rx_str_of(in->id),
        .name = rx_str_of(in->name),
        .enabled = in->enabled,
    };
    if (!allow_list(
            arena, in->models, in->n_models, &out->models, &out->model_count) ||
        !allow_list(arena, in->channels, in->n_channels, &out->channels,
            &out->channel_count))
        return wire_no_room(err);
    enum rx_code code = read_limits(in->limits, arena, &out->limits, err);
    if (code == RX_OK)
        code = read_ips(in->ips, in->n_ips, arena, &out->ips, err);
    return code;
}

static enum rx_code
read_guard(const Routex__ClientKey *in, struct rx_arena *arena,
    struct client_key *out, struct rx_err *err)
{
    struct guard *g = rx_arena_make(arena, struct guard, 1);
    struct limit_who *who;

    if (g == NULL)
        return wire_no_room(err);
    out->guard = g;
    who = &g->who[LIMIT_KEY];
    who->id = out->id;
    enum rx_code code = read_limits(in->limits, arena, &who->set, err);
    g->limited = who->set != NULL;
    if (code == RX_OK)
        code = read_ips(in->ips, in->n_ips, arena, &g->ips[LIMIT_KEY], err);
    return code;
}

/* Keys come by the hundred thousand: unpacked aside, then copied tightly. */
static enum rx_code
keep_key(const Routex__ClientKey *in, struct rx_arena *arena,
    struct client_key *out, rx_str *tenant_id, struct rx_err *err)
{
    *out = (struct client_key){
        .id = rx_arena_copy(arena, rx_str_of(in->id)),
        .name = rx_arena_copy(arena, rx_str_of(in->name)),
        .enabled = in->enabled,
        .expires_ms = in->expires_ms,
        .may_force_channel = in->may_force_channel,
    };
    *tenant_id = rx_arena_copy(arena, rx_str_of(in->tenant_id));
    if (in->digest.len != sizeof(out->digest.bytes))
        return rx_fail(err, RX_INVALID, "digest of %zu bytes", in->digest.len);
    memcpy(out->digest.bytes, in->digest.data, sizeof(out->digest.bytes));
    if (tenant_id->ptr == NULL ||
        !allow_list(
            arena, in->models, in->n_models, &out->models, &out->model_count) ||
        !allow_list(arena, in->channels, in->n_channels, &out->channels,
            &out->channel_count))
        return wire_no_room(err);
    if (in->limits == NULL && in->n_ips == 0)
        return RX_OK;
    return read_guard(in, arena, out, err);
}

enum rx_code
wire_read_key(rx_str packed, struct rx_arena *arena, struct client_key *out,
    rx_str *tenant_id, struct wire_old_text *old, struct rx_err *err)
{
    Routex__ClientKey *in = routex__client_key__unpack(
        NULL, packed.len, (const uint8_t *)packed.ptr);
    if (in == NULL)
        return wire_bad_bytes(err);
    enum rx_code code = keep_key(in, arena, out, tenant_id, err);
    *old = (struct wire_old_text){ 0 };
    if (in->old_digest.len == sizeof(old->digest.bytes)) {
        memcpy(old->digest.bytes, in->old_digest.data, in->old_digest.len);
        old->until_ms = in->old_until_ms;
    }
    routex__client_key__free_unpacked(in, NULL);
    return code;
}
