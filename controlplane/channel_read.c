/*
 * Channels as people write them.
 */
#include <string.h>

#include "controlplane/channel_parts.h"
#include "controlplane/provider.h"
#include "shared/header_rule.h"
#include "shared/money.h"
#include "shared/transformers.h"

#define COST_PPM_MAX   ((uint64_t)1000 * 1000000)
#define MODELS_MAX     1000
#define HEADERS_MAX    32
#define PRIORITY_MAX   1000000
#define WEIGHT_MAX     1000
#define MODEL_NAME_MAX 256

static const char *const statuses[] = { "enabled", "disabled", "paused", NULL };
static const char *const shown_only[] = { "id", "created_at", "updated_at",
    "availability", "health", "windows", "dialects", "effective_endpoints",
    "effective_transformers", NULL };

/* What the account charges of the list price; "0" is a flat rate. */
static void
read_cost(struct channel *ch, rx_json body, enum field_mode mode)
{
    rx_json v = rx_json_member(body, "cost_multiplier");
    uint64_t ppm;

    if (mode != FIELD_PATCH || rx_json_kind(v) == RX_JSON_NULL)
        ch->cost_ppm = 1000000;
    if (rx_json_kind(v) <= RX_JSON_NULL)
        return;
    if (!rx_decimal_read(v, 6, &ppm) || ppm > COST_PPM_MAX)
        rx_json_wrong_member(body, "cost_multiplier",
            "must be a number from 0 to 1000, as in \"0.8\"");
    else
        ch->cost_ppm = ppm;
}

static void
read_model(struct channel *ch, rx_json v)
{
    struct state_model *m = &ch->models[ch->model_count];

    *m = (struct state_model){ .name = rx_json_str(v) };
    if (rx_json_kind(v) == RX_JSON_OBJECT) {
        rx_json_need_str(v, "name", &m->name);
        rx_json_get_str(v, "upstream", &m->upstream);
        rx_json_no_more(v);
    } else if (!rx_json_want(v, RX_JSON_STRING)) {
        return;
    }
    if (m->name.len == 0 || m->name.len > MODEL_NAME_MAX ||
        m->upstream.len > MODEL_NAME_MAX)
        rx_json_wrong(
            v, "must be a name or a pattern of 1 to %d bytes", MODEL_NAME_MAX);
    if (memchr(m->upstream.ptr == NULL ? "" : m->upstream.ptr, '*',
            m->upstream.len) != NULL)
        rx_json_wrong_member(v, "upstream", "must be a name, not a pattern");
    ch->model_count++;
}

static void
read_models(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    rx_json list;

    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "models")))
        return;
    ch->model_count = 0;
    if (!rx_json_get_array(body, "models", &list))
        return;
    size_t count = rx_json_count(list);
    if (count > MODELS_MAX) {
        rx_json_wrong(list, "must have at most %d elements", MODELS_MAX);
        return;
    }
    ch->models = field_make(arena, struct state_model, count);
    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        read_model(ch, v);
}

static void
read_headers(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    rx_json map;

    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "headers")))
        return;
    ch->header_count = 0;
    if (!rx_json_get_object(body, "headers", &map))
        return;
    if (rx_json_count(map) > HEADERS_MAX) {
        rx_json_wrong(map, "must have at most %d members", HEADERS_MAX);
        return;
    }
    ch->headers = field_make(arena, struct state_header, HEADERS_MAX);
    for (rx_json v = rx_json_first(map); rx_json_there(v);
         v = rx_json_next(v)) {
        if (!rx_json_want(v, RX_JSON_STRING))
            return;
        const char *wrong = rx_header_refuse(rx_json_name(v), rx_json_str(v));
        if (wrong != NULL)
            rx_json_wrong(v, "%s", wrong);
        ch->headers[ch->header_count++] =
            (struct state_header){ rx_json_name(v), rx_json_str(v) };
    }
}

static void
read_timeouts(struct channel *ch, rx_json body, enum field_mode mode)
{
    rx_json v;

    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "timeouts")))
        return;
    ch->timeouts = (struct state_timeouts){ 0 };
    if (!rx_json_get_object(body, "timeouts", &v))
        return;
    field_read_seconds(v, "connect_s", &ch->timeouts.connect_ms);
    field_read_seconds(v, "first_byte_s", &ch->timeouts.first_byte_ms);
    field_read_seconds(v, "first_event_s", &ch->timeouts.first_event_ms);
    field_read_seconds(v, "idle_s", &ch->timeouts.idle_ms);
    field_read_seconds(v, "total_s", &ch->timeouts.total_ms);
    rx_json_no_more(v);
}

static void
read_health_check(struct channel *ch, rx_json body, enum field_mode mode)
{
    bool enabled = true;
    rx_json v;

    if (mode == FIELD_PATCH &&
        !rx_json_there(rx_json_member(body, "health_check")))
        return;
    ch->unchecked = false;
    ch->health_every_ms = 0;
    if (!rx_json_get_object(body, "health_check", &v))
        return;
    rx_json_get_bool(v, "enabled", &enabled);
    bool given =
        rx_json_kind(rx_json_member(v, "interval_s")) == RX_JSON_NUMBER;
    field_read_seconds(v, "interval_s", &ch->health_every_ms);
    if (given && ch->health_every_ms < 1000)
        rx_json_wrong_member(v, "interval_s", "must be at least 1");
    rx_json_no_more(v);
    ch->unchecked = !enabled;
}

/*
 * A channel that needs a key may wait for it, disabled: its keys were left out
 * of a document, or cannot be opened any more.
 */
static void
check_keys(struct channel *ch, const struct provider *p, rx_json body)
{
    if (!p->key_required || ch->key_count > 0)
        return;
    if (ch->missing_keys > 0)
        ch->status = RX_S("disabled");
    if (!rx_str_eq(ch->status, RX_S("disabled")))
        rx_json_wrong_member(
            body, "api_key", "is required for type \"%s\"", p->type);
}

static void
check_whole(struct channel *ch, rx_json body)
{
    const struct provider *p = provider_find(ch->type);

    if (p == NULL)
        return;
    bool addressed = ch->endpoint_count > 0 || ch->base_url.len > 0 ||
                     p->base_url[0] != '\0';
    if (!addressed)
        rx_json_wrong_member(
            body, "base_url", "is required for type \"%s\"", p->type);
    if (ch->endpoint_count == 0 && p->endpoints[0].dialect == NULL)
        rx_json_wrong_member(
            body, "endpoints", "is required for type \"%s\"", p->type);
    check_keys(ch, p, body);
}

static void
read_type(struct channel *ch, rx_json body, enum field_mode mode)
{
    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "type")))
        return;
    if (rx_json_need_str(body, "type", &ch->type) &&
        provider_find(ch->type) == NULL)
        rx_json_wrong_member(body, "type",
            "is not a known provider; GET /api/providers lists them");
}

static void
read_numbers(struct channel *ch, rx_json body)
{
    rx_json_get_i64(
        body, "priority", -PRIORITY_MAX, PRIORITY_MAX, &ch->priority);
    rx_json_get_u64(body, "weight", 1, WEIGHT_MAX, &ch->weight);
    field_read_word(body, "status", statuses, &ch->status);
}

/* PUT: what may be left out goes back to its default; keys stay. */
static void
reset_for_replace(struct channel *ch)
{
    ch->base_url = ch->proxy_url = ch->ca_file = (rx_str){ 0 };
    ch->status = RX_S("enabled");
    ch->priority = 100;
    ch->weight = 1;
}

void
channel_read(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    rx_str proxy = ch->proxy_url;
    if (mode == FIELD_REPLACE)
        reset_for_replace(ch);
    field_read_name(body, mode, true, &ch->name);
    read_type(ch, body, mode);
    if (rx_json_kind(rx_json_member(body, "base_url")) == RX_JSON_NULL)
        ch->base_url = (rx_str){ 0 };
    channel_read_url(body, "base_url", &ch->base_url);
    channel_read_endpoints(ch, body, mode, arena);
    channel_read_keys(ch, body, arena);
    read_models(ch, body, mode, arena);
    read_numbers(ch, body);
    field_read_list(body, "tags", mode, 64, arena, &ch->tags);
    read_headers(ch, body, mode, arena);
    read_timeouts(ch, body, mode);
    read_cost(ch, body, mode);
    read_health_check(ch, body, mode);
    if (rx_json_there(rx_json_member(body, "proxy_url")))
        ch->proxy_url = proxy;
    channel_read_proxy(ch, body, arena);
    channel_read_ca_file(ch, body);
    channel_read_transformers(ch, body, mode, arena);
    field_refuse_unsupported(body, "limits");
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
    if (mode != FIELD_PATCH ||
        rx_json_there(rx_json_member(body, "transformers")))
        channel_fill_account_step(ch, body, arena);
    check_whole(ch, body);
}
