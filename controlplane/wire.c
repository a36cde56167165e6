#include "controlplane/wire.h"

#include <assert.h>
#include <string.h>

#include "proto/snapshot.pb-c.h"
#include "proto/sync.pb-c.h"
#include "proto/telemetry.pb-c.h"

#include "controlplane/trouble.h"

#define SCRATCH_MAX ((size_t)64 * 1024 * 1024)

/* Messages are filled in a scratch arena and packed from there. */
#define MAKE(arena, type, n)      make(arena, sizeof(type), n)
#define MAKE_LIST(arena, type, n) ((type **)make(arena, sizeof(type *), n))

static void *
make(struct rx_arena *arena, size_t size, size_t count)
{
    void *p = rx_arena_array(arena, size, count);

    assert(p != NULL);
    return p;
}

static char *
text(struct rx_arena *arena, rx_str s)
{
    char *p = make(arena, 1, s.len + 1);

    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    return p;
}

static char **
texts(struct rx_arena *arena, const rx_str *list, size_t count)
{
    char **out = MAKE_LIST(arena, char, count);

    for (size_t i = 0; i < count; i++)
        out[i] = text(arena, list[i]);
    return out;
}

static ProtobufCBinaryData
blob(const void *bytes, size_t len)
{
    return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)bytes };
}

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

/* ---- items ------------------------------------------------------------- */

static Routex__Timeouts *
timeouts(struct rx_arena *arena, const struct state_timeouts *t)
{
    Routex__Timeouts *m = MAKE(arena, Routex__Timeouts, 1);

    routex__timeouts__init(m);
    m->connect_ms = t->connect_ms;
    m->first_byte_ms = t->first_byte_ms;
    m->first_event_ms = t->first_event_ms;
    m->idle_ms = t->idle_ms;
    m->total_ms = t->total_ms;
    return m;
}

static void
fill_endpoints(
    struct rx_arena *arena, Routex__Channel *m, const struct state_channel *c)
{
    Routex__Endpoint *list = MAKE(arena, Routex__Endpoint, c->endpoint_count);

    m->n_endpoints = c->endpoint_count;
    m->endpoints = MAKE_LIST(arena, Routex__Endpoint, c->endpoint_count);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        routex__endpoint__init(&list[i]);
        list[i].dialect = text(arena, c->endpoints[i].dialect);
        list[i].base_url = text(arena, c->endpoints[i].base_url);
        list[i].auth = text(arena, c->endpoints[i].auth);
        m->endpoints[i] = &list[i];
    }
}

static Routex__HeaderField **
header_fields(
    struct rx_arena *arena, const struct state_header *headers, size_t n)
{
    Routex__HeaderField *list = MAKE(arena, Routex__HeaderField, n);
    Routex__HeaderField **refs = MAKE_LIST(arena, Routex__HeaderField, n);

    for (size_t i = 0; i < n; i++) {
        routex__header_field__init(&list[i]);
        list[i].name = text(arena, headers[i].name);
        list[i].value = text(arena, headers[i].value);
        refs[i] = &list[i];
    }
    return refs;
}

static void
fill_credentials(
    struct rx_arena *arena, Routex__Channel *m, const struct state_channel *c)
{
    size_t n = c->credential_count;
    Routex__Credential *list = MAKE(arena, Routex__Credential, n);

    m->n_credentials = n;
    m->credentials = MAKE_LIST(arena, Routex__Credential, n);
    for (size_t i = 0; i < n; i++) {
        const struct state_credential *from = &c->credentials[i];
        routex__credential__init(&list[i]);
        list[i].id = text(arena, from->id);
        list[i].kind = text(arena, from->kind);
        list[i].secret = blob(from->secret.ptr, from->secret.len);
        list[i].enabled = from->enabled;
        list[i].auth = text(arena, from->auth);
        list[i].n_headers = from->header_count;
        list[i].headers =
            header_fields(arena, from->headers, from->header_count);
        m->credentials[i] = &list[i];
    }
}

static void
fill_models(
    struct rx_arena *arena, Routex__Channel *m, const struct state_channel *c)
{
    Routex__ModelEntry *list = MAKE(arena, Routex__ModelEntry, c->model_count);

    m->n_models = c->model_count;
    m->models = MAKE_LIST(arena, Routex__ModelEntry, c->model_count);
    for (size_t i = 0; i < c->model_count; i++) {
        routex__model_entry__init(&list[i]);
        list[i].name = text(arena, c->models[i].name);
        list[i].upstream = text(arena, c->models[i].upstream);
        m->models[i] = &list[i];
    }
}

static bool
pack_channel(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_channel *c = &item->channel;
    Routex__Channel m;

    routex__channel__init(&m);
    m.id = text(arena, c->id);
    m.name = text(arena, c->name);
    m.type = text(arena, c->type);
    fill_endpoints(arena, &m, c);
    fill_credentials(arena, &m, c);
    fill_models(arena, &m, c);
    m.priority = c->priority;
    m.weight = c->weight;
    m.status = text(arena, c->status);
    m.n_tags = c->tag_count;
    m.tags = texts(arena, c->tags, c->tag_count);
    m.n_headers = c->header_count;
    m.headers = header_fields(arena, c->headers, c->header_count);
    m.timeouts = timeouts(arena, &c->timeouts);
    m.proxy_url = text(arena, c->proxy_url);
    m.ca_file = text(arena, c->ca_file);
    m.transformers = text(arena, c->transformers);
    m.cost_ppm_1 = c->cost_ppm == 1000000 ? 0 : c->cost_ppm + 1;
    return pack(out, &m.base);
}

/* NULL where nothing is limited: older planes then see no difference. */
static Routex__Limits *
limits(struct rx_arena *arena, const struct state_limits *l)
{
    bool any = false;

    for (unsigned k = 0; k < STATE_LIMITS; k++)
        any = any || l->most[k] > 0;
    if (!any)
        return NULL;
    Routex__Limits *m = rx_arena_make(arena, Routex__Limits, 1);
    assert(m != NULL);
    routex__limits__init(m);
    m->requests_per_min = l->most[STATE_LIMIT_REQUESTS];
    m->tokens_per_min = l->most[STATE_LIMIT_TOKENS];
    m->concurrent = l->most[STATE_LIMIT_CONCURRENT];
    m->quota_tokens = l->most[STATE_LIMIT_QUOTA];
    const char *window = rx_window_name(l->window);
    m->quota_window = text(arena, (rx_str){ window, strlen(window) });
    m->budget = l->most[STATE_LIMIT_BUDGET];
    window = rx_window_name(l->budget_window);
    m->budget_window = text(arena, (rx_str){ window, strlen(window) });
    return m;
}

static bool
pack_tenant(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_tenant *t = &item->tenant;
    Routex__Tenant m;

    routex__tenant__init(&m);
    m.id = text(arena, t->id);
    m.name = text(arena, t->name);
    m.enabled = t->enabled;
    m.n_models = t->model_count;
    m.models = texts(arena, t->models, t->model_count);
    m.n_channels = t->channel_count;
    m.channels = texts(arena, t->channels, t->channel_count);
    m.limits = limits(arena, &t->limits);
    m.n_ips = t->ip_count;
    m.ips = texts(arena, t->ips, t->ip_count);
    return pack(out, &m.base);
}

static bool
pack_key(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_key *k = &item->key;
    Routex__ClientKey m;

    routex__client_key__init(&m);
    m.id = text(arena, k->id);
    m.name = text(arena, k->name);
    m.digest = blob(k->digest.bytes, sizeof(k->digest.bytes));
    m.tenant_id = text(arena, k->tenant_id);
    m.enabled = k->enabled;
    m.expires_ms = k->expires_ms;
    if (k->old_until_ms != 0) {
        m.old_digest = blob(k->old_digest.bytes, sizeof(k->old_digest.bytes));
        m.old_until_ms = k->old_until_ms;
    }
    m.may_force_channel = k->may_force_channel;
    m.n_models = k->model_count;
    m.models = texts(arena, k->models, k->model_count);
    m.n_channels = k->channel_count;
    m.channels = texts(arena, k->channels, k->channel_count);
    m.limits = limits(arena, &k->limits);
    m.n_ips = k->ip_count;
    m.ips = texts(arena, k->ips, k->ip_count);
    return pack(out, &m.base);
}

static Routex__Rates *
rates(struct rx_arena *arena, const struct rx_rates *r)
{
    Routex__Rates *m = MAKE(arena, Routex__Rates, 1);

    routex__rates__init(m);
    m->has = r->has;
    m->n = MAKE(arena, uint64_t, RX_RATE_COUNT);
    for (unsigned k = 0; k < RX_RATE_COUNT; k++) {
        if ((r->has >> k & 1) != 0)
            m->n[m->n_n++] = r->n[k];
    }
    return m;
}

static Routex__Price *
price(struct rx_arena *arena, const struct state_price *p)
{
    Routex__Price *m = MAKE(arena, Routex__Price, 1);
    size_t n = p->price->tier_count;

    routex__price__init(m);
    m->n_names = p->name_count;
    m->names = texts(arena, p->names, p->name_count);
    m->set = p->set;
    m->claude = p->price->claude;
    m->web_search = p->price->web_search;
    m->rates = rates(arena, &p->price->base);
    m->n_tiers = n;
    m->tiers = MAKE_LIST(arena, Routex__PriceTier, n);
    for (size_t i = 0; i < n; i++) {
        const struct rx_price_tier *t = &p->price->tiers[i];
        routex__price_tier__init(
            m->tiers[i] = MAKE(arena, Routex__PriceTier, 1));
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
    Routex__CaptureSettings *m = MAKE(arena, Routex__CaptureSettings, 1);
    routex__capture_settings__init(m);
    m->n_tenants = c->tenant_count;
    m->tenants = texts(arena, c->tenants, c->tenant_count);
    m->n_keys = c->key_count;
    m->keys = texts(arena, c->keys, c->key_count);
    m->n_patterns = c->pattern_count;
    m->patterns = texts(arena, c->patterns, c->pattern_count);
    m->max_bytes = c->max_bytes;
    return m;
}

static bool
pack_settings(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_settings *s = &item->settings;
    Routex__Settings m;

    routex__settings__init(&m);
    m.strategy = text(arena, s->strategy);
    m.timeouts = timeouts(arena, &s->timeouts);
    m.max_attempts = s->max_attempts;
    m.strict_translation = s->strict_translation;
    m.max_body_bytes = s->max_body_bytes;
    m.journal_limit_bytes = s->journal_limit_bytes;
    m.journal_full = text(arena, s->journal_full);
    m.capture = capture(arena, &s->capture);
    m.trace_upstream = text(arena, s->trace_upstream);
    m.log_level = text(arena, s->log_level);
    m.breaker = MAKE(arena, Routex__Breaker, 1);
    routex__breaker__init(m.breaker);
    m.breaker->window_ms = s->breaker.window_ms;
    m.breaker->min_samples = s->breaker.min_samples;
    m.breaker->failure_pct = s->breaker.failure_pct;
    m.breaker->in_a_row = s->breaker.in_a_row;
    m.breaker->open_ms = s->breaker.open_ms;
    m.breaker->open_max_ms = s->breaker.open_max_ms;
    m.patience = MAKE(arena, Routex__Patience, 1);
    routex__patience__init(m.patience);
    m.patience->max_wait_ms = s->max_wait_ms;
    m.patience->session_ttl_ms = s->session_ttl_ms;
    m.price_version = s->price_version;
    m.n_prices = s->price_count;
    m.prices = MAKE_LIST(arena, Routex__Price, s->price_count);
    for (size_t i = 0; i < s->price_count; i++)
        m.prices[i] = price(arena, &s->prices[i]);
    return pack(out, &m.base);
}

static Routex__Condition *
condition(struct rx_arena *arena, const struct state_condition *c)
{
    Routex__Condition *m = MAKE(arena, Routex__Condition, 1);

    routex__condition__init(m);
    m->kind = text(arena, c->kind);
    m->n_texts = c->text_count;
    m->texts = texts(arena, c->texts, c->text_count);
    m->n_numbers = c->number_count;
    m->numbers = MAKE(arena, int64_t, c->number_count);
    for (size_t i = 0; i < c->number_count; i++)
        m->numbers[i] = c->numbers[i];
    m->n_parts = c->part_count;
    m->parts = MAKE_LIST(arena, Routex__Condition, c->part_count);
    for (size_t i = 0; i < c->part_count; i++)
        m->parts[i] = condition(arena, &c->parts[i]);
    return m;
}

static void
fill_hops(struct rx_arena *arena, Routex__Rule *m, const struct state_rule *r)
{
    Routex__Hop *list = MAKE(arena, Routex__Hop, r->hop_count);

    m->n_hops = r->hop_count;
    m->hops = MAKE_LIST(arena, Routex__Hop, r->hop_count);
    for (size_t i = 0; i < r->hop_count; i++) {
        const struct state_hop *from = &r->hops[i];
        routex__hop__init(&list[i]);
        list[i].n_channels = from->channel_count;
        list[i].channels = texts(arena, from->channels, from->channel_count);
        list[i].n_weights = from->weights != NULL ? from->channel_count : 0;
        list[i].weights = MAKE(arena, uint32_t, list[i].n_weights);
        for (size_t k = 0; k < list[i].n_weights; k++)
            list[i].weights[k] = from->weights[k];
        list[i].tag = text(arena, from->tag);
        list[i].model = text(arena, from->model);
        m->hops[i] = &list[i];
    }
}

static bool
pack_rule(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_rule *r = &item->rule;
    Routex__Rule m;

    routex__rule__init(&m);
    m.id = text(arena, r->id);
    m.name = text(arena, r->name);
    m.type = text(arena, r->type);
    m.enabled = r->enabled;
    m.priority = r->priority;
    m.created_ms = r->created_ms;
    m.strict = r->strict;
    m.condition = condition(arena, &r->condition);
    fill_hops(arena, &m, r);
    m.strategy = text(arena, r->strategy);
    m.transformers = text(arena, r->transformers);
    m.agent = text(arena, r->agent);
    return pack(out, &m.base);
}

static bool
pack_function(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    Routex__Function m;

    routex__function__init(&m);
    m.id = text(arena, item->function.id);
    m.name = text(arena, item->function.name);
    m.source = text(arena, item->function.source);
    return pack(out, &m.base);
}

bool
wire_pack_item(struct rx_buf *out, const struct state_item *item)
{
    static bool (*const packers[STATE_KINDS])(struct rx_arena * arena,
        struct rx_buf * to, const struct state_item *from) = {
        [STATE_CHANNEL] = pack_channel,
        [STATE_TENANT] = pack_tenant,
        [STATE_KEY] = pack_key,
        [STATE_SETTINGS] = pack_settings,
        [STATE_RULE] = pack_rule,
        [STATE_FUNCTION] = pack_function,
    };
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    bool ok = packers[item->kind](arena, out, item);

    rx_arena_free(arena);
    return ok;
}

/* ---- Snapshot and Delta, field by field -------------------------------- */

static void
put_varint(struct rx_buf *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        rx_buf_addc(out, (char)((v & 0x7f) | 0x80));
    rx_buf_addc(out, (char)v);
}

static void
put_bytes(struct rx_buf *out, unsigned field, rx_str bytes)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, bytes.len);
    rx_buf_add(out, bytes);
}

/* Field numbers in Snapshot and Delta. */
static const struct {
    unsigned char snapshot, delta, deleted;
} numbers[STATE_KINDS] = {
    [STATE_CHANNEL] = { 1, 2, 6 },
    [STATE_TENANT] = { 2, 3, 7 },
    [STATE_KEY] = { 3, 4, 8 },
    [STATE_SETTINGS] = { 4, 5, 0 },
    [STATE_RULE] = { 5, 10, 12 },
    [STATE_FUNCTION] = { 6, 11, 13 },
};

void
wire_put_item(
    struct rx_buf *out, bool delta, enum state_kind kind, rx_str packed)
{
    put_bytes(
        out, delta ? numbers[kind].delta : numbers[kind].snapshot, packed);
}

void
wire_put_deleted(struct rx_buf *delta, enum state_kind kind, rx_str id)
{
    assert(kind != STATE_SETTINGS);
    put_bytes(delta, numbers[kind].deleted, id);
}

void
wire_put_from(struct rx_buf *delta, uint64_t version)
{
    put_varint(delta, 1 << 3);
    put_varint(delta, version);
}

void
wire_put_digest(struct rx_buf *delta, const struct rx_digest *digest)
{
    put_bytes(delta, 9,
        (rx_str){ (const char *)digest->bytes, sizeof(digest->bytes) });
}

bool
wire_pack_heartbeat(struct rx_buf *out, uint64_t epoch, uint64_t version,
    const struct rx_digest *digest, const rx_str *planes, size_t plane_count)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__Heartbeat m;

    routex__heartbeat__init(&m);
    m.epoch = epoch;
    m.version = version;
    m.digest = blob(digest->bytes, sizeof(digest->bytes));
    m.n_planes = plane_count;
    m.planes = texts(arena, planes, plane_count);
    bool ok = pack(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_pack_ack(struct rx_buf *out, uint64_t boot, uint64_t seq)
{
    Routex__Ack m;

    routex__ack__init(&m);
    m.boot = boot;
    m.seq = seq;
    return pack(out, &m.base);
}

/* ---- up ---------------------------------------------------------------- */

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
unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t len,
    struct rx_arena *arena)
{
    ProtobufCAllocator in_arena = { arena_take, arena_leave, arena };

    return protobuf_c_message_unpack(type, &in_arena, len, bytes);
}

#define UNPACK(out, type, descriptor, bytes, len) \
    type *out = (type *)(void *)unpack(           \
        &descriptor##__descriptor, (const uint8_t *)(bytes), len, arena)

static rx_str
view(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

bool
wire_read_hello(rx_str packed, struct rx_arena *arena, struct hello *out)
{
    UNPACK(in, Routex__Hello, routex__hello, packed.ptr, packed.len);
    if (in == NULL)
        return false;
    struct plane_rejected *rejected =
        rx_arena_make(arena, struct plane_rejected, in->n_rejected);
    if (rejected == NULL)
        return false;

    for (size_t i = 0; i < in->n_rejected; i++)
        rejected[i] = (struct plane_rejected){
            .kind = view(in->rejected[i]->kind),
            .id = view(in->rejected[i]->id),
            .name = view(in->rejected[i]->name),
            .reason = view(in->rejected[i]->reason),
        };
    *out = (struct hello){
        .plane = view(in->plane),
        .boot = in->boot,
        .software = view(in->software),
        .epoch = in->epoch,
        .version = in->version,
        .digest = { (const char *)in->digest.data, in->digest.len },
        .rejected = rejected,
        .rejected_count = in->n_rejected,
        .want_snapshot = in->want_snapshot,
        .leaving = in->leaving,
        .ops_url = view(in->ops_url),
        .client_url = view(in->client_url),
        .started_ms = in->started_ms,
        .requests = in->requests,
        .active = in->active,
        .journal_bytes = in->journal_bytes,
        .journal_records = in->journal_records,
        .journal_dropped = in->journal_dropped,
        .rss_bytes = in->rss_bytes,
    };
    return true;
}

static struct usage_counts
read_counts(const Routex__Usage *in)
{
    struct usage_counts out = { 0 };

    if (in == NULL)
        return out;
#define COUNT_FIELD(name)               \
    if (in->has_##name) {               \
        out.has |= 1u << COUNT_##name;  \
        out.n[COUNT_##name] = in->name; \
    }
    STATE_COUNTERS(COUNT_FIELD)
#undef COUNT_FIELD
    out.service_tier = view(in->service_tier);
    out.provenance = view(in->provenance);
    return out;
}

static struct usage_attempt
read_attempt(const Routex__Attempt *in)
{
    return (struct usage_attempt){
        .channel_id = view(in->channel_id),
        .channel = view(in->channel),
        .credential_id = view(in->credential_id),
        .model = view(in->model),
        .status = in->status,
        .code = view(in->code),
        .reason = view(in->reason),
        .start_ms = in->start_ms,
        .connect_ms = in->connect_ms,
        .first_byte_ms = in->first_byte_ms,
        .total_ms = in->total_ms,
        .reused = in->reused,
        .bytes = in->bytes,
        .upstream_request_id = view(in->upstream_request_id),
        .has_usage = in->usage != NULL,
        .usage = read_counts(in->usage),
    };
}

static bool
read_row(const ProtobufCBinaryData *bytes, struct rx_arena *arena,
    struct usage_row *out)
{
    UNPACK(
        in, Routex__UsageRecord, routex__usage_record, bytes->data, bytes->len);
    if (in == NULL)
        return false;
    struct usage_attempt *attempts =
        rx_arena_make(arena, struct usage_attempt, in->n_attempts);
    if (attempts == NULL)
        return false;

    for (size_t i = 0; i < in->n_attempts; i++)
        attempts[i] = read_attempt(in->attempts[i]);
    *out = (struct usage_row){
        .seq = in->seq,
        .request_id = view(in->request_id),
        .started_ms = in->started_ms,
        .tenant_id = view(in->tenant_id),
        .key_id = view(in->key_id),
        .dialect = view(in->dialect),
        .operation = view(in->operation),
        .stream = in->stream,
        .model_requested = view(in->model_requested),
        .model = view(in->model),
        .model_served = view(in->model_served),
        .channel_id = view(in->channel_id),
        .channel = view(in->channel),
        .rule = view(in->rule),
        .trace = view(in->trace),
        .trace_context = { (const char *)in->trace_context.data,
            in->trace_context.len },
        .session = view(in->session),
        .tag = view(in->tag),
        .user_agent = view(in->user_agent),
        .agent = view(in->agent),
        .client_ip = view(in->client_ip),
        .status = in->status,
        .outcome = view(in->outcome),
        .reason = view(in->reason),
        .finish = view(in->finish),
        .ttft_ms = in->ttft_ms,
        .duration_ms = in->duration_ms,
        .request_bytes = in->request_bytes,
        .response_bytes = in->response_bytes,
        .usage = read_counts(in->usage),
        .attempts = attempts,
        .attempt_count = in->n_attempts,
    };
    return true;
}

bool
wire_read_usage(
    rx_str packed, struct rx_arena *arena, struct usage_message *out)
{
    UNPACK(in, Routex__UsageBatch, routex__usage_batch, packed.ptr, packed.len);
    if (in == NULL || in->first_seq == 0 || in->last_seq < in->first_seq)
        return false;
    *out = (struct usage_message){
        .plane = view(in->plane),
        .boot = in->boot,
        .first_seq = in->first_seq,
        .last_seq = in->last_seq,
        .oldest_seq = in->oldest_seq,
        .dropped = in->dropped,
        .rows = rx_arena_make(arena, struct usage_row, in->n_records),
    };
    if (out->rows == NULL)
        return false;

    uint64_t next = in->first_seq;
    for (size_t i = 0; i < in->n_records; i++) {
        struct usage_row *row = &out->rows[out->row_count];
        if (!read_row(&in->records[i], arena, row)) {
            out->unreadable++;
            continue;
        }
        if (row->seq < next || row->seq > in->last_seq)
            return false;
        next = row->seq + 1;
        out->row_count++;
    }
    return true;
}

/* ---- notices ----------------------------------------------------------- */

static void
fill_trouble(struct rx_arena *arena, Routex__Trouble *m,
    const struct trouble *t, uint64_t now)
{
    routex__trouble__init(m);
    m->channel_id = text(arena, t->channel);
    m->credential_id = text(arena, t->credential);
    m->model = text(arena, t->model);
    m->trouble = text(arena, t->kind);
    m->age_ms = now > t->noted_ms ? now - t->noted_ms : 0;
    m->until_changed = t->until_ms == UINT64_MAX;
    m->left_ms = !m->until_changed && t->until_ms > now ? t->until_ms - now : 0;
    m->secret = t->secret;
}

static void
fill_cleared(struct rx_arena *arena, Routex__Cleared *m,
    const struct trouble_cleared *c, uint64_t now)
{
    routex__cleared__init(m);
    m->channel_id = text(arena, c->channel);
    m->credential_id = text(arena, c->credential);
    m->model = text(arena, c->model);
    m->age_ms = now > c->before_ms ? now - c->before_ms : 0;
    m->reset = c->reset;
}

bool
wire_pack_notice(
    struct rx_buf *out, const struct trouble_report *all, uint64_t now)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    size_t n = all->trouble_count;
    size_t k = all->cleared_count;
    Routex__Trouble *troubles = MAKE(arena, Routex__Trouble, n);
    Routex__Cleared *cleared = MAKE(arena, Routex__Cleared, k);
    Routex__ChannelNotice m;

    routex__channel_notice__init(&m);
    m.n_troubles = n;
    m.troubles = MAKE_LIST(arena, Routex__Trouble, n);
    m.n_cleared = k;
    m.cleared = MAKE_LIST(arena, Routex__Cleared, k);
    for (size_t i = 0; i < n; i++) {
        fill_trouble(arena, &troubles[i], &all->troubles[i], now);
        m.troubles[i] = &troubles[i];
    }
    for (size_t i = 0; i < k; i++) {
        fill_cleared(arena, &cleared[i], &all->cleared[i], now);
        m.cleared[i] = &cleared[i];
    }
    bool ok = pack(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_read_channel_report(rx_str packed, uint64_t now, struct rx_arena *arena,
    struct trouble_report *out)
{
    UNPACK(in, Routex__ChannelReport, routex__channel_report, packed.ptr,
        packed.len);
    if (in == NULL)
        return false;
    *out = (struct trouble_report){
        .plane = view(in->plane),
        .troubles = rx_arena_make(arena, struct trouble, in->n_troubles + 1),
        .cleared =
            rx_arena_make(arena, struct trouble_cleared, in->n_cleared + 1),
    };
    if (out->troubles == NULL || out->cleared == NULL)
        return false;
    for (size_t i = 0; i < in->n_troubles; i++) {
        const Routex__Trouble *t = in->troubles[i];
        out->troubles[out->trouble_count++] = (struct trouble){
            .channel = view(t->channel_id),
            .credential = view(t->credential_id),
            .model = view(t->model),
            .kind = view(t->trouble),
            .noted_ms = now > t->age_ms ? now - t->age_ms : 0,
            .until_ms = t->until_changed ? UINT64_MAX : now + t->left_ms,
            .secret = t->secret,
        };
    }
    for (size_t i = 0; i < in->n_cleared; i++) {
        const Routex__Cleared *c = in->cleared[i];
        out->cleared[out->cleared_count++] =
            (struct trouble_cleared){ .channel = view(c->channel_id),
                .credential = view(c->credential_id),
                .model = view(c->model),
                .before_ms = now > c->age_ms ? now - c->age_ms : 0 };
    }
    return true;
}

bool
wire_is_pin_report(rx_str packed, rx_str plane)
{
    Routex__PinReport *in = routex__pin_report__unpack(
        NULL, packed.len, (const uint8_t *)packed.ptr);
    bool ok = in != NULL && rx_str_eq(view(in->plane), plane);

    routex__pin_report__free_unpacked(in, NULL);
    return ok;
}
