/*
 * Unpacked messages live in the arena they were unpacked into; our structs
 * point at their strings, so nothing is copied twice.
 */
#include "dataplane/wire.h"

#include <assert.h>
#include <string.h>

#include "proto/snapshot.pb-c.h"
#include "proto/sync.pb-c.h"
#include "proto/telemetry.pb-c.h"

#include "dataplane/standing.h"
#include "dataplane/strategy.h"
#include "dataplane/tariff.h"
#include "dataplane/transform/transform.h"
#include "shared/envelope.h"
#include "shared/url.h"

#define SCRATCH_MAX ((size_t)8 * 1024 * 1024)

/* ---- unpacking into an arena ------------------------------------------- */

static void *
arena_take(void *arg, size_t size)
{
    return rx_arena_alloc(arg, size > 0 ? size : 1);
}

static void
arena_leave(void *arg, void *at)
{
    (void)arg;
    (void)at;
}

static ProtobufCMessage *
unpack(const ProtobufCMessageDescriptor *type, rx_str packed,
    struct rx_arena *arena)
{
    ProtobufCAllocator in_arena = { arena_take, arena_leave, arena };

    return protobuf_c_message_unpack(
        type, &in_arena, packed.len, (const uint8_t *)packed.ptr);
}

#define UNPACK(out, type, descriptor) \
    type *out = (type *)(void *)unpack(&descriptor##__descriptor, packed, arena)

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static rx_str
blob(const ProtobufCBinaryData *b)
{
    return (rx_str){ (const char *)b->data, b->len };
}

/* Each copied: the list may outlive what it was unpacked into. */
static const rx_str *
copied_texts(struct rx_arena *arena, char *const *list, size_t count)
{
    rx_str *out = rx_arena_make(arena, rx_str, count);

    for (size_t i = 0; out != NULL && i < count; i++) {
        out[i] = rx_arena_copy(arena, text(list[i]));
        if (out[i].ptr == NULL)
            return NULL;
    }
    return out;
}

static const rx_str *
texts(struct rx_arena *arena, char *const *list, size_t count)
{
    rx_str *out = rx_arena_make(arena, rx_str, count);

    for (size_t i = 0; out != NULL && i < count; i++)
        out[i] = text(list[i]);
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

static enum rx_code
no_room(struct rx_err *err)
{
    return rx_fail(err, RX_TOO_BIG, "snapshot too big");
}

static enum rx_code
bad_bytes(struct rx_err *err)
{
    return rx_fail(err, RX_INVALID, "not readable");
}

/* ---- channels ---------------------------------------------------------- */

static uint32_t
either(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static struct timeouts
read_timeouts(const Routex__Timeouts *t, const struct timeouts *defaults)
{
    if (t == NULL)
        return *defaults;
    return (struct timeouts){
        .connect = either(t->connect_ms, defaults->connect),
        .first_byte = either(t->first_byte_ms, defaults->first_byte),
        .first_event = either(t->first_event_ms, defaults->first_event),
        .idle = either(t->idle_ms, defaults->idle),
        .total = either(t->total_ms, defaults->total),
    };
}

static bool
find_auth(const char *name, enum auth_scheme *out)
{
    static const char *const names[] = {
#define AUTH_ROW(id, name) name,
        AUTHS(AUTH_ROW)
#undef AUTH_ROW
    };

    for (unsigned i = 0; i < RX_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum auth_scheme)i;
            return true;
        }
    }
    return false;
}

static enum rx_code
read_endpoint(const Routex__Endpoint *in, const Routex__Channel *of,
    struct rx_arena *arena, struct channel *out, struct rx_err *err)
{
    enum dialect d;
    struct rx_url url;

    if (!dialect_find(text(in->dialect), &d))
        return rx_fail(err, RX_INVALID, "unknown dialect %.40s", in->dialect);
    struct endpoint *e = &out->endpoints[d];
    if (!find_auth(in->auth, &e->auth))
        return rx_fail(err, RX_INVALID, "unknown auth %.40s", in->auth);
    if (rx_url_split(text(in->base_url), &url, err) != RX_OK)
        return rx_because(err, "base_url");

    struct rx_buf authority;
    rx_buf_init(&authority, 1024);
    bool ok = rx_url_add_authority(&authority, &url);
    e->authority = rx_arena_copy(arena, rx_buf_str(&authority));
    rx_buf_fini(&authority);
    /* Wires want NUL-terminated hosts. */
    rx_str host = rx_arena_copy(arena, url.host);
    if (!ok || e->authority.ptr == NULL || host.ptr == NULL)
        return no_room(err);
    e->base_path = url.path;
    e->target = (struct rx_target){
        .tls = url.tls,
        .host = host,
        .port = url.port,
        .proxy_url = text(of->proxy_url),
        .ca_file = text(of->ca_file),
    };
    e->present = true;
    return RX_OK;
}

/* Could these bytes stand in a header as they are? */
static bool
header_safe(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool
header_name(rx_str s)
{
    static const char also[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9');
        if (!word && (c == '\0' || strchr(also, c) == NULL))
            return false;
    }
    return s.len > 0;
}

static enum rx_code
read_headers(Routex__HeaderField *const *in, size_t count,
    struct rx_arena *arena, const struct rx_header **out, struct rx_err *err)
{
    struct rx_header *list = rx_arena_make(arena, struct rx_header, count);

    if (list == NULL)
        return no_room(err);
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct rx_header){ text(in[i]->name), text(in[i]->value) };
        if (!header_name(list[i].name) || !header_safe(list[i].value))
            return rx_fail(
                err, RX_INVALID, "header %.60s cannot be sent", in[i]->name);
    }
    *out = list;
    return RX_OK;
}

/* How this one is sent, where that is not as the endpoint has it. */
static enum rx_code
read_credential_form(const Routex__Credential *in, struct rx_arena *arena,
    struct credential *out, struct rx_err *err)
{
    out->has_auth = in->auth[0] != '\0';
    if (out->has_auth && !find_auth(in->auth, &out->auth))
        return rx_fail(
            err, RX_INVALID, "unknown kind of credential %.40s", in->auth);
    out->header_count = in->n_headers;
    return read_headers(in->headers, in->n_headers, arena, &out->headers, err);
}

static enum rx_code
read_credentials(const Routex__Channel *in, struct rx_arena *arena,
    struct channel *out, struct rx_err *err)
{
    struct credential *list =
        rx_arena_make(arena, struct credential, in->n_credentials);

    if (list == NULL)
        return no_room(err);
    out->credentials = list;
    for (size_t i = 0; i < in->n_credentials; i++) {
        const Routex__Credential *c = in->credentials[i];
        struct credential *to = &list[out->credential_count];
        if (!c->enabled)
            continue;
        if (!header_safe(blob(&c->secret)))
            return rx_fail(err, RX_INVALID,
                "credential %.40s holds control characters", c->id);
        *to = (struct credential){
            .id = text(c->id),
            .secret = blob(&c->secret),
            .oauth = strcmp(c->kind, "oauth") == 0,
            .mark = rx_secret_mark(blob(&c->secret)),
        };
        enum rx_code code = read_credential_form(c, arena, to, err);
        if (code != RX_OK)
            return code;
        out->credential_count++;
    }
    return RX_OK;
}

static enum rx_code
read_models(const Routex__Channel *in, struct rx_arena *arena,
    struct channel *out, struct rx_err *err)
{
    struct model_entry *list =
        rx_arena_make(arena, struct model_entry, in->n_models);

    if (list == NULL)
        return no_room(err);
    for (size_t i = 0; i < in->n_models; i++)
        list[i] = (struct model_entry){ text(in->models[i]->name),
            text(in->models[i]->upstream) };
    out->models = list;
    out->model_count = in->n_models;
    return RX_OK;
}

static enum rx_code
read_status(const char *status, struct channel *out, struct rx_err *err)
{
    out->enabled = strcmp(status, "enabled") == 0;
    out->paused = strcmp(status, "paused") == 0;
    if (!out->enabled && !out->paused && strcmp(status, "disabled") != 0)
        return rx_fail(err, RX_INVALID, "unknown status %.40s", status);
    /* Paused is a kind of enabled: it is only not used for now. */
    out->enabled = out->enabled || out->paused;
    return RX_OK;
}

enum rx_code
wire_read_channel(rx_str packed, const struct timeouts *defaults,
    struct rx_arena *arena, struct channel *out, struct rx_err *err)
{
    UNPACK(in, Routex__Channel, routex__channel);
    if (in == NULL)
        return bad_bytes(err);

    *out = (struct channel){
        .id = text(in->id),
        .name = text(in->name),
        .type = text(in->type),
        .priority = in->priority,
        .cost_ppm = in->cost_ppm_1 > 0 ? in->cost_ppm_1 - 1 : 1000000,
        .weight = in->weight,
        .timeouts = read_timeouts(in->timeouts, defaults),
        .tags = texts(arena, in->tags, in->n_tags),
        .tag_count = in->n_tags,
    };
    if (out->tags == NULL)
        return no_room(err);
    enum rx_code code = read_status(in->status, out, err);
    if (code == RX_OK && in->proxy_url[0] != '\0' &&
        rx_url_check_proxy(text(in->proxy_url), err) != RX_OK)
        return rx_because(err, "proxy_url");
    for (size_t i = 0; code == RX_OK && i < in->n_endpoints; i++)
        code = read_endpoint(in->endpoints[i], in, arena, out, err);
    if (code == RX_OK)
        code = read_credentials(in, arena, out, err);
    if (code == RX_OK)
        code = read_models(in, arena, out, err);
    if (code == RX_OK)
        code =
            read_headers(in->headers, in->n_headers, arena, &out->headers, err);
    out->header_count = in->n_headers;
    if (code == RX_OK)
        code = transform_build(
            text(in->transformers), arena, &out->transformers, err);
    return code;
}

/* ---- tenants, keys, settings ------------------------------------------- */

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
        !rx_window_find(text(in->quota_window), &set.window))
        return rx_fail(
            err, RX_INVALID, "unknown window %.40s", in->quota_window);
    if (in->budget > 0 &&
        !rx_window_find(text(in->budget_window), &set.budget_window))
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
        return no_room(err);
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
        return no_room(err);
    for (size_t i = 0; i < count; i++) {
        if (!rx_ip_range_parse(text(list[i]), &at[i]))
            return rx_fail(err, RX_INVALID, "no address: %.60s", list[i]);
    }
    *out = (struct rx_ip_list){ at, count };
    return RX_OK;
}

enum rx_code
wire_read_tenant(rx_str packed, struct rx_arena *arena, struct tenant *out,
    struct rx_err *err)
{
    UNPACK(in, Routex__Tenant, routex__tenant);
    if (in == NULL)
        return bad_bytes(err);

    *out = (struct tenant){
        .id = text(in->id),
        .name = text(in->name),
        .enabled = in->enabled,
    };
    if (!allow_list(
            arena, in->models, in->n_models, &out->models, &out->model_count) ||
        !allow_list(arena, in->channels, in->n_channels, &out->channels,
            &out->channel_count))
        return no_room(err);
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
        return no_room(err);
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
        .id = rx_arena_copy(arena, text(in->id)),
        .name = rx_arena_copy(arena, text(in->name)),
        .enabled = in->enabled,
        .expires_ms = in->expires_ms,
        .may_force_channel = in->may_force_channel,
    };
    *tenant_id = rx_arena_copy(arena, text(in->tenant_id));
    if (in->digest.len != sizeof(out->digest.bytes))
        return rx_fail(err, RX_INVALID, "digest of %zu bytes", in->digest.len);
    memcpy(out->digest.bytes, in->digest.data, sizeof(out->digest.bytes));
    if (tenant_id->ptr == NULL ||
        !allow_list(
            arena, in->models, in->n_models, &out->models, &out->model_count) ||
        !allow_list(arena, in->channels, in->n_channels, &out->channels,
            &out->channel_count))
        return no_room(err);
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
        return bad_bytes(err);
    enum rx_code code = keep_key(in, arena, out, tenant_id, err);
    *old = (struct wire_old_text){ 0 };
    if (in->old_digest.len == sizeof(old->digest.bytes)) {
        memcpy(old->digest.bytes, in->old_digest.data, in->old_digest.len);
        old->until_ms = in->old_until_ms;
    }
    routex__client_key__free_unpacked(in, NULL);
    return code;
}

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
            tariff_add(t, text(in->prices[i]->names[k]), p, in->prices[i]->set);
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
        .tenants = texts(arena, in->tenants, in->n_tenants),
        .tenant_count = in->n_tenants,
        .keys = texts(arena, in->keys, in->n_keys),
        .key_count = in->n_keys,
        .patterns = texts(arena, in->patterns, in->n_patterns),
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
    UNPACK(in, Routex__Settings, routex__settings);
    if (in == NULL)
        return bad_bytes(err);

    *out = wire_default_settings();
    if (in->strategy[0] != '\0' &&
        !strategy_find(text(in->strategy), &out->strategy))
        return rx_fail(
            err, RX_INVALID, "no usable strategy %.40s", in->strategy);
    if (in->breaker != NULL)
        out->breaker = read_breaker(in->breaker);
    if (in->patience != NULL) {
        out->max_wait_ms = in->patience->max_wait_ms;
        out->session_ttl_ms = in->patience->session_ttl_ms;
    }
    out->timeouts = read_timeouts(in->timeouts, &out->timeouts);
    out->strict_translation = in->strict_translation;
    out->max_attempts = either(in->max_attempts, out->max_attempts);
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
        !rx_log_level_parse(text(in->log_level), &out->log_level))
        return rx_fail(
            err, RX_INVALID, "unknown log_level %.40s", in->log_level);
    return RX_OK;
}

/* ---- rules --------------------------------------------------------------- */

#define CONDITION_DEPTH 8

static enum rx_code
read_condition(const Routex__Condition *in, unsigned depth,
    struct rx_arena *arena, struct condition *out, struct rx_err *err)
{
    *out = (struct condition){
        .texts = texts(arena, in->texts, in->n_texts),
        .text_count = in->n_texts,
        .numbers = in->numbers,
        .number_count = in->n_numbers,
        .parts = rx_arena_make(arena, struct condition, in->n_parts),
        .part_count = in->n_parts,
    };
    if (out->texts == NULL || out->parts == NULL)
        return no_room(err);
    if (!condition_find(text(in->kind), &out->kind))
        return rx_fail(err, RX_INVALID, "unknown condition %.40s", in->kind);
    if (depth == CONDITION_DEPTH)
        return rx_fail(err, RX_INVALID, "conditions nest too deep");
    for (size_t i = 0; i < in->n_parts; i++) {
        enum rx_code code =
            read_condition(in->parts[i], depth + 1, arena, &out->parts[i], err);
        if (code != RX_OK)
            return code;
    }
    return condition_compile(out, arena, err);
}

static enum rx_code
read_hop(const Routex__Hop *in, struct rx_arena *arena, struct hop *out,
    struct rx_err *err)
{
    *out = (struct hop){
        .channels = texts(arena, in->channels, in->n_channels),
        .channel_count = in->n_channels,
        .weights = in->n_weights > 0 ? in->weights : NULL,
        .tag = text(in->tag),
        .model = text(in->model),
    };
    if (out->channels == NULL)
        return no_room(err);
    if (in->n_weights > 0 && in->n_weights != in->n_channels)
        return rx_fail(err, RX_INVALID, "a weight is missing");
    return RX_OK;
}

enum rx_code
wire_read_rule(
    rx_str packed, struct rx_arena *arena, struct rule *out, struct rx_err *err)
{
    UNPACK(in, Routex__Rule, routex__rule);
    if (in == NULL || in->condition == NULL)
        return bad_bytes(err);

    struct hop *hops = rx_arena_make(arena, struct hop, in->n_hops);
    *out = (struct rule){
        .id = text(in->id),
        .name = text(in->name),
        .type = text(in->type),
        .enabled = in->enabled,
        .strict = in->strict,
        .priority = in->priority,
        .created_ms = in->created_ms,
        .condition = rx_arena_make(arena, struct condition, 1),
        .hops = hops,
        .hop_count = in->n_hops,
        .has_strategy = in->strategy[0] != '\0',
    };
    if (out->has_strategy && !strategy_find(text(in->strategy), &out->strategy))
        return rx_fail(
            err, RX_INVALID, "no usable strategy %.40s", in->strategy);
    if (hops == NULL || out->condition == NULL)
        return no_room(err);
    enum rx_code code =
        read_condition(in->condition, 0, arena, out->condition, err);
    if (code == RX_OK)
        code = transform_build(
            text(in->transformers), arena, &out->transformers, err);
    for (size_t i = 0; code == RX_OK && i < in->n_hops; i++)
        code = read_hop(in->hops[i], arena, &hops[i], err);
    return code;
}

enum rx_code
wire_read_function(rx_str packed, struct rx_arena *arena, struct function *out,
    struct rx_err *err)
{
    UNPACK(in, Routex__Function, routex__function);
    if (in == NULL)
        return bad_bytes(err);

    *out = (struct function){ .id = text(in->id), .name = text(in->name) };
    return function_compile(out, text(in->source), arena, err);
}

/* ---- heartbeat and ack ------------------------------------------------- */

bool
wire_read_heartbeat(rx_str packed, rx_str plane, struct wire_heartbeat *out)
{
    Routex__Heartbeat *in = routex__heartbeat__unpack(
        NULL, packed.len, (const uint8_t *)packed.ptr);
    bool ok = in != NULL && in->digest.len == sizeof(out->digest.bytes);

    *out = (struct wire_heartbeat){ 0 };
    if (ok) {
        out->epoch = in->epoch;
        out->version = in->version;
        memcpy(out->digest.bytes, in->digest.data, sizeof(out->digest.bytes));
        for (size_t i = 0; i < in->n_planes; i++)
            out->hears_us =
                out->hears_us ||
                rx_str_eq(
                    (rx_str){ in->planes[i], strlen(in->planes[i]) }, plane);
    }
    routex__heartbeat__free_unpacked(in, NULL);
    return ok;
}

bool
wire_read_ack(rx_str packed, struct wire_ack *out)
{
    Routex__Ack *in =
        routex__ack__unpack(NULL, packed.len, (const uint8_t *)packed.ptr);

    *out = (struct wire_ack){ 0 };
    if (in == NULL)
        return false;
    *out = (struct wire_ack){ in->boot, in->seq };
    routex__ack__free_unpacked(in, NULL);
    return true;
}

/* ---- going up ---------------------------------------------------------- */

static bool
pack(struct rx_buf *out, const ProtobufCMessage *m)
{
    size_t size = protobuf_c_message_get_packed_size(m);
    char *room = rx_buf_room(out, size);

    if (room == NULL)
        return false;
    protobuf_c_message_pack(m, (uint8_t *)room);
    rx_buf_grew(out, size);
    return true;
}

/* protobuf-c wants strings it could change, and blobs likewise. */
static char *
own(const char *s)
{
    return s != NULL ? (char *)(uintptr_t)s : (char *)(uintptr_t) "";
}

static ProtobufCBinaryData
as_blob(const void *bytes, size_t len)
{
    return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)bytes };
}

/* A copy with a NUL, cut to what a record may hold. */
static char *
copy(struct rx_arena *arena, rx_str s)
{
    if (s.len > WIRE_TEXT_MAX)
        s.len = WIRE_TEXT_MAX;
    char *at = rx_arena_alloc(arena, s.len + 1);
    assert(at != NULL);
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    return at;
}

bool
wire_add_hello(struct rx_buf *out, const struct wire_hello *h)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__Hello m;
    size_t n = h->rejected_count < 1000 ? h->rejected_count : 1000;
    Routex__Rejected *items = rx_arena_make(arena, Routex__Rejected, n);

    routex__hello__init(&m);
    m.rejected = rx_arena_make(arena, Routex__Rejected *, n);
    m.n_rejected = n;
    for (size_t i = 0; i < n; i++) {
        routex__rejected__init(&items[i]);
        items[i].kind = copy(arena, h->rejected[i].kind);
        items[i].id = copy(arena, h->rejected[i].id);
        items[i].name = copy(arena, h->rejected[i].name);
        items[i].reason = copy(arena, h->rejected[i].reason);
        m.rejected[i] = &items[i];
    }
    m.plane = own(h->plane);
    m.boot = h->boot;
    m.software = own("routex-data " ROUTEX_VERSION);
    m.wire_version = RX_WIRE_MAJOR << 8 | RX_WIRE_MINOR;
    m.epoch = h->epoch;
    m.version = h->version;
    m.digest = as_blob(h->digest.bytes, sizeof(h->digest.bytes));
    m.want_snapshot = h->want_snapshot;
    m.leaving = h->leaving;
    m.ops_url = own(h->ops_url);
    m.client_url = own(h->client_url);
    m.started_ms = h->started_ms;
    m.requests = h->requests;
    m.active = h->active;
    m.journal_bytes = h->journal_bytes;
    m.journal_records = h->journal_records;
    m.journal_dropped = h->journal_dropped;
    m.rss_bytes = h->rss_bytes;
    bool ok = pack(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_add_batch(struct rx_buf *out, const struct wire_batch *batch)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__UsageBatch m;

    routex__usage_batch__init(&m);
    m.plane = own(batch->plane);
    m.boot = batch->boot;
    m.first_seq = batch->first_seq;
    m.last_seq = batch->last_seq;
    m.oldest_seq = batch->oldest_seq;
    m.dropped = batch->dropped;
    m.n_records = batch->record_count;
    m.records = rx_arena_make(arena, ProtobufCBinaryData, batch->record_count);
    assert(m.records != NULL);
    for (size_t i = 0; i < batch->record_count; i++)
        m.records[i] = as_blob(batch->records[i].ptr, batch->records[i].len);
    bool ok = pack(out, &m.base);
    rx_arena_free(arena);
    return ok;
}
