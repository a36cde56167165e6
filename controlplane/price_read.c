#include "controlplane/price_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/field.h"
#include "shared/money.h"

#define TIERS_MAX     24
#define PER_TOKEN     12 /* dollars per token to pico-dollars */
#define PER_MILLION   6  /* dollars per million tokens */
#define LITELLM_SHARE 2 /* of the first … models, so many must look like it */

/* A price while it is read: tiers are found in any order. */
struct draft {
    struct rx_rates base;
    struct rx_price_tier tiers[TIERS_MAX];
    size_t count;
    uint64_t web_search;
};

static const struct {
    const char *theirs, *ours;
} providers[] = {
    { "google", "gemini" },
    { "google-vertex", "gemini" },
    { "vertex_ai", "gemini" },
    { "vertex_ai-language-models", "gemini" },
    { "moonshot", "kimi" },
    { "moonshotai", "kimi" },
    { "dashscope", "qwen" },
    { "alibaba", "qwen" },
    { "zai", "zhipu" },
    { "z-ai", "zhipu" },
    { "zhipuai", "zhipu" },
    { "together_ai", "together" },
    { "togetherai", "together" },
    { "fireworks_ai", "fireworks" },
    { "fireworks-ai", "fireworks" },
    { "azure_ai", "azure" },
    { "azure_text", "azure" },
};

rx_str
price_provider(rx_str name)
{
    for (size_t i = 0; i < RX_COUNT(providers); i++) {
        if (rx_str_eq(name, field_text(providers[i].theirs)))
            return field_text(providers[i].ours);
    }
    return name;
}

static void
set_rate(struct rx_rates *r, enum rx_rate k, uint64_t n)
{
    if (n > RX_RATE_MOST)
        return;
    r->has |= 1u << k;
    r->n[k] = n;
}

/* The tier's rates; NULL when there are too many. */
static struct rx_rates *
tier_of(struct draft *d, enum rx_service service, uint64_t over)
{
    if (service == RX_SERVICE_STANDARD && over == 0)
        return &d->base;
    for (size_t i = 0; i < d->count; i++) {
        if (d->tiers[i].service == service && d->tiers[i].over == over)
            return &d->tiers[i].rates;
    }
    if (d->count == TIERS_MAX)
        return NULL;
    d->tiers[d->count] =
        (struct rx_price_tier){ .service = service, .over = over };
    return &d->tiers[d->count++].rates;
}

static int
by_size(const void *a, const void *b)
{
    const struct rx_price_tier *x = a;
    const struct rx_price_tier *y = b;

    return (x->over > y->over) - (x->over < y->over);
}

static bool
holds(rx_str text, const char *word)
{
    char pattern[32];

    snprintf(pattern, sizeof(pattern), "*%s*", word);
    return rx_str_fits(text, field_text(pattern));
}

static void
finish(struct draft *d, rx_str name, rx_str provider, struct rx_arena *arena,
    struct rx_price *out)
{
    *out = (struct rx_price){ .base = d->base,
        .tier_count = d->count,
        .claude = holds(name, "claude"),
        .web_search = d->web_search };
    if (d->count == 0)
        return;
    struct rx_price_tier *kept =
        field_make(arena, struct rx_price_tier, d->count);
    for (size_t i = 0; i < d->count; i++) {
        kept[i] = d->tiers[i];
        kept[i].inclusive = rx_str_eq(provider, RX_S("xai"));
    }
    qsort(kept, d->count, sizeof(*kept), by_size);
    out->tiers = kept;
}

/* Nobody can be billed by a price that knows no tokens. */
static bool
is_of_use(const struct draft *d)
{
    return (d->base.has & (1u << RX_RATE_IN | 1u << RX_RATE_OUT)) != 0;
}

/* How many models there may be in it. */
static size_t
most_models(rx_json root, const char *format)
{
    size_t count = 0;

    if (format[0] == 'l')
        count = rx_json_count(root);
    else if (format[0] == 'r')
        count = rx_json_count(rx_json_find(root, "models"));
    for (rx_json p = rx_json_first(root); format[0] == 'm' && rx_json_there(p);
         p = rx_json_next(p))
        count += rx_json_count(rx_json_find(p, "models"));
    return count < PRICE_MODELS_MAX ? count : PRICE_MODELS_MAX;
}

static void
add(struct price_list *list, rx_str name, rx_str provider, struct draft *d,
    struct rx_arena *arena)
{
    if (!is_of_use(d) || list->count == list->room || name.len == 0 ||
        name.len > RX_MODEL_NAME_MAX)
        return;
    struct price_item *item = &list->items[list->count++];
    item->name = name;
    item->provider = price_provider(provider);
    finish(d, name, item->provider, arena, &item->price);
}

/* ---- LiteLLM -------------------------------------------------------------- */

static const struct {
    const char *key;
    enum rx_rate rate;
} litellm_keys[] = {
    { "input_cost_per_token", RX_RATE_IN },
    { "output_cost_per_token", RX_RATE_OUT },
    { "output_cost_per_reasoning_token", RX_RATE_REASONING },
    { "cache_read_input_token_cost", RX_RATE_CACHE_READ },
    { "input_cost_per_token_cache_hit", RX_RATE_CACHE_READ },
    { "cache_creation_input_token_cost", RX_RATE_WRITE_5M },
    { "cache_creation_input_token_cost_above_1hr", RX_RATE_WRITE_1H },
    { "input_cost_per_audio_token", RX_RATE_AUDIO_IN },
    { "output_cost_per_audio_token", RX_RATE_AUDIO_OUT },
    { "input_cost_per_image_token", RX_RATE_IMAGE_IN },
    { "output_cost_per_image_token", RX_RATE_IMAGE_OUT },
};

static bool
take_end(rx_str *s, const char *end)
{
    size_t n = strlen(end);

    if (s->len <= n || memcmp(s->ptr + s->len - n, end, n) != 0)
        return false;
    s->len -= n;
    return true;
}

static enum rx_service
take_service(rx_str *key)
{
    if (take_end(key, "_priority"))
        return RX_SERVICE_PRIORITY;
    if (take_end(key, "_flex"))
        return RX_SERVICE_FLEX;
    return take_end(key, "_batches") ? RX_SERVICE_BATCH : RX_SERVICE_STANDARD;
}

/* "…_above_200k_tokens"; 0: no such end. */
static uint64_t
take_context(rx_str *key)
{
    rx_str s = *key;
    uint64_t n;

    if (!take_end(&s, "k_tokens"))
        return 0;
    size_t at = s.len;
    while (at > 0 && s.ptr[at - 1] >= '0' && s.ptr[at - 1] <= '9')
        at--;
    if (!rx_str_u64((rx_str){ s.ptr + at, s.len - at }, &n) || n > 1000000)
        return 0;
    s.len = at;
    if (!take_end(&s, "_above_"))
        return 0;
    *key = s;
    return n * 1000;
}

static void
take_litellm_rate(struct draft *d, rx_str key, rx_json value, uint64_t over)
{
    enum rx_service service = take_service(&key);
    uint64_t n, context = take_context(&key);

    for (size_t i = 0; i < RX_COUNT(litellm_keys); i++) {
        if (!rx_str_eq(key, field_text(litellm_keys[i].key)) ||
            !rx_decimal_read(value, PER_TOKEN, &n))
            continue;
        struct rx_rates *r = tier_of(d, service, context > 0 ? context : over);
        if (r != NULL)
            set_rate(r, litellm_keys[i].rate, n);
        return;
    }
}

static void
take_members(struct draft *d, rx_json record, uint64_t over)
{
    for (rx_json v = rx_json_first(record); rx_json_there(v);
         v = rx_json_next(v))
        take_litellm_rate(d, rx_json_name(v), v, over);
}

/* "tiered_pricing": [{"range":[a,b],"input_cost_per_token":…},…] */
static void
take_ranges(struct draft *d, rx_json list)
{
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        double low = rx_json_number(rx_json_find(v, "range.0"));
        if (low >= 0 && low < 1e12)
            take_members(d, v, (uint64_t)low);
    }
}

static void
read_litellm_model(
    struct price_list *list, rx_json record, struct rx_arena *arena)
{
    struct draft d = { 0 };
    rx_str name = rx_json_name(record);

    if (rx_json_kind(record) != RX_JSON_OBJECT ||
        rx_str_eq(name, RX_S("sample_spec")))
        return;
    take_members(&d, record, 0);
    take_ranges(&d, rx_json_find(record, "tiered_pricing"));
    (void)rx_decimal_read(
        rx_json_find(
            record, "search_context_cost_per_query.search_context_size_medium"),
        PER_TOKEN, &d.web_search);
    add(list, name, rx_json_str(rx_json_find(record, "litellm_provider")), &d,
        arena);
}

static void
read_litellm(struct price_list *list, rx_json root, struct rx_arena *arena)
{
    for (rx_json v = rx_json_first(root); rx_json_there(v); v = rx_json_next(v))
        read_litellm_model(list, v, arena);
}

/* ---- models.dev ----------------------------------------------------------- */

static const struct {
    const char *key;
    enum rx_rate rate;
} modelsdev_keys[] = {
    { "input", RX_RATE_IN },
    { "output", RX_RATE_OUT },
    { "reasoning", RX_RATE_REASONING },
    { "cache_read", RX_RATE_CACHE_READ },
    { "cache_write", RX_RATE_WRITE_5M },
    { "input_audio", RX_RATE_AUDIO_IN },
    { "output_audio", RX_RATE_AUDIO_OUT },
};

static void
take_modelsdev_rates(struct draft *d, rx_json cost, uint64_t over)
{
    struct rx_rates *r = tier_of(d, RX_SERVICE_STANDARD, over);
    uint64_t n;

    for (size_t i = 0; r != NULL && i < RX_COUNT(modelsdev_keys); i++) {
        if (rx_decimal_read(
                rx_json_find(cost, modelsdev_keys[i].key), PER_MILLION, &n))
            set_rate(r, modelsdev_keys[i].rate, n);
    }
}

static void
take_modelsdev_tiers(struct draft *d, rx_json cost)
{
    rx_json old = rx_json_find(cost, "context_over_200k");

    if (rx_json_kind(old) == RX_JSON_OBJECT)
        take_modelsdev_rates(d, old, 200000);
    for (rx_json v = rx_json_first(rx_json_find(cost, "tiers"));
         rx_json_there(v); v = rx_json_next(v)) {
        uint64_t size;
        if (rx_str_eq(
                rx_json_str(rx_json_find(v, "tier.type")), RX_S("context")) &&
            rx_json_u64(rx_json_find(v, "tier.size"), &size) && size > 0)
            take_modelsdev_rates(d, v, size);
    }
}

static void
read_modelsdev_model(struct price_list *list, rx_str provider, rx_json model,
    struct rx_arena *arena)
{
    rx_json cost = rx_json_find(model, "cost");
    struct draft d = { 0 };
    char name[RX_MODEL_NAME_MAX + 1];

    if (rx_json_kind(cost) != RX_JSON_OBJECT)
        return;
    take_modelsdev_rates(&d, cost, 0);
    take_modelsdev_tiers(&d, cost);
    rx_str ours = price_provider(provider);
    int n = snprintf(name, sizeof(name), RX_STR_FMT "/" RX_STR_FMT,
        RX_STR_ARG(ours), RX_STR_ARG(rx_json_name(model)));
    if (n > 0 && (size_t)n < sizeof(name))
        add(list, field_keep(arena, (rx_str){ name, (size_t)n }), ours, &d,
            arena);
}

static void
read_modelsdev(struct price_list *list, rx_json root, struct rx_arena *arena)
{
    for (rx_json p = rx_json_first(root); rx_json_there(p);
         p = rx_json_next(p)) {
        for (rx_json m = rx_json_first(rx_json_find(p, "models"));
             rx_json_there(m); m = rx_json_next(m))
            read_modelsdev_model(list, rx_json_name(p), m, arena);
    }
}

/* ---- our own -------------------------------------------------------------- */

/* A member of its own form; a fault when it is no amount of money. */
static void
take_amount(rx_json from, const char *name, struct rx_rates *r, enum rx_rate k)
{
    rx_json v = rx_json_member(from, name);
    uint64_t n;

    if (rx_json_kind(v) <= RX_JSON_NULL)
        return;
    if (!rx_decimal_read(v, PER_MILLION, &n) || n > RX_RATE_MOST)
        rx_json_wrong_member(
            from, name, "must be dollars per million tokens, as in \"3.75\"");
    else
        set_rate(r, k, n);
}

static void
take_rates(rx_json from, struct rx_rates *r)
{
    for (unsigned k = 0; k < RX_RATE_COUNT; k++)
        take_amount(from, rx_rate_name((enum rx_rate)k), r, (enum rx_rate)k);
}

static void
take_tiers(rx_json from, struct draft *d, enum rx_service service)
{
    rx_json list;

    if (!rx_json_get_array(from, "tiers", &list))
        return;
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        uint64_t over = 0;
        if (!rx_json_want(v, RX_JSON_OBJECT))
            return;
        if (!rx_json_get_u64(v, "over", 1, 1000000000, &over)) {
            rx_json_wrong_member(v, "over", "is needed: tokens of the prompt");
            return;
        }
        struct rx_rates *r = tier_of(d, service, over);
        if (r == NULL) {
            rx_json_wrong(v, "is one tier too many");
            return;
        }
        take_rates(v, r);
        rx_json_no_more(v);
    }
}

static void
take_services(rx_json body, struct draft *d)
{
    rx_json all, one;

    if (!rx_json_get_object(body, "service_tiers", &all))
        return;
    for (unsigned s = RX_SERVICE_PRIORITY; s < RX_SERVICE_COUNT; s++) {
        if (!rx_json_get_object(all, rx_service_name((enum rx_service)s), &one))
            continue;
        struct rx_rates *r = tier_of(d, (enum rx_service)s, 0);
        if (r != NULL)
            take_rates(one, r);
        take_tiers(one, d, (enum rx_service)s);
        rx_json_no_more(one);
    }
    rx_json_no_more(all);
}

static void
read_draft(rx_json body, struct draft *d)
{
    rx_json search = rx_json_member(body, "web_search");

    take_rates(body, &d->base);
    take_tiers(body, d, RX_SERVICE_STANDARD);
    take_services(body, d);
    if (rx_json_kind(search) > RX_JSON_NULL &&
        (!rx_decimal_read(search, PER_TOKEN, &d->web_search) ||
            d->web_search > RX_RATE_MOST * 1000))
        rx_json_wrong_member(
            body, "web_search", "must be dollars each, as in \"0.01\"");
}

void
price_read_one(rx_json body, rx_str name, rx_str provider,
    struct rx_arena *arena, struct rx_price *out)
{
    struct draft d = { 0 };

    read_draft(body, &d);
    if (!is_of_use(&d))
        rx_json_wrong_member(
            body, "input", "is needed: dollars per million tokens");
    finish(&d, name, provider, arena, out);
}

static void
read_ours(struct price_list *list, rx_json models, struct rx_arena *arena)
{
    for (rx_json v = rx_json_first(models); rx_json_there(v);
         v = rx_json_next(v)) {
        struct draft d = { 0 };
        rx_str provider = { 0 };
        if (!rx_json_want(v, RX_JSON_OBJECT))
            return;
        (void)rx_json_get_str(v, "provider", &provider);
        read_draft(v, &d);
        rx_json_no_more(v);
        add(list, rx_json_name(v), provider, &d, arena);
    }
}

/* ---- which of them -------------------------------------------------------- */

static bool
has_cost_member(rx_json record)
{
    for (rx_json v = rx_json_first(record); rx_json_there(v);
         v = rx_json_next(v)) {
        if (holds(rx_json_name(v), "_cost"))
            return true;
    }
    return false;
}

static const char *
format_of(rx_json root)
{
    size_t seen = 0, dev = 0, lite = 0;

    if (rx_json_kind(rx_json_find(root, "models")) == RX_JSON_OBJECT &&
        rx_json_kind(rx_json_find(root, "date")) == RX_JSON_STRING)
        return "routex";
    for (rx_json v = rx_json_first(root); rx_json_there(v) && seen < 50;
         v = rx_json_next(v), seen++) {
        dev += rx_json_kind(rx_json_find(v, "models")) == RX_JSON_OBJECT;
        lite += has_cost_member(v);
    }
    if (dev * LITELLM_SHARE > seen)
        return "models.dev";
    return lite > 0 ? "litellm" : NULL;
}

enum rx_code
price_read_file(struct price_list *out, rx_json root, struct rx_arena *arena,
    struct rx_err *err)
{
    *out = (struct price_list){ .format = format_of(root) };
    if (out->format == NULL)
        return rx_fail(err, RX_INVALID,
            "is no price file: neither LiteLLM's "
            "model_prices_and_context_window.json nor models.dev's api.json");
    out->room = most_models(root, out->format);
    out->items = field_make(arena, struct price_item, out->room);
    if (out->format[0] == 'l')
        read_litellm(out, root, arena);
    else if (out->format[0] == 'm')
        read_modelsdev(out, root, arena);
    else
        read_ours(out, rx_json_find(root, "models"), arena);
    if (out->count == 0)
        return rx_fail(err, RX_INVALID, "has no prices of tokens");
    return RX_OK;
}

/* ---- writing -------------------------------------------------------------- */

static void
put_rates(struct rx_json_out *w, const struct rx_rates *r)
{
    for (unsigned k = 0; k < RX_RATE_COUNT; k++) {
        if ((r->has >> k & 1) != 0)
            rx_decimal_put(w, rx_rate_name((enum rx_rate)k), (int64_t)r->n[k],
                PER_MILLION);
    }
}

static void
put_tiers(
    struct rx_json_out *w, const struct rx_price *p, enum rx_service service)
{
    bool open = false;

    for (size_t i = 0; i < p->tier_count; i++) {
        const struct rx_price_tier *t = &p->tiers[i];
        if (t->service != service || t->over == 0)
            continue;
        if (!open)
            rx_json_open_array(w, "tiers");
        open = true;
        rx_json_open_object(w, NULL);
        rx_json_put_u64(w, "over", t->over);
        put_rates(w, &t->rates);
        rx_json_close(w);
    }
    if (open)
        rx_json_close(w);
}

static void
put_service(
    struct rx_json_out *w, const struct rx_price *p, enum rx_service service)
{
    rx_json_open_object(w, rx_service_name(service));
    for (size_t i = 0; i < p->tier_count; i++) {
        if (p->tiers[i].service == service && p->tiers[i].over == 0)
            put_rates(w, &p->tiers[i].rates);
    }
    put_tiers(w, p, service);
    rx_json_close(w);
}

static bool
has_service(const struct rx_price *p, enum rx_service service)
{
    for (size_t i = 0; i < p->tier_count; i++) {
        if (p->tiers[i].service == service)
            return true;
    }
    return false;
}

void
price_put_rates(struct rx_json_out *w, const struct rx_price *p)
{
    bool open = false;

    put_rates(w, &p->base);
    put_tiers(w, p, RX_SERVICE_STANDARD);
    for (unsigned s = RX_SERVICE_PRIORITY; s < RX_SERVICE_COUNT; s++) {
        if (!has_service(p, (enum rx_service)s))
            continue;
        if (!open)
            rx_json_open_object(w, "service_tiers");
        open = true;
        put_service(w, p, (enum rx_service)s);
    }
    if (open)
        rx_json_close(w);
    if (p->web_search > 0)
        rx_decimal_put(w, "web_search", (int64_t)p->web_search, PER_TOKEN);
}
