#include "dataplane/limits.h"
#include "shared/clock.h"
#include "tests/unit/check.h"

#define CHECK_U64(want, got) CHECK_INT((intmax_t)(want), (intmax_t)(got))

static struct limit_amount
tokens(uint64_t n)
{
    return (struct limit_amount){ .tokens = n };
}

static struct limits_time
at(uint64_t ms)
{
    return (struct limits_time){ 1000 + ms, 1700000000000 + ms };
}

static struct limit_set
rpm(uint64_t n)
{
    return (struct limit_set){ .most = { [LIMIT_REQUESTS] = n } };
}

static bool
enter(struct limits *l, const struct limit_set *tenant,
    const struct limit_set *key, uint64_t ms, struct limits_hold *hold,
    struct limit_refusal *why)
{
    struct limit_who who[LIMIT_OWNERS] = { { RX_S("ten"), tenant },
        { RX_S("key"), key } };

    *hold = (struct limits_hold){ 0 };
    return limits_enter(l, who, at(ms), hold, why);
}

/* One request that comes, costs nothing and goes. */
static bool
pass(struct limits *l, const struct limit_set *tenant, uint64_t ms,
    struct limit_refusal *why)
{
    struct limits_hold hold;

    if (!enter(l, tenant, NULL, ms, &hold, why))
        return false;
    limits_leave(l, &hold, tokens(0), at(ms));
    return true;
}

static void
a_minute_s_worth_passes_at_once_and_then_one_at_each_interval(void)
{
    struct limits *l = limits_new();
    struct limit_set seven = rpm(7); /* which does not divide a minute */
    struct limit_refusal why = { 0 };
    unsigned passed = 0;

    for (unsigned i = 0; i < 20; i++)
        passed += pass(l, &seven, 0, &why);
    CHECK_U64(7, passed);
    CHECK_U64(LIMIT_REQUESTS, why.limit);
    CHECK_U64(LIMIT_TENANT, why.owner);
    CHECK_U64(9, why.retry_s); /* 60/7 s, rounded up */
    CHECK(!pass(l, &seven, 8571, &why));
    CHECK(pass(l, &seven, 8572, &why));
    CHECK(!pass(l, &seven, 17142, &why));
    CHECK(pass(l, &seven, 17143, &why));
    limits_free(l);
}

static void
over_an_hour_of_hammering_not_one_more_passes_than_the_rate_allows(void)
{
    struct limits *l = limits_new();
    struct limit_set set = rpm(97);
    struct limit_refusal why;
    uint64_t passed = 0;

    for (uint64_t ms = 0; ms <= 3600000; ms += 13)
        passed += pass(l, &set, ms, &why);
    CHECK_U64(97 + 97 * (3600000 / 13 * 13) / 60000, passed);
    limits_free(l);
}

static void
a_key_within_its_tenant_is_refused_by_whichever_is_used_up(void)
{
    struct limits *l = limits_new();
    struct limit_set tenant = rpm(3);
    struct limit_set key = rpm(2);
    struct limits_hold hold;
    struct limit_refusal why;

    CHECK(enter(l, &tenant, &key, 0, &hold, &why));
    limits_leave(l, &hold, tokens(0), at(0));
    CHECK(enter(l, &tenant, &key, 0, &hold, &why));
    limits_leave(l, &hold, tokens(0), at(0));
    CHECK(!enter(l, &tenant, &key, 0, &hold, &why));
    CHECK_U64(LIMIT_KEY, why.owner);
    /* What the key refused was not taken from the tenant. */
    CHECK(pass(l, &tenant, 0, &why));
    CHECK(!pass(l, &tenant, 0, &why));
    CHECK_U64(LIMIT_TENANT, why.owner);
    limits_free(l);
}

static void
no_more_at_a_time_than_allowed_and_each_end_makes_room_once(void)
{
    struct limits *l = limits_new();
    struct limit_set two = { .most = { [LIMIT_CONCURRENT] = 2 } };
    struct limits_hold a, b, c;
    struct limit_refusal why;

    CHECK(enter(l, &two, NULL, 0, &a, &why));
    CHECK(enter(l, &two, NULL, 0, &b, &why));
    CHECK(!enter(l, &two, NULL, 0, &c, &why));
    CHECK_U64(LIMIT_CONCURRENT, why.limit);
    limits_leave(l, &a, tokens(0), at(1));
    limits_leave(l, &a, tokens(0), at(1)); /* of nothing */
    CHECK(enter(l, &two, NULL, 1, &c, &why));
    CHECK(!enter(l, &two, NULL, 1, &a, &why));
    limits_leave(l, &b, tokens(0), at(2));
    limits_leave(l, &c, tokens(0), at(2));
    limits_free(l);
}

static void
tokens_are_reserved_as_estimated_and_settled_as_used(void)
{
    struct limits *l = limits_new();
    struct limit_set set = {
        .most = { [LIMIT_TOKENS] = 1000, [LIMIT_QUOTA] = 2000 },
        .window = RX_WINDOW_DAY
    };
    struct limits_hold a, b;
    struct limit_refusal why;

    CHECK(enter(l, &set, NULL, 0, &a, &why));
    CHECK(limits_reserve(l, &a, tokens(900), at(0), &why));
    CHECK(enter(l, &set, NULL, 0, &b, &why));
    CHECK(!limits_reserve(l, &b, tokens(200), at(0), &why));
    CHECK_U64(LIMIT_TOKENS, why.limit);
    CHECK_U64(6, why.retry_s); /* 100 tokens too many */
    limits_undo(l, &b, at(0));
    limits_leave(l, &a, tokens(50), at(0));
    CHECK(enter(l, &set, NULL, 0, &b, &why));
    CHECK(limits_reserve(l, &b, tokens(950), at(0), &why));
    limits_leave(l, &b, tokens(1940), at(0)); /* far beyond the estimate */
    CHECK(!enter(l, &set, NULL, 0, &b, &why));
    /* The bucket is full again, and the quota has ten left. */
    CHECK(enter(l, &set, NULL, 120000, &b, &why));
    CHECK(!limits_reserve(l, &b, tokens(11), at(120000), &why));
    CHECK_U64(LIMIT_QUOTA, why.limit);
    CHECK(limits_reserve(l, &b, tokens(10), at(120000), &why));
    limits_leave(l, &b, tokens(10), at(120000));
    CHECK(!enter(l, &set, NULL, 120000, &b, &why));
    uint64_t end = rx_window_end(RX_WINDOW_DAY, at(120000).wall_ms);
    CHECK_U64((end - at(120000).wall_ms + 999) / 1000, why.retry_s);
    CHECK(enter(l, &set, NULL, end - at(0).wall_ms, &b, &why));
    limits_leave(l, &b, tokens(0), at(end - at(0).wall_ms));
    limits_free(l);
}

static void
a_request_bigger_than_the_bucket_passes_when_it_is_full_and_pays(void)
{
    struct limits *l = limits_new();
    struct limit_set set = { .most = { [LIMIT_TOKENS] = 1000 } };
    struct limits_hold a;
    struct limit_refusal why;

    CHECK(enter(l, &set, NULL, 0, &a, &why));
    CHECK(limits_reserve(l, &a, tokens(5000), at(0), &why));
    limits_leave(l, &a, tokens(5000), at(0));
    CHECK(!enter(l, &set, NULL, 239000, &a, &why));
    CHECK(enter(l, &set, NULL, 241000, &a, &why));
    limits_leave(l, &a, tokens(0), at(241000));
    limits_free(l);
}

static void
lease(struct limits *l, uint64_t share, uint64_t credit, uint64_t ms)
{
    limits_lease_begin(l, false, 0, at(ms));
    limits_lease_item(l,
        &(struct limit_lease){
            LIMIT_TENANT, RX_S("ten"), LIMIT_REQUESTS, share, credit, 0 },
        at(ms));
    limits_lease_end(l, at(ms));
}

static void
sum_demand(void *arg, const struct limit_demand *d)
{
    struct limit_demand *out = arg;

    *out = *d;
}

static void
note_short(void *arg)
{
    *(bool *)arg = true;
}

static void
a_changed_share_neither_makes_nor_hides_what_was_used(void)
{
    struct limits *l = limits_new();
    struct limit_set set = rpm(60);
    struct limit_refusal why;
    struct limit_demand d;
    unsigned passed = 0;

    for (unsigned i = 0; i < 10; i++)
        CHECK(pass(l, &set, 0, &why)); /* 50 left */
    lease(l, 20, 0, 0);                /* gives up 30 */
    limits_demand(l, false, at(0), sum_demand, &d);
    CHECK_U64(20, d.share);
    CHECK_U64(30, d.forfeited);
    lease(l, 60, 0, 0);
    for (unsigned i = 0; i < 60; i++)
        passed += pass(l, &set, 0, &why);
    CHECK_U64(20, passed);
    lease(l, 60, 15, 0); /* what another gave up, */
    lease(l, 60, 15, 0); /* told twice */
    for (unsigned i = 0; i < 60; i++)
        passed += pass(l, &set, 0, &why);
    CHECK_U64(35, passed);
    bool is_short = false;
    limits_on_short(l, note_short, &is_short);
    lease(l, 0, 15, 0);
    CHECK(!pass(l, &set, 3600000, &why));
    CHECK_U64(1, why.retry_s);
    CHECK(is_short);
    limits_free(l);
}

static void
what_no_lease_names_is_had_in_parts_and_without_one_in_whole(void)
{
    struct limits *l = limits_new();
    struct limit_set set = rpm(9);
    struct limit_refusal why;
    unsigned passed = 0;

    limits_lease_begin(l, true, LIMIT_PARTS / 3, at(0));
    limits_lease_end(l, at(0));
    for (unsigned i = 0; i < 9; i++)
        passed += pass(l, &set, 0, &why);
    CHECK_U64(3, passed);
    limits_free(l);
}

/* The one limit there is, after `ms`. */
static struct limit_demand
demand(struct limits *l, uint64_t ms)
{
    struct limit_demand d = { 0 };

    limits_demand(l, false, at(ms), sum_demand, &d);
    return d;
}

static void
a_peak_is_wanted_for_two_seconds_and_what_is_held_as_long_as_it_is(void)
{
    struct limits *l = limits_new();
    struct limit_set set = { .most = { [LIMIT_CONCURRENT] = 9 } };
    struct limits_hold held[4];
    struct limit_refusal why;

    for (unsigned i = 0; i < 4; i++)
        CHECK(enter(l, &set, NULL, 0, &held[i], &why));
    for (unsigned i = 2; i < 4; i++)
        limits_leave(l, &held[i], tokens(0), at(10));
    CHECK_U64(2, demand(l, 1000).used);
    CHECK_U64(4, demand(l, 1500).wanted); /* not a second later */
    CHECK_U64(4, demand(l, 2000).wanted);
    for (uint64_t ms = 3000; ms < 9000; ms += 1000)
        CHECK_U64(2, demand(l, ms).wanted);
    for (unsigned i = 0; i < 2; i++)
        limits_leave(l, &held[i], tokens(0), at(9000));
    CHECK_U64(2, demand(l, 10000).wanted);
    CHECK_U64(2, demand(l, 11000).wanted);
    CHECK_U64(0, demand(l, 12000).wanted);
    limits_free(l);
}

static void
what_was_refused_is_wanted_too_up_to_the_limit(void)
{
    struct limits *l = limits_new();
    struct limit_set set = { .most = { [LIMIT_CONCURRENT] = 3 } };
    struct limits_hold held, none;
    struct limit_refusal why;

    limits_lease_begin(l, true, LIMIT_PARTS / 3, at(0));
    limits_lease_end(l, at(0));
    CHECK(enter(l, &set, NULL, 0, &held, &why));
    CHECK(!enter(l, &set, NULL, 0, &none, &why));
    CHECK_U64(1, demand(l, 0).share);
    CHECK_U64(2, demand(l, 0).wanted);
    limits_leave(l, &held, tokens(0), at(0));
    limits_free(l);

    /* Of a rate as if it went on so, and nothing when it is over. */
    l = limits_new();
    set = rpm(100);
    for (unsigned i = 0; i < 3; i++)
        CHECK(pass(l, &set, 0, &why));
    CHECK_U64(100, demand(l, 1000).wanted);
    CHECK_U64(100, demand(l, 2000).wanted);
    CHECK_U64(0, demand(l, 3000).wanted);
    limits_free(l);
}

static void
idle_state_is_dropped_and_what_is_held_is_not(void)
{
    struct limits *l = limits_new();
    struct limit_set set = rpm(9);
    struct limits_hold held;
    struct limit_refusal why;

    CHECK(enter(l, &set, NULL, 0, &held, &why));
    CHECK_U64(1, limits_count(l));
    limits_sweep(l, 1000, at(5000));
    CHECK_U64(1, limits_count(l));
    limits_leave(l, &held, tokens(0), at(5000));
    limits_sweep(l, 1000, at(5500));
    CHECK_U64(1, limits_count(l));
    limits_sweep(l, 1000, at(7000));
    CHECK_U64(0, limits_count(l));
    limits_free(l);
}

static void
windows_are_those_of_the_calendar(void)
{
    uint64_t now, want;

    rx_time_parse(RX_S("2028-02-29T12:34:56Z"), &now); /* a Tuesday */
    rx_time_parse(RX_S("2028-02-01T00:00:00Z"), &want);
    CHECK_U64(want, rx_window_start(RX_WINDOW_MONTH, now));
    rx_time_parse(RX_S("2028-03-01T00:00:00Z"), &want);
    CHECK_U64(want, rx_window_end(RX_WINDOW_MONTH, now));
    CHECK_U64(want, rx_window_end(RX_WINDOW_DAY, now));
    rx_time_parse(RX_S("2028-02-28T00:00:00Z"), &want);
    CHECK_U64(want, rx_window_start(RX_WINDOW_WEEK, now));
    CHECK_U64(want + 7 * 86400000, rx_window_end(RX_WINDOW_WEEK, now));
    CHECK_U64(0, rx_window_start(RX_WINDOW_TOTAL, now));
    CHECK_U64(0, rx_window_end(RX_WINDOW_TOTAL, now));
}

int
main(void)
{
    CHECK_RUN(a_minute_s_worth_passes_at_once_and_then_one_at_each_interval);
    CHECK_RUN(
        over_an_hour_of_hammering_not_one_more_passes_than_the_rate_allows);
    CHECK_RUN(a_key_within_its_tenant_is_refused_by_whichever_is_used_up);
    CHECK_RUN(no_more_at_a_time_than_allowed_and_each_end_makes_room_once);
    CHECK_RUN(tokens_are_reserved_as_estimated_and_settled_as_used);
    CHECK_RUN(a_request_bigger_than_the_bucket_passes_when_it_is_full_and_pays);
    CHECK_RUN(a_changed_share_neither_makes_nor_hides_what_was_used);
    CHECK_RUN(what_no_lease_names_is_had_in_parts_and_without_one_in_whole);
    CHECK_RUN(
        a_peak_is_wanted_for_two_seconds_and_what_is_held_as_long_as_it_is);
    CHECK_RUN(what_was_refused_is_wanted_too_up_to_the_limit);
    CHECK_RUN(idle_state_is_dropped_and_what_is_held_is_not);
    CHECK_RUN(windows_are_those_of_the_calendar);
    return CHECK_EXIT();
}
