#include "dataplane/strategy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEVER     DRAW_NEVER
#define WINDOW_MS (UINT64_C(5) * 3600 * 1000)

uint64_t
strategy_hash(rx_str text, uint64_t seed)
{
    /* FNV-1a, then mixed: names differ in few bits. */
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
    return draw_mix(h);
}

/* A place as a score sees it. */
struct sitting {
    const struct place *at;
    struct seat *seat; /* NULL: nothing is known of it */
};

/* ---- the strategies --------------------------------------------------------- */

static double
score_weighted(const struct sitting *s, const struct strategy_round *r)
{
    (void)r;
    if (s->at->weight <= 0)
        return NEVER;
    return s->seat != NULL ? -(double)s->seat->smooth : 0;
}

static double
score_round_robin(const struct sitting *s, const struct strategy_round *r)
{
    (void)r;
    return s->seat != NULL ? (double)s->seat->turn : 0;
}

static double
score_least_used(const struct sitting *s, const struct strategy_round *r)
{
    if (s->seat == NULL)
        return 0;
    return s->seat->in_flight * 1e6 + seat_recent(s->seat, r->now_ms);
}

/* What the next one may expect there: those under way are in front of it. */
static double
score_latency(const struct sitting *s, const struct strategy_round *r)
{
    if (s->seat == NULL)
        return 0;
    double ms = seat_ttft(s->seat, r->now_ms);
    return (ms > 1 ? ms : 1) * (s->seat->in_flight + 1);
}

/*
 * How fast a window would have to be used to be used up when it ends: high for
 * much left, and for little time left, since what is left then is lost.
 */
static double
score_headroom(const struct sitting *s, const struct strategy_round *r)
{
    double used = 0;
    uint64_t left_ms = WINDOW_MS;

    if (s->seat != NULL && s->seat->reset_ms > r->now_ms) {
        used = s->seat->used;
        left_ms = s->seat->reset_ms - r->now_ms;
    }
    if (used >= 1)
        return NEVER;
    return -(1 - (used > 0 ? used : 0)) /
           (double)(left_ms > 60000 ? left_ms : 60000);
}

static uint64_t
drain_end(const struct seat *s)
{
    return s->reset_ms > s->since_ms ? s->reset_ms : s->since_ms + WINDOW_MS;
}

/* The account that was begun last goes on until its window ends. */
static double
score_drain(const struct sitting *s, const struct strategy_round *r)
{
    if (s->seat == NULL || s->seat->since_ms == 0 ||
        drain_end(s->seat) <= r->now_ms)
        return 1 - (double)s->at->channel->priority * 1e-10;
    return -(double)s->seat->since_ms;
}

/* ---- what a choice changes ---------------------------------------------------- */

#define SMOOTH 1000 /* units of a weight of one */

static void
chose_weighted(struct seat *seat, double total, const struct strategy_round *r)
{
    (void)r;
    seat->smooth -= (int64_t)(total * SMOOTH);
}

static void
chose_round_robin(
    struct seat *seat, double total, const struct strategy_round *r)
{
    (void)total;
    seat->turn = standing_turn(r->standing);
}

static void
chose_drain(struct seat *seat, double total, const struct strategy_round *r)
{
    (void)total;
    if (seat->since_ms == 0 || drain_end(seat) <= r->now_ms)
        seat->since_ms = r->now_ms > 0 ? r->now_ms : 1;
}

/* ---- picking ------------------------------------------------------------------- */

struct picking {
    enum strategy strategy;
    const struct shortlist *list;
    const struct strategy_round *round;
    struct seat **seats; /* NULL: nothing is known */
    struct rx_arena *scratch;
    const struct place **out;
    size_t count, most;
};

#define SCRATCH_MAX ((size_t)256 * 1024 * 1024)

static struct rx_arena *
scratch_of(struct picking *p)
{
    if (p->scratch == NULL)
        p->scratch = rx_arena_new(SCRATCH_MAX);
    return p->scratch;
}

static bool
is_free(const struct picking *p, size_t at)
{
    const struct strategy_round *r = p->round;

    return r->is_free == NULL || r->is_free(r->arg, &p->list->places[at]);
}

/* What settles ties: the conversation's, or nobody's. */
static uint64_t
tie_of(const struct picking *p)
{
    return p->round->session != 0 ? p->round->session : p->round->dice;
}

/* ---- … by the draw alone -------------------------------------------------------- */

#define DRAWN_FEW 128 /* drawing again costs less than remembering */

/* Tiers that are as good as each other. */
struct group {
    const struct tier *const *tiers;
    size_t count;
    size_t places;
};

static void
draw_group(const struct picking *p, const struct group *g, struct draw *d)
{
    const struct draw_columns *c = &p->list->columns;

    if (p->round->session == 0 && g->count == 1) {
        draw_by_chance(
            d, c, g->tiers[0]->from, g->tiers[0]->to, p->round->dice);
        return;
    }
    for (size_t i = 0; i < g->count; i++)
        draw_from(d, c, g->tiers[i]->from, g->tiers[i]->to, tie_of(p));
}

/* A conversation draws from a long tier once. */
static void
draw_or_recall(const struct picking *p, const struct group *g, struct draw *d)
{
    const struct tier *tier = g->tiers[0];
    uint64_t session = p->round->session;
    struct shortlist_drawn *before = NULL;

    if (session != 0 && g->count == 1 && g->places > DRAWN_FEW &&
        d->most == SHORTLIST_DRAWN)
        before = shortlist_drawn(p->list, tier, session);
    if (before == NULL) {
        draw_group(p, g, d);
        return;
    }
    if (before->tier != tier || before->session != session) {
        draw_group(p, g, d);
        before->tier = tier;
        before->session = session;
        before->count = (uint32_t)d->count;
        for (size_t i = 0; i < d->count; i++)
            before->at[i] = d->best[i].at;
        return;
    }
    d->count = before->count;
    for (size_t i = 0; i < d->count; i++)
        d->best[i].at = before->at[i];
}

/* Of those drawn, who is free.  True when there are enough, or no more. */
static bool
take_drawn(struct picking *p, const struct group *g, const struct draw *d)
{
    size_t had = p->count;

    for (size_t i = 0; i < d->count && p->count < p->most; i++) {
        if (is_free(p, d->best[i].at))
            p->out[p->count++] = &p->list->places[d->best[i].at];
    }
    if (p->count == p->most || d->count < d->most || d->count == g->places)
        return true;
    p->count = had;
    return false;
}

static void
pick_drawn(struct picking *p, const struct group *g)
{
    struct drawn usual[2 * SHORTLIST_DRAWN];
    struct draw d = { usual, SHORTLIST_DRAWN, 0 };

    /* With everybody free, what is drawn is taken. */
    if (p->round->is_free == NULL && p->round->session == 0)
        d.most = STRATEGY_MOST;
    draw_or_recall(p, g, &d);
    while (!take_drawn(p, g, &d)) {
        d.most = d.most * 4 < g->places ? d.most * 4 : g->places;
        d.count = 0;
        d.best = rx_arena_make(scratch_of(p), struct drawn, 2 * d.most);
        if (d.best == NULL)
            return;
        draw_group(p, g, &d);
    }
}

/* ---- … by score ------------------------------------------------------------------ */

struct scored {
    double score; /* the least is first */
    double tie;   /* the least wins */
    uint32_t at;
};

struct podium {
    struct scored best[STRATEGY_MOST];
    size_t count, most;
};

static bool
beats(double score, double tie, const struct scored *other)
{
    return score != other->score ? score < other->score : tie < other->tie;
}

/* The tie is worked out only for who gets as far as that. */
static bool
could_enter(const struct picking *p, const struct podium *podium, size_t at,
    double score, double *tie)
{
    double limit = (double)INFINITY;

    if (podium->count == podium->most) {
        const struct scored *last = &podium->best[podium->count - 1];
        if (score > last->score)
            return false;
        if (score == last->score)
            limit = last->tie;
    }
    return draw_below(&p->list->columns, at, tie_of(p), limit, tie);
}

static void
enter(struct podium *podium, struct scored own)
{
    size_t i =
        podium->count < podium->most ? podium->count++ : podium->count - 1;

    for (; i > 0 && beats(own.score, own.tie, &podium->best[i - 1]); i--)
        podium->best[i] = podium->best[i - 1];
    podium->best[i] = own;
}

static struct sitting
sitting_of(const struct picking *p, size_t at)
{
    return (struct sitting){ &p->list->places[at],
        p->seats != NULL ? p->seats[at] : NULL };
}

static void
take_podium(struct picking *p, const struct podium *podium)
{
    for (size_t i = 0; i < podium->count; i++)
        p->out[p->count++] = &p->list->places[podium->best[i].at];
}

/* All of them gain by their weights; the one who is chosen pays for all. */
static double
credit(struct picking *p, const struct tier *t)
{
    double total = 0;

    for (size_t i = t->from; i < t->to; i++) {
        double weight = p->list->columns.weight[i];
        if (!is_free(p, i))
            continue;
        total += weight;
        if (p->seats != NULL && p->seats[i] != NULL)
            p->seats[i]->smooth += (int64_t)(weight * SMOOTH);
    }
    return total;
}

/* Power of two choices: the better of two drawn at random goes first, so that
 * planes and requests do not all run to the one that was fastest just now. */
#define SAMPLE       16
#define SAMPLE_TRIES ((size_t)128)

/* Some that are free: all where they are few, else drawn at random. */
static size_t
sample(struct picking *p, const struct tier *t, uint32_t out[SAMPLE])
{
    size_t all = t->to - t->from;
    uint64_t dice = p->round->dice;
    size_t n = 0;
    size_t at = all > SAMPLE ? draw_mix(dice) % all : 0;

    size_t tries_max = all + (all > SAMPLE ? SAMPLE_TRIES : 0);

    for (size_t tries = 0; tries < tries_max && n < SAMPLE; tries++) {
        bool there = false;
        for (size_t k = 0; k < n; k++)
            there = there || out[k] == t->from + at;
        if (!there && is_free(p, t->from + at))
            out[n++] = (uint32_t)(t->from + at);
        /* Where nearly nobody is free, one after the other. */
        if (all > SAMPLE && tries < SAMPLE_TRIES)
            at = draw_mix(dice + tries + 1) % all;
        else
            at = at + 1 < all ? at + 1 : 0;
    }
    return n;
}

static void
pick_sampled(struct picking *p, const struct tier *t)
{
    struct podium podium = { .most = p->most - p->count };
    uint32_t some[SAMPLE];
    size_t n = sample(p, t, some);
    size_t a = n > 0 ? draw_mix(p->round->dice) % n : 0;
    size_t b = n > 1 ? draw_mix(p->round->dice + 1) % (n - 1) : 0;

    b += b >= a;
    for (size_t i = 0; i < n; i++) {
        struct sitting s = sitting_of(p, some[i]);
        double score = score_latency(&s, p->round);
        double tie;
        if (n >= 3 && i != a && i != b)
            score += 1e12;
        if (could_enter(p, &podium, some[i], score, &tie))
            enter(&podium, (struct scored){ score, tie, some[i] });
    }
    take_podium(p, &podium);
}

static const struct {
    const char *name;
    enum layout layout;
    bool draws; /* nothing but the draw decides inside a group of tiers */
    double (*score)(const struct sitting *s, const struct strategy_round *r);
    void (*chose)(
        struct seat *seat, double total, const struct strategy_round *r);
} strategies[] = {
    [STRATEGY_PRIORITY] = { "priority", LAYOUT_PRIORITY, true, NULL, NULL },
    [STRATEGY_WEIGHTED] = { "weighted", LAYOUT_FLAT, false, score_weighted,
        chose_weighted },
    [STRATEGY_ROUND_ROBIN] = { "round_robin", LAYOUT_FLAT, false,
        score_round_robin, chose_round_robin },
    [STRATEGY_LEAST_USED] = { "least_used", LAYOUT_FLAT, false,
        score_least_used, NULL },
    [STRATEGY_LATENCY] = { "latency", LAYOUT_FLAT, false, score_latency, NULL },
    [STRATEGY_COST] = { "cost", LAYOUT_PRICE, true, NULL, NULL },
    [STRATEGY_HEADROOM] = { "headroom", LAYOUT_FLAT, false, score_headroom,
        NULL },
    [STRATEGY_DRAIN] = { "drain", LAYOUT_FLAT, false, score_drain,
        chose_drain },
};

enum layout
strategy_layout(enum strategy strategy)
{
    return strategies[strategy].layout;
}

bool
strategy_find(rx_str name, enum strategy *out)
{
    for (size_t i = 0; i < RX_COUNT(strategies); i++) {
        const char *have = strategies[i].name;
        if (rx_str_eq(name, (rx_str){ have, strlen(have) })) {
            *out = (enum strategy)i;
            return true;
        }
    }
    return false;
}

/* The best of a tier; whether one is free is asked of who would be among them.
 */
static void
pick_scored(struct picking *p, const struct tier *t)
{
    struct podium podium = { .most = p->most - p->count };
    bool weighted = p->strategy == STRATEGY_WEIGHTED;
    bool first = p->count == 0;
    double total = weighted && first ? credit(p, t) : 0;
    double tie;

    for (size_t i = t->from; i < t->to; i++) {
        struct sitting s = sitting_of(p, i);
        double score = strategies[p->strategy].score(&s, p->round);
        if (could_enter(p, &podium, i, score, &tie) && is_free(p, i))
            enter(&podium, (struct scored){ score, tie, (uint32_t)i });
    }
    take_podium(p, &podium);
    if (!first || podium.count == 0 || p->seats == NULL)
        return;
    struct seat *seat = p->seats[podium.best[0].at];
    if (strategies[p->strategy].chose != NULL && seat != NULL)
        strategies[p->strategy].chose(seat, total, p->round);
}

static void
pick_tiers(struct picking *p)
{
    for (size_t i = 0; i < p->list->tier_count && p->count < p->most; i++) {
        const struct tier *t = &p->list->tiers[i];
        struct group g = { &t, 1, t->to - t->from };
        if (strategies[p->strategy].draws)
            pick_drawn(p, &g);
        else if (p->strategy == STRATEGY_LATENCY)
            pick_sampled(p, t);
        else
            pick_scored(p, t);
    }
}

/* ---- … by price ------------------------------------------------------------------- */

struct priced {
    const struct tier *tier;
    double cost;
};

static int
by_cost(const void *a, const void *b)
{
    const struct priced *x = a;
    const struct priced *y = b;

    if (x->tier->foreign != y->tier->foreign)
        return x->tier->foreign ? 1 : -1;
    return (x->cost > y->cost) - (x->cost < y->cost);
}

/* Where no price is known: last. */
static double
cost_of(const struct picking *p, const struct tier *t)
{
    if (t->price == NULL || p->round->expected == NULL)
        return NEVER;
    return (double)tariff_at(t->price, t->cost_ppm, p->round->expected);
}

/* There are as many tiers as prices: few, however many places there are. */
static void
pick_cheapest(struct picking *p)
{
    size_t n = p->list->tier_count;
    struct priced *all = rx_arena_make(scratch_of(p), struct priced, n);
    const struct tier **same =
        rx_arena_make(scratch_of(p), const struct tier *, n);

    if (all == NULL || same == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        all[i] = (struct priced){ &p->list->tiers[i],
            cost_of(p, &p->list->tiers[i]) };
    if (n > 1)
        qsort(all, n, sizeof(*all), by_cost);
    for (size_t i = 0; i < n && p->count < p->most;) {
        struct group g = { same, 0, 0 };
        size_t first = i;
        for (; i < n && by_cost(&all[first], &all[i]) == 0; i++) {
            same[g.count++] = all[i].tier;
            g.places += all[i].tier->to - all[i].tier->from;
        }
        pick_drawn(p, &g);
    }
}

size_t
strategy_pick(enum strategy strategy, const struct shortlist *list,
    const struct strategy_round *r, const struct place **out, size_t most)
{
    struct picking p = { .strategy = strategy,
        .list = list,
        .round = r,
        .out = out,
        .most = most < STRATEGY_MOST ? most : STRATEGY_MOST };

    if (strategies[strategy].score != NULL && r->standing != NULL) {
        bool kept = list->memory != NULL;
        p.seats =
            shortlist_seats(list, r->standing, kept ? NULL : scratch_of(&p));
    }
    if (strategies[strategy].layout == LAYOUT_PRICE)
        pick_cheapest(&p);
    else
        pick_tiers(&p);
    rx_arena_free(p.scratch);
    return p.count;
}
