/*
 * The choice among many, beside one made the plain way: look at everybody, sort
 * them, take the first.
 */
#include <math.h>
#include <stdlib.h>

#include "dataplane/draw.h"
#include "dataplane/standing.h"
#include "dataplane/strategy.h"
#include "tests/unit/check.h"

#define MANY   400
#define NOW    UINT64_C(100000000)
#define ROUNDS 150

struct world {
    struct channel channels[MANY];
    char names[MANY][8];
    struct choice choices[MANY];
    bool out[MANY]; /* in trouble */
    size_t count;
    struct standing *standing;
    struct rx_arena *arena;
    struct tariff *tariff;
    struct rx_price prices[4];
};

static uint64_t
next(uint64_t *state)
{
    return draw_mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t
below(uint64_t *state, uint64_t most)
{
    return next(state) % most;
}

static bool
is_free(void *arg, const struct place *p)
{
    const struct world *w = arg;

    return !w->out[p->channel->index];
}

static struct seat *
seat_of(const struct world *w, size_t i)
{
    return standing_seat(w->standing, w->channels[i].id, (rx_str){ 0 });
}

/* Few weights, priorities and figures, so that there are ties. */
static void
build(struct world *w, uint64_t *dice)
{
    static const char *const models[] = { "m0", "m1", "m2", "m3", "m4" };
    uint32_t share = (uint32_t)below(dice, 101);

    w->count = 1 + below(dice, below(dice, 2) == 0 ? 12 : MANY);
    for (size_t i = 0; i < w->count; i++) {
        struct channel *c = &w->channels[i];
        snprintf(w->names[i], sizeof(w->names[i]), "c%u", (unsigned)i);
        *c = (struct channel){ .id = { w->names[i], strlen(w->names[i]) },
            .priority = (int32_t)below(dice, 3),
            .weight = (uint32_t)below(dice, 4),
            .cost_ppm = below(dice, 3) == 0 ? 500000 : 1000000,
            .index = i };
        w->choices[i] = (struct choice){ .channel = c,
            .model = { models[below(dice, 5)], 2 },
            .dialect = below(dice, 4) == 0 ? DIALECT_CHAT : DIALECT_ANTHROPIC };
        w->out[i] = below(dice, 100) < share;
        struct seat *s = seat_of(w, i);
        s->in_flight = (uint32_t)below(dice, 2);
        s->this_minute = (uint32_t)below(dice, 3);
        s->minute = NOW / 60000;
        s->turn = below(dice, 5);
        s->smooth = (int64_t)below(dice, 5) * 1000;
        s->used = (double)below(dice, 5) / 4;
        s->reset_ms = below(dice, 2) * (NOW + 60000 * below(dice, 9));
        s->since_ms = below(dice, 3) * (NOW - below(dice, 3) * 1000);
    }
}

static struct world *
world_new(void)
{
    static const char *const models[] = { "m0", "m1", "m2", "m3" };
    struct world *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    w->arena = rx_arena_new(1 << 22);
    w->tariff = tariff_new(w->arena);
    for (size_t i = 0; i < RX_COUNT(models); i++) {
        w->prices[i].base.has = 1U << RX_RATE_IN | 1U << RX_RATE_OUT;
        w->prices[i].base.n[RX_RATE_IN] = 1000 + i / 2; /* two by two */
        w->prices[i].base.n[RX_RATE_OUT] = 9000;
        tariff_add(w->tariff, (rx_str){ models[i], 2 }, &w->prices[i], false);
    }
    w->standing = standing_new();
    return w;
}

static void
world_free(struct world *w)
{
    standing_free(w->standing);
    rx_arena_free(w->arena);
    free(w);
}

/* ---- the plain way --------------------------------------------------------------- */

struct plain {
    const struct place *place;
    int64_t rank;
    double score, tie;
};

static int
by_all(const void *a, const void *b)
{
    const struct plain *x = a;
    const struct plain *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

/* As docs/routing.md has it. */
static double
plain_score(const struct world *w, enum strategy strategy,
    const struct place *p, const struct rx_tokens *tokens)
{
    const struct seat *s = seat_of(w, p->channel->index);
    bool running = s->reset_ms > NOW;
    double used = running && s->used > 0 ? s->used : 0;
    double left = running ? (double)(s->reset_ms - NOW) : 18000000.0;
    uint64_t end =
        s->reset_ms > s->since_ms ? s->reset_ms : s->since_ms + 18000000;
    int64_t pico = 0;

    switch (strategy) {
    case STRATEGY_WEIGHTED:
        return p->weight > 0 ? -(double)s->smooth : DRAW_NEVER;
    case STRATEGY_ROUND_ROBIN: return (double)s->turn;
    case STRATEGY_LEAST_USED: return s->in_flight * 1e6 + s->this_minute;
    case STRATEGY_COST:
        return tariff_cost(w->tariff, p->channel, p->model, tokens, &pico)
                   ? (double)pico
                   : DRAW_NEVER;
    case STRATEGY_HEADROOM:
        return used >= 1 ? DRAW_NEVER
                         : -(1 - used) / (left > 60000 ? left : 60000);
    case STRATEGY_DRAIN:
        return s->since_ms == 0 || end <= NOW
                   ? 1 - (double)p->channel->priority * 1e-10
                   : -(double)s->since_ms;
    case STRATEGY_PRIORITY:
    case STRATEGY_LATENCY: break;
    }
    return 0;
}

static int64_t
plain_rank(enum strategy strategy, const struct place *p)
{
    int64_t rank = p->dialect != DIALECT_ANTHROPIC;

    return strategy == STRATEGY_PRIORITY
               ? rank - 2 * (int64_t)p->channel->priority
               : rank;
}

/* Who is free, as ranked. */
static size_t
plain_free(struct world *w, enum strategy strategy,
    const struct shortlist *list, const struct strategy_round *r,
    struct plain out[MANY])
{
    uint64_t session = r->session != 0 ? r->session : r->dice;
    size_t n = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct place *p = &list->places[i];
        if (!is_free(w, p))
            continue;
        out[n] = (struct plain){ .place = p, .rank = plain_rank(strategy, p) };
        CHECK(draw_below(
            &list->columns, i, session, (double)INFINITY, &out[n++].tie));
    }
    return n;
}

/* Those in front gain by their weights before one of them is chosen. */
static void
credit(struct world *w, const struct plain *plain, size_t n, int64_t times)
{
    int64_t front = INT64_MAX;

    for (size_t i = 0; i < n; i++)
        front = plain[i].rank < front ? plain[i].rank : front;
    for (size_t i = 0; i < n; i++) {
        if (plain[i].rank == front)
            seat_of(w, plain[i].place->channel->index)->smooth +=
                times * (int64_t)(plain[i].place->weight * 1000);
    }
}

static size_t
plain_pick(struct world *w, enum strategy strategy,
    const struct shortlist *list, const struct strategy_round *r,
    struct plain out[MANY])
{
    size_t n = plain_free(w, strategy, list, r, out);

    credit(w, out, n, strategy == STRATEGY_WEIGHTED);
    for (size_t i = 0; i < n; i++)
        out[i].score = plain_score(w, strategy, out[i].place, r->expected);
    credit(w, out, n, -(strategy == STRATEGY_WEIGHTED)); /* it comes again */
    qsort(out, n, sizeof(*out), by_all);
    return n;
}

/* ---- both ----------------------------------------------------------------------- */

static bool
is_alike(enum strategy strategy, const struct strategy_round *r)
{
    if (strategy == STRATEGY_LATENCY)
        return false;
    return r->session != 0 ||
           (strategy != STRATEGY_PRIORITY && strategy != STRATEGY_COST);
}

static void
compare(struct world *w, enum strategy strategy, uint64_t *dice)
{
    static struct plain plain[MANY];
    const struct place *picked[STRATEGY_MOST];
    struct rx_tokens tokens = { .in_uncached = 1000, .out_total = 500 };
    struct shortlist_wish wish = { strategy_layout(strategy), DIALECT_ANTHROPIC,
        RX_S("x"), w->tariff };
    struct strategy_round r = { .standing = w->standing,
        .now_ms = NOW,
        .session = below(dice, 2) * (1 + below(dice, 1000000)),
        .dice = next(dice),
        .expected = strategy == STRATEGY_COST ? &tokens : NULL,
        .is_free = is_free,
        .arg = w };
    struct rx_arena *arena = rx_arena_new(1 << 22);
    struct shortlist list;

    CHECK(shortlist_make(&list, w->choices, w->count, &wish, arena));
    CHECK_INT((intmax_t)w->count, (intmax_t)list.count);
    size_t free = plain_pick(w, strategy, &list, &r, plain);
    size_t n = strategy_pick(strategy, &list, &r, picked, STRATEGY_MOST);
    CHECK_INT(
        (intmax_t)(free < STRATEGY_MOST ? free : STRATEGY_MOST), (intmax_t)n);
    for (size_t i = 0; i < n; i++) {
        CHECK(is_free(w, picked[i]));
        CHECK_INT(plain_rank(strategy, plain[i].place),
            plain_rank(strategy, picked[i]));
        for (size_t k = 0; k < i; k++)
            CHECK(picked[k] != picked[i]);
        if (is_alike(strategy, &r))
            CHECK(picked[i] == plain[i].place);
    }
    rx_arena_free(arena);
}

static void
who_is_picked_is_who_looking_at_everybody_would_pick(void)
{
    struct world *w = world_new();
    uint64_t dice = 20;

    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned s = STRATEGY_PRIORITY; s <= STRATEGY_DRAIN; s++) {
            build(w, &dice);
            compare(w, (enum strategy)s, &dice);
        }
    }
    world_free(w);
}

/* ---- chance and conversations --------------------------------------------------- */

#define LONG 300

/* Places of these weights, three in turn, all alike otherwise. */
static void
make_long(struct world *w, struct shortlist *list, struct rx_arena *arena)
{
    static const uint32_t weights[] = { 1, 3, 0 };
    struct shortlist_wish wish = { LAYOUT_PRIORITY, DIALECT_ANTHROPIC,
        RX_S("x"), NULL };
    uint64_t dice = 5;

    build(w, &dice);
    w->count = LONG;
    for (size_t i = 0; i < LONG; i++) {
        snprintf(w->names[i], sizeof(w->names[i]), "c%u", (unsigned)i);
        w->channels[i] =
            (struct channel){ .id = { w->names[i], strlen(w->names[i]) },
                .weight = weights[i % 3],
                .index = i };
        w->choices[i] = (struct choice){ .channel = &w->channels[i],
            .dialect = DIALECT_ANTHROPIC };
    }
    CHECK(shortlist_make(list, w->choices, LONG, &wish, arena));
}

static void
shares_follow_the_weights_by_chance_and_by_conversation(void)
{
    struct rx_arena *arena = rx_arena_new(1 << 22);
    struct world *w = world_new();
    struct shortlist list;
    const struct place *picked[STRATEGY_MOST];

    make_long(w, &list, arena);
    for (int way = 0; way < 2; way++) {
        static int first[LONG], second[LONG];
        int thirds[3] = { 0 };
        memset(first, 0, sizeof(first));
        memset(second, 0, sizeof(second));
        for (uint64_t i = 1; i <= 60000; i++) {
            struct strategy_round r = { .session = way == 0 ? i : 0,
                .dice = draw_mix(i) };
            CHECK_INT(STRATEGY_MOST, (intmax_t)strategy_pick(STRATEGY_PRIORITY,
                                         &list, &r, picked, STRATEGY_MOST));
            first[picked[0]->channel->index]++;
            second[picked[1]->channel->index]++;
            thirds[picked[0]->channel->index % 3]++;
        }
        CHECK(thirds[0] > 14500 && thirds[0] < 15500);
        CHECK(thirds[1] > 44500 && thirds[1] < 45500);
        CHECK_INT(0, thirds[2]);
        for (size_t i = 0; i < LONG; i++) { /* 150 and 450 */
            int least = i % 3 == 0 ? 85 : i % 3 == 1 ? 350 : 0;
            int most = i % 3 == 0 ? 220 : i % 3 == 1 ? 560 : 0;
            CHECK(first[i] >= least && first[i] <= most);
            CHECK(second[i] >= least && second[i] <= most);
        }
    }
    world_free(w);
    rx_arena_free(arena);
}

static void
who_goes_moves_only_his_own_conversations(void)
{
    struct rx_arena *arena = rx_arena_new(1 << 22);
    struct shortlist_wish wish = { LAYOUT_PRIORITY, DIALECT_ANTHROPIC,
        RX_S("x"), NULL };
    struct world *w = world_new();
    struct shortlist all, fewer;
    const struct place *with[STRATEGY_MOST], *without[STRATEGY_MOST];

    make_long(w, &all, arena);
    CHECK(shortlist_make(&fewer, w->choices + 1, LONG - 1, &wish, arena));
    for (uint64_t i = 1; i <= 5000; i++) {
        struct strategy_round r = { .session = i };
        strategy_pick(STRATEGY_PRIORITY, &all, &r, with, STRATEGY_MOST);
        strategy_pick(STRATEGY_PRIORITY, &fewer, &r, without, STRATEGY_MOST);
        size_t at = 0; /* the order is the same but for him */
        for (size_t k = 0; k < STRATEGY_MOST; k++) {
            if (with[k]->channel != &w->channels[0])
                CHECK(with[k]->channel == without[at++]->channel);
        }
    }
    world_free(w);
    rx_arena_free(arena);
}

/* What is remembered of a conversation is what it would draw. */
static void
a_conversation_gets_the_same_again(void)
{
    struct rx_arena *arena = rx_arena_new(1 << 22);
    static const struct tenant tenant = { .enabled = true };
    static const struct client_key key = { .tenant = &tenant };
    struct shortlist_key kind = {
        .key = &key, .layout = LAYOUT_PRIORITY, .model = RX_S("x")
    };
    struct shortlist_wish wish = { LAYOUT_PRIORITY, DIALECT_ANTHROPIC,
        RX_S("x"), NULL };
    struct world *w = world_new();
    const struct place *one[STRATEGY_MOST], *two[STRATEGY_MOST];
    struct shortlist plain, made;

    make_long(w, &plain, arena);
    struct shortlists *all = shortlists_new(w->channels, LONG);
    struct rx_arena *room = shortlist_room(all, &kind, LONG);
    CHECK(room != NULL && shortlist_make(&made, w->choices, LONG, &wish, room));
    const struct shortlist *kept = shortlist_keep(all, &kind, &made);
    CHECK(kept == shortlist_find(all, &kind));
    for (uint64_t i = 0; i < 30000; i++) {
        struct strategy_round r = {
            .session = 1 + i % 7000, .is_free = is_free, .arg = w
        };
        w->out[(i * 7) % LONG] = i % 3 == 0;
        size_t n =
            strategy_pick(STRATEGY_PRIORITY, kept, &r, one, STRATEGY_MOST);
        CHECK_INT((intmax_t)n, (intmax_t)strategy_pick(STRATEGY_PRIORITY,
                                   &plain, &r, two, STRATEGY_MOST));
        for (size_t k = 0; k < n; k++)
            CHECK(one[k]->channel == two[k]->channel);
    }
    shortlists_free(all);
    world_free(w);
    rx_arena_free(arena);
}

int
main(void)
{
    CHECK_RUN(who_is_picked_is_who_looking_at_everybody_would_pick);
    CHECK_RUN(shares_follow_the_weights_by_chance_and_by_conversation);
    CHECK_RUN(who_goes_moves_only_his_own_conversations);
    CHECK_RUN(a_conversation_gets_the_same_again);
    return CHECK_EXIT();
}
