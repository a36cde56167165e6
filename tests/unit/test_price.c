/*
 * Prices are those that providers published in November 2026; sums were made by
 * hand.
 */
#include "controlplane/field.h"
#include "controlplane/price.h"
#include "controlplane/price_read.h"
#include "shared/money.h"
#include "tests/unit/store_rig.h"

/* What a dollar per million tokens is per token. */
#define M ((uint64_t)1000000)

static uint64_t
decimal(const char *s, unsigned scale)
{
    uint64_t n = 0;

    return rx_decimal_parse((rx_str){ s, strlen(s) }, scale, &n) ? n
                                                                 : UINT64_MAX;
}

static void
decimals_are_read_without_binary_fractions(void)
{
    CHECK_INT(2500, (int64_t)decimal("2.5e-09", 12));
    CHECK_INT(3000000, (int64_t)decimal("3e-06", 12));
    CHECK_INT(3000000, (int64_t)decimal("0.000003", 12));
    CHECK_INT(1, (int64_t)decimal("1e-12", 12));
    CHECK_INT(1, (int64_t)decimal("0.5e-12", 12));
    CHECK_INT(0, (int64_t)decimal("0.49e-12", 12));
    CHECK_INT(28000, (int64_t)decimal("0.028", 6));
    CHECK_INT(75, (int64_t)decimal("7.5E1", 0) - 0);
    CHECK_INT(1000000000001, (int64_t)decimal("1.000000000001", 12));
    static const char *const wrong[] = { "", ".", "-1", "1.", "1e", "e5", "1x",
        "1e400000", "0x10", "1,5", "99999999999999999999" };
    for (size_t i = 0; i < RX_COUNT(wrong); i++)
        CHECK(decimal(wrong[i], 0) == UINT64_MAX);
}

static void
check_format(const char *want, int64_t n, unsigned scale)
{
    char text[RX_DECIMAL_SIZE];

    rx_decimal_format(n, scale, text);
    CHECK_TEXT(want, text);
}

static void
money_is_written_without_needless_zeros(void)
{
    check_format("0", 0, 12);
    check_format("1", RX_USD_PICO, 12);
    check_format("0.000000000001", 1, 12);
    check_format("-0.25", -RX_USD_PICO / 4, 12);
    check_format("1234.5", 1234 * RX_USD_PICO + RX_USD_PICO / 2, 12);
    check_format("100", 100, 0);
    check_format("9223372.036854775807", INT64_MAX, 12);
}

/* ---- sums ------------------------------------------------------------------ */

static const struct rx_price sonnet = {
    .base = { .has = 1u << RX_RATE_IN | 1u << RX_RATE_OUT,
        .n = { [RX_RATE_IN] = 3 * M, [RX_RATE_OUT] = 15 * M } },
    .claude = true,
};

static void
claudes_caches_cost_what_anthropic_says(void)
{
    struct rx_tokens t = { .in_uncached = 1000,
        .cache_read = 100000,
        .write_5m = 2000,
        .write_1h = 3000,
        .out_total = 500 };
    struct rx_cost c = rx_price_cost(&sonnet, &t);

    /* 0.003 + 0.03 + 0.0075 + 0.018 + 0.0075 */
    CHECK_INT(66000000000, c.pico);
    /* 105000 tokens at full price are 0.315; they took 0.0555 */
    CHECK_INT(259500000000, c.saved);
}

static void
a_tier_prices_the_whole_request(void)
{
    static const struct rx_price_tier tiers[] = {
        { .over = 200000,
            .rates = { .has = 1u << RX_RATE_IN | 1u << RX_RATE_OUT |
                              1u << RX_RATE_WRITE_5M,
                .n = { [RX_RATE_IN] = 5 * M / 2,
                    [RX_RATE_OUT] = 15 * M,
                    [RX_RATE_WRITE_5M] = 9 * M } } },
    };
    struct rx_price p = {
        .base = { .has = 1u << RX_RATE_IN | 1u << RX_RATE_OUT |
                         1u << RX_RATE_CACHE_READ,
            .n = { [RX_RATE_IN] = 5 * M / 4,
                [RX_RATE_OUT] = 10 * M,
                [RX_RATE_CACHE_READ] = M / 8 } },
        .tiers = tiers,
        .tier_count = 1,
    };
    struct rx_tokens t = { .in_uncached = 200000, .out_total = 1000 };

    CHECK_INT(250000000000 + 10000000000, rx_price_cost(&p, &t).pico);
    t.in_uncached = 200001; /* one more: all of it, output too */
    CHECK_INT(200001 * (int64_t)(5 * M / 2) + 15000000000,
        rx_price_cost(&p, &t).pico);
    t = (struct rx_tokens){ .in_uncached = 1, .cache_read = 200000 };
    CHECK_INT((int64_t)(5 * M / 2) + 200000 * (int64_t)(M / 8),
        rx_price_cost(&p, &t).pico);
    /* A price that only the tier has is not used below it. */
    t = (struct rx_tokens){ .write_5m = 1000 };
    CHECK_INT(1000 * (int64_t)(5 * M / 4), rx_price_cost(&p, &t).pico);
    p.base.n[RX_RATE_IN] = 1;
    struct rx_price_tier exactly = tiers[0];
    exactly.inclusive = true;
    p.tiers = &exactly;
    t = (struct rx_tokens){ .in_uncached = 200000 };
    CHECK_INT(200000 * (int64_t)(5 * M / 2), rx_price_cost(&p, &t).pico);
}

static void
parts_of_the_tokens_are_repriced(void)
{
    struct rx_price p = {
        .base = { .has = 0xFFFF,
            .n = { [RX_RATE_IN] = 10,
                [RX_RATE_OUT] = 100,
                [RX_RATE_REASONING] = 1000,
                [RX_RATE_AUDIO_IN] = 70,
                [RX_RATE_AUDIO_OUT] = 200,
                [RX_RATE_IMAGE_IN] = 20,
                [RX_RATE_IMAGE_OUT] = 300 } },
        .web_search = 5,
    };
    struct rx_tokens t = { .in_uncached = 10,
        .in_audio = 3,
        .in_image = 2,
        .in_tool_use = 1,
        .out_total = 20,
        .out_reasoning = 5,
        .out_audio = 4,
        .out_image = 1,
        .web_searches = 2 };

    /* in: 5*10 + 3*70 + 2*20 + 1*10; out: 10*100 + 5*1000 + 4*200 + 300 */
    CHECK_INT(310 + 7100 + 10, rx_price_cost(&p, &t).pico);
    t.in_audio = 1000; /* more than there is: nobody pays below nothing */
    t.in_image = 1000;
    CHECK_INT(700 + 10 + 7100 + 10, rx_price_cost(&p, &t).pico);
}

static void
sums_beyond_64_bits_saturate(void)
{
    struct rx_price p = { .base = { .has = 1, .n = { RX_RATE_MOST } } };
    struct rx_tokens t = { .in_uncached = UINT64_MAX / 2 };

    CHECK_INT(INT64_MAX, rx_price_cost(&p, &t).pico);
    CHECK_INT(INT64_MAX, rx_cost_times(INT64_MAX, 2000000));
    CHECK_INT(INT64_MAX, rx_cost_add(INT64_MAX, 1));
    CHECK_INT(1, rx_cost_times(1, 500000)); /* half up */
    CHECK_INT(0, rx_cost_times(1, 499999));
}

/* ---- names ----------------------------------------------------------------- */

static void
check_spelling(const char *model, const char *last)
{
    char room[RX_MODEL_NAME_MAX], text[RX_MODEL_NAME_MAX + 1] = "";
    rx_str all = { model, strlen(model) };

    for (unsigned n = 0; n < 10; n++) {
        rx_str s = rx_price_spelling(all, n, room);
        if (s.len == 0)
            break;
        memcpy(text, s.ptr, s.len);
        text[s.len] = '\0';
    }
    CHECK_TEXT(last, text);
}

static void
names_lose_prefixes_and_dates_and_nothing_else(void)
{
    check_spelling("gpt-5", "gpt-5");
    check_spelling("gpt-5-2025-08-07", "gpt-5");
    check_spelling("claude-sonnet-4-5-20250929", "claude-sonnet-4-5");
    check_spelling("claude-sonnet-4-5[1m]", "claude-sonnet-4-5");
    check_spelling("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5");
    check_spelling(
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5");
    check_spelling("vertex_ai/claude-opus-4-1@20250805", "claude-opus-4-1");
    check_spelling("openrouter/x-ai/grok-4", "grok-4");
    check_spelling("mistral-large-latest", "mistral-large");
    check_spelling("llama3:70b", "llama3:70b");
    check_spelling("gpt-4-0613", "gpt-4-0613");
}

/* ---- files ----------------------------------------------------------------- */

static const char litellm[] =
    "{\"sample_spec\":{\"input_cost_per_token\":1,\"litellm_provider\":\"x\"},"
    "\"claude-sonnet-4-5-20250929\":{\"litellm_provider\":\"anthropic\","
    "\"input_cost_per_token\":3e-06,\"output_cost_per_token\":1.5e-05,"
    "\"cache_creation_input_token_cost\":3.75e-06,"
    "\"cache_creation_input_token_cost_above_1hr\":6e-06,"
    "\"cache_read_input_token_cost\":3e-07,"
    "\"input_cost_per_token_above_200k_tokens\":6e-06,"
    "\"output_cost_per_token_above_200k_tokens\":2.25e-05,"
    "\"cache_creation_input_token_cost_above_1hr_above_200k_tokens\":1.2e-05,"
    "\"search_context_cost_per_query\":{\"search_context_size_medium\":0.01},"
    "\"max_tokens\":64000,\"mode\":\"chat\",\"supports_vision\":true},"
    "\"gpt-5\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":"
    "\"1.25e-06\",\"output_cost_per_token\":1e-05,"
    "\"input_cost_per_token_flex\":6.25e-07,\"output_cost_per_token_priority\":"
    "2e-05,\"output_cost_per_reasoning_token\":null},"
    "\"dashscope/qwen3-max\":{\"litellm_provider\":\"dashscope\","
    "\"tiered_pricing\":[{\"range\":[0,32000],\"input_cost_per_token\":1.2e-06,"
    "\"output_cost_per_token\":6e-06},{\"range\":[32000,128000],"
    "\"input_cost_per_token\":2.4e-06,\"output_cost_per_token\":1.2e-05}]},"
    "\"dall-e-3\":{\"litellm_provider\":\"openai\",\"input_cost_per_pixel\":1}}";

static const char modelsdev[] =
    "{\"google\":{\"id\":\"google\",\"name\":\"Google\",\"models\":{"
    "\"gemini-2.5-pro\":{\"id\":\"gemini-2.5-pro\",\"limit\":{\"context\":1},"
    "\"cost\":{\"input\":1.25,\"output\":10,\"cache_read\":0.125,"
    "\"context_over_200k\":{\"input\":2.5,\"output\":15}}},"
    "\"free\":{\"id\":\"free\"}}},"
    "\"xai\":{\"id\":\"xai\",\"models\":{\"grok-4\":{\"cost\":{\"input\":3,"
    "\"output\":15,\"reasoning\":15,\"tiers\":[{\"tier\":{\"type\":\"context\","
    "\"size\":128000},\"input\":6,\"output\":30}]}}}}}";

static const struct price_item *
read_one(const char *text, const char *format, const char *name,
    struct rx_arena *arena)
{
    static struct price_list list;
    struct rx_json_doc *doc;
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, rx_json_parse(&doc, field_text(text), NULL, &err));
    field_adopt(arena, doc);
    CHECK_INT(RX_OK, price_read_file(&list, rx_json_root(doc), arena, &err));
    CHECK_TEXT(format, list.format);
    for (size_t i = 0; i < list.count; i++) {
        if (rx_str_eq(list.items[i].name, field_text(name)))
            return &list.items[i];
    }
    return NULL;
}

/* What ends up in the store for it. */
static void
check_rates(const struct price_item *item, const char *want)
{
    struct rx_buf b;

    CHECK(item != NULL);
    if (item == NULL)
        return;
    rx_buf_init(&b, 4096);
    struct rx_json_out w = rx_json_out(&b);
    rx_json_open_object(&w, NULL);
    price_put_rates(&w, &item->price);
    rx_json_close(&w);
    CHECK_TEXT(want, b.ptr);
    rx_buf_fini(&b);
}

static void
litellms_file_is_understood(void)
{
    struct rx_arena *a = rx_arena_new(16 << 20);

    check_rates(read_one(litellm, "litellm", "claude-sonnet-4-5-20250929", a),
        "{\"input\":\"3\",\"output\":\"15\",\"cache_read\":\"0.3\","
        "\"cache_write_5m\":\"3.75\",\"cache_write_1h\":\"6\",\"tiers\":["
        "{\"over\":200000,\"input\":\"6\",\"output\":\"22.5\","
        "\"cache_write_1h\":\"12\"}],\"web_search\":\"0.01\"}");
    check_rates(read_one(litellm, "litellm", "gpt-5", a),
        "{\"input\":\"1.25\",\"output\":\"10\",\"service_tiers\":{"
        "\"priority\":{\"output\":\"20\"},\"flex\":{\"input\":\"0.625\"}}}");
    const struct price_item *qwen =
        read_one(litellm, "litellm", "dashscope/qwen3-max", a);
    check_rates(qwen,
        "{\"input\":\"1.2\",\"output\":\"6\",\"tiers\":[{\"over\":32000,"
        "\"input\":\"2.4\",\"output\":\"12\"}]}");
    CHECK(qwen != NULL && rx_str_eq(qwen->provider, RX_S("qwen")));
    CHECK(read_one(litellm, "litellm", "dall-e-3", a) == NULL);
    CHECK(read_one(litellm, "litellm", "sample_spec", a) == NULL);
    rx_arena_free(a);
}

static void
modelsdevs_file_is_understood(void)
{
    struct rx_arena *a = rx_arena_new(16 << 20);

    check_rates(read_one(modelsdev, "models.dev", "gemini/gemini-2.5-pro", a),
        "{\"input\":\"1.25\",\"output\":\"10\",\"cache_read\":\"0.125\","
        "\"tiers\":[{\"over\":200000,\"input\":\"2.5\",\"output\":\"15\"}]}");
    const struct price_item *grok =
        read_one(modelsdev, "models.dev", "xai/grok-4", a);
    check_rates(grok,
        "{\"input\":\"3\",\"output\":\"15\",\"reasoning\":\"15\",\"tiers\":["
        "{\"over\":128000,\"input\":\"6\",\"output\":\"30\"}]}");
    CHECK(grok != NULL && grok->price.tiers[0].inclusive);
    rx_arena_free(a);
}

static void
other_files_are_refused(void)
{
    static const char *const others[] = { "{}", "[]", "{\"a\":{\"b\":1}}",
        "{\"data\":[{\"id\":\"gpt-5\"}]}", "3" };
    struct rx_arena *a = rx_arena_new(64 << 20);

    for (size_t i = 0; i < RX_COUNT(others); i++) {
        struct rx_json_doc *doc;
        struct price_list list;
        CHECK_INT(
            RX_OK, rx_json_parse(&doc, field_text(others[i]), NULL, NULL));
        CHECK_INT(
            RX_INVALID, price_read_file(&list, rx_json_root(doc), a, NULL));
        rx_json_free(doc);
    }
    rx_arena_free(a);
}

/* ---- the table ------------------------------------------------------------- */

static int64_t
cost_of(struct store *s, const char *model, uint64_t in, uint64_t out)
{
    struct usage_counts u = { .has = 1u << COUNT_in_uncached |
                                     1u << COUNT_out_total };
    struct rx_cost c;

    u.n[COUNT_in_uncached] = in;
    u.n[COUNT_out_total] = out;
    return prices_cost(s->prices, (rx_str){ 0 }, field_text(model), &u, &c)
               ? c.pico
               : -1;
}

static void
common_models_cost_something_out_of_the_box(void)
{
    static const char *const models[] = { "claude-sonnet-4-5",
        "claude-opus-4-5-20251101", "claude-haiku-4-5[1m]", "gpt-5",
        "gpt-5-mini-2025-08-07", "gpt-4o", "o3", "gemini-2.5-pro",
        "gemini-2.5-flash", "deepseek-chat", "grok-4", "mistral-large-latest",
        "qwen3-max", "kimi-k2-0905-preview", "glm-4.6",
        "anthropic/claude-sonnet-4.5", "llama-3.3-70b-versatile" };
    struct store *s = store_new();

    for (size_t i = 0; i < RX_COUNT(models); i++) {
        if (cost_of(s, models[i], 1000, 100) <= 0)
            fprintf(stderr, "no price: %s\n", models[i]);
        CHECK(cost_of(s, models[i], 1000, 100) > 0);
    }
    CHECK_INT(-1, cost_of(s, "my-own-model", 1000, 100)); /* not 0 */
    CHECK_INT(-1, cost_of(s, "gpt-5-unheard-of", 1000, 100));
    store_end(s);
}

static enum rx_code
load(struct store *s, const char *text)
{
    struct rx_arena *a = rx_arena_new(16 << 20);
    struct rx_json_doc *doc;
    struct price_list list;
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, rx_json_parse(&doc, field_text(text), NULL, &err));
    CHECK_INT(RX_OK, price_read_file(&list, rx_json_root(doc), a, &err));
    CHECK_INT(RX_OK, store_begin(s, &err));
    CHECK_INT(RX_OK, prices_load(s, &list, RX_S("test"), RX_S("00"), &err));
    enum rx_code code = store_commit(s, &err);
    rx_json_free(doc);
    rx_arena_free(a);
    return code;
}

static void
an_operators_price_goes_before_a_files_before_ours(void)
{
    struct store *s = store_new();
    uint64_t first = prices_version(s->prices);

    CHECK_INT(1250 * 1000000, cost_of(s, "gpt-5", 1000, 0));
    CHECK_INT(RX_OK, load(s, "{\"gpt-5\":{\"litellm_provider\":\"openai\","
                             "\"input_cost_per_token\":7e-06}}"));
    CHECK_INT(7000 * 1000000LL, cost_of(s, "gpt-5", 1000, 0));
    CHECK_INT(7000 * 1000000LL, cost_of(s, "openai/gpt-5", 1000, 0));
    CHECK_INT(3000 * 1000000LL, cost_of(s, "claude-sonnet-4-5", 1000, 0));
    CHECK_INT((int64_t)first + 1, (int64_t)prices_version(s->prices));

    CHECK_INT(RX_OK, store_begin(s, NULL));
    CHECK_INT(RX_OK, prices_override(s, RX_S("gpt-5"),
                         RX_S("{\"input\":\"2\",\"output\":\"4\"}"), NULL));
    CHECK_INT(RX_OK, store_commit(s, NULL));
    CHECK_INT(2000 * 1000000LL, cost_of(s, "gpt-5-2025-08-07", 1000, 0));
    const struct price_entry *at =
        prices_at(s->prices, prices_index(s->prices, RX_S("gpt-5")));
    CHECK(at != NULL && rx_str_eq(at->name, RX_S("gpt-5")));
    CHECK_INT((int64_t)first + 2, (int64_t)prices_version(s->prices));

    CHECK_INT(RX_OK, load(s, litellm)); /* does not touch it */
    CHECK_INT(2000 * 1000000LL, cost_of(s, "gpt-5", 1000, 0));
    CHECK_INT(RX_OK, store_begin(s, NULL));
    CHECK_INT(RX_OK, prices_override_remove(s, RX_S("gpt-5"), NULL));
    CHECK_INT(RX_OK, store_commit(s, NULL));
    CHECK_INT(1250 * 1000000, cost_of(s, "gpt-5", 1000, 0));
    store_end(s);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(decimals_are_read_without_binary_fractions);
    CHECK_RUN(money_is_written_without_needless_zeros);
    CHECK_RUN(claudes_caches_cost_what_anthropic_says);
    CHECK_RUN(a_tier_prices_the_whole_request);
    CHECK_RUN(parts_of_the_tokens_are_repriced);
    CHECK_RUN(sums_beyond_64_bits_saturate);
    CHECK_RUN(names_lose_prefixes_and_dates_and_nothing_else);
    CHECK_RUN(litellms_file_is_understood);
    CHECK_RUN(modelsdevs_file_is_understood);
    CHECK_RUN(other_files_are_refused);
    CHECK_RUN(common_models_cost_something_out_of_the_box);
    CHECK_RUN(an_operators_price_goes_before_a_files_before_ours);
    return CHECK_EXIT();
}
