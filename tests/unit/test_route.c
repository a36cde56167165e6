/*
 * Choice of a channel, on configurations made by hand.
 */
#include "dataplane/route.h"
#include "dataplane/shortlist.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

#define ENDPOINT(d) [d] = { .present = true, .auth = AUTH_X_API_KEY }

static const struct credential keys[] = {
    { .id = RX_STR_INIT("k1"), .secret = RX_STR_INIT("s1") },
    { .id = RX_STR_INIT("k2"), .secret = RX_STR_INIT("s2") },
};
static const struct model_entry aliases[] = {
    { RX_STR_INIT("claude-*"), { 0 } },
    { RX_STR_INIT("sonnet"), RX_STR_INIT("claude-sonnet-4-5") },
    { RX_STR_INIT("claude-old"), RX_STR_INIT("claude-new") },
};
static const struct model_entry slashed[] = {
    { RX_STR_INIT("main/turbo"), { 0 } },
};

static struct channel
channel(const char *name, int priority, unsigned weight)
{
    return (struct channel){ .id = { name, strlen(name) },
        .name = { name, strlen(name) },
        .endpoints = { ENDPOINT(DIALECT_ANTHROPIC) },
        .credentials = keys,
        .credential_count = 1,
        .priority = priority,
        .weight = weight,
        .enabled = true };
}

static const struct tenant tenant = { .id = RX_STR_INIT("t"), .enabled = true };
static const struct client_key any_key = {
    .id = RX_STR_INIT("key"), .tenant = &tenant, .enabled = true
};

/* snapshot_find_channel() needs what only a built snapshot has, so tests that
 * name channels go through the daemon; here only `channels` is looked at. */
static bool
plan(struct route_plan *out, const struct channel *channels, size_t n,
    const struct client_key *key, const char *model, uint64_t dice)
{
    struct snapshot s = { .channels = channels, .channel_count = n };
    struct route_request r = { .snapshot = &s,
        .key = key,
        .dialect = DIALECT_ANTHROPIC,
        .op = OP_CREATE,
        .model = { model, strlen(model) },
        .dice = dice };

    return route_plan(out, &r);
}

static void
the_highest_priority_comes_first_and_the_rest_behind_it(void)
{
    struct channel c[] = { channel("a", 10, 1), channel("b", 5, 1),
        channel("c", 1, 1) };
    struct route_plan p;

    for (uint64_t dice = 0; dice < 50; dice++) {
        CHECK(plan(&p, c, 3, &any_key, "m", dice));
        CHECK_INT(3, (intmax_t)p.count);
        for (size_t i = 0; i < 3; i++)
            CHECK(p.candidates[i].channel == &c[i]);
    }
}

static void
shares_inside_a_priority_follow_weight(void)
{
    struct channel c[] = { channel("a", 0, 1), channel("b", 0, 3),
        channel("c", 0, 0) };
    struct route_plan p;
    int first[3] = { 0 };

    for (uint64_t dice = 0; dice < 8000; dice++) {
        CHECK(plan(&p, c, 3, &any_key, "m", dice * 7919));
        first[p.candidates[0].channel - c]++;
        CHECK(p.candidates[2].channel == &c[2]);
    }
    CHECK(first[0] > 1800 && first[0] < 2200);
    CHECK(first[1] > 5800 && first[1] < 6200);
    CHECK_INT(0, first[2]);
}

static void
every_key_of_a_channel_is_a_candidate(void)
{
    struct channel c = channel("a", 0, 1);
    struct route_plan p;

    c.credential_count = 2;
    CHECK(plan(&p, &c, 1, &any_key, "m", 0));
    CHECK_INT(2, (intmax_t)p.count);
    CHECK(p.candidates[0].credential != p.candidates[1].credential);
    int firsts[2] = { 0 };
    for (uint64_t dice = 0; dice < 200; dice++) {
        CHECK(plan(&p, &c, 1, &any_key, "m", dice));
        firsts[p.candidates[0].credential - keys]++;
    }
    CHECK(firsts[0] > 60 && firsts[1] > 60);
}

static void
a_model_is_mapped_by_name_before_pattern(void)
{
    static const struct {
        const char *asked;
        const char *upstream; /* NULL: not served */
    } rows[] = {
        { "claude-x", "claude-x" },
        { "sonnet", "claude-sonnet-4-5" },
        { "claude-old", "claude-new" },
        { "gpt-5", NULL },
    };
    struct channel c = channel("a", 0, 1);

    c.models = aliases;
    c.model_count = RX_COUNT(aliases);
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct route_plan p;
        bool ok = plan(&p, &c, 1, &any_key, rows[i].asked, 0);
        CHECK_INT(rows[i].upstream != NULL, ok);
        if (ok)
            CHECK(rx_str_eq(p.candidates[0].model,
                (rx_str){ rows[i].upstream, strlen(rows[i].upstream) }));
        else
            CHECK_INT(REFUSE_NO_MODEL, p.refusal);
    }
}

static void
a_model_whose_name_has_a_slash_is_served_where_it_is_listed(void)
{
    struct channel c[] = { channel("agg", 0, 1), channel("main", 0, 1) };
    struct route_plan p;

    c[0].models = slashed;
    c[0].model_count = 1;
    c[1].models = aliases;
    c[1].model_count = RX_COUNT(aliases);
    CHECK(plan(&p, c, 2, &any_key, "main/turbo", 0));
    CHECK_INT(1, (intmax_t)p.count);
    CHECK(p.candidates[0].channel == &c[0]);
}

static void
what_is_out_is_no_candidate_and_the_refusal_says_why(void)
{
    struct channel c[] = { channel("off", 0, 1), channel("wait", 0, 1),
        channel("bare", 0, 1), channel("deaf", 0, 1) };
    struct route_plan p;

    c[0].enabled = false;
    c[1].paused = true;
    c[2].credential_count = 0;
    c[3].endpoints[DIALECT_ANTHROPIC].present = false;
    CHECK(!plan(&p, c, 4, &any_key, "m", 0));
    CHECK_INT(REFUSE_NO_CHANNEL, p.refusal);
    CHECK(strstr(p.words, "off disabled") != NULL);
    CHECK(strstr(p.words, "wait paused") != NULL);
    CHECK(strstr(p.words, "bare has no usable credential") != NULL);
    CHECK(strstr(p.words, "deaf does not speak the dialect") != NULL);
}

static void
a_key_sees_only_the_models_and_channels_it_may_use(void)
{
    static const rx_str models[] = { RX_STR_INIT("claude-*") };
    static const rx_str channels[] = { RX_STR_INIT("b") };
    struct client_key narrow = any_key;
    struct channel c[] = { channel("a", 0, 1), channel("b", 0, 1) };
    struct route_plan p;

    narrow.models = models;
    narrow.model_count = 1;
    narrow.channels = channels;
    narrow.channel_count = 1;
    CHECK(plan(&p, c, 2, &narrow, "claude-1", 0));
    CHECK_INT(1, (intmax_t)p.count);
    CHECK(p.candidates[0].channel == &c[1]);
    CHECK(!plan(&p, c, 2, &narrow, "gpt-5", 0));
    CHECK_INT(REFUSE_NOT_ALLOWED, p.refusal);
}

static void
no_channel_at_all_is_said_so(void)
{
    struct route_plan p;

    CHECK(!plan(&p, NULL, 0, &any_key, "m", 0));
    CHECK_INT(REFUSE_NO_CHANNEL, p.refusal);
    CHECK_TEXT("no channel is configured", p.words);
}

/* What was found for one request is not what another may use. */
static void
a_shortlist_is_for_requests_of_the_same_kind_only(void)
{
    static const rx_str only_b[] = { RX_STR_INIT("b") };
    static const struct client_key narrow = { .id = RX_STR_INIT("narrow"),
        .tenant = &tenant,
        .enabled = true,
        .channels = only_b,
        .channel_count = 1 };
    struct channel c[] = { channel("a", 2, 1), channel("b", 1, 1) };
    struct snapshot s = { .channels = c, .channel_count = 2 };
    const struct client_key *const who[] = { &any_key, &narrow };
    char model[] = "sonnet";

    c[1].models = aliases;
    c[1].model_count = 3;
    s.shortlists = shortlists_new(c, 2);
    for (int round = 0; round < 4; round++) {
        for (size_t k = 0; k < 2; k++) {
            struct rx_arena *arena = rx_arena_new(1 << 20);
            struct route_plan p;
            struct route_request r = { .snapshot = &s,
                .key = who[k],
                .dialect = DIALECT_ANTHROPIC,
                .op = OP_CREATE,
                .model =
                    rx_arena_copy(arena, (rx_str){ model, strlen(model) }) };
            CHECK(route_plan(&p, &r));
            CHECK_INT(k == 0 ? 2 : 1, (int)p.count);
            CHECK(p.candidates[0].channel == &c[k]);
            /* As asked, in this request's own text; or as the channel says. */
            if (k == 0)
                CHECK(p.candidates[0].model.ptr == r.model.ptr);
            CHECK(rx_str_eq(
                p.candidates[p.count - 1].model, RX_S("claude-sonnet-4-5")));
            r.dialect = DIALECT_CHAT; /* translated */
            CHECK(route_plan(&p, &r));
            r.op = OP_EMBED; /* which is not */
            CHECK(!route_plan(&p, &r));
            r.op = OP_CREATE;
            r.dialect = DIALECT_ANTHROPIC;
            r.model = RX_S("gpt-5");
            CHECK_INT(k == 0, route_plan(&p, &r));
            rx_arena_free(arena);
        }
    }
    shortlists_free(s.shortlists);
}

static void
names_made_up_without_end_are_forgotten(void)
{
    struct channel c = channel("a", 2, 1);
    struct snapshot s = {
        .channels = &c, .channel_count = 1, .shortlists = shortlists_new(&c, 1)
    };
    char model[300];

    for (int i = 0; i < 10000; i++) {
        struct route_plan p;
        int n = snprintf(model, sizeof(model), "%0*d", 1 + i % 290, i);
        struct route_request r = { .snapshot = &s,
            .key = &any_key,
            .dialect = DIALECT_ANTHROPIC,
            .op = OP_CREATE,
            .model = { model, (size_t)n } };
        CHECK(route_plan(&p, &r));
        CHECK(rx_str_eq(p.candidates[0].model, r.model));
    }
    shortlists_free(s.shortlists);
}

int
main(void)
{
    CHECK_RUN(the_highest_priority_comes_first_and_the_rest_behind_it);
    CHECK_RUN(shares_inside_a_priority_follow_weight);
    CHECK_RUN(every_key_of_a_channel_is_a_candidate);
    CHECK_RUN(a_model_is_mapped_by_name_before_pattern);
    CHECK_RUN(a_model_whose_name_has_a_slash_is_served_where_it_is_listed);
    CHECK_RUN(what_is_out_is_no_candidate_and_the_refusal_says_why);
    CHECK_RUN(a_key_sees_only_the_models_and_channels_it_may_use);
    CHECK_RUN(no_channel_at_all_is_said_so);
    CHECK_RUN(a_shortlist_is_for_requests_of_the_same_kind_only);
    CHECK_RUN(names_made_up_without_end_are_forgotten);
    return CHECK_EXIT();
}
