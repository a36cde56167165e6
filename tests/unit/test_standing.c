/*
 * What is learnt about channels, with time held in the hand.
 */
#include "dataplane/availability.h"
#include "dataplane/cooldown.h"
#include "dataplane/disposition.h"
#include "dataplane/family.h"
#include "dataplane/learn.h"
#include "shared/attr.h"
#include "shared/clock.h"
#include "tests/unit/check.h"

#define WALL  UINT64_C(1795312800000) /* 2026-11-22T02:00:00Z */
#define HOUR  UINT64_C(3600000)
#define START UINT64_C(1000000)

static const struct breaker_limits limits = { .window_ms = 30000,
    .min_samples = 5,
    .failure_pct = 50,
    .in_a_row = 5,
    .open_ms = 15000,
    .open_max_ms = 120000 };

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* ---- cooldowns -------------------------------------------------------------- */

static void
a_429_is_read_as_its_provider_means_it(void)
{
    static const struct {
        const char *headers[4][2];
        const char *body;
        enum cooldown_kind kind;
        uint64_t ms;
    } rows[] = {
        { { { "retry-after", "7" } }, "", COOLDOWN_THROTTLED, 7000 },
        { { { "Retry-After-Ms", "2500" }, { "retry-after", "3" } }, "",
            COOLDOWN_THROTTLED, 2501 },
        { { { "retry-after", "0" } }, "", COOLDOWN_THROTTLED, 1000 },
        { { { "retry-after", "Sun, 22 Nov 2026 02:00:30 GMT" } }, "",
            COOLDOWN_THROTTLED, 30000 },
        { { { "retry-after", "9999999" } }, "", COOLDOWN_THROTTLED, 24 * HOUR },
        { { { "anthropic-ratelimit-unified-representative-claim", "five_hour" },
              { "anthropic-ratelimit-unified-5h-reset", "1795316400" },
              { "anthropic-ratelimit-unified-reset", "1795399200" },
              { "retry-after", "5" } },
            "", COOLDOWN_EXHAUSTED, HOUR },
        { { { "anthropic-ratelimit-unified-reset", "1795316400" } }, "",
            COOLDOWN_EXHAUSTED, HOUR },
        { { { "anthropic-ratelimit-unified-5h-utilization", "1.01" },
              { "anthropic-ratelimit-unified-5h-reset", "1795316400" },
              { "x-should-retry", "true" } },
            "", COOLDOWN_EXHAUSTED, HOUR },
        { { { "anthropic-ratelimit-requests-remaining", "0" },
              { "anthropic-ratelimit-requests-reset",
                  "2026-11-22T02:00:20Z" } },
            "", COOLDOWN_THROTTLED, 20000 },
        { { { "x-ratelimit-remaining-tokens", "0" },
              { "x-ratelimit-reset-tokens", "6m0s" } },
            "", COOLDOWN_THROTTLED, 360000 },
        { { { "x-ratelimit-remaining-tokens", "0" },
              { "x-ratelimit-reset-tokens", "1500ms" } },
            "", COOLDOWN_THROTTLED, 1500 },
        /* Of two windows the one that is named binds. */
        { { { "anthropic-ratelimit-unified-representative-claim", "seven_day" },
              { "anthropic-ratelimit-unified-5h-reset", "1795316400" },
              { "anthropic-ratelimit-unified-7d-reset", "1795320000" } },
            "", COOLDOWN_EXHAUSTED, 2 * HOUR },
        /* What is no time says nothing. */
        { { { "x-ratelimit-remaining-tokens", "0" },
              { "x-ratelimit-reset-tokens", "ms" } },
            "", COOLDOWN_BLIND, 0 },
        { { { "x-ratelimit-remaining-tokens", "0" },
              { "x-ratelimit-reset-tokens", "5 parsecs" } },
            "", COOLDOWN_BLIND, 0 },
        { { { NULL } },
            "{\"error\":{\"type\":\"usage_limit_reached\","
            "\"resets_in_seconds\":120}}",
            COOLDOWN_EXHAUSTED, 120000 },
        { { { NULL } }, "{\"error\":{\"resets_at\": 1795316400}}",
            COOLDOWN_EXHAUSTED, HOUR },
        { { { NULL } },
            "{\"error\":{\"details\":[{\"violations\":[{\"quotaId\":"
            "\"GenerateRequestsPerMinutePerProjectPerModel-FreeTier\"}]},"
            "{\"retryDelay\": \"34.4s\"}]}}",
            COOLDOWN_THROTTLED, 34400 },
        { { { NULL } },
            "{\"error\":{\"details\":[{\"violations\":[{\"quotaId\":"
            "\"GenerateRequestsPerDayPerProject\"}]},"
            "{\"retryDelay\": \"34s\"}]}}",
            COOLDOWN_EXHAUSTED, 6 * HOUR },
        { { { NULL } },
            "{\"error\":{\"message\":\"Please try again in 1.5s.\"}}",
            COOLDOWN_THROTTLED, 1500 },
        { { { NULL } }, "{\"error\":{\"code\":\"insufficient_quota\"}}",
            COOLDOWN_CREDIT, 0 },
        { { { "x-should-retry", "true" } }, "", COOLDOWN_NONE, 0 },
        { { { NULL } }, "{\"error\":{\"code\":429}}", COOLDOWN_BLIND, 0 },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct limit_facts f = { 0 };
        for (size_t k = 0; k < 4 && rows[i].headers[k][0] != NULL; k++)
            limit_read_header(&f, text(rows[i].headers[k][0]),
                text(rows[i].headers[k][1]), WALL);
        struct cooldown c = cooldown_read(&f, 429, text(rows[i].body), WALL);
        if (c.kind != rows[i].kind || c.ms != rows[i].ms)
            fprintf(stderr, "row %zu:\n", i);
        CHECK_INT(rows[i].kind, c.kind);
        CHECK_INT((intmax_t)rows[i].ms, (intmax_t)c.ms);
    }
}

static void
an_overload_is_short_whatever_it_says(void)
{
    struct limit_facts f = { 0 };

    CHECK_INT(10000, (intmax_t)cooldown_read(&f, 529, RX_S(""), WALL).ms);
    limit_read_header(&f, RX_S("retry-after"), RX_S("600"), WALL);
    CHECK_INT(60000, (intmax_t)cooldown_read(&f, 503, RX_S(""), WALL).ms);
}

static void
guesses_double_up_to_a_minute(void)
{
    static const uint64_t want[] = { 5000, 10000, 20000, 40000, 60000, 60000 };

    for (uint32_t i = 0; i < RX_COUNT(want); i++)
        CHECK_INT((intmax_t)want[i], (intmax_t)cooldown_guess(i));
}

static void
models_belong_to_families(void)
{
    static const char *const rows[][2] = { { "claude-opus-4-5", "opus" },
        { "anthropic/claude-sonnet-4-5", "sonnet" },
        { "gemini-2.5-flash-lite", "gemini-flash-lite" },
        { "gemini-2.5-flash", "gemini-flash" }, { "gpt-5-mini", "gpt-mini" },
        { "gpt-5", "gpt" }, { "deepseek-chat", "" } };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        CHECK(rx_str_eq(text(rows[i][1]), family_of(text(rows[i][0]))));
}

/* ---- breaker ------------------------------------------------------------------ */

static void
five_in_a_row_open_it_and_one_success_closes_it(void)
{
    struct breaker b = { 0 };
    uint64_t until;

    for (int i = 0; i < 4; i++)
        CHECK(!breaker_note(&b, &limits, false, START, 0));
    CHECK(breaker_admits(&b, START, &until));
    CHECK(breaker_note(&b, &limits, false, START, 0));
    CHECK(!breaker_admits(&b, START, &until));
    CHECK(until >= START + 13500 && until <= START + 16500);
    CHECK(breaker_admits(&b, until, &until));
    CHECK(breaker_note(&b, &limits, true, START + 20000, 0) == false);
    CHECK_INT(BREAKER_CLOSED, breaker_state(&b, START + 20000));
}

static void
half_of_enough_samples_open_it_and_old_ones_do_not_count(void)
{
    struct breaker b = { 0 };

    for (int i = 0; i < 2; i++) {
        CHECK(!breaker_note(&b, &limits, true, START, 0));
        CHECK(!breaker_note(&b, &limits, false, START, 0));
    }
    CHECK(breaker_note(&b, &limits, false, START, 0)); /* 3 of 5 */
    b = (struct breaker){ 0 };
    for (int i = 0; i < 4; i++) {
        breaker_note(&b, &limits, true, START, 0);
        breaker_note(&b, &limits, false, START, 0);
        b.run = 0;
    }
    b = (struct breaker){ 0 };
    for (int i = 0; i < 3; i++)
        CHECK(!breaker_note(&b, &limits, false, START, 0));
    CHECK(!breaker_note(&b, &limits, true, START + 40000, 0));
    CHECK(!breaker_note(&b, &limits, false, START + 40000, 0));
    CHECK_INT(BREAKER_CLOSED, breaker_state(&b, START + 40000));
}

static void
half_open_lends_one_probe_and_failing_it_doubles_the_wait(void)
{
    struct breaker b = { 0 };
    uint64_t now = START;
    uint64_t expected = 15000;

    for (int i = 0; i < 5; i++)
        breaker_note(&b, &limits, false, now, 0);
    for (int round = 0; round < 6; round++) {
        uint64_t until;
        uint64_t length = b.until_ms - now;
        CHECK(length >= expected - expected / 10);
        CHECK(length <= expected + expected / 10);
        now = b.until_ms;
        CHECK(breaker_lease(&b, now, 60000));
        CHECK(!breaker_lease(&b, now, 60000));
        CHECK(!breaker_admits(&b, now, &until));
        breaker_release(&b);
        CHECK(breaker_admits(&b, now, &until));
        CHECK(breaker_note(&b, &limits, false, now, (uint64_t)round * 977));
        expected = expected * 2 < 120000 ? expected * 2 : 120000;
    }
}

/* ---- standing and availability ---------------------------------------------- */

static const struct credential keys[] = {
    { .id = RX_STR_INIT("k1"), .mark = 11 },
    { .id = RX_STR_INIT("k2"), .mark = 22 },
};
static const struct channel one = { .id = RX_STR_INIT("c1"),
    .name = RX_STR_INIT("one"),
    .credentials = keys,
    .credential_count = 2 };
static const struct settings settings = { .breaker = { .window_ms = 30000,
                                              .min_samples = 5,
                                              .failure_pct = 50,
                                              .in_a_row = 5,
                                              .open_ms = 15000,
                                              .open_max_ms = 120000 } };

static struct availability
look(struct standing *s, size_t key, const char *model, uint64_t now)
{
    struct candidate c = {
        .channel = &one, .credential = &keys[key], .model = text(model)
    };

    return availability_of(s, &c, now);
}

/* An attempt with the first key for `model` that was answered so. */
static void
answered(struct standing *s, const char *model, int status, const char *body,
    const char *retry_after, uint64_t now)
{
    struct candidate c = {
        .channel = &one, .credential = &keys[0], .model = text(model)
    };
    struct limit_facts f = { 0 };
    struct lesson l = { .standing = s, .settings = &settings, .to = &c };
    struct outcome o = { .code = status < 300 ? RX_OK : RX_UPSTREAM,
        .answered = true,
        .status = status,
        .body = text(body),
        .limits = &f };

    if (retry_after != NULL)
        limit_read_header(&f, RX_S("retry-after"), text(retry_after), WALL);
    learn_begin(&l, now);
    enum disposition d = disposition_of(&o, DIALECT_ANTHROPIC, WALL);
    if (d == DISPOSITION_GOOD)
        learn_good(&l, &f, 10, now, 0);
    else
        learn_bad(&l, d, &o, now, 0);
}

static void
a_limit_is_the_keys_and_the_familys_until_the_very_ms(void)
{
    struct standing *s = standing_new();

    CHECK(standing_is_calm(s));
    answered(s, "claude-opus-4", 429, "", "30", START);
    struct availability a = look(s, 0, "claude-opus-5", START + 29999);
    CHECK_INT(ROUTE_TROUBLED, a.reason);
    CHECK_INT(TROUBLE_THROTTLED, a.trouble);
    CHECK_INT((intmax_t)(START + 30000), (intmax_t)a.until_ms);
    CHECK_INT(ROUTE_OK, look(s, 0, "claude-opus-5", START + 30000).reason);
    CHECK_INT(ROUTE_OK, look(s, 0, "claude-haiku-4", START).reason);
    CHECK_INT(ROUTE_OK, look(s, 1, "claude-opus-4", START).reason);
    CHECK_INT(ROUTE_OK, availability_at_all(s, &one, START).reason);
    standing_free(s);
}

static void
a_refused_key_is_out_until_it_is_another(void)
{
    static const struct credential fresh = { .id = RX_STR_INIT("k1"),
        .mark = 12 };
    struct standing *s = standing_new();
    struct candidate c = { .channel = &one, .credential = &fresh };

    answered(s, "m", 401, "{\"error\":{}}", NULL, START);
    CHECK_INT(TROUBLE_CREDENTIAL, look(s, 0, "m", START + 99 * HOUR).trouble);
    CHECK_INT(0, (intmax_t)look(s, 0, "m", START).until_ms);
    CHECK_INT(ROUTE_OK, availability_of(s, &c, START).reason);
    standing_free(s);
}

static void
only_a_proof_that_is_younger_ends_it_early(void)
{
    struct standing *s = standing_new();
    struct subject about = {
        .channel = one.id, .credential = keys[0].id, .model = RX_S("opus")
    };

    answered(s, "claude-opus-4", 429, "", "600", START);
    standing_clear(s, &about, START - 1, START + 5); /* began before */
    CHECK_INT(ROUTE_TROUBLED, look(s, 0, "claude-opus-4", START + 9).reason);
    answered(s, "claude-opus-4", 200, "", NULL, START + 10);
    CHECK_INT(ROUTE_OK, look(s, 0, "claude-opus-4", START + 11).reason);
    CHECK(standing_is_calm(s));
    standing_free(s);
}

static void
a_lesser_trouble_does_not_shorten_a_longer_one(void)
{
    struct standing *s = standing_new();

    answered(s, "claude-opus-4", 429, "", "600", START);
    answered(s, "claude-opus-4", 429, "", "2", START + 10);
    CHECK_INT((intmax_t)(START + 600000),
        (intmax_t)look(s, 0, "claude-opus-4", START + 11).until_ms);
    standing_free(s);
}

static void
blind_limits_grow_while_they_come_in_a_row(void)
{
    struct standing *s = standing_new();
    uint64_t now = START;

    for (uint32_t i = 0; i < 6; i++) {
        answered(s, "m", 429, "{}", NULL, now);
        struct availability a = look(s, 0, "m", now);
        CHECK_INT((intmax_t)cooldown_guess(i), (intmax_t)(a.until_ms - now));
        now = a.until_ms;
    }
    now += 2 * HOUR;
    answered(s, "m", 429, "{}", NULL, now);
    CHECK_INT((intmax_t)5000, (intmax_t)(look(s, 0, "m", now).until_ms - now));
    standing_free(s);
}

static void
strangers_models_cannot_fill_the_table(void)
{
    struct standing *s = standing_new();
    char name[32];
    size_t n = 0;
    size_t at = 0;
    struct trouble_note note;

    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "model-%d", i);
        answered(s, name, 404, "{\"error\":{\"message\":\"model: none\"}}",
            NULL, START);
    }
    while (standing_next_own(s, &at, START, &note))
        n++;
    CHECK(n > 100 && n <= 1024);
    standing_sweep(s, START + HOUR);
    CHECK(standing_is_calm(s));
    standing_free(s);
}

static void
what_the_others_say_replaces_what_they_said(void)
{
    struct standing *s = standing_new();
    struct trouble_note n = { .about = { .channel = one.id },
        .trouble = TROUBLE_OVERLOADED,
        .noted_ms = START,
        .until_ms = START + 5000 };

    standing_hear(s, &n, 1);
    CHECK_INT(TROUBLE_OVERLOADED, look(s, 0, "m", START).trouble);
    standing_hear(s, NULL, 0);
    CHECK_INT(ROUTE_OK, look(s, 0, "m", START).reason);
    standing_note(s, &n);
    standing_reset(s, one.id, START);
    CHECK_INT(ROUTE_OK, look(s, 0, "m", START).reason);
    standing_free(s);
}

static void
the_held_clock_moves_everything(void)
{
    struct standing *s = standing_new();

    rx_clock_fake(WALL);
    uint64_t begin = rx_clock_ms();
    answered(s, "gpt-5", 429, "", "3", begin);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ROUTE_TROUBLED, look(s, 0, "gpt-5", rx_clock_ms()).reason);
        rx_clock_advance(1000);
    }
    CHECK_INT(ROUTE_OK, look(s, 0, "gpt-5", rx_clock_ms()).reason);
    rx_clock_fake(0);
    standing_free(s);
}

int
main(void)
{
    CHECK_RUN(a_429_is_read_as_its_provider_means_it);
    CHECK_RUN(an_overload_is_short_whatever_it_says);
    CHECK_RUN(guesses_double_up_to_a_minute);
    CHECK_RUN(models_belong_to_families);
    CHECK_RUN(five_in_a_row_open_it_and_one_success_closes_it);
    CHECK_RUN(half_of_enough_samples_open_it_and_old_ones_do_not_count);
    CHECK_RUN(half_open_lends_one_probe_and_failing_it_doubles_the_wait);
    CHECK_RUN(a_limit_is_the_keys_and_the_familys_until_the_very_ms);
    CHECK_RUN(a_refused_key_is_out_until_it_is_another);
    CHECK_RUN(only_a_proof_that_is_younger_ends_it_early);
    CHECK_RUN(a_lesser_trouble_does_not_shorten_a_longer_one);
    CHECK_RUN(blind_limits_grow_while_they_come_in_a_row);
    CHECK_RUN(strangers_models_cannot_fill_the_table);
    CHECK_RUN(what_the_others_say_replaces_what_they_said);
    CHECK_RUN(the_held_clock_moves_everything);
    return CHECK_EXIT();
}
